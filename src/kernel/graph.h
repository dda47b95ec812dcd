/* Reading graphs. Rows are numbers of nodes and edges; they and all slices are good until
 * the next change. */
#ifndef KERNEL_GRAPH_H
#define KERNEL_GRAPH_H

#include "kernel/kernel.h"

struct graph;

enum direction { DIRECTION_OUT, DIRECTION_IN };

struct node {
    uint32_t row;
    uint64_t widx;
    uint8_t flags; /* as in NV: CHANGE_LINK, CHANGE_ATTRIBUTES, CHANGE_KIND */
    struct slice name, kind, properties;
    uint32_t link_db;
    struct slice link_key, link_element;
    uint64_t edges[2]; /* by direction */
};

struct edge {
    uint32_t row;
    uint64_t widx;
    uint8_t flags;                /* as in EV: CHANGE_ATTRIBUTES, CHANGE_WEIGHT */
    uint32_t source, destination; /* rows */
    struct slice type, properties;
    int32_t weight; /* Q16.16; of an edge without one WEIGHT_ONE */
};
#define WEIGHT_ONE 65536

const struct graph_config *graph_config(const struct graph *graph);
uint64_t graph_node_count(const struct state *state, const struct graph *graph);
uint64_t graph_edge_count(const struct graph *graph);
/* Bytes that it has in memory. O(chunks). */
uint64_t graph_memory(const struct graph *graph);

/* The row of the node; UINT32_MAX when there is none. */
uint32_t graph_find(const struct state *state, const struct graph *graph,
                    struct slice name);
void graph_node(const struct state *state, const struct graph *graph, uint32_t row,
                struct node *node);
/* Its name, and the word of its kind: 0 for none. */
struct slice graph_node_name(const struct state *state, const struct graph *graph,
                             uint32_t row);
uint32_t graph_node_kind(const struct graph *graph, uint32_t row);
/* The next node in the order of the hashes of their names; false at the end. */
bool scan_node(const struct state *state, const struct graph *graph, struct scan *scan,
               uint32_t *row);

/* Words: a number for each kind or type that something has; 0: nothing has it. */
uint32_t graph_kind(const struct state *state, const struct graph *graph,
                    struct slice kind);
uint32_t graph_type(const struct state *state, const struct graph *graph,
                    struct slice type);
/* The kinds, or types, in the order of their hashes; false at the end. */
bool scan_word(const struct state *state, const struct graph *graph, bool types,
               struct scan *scan, struct slice *word, uint32_t *users);

/* The row of an edge; UINT32_MAX when there is none. */
uint32_t graph_find_edge(const struct state *state, const struct graph *graph,
                         uint32_t source, struct slice type, uint32_t destination);
void graph_edge(const struct state *state, const struct graph *graph, uint32_t row,
                struct edge *edge);
/* Its other end as seen from one side, its word and its weight, and no more. */
struct edge_end {
    uint32_t other, type;
    int32_t weight;
};
void graph_edge_end(const struct graph *graph, uint32_t row, enum direction direction,
                    struct edge_end *end);

/* A walk over the edges of a node in one direction, in the order of their key hashes
 * (docs/format.md section 7). The graph must not change meanwhile. */
struct edge_walk {
    const struct state *state;
    const struct graph *graph;
    enum direction direction;
    uint32_t leaf, next, height;
    uint32_t above[256];
};
/* From the first hash whose high 64 bits are not below `prefix`. */
void edge_walk(struct edge_walk *walk, const struct state *state,
               const struct graph *graph, uint32_t node, enum direction direction,
               uint64_t prefix);
/* The row of the next edge; UINT32_MAX at the end. */
uint32_t edge_next(struct edge_walk *walk);
/* The high 64 bits of an edge's hash, to begin another walk there. */
uint64_t edge_prefix(const struct edge_walk *walk, uint32_t row);

#endif
