/* Running one test on one server: from the plan and the data to a result. */
#ifndef TOOLS_BENCHMARK_PHASES_H
#define TOOLS_BENCHMARK_PHASES_H

#include "tools/benchmark_data.h"
#include "tools/benchmark_measurement.h"
#include "tools/benchmark_options.h"
#include "tools/benchmark_progress.h"
#include "tools/benchmark_tests.h"
#include "tools/benchmark_truth.h"

/* Everything that a test reads. `base` and `queries` have no rows when not given. */
struct benchmark {
    const struct benchmark_options *options;
    const struct allocator *allocator;
    enum dialect dialect; /* resolved: not DIALECT_AUTO once a test runs */
    struct tests tests;
    struct dataset base, queries;
    uint32_t *tags;       /* of each row of the base; NULL without --selectivity */
    struct truth *truths; /* without a tag, then of each; depth 0 where there is none */
    size_t truth_count;
    struct progress *progress;
};

struct result {
    size_t runs;  /* 0: this test did not run on this server */
    size_t items; /* vectors, searches or commands that were answered without an error */
    size_t added; /* elements that were new (or, of a delete, there) */
    struct measurement measurement;
    struct recall recall;
    bool has_digest;
    uint8_t digest[SHA256_SIZE]; /* of all replies in the order of the commands */
};

/* Plan the tests, read the files that the options name, see that they fit each other, tag
 * the elements and find the truth. On failure, too, benchmark_close() frees what is
 * there.
 */
enum status benchmark_open(struct benchmark *benchmark,
                           const struct benchmark_options *options,
                           const struct allocator *allocator,
                           struct complaint *complaint);
void benchmark_close(struct benchmark *benchmark);

/* The truth of a search; NULL where it has none. */
const struct truth *benchmark_truth(const struct benchmark *benchmark,
                                    const struct test *test);

/* Recall of a search whose answers are in `found`, test->count rows a query.
 * STATUS_MEMORY.
 */
enum status benchmark_recall(const struct benchmark *benchmark, const struct test *test,
                             const int32_t *found, size_t queries, struct recall *recall);

/* Run one test on one server and add what was measured to *result. STATUS_IO when the
 * server is not there or goes away; STATUS_INVALID when it refuses to make the
 * collection.
 */
enum status phase_run(const struct benchmark *benchmark, const struct test *test,
                      const struct endpoint *server, struct result *result,
                      struct complaint *complaint);

#endif
