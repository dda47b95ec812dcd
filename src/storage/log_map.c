/* Where every 1,024th entry lies, and what 1,024 of them hash to.
 *
 * 48 bytes for 1,024 entries find any entry with one short read, and give the log's root
 * after any number of entries with one hash for each whole run before it. A run is aligned:
 * when a log begins in the middle of one, its first row names the first entry that is here,
 * and its root is that of the whole run all the same. */
#include <string.h>

#include "base/check.h"
#include "storage/cursor.h"
#include "storage/log_internal.h"

static size_t row_of(const struct log *log, uint64_t sequence) {
    return (size_t)((sequence >> LOG_MAP_LEVEL) - (log->map.base.size >> LOG_MAP_LEVEL));
}

enum status log_map_room(struct log *log) {
    struct log_map *map = &log->map;
    bool begins = map->count == 0 || log->tree.size % LOG_MAP_ENTRIES == 0;
    if (!begins || map->count < map->capacity) return STATUS_OK;
    size_t capacity = map->capacity ? 2 * map->capacity : 16;
    struct log_place *rows = log->allocator->resize(
        log->allocator->context, map->rows, map->capacity * sizeof *rows,
        capacity * sizeof *rows);
    if (!rows) return STATUS_MEMORY;
    map->rows = rows;
    map->capacity = capacity;
    return STATUS_OK;
}

/* `leaf` is the last one of a run: the tree has its other perfect subtrees. */
static void finish_run(const struct log *log, const uint8_t leaf[SHA256_SIZE],
                       uint8_t root[SHA256_SIZE]) {
    memcpy(root, leaf, SHA256_SIZE);
    for (size_t level = 0; level < LOG_MAP_LEVEL; level++)
        rfc6962_node(log->tree.roots[level], root, root);
}

void log_take_leaf(struct log *log, const uint8_t leaf[SHA256_SIZE], uint64_t segment,
                   uint64_t offset) {
    struct log_map *map = &log->map;
    if (map->count == 0) map->base = log->tree;
    if (map->count == 0 || log->tree.size % LOG_MAP_ENTRIES == 0) {
        check(map->count < map->capacity);
        map->rows[map->count++] = (struct log_place){segment, offset, {0}};
    }
    if ((log->tree.size + 1) % LOG_MAP_ENTRIES == 0)
        finish_run(log, leaf, map->rows[map->count - 1].root);
    rfc6962_append(&log->tree, leaf);
}

uint64_t log_first(const struct log *log) {
    return log->map.count ? log->map.base.size : log->tree.size;
}

/* The greatest sequence that is not above `wanted` and whose place is known. */
static uint64_t nearest(const struct log *log, uint64_t wanted, struct log_place *place) {
    size_t row = row_of(log, wanted);
    *place = log->map.rows[row];
    uint64_t start = wanted & ~(LOG_MAP_ENTRIES - 1);
    return start < log->map.base.size ? log->map.base.size : start;
}

enum status log_cursor_seek(struct log_cursor *cursor, uint64_t sequence) {
    const struct log *log = cursor->log;
    if (sequence > log->durable || sequence < log_first(log)) return STATUS_RANGE;
    if (sequence == log->tree.size) { /* nothing is there yet: where the next will be */
        log_cursor_place(cursor, sequence, log->segments[log->segment_count - 1].number,
                         log->written_end + buffer_size(&log->buffer));
        return STATUS_OK;
    }
    struct log_place place;
    uint64_t at = nearest(log, sequence, &place);
    log_cursor_place(cursor, at, place.segment, place.offset);
    while (at < sequence) {
        struct frame frame;
        enum status status = log_cursor_next(cursor, &frame);
        if (status) return status == STATUS_END ? STATUS_IO : status;
        at++;
    }
    return STATUS_OK;
}

enum status log_range_at(struct log *log, uint64_t size, struct rfc6962_range *range) {
    if (size == log->tree.size) {
        *range = log->tree;
        return STATUS_OK;
    }
    if (size > log->durable || size < log_first(log)) return STATUS_RANGE;
    *range = log->map.base;
    uint64_t whole = size & ~(LOG_MAP_ENTRIES - 1);
    if (whole > range->size) {
        range->size &= ~(LOG_MAP_ENTRIES - 1);
        for (size_t row = 0; range->size < whole; row++)
            rfc6962_append_perfect(range, LOG_MAP_LEVEL, log->map.rows[row].root);
    }
    struct log_cursor cursor;
    log_cursor_begin(&cursor, log);
    enum status status =
        size > range->size ? log_cursor_seek(&cursor, range->size) : STATUS_OK;
    while (!status && range->size < size) {
        struct frame frame;
        status = log_cursor_next(&cursor, &frame);
        if (!status) rfc6962_append(range, frame.leaf);
    }
    log_cursor_end(&cursor);
    return status == STATUS_END ? STATUS_IO : status;
}
