/* Making an empty directory from a snapshot, and from segments that go on where it ends
 * (docs/backup.md).
 *
 * Everything is copied under names that no start looks at, synced, and checked from the
 * disk; then the segments get their names, and last the snapshot. A crash before that
 * leaves a directory that is empty to a start, or one that it refuses; after it the start
 * that follows recovers from it as from any other, the root being compared before
 * anything is served. */
#ifndef ENGINE_RESTORE_H
#define ENGINE_RESTORE_H

#include "os/os.h"
#include "storage/log.h"

struct restore_options {
    const char *snapshot;  /* path of the file, whatever its name */
    const char *log;       /* directory with the segments behind it; NULL: none */
    const char *directory; /* to make; it exists, and holds no data */
    /* With a log: the last entry that is restored. */
    bool to_sequence, to_time;
    uint64_t to; /* sequence, or microseconds since 1970 */
};

struct restore_report {
    uint64_t covered;  /* entries that the snapshot has */
    uint64_t entries;  /* that will be there */
    uint64_t segments; /* copied */
    char message[LOG_MESSAGE_SIZE];
};

/* STATUS_OK, or report->message says why not, and the directory holds what it held:
 * STATUS_EXISTS: it is not empty. STATUS_RANGE: the place is not between the snapshot's
 * end and the log's. STATUS_CORRUPT, STATUS_FOREIGN, STATUS_VERSION: of what is to be
 * restored. STATUS_IO, STATUS_NO_SPACE, STATUS_MEMORY, STATUS_LOCKED. */
enum status restore(const struct os *os, const struct allocator *allocator,
                    const struct restore_options *options, struct restore_report *report);

#endif
