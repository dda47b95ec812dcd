/* Fixed point from binary32 blobs, and back.
 *
 * The loops are in distance.c and simd/; what may be stored is decided here, for all of
 * them, from two numbers: the greatest pattern without and with a sign bit. Patterns of
 * one sign compare like magnitudes, so these two tell everything: whether all is finite,
 * whether all fits, whether anything but zeros will come out, and what the scale is. */
#include "kernel/fixed.h"

#include "base/bytes.h"
#include "kernel/distance.h"
#include "kernel/rounding.h"

#include "kernel/pure.h"

#define FP32_TWO_TO_15 0x47000000u /* 32768: the least magnitude that does not fit */
#define FP32_TWO_TO_MINUS_17                                                             \
    0x37000000u /* half a unit of Q16.16; ties with 0 and becomes it */

static uint32_t greatest_magnitude(struct fp32_extent extent) {
    uint32_t negative = extent.negative & ~FP32_SIGN;
    return extent.positive > negative ? extent.positive : negative;
}

static enum status check_finite(struct fp32_extent extent) {
#ifdef BUG_3
    return greatest_magnitude(extent) == FP32_INFINITY ? STATUS_NOT_FINITE : STATUS_OK;
#endif
    return greatest_magnitude(extent) >= FP32_INFINITY ? STATUS_NOT_FINITE : STATUS_OK;
}

enum status fp32_check(const uint8_t *blob, uint32_t dim) {
    return check_finite(distance()->fp32_extent(blob, dim));
}

enum status fixed_from_fp32(const uint8_t *blob, uint32_t dim, int32_t *out) {
    struct fp32_extent extent = distance()->fp32_extent(blob, dim);
    enum status status = check_finite(extent);
    if (status) return status;
    /* Numbers this large have no fraction below 2^-16, so nothing is rounded up into
     * 2^15. */
    if (extent.positive >= FP32_TWO_TO_15) return STATUS_RANGE;
    if (extent.negative > (FP32_TWO_TO_15 | FP32_SIGN)) return STATUS_RANGE;
    uint32_t magnitude = greatest_magnitude(extent);
    if (magnitude != 0 && magnitude <= FP32_TWO_TO_MINUS_17) return STATUS_ROUNDS_TO_ZERO;
    distance()->fp32_convert(blob, dim, 0, out);
    return STATUS_OK;
}

/* floor(log2) of a finite magnitude that is not 0, clamped. */
static int magnitude_exponent(uint32_t magnitude) {
    if (magnitude >= FP32_HIDDEN)
        return (int)(magnitude >> FP32_FRACTION_BITS) - FP32_EXPONENT_BIAS;
    int exponent = bit_length(magnitude) - 1 + FP32_EXPONENT_MIN - FP32_FRACTION_BITS;
    return exponent < FIXED_EXPONENT_MIN ? FIXED_EXPONENT_MIN : exponent;
}

enum status fixed_from_fp32_scaled(const uint8_t *blob, uint32_t dim, int32_t *out,
                                   int8_t *exponent) {
    struct fp32_extent extent = distance()->fp32_extent(blob, dim);
    enum status status = check_finite(extent);
    if (status) return status;
    uint32_t magnitude = greatest_magnitude(extent);
    int scale = magnitude == 0 ? 0 : magnitude_exponent(magnitude);
    /* Half a unit at the lowest scale is 2^-145, the pattern 16: a tie with 0 as well. */
    if (magnitude != 0 && magnitude <= 16) return STATUS_ROUNDS_TO_ZERO;
    distance()->fp32_convert(blob, dim, scale, out);
    *exponent = (int8_t)scale; /* -128 to 127 */
    return STATUS_OK;
}

uint32_t fp32_from_fixed(int32_t value, int exponent) {
    uint32_t sign = value < 0 ? FP32_SIGN : 0;
    uint32_t absolute = value < 0 ? 0 - (uint32_t)value : (uint32_t)value;
    uint32_t magnitude = fp32_magnitude(absolute, exponent - 16, false);
    return sign | (magnitude < FP32_INFINITY ? magnitude : FP32_GREATEST);
}

bool fixed_gives_fp32(const int32_t *values, uint32_t dim, int exponent,
                      const uint8_t *blob) {
    for (uint32_t i = 0; i < dim; i++)
        if (fp32_from_fixed(values[i], exponent) != load_le32(blob + 4 * (size_t)i))
            return false;
    return true;
}
