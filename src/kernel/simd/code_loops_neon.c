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

static void dots(const int8_t *query, int32_t sum, const uint8_t *const rows[4],
                 uint32_t stride, int32_t sums[4]) {
    (void)sum;
    int32x4_t a = vdupq_n_s32(0), b = a, c = a, d = a;
    for (uint32_t i = 0; i < stride; i += BYTES) {
        int8x16_t codes = vld1q_s8(query + i);
        a = add(a, rows[0] + i, codes);
        b = add(b, rows[1] + i, codes);
        c = add(c, rows[2] + i, codes);
        d = add(d, rows[3] + i, codes);
    }
    vst1q_s32(sums, vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)));
}

static const struct code_loops neon = {.name = "neon", .dots = dots};

const struct code_loops *code_loops_neon(void) { return &neon; }

#endif
