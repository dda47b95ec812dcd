/* Decimal and hexadecimal text to fixed point and to binary32, rounded once from the
 * exact value: number_text.c finds its leading bits, and one shift rounds them. */
#include "kernel/fixed.h"

#include "kernel/number_text.h"
#include "kernel/rounding.h"

#include "kernel/pure.h"

/* Whatever is not below 2^128 is refused, by all that is made here. */
static const struct number_range number_range = {.digits = 200, .leading_max = 127};

static enum status binary_read(struct slice text, struct number_binary *binary) {
    return number_from_text(text, &number_range, binary);
}

/* --- struct number_binary to the result
 * ---------------------------------------------------- */

/* floor(log2) of a number that is not 0. */
static int binary_leading(const struct number_binary *binary) {
    return binary->exponent + 63;
}

/* The number times 2^(16 - exponent). */
static enum status binary_to_fixed(const struct number_binary *binary, int exponent,
                                   int32_t *out) {
    *out = 0;
    if (binary->mantissa == 0) return STATUS_OK;
    int shift = exponent - 16 - binary->exponent;
    if (shift < 32) return STATUS_RANGE; /* 2^32 or more */
    uint64_t magnitude =
        round_half_even(binary->mantissa, (uint32_t)shift, binary->sticky);
    if (magnitude > (uint64_t)INT32_MAX + binary->negative) return STATUS_RANGE;
    *out = (int32_t)(binary->negative ? 0 - (uint32_t)magnitude : (uint32_t)magnitude);
    return STATUS_OK;
}

static enum status check_not_lost(const int32_t *values, uint32_t dim, bool any_nonzero) {
    for (uint32_t i = 0; i < dim; i++)
        if (values[i] != 0) return STATUS_OK;
    return any_nonzero ? STATUS_ROUNDS_TO_ZERO : STATUS_OK;
}

static enum status plain_from_text(const struct slice *texts, uint32_t dim,
                                   int32_t *out) {
    bool any_nonzero = false;
    for (uint32_t i = 0; i < dim; i++) {
        struct number_binary binary;
        enum status status = binary_read(texts[i], &binary);
        if (!status) status = binary_to_fixed(&binary, 0, &out[i]);
        if (status) return status;
        any_nonzero |= binary.mantissa != 0;
    }
    return check_not_lost(out, dim, any_nonzero);
}

/* The scale is known only after the last number. So each is converted at the greatest
 * scale up to it, and those before the last change are read once more at the end. Most
 * vectors meet their scale early, so this costs little, and no memory. */
static enum status scaled_from_text(const struct slice *texts, uint32_t dim, int32_t *out,
                                    int8_t *exponent) {
    int scale = FIXED_EXPONENT_MIN;
    bool any_nonzero = false;
    uint32_t again = 0;
    struct number_binary binary;
    for (uint32_t i = 0; i < dim; i++) {
        enum status status = binary_read(texts[i], &binary);
        if (status) return status;
        if (fp32_magnitude(binary.mantissa, binary.exponent, binary.sticky) ==
            FP32_INFINITY)
            return STATUS_RANGE;
        any_nonzero |= binary.mantissa != 0;
        if (binary.mantissa != 0 && binary_leading(&binary) > scale) {
            scale = binary_leading(&binary);
            again = i;
        }
        status = binary_to_fixed(&binary, scale, &out[i]);
        if (status) return status;
    }
    for (uint32_t i = 0; i < again; i++) {
        enum status status = binary_read(texts[i], &binary);
        if (!status) status = binary_to_fixed(&binary, scale, &out[i]);
        if (status) return status;
    }
    *exponent = (int8_t)(any_nonzero ? scale : 0); /* -128 to 127 */
    return check_not_lost(out, dim, any_nonzero);
}

enum status fixed_from_text(const struct slice *texts, uint32_t dim, bool scaled,
                            int32_t *out, int8_t *exponent) {
    if (scaled) return scaled_from_text(texts, dim, out, exponent);
    if (exponent) *exponent = 0;
    return plain_from_text(texts, dim, out);
}

enum status fp32_from_text(struct slice text, uint32_t *bits) {
    struct number_binary binary;
    enum status status = binary_read(text, &binary);
    if (status) return status;
    uint32_t magnitude = fp32_magnitude(binary.mantissa, binary.exponent, binary.sticky);
    if (magnitude == FP32_INFINITY) return STATUS_RANGE;
    *bits = magnitude | (binary.negative ? FP32_SIGN : 0);
    return STATUS_OK;
}
