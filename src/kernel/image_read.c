/* A state from bytes.
 *
 * The bytes were checked against hashes before they come here, but whoever made the
 * hashes may be hostile: sizes and names are believed only where they fit the table, and
 * the rows are left to recompute_step(). */
#include "base/bytes.h"
#include "base/check.h"
#include "kernel/image_table.h"

#include "kernel/pure.h"

void image_read_begin(struct image_reader *reader, struct kernel *kernel) {
    *reader = (struct image_reader){.kernel = kernel, .size = IMAGE_HEAD_SIZE};
}

static bool same_text(const uint8_t *bytes, size_t size, const char *text) {
    for (size_t i = 0; i < size; i++, text += *text != 0)
        if (bytes[i] != (uint8_t)*text) return false;
    return *text == 0;
}

/* --- The head of a section -------------------------------------------------------------
 */

static struct pool *rows_of(struct state *state, const struct image_part *part) {
    return (struct pool *)(void *)((uint8_t *)state + part->offset);
}

/* The struct that pools and fields belong to. */
static void *owner_of(const struct image_reader *reader) {
    struct state *state = &reader->kernel->state;
    if (!reader->part->rows) return state;
    struct pool *rows = rows_of(state, reader->part);
    return pool_own(&reader->kernel->memory, rows, reader->part_row);
}

/* A pool of the struct at hand. */
static struct pool *find_pool(const struct image_reader *reader, const uint8_t *head) {
    const struct image_part *part = reader->part;
    if (!part || (part->rows && reader->part_row == UINT32_MAX)) return NULL;
    uint8_t *owner = owner_of(reader);
    uint32_t index = load_le32(head + 40);
    for (size_t i = 0; i < part->pool_count; i++) {
        const struct image_pool *row = &part->pools[i];
        if (!same_text(head, IMAGE_NAME_SIZE, row->name) || index >= row->count) continue;
        if (part->has && !part->has(owner, row->name)) return NULL;
        return (struct pool *)(void *)(owner + row->offset) + index;
    }
    return NULL;
}

/* Rows of a pool follow. */
static enum status begin_pool(struct image_reader *reader, struct pool *pool,
                              const uint8_t *head) {
    const struct image_section *section = &reader->section;
    if (!same_text(head + 24, LAYOUT_SIZE, pool->layout)) return STATUS_VERSION;
    if (section->row_size != pool->row_size) return STATUS_VERSION;
    if (pool->limit != 0 || section->limit >= UINT32_MAX - 1) return STATUS_CORRUPT;
    reader->pool = pool;
    return STATUS_OK;
}

/* The table of a part's rows follows. */
static enum status begin_rows(struct image_reader *reader,
                              const struct image_part *part) {
    struct image_section *section = &reader->section;
    struct pool *rows = rows_of(&reader->kernel->state, part);
    if (section->row_size != 8) return STATUS_VERSION;
    if (rows->limit != 0 || section->limit >= UINT32_MAX - 1) return STATUS_CORRUPT;
    if (reader->parts_left > 0) return STATUS_CORRUPT;
    section->part = reader->part = part;
    reader->part_row = UINT32_MAX;
    reader->pool = rows;
    return memory_reserve(&reader->kernel->memory,
                          2 * (uint64_t)section->limit * rows->row_size);
}

/* The fields of a struct follow: of the state, or of the row in use that comes next. */
static enum status begin_fields(struct image_reader *reader,
                                const struct image_part *part) {
    struct image_section *section = &reader->section;
    if (section->limit != 1 || section->row_size % 8 != 0) return STATUS_CORRUPT;
    if (section->row_size > image_fields_size(part)) return STATUS_VERSION;
    if (part->rows) {
        if (reader->part != part || reader->parts_left == 0) return STATUS_CORRUPT;
        const struct pool *rows = rows_of(&reader->kernel->state, part);
        uint32_t last = reader->part_row;
        bool after = last == UINT32_MAX || section->index > last;
        if (!after || section->index >= rows->limit) return STATUS_CORRUPT;
        reader->part_row = section->index;
        reader->parts_left--;
    }
    section->part = reader->part = part;
    section->owner = reader;
    return STATUS_OK;
}

static enum status begin_section(struct image_reader *reader) {
    const uint8_t *head = reader->bytes;
    reader->pool = NULL;
    reader->section = (struct image_section){
        .index = load_le32(head + 40),
        .row_size = load_le32(head + 44),
        .limit = load_le32(head + 48),
        .free_row = load_le32(head + 52),
        .free_count = load_le32(head + 56),
    };
    const struct image_section *section = &reader->section;
    if (load_le32(head + 60) != 0) return STATUS_VERSION;
    reader->size = IMAGE_HEAD_SIZE + (uint64_t)section->limit * section->row_size;
    if (same_text(head, IMAGE_NAME_SIZE, "end")) {
        reader->ended = true;
        return section->limit == 0 && reader->parts_left == 0 ? STATUS_OK
                                                              : STATUS_CORRUPT;
    }
    struct pool *pool = find_pool(reader, head);
    if (pool) return begin_pool(reader, pool, head);
    for (size_t i = 0; i < IMAGE_PARTS; i++) {
        const struct image_part *part = &image_parts[i];
        if (same_text(head, IMAGE_NAME_SIZE, part->name))
            return begin_fields(reader, part);
        if (part->rows && same_text(head, IMAGE_NAME_SIZE, part->rows))
            return begin_rows(reader, part);
    }
    return STATUS_VERSION;
}

/* --- What follows it -------------------------------------------------------------------
 */

/* Fields are gathered behind the head, and read when they are whole. */
static enum status read_fields(struct image_reader *reader, const uint8_t *bytes,
                               size_t size) {
    memcpy(reader->bytes + reader->at, bytes, size);
    if (reader->at + size < reader->size) return STATUS_OK;
    const struct image_part *part = reader->section.part;
    void *owner = owner_of(reader);
    size_t whole = IMAGE_HEAD_SIZE + image_fields_size(part);
    memset(reader->bytes + reader->size, 0, whole - (size_t)reader->size);
    const uint8_t *fields = reader->bytes + IMAGE_HEAD_SIZE;
    image_fields_decode(part, owner, fields);
    enum status status = part->begin ? part->begin(reader->kernel, owner) : STATUS_OK;
    /* Once more: making the pools has cleared what lies beside them. */
    if (!status) image_fields_decode(part, owner, fields);
    return status;
}

/* One row of a part's table: in use, to be read later, or free. */
static void read_use(struct image_reader *reader, const uint8_t bytes[8]) {
    uint32_t added;
    uint8_t *row = pool_extend(&reader->kernel->memory, reader->pool, 1, &added);
    uint32_t link = load_le32(bytes);
    if (link == IMAGE_ROW_USED) {
        reader->parts_left++;
        return;
    }
    memcpy(row, bytes, 4);
    if (!MEMORY_LITTLE_ENDIAN) layout_turn(reader->pool->layout, 0, row, 8);
}

static void read_rows(struct image_reader *reader, const uint8_t *bytes, size_t size) {
    struct pool *pool = reader->pool;
    while (size > 0) {
        if (reader->run_left == 0) {
            uint32_t rows;
            reader->run = pool_extend(&reader->kernel->memory, pool,
                                      reader->section.limit - pool->limit, &rows);
            reader->run_left = (size_t)rows * pool->row_size;
        }
        size_t here = size < reader->run_left ? size : reader->run_left;
        memcpy(reader->run, bytes, here);
        if (!MEMORY_LITTLE_ENDIAN) {
            size_t into = (size_t)(reader->at - IMAGE_HEAD_SIZE) % pool->row_size;
            layout_turn(pool->layout, into, reader->run, here);
        }
        reader->run += here;
        reader->run_left -= here;
        reader->at += here;
        bytes += here;
        size -= here;
    }
}

/* A section is over. */
static enum status end_section(struct image_reader *reader) {
    const struct image_section *section = &reader->section;
    reader->at = 0;
    reader->size = IMAGE_HEAD_SIZE;
    if (!reader->pool) return STATUS_OK;
    bool sound = pool_adopt_free(reader->pool, section->free_row, section->free_count);
    return sound ? STATUS_OK : STATUS_CORRUPT;
}

/* Take up to `size` bytes; *used of them. */
static enum status read_some(struct image_reader *reader, const uint8_t *bytes,
                             size_t size, size_t *used) {
    uint64_t end = reader->at < IMAGE_HEAD_SIZE ? IMAGE_HEAD_SIZE : reader->size;
    if (size > end - reader->at) size = (size_t)(end - reader->at);
    *used = size;
    enum status status = STATUS_OK;
    if (reader->at < IMAGE_HEAD_SIZE) {
        memcpy(reader->bytes + reader->at, bytes, size);
        reader->at += size;
        if (reader->at == IMAGE_HEAD_SIZE) status = begin_section(reader);
    } else if (!reader->pool) {
        status = read_fields(reader, bytes, size);
        reader->at += size;
    } else if (reader->section.part) {
        *used = 8;
        read_use(reader, bytes);
        reader->at += 8;
    } else {
        read_rows(reader, bytes, size);
    }
    if (!status && reader->at >= IMAGE_HEAD_SIZE && reader->at == reader->size)
        status = end_section(reader);
    return status;
}

enum status image_read(struct image_reader *reader, const uint8_t *bytes, size_t size) {
    check(size % 8 == 0);
    /* A pool of one small row has a block for it and one for its table. */
    if (memory_reserve(&reader->kernel->memory, 8 * (uint64_t)size)) return STATUS_MEMORY;
    while (size > 0) {
        size_t used;
        if (reader->ended) return STATUS_CORRUPT;
        enum status status = read_some(reader, bytes, size, &used);
        if (status) return status;
        bytes += used;
        size -= used;
    }
    return STATUS_OK;
}

enum status image_read_end(struct image_reader *reader) {
    return reader->ended && reader->at == 0 ? STATUS_OK : STATUS_CORRUPT;
}
