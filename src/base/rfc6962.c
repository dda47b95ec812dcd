/* The Merkle tree of RFC 6962: appending, roots, and the verification of both proofs.
 *
 * A verifier climbs from the leaf to the root with two numbers: `position`, that of the
 * node it stands on within its level, and `last`, that of the level's last node. A node
 * that is last and stands at an even position has no sibling and rises unchanged; that is
 * how a tree whose size is no power of two is hashed. The proof has the right length when
 * the climb ends, last being 0, exactly with the last hash. */
#include "base/rfc6962.h"

#include <string.h>

#include "base/check.h"

enum { LEAF_TAG = 0x00, NODE_TAG = 0x01 };

void rfc6962_leaf(struct slice first, struct slice second, uint8_t leaf[SHA256_SIZE]) {
    static const uint8_t tag = LEAF_TAG;
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, &tag, 1);
    sha256_add(&hash, first.data, first.size);
    sha256_add(&hash, second.data, second.size);
    sha256_end(&hash, leaf);
}

/* `node` may be `left` or `right`: both are read before it is written. */
void rfc6962_node(const uint8_t left[SHA256_SIZE], const uint8_t right[SHA256_SIZE],
                  uint8_t node[SHA256_SIZE]) {
    uint8_t bytes[1 + 2 * SHA256_SIZE];
    bytes[0] = NODE_TAG;
    memcpy(bytes + 1, left, SHA256_SIZE);
    memcpy(bytes + 1 + SHA256_SIZE, right, SHA256_SIZE);
    sha256(bytes, sizeof bytes, node);
}

void rfc6962_begin(struct rfc6962_range *range) { memset(range, 0, sizeof *range); }

/* Adding to a binary counter: every carry joins two subtrees of one size. */
void rfc6962_append_perfect(struct rfc6962_range *range, unsigned level,
                            const uint8_t perfect[SHA256_SIZE]) {
    uint64_t leaves = UINT64_C(1) << level;
    check(range->size % leaves == 0 && range->size <= UINT64_MAX - leaves);
    uint8_t root[SHA256_SIZE];
    memcpy(root, perfect, SHA256_SIZE);
    for (; range->size >> level & 1; level++)
        rfc6962_node(range->roots[level], root, root);
    memcpy(range->roots[level], root, SHA256_SIZE);
    range->size += leaves;
}

void rfc6962_append(struct rfc6962_range *range, const uint8_t leaf[SHA256_SIZE]) {
    rfc6962_append_perfect(range, 0, leaf);
}

void rfc6962_root(const struct rfc6962_range *range, uint8_t root[SHA256_SIZE]) {
    if (range->size == 0) {
        sha256(NULL, 0, root);
        return;
    }
    size_t level = 0;
    while (!(range->size >> level & 1)) level++;
    memcpy(root, range->roots[level], SHA256_SIZE);
    for (level++; level < 64; level++)
        if (range->size >> level & 1) rfc6962_node(range->roots[level], root, root);
}

size_t rfc6962_tail(const struct rfc6962_range *range, uint8_t hashes[64][SHA256_SIZE]) {
    size_t count = 0;
    for (size_t level = 0; level < 64; level++)
        if (range->size >> level & 1)
            memcpy(hashes[count++], range->roots[level], SHA256_SIZE);
    return count;
}

/* Where a climb stands. */
struct climb {
    uint64_t position, last;
};

static inline void climb_up(struct climb *climb) {
    climb->position >>= 1;
    climb->last >>= 1;
}

/* True when the node's sibling is on its left. A last node without a sibling rises to the
 * level at which it has one, which is then on the left. */
static inline bool sibling_is_left(struct climb *climb) {
    if (climb->position & 1) return true;
    if (climb->position < climb->last) return false;
    while (climb->position != 0 && !(climb->position & 1)) climb_up(climb);
    return true;
}

static bool same_hash(const uint8_t a[SHA256_SIZE], const uint8_t b[SHA256_SIZE]) {
    return memcmp(a, b, SHA256_SIZE) == 0;
}

bool rfc6962_verify_inclusion(uint64_t index, uint64_t size,
                              const uint8_t leaf[SHA256_SIZE], const uint8_t *proof,
                              size_t count, const uint8_t root[SHA256_SIZE]) {
    if (index >= size) return false;
    struct climb climb = {.position = index, .last = size - 1};
    uint8_t hash[SHA256_SIZE];
    memcpy(hash, leaf, SHA256_SIZE);
    for (size_t i = 0; i < count; i++) {
        if (climb.last == 0) return false; /* More hashes than levels. */
        const uint8_t *sibling = proof + i * SHA256_SIZE;
        if (sibling_is_left(&climb)) rfc6962_node(sibling, hash, hash);
        else rfc6962_node(hash, sibling, hash);
        climb_up(&climb);
    }
    return climb.last == 0 && same_hash(hash, root);
}

/* The climb starts at the largest perfect subtree that ends with the last leaf of the
 * first tree, and builds both roots at once: siblings on the left belong to both trees,
 * those on the right to the second only. */
bool rfc6962_verify_consistency(uint64_t size1, uint64_t size2, const uint8_t *proof,
                                size_t count, const uint8_t root1[SHA256_SIZE],
                                const uint8_t root2[SHA256_SIZE]) {
    if (size1 == 0 || size1 > size2) return false;
    if (size1 == size2) return count == 0 && same_hash(root1, root2);

    struct climb climb = {.position = size1 - 1, .last = size2 - 1};
    while (climb.position & 1) climb_up(&climb);

    /* When that subtree is the whole first tree, its hash is root1, not in the proof. */
    size_t next = climb.position == 0 ? 0 : 1;
    if (count < next) return false;
    uint8_t hash1[SHA256_SIZE], hash2[SHA256_SIZE];
    memcpy(hash1, next == 0 ? root1 : proof, SHA256_SIZE);
    memcpy(hash2, hash1, SHA256_SIZE);

    for (; next < count; next++) {
        if (climb.last == 0) return false;
        const uint8_t *sibling = proof + next * SHA256_SIZE;
        if (sibling_is_left(&climb)) {
            rfc6962_node(sibling, hash1, hash1);
            rfc6962_node(sibling, hash2, hash2);
        } else {
            rfc6962_node(hash2, sibling, hash2);
        }
        climb_up(&climb);
    }
    return climb.last == 0 && same_hash(hash1, root1) && same_hash(hash2, root2);
}
