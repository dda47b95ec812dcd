/* What valori-benchmark was asked to do. One table in the .c file is the parser and the
 * help. */
#ifndef TOOLS_BENCHMARK_OPTIONS_H
#define TOOLS_BENCHMARK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/benchmark_stream.h"
#include "tools/benchmark_text.h"

/* Choices: the values are the places of the words in their rows of the table. */
enum metric { METRIC_COSINE, METRIC_L2, METRIC_IP };
enum grammar { GRAMMAR_NATIVE, GRAMMAR_REDIS };
enum encoding { ENCODING_FP32, ENCODING_VALUES };
enum index_kind { INDEX_DEFAULT, INDEX_FLAT, INDEX_HNSW };

enum phase { PHASE_PING, PHASE_LOAD, PHASE_SEARCH, PHASE_COUNT };

#define PHASES_MAX 8

struct benchmark_options {
    const char *host, *socket_path, *user, *password, *compare;
    const char *phase_list, *base, *queries, *truth, *key, *json;
    uint64_t port, connections, pipeline, threads, requests, count, batch, ef, limit,
        seed;
    uint64_t rounds, fsync_bytes;
    unsigned metric, grammar, encoding, index;
    bool exact, drop, csv, quiet, allow_errors, help, version;

    /* Of --baseline, which takes two words. NULL and 0: not asked for. */
    const char *fsync_directory;
    uint64_t read_bytes;

    /* Worked out by benchmark_options_parse(). */
    enum phase phases[PHASES_MAX];
    size_t phase_count;
    struct endpoint servers[2]; /* the one measured, and the one of --compare */
    size_t server_count;
    char compare_host[256];
};

/* Read the command line into *options. The strings are those of argv, or constant.
 * STATUS_INVALID with a complaint: a word that is no option, a value out of its range, or
 * options that contradict each other. With --help or --version nothing else is looked at.
 */
enum status benchmark_options_parse(struct benchmark_options *options, int argc,
                                    char *const *argv, struct complaint *complaint);

void benchmark_options_help(FILE *out);

const char *phase_name(enum phase phase);

#endif
