/* The scan of the log on a thread of its own, ahead of the replay.
 *
 * Reading and checking the log takes a third as long as applying it, and neither needs
 * the other's data: so the scan runs beside, over a handle that nobody else touches until
 * it has ended, and tells how far the replay may follow. That is up to the newest SEAL it
 * has met: what lies before it stands, and a SEAL that the replay meets there is not the
 * last one, so that its root need not be computed. Nothing that is applied counts before
 * the scan has ended well: if it refuses, the kernel is thrown away. */
#ifndef ENGINE_SCAN_AHEAD_H
#define ENGINE_SCAN_AHEAD_H

#include <stdatomic.h>

#include "storage/log.h"

struct scan_ahead {
    const struct os *os;
    struct log *log; /* the scanner's alone until `done`, as are report and verdict */
    struct log_report report;
    enum status verdict;
    _Atomic uint64_t limit; /* entries that the replay may take */
    _Atomic uint64_t bytes; /* read so far */
    atomic_bool done, stop;
    bool running;
};

/* Start scanning `log`, which log_open() has given. False where the system has no threads
 * for it: scan with log_scan() then. */
bool scan_ahead_start(struct scan_ahead *scan, const struct os *os, struct log *log);

/* Wait until there is more than `limit` to follow, the scan has ended, or 1 ms has
 * passed. */
void scan_ahead_wait(struct scan_ahead *scan, uint64_t limit);

/* Stop if it runs, and wait for its end. */
void scan_ahead_stop(struct scan_ahead *scan);

#endif
