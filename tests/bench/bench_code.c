/* Keys of codes: the loops of every kind in cache, what a key costs with them, and
 * encoding. */
#define _POSIX_C_SOURCE 200809L

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel/change.h"
#include "kernel/code.h"
#include "kernel/code_loops.h"
#include "kernel/distance.h"

enum { ROWS = 64, ROUNDS = 20000 };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t state = 7;
static uint32_t draw(void) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(state >> 33);
}

static void measure(uint8_t metric, uint32_t dim, int lattice) {
    uint32_t stride = code_stride(dim);
    int32_t *values = malloc(dim * sizeof *values);
    uint8_t *bytes = aligned_alloc(64, (size_t)ROWS * stride);
    int8_t *room = aligned_alloc(64, stride);
    struct code_facts facts[ROWS];
    const struct code_facts *fact[ROWS];
    const uint8_t *rows[ROWS];
    double encode = 0;
    for (int i = 0; i < ROWS; i++) {
        for (uint32_t j = 0; j < dim; j++)
            values[j] =
                lattice ? (int32_t)(draw() % 256) << 16 : (int32_t)(draw() % 8192) - 4096;
        rows[i] = bytes + (size_t)i * stride, fact[i] = &facts[i];
        double begin = seconds();
        for (int again = 0; again < 100; again++)
            code_encode(metric, values, dim, bytes + (size_t)i * stride, &facts[i]);
        encode += (seconds() - begin) / 100 / ROWS;
    }
    struct code_query query;
    code_query_begin(&query, metric, values, dim, room);
    uint32_t keys[ROWS], sum = 0;
    double least = 1;
    for (int best = 0; best < 3; best++) {
        double begin = seconds();
        for (int i = 0; i < ROUNDS; i++) {
            code_keys(&query, rows, fact, ROWS, keys);
            sum += keys[i % ROWS];
        }
        double taken = (seconds() - begin) / ROUNDS / ROWS;
        if (taken < least) least = taken;
    }
    printf("  %-8s dim %-4u %s: %6.2f ns a key, %6.0f ns to encode (%u)\n",
           code_loops()->name, dim,
           metric == METRIC_COSINE ? "cosine    "
           : lattice               ? "L2 lattice"
                                   : "L2 scaled ",
           least * 1e9, encode * 1e9, sum & 1);
    free(values), free(bytes), free(room);
}

int main(void) {
    static const char *const kinds[] = {"portable", "sse4.1", "avx2",
                                        "avx512",   "neon",   "dotprod"};
    distance_select(NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!code_loops_select(kinds[i])) continue;
        measure(METRIC_L2, 128, 1);
        measure(METRIC_L2, 128, 0);
        measure(METRIC_COSINE, 128, 0);
        measure(METRIC_COSINE, 384, 0);
    }
    return 0;
}
