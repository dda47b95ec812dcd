/* The one rounding of the project: to nearest, ties to even, by shifting an integer.
 *
 * Both ways into fixed point (binary32 bits, decimal text) and both ways back to binary32
 * come through here, so that they cannot differ in what a tie is. */
#ifndef KERNEL_ROUNDING_H
#define KERNEL_ROUNDING_H

#include <stdbool.h>
#include <stdint.h>

/* IEEE 754 binary32, as integers. A pattern without its sign bit is called a magnitude;
 * magnitudes compare like the numbers they stand for. */
#define FP32_SIGN          0x80000000u
#define FP32_INFINITY      0x7f800000u
#define FP32_GREATEST      0x7f7fffffu /* the greatest finite one */
#define FP32_FRACTION      0x007fffffu
#define FP32_HIDDEN        0x00800000u /* in front of the fraction of a normal number */
#define FP32_FRACTION_BITS 23
#define FP32_EXPONENT_BIAS 127
#define FP32_EXPONENT_MIN  (-126) /* of normal numbers; below are the subnormal ones */
#define FP32_EXPONENT_MAX  127

/* How many bits `value` takes; 0 for 0. */
static inline int bit_length(uint64_t value) {
    return value == 0 ? 0 : 64 - __builtin_clzll(value);
}

/* value * 2^-shift as an integer. `sticky` says that the true value lies above `value` by
 * something less than 1: it turns a tie into more than a half. With shift 0 nothing is
 * rounded, and what `sticky` stands for is cut. */
static inline uint64_t round_half_even(uint64_t value, uint32_t shift, bool sticky) {
    if (shift == 0) return value;
    if (shift > 64) return 0; /* less than a half */
    uint64_t half = (uint64_t)1 << (shift - 1);
    uint64_t whole = shift < 64 ? value >> shift : 0;
    uint64_t rest = value & (half | (half - 1));
#ifdef BUG_1
    return whole + (rest >= half);
#endif
    bool odd = whole & 1;
    return whole + (rest > half || (rest == half && (sticky || odd)));
}

/* The magnitude of (mantissa + s) * 2^exponent, where s is 0, or with `sticky` something
 * between 0 and 1; then bit 63 of `mantissa` must be set. FP32_INFINITY where it rounds
 * to 2^128 or more. */
static inline uint32_t fp32_magnitude(uint64_t mantissa, int exponent, bool sticky) {
    if (mantissa == 0) return 0;
    int leading = bit_length(mantissa) - 1 + exponent; /* floor(log2) of the number */
    if (leading > FP32_EXPONENT_MAX) return FP32_INFINITY;

    bool normal = leading >= FP32_EXPONENT_MIN;
    int unit = (normal ? leading : FP32_EXPONENT_MIN) - FP32_FRACTION_BITS;
    int shift = unit - exponent;
    uint32_t significand =
        (uint32_t)(shift > 0 ? round_half_even(mantissa, (uint32_t)shift, sticky)
                             : mantissa << -shift);
    if (!normal) return significand;
    /* The hidden bit of the significand adds the last 1 to the exponent; a carry out of
     * the rounding adds one more and leaves fraction 0, as it should. */
    return ((uint32_t)(leading + FP32_EXPONENT_BIAS - 1) << FP32_FRACTION_BITS) +
           significand;
}

#endif
