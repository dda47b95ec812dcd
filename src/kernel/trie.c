#include "kernel/trie.h"

#include "base/bytes.h"
#include "base/check.h"

#include "kernel/pure.h"

_Static_assert(sizeof(struct trie_node) == 48, "16 bytes begin at multiples of 16");

static const struct trie_node *node_at(const struct pool *nodes, uint32_t reference) {
    return pool_row(nodes, reference - 1);
}
static struct trie_node *own_node(struct memory *memory, struct pool *nodes,
                                  uint32_t reference) {
    return pool_own(memory, nodes, reference - 1);
}
static const struct trie_leaf *leaf_at(const struct pool *leaves, uint32_t reference) {
    return pool_row(leaves, reference & ~TRIE_LEAF);
}
static bool is_node(uint32_t reference) {
    return reference != 0 && !(reference & TRIE_LEAF);
}

void trie_leaf_hash(const uint8_t key[SHA256_SIZE], const uint8_t value[SHA256_SIZE],
                    uint8_t hash[SHA256_SIZE]) {
    uint8_t bytes[1 + 2 * SHA256_SIZE] = {0x10};
    memcpy(bytes + 1, key, SHA256_SIZE);
    memcpy(bytes + 1 + SHA256_SIZE, value, SHA256_SIZE);
    sha256(bytes, sizeof bytes, hash);
}

void trie_leaf_hash_two(const uint8_t key[SHA256_SIZE], const uint8_t value[SHA256_SIZE],
                        uint8_t hash[SHA256_SIZE], const uint8_t other_key[SHA256_SIZE],
                        const uint8_t other_value[SHA256_SIZE],
                        uint8_t other_hash[SHA256_SIZE]) {
    uint8_t texts[2][1 + 2 * SHA256_SIZE] = {{0x10}, {0x10}};
    memcpy(texts[0] + 1, key, SHA256_SIZE);
    memcpy(texts[0] + 1 + SHA256_SIZE, value, SHA256_SIZE);
    memcpy(texts[1] + 1, other_key, SHA256_SIZE);
    memcpy(texts[1] + 1 + SHA256_SIZE, other_value, SHA256_SIZE);
    sha256_two((const void *const[2]){texts[0], texts[1]}, sizeof texts[0],
               (uint8_t *const[2]){hash, other_hash});
}

void trie_node_hash(const struct trie_sum *left, const struct trie_sum *right,
                    uint8_t hash[SHA256_SIZE]) {
    uint8_t bytes[1 + 2 * TRIE_SUM_SIZE] = {0x11};
    trie_sum_encode(right, trie_sum_encode(left, bytes + 1));
    sha256(bytes, sizeof bytes, hash);
}

uint32_t trie_find(const struct pool *nodes, const struct pool *leaves, uint32_t root,
                   const uint8_t key[SHA256_SIZE]) {
    uint32_t reference = root;
    for (uint32_t depth = 0; is_node(reference); depth++)
        reference = node_at(nodes, reference)->child[trie_bit(key, depth)];
    if (reference == 0) return UINT32_MAX;
    const struct trie_leaf *leaf = leaf_at(leaves, reference);
    if (memcmp(leaf->key, key, SHA256_SIZE) != 0) return UINT32_MAX;
    return reference & ~TRIE_LEAF;
}

static uint32_t first_leaf(const struct pool *nodes, uint32_t reference) {
    while (is_node(reference)) {
        const struct trie_node *node = node_at(nodes, reference);
        reference = node->child[0] ? node->child[0] : node->child[1];
    }
    return reference == 0 ? UINT32_MAX : reference & ~TRIE_LEAF;
}

uint32_t trie_next(const struct pool *nodes, const struct pool *leaves, uint32_t root,
                   const uint8_t key[SHA256_SIZE], bool above) {
    uint32_t reference = root, greater = 0; /* what lies next to the right of the path */
    for (uint32_t depth = 0; is_node(reference); depth++) {
        const struct trie_node *node = node_at(nodes, reference);
        uint32_t bit = trie_bit(key, depth);
        if (bit == 0 && node->child[1]) greater = node->child[1];
        reference = node->child[bit];
    }
    if (reference) {
        int order = memcmp(leaf_at(leaves, reference)->key, key, SHA256_SIZE);
        if (order > 0 || (order == 0 && !above)) return reference & ~TRIE_LEAF;
    }
    return first_leaf(nodes, greater);
}

uint64_t trie_count(const struct pool *nodes, uint32_t reference) {
    if (is_node(reference)) return node_at(nodes, reference)->count;
    return reference != 0;
}

uint32_t trie_at(const struct pool *nodes, uint32_t root, uint64_t index) {
    uint32_t reference = root;
    check(index < trie_count(nodes, root));
    while (is_node(reference)) {
        const struct trie_node *node = node_at(nodes, reference);
        uint64_t left = trie_count(nodes, node->child[0]);
        reference = node->child[index >= left];
        if (index >= left) index -= left;
    }
    return reference & ~TRIE_LEAF;
}

/* Ask for the memory behind a reference. Inlined by force: gcc drops calls of functions that
 * only prefetch. */
static inline __attribute__((always_inline)) void
fetch(const struct pool *nodes, const struct pool *leaves, uint32_t reference) {
    if (reference & TRIE_LEAF)
        __builtin_prefetch(leaf_at(leaves, reference)->hash);
    else if (reference)
        __builtin_prefetch(node_at(nodes, reference), 1);
}

/* The next node of a walk is known one step ahead: ask for it, and go round the other
 * walks while it comes. */
void trie_fetch(const struct pool *nodes, const struct pool *leaves, uint32_t root,
                const uint8_t *const *keys, size_t count) {
    uint32_t references[TRIE_FETCH_MAX];
    check(count <= TRIE_FETCH_MAX);
    for (size_t i = 0; i < count; i++) references[i] = root;
    bool walking = true;
    for (uint32_t depth = 0; walking; depth++) {
        walking = false;
        for (size_t i = 0; i < count; i++) {
            if (!is_node(references[i])) continue;
            references[i] =
                node_at(nodes, references[i])->child[trie_bit(keys[i], depth)];
            fetch(nodes, leaves, references[i]);
            if (references[i] & TRIE_LEAF) /* The end of its row. */
                __builtin_prefetch((const char *)leaf_at(leaves, references[i]) +
                                   leaves->row_size - 1);
            walking = walking || is_node(references[i]);
        }
    }
}

/* Nodes from `depth` down to where two leaves part; gives the topmost. */
static uint32_t part_leaves(struct memory *memory, struct pool *nodes,
                            const struct pool *leaves, uint32_t depth, uint32_t old,
                            uint32_t new) {
    const uint8_t *old_key = leaf_at(leaves, old)->key,
                  *new_key = leaf_at(leaves, new)->key;
    uint32_t top = 0, above = 0;
    for (;; depth++) {
        check(depth < TRIE_DEPTH_MAX); /* Two keys with one hash: SHA-256 is broken. */
        uint32_t reference = pool_take(memory, nodes) + 1;
        struct trie_node *node = own_node(memory, nodes, reference);
        node->count = 2;
        node->dirty = 1;
        if (above)
            own_node(memory, nodes, above)->child[trie_bit(new_key, depth - 1)] =
                reference;
        else top = reference;
        above = reference;
        uint32_t old_bit = trie_bit(old_key, depth), new_bit = trie_bit(new_key, depth);
        if (old_bit == new_bit) continue;
        node = own_node(memory, nodes, reference);
        node->child[old_bit] = old;
        node->child[new_bit] = new;
        return top;
    }
}

void trie_insert(struct memory *memory, struct pool *nodes, const struct pool *leaves,
                 uint32_t *root, uint32_t row) {
    const uint8_t *key = leaf_at(leaves, row)->key;
    uint32_t leaf = row | TRIE_LEAF;
    uint32_t reference = *root, above = 0, depth = 0;
    for (; is_node(reference); depth++) {
        struct trie_node *node = own_node(memory, nodes, reference);
        node->count++;
        node->dirty = 1;
        above = reference;
        reference = node->child[trie_bit(key, depth)];
    }
    if (reference) leaf = part_leaves(memory, nodes, leaves, depth, reference, leaf);
    if (above) own_node(memory, nodes, above)->child[trie_bit(key, depth - 1)] = leaf;
    else *root = leaf;
}

void trie_remove(struct memory *memory, struct pool *nodes, const struct pool *leaves,
                 uint32_t *root, uint32_t row) {
    const uint8_t *key = leaf_at(leaves, row)->key;
    uint32_t path[TRIE_DEPTH_MAX];
    uint32_t depth = 0, reference = *root;
    for (; is_node(reference); depth++) {
        struct trie_node *node = own_node(memory, nodes, reference);
        node->count--;
        node->dirty = 1;
        path[depth] = reference;
        reference = node->child[trie_bit(key, depth)];
    }
    check(reference == (row | TRIE_LEAF));

    /* A node that is left with one leaf is that leaf, and so on upwards. */
    uint32_t replacement = 0;
    while (depth > 0) {
        depth--;
        struct trie_node *node = own_node(memory, nodes, path[depth]);
        uint32_t bit = trie_bit(key, depth);
        node->child[bit] = replacement;
        if (node->count > 1) return;
#ifdef BUG_17
        return;
#endif
        replacement = node->child[0] ? node->child[0] : node->child[1];
        check(replacement & TRIE_LEAF);
        pool_give(memory, nodes, path[depth] - 1);
    }
    *root = replacement;
}

void trie_touch(struct memory *memory, struct pool *nodes, const struct pool *leaves,
                uint32_t root, uint32_t row) {
    const uint8_t *key = leaf_at(leaves, row)->key;
    uint32_t reference = root;
    for (uint32_t depth = 0; is_node(reference); depth++) {
        const struct trie_node *node = node_at(nodes, reference);
        uint32_t child = node->child[trie_bit(key, depth)];
        if (!node->dirty) own_node(memory, nodes, reference)->dirty = 1;
        reference = child;
    }
    check(reference == (row | TRIE_LEAF));
}

void trie_sum(const struct pool *nodes, const struct pool *leaves, uint32_t reference,
              struct trie_sum *sum) {
    if (reference == 0) {
        *sum = (struct trie_sum){0};
    } else if (is_node(reference)) {
        const struct trie_node *node = node_at(nodes, reference);
        sum->count = node->count;
        memcpy(sum->root, node->hash, SHA256_SIZE);
    } else {
        sum->count = 1;
        memcpy(sum->root, leaf_at(leaves, reference)->hash, SHA256_SIZE);
    }
}

uint32_t trie_proof(const struct pool *nodes, const struct pool *leaves, uint32_t root,
                    const uint8_t key[SHA256_SIZE], struct trie_path *path) {
    uint32_t reference = root;
    path->depth = 0;
    while (is_node(reference)) {
        const struct trie_node *node = node_at(nodes, reference);
        uint32_t bit = trie_bit(key, path->depth);
        trie_sum(nodes, leaves, node->child[!bit], &path->siblings[path->depth++]);
        reference = node->child[bit];
    }
    return reference == 0 ? UINT32_MAX : reference & ~TRIE_LEAF;
}

/* Hash one node whose children are not marked. */
static void hash_node(struct memory *memory, struct pool *nodes,
                      const struct pool *leaves, uint32_t reference) {
    struct trie_node *node = own_node(memory, nodes, reference);
    struct trie_sum left, right;
    trie_sum(nodes, leaves, node->child[0], &left);
    trie_sum(nodes, leaves, node->child[1], &right);
    trie_node_hash(&left, &right, node->hash);
    node->dirty = 0;
}

static bool is_marked(const struct pool *nodes, uint32_t reference) {
    return is_node(reference) && node_at(nodes, reference)->dirty;
}

void trie_settle(struct memory *memory, struct pool *nodes, const struct pool *leaves,
                 uint32_t root, const uint8_t key[SHA256_SIZE]) {
    uint32_t path[TRIE_DEPTH_MAX], depth = 0;
    for (uint32_t reference = root; is_node(reference); depth++) {
        path[depth] = reference;
        reference = node_at(nodes, reference)->child[trie_bit(key, depth)];
    }
    while (depth-- > TRIE_UPPER) {
        const struct trie_node *node = node_at(nodes, path[depth]);
        if (is_marked(nodes, node->child[0]) || is_marked(nodes, node->child[1])) return;
        hash_node(memory, nodes, leaves, path[depth]);
    }
}

/* Marked nodes of one level are a list: their `dirty` is the reference of the next, or
 * LAST. So the memory that one of them waits for is asked for while others are done. */
#define LAST        UINT32_MAX
#define FETCH_AHEAD 8 /* nodes of the list whose children are on their way */

static uint32_t next_marked(const struct pool *nodes, uint32_t reference) {
    return node_at(nodes, reference)->dirty;
}

/* Ask for what lies below a node of the list, and go on to the next. */
static inline __attribute__((always_inline)) uint32_t
fetch_below(const struct pool *nodes, const struct pool *leaves, uint32_t reference) {
    if (reference == LAST) return LAST;
    const struct trie_node *node = node_at(nodes, reference);
    for (int side = 0; side < 2; side++) {
        uint32_t child = node->child[side];
        fetch(nodes, leaves, child);
        if (is_node(child)) /* Its hash ends in the next line. */
            __builtin_prefetch(node_at(nodes, child)->hash + SHA256_SIZE - 1);
    }
    return node->dirty;
}

static inline __attribute__((always_inline)) uint32_t
fetch_first(const struct pool *nodes, const struct pool *leaves, uint32_t list) {
    for (int i = 0; i < FETCH_AHEAD; i++) list = fetch_below(nodes, leaves, list);
    return list;
}

/* The marked nodes of the level below. */
static uint32_t list_below(struct memory *memory, struct pool *nodes,
                           const struct pool *leaves, uint32_t list) {
    uint32_t below = LAST, ahead = fetch_first(nodes, leaves, list);
    for (; list != LAST; list = next_marked(nodes, list)) {
        ahead = fetch_below(nodes, leaves, ahead);
        for (int side = 0; side < 2; side++) {
            uint32_t child = node_at(nodes, list)->child[side];
            if (!is_marked(nodes, child)) continue;
            own_node(memory, nodes, child)->dirty = below;
            below = child;
        }
    }
    return below;
}

/* What a node's hash is over. */
#define NODE_TEXT_SIZE (1 + 2 * TRIE_SUM_SIZE)
static void node_text(const struct pool *nodes, const struct pool *leaves,
                      uint32_t reference, uint8_t text[NODE_TEXT_SIZE]) {
    const struct trie_node *node = node_at(nodes, reference);
    struct trie_sum left, right;
    trie_sum(nodes, leaves, node->child[0], &left);
    trie_sum(nodes, leaves, node->child[1], &right);
    text[0] = 0x11;
    trie_sum_encode(&right, trie_sum_encode(&left, text + 1));
}

/* Two nodes of one level. */
static void hash_two_nodes(struct memory *memory, struct pool *nodes,
                           const struct pool *leaves, const uint32_t both[2]) {
    uint8_t texts[2][NODE_TEXT_SIZE], hashes[2][SHA256_SIZE];
    const void *const from[2] = {texts[0], texts[1]};
    uint8_t *const to[2] = {hashes[0], hashes[1]};
    for (int i = 0; i < 2; i++) node_text(nodes, leaves, both[i], texts[i]);
    sha256_two(from, NODE_TEXT_SIZE, to);
    for (int i = 0; i < 2; i++) {
        struct trie_node *node = own_node(memory, nodes, both[i]);
        memcpy(node->hash, hashes[i], SHA256_SIZE);
        node->dirty = 0;
    }
}

static void hash_list(struct memory *memory, struct pool *nodes,
                      const struct pool *leaves, uint32_t list) {
    uint32_t ahead = fetch_first(nodes, leaves, list);
    while (list != LAST) {
        uint32_t next = next_marked(nodes, list);
        ahead = fetch_below(nodes, leaves, ahead);
        if (next == LAST) {
            hash_node(memory, nodes, leaves, list);
            return;
        }
        uint32_t both[2] = {list, next};
        list = next_marked(nodes, next);
        ahead = fetch_below(nodes, leaves, ahead);
        hash_two_nodes(memory, nodes, leaves, both);
    }
}

void trie_seal(struct memory *memory, struct pool *nodes, const struct pool *leaves,
               uint32_t root) {
    uint32_t lists[TRIE_DEPTH_MAX + 1], depth = 0;
    if (!is_marked(nodes, root)) return;
    own_node(memory, nodes, root)->dirty = LAST;
    for (lists[0] = root; lists[depth] != LAST; depth++)
        lists[depth + 1] = list_below(memory, nodes, leaves, lists[depth]);
    while (depth-- > 0) hash_list(memory, nodes, leaves, lists[depth]);
}
