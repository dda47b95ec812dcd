/* client-output-buffer-limit: how much a client may leave unread, by what kind it is. */
#ifndef SERVER_OUTPUT_LIMITS_H
#define SERVER_OUTPUT_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum client_class { CLASS_NORMAL, CLASS_REPLICA, CLASS_PUBSUB, CLASS_COUNT };

/* 0: none. A client is closed at once when more than `hard` bytes wait, and when at least
 * `soft` have been waiting for more than `seconds` without a pause. */
struct output_limit {
    int64_t hard, soft, seconds;
};

/* Read `class hard soft seconds` once or more, in Redis's syntax; classes that are not
 * named stay as they are. NULL, or why not; nothing has changed then. */
const char *output_limits_read(struct output_limit limits[CLASS_COUNT],
                               struct slice value);

/* All of it as text that output_limits_read() takes back. */
void output_limits_text(const struct output_limit limits[CLASS_COUNT], char *text,
                        size_t size);

/* CLASS_COUNT for a word that is none. Redis's older word for a replica is one too. */
enum client_class client_class_find(struct slice word);

#endif
