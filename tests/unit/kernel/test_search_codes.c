/* The exact scan by codes against the plain scan of the same records: the same hits in
 * the same order, whatever the values are. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "fixture.h"
#include "hnsw_graph.h"
#include "kernel/simd.h"

enum { COUNT = 700, DIM_MAX = 200, K_MAX = COUNT / 16 };

static int32_t values[COUNT][DIM_MAX];
_Alignas(64) static int32_t asked[DIM_MAX + 16];

enum pattern {
    CLUSTERS, /* near neighbours, which is where the bounds are close */
    UNIFORM,
    BYTES,       /* a lattice, */
    FEW_BYTES,   /* with many ties, */
    MIXED_BYTES, /* and with rows between that are none */
    WITH_ZEROS,
    DUPLICATES,
    TINY,
    ONE_LARGE,
    HUGE,
    PATTERNS
};

static int32_t between(int32_t least, int32_t greatest) {
    static uint64_t state = 0x2545f4914f6cdd1d;
    state = state * 6364136223846793005 + 1442695040888963407;
    uint64_t range = (uint64_t)((int64_t)greatest - least + 1);
    return (int32_t)(least + (int64_t)((state >> 32) % range));
}

static int32_t draw(enum pattern pattern, uint32_t row, uint32_t at) {
    switch (pattern) {
    case CLUSTERS: /* the centre of row % 7, and a little */
        return (int32_t)((row % 7 * 7919 + at * 104729) % 120000) - 60000 +
               between(-900, 900);
    case BYTES:
        return between(0, 255) * 65536;
    case FEW_BYTES:
        return between(0, 1) * 65536;
    case MIXED_BYTES:
        return row % 3 ? between(0, 255) * 65536 : between(0, 255 * 65536);
    case WITH_ZEROS:
        return row % 4 == 0 ? 0 : between(-30000, 30000);
    case DUPLICATES:
        return (int32_t)((row % 5 * 31 + at * 17) % 1000);
    case TINY:
        return between(-2, 2);
    case ONE_LARGE:
        return at == 0 ? INT32_MAX - (int32_t)(row % 3) : between(0, 8454660);
    case HUGE:
        return between(0, 3) ? between(INT32_MIN, INT32_MAX) : INT32_MIN;
    default:
        return between(-65536, 65536);
    }
}

static void draw_row(int32_t *row, uint32_t number, uint32_t dim, enum pattern pattern,
                     uint8_t metric) {
    for (uint32_t i = 0; i < dim; i++) {
        row[i] = draw(pattern, number, i);
        if (metric == METRIC_COSINE) row[i] /= pattern >= ONE_LARGE ? 16384 : 256;
    }
}

/* Names that are not in the order of slots, so that ties are won by either. */
static uint32_t name_of(uint32_t row) { return row * 367 % COUNT; }

static void put_both(struct trial *indexed, struct trial *flat, uint32_t row) {
    trial_put(indexed, name_of(row), values[row]);
    trial_put(flat, name_of(row), values[row]);
}

/* How many were decided by their stored values; every search in steps of another size. */
static uint32_t compare(const struct trial *indexed, const struct trial *flat, uint32_t k,
                        uint32_t step) {
    static struct hit wanted[K_MAX], given[K_MAX];
    struct query query = {.values = asked, .k = k, .exact = true};
    const struct collection *collection = trial_collection(indexed);
    uint32_t count =
        search_all(kernel_state(flat->kernel), trial_collection(flat), query, wanted);
    struct search search;
    query.room = roomy(collection, &query);
    search_begin(&search, kernel_state(indexed->kernel), collection, &query, given);
    while (!search_step(&search, step)) {
    }
    EXPECT_EQUAL(search.hit_count, count);
    for (uint32_t i = 0; i < count; i++)
        EXPECT(given[i].slot == wanted[i].slot &&
               given[i].distance == wanted[i].distance &&
               given[i].product == wanted[i].product && given[i].norm == wanted[i].norm);
    return search.codes.limit ? search.codes.decided : COUNT;
}

/* A little less than halfway to somewhere: what a query's code loses is then large. */
static void ask_near(uint32_t row, uint32_t dim) {
    for (uint32_t i = 0; i < dim; i++)
        asked[i] = values[row][i] / 2 + between(-40, 40) * 700;
}

static void try_pattern(enum pattern pattern, uint8_t metric, uint32_t dim) {
    struct trial indexed, flat;
    trial_begin(&indexed, metric, dim, 4, 16);
    trial_begin(&flat, metric, dim, 4, 16);
    flat.config.index = INDEX_FLAT;
    for (uint32_t i = 0; i < COUNT; i++) {
        draw_row(values[i], i, dim, pattern, metric);
        put_both(&indexed, &flat, i);
    }
    for (uint32_t i = 0; i < COUNT; i += 11) { /* some that route and are no records */
        trial_drop(&indexed, name_of(i));
        trial_drop(&flat, name_of(i));
    }
    /* In few dimensions errors point the same way more often: more questions. */
    uint32_t asks = dim < 4 ? 120 : 6;
    for (uint32_t i = 0; i < asks && test_run.ok; i++) {
        static const uint32_t counts[] = {1, 39, 10, 2, 5, 1};
        memset(asked, 0, sizeof asked);
        if (i % 6 == 1) memcpy(asked, values[i * 101 % COUNT], dim * sizeof asked[0]);
        else if (i % 6 == 3) ask_near(i * 101 % COUNT, dim);
        else if (i != 2) draw_row(asked, i, dim, i % 6 == 4 ? UNIFORM : pattern, metric);
        compare(&indexed, &flat, counts[i % 6], i % 6 == 3 ? 7 : UINT32_MAX);
        if (!test_run.ok)
            printf("    pattern %d, metric %d, length %u, query %u\n", pattern, metric,
                   (unsigned)dim, (unsigned)i);
    }
    kernel_destroy(indexed.kernel);
    kernel_destroy(flat.kernel);
}

static void answers_are_those_of_the_plain_scan(void) {
    static const uint32_t dims[] = {1, 2, 3, 64, 129};
    for (int pattern = 0; pattern < PATTERNS; pattern++)
        for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP; metric++)
            for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
                try_pattern((enum pattern)pattern, metric, dims[i]);
                if (!test_run.ok) return;
            }
}

/* Otherwise all of the above could be the plain scan twice. */
static void few_rows_are_decided_by_their_values(void) {
    for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP; metric++) {
        for (int pattern = UNIFORM; pattern <= BYTES; pattern++) {
            struct trial indexed, flat;
            uint32_t decided = 0;
            trial_begin(&indexed, metric, 64, 4, 16);
            trial_begin(&flat, metric, 64, 4, 16);
            flat.config.index = INDEX_FLAT;
            for (uint32_t i = 0; i < COUNT; i++) {
                draw_row(values[i], i, 64, (enum pattern)pattern, metric);
                put_both(&indexed, &flat, i);
            }
            for (int i = 0; i < 10; i++) {
                memset(asked, 0, sizeof asked);
                draw_row(asked, 1, 64, (enum pattern)pattern, metric);
                decided += compare(&indexed, &flat, 5, UINT32_MAX);
            }
            EXPECT(decided > 0 && decided < 10 * COUNT / 3);
            kernel_destroy(indexed.kernel);
            kernel_destroy(flat.kernel);
        }
    }
}

int main(void) {
    simd_select(NULL);
    RUN(answers_are_those_of_the_plain_scan);
    RUN(few_rows_are_decided_by_their_values);
    return test_finish();
}
