/* The portable definition of the vector loops, the choice among them, and the start-up
 * check.
 *
 * Everything here is written for a reader: one value at a time, no tricks. simd/ must
 * agree with it to the bit, also where narrow sums wrap, which is why they are made in
 * unsigned integers. */
#include "kernel/distance.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cpu.h"
#include "kernel/rounding.h"
#include "kernel/simd.h"

#include "kernel/pure.h"

/* --- The portable definition -------------------------------------------------------- */

static int64_t dot(const int32_t *a, const int32_t *b, uint32_t dim) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < dim; i++) sum += (uint64_t)((int64_t)a[i] * b[i]);
    return (int64_t)sum;
}

static int64_t l2(const int32_t *a, const int32_t *b, uint32_t dim) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < dim; i++) {
        int64_t difference = (int32_t)((uint32_t)a[i] - (uint32_t)b[i]);
        sum += (uint64_t)(difference * difference);
    }
    return (int64_t)sum;
}

static void dot_wide(const int32_t *a, const int32_t *b, uint32_t dim, int128 *result) {
    int128 sum = 0;
    for (uint32_t i = 0; i < dim; i++) sum += (int64_t)a[i] * b[i];
    *result = sum;
}

static void l2_wide(const int32_t *a, const int32_t *b, uint32_t dim, uint128 *result) {
    uint128 sum = 0;
    for (uint32_t i = 0; i < dim; i++) {
        /* At most 2^32 - 1, so the square fits 64 bits. */
        uint64_t distance = a[i] > b[i] ? (uint64_t)((int64_t)a[i] - b[i])
                                        : (uint64_t)((int64_t)b[i] - a[i]);
        sum += distance * distance;
    }
    *result = sum;
}

static void dot_rows(const int32_t *query, const int32_t *rows, uint32_t stride,
                     uint32_t count, int64_t *out) {
    for (uint32_t i = 0; i < count; i++)
        out[i] = dot(query, rows + (size_t)i * stride, stride);
}

static void l2_rows(const int32_t *query, const int32_t *rows, uint32_t stride,
                    uint32_t count, int64_t *out) {
    for (uint32_t i = 0; i < count; i++)
        out[i] = l2(query, rows + (size_t)i * stride, stride);
}

static uint32_t max_bits(const int32_t *values, uint32_t dim) {
    uint32_t all = 0; /* has the length of the longest */
    for (uint32_t i = 0; i < dim; i++)
        all |= values[i] < 0 ? 0 - (uint32_t)values[i] : (uint32_t)values[i];
    return (uint32_t)bit_length(all);
}

static struct fp32_extent fp32_extent(const uint8_t *blob, uint32_t dim) {
    struct fp32_extent extent = {0, 0};
    for (uint32_t i = 0; i < dim; i++) {
        uint32_t bits = load_le32(blob + 4 * (size_t)i);
        uint32_t *greatest = bits & FP32_SIGN ? &extent.negative : &extent.positive;
        if (bits > *greatest) *greatest = bits;
    }
    return extent;
}

/* One value times 2^(16 - exponent). A binary32 is significand * 2^(biased - 150), where
 * subnormal numbers have the power of the least normal ones and no hidden bit. */
static int32_t convert(uint32_t bits, int exponent) {
    int biased = (int)(bits >> FP32_FRACTION_BITS & 0xff);
    uint32_t significand = (bits & FP32_FRACTION) | (biased != 0 ? FP32_HIDDEN : 0);
    if (biased == 0) biased = 1;

    int shift = FP32_EXPONENT_BIAS + FP32_FRACTION_BITS - 16 + exponent - biased;
    uint32_t magnitude =
        shift > 0 ? (uint32_t)round_half_even(significand, (uint32_t)shift, false)
                  : significand << -shift;
    /* Unsigned negation, then a conversion that keeps the bits: -2^31 has no positive
     * twin. */
    return (int32_t)(bits & FP32_SIGN ? 0 - magnitude : magnitude);
}

static void fp32_convert(const uint8_t *blob, uint32_t dim, int exponent, int32_t *out) {
    for (uint32_t i = 0; i < dim; i++)
        out[i] = convert(load_le32(blob + 4 * (size_t)i), exponent);
}

static const struct distance_functions portable = {
    .name = "portable",
    .dot = dot,
    .l2 = l2,
    .dot_wide = dot_wide,
    .l2_wide = l2_wide,
    .dot_rows = dot_rows,
    .l2_rows = l2_rows,
    .max_bits = max_bits,
    .fp32_extent = fp32_extent,
    .fp32_convert = fp32_convert,
};

const struct distance_functions *distance_portable(void) { return &portable; }

/* --- Bounds ------------------------------------------------------------------------- */

/* ceil(log2 dim) */
static uint32_t dim_bits(uint32_t dim) { return (uint32_t)bit_length(dim - 1); }

bool dot_fits_64(uint32_t bits, uint32_t dim) { return 2 * bits + dim_bits(dim) <= 63; }

bool l2_fits_64(uint32_t bits, uint32_t dim) {
    /* A difference has one bit more than the values, and must itself fit an int32. */
    return bits <= 30 && 2 * (bits + 1) + dim_bits(dim) <= 63;
}

/* --- The choice --------------------------------------------------------------------- */

#if !defined(__x86_64__)
const struct distance_functions *distance_sse41(void) { return NULL; }
const struct distance_functions *distance_avx2(void) { return NULL; }
const struct distance_functions *distance_avx512(void) { return NULL; }
#endif
#if !defined(__AARCH64EL__)
const struct distance_functions *distance_neon(void) { return NULL; }
#endif

/* The one variable of the kernel: written before there is a second thread, then only
 * read. */
static const struct distance_functions *chosen = &portable;

const struct distance_functions *distance(void) { return chosen; }

const struct distance_functions *distance_select(const char *force) {
    struct cpu_features cpu = cpu_features();
    bool avx512 = cpu.avx512f && cpu.avx512bw && cpu.avx512vl && cpu.avx512dq;
    const struct distance_functions *const candidates[] = {
        /* the fastest first */
        avx512 ? distance_avx512() : NULL,
        cpu.avx2 ? distance_avx2() : NULL,
        cpu.sse41 ? distance_sse41() : NULL,
        distance_neon(), /* every AArch64 has it */
        &portable,
    };
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (!candidates[i]) continue;
        if (force && !simd_same_name(force, candidates[i]->name)) continue;
        chosen = candidates[i];
        return chosen;
    }
    return NULL;
}

/* --- The start-up check ------------------------------------------------------------- */

enum { CHECK_DIM = 130, CHECK_STRIDE = 144, CHECK_ROWS = 7 };

struct checker {
    uint64_t seed;
    /* A value in front, so that vectors can start out of alignment. */
    int32_t a[CHECK_DIM + 1], b[CHECK_DIM + 1];
    int32_t converted[CHECK_DIM], wanted[CHECK_DIM];
    uint8_t blob[4 * CHECK_DIM + 1];
    _Alignas(DISTANCE_ALIGNMENT) int32_t query[CHECK_STRIDE];
    _Alignas(DISTANCE_ALIGNMENT) int32_t rows[CHECK_ROWS * CHECK_STRIDE];
};

/* xorshift64: any sequence does, as long as it is the same in every process. */
static uint32_t next_draw(struct checker *checker) {
    checker->seed ^= checker->seed << 13;
    checker->seed ^= checker->seed >> 7;
    checker->seed ^= checker->seed << 17;
    return (uint32_t)(checker->seed >> 32);
}

static int32_t next_value(struct checker *checker) {
    static const int32_t extremes[] = {INT32_MIN, INT32_MIN + 1, INT32_MAX, -1, 0,
                                       1,         65536,         -65536};
    uint32_t draw = next_draw(checker);
    if (draw & 0x100) return extremes[draw & 7];
    return (int32_t)next_draw(checker);
}

static void fill(struct checker *checker, int32_t *values, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) values[i] = next_value(checker);
}

/* Patterns whose values fit at `exponent`, many of them ties. */
static void fill_blob(struct checker *checker, uint8_t *blob, uint32_t dim,
                      int exponent) {
    int greatest = FP32_EXPONENT_BIAS + 14 + exponent;
    if (greatest > 254) greatest = 254;
    for (uint32_t i = 0; i < dim; i++) {
        uint32_t draw = next_draw(checker);
        int biased = greatest - (int)(draw >> 8 & 63);
        if (biased < 0) biased = 0;
        uint32_t fraction = next_draw(checker) & FP32_FRACTION;
        if (draw & 1) fraction &= 0u - (1u << (draw >> 1 & 31) % FP32_FRACTION_BITS);
        uint32_t sign = draw & 0x80 ? FP32_SIGN : 0;
        store_le32(blob + 4 * (size_t)i,
                   sign | (uint32_t)biased << FP32_FRACTION_BITS | fraction);
    }
}

static bool pairs_agree(struct checker *checker,
                        const struct distance_functions *functions, uint32_t dim) {
    const int32_t *a = checker->a + 1, *b = checker->b + (dim & 1);
    fill(checker, checker->a, CHECK_DIM + 1);
    fill(checker, checker->b, CHECK_DIM + 1);
    int128 dot_wanted, dot_given;
    uint128 l2_wanted, l2_given;
    dot_wide(a, b, dim, &dot_wanted);
    l2_wide(a, b, dim, &l2_wanted);
    functions->dot_wide(a, b, dim, &dot_given);
    functions->l2_wide(a, b, dim, &l2_given);
    return dot_given == dot_wanted && l2_given == l2_wanted &&
           functions->dot(a, b, dim) == dot(a, b, dim) &&
           functions->l2(a, b, dim) == l2(a, b, dim) &&
           functions->max_bits(a, dim) == max_bits(a, dim);
}

static bool conversions_agree(struct checker *checker,
                              const struct distance_functions *functions, uint32_t dim) {
    int exponent = (int)(next_draw(checker) & 0xff) - 128;
    uint8_t *blob = checker->blob + (dim & 1);
    fill_blob(checker, blob, dim, exponent);
    struct fp32_extent wanted = fp32_extent(blob, dim);
    struct fp32_extent given = functions->fp32_extent(blob, dim);
    fp32_convert(blob, dim, exponent, checker->wanted);
    functions->fp32_convert(blob, dim, exponent, checker->converted);
    return given.positive == wanted.positive && given.negative == wanted.negative &&
           memcmp(checker->converted, checker->wanted, dim * sizeof checker->wanted[0]) ==
               0;
}

static bool rows_agree(struct checker *checker,
                       const struct distance_functions *functions, uint32_t stride,
                       uint32_t count) {
    int64_t wanted[CHECK_ROWS], given[CHECK_ROWS];
    fill(checker, checker->query, stride);
    fill(checker, checker->rows, stride * count);
    dot_rows(checker->query, checker->rows, stride, count, wanted);
    functions->dot_rows(checker->query, checker->rows, stride, count, given);
    if (memcmp(given, wanted, count * sizeof given[0]) != 0) return false;
    l2_rows(checker->query, checker->rows, stride, count, wanted);
    functions->l2_rows(checker->query, checker->rows, stride, count, given);
    return memcmp(given, wanted, count * sizeof given[0]) == 0;
}

bool distance_self_check(const struct distance_functions *functions) {
    struct checker checker;
    checker.seed = 0x9e3779b97f4a7c15;
    for (uint32_t dim = 1; dim <= CHECK_DIM; dim++) {
        if (!pairs_agree(&checker, functions, dim)) return false;
        if (!conversions_agree(&checker, functions, dim)) return false;
    }
    for (uint32_t stride = DISTANCE_STRIDE; stride <= CHECK_STRIDE;
         stride += DISTANCE_STRIDE)
        for (uint32_t count = 1; count <= CHECK_ROWS; count++)
            if (!rows_agree(&checker, functions, stride, count)) return false;
    return true;
}
