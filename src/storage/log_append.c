/* Appending: frames into the buffer, disk space for them, the buffer into the file.
 *
 * Log before apply: once log_append() has said yes, the entry must reach the file
 * whatever the disk's free space is. So a frame waits in the buffer only inside space
 * that was reserved for it, where a write cannot fail for want of space; a write that
 * fails there is the end. Without a reservation the frame is written before the call
 * returns, and if the disk is full the file is cut back to where it was, and the cut
 * synced, so that no crash brings the frame back. */
#include "base/check.h"
#include "storage/log_internal.h"

#define RESERVE_LEAST ((uint64_t)256 * 1024)
#define BUFFER_WRITE  ((size_t)4 * 1024 * 1024) /* write when the buffer would pass this \
                                                 */
#define BUFFER_KEEP ((size_t)1024 * 1024)       /* memory kept between bursts */

enum status log_fail(struct log *log) {
    if (!log->failed) log->error = log->os->error(log->os);
    log->failed = true;
    return STATUS_IO;
}

enum status log_write(struct log *log) {
    if (log->failed) return STATUS_IO;
    size_t size = buffer_size(&log->buffer);
    if (size == 0) return STATUS_OK;
    struct slice bytes = buffer_slice(&log->buffer);
    const struct os *os = log->os;
    if (os->file_write(os, log->file, log->written_end, bytes.data, size))
        return log_fail(log);
    log->written_end += size;
    log_last_segment(log)->size = log_last_segment(log)->end = log->written_end;
    log->written = log->tree.size;
    buffer_clear(&log->buffer);
    buffer_shrink(&log->buffer, BUFFER_KEEP);
    return STATUS_OK;
}

/* --- Space ------------------------------------------------------------------------- */

/* Reserve space up to `end` at least, and as far ahead as the disk allows. */
static bool reserve(struct log *log, uint64_t end) {
    const struct os *os = log->os;
    if (log->reserve_unsupported) return false;
    uint64_t needed = end > log->reserved_end ? end - log->reserved_end : 0;
    uint64_t least = needed > RESERVE_LEAST ? needed : RESERVE_LEAST;
    uint64_t size = log->options.reserve_size;
    if (size < least) size = least;
    for (;;) {
        enum status status = os->file_reserve(os, log->file, log->reserved_end, size);
        if (status == STATUS_OK) {
            log->reserved_end += size;
            return true;
        }
        if (status != STATUS_NO_SPACE) {
            log->reserve_unsupported = true;
            return false;
        }
        if (size == least) break;
        size = size / 2 > least ? size / 2 : least;
    }
    log->reserve_again = end + RESERVE_LEAST; /* asking costs; not for each frame */
    return false;
}

bool log_reserve_space(struct log *log, uint64_t end) {
    if (end <= log->reserved_end) return true;
    return end >= log->reserve_again && reserve(log, end);
}

bool log_has_space(struct log *log) {
    check(log->phase == LOG_STARTED);
    if (!log->full || log->failed) return !log->failed;
    log->full = !log->reserve_unsupported && !reserve(log, log->written_end);
    return !log->full;
}

enum status log_give_space_back(struct log *log) {
    if (log->reserved_end <= log->written_end) return STATUS_OK;
    const struct os *os = log->os;
    if (os->file_truncate(os, log->file, log->written_end)) return log_fail(log);
    log->reserved_end = log->written_end;
    return STATUS_OK;
}

enum status log_take_back(struct log *log) {
    const struct os *os = log->os;
    buffer_clear(&log->buffer);
#ifndef BUG_13
    if (os->file_truncate(os, log->file, log->written_end)) return log_fail(log);
#endif
    if (os->file_sync(os, log->file)) return log_fail(log);
    log->reserved_end = log->written_end; /* cut off with the rest */
    log->full = true;
    return STATUS_NO_SPACE;
}

static enum status write_unreserved(struct log *log) {
    struct slice bytes = buffer_slice(&log->buffer);
    const struct os *os = log->os;
    enum status status =
        os->file_write(os, log->file, log->written_end, bytes.data, bytes.size);
    if (status == STATUS_NO_SPACE) return log_take_back(log);
    if (status) return log_fail(log);
    log->written_end += bytes.size;
    log_last_segment(log)->size = log_last_segment(log)->end = log->written_end;
    buffer_clear(&log->buffer);
    return STATUS_OK;
}

/* --- Frames ------------------------------------------------------------------------ */

/* Say where in the log the frame stands, and how large it is. */
static bool place_frame(const struct log *log, struct frame_header *header,
                        uint64_t *size) {
    header->sequence = log->tree.size;
    header->durable = log->durable;
#ifdef BUG_11
    header->durable = log->durable + 1;
#endif
    return frame_size(header, size) && *size <= SIZE_MAX / 2;
}

enum status log_append_frame(struct log *log, struct frame_header *header,
                             const struct log_entry *entry) {
    check(log->phase == LOG_STARTED);
    if (log->failed) return STATUS_IO;
    if (log->full) return STATUS_NO_SPACE;
    check(log->long_append.phase == LONG_NONE);
    uint64_t size;
    if (!place_frame(log, header, &size)) return STATUS_TOO_LARGE;

    if (buffer_size(&log->buffer) + size > BUFFER_WRITE) {
        enum status status = log_write(log);
        if (status) return status;
    }
    uint64_t end = log->written_end + buffer_size(&log->buffer) + size;
    bool reserved = log_reserve_space(log, end);
    if (!reserved) {
        enum status status = log_write(log); /* what waits lies inside its reservation */
        if (status) return status;
    }
    uint8_t *room;
    enum status status = buffer_reserve(&log->buffer, (size_t)size, &room);
    if (status) return STATUS_MEMORY;
    frame_encode(log_last_segment(log)->header.key, header, entry, room);
    buffer_commit(&log->buffer, (size_t)size);
    return reserved ? STATUS_OK : write_unreserved(log);
}

enum status log_frame_header(const struct log *log, const struct log_entry *entry,
                             struct frame_header *header, uint64_t *size) {
    check(entry->head.size + entry->body.size <= FRAME_ENTRY_MAX);
    if (entry->list.size > UINT32_MAX) return STATUS_TOO_LARGE;
    *header = (struct frame_header){
        .kind = FRAME_ENTRY,
        .type = entry->type,
        .entry_size = (uint32_t)(entry->head.size + entry->body.size),
        .list_size = (uint32_t)entry->list.size,
        .payload_size = entry->payload.size,
    };
    return place_frame(log, header, size) ? STATUS_OK : STATUS_TOO_LARGE;
}

enum status log_append(struct log *log, const struct log_entry *entry,
                       uint8_t leaf[SHA256_SIZE]) {
    struct frame_header header;
    uint64_t size;
    enum status status = log_frame_header(log, entry, &header, &size);
    if (!status) status = nodes_reserve(&log->nodes, log->allocator, &log->tree);
    if (!status) status = log_append_frame(log, &header, entry);
    if (status) return status;
    rfc6962_leaf(entry->head, entry->body, leaf);
    nodes_append(&log->nodes, &log->tree, leaf);
    if (buffer_size(&log->buffer) == 0) log->written = log->tree.size;
    return STATUS_OK;
}

enum status log_flush(struct log *log) {
    check(log->phase == LOG_STARTED);
    enum status status = log_write(log);
    return status ? status : log_roll_if_due(log);
}
