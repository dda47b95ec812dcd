/* Replay: the frames that the scan found to stand, once more, into the log tree.
 *
 * The checks of header, entry and list are made again, since memory may have been short
 * and the bytes may come from the disk a second time. The payload's check is not: it was
 * right in the scan, and whoever interprets a payload holds it against the hash in the
 * entry. Beside a scan nothing is read a second time: the scan's own bytes come here. */
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

static enum status take_frame(struct log *log, const struct frame *frame,
                              struct log_report *report) {
    if (frame->sequence < log->tree.size) return STATUS_OK; /* known by the snapshot */
    if (nodes_reserve(&log->nodes, log->allocator, &log->tree))
        return log_say_failed(log, report, STATUS_MEMORY, "the tree of", "the log");
    nodes_append(&log->nodes, &log->tree, frame->leaf);
    enum status status = log_require_cover(log, report);
    return status ? status : require_slot_roots(log, report);
}

static enum status enter_segment(struct log *log, struct log_report *report) {
    const struct segment *segment = &log->segments[log->reading];
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    struct file_facts facts;
    enum status status = reader_open(&log->reader, log->directory, name, &facts);
    if (status) return log_say_failed(log, report, status, "opening", name);
    log->offset = SEGMENT_HEADER_SIZE;
    if (segment->header.base < log->tree.size) return STATUS_OK;
    return require_root(log, segment->header.root, name, report);
}

/* The next frame of the open segment, mark or entry. It was valid in the scan. */
static enum status read_again(struct log *log, struct frame_header *header,
                              const uint8_t **bytes, struct log_report *report) {
    const struct segment *segment = &log->segments[log->reading];
    enum status status = log->reader.size < segment->end ? STATUS_END : STATUS_OK;
    if (!status)
        status = log_frame_at(&log->reader, segment->header.key, log->offset, false,
                              header, bytes);
    if (!status) return STATUS_OK;
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    if (status == STATUS_IO || status == STATUS_MEMORY)
        return log_say_failed(log, report, status, "reading", name);
    log_say(report, "FATAL io: %s read differently a second time at offset %" PRIu64,
            name, log->offset);
    return STATUS_IO;
}

enum status log_next(struct log *log, struct frame *frame, struct log_report *report) {
    check(log->phase == LOG_SCANNED && !log->following);
    while (log->reading < log->segment_count) {
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
        if (entry)
            log_describe_frame(segment->number, log->offset, &header, bytes, frame);
        log->offset += size;
        if (!entry) continue;
        return take_frame(log, frame, report);
    }
    log->written = log->durable = log->tree.size;
    log->phase = LOG_REPLAYED;
    return STATUS_END;
}

/* --- Beside a scan ------------------------------------------------------------------ */

void log_follow(struct log *log) {
    check(log->phase == LOG_OPENED && log->options.read_only);
    log->following = true;
    log->phase = LOG_SCANNED;
}

/* Come to segment `number`, or to the last one: what each header says of the log before
 * it must be so. */
static enum status follow_to_segment(struct log *log, uint64_t number,
                                     struct log_report *report) {
    while (log->reading < log->segment_count) {
        const struct segment *segment = &log->segments[log->reading];
        if (log->offset == 0 && segment->whole &&
            segment->header.base >= log->tree.size) {
            char name[SEGMENT_NAME_SIZE];
            segment_name(segment->number, name);
            enum status status = require_root(log, segment->header.root, name, report);
            if (status) return status;
        }
        log->offset = SEGMENT_HEADER_SIZE;
        if (segment->number >= number) break;
        log->reading++;
        log->offset = 0;
    }
    return STATUS_OK;
}

enum status log_follow_frame(struct log *log, const struct frame *frame,
                             struct log_report *report) {
    check(log->following && log->phase == LOG_SCANNED);
    enum status status = follow_to_segment(log, frame->segment, report);
    return status ? status : take_frame(log, frame, report);
}

enum status log_follow_end(struct log *log, const struct log *scanned,
                           struct log_report *report) {
    check(log->following && scanned->phase == LOG_SCANNED);
    check(log->segment_count == scanned->segment_count);
    for (size_t i = 0; i < log->segment_count; i++) {
        const struct segment *own = &log->segments[i], *other = &scanned->segments[i];
        bool same = own->whole == other->whole &&
                    (!own->whole || memcmp(own->header.key, other->header.key,
                                           sizeof own->header.key) == 0);
        if (same) continue;
        char name[SEGMENT_NAME_SIZE];
        segment_name(own->number, name);
        log_say(report, "FATAL io: the header of %s read differently a second time",
                name);
        return STATUS_IO;
    }
    return STATUS_OK;
}

enum status log_take_replay(struct log *scanned, struct log *follower,
                            struct log_report *report) {
    check(scanned->phase == LOG_SCANNED && follower->following);
    enum status status = follow_to_segment(follower, UINT64_MAX, report);
    if (status) return status;
    scanned->tree = follower->tree;
    scanned->written = scanned->durable = follower->tree.size;
    struct log_nodes nodes = scanned->nodes;
    scanned->nodes = follower->nodes;
    follower->nodes = nodes;
    scanned->phase = LOG_REPLAYED;
    return STATUS_OK;
}
