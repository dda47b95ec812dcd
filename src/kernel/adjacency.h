/* The edges of one node in one direction: the counted trie of docs/format.md section 7
 * over their key hashes, made for many small ones and a few of 100,000.
 *
 * Its upper part is made of trie nodes, as of any trie. Below, up to ADJACENCY_BUCKET
 * edges lie together in a bucket, in the order of their keys, each as the first 32 bits
 * of its key and its row; a single edge needs no bucket. Neither keys nor leaf hashes are
 * kept: they follow from type and names. A bucket remembers the hash of what it stands
 * for.
 *
 * A root is 0, a trie node's row + 1, or TRIE_LEAF with two bits of class and a row: of a
 * bucket, or of the edge itself. What is written is marked, as in trie.h. */
#ifndef KERNEL_ADJACENCY_H
#define KERNEL_ADJACENCY_H

#include "kernel/graph.h"
#include "kernel/graph_rows.h"
#include "kernel/state.h"

#define ADJACENCY_BUCKET 4

/* Whose edges, for writing: `graph` is owned, and none of these moves meanwhile. */
struct adjacency {
    struct memory *memory;
    struct state *state;
    struct graph *graph;
    enum direction direction;
};

/* The pools of buckets. */
void adjacency_begin(struct graph *graph);

/* KH 'E' or 'I' of an edge. */
void adjacency_key(const struct state *state, const struct graph *graph, uint32_t edge,
                   enum direction direction, uint8_t key[SHA256_SIZE]);

uint64_t adjacency_count(const struct state *state, const struct graph *graph,
                         uint32_t root);
/* The row of the edge with this key, type and other end, or UINT32_MAX. */
uint32_t adjacency_find(const struct state *state, const struct graph *graph,
                        uint32_t root, enum direction direction,
                        const uint8_t key[SHA256_SIZE], uint32_t type, uint32_t other);

/* Put in an edge that is not there; take out one that is; note that its hash is another.
 */
void adjacency_insert(struct adjacency *adjacency, uint32_t *root,
                      const uint8_t key[SHA256_SIZE], uint32_t edge);
void adjacency_remove(struct adjacency *adjacency, uint32_t *root,
                      const uint8_t key[SHA256_SIZE], uint32_t edge);
void adjacency_touch(struct adjacency *adjacency, uint32_t root,
                     const uint8_t key[SHA256_SIZE]);

/* As trie_settle(), trie_seal() and trie_sum(). */
void adjacency_settle(struct adjacency *adjacency, uint32_t root,
                      const uint8_t key[SHA256_SIZE]);
void adjacency_seal(struct adjacency *adjacency, uint32_t root);
void adjacency_sum(const struct state *state, const struct graph *graph, uint32_t root,
                   enum direction direction, struct trie_sum *sum);
/* The sum of what is no trie node, `depth` below its root, from the edges themselves;
 * `content` takes every widx as 0. */
void adjacency_leaf_sum(const struct state *state, const struct graph *graph,
                        uint32_t reference, enum direction direction, uint32_t depth,
                        bool content, struct trie_sum *sum);
/* The rows of its edges. */
uint32_t adjacency_leaf_edges(const struct graph *graph, uint32_t reference,
                              uint32_t edges[ADJACENCY_BUCKET]);

/* A walk over all edges in the order of their keys, as edge_walk(). */
void adjacency_walk(struct edge_walk *walk, const struct state *state,
                    const struct graph *graph, uint32_t root, enum direction direction,
                    uint64_t prefix);
uint32_t adjacency_next(struct edge_walk *walk);

#endif
