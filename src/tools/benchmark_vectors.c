/* Composing and judging. */
#include "tools/benchmark_vectors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

#define MIXED_COMMANDS 100000

/* --- Preparing ---------------------------------------------------------------------- */

static enum status create(const struct benchmark *benchmark, struct client *client,
                          struct complaint *complaint) {
    static const char *const metrics[] = {"COSINE", "L2", "IP"};
    static const char *const indexes[] = {NULL, "FLAT", "HNSW"};
    const struct benchmark_options *options = benchmark->options;
    char dim[16], m[24], ef[24];
    const char *words[12] = {"VCREATE", options->key, "DIM",
                             dim,       "METRIC",     metrics[options->metric]};
    size_t count = 6;
    snprintf(dim, sizeof dim, "%" PRIu32, benchmark->base.dim);
    snprintf(m, sizeof m, "%" PRIu64, options->m);
    snprintf(ef, sizeof ef, "%" PRIu64, options->ef_construction);
    if (options->index != USE_DEFAULT_INDEX) {
        words[count++] = "INDEX";
        words[count++] = indexes[options->index];
    }
    if (options->m > 0) {
        words[count++] = "M";
        words[count++] = m;
    }
    if (options->ef_construction > 0) {
        words[count++] = "EF";
        words[count++] = ef;
    }
    return client_order(client, count, words, complaint);
}

enum status vectors_prepare(const struct benchmark *benchmark,
                            const struct endpoint *server, struct complaint *complaint) {
    const struct benchmark_options *options = benchmark->options;
    struct client client;
    enum status status = client_open(&client, server, benchmark->allocator, complaint);
    if (status) return status;
    if (options->drop)
        status =
            client_order(&client, 2, (const char *[]){"DEL", options->key}, complaint);
    if (!status && benchmark->dialect == DIALECT_VALORI)
        status = create(benchmark, &client, complaint);
    client_close(&client);
    return status;
}

/* --- Inserts ------------------------------------------------------------------------ */

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

static size_t batch_rows(const struct benchmark *benchmark, size_t index) {
    size_t batch = (size_t)benchmark->options->batch;
    size_t left = benchmark->base.rows - index * batch;
    return left < batch ? left : batch;
}

/* The options of one VADD after its element. */
static void compose_add_options(const struct benchmark *benchmark, size_t row,
                                struct command *command) {
    static const char *const quants[] = {NULL, "NOQUANT", "Q8", "BIN"};
    const struct benchmark_options *options = benchmark->options;
    bool redis = benchmark->dialect == DIALECT_REDIS;
    if (options->quant != QUANT_DEFAULT) command_word(command, quants[options->quant]);
    if (redis && options->ef_construction > 0) {
        command_word(command, "EF");
        command_integer(command, options->ef_construction);
    }
    if (redis && options->m > 0) {
        command_word(command, "M");
        command_integer(command, options->m);
    }
    if (!benchmark->tags || benchmark->tags[row] == 0) return;
    if (redis) {
        char attributes[32];
        snprintf(attributes, sizeof attributes, "{\"tag\":%" PRIu32 "}",
                 benchmark->tags[row]);
        command_word(command, "SETATTR");
        command_word(command, attributes);
    } else {
        command_word(command, "TAG");
        command_integer(command, benchmark->tags[row]);
    }
}

static void compose_add(const struct benchmark *benchmark, size_t row,
                        struct command *command) {
    const struct benchmark_options *options = benchmark->options;
    command_word(command, "VADD");
    command_word(command, options->key);
    compose_vector(command, options->encoding, &benchmark->base, row);
    command_integer(command, row);
    compose_add_options(benchmark, row, command);
}

static void compose_group(const struct benchmark *benchmark, size_t index,
                          struct command *command) {
    size_t first = index * (size_t)benchmark->options->batch;
    size_t count = batch_rows(benchmark, index);
    command_word(command, "VMADD");
    command_word(command, benchmark->options->key);
    command_word(command, "FP32");
    command_bytes(command, dataset_row(&benchmark->base, first),
                  count * benchmark->base.dim * 4);
    command_word(command, "ELEMENTS");
    command_integer(command, count);
    for (size_t i = 0; i < count; i++) command_integer(command, first + i);
    if (!benchmark->tags) return;
    command_word(command, "TAGS");
    for (size_t i = 0; i < count; i++)
        command_integer(command, benchmark->tags[first + i]);
}

static void load_compose(void *context, size_t index, struct command *command) {
    const struct benchmark *benchmark = ((struct vector_run *)context)->benchmark;
    if (benchmark->options->batch > 1) compose_group(benchmark, index, command);
    else compose_add(benchmark, index, command);
}

/* A reply that says how many of `rows` elements it was about. */
static bool judge_number(struct vector_run *run, size_t rows, const struct reply *reply) {
    int64_t number;
    if (!reply_number(reply, &number) || number < 0 || (uint64_t)number > rows)
        return false;
    atomic_fetch_add_explicit(&run->sent, rows, memory_order_relaxed);
    atomic_fetch_add_explicit(&run->added, (size_t)number, memory_order_relaxed);
    return true;
}

static bool load_judge(void *context, size_t index, const struct reply *reply) {
    struct vector_run *run = context;
    return judge_number(run, batch_rows(run->benchmark, index), reply);
}

static void update_compose(void *context, size_t index, struct command *command) {
    const struct benchmark *benchmark = ((struct vector_run *)context)->benchmark;
    compose_add(benchmark, index % benchmark->base.rows, command);
}

static void delete_compose(void *context, size_t index, struct command *command) {
    const struct benchmark *benchmark = ((struct vector_run *)context)->benchmark;
    command_word(command, "VREM");
    command_word(command, benchmark->options->key);
    command_integer(command, index);
}

static bool single_judge(void *context, size_t index, const struct reply *reply) {
    (void)index;
    return judge_number(context, 1, reply);
}

/* --- Searches ----------------------------------------------------------------------- */

static void compose_search(const struct vector_run *run, size_t number,
                           struct command *command) {
    const struct benchmark *benchmark = run->benchmark;
    const struct benchmark_options *options = benchmark->options;
    const struct test *test = run->test;
    bool redis = benchmark->dialect == DIALECT_REDIS;
    command_word(command, redis ? "VSIM" : "VSEARCH");
    command_word(command, options->key);
    if (!redis) {
        command_word(command, "K");
        command_integer(command, test->count);
    }
    compose_vector(command, options->encoding, &benchmark->queries,
                   number % benchmark->queries.rows);
    if (redis) {
        command_word(command, "COUNT");
        command_integer(command, test->count);
    }
    if (test->tag > 0 && redis) {
        char filter[32];
        snprintf(filter, sizeof filter, ".tag == %" PRIu32, test->tag);
        command_word(command, "FILTER");
        command_word(command, filter);
    } else if (test->tag > 0) {
        command_word(command, "TAG");
        command_integer(command, test->tag);
    }
    if (test->ef > 0) {
        command_word(command, "EF");
        command_integer(command, test->ef);
    }
    if (options->exact) command_word(command, redis ? "TRUTH" : "EXACT");
    if (options->no_thread && redis) command_word(command, "NOTHREAD");
}

static void search_compose(void *context, size_t index, struct command *command) {
    compose_search(context, index, command);
}

/* The row that an element is named by, or -1. */
static int32_t row_of(struct slice name) {
    int64_t row = 0;
    if (name.size == 0 || name.size > 9) return -1;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9') return -1;
        row = row * 10 + (name.data[i] - '0');
    }
    return (int32_t)row;
}

static bool search_judge(void *context, size_t index, const struct reply *reply) {
    struct vector_run *run = context;
    const size_t count = (size_t)run->test->count;
    if (reply->items[0].type != '*' || reply->count - 1 > count ||
        (size_t)reply->items[0].number != reply->count - 1)
        return false;
    for (size_t i = 1; i < reply->count; i++)
        if (reply->items[i].type != '$' && reply->items[i].type != '+') return false;
    atomic_fetch_add_explicit(&run->sent, 1, memory_order_relaxed);
    if (!run->found || index >= run->benchmark->queries.rows) return true;
    for (size_t i = 1; i < reply->count; i++)
        run->found[index * count + i - 1] = row_of(reply->items[i].text);
    return true;
}

/* --- Searches with inserts between -------------------------------------------------- */

static bool is_read(const struct benchmark_options *options, size_t index) {
    return index % (options->mix_reads + options->mix_writes) < options->mix_reads;
}

static void mixed_compose(void *context, size_t index, struct command *command) {
    const struct vector_run *run = context;
    const struct benchmark_options *options = run->benchmark->options;
    uint64_t both = options->mix_reads + options->mix_writes;
    uint64_t round = index / both, place = index % both;
    if (is_read(options, index))
        compose_search(run, (size_t)(round * options->mix_reads + place), command);
    else
        compose_add(run->benchmark,
                    (size_t)((round * options->mix_writes + place - options->mix_reads) %
                             run->benchmark->base.rows),
                    command);
}

static bool mixed_judge(void *context, size_t index, const struct reply *reply) {
    struct vector_run *run = context;
    return is_read(run->benchmark->options, index)
               ? search_judge(context, SIZE_MAX, reply)
               : judge_number(run, 1, reply);
}

/* --- All ---------------------------------------------------------------------------- */

struct traffic vectors_traffic(struct vector_run *run) {
    const struct benchmark *benchmark = run->benchmark;
    const struct benchmark_options *options = benchmark->options;
    size_t batch = (size_t)options->batch;
    size_t asked = (size_t)options->requests;
    switch (run->test->phase) {
    case PHASE_LOAD:
        return (struct traffic){.context = run,
                                .commands = (benchmark->base.rows + batch - 1) / batch,
                                .compose = load_compose,
                                .judge = load_judge};
    case PHASE_UPDATE:
        return (struct traffic){.context = run,
                                .commands = asked ? asked : benchmark->base.rows,
                                .compose = update_compose,
                                .judge = single_judge};
    case PHASE_DELETE:
        return (struct traffic){.context = run,
                                .commands = benchmark->base.rows,
                                .compose = delete_compose,
                                .judge = single_judge};
    case PHASE_MIXED:
        return (struct traffic){.context = run,
                                .commands = asked ? asked : MIXED_COMMANDS,
                                .compose = mixed_compose,
                                .judge = mixed_judge};
    default:
        check(run->test->phase == PHASE_SEARCH);
        return (struct traffic){.context = run,
                                .commands = asked ? asked : benchmark->queries.rows,
                                .compose = search_compose,
                                .judge = search_judge};
    }
}
