/* IEEE 754 binary64, computed with integers: the numbers of filters. Each operation gives
 * the same bits on every CPU; docs/semantics-filter-1.md, section 2, defines them.
 *
 * A value is its bit pattern. Sums, products, quotients and remainders are those of the
 * standard, rounded to nearest, ties to even; there is one NaN. */
#ifndef KERNEL_BINARY64_H
#define KERNEL_BINARY64_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

typedef uint64_t binary64;

#define BINARY64_SIGN     UINT64_C(0x8000000000000000)
#define BINARY64_INFINITY UINT64_C(0x7ff0000000000000)
#define BINARY64_NAN      UINT64_C(0x7ff8000000000000)
#define BINARY64_ONE      UINT64_C(0x3ff0000000000000)
#define BINARY64_FRACTION UINT64_C(0x000fffffffffffff)

static inline bool binary64_is_nan(binary64 a) {
    return (a & ~BINARY64_SIGN) > BINARY64_INFINITY;
}
static inline bool binary64_is_zero(binary64 a) { return (a & ~BINARY64_SIGN) == 0; }

binary64 binary64_add(binary64 a, binary64 b);
binary64 binary64_subtract(binary64 a, binary64 b);
binary64 binary64_multiply(binary64 a, binary64 b);
binary64 binary64_divide(binary64 a, binary64 b);
/* What is left of `a` after whole multiples of `b` towards zero; has the sign of `a`. */
binary64 binary64_remainder(binary64 a, binary64 b);
/* `a` to the power of `b`: binary64_power.c. */
binary64 binary64_power(binary64 a, binary64 b);

/* <0, 0 or >0; two zeros are equal. BINARY64_UNORDERED with a NaN. */
#define BINARY64_UNORDERED 2
int binary64_compare(binary64 a, binary64 b);

/* (mantissa + s) * 2^exponent, s being 0 or, if sticky, between 0 and 1: rounded. With
 * sticky, bit 63 of the mantissa must be set. */
binary64 binary64_pack(bool negative, uint64_t mantissa, int exponent, bool sticky);

/* A finite number that is not zero as (-1)^negative * mantissa * 2^exponent, bit 63 of
 * the mantissa set. */
struct binary64_parts {
    bool negative;
    uint64_t mantissa;
    int exponent;
};
struct binary64_parts binary64_unpack(binary64 a);

/* digits * 10^ten, rounded; for |ten| <= BINARY64_TEN_MAX. */
#define BINARY64_TEN_MAX 19
binary64 binary64_from_decimal(bool negative, uint64_t digits, int ten);

/* Text that is a number as strtod() takes it in the C locale (number_text.h), rounded;
 * too large is infinity, too small is zero. False if the text as a whole is none. */
bool binary64_from_text(struct slice text, binary64 *value);

#endif
