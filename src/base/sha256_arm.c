/* SHA-256's compression function with the ARMv8 cryptography extension.
 *
 * Compiled with -march=armv8-a+crypto and called only where the CPU has it. The working
 * variables lie in two registers in the order of the state: {a, b, c, d} and {e, f, g,
 * h}. */
#include "base/sha256_compress.h"

#ifdef SHA256_HAS_ARM

#include <arm_neon.h>

/* Four big-endian words of the message. */
static inline uint32x4_t load_words(const uint8_t *bytes) {
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(bytes)));
}

/* From sixteen words W[t-16..t-1], four to an argument, the next four. */
static inline uint32x4_t next_words(uint32x4_t w0, uint32x4_t w1, uint32x4_t w2,
                                    uint32x4_t w3) {
    return vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3);
}

static inline void four_rounds(uint32x4_t *abcd, uint32x4_t *efgh, uint32x4_t words,
                               size_t round) {
    uint32x4_t sums = vaddq_u32(words, vld1q_u32(sha256_constants + round));
    uint32x4_t abcd_before = *abcd;
    *abcd = vsha256hq_u32(*abcd, *efgh, sums);
    *efgh = vsha256h2q_u32(*efgh, abcd_before, sums);
}

void sha256_compress_arm(uint32_t state[8], const uint8_t *blocks, size_t count) {
    uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);

    for (; count > 0; count--, blocks += SHA256_BLOCK) {
        uint32x4_t abcd_before = abcd, efgh_before = efgh;
        uint32x4_t w0 = load_words(blocks), w1 = load_words(blocks + 16);
        uint32x4_t w2 = load_words(blocks + 32), w3 = load_words(blocks + 48);
        for (size_t round = 0; round < 48; round += 16) {
            four_rounds(&abcd, &efgh, w0, round);
            w0 = next_words(w0, w1, w2, w3);
            four_rounds(&abcd, &efgh, w1, round + 4);
            w1 = next_words(w1, w2, w3, w0);
            four_rounds(&abcd, &efgh, w2, round + 8);
            w2 = next_words(w2, w3, w0, w1);
            four_rounds(&abcd, &efgh, w3, round + 12);
            w3 = next_words(w3, w0, w1, w2);
        }
        four_rounds(&abcd, &efgh, w0, 48);
        four_rounds(&abcd, &efgh, w1, 52);
        four_rounds(&abcd, &efgh, w2, 56);
        four_rounds(&abcd, &efgh, w3, 60);
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }

    vst1q_u32(state, abcd);
    vst1q_u32(state + 4, efgh);
}

#endif
