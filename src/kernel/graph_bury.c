/* Memory of deleted graphs, given back a little at a time. */
#include "kernel/graph_write.h"

#include "kernel/pure.h"

/* What a row of one of the graph's pools holds beside itself. A free row holds nothing:
 * but for its link, in a field that is not looked at here, it is zeros. */
static void empty_node(struct kernel *kernel, const struct graph_node *node) {
    struct heap *heap = &kernel->state.heap;
    bury_nodes(kernel, node->out);
    bury_nodes(kernel, node->in);
    heap_free(&kernel->memory, heap, node->name);
    heap_free(&kernel->memory, heap, node->properties);
}

static void empty_row(struct kernel *kernel, const struct graph *graph, uint32_t row) {
    struct memory *memory = &kernel->memory;
    struct heap *heap = &kernel->state.heap;
    if (row < graph->nodes.limit) {
        empty_node(kernel, node_row(graph, row));
        return;
    }
    row -= graph->nodes.limit;
    if (row < graph->edges.limit) {
        heap_free(memory, heap, edge_row(graph, row)->properties);
        return;
    }
    row -= graph->edges.limit;
    if (row < graph->words.limit) {
        heap_free(memory, heap, word_row(graph, row + 1)->name);
        return;
    }
    const struct graph_link *link = link_row(graph, row - graph->words.limit + 1);
    heap_free(memory, heap, link->key);
    heap_free(memory, heap, link->element);
}

bool dissolve_graph(struct kernel *kernel, uint32_t part, uint32_t *budget) {
    struct memory *memory = &kernel->memory;
    struct graph *graph = pool_own(memory, &kernel->state.graphs, part);
    if (graph->buried == 0) {
        bury_nodes(kernel, graph->names);
        bury_nodes(kernel, graph->kinds);
        bury_nodes(kernel, graph->types);
        bury_nodes(kernel, graph->linked);
    }
    uint32_t rows =
        graph->nodes.limit + graph->edges.limit + graph->words.limit + graph->links.limit;
    for (; graph->buried<rows && * budget> 0; --*budget)
        empty_row(kernel, graph, graph->buried++);
    if (graph->buried < rows) return false;
    struct pool *pools[] = {&graph->nodes, &graph->edges, &graph->words, &graph->links};
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        if (!pool_dissolve(memory, pools[i], budget)) return false;
    for (uint32_t i = 0; i < ADJACENCY_CLASSES; i++)
        if (!pool_dissolve(memory, &graph->buckets[i], budget)) return false;
    pool_give(memory, &kernel->state.graphs, part);
    return true;
}
