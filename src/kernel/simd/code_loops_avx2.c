/* The loops over code rows for AVX2.
 *
 * The even and the odd bytes of a vector are widened to 16 bits by a mask and a shift,
 * and vpmaddwd multiplies and adds pairs exactly: 2 * 255 * 128 < 2^31. (vpmaddubsw,
 * which takes bytes, saturates.) The query's halves serve four rows. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "kernel/code_loops.h"

#include "kernel/pure.h"

enum { BYTES = 32 };

static inline __m256i load(const void *address) { return _mm256_load_si256(address); }

static inline __m256i add(__m256i sum, __m256i row, __m256i even, __m256i odd) {
    __m256i low = _mm256_and_si256(row, _mm256_set1_epi16(0xff));
    __m256i high = _mm256_srli_epi16(row, 8);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(low, even));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(high, odd));
}

static inline void put_four(__m256i a, __m256i b, __m256i c, __m256i d, uint32_t rest,
                            uint32_t *sums) {
    __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    __m128i whole =
        _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    _mm_storeu_si128((void *)sums, _mm_add_epi32(whole, _mm_set1_epi32((int)rest)));
}

static inline void four_dots(const int8_t *query, uint32_t rest,
                             const uint8_t *const *rows, uint32_t stride,
                             uint32_t *sums) {
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (uint32_t i = 0; i < stride; i += BYTES) {
        __m256i codes = load(query + i);
        __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8);
        __m256i odd = _mm256_srai_epi16(codes, 8);
        a = add(a, load(rows[0] + i), even, odd);
        b = add(b, load(rows[1] + i), even, odd);
        c = add(c, load(rows[2] + i), even, odd);
        d = add(d, load(rows[3] + i), even, odd);
    }
    put_four(a, b, c, d, rest, sums);
}

static inline __m256i add_squares(__m256i sum, __m256i row, __m256i even, __m256i odd) {
    __m256i low = _mm256_sub_epi16(_mm256_and_si256(row, _mm256_set1_epi16(0xff)), even);
    __m256i high = _mm256_sub_epi16(_mm256_srli_epi16(row, 8), odd);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(low, low));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(high, high));
}

/* The query's bytes as those of a row are. */
static inline void four_squares(const int8_t *query, uint32_t rest,
                                const uint8_t *const *rows, uint32_t stride,
                                uint32_t *sums) {
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (uint32_t i = 0; i < stride; i += BYTES) {
        __m256i bytes = _mm256_xor_si256(load(query + i), _mm256_set1_epi8(-128));
        __m256i even = _mm256_and_si256(bytes, _mm256_set1_epi16(0xff));
        __m256i odd = _mm256_srli_epi16(bytes, 8);
        a = add_squares(a, load(rows[0] + i), even, odd);
        b = add_squares(b, load(rows[1] + i), even, odd);
        c = add_squares(c, load(rows[2] + i), even, odd);
        d = add_squares(d, load(rows[3] + i), even, odd);
    }
    put_four(a, b, c, d, rest, sums);
}

static void dots(const int8_t *query, int32_t sum, const uint8_t *const *rows,
                 uint32_t count, uint32_t stride, int32_t *sums) {
    code_by_fours(four_dots, query, 0 - 128 * (uint32_t)sum, rows, count, stride,
                  (uint32_t *)sums);
}

static void squares(const int8_t *query, int32_t sum, uint32_t square,
                    const uint8_t *const *rows, uint32_t count, uint32_t stride,
                    uint32_t *sums) {
    (void)sum, (void)square;
    code_by_fours(four_squares, query, 0, rows, count, stride, sums);
}

static const struct code_loops avx2 = {
    .name = "avx2",
    .codes = code_codes,
    .dots = dots,
    .squares = squares,
    .square_keys = code_square_keys,
    .cosine_keys = code_cosine_keys,
};

const struct code_loops *code_loops_avx2(void) { return &avx2; }

#endif
