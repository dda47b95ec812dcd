/* What is hashed of a graph (docs/format.md section 7). */
#ifndef KERNEL_GRAPH_HASH_H
#define KERNEL_GRAPH_HASH_H

#include "kernel/adjacency.h"

/* What is hashed to EV, of an edge for its source, or to EI, for its destination.
 * `content` takes its widx as 0. */
struct edge_text {
    size_t size;
    uint8_t bytes[1 + 8 + 1 + SHA256_SIZE + 4];
};
void edge_text(const struct state *state, const struct graph_edge *edge,
               enum direction direction, bool content, struct edge_text *text);

/* NV over the sums of its tries. */
void node_value_hash(const struct state *state, const struct graph *graph,
                     const struct graph_node *node, const struct trie_sum *out,
                     const struct trie_sum *in, bool content, uint8_t value[SHA256_SIZE]);

/* What OV says of a graph whose nodes come to `nodes`. */
void graph_sum(const struct graph *graph, const struct trie_sum *nodes,
               struct object_sum *sum);

#endif
