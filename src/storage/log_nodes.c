#include "storage/log_nodes.h"

#include <string.h>

#include "base/check.h"

void nodes_begin(struct log_nodes *nodes, const struct rfc6962_range *start) {
    memset(nodes, 0, sizeof *nodes);
    nodes->start = *start;
    for (unsigned i = 0; i < NODES_HEIGHT; i++)
        nodes->rows[i].first = start->size >> (NODES_STEP * (i + 1));
}

void nodes_free(struct log_nodes *nodes, const struct allocator *allocator) {
    for (unsigned i = 0; i < NODES_HEIGHT; i++) {
        struct nodes_row *row = &nodes->rows[i];
        release(allocator, row->hashes, row->capacity * SHA256_SIZE);
        *row = (struct nodes_row){0};
    }
}

/* Make room for the roots that the leaf or block completes with which there are `size`. */
static enum status reserve(struct log_nodes *nodes, const struct allocator *allocator,
                           uint64_t size) {
    uint64_t leaves = NODES_BLOCK;
    for (unsigned i = 0; i < NODES_HEIGHT && size % leaves == 0; i++) {
        struct nodes_row *row = &nodes->rows[i];
        leaves <<= NODES_STEP;
        if (row->count < row->capacity) continue;
        size_t capacity = row->capacity ? 2 * row->capacity : 16;
        void *hashes =
            allocator->resize(allocator->context, row->hashes,
                              row->capacity * SHA256_SIZE, capacity * SHA256_SIZE);
        if (!hashes) return STATUS_MEMORY;
        row->hashes = hashes;
        row->capacity = capacity;
    }
    return STATUS_OK;
}

enum status nodes_reserve(struct log_nodes *nodes, const struct allocator *allocator,
                          const struct rfc6962_range *range) {
    return reserve(nodes, allocator, range->size + 1);
}

/* `hash` stands for the 2^level leaves behind those of the range, which has the other
 * subtrees that it is joined with. */
static void note_roots(struct log_nodes *nodes, const struct rfc6962_range *range,
                       unsigned level, const uint8_t hash[SHA256_SIZE]) {
    uint8_t root[SHA256_SIZE];
    memcpy(root, hash, SHA256_SIZE);
    for (;; level++) {
        if (level > 0 && level % NODES_STEP == 0) {
            struct nodes_row *row = &nodes->rows[level / NODES_STEP - 1];
            check(row->count < row->capacity);
            memcpy(row->hashes[row->count++], root, SHA256_SIZE);
        }
        if (!(range->size >> level & 1)) break;
        rfc6962_node(range->roots[level], root, root);
    }
}

void nodes_append(struct log_nodes *nodes, struct rfc6962_range *range,
                  const uint8_t leaf[SHA256_SIZE]) {
    if ((range->size + 1) % NODES_BLOCK == 0) note_roots(nodes, range, 0, leaf);
    rfc6962_append(range, leaf);
}

enum status nodes_append_block(struct log_nodes *nodes, const struct allocator *allocator,
                               struct rfc6962_range *range,
                               const uint8_t root[SHA256_SIZE]) {
    enum status status = reserve(nodes, allocator, range->size + NODES_BLOCK);
    if (status) return status;
    note_roots(nodes, range, NODES_STEP, root);
    rfc6962_append_perfect(range, NODES_STEP, root);
    return STATUS_OK;
}

/* A root of the range that the nodes began with. */
static const uint8_t *find_at_start(const struct rfc6962_range *start, unsigned level,
                                    uint64_t index) {
    if (level >= 64 || !(start->size >> level & 1)) return NULL;
    return index == (start->size >> level) - 1 ? start->roots[level] : NULL;
}

const uint8_t *nodes_find(const struct log_nodes *nodes, unsigned level, uint64_t index) {
    const uint8_t *root = find_at_start(&nodes->start, level, index);
    if (root || level == 0 || level % NODES_STEP != 0) return root;
    unsigned height = level / NODES_STEP - 1;
    if (height >= NODES_HEIGHT) return NULL;
    const struct nodes_row *row = &nodes->rows[height];
    if (index < row->first || index - row->first >= row->count) return NULL;
    return row->hashes[index - row->first];
}
