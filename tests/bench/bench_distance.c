/* How much of the memory's bandwidth the exact scan uses: the row kernels against a plain
 * read of the same bytes, alternating in one run.
 *
 *     bench_distance [megabytes [rounds]]
 *
 * The plain read touches one word of every cache line, in one stream and in four, and the
 * faster counts. It must be the fastest read there is, or the ratios flatter: so it asks
 * nothing of the vector unit, and does not depend on the flags that this file is compiled
 * with (a loop over 64-byte vectors was a fifth slower without -march, and the scans
 * seemed to beat the memory). Each kind is measured beside reads of its own, since
 * bandwidth is shared with this machine's neighbours. Times are of this thread's CPU,
 * best of the rounds. Exit 1 if a kind's results are not the portable ones. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "kernel/distance.h"
#include "kernel/fixed.h"

enum { CHUNK = 2 << 20, BATCH = 256 };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static volatile uint64_t sink;

/* Every cache line once, from `streams` equal parts side by side. */
static void plain_read(const int32_t *rows, size_t bytes, size_t streams) {
    const size_t line = 64 / sizeof *rows;
    size_t part = bytes / sizeof *rows / streams / line * line;
    int32_t all = 0;
    for (size_t i = 0; i < part; i += line)
        for (size_t stream = 0; stream < streams; stream++)
            all |= *(const volatile int32_t *)(rows + stream * part + i);
    sink = (uint64_t)all;
}

typedef void rows_function(const int32_t *, const int32_t *, uint32_t, uint32_t,
                           int64_t *);

static uint64_t scan(rows_function *function, const int32_t *query, const int32_t *rows,
                     uint32_t stride, size_t count) {
    uint64_t hash = 0;
    int64_t out[BATCH];
    for (size_t done = 0; done < count; done += BATCH) {
        uint32_t batch = count - done < BATCH ? (uint32_t)(count - done) : BATCH;
        function(query, rows + done * stride, stride, batch, out);
        for (uint32_t i = 0; i < batch; i++) hash = hash * 31 + (uint64_t)out[i];
    }
    return hash;
}

static const char *const kinds[] = {"portable", "sse4.1", "avx2", "avx512", "neon"};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

struct best {
    double read, dot, l2;
};

static void lower(double *best, double value) {
    if (*best == 0 || value < *best) *best = value;
}

static bool bench_scan(const int32_t *query, const int32_t *rows, size_t bytes,
                       uint32_t stride, int rounds) {
    size_t count = bytes / (stride * sizeof(int32_t));
    bytes = count * stride * sizeof(int32_t);
    struct best best[KINDS] = {{0, 0, 0}};
    uint64_t dot_hash = 0, l2_hash = 0;
    bool equal = true;
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < KINDS; i++) {
            const struct distance_functions *functions = distance_select(kinds[i]);
            if (!functions) continue;
            double start = seconds();
            plain_read(rows, bytes, 1);
            double one_end = seconds();
            plain_read(rows, bytes, 4);
            double read_end = seconds();
            uint64_t dots = scan(functions->dot_rows, query, rows, stride, count);
            double dot_end = seconds();
            uint64_t squares = scan(functions->l2_rows, query, rows, stride, count);
            lower(&best[i].l2, seconds() - dot_end);
            lower(&best[i].dot, dot_end - read_end);
            lower(&best[i].read, one_end - start);
            lower(&best[i].read, read_end - one_end);
            if (i == 0) dot_hash = dots, l2_hash = squares;
            equal = equal && dots == dot_hash && squares == l2_hash;
        }
    }
    double gigabytes = (double)bytes * 1e-9;
    printf("stride %" PRIu32 ", %zu MB\n", stride, bytes >> 20);
    for (int i = 0; i < KINDS; i++) {
        const struct best *b = &best[i];
        if (b->read == 0) continue;
        printf("  %-8s  read %5.1f GB/s   dot %5.1f GB/s = %.2f of it   l2 %5.1f GB/s = "
               "%.2f\n",
               kinds[i], gigabytes / b->read, gigabytes / b->dot, b->read / b->dot,
               gigabytes / b->l2, b->read / b->l2);
    }
    return equal;
}

static void bench_conversion(void) {
    enum { DIM = 4096, TIMES = 20000 };
    static uint8_t blob[4 * DIM];
    static int32_t out[DIM];
    for (uint32_t i = 0; i < DIM; i++) {
        float value = (float)(i % 251) / 251.0f - 0.5f;
        memcpy(blob + 4 * i, &value, 4);
    }
    for (int i = 0; i < KINDS; i++) {
        if (!distance_select(kinds[i])) continue;
        int8_t exponent;
        double start = seconds();
        for (int j = 0; j < TIMES; j++) sink = fixed_from_fp32(blob, DIM, out);
        double plain = seconds() - start;
        start = seconds();
        for (int j = 0; j < TIMES; j++)
            sink = fixed_from_fp32_scaled(blob, DIM, out, &exponent);
        double scaled = seconds() - start;
        double values = (double)DIM * TIMES * 1e-9;
        printf("convert %-8s  %.2f G values/s   scaled %.2f (in cache)\n", kinds[i],
               values / plain, values / scaled);
    }
}

/* Vectors of 128 values one after the other, from memory to memory that is mapped and touched. */
static void bench_conversion_of_many(size_t bytes) {
    enum { DIM = 128 };
    uint8_t *blobs = aligned_alloc(CHUNK, bytes);
    int32_t *out = aligned_alloc(CHUNK, bytes);
    size_t count = bytes / (4 * DIM);
    if (!blobs || !out) exit(2);
    madvise(blobs, bytes, MADV_HUGEPAGE);
    madvise(out, bytes, MADV_HUGEPAGE);
    for (size_t i = 0; i < count * DIM; i++) {
        float value = (float)(i % 251) / 251.0f - 0.5f;
        memcpy(blobs + 4 * i, &value, 4);
    }
    memset(out, 1, bytes);
    for (int i = 0; i < KINDS; i++) {
        if (!distance_select(kinds[i])) continue;
        double best = 1e9;
        for (int turn = 0; turn < 5; turn++) {
            double start = seconds();
            for (size_t j = 0; j < count; j++)
                sink = fixed_from_fp32(blobs + j * 4 * DIM, DIM, out + j * DIM);
            double taken = seconds() - start;
            if (taken < best) best = taken;
        }
        printf("convert %-8s  %.2f G values/s   (memory to mapped memory)\n", kinds[i],
               (double)count * DIM * 1e-9 / best);
    }
    free(blobs);
    free(out);
}

static void bench_text(void) {
    int32_t out[4];
    struct slice texts[4] = {slice_text("0.123456789"),
                             slice_text("-0.12345679104328156"), slice_text("1.5e-05"),
                             slice_text("-12.25")};
    int8_t exponent;
    double start = seconds();
    for (int j = 0; j < 500000; j++)
        sink = fixed_from_text(texts, 4, j & 1, out, &exponent);
    printf("text    %.0f ns a number\n", (seconds() - start) / 500000 / 4 * 1e9);
    static char worst[1 + 220];
    memset(worst, '7', 220);
    worst[1] = '.';
    texts[0] = slice_text(worst);
    start = seconds();
    for (int j = 0; j < 20000; j++)
        sink = fixed_from_text(texts, 1, false, out, &exponent);
    printf("text    %.0f ns a number of 219 digits\n", (seconds() - start) / 20000 * 1e9);
}

static void bench_self_check(void) {
    const struct distance_functions *best = distance_select(NULL);
    double start = seconds();
    sink = distance_self_check(best);
    printf("self-check of %s %.2f ms\n", best->name, (seconds() - start) * 1e3);
}

int main(int argc, char **argv) {
    size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 256) << 20;
    int rounds = argc > 2 ? atoi(argv[2]) : 10;
    int32_t *rows = aligned_alloc(CHUNK, bytes);
    if (!rows || bytes == 0) return 2;
    madvise(rows, bytes, MADV_HUGEPAGE);
    uint64_t state = 1;
    for (size_t i = 0; i < bytes / sizeof *rows; i++) {
        state = state * 6364136223846793005 + 1442695040888963407;
        rows[i] = (int32_t)(state >> 47) - 65536;
    }
    static _Alignas(DISTANCE_ALIGNMENT) int32_t query[1536];
    memcpy(query, rows, sizeof query);
    static const uint32_t strides[] = {16, 128, 384, 1536};
    bool equal = true;
    for (size_t i = 0; i < sizeof strides / sizeof strides[0]; i++)
        equal = bench_scan(query, rows, bytes, strides[i], rounds) && equal;
    bench_conversion();
    bench_conversion_of_many(bytes);
    bench_text();
    bench_self_check();
    free(rows);
    if (!equal) printf("the kinds differ\n");
    return equal ? 0 : 1;
}
