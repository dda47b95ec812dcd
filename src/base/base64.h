/* Base64 (RFC 4648, section 4) with padding, in the one form that each run of bytes has: no
 * blanks, no line ends, and the bits that stand for nothing are 0. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/slice.h"

/* Characters for so many bytes. */
static inline size_t base64_size(size_t bytes) { return (bytes + 2) / 3 * 4; }

/* Write base64_size(bytes.size) characters, without a NUL. */
void base64_encode(struct slice bytes, char *text);

/* Write the bytes, at most text.size / 4 * 3 of them, and their number to *size. False, with
 * `bytes` in any state, when the text is not of that form. */
bool base64_decode(struct slice text, uint8_t *bytes, size_t *size);
/* The same where exactly `size` bytes are wanted. */
bool base64_decode_exactly(struct slice text, uint8_t *bytes, size_t size);

#endif
