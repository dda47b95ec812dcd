/* The HNSW index in the kernel, over a file of vectors: how fast it is built, what it takes, and
 * recall@10 and queries a second for a list of EFs. One thread, one query at a time. All queries
 * are asked in turn, fifteen rounds of them, and of each one the best time counts: so the figures
 * bear neighbours on the machine, and no query finds its own traces in the cache.
 *
 *     bench_hnsw base.bvecs|.npy [queries.bvecs|- [records [m [efc [ef..]]]]]
 *
 * .bvecs (unsigned bytes) become an L2 collection, .npy (binary32) a cosine one. Without a file of
 * queries the last 1,000 rows are the queries and are not inserted. The truth is the kernel's own
 * exact search; a hit counts if it is as near as the tenth. SIMD=portable and so on in the
 * environment takes that level of instructions. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "kernel/fixed.h"
#include "kernel/search.h"
#include "kernel/simd.h"
#include "kernel/state.h"
#include "os/os.h"

enum { K = 10, QUERIES_MAX = 1000, ROUNDS = 15 };

static double read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
static double seconds(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
static double wall(void) { return read_clock(CLOCK_MONOTONIC); }

static void *take(void *context, size_t size) {
    (void)context;
    return posix_os()->region_take(posix_os(), size);
}
static void give(void *context, void *region, size_t size) {
    (void)context;
    posix_os()->region_give(posix_os(), region, size);
}

/* --- Files --------------------------------------------------------------------------- */

struct vectors {
    uint32_t count, dim, stride;
    bool scaled;
    int32_t *values;
};

static void *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    if (fread(bytes, 1, *size, file) != *size) exit(1);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

static void make_room(struct vectors *vectors) {
    vectors->stride = query_stride(vectors->dim);
    size_t size = 4 * (size_t)vectors->stride * vectors->count;
    vectors->values = aligned_alloc(64, size);
    memset(vectors->values, 0, size);
}

static void read_bvecs(const uint8_t *bytes, size_t size, struct vectors *vectors) {
    vectors->dim = load_le32(bytes);
    size_t row = 4 + (size_t)vectors->dim;
    vectors->count = (uint32_t)(size / row);
    make_room(vectors);
    for (uint32_t i = 0; i < vectors->count; i++)
        for (uint32_t d = 0; d < vectors->dim; d++)
            vectors->values[(size_t)i * vectors->stride + d] = bytes[i * row + 4 + d] << 16;
}

static void read_npy(const uint8_t *bytes, size_t size, struct vectors *vectors) {
    const char *shape = strstr((const char *)bytes + 10, "'shape': (");
    size_t header = 10 + (size_t)(bytes[8] | bytes[9] << 8);
    if (!shape || sscanf(shape + 10, "%u, %u", &vectors->count, &vectors->dim) != 2 ||
        size < header + 4 * (size_t)vectors->count * vectors->dim)
        exit(1);
    vectors->scaled = true;
    make_room(vectors);
    for (uint32_t i = 0; i < vectors->count; i++) {
        int8_t exponent;
        if (fixed_from_fp32_scaled(bytes + header + 4 * (size_t)i * vectors->dim, vectors->dim,
                                   vectors->values + (size_t)i * vectors->stride, &exponent))
            exit(1);
    }
}

static struct vectors read_vectors(const char *path) {
    struct vectors vectors = {0};
    size_t size;
    uint8_t *bytes = read_file(path, &size);
    if (strstr(path, ".npy")) read_npy(bytes, size, &vectors);
    else read_bvecs(bytes, size, &vectors);
    free(bytes);
    return vectors;
}

/* --- Building ------------------------------------------------------------------------ */

static struct kernel *build(const struct vectors *base, uint32_t records, uint32_t m,
                            uint32_t ef) {
    struct memory_source source = {.take = take, .give = give};
    struct kernel *kernel;
    if (kernel_create(&source, &kernel)) exit(1);
    size_t size = vector_bytes_size(base->scaled, base->dim);
    uint8_t *vector = malloc(size);
    struct change change = {.type = CHANGE_VADD,
                            .flags = CHANGE_VECTOR | CHANGE_CONFIG,
                            .key = slice_text("bench"),
                            .vector = slice_of(vector, size),
                            .config = {.metric = base->scaled ? METRIC_COSINE : METRIC_L2,
                                       .index = INDEX_HNSW,
                                       .dim = base->dim,
                                       .m = m,
                                       .ef = ef}};
    double slowest = 0, start = seconds();
    for (uint32_t i = 0; i < records; i++) {
        char name[12];
        struct outcome outcome;
        snprintf(name, sizeof name, "%u", i);
        change.element = slice_text(name);
        change.flags |= CHANGE_CONFIG;
        vector_encode(base->values + (size_t)i * base->stride, base->dim, base->scaled, 0, vector);
        double before = seconds();
        change_commit(&change);
        if (kernel_admit(kernel, &change)) exit(1);
        kernel_apply(kernel, i, &change, &outcome);
        double took = seconds() - before;
        if (took > slowest) slowest = took;
    }
    double took = seconds() - start;
    printf("build: %.2f s, %.0f inserts/s, slowest %.2f ms\n", took, records / took, slowest * 1e3);
    free(vector);
    return kernel;
}

static void describe(const struct kernel *kernel, const struct collection *collection) {
    const struct hnsw *hnsw = &collection->hnsw;
    struct sha256 hash;
    uint8_t digest[SHA256_SIZE];
    sha256_begin(&hash);
    uint64_t links = 0;
    for (uint32_t point = 1; point < hnsw->points.limit; point++) {
        const uint32_t *row = hnsw_links(hnsw, 0, point);
        sha256_add(&hash, row, 4 * (size_t)hnsw_width(hnsw, 0));
        links += links_count(row, hnsw_degree(hnsw, 0));
    }
    sha256_end(&hash, digest);
    printf("graph: %02x%02x%02x%02x%02x%02x%02x%02x, %.1f links a point, top %u; "
           "%.0f bytes a vector in all\n",
           digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6],
           digest[7], (double)links / (double)hnsw->live, hnsw->top,
           (double)kernel_memory_used(kernel) / (double)collection_count(collection));
}

/* --- Searching ------------------------------------------------------------------------ */

struct searcher {
    const struct state *state;
    const struct collection *collection;
    struct search_room room;
    struct hit hits[K];
    uint64_t looked_at; /* codes, by walks */
};

static uint32_t run(struct searcher *searcher, const int32_t *values, uint32_t ef, bool exact) {
    struct query query = {
        .values = values, .k = K, .ef = ef, .exact = exact, .room = &searcher->room};
    struct search search;
    search_begin(&search, searcher->state, searcher->collection, &query, searcher->hits);
    while (!search_step(&search, UINT32_MAX)) {}
    searcher->looked_at += search.graph.looked_at;
    return search.hit_count;
}

/* As near as the tenth: by distance, so that ties do not count as misses. */
static bool near_enough(uint8_t metric, const struct hit *hit, const struct hit *tenth) {
    if (metric == METRIC_L2) return hit->distance <= tenth->distance;
    double a = (double)hit->product / sqrt((double)hit->norm);
    double b = (double)tenth->product / sqrt((double)tenth->norm);
    return a >= b - 1e-9;
}

static void curve(struct searcher *searcher, const struct vectors *queries, uint32_t count,
                  const struct hit *tenths, uint32_t ef) {
    uint8_t metric = searcher->collection->config.metric;
    uint64_t near = 0, without = 0;
    searcher->looked_at = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t found = run(searcher, queries->values + (size_t)i * queries->stride, ef, false);
        uint64_t before = near;
        for (uint32_t h = 0; h < found; h++)
            near += near_enough(metric, &searcher->hits[h], &tenths[i]);
        without += near == before;
    }
    double codes = (double)searcher->looked_at / (double)count;
    static double best[QUERIES_MAX];
    for (int round = 0; round < ROUNDS; round++)
        for (uint32_t i = 0; i < count; i++) {
            double start = wall();
            run(searcher, queries->values + (size_t)i * queries->stride, ef, false);
            double took = wall() - start;
            if (round == 0 || took < best[i]) best[i] = took;
        }
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += best[i];
    printf("ef %4u: recall@10 %.4f, %7.0f queries/s, %5.0f codes each, %4.1f ns a code", ef,
           (double)near / (K * (double)count), count / sum, codes, sum * 1e9 / (codes * count));
    if (without > 0) printf(", %u without a hit", (uint32_t)without);
    printf("\n");
    fflush(stdout);
}

/* Exact search, by reading all codes and then by reading all rows. */
static void exact(struct searcher *searcher, const struct vectors *queries, uint32_t count) {
    struct search_room *rooms[] = {&searcher->room, NULL};
    double took[2] = {1e9, 1e9};
    uint64_t decided = 0;
    for (int pass = 0; pass < 2 * ROUNDS; pass++) {
        double start = seconds();
        for (uint32_t i = 0; i < count; i++) {
            struct query query = {.values = queries->values + (size_t)i * queries->stride,
                                  .k = K,
                                  .exact = true,
                                  .room = rooms[pass % 2]};
            struct search search;
            search_begin(&search, searcher->state, searcher->collection, &query,
                         searcher->hits);
            while (!search_step(&search, UINT32_MAX)) {}
            if (pass == 0) decided += search.codes.decided;
        }
        double each = (seconds() - start) / count;
        if (each < took[pass % 2]) took[pass % 2] = each;
    }
    const struct collection *collection = searcher->collection;
    double bytes = 4.0 * collection->stride * (double)collection->live;
    printf("exact: rows %.3f ms (%.1f GB/s), codes %.3f ms: %.2f times as fast, %.0f of "
           "%.0f rows "
           "decided by their values\n",
           took[1] * 1e3, bytes / took[1] * 1e-9, took[0] * 1e3, took[1] / took[0],
           (double)decided / count, (double)collection->live);
}

int main(int argc, char **argv) {
    if (argc < 2) return 1;
    sha256_select(NULL);
    const char *level = simd_select(getenv("SIMD"));
    if (!level) return 1;
    struct vectors base = read_vectors(argv[1]), queries = base;
    uint32_t records = base.count, count = QUERIES_MAX;
    if (argc > 2 && strcmp(argv[2], "-") != 0) {
        queries = read_vectors(argv[2]);
        if (queries.count < count) count = queries.count;
    } else {
        records -= count;
        queries.values += (size_t)records * base.stride;
    }
    if (argc > 3 && (uint32_t)atoi(argv[3]) < records && atoi(argv[3]) > 0)
        records = (uint32_t)atoi(argv[3]);
    uint32_t m = argc > 4 ? (uint32_t)atoi(argv[4]) : 16;
    uint32_t efc = argc > 5 ? (uint32_t)atoi(argv[5]) : 200;
    printf("%s: %u x %u, m %u, ef of construction %u, %s\n", argv[1], records, base.dim, m, efc,
           level);
    struct kernel *kernel = build(&base, records, m, efc);
    struct searcher searcher = {.state = kernel_state(kernel)};
    searcher.collection = state_collection(searcher.state, 0, slice_text("bench"));
    describe(kernel, searcher.collection);

    uint32_t widest = HNSW_EF_MAX < records / 17 ? HNSW_EF_MAX : records / 17;
    struct query greatest = {.k = K, .ef = widest};
    searcher.room.size = search_room_size(searcher.collection, &greatest) / 64 * 64 + 64;
    searcher.room.bytes = aligned_alloc(64, searcher.room.size);
    exact(&searcher, &queries, count < 100 ? count : 100);
    struct hit *tenths = malloc(count * sizeof *tenths);
    for (uint32_t i = 0; i < count; i++) {
        run(&searcher, queries.values + (size_t)i * queries.stride, 0, true);
        tenths[i] = searcher.hits[K - 1];
    }
    static const uint32_t usual[] = {16, 24, 32, 48, 64, 80, 96, 128, 160, 200, 300, 500};
    if (argc > 6)
        for (int i = 6; i < argc; i++)
            curve(&searcher, &queries, count, tenths, (uint32_t)atoi(argv[i]));
    else
        for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
            curve(&searcher, &queries, count, tenths, usual[i]);
    kernel_destroy(kernel);
    return 0;
}
