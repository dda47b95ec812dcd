/* Decimal and hexadecimal text to the leading bits of the number that it stands for.
 *
 * A number goes through three forms:
 *
 *     text -> struct number         its first significant digits as a natural number, and
 *                                   the powers of ten and two that belong to it
 *          -> struct number_binary  its leading 64 bits, and whether more follows them
 *          -> the caller's          one shift with round_half_even()
 *
 * The middle step is exact. N * 10^t = N * 5^t * 2^t, so a natural number is multiplied
 * by 5^t or, for a negative t, shifted left far enough and divided by 5^-t. A chain of
 * divisions by small numbers, each cutting its rest, gives the same quotient as one
 * division by their product; whether any rest was cut is the sticky bit.
 *
 * Digits past range->digits are replaced by one more digit 1 if any of them is not zero.
 * That moves the number, but past no point at which a rounding changes its mind: those
 * points are halves of a unit, and none takes more digits (113 for binary32, 768 for
 * binary64; the subnormal ones take the most). A number that is cut lies strictly between
 * two of them, and stays there.
 *
 * Usual numbers take a handful of limbs and some 90 ns; one of 200 digits takes 1.5 us,
 * one of 800 some ten, so that a long text costs little more per byte than a short one.
 */
#include "kernel/number_text.h"

#include <string.h>

#include "kernel/rounding.h"

#include "kernel/pure.h"

/* Written exponents stop growing near this: far past all that is not refused, and far
 * from overflow after adding what the length of a text can add. */
#define POWER_LIMIT ((int64_t)1 << 56)

/* --- Natural numbers ---------------------------------------------------------------- */

/* The longest are hexadecimal with all digits, 3,200 bits, and numerators of the least
 * numbers: 2,700. */
#define LIMBS_MAX 112

/* Least significant limb first; the last one in use is not zero. */
struct natural {
    uint32_t count;
    uint32_t limb[LIMBS_MAX];
};

static void natural_push(struct natural *natural, uint32_t limb) {
    if (limb != 0) natural->limb[natural->count++] = limb;
}

/* natural = natural * factor + addend. */
static void natural_multiply(struct natural *natural, uint32_t factor, uint32_t addend) {
    uint64_t carry = addend;
    for (uint32_t i = 0; i < natural->count; i++) {
        carry += (uint64_t)natural->limb[i] * factor;
        natural->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    natural_push(natural, (uint32_t)carry);
}

/* natural = natural / divisor; the rest comes back. */
static uint32_t natural_divide(struct natural *natural, uint32_t divisor) {
    uint64_t rest = 0;
    for (uint32_t i = natural->count; i-- > 0;) {
        uint64_t part = rest << 32 | natural->limb[i];
        natural->limb[i] = (uint32_t)(part / divisor);
        rest = part % divisor;
    }
    while (natural->count > 0 && natural->limb[natural->count - 1] == 0) natural->count--;
    return (uint32_t)rest;
}

static uint32_t natural_length(const struct natural *natural) {
    if (natural->count == 0) return 0;
    uint32_t top = natural->count - 1;
    return 32 * top + (uint32_t)bit_length(natural->limb[top]);
}

static void natural_shift_left(struct natural *natural, uint32_t shift) {
    uint32_t limbs = shift / 32;
    natural_multiply(natural, (uint32_t)1 << shift % 32, 0);
    memmove(natural->limb + limbs, natural->limb,
            natural->count * sizeof natural->limb[0]);
    memset(natural->limb, 0, limbs * sizeof natural->limb[0]);
    natural->count += limbs;
}

#define FIVE_POWER_MAX 13 /* 5^13 is the last power that fits a limb */

static uint32_t five_power(uint32_t power) {
    uint32_t result = 1;
    while (power-- > 0) result *= 5;
    return result;
}

static void natural_multiply_five_power(struct natural *natural, uint32_t power) {
    for (; power >= FIVE_POWER_MAX; power -= FIVE_POWER_MAX)
        natural_multiply(natural, five_power(FIVE_POWER_MAX), 0);
    natural_multiply(natural, five_power(power), 0);
}

/* True if a rest was cut. */
static bool natural_divide_five_power(struct natural *natural, uint32_t power) {
    uint32_t rests = 0;
    for (; power >= FIVE_POWER_MAX; power -= FIVE_POWER_MAX)
        rests |= natural_divide(natural, five_power(FIVE_POWER_MAX));
    rests |= natural_divide(natural, five_power(power));
    return rests != 0;
}

/* --- Text to struct number ---------------------------------------------------------- */

/* natural * 10^ten * 2^two. */
struct number {
    bool negative, nan;
    int64_t ten, two;
    int64_t magnitude; /* decimal: digits before the point; below 0, zeros after it */
    struct natural natural;
};

struct reader {
    const uint8_t *at, *end;
};

static uint8_t lower_case(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* The next byte in lower case; 0, which begins nothing, at the end. */
static uint8_t peek(const struct reader *reader) {
    return reader->at < reader->end ? lower_case(*reader->at) : 0;
}

static bool accept(struct reader *reader, uint8_t c) {
    if (reader->at == reader->end || peek(reader) != c) return false;
    reader->at++;
    return true;
}

static bool accept_word(struct reader *reader, const char *word) {
    struct reader ahead = *reader;
    for (; *word; word++)
        if (!accept(&ahead, (uint8_t)*word)) return false;
    *reader = ahead;
    return true;
}

static bool accept_sign(struct reader *reader) {
    if (accept(reader, '-')) return true;
    accept(reader, '+');
    return false;
}

/* The value of the next byte as a digit of `base`, or -1. */
static int peek_digit(const struct reader *reader, uint32_t base) {
    uint8_t c = peek(reader);
    if (c >= '0' && c <= '9') return c - '0';
    if (base == 16 && c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

/* Digits on their way into a natural number, in groups that fit a limb. */
struct collector {
    int64_t most; /* digits that go there */
    uint32_t base, group, group_scale;
    int64_t significant; /* digits from the first that is not zero */
    int64_t taken;       /* those of them that are in the natural number */
    bool sticky;         /* one that was left out is not zero */
};

static void flush_group(struct collector *collector, struct natural *natural) {
    natural_multiply(natural, collector->group_scale, collector->group);
    collector->group = 0;
    collector->group_scale = 1;
}

static void take_digit(struct collector *collector, struct natural *natural,
                       uint32_t digit) {
    collector->group = collector->group * collector->base + digit;
    collector->group_scale *= collector->base;
    if (collector->group_scale >= 100000000) flush_group(collector, natural);
}

static void collect(struct collector *collector, struct natural *natural,
                    uint32_t digit) {
    if (digit == 0 && collector->significant == 0) return; /* a leading zero */
    collector->significant++;
    if (collector->taken < collector->most) {
        take_digit(collector, natural, digit);
        collector->taken++;
    } else if (digit != 0) {
        collector->sticky = true;
    }
}

/* Digits with at most one point. *shift is the power of `base` that the natural number
 * misses. */
static bool read_digits(struct reader *reader, uint32_t base, int64_t most,
                        struct number *number, int64_t *shift) {
    struct collector collector = {.most = most, .base = base, .group_scale = 1};
    bool point = false, any = false;
    int64_t after_point = 0;
    for (;;) {
        int digit = peek_digit(reader, base);
        if (digit >= 0) {
            collect(&collector, &number->natural, (uint32_t)digit);
            after_point += point;
            any = true;
        } else if (point || peek(reader) != '.') {
            break;
        } else {
            point = true;
        }
        reader->at++;
    }
    *shift = collector.significant - collector.taken - after_point;
    number->magnitude = collector.significant - after_point;
    if (collector.sticky) {
        take_digit(&collector, &number->natural, 1);
        (*shift)--;
    }
    flush_group(&collector, &number->natural);
    return any;
}

/* An optional exponent after `letter`. False if the letter has no digits behind it. */
static bool read_power(struct reader *reader, uint8_t letter, int64_t *power) {
    *power = 0;
    if (!accept(reader, letter)) return true;
    bool negative = accept_sign(reader);
    bool any = false;
    for (int digit; (digit = peek_digit(reader, 10)) >= 0; reader->at++) {
        if (*power < POWER_LIMIT) *power = *power * 10 + digit;
        any = true;
    }
    if (negative) *power = -*power;
    return any;
}

/* "(" letters, digits and underscores ")", as may follow nan. */
static bool accept_nan_payload(struct reader *reader) {
    if (!accept(reader, '(')) return true;
    while (peek_digit(reader, 10) >= 0 || (peek(reader) >= 'a' && peek(reader) <= 'z') ||
           peek(reader) == '_')
        reader->at++;
    return accept(reader, ')');
}

/* The words for what is not finite: STATUS_OK if it is none of them. */
static enum status read_word(struct reader *reader, bool *nan) {
    bool whole;
    *nan = false;
    if (accept_word(reader, "inf")) {
        accept_word(reader, "inity");
        whole = true;
    } else if (accept_word(reader, "nan")) {
        *nan = true;
        whole = accept_nan_payload(reader);
    } else {
        return STATUS_OK;
    }
    return whole && reader->at == reader->end ? STATUS_NOT_FINITE : STATUS_INVALID;
}

static enum status number_read(struct slice text, int64_t digits, struct number *number) {
    number->negative = number->nan = false;
    if (text.size == 0) return STATUS_INVALID;
    struct reader reader = {text.data, text.data + text.size};
    number->negative = accept_sign(&reader);
    number->natural.count = 0;
    enum status status = read_word(&reader, &number->nan);
    if (status) return status;

    bool hexadecimal = accept_word(&reader, "0x");
    int64_t shift, power;
    if (!read_digits(&reader, hexadecimal ? 16 : 10, digits, number, &shift))
        return STATUS_INVALID;
    if (!read_power(&reader, hexadecimal ? 'p' : 'e', &power)) return STATUS_INVALID;
    if (reader.at != reader.end) return STATUS_INVALID;
    number->ten = hexadecimal ? 0 : shift + power;
    number->two = hexadecimal ? 4 * shift + power : 0;
    number->magnitude = hexadecimal ? 0 : number->magnitude + power;
    return STATUS_OK;
}

/* --- struct number to struct number_binary
 * ------------------------------------------------- */

/* What rounds to zero as binary64 is refused by all callers. */
enum { BINARY64_HALF_OF_LEAST = -1075, MAGNITUDE_MIN = -323 };

/* Decimal digits before the point that a number below 2^(leading_max + 1) can have. */
static int64_t magnitude_max(const struct number_range *range) {
    return (range->leading_max + 1) * 30103 / 100000 + 1;
}

/* The leading 64 bits of a natural number that is not 0, and its length. */
static uint64_t natural_leading(struct natural *natural, uint32_t *length, bool *sticky) {
    *length = natural_length(natural);
    if (*length < 64) natural_shift_left(natural, 64 - *length);
    uint32_t top = natural->count - 1;
    uint32_t shift = (uint32_t)__builtin_clz(natural->limb[top]);
    uint64_t high = (uint64_t)natural->limb[top] << 32 | natural->limb[top - 1];
    uint32_t low = top >= 2 ? natural->limb[top - 2] : 0;
    uint64_t low_shifted = (uint64_t)low << shift; /* the upper half belongs to the 64 */
    if ((uint32_t)low_shifted != 0) *sticky = true;
    for (uint32_t i = 0; i + 2 < top; i++)
        if (natural->limb[i] != 0) *sticky = true;
    return high << shift | low_shifted >> 32;
}

/* STATUS_RANGE if the number is too large, or not zero but zero as binary64. */
static enum status number_to_binary(struct number *number,
                                    const struct number_range *range,
                                    struct number_binary *binary) {
    struct natural *natural = &number->natural;
    if (natural->count == 0) return STATUS_OK;

    /* First what is refused at a glance, so that the rest stays short. */
    binary->large =
        number->magnitude > magnitude_max(range) || number->two > range->leading_max;
    if (binary->large || number->magnitude < MAGNITUDE_MIN) return STATUS_RANGE;

    int64_t exponent = number->two + number->ten;
    if (number->ten >= 0) {
        natural_multiply_five_power(natural, (uint32_t)number->ten);
    } else {
        uint32_t power = (uint32_t)-number->ten;
        /* 65 bits more than 5^power (log2 5 < 2.3224), so that the quotient has 64. */
        uint32_t wanted = 66 + (uint32_t)((uint64_t)power * 23224 / 10000);
        uint32_t length = natural_length(natural);
        if (length < wanted) {
            natural_shift_left(natural, wanted - length);
            exponent -= wanted - length;
        }
        binary->sticky = natural_divide_five_power(natural, power);
    }
    uint32_t length;
    binary->mantissa = natural_leading(natural, &length, &binary->sticky);

    int64_t leading = exponent + length - 1; /* floor(log2) of the number */
    bool tie = binary->mantissa == (uint64_t)1 << 63 && !binary->sticky;
    binary->large = leading > range->leading_max;
    if (binary->large || leading < BINARY64_HALF_OF_LEAST) return STATUS_RANGE;
    if (leading == BINARY64_HALF_OF_LEAST && tie) return STATUS_RANGE;
    binary->exponent = (int)leading - 63;
    return STATUS_OK;
}

enum status number_from_text(struct slice text, const struct number_range *range,
                             struct number_binary *binary) {
    struct number number;
    enum status status = number_read(text, range->digits, &number);
    *binary = (struct number_binary){.negative = number.negative, .nan = number.nan};
    return status ? status : number_to_binary(&number, range, binary);
}
