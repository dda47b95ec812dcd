/* From reading to writing: cut the torn tail, begin a segment.
 *
 * Nothing is ever appended to a segment that held frames when we came: what a crash left
 * behind its end is not known. The order makes every crash in here harmless. The tail is
 * copied and the copy synced before it is touched; its first header is wiped and synced
 * before the tail is cut; the cut is synced before the next segment is created; the
 * segment's header and name are synced before its first frame. The wiping looks idle and
 * is not: a crash in the middle of a cut may leave zeros at the old length, and a torn
 * frame that ends in zeros would be whole. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "storage/log_internal.h"

#define COPY_PIECE   ((size_t)256 * 1024)
#define BUFFER_LIMIT ((size_t)1 << 40)

/* --- The tail ---------------------------------------------------------------------- */

/* Open `name` for writing, empty, whether it exists or not. */
static enum status create_or_empty(struct log *log, const char *name,
                                   struct file **file) {
    const struct os *os = log->os;
    enum status status = os->file_open(os, log->directory, name, FILE_CREATE, file);
    if (status != STATUS_EXISTS) return status;
    status = os->file_open(os, log->directory, name, FILE_WRITE, file);
    if (status) return status;
    status = os->file_truncate(os, *file, 0);
    if (status) os->file_close(os, *file);
    return status;
}

static enum status copy_tail(struct log *log, uint64_t from, struct file *copy) {
    for (uint64_t offset = from; offset < log->reader.size;) {
        uint64_t left = log->reader.size - offset;
        size_t size = left < COPY_PIECE ? (size_t)left : COPY_PIECE;
        const uint8_t *bytes;
        enum status status = reader_bytes(&log->reader, offset, size, &bytes);
        if (!status)
            status = log->os->file_write(log->os, copy, offset - from, bytes, size);
        if (status) return status;
        offset += size;
    }
    return STATUS_OK;
}

/* Copy what lies behind the last valid frame into the ".torn" file, for people to look
 * at. */
static enum status keep_tail(struct log *log, const struct segment *segment) {
    const struct os *os = log->os;
    char name[SEGMENT_NAME_SIZE], torn_name[SEGMENT_NAME_SIZE + 8];
    segment_name(segment->number, name);
    snprintf(torn_name, sizeof torn_name, "%s.torn", name);

    struct file_facts facts;
    struct file *copy = NULL;
    enum status status = reader_open(&log->reader, log->directory, name, &facts);
    if (!status) status = create_or_empty(log, torn_name, &copy);
    if (!status) {
        status = copy_tail(log, segment->end, copy);
        if (!status) status = os->file_sync(os, copy);
        os->file_close(os, copy);
    }
    reader_close(&log->reader);
    return status ? status : os->directory_sync(os, log->directory);
}

/* See to it that no frame can begin where the cut will be. */
static enum status wipe(struct log *log, const struct segment *segment,
                        struct file *file) {
    static const uint8_t zeros[FRAME_HEADER_SIZE];
    uint64_t tail = segment->size - segment->end;
    size_t size = tail < sizeof zeros ? (size_t)tail : sizeof zeros;
    enum status status = log->os->file_write(log->os, file, segment->end, zeros, size);
    return status ? status : log->os->file_sync(log->os, file);
}

static enum status cut(struct log *log, struct segment *segment) {
    const struct os *os = log->os;
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    struct file *file;
    enum status status = os->file_open(os, log->directory, name, FILE_WRITE, &file);
    if (status) return status;
#ifndef BUG_10
    if (log->torn) status = wipe(log, segment, file);
    if (!status) status = os->file_truncate(os, file, segment->end);
#endif
    if (!status) status = os->file_sync(os, file);
    os->file_close(os, file);
    if (!status) segment->size = segment->end;
    return status;
}

/* --- The next segment -------------------------------------------------------------- */

static enum status write_header(struct log *log, struct file *file,
                                const struct segment_header *header) {
    const struct os *os = log->os;
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    segment_header_encode(header, bytes);
    enum status status = os->file_write(os, file, 0, bytes, sizeof bytes);
    if (!status) status = os->file_sync(os, file);
#ifndef BUG_9
    if (!status) status = os->directory_sync(os, log->directory);
#endif
    return status;
}

static void make_header(const struct log *log, uint64_t number,
                        struct segment_header *header) {
    const struct os *os = log->os;
    *header = (struct segment_header){
        .number = number,
        .base = log->tree.size,
        .created_us = os->wall_us(os),
    };
    rfc6962_root(&log->tree, header->root);
    os->random(os, header->key, sizeof header->key);
    if (number == 1) os->random(os, header->log_id, sizeof header->log_id);
    else memcpy(header->log_id, log_id(log), LOG_ID_SIZE);
}

static void enter_segment(struct log *log, struct file *file) {
    if (log->file) log->os->file_close(log->os, log->file);
    log->file = file;
    struct segment *segment = log_last_segment(log);
    segment->size = segment->end = SEGMENT_HEADER_SIZE;
    log->written_end = log->durable_end = SEGMENT_HEADER_SIZE;
    log->reserved_end = SEGMENT_HEADER_SIZE;
    log->reserve_again = 0;
    log->roll_again = 0;
    log->roll_synced = log->roll_wanted = false;
    /* The header's base says what a mark would say. */
    log->marked = segment->header.base;
}

enum status log_begin_segment(struct log *log, uint64_t number) {
    const struct os *os = log->os;
    struct segment segment = {.number = number, .whole = true};
    make_header(log, number, &segment.header);
    /* A torn creation takes its own place. */
    bool again = log->segment_count > 0 && log_last_segment(log)->number == number;
    if (!again) {
        enum status status = log_add_segment(log, &segment);
        if (status) return status;
    }
    char name[SEGMENT_NAME_SIZE];
    segment_name(number, name);
    struct file *file;
    enum status status = create_or_empty(log, name, &file);
    if (!status) {
        status = write_header(log, file, &segment.header);
        if (!status) {
            *log_last_segment(log) = segment;
            enter_segment(log, file);
            return STATUS_OK;
        }
        os->file_close(os, file);
    }
    if (!again) log->segment_count--;
    if (status != STATUS_NO_SPACE) return status;
    /* Half a creation must be gone for good before anything else is written: a header
     * that came through after all would deny the frames that now go elsewhere. */
    enum status gone = os->remove(os, log->directory, name);
    if (gone == STATUS_NOT_FOUND) gone = STATUS_OK;
    if (!gone) gone = os->directory_sync(os, log->directory);
    return gone ? STATUS_IO : STATUS_NO_SPACE;
}

/* A segment in which nothing was ever written is used again, so that starting many times
 * does not pile up files. */
static enum status reuse_segment(struct log *log) {
    const struct os *os = log->os;
    char name[SEGMENT_NAME_SIZE];
    segment_name(log_last_segment(log)->number, name);
    struct file *file;
    enum status status = os->file_open(os, log->directory, name, FILE_WRITE, &file);
    if (!status) enter_segment(log, file);
    return status;
}

static enum status settle_segments(struct log *log) {
    if (log->segment_count == 0) return log_begin_segment(log, 1);
    struct segment *last = log_last_segment(log);
    struct segment *tail = last;
    if (!last->whole && log->segment_count > 1) tail = last - 1;
    bool fresh = tail->whole && tail == last && tail->size == SEGMENT_HEADER_SIZE;
    if (fresh) return reuse_segment(log);

    if (tail->whole && tail->size > tail->end) {
        enum status status = log->torn ? keep_tail(log, tail) : STATUS_OK;
        if (!status) status = cut(log, tail);
        if (status) return status;
    }
    return log_begin_segment(log, last->whole ? last->number + 1 : last->number);
}

/* --- The head file ----------------------------------------------------------------- */

/* Made at full length, so that a slot never needs new space. Its name is synced here: a
 * head file that is lost with its name is evidence lost. */
static enum status open_head(struct log *log) {
    const struct os *os = log->os;
    enum status status =
        os->file_open(os, log->directory, HEAD_NAME, FILE_WRITE, &log->head_file);
    if (status != STATUS_NOT_FOUND) return status;
    status = os->file_open(os, log->directory, HEAD_NAME, FILE_CREATE, &log->head_file);
    if (status) return status;
    static const uint8_t zeros[HEAD_SLOTS * HEAD_SLOT_SIZE];
    status = os->file_write(os, log->head_file, 0, zeros, sizeof zeros);
    if (!status) status = os->file_sync(os, log->head_file);
    if (!status) status = os->directory_sync(os, log->directory);
    return status;
}

enum status log_adopt(struct log *log, const uint8_t id[LOG_ID_SIZE]) {
    check(log->phase == LOG_STARTED);
    if (log->failed) return STATUS_IO;
    if (log->tree.size > 0 || log->segment_count > 1) return STATUS_INVALID;
    if (memcmp(log_id(log), id, LOG_ID_SIZE) == 0) return STATUS_OK;
    struct segment_header *header = &log_last_segment(log)->header;
    memcpy(header->log_id, id, LOG_ID_SIZE);
    return write_header(log, log->file, header) ? log_fail(log) : STATUS_OK;
}

enum status log_start(struct log *log, struct log_report *report) {
    check(log->phase == LOG_REPLAYED);
    if (log->options.read_only) return STATUS_INVALID;
    reader_free(&log->reader);
    enum status status = open_head(log);
    if (status) return log_say_failed(log, report, status, "opening", HEAD_NAME);

    bool cut_bytes = log->torn_bytes > 0 && log->torn;
    uint64_t tail_number = log->segment_count > 0 ? log_last_segment(log)->number : 0;
    if (tail_number > 1 && !log_last_segment(log)->whole) tail_number--;
    status = settle_segments(log);
    reader_free(&log->reader);
    if (status) return log_say_failed(log, report, status, "beginning", "a segment");

    if (cut_bytes) {
        char name[SEGMENT_NAME_SIZE];
        segment_name(tail_number, name);
        log_say(report,
                "%" PRIu64 " entries stand; a torn tail of %" PRIu64
                " bytes, never acknowledged, was cut from %s and kept in %s.torn",
                log->tree.size, log->torn_bytes, name, name);
    }
    buffer_init(&log->buffer, log->allocator, BUFFER_LIMIT);
    log->written = log->durable = log->tree.size;
    log->phase = LOG_STARTED;
    return STATUS_OK;
}
