#include "kernel/graph.h"

#include "base/bytes.h"
#include "kernel/adjacency.h"
#include "kernel/graph_words.h"

#include "kernel/pure.h"

/* --- Graphs ----------------------------------------------------------------------------
 */

const struct graph_config *graph_config(const struct graph *graph) {
    return &graph->config;
}
uint64_t graph_node_count(const struct state *state, const struct graph *graph) {
    return trie_count(&state->nodes, graph->names);
}
uint64_t graph_edge_count(const struct graph *graph) { return graph->edge_count; }

uint64_t graph_memory(const struct graph *graph) {
    const struct pool *pools[] = {
        &graph->nodes,      &graph->edges,      &graph->words,     &graph->links,
        &graph->buckets[0], &graph->buckets[1], &graph->buckets[2]};
    uint64_t leaves = graph->nodes.limit - graph->nodes.free_count + graph->words.limit -
                      graph->words.free_count + graph->links.limit -
                      graph->links.free_count;
    uint64_t bytes = sizeof *graph + graph->heap_bytes +
                     sizeof(struct trie_node) * (leaves + graph->inner);
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        bytes += pool_room(pools[i]);
    return bytes;
}

uint64_t state_graph_nodes(const struct state *state) { return state->graph_nodes; }
uint64_t state_graph_edges(const struct state *state) { return state->graph_edges; }

/* --- Nodes -----------------------------------------------------------------------------
 */

uint32_t graph_find(const struct state *state, const struct graph *graph,
                    struct slice name) {
    uint8_t key[SHA256_SIZE];
    hash_node_name(name, key);
    return trie_find(&state->nodes, &graph->nodes, graph->names, key);
}

struct slice graph_node_name(const struct state *state, const struct graph *graph,
                             uint32_t row) {
    const struct graph_node *node = node_row(graph, row);
    return heap_get(&state->heap, node->name, node->name_size);
}

uint32_t graph_node_kind(const struct graph *graph, uint32_t row) {
    return node_row(graph, row)->kind;
}

static struct slice word_of(const struct state *state, const struct graph *graph,
                            uint32_t reference) {
    if (!reference) return slice_of(NULL, 0);
    const struct graph_word *word = word_row(graph, reference);
    return heap_get(&state->heap, word->name, word->size);
}

void graph_node(const struct state *state, const struct graph *graph, uint32_t row,
                struct node *node) {
    const struct heap *heap = &state->heap;
    const struct graph_node *from = node_row(graph, row);
    *node = (struct node){.row = row,
                          .widx = from->widx,
                          .flags = from->flags,
                          .name = heap_get(heap, from->name, from->name_size),
                          .kind = word_of(state, graph, from->kind),
                          .properties =
                              heap_get(heap, from->properties, from->properties_size),
                          .edges = {adjacency_count(state, graph, from->out),
                                    adjacency_count(state, graph, from->in)}};
    if (!from->link) return;
    const struct graph_link *link = link_row(graph, from->link);
    node->link_db = link->db;
    node->link_key = heap_get(heap, link->key, link->key_size);
    node->link_element = heap_get(heap, link->element, link->element_size);
}

/* --- Words -----------------------------------------------------------------------------
 */

uint32_t graph_kind(const struct state *state, const struct graph *graph,
                    struct slice kind) {
    return word_find(state, graph, graph->kinds, kind);
}
uint32_t graph_type(const struct state *state, const struct graph *graph,
                    struct slice type) {
    return word_find(state, graph, graph->types, type);
}

bool scan_node(const struct state *state, const struct graph *graph, struct scan *scan,
               uint32_t *row) {
    *row = scan_leaf(state, &graph->nodes, graph->names, scan);
    return *row != UINT32_MAX;
}

bool scan_word(const struct state *state, const struct graph *graph, bool types,
               struct scan *scan, struct slice *word, uint32_t *users) {
    uint32_t row =
        scan_leaf(state, &graph->words, types ? graph->types : graph->kinds, scan);
    if (row == UINT32_MAX) return false;
    *word = word_of(state, graph, row + 1);
    *users = word_row(graph, row + 1)->count;
    return true;
}

/* --- Edges -----------------------------------------------------------------------------
 */

uint32_t graph_find_edge(const struct state *state, const struct graph *graph,
                         uint32_t source, struct slice type, uint32_t destination) {
    uint8_t key[SHA256_SIZE];
    uint32_t word = graph_type(state, graph, type);
    if (!word) return UINT32_MAX;
    hash_edge_name('E', type, graph_node_name(state, graph, destination), key);
    return adjacency_find(state, graph, node_row(graph, source)->out, DIRECTION_OUT, key,
                          word, destination);
}

void graph_edge(const struct state *state, const struct graph *graph, uint32_t row,
                struct edge *edge) {
    const struct graph_edge *from = edge_row(graph, row);
    bool weighed = (from->flags & CHANGE_WEIGHT) != 0;
    *edge = (struct edge){
        .row = row,
        .widx = from->widx,
        .flags = from->flags,
        .source = from->source,
        .destination = from->destination,
        .type = word_of(state, graph, from->type),
        .properties = heap_get(&state->heap, from->properties, from->properties_size),
        .weight = weighed ? from->weight : WEIGHT_ONE};
}

void graph_edge_end(const struct graph *graph, uint32_t row, enum direction direction,
                    struct edge_end *end) {
    const struct graph_edge *from = edge_row(graph, row);
    end->other = direction == DIRECTION_OUT ? from->destination : from->source;
    end->type = from->type;
    end->weight = from->flags & CHANGE_WEIGHT ? from->weight : WEIGHT_ONE;
}

void edge_walk(struct edge_walk *walk, const struct state *state,
               const struct graph *graph, uint32_t node, enum direction direction,
               uint64_t prefix) {
    const struct graph_node *from = node_row(graph, node);
    adjacency_walk(walk, state, graph, direction == DIRECTION_OUT ? from->out : from->in,
                   direction, prefix);
}

uint32_t edge_next(struct edge_walk *walk) { return adjacency_next(walk); }

uint64_t edge_prefix(const struct edge_walk *walk, uint32_t row) {
    uint8_t key[SHA256_SIZE];
    adjacency_key(walk->state, walk->graph, row, walk->direction, key);
    return load_be64(key);
}
