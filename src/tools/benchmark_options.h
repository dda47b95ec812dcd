/* What valori-benchmark was asked to do. One table (benchmark_option_table.c) is the
 * parser and the help. */
#ifndef TOOLS_BENCHMARK_OPTIONS_H
#define TOOLS_BENCHMARK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/benchmark_client.h"
#include "tools/benchmark_text.h"

/* Choices: the values are the places of the words in their rows of the table. */
enum metric_choice { USE_COSINE, USE_L2, USE_IP };
enum dialect { DIALECT_AUTO, DIALECT_VALORI, DIALECT_REDIS };
enum encoding { ENCODING_FP32, ENCODING_VALUES };
enum index_choice { USE_DEFAULT_INDEX, USE_FLAT, USE_HNSW };
enum quant { QUANT_DEFAULT, QUANT_NONE, QUANT_Q8, QUANT_BIN };
enum tag_rule { TAGS_RANDOM, TAGS_CLUSTERED };

enum phase {
    PHASE_PING,
    PHASE_LOAD,
    PHASE_SEARCH,
    PHASE_MIXED,
    PHASE_UPDATE,
    PHASE_DELETE,
    PHASE_COMMAND, /* of -t, or of the words after the options; no name for --phase */
    PHASE_COUNT
};

#define PHASES_MAX 8
#define LIST_MAX   32

/* A list such as 16,32,64, or of percentages such as 0.1,1,50 in millionths. */
struct number_list {
    uint64_t values[LIST_MAX];
    size_t count;
};

struct benchmark_options {
    const char *host, *socket_path, *password, *user, *uri, *compare;
    const char *tests, *phase_list, *base, *queries, *truth, *key, *mix, *json;
    const char *expect_digest, *simd;
    uint64_t port, database, connections, pipeline, threads, requests, seconds, warmup;
    uint64_t rate, rounds, keep_alive, keyspace, data_size, limit, seed, m;
    uint64_t ef_construction, batch, fsync_bytes, precision, interval;
    struct number_list ef, count, selectivity;
    unsigned dialect, metric, encoding, index, quant, tag_rule;
    bool resp3, idle, loop, from_stdin, exact, no_thread, drop, engine, digest;
    bool csv, quiet, allow_errors, help, version;

    /* Of --baseline, which takes two words. NULL and 0: not asked for. */
    const char *fsync_directory;
    uint64_t read_bytes;

    /* Worked out by benchmark_options_parse(). */
    enum phase phases[PHASES_MAX];
    size_t phase_count;
    struct endpoint servers[2]; /* the one measured, and the one of --compare */
    size_t server_count;
    char compare_host[256], uri_text[512];
    uint64_t mix_reads, mix_writes;
    int word_count; /* of the custom command, or 0 */
    char *const *words;
};

/* Read the command line into *options. The strings are those of argv, or constant;
 * *options is not to be moved. STATUS_INVALID with a complaint: a word that is no option,
 * a value out of its range, or options that contradict each other. With --help or
 * --version nothing else is looked at. */
enum status benchmark_options_parse(struct benchmark_options *options, int argc,
                                    char *const *argv, struct complaint *complaint);

void benchmark_options_help(FILE *out);

const char *phase_name(enum phase phase);

/* --- The table ---------------------------------------------------------------------- */

enum option_type {
    TYPE_TEXT,
    TYPE_NUMBER,
    TYPE_LIST,     /* of numbers */
    TYPE_PERCENTS, /* a list of percentages */
    TYPE_CHOICE,
    TYPE_FLAG,
    TYPE_BASELINE
};

struct option_row {
    const char *name; /* without dashes; NULL for a heading of the help */
    char letter;      /* or 0 */
    enum option_type type;
    size_t offset;                 /* of the field in struct benchmark_options */
    const char *value;             /* what the help calls it; of a choice, the words */
    uint64_t initial, least, most; /* of a number, or of each in a list */
    const char *help;
};

extern const struct option_row benchmark_option_rows[];
extern const size_t benchmark_option_row_count;

#endif
