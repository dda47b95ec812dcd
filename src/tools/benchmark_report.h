/* What was measured, as text, CSV and JSON. */
#ifndef TOOLS_BENCHMARK_REPORT_H
#define TOOLS_BENCHMARK_REPORT_H

#include <stdio.h>

#include "tools/benchmark_curve.h"
#include "tools/benchmark_phases.h"
#include "tools/benchmark_server.h"

/* A single number beside the tests: bytes per vector, the speed of a plain read. */
struct figure {
    const char *name, *unit; /* constant; the unit may be "" */
    double value;
};

#define FIGURES_MAX 24

struct report {
    const struct benchmark *benchmark;
    size_t server_count; /* with --engine 1: the library */
    struct server_facts servers[2];
    struct result *results; /* by server, by test */
    struct figure figures[2][FIGURES_MAX];
    size_t figure_counts[2];
    struct histogram fsync_pairs; /* nanoseconds; empty when not asked for */
    size_t fsync_bytes;
    struct histogram read_passes;
};

/* For people. With --quiet one line for each test and server. */
void report_text(const struct report *report, FILE *out);

/* A line of names, then a line for each server and test. The first columns are those of
 * redis-benchmark --csv. */
void report_csv(const struct report *report, FILE *out);

/* One object with everything. Times are in microseconds. */
void report_json(const struct report *report, FILE *out);

/* --- Figures, the same in all three --------------------------------------------------
 */

struct result *report_result(const struct report *report, size_t server, size_t test);

/* NULL when no test of this phase ran. */
const struct result *report_phase(const struct report *report, size_t server,
                                  enum phase phase);

void report_figure(struct report *report, size_t server, const char *name,
                   const char *unit, double value);

/* Error replies of all tests and servers. */
uint64_t report_errors(const struct report *report);

/* Items a second; 0 when nothing was measured. */
double result_rate(const struct result *result);
double ratio(double a, double b); /* 0 when b is 0 */

struct percentile {
    const char *name;
    double share;
};
#define PERCENTILE_COUNT 5
extern const struct percentile percentiles[PERCENTILE_COUNT]; /* p50 to p99.9 */

/* The curve of one server at one selectivity and count, as an envelope; it has no points
 * where no recall was measured. */
struct curve report_curve(const struct report *report, size_t server, uint32_t tag,
                          uint64_t count);

/* "host:port" or the socket's path, or "in process". */
void report_address(const struct report *report, size_t server, char *text, size_t size);

/* All replies of all tests, in 64 hex digits; "" without --digest. */
#define REPLIES_DIGEST_SIZE (2 * SHA256_SIZE + 1)
void report_digest(const struct report *report, size_t server,
                   char text[REPLIES_DIGEST_SIZE]);

/* Bytes in a second of a plain read, and of the searches if each reads as much: by their
 * rate, and by the median search, which a machine with other guests disturbs less (0
 * where searches wait for each other). */
double plain_read_rate(const struct report *report);
double search_read_rate(const struct report *report);
double median_read_rate(const struct report *report);

/* What a lone insert may take: a bare write and sync, a round trip and an allowance. 0
 * unless all of it was measured with one connection and no pipeline. */
#define INSERT_ALLOWANCE_NS 30000
uint64_t insert_budget_ns(const struct report *report);

#endif
