/* Work on segments that are complete: their tree files are made, and those that snapshots
 * cover go, into an archive or for good. The loop picks a job and takes note of its end;
 * the work between sees files only, so that any thread may do it. */
#ifndef STORAGE_LOG_UPKEEP_H
#define STORAGE_LOG_UPKEEP_H

#include "storage/log.h"
#include "storage/segment.h"
#include "storage/tree_file.h"

enum upkeep_kind { UPKEEP_TREE, UPKEEP_REMOVE };

struct log_upkeep {
    const struct os *os;
    const struct allocator *allocator;
    struct directory *directory, *archive; /* borrowed; archive NULL: segments just go */
    enum upkeep_kind kind;
    struct segment_header segment; /* the one it is about */
    uint64_t size;                 /* of its file, up to the last frame */
    bool removed;                  /* its name is; the directory may not be synced */
    /* For a tree file: the tree before the segment, and what it must be after it. */
    struct rfc6962_range before;
    struct tree_header tree;
    /* The outcome, written by the work. */
    enum status status;
    int error; /* the errno of STATUS_IO and STATUS_NO_SPACE */
};

/* What upkeep is wanted. */
struct upkeep_wish {
    uint64_t trim_to;          /* segments of nothing but entries below it go */
    struct directory *archive; /* they are kept there; NULL: nowhere */
};

/* Pick the next job. STATUS_END: there is none. STATUS_IO, STATUS_CORRUPT, STATUS_MEMORY:
 * what it needs to know of the log could not be read. */
enum status log_upkeep_pick(struct log *log, const struct upkeep_wish *wish,
                            struct log_upkeep *job);
/* Do it; job->status says how it ended:
 * STATUS_CORRUPT: the segment does not hold what its headers say; it stays.
 * STATUS_EXISTS: the archive holds another file of that name; it stays.
 * STATUS_NO_SPACE, STATUS_IO, STATUS_MEMORY: it stays, and a later try may succeed. */
void log_upkeep_work(struct log_upkeep *job);
/* Take note of its end. Gives job->status. */
enum status log_upkeep_done(struct log *log, const struct log_upkeep *job);

/* The base of the first segment that would stay if everything below `sequence` went. */
uint64_t log_trim_place(const struct log *log, uint64_t sequence);

/* The base of the first of the newest segments that have so many bytes together. */
uint64_t log_place_keeping(const struct log *log, uint64_t bytes);

#endif
