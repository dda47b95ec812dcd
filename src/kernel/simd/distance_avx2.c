/* The vector loops for AVX2. The same shape as distance_avx512.c, eight lanes instead of
 * sixteen. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "kernel/distance.h"

#include "kernel/pure.h"

enum { LANES = 8 };

static inline __m256i load(const void *address) { return _mm256_loadu_si256(address); }

/* A mask of the first `count` lanes, fewer than LANES. */
static inline __m256i first_lanes(uint32_t count) {
    const __m256i positions = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), positions);
}

/* These lanes, zeros in the others, whose memory is not touched. */
static inline __m256i load_some(const void *address, uint32_t count) {
    return _mm256_maskload_epi32(address, first_lanes(count));
}

static inline __m256i odd_lanes(__m256i values) { return _mm256_srli_epi64(values, 32); }

/* Two sums, since each 64-bit lane has an even and an odd product: independent chains. */
struct sums {
    __m256i even, odd;
};

static inline void add_products(struct sums *sums, __m256i a, __m256i b) {
    __m256i even = _mm256_mul_epi32(a, b);
    __m256i odd = _mm256_mul_epi32(odd_lanes(a), odd_lanes(b));
    sums->even = _mm256_add_epi64(sums->even, even);
    sums->odd = _mm256_add_epi64(sums->odd, odd);
}

static inline void add_squares(struct sums *sums, __m256i a, __m256i b) {
    __m256i difference = _mm256_sub_epi32(a, b);
    add_products(sums, difference, difference);
}

/* The sum of all products, still in lanes. */
static inline __m256i sum_products(const int32_t *a, const int32_t *b, uint32_t dim) {
    struct sums sums = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES) add_products(&sums, load(a + i), load(b + i));
#ifdef BUG_2
    i = dim;
#endif
    if (i < dim)
        add_products(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    return _mm256_add_epi64(sums.even, sums.odd);
}

static inline __m256i sum_squares(const int32_t *a, const int32_t *b, uint32_t dim) {
    struct sums sums = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES) add_squares(&sums, load(a + i), load(b + i));
    if (i < dim) add_squares(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    return _mm256_add_epi64(sums.even, sums.odd);
}

static inline int64_t reduce(__m256i sums) {
    __m128i pairs =
        _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    return _mm_cvtsi128_si64(_mm_add_epi64(pairs, _mm_unpackhi_epi64(pairs, pairs)));
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
    __m256i low, high;
};

static inline void add_halves(struct halves *sums, __m256i low, __m256i high) {
    low = _mm256_and_si256(low, _mm256_set1_epi64x(0xffffffff));
    sums->low = _mm256_add_epi64(sums->low, low);
    sums->high = _mm256_add_epi64(sums->high, high);
}

/* products >> 32 with their sign, which AVX2 has for 32-bit lanes only. */
static inline __m256i signed_high(__m256i products) {
    __m256i sign = _mm256_srai_epi32(products, 31);
    return _mm256_blend_epi32(_mm256_srli_epi64(products, 32), sign, 0xaa);
}

static inline void add_wide_products(struct halves *sums, __m256i a, __m256i b) {
    __m256i even = _mm256_mul_epi32(a, b);
    __m256i odd = _mm256_mul_epi32(odd_lanes(a), odd_lanes(b));
    add_halves(sums, even, signed_high(even));
    add_halves(sums, odd, signed_high(odd));
}

/* |a - b| fits 32 bits without a sign, whatever wraps on the way; its square fits 64. */
static inline void add_wide_squares(struct halves *sums, __m256i a, __m256i b) {
    __m256i distance = _mm256_sub_epi32(_mm256_max_epi32(a, b), _mm256_min_epi32(a, b));
    __m256i even = _mm256_mul_epu32(distance, distance);
    __m256i odd = _mm256_mul_epu32(odd_lanes(distance), odd_lanes(distance));
    add_halves(sums, even, _mm256_srli_epi64(even, 32));
    add_halves(sums, odd, _mm256_srli_epi64(odd, 32));
}

static int128 total(struct halves sums) {
    return (int128)reduce(sums.high) * ((int128)1 << 32) + reduce(sums.low);
}

static void dot_wide(const int32_t *a, const int32_t *b, uint32_t dim, int128 *result) {
    struct halves sums = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        add_wide_products(&sums, load(a + i), load(b + i));
    if (i < dim)
        add_wide_products(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    *result = total(sums);
}

static void l2_wide(const int32_t *a, const int32_t *b, uint32_t dim, uint128 *result) {
    struct halves sums = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        add_wide_squares(&sums, load(a + i), load(b + i));
    if (i < dim)
        add_wide_squares(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    *result = (uint128)total(sums);
}

/* --- The scan ----------------------------------------------------------------------- */

/* As in distance_avx512.c: one row after the other, four results to a reduction. */
enum { ROWS_AT_ONCE = 4 };

/* The sum of the four lanes of each of four vectors. */
static inline __m256i reduce_four(const __m256i sums[ROWS_AT_ONCE]) {
    __m256i s01 = _mm256_add_epi64(_mm256_unpacklo_epi64(sums[0], sums[1]),
                                   _mm256_unpackhi_epi64(sums[0], sums[1]));
    __m256i s23 = _mm256_add_epi64(_mm256_unpacklo_epi64(sums[2], sums[3]),
                                   _mm256_unpackhi_epi64(sums[2], sums[3]));
    return _mm256_add_epi64(_mm256_permute2x128_si256(s01, s23, 0x20),
                            _mm256_permute2x128_si256(s01, s23, 0x31));
}

static void dot_rows(const int32_t *query, const int32_t *rows, uint32_t stride,
                     uint32_t count, int64_t *out) {
    uint32_t done = 0;
    for (; done + ROWS_AT_ONCE <= count; done += ROWS_AT_ONCE) {
        __m256i sums[ROWS_AT_ONCE];
        for (uint32_t i = 0; i < ROWS_AT_ONCE; i++)
            sums[i] = sum_products(rows + (size_t)(done + i) * stride, query, stride);
        _mm256_storeu_si256((void *)(out + done), reduce_four(sums));
    }
    for (; done < count; done++)
        out[done] = dot(query, rows + (size_t)done * stride, stride);
}

static void l2_rows(const int32_t *query, const int32_t *rows, uint32_t stride,
                    uint32_t count, int64_t *out) {
    uint32_t done = 0;
    for (; done + ROWS_AT_ONCE <= count; done += ROWS_AT_ONCE) {
        __m256i sums[ROWS_AT_ONCE];
        for (uint32_t i = 0; i < ROWS_AT_ONCE; i++)
            sums[i] = sum_squares(rows + (size_t)(done + i) * stride, query, stride);
        _mm256_storeu_si256((void *)(out + done), reduce_four(sums));
    }
    for (; done < count; done++)
        out[done] = l2(query, rows + (size_t)done * stride, stride);
}

/* --- Bits --------------------------------------------------------------------------- */

static uint32_t max_bits(const int32_t *values, uint32_t dim) {
    __m256i all = _mm256_setzero_si256();
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        all = _mm256_or_si256(all, _mm256_abs_epi32(load(values + i)));
    if (i < dim)
        all = _mm256_or_si256(all, _mm256_abs_epi32(load_some(values + i, dim - i)));
    __m128i four =
        _mm_or_si128(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    uint64_t two =
        (uint64_t)_mm_cvtsi128_si64(_mm_or_si128(four, _mm_unpackhi_epi64(four, four)));
    uint32_t bits = (uint32_t)(two | two >> 32);
    return bits == 0 ? 0 : 32 - (uint32_t)__builtin_clz(bits);
}

/* The greatest of eight unsigned lanes. */
static uint32_t greatest_lane(__m256i lanes) {
    __m128i four =
        _mm_max_epu32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    __m128i two = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0x4e));
    return (uint32_t)_mm_cvtsi128_si32(_mm_max_epu32(two, _mm_shuffle_epi32(two, 0xb1)));
}

/* Without a sign bit patterns are positive as signed integers, and the greatest of both
 * kinds come from a signed and an unsigned maximum. */
static struct fp32_extent fp32_extent(const uint8_t *blob, uint32_t dim) {
    __m256i positive = _mm256_setzero_si256(), negative = positive;
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES) {
        __m256i bits = load(blob + 4 * (size_t)i);
        positive = _mm256_max_epi32(positive, bits);
        negative = _mm256_max_epu32(negative, bits);
    }
    if (i < dim) {
        __m256i bits = load_some(blob + 4 * (size_t)i, dim - i);
        positive = _mm256_max_epi32(positive, bits);
        negative = _mm256_max_epu32(negative, bits);
    }
    uint32_t greatest = greatest_lane(negative);
    return (struct fp32_extent){greatest_lane(positive), greatest >> 31 ? greatest : 0};
}

/* convert() of distance.c, eight at a time. `base` - exponent field = the shift to the
 * right; a negative one shifts left. Past 25 the result is 0, so larger shifts are cut
 * to 26. */
static inline __m256i convert(__m256i bits, __m256i base) {
    const __m256i one = _mm256_set1_epi32(1);
    __m256i field =
        _mm256_and_si256(_mm256_srli_epi32(bits, 23), _mm256_set1_epi32(0xff));
    __m256i hidden = _mm256_slli_epi32(_mm256_min_epi32(field, one), 23);
    __m256i fraction = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffff));
    __m256i significand = _mm256_or_si256(fraction, hidden);

    __m256i shift = _mm256_sub_epi32(base, _mm256_max_epi32(field, one));
    __m256i zero = _mm256_setzero_si256();
    __m256i left = _mm256_max_epi32(_mm256_sub_epi32(zero, shift), zero);
    __m256i right =
        _mm256_min_epi32(_mm256_max_epi32(shift, zero), _mm256_set1_epi32(26));

    /* Half to even: add one less than a half, and the last bit that stays; nothing if
     * right is 0. */
    __m256i cut = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
    __m256i stays = _mm256_srlv_epi32(significand, right);
    __m256i last = _mm256_and_si256(_mm256_and_si256(stays, cut), one);
    __m256i nudge = _mm256_add_epi32(_mm256_srli_epi32(cut, 1), last);
    __m256i rounded = _mm256_srlv_epi32(_mm256_add_epi32(significand, nudge), right);
    __m256i magnitude = _mm256_sllv_epi32(rounded, left);

    __m256i sign = _mm256_srai_epi32(bits, 31);
    return _mm256_sub_epi32(_mm256_xor_si256(magnitude, sign), sign);
}

static void fp32_convert(const uint8_t *blob, uint32_t dim, int exponent, int32_t *out) {
    const __m256i base = _mm256_set1_epi32(134 + exponent);
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        _mm256_storeu_si256((void *)(out + i), convert(load(blob + 4 * (size_t)i), base));
    if (i < dim) {
        __m256i bits = load_some(blob + 4 * (size_t)i, dim - i);
        _mm256_maskstore_epi32(out + i, first_lanes(dim - i), convert(bits, base));
    }
}

static const struct distance_functions avx2 = {
    .name = "avx2",
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

const struct distance_functions *distance_avx2(void) { return &avx2; }

#endif
