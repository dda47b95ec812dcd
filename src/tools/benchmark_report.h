/* What was measured, as text, CSV and JSON. */
#ifndef TOOLS_BENCHMARK_REPORT_H
#define TOOLS_BENCHMARK_REPORT_H

#include <stdio.h>

#include "tools/benchmark_phases.h"

struct report {
    const struct benchmark *benchmark;
    char server_names[2][SERVER_NAME_SIZE];
    struct result results[2][PHASE_COUNT]; /* by server, by phase */
    struct histogram fsync_pairs;          /* nanoseconds; empty when not asked for */
    size_t fsync_bytes;
    struct histogram read_passes;
};

/* For people. With --quiet one line for each phase and server. */
void report_text(const struct report *report, FILE *out);

/* A line of names, then a line for each server and phase. */
void report_csv(const struct report *report, FILE *out);

/* One object with everything. Times are in microseconds. */
void report_json(const struct report *report, FILE *out);

/* Error replies of all phases and servers. */
uint64_t report_errors(const struct report *report);

#endif
