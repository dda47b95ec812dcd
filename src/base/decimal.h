/* Whole numbers as decimal text, in the one form that each number has: no '+', no blanks,
 * no leading zeros, no "-0". */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* The whole text is a number that fits; otherwise false. */
bool decimal_unsigned(struct slice text, uint64_t *value);
bool decimal_integer(struct slice text, int64_t *value);

/* The text of `value`, without a NUL; gives its size. */
#define DECIMAL_SIZE_MAX 20
size_t decimal_text(int64_t value, uint8_t text[DECIMAL_SIZE_MAX]);

#endif
