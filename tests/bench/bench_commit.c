/* What the commitment of a mutation costs: hashing a change, applying it, sealing, and the same
 * with the root read each time, up to a million records.
 *
 *     bench_commit [records [dim]]
 *
 * Times are of this thread's CPU. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/sha256.h"
#include "kernel/distance.h"
#include "kernel/kernel.h"
#include "os/os.h"

static double microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
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
static char name[24];
static uint32_t dim;
static double commit_time, apply_time;

static void add(uint64_t number, uint64_t sequence) {
    snprintf(name, sizeof name, "element:%llu", (unsigned long long)number);
    change.element = slice_text(name);
    for (uint32_t i = 0; i < dim; i++) vector[5 + 4 * i] = (uint8_t)(number + i);
    double start = microseconds();
    change_commit(&change);
    double committed = microseconds();
    struct outcome outcome;
    if (kernel_admit(kernel, &change)) exit(1);
    kernel_apply(kernel, sequence, &change, &outcome);
    commit_time += committed - start;
    apply_time += microseconds() - committed;
}

/* `count` updates of random records, sealed every `every` of them. */
static void updates(uint64_t records, uint64_t count, uint64_t every) {
    struct roots roots;
    uint64_t random = 1;
    double seal_time = 0;
    commit_time = apply_time = 0;
    for (uint64_t i = 0; i < count; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        add((random >> 20) % records, i);
        if ((i + 1) % every) continue;
        double start = microseconds();
        kernel_seal(kernel, &roots);
        seal_time += microseconds() - start;
    }
    double n = (double)count;
    printf("  update, sealed every %5llu: commit %.2f us, admit and apply %.2f us, seal %.2f us\n",
           (unsigned long long)every, commit_time / n, apply_time / n, seal_time / n);
}

int main(int argc, char **argv) {
    uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    dim = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 16;
    struct memory_source source = {.take = take, .give = give};
    if (records < 1 || dim < 1 || dim > 65536 || kernel_create(&source, &kernel)) return 1;
    sha256_select(NULL);
    distance_select(NULL);
    int32_t *values = calloc(dim, sizeof *values);
    vector = malloc(vector_bytes_size(false, dim));
    vector_encode(values, dim, false, 0, vector);
    change = (struct change){
        .type = CHANGE_VADD,
        .flags = CHANGE_VECTOR | CHANGE_CONFIG,
        .key = slice_text("bench"),
        .vector = slice_of(vector, vector_bytes_size(false, dim)),
        .config = {.metric = METRIC_L2, .index = INDEX_FLAT, .dim = dim, .m = 16, .ef = 200}};
    struct roots roots;
    double seal_time = 0;
    for (uint64_t i = 0; i < records; i++) {
        add(i, i);
        if (i % 1024 != 1023) continue;
        double start = microseconds();
        kernel_seal(kernel, &roots);
        seal_time += microseconds() - start;
    }
    double n = (double)records;
    printf("%llu records of %u values\n", (unsigned long long)records, dim);
    printf("  insert, sealed every  1024: commit %.2f us, admit and apply %.2f us, seal %.2f us\n",
           commit_time / n, apply_time / n, seal_time / n);
    updates(records, 100000, 1024);
    updates(records, 100000, 64);
    updates(records, 20000, 1);
    kernel_destroy(kernel);
    free(values);
    free(vector);
    return 0;
}
