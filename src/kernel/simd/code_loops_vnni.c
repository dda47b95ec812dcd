/* The loops over code rows for AVX-512 with VNNI.
 *
 * vpdpbusd multiplies bytes without a sign by bytes with one and adds four products to
 * each 32-bit lane. It takes the stored bytes as they are; what is 128 too much in each
 * of them comes off at the end. (The saturating vpdpbusds is another instruction.) */
#if defined(__x86_64__)

#include <immintrin.h>

#include "kernel/code_loops.h"

#include "kernel/pure.h"

enum { BYTES = 64 };

static inline __m512i load(const void *address) { return _mm512_load_si512(address); }

/* The sum of the sixteen lanes of each of four vectors. */
static inline __m128i reduce_four(__m512i a, __m512i b, __m512i c, __m512i d) {
    __m512i ab =
        _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    __m512i cd =
        _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    __m512i all =
        _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half =
        _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

#define INLINED static inline __attribute__((always_inline))

INLINED void put_four(__m512i a, __m512i b, __m512i c, __m512i d, uint32_t rest,
                      uint32_t *sums) {
    __m128i whole = reduce_four(a, b, c, d);
    _mm_storeu_si128((void *)sums, _mm_add_epi32(whole, _mm_set1_epi32((int)rest)));
}

INLINED void four_dots(const int8_t *query, uint32_t rest, const uint8_t *const *rows,
                       uint32_t stride, uint32_t *sums) {
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (uint32_t i = 0; i < stride; i += BYTES) {
        __m512i codes = load(query + i);
        a = _mm512_dpbusd_epi32(a, load(rows[0] + i), codes);
        b = _mm512_dpbusd_epi32(b, load(rows[1] + i), codes);
        c = _mm512_dpbusd_epi32(c, load(rows[2] + i), codes);
        d = _mm512_dpbusd_epi32(d, load(rows[3] + i), codes);
    }
    put_four(a, b, c, d, rest, sums);
}

/* With u a stored byte, c = u - 128 and q the query's code,
 *     (c - q)^2 = q^2 + 256 q + u c - 2 (u q + 64 c),
 * in which the squares of c cost no more lines of memory. */
struct halves {
    __m512i once, twice;
};
INLINED struct halves add_squares(struct halves sums, const uint8_t *row, __m512i codes) {
    __m512i bytes = load(row);
    __m512i ours = _mm512_xor_si512(bytes, _mm512_set1_epi8(-128));
    sums.once = _mm512_dpbusd_epi32(sums.once, bytes, ours);
    sums.twice = _mm512_dpbusd_epi32(sums.twice, bytes, codes);
    sums.twice = _mm512_dpbusd_epi32(sums.twice, _mm512_set1_epi8(64), ours);
    return sums;
}
INLINED __m512i join(struct halves sums) {
    return _mm512_sub_epi32(sums.once, _mm512_slli_epi32(sums.twice, 1));
}

INLINED void four_squares(const int8_t *query, uint32_t rest, const uint8_t *const *rows,
                          uint32_t stride, uint32_t *sums) {
    struct halves a = {_mm512_setzero_si512(), _mm512_setzero_si512()}, b = a, c = a,
                  d = a;
    for (uint32_t i = 0; i < stride; i += BYTES) {
        __m512i codes = load(query + i);
        a = add_squares(a, rows[0] + i, codes);
        b = add_squares(b, rows[1] + i, codes);
        c = add_squares(c, rows[2] + i, codes);
        d = add_squares(d, rows[3] + i, codes);
    }
    put_four(join(a), join(b), join(c), join(d), rest, sums);
}

static int32_t codes(const uint8_t *row, uint32_t stride, int8_t *query) {
    __m512i sum = _mm512_setzero_si512();
    for (uint32_t i = 0; i < stride; i += BYTES) {
        __m512i bytes = load(row + i);
        sum = _mm512_dpbusd_epi32(sum, bytes, _mm512_set1_epi8(1));
        _mm512_store_si512(query + i, _mm512_xor_si512(bytes, _mm512_set1_epi8(-128)));
    }
    return _mm512_reduce_add_epi32(sum) - (int32_t)(128 * stride);
}

/* The compiler unrolls the loops over two lines. */
static void dots(const int8_t *query, int32_t sum, const uint8_t *const *rows,
                 uint32_t count, uint32_t stride, int32_t *sums) {
    uint32_t rest = 0 - 128 * (uint32_t)sum;
    if (stride == 2 * BYTES)
        code_by_fours(four_dots, query, rest, rows, count, 2 * BYTES, (uint32_t *)sums);
    else code_by_fours(four_dots, query, rest, rows, count, stride, (uint32_t *)sums);
}

static void squares(const int8_t *query, int32_t sum, uint32_t square,
                    const uint8_t *const *rows, uint32_t count, uint32_t stride,
                    uint32_t *sums) {
    uint32_t rest = square + 256 * (uint32_t)sum;
    if (stride == 2 * BYTES)
        code_by_fours(four_squares, query, rest, rows, count, 2 * BYTES, sums);
    else code_by_fours(four_squares, query, rest, rows, count, stride, sums);
}

/* Of 0 the key is 0; otherwise the number without its leading zeros, less the lowest six
 * bits, below the number of its bits. */
static void square_keys(uint32_t *sums, uint32_t count) {
    for (uint32_t i = 0; i < count; i += 16) {
        __mmask16 there = count - i < 16 ? (__mmask16)((1u << (count - i)) - 1) : 0xffff;
        __m512i value = _mm512_maskz_loadu_epi32(there, sums + i);
        __m512i zeros = _mm512_lzcnt_epi32(value);
        __m512i kept = _mm512_srli_epi32(_mm512_sllv_epi32(value, zeros), 6);
        __m512i length = _mm512_sub_epi32(_mm512_set1_epi32(32 + 20), zeros);
        __mmask16 some = _mm512_test_epi32_mask(value, value);
        __m512i key = _mm512_maskz_add_epi32(some, _mm512_slli_epi32(length, 25), kept);
        _mm512_mask_storeu_epi32(sums + i, there, key);
    }
}

/* With the product of the first two as high * 2^32 + low, high with a sign, the floor is
 * that of (high * scale + floor(low * scale / 2^32)) / 2^12. */
static void cosine_keys(uint32_t scale, const uint32_t *scales, const int32_t *dots,
                        uint32_t count, uint32_t *keys) {
    __m512i ours = _mm512_set1_epi64(scale);
    for (uint32_t i = 0; i < count; i += 8) {
        __mmask8 there = count - i < 8 ? (__mmask8)((1u << (count - i)) - 1) : 0xff;
        __m512i theirs =
            _mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(there, scales + i));
        __m512i product = _mm512_mul_epi32(
            _mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(there, dots + i)), theirs);
        __m512i high = _mm512_mul_epi32(_mm512_srli_epi64(product, 32), ours);
        __m512i low = _mm512_srli_epi64(_mm512_mul_epu32(product, ours), 32);
        __m512i cosine = _mm512_srli_epi64(_mm512_add_epi64(high, low), 12);
        __m512i key = _mm512_sub_epi64(_mm512_set1_epi64(1 << 30), cosine);
        _mm256_mask_storeu_epi32(keys + i, there, _mm512_cvtepi64_epi32(key));
    }
}

static const struct code_loops avx512 = {
    .name = "avx512",
    .codes = codes,
    .dots = dots,
    .squares = squares,
    .square_keys = square_keys,
    .cosine_keys = cosine_keys,
};

const struct code_loops *code_loops_avx512(void) { return &avx512; }

#endif
