/* SHA-256's compression function in plain C: the definition that the others must equal
 * (FIPS 180-4, 4.1.2 and 6.2.2). */
#include "base/bytes.h"
#include "base/sha256_compress.h"

const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
};

static inline uint32_t rotate(uint32_t x, unsigned bits) {
    return x >> bits | x << (32 - bits);
}

static inline uint32_t big_sigma0(uint32_t x) {
    return rotate(x, 2) ^ rotate(x, 13) ^ rotate(x, 22);
}
static inline uint32_t big_sigma1(uint32_t x) {
    return rotate(x, 6) ^ rotate(x, 11) ^ rotate(x, 25);
}
static inline uint32_t small_sigma0(uint32_t x) {
    return rotate(x, 7) ^ rotate(x, 18) ^ x >> 3;
}
static inline uint32_t small_sigma1(uint32_t x) {
    return rotate(x, 17) ^ rotate(x, 19) ^ x >> 10;
}
static inline uint32_t choose(uint32_t x, uint32_t y, uint32_t z) {
    return z ^ (x & (y ^ z));
}
static inline uint32_t majority(uint32_t x, uint32_t y, uint32_t z) {
    return (x & y) | (z & (x | y));
}

/* W: the block's sixteen words, and the 48 that follow from them. */
static inline void schedule(uint32_t words[64], const uint8_t *block) {
    for (size_t t = 0; t < 16; t++) words[t] = load_be32(block + 4 * t);
    for (size_t t = 16; t < 64; t++)
        words[t] = small_sigma1(words[t - 2]) + words[t - 7] +
                   small_sigma0(words[t - 15]) + words[t - 16];
}

/* One round without the shift of the eight names: the new `e` lands in d and the new `a`
 * in h, and the caller passes the names one place further in the next round. */
static inline void one_round(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e,
                             uint32_t f, uint32_t g, uint32_t *h,
                             uint32_t constant_and_word) {
    uint32_t t1 = *h + big_sigma1(e) + choose(e, f, g) + constant_and_word;
    *d += t1;
    *h = t1 + big_sigma0(a) + majority(a, b, c);
}

void sha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t count) {
    for (; count > 0; count--, blocks += SHA256_BLOCK) {
        uint32_t w[64];
        schedule(w, blocks);
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (size_t t = 0; t < 64; t += 8) {
            const uint32_t *k = sha256_constants + t;
            one_round(a, b, c, &d, e, f, g, &h, k[0] + w[t]);
            one_round(h, a, b, &c, d, e, f, &g, k[1] + w[t + 1]);
            one_round(g, h, a, &b, c, d, e, &f, k[2] + w[t + 2]);
            one_round(f, g, h, &a, b, c, d, &e, k[3] + w[t + 3]);
            one_round(e, f, g, &h, a, b, c, &d, k[4] + w[t + 4]);
            one_round(d, e, f, &g, h, a, b, &c, k[5] + w[t + 5]);
            one_round(c, d, e, &f, g, h, a, &b, k[6] + w[t + 6]);
            one_round(b, c, d, &e, f, g, h, &a, k[7] + w[t + 7]);
        }
        const uint32_t sums[8] = {a, b, c, d, e, f, g, h};
        for (size_t i = 0; i < 8; i++) state[i] += sums[i];
    }
}
