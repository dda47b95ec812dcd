/* Replay: the frames that the scan found to stand, once more, into the log tree.
 *
 * The checks of header, entry and list are made again, since memory may have been short
 * and the bytes may come from the disk a second time. The payload's check is not: it was
 * right in the scan, and whoever interprets a payload holds it against the hash in the
 * entry. */
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "storage/log_internal.h"

/* A root that somebody wrote down must be that of what was read. Otherwise each file is
 * sound and yet they do not belong together. */
static enum status require_root(const struct log *log, const uint8_t root[SHA256_SIZE],
                                const char *name, struct log_report *report) {
    uint8_t own[SHA256_SIZE];
    rfc6962_root(&log->tree, own);
    if (memcmp(own, root, SHA256_SIZE) == 0) return STATUS_OK;
    log_say(
        report,
        "FATAL foreign: the log root after %" PRIu64
        " entries is not the one in %s: it is from another history; nothing was modified",
        log->tree.size, name);
    return STATUS_FOREIGN;
}

static enum status require_slot_roots(const struct log *log, struct log_report *report) {
    for (size_t i = 0; i < HEAD_SLOTS; i++) {
        if (!log->slot_valid[i] || log->slots[i].durable != log->tree.size) continue;
        enum status status = require_root(log, log->slots[i].root, HEAD_NAME, report);
        if (status) return status;
    }
    return STATUS_OK;
}

static enum status enter_segment(struct log *log, struct log_report *report) {
    const struct segment *segment = &log->segments[log->reading];
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    struct file_facts facts;
    enum status status = reader_open(&log->reader, log->directory, name, &facts);
    if (status) return log_say_failed(log, report, status, "opening", name);
    log->offset = SEGMENT_HEADER_SIZE;
    return require_root(log, segment->header.root, name, report);
}

/* The next frame of the open segment, mark or entry. It was valid in the scan. */
static enum status read_again(struct log *log, struct frame_header *header,
                              const uint8_t **bytes, struct log_report *report) {
    const struct segment *segment = &log->segments[log->reading];
    enum status status = log->reader.size < segment->end ? STATUS_END : STATUS_OK;
    if (!status)
        status =
            log_frame_at(log, segment->header.key, log->offset, false, header, bytes);
    if (!status) return STATUS_OK;
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    if (status == STATUS_IO || status == STATUS_MEMORY)
        return log_say_failed(log, report, status, "reading", name);
    log_say(report, "FATAL io: %s read differently a second time at offset %" PRIu64,
            name, log->offset);
    return STATUS_IO;
}

static void hand_out(struct log *log, const struct frame_header *header,
                     const uint8_t *bytes, struct frame *frame) {
    *frame = (struct frame){
        .type = header->type,
        .sequence = header->sequence,
        .entry = frame_entry(header, bytes),
        .list = frame_list(header, bytes),
        .payload = frame_payload(header, bytes),
        .erased = (header->flags & FRAME_ERASED) != 0,
        .segment = log->segments[log->reading].number,
        .offset = log->offset,
    };
    rfc6962_leaf(frame->entry, slice_of(NULL, 0), frame->leaf);
    rfc6962_append(&log->tree, frame->leaf);
}

enum status log_next(struct log *log, struct frame *frame, struct log_report *report) {
    check(log->phase == LOG_SCANNED);
    while (log->reading < log->segment_count) {
        if (log->following && log->tree.size >= log->follow_limit) return STATUS_AGAIN;
        const struct segment *segment = &log->segments[log->reading];
        if (!log->reader.file && segment->whole) {
            enum status status = enter_segment(log, report);
            if (status) return status;
        }
        if (!segment->whole || log->offset == segment->end) {
            reader_close(&log->reader);
            log->reading++;
            continue;
        }
        struct frame_header header;
        const uint8_t *bytes;
        enum status status = read_again(log, &header, &bytes, report);
        if (status) return status;
        uint64_t size;
        check(frame_size(&header, &size));
        bool entry = header.kind == FRAME_ENTRY;
        if (entry) hand_out(log, &header, bytes, frame);
        log->offset += size;
        if (!entry) continue;
        return require_slot_roots(log, report);
    }
    if (log->following) return STATUS_AGAIN; /* The end is the scan's to say. */
    log->phase = LOG_REPLAYED;
    return STATUS_END;
}

/* --- Beside a scan ------------------------------------------------------------------ */

void log_follow(struct log *log) {
    check(log->phase == LOG_OPENED && log->options.read_only);
    /* Where the last valid frame ends is the scan's to say. Until then a segment goes on to
     * the end of its file: that is right for every one but the last, and the limit keeps us
     * from the end of that. */
    for (size_t i = 0; i < log->segment_count; i++)
        log->segments[i].end = log->segments[i].size;
    log->following = true;
    log->phase = LOG_SCANNED;
}

void log_follow_to(struct log *log, uint64_t entries) {
    check(log->following && entries >= log->follow_limit);
    log->follow_limit = entries;
}

enum status log_follow_end(struct log *log, const struct log *scanned,
                           struct log_report *report) {
    check(log->following && scanned->phase == LOG_SCANNED);
    check(log->segment_count == scanned->segment_count);
    for (size_t i = 0; i < log->segment_count; i++) {
        struct segment *own = &log->segments[i];
        const struct segment *other = &scanned->segments[i];
        bool same = own->whole == other->whole &&
                    (!own->whole || memcmp(own->header.key, other->header.key,
                                           sizeof own->header.key) == 0);
        if (!same) {
            char name[SEGMENT_NAME_SIZE];
            segment_name(own->number, name);
            log_say(report, "FATAL io: the header of %s read differently a second time",
                    name);
            return STATUS_IO;
        }
        own->end = other->end;
    }
    log->following = false;
    return STATUS_OK;
}

void log_take_replay(struct log *scanned, const struct log *follower) {
    check(scanned->phase == LOG_SCANNED && follower->phase == LOG_REPLAYED);
    scanned->tree = follower->tree;
    scanned->phase = LOG_REPLAYED;
}

size_t log_peek(const struct log *log, struct slice *entries, size_t capacity) {
    if (!log->reader.file || log->reading >= log->segment_count) return 0;
    const struct segment *segment = &log->segments[log->reading];
    uint64_t offset = log->offset;
    size_t count = 0;
    while (count < capacity && offset < segment->end) {
        const uint8_t *bytes;
        struct frame_header header;
        uint64_t size;
        if (!reader_peek(&log->reader, offset, FRAME_HEADER_SIZE, &bytes) ||
            frame_header_decode(segment->header.key, bytes, &header) ||
            !frame_size(&header, &size) || size > segment->end - offset ||
            !reader_peek(&log->reader, offset, (size_t)size, &bytes))
            break;
        if (header.kind == FRAME_ENTRY) entries[count++] = frame_entry(&header, bytes);
        offset += size;
    }
    return count;
}
