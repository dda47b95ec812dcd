#include "engine/restore.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/entry.h"
#include "storage/frame.h"
#include "storage/segment.h"
#include "storage/snapshot_read.h"

#define LOCK_NAME     "valori.lock"
#define SNAPSHOT_TEMP "valori-restore.snap.tmp"
#define PIECE         ((size_t)1 << 20)
#define PATH_MAX_SIZE 1024

struct restoring {
    const struct os *os;
    const struct allocator *allocator;
    const struct restore_options *options;
    struct restore_report *report;
    struct directory *to;
    struct snapshot_facts facts;
    uint8_t *piece;
    /* The segments to have: numbers first to last, the last one cut at `end`. */
    uint64_t first, last, end;
};

static enum status say(struct restoring *r, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum status say(struct restoring *r, enum status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->report->message, sizeof r->report->message, format, arguments);
    va_end(arguments);
    return status;
}

static enum status say_io(struct restoring *r, enum status status, const char *what,
                          const char *name) {
    const char *reason = status == STATUS_MEMORY ? "no memory" : r->os->error_text(r->os);
    return say(r, status, "%s %s: %s", what, name, reason);
}

/* --- The directory --------------------------------------------------------------------
 */

/* Names with .tmp are what an interrupted restore has left. */
static bool is_data(void *context, const char *name) {
    bool *found = context;
    size_t size = strlen(name);
    bool temporary = size > 4 && strcmp(name + size - 4, ".tmp") == 0;
    *found = !temporary && strcmp(name, LOCK_NAME) != 0;
    return !*found;
}

static enum status open_target(struct restoring *r) {
    const char *path = r->options->directory;
    bool found = false;
    enum status status = r->os->directory_open(r->os, path, &r->to);
    if (status) return say_io(r, status, "cannot open directory", path);
    status = r->os->directory_list(r->os, r->to, is_data, &found);
    if (status) return say_io(r, status, "cannot list directory", path);
    if (found)
        return say(r, STATUS_EXISTS,
                   "directory %s is not empty: a restore makes a new one, and never "
                   "touches what is there",
                   path);
    status = r->os->directory_lock(r->os, r->to, LOCK_NAME);
    if (status == STATUS_LOCKED)
        return say(r, status, "directory %s is in use by another valori-server", path);
    return status ? say_io(r, status, "cannot lock directory", path) : STATUS_OK;
}

/* --- Copying --------------------------------------------------------------------------
 */

static enum status create(struct restoring *r, const char *name, struct file **file) {
    const struct os *os = r->os;
    enum status status = os->file_open(os, r->to, name, FILE_CREATE, file);
    if (status != STATUS_EXISTS) return status;
    status = os->remove(os, r->to, name);
    return status ? status : os->file_open(os, r->to, name, FILE_CREATE, file);
}

/* Copy the first `limit` bytes of the open file into the new file `name`, and sync it. */
static enum status copy_bytes(struct restoring *r, struct file *from, uint64_t limit,
                              const char *name) {
    const struct os *os = r->os;
    struct file *copy;
    enum status status = create(r, name, &copy);
    if (status) return status;
    for (uint64_t offset = 0; !status && offset < limit;) {
        uint64_t left = limit - offset;
        size_t got = 0, wanted = left < PIECE ? (size_t)left : PIECE;
        status = os->file_read(os, from, offset, r->piece, wanted, &got);
        if (!status) status = os->file_write(os, copy, offset, r->piece, got);
        offset += got;
        if (got < wanted) break;
    }
    uint64_t resident;
    if (!status) status = os->file_sync(os, copy);
    if (!status) status = os->file_drop_cache(os, copy, &resident);
    os->file_close(os, copy);
    return status;
}

static enum status copy_file(struct restoring *r, struct directory *directory,
                             const char *name, uint64_t limit, const char *copy) {
    const struct os *os = r->os;
    struct file *file;
    enum status status = os->file_open(os, directory, name, FILE_READ, &file);
    if (status) return say_io(r, status, "cannot open", name);
    status = copy_bytes(r, file, limit, copy);
    os->file_close(os, file);
    return status ? say_io(r, status, "copying", name) : STATUS_OK;
}

/* --- The snapshot ---------------------------------------------------------------------
 */

static enum status open_parent(struct restoring *r, const char *path,
                               struct directory **directory, const char **name) {
    char parent[PATH_MAX_SIZE];
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    *name = slash ? slash + 1 : path;
    if (size >= sizeof parent) return say(r, STATUS_INVALID, "the path is too long");
    memcpy(parent, path, size);
    parent[size] = '\0';
    const char *opened = !slash ? "." : size == 0 ? "/" : parent;
    enum status status = r->os->directory_open(r->os, opened, directory);
    return status ? say_io(r, status, "cannot open directory", opened) : STATUS_OK;
}

/* Every byte of the copy is read back and checked. */
static enum status check_snapshot(struct restoring *r) {
    struct snapshot_reader reader;
    enum status status =
        snapshot_open_file(&reader, r->os, r->allocator, r->to, SNAPSHOT_TEMP);
    if (status)
        return say(r, status, "%s is no whole snapshot: %s", r->options->snapshot,
                   reader.message);
    for (uint64_t i = 0; !status && i < reader.trailer.pieces; i++) {
        size_t size;
        status = snapshot_read_piece(&reader, i, r->piece, &size);
    }
    r->facts = reader.facts;
    if (status) say(r, status, "%s: %s", r->options->snapshot, reader.message);
    snapshot_close(&reader);
    return status;
}

static enum status take_snapshot(struct restoring *r) {
    struct directory *directory;
    const char *name;
    enum status status = open_parent(r, r->options->snapshot, &directory, &name);
    if (status) return status;
    status = copy_file(r, directory, name, UINT64_MAX, SNAPSHOT_TEMP);
    r->os->directory_close(r->os, directory);
    if (!status) status = check_snapshot(r);
    r->report->covered = r->report->entries = r->facts.cover.range.size;
    return status;
}

/* --- A log that begins where the snapshot ends ----------------------------------------
 */

static void temporary_name(uint64_t number, char name[SEGMENT_NAME_SIZE + 8]) {
    char plain[SEGMENT_NAME_SIZE];
    segment_name(number, plain);
    snprintf(name, SEGMENT_NAME_SIZE + 8, "%s.tmp", plain);
}

static enum status make_segment(struct restoring *r) {
    const struct os *os = r->os;
    struct segment_header header = {
        .number = 2, /* 1 is the one that begins with the first entry */
        .base = r->facts.cover.range.size,
        .created_us = os->wall_us(os),
    };
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    char name[SEGMENT_NAME_SIZE + 8];
    struct file *file;
    memcpy(header.log_id, r->facts.cover.log_id, LOG_ID_SIZE);
    rfc6962_root(&r->facts.cover.range, header.root);
    os->random(os, header.key, sizeof header.key);
    segment_header_encode(&header, bytes);
    temporary_name(header.number, name);
    r->first = r->last = header.number;
    enum status status = create(r, name, &file);
    if (status) return say_io(r, status, "creating", name);
    status = os->file_write(os, file, 0, bytes, sizeof bytes);
    if (!status) status = os->file_sync(os, file);
    os->file_close(os, file);
    return status ? say_io(r, status, "writing", name) : STATUS_OK;
}

/* --- Segments that go on behind it ----------------------------------------------------
 */

/* Is the entry behind the place that was asked for? */
static enum status is_behind(const struct restoring *r, const struct frame *frame,
                             bool *behind) {
    const struct restore_options *options = r->options;
    *behind = options->to_sequence && frame->sequence > options->to;
    if (!options->to_time || frame->sequence < r->facts.cover.range.size)
        return STATUS_OK;
    struct entry entry;
    enum status status = entry_decode(frame->entry, &entry);
    if (!status) *behind = entry.time_us > options->to;
    return status;
}

static uint64_t end_of(const struct frame *frame) {
    struct frame_header header = {.entry_size = (uint32_t)frame->entry.size,
                                  .list_size = (uint32_t)frame->list.size,
                                  .payload_size = frame->payload.size};
    uint64_t size = 0;
    (void)frame_size(&header, &size);
    return frame->offset + size;
}

/* Walk the entries up to the place. */
static enum status find_end(struct restoring *r, struct log *log,
                            struct log_report *report) {
    enum status status;
    do status = log_scan(log, UINT64_MAX, report);
    while (status == STATUS_AGAIN);
    if (status) return say(r, status, "%s", report->message);
    struct frame frame;
    bool behind = false;
    while (!behind && !(status = log_next(log, &frame, report))) {
        if (is_behind(r, &frame, &behind)) return say(r, STATUS_CORRUPT, "bad entry");
        if (behind) break;
        if (r->first == 0) r->first = frame.segment;
        r->last = frame.segment;
        r->end = end_of(&frame);
        r->report->entries = frame.sequence + 1;
    }
    if (status && status != STATUS_END) return say(r, status, "%s", report->message);
    if (r->first > 0) return STATUS_OK;
    r->report->entries = r->report->covered; /* nothing comes after the snapshot */
    return make_segment(r);
}

static enum status copy_segments(struct restoring *r, struct directory *from) {
    for (uint64_t number = r->first; number <= r->last; number++) {
        char name[SEGMENT_NAME_SIZE], copy[SEGMENT_NAME_SIZE + 8];
        segment_name(number, name);
        temporary_name(number, copy);
        uint64_t limit = number == r->last ? r->end : UINT64_MAX;
        enum status status = copy_file(r, from, name, limit, copy);
        if (status) return status;
        r->report->segments++;
    }
    return STATUS_OK;
}

static enum status check_place(struct restoring *r) {
    const struct restore_options *options = r->options;
    uint64_t covered = r->report->covered, entries = r->report->entries;
    if (entries < covered)
        return say(
            r, STATUS_RANGE,
            "the snapshot covers %" PRIu64
            " entries, which is more than what is to be restored: take an older one",
            covered);
    if (options->to_sequence && options->to >= entries)
        return say(r, STATUS_RANGE,
                   "the log ends before sequence %" PRIu64 ": it has %" PRIu64 " entries",
                   options->to, entries);
    if (options->to_time && r->facts.time_us > options->to)
        return say(r, STATUS_RANGE,
                   "the snapshot's last entry is later than that: take an older one");
    return STATUS_OK;
}

static enum status take_segments(struct restoring *r) {
    struct directory *from;
    struct log *log;
    struct log_report report;
    struct log_options log_options = {.segment_size = UINT64_MAX, .read_only = true};
    const char *path = r->options->log;
    if (strcmp(path, r->options->directory) == 0)
        return say(r, STATUS_INVALID, "log and directory are the same");
    enum status status = r->os->directory_open(r->os, path, &from);
    if (status) return say_io(r, status, "cannot open directory", path);
    status = log_open(r->os, r->allocator, from, &log_options, &log, &report);
    if (status) say(r, status, "%s", report.message);
    if (!status) {
        status = log_begin_at(log, &r->facts.cover, &report);
        if (status) say(r, status, "%s", report.message);
        r->report->entries = 0;
        if (!status) status = find_end(r, log, &report);
        log_close(log);
    }
    if (!status) status = check_place(r);
    if (!status && r->end > 0) status = copy_segments(r, from);
    r->os->directory_close(r->os, from);
    return status;
}

/* --- Names ----------------------------------------------------------------------------
 */

static enum status give_names(struct restoring *r) {
    const struct os *os = r->os;
    char name[SNAPSHOT_NAME_SIZE], copy[SEGMENT_NAME_SIZE + 8];
    enum status status = STATUS_OK;
    for (uint64_t number = r->first; number <= r->last && !status; number++) {
        segment_name(number, name);
        temporary_name(number, copy);
        status = os->rename(os, r->to, copy, name);
    }
    if (!status) status = os->directory_sync(os, r->to);
    snapshot_name(r->report->covered, name);
    if (!status) status = os->rename(os, r->to, SNAPSHOT_TEMP, name);
    if (!status) status = os->directory_sync(os, r->to);
    return status ? say_io(r, status, "renaming", name) : STATUS_OK;
}

enum status restore(const struct os *os, const struct allocator *allocator,
                    const struct restore_options *options,
                    struct restore_report *report) {
    *report = (struct restore_report){.message = ""};
    struct restoring r = {
        .os = os, .allocator = allocator, .options = options, .report = report};
    r.piece = allocate(allocator, PIECE);
    enum status status = r.piece ? open_target(&r) : say(&r, STATUS_MEMORY, "no memory");
    if (!status) status = take_snapshot(&r);
    if (!status) status = options->log ? take_segments(&r) : make_segment(&r);
    if (!status) status = give_names(&r);
    if (r.to) os->directory_close(os, r.to);
    release(allocator, r.piece, PIECE);
    return status;
}
