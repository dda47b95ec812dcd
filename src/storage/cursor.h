/* Reading the entries of a log that is in use, by sequence, while others are appended.
 *
 * A cursor hands out what is durable, in order, from the files. Several may stand in one
 * log. It is used by the thread that appends, and closed before the log is. */
#ifndef STORAGE_CURSOR_H
#define STORAGE_CURSOR_H

#include "storage/log.h"
#include "storage/reader.h"

struct log_cursor {
    struct log *log; /* borrowed */
    struct reader reader;
    uint64_t sequence; /* of the entry that comes next */
    uint64_t segment;  /* number of the one that holds it, or ends before it */
    uint64_t offset;   /* in it */
};

void log_cursor_begin(struct log_cursor *cursor, struct log *log);
void log_cursor_end(struct log_cursor *cursor);

/* Stand before the entry `sequence`, which is durable or the next one to come.
 * STATUS_RANGE: it is not here, or not yet durable. Failures of log_cursor_next(). */
enum status log_cursor_seek(struct log_cursor *cursor, uint64_t sequence);

/* The next entry, with every check made anew; its slices are good until the next call.
 * STATUS_END: nothing more is durable. STATUS_CORRUPT: what lies there is not what was
 * written. STATUS_NOT_FOUND: its segment is no longer there. STATUS_IO, STATUS_MEMORY. */
enum status log_cursor_next(struct log_cursor *cursor, struct frame *frame);

/* Stand at a place that is known. For the log's own files. */
void log_cursor_place(struct log_cursor *cursor, uint64_t sequence, uint64_t segment,
                      uint64_t offset);

/* The first sequence whose entry lies here. */
uint64_t log_first(const struct log *log);

/* The tree over the first `size` entries, from log_first() to log_durable() or
 * log_size(). STATUS_RANGE for others; failures of log_cursor_next(). */
enum status log_range_at(struct log *log, uint64_t size, struct rfc6962_range *range);

#endif
