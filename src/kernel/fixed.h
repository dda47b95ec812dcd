/* Numbers in and out: binary32 blobs and decimal text to fixed point, and back.
 *
 * A canonical vector is int32 values in Q16.16: `value` stands for value * 2^-16. In
 * cosine collections it is scaled first by a power of two of its own, so that the
 * greatest |x| lies in [1, 2): with the exponent e kept beside it, `value` stands for
 * value * 2^(e - 16).
 *
 * Every number is rounded once, half to even, from its exact value: text is never read
 * through a binary float. What cannot be kept is refused, and never clipped. Where
 * several values of a blob would be refused, STATUS_NOT_FINITE comes before STATUS_RANGE,
 * wherever they stand; of texts the first refused one gives the status. On any status but
 * STATUS_OK the contents of the output are undefined.
 *
 * Alternatives turned down: converting with the CPU's float unit, whose answers hang on a
 * mode register that any library may have changed; strtod(), which asks the locale and
 * rounds a first time to binary64. */
#ifndef KERNEL_FIXED_H
#define KERNEL_FIXED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

/* Values of one vector: 1 to VECTOR_DIM_MAX. */
#define VECTOR_DIM_MAX 65536

/* The least and greatest exponents of a scaled vector: what int8_t can hold. binary32
 * reaches 127; only vectors of its subnormal numbers (or of smaller decimals) meet the
 * lower end. */
#define FIXED_EXPONENT_MIN (-128)
#define FIXED_EXPONENT_MAX 127

/* `dim` little-endian binary32 values to Q16.16. `blob` has 4 * dim bytes and no
 * alignment; `out` room for `dim` values. -0 becomes 0. -32768 is the one value of its
 * magnitude that fits.
 *
 * STATUS_NOT_FINITE: a NaN or an infinity. STATUS_RANGE: a value does not fit int32 after
 * rounding. STATUS_ROUNDS_TO_ZERO: the vector is not zero, but all of its values round to
 * zero. */
enum status fixed_from_fp32(const uint8_t *blob, uint32_t dim, int32_t *out);

/* The same with a scale: *exponent = floor(log2 max|x|), not below FIXED_EXPONENT_MIN,
 * and out[i] = x[i] * 2^(16 - *exponent), rounded. Values lie within +-2^17, both ends
 * included: the greatest |x| may round up to 2. A zero vector has exponent 0.
 *
 * STATUS_NOT_FINITE: a NaN or an infinity. STATUS_ROUNDS_TO_ZERO: as above; possible only
 * where the exponent met its lower end, and there 2^-144 is the unit: no subnormal above
 * 2^-145 is lost. */
enum status fixed_from_fp32_scaled(const uint8_t *blob, uint32_t dim, int32_t *out,
                                   int8_t *exponent);

/* `dim` numbers in decimal text to Q16.16, or to the scaled form. `exponent` may be NULL
 * unless `scaled`; if given and not `scaled` it becomes 0.
 *
 * A number is written as strtod() takes it in the C locale: an optional sign; digits with
 * at most one '.', at least one digit; an optional exponent, e or E with an optional sign
 * and digits; or 0x, hexadecimal digits with at most one '.', and optionally p or P and a
 * power of two. The number is the whole text: no blanks. The words inf, infinity, nan and
 * nan(...) in any case are known, and refused.
 *
 * STATUS_INVALID: not a number. STATUS_NOT_FINITE: one of the words. STATUS_RANGE: does
 * not fit int32 after rounding; `scaled`: rounds to 2^128 or more as binary32; in both
 * forms, as Redis has it, a number that is not zero but rounds to zero as binary64
 * (1e-400). STATUS_ROUNDS_TO_ZERO as for blobs.
 *
 * Exact for any number of digits. (One exception without consequence: whether a number
 * next to 2^-1075 still counts as more than zero is decided by its first 200 significant
 * digits.) */
enum status fixed_from_text(const struct slice *texts, uint32_t dim, bool scaled,
                            int32_t *out, int8_t *exponent);

/* One such number to the bits of the nearest binary32, ties to even. "-0" keeps its sign,
 * as does what rounds to zero. Refusals as above, STATUS_RANGE where it rounds to 2^128
 * or more. */
enum status fp32_from_text(struct slice text, uint32_t *bits);

/* STATUS_NOT_FINITE if one of `dim` little-endian binary32 values is a NaN or an
 * infinity. */
enum status fp32_check(const uint8_t *blob, uint32_t dim);

/* The bits of the binary32 next to value * 2^(exponent - 16), ties to even; exponent 0 is
 * plain Q16.16. What lies above the greatest finite number becomes that number, since a
 * stored vector never reads back as infinity (of scaled vectors only +-2^17 with exponent
 * 127 meets this). */
uint32_t fp32_from_fixed(int32_t value, int exponent);

/* True if fp32_from_fixed() gives back exactly the bits of `blob` for all `dim` values.
 * -0 in the blob makes it false: the integers have lost its sign. */
bool fixed_gives_fp32(const int32_t *values, uint32_t dim, int exponent,
                      const uint8_t *blob);

#endif
