/* Replies of RESP2 and RESP3 as a flat list of items.
 *
 * A reply is its items in the order in which they stand on the wire: an aggregate comes
 * before what it holds. So nothing recurses and nothing is allocated for one reply; the
 * list is kept by the reader and grows with the bytes that came, never by what they
 * announce. Texts are slices of the bytes that were read. */
#ifndef TOOLS_BENCHMARK_REPLY_H
#define TOOLS_BENCHMARK_REPLY_H

#include "base/allocator.h"
#include "base/sha256.h"
#include "base/slice.h"
#include "base/status.h"

/* `type` is the first byte on the wire, but '_' for every null and '-' for a bulk error.
 * `number` is the value of ':' and '#'; of '*', '~', '>' and '%' how many items stand
 * directly inside (of a map two for each pair). All others have a `text`. */
struct reply_item {
    char type;
    int64_t number;
    struct slice text;
};

struct reply {
    const struct reply_item *items;
    size_t count; /* at least 1 */
};

struct reply_reader {
    const struct allocator *allocator; /* borrowed */
    struct reply_item *items;
    size_t count, capacity;
};

void reply_reader_init(struct reply_reader *reader, const struct allocator *allocator);
void reply_reader_free(struct reply_reader *reader);

/* Read one reply off the front of `bytes`. STATUS_OK: *reply, good until the next call
 * and as long as the bytes, and the *size that it takes. STATUS_AGAIN: not all of it is
 * there. STATUS_INVALID: no RESP. STATUS_MEMORY. */
enum status reply_read(struct reply_reader *reader, struct slice bytes,
                       struct reply *reply, size_t *size);

static inline bool reply_is_error(const struct reply *reply) {
    return reply->items[0].type == '-';
}

/* True for a status or bulk reply of exactly this text. */
bool reply_is_text(const struct reply *reply, const char *text);

/* A number out of an integer or boolean reply; false for others. */
bool reply_number(const struct reply *reply, int64_t *number);

/* A hash of what the reply says: type, number and text of every item. */
void reply_hash(const struct reply *reply, uint8_t digest[SHA256_SIZE]);

#endif
