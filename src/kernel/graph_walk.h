/* Walks over a graph: breadth first from some nodes, and the shortest way between two.
 *
 * The order is defined: a node's edges out come before those in, each in the order of
 * their key hashes; what is reached first comes first. So equal graphs give equal
 * answers, wherever they are asked. Both take their memory from the caller and go in
 * steps; the graph must not change meanwhile. */
#ifndef KERNEL_GRAPH_WALK_H
#define KERNEL_GRAPH_WALK_H

#include "kernel/graph.h"

/* Which edges are followed, and which nodes they may lead to. */
struct graph_rules {
    bool in, out;
    bool typed, kinded; /* only of these types, only to nodes of these kinds */
    uint32_t type_count, kind_count;
    const uint32_t *types, *kinds; /* words */
    uint64_t fan_out;              /* edges followed from one node; 0: all */
};
bool graph_rules_edge(const struct graph_rules *rules, const struct edge_end *end);
bool graph_rules_node(const struct graph_rules *rules, const struct graph *graph,
                      uint32_t node);

/* A node that was reached. */
struct graph_reach {
    uint32_t node, edge; /* rows; the edge that led here: UINT32_MAX at a start */
    uint32_t from;       /* index of the node that it came from; its own at a start */
    uint32_t depth;
    uint64_t distance; /* of a way by weight: the sum, Q16.16 */
    uint32_t place;    /* of a way by weight: in the heap + 1; 0: it is final */
    uint32_t unused;
};

struct graph_walk {
    const struct state *state;
    const struct graph *graph;
    struct graph_rules rules;
    uint32_t depth, limit; /* the most */
    struct graph_reach *reached;
    uint32_t count;  /* of them, at most `limit` */
    bool full;       /* another node was met, and there was no room */
    uint32_t *table; /* node -> index in `reached` + 1 */
    uint32_t mask;
    uint32_t head;  /* whose edges are followed now */
    uint32_t stage; /* 0: none yet, 1: those out, 2: those in */
    uint64_t followed;
    uint64_t looked_at; /* edges in all */
    struct edge_walk edges;
};

void graph_walk_begin(struct graph_walk *walk, const struct state *state,
                      const struct graph *graph, const struct graph_rules *rules,
                      uint32_t depth, uint32_t limit, void *room);
/* Begin at this node too; before the first step. */
void graph_walk_from(struct graph_walk *walk, uint32_t node);
/* Follow about `edges` more; true when the walk is over. */
bool graph_walk_step(struct graph_walk *walk, uint32_t edges);
/* The index of a node in `reached`, or UINT32_MAX. */
uint32_t graph_walk_find(const struct graph_walk *walk, uint32_t node);

/* The shortest way to a node by weight (Dijkstra's). An edge without a weight has 1; of
 * ways of equal weight the one that was met first is taken. */
struct graph_path {
    struct graph_walk walk; /* its memory, and what was reached */
    uint32_t target;
    uint32_t *heap; /* indices of `reached`, the nearest first */
    uint32_t heap_size;
    uint32_t found; /* index of the target; UINT32_MAX: not yet, or not at all */
    bool negative;  /* an edge with a weight below zero was met: no answer */
};
size_t graph_path_room(uint32_t limit);
void graph_path_begin(struct graph_path *path, const struct state *state,
                      const struct graph *graph, const struct graph_rules *rules,
                      uint32_t depth, uint32_t limit, uint32_t from, uint32_t target,
                      void *room);
bool graph_path_step(struct graph_path *path, uint32_t edges);

#endif
