/* Data first, then the runs. */
#include "tools/benchmark_phases.h"

#include <string.h>

#include "tools/benchmark_stream.h"
#include "tools/benchmark_tags.h"
#include "tools/benchmark_vectors.h"

#define COMMANDS 100000

/* --- Data --------------------------------------------------------------------------- */

static uint64_t greatest_count(const struct benchmark_options *options) {
    uint64_t greatest = 0;
    for (size_t i = 0; i < options->count.count; i++)
        if (options->count.values[i] > greatest) greatest = options->count.values[i];
    return greatest;
}

/* What the files say about each other. */
static enum status check_fit(const struct benchmark *benchmark,
                             struct complaint *complaint) {
    const struct dataset *base = &benchmark->base, *queries = &benchmark->queries;
    if (base->rows > 0 && queries->rows > 0 && base->dim != queries->dim)
        return complain(complaint, STATUS_INVALID,
                        "the base has dimension %u, the queries have %u",
                        (unsigned)base->dim, (unsigned)queries->dim);
    if (benchmark->truth_count == 0 || benchmark->truths[0].queries == 0)
        return STATUS_OK;
    const struct truth *truth = &benchmark->truths[0];
    if (truth->queries != queries->rows)
        return complain(complaint, STATUS_INVALID,
                        "the truth is of %zu queries, and there are %zu", truth->queries,
                        queries->rows);
    if (truth->depth < greatest_count(benchmark->options))
        return complain(complaint, STATUS_INVALID,
                        "the truth has %u neighbours of each query, fewer than --count",
                        (unsigned)truth->depth);
    for (size_t i = 0; base->rows > 0 && i < truth->queries * truth->depth; i++)
        if (truth->neighbors[i] >= 0 && (size_t)truth->neighbors[i] >= base->rows)
            return complain(
                complaint, STATUS_INVALID,
                "the truth names row %d and the base has %zu: it is the truth "
                "of another base, or of more of it than --limit loads",
                (int)truth->neighbors[i], base->rows);
    return STATUS_OK;
}

static struct ground ground_of(const struct benchmark *benchmark, uint32_t tag) {
    return (struct ground){.base = &benchmark->base,
                           .queries = &benchmark->queries,
                           .metric = benchmark->options->metric,
                           .tags = tag > 0 ? benchmark->tags : NULL,
                           .tag = tag};
}

/* Out of the file, or by brute force; of the tags always so. */
static enum status find_truths(struct benchmark *benchmark, struct complaint *complaint) {
    const struct benchmark_options *options = benchmark->options;
    if (!options->truth || benchmark->queries.rows == 0) return STATUS_OK;
    size_t count = 1 + options->selectivity.count;
    benchmark->truths = allocate(benchmark->allocator, count * sizeof(struct truth));
    if (!benchmark->truths)
        return complain(complaint, STATUS_MEMORY, "no memory for the truth");
    benchmark->truth_count = count;
    memset(benchmark->truths, 0, count * sizeof(struct truth));
    bool compute = strcmp(options->truth, "compute") == 0;
    enum status status = STATUS_OK;
    if (!compute)
        status = truth_read(&benchmark->truths[0], benchmark->allocator, options->truth,
                            complaint);
    if (!status) status = check_fit(benchmark, complaint);
    for (size_t tag = compute ? 0 : 1; tag < count && !status; tag++) {
        struct ground ground = ground_of(benchmark, (uint32_t)tag);
        status =
            truth_compute(&benchmark->truths[tag], benchmark->allocator, &ground,
                          (uint32_t)greatest_count(options), options->threads, complaint);
    }
    return status;
}

static enum status assign_tags(struct benchmark *benchmark, struct complaint *complaint) {
    const struct dataset *base = &benchmark->base;
    if (benchmark->options->selectivity.count == 0) return STATUS_OK;
    benchmark->tags =
        allocate(benchmark->allocator, base->rows * sizeof *benchmark->tags);
    enum status status = benchmark->tags ? STATUS_OK : STATUS_MEMORY;
    if (!status)
        status =
            tags_assign(benchmark->options, base, benchmark->allocator, benchmark->tags);
    return status ? complain(complaint, status, "no memory for the tags") : STATUS_OK;
}

enum status benchmark_open(struct benchmark *benchmark,
                           const struct benchmark_options *options,
                           const struct allocator *allocator,
                           struct complaint *complaint) {
    *benchmark = (struct benchmark){
        .options = options, .allocator = allocator, .dialect = options->dialect};
    enum status status = tests_plan(&benchmark->tests, options, allocator, complaint);
    if (!status && options->base)
        status = dataset_read(&benchmark->base, allocator, options->base,
                              (size_t)options->limit, options->seed, complaint);
    if (!status && options->queries)
        status = dataset_read(&benchmark->queries, allocator, options->queries, 0,
                              options->seed + 1, complaint);
    if (!status) status = check_fit(benchmark, complaint);
    if (!status) status = assign_tags(benchmark, complaint);
    if (!status) status = find_truths(benchmark, complaint);
    return status;
}

void benchmark_close(struct benchmark *benchmark) {
    if (benchmark->tags)
        release(benchmark->allocator, benchmark->tags,
                benchmark->base.rows * sizeof *benchmark->tags);
    for (size_t i = 0; i < benchmark->truth_count; i++) truth_free(&benchmark->truths[i]);
    release(benchmark->allocator, benchmark->truths,
            benchmark->truth_count * sizeof(struct truth));
    dataset_free(&benchmark->base);
    dataset_free(&benchmark->queries);
    tests_free(&benchmark->tests);
}

/* --- Recall ------------------------------------------------------------------------- */

const struct truth *benchmark_truth(const struct benchmark *benchmark,
                                    const struct test *test) {
    if (test->phase != PHASE_SEARCH || test->tag >= benchmark->truth_count) return NULL;
    const struct truth *truth = &benchmark->truths[test->tag];
    return truth->queries > 0 ? truth : NULL;
}

enum status benchmark_recall(const struct benchmark *benchmark, const struct test *test,
                             const int32_t *found, size_t queries,
                             struct recall *recall) {
    const struct truth *truth = benchmark_truth(benchmark, test);
    struct ground ground = ground_of(benchmark, test->tag);
    double *shares = allocate(benchmark->allocator, queries * sizeof *shares);
    if (!shares) return STATUS_MEMORY;
    for (size_t i = 0; i < queries; i++)
        shares[i] = recall_of(truth, &ground, i, found + i * test->count,
                              (size_t)test->count, test->count);
    recall_summarise(recall, shares, queries);
    release(benchmark->allocator, shares, queries * sizeof *shares);
    return STATUS_OK;
}

/* --- Commands without vectors --------------------------------------------------------
 */

static void ping_compose(void *context, size_t index, struct command *command) {
    (void)context;
    (void)index;
    command_word(command, "PING");
}

static bool ping_judge(void *context, size_t index, const struct reply *reply) {
    (void)context;
    (void)index;
    return reply_is_text(reply, "PONG");
}

static void any_compose(void *context, size_t index, struct command *command) {
    const struct vector_run *run = context;
    template_compose(&run->test->template, index, command);
}

static bool any_judge(void *context, size_t index, const struct reply *reply) {
    (void)context;
    (void)index;
    (void)reply;
    return true;
}

static struct traffic traffic_of(struct vector_run *run) {
    uint64_t asked = run->benchmark->options->requests;
    size_t commands = asked ? (size_t)asked : COMMANDS;
    if (run->test->phase == PHASE_PING)
        return (struct traffic){
            .commands = commands, .compose = ping_compose, .judge = ping_judge};
    if (run->test->phase == PHASE_COMMAND)
        return (struct traffic){.context = run,
                                .commands = commands,
                                .compose = any_compose,
                                .judge = any_judge};
    return vectors_traffic(run);
}

/* --- One test ----------------------------------------------------------------------- */

static bool ends_with_data(enum phase phase) {
    return phase == PHASE_LOAD || phase == PHASE_DELETE;
}

static struct load_shape shape_of(const struct benchmark *benchmark,
                                  const struct test *test) {
    const struct benchmark_options *options = benchmark->options;
    return (struct load_shape){.connections = (size_t)options->connections,
                               .pipeline = (size_t)options->pipeline,
                               .threads = (size_t)options->threads,
                               .rate = options->rate,
                               .seconds =
                                   ends_with_data(test->phase) ? 0 : options->seconds,
                               .reconnect = options->keep_alive == 0,
                               .progress = benchmark->progress};
}

/* Send the same for a while, so that caches are filled, and forget what came. */
static enum status warm_up(struct vector_run *run, const struct endpoint *server,
                           struct load_shape shape, struct measurement *measurement,
                           struct complaint *complaint) {
    uint64_t seconds = run->benchmark->options->warmup;
    if (seconds == 0 || ends_with_data(run->test->phase)) return STATUS_OK;
    struct traffic traffic = traffic_of(run);
    traffic.commands = SIZE_MAX;
    shape.seconds = seconds;
    enum status status = stream_run(server, &shape, &traffic, run->benchmark->allocator,
                                    measurement, complaint);
    atomic_store(&run->sent, 0);
    atomic_store(&run->added, 0);
    return status;
}

static void digest_all(const struct traffic *traffic, struct result *result) {
    sha256(traffic->digests, traffic->commands * SHA256_SIZE, result->digest);
    result->has_digest = true;
}

static enum status run_measured(struct vector_run *run, const struct endpoint *server,
                                struct result *result, struct complaint *complaint) {
    const struct benchmark *benchmark = run->benchmark;
    const struct allocator *allocator = benchmark->allocator;
    struct load_shape shape = shape_of(benchmark, run->test);
    struct measurement *measurement = allocate(allocator, sizeof *measurement);
    if (!measurement) return complain(complaint, STATUS_MEMORY, "no memory for a result");
    enum status status = warm_up(run, server, shape, measurement, complaint);
    struct traffic traffic = traffic_of(run);
    bool digest = benchmark->options->digest || benchmark->options->expect_digest;
    if (shape.seconds > 0) traffic.commands = SIZE_MAX;
    if (digest && !status) {
        traffic.digests = allocate(allocator, traffic.commands * SHA256_SIZE);
        if (!traffic.digests)
            status = complain(complaint, STATUS_MEMORY, "no memory for the digests");
    }
    if (!status)
        status = stream_run(server, &shape, &traffic, allocator, measurement, complaint);
    if (!status) {
        bool counted =
            run->test->phase != PHASE_PING && run->test->phase != PHASE_COMMAND;
        measurement_merge(&result->measurement, measurement);
        result->runs++;
        result->items += counted
                             ? atomic_load(&run->sent)
                             : measurement->commands - (size_t)measurement->errors.total;
        result->added += atomic_load(&run->added);
        if (digest) digest_all(&traffic, result);
    }
    release(allocator, traffic.digests, traffic.commands * SHA256_SIZE);
    release(allocator, measurement, sizeof *measurement);
    return status;
}

enum status phase_run(const struct benchmark *benchmark, const struct test *test,
                      const struct endpoint *server, struct result *result,
                      struct complaint *complaint) {
    struct vector_run run = {.benchmark = benchmark, .test = test};
    const size_t queries = benchmark->queries.rows;
    size_t bytes = queries * (size_t)test->count * sizeof *run.found;
    bool judged = benchmark_truth(benchmark, test) != NULL;
    enum status status = STATUS_OK;
    if (benchmark->progress) benchmark->progress->label = test->name;
    if (judged) {
        run.found = allocate(benchmark->allocator, bytes);
        if (!run.found)
            return complain(complaint, STATUS_MEMORY, "no memory for the recall");
        memset(run.found, 0xff, bytes); /* A query with an error reply finds nothing. */
    }
    if (test->phase == PHASE_LOAD) status = vectors_prepare(benchmark, server, complaint);
    if (!status) status = run_measured(&run, server, result, complaint);
    uint64_t asked = benchmark->options->requests;
    size_t answered = asked > 0 && asked < queries ? (size_t)asked : queries;
    if (benchmark->options->seconds > 0 && atomic_load(&run.sent) < answered)
        answered = atomic_load(&run.sent);
    if (!status && judged)
        status = benchmark_recall(benchmark, test, run.found, answered, &result->recall);
    release(benchmark->allocator, run.found, bytes);
    return status;
}
