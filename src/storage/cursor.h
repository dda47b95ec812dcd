/* Reading the entries of a log that is in use, by sequence, while others are appended.
 *
 * A cursor hands out what is durable, in order, from the files. Several may stand in one
 * log. It is used by the thread that appends, and closed before the log is. There is no
 * index of entries: a segment's frames tell their sequence, and a frame can be told from
 * other bytes anywhere (its header's check is keyed), so that a place is found by a few
 * looks into the file. */
#ifndef STORAGE_CURSOR_H
#define STORAGE_CURSOR_H

#include "storage/log.h"
#include "storage/reader.h"

struct log_cursor {
    struct log *log; /* borrowed */
    struct reader reader;
    uint64_t sequence; /* of the entry that comes next */
    uint64_t segment;  /* number of the one that is open; 0: none */
    uint64_t offset;   /* in it */
    /* For who begins it to set: */
    bool written;      /* hand out what is written, durable or not */
    bool entries_only; /* leave the payload's check out */
};

/* `log` has been started, or replayed to its end and is only read. */
void log_cursor_begin(struct log_cursor *cursor, struct log *log);
void log_cursor_end(struct log_cursor *cursor);

/* Stand before the entry `sequence`, which is durable or the next one to come.
 * STATUS_RANGE: it is not here, or not yet durable. Failures of log_cursor_next(). */
enum status log_cursor_seek(struct log_cursor *cursor, uint64_t sequence);

/* The next entry, with every check made anew; its slices are good until the next call.
 * STATUS_END: nothing more is durable. STATUS_CORRUPT: what lies there is not what was
 * written. STATUS_NOT_FOUND: its segment is no longer there. STATUS_IO, STATUS_MEMORY. */
enum status log_cursor_next(struct log_cursor *cursor, struct frame *frame);

/* The first sequence whose entry lies here. */
uint64_t log_first(const struct log *log);

#endif
