/* Ratios compared by cross-multiplication: dot_a^2 * norm_b against dot_b^2 * norm_a.
 *
 * The products take up to 192 bits. Almost every comparison is decided before that by the
 * leading 21 bits of each factor, whose products fit 64 bits: with everything cut below,
 * one side's lower bound reaches the other side's upper bound unless the ratios agree to
 * about one part in 2^18. Numbers short enough to lose nothing in the cut are compared
 * exactly there. */
#include "kernel/ratio.h"

#include <stdbool.h>

#include "kernel/rounding.h"

#include "kernel/pure.h"

#define LEADING_BITS 21 /* (2^21)^3 fits 64 bits */

static int ratio_sign(const struct cosine *ratio) {
#ifdef BUG_4
    return ratio->norm != 0 && ratio->dot != 0;
#endif
    if (ratio->norm == 0) return 0;
    return (ratio->dot > 0) - (ratio->dot < 0);
}

static uint64_t absolute(int64_t value) {
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* How far to shift both right so that neither has more than LEADING_BITS. */
static int shift_to_leading(uint64_t a, uint64_t b) {
    int length = bit_length(a | b);
    return length > LEADING_BITS ? length - LEADING_BITS : 0;
}

static int order(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

/* The order of dot_a^2 * norm_b and dot_b^2 * norm_a by their leading bits. 0: not
 * decided, or, with *exact, equal. */
static int compare_leading(uint64_t dot_a, uint64_t norm_a, uint64_t dot_b,
                           uint64_t norm_b, bool *exact) {
    int dot_shift = shift_to_leading(dot_a, dot_b);
    int norm_shift = shift_to_leading(norm_a, norm_b);
    *exact = dot_shift == 0 && norm_shift == 0;
    dot_a >>= dot_shift;
    dot_b >>= dot_shift;
    norm_a >>= norm_shift;
    norm_b >>= norm_shift;
    uint64_t a_least = dot_a * dot_a * norm_b;
    uint64_t b_least = dot_b * dot_b * norm_a;
    if (*exact) return order(a_least, b_least);

    /* The bounds above are never reached, so that meeting one decides as well. */
    uint64_t a_bound = (dot_a + 1) * (dot_a + 1) * (norm_b + 1);
    uint64_t b_bound = (dot_b + 1) * (dot_b + 1) * (norm_a + 1);
    if (a_least >= b_bound) return 1;
    if (b_least >= a_bound) return -1;
    return 0;
}

/* 192 bits, least significant limb first. Limbs of 32 bits multiply without help from a
 * compiler's runtime, which wasm32 and bare machines lack. */
#define LIMBS 6
struct product {
    uint32_t limb[LIMBS];
};

/* product += factor * other * 2^(32 * position); what passes 192 bits is lost. */
static void add_multiple(struct product *product, const struct product *other,
                         uint32_t factor, int position) {
    uint64_t carry = 0;
    for (int i = position; i < LIMBS; i++) {
        carry += (uint64_t)factor * other->limb[i - position] + product->limb[i];
        product->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static struct product multiply(struct product a, uint64_t b) {
    struct product result = {{0}};
    add_multiple(&result, &a, (uint32_t)b, 0);
    add_multiple(&result, &a, (uint32_t)(b >> 32), 1);
    return result;
}

/* dot^2 * norm, below 2^192. */
static struct product square_times(uint64_t dot, uint64_t norm) {
    struct product one = {{1}};
    return multiply(multiply(multiply(one, dot), dot), norm);
}

static int compare_exactly(uint64_t dot_a, uint64_t norm_a, uint64_t dot_b,
                           uint64_t norm_b) {
    struct product a = square_times(dot_a, norm_b);
    struct product b = square_times(dot_b, norm_a);
    for (int i = LIMBS - 1; i >= 0; i--)
        if (a.limb[i] != b.limb[i]) return a.limb[i] > b.limb[i] ? 1 : -1;
    return 0;
}

int cosine_compare(const struct cosine *a, const struct cosine *b) {
    int sign = ratio_sign(a);
    int difference = ratio_sign(b) - sign;
    if (difference != 0 || sign == 0) return difference;

    uint64_t dot_a = absolute(a->dot), dot_b = absolute(b->dot);
    bool exact;
    int greater = compare_leading(dot_a, a->norm, dot_b, b->norm, &exact);
    if (greater == 0 && !exact) greater = compare_exactly(dot_a, a->norm, dot_b, b->norm);
    return sign > 0
               ? -greater
               : greater; /* Of two angles past 90 degrees the smaller ratio is nearer. */
}
