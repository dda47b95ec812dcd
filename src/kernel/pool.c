#include "kernel/pool.h"

#include "base/bytes.h"
#include "base/check.h"

#include "kernel/pure.h"

enum { FIRST_SIZE = 256 }; /* of the first chunk, or one row */

void pool_begin(struct pool *pool, uint32_t row_size, size_t chunk_size,
                const char *layout) {
    check(row_size % 8 == 0 && row_size > 0 && row_size % layout_round(layout) == 0);
    size_t size = chunk_size;
    /* At most an eighth of a chunk may be left over at its end. */
    while (size < row_size ||
           (size % row_size > size / 8 && size < 16 * (size_t)row_size))
        size *= 2;
    *pool = (struct pool){
        .row_size = row_size,
        .rows_per_chunk = (uint32_t)(size / row_size),
        .reciprocal = UINT64_MAX / (size / row_size) + 1,
        .chunk_class = memory_class(size),
        .layout = layout,
    };
}

/* --- Free rows -------------------------------------------------------------------------
 *
 * The link is an integer as wide as the row's first field, but in rows that begin with
 * bytes, where it is little-endian: so rows can be turned for a snapshot without asking
 * which of them are free. */

static uint32_t load_link(const struct pool *pool, const uint8_t *bytes) {
    if (MEMORY_LITTLE_ENDIAN || layout_first(pool->layout) == 1) return load_le32(bytes);
    uint32_t link;
    memcpy(&link, bytes + layout_first(pool->layout) - sizeof link, sizeof link);
    return link;
}

static void store_link(const struct pool *pool, uint8_t *bytes, uint32_t link) {
    if (MEMORY_LITTLE_ENDIAN || layout_first(pool->layout) == 1) store_le32(bytes, link);
    else memcpy(bytes + layout_first(pool->layout) - sizeof link, &link, sizeof link);
}

/* --- Rows ------------------------------------------------------------------------------
 */

static struct block *own_table(struct memory *memory, struct pool *pool) {
    return memory_own(memory, &pool->table);
}

/* One block more in the table. */
static struct block *add_chunk(struct memory *memory, struct pool *pool) {
    size_t needed = (pool->chunk_count + (size_t)1) * sizeof(struct block);
    if (!pool->table.address) {
        pool->table = memory_take(memory, memory_class(needed));
    } else if (needed > block_size(pool->table.size_class)) {
        struct block table = memory_take(memory, pool->table.size_class + 1);
        memcpy(table.address, pool->table.address, block_size(pool->table.size_class));
        memory_give(memory, &pool->table);
        pool->table = table;
    }
    return &own_table(memory, pool)[pool->chunk_count++];
}

/* Room for another row at least: the only chunk twice as large until it is whole, then
 * whole ones. */
static void grow(struct memory *memory, struct pool *pool) {
    struct block *first = pool->chunk_count == 1 ? own_table(memory, pool) : NULL;
    if (first && first->size_class < pool->chunk_class) {
        struct block larger = memory_take(memory, first->size_class + 1);
        memcpy(larger.address, first->address, block_size(first->size_class));
        memory_give(memory, first);
        *first = larger;
    } else {
        uint32_t size_class = pool->chunk_class;
        if (pool->chunk_count == 0) {
            uint32_t least = memory_class(
                pool->row_size > FIRST_SIZE ? pool->row_size : (size_t)FIRST_SIZE);
            if (least < size_class) size_class = least;
        }
        *add_chunk(memory, pool) = memory_take(memory, size_class);
    }
    if (pool->chunk_count > 1) {
        pool->capacity += pool->rows_per_chunk;
        return;
    }
    uint32_t only = ((struct block *)pool->table.address)->size_class;
    size_t rows = block_size(only) / pool->row_size;
    pool->capacity = rows < pool->rows_per_chunk ? (uint32_t)rows : pool->rows_per_chunk;
}

uint32_t pool_take(struct memory *memory, struct pool *pool) {
    if (pool->free_row) {
        uint32_t row = pool->free_row - 1;
        uint8_t *bytes = pool_own(memory, pool, row);
        pool->free_row = load_link(pool, bytes);
        pool->free_count--;
        store_link(pool, bytes, 0);
        return row;
    }
    check(pool->limit < UINT32_MAX - 1);
    if (pool->limit == pool->capacity) grow(memory, pool);
    return pool->limit++;
}

void pool_give(struct memory *memory, struct pool *pool, uint32_t row) {
    uint8_t *bytes = pool_own(memory, pool, row);
    memset(bytes, 0, pool->row_size);
    store_link(pool, bytes, pool->free_row);
    pool->free_row = row + 1;
    pool->free_count++;
}

uint8_t *pool_extend(struct memory *memory, struct pool *pool, uint32_t count,
                     uint32_t *added) {
    check(pool->limit < UINT32_MAX - 1);
    if (pool->limit == pool->capacity) grow(memory, pool);
    uint32_t room = pool->capacity - pool->limit;
    *added = count < room ? count : room;
    uint8_t *bytes = pool_own(memory, pool, pool->limit++);
    pool->limit += *added - 1;
    return bytes;
}

bool pool_adopt_free(struct pool *pool, uint32_t free_row, uint32_t free_count) {
    uint32_t left = free_count;
    for (uint32_t row = free_row; row != 0; left--) {
        if (row > pool->limit || left == 0) return false;
        row = load_link(pool, pool_row(pool, row - 1));
    }
    pool->free_row = free_row;
    pool->free_count = free_count;
    return left == 0;
}

void *pool_own(struct memory *memory, struct pool *pool, uint32_t row) {
    check(row < pool->limit);
    struct block *chunks = pool->table.address;
    uint32_t number = pool_chunk_of(pool, row);
    struct block *chunk = &chunks[number];
    if (chunk->epoch <= memory->newest_view) {
        chunks = own_table(memory, pool);
        chunk = &chunks[number];
#ifndef BUG_18
        memory_own(memory, chunk);
#endif
    }
    return (uint8_t *)chunk->address +
           (size_t)(row - number * pool->rows_per_chunk) * pool->row_size;
}

uint64_t pool_room(const struct pool *pool) {
    const struct block *chunks = pool->table.address;
    if (!chunks) return 0;
    uint64_t room = block_size(pool->table.size_class);
    for (uint32_t i = 0; i < pool->chunk_count; i++)
        room += block_size(chunks[i].size_class);
    return room;
}

bool pool_dissolve(struct memory *memory, struct pool *pool, uint32_t *budget) {
    while (pool->chunk_count > 0 && *budget > 0) {
        struct block *chunks = own_table(memory, pool);
        memory_give(memory, &chunks[--pool->chunk_count]);
        --*budget;
    }
    if (pool->chunk_count > 0) return false;
    memory_give(memory, &pool->table);
    return true;
}
