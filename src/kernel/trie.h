/* The counted binary trie of docs/format.md section 7: key hash to leaf, one shape for
 * one set.
 *
 * It is also the map by which keys and elements are found. Nodes of all tries share one
 * pool; leaves are rows of the pool that the trie stands over (metas of a collection, or
 * objects), and those rows begin with a struct trie_leaf. Changing a leaf marks its path;
 * trie_seal() hashes what is marked. A reference is 0 for nothing, node row + 1, or
 * TRIE_LEAF | leaf row. */
#ifndef KERNEL_TRIE_H
#define KERNEL_TRIE_H

#include "kernel/pool.h"
#include "kernel/trie_sum.h"

#define TRIE_LEAF      0x80000000u
#define TRIE_DEPTH_MAX 256

struct trie_leaf {
    uint8_t key[SHA256_SIZE];  /* KH */
    uint8_t hash[SHA256_SIZE]; /* H(10 | KH | VH) */
};

/* What a walk reads comes first, and lies in one cache line. */
struct trie_node {
    uint32_t child[2];
    uint32_t count; /* leaves below, at least 2 */
    uint32_t dirty; /* hash is out of date. In lists of trie_seal() and of the graveyard:
                       the next node's reference */
    uint8_t hash[SHA256_SIZE];
};
#define TRIE_NODE_LAYOUT "4w32b"

/* Both hashes of section 7. */
void trie_leaf_hash(const uint8_t key[SHA256_SIZE], const uint8_t value[SHA256_SIZE],
                    uint8_t hash[SHA256_SIZE]);
/* Of two leaves. */
void trie_leaf_hash_two(const uint8_t key[SHA256_SIZE], const uint8_t value[SHA256_SIZE],
                        uint8_t hash[SHA256_SIZE], const uint8_t other_key[SHA256_SIZE],
                        const uint8_t other_value[SHA256_SIZE],
                        uint8_t other_hash[SHA256_SIZE]);
void trie_node_hash(const struct trie_sum *left, const struct trie_sum *right,
                    uint8_t hash[SHA256_SIZE]);
static inline uint32_t trie_bit(const uint8_t key[SHA256_SIZE], uint32_t depth) {
    return key[depth >> 3] >> (7 - (depth & 7)) & 1u;
}

/* The leaf row of `key`, or UINT32_MAX. */
uint32_t trie_find(const struct pool *nodes, const struct pool *leaves, uint32_t root,
                   const uint8_t key[SHA256_SIZE]);
/* The row of the leaf with the least key that is not below `key`, or with `above` the least that
 * is above it; UINT32_MAX when there is none. */
uint32_t trie_next(const struct pool *nodes, const struct pool *leaves, uint32_t root,
                   const uint8_t key[SHA256_SIZE], bool above);
/* Leaves of a (sub)trie. */
uint64_t trie_count(const struct pool *nodes, uint32_t root);
/* The row of leaf number `index` in the order of keys; there are more than `index`. */
uint32_t trie_at(const struct pool *nodes, uint32_t root, uint64_t index);
/* Walk towards many keys at once, so that the memory that their walks wait for is fetched
 * side by side: the look-ups and insertions that follow find it in the cache. At most
 * TRIE_FETCH_MAX. */
#define TRIE_FETCH_MAX 32
void trie_fetch(const struct pool *nodes, const struct pool *leaves, uint32_t root,
                const uint8_t *const *keys, size_t count);
/* The way of a key through a sealed trie: what lies beside it on each level, from the root
 * down. Gives the row of the leaf that it ends at, whatever that leaf's key, or UINT32_MAX when
 * it ends at nothing. */
struct trie_path {
    uint32_t depth;
    struct trie_sum siblings[TRIE_DEPTH_MAX];
};
uint32_t trie_proof(const struct pool *nodes, const struct pool *leaves, uint32_t root,
                    const uint8_t key[SHA256_SIZE], struct trie_path *path);
/* Insert the leaf at `row`, whose key is set and not in the trie; remove one that is in
 * it; note that its hash has changed. */
void trie_insert(struct memory *memory, struct pool *nodes, const struct pool *leaves,
                 uint32_t *root, uint32_t row);
void trie_remove(struct memory *memory, struct pool *nodes, const struct pool *leaves,
                 uint32_t *root, uint32_t row);
void trie_touch(struct memory *memory, struct pool *nodes, const struct pool *leaves,
                uint32_t root, uint32_t row);

/* Hash what is marked on the way of `key`, but for the uppermost TRIE_UPPER levels. Done
 * at once after a change, while the nodes are still in the cache, it leaves a seal little
 * to do: the upper levels are shared by all changes and hashed once. Stops where a
 * neighbour is marked. */
#define TRIE_UPPER 10
void trie_settle(struct memory *memory, struct pool *nodes, const struct pool *leaves,
                 uint32_t root, const uint8_t key[SHA256_SIZE]);

/* Hash what is marked. */
void trie_seal(struct memory *memory, struct pool *nodes, const struct pool *leaves,
               uint32_t root);
/* Count and root of a sealed (sub)trie. */
void trie_sum(const struct pool *nodes, const struct pool *leaves, uint32_t reference,
              struct trie_sum *sum);

#endif
