/* A pool: rows of one size in chunks behind a chunk table.
 *
 * Rows have numbers and keep them; their addresses change when a chunk is copied, so an
 * address from pool_row() or pool_own() is good until the next write to the pool. A free
 * row is all zeros but for its link. The pool itself lies in state that is copied as a
 * whole. */
#ifndef KERNEL_POOL_H
#define KERNEL_POOL_H

#include "base/int128.h"
#include "kernel/layout.h"
#include "kernel/memory.h"

struct pool {
    struct block table; /* of struct block, one a chunk */
    uint32_t row_size;  /* a multiple of 8 */
    uint32_t rows_per_chunk;
    uint64_t reciprocal; /* 2^64 / rows_per_chunk, rounded up; 0 stands for 2^64 */
    uint32_t chunk_class;
    uint32_t chunk_count;
    uint32_t limit;    /* rows ever used: all numbers are below */
    uint32_t free_row; /* first free row + 1; 0: none */
    uint32_t free_count;
    uint32_t capacity;  /* rows that the chunks have room for */
    const char *layout; /* of a row */
};

/* `chunk_size` is the least; it doubles while a row does not fit or too much is left
 * over. The first chunk grows up to it with its rows, so that a pool of a few is small.
 * `layout` is static, and divides a row. */
void pool_begin(struct pool *pool, uint32_t row_size, size_t chunk_size,
                const char *layout);

/* A zeroed row: the one freed last, or the next new one. */
uint32_t pool_take(struct memory *memory, struct pool *pool);
/* Clear a row and keep it for pool_take(). */
void pool_give(struct memory *memory, struct pool *pool, uint32_t row);

static inline uint8_t *pool_chunk(const struct pool *pool, uint32_t chunk) {
    return (uint8_t *)((const struct block *)pool->table.address)[chunk].address;
}
/* row / rows_per_chunk, exact for every row, by a multiplication: walks down a trie ask
 * this at every step, and a division would be half their time. */
static inline uint32_t pool_chunk_of(const struct pool *pool, uint32_t row) {
    if (pool->reciprocal == 0) return row;
    return (uint32_t)((uint128)row * pool->reciprocal >> 64);
}
static inline const void *pool_row(const struct pool *pool, uint32_t row) {
    uint32_t chunk = pool_chunk_of(pool, row);
    return pool_chunk(pool, chunk) +
           (size_t)(row - chunk * pool->rows_per_chunk) * pool->row_size;
}
/* Rows from `row` to the end of its chunk: they lie side by side. */
static inline uint32_t pool_rows_left(const struct pool *pool, uint32_t row) {
    return pool->rows_per_chunk - row % pool->rows_per_chunk;
}
/* Bytes that the pool holds. O(chunks). */
uint64_t pool_room(const struct pool *pool);
/* The row for writing: copied first if a view sees it. */
void *pool_own(struct memory *memory, struct pool *pool, uint32_t row);

/* For a pool that is read from a snapshot: 1 to `count` zeroed rows more, which lie side
 * by side; gives the address of the first, and *added. No view may see the pool. */
uint8_t *pool_extend(struct memory *memory, struct pool *pool, uint32_t count,
                     uint32_t *added);
/* Take over the list of free rows that lies in the rows. False: it is none. */
bool pool_adopt_free(struct pool *pool, uint32_t free_row, uint32_t free_count);

/* Give back up to *budget chunks from the end, then the table; true when nothing is left.
 * The pool is for nothing else any more. */
bool pool_dissolve(struct memory *memory, struct pool *pool, uint32_t *budget);

#endif
