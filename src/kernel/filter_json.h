/* The fields of JSON attributes that a filter asks for, in one pass and without memory.
 */
#ifndef KERNEL_FILTER_JSON_H
#define KERNEL_FILTER_JSON_H

#include "kernel/filter.h"

/* The values of all `count` fields, found at the top level of the object `json`, the
 * first of a name, names compared as they are written. False when one is not there, is an
 * object, or the text before its end is malformed. *read becomes the bytes looked at. */
bool filter_json_fields(struct slice json, const struct slice *fields, uint32_t count,
                        struct filter_value *values, size_t *read);

/* The element of an array at *rest, which moves behind it; nested arrays are values as
 * well. False at the end. The array came from filter_json_fields(). */
bool filter_json_next(struct slice *rest, struct filter_value *value);

/* The byte that an escaped text stands for at *at, which moves to the last of what was
 * written for it. */
uint8_t filter_json_byte(struct slice text, size_t *at);
/* What an escaped text stands for, into `room`, which has text.size bytes. */
struct slice filter_json_unescape(struct slice text, uint8_t *room);

#endif
