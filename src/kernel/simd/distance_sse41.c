/* The vector loops for SSE4.1. The same shape as distance_avx2.c, four lanes instead of
 * eight. There are neither masked loads nor shifts by a vector: the last, partial vector
 * goes through a small array, and conversion is the portable one. */
#if defined(__x86_64__)

#include <immintrin.h>

#include <string.h>

#include "kernel/distance.h"

#include "kernel/pure.h"

enum { LANES = 4 };

static inline __m128i load(const void *address) { return _mm_loadu_si128(address); }

/* The first `count` lanes, fewer than LANES; zeros in the others. */
static inline __m128i load_some(const void *address, uint32_t count) {
    int32_t lanes[LANES] = {0};
    memcpy(lanes, address, 4 * (size_t)count);
    return load(lanes);
}

static inline __m128i odd_lanes(__m128i values) { return _mm_srli_epi64(values, 32); }

/* Two sums, since each 64-bit lane has an even and an odd product: independent chains. */
struct sums {
    __m128i even, odd;
};

static inline void add_products(struct sums *sums, __m128i a, __m128i b) {
    __m128i even = _mm_mul_epi32(a, b);
    __m128i odd = _mm_mul_epi32(odd_lanes(a), odd_lanes(b));
    sums->even = _mm_add_epi64(sums->even, even);
    sums->odd = _mm_add_epi64(sums->odd, odd);
}

static inline void add_squares(struct sums *sums, __m128i a, __m128i b) {
    __m128i difference = _mm_sub_epi32(a, b);
    add_products(sums, difference, difference);
}

/* The sum of all products, still in lanes. */
static inline __m128i sum_products(const int32_t *a, const int32_t *b, uint32_t dim) {
    struct sums sums = {_mm_setzero_si128(), _mm_setzero_si128()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES) add_products(&sums, load(a + i), load(b + i));
    if (i < dim)
        add_products(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    return _mm_add_epi64(sums.even, sums.odd);
}

static inline __m128i sum_squares(const int32_t *a, const int32_t *b, uint32_t dim) {
    struct sums sums = {_mm_setzero_si128(), _mm_setzero_si128()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES) add_squares(&sums, load(a + i), load(b + i));
    if (i < dim) add_squares(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    return _mm_add_epi64(sums.even, sums.odd);
}

static inline int64_t reduce(__m128i sums) {
    return _mm_cvtsi128_si64(_mm_add_epi64(sums, _mm_unpackhi_epi64(sums, sums)));
}

static int64_t dot(const int32_t *a, const int32_t *b, uint32_t dim) {
    return reduce(sum_products(a, b, dim));
}

static int64_t l2(const int32_t *a, const int32_t *b, uint32_t dim) {
    return reduce(sum_squares(a, b, dim));
}

/* --- Wide sums ---------------------------------------------------------------------- */

/* The halves of 64-bit products, summed apart: 65,536 of them take 48 bits. */
struct halves {
    __m128i low, high;
};

static inline void add_halves(struct halves *sums, __m128i low, __m128i high) {
    low = _mm_and_si128(low, _mm_set1_epi64x(0xffffffff));
    sums->low = _mm_add_epi64(sums->low, low);
    sums->high = _mm_add_epi64(sums->high, high);
}

/* products >> 32 with their sign, which SSE4.1 has for 32-bit lanes only. */
static inline __m128i signed_high(__m128i products) {
    __m128i sign = _mm_srai_epi32(products, 31);
    return _mm_blend_epi16(_mm_srli_epi64(products, 32), sign, 0xcc);
}

static inline void add_wide_products(struct halves *sums, __m128i a, __m128i b) {
    __m128i even = _mm_mul_epi32(a, b);
    __m128i odd = _mm_mul_epi32(odd_lanes(a), odd_lanes(b));
    add_halves(sums, even, signed_high(even));
    add_halves(sums, odd, signed_high(odd));
}

/* |a - b| fits 32 bits without a sign, whatever wraps on the way; its square fits 64. */
static inline void add_wide_squares(struct halves *sums, __m128i a, __m128i b) {
    __m128i distance = _mm_sub_epi32(_mm_max_epi32(a, b), _mm_min_epi32(a, b));
    __m128i even = _mm_mul_epu32(distance, distance);
    __m128i odd = _mm_mul_epu32(odd_lanes(distance), odd_lanes(distance));
    add_halves(sums, even, _mm_srli_epi64(even, 32));
    add_halves(sums, odd, _mm_srli_epi64(odd, 32));
}

static int128 total(struct halves sums) {
    return (int128)reduce(sums.high) * ((int128)1 << 32) + reduce(sums.low);
}

static void dot_wide(const int32_t *a, const int32_t *b, uint32_t dim, int128 *result) {
    struct halves sums = {_mm_setzero_si128(), _mm_setzero_si128()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        add_wide_products(&sums, load(a + i), load(b + i));
    if (i < dim)
        add_wide_products(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    *result = total(sums);
}

static void l2_wide(const int32_t *a, const int32_t *b, uint32_t dim, uint128 *result) {
    struct halves sums = {_mm_setzero_si128(), _mm_setzero_si128()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        add_wide_squares(&sums, load(a + i), load(b + i));
    if (i < dim)
        add_wide_squares(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    *result = (uint128)total(sums);
}

/* --- The scan ----------------------------------------------------------------------- */

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

/* --- Bits --------------------------------------------------------------------------- */

static uint32_t max_bits(const int32_t *values, uint32_t dim) {
    __m128i all = _mm_setzero_si128();
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        all = _mm_or_si128(all, _mm_abs_epi32(load(values + i)));
    if (i < dim) all = _mm_or_si128(all, _mm_abs_epi32(load_some(values + i, dim - i)));
    uint64_t two =
        (uint64_t)_mm_cvtsi128_si64(_mm_or_si128(all, _mm_unpackhi_epi64(all, all)));
    uint32_t bits = (uint32_t)(two | two >> 32);
    return bits == 0 ? 0 : 32 - (uint32_t)__builtin_clz(bits);
}

/* The greatest of four unsigned lanes. */
static uint32_t greatest_lane(__m128i four) {
    __m128i two = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0x4e));
    return (uint32_t)_mm_cvtsi128_si32(_mm_max_epu32(two, _mm_shuffle_epi32(two, 0xb1)));
}

/* Without a sign bit patterns are positive as signed integers, and the greatest of both
 * kinds come from a signed and an unsigned maximum. */
static struct fp32_extent fp32_extent(const uint8_t *blob, uint32_t dim) {
    __m128i positive = _mm_setzero_si128(), negative = positive;
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES) {
        __m128i bits = load(blob + 4 * (size_t)i);
        positive = _mm_max_epi32(positive, bits);
        negative = _mm_max_epu32(negative, bits);
    }
    if (i < dim) {
        __m128i bits = load_some(blob + 4 * (size_t)i, dim - i);
        positive = _mm_max_epi32(positive, bits);
        negative = _mm_max_epu32(negative, bits);
    }
    uint32_t greatest = greatest_lane(negative);
    return (struct fp32_extent){greatest_lane(positive), greatest >> 31 ? greatest : 0};
}

static void fp32_convert(const uint8_t *blob, uint32_t dim, int exponent, int32_t *out) {
    distance_portable()->fp32_convert(blob, dim, exponent, out);
}

static const struct distance_functions sse41 = {
    .name = "sse4.1",
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

const struct distance_functions *distance_sse41(void) { return &sse41; }

#endif
