/* The scan: read every frame from the disk and decide what stands, changing nothing
 * (docs/format.md, 3.1).
 *
 * What a crashed process left in the cache is no proof that it is on the disk: after a
 * failed sync the kernel may show good pages that were never written. So each segment is
 * synced, its pages are dropped, and only then it is read.
 *
 * The one hard question is a bad frame at the place where sequence N was due. A crash
 * leaves such a place only behind the last sync, where nobody was told that N is safe. So
 * if anything proves that N was durable, it is damage and the scan refuses; if nothing
 * does, it is a torn tail. A frame proves it by its durable count, a segment by existing
 * (everything before it was synced first), a head slot by its durable count. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "storage/log_internal.h"

#define EVIDENCE_SIZE 128

enum status log_frame_at(struct reader *reader, const uint8_t key[SIPHASH_KEY_SIZE],
                         uint64_t offset, bool payload, struct frame_header *header,
                         const uint8_t **bytes) {
    uint64_t left = reader->size - offset;
    if (left < FRAME_HEADER_SIZE) return STATUS_END;
    enum status status = reader_bytes(reader, offset, FRAME_HEADER_SIZE, bytes);
    if (status) return status;
    status = frame_header_decode(key, *bytes, header);
    if (status) return status == STATUS_VERSION ? status : STATUS_END;

    uint64_t size;
    if (!frame_size(header, &size) || size > left) return STATUS_END;
    status = reader_bytes(reader, offset, (size_t)size, bytes);
    if (status) return status;
    if (!frame_body_valid(key, header, *bytes)) return STATUS_END;
    if (payload && !frame_payload_valid(key, header, *bytes)) return STATUS_END;
    return STATUS_OK;
}

void log_describe_frame(uint64_t segment, uint64_t offset,
                        const struct frame_header *header, const uint8_t *bytes,
                        struct frame *frame) {
    *frame = (struct frame){
        .type = header->type,
        .sequence = header->sequence,
        .entry = frame_entry(header, bytes),
        .list = frame_list(header, bytes),
        .payload = frame_payload(header, bytes),
        .erased = (header->flags & FRAME_ERASED) != 0,
        .segment = segment,
        .offset = offset,
    };
    rfc6962_leaf(frame->entry, slice_of(NULL, 0), frame->leaf);
}

void log_watch(struct log *log,
               enum status (*watch)(void *context, const struct frame *frame),
               void *context) {
    check(log->phase == LOG_OPENED);
    log->watch = watch;
    log->watch_context = context;
}

/* --- Evidence ---------------------------------------------------------------------- */

/* Look for a self-valid frame behind the bad place that knows `due` to be durable. */
static enum status search_frames(struct log *log, const uint8_t key[SIPHASH_KEY_SIZE],
                                 char evidence[EVIDENCE_SIZE]) {
    struct reader *reader = &log->reader;
    uint64_t offset = log->offset;
    for (; offset + FRAME_HEADER_SIZE <= reader->size; offset += FRAME_ALIGNMENT) {
        const uint8_t *bytes;
        enum status status = reader_bytes(reader, offset, FRAME_HEADER_SIZE, &bytes);
        if (status) return status;
        if (!frame_magic(bytes)) continue;
        struct frame_header header;
        status = log_frame_at(reader, key, offset, true, &header, &bytes);
        if (status == STATUS_IO || status == STATUS_MEMORY) return status;
        if (status || header.durable <= log->due) continue;
        snprintf(evidence, EVIDENCE_SIZE,
                 "a frame at offset %" PRIu64 " says that %" PRIu64
                 " entries were durable",
                 offset, header.durable);
        return STATUS_OK;
    }
    return STATUS_OK;
}

/* Head slots, and the snapshot. */
static void search_slots(const struct log *log, char evidence[EVIDENCE_SIZE]) {
    for (size_t i = 0; i < HEAD_SLOTS; i++)
        if (log->slot_valid[i] && log->slots[i].durable > log->due)
            snprintf(evidence, EVIDENCE_SIZE,
                     HEAD_NAME " says that %" PRIu64 " entries were durable",
                     log->slots[i].durable);
    if (log_covered(log) > log->due)
        snprintf(evidence, EVIDENCE_SIZE,
                 "a snapshot covers %" PRIu64 " entries, and they were durable",
                 log_covered(log));
}

static bool later_segment(const struct log *log, char evidence[EVIDENCE_SIZE]) {
    size_t next = log->reading + 1;
    if (next >= log->segment_count || !log->segments[next].whole) return false;
    char name[SEGMENT_NAME_SIZE];
    segment_name(log->segments[next].number, name);
    snprintf(evidence, EVIDENCE_SIZE, "%s begins at sequence %" PRIu64, name,
             log->segments[next].header.base);
    return true;
}

/* --- One segment ------------------------------------------------------------------- */

/* Does a head slot know a segment after the last one there is? */
static enum status refuse_lost_segments(const struct log *log,
                                        struct log_report *report) {
    uint64_t last = log->segments[log->segment_count - 1].number;
    for (size_t i = 0; i < HEAD_SLOTS; i++) {
        if (!log->slot_valid[i] || log->slots[i].segment <= last) continue;
        char name[SEGMENT_NAME_SIZE];
        segment_name(log->slots[i].segment, name);
        log_say(report,
                "FATAL foreign: " HEAD_NAME " knows %s, which is missing; "
                "nothing was modified",
                name);
        return STATUS_FOREIGN;
    }
    return STATUS_OK;
}

/* Does a head slot know more entries than there are? */
static enum status refuse_missing(struct log *log, struct log_report *report) {
    char evidence[EVIDENCE_SIZE] = "";
    if (log->due >= log_covered(log)) search_slots(log, evidence);
    if (!evidence[0]) return STATUS_OK;
    return log_say_damage(log, report, log->reading, log->offset, log->due, evidence);
}

/* Does the snapshot know more entries than there are? */
static enum status refuse_short(const struct log *log, struct log_report *report) {
    if (log->due >= log_covered(log)) return STATUS_OK;
    log_say(report,
            "FATAL foreign: the snapshot covers %" PRIu64
            " entries, but the log ends after %" PRIu64 "; nothing was modified",
            log_covered(log), log->due);
    return STATUS_FOREIGN;
}

/* Nothing more is valid from log->offset on, and that is not the end of the file. */
static enum status judge_bad_frame(struct log *log, struct log_report *report) {
    struct segment *segment = &log->segments[log->reading];
    char name[SEGMENT_NAME_SIZE], evidence[EVIDENCE_SIZE] = "";
    segment_name(segment->number, name);
    if (!later_segment(log, evidence)) {
        enum status status = search_frames(log, segment->header.key, evidence);
        if (status) return log_say_failed(log, report, status, "reading", name);
        if (!evidence[0]) search_slots(log, evidence);
    }
    if (evidence[0])
        return log_say_damage(log, report, log->reading, log->offset, log->due, evidence);

    bool zero;
    enum status status = reader_rest_is_zero(&log->reader, log->offset, &zero);
    if (status) return log_say_failed(log, report, status, "reading", name);
    log->torn = !zero;
    log->torn_bytes = report->torn_bytes = segment->size - segment->end;
    return STATUS_OK;
}

/* A bad header is the trace of a crash only where no frame can have been written yet. */
static enum status judge_bad_header(struct log *log, struct log_report *report) {
    struct segment *segment = &log->segments[log->reading];
    bool zero = true;
    if (segment->size > SEGMENT_HEADER_SIZE) {
        enum status status =
            reader_rest_is_zero(&log->reader, SEGMENT_HEADER_SIZE, &zero);
        char name[SEGMENT_NAME_SIZE];
        segment_name(segment->number, name);
        if (status) return log_say_failed(log, report, status, "reading", name);
    }
    bool newest = log->reading + 1 == log->segment_count;
    log->offset = 0;
    if (!newest || !zero)
        return log_say_damage(log, report, log->reading, 0, log->due,
                              "its header is damaged, and there is data after it");
    return refuse_missing(log, report);
}

static enum status judge_base(struct log *log, struct log_report *report) {
    const struct segment *segment = &log->segments[log->reading];
    uint64_t base = segment->header.base;
    if (base == log->due) return STATUS_OK;
    char name[SEGMENT_NAME_SIZE], evidence[EVIDENCE_SIZE];
    segment_name(segment->number, name);
    if (base > log->due && log->reading > 0) {
        snprintf(evidence, sizeof evidence, "%s begins at sequence %" PRIu64, name, base);
        size_t before = log->reading - 1;
        return log_say_damage(log, report, before, log->segments[before].end, log->due,
                              evidence);
    }
    log_say(report,
            "FATAL foreign: %s begins at sequence %" PRIu64 ", but %" PRIu64
            " is due there; nothing was modified",
            name, base, log->due);
    return STATUS_FOREIGN;
}

/* Open the segment so that what is read comes from the disk. */
static enum status enter_segment(struct log *log, struct log_report *report) {
    struct segment *segment = &log->segments[log->reading];
    const struct os *os = log->os;
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    struct file_facts facts;
    enum status status = reader_open(&log->reader, log->directory, name, &facts);
    if (status) return log_say_failed(log, report, status, "opening", name);
    if (!log->options.read_only) {
        uint64_t resident = 0;
        status = os->file_sync(os, log->reader.file);
        if (!status) status = os->file_drop_cache(os, log->reader.file, &resident);
        if (status) return log_say_failed(log, report, status, "syncing", name);
        report->cached_pages += resident;
    }
    status = log_load_header(log, log->reading, report);
    if (status) return status;
    if (!segment->whole) return judge_bad_header(log, report);
    log->offset = SEGMENT_HEADER_SIZE;
    segment->end = SEGMENT_HEADER_SIZE;
    return judge_base(log, report);
}

static void leave_segment(struct log *log, struct log_report *report) {
    report->bytes += log->segments[log->reading].end;
    reader_close(&log->reader);
    log->reading++;
}

/* The frame at log->offset is self-valid: is it the one that is due? */
static bool in_place(const struct log *log, const struct frame_header *header) {
#ifdef BUG_12
    return true;
#endif
    return header->sequence == log->due;
}

/* This release erases nothing and cannot tell what an erased payload should have been. */
static bool from_the_future(enum status status, const struct frame_header *header) {
    if (status == STATUS_OK) return (header->flags & FRAME_ERASED) != 0;
    return status == STATUS_VERSION;
}

/* Show the frame at log->offset, which stands, to whoever watches. */
static enum status show(const struct log *log, const struct frame_header *header,
                        const uint8_t *bytes) {
    if (!log->watch || header->kind != FRAME_ENTRY) return STATUS_OK;
    struct frame frame;
    log_describe_frame(log->segments[log->reading].number, log->offset, header, bytes,
                       &frame);
    return log->watch(log->watch_context, &frame);
}

static void take(struct log *log, const struct frame_header *header) {
    uint64_t size;
    check(frame_size(header, &size));
    log->offset += size;
    log->segments[log->reading].end = log->offset;
    if (header->kind == FRAME_MARK) return;
    log->last_found[header->type] = true;
    log->last_of_type[header->type] = log->due;
    log->due++;
}

/* The frame that is due could not be read, or is one that this release cannot use. */
static enum status refuse_frame(const struct log *log, enum status status,
                                const struct frame_header *header,
                                struct log_report *report) {
    char name[SEGMENT_NAME_SIZE];
    segment_name(log->segments[log->reading].number, name);
    if (!from_the_future(status, header))
        return log_say_failed(log, report, status, "reading", name);
    log_say(report,
            "FATAL version: the frame at %s:%" PRIu64
            " is of a newer format; nothing was modified",
            name, log->offset);
    return STATUS_VERSION;
}

/* Read frames until the segment ends (STATUS_OK), the budget is spent (STATUS_AGAIN) or
 * the log turns out to be one we must not use. */
static enum status scan_frames(struct log *log, uint64_t *budget,
                               struct log_report *report) {
    const struct segment *segment = &log->segments[log->reading];
    while (log->offset < log->reader.size) {
        if (*budget == 0) return STATUS_AGAIN;
        struct frame_header header;
        const uint8_t *bytes;
        uint64_t before = log->offset;
        enum status status =
            log_frame_at(&log->reader, segment->header.key, log->offset, true, &header,
                         &bytes);
        if (status == STATUS_END) return judge_bad_frame(log, report);
        if (status || (header.flags & FRAME_ERASED) != 0)
            return refuse_frame(log, status, &header, report);
        if (!in_place(log, &header)) return judge_bad_frame(log, report);
        status = show(log, &header, bytes);
        if (status == STATUS_AGAIN) return status;
        if (status) return refuse_frame(log, status, &header, report);
        take(log, &header);
        uint64_t read = log->offset - before;
        *budget -= read < *budget ? read : *budget;
    }
    return STATUS_OK;
}

/* --- All of them ------------------------------------------------------------------- */

static void describe(const struct log *log, struct log_report *report) {
    report->entries = log->due;
    int used =
        snprintf(report->message, sizeof report->message,
                 "read %" PRIu64 " entries in %" PRIu64 " segments, %" PRIu64 " bytes",
                 report->entries, report->segments, report->bytes);
    if (report->torn_bytes == 0 || used < 0) return;
    snprintf(report->message + used, sizeof report->message - (size_t)used,
             "; %" PRIu64 " bytes after sequence %" PRIu64
             " are %s, and nothing says that they were acknowledged",
             report->torn_bytes, log->due, log->torn ? "a torn tail" : "zeros");
}

static enum status finish(struct log *log, struct log_report *report) {
    /* The end may be clean and yet too early. */
    if (log->segment_count > 0) {
        log->reading = log->segment_count - 1;
        log->offset = log->segments[log->reading].end;
        enum status status = refuse_lost_segments(log, report);
        if (!status) status = refuse_missing(log, report);
        if (!status) status = refuse_short(log, report);
        if (status) return status;
    }
    describe(log, report);
    log->reading = log->reading_from;
    log->due = 0;
    log->phase = LOG_SCANNED;
    return STATUS_OK;
}

uint64_t log_bytes_scanned(const struct log *log) {
    if (log->phase != LOG_OPENED) return log_bytes_total(log);
    uint64_t before = 0;
    for (size_t i = 0; i < log->reading; i++) before += log->segments[i].size;
    return before + log->offset;
}

static enum status begin(struct log *log, struct log_report *report) {
    log->scanning = true;
    enum status status = log_require_beginning(log, report);
    if (status || log->options.read_only) return status;
    /* Names that a killed process made may be in the cache only, as bytes may. */
    status = log->os->directory_sync(log->os, log->directory);
    return status ? log_say_failed(log, report, status, "syncing", "the directory")
                  : STATUS_OK;
}

enum status log_scan(struct log *log, uint64_t budget, struct log_report *report) {
    check(log->phase == LOG_OPENED);
    enum status status = log->scanning ? STATUS_OK : begin(log, report);
    if (status) return status;
    while (log->reading < log->segment_count) {
        if (!log->reader.file) status = enter_segment(log, report);
        if (!status && log->segments[log->reading].whole)
            status = scan_frames(log, &budget, report);
        if (status) return status;
        leave_segment(log, report);
    }
    return finish(log, report);
}
