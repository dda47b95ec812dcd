/* A whole run: the machine, every test on every server, the reports. */
#ifndef TOOLS_BENCHMARK_RUN_H
#define TOOLS_BENCHMARK_RUN_H

#include "tools/benchmark_report.h"

/* Measure what report->benchmark plans and fill in the report. STATUS_IO, STATUS_MEMORY,
 * STATUS_INVALID. */
enum status benchmark_run(struct report *report, struct benchmark *benchmark,
                          struct complaint *complaint);

/* STATUS_INVALID, with a complaint, unless every digest of --expect-digest is among those
 * of the report. */
enum status benchmark_check_digests(const struct report *report,
                                    struct complaint *complaint);

/* -I: open the connections and hold them for --seconds, or for ever. */
enum status benchmark_idle(const struct benchmark_options *options,
                           const struct allocator *allocator,
                           struct complaint *complaint);

#endif
