/* The log on disk: segments of frames (docs/format.md, sections 1 to 4). It knows no
 * entry's meaning; to it an entry is bytes that are hashed, a list and a payload are
 * bytes beside it.
 *
 * The life of a log: log_open() looks at the directory; log_scan() reads every frame from
 * the disk and decides what stands, changing nothing; log_next() hands the frames out
 * once more for replay, hashing as it goes; log_start() cuts a torn tail, begins a
 * segment and makes the log ready; then log_append() and its syncs. Until log_start() not
 * a byte in the directory changes.
 *
 * Appended frames are buffered only inside disk space that was reserved for them; without
 * a reservation they are written before log_append() returns. A failed sync, or a write
 * that fails inside reserved space, is final: the log answers STATUS_IO from then on. */
#ifndef STORAGE_LOG_H
#define STORAGE_LOG_H

#include "base/rfc6962.h"
#include "os/os.h"

struct log;

#define LOG_ID_SIZE      16
#define LOG_MESSAGE_SIZE 640

/* The first entries of a log, known by their tree: what a snapshot says it has. */
struct log_cover {
    uint8_t log_id[LOG_ID_SIZE];
    struct rfc6962_range range; /* its size is how many they are */
};

struct log_options {
    uint64_t segment_size; /* begin a new segment after this many bytes */
    uint64_t reserve_size; /* reserve so much ahead; halved down to 256 KiB, then given up */
    uint64_t long_frame;   /* frames from this size on are appended in steps; 0: 1 MiB */
    bool read_only;        /* for tools: no cache is dropped, log_start() is refused */
};

/* What was found. `message` is one line for the operator: for a refusal it names file,
 * offset, sequence and evidence; otherwise it says what was read, or cut. */
struct log_report {
    uint64_t segments;
    uint64_t entries;    /* that stand */
    uint64_t bytes;      /* read and checked */
    uint64_t torn_bytes; /* after the last valid frame of the last segment */
    uint64_t cached_pages; /* that the cache would not drop: not read from the disk */
    uint64_t ignored_files;
    uint64_t damaged_trees; /* tree files that are of no use */
    char bad_file[64]; /* where the damage is, if any */
    uint64_t bad_offset;
    uint64_t bad_sequence;
    char message[LOG_MESSAGE_SIZE];
};

/* Look at the directory: names, safety of the files, segment headers, head slots. An
 * empty directory is a new log. STATUS_UNSAFE, STATUS_CORRUPT, STATUS_VERSION,
 * STATUS_FOREIGN, STATUS_IO: *log is NULL and report->message says why. `directory` is
 * borrowed until log_close(). */
enum status log_open(const struct os *os, const struct allocator *allocator,
                     struct directory *directory, const struct log_options *options,
                     struct log **log, struct log_report *report);

/* After log_open(): the state after those entries is known, so that what comes before is
 * not read where it need not be, and may be missing. log_next() and its like may all the
 * same hand out entries below log_covered(), which are not to be applied. STATUS_FOREIGN:
 * it does not fit this log; nothing was read, and another may be tried. STATUS_IO,
 * STATUS_MEMORY. Also for the handle that follows. */
enum status log_begin_at(struct log *log, const struct log_cover *cover,
                         struct log_report *report);
uint64_t log_covered(const struct log *log); /* entries; 0: all are read */

/* Read and check about `budget` more bytes. STATUS_AGAIN: call again. STATUS_OK: done,
 * and the report is complete. Anything else: refused, as in log_open(); close the log. */
enum status log_scan(struct log *log, uint64_t budget, struct log_report *report);
uint64_t log_bytes_total(const struct log *log); /* of all segments, for progress */

/* True when the directory holds data files (segments or a head) already. */
bool log_exists(const struct log *log);

/* The greatest sequence with an entry of this type, by the scan; UINT64_MAX: none. */
uint64_t log_last_of_type(const struct log *log, uint8_t type);

struct frame {
    uint8_t type;
    uint64_t sequence;
    struct slice entry, list, payload; /* in the read buffer, until the next call */
    bool erased;
    uint8_t leaf[SHA256_SIZE];
    uint64_t segment, offset; /* for messages */
};

/* The next frame that stands, in order, appended to the log tree. STATUS_END after the
 * last. STATUS_FOREIGN: a segment's or a head slot's root does not fit what came before
 * it. STATUS_IO, STATUS_MEMORY. */
enum status log_next(struct log *log, struct frame *frame, struct log_report *report);

/* Replay beside a scan, with one reading for both. log_scan() shows every entry that it
 * has found to stand to `watch`, its leaf hash included; the slices are good until that
 * returns. What `watch` answers but STATUS_OK ends the scan.
 *
 * A second, read-only handle of the same directory follows: log_follow() once after
 * log_open(), then log_follow_frame() for each of those frames in order, on whatever
 * thread, failing as log_next() does. When the scan has ended well, log_follow_end()
 * holds the headers that the two handles have read against each other (STATUS_IO: they
 * differ). After the last frame log_take_replay() gives the first handle what the second
 * one has replayed, as if log_next() had done it. STATUS_FOREIGN as log_next(). */
void log_watch(struct log *log,
               enum status (*watch)(void *context, const struct frame *frame),
               void *context);
void log_follow(struct log *log);
enum status log_follow_frame(struct log *log, const struct frame *frame,
                             struct log_report *report);
enum status log_follow_end(struct log *log, const struct log *scanned,
                           struct log_report *report);
enum status log_take_replay(struct log *scanned, struct log *follower,
                            struct log_report *report);
uint64_t log_bytes_scanned(const struct log *log); /* so far */

/* After log_next() has said STATUS_END: cut the tail, begin a segment (or go on in an
 * empty one) and take it into use. Messages as in log_open(). */
enum status log_start(struct log *log, struct log_report *report);

/* Become the log `id`, as a replica does that has nothing yet. STATUS_INVALID: there are
 * entries, or have been. STATUS_IO: final. A crash in here leaves an empty log. */
enum status log_adopt(struct log *log, const uint8_t id[LOG_ID_SIZE]);

/* Release everything. Does not flush: see log_stop(). */
void log_close(struct log *log);

/* --- Appending ------------------------------------------------------------------------ */

struct log_entry {
    uint8_t type;
    /* The entry's bytes are `head` and `body` one after the other. */
    struct slice head, body, list, payload;
};

/* Append one entry; it gets sequence log_size(). Its leaf hash goes to `leaf`.
 * STATUS_NO_SPACE: the disk is full; nothing of it remains, nothing changed, later calls
 * may succeed. STATUS_MEMORY: likewise, for memory. STATUS_IO: final. */
enum status log_append(struct log *log, const struct log_entry *entry,
                       uint8_t leaf[SHA256_SIZE]);

/* Append one entry in steps, if its frame is a long one: the loop goes on between them.
 * log_append_long() answers as log_append() does, or STATUS_AGAIN: then log_append_step()
 * has the rest to do, until it answers anything else. What it says goes for the entry, as
 * with log_append(). Its slices are borrowed until then, and nothing else may be
 * appended. The checks are made in small steps; the writing is the helper's, and while
 * log_append_waits() for that a step has nothing to do. */
enum status log_append_long(struct log *log, const struct log_entry *entry,
                            uint8_t leaf[SHA256_SIZE]);
enum status log_append_step(struct log *log, uint8_t leaf[SHA256_SIZE]);
bool log_append_waits(const struct log *log);

/* --- Histories that part -------------------------------------------------------------- */

/* Write the entries from `first` on to the new file `name`, as docs/format.md 12 has it. A
 * failure leaves the log as it is, and perhaps a part of that file. */
enum status log_extract(struct log *log, uint64_t first, const char *name);
/* Whether the first `size` entries can be recovered without the snapshots beyond them.
 * STATUS_RANGE: the log begins later, and no snapshot leads there. STATUS_IO. */
enum status log_may_cut(struct log *log, uint64_t size);
/* After log_stop(): drop all entries from `size` on, on the disk, and snapshots that cover
 * them. Then only log_close(); a crash in here leaves more entries, and the log whole.
 * STATUS_IO. */
enum status log_cut(struct log *log, uint64_t size);
/* After log_stop(): rename the log's files and snapshots, `prefix` before each name, so that
 * the directory has none. Then only log_close(). STATUS_IO. */
enum status log_set_aside(struct log *log, const char *prefix);

/* Try again to reserve space after STATUS_NO_SPACE; true when appending may succeed. */
bool log_has_space(struct log *log);

/* Hand buffered frames to the system (write). STATUS_IO: final. Also begins a new segment
 * when the present one is full: at once when little is not durable yet, otherwise after a
 * sync. */
enum status log_flush(struct log *log);

/* Begin a new segment as if this one were full: a snapshot ends here, and what it covers
 * can be removed whole. Nothing while the segment is empty. */
void log_roll_soon(struct log *log);

/* Start syncing what is flushed, on the helper; nothing to do when all of it is durable
 * or a sync is under way. log_sync_poll() takes note of its end: STATUS_AGAIN while it
 * runs, STATUS_OK when none runs (log_durable() is then up to date), STATUS_IO: final. */
enum status log_sync_start(struct log *log);
enum status log_sync_poll(struct log *log, bool wait);

/* Sync what is flushed here and now, unless a sync is under way: for a caller who has
 * nothing else to do, whom two hand-offs between threads would cost more. STATUS_IO:
 * final. */
enum status log_sync_here(struct log *log);

/* Write a durable mark and a head slot, both flushed and synced on the helper, if there
 * is anything new to say since the last mark. For idle moments. STATUS_IO: final. */
enum status log_mark(struct log *log);

/* Flush, sync, mark, wait. After this log_close(). */
enum status log_stop(struct log *log);

uint64_t log_size(const struct log *log);    /* entries appended */
uint64_t log_written(const struct log *log); /* entries handed to the system */
uint64_t log_durable(const struct log *log); /* entries on the disk */
uint64_t
log_buffered_bytes(const struct log *log); /* appended and not handed to the system */
uint64_t log_unsynced_bytes(const struct log *log); /* appended and not durable */
bool log_sync_running(const struct log *log);
void log_root(const struct log *log, uint8_t root[SHA256_SIZE]); /* MTH of all of them */
/* All of them, by their tree. */
void log_cover(const struct log *log, struct log_cover *cover);
const struct rfc6962_range *log_range(const struct log *log); /* good until the next entry */
const uint8_t *log_id(const struct log *log);
uint64_t log_segment_count(const struct log *log);
uint64_t log_disk_bytes(const struct log *log);
int log_error(const struct log *log); /* the errno of the final failure, 0 before */

#endif
