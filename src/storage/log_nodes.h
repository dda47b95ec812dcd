/* Roots of the log tree's tall subtrees, in memory: those of 2^8, 2^16, .. leaves. For
 * src/storage/log_*.c only. */
#ifndef STORAGE_LOG_NODES_H
#define STORAGE_LOG_NODES_H

#include "base/allocator.h"
#include "base/rfc6962.h"
#include "base/status.h"

#define NODES_STEP   8 /* levels between two rows */
#define NODES_BLOCK  ((uint64_t)1 << NODES_STEP)
#define NODES_HEIGHT 7 /* rows */

/* The roots of one level, from index `first` on. */
struct nodes_row {
    uint8_t (*hashes)[SHA256_SIZE];
    uint64_t first;
    size_t count, capacity;
};

struct log_nodes {
    struct rfc6962_range start; /* of the leaves before the first that was appended */
    struct nodes_row rows[NODES_HEIGHT]; /* rows[i]: subtrees of 2^(8 + 8i) leaves */
};

/* Begin with the leaves of `start`, of which nothing but this is known. */
void nodes_begin(struct log_nodes *nodes, const struct rfc6962_range *start);
void nodes_free(struct log_nodes *nodes, const struct allocator *allocator);

/* Make room for the next leaf to be appended to `range`. STATUS_MEMORY. */
enum status nodes_reserve(struct log_nodes *nodes, const struct allocator *allocator,
                          const struct rfc6962_range *range);
/* Append it to both. There is room. */
void nodes_append(struct log_nodes *nodes, struct rfc6962_range *range,
                  const uint8_t leaf[SHA256_SIZE]);

/* Append a block of 256 leaves by its root; the range has a multiple of 256. STATUS_MEMORY. */
enum status nodes_append_block(struct log_nodes *nodes, const struct allocator *allocator,
                               struct rfc6962_range *range,
                               const uint8_t root[SHA256_SIZE]);

/* The root of subtree `index` of 2^level leaves, if it is here; otherwise NULL. */
const uint8_t *nodes_find(const struct log_nodes *nodes, unsigned level, uint64_t index);

#endif
