/* Words of a command: comparing, reading numbers, printing hex. Pure. */
#ifndef SERVER_WORDS_H
#define SERVER_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/decimal.h"

/* Equal but for the case of ASCII letters. */
bool word_is(struct slice word, const char *text);

/* Strict decimal, as Redis reads it: an optional '-', no '+', blanks or leading zeros. */
static inline bool word_integer(struct slice word, int64_t *value) {
    return decimal_integer(word, value);
}
static inline bool word_unsigned(struct slice word, uint64_t *value) {
    return decimal_unsigned(word, value);
}

/* Bytes: a number, then perhaps one of k, kb, m, mb, g and gb. */
bool word_size(struct slice word, int64_t *value);

/* A finite or infinite decimal number, the whole word; NaN is refused. */
bool word_double(struct slice word, double *value);

/* Lower-case hex of `size` bytes, with a NUL. */
void hex_text(const uint8_t *bytes, size_t size, char *text);

/* The other way: exactly `size` bytes from hex digits; false for anything else. */
bool hex_bytes(struct slice text, uint8_t *bytes, size_t size);

/* Equality in time that depends on the sizes only. */
bool secret_equal(struct slice a, struct slice b);

#endif
