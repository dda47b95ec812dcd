/* The vector loops for AVX-512 (F, BW, VL, DQ).
 *
 * vpmuldq multiplies the even 32-bit lanes of two vectors to 64 bits; a shift by 32
 * brings the odd ones to their places. The last, partial vector is read under a mask:
 * lanes that are off are zero and touch no memory. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "kernel/distance.h"

#include "kernel/pure.h"

enum { LANES = 16 };

static inline __m512i load(const void *address) { return _mm512_loadu_si512(address); }

static inline __mmask16 first_lanes(uint32_t count) {
    return (__mmask16)((1u << count) - 1);
}

/* The first `count` lanes, fewer than LANES; zeros in the others. */
static inline __m512i load_some(const void *address, uint32_t count) {
    return _mm512_maskz_loadu_epi32(first_lanes(count), address);
}

static inline __m512i odd_lanes(__m512i values) { return _mm512_srli_epi64(values, 32); }

/* Two sums, since each 64-bit lane has an even and an odd product: independent chains. */
struct sums {
    __m512i even, odd;
};

static inline void add_products(struct sums *sums, __m512i a, __m512i b) {
    __m512i even = _mm512_mul_epi32(a, b);
    __m512i odd = _mm512_mul_epi32(odd_lanes(a), odd_lanes(b));
    sums->even = _mm512_add_epi64(sums->even, even);
    sums->odd = _mm512_add_epi64(sums->odd, odd);
}

static inline void add_squares(struct sums *sums, __m512i a, __m512i b) {
    __m512i difference = _mm512_sub_epi32(a, b);
    add_products(sums, difference, difference);
}

/* The sum of all products, still in lanes. */
static inline __m512i sum_products(const int32_t *a, const int32_t *b, uint32_t dim) {
    struct sums sums = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES) add_products(&sums, load(a + i), load(b + i));
#ifdef BUG_2
    if (dim % 8 != 0) i = dim;
#endif
    if (i < dim)
        add_products(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    return _mm512_add_epi64(sums.even, sums.odd);
}

static inline __m512i sum_squares(const int32_t *a, const int32_t *b, uint32_t dim) {
    struct sums sums = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES) add_squares(&sums, load(a + i), load(b + i));
    if (i < dim) add_squares(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    return _mm512_add_epi64(sums.even, sums.odd);
}

static int64_t dot(const int32_t *a, const int32_t *b, uint32_t dim) {
    return _mm512_reduce_add_epi64(sum_products(a, b, dim));
}

static int64_t l2(const int32_t *a, const int32_t *b, uint32_t dim) {
    return _mm512_reduce_add_epi64(sum_squares(a, b, dim));
}

/* --- Wide sums ---------------------------------------------------------------------- */

/* The halves of 64-bit products, summed apart: 65,536 of them take 48 bits. */
struct halves {
    __m512i low, high;
};

static inline void add_low(struct halves *sums, __m512i products) {
    __m512i mask = _mm512_set1_epi64(0xffffffff);
    sums->low = _mm512_add_epi64(sums->low, _mm512_and_si512(products, mask));
}

static inline void add_signed(struct halves *sums, __m512i products) {
    add_low(sums, products);
    sums->high = _mm512_add_epi64(sums->high, _mm512_srai_epi64(products, 32));
}

static inline void add_unsigned(struct halves *sums, __m512i products) {
    add_low(sums, products);
    sums->high = _mm512_add_epi64(sums->high, _mm512_srli_epi64(products, 32));
}

static inline void add_wide_products(struct halves *sums, __m512i a, __m512i b) {
    add_signed(sums, _mm512_mul_epi32(a, b));
    add_signed(sums, _mm512_mul_epi32(odd_lanes(a), odd_lanes(b)));
}

/* |a - b| fits 32 bits without a sign, whatever wraps on the way; its square fits 64. */
static inline void add_wide_squares(struct halves *sums, __m512i a, __m512i b) {
    __m512i distance = _mm512_sub_epi32(_mm512_max_epi32(a, b), _mm512_min_epi32(a, b));
    __m512i odd = odd_lanes(distance);
    add_unsigned(sums, _mm512_mul_epu32(distance, distance));
    add_unsigned(sums, _mm512_mul_epu32(odd, odd));
}

static int128 total(struct halves sums) {
    int128 high = _mm512_reduce_add_epi64(sums.high);
    return high * ((int128)1 << 32) + _mm512_reduce_add_epi64(sums.low);
}

static void dot_wide(const int32_t *a, const int32_t *b, uint32_t dim, int128 *result) {
    struct halves sums = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        add_wide_products(&sums, load(a + i), load(b + i));
    if (i < dim)
        add_wide_products(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    *result = total(sums);
}

static void l2_wide(const int32_t *a, const int32_t *b, uint32_t dim, uint128 *result) {
    struct halves sums = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        add_wide_squares(&sums, load(a + i), load(b + i));
    if (i < dim)
        add_wide_squares(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    *result = (uint128)total(sums);
}

/* --- The scan ----------------------------------------------------------------------- */

/* Rows come from memory, the query from the cache. Rows are read one after the other, the
 * order that the hardware prefetches by itself (0.85 to 0.95 of a plain read from 128
 * values on: tests/bench/bench_distance.c). Asking ahead in software gained nothing at
 * 256 to 8192 bytes, but for the shortest rows; four rows side by side, which would share
 * the query's loads, took more than twice as long. Four results share one reduction. */
enum { ROWS_AT_ONCE = 4 };

/* The sum of the eight lanes of each of four vectors. */
static inline __m256i reduce_four(const __m512i sums[ROWS_AT_ONCE]) {
    __m512i s01 = _mm512_add_epi64(_mm512_unpacklo_epi64(sums[0], sums[1]),
                                   _mm512_unpackhi_epi64(sums[0], sums[1]));
    __m512i s23 = _mm512_add_epi64(_mm512_unpacklo_epi64(sums[2], sums[3]),
                                   _mm512_unpackhi_epi64(sums[2], sums[3]));
    /* Each quarter of s01 is now {0, 1} and of s23 {2, 3}; fold them twice. */
    __m256i h01 =
        _mm256_add_epi64(_mm512_castsi512_si256(s01), _mm512_extracti64x4_epi64(s01, 1));
    __m256i h23 =
        _mm256_add_epi64(_mm512_castsi512_si256(s23), _mm512_extracti64x4_epi64(s23, 1));
    return _mm256_add_epi64(_mm256_permute2x128_si256(h01, h23, 0x20),
                            _mm256_permute2x128_si256(h01, h23, 0x31));
}

static void dot_rows(const int32_t *query, const int32_t *rows, uint32_t stride,
                     uint32_t count, int64_t *out) {
    uint32_t done = 0;
    for (; done + ROWS_AT_ONCE <= count; done += ROWS_AT_ONCE) {
        __m512i sums[ROWS_AT_ONCE];
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
        __m512i sums[ROWS_AT_ONCE];
        for (uint32_t i = 0; i < ROWS_AT_ONCE; i++)
            sums[i] = sum_squares(rows + (size_t)(done + i) * stride, query, stride);
        _mm256_storeu_si256((void *)(out + done), reduce_four(sums));
    }
    for (; done < count; done++)
        out[done] = l2(query, rows + (size_t)done * stride, stride);
}

/* --- Bits --------------------------------------------------------------------------- */

static uint32_t max_bits(const int32_t *values, uint32_t dim) {
    __m512i all = _mm512_setzero_si512();
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        all = _mm512_or_si512(all, _mm512_abs_epi32(load(values + i)));
    if (i < dim)
        all = _mm512_or_si512(all, _mm512_abs_epi32(load_some(values + i, dim - i)));
    uint32_t bits = (uint32_t)_mm512_reduce_or_epi32(all);
    return bits == 0 ? 0 : 32 - (uint32_t)__builtin_clz(bits);
}

/* Without a sign bit patterns are positive as signed integers, and the greatest of both
 * kinds come from a signed and an unsigned maximum. */
static struct fp32_extent fp32_extent(const uint8_t *blob, uint32_t dim) {
    __m512i positive = _mm512_setzero_si512(), negative = positive;
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES) {
        __m512i bits = load(blob + 4 * (size_t)i);
        positive = _mm512_max_epi32(positive, bits);
        negative = _mm512_max_epu32(negative, bits);
    }
    if (i < dim) {
        __m512i bits = load_some(blob + 4 * (size_t)i, dim - i);
        positive = _mm512_max_epi32(positive, bits);
        negative = _mm512_max_epu32(negative, bits);
    }
    uint32_t greatest = _mm512_reduce_max_epu32(negative);
    return (struct fp32_extent){(uint32_t)_mm512_reduce_max_epi32(positive),
                                greatest >> 31 ? greatest : 0};
}

/* convert() of distance.c, sixteen at a time. `base` - exponent field = the shift to the
 * right; a negative one shifts left. Past 25 the result is 0, so larger shifts are cut
 * to 26. */
static inline __m512i convert(__m512i bits, __m512i base) {
    const __m512i one = _mm512_set1_epi32(1);
    __m512i field =
        _mm512_and_si512(_mm512_srli_epi32(bits, 23), _mm512_set1_epi32(0xff));
    __m512i hidden = _mm512_slli_epi32(_mm512_min_epi32(field, one), 23);
    __m512i fraction = _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffff));
    __m512i significand = _mm512_or_si512(fraction, hidden);

    __m512i shift = _mm512_sub_epi32(base, _mm512_max_epi32(field, one));
    __m512i zero = _mm512_setzero_si512();
    __m512i left = _mm512_max_epi32(_mm512_sub_epi32(zero, shift), zero);
    __m512i right =
        _mm512_min_epi32(_mm512_max_epi32(shift, zero), _mm512_set1_epi32(26));

    /* Half to even: add one less than a half, and the last bit that stays; nothing if
     * right is 0. */
    __m512i cut = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
    __m512i stays = _mm512_srlv_epi32(significand, right);
    __m512i last = _mm512_and_si512(_mm512_and_si512(stays, cut), one);
    __m512i nudge = _mm512_add_epi32(_mm512_srli_epi32(cut, 1), last);
    __m512i rounded = _mm512_srlv_epi32(_mm512_add_epi32(significand, nudge), right);
    __m512i magnitude = _mm512_sllv_epi32(rounded, left);

    __m512i sign = _mm512_srai_epi32(bits, 31);
    return _mm512_sub_epi32(_mm512_xor_si512(magnitude, sign), sign);
}

static void fp32_convert(const uint8_t *blob, uint32_t dim, int exponent, int32_t *out) {
    const __m512i base = _mm512_set1_epi32(134 + exponent);
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        _mm512_storeu_si512(out + i, convert(load(blob + 4 * (size_t)i), base));
    if (i < dim) {
        __m512i bits = load_some(blob + 4 * (size_t)i, dim - i);
        _mm512_mask_storeu_epi32(out + i, first_lanes(dim - i), convert(bits, base));
    }
}

static const struct distance_functions avx512 = {
    .name = "avx512",
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

const struct distance_functions *distance_avx512(void) { return &avx512; }

#endif
