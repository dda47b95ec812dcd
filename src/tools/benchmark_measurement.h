/* What a run of commands came to: how many, how long, latencies and errors. */
#ifndef TOOLS_BENCHMARK_MEASUREMENT_H
#define TOOLS_BENCHMARK_MEASUREMENT_H

#include "base/slice.h"
#include "tools/benchmark_histogram.h"

#define ERROR_KINDS 16

/* Error replies by their first word, with the first of each as an example. */
struct errors {
    uint64_t total; /* also those of kinds that found no row */
    size_t kind_count;
    struct {
        char prefix[24];
        char example[160];
        uint64_t count;
    } kinds[ERROR_KINDS];
};

/* All zero is an empty one. */
struct measurement {
    size_t commands;          /* answered */
    double seconds;           /* from the first write to the last reply */
    struct histogram latency; /* nanoseconds */
    struct errors errors;
};

/* Count an error reply. */
void errors_note(struct errors *errors, struct slice text);

/* Add `other`, a later run of the same commands. */
void measurement_merge(struct measurement *measurement, const struct measurement *other);

#endif
