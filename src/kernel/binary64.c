/* binary64 in integers: unpack to 64-bit mantissas, compute exactly or with a sticky bit,
 * round once. */
#include "kernel/binary64.h"

#include "base/check.h"
#include "base/int128.h"
#include "kernel/number_text.h"
#include "kernel/rounding.h"

#include "kernel/pure.h"

enum {
    FRACTION_BITS = 52,
    BIAS = 1023,
    EXPONENT_MIN = -1022, /* of normal numbers */
    EXPONENT_MAX = 1023,
};

static bool negative(binary64 a) { return (a & BINARY64_SIGN) != 0; }
static bool infinite(binary64 a) { return (a & ~BINARY64_SIGN) == BINARY64_INFINITY; }
static binary64 sign_of(bool is_negative) { return is_negative ? BINARY64_SIGN : 0; }

binary64 binary64_pack(bool is_negative, uint64_t mantissa, int exponent, bool sticky) {
    binary64 sign = sign_of(is_negative);
    if (mantissa == 0) return sign;
    int leading = bit_length(mantissa) - 1 + exponent; /* floor(log2) of the number */
    if (leading > EXPONENT_MAX) return sign | BINARY64_INFINITY;

    bool normal = leading >= EXPONENT_MIN;
    int shift = (normal ? leading : EXPONENT_MIN) - FRACTION_BITS - exponent;
    uint64_t significand = shift > 0 ? round_half_even(mantissa, (uint32_t)shift, sticky)
                                     : mantissa << -shift;
    if (!normal) return sign | significand;
    /* The hidden bit adds the last 1 to the exponent; a carry adds one more. */
    return sign | (((uint64_t)(leading + BIAS - 1) << FRACTION_BITS) + significand);
}

struct binary64_parts binary64_unpack(binary64 a) {
    uint64_t fraction = a & BINARY64_FRACTION;
    int exponent = (int)(a >> FRACTION_BITS & 0x7ff);
    if (exponent > 0) fraction |= BINARY64_FRACTION + 1;
    else exponent = 1;
    int shift = 64 - bit_length(fraction);
    return (struct binary64_parts){.negative = negative(a),
                                   .mantissa = fraction << shift,
                                   .exponent = exponent - BIAS - FRACTION_BITS - shift};
}

/* The same of a number of 128 bits. */
static binary64 pack_wide(bool is_negative, uint128 mantissa, int exponent, bool sticky) {
    uint64_t high = (uint64_t)(mantissa >> 64);
    int shift = bit_length(high);
    if (shift == 0 && sticky) { /* The leading bit must be in place. */
        shift = bit_length((uint64_t)mantissa) - 64;
        return binary64_pack(is_negative, (uint64_t)mantissa << -shift, exponent + shift,
                             true);
    }
    uint64_t rest = shift == 64 ? (uint64_t)mantissa
                                : (uint64_t)mantissa & (((uint64_t)1 << shift) - 1);
    return binary64_pack(is_negative, (uint64_t)(mantissa >> shift), exponent + shift,
                         sticky || rest != 0);
}

/* --- Sums ------------------------------------------------------------------------------
 */

/* Of two finite numbers, neither of them zero, `a` at least as large as `b`. */
static binary64 add_parts(struct binary64_parts a, struct binary64_parts b) {
    enum { ROOM = 62 }; /* bits below: with the sticky one more than are ever rounded */
    uint32_t away = (uint32_t)(a.exponent - b.exponent);
    uint128 large = (uint128)a.mantissa << ROOM, small = (uint128)b.mantissa << ROOM;
    bool sticky = away >= 128 || (small >> away) << away != small;
    small = away >= 128 ? 0 : small >> away;
    uint128 sum = large + small;
    if (a.negative != b.negative) {
        sum = large - small - sticky; /* what was cut makes it less */
        if (sum == 0) return 0;
    }
    return pack_wide(a.negative, sum, a.exponent - ROOM, sticky);
}

binary64 binary64_add(binary64 a, binary64 b) {
    if (binary64_is_nan(a) || binary64_is_nan(b)) return BINARY64_NAN;
    if (infinite(a)) return infinite(b) && a != b ? BINARY64_NAN : a;
    if (infinite(b)) return b;
    if (binary64_is_zero(b)) return binary64_is_zero(a) ? a & b : a;
    if (binary64_is_zero(a)) return b;
    bool swap = (a & ~BINARY64_SIGN) < (b & ~BINARY64_SIGN);
    struct binary64_parts large = binary64_unpack(swap ? b : a);
    return add_parts(large, binary64_unpack(swap ? a : b));
}

binary64 binary64_subtract(binary64 a, binary64 b) {
    return binary64_add(a, b ^ BINARY64_SIGN);
}

/* --- Products --------------------------------------------------------------------------
 */

binary64 binary64_multiply(binary64 a, binary64 b) {
    bool minus = negative(a) != negative(b);
    if (binary64_is_nan(a) || binary64_is_nan(b)) return BINARY64_NAN;
    bool none = binary64_is_zero(a) || binary64_is_zero(b);
    if (infinite(a) || infinite(b))
        return none ? BINARY64_NAN : sign_of(minus) | BINARY64_INFINITY;
    if (none) return sign_of(minus);
    struct binary64_parts left = binary64_unpack(a), right = binary64_unpack(b);
    return pack_wide(minus, (uint128)left.mantissa * right.mantissa,
                     left.exponent + right.exponent, false);
}

binary64 binary64_divide(binary64 a, binary64 b) {
    bool minus = negative(a) != negative(b);
    if (binary64_is_nan(a) || binary64_is_nan(b)) return BINARY64_NAN;
    if (infinite(a))
        return infinite(b) ? BINARY64_NAN : sign_of(minus) | BINARY64_INFINITY;
    if (infinite(b)) return sign_of(minus);
    if (binary64_is_zero(b))
        return binary64_is_zero(a) ? BINARY64_NAN : sign_of(minus) | BINARY64_INFINITY;
    if (binary64_is_zero(a)) return sign_of(minus);
    struct binary64_parts left = binary64_unpack(a), right = binary64_unpack(b);
    uint128 dividend = (uint128)left.mantissa << 63;
    uint128 quotient = dividend / right.mantissa;
    return pack_wide(minus, quotient, left.exponent - right.exponent - 63,
                     quotient * right.mantissa != dividend);
}

binary64 binary64_remainder(binary64 a, binary64 b) {
    if (binary64_is_nan(a) || binary64_is_nan(b) || infinite(a) || binary64_is_zero(b))
        return BINARY64_NAN;
    if (infinite(b) || (a & ~BINARY64_SIGN) < (b & ~BINARY64_SIGN)) return a;
    struct binary64_parts left = binary64_unpack(a), right = binary64_unpack(b);
    enum { LOW = 64 - FRACTION_BITS - 1 }; /* bits of a mantissa that are zero */
    uint64_t divisor = right.mantissa >> LOW, rest = (left.mantissa >> LOW) % divisor;
    for (int away = left.exponent - right.exponent; away > 0 && rest > 0;) {
        int step = away < LOW ? away : LOW;
        rest = (rest << step) % divisor;
        away -= step;
    }
    return binary64_pack(left.negative, rest, right.exponent + LOW, false);
}

int binary64_compare(binary64 a, binary64 b) {
    if (binary64_is_nan(a) || binary64_is_nan(b)) return BINARY64_UNORDERED;
    if (binary64_is_zero(a) && binary64_is_zero(b)) return 0;
    /* Patterns as numbers with a sign, so that they are in order. */
    int64_t left = negative(a) ? -(int64_t)(a & ~BINARY64_SIGN) : (int64_t)a;
    int64_t right = negative(b) ? -(int64_t)(b & ~BINARY64_SIGN) : (int64_t)b;
    return (left > right) - (left < right);
}

/* --- Text ------------------------------------------------------------------------------
 */

binary64 binary64_from_decimal(bool is_negative, uint64_t digits, int ten) {
    check(ten >= -BINARY64_TEN_MAX && ten <= BINARY64_TEN_MAX);
    if (digits == 0) return sign_of(is_negative);
    uint64_t power = 1;
    for (int i = ten < 0 ? -ten : ten; i > 0; i--) power *= 10;
    if (ten >= 0) return pack_wide(is_negative, (uint128)digits * power, 0, false);
    int shift = 64 - bit_length(digits);
    uint128 dividend = (uint128)(digits << shift) << 64;
    /* At least 2^127 / 10^19, so its leading 64 bits are there or exact. */
    uint128 quotient = dividend / power;
    return pack_wide(is_negative, quotient, -shift - 64, quotient * power != dividend);
}

bool binary64_from_text(struct slice text, binary64 *value) {
    static const struct number_range range = {.digits = 800, .leading_max = EXPONENT_MAX};
    struct number_binary number;
    enum status status = number_from_text(text, &range, &number);
    binary64 sign = sign_of(number.negative);
    if (status == STATUS_NOT_FINITE)
        *value = number.nan ? BINARY64_NAN : sign | BINARY64_INFINITY;
    else if (status == STATUS_RANGE)
        *value = number.large ? sign | BINARY64_INFINITY : sign;
    else if (status == STATUS_OK)
        *value = binary64_pack(number.negative, number.mantissa, number.exponent,
                               number.sticky);
    return status != STATUS_INVALID;
}
