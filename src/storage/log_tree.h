/* The inside of the log tree (RFC 6962): hashes of old leaves and subtrees, and from them
 * the proofs of sections 2.1.1 and 2.1.2.
 *
 * In memory are the roots of the complete blocks of 256 leaves, and of 256 of those, and
 * so on: an eighth of a byte an entry. The leaves of a block are hashed again from the
 * entries in their segment, and held against the block's root. So every hash costs some
 * hundred small ones and at most two short reads, whatever the size of the log.
 *
 * Sizes and sequences may be anything up to log_written(). */
#ifndef STORAGE_LOG_TREE_H
#define STORAGE_LOG_TREE_H

#include "storage/log.h"

#define LOG_PROOF_MAX 64 /* hashes in a proof */

struct log_proof {
    size_t count;
    uint8_t hashes[LOG_PROOF_MAX][SHA256_SIZE]; /* in the order of the RFC */
};

/* What all of them answer: STATUS_RANGE: the log does not reach so far, or the hash is
 * no longer known (a database restored from a snapshot knows leaves from there on);
 * STATUS_CORRUPT: the files do not hold what was hashed once; STATUS_IO, STATUS_MEMORY.
 */

/* H(00 | entry). */
enum status log_tree_leaf(struct log *log, uint64_t sequence, uint8_t leaf[SHA256_SIZE]);
/* The root of leaves [index << level, (index + 1) << level). */
enum status log_tree_node(struct log *log, unsigned level, uint64_t index,
                          uint8_t node[SHA256_SIZE]);
/* MTH(0 .. size). */
enum status log_tree_root(struct log *log, uint64_t size, uint8_t root[SHA256_SIZE]);

/* The tree over the first `size` entries; log_size() as well. */
enum status log_range_at(struct log *log, uint64_t size, struct rfc6962_range *range);

/* That the entry `sequence` is in the tree of `size` entries. STATUS_INVALID: it is not
 * below it. */
enum status log_tree_inclusion(struct log *log, uint64_t sequence, uint64_t size,
                               struct log_proof *proof);
/* That the tree of `size1` entries is the beginning of that of `size2`. STATUS_INVALID
 * unless 0 < size1 <= size2. */
enum status log_tree_consistency(struct log *log, uint64_t size1, uint64_t size2,
                                 struct log_proof *proof);

#endif
