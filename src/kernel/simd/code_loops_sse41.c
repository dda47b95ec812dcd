/* The loops over code rows for SSE4.1. The same shape as code_loops_avx2.c, sixteen bytes
 * instead of thirty-two. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "kernel/code_loops.h"

#include "kernel/pure.h"

enum { BYTES = 16 };

static inline __m128i load(const void *address) { return _mm_load_si128(address); }

static inline __m128i add(__m128i sum, __m128i row, __m128i even, __m128i odd) {
    __m128i low = _mm_and_si128(row, _mm_set1_epi16(0xff));
    __m128i high = _mm_srli_epi16(row, 8);
    sum = _mm_add_epi32(sum, _mm_madd_epi16(low, even));
    return _mm_add_epi32(sum, _mm_madd_epi16(high, odd));
}

static inline void put_four(__m128i a, __m128i b, __m128i c, __m128i d, uint32_t rest,
                            uint32_t *sums) {
    __m128i whole = _mm_hadd_epi32(_mm_hadd_epi32(a, b), _mm_hadd_epi32(c, d));
    _mm_storeu_si128((void *)sums, _mm_add_epi32(whole, _mm_set1_epi32((int)rest)));
}

static inline void four_dots(const int8_t *query, uint32_t rest,
                             const uint8_t *const *rows, uint32_t stride,
                             uint32_t *sums) {
    __m128i a = _mm_setzero_si128(), b = a, c = a, d = a;
    for (uint32_t i = 0; i < stride; i += BYTES) {
        __m128i codes = load(query + i);
        __m128i even = _mm_srai_epi16(_mm_slli_epi16(codes, 8), 8);
        __m128i odd = _mm_srai_epi16(codes, 8);
        a = add(a, load(rows[0] + i), even, odd);
        b = add(b, load(rows[1] + i), even, odd);
        c = add(c, load(rows[2] + i), even, odd);
        d = add(d, load(rows[3] + i), even, odd);
    }
    put_four(a, b, c, d, rest, sums);
}

static inline __m128i add_squares(__m128i sum, __m128i row, __m128i even, __m128i odd) {
    __m128i low = _mm_sub_epi16(_mm_and_si128(row, _mm_set1_epi16(0xff)), even);
    __m128i high = _mm_sub_epi16(_mm_srli_epi16(row, 8), odd);
    sum = _mm_add_epi32(sum, _mm_madd_epi16(low, low));
    return _mm_add_epi32(sum, _mm_madd_epi16(high, high));
}

/* The query's bytes as those of a row are. */
static inline void four_squares(const int8_t *query, uint32_t rest,
                                const uint8_t *const *rows, uint32_t stride,
                                uint32_t *sums) {
    __m128i a = _mm_setzero_si128(), b = a, c = a, d = a;
    for (uint32_t i = 0; i < stride; i += BYTES) {
        __m128i bytes = _mm_xor_si128(load(query + i), _mm_set1_epi8(-128));
        __m128i even = _mm_and_si128(bytes, _mm_set1_epi16(0xff));
        __m128i odd = _mm_srli_epi16(bytes, 8);
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

static const struct code_loops sse41 = {
    .name = "sse4.1",
    .codes = code_codes,
    .dots = dots,
    .squares = squares,
    .square_keys = code_square_keys,
    .cosine_keys = code_cosine_keys,
};

const struct code_loops *code_loops_sse41(void) { return &sse41; }

#endif
