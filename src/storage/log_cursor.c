/* Reading entries while others are appended.
 *
 * What is durable lies in the files and does not change any more, so a cursor reads it
 * there; of the newest segment only what a sync has covered. Every check is made again: a
 * bit that has turned over on the disk must not leave this machine. */
#include "base/check.h"
#include "storage/cursor.h"
#include "storage/log_internal.h"

void log_cursor_begin(struct log_cursor *cursor, struct log *log) {
    *cursor = (struct log_cursor){.log = log};
    reader_init(&cursor->reader, log->os, log->allocator);
}

void log_cursor_end(struct log_cursor *cursor) { reader_free(&cursor->reader); }

void log_cursor_place(struct log_cursor *cursor, uint64_t sequence, uint64_t segment,
                      uint64_t offset) {
    if (cursor->segment != segment) reader_close(&cursor->reader);
    cursor->sequence = sequence;
    cursor->segment = segment;
    cursor->offset = offset;
}

static const struct segment *find_segment(const struct log *log, uint64_t number) {
    for (size_t i = log->segment_count; i > 0; i--)
        if (log->segments[i - 1].number == number) return &log->segments[i - 1];
    return NULL;
}

/* Bytes of the segment that may be read. */
static uint64_t readable(const struct log *log, const struct segment *segment) {
    bool last = segment == &log->segments[log->segment_count - 1];
    return last ? log->durable_end : segment->end;
}

static enum status open_segment(struct log_cursor *cursor,
                                const struct segment *segment) {
    char name[SEGMENT_NAME_SIZE];
    struct file_facts facts;
    segment_name(segment->number, name);
    return reader_open(&cursor->reader, cursor->log->directory, name, &facts);
}

enum status log_cursor_next(struct log_cursor *cursor, struct frame *frame) {
    const struct log *log = cursor->log;
    check(log->phase == LOG_STARTED);
    while (cursor->sequence < log->durable) {
        const struct segment *segment = find_segment(log, cursor->segment);
        if (!segment) return STATUS_NOT_FOUND;
        uint64_t end = readable(log, segment);
        if (cursor->offset == end && segment != &log->segments[log->segment_count - 1]) {
            log_cursor_place(cursor, cursor->sequence, cursor->segment + 1,
                             SEGMENT_HEADER_SIZE);
            continue;
        }
        enum status status =
            cursor->reader.file ? STATUS_OK : open_segment(cursor, segment);
        if (status) return status;
        struct frame_header header;
        const uint8_t *bytes;
        uint64_t size, offset = cursor->offset;
        cursor->reader.size = end;
        status = log_frame_at(&cursor->reader, segment->header.key, offset, true, &header,
                              &bytes);
        if (status == STATUS_END) return STATUS_CORRUPT;
        if (status) return status;
        check(frame_size(&header, &size));
        cursor->offset += size;
        if (header.kind != FRAME_ENTRY) continue;
        if (header.sequence != cursor->sequence) return STATUS_CORRUPT;
        cursor->sequence++;
        log_describe_frame(segment->number, offset, &header, bytes, frame);
        return STATUS_OK;
    }
    return STATUS_END;
}
