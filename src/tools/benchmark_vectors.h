/* The commands of the vector phases, in both dialects, and what their replies are worth.
 *
 * Elements are named by their row in the base file, in decimal, because that is how truth
 * files name neighbours: a reply can be judged without a table. */
#ifndef TOOLS_BENCHMARK_VECTORS_H
#define TOOLS_BENCHMARK_VECTORS_H

#include <stdatomic.h>

#include "tools/benchmark_phases.h"
#include "tools/benchmark_stream.h"

/* One test on one server. */
struct vector_run {
    const struct benchmark *benchmark;
    const struct test *test;
    atomic_size_t sent;  /* vectors in commands that were answered without an error */
    atomic_size_t added; /* those of them whose element was new, or of VREM was there */
    int32_t *found;      /* of each query test->count rows, -1 where there are fewer */
};

/* Make the collection as the options want it, before a load. STATUS_INVALID: the server
 * refuses. */
enum status vectors_prepare(const struct benchmark *benchmark,
                            const struct endpoint *server, struct complaint *complaint);

/* The traffic of a phase from load to delete; `run` is its context. */
struct traffic vectors_traffic(struct vector_run *run);

#endif
