/* The loops over code rows for NEON. Flipping the top bit of a stored byte gives its code
 * with a sign; products of two codes fit 16 bits (128 * 128 = 2^14), and are added in
 * pairs to 32. */
#if defined(__AARCH64EL__)

#include <arm_neon.h>

#include "kernel/code_loops.h"

#include "kernel/pure.h"

enum { BYTES = 16 };

static inline int32x4_t add(int32x4_t sum, const uint8_t *row, int8x16_t codes) {
    int8x16_t ours = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(row), vdupq_n_u8(0x80)));
    sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(ours), vget_low_s8(codes)));
    return vpadalq_s16(sum, vmull_high_s8(ours, codes));
}

static inline void four_dots(const int8_t *query, uint32_t rest,
                             const uint8_t *const *rows, uint32_t stride,
                             uint32_t *sums) {
    (void)rest;
    int32x4_t a = vdupq_n_s32(0), b = a, c = a, d = a;
    for (uint32_t i = 0; i < stride; i += BYTES) {
        int8x16_t codes = vld1q_s8(query + i);
        a = add(a, rows[0] + i, codes);
        b = add(b, rows[1] + i, codes);
        c = add(c, rows[2] + i, codes);
        d = add(d, rows[3] + i, codes);
    }
    int32x4_t whole = vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
    vst1q_u32(sums, vreinterpretq_u32_s32(whole));
}

static inline uint32x4_t add_squares(uint32x4_t sum, const uint8_t *row,
                                     uint8x16_t codes) {
    uint8x16_t away = vabdq_u8(vld1q_u8(row), codes);
    sum = vpadalq_u16(sum, vmull_u8(vget_low_u8(away), vget_low_u8(away)));
    return vpadalq_u16(sum, vmull_high_u8(away, away));
}

static inline void four_squares(const int8_t *query, uint32_t rest,
                                const uint8_t *const *rows, uint32_t stride,
                                uint32_t *sums) {
    (void)rest;
    uint32x4_t a = vdupq_n_u32(0), b = a, c = a, d = a;
    for (uint32_t i = 0; i < stride; i += BYTES) {
        uint8x16_t codes =
            veorq_u8(vreinterpretq_u8_s8(vld1q_s8(query + i)), vdupq_n_u8(0x80));
        a = add_squares(a, rows[0] + i, codes);
        b = add_squares(b, rows[1] + i, codes);
        c = add_squares(c, rows[2] + i, codes);
        d = add_squares(d, rows[3] + i, codes);
    }
    vst1q_u32(sums, vpaddq_u32(vpaddq_u32(a, b), vpaddq_u32(c, d)));
}

static void dots(const int8_t *query, int32_t sum, const uint8_t *const *rows,
                 uint32_t count, uint32_t stride, int32_t *sums) {
    (void)sum;
    code_by_fours(four_dots, query, 0, rows, count, stride, (uint32_t *)sums);
}

static void squares(const int8_t *query, int32_t sum, uint32_t square,
                    const uint8_t *const *rows, uint32_t count, uint32_t stride,
                    uint32_t *sums) {
    (void)sum, (void)square;
    code_by_fours(four_squares, query, 0, rows, count, stride, sums);
}

static const struct code_loops neon = {
    .name = "neon",
    .codes = code_codes,
    .dots = dots,
    .squares = squares,
    .square_keys = code_square_keys,
    .cosine_keys = code_cosine_keys,
};

const struct code_loops *code_loops_neon(void) { return &neon; }

#endif
