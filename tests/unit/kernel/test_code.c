/* Codes: what they stand for, and keys against sums written out in 128 bits. Lengths,
 * values and metrics that meet every case, for every kind of loops that this CPU has. */
#include "test.h"

#include <math.h>

#include "base/sha256.h"
#include "kernel/change.h"
#include "kernel/code.h"
#include "kernel/code_loops.h"
#include "kernel/distance.h"
#include "kernel/fixed.h"

enum { LENGTHS = 300, ROWS = 6 };

static uint64_t random_state = 1181783497276652981;
static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static const char *const kinds[] = {"portable", "sse4.1", "avx2",
                                    "avx512",   "neon",   "dotprod"};
#define FOR_EACH_KIND                                                                    \
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)                 \
        if (code_loops_select(kinds[kind]))

static const uint8_t metrics[] = {METRIC_COSINE, METRIC_L2, METRIC_IP};
#define FOR_EACH_METRIC(metric)                                                          \
    for (uint8_t metric##_at = 0, metric = metrics[0]; metric##_at < 3;                  \
         metric##_at++, metric = metrics[metric##_at % 3])

/* --- Values ------------------------------------------------------------------------- */

enum pattern {
    ZEROS,
    BYTES,   /* 0 .. 255: a lattice */
    ALL_255, /* its far corner */
    SIGNED_BYTES,
    HUGE_STEPS, /* a few multiples of 2^24 and more */
    UNIT,       /* as of text embeddings */
    TINY,       /* -2 .. 2 units of 2^-16 */
    ANY,
    EXTREMES,
    LEAST,
    ONE_LARGE, /* what all others round to nothing beside */
    PATTERNS
};

static int32_t draw(enum pattern pattern, uint32_t at) {
    static const int32_t extremes[] = {INT32_MIN, INT32_MAX, INT32_MIN + 1, 0, 1, -1};
    uint64_t random = next_random() >> 16;
    switch (pattern) {
    case BYTES:
        return (int32_t)(random % 256) << 16;
    case ALL_255:
        return 255 << 16;
    case SIGNED_BYTES:
        return ((int32_t)(random % 255) - 127) * 65536;
    case HUGE_STEPS:
        return (int32_t)((uint32_t)(random % 256) << 24);
    case UNIT:
        return (int32_t)(random % 16384) - 8192;
    case TINY:
        return (int32_t)(random % 5) - 2;
    case ANY:
        return (int32_t)random;
    case EXTREMES:
        return extremes[random % 6];
    case LEAST:
        return INT32_MIN;
    case ONE_LARGE:
        return at == 0 ? INT32_MAX : (int32_t)(random % 8454660);
    default:
        return 0;
    }
}

/* Cosine collections hold nothing above 2^17. */
static void fill(int32_t *values, uint32_t dim, enum pattern pattern, uint8_t metric) {
    for (uint32_t i = 0; i < dim; i++) {
        values[i] = draw(pattern, i);
        if (metric == METRIC_COSINE) values[i] /= 16384;
    }
}

struct coded {
    int32_t *values;
    uint8_t *row;
    int8_t *room;
    uint32_t dim;
    uint8_t metric;
    struct code_facts facts;
};

static struct coded coded_new(uint32_t dim) {
    size_t stride = code_stride(dim);
    return (struct coded){.values = malloc(dim * sizeof(int32_t)),
                          .row = aligned_alloc(64, stride),
                          .room = aligned_alloc(64, stride),
                          .dim = dim};
}

static void coded_free(struct coded *coded) {
    free(coded->values), free(coded->row), free(coded->room);
}

static void coded_fill(struct coded *coded, enum pattern pattern, uint8_t metric) {
    coded->metric = metric;
    fill(coded->values, coded->dim, pattern, metric);
    code_encode(metric, coded->values, coded->dim, coded->row, &coded->facts);
}

/* --- What a row stands for ---------------------------------------------------------- */

static bool is_lattice(const struct coded *coded) {
    return coded->metric != METRIC_COSINE && !(coded->facts.b & CODE_SCALED);
}

/* 128 times what value `at` of the row stands for. */
static int64_t stands_for(const struct coded *coded, uint32_t at) {
    if (is_lattice(coded)) return (int64_t)coded->row[at] << 23;
    return (int64_t)coded->facts.a * (coded->row[at] - 128);
}

/* L2 and IP: no value is further from what its code stands for than half a step, 2^-23 of
 * it and half a unit; exact rows by nothing. */
static void expect_near(const struct coded *coded) {
    bool exact = is_lattice(coded) || (coded->facts.b & CODE_EXACT);
    int64_t scale = is_lattice(coded) ? 1 << 23 : coded->facts.a;
    for (uint32_t i = 0; i < coded->dim; i++) {
        int64_t away = llabs(stands_for(coded, i) - 128 * (int64_t)coded->values[i]);
        EXPECT(away <= (exact ? 0 : scale / 2 + (scale >> 24) + 64));
        if (!test_run.ok) return;
    }
}

static void expect_facts(const struct coded *coded) {
    int64_t sum = 0, squares = 0;
    for (uint32_t i = 0; i < coded->dim; i++) {
        int64_t c = coded->row[i] - 128;
        sum += c, squares += c * c;
    }
    if (is_lattice(coded)) {
        EXPECT_EQUAL(coded->facts.a, squares);
        EXPECT_EQUAL(coded->facts.b, sum + (1 << 23));
    } else {
        EXPECT_EQUAL(coded->facts.b & (CODE_EXACT - 1), squares);
    }
}

static void rows_stand_for_values_nearby(void) {
    for (uint32_t dim = 1; dim <= LENGTHS; dim++) {
        struct coded coded = coded_new(dim);
        for (int pattern = 0; pattern < PATTERNS; pattern++) {
            for (uint8_t metric = METRIC_L2; metric <= METRIC_IP; metric++) {
                coded_fill(&coded, (enum pattern)pattern, metric);
                expect_near(&coded);
                expect_facts(&coded);
            }
        }
        for (uint32_t i = dim; i < code_stride(dim); i++) EXPECT_EQUAL(coded.row[i], 128);
        coded_free(&coded);
        if (!test_run.ok) return;
    }
}

/* Which rows lose nothing. */
static void bytes_and_small_multiples_are_kept(void) {
    static const struct {
        int32_t values[3];
        bool lattice, exact;
    } cases[] = {
        {{0, 0, 0}, true, true},
        {{255 * 65536, 0, 65536}, true, true},
        {{256 * 65536, 0, 65536}, false, false},
        {{-127 * 65536, 127 * 65536, 65536}, false, true},
        {{-128 * 65536, 0, 65536}, false, false},
        {{-128 * 65536, 0, 2 * 65536}, false, true},
        {{1, 127, -1}, false, true},
        {{1, 128, -1}, false, false},
        {{3, 5, 7}, false, true},
        {{1 << 30, -(1 << 30), 1 << 24}, false, true},
        {{INT32_MIN, 0, 0}, false, false}, /* 128 * 2^24 */
        {{INT32_MIN, INT32_MAX, 1}, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct coded coded = coded_new(3);
        memcpy(coded.values, cases[i].values, sizeof cases[i].values);
        coded.metric = METRIC_L2;
        code_encode(METRIC_L2, coded.values, 3, coded.row, &coded.facts);
        EXPECT_EQUAL(is_lattice(&coded), cases[i].lattice);
        if (!cases[i].lattice)
            EXPECT_EQUAL((coded.facts.b & CODE_EXACT) != 0, cases[i].exact);
        expect_near(&coded);
        coded_free(&coded);
    }
}

/* --- Keys --------------------------------------------------------------------------- */

/* The leading bits, a bit at a time. */
static uint32_t leading_bits(uint128 value, int kept) {
    uint32_t shift = 0;
    while (value >> kept != 0) value >>= 1, shift++;
    return (shift << (kept - 1)) + (uint32_t)value;
}

static uint32_t wanted_key(const struct coded *a, const struct coded *b) {
    uint128 distance = 0;
    int128 product = 0;
    int64_t dot = 0;
    for (uint32_t i = 0; i < a->dim; i++) {
        int128 difference = (int128)stands_for(a, i) - stands_for(b, i);
        distance += (uint128)(difference * difference);
        product += (int128)stands_for(a, i) * stands_for(b, i);
        dot += (int64_t)(a->row[i] - 128) * (b->row[i] - 128);
    }
    if (a->metric == METRIC_L2) return leading_bits(distance, 26);
    if (a->metric == METRIC_IP) {
        uint32_t size = leading_bits((uint128)(product < 0 ? -product : product), 25);
        return product < 0 ? 0x80000000 + size : 0x80000000 - size;
    }
    int128 cosine = (int128)dot * a->facts.a * b->facts.a;
    int128 unit = (int128)1 << 44;
    int128 floor = cosine >= 0 ? cosine / unit : -((-cosine + unit - 1) / unit);
    return (uint32_t)(((int64_t)1 << 30) - (int64_t)floor);
}

static void expect_keys(const struct coded *rows, uint32_t count) {
    const uint8_t *codes[ROWS];
    const struct code_facts *facts[ROWS];
    for (uint32_t i = 0; i < count; i++)
        codes[i] = rows[i].row, facts[i] = &rows[i].facts;
    for (uint32_t i = 0; i < count; i++) {
        const struct coded *one = &rows[i];
        struct code_query query;
        uint32_t keys[ROWS], again[ROWS];
        code_query_begin(&query, one->metric, one->values, one->dim, one->room);
        code_keys(&query, codes, facts, count, keys);
        code_query_row(&query, one->metric, one->dim, one->row, &one->facts, one->room);
        code_keys(&query, codes, facts, count, again);
        EXPECT_BYTES(keys, again, count * sizeof keys[0]);
        for (uint32_t j = 0; j < count; j++) {
            if (keys[j] == wanted_key(one, &rows[j]) &&
                keys[j] == wanted_key(&rows[j], one))
                continue;
            printf("    %s, length %u, metric %u, rows %u and %u\n", code_loops()->name,
                   (unsigned)one->dim, one->metric, (unsigned)i, (unsigned)j);
            EXPECT_EQUAL(keys[j], wanted_key(one, &rows[j]));
            EXPECT_EQUAL(keys[j], wanted_key(&rows[j], one));
            return;
        }
    }
}

static void keys_are_exact_and_symmetric(void) {
    FOR_EACH_KIND {
        for (uint32_t dim = 1; dim <= LENGTHS; dim++) {
            struct coded rows[ROWS];
            for (int i = 0; i < ROWS; i++) rows[i] = coded_new(dim);
            FOR_EACH_METRIC(metric) {
                uint32_t count = 1 + (uint32_t)(next_random() % ROWS);
                for (int i = 0; i < ROWS; i++)
                    coded_fill(&rows[i], (enum pattern)(next_random() % PATTERNS),
                               metric);
                expect_keys(rows, count);
            }
            for (int i = 0; i < ROWS; i++) coded_free(&rows[i]);
            if (!test_run.ok) return;
        }
    }
}

/* The bounds of code.h and code.c. */
static void keys_hold_at_the_greatest_dimension(void) {
    struct coded rows[ROWS];
    for (int i = 0; i < ROWS; i++) rows[i] = coded_new(VECTOR_DIM_MAX);
    static const enum pattern patterns[] = {ZEROS,    ALL_255,   LEAST,
                                            EXTREMES, ONE_LARGE, ANY};
    FOR_EACH_KIND {
        FOR_EACH_METRIC(metric) {
            for (int i = 0; i < ROWS; i++) coded_fill(&rows[i], patterns[i], metric);
            for (uint32_t i = 0; i < VECTOR_DIM_MAX; i++) /* opposite to LEAST */
                rows[5].values[i] = metric == METRIC_COSINE ? 1 << 17 : INT32_MAX;
            code_encode(metric, rows[5].values, VECTOR_DIM_MAX, rows[5].row,
                        &rows[5].facts);
            expect_keys(rows, ROWS);
        }
    }
    for (int i = 0; i < ROWS; i++) coded_free(&rows[i]);
}

/* Between lattice rows nothing is lost up to 1,024 dimensions. */
static void lattice_keys_order_as_distances_do(void) {
    enum { COUNT = 64, DIM = 1024 };
    struct coded ours = coded_new(DIM), rows[COUNT];
    struct code_query query;
    const uint8_t *codes[COUNT];
    const struct code_facts *facts[COUNT];
    uint32_t keys[COUNT];
    coded_fill(&ours, ZEROS, METRIC_L2);
    for (int i = 0; i < COUNT; i++) {
        rows[i] = coded_new(DIM);
        coded_fill(&rows[i], ALL_255, METRIC_L2); /* as far as can be, one step apart */
        rows[i].values[i] -= 65536 * (i / 2);
        code_encode(METRIC_L2, rows[i].values, DIM, rows[i].row, &rows[i].facts);
        codes[i] = rows[i].row, facts[i] = &rows[i].facts;
    }
    code_query_begin(&query, METRIC_L2, ours.values, DIM, ours.room);
    code_keys(&query, codes, facts, COUNT, keys);
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            int64_t a = distance()->l2(ours.values, rows[i].values, DIM);
            int64_t b = distance()->l2(ours.values, rows[j].values, DIM);
            EXPECT_EQUAL((keys[i] > keys[j]) - (keys[i] < keys[j]), (a > b) - (a < b));
        }
    }
    for (int i = 0; i < COUNT; i++) coded_free(&rows[i]);
    coded_free(&ours);
}

/* --- Directions --------------------------------------------------------------------- */

static void chords_bound_the_loss_of_direction(void) {
    for (uint32_t dim = 1; dim <= LENGTHS; dim++) {
        struct coded coded = coded_new(dim);
        for (int pattern = BYTES; pattern < PATTERNS; pattern++) {
            coded_fill(&coded, (enum pattern)pattern, METRIC_COSINE);
            long double dot = 0, norm = 0, squares = 0, chord = 0;
            for (uint32_t i = 0; i < dim; i++) {
                long double x = coded.values[i], c = coded.row[i] - 128;
                dot += x * c, norm += x * x, squares += c * c;
            }
            if (norm == 0) {
                EXPECT_EQUAL(coded.facts.a, 0);
                EXPECT_EQUAL(coded.facts.b, 0);
                continue;
            }
            for (uint32_t i = 0; i < dim; i++) {
                long double x = coded.values[i], c = coded.row[i] - 128;
                long double away = x / sqrtl(norm) - c / sqrtl(squares);
                chord += away * away;
            }
            long double bound = coded.facts.b / 0x1p30L;
            EXPECT(bound >= sqrtl(chord) - 1e-12L);
            EXPECT(bound <= sqrtl(chord) * (1 + chord) + 2e-9L);
            long double inverse = 0x1p37L / sqrtl(squares);
            EXPECT(coded.facts.a <= inverse &&
                   coded.facts.a >= inverse * (1 - 1e-6L) - 1);
        }
        coded_free(&coded);
        if (!test_run.ok) return;
    }
}

static void a_code_has_cosine_one_with_itself_at_most(void) {
    for (uint32_t dim = 1; dim <= LENGTHS; dim++) {
        struct coded rows[1] = {coded_new(dim)};
        struct code_query query;
        coded_fill(&rows[0], ANY, METRIC_COSINE);
        code_query_row(&query, METRIC_COSINE, dim, rows[0].row, &rows[0].facts,
                       rows[0].room);
        const uint8_t *codes[] = {rows[0].row};
        const struct code_facts *facts[] = {&rows[0].facts};
        uint32_t key;
        code_keys(&query, codes, facts, 1, &key);
        EXPECT(key < 1 << 12); /* of 2^30; nothing below 0 */
        coded_free(&rows[0]);
    }
}

/* --- The same on every machine -------------------------------------------------------
 */

static void golden_codes_and_keys(void) {
    static const uint8_t wanted[SHA256_SIZE] = {
        0x15, 0xb6, 0xdc, 0x9e, 0xb0, 0xee, 0xf3, 0x69, 0x38, 0xf7, 0xfb,
        0x16, 0xe3, 0x07, 0x7b, 0x89, 0x08, 0x82, 0x0e, 0xb3, 0xac, 0x34,
        0x9c, 0xa9, 0x47, 0x77, 0x8e, 0x05, 0x64, 0x4b, 0x80, 0x43};
    FOR_EACH_KIND {
        struct sha256 hash;
        uint8_t digest[SHA256_SIZE];
        sha256_begin(&hash);
        random_state = 42;
        for (uint32_t dim = 1; dim <= 200; dim += 7) {
            struct coded rows[ROWS];
            for (int i = 0; i < ROWS; i++) rows[i] = coded_new(dim);
            FOR_EACH_METRIC(metric) {
                const uint8_t *codes[ROWS];
                const struct code_facts *facts[ROWS];
                struct code_query query;
                uint32_t keys[ROWS];
                for (int i = 0; i < ROWS; i++) {
                    coded_fill(&rows[i], (enum pattern)(next_random() % PATTERNS),
                               metric);
                    codes[i] = rows[i].row, facts[i] = &rows[i].facts;
                    sha256_add(&hash, rows[i].row, code_stride(dim));
                }
                code_query_begin(&query, metric, rows[0].values, dim, rows[0].room);
                code_keys(&query, codes, facts, ROWS, keys);
                for (int i = 0; i < ROWS; i++) {
                    uint8_t bytes[4];
                    for (int j = 0; j < 4; j++) bytes[j] = (uint8_t)(keys[i] >> 8 * j);
                    sha256_add(&hash, bytes, sizeof bytes);
                }
            }
            for (int i = 0; i < ROWS; i++) coded_free(&rows[i]);
        }
        sha256_end(&hash, digest);
        EXPECT_BYTES(digest, wanted, sizeof digest);
    }
}

int main(void) {
    RUN(rows_stand_for_values_nearby);
    RUN(bytes_and_small_multiples_are_kept);
    RUN(keys_are_exact_and_symmetric);
    RUN(keys_hold_at_the_greatest_dimension);
    RUN(lattice_keys_order_as_distances_do);
    RUN(chords_bound_the_loss_of_direction);
    RUN(a_code_has_cosine_one_with_itself_at_most);
    RUN(golden_codes_and_keys);
    return test_finish();
}
