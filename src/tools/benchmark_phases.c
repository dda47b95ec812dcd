/* Ping, load and search.
 *
 * Elements are named by their row in the base file, in decimal, because that is how truth
 * files name neighbours: a reply can be judged without a table. */
#include "tools/benchmark_phases.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

#define PINGS 100000

/* --- Commands for vectors
 * -------------------------------------------------------------------- */

/* FP32 and the bytes, or VALUES and the numbers. */
static void compose_vector(struct command *command, enum encoding encoding,
                           const struct dataset *dataset, size_t row) {
    if (encoding == ENCODING_FP32) {
        command_word(command, "FP32");
        command_bytes(command, dataset_row(dataset, row), (size_t)dataset->dim * 4);
        return;
    }
    command_word(command, "VALUES");
    command_integer(command, dataset->dim);
    for (uint32_t i = 0; i < dataset->dim; i++)
        command_float(command, dataset_value(dataset, row, i));
}

static size_t vector_words(const struct benchmark *benchmark,
                           const struct dataset *dataset) {
    return benchmark->options->encoding == ENCODING_FP32 ? 2 : 2 + (size_t)dataset->dim;
}

/* --- Ping
 * --------------------------------------------------------------------------------------
 */

static void ping_compose(void *context, size_t index, struct command *command) {
    (void)context;
    (void)index;
    command_word(command, "PING");
}

static bool ping_judge(void *context, size_t index, const redisReply *reply) {
    (void)context;
    (void)index;
    return reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "PONG") == 0;
}

static struct traffic ping_traffic(const struct benchmark *benchmark) {
    uint64_t asked = benchmark->options->requests;
    return (struct traffic){.commands = asked ? (size_t)asked : PINGS,
                            .words_max = 1,
                            .compose = ping_compose,
                            .judge = ping_judge};
}

/* --- Load
 * ---------------------------------------------------------------------------------------
 */

struct load {
    const struct benchmark *benchmark;
    atomic_size_t sent;  /* vectors in commands that were answered without an error */
    atomic_size_t added; /* those of them whose element was new */
};

static size_t batch_rows(const struct benchmark *benchmark, size_t index) {
    size_t batch = (size_t)benchmark->options->batch;
    size_t left = benchmark->base.rows - index * batch;
    return left < batch ? left : batch;
}

static void load_compose(void *context, size_t index, struct command *command) {
    const struct benchmark *benchmark = ((struct load *)context)->benchmark;
    const struct benchmark_options *options = benchmark->options;
    if (options->batch == 1) {
        command_word(command, "VADD");
        command_word(command, options->key);
        compose_vector(command, options->encoding, &benchmark->base, index);
        command_integer(command, index);
        return;
    }
    size_t first = index * (size_t)options->batch;
    size_t count = batch_rows(benchmark, index);
    command_word(command, "VMADD");
    command_word(command, options->key);
    command_word(command, "FP32");
    command_bytes(command, dataset_row(&benchmark->base, first),
                  count * benchmark->base.dim * 4);
    command_word(command, "ELEMENTS");
    command_integer(command, count);
    for (size_t i = 0; i < count; i++) command_integer(command, first + i);
}

static bool load_judge(void *context, size_t index, const redisReply *reply) {
    struct load *load = context;
    if (reply->type != REDIS_REPLY_INTEGER || reply->integer < 0 ||
        (uint64_t)reply->integer > batch_rows(load->benchmark, index))
        return false;
    atomic_fetch_add_explicit(&load->sent, batch_rows(load->benchmark, index),
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&load->added, (size_t)reply->integer, memory_order_relaxed);
    return true;
}

static struct traffic load_traffic(struct load *load) {
    const struct benchmark *benchmark = load->benchmark;
    size_t batch = (size_t)benchmark->options->batch;
    size_t words = batch == 1 ? 3 + vector_words(benchmark, &benchmark->base) : 6 + batch;
    return (struct traffic){.context = load,
                            .commands = (benchmark->base.rows + batch - 1) / batch,
                            .words_max = words,
                            .compose = load_compose,
                            .judge = load_judge};
}

/* Send one command of the preparation; an error reply is a failure. */
static enum status prepare_with(redisContext *context, int count,
                                const char *const *words, struct complaint *complaint) {
    const char *argument[16];
    check(count <= 16);
    for (int i = 0; i < count; i++) argument[i] = words[i];
    redisReply *reply = redisCommandArgv(context, count, argument, NULL);
    enum status status = STATUS_OK;
    if (!reply)
        status = complain(complaint, STATUS_IO, "%s: %s", words[0], context->errstr);
    else if (reply->type == REDIS_REPLY_ERROR)
        status = complain(complaint, STATUS_INVALID, "%s %s: %s", words[0], words[1],
                          reply->str);
    if (reply) freeReplyObject(reply);
    return status;
}

/* Delete the old collection if that was asked for, and make the new one. */
static enum status load_prepare(const struct benchmark *benchmark,
                                const struct endpoint *server,
                                struct complaint *complaint) {
    static const char *const metrics[] = {"COSINE", "L2", "IP"};
    static const char *const indexes[] = {NULL, "FLAT", "HNSW"};
    const struct benchmark_options *options = benchmark->options;
    redisContext *context = endpoint_connect(server, complaint);
    if (!context) return STATUS_IO;
    enum status status = STATUS_OK;
    if (options->drop)
        status =
            prepare_with(context, 2, (const char *[]){"DEL", options->key}, complaint);
    if (!status && options->grammar == GRAMMAR_NATIVE) {
        char dim[16];
        snprintf(dim, sizeof dim, "%u", (unsigned)benchmark->base.dim);
        const char *words[] = {"VCREATE", options->key,
                               "DIM",     dim,
                               "METRIC",  metrics[options->metric],
                               "INDEX",   indexes[options->index]};
        int count = options->index == INDEX_DEFAULT ? 6 : 8;
        status = prepare_with(context, count, words, complaint);
    }
    redisFree(context);
    return status;
}

/* --- Search
 * --------------------------------------------------------------------------------------
 */

struct search {
    const struct benchmark *benchmark;
    double
        *shares; /* of each query, the part of its truth that was found; NULL: no truth */
};

static void search_compose(void *context, size_t index, struct command *command) {
    const struct benchmark *benchmark = ((struct search *)context)->benchmark;
    const struct benchmark_options *options = benchmark->options;
    bool native = options->grammar == GRAMMAR_NATIVE;
    size_t query = index % benchmark->queries.rows;
    command_word(command, native ? "VSEARCH" : "VSIM");
    command_word(command, options->key);
    if (native) {
        command_word(command, "K");
        command_integer(command, options->count);
    }
    compose_vector(command, options->encoding, &benchmark->queries, query);
    if (!native) {
        command_word(command, "COUNT");
        command_integer(command, options->count);
    }
    if (options->ef) {
        command_word(command, "EF");
        command_integer(command, options->ef);
    }
    if (options->exact) command_word(command, native ? "EXACT" : "TRUTH");
}

/* What the metric orders by: less is nearer. The values are summed as binary64, which is
 * exact for small integers and close enough for the rest. */
static double distance(const struct benchmark *benchmark, size_t query, size_t row) {
    double square = 0, dot = 0, norm = 0;
    for (uint32_t i = 0; i < benchmark->base.dim; i++) {
        double a = (double)dataset_value(&benchmark->queries, query, i);
        double b = (double)dataset_value(&benchmark->base, row, i);
        square += (a - b) * (a - b);
        dot += a * b;
        norm += b * b;
    }
    if (benchmark->options->metric == METRIC_L2) return square;
    if (benchmark->options->metric == METRIC_IP) return -dot;
    return norm > 0 ? -dot / sqrt(norm) : 0;
}

/* True if `row` ties with the last neighbour of the truth, or is nearer. */
static bool is_as_near(const struct benchmark *benchmark, size_t query, size_t row) {
    if (row >= benchmark->base.rows) return false;
    int32_t last = truth_row(&benchmark->truth, query)[benchmark->options->count - 1];
    double wanted = distance(benchmark, query, (size_t)last);
    return distance(benchmark, query, row) <= wanted + fabs(wanted) * 1e-12;
}

static bool is_in_truth(const struct benchmark *benchmark, size_t query, size_t row) {
    const int32_t *neighbors = truth_row(&benchmark->truth, query);
    for (uint64_t i = 0; i < benchmark->options->count; i++)
        if ((size_t)neighbors[i] == row) return true;
    return false;
}

/* Elements of this reply that belong to the nearest; one that is named twice counts once.
 */
static size_t count_hits(const struct benchmark *benchmark, size_t query,
                         const redisReply *reply) {
    size_t hits = 0;
    for (size_t i = 0; i < reply->elements; i++) {
        const char *name = reply->element[i]->str;
        uint64_t row;
        bool is_new = text_unsigned(name, &row);
        for (size_t j = 0; j < i && is_new; j++)
            is_new = strcmp(reply->element[j]->str, name) != 0;
        if (is_new && (is_in_truth(benchmark, query, (size_t)row) ||
                       is_as_near(benchmark, query, (size_t)row)))
            hits++;
    }
    return hits;
}

static bool search_judge(void *context, size_t index, const redisReply *reply) {
    const struct search *search = context;
    const struct benchmark *benchmark = search->benchmark;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements > benchmark->options->count)
        return false;
    for (size_t i = 0; i < reply->elements; i++)
        if (reply->element[i]->type != REDIS_REPLY_STRING) return false;
    if (search->shares && index < benchmark->queries.rows)
        search->shares[index] = (double)count_hits(benchmark, index, reply) /
                                (double)benchmark->options->count;
    return true;
}

static struct traffic search_traffic(struct search *search) {
    const struct benchmark *benchmark = search->benchmark;
    uint64_t asked = benchmark->options->requests;
    return (struct traffic){.context = search,
                            .commands = asked ? (size_t)asked : benchmark->queries.rows,
                            .words_max = 9 + vector_words(benchmark, &benchmark->queries),
                            .compose = search_compose,
                            .judge = search_judge};
}

static void add_recall(struct recall *recall, const double *shares, size_t count) {
    if (recall->queries == 0) recall->least = 1;
    for (size_t i = 0; i < count; i++) {
        recall->sum += shares[i];
        if (shares[i] < recall->least) recall->least = shares[i];
    }
    recall->queries += count;
}

static enum status search_run(const struct benchmark *benchmark,
                              const struct endpoint *server,
                              const struct load_shape *shape, struct result *result,
                              struct measurement *measurement,
                              struct complaint *complaint) {
    struct search search = {.benchmark = benchmark};
    const size_t bytes = benchmark->queries.rows * sizeof *search.shares;
    if (benchmark->truth.queries > 0) {
        search.shares = allocate(benchmark->allocator, bytes);
        if (!search.shares)
            return complain(complaint, STATUS_MEMORY, "no memory for the recall");
        memset(search.shares, 0,
               bytes); /* A query with an error reply has found nothing. */
    }
    struct traffic traffic = search_traffic(&search);
    enum status status =
        stream_run(server, shape, &traffic, benchmark->allocator, measurement, complaint);
    size_t asked = traffic.commands;
    if (!status && search.shares)
        add_recall(&result->recall, search.shares,
                   asked < benchmark->queries.rows ? asked : benchmark->queries.rows);
    release(benchmark->allocator, search.shares, bytes);
    return status;
}

/* --- One phase
 * ------------------------------------------------------------------------------------ */

enum status phase_run(const struct benchmark *benchmark, enum phase phase,
                      const struct endpoint *server, struct result *result,
                      struct complaint *complaint) {
    const struct benchmark_options *options = benchmark->options;
    const struct load_shape shape = {.connections = (size_t)options->connections,
                                     .pipeline = (size_t)options->pipeline,
                                     .threads = (size_t)options->threads};
    struct measurement measurement;
    struct load load = {.benchmark = benchmark};
    enum status status = STATUS_OK;
    if (phase == PHASE_SEARCH) {
        status = search_run(benchmark, server, &shape, result, &measurement, complaint);
    } else {
        if (phase == PHASE_LOAD) status = load_prepare(benchmark, server, complaint);
        struct traffic traffic =
            phase == PHASE_LOAD ? load_traffic(&load) : ping_traffic(benchmark);
        if (!status)
            status = stream_run(server, &shape, &traffic, benchmark->allocator,
                                &measurement, complaint);
    }
    if (status) return status;
    result->runs++;
    result->items += phase == PHASE_LOAD
                         ? atomic_load(&load.sent)
                         : measurement.commands - (size_t)measurement.errors.total;
    result->added += atomic_load(&load.added);
    measurement_merge(&result->measurement, &measurement);
    return STATUS_OK;
}

/* --- Data
 * --------------------------------------------------------------------------------------
 */

/* What the files say about each other. */
static enum status check_fit(const struct benchmark *benchmark,
                             struct complaint *complaint) {
    const struct dataset *base = &benchmark->base, *queries = &benchmark->queries;
    const struct truth *truth = &benchmark->truth;
    if (base->rows > 0 && queries->rows > 0 && base->dim != queries->dim)
        return complain(complaint, STATUS_INVALID,
                        "the base has dimension %u, the queries have %u",
                        (unsigned)base->dim, (unsigned)queries->dim);
    if (truth->queries == 0) return STATUS_OK;
    if (truth->queries != queries->rows)
        return complain(complaint, STATUS_INVALID,
                        "the truth is of %zu queries, and there are %zu", truth->queries,
                        queries->rows);
    if (truth->depth < benchmark->options->count)
        return complain(complaint, STATUS_INVALID,
                        "the truth has %u neighbours of each query, fewer than --count",
                        (unsigned)truth->depth);
    for (size_t i = 0; base->rows > 0 && i < truth->queries * truth->depth; i++)
        if ((size_t)truth->neighbors[i] >= base->rows)
            return complain(
                complaint, STATUS_INVALID,
                "the truth names row %d and the base has %zu: it is the truth "
                "of another base, or of more of it than --limit loads",
                (int)truth->neighbors[i], base->rows);
    return STATUS_OK;
}

enum status benchmark_open(struct benchmark *benchmark,
                           const struct benchmark_options *options,
                           const struct allocator *allocator,
                           struct complaint *complaint) {
    *benchmark = (struct benchmark){.options = options, .allocator = allocator};
    enum status status = STATUS_OK;
    if (options->base)
        status = dataset_read(&benchmark->base, allocator, options->base,
                              (size_t)options->limit, options->seed, complaint);
    if (!status && options->queries)
        status = dataset_read(&benchmark->queries, allocator, options->queries, 0,
                              options->seed + 1, complaint);
    if (!status && options->truth && options->queries)
        status = truth_read(&benchmark->truth, allocator, options->truth, complaint);
    if (!status) status = check_fit(benchmark, complaint);
    return status;
}

void benchmark_close(struct benchmark *benchmark) {
    dataset_free(&benchmark->base);
    dataset_free(&benchmark->queries);
    truth_free(&benchmark->truth);
}

/* --- The server's name
 * ---------------------------------------------------------------------------- */

/* The value of a line "field:value" of INFO, into `name` after `prefix`; false: no such
 * line. */
static bool info_field(const char *info, const char *field, const char *prefix,
                       char name[SERVER_NAME_SIZE]) {
    size_t size = strlen(field);
    for (const char *line = info; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, field, size) != 0 || line[size] != ':') continue;
        const char *value = line + size + 1;
        snprintf(name, SERVER_NAME_SIZE, "%s %.*s", prefix, (int)strcspn(value, "\r\n"),
                 value);
        return true;
    }
    return false;
}

enum status server_name(const struct endpoint *server, char name[SERVER_NAME_SIZE],
                        struct complaint *complaint) {
    redisContext *context = endpoint_connect(server, complaint);
    if (!context) return STATUS_IO;
    redisReply *reply = redisCommand(context, "INFO server");
    if (!reply || reply->type != REDIS_REPLY_STRING ||
        (!info_field(reply->str, "valori_version", "valori", name) &&
         !info_field(reply->str, "redis_version", "redis", name)))
        snprintf(name, SERVER_NAME_SIZE, "?");
    if (reply) freeReplyObject(reply);
    redisFree(context);
    return STATUS_OK;
}
