/* The scan of the log on a thread of its own, ahead of the replay.
 *
 * The scan reads the log, checks it, and hashes what can be hashed without knowing the
 * state: each entry's leaf, and its payload against what the entry commits to. The frames
 * that stand are handed over in memory, so that nothing is read or checked twice, and the
 * replay applies them meanwhile. The thread sees files and bytes, never the kernel.
 *
 * The way leads through a ring of blocks. A block passes to the replay when it is full,
 * or at the end of the scan; where the ring has no room, the scan waits. What is applied
 * does not count before the scan has ended well: if it refuses, the kernel is thrown
 * away.
 *
 * The root of the last SEAL must be compared, that of any other need not be. So the
 * replay does not pass a SEAL before it knows of a later one, or that there is none, or
 * the ring is full: then it compares this one too. */
#ifndef ENGINE_SCAN_AHEAD_H
#define ENGINE_SCAN_AHEAD_H

#include <stdatomic.h>

#include "storage/log.h"

/* So much log may lie between two SEALs before the first of them is compared. */
#define SCAN_BLOCKS     16
#define SCAN_BLOCK_SIZE ((size_t)512 * 1024)

/* A frame on its way: this, and behind it the bytes that its slices point to. */
struct handed {
    struct frame frame;
    bool holds;  /* list and payload are what the entry commits to */
    size_t size; /* to the next one */
};

struct scan_block {
    uint8_t *bytes;
    size_t used, capacity; /* a frame larger than SCAN_BLOCK_SIZE makes it grow */
};

struct scan_ahead {
    const struct os *os;
    const struct allocator *allocator;
    struct log *log; /* the scanner's alone until `done`, as are report and verdict */
    struct log_report report;
    enum status verdict;
    bool running; /* until scan_ahead_stop() */

    struct scan_block blocks[SCAN_BLOCKS]; /* the first is number 0, and round again */
    _Atomic uint64_t filled, emptied;      /* blocks passed to the replay, and back */
    size_t offset;                         /* of the replay, in block `emptied` */
    _Atomic uint64_t newest_seal;          /* sequence of the last one handed over */
    _Atomic uint64_t bytes;                /* read so far */
    atomic_bool done, stop;
    atomic_bool unwanted; /* the replay is over: throw away what would be handed over */
};

/* Start scanning `log`, which log_open() has given. False where the system has no threads
 * for it: scan with log_scan() then. */
bool scan_ahead_start(struct scan_ahead *ahead, const struct os *os,
                      const struct allocator *allocator, struct log *log);

/* Wait until the scan has more to hand over or has ended, or for some 100 microseconds.
 */
void scan_ahead_wait(struct scan_ahead *ahead);

/* The next frame, or NULL: none is there yet, or at all when `done` was seen before. */
const struct handed *scan_ahead_peek(struct scan_ahead *ahead);
/* Pass it. Its bytes stay good until the next scan_ahead_peek(). */
void scan_ahead_pass(struct scan_ahead *ahead);
/* May the replay pass the SEAL `sequence` without knowing its root? *compare: it may
 * pass, but not so. False: wait. */
bool scan_ahead_may_pass(const struct scan_ahead *ahead, uint64_t sequence,
                         bool *compare);
/* Entries of up to `capacity` frames that come next, as far as they are at hand. */
size_t scan_ahead_entries(struct scan_ahead *ahead, struct slice *entries,
                          size_t capacity);

/* Wait for the end of the scan, and take no more from it. */
void scan_ahead_finish(struct scan_ahead *ahead);

/* Stop if it runs, wait for its end, and give the memory back. */
void scan_ahead_stop(struct scan_ahead *ahead);

#endif
