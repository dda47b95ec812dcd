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

static void dots(const int8_t *query, int32_t sum, const uint8_t *const rows[4],
                 uint32_t stride, int32_t sums[4]) {
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
    __m128i whole = _mm_hadd_epi32(_mm_hadd_epi32(a, b), _mm_hadd_epi32(c, d));
    _mm_storeu_si128((void *)sums, _mm_sub_epi32(whole, _mm_set1_epi32(128 * sum)));
}

static const struct code_loops sse41 = {.name = "sse4.1", .dots = dots};

const struct code_loops *code_loops_sse41(void) { return &sse41; }

#endif
