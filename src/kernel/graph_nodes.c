/* Nodes of graphs as the seal sees them: which have changed, and what they come to. */
#include "base/check.h"
#include "kernel/graph_hash.h"
#include "kernel/graph_write.h"

#include "kernel/pure.h"

/* Nodes that wait for the seal, while changes hash their own path. */
enum { MARKS_MAX = 1024 };

struct graph *own_graph(struct kernel *kernel, uint32_t row) {
    struct state *state = &kernel->state;
    return pool_own(&kernel->memory, &state->graphs, object_at(state, row)->part);
}

struct graph_node *own_graph_node(struct kernel *kernel, struct graph *graph,
                                  uint32_t node) {
    return pool_own(&kernel->memory, &graph->nodes, node);
}

struct adjacency graph_edges(struct kernel *kernel, struct graph *graph,
                             enum direction direction) {
    return (struct adjacency){&kernel->memory, &kernel->state, graph, direction};
}

/* --- Marks: a list, the oldest first ---------------------------------------------------
 */

void mark_node(struct kernel *kernel, struct graph *graph, uint32_t at) {
    struct graph_node *node = own_graph_node(kernel, graph, at);
    if (node->dirty) return;
    node->dirty = true;
    node->dirty_next = 0;
    node->dirty_previous = graph->dirty_last;
    if (graph->dirty_last)
        own_graph_node(kernel, graph, graph->dirty_last - 1)->dirty_next = at + 1;
    else graph->dirty_first = at + 1;
    graph->dirty_last = at + 1;
    graph->dirty_count++;
}

void unmark_node(struct kernel *kernel, struct graph *graph, uint32_t at) {
    struct graph_node *node = own_graph_node(kernel, graph, at);
    if (!node->dirty) return;
    uint32_t next = node->dirty_next, previous = node->dirty_previous;
    node->dirty = false;
    node->dirty_next = node->dirty_previous = 0;
    if (previous) own_graph_node(kernel, graph, previous - 1)->dirty_next = next;
    else graph->dirty_first = next;
    if (next) own_graph_node(kernel, graph, next - 1)->dirty_previous = previous;
    else graph->dirty_last = previous;
    graph->dirty_count--;
}

/* --- Hashing ---------------------------------------------------------------------------
 */

static void seal_edges(struct kernel *kernel, struct graph *graph, uint32_t root,
                       enum direction direction, struct trie_sum *sum) {
    struct adjacency edges = graph_edges(kernel, graph, direction);
    adjacency_seal(&edges, root);
    adjacency_sum(&kernel->state, graph, root, direction, sum);
}

/* Hash the leaf of a marked node, and mark its way in the trie of names. */
static void seal_node(struct kernel *kernel, struct graph *graph, uint32_t at) {
    struct state *state = &kernel->state;
    struct trie_sum out, in;
    uint8_t value[SHA256_SIZE];
    unmark_node(kernel, graph, at);
    struct graph_node *node = own_graph_node(kernel, graph, at);
    seal_edges(kernel, graph, node->out, DIRECTION_OUT, &out);
    seal_edges(kernel, graph, node->in, DIRECTION_IN, &in);
    node_value_hash(state, graph, node, &out, &in, false, value);
    trie_leaf_hash(node->leaf.key, value, node->leaf.hash);
    trie_touch(&kernel->memory, &state->nodes, &graph->nodes, graph->names, at);
}

void tend_marks(struct kernel *kernel, struct graph *graph) {
    struct state *state = &kernel->state;
    while (kernel->live && graph->dirty_count > MARKS_MAX) {
        uint32_t at = graph->dirty_first - 1;
        seal_node(kernel, graph, at);
        trie_settle(&kernel->memory, &state->nodes, &graph->nodes, graph->names,
                    node_row(graph, at)->leaf.key);
    }
}

void seal_graph(struct kernel *kernel, uint32_t row, struct object_sum *sum) {
    struct state *state = &kernel->state;
    struct graph *graph = own_graph(kernel, row);
    struct trie_sum nodes;
    while (graph->dirty_first) seal_node(kernel, graph, graph->dirty_first - 1);
    trie_seal(&kernel->memory, &state->nodes, &graph->nodes, graph->names);
    trie_sum(&state->nodes, &graph->nodes, graph->names, &nodes);
    graph_sum(graph, &nodes, sum);
}
