/* A line on a terminal that says how far a run is, rewritten in place. */
#ifndef TOOLS_BENCHMARK_PROGRESS_H
#define TOOLS_BENCHMARK_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out;         /* NULL: nothing is shown */
    const char *label; /* of what runs now */
    uint64_t interval_ns;
    uint64_t start_ns, next_ns, last_ns;
    size_t last_done;
};

/* Show progress on `out` if that is a terminal and `wanted`. */
void progress_init(struct progress *progress, FILE *out, bool wanted,
                   uint64_t interval_ns);

/* A run begins. */
void progress_start(struct progress *progress, const char *label, uint64_t now);
/* `done` of `total` commands (SIZE_MAX: until a time, `seconds` from the start) are
 * answered; prints when the next line is due. */
void progress_tick(struct progress *progress, uint64_t now, size_t done, size_t total,
                   double seconds);
/* Take the line away. */
void progress_end(struct progress *progress);

#endif
