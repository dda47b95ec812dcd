/* What the files of the log share: its struct and a few helpers. For src/storage/log_*.c
 * only.
 *
 *     log_open.c     the directory: names, safety, segment headers, head slots
 *     log_scan.c     every frame from the disk; what stands, what is torn, what is
 *     damaged
 *     log_replay.c   the frames that stand, once more, into the log tree
 *     log_start.c    cut the tail, begin a segment
 *     log_append.c   frames into the buffer, disk space, writing
 *     log_long.c     a long frame, in steps
 *     log_sync.c     the helper's syncs, marks and head slots, rolling, stopping
 *     log_tree.c     hashes of the log tree below its root, and proofs
 *     log_nodes.c    those of them that are kept in memory
 *     log_trees.c    tree files, read
 *     log_cover.c    where to begin when a snapshot covers what comes first
 *     log_upkeep.c   tree files, made, and segments, removed
 *     log_cursor.c   reading entries while others are appended
 *     log_fork.c     setting entries aside, going back
 *     log_report.c   sentences for the operator */
#ifndef STORAGE_LOG_INTERNAL_H
#define STORAGE_LOG_INTERNAL_H

#include "base/buffer.h"
#include "storage/cursor.h"
#include "storage/frame.h"
#include "storage/head.h"
#include "storage/log.h"
#include "storage/log_nodes.h"
#include "storage/reader.h"
#include "storage/segment.h"
#include "storage/tree_file.h"

/* A segment file as it was found, later as we made it. */
struct segment {
    uint64_t number;
    uint64_t size; /* of the file */
    uint64_t end;  /* one past its last valid frame */
    bool whole;    /* the header is valid; false only in a torn creation */
    bool removed;  /* its name is gone, though perhaps not on the disk */
    bool treeless; /* no tree file can be made: nobody knows the tree before it */
    struct segment_header header;
};

/* The calls come in this order; each checks that the one before it was made. */
enum log_phase { LOG_OPENED, LOG_SCANNED, LOG_REPLAYED, LOG_STARTED };

/* What the helper is syncing, or that it writes a long frame. */
enum log_sync { LOG_SYNC_NONE, LOG_SYNC_FRAMES, LOG_SYNC_HEAD, LOG_SYNC_WRITE };

/* A frame that is appended in steps. */
enum long_phase { LONG_NONE, LONG_CHECK, LONG_READY, LONG_WRITE, LONG_WRITTEN };
struct long_append {
    enum long_phase phase;
    struct frame_long frame;
    uint64_t size;
    bool reserved;       /* the disk space is ours */
    enum status outcome; /* of writing it */
    int error;
};

/* Leaf hashes of one block of the log tree, or of its beginning. */
struct leaf_block {
    uint64_t first; /* sequence */
    size_t count;
    uint8_t leaves[NODES_BLOCK][SHA256_SIZE];
};

struct log {
    const struct os *os;
    const struct allocator *allocator;
    struct directory *directory; /* borrowed */
    struct log_options options;
    enum log_phase phase;

    struct segment *segments; /* by number, without a gap */
    size_t segment_count, segment_capacity;
    struct tree_header *trees; /* files of this log, by number, which may have gaps */
    size_t tree_count, tree_capacity;
    bool head_present;
    bool slot_valid[HEAD_SLOTS];
    struct head_slot slots[HEAD_SLOTS];

    /* What a snapshot covers, and the segment in which reading begins because of that. */
    bool covered;
    struct rfc6962_range cover;
    size_t reading_from;

    /* Scan and replay: where they are. */
    struct reader reader;
    bool scanning; /* the scan has begun */
    size_t reading;  /* index of the segment being read */
    uint64_t offset; /* in it */
    uint64_t due;    /* sequence of the next entry */
    enum status (*watch)(void *context, const struct frame *frame); /* of the scan */
    void *watch_context;
    bool following;  /* another handle scans, and its frames come to this one */
    bool torn;       /* the tail holds more than zeros */
    uint64_t torn_bytes;
    bool last_found[256]; /* by entry type */
    uint64_t last_of_type[256];

    /* The tree over all entries, and how many of them are where. */
    struct rfc6962_range tree;
    struct log_nodes nodes;
    struct log_cursor tree_cursor;
    struct leaf_block leaf_blocks[2]; /* the last ones used */
    uint64_t written;
    uint64_t durable;
    uint64_t marked; /* what the newest mark, header or head slot on the disk says */

    /* The segment in use: the last of `segments`. Byte positions are offsets in its file:
     * durable_end <= written_end <= written_end + what the buffer holds. */
    struct file *file;
    struct file *head_file;
    struct buffer buffer;
    uint64_t written_end;
    uint64_t durable_end;
    uint64_t reserved_end;  /* disk space is ours up to here */
    uint64_t reserve_again; /* reserving failed: no new try before this position */
    bool reserve_unsupported;
    bool full;           /* the disk is; appending is refused until log_has_space() */
    uint64_t roll_again; /* no new segment before this position */
    bool roll_wanted;    /* whatever the segment's size */
    bool roll_synced;    /* a sync of the over-full segment has been made for rolling */

    enum log_sync sync;    /* under way on the helper */
    uint64_t sync_entries; /* what will be durable when it is done */
    uint64_t sync_end;
    bool head_pending; /* sync the head file after the frames */

    struct long_append long_append;

    bool failed; /* for good */
    int error;   /* the errno of that */
};

/* --- log_report.c ------------------------------------------------------------------ */

/* Write the report's message; the last part is cut when it is too long. */
void log_say(struct log_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "io: what NAME: text of the errno". Gives `status` back. */
enum status log_say_failed(const struct log *log, struct log_report *report,
                           enum status status, const char *what, const char *name);
/* Acknowledged data is damaged at `offset` of segment `index`; `sequence` was due there. */
enum status log_say_damage(const struct log *log, struct log_report *report, size_t index,
                           uint64_t offset, uint64_t sequence, const char *evidence);

/* --- log_open.c -------------------------------------------------------------------- */

/* Read the header of segment `index` through log->reader, which has it open. Fills
 * `whole` and `header`. STATUS_VERSION, STATUS_IO, STATUS_MEMORY with a message. */
enum status log_load_header(struct log *log, size_t index, struct log_report *report);
/* Add a segment at the end. STATUS_MEMORY. */
enum status log_add_segment(struct log *log, const struct segment *segment);

/* Segments and tree files: is it safe to trust this one? STATUS_UNSAFE, with a message. */
enum status log_require_safe(const struct file_facts *facts, const char *name,
                             struct log_report *report);

/* --- log_trees.c ------------------------------------------------------------------- */

/* Add a tree file to the list, which log_sort_trees() then puts in order. STATUS_MEMORY. */
enum status log_add_tree(struct log *log, const struct tree_header *tree);
void log_sort_trees(struct log *log);
/* A tree file was made, in the place of one of its number, if there was one. */
enum status log_put_tree(struct log *log, const struct tree_header *tree);
/* Read all headers, and drop what is damaged or another log's from the list. Failures with
 * a message. */
enum status log_look_at_trees(struct log *log, struct log_report *report);
/* Is there a tree file for segment `index`, which has a successor, that fits both? */
bool log_has_tree(const struct log *log, size_t index);
/* The roots and the range of all leaves in the unbroken row of tree files that ends before
 * segment `number`. STATUS_NOT_FOUND: there is none. STATUS_CORRUPT: one is damaged.
 * STATUS_IO, STATUS_MEMORY. On failure `nodes` is empty. */
enum status log_load_nodes(struct log *log, uint64_t number, struct log_nodes *nodes,
                           struct rfc6962_range *range);
/* Leaf hashes from the tree files: as many of [first, first + count) as the one has that
 * holds the first of them; *got says how many. STATUS_RANGE: none does. */
enum status log_stored_leaves(struct log *log, uint64_t first, uint64_t count,
                              uint8_t (*leaves)[SHA256_SIZE], uint64_t *got);

/* --- log_cover.c ------------------------------------------------------------------- */

/* Refuse a log whose beginning is missing and not covered. */
enum status log_require_beginning(const struct log *log, struct log_report *report);
/* The replay has passed so many entries: do they fit what a snapshot says? */
enum status log_require_cover(const struct log *log, struct log_report *report);

/* --- log_scan.c -------------------------------------------------------------------- */

/* The frame at `offset` of the segment that `reader` has open: STATUS_OK when it is
 * self-valid, with its bytes contiguous; STATUS_END when it is not; STATUS_VERSION,
 * STATUS_IO, STATUS_MEMORY. Without `payload` the payload's check is left out. */
enum status log_frame_at(struct reader *reader, const uint8_t key[SIPHASH_KEY_SIZE],
                         uint64_t offset, bool payload, struct frame_header *header,
                         const uint8_t **bytes);

/* What a valid frame at `offset` of segment number `segment` holds, and its leaf hash. */
void log_describe_frame(uint64_t segment, uint64_t offset,
                        const struct frame_header *header, const uint8_t *bytes,
                        struct frame *frame);

/* --- log_start.c ------------------------------------------------------------------- */

/* Create and enter a segment for what comes next, header and directory entry on the disk;
 * an older file of that name (a torn creation) is written anew. The segment in use before
 * must be durable to its end; it is closed. On failure it stays in use, and the new file
 * is gone; STATUS_IO when even that could not be made sure. */
enum status log_begin_segment(struct log *log, uint64_t number);

/* --- log_append.c ------------------------------------------------------------------ */

/* Everything is over: remember the errno. Gives STATUS_IO. */
enum status log_fail(struct log *log);
/* Append one frame, entry or mark. Failures as log_append(). */
enum status log_append_frame(struct log *log, struct frame_header *header,
                             const struct log_entry *entry);
/* Reserve disk space up to `end`; false when there is none to reserve. */
bool log_reserve_space(struct log *log, uint64_t end);
/* The disk is full in the middle of an unreserved frame: cut the file back to where it
 * was. Gives STATUS_NO_SPACE, or STATUS_IO. */
enum status log_take_back(struct log *log);
/* The header of the frame that will hold `entry`. STATUS_TOO_LARGE. */
enum status log_frame_header(const struct log *log, const struct log_entry *entry,
                             struct frame_header *header, uint64_t *size);
/* Write the buffer to the file, nothing more. */
enum status log_write(struct log *log);
/* Give disk space beyond the last frame back. STATUS_IO is final. */
enum status log_give_space_back(struct log *log);

/* --- log_long.c -------------------------------------------------------------------- */

/* The helper has written the long frame, or has not. */
void log_long_written(struct log *log, enum status outcome, int error);

/* --- log_sync.c -------------------------------------------------------------------- */

/* Begin a new segment if this one is full and it costs little now. STATUS_IO is final. */
enum status log_roll_if_due(struct log *log);

static inline struct segment *log_last_segment(struct log *log) {
    return &log->segments[log->segment_count - 1];
}

#endif
