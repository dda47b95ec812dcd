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

struct variables {
    __m128i feba, hgdc;
};

/* Each instruction does two rounds and gives the new {f, e, b, a}; the old one is then
 * what the new {h, g, d, c} should be. After two of them both names are right again. */
static inline void four_rounds(struct variables *now, __m128i words, size_t round) {
    __m128i sums = _mm_add_epi32(words, load(sha256_constants + round));
    now->hgdc = _mm_sha256rnds2_epu32(now->hgdc, now->feba, sums);
    now->feba =
        _mm_sha256rnds2_epu32(now->feba, now->hgdc, _mm_shuffle_epi32(sums, 0x0e));
}

static inline void four_rounds_of_two(struct variables *a, __m128i words_of_a,
                                      struct variables *b, __m128i words_of_b,
                                      size_t round) {
    __m128i constants = load(sha256_constants + round);
    __m128i v = _mm_add_epi32(words_of_a, constants);
    __m128i w = _mm_add_epi32(words_of_b, constants);
    a->hgdc = _mm_sha256rnds2_epu32(a->hgdc, a->feba, v);
    b->hgdc = _mm_sha256rnds2_epu32(b->hgdc, b->feba, w);
    a->feba = _mm_sha256rnds2_epu32(a->feba, a->hgdc, _mm_shuffle_epi32(v, 0x0e));
    b->feba = _mm_sha256rnds2_epu32(b->feba, b->hgdc, _mm_shuffle_epi32(w, 0x0e));
}

static inline struct variables load_state(const uint32_t state[8]) {
    __m128i badc = _mm_shuffle_epi32(load(state), 0xb1);
    __m128i hgfe = _mm_shuffle_epi32(load(state + 4), 0x1b);
    return (struct variables){.feba = _mm_alignr_epi8(badc, hgfe, 8),
                              .hgdc = _mm_blend_epi16(hgfe, badc, 0xf0)};
}

static inline void add(struct variables *now, const struct variables *before) {
    now->feba = _mm_add_epi32(now->feba, before->feba);
    now->hgdc = _mm_add_epi32(now->hgdc, before->hgdc);
}

static inline void unload(const struct variables *now, uint32_t state[8]) {
    __m128i abef = _mm_shuffle_epi32(now->feba, 0x1b);
    __m128i ghcd = _mm_shuffle_epi32(now->hgdc, 0xb1);
    store(state, _mm_blend_epi16(abef, ghcd, 0xf0));
    store(state + 4, _mm_alignr_epi8(ghcd, abef, 8));
}

void sha256_compress_x86(uint32_t state[8], const uint8_t *blocks, size_t count) {
    struct variables now = load_state(state);
    for (; count > 0; count--, blocks += SHA256_BLOCK) {
        struct variables before = now;
        __m128i w0 = load_words(blocks), w1 = load_words(blocks + 16);
        __m128i w2 = load_words(blocks + 32), w3 = load_words(blocks + 48);
        for (size_t round = 0; round < 48; round += 16) {
            four_rounds(&now, w0, round);
            w0 = next_words(w0, w1, w2, w3);
            four_rounds(&now, w1, round + 4);
            w1 = next_words(w1, w2, w3, w0);
            four_rounds(&now, w2, round + 8);
            w2 = next_words(w2, w3, w0, w1);
            four_rounds(&now, w3, round + 12);
            w3 = next_words(w3, w0, w1, w2);
        }
        four_rounds(&now, w0, 48);
        four_rounds(&now, w1, 52);
        four_rounds(&now, w2, 56);
        four_rounds(&now, w3, 60);
        add(&now, &before);
    }
    unload(&now, state);
}

/* The same twice, instruction by instruction. */
void sha256_compress_two_x86(uint32_t states[2][8], const uint8_t *const blocks[2],
                             size_t count) {
    struct variables a = load_state(states[0]), b = load_state(states[1]);
    for (size_t i = 0; i < count; i++) {
        struct variables a_before = a, b_before = b;
        const uint8_t *from_a = blocks[0] + i * SHA256_BLOCK;
        const uint8_t *from_b = blocks[1] + i * SHA256_BLOCK;
        __m128i v0 = load_words(from_a), v1 = load_words(from_a + 16);
        __m128i v2 = load_words(from_a + 32), v3 = load_words(from_a + 48);
        __m128i w0 = load_words(from_b), w1 = load_words(from_b + 16);
        __m128i w2 = load_words(from_b + 32), w3 = load_words(from_b + 48);
        for (size_t round = 0; round < 48; round += 16) {
            four_rounds_of_two(&a, v0, &b, w0, round);
            v0 = next_words(v0, v1, v2, v3);
            w0 = next_words(w0, w1, w2, w3);
            four_rounds_of_two(&a, v1, &b, w1, round + 4);
            v1 = next_words(v1, v2, v3, v0);
            w1 = next_words(w1, w2, w3, w0);
            four_rounds_of_two(&a, v2, &b, w2, round + 8);
            v2 = next_words(v2, v3, v0, v1);
            w2 = next_words(w2, w3, w0, w1);
            four_rounds_of_two(&a, v3, &b, w3, round + 12);
            v3 = next_words(v3, v0, v1, v2);
            w3 = next_words(w3, w0, w1, w2);
        }
        four_rounds_of_two(&a, v0, &b, w0, 48);
        four_rounds_of_two(&a, v1, &b, w1, 52);
        four_rounds_of_two(&a, v2, &b, w2, 56);
        four_rounds_of_two(&a, v3, &b, w3, 60);
        add(&a, &a_before);
        add(&b, &b_before);
    }
    unload(&a, states[0]);
    unload(&b, states[1]);
}

#endif
