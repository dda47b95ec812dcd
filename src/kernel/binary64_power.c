/* `a` to the power of `b`, by the algorithm of docs/semantics-filter-1.md, section 2.1:
 * exactly where the exact power fits 128 bits, otherwise 2^(b log2 |a|) in fixed point of
 * 127 places. Its error stays below 2^-60 of the result, so that what is rounded is
 * almost always what rounding the true power would give; where it is not, it is one of
 * its two neighbours, and the same one everywhere. */
#include "kernel/binary64.h"

#include "base/int128.h"
#include "kernel/rounding.h"

#include "kernel/pure.h"

#define ONE ((uint128)1 << 127)

/* 2^(2^-i) in units of 2^-127, rounded down: the upper and the lower half. */
static const uint64_t roots_of_two[64][2] = {
    {0xb504f333f9de6484, 0x597d89b3754abe9f}, {0x9837f0518db8a96f, 0x46ad23182e42f6f6},
    {0x8b95c1e3ea8bd6e6, 0xfbe4628758a53c90}, {0x85aac367cc487b14, 0xc5c95b8c2154c1b2},
    {0x82cd8698ac2ba1d7, 0x3e2a475b46520bff}, {0x8164d1f3bc030773, 0x7be56527bd14def4},
    {0x80b1ed4fd999ab6c, 0x25335719b6e6fd20}, {0x8058d7d2d5e5f6b0, 0x94d589f608ee4aa2},
    {0x802c6436d0e04f50, 0xff8ce94a6797b3ce}, {0x8016302f17467628, 0x3690dfe44d11d008},
    {0x800b179c82028fd0, 0x945e54e2ae18f2f0}, {0x80058baf7fee3b5d, 0x1c718b38e549cb93},
    {0x8002c5d00fdcfcb6, 0xb6566a58c048be1f}, {0x800162e61bed4a48, 0xe84c2e1a463473d9},
    {0x8000b17292f702a3, 0xaa22beacca949013}, {0x800058b92abbae02, 0x030c5fa5256f41fe},
    {0x80002c5c8dade4d7, 0x1776c0f4dbea67d6}, {0x8000162e44eaf636, 0x526be456600bdbe4},
    {0x80000b1721fa7c18, 0x8307016c1cd4e8b6}, {0x8000058b90de7e4c, 0xecfc487503488bb1},
    {0x800002c5c8678f36, 0xcbfce50a6de60b14}, {0x80000162e431db9f, 0x80b2347b5d62e516},
    {0x800000b1721872d0, 0xc7b08cf1e0114152}, {0x80000058b90c1aa8, 0xa5c3736cb77e8dff},
    {0x8000002c5c8605a4, 0x635f2efc2362d978}, {0x800000162e4300e6, 0x35cf4a109e3939bd},
    {0x8000000b17217ff8, 0x1bef9c551590cf83}, {0x800000058b90bfdd, 0x4e39cd52c0cfa27c},
    {0x80000002c5c85fe6, 0xf72d669e0e76e411}, {0x8000000162e42ff1, 0x8f9ad35186d0df28},
    {0x80000000b17217f8, 0x4cce71aa0dcfffe7}, {0x8000000058b90bfc, 0x07a77ad56ed22aaa},
    {0x800000002c5c85fd, 0xfc23cdead40da8d6}, {0x80000000162e42fe, 0xfc25eb1571853a66},
    {0x800000000b17217f, 0x7d97f692baacded5}, {0x80000000058b90bf, 0xbead3b8b5dd254d7},
    {0x8000000002c5c85f, 0xdf4eedd62f084e67}, {0x800000000162e42f, 0xefa58aef378bf586},
    {0x8000000000b17217, 0xf7d24a78a3c7ef02}, {0x800000000058b90b, 0xfbe9067c93e474a6},
    {0x80000000002c5c85, 0xfdf47b8e5a72599f}, {0x8000000000162e42, 0xfefa3bdb315934a2},
    {0x80000000000b1721, 0x7f7d1d7299b49c46}, {0x8000000000058b90, 0xbfbe8e9a8d1c4ea0},
    {0x800000000002c5c8, 0x5fdf4745969ea76f}, {0x80000000000162e4, 0x2fefa3a0df5373bf},
    {0x800000000000b172, 0x17f7d1cff4aac1e1}, {0x80000000000058b9, 0x0bfbe8e7db95a2f1},
    {0x8000000000002c5c, 0x85fdf473e61ae1f8}, {0x800000000000162e, 0x42fefa39f121751c},
    {0x8000000000000b17, 0x217f7d1cf815bb96}, {0x800000000000058b, 0x90bfbe8e7bec1e0d},
    {0x80000000000002c5, 0xc85fdf473dee5f17}, {0x8000000000000162, 0xe42fefa39ef5438f},
    {0x80000000000000b1, 0x7217f7d1cf7a26c8}, {0x8000000000000058, 0xb90bfbe8e7bcf4a4},
    {0x800000000000002c, 0x5c85fdf473de72a2}, {0x8000000000000016, 0x2e42fefa39ef3765},
    {0x800000000000000b, 0x17217f7d1cf79b37}, {0x8000000000000005, 0x8b90bfbe8e7bcd7d},
    {0x8000000000000002, 0xc5c85fdf473de6b6}, {0x8000000000000001, 0x62e42fefa39ef359},
    {0x8000000000000000, 0xb17217f7d1cf79ac}, {0x8000000000000000, 0x58b90bfbe8e7bcd6},
};
#define LN_TWO UINT64_C(0xb17217f7d1cf79ab) /* in units of 2^-64, rounded down */

/* floor(a * b / 2^127) of two numbers below 2^128 whose product is below 2^255. */
static uint128 multiply(uint128 a, uint128 b) {
    uint64_t a1 = (uint64_t)(a >> 64), a0 = (uint64_t)a;
    uint64_t b1 = (uint64_t)(b >> 64), b0 = (uint64_t)b;
    uint128 low = (uint128)a0 * b0, left = (uint128)a1 * b0, right = (uint128)a0 * b1;
    uint128 middle = (low >> 64) + (uint64_t)left + (uint64_t)right;
    uint128 high = (uint128)a1 * b1 + (left >> 64) + (right >> 64) + (middle >> 64);
    return high << 1 | ((uint64_t)middle >> 63);
}

/* A number whose whole part is small: (-1)^negative * (whole + fraction / 2^128). */
struct fixed {
    bool negative;
    uint64_t whole;
    uint128 fraction;
};

/* log2 of mantissa * 2^exponent, bit 63 of the mantissa set: the fraction bit by bit,
 * each by a squaring. */
static struct fixed log2_of(uint64_t mantissa, int exponent) {
    uint128 power = (uint128)mantissa << 64, fraction = 0;
    for (int i = 0; i < 128; i++) {
        /* power^2 is below 2^256; shifted by one place less where it is 2 or more */
        uint128 half = multiply(power >> 1, power); /* power^2 / 2 */
        fraction <<= 1;
        if (half >= ONE) {
            fraction |= 1;
            power = half;
        } else {
            power = half << 1;
        }
    }
    int whole = exponent + 63;
    struct fixed result = {.whole = (uint64_t)whole, .fraction = fraction};
    if (whole < 0) {
        result.negative = true;
        result.whole = (uint64_t)-whole - (fraction > 0);
        result.fraction = 0 - fraction;
    }
    return result;
}

/* number * mantissa * 2^exponent with a whole part, and 127 places after it; cut. False:
 * 2^12 or more. */
static bool scale(const struct fixed *number, uint64_t mantissa, int exponent,
                  uint64_t *whole, uint128 *fraction) {
    uint128 low = (uint128)mantissa * (uint64_t)number->fraction;
    uint128 middle =
        (uint128)mantissa * (uint64_t)(number->fraction >> 64) + (uint64_t)(low >> 64);
    uint128 high = (uint128)mantissa * number->whole + (uint64_t)(middle >> 64);
    /* The product in units of 2^-128, from its lowest limb. */
    uint64_t limbs[4] = {(uint64_t)low, (uint64_t)middle, (uint64_t)high,
                         (uint64_t)(high >> 64)};
    int length = 0;
    for (int i = 0; i < 4; i++)
        if (limbs[i]) length = 64 * i + bit_length(limbs[i]);
    if (length + exponent > 128 + 12) return false;
    /* Bit `at` of the result, in units of 2^-127, is bit at + 1 - exponent. */
    uint128 parts[2] = {0, 0}; /* units of 2^-127; of 2^1 */
    for (int at = 0; at < 140; at++) {
        int64_t from = (int64_t)at + 1 - exponent;
        if (from < 0 || from > 255 || !(limbs[from / 64] >> from % 64 & 1)) continue;
        if (at < 127) parts[0] |= (uint128)1 << at;
        else parts[1] |= (uint128)1 << (at - 127);
    }
    *fraction = parts[0];
    *whole = (uint64_t)parts[1];
    return true;
}

/* 2^(fraction / 2^127), in units of 2^-127. */
static uint128 exp2_of(uint128 fraction) {
    uint128 result = ONE;
    for (int i = 0; i < 64; i++) {
        if (!(fraction >> (126 - i) & 1)) continue;
        result = multiply(result, (uint128)roots_of_two[i][0] << 64 | roots_of_two[i][1]);
    }
    uint64_t rest = (uint64_t)fraction & (((uint64_t)1 << 63) - 1); /* of 2^-127 */
    uint64_t more = (uint64_t)((uint128)rest * LN_TWO >> 64); /* 2^rest = 1 + more */
    return result + multiply(result, more);
}

/* Is the number whole, and is it odd? */
static bool is_whole(struct binary64_parts b, bool *odd) {
    *odd = false;
    if (b.exponent >= 0) return true;
    if (b.exponent <= -64) return false;
    bool whole = (b.mantissa & (((uint64_t)1 << -b.exponent) - 1)) == 0;
    *odd = whole && (b.mantissa >> -b.exponent & 1);
    return whole;
}

/* mantissa^power * 2^(exponent * power) if mantissa^power fits 128 bits. */
static bool exact_power(struct binary64_parts a, uint32_t power, bool minus,
                        binary64 *result) {
    int zeros = __builtin_ctzll(a.mantissa);
    uint64_t odd = a.mantissa >> zeros;
    if ((uint32_t)bit_length(odd) * power > 128) return false;
    uint128 product = 1;
    for (uint32_t i = 0; i < power; i++) product *= odd;
    int exponent = (a.exponent + zeros) * (int)power, shift = 0;
    while (product >> shift >> 64 != 0) shift++;
    uint64_t leading = (uint64_t)(product >> shift);
    *result = binary64_pack(minus, leading, exponent + shift,
                            (uint128)leading << shift != product);
    return true;
}

/* Of a finite number that is neither zero nor one, to such a power. */
static binary64 power_of(struct binary64_parts a, struct binary64_parts b, bool minus) {
    binary64 result;
    bool odd, small = !b.negative && is_whole(b, &odd) && b.exponent <= 0 &&
                      b.mantissa >> -b.exponent <= 128;
    if (small && exact_power(a, (uint32_t)(b.mantissa >> -b.exponent), minus, &result))
        return result;
    struct fixed logarithm = log2_of(a.mantissa, a.exponent);
    bool below_one = logarithm.negative != b.negative;
    uint64_t whole;
    uint128 fraction;
    if (!scale(&logarithm, b.mantissa, b.exponent, &whole, &fraction))
        return (minus ? BINARY64_SIGN : 0) | (below_one ? 0 : BINARY64_INFINITY);
    int exponent = (int)whole;
    if (below_one) {
        exponent = -exponent - (fraction > 0);
        fraction = fraction > 0 ? ONE - fraction : 0;
    }
    uint128 mantissa = exp2_of(fraction);
    return binary64_pack(minus, (uint64_t)(mantissa >> 64), exponent - 63,
                         (uint64_t)mantissa != 0);
}

/* Where one of the two is zero or infinite, `minus` telling the sign. */
static binary64 power_of_extreme(binary64 a, binary64 b, bool minus) {
    binary64 sign = minus ? BINARY64_SIGN : 0;
    bool vanishing = (b & BINARY64_SIGN) != 0; /* the power is negative */
    binary64 size = a & ~BINARY64_SIGN;
    if ((b & ~BINARY64_SIGN) == BINARY64_INFINITY) {
        if (size == BINARY64_ONE) return BINARY64_ONE;
        return (size > BINARY64_ONE) != vanishing ? BINARY64_INFINITY : 0;
    }
    bool zero = (size == 0) != vanishing;
    return sign | (zero ? 0 : BINARY64_INFINITY);
}

binary64 binary64_power(binary64 a, binary64 b) {
    if (binary64_is_zero(b) || a == BINARY64_ONE) return BINARY64_ONE;
    if (binary64_is_nan(a) || binary64_is_nan(b)) return BINARY64_NAN;
    binary64 size = a & ~BINARY64_SIGN;
    bool infinite = (b & ~BINARY64_SIGN) == BINARY64_INFINITY, odd = false;
    struct binary64_parts power = {0};
    bool whole = infinite;
    if (!infinite) {
        power = binary64_unpack(b);
        whole = is_whole(power, &odd);
    }
    bool minus = (a & BINARY64_SIGN) && odd;
    if (infinite || size == 0 || size == BINARY64_INFINITY)
        return power_of_extreme(a, b, minus);
    if ((a & BINARY64_SIGN) && !whole) return BINARY64_NAN;
    if (size == BINARY64_ONE) return (minus ? BINARY64_SIGN : 0) | BINARY64_ONE;
    return power_of(binary64_unpack(a), power, minus);
}
