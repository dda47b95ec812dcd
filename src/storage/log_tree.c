/* Hashes of the log tree, from the roots in memory and the leaves of single blocks.
 *
 * A node that is not in memory is made of its two children, down to the level of blocks
 * or, where it lies inside one, from that block's leaves. */
#include "storage/log_tree.h"

#include <string.h>

#include "base/check.h"
#include "storage/log_internal.h"

/* --- Leaves ------------------------------------------------------------------------ */

/* Leaves of entries that are no longer here, from the tree files. */
static enum status read_stored(struct log *log, struct leaf_block *block, uint64_t end) {
    enum status status = STATUS_OK;
    while (!status && block->first + block->count < end) {
        uint64_t from = block->first + block->count, got = 0;
        status = log_stored_leaves(log, from, end - from, block->leaves + block->count,
                                   &got);
        block->count += (size_t)got;
    }
    return status;
}

/* Have the leaves [block->first + block->count, end) in the block. */
static enum status read_leaves(struct log *log, struct leaf_block *block, uint64_t end) {
    uint64_t here = log_first(log);
    enum status status = read_stored(log, block, here < end ? here : end);
    if (status || block->first + block->count >= end) return status;
    status = log_cursor_seek(&log->tree_cursor, block->first + block->count);
    while (!status && block->first + block->count < end) {
        struct frame frame;
        status = log_cursor_next(&log->tree_cursor, &frame);
        if (!status) memcpy(block->leaves[block->count++], frame.leaf, SHA256_SIZE);
    }
    return status == STATUS_END ? STATUS_RANGE : status;
}

/* The leaves must be those that were hashed when they were appended. */
static enum status verify_leaves(const struct log *log, const struct leaf_block *block) {
    if (block->count < NODES_BLOCK) return STATUS_OK;
    const uint8_t *root = nodes_find(&log->nodes, NODES_STEP, block->first / NODES_BLOCK);
    if (!root) return STATUS_OK;
    struct rfc6962_range range;
    uint8_t own[SHA256_SIZE];
    rfc6962_begin(&range);
    for (size_t i = 0; i < block->count; i++) rfc6962_append(&range, block->leaves[i]);
    rfc6962_root(&range, own);
    return memcmp(own, root, SHA256_SIZE) == 0 ? STATUS_OK : STATUS_CORRUPT;
}

/* Have the leaves of [first, first + count) at hand, which lie in one block. */
static enum status load_leaves(struct log *log, uint64_t first, uint64_t count,
                               const struct leaf_block **loaded) {
    uint64_t start = first - first % NODES_BLOCK, end = start + NODES_BLOCK;
    if (start < log->nodes.start.size) start = log->nodes.start.size;
    if (first < start || first + count > log->written) return STATUS_RANGE;
    if (end > log->written) end = log->written;

    struct leaf_block *block = &log->leaf_blocks[0];
    if (block->first != start || block->count == 0) {
        block = &log->leaf_blocks[1];
        struct leaf_block other = log->leaf_blocks[0]; /* the last one used comes first */
        log->leaf_blocks[0] = *block;
        log->leaf_blocks[1] = other;
        block = &log->leaf_blocks[0];
        if (block->first != start) *block = (struct leaf_block){.first = start};
    }
    *loaded = block;
    if (block->first + block->count >= first + count) return STATUS_OK;
    enum status status = read_leaves(log, block, end);
    if (!status) status = verify_leaves(log, block);
    if (status) block->count = 0;
    return status;
}

enum status log_tree_leaf(struct log *log, uint64_t sequence, uint8_t leaf[SHA256_SIZE]) {
    return log_tree_node(log, 0, sequence, leaf);
}

/* --- Subtrees ---------------------------------------------------------------------- */

/* A subtree inside one block. */
static enum status low_node(struct log *log, unsigned level, uint64_t index,
                            uint8_t node[SHA256_SIZE]) {
    const struct leaf_block *block;
    uint64_t first = index << level, count = (uint64_t)1 << level;
    enum status status = load_leaves(log, first, count, &block);
    if (status) return status;
    struct rfc6962_range range;
    rfc6962_begin(&range);
    for (uint64_t i = 0; i < count; i++)
        rfc6962_append(&range, block->leaves[first - block->first + i]);
    rfc6962_root(&range, node);
    return STATUS_OK;
}

enum status log_tree_node(struct log *log, unsigned level, uint64_t index,
                          uint8_t node[SHA256_SIZE]) {
    check(level < 64);
    const uint8_t *known = nodes_find(&log->nodes, level, index);
    if (known) {
        memcpy(node, known, SHA256_SIZE);
        return STATUS_OK;
    }
    uint64_t last = UINT64_MAX >> level;
    if (index >= last || (index + 1) << level > log->written ||
        (index + 1) << level <= log->nodes.start.size)
        return STATUS_RANGE;
    bool whole = index << level >= log->nodes.start.size;
    if (level == 0 || (level <= NODES_STEP && whole))
        return low_node(log, level, index, node);
    uint8_t left[SHA256_SIZE], right[SHA256_SIZE];
    enum status status = log_tree_node(log, level - 1, 2 * index, left);
    if (!status) status = log_tree_node(log, level - 1, 2 * index + 1, right);
    if (!status) rfc6962_node(left, right, node);
    return status;
}

/* The root of leaves [first, size): the right edge of a tree. `first` is a multiple of a
 * power of two that is no smaller than their number, so that they are perfect subtrees of
 * falling size. */
static enum status edge_root(struct log *log, uint64_t first, uint64_t size,
                             uint8_t root[SHA256_SIZE]) {
    uint64_t left = size - first, end = size;
    bool begun = false;
    for (unsigned level = 0; left >> level; level++) {
        if (!(left >> level & 1)) continue;
        uint8_t node[SHA256_SIZE];
        end -= (uint64_t)1 << level;
        enum status status = log_tree_node(log, level, end >> level, node);
        if (status) return status;
        if (begun) rfc6962_node(node, root, root);
        else memcpy(root, node, SHA256_SIZE);
        begun = true;
    }
    return STATUS_OK;
}

enum status log_tree_root(struct log *log, uint64_t size, uint8_t root[SHA256_SIZE]) {
    if (size > log->written) return STATUS_RANGE;
    if (size == 0) {
        sha256(NULL, 0, root);
        return STATUS_OK;
    }
    return edge_root(log, 0, size, root);
}

enum status log_range_at(struct log *log, uint64_t size, struct rfc6962_range *range) {
    if (size == log->tree.size) {
        *range = log->tree;
        return STATUS_OK;
    }
    rfc6962_begin(range);
    range->size = size;
    uint64_t end = size;
    for (unsigned level = 0; end > 0; level++) {
        if (!(end >> level & 1)) continue;
        end -= (uint64_t)1 << level;
        enum status status = log_tree_node(log, level, end >> level, range->roots[level]);
        if (status) return status;
    }
    return STATUS_OK;
}

/* --- Proofs ------------------------------------------------------------------------ */

/* Climb from the node `position` of `level` to the root of the tree of `size`, and note
 * each sibling on the way. The last node of a level that stands at an even position has
 * none. */
static enum status climb(struct log *log, unsigned level, uint64_t position,
                         uint64_t size, struct log_proof *proof) {
    uint64_t last = (size - 1) >> level;
    for (; last > 0; level++, position >>= 1, last >>= 1) {
        uint64_t sibling = position ^ 1;
        if (sibling > last) continue;
        uint8_t *hash = proof->hashes[proof->count];
        enum status status = sibling == last
                                 ? edge_root(log, sibling << level, size, hash)
                                 : log_tree_node(log, level, sibling, hash);
        if (status) return status;
        proof->count++;
    }
    return STATUS_OK;
}

enum status log_tree_inclusion(struct log *log, uint64_t sequence, uint64_t size,
                               struct log_proof *proof) {
    proof->count = 0;
    if (sequence >= size) return STATUS_INVALID;
    if (size > log->written) return STATUS_RANGE;
    return climb(log, 0, sequence, size, proof);
}

/* The climb starts at the largest perfect subtree that ends with the last leaf of the
 * smaller tree; where that is all of it, its root is known to who asks. */
enum status log_tree_consistency(struct log *log, uint64_t size1, uint64_t size2,
                                 struct log_proof *proof) {
    proof->count = 0;
    if (size1 == 0 || size1 > size2) return STATUS_INVALID;
    if (size2 > log->written) return STATUS_RANGE;
    if (size1 == size2) return STATUS_OK;
    unsigned level = 0;
    uint64_t position = size1 - 1;
    for (; position & 1; position >>= 1) level++;
    if (position > 0) {
        enum status status =
            log_tree_node(log, level, position, proof->hashes[proof->count]);
        if (status) return status;
        proof->count++;
    }
    return climb(log, level, position, size2, proof);
}
