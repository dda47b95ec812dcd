/* Setting entries aside, and going back to where they were not.
 *
 * What is set aside is a file of its own in the format of a segment (docs/format.md, 12).
 * Going back removes from the end, each step on the disk before the next: first the head
 * file and the snapshots, which say how much there was, then segments. So a crash anywhere
 * leaves a whole log that is merely longer. */
#include <string.h>

#include "base/check.h"
#include "storage/cursor.h"
#include "storage/log_internal.h"
#include "storage/log_tree.h"
#include "storage/snapshot.h"
#include "storage/tree_file.h"


struct extraction {
    struct log *log;
    struct file *file;
    struct segment_header header;
    struct buffer frame;
    uint64_t end;
};

static enum status write_part(struct extraction *out, const void *bytes, size_t size) {
    const struct os *os = out->log->os;
    enum status status = os->file_write(os, out->file, out->end, bytes, size);
    out->end += size;
    return status;
}

static enum status begin_extraction(struct extraction *out, uint64_t first) {
    struct rfc6962_range range;
    enum status status = log_range_at(out->log, first, &range);
    if (status) return status;
    out->header = (struct segment_header){
        .number = 1, .base = first, .created_us = out->log->os->wall_us(out->log->os)};
    memcpy(out->header.log_id, log_id(out->log), LOG_ID_SIZE);
    rfc6962_root(&range, out->header.root);
    out->log->os->random(out->log->os, out->header.key, sizeof out->header.key);
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    segment_header_encode(&out->header, bytes);
    return write_part(out, bytes, sizeof bytes);
}

static enum status extract_frame(struct extraction *out, const struct frame *frame) {
    struct frame_header header = {.kind = FRAME_ENTRY,
                                  .type = frame->type,
                                  .sequence = frame->sequence,
                                  .durable = out->header.base,
                                  .entry_size = (uint32_t)frame->entry.size,
                                  .list_size = (uint32_t)frame->list.size,
                                  .payload_size = frame->payload.size};
    struct log_entry entry = {.type = frame->type,
                              .head = frame->entry,
                              .list = frame->list,
                              .payload = frame->payload};
    uint64_t size;
    uint8_t *room;
    check(frame_size(&header, &size));
    buffer_clear(&out->frame);
    enum status status = buffer_reserve(&out->frame, (size_t)size, &room);
    if (status) return status;
    frame_encode(out->header.key, &header, &entry, room);
    return write_part(out, room, (size_t)size);
}

static enum status extract_frames(struct extraction *out, uint64_t first) {
    struct log_cursor cursor;
    struct frame frame;
    log_cursor_begin(&cursor, out->log);
    cursor.written = true;
    enum status status = log_cursor_seek(&cursor, first);
    while (!status && !(status = log_cursor_next(&cursor, &frame)))
        status = extract_frame(out, &frame);
    log_cursor_end(&cursor);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status log_extract(struct log *log, uint64_t first, const char *name) {
    check(log->phase == LOG_STARTED && first <= log->tree.size);
    struct extraction out = {.log = log};
    const struct os *os = log->os;
    enum status status = log_write(log);
    if (!status) status = os->file_open(os, log->directory, name, FILE_CREATE, &out.file);
    if (status) return status;
    buffer_init(&out.frame, log->allocator, SIZE_MAX / 2);
    status = begin_extraction(&out, first);
    if (!status) status = extract_frames(&out, first);
    if (!status) status = os->file_sync(os, out.file);
    buffer_free(&out.frame);
    os->file_close(os, out.file);
    if (!status) status = os->directory_sync(os, log->directory);
    return status;
}

/* --- Going back ---------------------------------------------------------------------- */

static enum status remove_name(struct log *log, const char *name) {
    enum status status = log->os->remove(log->os, log->directory, name);
    if (status == STATUS_NOT_FOUND) status = STATUS_OK;
    return status ? status : log->os->directory_sync(log->os, log->directory);
}

/* Where the entry `size` begins: everything behind it goes. */
static enum status find_cut(struct log *log, uint64_t size, uint64_t *segment,
                            uint64_t *offset) {
    struct log_cursor cursor;
    log_cursor_begin(&cursor, log);
    enum status status = log_cursor_seek(&cursor, size);
    *segment = cursor.segment;
    *offset = cursor.offset;
    log_cursor_end(&cursor);
    return status;
}

/* No frame may begin at the cut, even if its header comes back after a crash. */
static enum status shorten(struct log *log, uint64_t number, uint64_t end) {
    static const uint8_t zeros[FRAME_HEADER_SIZE];
    const struct os *os = log->os;
    char name[SEGMENT_NAME_SIZE];
    struct file *file;
    segment_name(number, name);
    enum status status = os->file_open(os, log->directory, name, FILE_WRITE, &file);
    if (status) return status;
    status = os->file_write(os, file, end, zeros, sizeof zeros);
    if (!status) status = os->file_sync(os, file);
    if (!status) status = os->file_truncate(os, file, end);
    if (!status) status = os->file_sync(os, file);
    os->file_close(os, file);
    return status;
}

enum status log_may_cut(struct log *log, uint64_t size) {
    uint64_t entries[SNAPSHOTS_MAX];
    size_t count;
    bool whole = log->segment_count > 0 && log->segments[0].number == 1;
    if (whole) return STATUS_OK;
    enum status status = snapshot_list(log->os, log->directory, entries, &count);
    for (size_t i = 0; !status && i < count; i++)
        if (entries[i] <= size && entries[i] >= log_first(log)) return STATUS_OK;
    return status ? status : STATUS_RANGE;
}

static enum status remove_snapshots(struct log *log, uint64_t beyond) {
    uint64_t entries[SNAPSHOTS_MAX];
    size_t count;
    enum status status = snapshot_list(log->os, log->directory, entries, &count);
    for (size_t i = 0; !status && i < count; i++) {
        char name[SNAPSHOT_NAME_SIZE];
        if (entries[i] <= beyond) continue;
        snapshot_name(entries[i], name);
        status = remove_name(log, name);
    }
    return status;
}

/* The leaves of a segment that is cut are other ones soon. */
static enum status remove_tree(struct log *log, uint64_t number) {
    char name[40];
    tree_name(number, name);
    return remove_name(log, name);
}

enum status log_cut(struct log *log, uint64_t size) {
    uint64_t target, end;
    check(log->phase == LOG_STARTED && log->durable == log->tree.size);
    enum status status = find_cut(log, size, &target, &end);
    if (!status) status = remove_name(log, HEAD_NAME);
    if (!status) status = remove_snapshots(log, size);
    for (size_t i = log->segment_count; !status && i > 0; i--) {
        char name[SEGMENT_NAME_SIZE];
        if (log->segments[i - 1].number < target) break;
        status = remove_tree(log, log->segments[i - 1].number);
        if (status || log->segments[i - 1].number == target) break;
        segment_name(log->segments[i - 1].number, name);
        status = remove_name(log, name);
    }
    if (!status) status = shorten(log, target, end);
    return status ? log_fail(log) : STATUS_OK;
}

static enum status rename_aside(struct log *log, const char *prefix, const char *name) {
    const struct os *os = log->os;
    char aside[128];
    size_t size = strlen(prefix), rest = strlen(name) + 1;
    check(size + rest <= sizeof aside);
    memcpy(aside, prefix, size);
    memcpy(aside + size, name, rest);
    enum status status = os->rename(os, log->directory, name, aside);
    if (status == STATUS_NOT_FOUND) status = STATUS_OK;
    return status ? status : os->directory_sync(os, log->directory);
}

static enum status snapshots_aside(struct log *log, const char *prefix) {
    uint64_t entries[SNAPSHOTS_MAX];
    size_t count;
    enum status status = snapshot_list(log->os, log->directory, entries, &count);
    for (size_t i = 0; !status && i < count; i++) {
        char name[SNAPSHOT_NAME_SIZE];
        snapshot_name(entries[i], name);
        status = rename_aside(log, prefix, name);
    }
    return status;
}

enum status log_set_aside(struct log *log, const char *prefix) {
    enum status status = rename_aside(log, prefix, HEAD_NAME);
    if (!status) status = snapshots_aside(log, prefix);
    uint64_t last = log->segment_count ? log_last_segment(log)->number : 0;
    for (uint64_t number = last; !status && number > 0; number--) {
        char name[SEGMENT_NAME_SIZE], tree[40]; /* trees outlive their segments */
        segment_name(number, name);
        tree_name(number, tree);
        status = rename_aside(log, prefix, tree);
        if (!status) status = rename_aside(log, prefix, name);
    }
    return status ? log_fail(log) : STATUS_OK;
}
