/* Glob patterns as Redis users know them:
 *
 *     *      any bytes, also none            [abc]   one of these bytes
 *     ?      any one byte                    [a-z]   one byte of the range, ends in
 * either order \x     the byte x                      [^a-z]  one byte not of the class;
 * \x works inside
 *
 * Patterns come from clients, so the work is bounded: at most size of the pattern times
 * size of the text, whatever the stars. */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>

#include "base/slice.h"

/* A longer pattern matches nothing: whoever takes one from a client refuses it before. */
#define GLOB_PATTERN_LIMIT 1024

/* Does all of `text` match? `nocase`: ASCII letters are equal in both cases. */
bool glob_match(struct slice pattern, struct slice text, bool nocase);

#endif
