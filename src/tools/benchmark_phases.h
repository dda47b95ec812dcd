/* The phases: which commands a load, a search and a ping consist of, and what their
 * replies are worth. */
#ifndef TOOLS_BENCHMARK_PHASES_H
#define TOOLS_BENCHMARK_PHASES_H

#include "tools/benchmark_data.h"
#include "tools/benchmark_options.h"
#include "tools/benchmark_stream.h"

/* Everything that a phase reads. `base`, `queries` and `truth` have no rows when not
 * given. */
struct benchmark {
    const struct benchmark_options *options;
    const struct allocator *allocator;
    struct dataset base, queries;
    struct truth truth;
};

/* How much of the truth the searches found. A neighbour counts as found also when it is
 * another one at the same distance as the last of the truth (that needs the base
 * vectors). */
struct recall {
    size_t queries; /* 0: not measured */
    double sum;     /* of each query's share */
    double least;
};

struct result {
    size_t runs;  /* 0: this phase did not run on this server */
    size_t items; /* vectors, searches or pings that were answered without an error */
    size_t added; /* elements that were new; of a load */
    struct measurement measurement;
    struct recall recall;
};

/* Read the files that the options name and see that they fit each other. On failure, too,
 * benchmark_close() frees what is there. */
enum status benchmark_open(struct benchmark *benchmark,
                           const struct benchmark_options *options,
                           const struct allocator *allocator,
                           struct complaint *complaint);
void benchmark_close(struct benchmark *benchmark);

/* Run one phase against one server and add what was measured to *result. STATUS_IO when
 * the server is not there or goes away; STATUS_INVALID when it refuses to make the
 * collection. */
enum status phase_run(const struct benchmark *benchmark, enum phase phase,
                      const struct endpoint *server, struct result *result,
                      struct complaint *complaint);

/* Ask a server what it is: "valori 0.1.0" or "redis 7.0.15"; "?" when it does not say. */
#define SERVER_NAME_SIZE 64
enum status server_name(const struct endpoint *server, char name[SERVER_NAME_SIZE],
                        struct complaint *complaint);

#endif
