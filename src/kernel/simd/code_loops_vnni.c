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

static void dots(const int8_t *query, int32_t sum, const uint8_t *const rows[4],
                 uint32_t stride, int32_t sums[4]) {
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (uint32_t i = 0; i < stride; i += BYTES) {
        __m512i codes = load(query + i);
        a = _mm512_dpbusd_epi32(a, load(rows[0] + i), codes);
        b = _mm512_dpbusd_epi32(b, load(rows[1] + i), codes);
        c = _mm512_dpbusd_epi32(c, load(rows[2] + i), codes);
        d = _mm512_dpbusd_epi32(d, load(rows[3] + i), codes);
    }
    __m128i whole = reduce_four(a, b, c, d);
    _mm_storeu_si128((void *)sums, _mm_sub_epi32(whole, _mm_set1_epi32(128 * sum)));
}

static const struct code_loops avx512 = {.name = "avx512", .dots = dots};

const struct code_loops *code_loops_avx512(void) { return &avx512; }

#endif
