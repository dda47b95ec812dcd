/* Long frames: checked in steps, written by the helper.
 *
 * The frame of a large batch may have a gigabyte. Its checks are made a piece at a time
 * over the bytes where they lie, then the helper writes header and parts behind what the
 * file holds. Until that has ended well nothing counts it: a crash leaves a torn tail, a
 * full disk is answered by cutting the file, and what is applied is applied later. Nothing
 * is synced or written meanwhile, since the helper has one thing to do at a time; and the
 * segment stays, since its key is in the checks. */
#include "base/check.h"
#include "storage/log_internal.h"

#define LONG_FRAME ((uint64_t)1024 * 1024)
#define CHECK_STEP ((size_t)512 * 1024)

enum status log_append_long(struct log *log, const struct log_entry *entry,
                            uint8_t leaf[SHA256_SIZE]) {
    struct long_append *append = &log->long_append;
    struct frame_header header;
    check(append->phase == LONG_NONE && log->phase == LOG_STARTED);
    enum status status = log_frame_header(log, entry, &header, &append->size);
    uint64_t least = log->options.long_frame ? log->options.long_frame : LONG_FRAME;
    if (status || append->size < least) return log_append(log, entry, leaf);
    if (log->failed) return STATUS_IO;
    if (log->full) return STATUS_NO_SPACE;
    if (nodes_reserve(&log->nodes, log->allocator, &log->tree)) return STATUS_MEMORY;
    frame_long_begin(&append->frame, log_last_segment(log)->header.key, &header, entry);
    append->phase = LONG_CHECK;
    return STATUS_AGAIN;
}

void log_long_written(struct log *log, enum status outcome, int error) {
    check(log->long_append.phase == LONG_WRITE);
    log->long_append.phase = LONG_WRITTEN;
    log->long_append.outcome = outcome;
    log->long_append.error = error;
}

/* Give the helper the frame, as soon as it has nothing else to do. */
static enum status start_writing(struct log *log) {
    struct long_append *append = &log->long_append;
    enum status status = log_sync_poll(log, false);
    if (!status) status = log_write(log); /* what waits stands before it */
    if (status) return status;
    append->reserved = log_reserve_space(log, log->written_end + append->size);
    struct slice parts[FRAME_LONG_PARTS];
    frame_long_parts(&append->frame, parts);
    if (log->os->write_start(log->os, log->file, log->written_end, parts,
                             FRAME_LONG_PARTS))
        return log_fail(log);
    log->sync = LOG_SYNC_WRITE;
    append->phase = LONG_WRITE;
    return STATUS_AGAIN;
}

/* The frame lies in the file: it counts. */
static void take_up(struct log *log, uint8_t leaf[SHA256_SIZE]) {
    const struct log_entry *entry = &log->long_append.frame.entry;
    log->written_end += log->long_append.size;
    log_last_segment(log)->size = log_last_segment(log)->end = log->written_end;
    rfc6962_leaf(entry->head, entry->body, leaf);
    nodes_append(&log->nodes, &log->tree, leaf);
    log->written = log->tree.size;
}

static enum status finish(struct log *log, uint8_t leaf[SHA256_SIZE]) {
    const struct long_append *append = &log->long_append;
    if (append->outcome == STATUS_NO_SPACE && !append->reserved)
        return log_take_back(log);
    if (append->outcome) {
        log->failed = true;
        log->error = append->error;
        return STATUS_IO;
    }
    take_up(log, leaf);
    return STATUS_OK;
}

static enum status step(struct log *log, uint8_t leaf[SHA256_SIZE]) {
    struct long_append *append = &log->long_append;
    enum status status;
    switch (append->phase) {
    case LONG_CHECK:
        if (frame_long_step(&append->frame, CHECK_STEP)) append->phase = LONG_READY;
        return STATUS_AGAIN;
    case LONG_READY:
        return start_writing(log);
    case LONG_WRITE:
        status = log_sync_poll(log, false);
        return status ? status : STATUS_AGAIN;
    case LONG_WRITTEN:
        return finish(log, leaf);
    case LONG_NONE:
        break;
    }
    check(false);
    return STATUS_INVALID;
}

enum status log_append_step(struct log *log, uint8_t leaf[SHA256_SIZE]) {
    enum status status = log->failed ? STATUS_IO : step(log, leaf);
    if (status != STATUS_AGAIN) log->long_append.phase = LONG_NONE;
    return status;
}

bool log_append_waits(const struct log *log) {
    bool ready = log->long_append.phase == LONG_READY;
    return (ready || log->long_append.phase == LONG_WRITE) && log->sync != LOG_SYNC_NONE;
}
