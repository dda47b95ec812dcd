/* Changes of graphs, for kernel.c. */
#ifndef KERNEL_GRAPH_WRITE_H
#define KERNEL_GRAPH_WRITE_H

#include "kernel/adjacency.h"

/* --- graph_change.c: what the state answers, and what a change does
 * ----------------------------- */

/* Fill in where the node or the edge of a change is; `place->row` is known. */
void graph_locate(const struct state *state, const struct change *change,
                  struct place *place);
/* Refusals of docs/format.md 6.1. `object` is NULL for no such key. */
enum status graph_refused(const struct state *state, const struct object *object,
                          const struct change *change, const struct place *place);
/* An object goes, which may be a graph: the totals of the state. */
void forget_graph(struct state *state, const struct object *object);
/* The pools of an empty graph with a config. */
void graph_begin(struct graph *graph);
void apply_gcreate(struct kernel *kernel, const struct change *change);
void apply_node(struct kernel *kernel, uint64_t sequence, const struct change *change,
                const struct place *place, struct outcome *outcome);
void apply_edge(struct kernel *kernel, uint64_t sequence, const struct change *change,
                const struct place *place, struct outcome *outcome);
void apply_edgedel(struct kernel *kernel, const struct place *place);
/* Begins NODEDEL; apply_nodedel_more() takes away some edges, and at the end the node.
 * `outcome->more`: call it again. */
void apply_nodedel(struct kernel *kernel, const struct place *place,
                   struct outcome *outcome);
void apply_nodedel_more(struct kernel *kernel, struct outcome *outcome);

/* --- graph_group.c: members of an ALL
 * -------------------------------------------------------- */

enum status graph_group_refused(struct kernel *kernel, struct group *group,
                                const struct change *change);

/* --- graph_nodes.c: rows of nodes and edges, and what of them is to be hashed
 * ---------------- */

struct graph *own_graph(struct kernel *kernel, uint32_t row);
struct graph_node *own_graph_node(struct kernel *kernel, struct graph *graph,
                                  uint32_t node);
/* The writer of a node's edges. */
struct adjacency graph_edges(struct kernel *kernel, struct graph *graph,
                             enum direction direction);
/* The node's leaf must be hashed at the next seal. */
void mark_node(struct kernel *kernel, struct graph *graph, uint32_t node);
void unmark_node(struct kernel *kernel, struct graph *graph, uint32_t node);
/* While changes hash their own path: see to it that no more than a few thousand nodes
 * wait for the seal. */
void tend_marks(struct kernel *kernel, struct graph *graph);
/* What OV says of the graph of object `row`, hashing what is marked. */
void seal_graph(struct kernel *kernel, uint32_t row, struct object_sum *sum);

/* Free what the next rows of a buried graph hold, then its pools, then its row; true when
 * it is gone. Trie nodes go into the graveyard by `bury`. */
bool dissolve_graph(struct kernel *kernel, uint32_t part, uint32_t *budget);

#endif
