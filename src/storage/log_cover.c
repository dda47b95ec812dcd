/* Beginning in the middle: a snapshot holds the state after the first n entries, so that
 * the segments that end before n need not be read, and need not be there.
 *
 * Reading begins with the segment that holds entry n, earlier where a tree file is
 * missing, since the leaves before the place are then hashed from the entries. The log
 * tree begins with what the tree files say and must, at n, be the one that the snapshot
 * names: so snapshot, tree files and log prove each other. Only where tree files are
 * missing and their segments too, the tree begins with the snapshot's own range. */
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "storage/log_internal.h"

enum status log_require_beginning(const struct log *log, struct log_report *report) {
    if (log->covered || log->segment_count == 0) return STATUS_OK;
    if (log->segments[0].number == 1) return STATUS_OK;
    char name[SEGMENT_NAME_SIZE];
    segment_name(1, name);
    log_say(report,
            "FATAL foreign: %s is missing, and no snapshot covers it; "
            "nothing was modified",
            name);
    return STATUS_FOREIGN;
}

/* --- Does it fit? ------------------------------------------------------------------ */

static enum status require_fit(const struct log *log, const struct log_cover *cover,
                               struct log_report *report) {
    uint64_t size = cover->range.size;
    if (log->segment_count == 0 || !log->segments[0].whole) {
        log_say(report,
                "FATAL foreign: the snapshot covers %" PRIu64
                " entries, but no segment is there; nothing was modified",
                size);
        return STATUS_FOREIGN;
    }
    const struct segment_header *first = &log->segments[0].header;
    if (memcmp(first->log_id, cover->log_id, LOG_ID_SIZE) != 0) {
        log_say(report, "FATAL foreign: the snapshot belongs to another log; "
                        "nothing was modified");
        return STATUS_FOREIGN;
    }
    if (first->base <= size) return STATUS_OK;
    char name[SEGMENT_NAME_SIZE];
    segment_name(first->number, name);
    log_say(report,
            "FATAL foreign: the snapshot covers %" PRIu64
            " entries, but %s begins at sequence %" PRIu64 "; nothing was modified",
            size, name, first->base);
    return STATUS_FOREIGN;
}

enum status log_require_cover(const struct log *log, struct log_report *report) {
    if (!log->covered || log->tree.size != log->cover.size) return STATUS_OK;
    uint8_t own[SHA256_SIZE], said[SHA256_SIZE];
    rfc6962_root(&log->tree, own);
    rfc6962_root(&log->cover, said);
    if (memcmp(own, said, SHA256_SIZE) == 0) return STATUS_OK;
    log_say(report,
            "FATAL foreign: the log root after %" PRIu64
            " entries is not the one in the snapshot: it is from another history; "
            "nothing was modified",
            log->tree.size);
    return STATUS_FOREIGN;
}

/* --- Where to begin ---------------------------------------------------------------- */

/* The last segment whose base is not above `sequence`. */
static size_t segment_of(const struct log *log, uint64_t sequence) {
    size_t index = 0;
    while (index + 1 < log->segment_count && log->segments[index + 1].whole &&
           log->segments[index + 1].header.base <= sequence)
        index++;
    return index;
}

/* The tree at the base of segment `index`, from the tree files before it. STATUS_RANGE:
 * they do not give it. */
static enum status tree_before(struct log *log, size_t index, struct log_nodes *nodes,
                               struct rfc6962_range *range) {
    const struct segment_header *segment = &log->segments[index].header;
    if (segment->base == 0) {
        rfc6962_begin(range);
        nodes_begin(nodes, range);
        return STATUS_OK;
    }
    enum status status = log_load_nodes(log, segment->number, nodes, range);
    if (status == STATUS_NOT_FOUND || status == STATUS_CORRUPT) return STATUS_RANGE;
    if (status) return status;
    uint8_t root[SHA256_SIZE];
    rfc6962_root(range, root);
    if (range->size == segment->base && memcmp(root, segment->root, SHA256_SIZE) == 0)
        return STATUS_OK;
    nodes_free(nodes, log->allocator);
    return STATUS_RANGE;
}

/* Find the segment to begin in, and the tree there. */
static enum status find_beginning(struct log *log, const struct log_cover *cover) {
    size_t holding = segment_of(log, cover->range.size), index = 0;
    while (index < holding && log_has_tree(log, index)) index++;
    enum status status = tree_before(log, index, &log->nodes, &log->tree);
    if (status == STATUS_RANGE && index > 0) {
        index = 0; /* a damaged tree file: from the entries that are there, if it can be */
        status = tree_before(log, index, &log->nodes, &log->tree);
    }
    if (status == STATUS_RANGE) {
        index = holding;
        log->tree = cover->range;
        nodes_begin(&log->nodes, &log->tree);
        status = STATUS_OK;
    }
    log->reading_from = index;
    return status;
}

/* As if nobody had said where to begin. */
static void forget_beginning(struct log *log) {
    nodes_free(&log->nodes, log->allocator);
    rfc6962_begin(&log->tree);
    nodes_begin(&log->nodes, &log->tree);
    log->reading_from = 0;
    log->covered = false;
}

enum status log_begin_at(struct log *log, const struct log_cover *cover,
                         struct log_report *report) {
    check(log->phase == LOG_OPENED && !log->scanning && !log->covered);
    enum status status = require_fit(log, cover, report);
    if (status) return status;
    log->covered = true;
    log->cover = cover->range;
    status = find_beginning(log, cover);
    if (status) log_say_failed(log, report, status, "reading", "the tree files");
    if (!status) status = log_require_cover(log, report);
    if (status) {
        forget_beginning(log);
        return status;
    }
    /* A segment with a successor ends with its last frame. */
    for (size_t i = 0; i < log->reading_from; i++)
        log->segments[i].end = log->segments[i].size;
    log->reading = log->reading_from;
    log->due = log->segments[log->reading].header.base;
    return STATUS_OK;
}

uint64_t log_covered(const struct log *log) { return log->covered ? log->cover.size : 0; }
