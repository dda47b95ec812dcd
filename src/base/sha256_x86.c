/* SHA-256's compression function with the SHA extensions of x86-64.
 *
 * Compiled with -msha -msse4.1 -mssse3 and called only where the CPU has all three. The
 * instructions keep the eight working variables in two registers, not in the order of the
 * state: {f, e, b, a} and {h, g, d, c}, lowest lane first. */
#include "base/sha256_compress.h"

#ifdef SHA256_HAS_X86

#include <immintrin.h>

static inline __m128i load(const void *address) {
    return _mm_loadu_si128((const __m128i *)address);
}
static inline void store(void *address, __m128i value) {
    _mm_storeu_si128((__m128i *)address, value);
}

/* Four big-endian words of the message. */
static inline __m128i load_words(const uint8_t *bytes) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    return _mm_shuffle_epi8(load(bytes), swap);
}

/* From sixteen words W[t-16..t-1], four to an argument, the next four. */
static inline __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
    __m128i seventh_before = _mm_alignr_epi8(w3, w2, 4);
    return _mm_sha256msg2_epu32(
        _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), seventh_before), w3);
}

/* Each instruction does two rounds and gives the new {f, e, b, a}; the old one is then
 * what the new {h, g, d, c} should be. After two of them both names are right again. */
static inline void four_rounds(__m128i *feba, __m128i *hgdc, __m128i words,
                               size_t round) {
    __m128i sums = _mm_add_epi32(words, load(sha256_constants + round));
    *hgdc = _mm_sha256rnds2_epu32(*hgdc, *feba, sums);
    *feba = _mm_sha256rnds2_epu32(*feba, *hgdc, _mm_shuffle_epi32(sums, 0x0e));
}

void sha256_compress_x86(uint32_t state[8], const uint8_t *blocks, size_t count) {
    __m128i badc = _mm_shuffle_epi32(load(state), 0xb1);
    __m128i hgfe = _mm_shuffle_epi32(load(state + 4), 0x1b);
    __m128i feba = _mm_alignr_epi8(badc, hgfe, 8);
    __m128i hgdc = _mm_blend_epi16(hgfe, badc, 0xf0);

    for (; count > 0; count--, blocks += SHA256_BLOCK) {
        __m128i feba_before = feba, hgdc_before = hgdc;
        __m128i w0 = load_words(blocks), w1 = load_words(blocks + 16);
        __m128i w2 = load_words(blocks + 32), w3 = load_words(blocks + 48);
        for (size_t round = 0; round < 48; round += 16) {
            four_rounds(&feba, &hgdc, w0, round);
            w0 = next_words(w0, w1, w2, w3);
            four_rounds(&feba, &hgdc, w1, round + 4);
            w1 = next_words(w1, w2, w3, w0);
            four_rounds(&feba, &hgdc, w2, round + 8);
            w2 = next_words(w2, w3, w0, w1);
            four_rounds(&feba, &hgdc, w3, round + 12);
            w3 = next_words(w3, w0, w1, w2);
        }
        four_rounds(&feba, &hgdc, w0, 48);
        four_rounds(&feba, &hgdc, w1, 52);
        four_rounds(&feba, &hgdc, w2, 56);
        four_rounds(&feba, &hgdc, w3, 60);
        feba = _mm_add_epi32(feba, feba_before);
        hgdc = _mm_add_epi32(hgdc, hgdc_before);
    }

    __m128i abef = _mm_shuffle_epi32(feba, 0x1b);
    __m128i ghcd = _mm_shuffle_epi32(hgdc, 0xb1);
    store(state, _mm_blend_epi16(abef, ghcd, 0xf0));
    store(state + 4, _mm_alignr_epi8(ghcd, abef, 8));
}

#endif
