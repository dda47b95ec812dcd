/* Distances: golden rows, then every kind of vector loops that this CPU has against the
 * portable definition, and that one against 128-bit sums of its own. */
#include "test.h"

#include "base/bytes.h"
#include "kernel/distance.h"
#include "kernel/fixed.h"

enum { LENGTHS = 130, ROUNDS = 24 };

static uint64_t random_state = 2463534242;
static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static const char *const kinds[] = {"portable", "sse4.1", "avx2", "avx512", "neon"};
#define FOR_EACH_KIND(functions)                                                         \
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)                 \
        for (const struct distance_functions *functions = distance_select(kinds[kind]);  \
             functions; functions = NULL)

/* Say which kind and length failed; the first is enough. */
#define AGREES(condition)                                                                \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            printf("    %s at length %u\n", functions->name, (unsigned)dim);             \
            EXPECT(condition);                                                           \
            return;                                                                      \
        }                                                                                \
    } while (0)

/* --- Adversarial values ------------------------------------------------------------- */

enum pattern {
    ALL_LEAST,
    ALL_GREATEST,
    EXTREMES,
    RANDOM,
    SMALL,
    ONE_AT_THE_END,
    PATTERNS
};

static int32_t next_value(enum pattern pattern) {
    static const int32_t extremes[] = {INT32_MIN, INT32_MAX, INT32_MIN + 1, 0, 1, -1};
    uint64_t draw = next_random();
    switch (pattern) {
    case ALL_LEAST:
        return INT32_MIN;
    case ALL_GREATEST:
        return INT32_MAX;
    case EXTREMES:
        return extremes[draw % 6];
    case RANDOM:
        return (int32_t)(draw >> 32);
    case SMALL:
        return (int32_t)(draw % 131073) - 65536;
    default:
        return 0;
    }
}

static void fill(int32_t *values, uint32_t dim, enum pattern pattern) {
    for (uint32_t i = 0; i < dim; i++) values[i] = next_value(pattern);
    if (pattern == ONE_AT_THE_END) values[dim - 1] = 1 + (int32_t)(next_random() % 1000);
}

/* --- Golden rows -------------------------------------------------------------------- */

static void golden_sums(void) {
    static const int32_t a[] = {65536, -65536, 3, INT32_MAX},
                         b[] = {65536, 65536, -5, INT32_MIN};
    FOR_EACH_KIND(functions) {
        int128 dot;
        uint128 l2;
        EXPECT_EQUAL(functions->dot(a, b, 1), 4294967296);
        EXPECT_EQUAL(functions->dot(a, b, 2), 0);
        EXPECT_EQUAL(functions->dot(a, b, 3), -15);
        EXPECT_EQUAL(functions->dot(a, b, 4), -15 - 4611686016279904256);
        EXPECT_EQUAL(functions->l2(a, b, 1), 0);
        EXPECT_EQUAL(functions->l2(a, b, 2), 17179869184);
        EXPECT_EQUAL(functions->l2(a, b, 3), 17179869248);
        EXPECT_EQUAL(functions->l2(a, b, 4),
                     17179869249); /* the difference wraps to -1 */
        functions->dot_wide(a, b, 4, &dot);
        EXPECT_EQUAL(dot, -15 - 4611686016279904256);
        functions->l2_wide(a, b, 4, &l2);
        EXPECT(l2 == (uint128)0xffffffff * 0xffffffff + 17179869248);
        EXPECT_EQUAL(functions->max_bits(a, 3), 17);
        EXPECT_EQUAL(functions->max_bits(a, 4), 31);
        EXPECT_EQUAL(functions->max_bits(b, 4), 32);
        EXPECT_EQUAL(functions->max_bits((const int32_t[]){0, 0}, 2), 0);
        EXPECT_EQUAL(functions->max_bits((const int32_t[]){0, -1}, 2), 1);
    }
}

static void wide_sums_hold_the_greatest_dimension(void) {
    static int32_t least[VECTOR_DIM_MAX], greatest[VECTOR_DIM_MAX];
    fill(least, VECTOR_DIM_MAX, ALL_LEAST);
    fill(greatest, VECTOR_DIM_MAX, ALL_GREATEST);
    FOR_EACH_KIND(functions) {
        int128 dot;
        uint128 l2;
        functions->dot_wide(least, least, VECTOR_DIM_MAX, &dot);
        EXPECT(dot == (int128)1 << 78);
        functions->dot_wide(least, greatest, VECTOR_DIM_MAX, &dot);
        EXPECT(dot == -(int128)0x7fffffff * ((int128)1 << 47));
        functions->l2_wide(least, greatest, VECTOR_DIM_MAX, &l2);
        EXPECT(l2 == (uint128)0xffffffff * 0xffffffff * VECTOR_DIM_MAX);
    }
}

static void bounds_of_narrow_sums(void) {
    EXPECT(l2_fits_64(17, 65536));
    EXPECT(l2_fits_64(22, 65536));
    EXPECT(!l2_fits_64(23, 65536));
    EXPECT(l2_fits_64(24, 8192));
    EXPECT(!l2_fits_64(24, 8193));
    EXPECT(l2_fits_64(30, 2));
    EXPECT(!l2_fits_64(30, 3));
    EXPECT(!l2_fits_64(31, 1));
    EXPECT(!l2_fits_64(32, 1));
    EXPECT(dot_fits_64(23, 65536));
    EXPECT(!dot_fits_64(24, 65536));
    EXPECT(dot_fits_64(31, 2));
    EXPECT(!dot_fits_64(31, 3));
    EXPECT(!dot_fits_64(32, 1));
}

/* Where a bound says yes, the narrow sum of the worst vectors is the wide one. */
static void narrow_sums_are_exact_within_their_bounds(void) {
    static int32_t a[VECTOR_DIM_MAX], b[VECTOR_DIM_MAX];
    static const uint32_t dims[] = {1, 2, 3, 127, 128, 8192, 8193, 65535, 65536};
    for (uint32_t bits = 1; bits <= 31; bits++) {
        for (uint32_t i = 0; i < VECTOR_DIM_MAX; i++) {
            a[i] = (int32_t)(((uint32_t)1 << bits) - 1);
            b[i] = -a[i];
        }
        for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
            int128 dot;
            uint128 l2;
            distance_portable()->dot_wide(a, b, dims[i], &dot);
            distance_portable()->l2_wide(a, b, dims[i], &l2);
            FOR_EACH_KIND(functions) {
                if (dot_fits_64(bits, dims[i]))
                    EXPECT(functions->dot(a, b, dims[i]) == dot);
                if (l2_fits_64(bits, dims[i]))
                    EXPECT((uint128)functions->l2(a, b, dims[i]) == l2);
            }
        }
    }
}

/* --- Every kind against the definition ---------------------------------------------- */

static void every_length_and_value_agrees(void) {
    const struct distance_functions *portable = distance_portable();
    for (uint32_t dim = 1; dim <= LENGTHS; dim++) {
        for (uint32_t round = 0; round < ROUNDS * PATTERNS; round++) {
            /* Exactly sized, so that sanitizers see a read past the end; out of alignment
             * by one value every other time. */
            uint32_t offset = round & 1;
            int32_t *a_memory = malloc((dim + offset) * sizeof *a_memory);
            int32_t *b_memory = malloc(dim * sizeof *b_memory);
            int32_t *a = a_memory + offset, *b = b_memory;
            fill(a, dim, (enum pattern)(round % PATTERNS));
            fill(b, dim, (enum pattern)(round / PATTERNS % PATTERNS));
            int128 dot = 0, dot_given;
            uint128 l2 = 0, l2_given;
            for (uint32_t i = 0; i < dim; i++) {
                int64_t difference = (int64_t)a[i] - b[i];
                dot += (int128)a[i] * b[i];
                l2 += (uint128)((int128)difference * difference);
            }
            FOR_EACH_KIND(functions) {
                AGREES(functions->dot(a, b, dim) == portable->dot(a, b, dim));
                AGREES(functions->dot(a, b, dim) == (int64_t)dot);
                AGREES(functions->l2(a, b, dim) == portable->l2(a, b, dim));
                AGREES(functions->max_bits(a, dim) == portable->max_bits(a, dim));
                functions->dot_wide(a, b, dim, &dot_given);
                AGREES(dot_given == dot);
                functions->l2_wide(a, b, dim, &l2_given);
                AGREES(l2_given == l2);
            }
            free(a_memory);
            free(b_memory);
        }
    }
}

static void rows_agree(void) {
    const struct distance_functions *portable = distance_portable();
    for (uint32_t dim = DISTANCE_STRIDE; dim <= 2064; dim += dim < 288 ? 16 : 592) {
        for (uint32_t count = 0; count <= 11; count++) {
            size_t bytes = dim * sizeof(int32_t);
            int32_t *query = aligned_alloc(DISTANCE_ALIGNMENT, bytes);
            int32_t *rows = aligned_alloc(DISTANCE_ALIGNMENT, bytes * (count + 1));
            for (enum pattern pattern = 0; pattern < PATTERNS; pattern++) {
                fill(query, dim, EXTREMES);
                for (uint32_t i = 0; i < count; i++) fill(rows + i * dim, dim, pattern);
                FOR_EACH_KIND(functions) {
                    int64_t dots[12], squares[12];
                    dots[count] = squares[count] = 77;
                    functions->dot_rows(query, rows, dim, count, dots);
                    functions->l2_rows(query, rows, dim, count, squares);
                    for (uint32_t i = 0; i < count; i++) {
                        AGREES(dots[i] == portable->dot(query, rows + i * dim, dim));
                        AGREES(squares[i] == portable->l2(query, rows + i * dim, dim));
                    }
                    AGREES(dots[count] == 77 && squares[count] == 77);
                }
            }
            free(query);
            free(rows);
        }
    }
}

/* --- Conversions -------------------------------------------------------------------- */

static void conversions_agree(void) {
    const struct distance_functions *portable = distance_portable();
    for (uint32_t dim = 1; dim <= LENGTHS; dim++) {
        for (int exponent = -128; exponent <= 127; exponent++) {
            uint8_t blob[4 * LENGTHS + 3], *start = blob + (exponent & 3);
            int greatest = 127 + 14 + exponent; /* what fits int32 */
            if (greatest > 254) greatest = 254;
            for (uint32_t i = 0; i < dim; i++) {
                uint64_t draw = next_random();
                int biased = greatest - (int)(draw % 48);
                if (biased < 0 || draw >> 20 % 16 == 0) biased = 0;
                uint32_t fraction = (uint32_t)(draw >> 32) & 0x7fffff;
                if (draw >> 8 & 1) fraction &= ~0u << (draw >> 9) % 24;
                uint32_t sign = (uint32_t)(draw >> 16 & 1) << 31;
                store_le32(start + 4 * i, sign | (uint32_t)biased << 23 | fraction);
            }
            int32_t wanted[LENGTHS], given[LENGTHS + 1];
            struct fp32_extent extent = portable->fp32_extent(start, dim);
            portable->fp32_convert(start, dim, exponent, wanted);
            FOR_EACH_KIND(functions) {
                struct fp32_extent other = functions->fp32_extent(start, dim);
                AGREES(other.positive == extent.positive &&
                       other.negative == extent.negative);
                given[dim] = 77;
                functions->fp32_convert(start, dim, exponent, given);
                AGREES(memcmp(given, wanted, dim * sizeof given[0]) == 0 &&
                       given[dim] == 77);
            }
        }
    }
}

/* Any bits at all, the refused ones too, and -2^15, which alone has its magnitude. */
static void extents_agree(void) {
    const struct distance_functions *portable = distance_portable();
    for (uint32_t dim = 1; dim <= LENGTHS; dim++) {
        for (uint32_t round = 0; round < 200; round++) {
            uint8_t blob[4 * LENGTHS];
            uint32_t mask = round % 3 == 0 ? 0x7fffffff : 0xffffffff;
            uint32_t forced = round % 3 == 1 ? 0x80000000 : 0;
            for (uint32_t i = 0; i < dim; i++)
                store_le32(blob + 4 * i, ((uint32_t)next_random() & mask) | forced);
            struct fp32_extent extent = portable->fp32_extent(blob, dim);
            FOR_EACH_KIND(functions) {
                struct fp32_extent other = functions->fp32_extent(blob, dim);
                AGREES(other.positive == extent.positive &&
                       other.negative == extent.negative);
            }
        }
    }
    FOR_EACH_KIND(functions) {
        uint8_t blob[4 * LENGTHS];
        int32_t out[LENGTHS];
        for (uint32_t dim = 1; dim <= LENGTHS; dim++) {
            for (uint32_t i = 0; i < dim; i++) store_le32(blob + 4 * i, 0xc7000000);
            functions->fp32_convert(blob, dim, 0, out);
            for (uint32_t i = 0; i < dim; i++) AGREES(out[i] == INT32_MIN);
        }
    }
}

/* --- The choice --------------------------------------------------------------------- */

static int64_t wrong_dot(const int32_t *a, const int32_t *b, uint32_t dim) {
    return distance_portable()->dot(a, b, dim) + (dim == 97);
}

static void self_check_passes_and_finds_faults(void) {
    FOR_EACH_KIND(functions) EXPECT(distance_self_check(functions));
    struct distance_functions wrong = *distance_portable();
    EXPECT(distance_self_check(&wrong));
    wrong.dot = wrong_dot;
    EXPECT(!distance_self_check(&wrong));
    wrong = *distance_portable();
    wrong.l2_rows = wrong.dot_rows;
    EXPECT(!distance_self_check(&wrong));
}

static void selects_by_name_or_the_best(void) {
    EXPECT(distance_select("portable") == distance_portable());
    EXPECT(distance() == distance_portable());
    EXPECT(distance_select("abacus") == NULL);
    EXPECT(distance_select("port") == NULL);
    EXPECT(distance_select("") == NULL);
    EXPECT(distance() == distance_portable()); /* nothing changed */
    const struct distance_functions *best = distance_select(NULL);
    EXPECT(best != NULL && distance() == best);
}

int main(void) {
    EXPECT(distance() == distance_portable()); /* before any choice */
    RUN(golden_sums);
    RUN(wide_sums_hold_the_greatest_dimension);
    RUN(bounds_of_narrow_sums);
    RUN(narrow_sums_are_exact_within_their_bounds);
    RUN(every_length_and_value_agrees);
    RUN(rows_agree);
    RUN(conversions_agree);
    RUN(extents_agree);
    RUN(self_check_passes_and_finds_faults);
    RUN(selects_by_name_or_the_best);
    return test_finish();
}
