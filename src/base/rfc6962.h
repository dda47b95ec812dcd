/* The Merkle tree of RFC 6962, section 2.1, over SHA-256: leaf H(0x00|entry), node
 * H(0x01|left|right), empty tree H(""). A compact range keeps the roots of the perfect
 * subtrees, at most 64 hashes, so that appending and reading the root are O(log n). */
#ifndef BASE_RFC6962_H
#define BASE_RFC6962_H

#include "base/sha256.h"
#include "base/slice.h"

struct rfc6962_range {
    uint64_t size;           /* leaves so far */
    uint8_t roots[64][SHA256_SIZE]; /* roots[i] stands for 2^i leaves when bit i of size is set */
};

void rfc6962_begin(struct rfc6962_range *range);

/* H(0x00 | first | second): two pieces so that callers need not join them. */
void rfc6962_leaf(struct slice first, struct slice second, uint8_t leaf[SHA256_SIZE]);
void rfc6962_node(const uint8_t left[SHA256_SIZE], const uint8_t right[SHA256_SIZE],
                  uint8_t node[SHA256_SIZE]);

void rfc6962_append(struct rfc6962_range *range, const uint8_t leaf[SHA256_SIZE]);
/* Append 2^level leaves at once, by the root over them. The size so far is a multiple of that. */
void rfc6962_append_perfect(struct rfc6962_range *range, unsigned level,
                            const uint8_t root[SHA256_SIZE]);
void rfc6962_root(const struct rfc6962_range *range, uint8_t root[SHA256_SIZE]);

/* What proves the next leaf, once it is appended, to be the last one of the tree: its siblings,
 * from the leaf upwards, all of which stand on its left. Gives their number, at most 64. */
size_t rfc6962_tail(const struct rfc6962_range *range, uint8_t hashes[64][SHA256_SIZE]);

/* Verify the proofs of RFC 6962, 2.1.1 and 2.1.2 (RFC 9162, 2.1.3.2 and 2.1.4.2): `proof` is
 * `count` hashes, one after the other. True only when the proof has exactly the right length
 * and reaches `root`. A consistency proof from size 0 is refused. */
bool rfc6962_verify_inclusion(uint64_t index, uint64_t size, const uint8_t leaf[SHA256_SIZE],
                              const uint8_t *proof, size_t count,
                              const uint8_t root[SHA256_SIZE]);
bool rfc6962_verify_consistency(uint64_t size1, uint64_t size2, const uint8_t *proof,
                                size_t count, const uint8_t root1[SHA256_SIZE],
                                const uint8_t root2[SHA256_SIZE]);

#endif
