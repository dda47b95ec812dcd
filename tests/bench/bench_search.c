/* Exact search of one collection in the kernel, beside a plain read of the same bytes from the
 * same chunks' size of memory, alternating in one run.
 *
 *     bench_search [records [dim [k [rounds]]]]
 *
 * Times are of this thread's CPU, the best and the median of the rounds. Nothing is allocated
 * between search_begin() and the last hit. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/sha256.h"
#include "kernel/distance.h"
#include "kernel/search.h"
#include "os/os.h"

typedef uint64_t line __attribute__((vector_size(64)));

static double milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static void *take(void *context, size_t size) {
    (void)context;
    return posix_os()->region_take(posix_os(), size);
}
static void give(void *context, void *region, size_t size) {
    (void)context;
    posix_os()->region_give(posix_os(), region, size);
}

static volatile uint64_t sink;

static void plain_read(const void *bytes, size_t size) {
    const line *lines = bytes;
    line sums[8] = {{0}};
    for (size_t i = 0; i + 8 <= size / sizeof(line); i += 8)
        for (size_t j = 0; j < 8; j++) sums[j] |= lines[i + j];
    for (size_t j = 1; j < 8; j++) sums[0] |= sums[j];
    sink = sums[0][0];
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uint64_t random_state = 7;
static int32_t draw(int32_t least, int32_t greatest) {
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return least + (int32_t)((random_state >> 33) % (uint64_t)(greatest - least + 1));
}

static void fill(struct kernel *kernel, uint8_t metric, uint64_t records, uint32_t dim) {
    int32_t *values = malloc(4 * (size_t)dim);
    bool scaled = metric == METRIC_COSINE;
    size_t size = vector_bytes_size(scaled, dim);
    uint8_t *vector = malloc(size);
    struct change change = {
        .type = CHANGE_VADD,
        .flags = CHANGE_VECTOR | CHANGE_CONFIG,
        .key = slice_text("bench"),
        .vector = slice_of(vector, size),
        .config = {.metric = metric, .index = INDEX_FLAT, .dim = dim, .m = 16, .ef = 200}};
    for (uint64_t i = 0; i < records; i++) {
        char name[24];
        struct outcome outcome;
        snprintf(name, sizeof name, "%llu", (unsigned long long)i);
        change.element = slice_text(name);
        for (uint32_t d = 0; d < dim; d++) values[d] = draw(0, scaled ? 131072 : 255 << 16);
        vector_encode(values, dim, scaled, 0, vector);
        change_commit(&change);
        if (kernel_admit(kernel, &change)) exit(1);
        kernel_apply(kernel, i, &change, &outcome);
    }
    free(values);
    free(vector);
}

static void bench(uint8_t metric, uint64_t records, uint32_t dim, uint32_t k, int rounds) {
    static const char *const names[] = {"", "COSINE", "L2", "IP"};
    struct memory_source source = {.take = take, .give = give};
    struct kernel *kernel;
    if (kernel_create(&source, &kernel)) exit(1);
    fill(kernel, metric, records, dim);
    size_t size = (size_t)records * query_stride(dim) * 4;
    size = (size + REGION_SIZE - 1) / REGION_SIZE * REGION_SIZE;
    void *copy = take(NULL, size);
    int32_t *values = aligned_alloc(64, 4 * (size_t)query_stride(dim));
    struct hit *hits = malloc(k * sizeof *hits);
    double *scans = malloc((size_t)rounds * sizeof *scans);
    double *reads = malloc((size_t)rounds * sizeof *reads);
    memset(copy, 1, size);
    memset(values, 0, 4 * (size_t)query_stride(dim));
    for (int round = 0; round < rounds; round++) {
        int32_t greatest = metric == METRIC_COSINE ? 131072 : 255 << 16;
        for (uint32_t d = 0; d < dim; d++) values[d] = draw(0, greatest);
        struct query query = {.values = values, .k = k};
        struct search search;
        const struct state *state = kernel_state(kernel);
        double start = milliseconds();
        search_begin(&search, state, state_collection(state, 0, slice_text("bench")),
                     &query, hits);
        while (!search_step(&search, UINT32_MAX)) {}
        double middle = milliseconds();
        plain_read(copy, size);
        scans[round] = middle - start;
        reads[round] = milliseconds() - middle;
    }
    qsort(scans, (size_t)rounds, sizeof *scans, by_value);
    qsort(reads, (size_t)rounds, sizeof *reads, by_value);
    printf("  %-7s search %7.2f ms (median %7.2f), plain read %7.2f ms (median %7.2f): %3.0f%%\n",
           names[metric], scans[0], scans[rounds / 2], reads[0], reads[rounds / 2],
           100 * reads[0] / scans[0]);
    give(NULL, copy, size);
    free(values);
    free(hits);
    free(scans);
    free(reads);
    kernel_destroy(kernel);
}

int main(int argc, char **argv) {
    uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    uint32_t dim = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 128;
    uint32_t k = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 10;
    int rounds = argc > 4 ? atoi(argv[4]) : 20;
    if (records < 1 || dim < 1 || dim > 65536 || k < 1 || rounds < 1) return 1;
    sha256_select(NULL);
    distance_select(NULL);
    printf("%llu x %u, k = %u, %s\n", (unsigned long long)records, dim, k, distance()->name);
    for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP; metric++)
        bench(metric, records, dim, k, rounds);
    return 0;
}
