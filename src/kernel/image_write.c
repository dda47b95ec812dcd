/* A state as bytes. */
#include "base/bytes.h"
#include "base/check.h"
#include "kernel/image_table.h"

#include "kernel/pure.h"

static uint64_t section_size(const struct image_section *section) {
    return IMAGE_HEAD_SIZE + (uint64_t)section->limit * section->row_size;
}

uint64_t image_size(const struct state *state) {
    struct image_cursor cursor = {0};
    struct image_section section;
    uint64_t size = 0;
    while (image_next(state, &cursor, &section)) size += section_size(&section);
    return size;
}

static void copy_text(uint8_t *to, size_t size, const char *text) {
    for (size_t i = 0; i < size && text[i]; i++) to[i] = (uint8_t)text[i];
}

static void write_head(const struct image_section *section,
                       uint8_t head[IMAGE_HEAD_SIZE]) {
    memset(head, 0, IMAGE_HEAD_SIZE);
    copy_text(head, IMAGE_NAME_SIZE, section->name);
    bool whole_rows = section->pool && !section->part;
    if (whole_rows) copy_text(head + 24, LAYOUT_SIZE, section->pool->layout);
    store_le32(head + 40, section->index);
    store_le32(head + 44, section->row_size);
    store_le32(head + 48, section->limit);
    store_le32(head + 52, section->free_row);
    store_le32(head + 56, section->free_count);
}

/* The next section: its head and fields are made here, its rows are read in their place.
 */
static bool begin_section(struct image_writer *writer) {
    struct image_section *section = &writer->section;
    if (!image_next(writer->state, &writer->cursor, section)) return false;
    write_head(section, writer->bytes);
    writer->at = 0;
    writer->size = section_size(section);
    writer->staged = IMAGE_HEAD_SIZE;
    if (section->pool) return true;
    if (section->owner)
        image_fields_encode(section->part, section->owner,
                            writer->bytes + IMAGE_HEAD_SIZE);
    writer->staged = (uint32_t)writer->size;
    return true;
}

void image_write_begin(struct image_writer *writer, const struct state *state) {
    *writer = (struct image_writer){.state = state};
}

/* Rows of a pool as they lie in its chunks, from `offset` bytes into its first row. */
static size_t copy_rows(const struct pool *pool, uint64_t offset, uint8_t *bytes,
                        size_t room) {
    uint32_t row = (uint32_t)(offset / pool->row_size);
    size_t into = (size_t)(offset % pool->row_size);
    uint32_t rows = pool_rows_left(pool, row);
    if (rows > pool->limit - row) rows = pool->limit - row;
    size_t here = (size_t)rows * pool->row_size - into;
    if (here > room) here = room;
    memcpy(bytes, (const uint8_t *)pool_row(pool, row) + into, here);
    if (!MEMORY_LITTLE_ENDIAN) layout_turn(pool->layout, into, bytes, here);
    return here;
}

/* Of a part's row, eight bytes: is it in use, or else the link to the next free one. */
static size_t copy_uses(const struct image_section *section, uint64_t offset,
                        uint8_t *bytes) {
    uint8_t link[8];
    const void *row = pool_row(section->pool, (uint32_t)(offset / 8));
    memset(bytes, 0, 8);
    if (section->part->used(row)) {
        store_le32(bytes, IMAGE_ROW_USED);
        return 8;
    }
    memcpy(link, row, sizeof link);
    if (!MEMORY_LITTLE_ENDIAN) layout_turn(section->pool->layout, 0, link, sizeof link);
    memcpy(bytes, link, 4);
    return 8;
}

static size_t write_some(struct image_writer *writer, uint8_t *bytes, size_t room) {
    const struct image_section *section = &writer->section;
    if (writer->at < writer->staged) {
        size_t here = writer->staged - (size_t)writer->at;
        if (here > room) here = room;
        memcpy(bytes, writer->bytes + writer->at, here);
        return here;
    }
    uint64_t offset = writer->at - writer->staged;
    if (section->part) return copy_uses(section, offset, bytes);
    return copy_rows(section->pool, offset, bytes, room);
}

size_t image_write(struct image_writer *writer, uint8_t *bytes, size_t room) {
    check(room % 8 == 0);
    size_t done = 0;
    while (done < room) {
        if (writer->at == writer->size && !begin_section(writer)) break;
        size_t here = write_some(writer, bytes + done, room - done);
        writer->at += here;
        done += here;
    }
    return done;
}
