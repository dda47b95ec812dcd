/* What a graph holds, for the kernel's own files; everyone else asks graph.h.
 *
 * A graph is the part of an object of type OBJECT_GRAPH. Its nodes and edges are rows of
 * its own pools and keep their numbers. An edge is one row; its source has it in a trie
 * of edges out, its destination in one of edges in (adjacency.h), and both find it by a
 * hash that is computed again when it is asked for: so an edge costs little, and one of a
 * node with 100,000 is found as fast as one of two. Kinds and types are words, kept once
 * (graph_words.h). A node's link names an element; nodes with the same link stand in one
 * list (graph_links.h). */
#ifndef KERNEL_GRAPH_ROWS_H
#define KERNEL_GRAPH_ROWS_H

#include "kernel/change.h"
#include "kernel/trie.h"

#define ADJACENCY_CLASSES 3 /* sizes of buckets: adjacency.h */

/* References to rows are row + 1, and 0 is nothing, but where it says "row". */
struct graph_node {
    struct trie_leaf leaf; /* of its name; the hash is made at a seal */
    uint64_t widx;
    uint64_t name, properties; /* heap handles */
    uint32_t name_size, properties_size;
    uint32_t kind;                     /* word */
    uint32_t link;                     /* of graph->links */
    uint32_t link_next, link_previous; /* other nodes with the same link */
    uint32_t out, in;                  /* roots: adjacency.h */
    uint32_t dirty_next, dirty_previous;
    uint8_t flags; /* as NV has them */
    bool dirty;    /* in the list of nodes to hash at the next seal */
    uint8_t unused[6];
};
#define GRAPH_NODE_LAYOUT "64b3d10w8b"

struct graph_edge {
    uint64_t widx;
    uint64_t properties; /* heap handle */
    uint32_t properties_size;
    uint32_t source, destination; /* rows of nodes */
    uint32_t type;                /* word */
    int32_t weight;
    uint8_t flags; /* as EV has them */
    uint8_t unused[3];
};
#define GRAPH_EDGE_LAYOUT "2d5w4b"

/* A kind or a type, while something has it. */
struct graph_word {
    struct trie_leaf leaf; /* key: H of its bytes; no hash */
    uint64_t name;         /* heap handle */
    uint32_t size;
    uint32_t count; /* of nodes or edges that have it */
};
#define GRAPH_WORD_LAYOUT "64bd2w"

/* What nodes link to, while one does. */
struct graph_link {
    struct trie_leaf leaf; /* key: LKH; no hash */
    uint64_t key, element; /* heap handles */
    uint32_t key_size, element_size;
    uint32_t db;
    uint32_t first; /* of its nodes */
    uint32_t count;
    uint32_t unused;
};
#define GRAPH_LINK_LAYOUT "64b2d6w"

struct graph {
    struct graph_config config;
    uint64_t edge_count;
    uint64_t heap_bytes;           /* of names, properties, words and links */
    uint32_t names;                /* trie over nodes; what OV calls nodes */
    uint32_t kinds, types, linked; /* tries over words and links; in no hash */
    uint32_t inner;                /* nodes of all these tries, in state->nodes */
    uint32_t dirty_first, dirty_last, dirty_count; /* list of nodes */
    uint32_t buried;                               /* graveyard: rows below are freed */
    uint32_t unused;
    struct pool nodes, edges, words, links;
    struct pool buckets[ADJACENCY_CLASSES];
};

static inline const struct graph_node *node_row(const struct graph *graph, uint32_t row) {
    return pool_row(&graph->nodes, row);
}
static inline const struct graph_edge *edge_row(const struct graph *graph, uint32_t row) {
    return pool_row(&graph->edges, row);
}
static inline const struct graph_word *word_row(const struct graph *graph,
                                                uint32_t reference) {
    return pool_row(&graph->words, reference - 1);
}
static inline const struct graph_link *link_row(const struct graph *graph,
                                                uint32_t reference) {
    return pool_row(&graph->links, reference - 1);
}

#endif
