/* Opening a log: what the directory holds, before a single frame is read.
 *
 * Here are decided the questions that names, file facts and headers answer alone: is it
 * safe to trust these files, are they one log, is none missing or doubled, do we know
 * their format. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/sort.h"
#include "storage/log_internal.h"
#include "storage/snapshot.h"

static const char *const own_names[] = {HEAD_NAME, "valori.lock", "valori.key",
                                        "valori.pub", "valori.signed"};

enum status log_add_segment(struct log *log, const struct segment *segment) {
    if (log->segment_count == log->segment_capacity) {
        size_t capacity = log->segment_capacity ? 2 * log->segment_capacity : 8;
        size_t old_size = log->segment_capacity * sizeof *log->segments;
        void *segments =
            log->allocator->resize(log->allocator->context, log->segments, old_size,
                                   capacity * sizeof *log->segments);
        if (!segments) return STATUS_MEMORY;
        log->segments = segments;
        log->segment_capacity = capacity;
    }
    log->segments[log->segment_count++] = *segment;
    return STATUS_OK;
}

/* --- The names --------------------------------------------------------------------- */

struct listing {
    struct log *log;
    struct log_report *report;
    enum status status;
};

static bool visit_name(void *context, const char *name) {
    struct listing *listing = context;
    uint64_t number;
    if (segment_name_parse(name, &number)) {
        if (number == 0) {
            log_say(
                listing->report,
                "FATAL foreign: %s is named like a segment, but not as valori writes it; "
                "nothing was modified",
                name);
            listing->status = STATUS_FOREIGN;
        } else {
            struct segment segment = {.number = number, .end = SEGMENT_HEADER_SIZE};
            listing->status = log_add_segment(listing->log, &segment);
        }
        return listing->status == STATUS_OK;
    }
    if (tree_name_parse(name, &number) && number > 0) {
        struct tree_header tree = {.number = number};
        listing->status = log_add_tree(listing->log, &tree);
        return listing->status == STATUS_OK;
    }
    bool own = snapshot_name_parse(name, &number);
    for (size_t i = 0; i < sizeof own_names / sizeof own_names[0]; i++)
        own = own || strcmp(name, own_names[i]) == 0;
    if (strcmp(name, HEAD_NAME) == 0) listing->log->head_present = true;
    if (!own) listing->report->ignored_files++;
    return true;
}

static int by_number(void *context, const void *left, const void *right) {
    (void)context;
    const struct segment *a = left, *b = right;
    return (a->number > b->number) - (a->number < b->number);
}

static enum status list_names(struct log *log, struct log_report *report) {
    struct listing listing = {.log = log, .report = report};
    enum status status =
        log->os->directory_list(log->os, log->directory, visit_name, &listing);
    if (status) return log_say_failed(log, report, status, "listing", "the directory");
    if (listing.status == STATUS_MEMORY)
        return log_say_failed(log, report, STATUS_MEMORY, "the list of", "segments");
    if (listing.status) return listing.status;
    if (log->segment_count > 1)
        sort(log->segments, log->segment_count, sizeof *log->segments, by_number, NULL);
    log_sort_trees(log);
    return STATUS_OK;
}

/* --- One file ---------------------------------------------------------------------- */

enum status log_require_safe(const struct file_facts *facts, const char *name,
                             struct log_report *report) {
    const char *reason = file_unsafe(facts);
    if (!reason) return STATUS_OK;
    log_say(report, "FATAL unsafe: %s %s; nothing was modified", name, reason);
    return STATUS_UNSAFE;
}

static enum status open_safely(struct log *log, const char *name,
                               struct log_report *report) {
    struct file_facts facts;
    enum status status = reader_open(&log->reader, log->directory, name, &facts);
    if (status) return log_say_failed(log, report, status, "opening", name);
    return log_require_safe(&facts, name, report);
}

static enum status load_slots(struct log *log, struct log_report *report) {
    for (size_t i = 0; i < HEAD_SLOTS; i++) {
        const uint8_t *bytes;
        if (log->reader.size < (i + 1) * HEAD_SLOT_SIZE) break;
        enum status status =
            reader_bytes(&log->reader, i * HEAD_SLOT_SIZE, HEAD_SLOT_SIZE, &bytes);
        if (status) return log_say_failed(log, report, status, "reading", HEAD_NAME);
        status = head_slot_decode(bytes, &log->slots[i]);
        if (status == STATUS_VERSION) {
            log_say(report,
                    "FATAL version: %s is of a newer format; nothing was modified",
                    HEAD_NAME);
            return status;
        }
        log->slot_valid[i] = status == STATUS_OK;
    }
    return STATUS_OK;
}

static enum status look_at_head(struct log *log, struct log_report *report) {
    if (!log->head_present) return STATUS_OK;
    enum status status = open_safely(log, HEAD_NAME, report);
    if (!status && !log->options.read_only) {
        /* The slots on the disk count, not those that a failed sync left in the cache. */
        uint64_t resident;
        status = log->os->file_sync(log->os, log->reader.file);
        if (!status)
            status = log->os->file_drop_cache(log->os, log->reader.file, &resident);
        if (status) log_say_failed(log, report, status, "syncing", HEAD_NAME);
    }
    if (!status) status = load_slots(log, report);
    reader_close(&log->reader);
    return status;
}

enum status log_load_header(struct log *log, size_t index, struct log_report *report) {
    struct segment *segment = &log->segments[index];
    segment->size = log->reader.size;
    segment->whole = false;
    if (segment->size < SEGMENT_HEADER_SIZE) return STATUS_OK;

    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    const uint8_t *bytes;
    enum status status = reader_bytes(&log->reader, 0, SEGMENT_HEADER_SIZE, &bytes);
    if (status) return log_say_failed(log, report, status, "reading", name);
    status = segment_header_decode(bytes, &segment->header);
    if (status == STATUS_VERSION) {
        log_say(report, "FATAL version: %s is of a newer format; nothing was modified",
                name);
        return status;
    }
    segment->whole = status == STATUS_OK;
    return STATUS_OK;
}

static enum status look_at_segment(struct log *log, size_t index,
                                   struct log_report *report) {
    char name[SEGMENT_NAME_SIZE];
    segment_name(log->segments[index].number, name);
    enum status status = open_safely(log, name, report);
    if (!status) status = log_load_header(log, index, report);
    reader_close(&log->reader);
    return status;
}

/* --- All of them together ---------------------------------------------------------- */

/* Numbers run without a gap, and each file says the number that its name says. Where they
 * do not begin at 1, log_require_beginning() has a word to say later. */
static enum status require_row(const struct log *log, struct log_report *report) {
    for (size_t i = 0; i < log->segment_count; i++) {
        const struct segment *segment = &log->segments[i];
        char name[SEGMENT_NAME_SIZE];
#ifndef BUG_14
        uint64_t due = log->segments[0].number + i;
        if (segment->number != due) {
            segment_name(due, name);
            log_say(report, "FATAL foreign: %s is missing; nothing was modified", name);
            return STATUS_FOREIGN;
        }
        if (segment->whole && segment->header.number != segment->number) {
            segment_name(segment->number, name);
            log_say(report,
                    "FATAL foreign: %s holds segment %" PRIu64
                    " by its header: files were swapped or copied; nothing was modified",
                    name, segment->header.number);
            return STATUS_FOREIGN;
        }
#endif
        if (!segment->whole && i + 1 < log->segment_count) {
            uint64_t base = i > 0 ? log->segments[i - 1].header.base : 0;
            return log_say_damage(log, report, i, 0, base,
                                  "its header is damaged, and a later segment exists");
        }
    }
    return STATUS_OK;
}

static enum status require_one_log(const struct log *log, struct log_report *report) {
    const uint8_t *id = log->segments[0].header.log_id;
    for (size_t i = 1; i < log->segment_count; i++) {
        const struct segment *segment = &log->segments[i];
        if (!segment->whole || memcmp(segment->header.log_id, id, LOG_ID_SIZE) == 0)
            continue;
        char name[SEGMENT_NAME_SIZE];
        segment_name(segment->number, name);
        log_say(report, "FATAL foreign: %s belongs to another log; nothing was modified",
                name);
        return STATUS_FOREIGN;
    }
    for (size_t i = 0; i < HEAD_SLOTS && log->segments[0].whole; i++) {
        if (!log->slot_valid[i]) continue;
        if (memcmp(log->slots[i].log_id, id, LOG_ID_SIZE) == 0) continue;
        log_say(report, "FATAL foreign: %s belongs to another log; nothing was modified",
                HEAD_NAME);
        return STATUS_FOREIGN;
    }
    return STATUS_OK;
}

static enum status look(struct log *log, struct log_report *report) {
    enum status status = list_names(log, report);
    if (!status) status = look_at_head(log, report);
    for (size_t i = 0; i < log->segment_count && !status; i++)
        status = look_at_segment(log, i, report);
    if (!status) status = log_look_at_trees(log, report);
    if (status) return status;

    report->segments = log->segment_count;
    if (log->segment_count == 0) {
        if (!log->slot_valid[0] && !log->slot_valid[1]) return STATUS_OK;
        log_say(report,
                "FATAL foreign: %s tells of a log, but no segment is there; "
                "nothing was modified",
                HEAD_NAME);
        return STATUS_FOREIGN;
    }
    status = require_row(log, report);
    return status ? status : require_one_log(log, report);
}

enum status log_open(const struct os *os, const struct allocator *allocator,
                     struct directory *directory, const struct log_options *options,
                     struct log **result, struct log_report *report) {
    *result = NULL;
    memset(report, 0, sizeof *report);
    struct log *log = allocate(allocator, sizeof *log);
    if (!log) {
        log_say(report, "FATAL memory: no memory for the log");
        return STATUS_MEMORY;
    }
    memset(log, 0, sizeof *log);
    log->os = os;
    log->allocator = allocator;
    log->directory = directory;
    log->options = *options;
    reader_init(&log->reader, os, allocator);
    rfc6962_begin(&log->tree);
    nodes_begin(&log->nodes, &log->tree);
    log_cursor_begin(&log->tree_cursor, log);
    log->tree_cursor.written = log->tree_cursor.entries_only = true;

    enum status status = look(log, report);
    if (status) {
        log_close(log);
        return status;
    }
    *result = log;
    return STATUS_OK;
}

void log_close(struct log *log) {
    if (!log) return;
    if (log->sync != LOG_SYNC_NONE) {
        enum status outcome;
        int error;
        log->os->sync_finish(log->os, true, &outcome, &error);
    }
    reader_free(&log->reader);
    log_cursor_end(&log->tree_cursor);
    nodes_free(&log->nodes, log->allocator);
    release(log->allocator, log->trees, log->tree_capacity * sizeof *log->trees);
    if (log->file) log->os->file_close(log->os, log->file);
    if (log->head_file) log->os->file_close(log->os, log->head_file);
    if (log->phase == LOG_STARTED) buffer_free(&log->buffer);
    release(log->allocator, log->segments, log->segment_capacity * sizeof *log->segments);
    release(log->allocator, log, sizeof *log);
}

/* --- Facts ------------------------------------------------------------------------- */

uint64_t log_bytes_total(const struct log *log) {
    uint64_t total = 0;
    for (size_t i = 0; i < log->segment_count; i++) total += log->segments[i].size;
    return total;
}

bool log_exists(const struct log *log) {
    return log->segment_count > 0 || log->head_present;
}

uint64_t log_last_of_type(const struct log *log, uint8_t type) {
    return log->last_found[type] ? log->last_of_type[type] : UINT64_MAX;
}

uint64_t log_size(const struct log *log) { return log->tree.size; }
uint64_t log_written(const struct log *log) { return log->written; }
uint64_t log_durable(const struct log *log) { return log->durable; }
bool log_sync_running(const struct log *log) { return log->sync != LOG_SYNC_NONE; }
uint64_t log_segment_count(const struct log *log) { return log->segment_count; }
int log_error(const struct log *log) { return log->error; }

void log_root(const struct log *log, uint8_t root[SHA256_SIZE]) {
    rfc6962_root(&log->tree, root);
}

void log_cover(const struct log *log, struct log_cover *cover) {
    memcpy(cover->log_id, log_id(log), LOG_ID_SIZE);
    cover->range = log->tree;
}

const struct rfc6962_range *log_range(const struct log *log) {
    return &log->tree;
}

const uint8_t *log_id(const struct log *log) {
    static const uint8_t none[LOG_ID_SIZE];
    return log->segment_count > 0 ? log->segments[0].header.log_id : none;
}

static uint64_t end_with_buffer(const struct log *log) {
    return log->written_end + buffer_size(&log->buffer);
}

uint64_t log_buffered_bytes(const struct log *log) { return buffer_size(&log->buffer); }

uint64_t log_unsynced_bytes(const struct log *log) {
    return log->phase == LOG_STARTED ? end_with_buffer(log) - log->durable_end : 0;
}

uint64_t log_disk_bytes(const struct log *log) {
    uint64_t total = log_bytes_total(log);
    if (log->phase != LOG_STARTED) return total;
    return total - log->segments[log->segment_count - 1].size + end_with_buffer(log);
}
