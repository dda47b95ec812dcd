/* The list of what a run measures, in order: each row becomes a line of the report. */
#ifndef TOOLS_BENCHMARK_TESTS_H
#define TOOLS_BENCHMARK_TESTS_H

#include "tools/benchmark_options.h"
#include "tools/benchmark_template.h"

#define TEST_NAME_SIZE 64

struct test {
    enum phase phase;
    char name[TEST_NAME_SIZE]; /* "search ef=64", "SET" */
    uint64_t count, ef;        /* of a search; ef 0: not said */
    uint32_t tag;              /* of a search: 1 + place in --selectivity, or 0 */
    struct template template;  /* of PHASE_COMMAND */
};

struct tests {
    const struct allocator *allocator; /* borrowed */
    struct test *rows;                 /* owned */
    size_t count, capacity;
};

/* What the options ask for: the tests of -t, the custom command, then the phases, a
 * search once for each selectivity, count and EF. Reads standard input for -x. On
 * failure, too, tests_free() it. STATUS_INVALID: -t names none of ours. */
enum status tests_plan(struct tests *tests, const struct benchmark_options *options,
                       const struct allocator *allocator, struct complaint *complaint);
void tests_free(struct tests *tests);

#endif
