/* Numbers in text, as strtod() takes them in the C locale, to their leading bits: the
 * first half of every conversion of text. */
#ifndef KERNEL_NUMBER_TEXT_H
#define KERNEL_NUMBER_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

/* (mantissa + s) * 2^exponent, where bit 63 of the mantissa is set, and s is 0 or, if
 * sticky, between 0 and 1. Zero has mantissa 0. */
struct number_binary {
    bool negative, sticky;
    bool large; /* STATUS_RANGE: it is too large, and not too small */
    bool nan;   /* STATUS_NOT_FINITE: a NaN, and not an infinity */
    uint64_t mantissa;
    int exponent;
};

/* What the caller's format can tell apart. */
struct number_range {
    int64_t digits;  /* that may decide a rounding, at most 800 */
    int leading_max; /* 2^(leading_max + 1) and more is too large */
};

/* An optional sign; digits with at most one '.', at least one digit; an optional exponent,
 * e or E with an optional sign and digits; or 0x, hexadecimal digits with at most one '.',
 * and optionally p or P and a power of two. Or one of the words inf, infinity, nan and
 * nan(...) in any case. The number is the whole text: no blanks.
 *
 * STATUS_INVALID: not a number. STATUS_NOT_FINITE: one of the words. STATUS_RANGE: too
 * large, or not zero but zero as binary64. */
enum status number_from_text(struct slice text, const struct number_range *range,
                             struct number_binary *number);

#endif
