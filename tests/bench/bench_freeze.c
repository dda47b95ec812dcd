/* The first inserts after a freeze: how long each takes while chunks are being copied, beside
 * the same inserts with no view, and how much memory the copies take.
 *
 *     bench_freeze [records [dim]]
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/sha256.h"
#include "kernel/kernel.h"
#include "os/os.h"

enum { SAMPLES = 20000 };

static double microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

static void *take(void *context, size_t size) {
    (void)context;
    return posix_os()->region_take(posix_os(), size);
}
static void give(void *context, void *region, size_t size) {
    (void)context;
    posix_os()->region_give(posix_os(), region, size);
}

static struct kernel *kernel;
static struct change change;
static uint8_t *vector;
static uint64_t inserted;

static void insert(void) {
    char name[24];
    struct outcome outcome;
    snprintf(name, sizeof name, "element:%llu", (unsigned long long)inserted);
    change.element = slice_text(name);
    change_commit(&change);
    if (kernel_admit(kernel, &change)) exit(1);
    kernel_apply(kernel, inserted++, &change, &outcome);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *what, int from, int to) {
    static double times[SAMPLES];
    uint64_t before = kernel_memory_used(kernel);
    double total = 0;
    int count = to - from;
    for (int i = 0; i < count; i++) {
        double start = microseconds();
        insert();
        times[i] = microseconds() - start;
        total += times[i];
    }
    qsort(times, (size_t)count, sizeof *times, by_value);
    printf("  %-26s mean %6.2f us, p50 %6.2f, p99 %6.2f, max %8.2f; %6.1f KiB taken each\n", what,
           total / count, times[count / 2], times[count * 99 / 100], times[count - 1],
           (double)(kernel_memory_used(kernel) - before) / 1024 / count);
}

int main(int argc, char **argv) {
    uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    uint32_t dim = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 128;
    struct memory_source source = {.take = take, .give = give};
    if (dim < 1 || dim > 65536 || kernel_create(&source, &kernel)) return 1;
    sha256_select(NULL);
    int32_t *values = calloc(dim, sizeof *values);
    vector = malloc(vector_bytes_size(false, dim));
    vector_encode(values, dim, false, 0, vector);
    change = (struct change){
        .type = CHANGE_VADD,
        .flags = CHANGE_VECTOR | CHANGE_CONFIG,
        .key = slice_text("bench"),
        .vector = slice_of(vector, vector_bytes_size(false, dim)),
        .config = {.metric = METRIC_L2, .index = INDEX_FLAT, .dim = dim, .m = 16, .ef = 200}};
    while (inserted < records) insert();
    struct roots roots;
    kernel_seal(kernel, &roots);

    printf("%llu records of %u values, %.1f MB\n", (unsigned long long)records, dim,
           (double)kernel_memory_used(kernel) / 1e6);
    measure("no view", 0, SAMPLES);
    kernel_seal(kernel, &roots);
    const struct state *view;
    double start = microseconds();
    if (kernel_freeze(kernel, &view)) return 1;
    printf("  freeze                     %.2f us\n", microseconds() - start);
    measure("first 100 after it", 0, 100);
    measure("next 900", 100, 1000);
    measure("next 19,000", 1000, SAMPLES);
    start = microseconds();
    kernel_seal(kernel, &roots);
    printf("  seal                       %.2f us\n", microseconds() - start);
    start = microseconds();
    kernel_release(kernel, view);
    printf("  release                    %.2f us\n", microseconds() - start);
    kernel_destroy(kernel);
    free(values);
    free(vector);
    return 0;
}
