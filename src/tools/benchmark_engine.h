/* The library measured in this process: loads and searches without a network, on one
 * core, one query at a time. */
#ifndef TOOLS_BENCHMARK_ENGINE_H
#define TOOLS_BENCHMARK_ENGINE_H

#include "tools/benchmark_report.h"

/* Fill the report with the tests that the plan has. A database without a log is opened in
 * a directory of its own, which is removed. Seconds are processor time of this thread, of
 * searches the best of --rounds passes over the queries; latencies are wall time.
 * Figures: memory per vector, the exact scan beside a plain read, the conversion of
 * values.
 *
 * STATUS_INVALID: the kernel refuses a vector. STATUS_IO, STATUS_MEMORY. */
enum status engine_measure(struct report *report, struct complaint *complaint);

#endif
