/* Graphs: what the state answers to changes of their nodes and edges, and what these do.
 */
#include "base/check.h"
#include "kernel/graph_hash.h"
#include "kernel/graph_words.h"
#include "kernel/graph_write.h"

#include "kernel/pure.h"

enum {
    CHUNK_AT_RANDOM = 4096,
    CHUNK_OF_WORDS = 1024,
    EDGES_PER_STEP = 64, /* that one step of NODEDEL takes away */
    SETTLE_AFTER = 1024, /* changes since the last seal */
};

const struct graph *object_graph(const struct state *state, const struct object *object) {
    if (object->type != OBJECT_GRAPH) return NULL;
    return pool_row(&state->graphs, object->part);
}

/* --- Where -----------------------------------------------------------------------------
 */

static uint32_t find_node(const struct state *state, const struct graph *graph,
                          const uint8_t hash[SHA256_SIZE]) {
    return trie_find(&state->nodes, &graph->nodes, graph->names, hash);
}

static void locate_edge(const struct state *state, const struct graph *graph,
                        const struct change *change, struct place *place) {
    place->destination = find_node(state, graph, change->target_hash);
    hash_edge_name('E', change->word, change->target, place->edge_key);
    if (place->slot == UINT32_MAX || place->destination == UINT32_MAX) return;
    uint32_t type = word_find(state, graph, graph->types, change->word);
    if (type == 0) return;
    place->edge =
        adjacency_find(state, graph, node_row(graph, place->slot)->out, DIRECTION_OUT,
                       place->edge_key, type, place->destination);
}

void graph_locate(const struct state *state, const struct change *change,
                  struct place *place) {
    place->destination = place->edge = UINT32_MAX;
    const struct graph *graph = object_graph(state, object_at(state, place->row));
    if (!graph || change->type == CHANGE_GCREATE) return;
    place->slot = find_node(state, graph, change->element_hash);
    if (change_of_edge(change->type)) locate_edge(state, graph, change, place);
}

/* --- Refusals: docs/format.md 6.1 ------------------------------------------------------
 */

static enum status condition(const struct change *change, bool exists) {
    if ((change->flags & CHANGE_NX) && exists) return STATUS_CONDITION;
    if ((change->flags & CHANGE_XX) && !exists) return STATUS_CONDITION;
    return STATUS_OK;
}

static enum status node_refused(const struct state *state, const struct graph *graph,
                                const struct change *change, bool exists) {
    if (!graph && !(change->flags & CHANGE_CONFIG)) return STATUS_NO_KEY;
    enum status status = condition(change, exists);
    if (status || exists) return status;
    uint64_t capacity = graph ? graph->config.nodes : change->graph.nodes;
    uint64_t count = graph ? graph_node_count(state, graph) : 0;
    return capacity && count >= capacity ? STATUS_CAPACITY : STATUS_OK;
}

static enum status edge_refused(const struct graph *graph, const struct change *change,
                                const struct place *place) {
    bool exists = place->edge != UINT32_MAX;
    if (place->slot == UINT32_MAX || place->destination == UINT32_MAX)
        return STATUS_NO_NODE;
    if (change->type == CHANGE_EDGEDEL) return exists ? STATUS_OK : STATUS_NO_EDGE;
    enum status status = condition(change, exists);
    if (status || exists) return status;
    uint64_t capacity = graph->config.edges;
    return capacity && graph->edge_count >= capacity ? STATUS_CAPACITY : STATUS_OK;
}

enum status graph_refused(const struct state *state, const struct object *object,
                          const struct change *change, const struct place *place) {
    if (change->type == CHANGE_GCREATE) return object ? STATUS_EXISTS : STATUS_OK;
    const struct graph *graph = object ? object_graph(state, object) : NULL;
    if (object && !graph) return STATUS_WRONG_TYPE;
    bool exists = place->slot != UINT32_MAX;
    if (change->type == CHANGE_NODE) return node_refused(state, graph, change, exists);
    if (!object) return STATUS_NO_KEY;
    if (change->type == CHANGE_NODEDEL) return exists ? STATUS_OK : STATUS_NO_NODE;
    return edge_refused(graph, change, place);
}

/* --- Graphs and nodes ------------------------------------------------------------------
 */

void graph_begin(struct graph *graph) {
    pool_begin(&graph->nodes, sizeof(struct graph_node), CHUNK_AT_RANDOM,
               GRAPH_NODE_LAYOUT);
    pool_begin(&graph->edges, sizeof(struct graph_edge), CHUNK_AT_RANDOM,
               GRAPH_EDGE_LAYOUT);
    pool_begin(&graph->words, sizeof(struct graph_word), CHUNK_OF_WORDS,
               GRAPH_WORD_LAYOUT);
    pool_begin(&graph->links, sizeof(struct graph_link), CHUNK_AT_RANDOM,
               GRAPH_LINK_LAYOUT);
    adjacency_begin(graph);
}

static uint32_t create_graph(struct kernel *kernel, const struct change *change) {
    uint32_t row = add_object(kernel, change, OBJECT_GRAPH);
    own_object(kernel, row)->part = pool_take(&kernel->memory, &kernel->state.graphs);
    struct graph *graph = own_graph(kernel, row);
    graph->config = change->graph;
    graph_begin(graph);
    return row;
}

void forget_graph(struct state *state, const struct object *object) {
    const struct graph *graph = object_graph(state, object);
    if (!graph) return;
    state->graph_nodes -= graph_node_count(state, graph);
    state->graph_edges -= graph->edge_count;
}

void apply_gcreate(struct kernel *kernel, const struct change *change) {
    create_graph(kernel, change);
}

static uint32_t add_node(struct kernel *kernel, struct graph *graph,
                         const struct change *change) {
    struct state *state = &kernel->state;
    uint32_t row = pool_take(&kernel->memory, &graph->nodes);
    struct graph_node *node = own_graph_node(kernel, graph, row);
    memcpy(node->leaf.key, change->element_hash, SHA256_SIZE);
    node->name = heap_put(&kernel->memory, &state->heap, change->element);
    node->name_size = (uint32_t)change->element.size;
    graph->heap_bytes += heap_room(node->name);
    state->graph_nodes++;
    trie_insert(&kernel->memory, &state->nodes, &graph->nodes, &graph->names, row);
    return row;
}

/* Replace bytes in the heap, of a node or an edge; none when they are empty. Gives the
 * flags with the one that tells of them. */
static uint8_t store_properties(struct kernel *kernel, struct graph *graph,
                                struct slice bytes, uint64_t *handle, uint32_t *size,
                                uint8_t flags) {
    struct heap *heap = &kernel->state.heap;
    graph->heap_bytes -= heap_room(*handle);
    heap_free(&kernel->memory, heap, *handle);
    *handle = heap_put(&kernel->memory, heap, bytes);
    *size = (uint32_t)bytes.size;
    graph->heap_bytes += heap_room(*handle);
    flags = (uint8_t)(flags & ~CHANGE_ATTRIBUTES);
    return bytes.size ? flags | CHANGE_ATTRIBUTES : flags;
}

static void store_kind(struct kernel *kernel, struct graph *graph,
                       struct graph_node *node, struct slice kind) {
    struct state *state = &kernel->state;
    word_leave(&kernel->memory, state, graph, &graph->kinds, node->kind);
    node->kind =
        kind.size ? word_use(&kernel->memory, state, graph, &graph->kinds, kind) : 0;
    node->flags = (uint8_t)(node->flags & ~CHANGE_KIND);
    if (node->kind) node->flags |= CHANGE_KIND;
}

static void store_link(struct kernel *kernel, struct graph *graph, uint32_t row,
                       const struct change *change) {
    struct state *state = &kernel->state;
    struct graph_node *node = own_graph_node(kernel, graph, row);
    link_leave(&kernel->memory, state, graph, row);
    node->flags = (uint8_t)(node->flags & ~CHANGE_LINK);
    if (!(change->flags & CHANGE_LINK)) return;
    link_join(&kernel->memory, state, graph, row, change);
    node->flags |= CHANGE_LINK;
}

void apply_node(struct kernel *kernel, uint64_t sequence, const struct change *change,
                const struct place *place, struct outcome *outcome) {
    uint32_t row = place->row, at = place->slot;
    outcome->created_key = row == UINT32_MAX;
    if (outcome->created_key) row = create_graph(kernel, change);
    touch_object(kernel, row);
    struct graph *graph = own_graph(kernel, row);
    outcome->added = at == UINT32_MAX;
    if (outcome->added) at = add_node(kernel, graph, change);
    struct graph_node *node = own_graph_node(kernel, graph, at);
    node->widx = sequence;
    if (change->flags & (CHANGE_LINK | CHANGE_UNLINK))
        store_link(kernel, graph, at, change);
    if (change->flags & CHANGE_ATTRIBUTES)
        node->flags =
            store_properties(kernel, graph, change->attributes, &node->properties,
                             &node->properties_size, node->flags);
    if (change->flags & CHANGE_KIND) store_kind(kernel, graph, node, change->word);
    mark_node(kernel, graph, at);
    tend_marks(kernel, graph);
}

/* --- Edges -----------------------------------------------------------------------------
 */

static uint32_t add_edge(struct kernel *kernel, struct graph *graph,
                         const struct change *change, const struct place *place) {
    uint32_t row = pool_take(&kernel->memory, &graph->edges);
    struct graph_edge *edge = pool_own(&kernel->memory, &graph->edges, row);
    edge->source = place->slot;
    edge->destination = place->destination;
    edge->type =
        word_use(&kernel->memory, &kernel->state, graph, &graph->types, change->word);
    graph->edge_count++;
    kernel->state.graph_edges++;
    return row;
}

/* An edge as the tries at its two ends know it. */
enum edge_event { EDGE_COMES, EDGE_CHANGES, EDGE_GOES };
static void tell_end(struct kernel *kernel, struct graph *graph, uint32_t node,
                     uint32_t edge, enum direction direction,
                     const uint8_t key[SHA256_SIZE], enum edge_event event) {
    struct adjacency edges = graph_edges(kernel, graph, direction);
    struct graph_node *row = own_graph_node(kernel, graph, node);
    uint32_t *root = direction == DIRECTION_OUT ? &row->out : &row->in;
    if (event == EDGE_COMES) adjacency_insert(&edges, root, key, edge);
    else if (event == EDGE_GOES) adjacency_remove(&edges, root, key, edge);
    else adjacency_touch(&edges, *root, key);
    if (kernel->live && kernel->dirty > SETTLE_AFTER)
        adjacency_settle(&edges, *root, key);
}

static void tell_ends(struct kernel *kernel, struct graph *graph, uint32_t edge,
                      const uint8_t out_key[SHA256_SIZE], enum edge_event event) {
    const struct graph_edge *row = edge_row(graph, edge);
    uint32_t source = row->source, destination = row->destination;
    uint8_t in_key[SHA256_SIZE];
    adjacency_key(&kernel->state, graph, edge, DIRECTION_IN, in_key);
    tell_end(kernel, graph, source, edge, DIRECTION_OUT, out_key, event);
    tell_end(kernel, graph, destination, edge, DIRECTION_IN, in_key, event);
}

void apply_edge(struct kernel *kernel, uint64_t sequence, const struct change *change,
                const struct place *place, struct outcome *outcome) {
    uint32_t at = place->edge;
    touch_object(kernel, place->row);
    struct graph *graph = own_graph(kernel, place->row);
    outcome->added = at == UINT32_MAX;
    if (outcome->added) at = add_edge(kernel, graph, change, place);
    struct graph_edge *edge = pool_own(&kernel->memory, &graph->edges, at);
    edge->widx = sequence;
    if (change->flags & CHANGE_ATTRIBUTES)
        edge->flags =
            store_properties(kernel, graph, change->attributes, &edge->properties,
                             &edge->properties_size, edge->flags);
    if (change->flags & CHANGE_WEIGHT) {
        edge->weight = change->weight;
        edge->flags |= CHANGE_WEIGHT;
    }
    tell_ends(kernel, graph, at, place->edge_key,
              outcome->added ? EDGE_COMES : EDGE_CHANGES);
    mark_node(kernel, graph, place->slot);
    mark_node(kernel, graph, place->destination);
    tend_marks(kernel, graph);
}

static void remove_edge(struct kernel *kernel, struct graph *graph, uint32_t at,
                        const uint8_t out_key[SHA256_SIZE]) {
    struct state *state = &kernel->state;
    tell_ends(kernel, graph, at, out_key, EDGE_GOES);
    const struct graph_edge *edge = edge_row(graph, at);
    word_leave(&kernel->memory, state, graph, &graph->types, edge->type);
    graph->heap_bytes -= heap_room(edge->properties);
    heap_free(&kernel->memory, &state->heap, edge->properties);
    pool_give(&kernel->memory, &graph->edges, at);
    graph->edge_count--;
    state->graph_edges--;
}

void apply_edgedel(struct kernel *kernel, const struct place *place) {
    touch_object(kernel, place->row);
    struct graph *graph = own_graph(kernel, place->row);
    remove_edge(kernel, graph, place->edge, place->edge_key);
    mark_node(kernel, graph, place->slot);
    mark_node(kernel, graph, place->destination);
    tend_marks(kernel, graph);
}

/* --- A node goes -----------------------------------------------------------------------
 */

/* Any edge of the node; UINT32_MAX when it has none left. */
static uint32_t some_edge(const struct kernel *kernel, const struct graph *graph,
                          const struct graph_node *node) {
    struct edge_walk walk;
    enum direction direction = node->out ? DIRECTION_OUT : DIRECTION_IN;
    adjacency_walk(&walk, &kernel->state, graph, node->out ? node->out : node->in,
                   direction, 0);
    return adjacency_next(&walk);
}

static void remove_node(struct kernel *kernel, uint32_t row, uint32_t at,
                        struct outcome *outcome) {
    struct state *state = &kernel->state;
    struct graph *graph = own_graph(kernel, row);
    const struct graph_node *node = own_graph_node(kernel, graph, at);
    link_leave(&kernel->memory, state, graph, at);
    word_leave(&kernel->memory, state, graph, &graph->kinds, node->kind);
    trie_remove(&kernel->memory, &state->nodes, &graph->nodes, &graph->names, at);
    graph->heap_bytes -= heap_room(node->name) + heap_room(node->properties);
    heap_free(&kernel->memory, &state->heap, node->name);
    heap_free(&kernel->memory, &state->heap, node->properties);
    pool_give(&kernel->memory, &graph->nodes, at);
    state->graph_nodes--;
    outcome->removed_key = graph->names == 0 && graph->config.origin == ORIGIN_VADD;
    if (outcome->removed_key) delete_object(kernel, row);
}

void apply_nodedel_more(struct kernel *kernel, struct outcome *outcome) {
    struct place *doomed = &kernel->doomed;
    struct graph *graph = own_graph(kernel, doomed->row);
    for (int i = 0; i < EDGES_PER_STEP; i++) {
        const struct graph_node *node = node_row(graph, doomed->slot);
        uint32_t edge = some_edge(kernel, graph, node);
        if (edge == UINT32_MAX) {
            remove_node(kernel, doomed->row, doomed->slot, outcome);
            outcome->more = false;
            return;
        }
        const struct graph_edge *row = edge_row(graph, edge);
        uint32_t other = row->source == doomed->slot ? row->destination : row->source;
        uint8_t key[SHA256_SIZE];
        adjacency_key(&kernel->state, graph, edge, DIRECTION_OUT, key);
        remove_edge(kernel, graph, edge, key);
        if (other != doomed->slot) mark_node(kernel, graph, other);
        tend_marks(kernel, graph);
    }
    outcome->more = true;
}

void apply_nodedel(struct kernel *kernel, const struct place *place,
                   struct outcome *outcome) {
    touch_object(kernel, place->row);
    unmark_node(kernel, own_graph(kernel, place->row), place->slot);
    kernel->doomed = *place;
    apply_nodedel_more(kernel, outcome);
}
