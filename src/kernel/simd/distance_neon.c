/* The vector loops for little-endian AArch64, whose every CPU has NEON.
 *
 * Multiplications widen two 32-bit lanes to 64 bits; "high" forms take the upper two. The
 * last, partial vector goes through a small array, since there are no masked loads. */
#if defined(__AARCH64EL__)

#include <arm_neon.h>

#include <string.h>

#include "kernel/distance.h"

#include "kernel/pure.h"

enum { LANES = 4 };

static inline int32x4_t load(const void *address) {
    return vreinterpretq_s32_u8(vld1q_u8(address));
}

/* The first `count` lanes, fewer than LANES; zeros in the others. */
static inline int32x4_t load_some(const void *address, uint32_t count) {
    uint8_t lanes[4 * LANES] = {0};
    memcpy(lanes, address, 4 * (size_t)count);
    return load(lanes);
}

/* Two sums of the lower and two of the upper lanes, so that no multiplication waits for
 * the last. */
struct sums {
    int64x2_t low[2], high[2];
};

static inline struct sums no_sums(void) {
    const int64x2_t zero = vdupq_n_s64(0);
    return (struct sums){{zero, zero}, {zero, zero}};
}

static inline void add_products(struct sums *sums, uint32_t which, int32x4_t a,
                                int32x4_t b) {
    sums->low[which] = vmlal_s32(sums->low[which], vget_low_s32(a), vget_low_s32(b));
    sums->high[which] = vmlal_high_s32(sums->high[which], a, b);
}

static inline void add_squares(struct sums *sums, uint32_t which, int32x4_t a,
                               int32x4_t b) {
    int32x4_t difference = vsubq_s32(a, b);
    add_products(sums, which, difference, difference);
}

static inline int64_t reduce(const struct sums *sums) {
    int64x2_t low = vaddq_s64(sums->low[0], sums->low[1]);
    int64x2_t high = vaddq_s64(sums->high[0], sums->high[1]);
    return vaddvq_s64(vaddq_s64(low, high));
}

static int64_t dot(const int32_t *a, const int32_t *b, uint32_t dim) {
    struct sums sums = no_sums();
    uint32_t i = 0;
    for (; i + 2 * LANES <= dim; i += 2 * LANES) {
        add_products(&sums, 0, load(a + i), load(b + i));
        add_products(&sums, 1, load(a + i + LANES), load(b + i + LANES));
    }
    for (; i + LANES <= dim; i += LANES) add_products(&sums, 0, load(a + i), load(b + i));
    if (i < dim)
        add_products(&sums, 1, load_some(a + i, dim - i), load_some(b + i, dim - i));
    return reduce(&sums);
}

static int64_t l2(const int32_t *a, const int32_t *b, uint32_t dim) {
    struct sums sums = no_sums();
    uint32_t i = 0;
    for (; i + 2 * LANES <= dim; i += 2 * LANES) {
        add_squares(&sums, 0, load(a + i), load(b + i));
        add_squares(&sums, 1, load(a + i + LANES), load(b + i + LANES));
    }
    for (; i + LANES <= dim; i += LANES) add_squares(&sums, 0, load(a + i), load(b + i));
    if (i < dim)
        add_squares(&sums, 1, load_some(a + i, dim - i), load_some(b + i, dim - i));
    return reduce(&sums);
}

static void dot_rows(const int32_t *query, const int32_t *rows, uint32_t stride,
                     uint32_t count, int64_t *out) {
    for (uint32_t i = 0; i < count; i++)
        out[i] = dot(query, rows + (size_t)i * stride, stride);
}

static void l2_rows(const int32_t *query, const int32_t *rows, uint32_t stride,
                    uint32_t count, int64_t *out) {
    for (uint32_t i = 0; i < count; i++)
        out[i] = l2(query, rows + (size_t)i * stride, stride);
}

/* --- Wide sums ---------------------------------------------------------------------- */

/* The halves of 64-bit products, summed apart: 65,536 of them take 48 bits. */
struct halves {
    int64x2_t low, high;
};

static inline void add_signed(struct halves *sums, int64x2_t products) {
    sums->low = vaddq_s64(sums->low, vandq_s64(products, vdupq_n_s64(0xffffffff)));
    sums->high = vaddq_s64(sums->high, vshrq_n_s64(products, 32));
}

static inline void add_unsigned(struct halves *sums, uint64x2_t products) {
    uint64x2_t low = vandq_u64(products, vdupq_n_u64(0xffffffff));
    sums->low = vaddq_s64(sums->low, vreinterpretq_s64_u64(low));
    sums->high = vaddq_s64(sums->high, vreinterpretq_s64_u64(vshrq_n_u64(products, 32)));
}

static inline void add_wide_products(struct halves *sums, int32x4_t a, int32x4_t b) {
    add_signed(sums, vmull_s32(vget_low_s32(a), vget_low_s32(b)));
    add_signed(sums, vmull_high_s32(a, b));
}

/* |a - b| fits 32 bits without a sign, whatever wraps on the way; its square fits 64. */
static inline void add_wide_squares(struct halves *sums, int32x4_t a, int32x4_t b) {
    uint32x4_t distance =
        vreinterpretq_u32_s32(vsubq_s32(vmaxq_s32(a, b), vminq_s32(a, b)));
    add_unsigned(sums, vmull_u32(vget_low_u32(distance), vget_low_u32(distance)));
    add_unsigned(sums, vmull_high_u32(distance, distance));
}

static int128 total(struct halves sums) {
    return (int128)vaddvq_s64(sums.high) * ((int128)1 << 32) + vaddvq_s64(sums.low);
}

static void dot_wide(const int32_t *a, const int32_t *b, uint32_t dim, int128 *result) {
    struct halves sums = {vdupq_n_s64(0), vdupq_n_s64(0)};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        add_wide_products(&sums, load(a + i), load(b + i));
    if (i < dim)
        add_wide_products(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    *result = total(sums);
}

static void l2_wide(const int32_t *a, const int32_t *b, uint32_t dim, uint128 *result) {
    struct halves sums = {vdupq_n_s64(0), vdupq_n_s64(0)};
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        add_wide_squares(&sums, load(a + i), load(b + i));
    if (i < dim)
        add_wide_squares(&sums, load_some(a + i, dim - i), load_some(b + i, dim - i));
    *result = (uint128)total(sums);
}

/* --- Bits --------------------------------------------------------------------------- */

/* abs(INT32_MIN) wraps to itself, which is right without a sign. */
static inline uint32x4_t magnitudes(int32x4_t values) {
    return vreinterpretq_u32_s32(vabsq_s32(values));
}

static uint32_t max_bits(const int32_t *values, uint32_t dim) {
    uint32x4_t greatest = vdupq_n_u32(0);
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        greatest = vmaxq_u32(greatest, magnitudes(load(values + i)));
    if (i < dim)
        greatest = vmaxq_u32(greatest, magnitudes(load_some(values + i, dim - i)));
    uint32_t bits = vmaxvq_u32(greatest);
    return bits == 0 ? 0 : 32 - (uint32_t)__builtin_clz(bits);
}

/* Without a sign bit patterns are positive as signed integers, and the greatest of both
 * kinds come from a signed and an unsigned maximum. */
static struct fp32_extent fp32_extent(const uint8_t *blob, uint32_t dim) {
    int32x4_t positive = vdupq_n_s32(0);
    uint32x4_t negative = vdupq_n_u32(0);
    uint32_t i = 0;
    for (; i < dim; i += LANES) {
        const uint8_t *address = blob + 4 * (size_t)i;
        int32x4_t bits = dim - i >= LANES ? load(address) : load_some(address, dim - i);
        positive = vmaxq_s32(positive, bits);
        negative = vmaxq_u32(negative, vreinterpretq_u32_s32(bits));
    }
    uint32_t greatest = vmaxvq_u32(negative);
    return (struct fp32_extent){(uint32_t)vmaxvq_s32(positive),
                                greatest >> 31 ? greatest : 0};
}

/* convert() of distance.c, four at a time. `base` - exponent field = the shift to the
 * right; a negative one shifts left. Past 25 the result is 0, so larger shifts are cut
 * to 26. A shift by a vector goes left, and right by its negative. */
static inline int32x4_t convert(int32x4_t pattern, int32x4_t base) {
    const uint32x4_t one = vdupq_n_u32(1);
    uint32x4_t bits = vreinterpretq_u32_s32(pattern);
    uint32x4_t field = vandq_u32(vshrq_n_u32(bits, 23), vdupq_n_u32(0xff));
    uint32x4_t hidden = vshlq_n_u32(vminq_u32(field, one), 23);
    uint32x4_t significand = vorrq_u32(vandq_u32(bits, vdupq_n_u32(0x7fffff)), hidden);

    int32x4_t shift = vsubq_s32(base, vreinterpretq_s32_u32(vmaxq_u32(field, one)));
    int32x4_t left = vmaxq_s32(vnegq_s32(shift), vdupq_n_s32(0));
    int32x4_t right = vminq_s32(vmaxq_s32(shift, vdupq_n_s32(0)), vdupq_n_s32(26));
    int32x4_t minus_right = vnegq_s32(right);

    /* Half to even: add one less than a half, and the last bit that stays; nothing if
     * right is 0. */
    uint32x4_t cut = vsubq_u32(vshlq_u32(one, right), one);
    uint32x4_t stays = vshlq_u32(significand, minus_right);
    uint32x4_t last = vandq_u32(vandq_u32(stays, cut), one);
    uint32x4_t nudge = vaddq_u32(vshrq_n_u32(cut, 1), last);
    uint32x4_t rounded = vshlq_u32(vaddq_u32(significand, nudge), minus_right);
    int32x4_t magnitude = vreinterpretq_s32_u32(vshlq_u32(rounded, left));

    int32x4_t sign = vshrq_n_s32(pattern, 31);
    return vsubq_s32(veorq_s32(magnitude, sign), sign);
}

static void fp32_convert(const uint8_t *blob, uint32_t dim, int exponent, int32_t *out) {
    const int32x4_t base = vdupq_n_s32(134 + exponent);
    uint32_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        vst1q_s32(out + i, convert(load(blob + 4 * (size_t)i), base));
    if (i < dim) {
        int32_t last[LANES];
        vst1q_s32(last, convert(load_some(blob + 4 * (size_t)i, dim - i), base));
        memcpy(out + i, last, (dim - i) * sizeof last[0]);
    }
}

static const struct distance_functions neon = {
    .name = "neon",
    .dot = dot,
    .l2 = l2,
    .dot_wide = dot_wide,
    .l2_wide = l2_wide,
    .dot_rows = dot_rows,
    .l2_rows = l2_rows,
    .max_bits = max_bits,
    .fp32_extent = fp32_extent,
    .fp32_convert = fp32_convert,
};

const struct distance_functions *distance_neon(void) { return &neon; }

#endif
