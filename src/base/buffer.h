/* A growable run of bytes with a ceiling.
 *
 * A buffer cannot be made without a hard limit, and it grows by what is appended, never by
 * what somebody announces. Readers consume from the front; the space is reclaimed when room is
 * needed, so `data + start` moves only inside buffer_reserve() and the append calls. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/allocator.h"
#include "base/slice.h"
#include "base/status.h"

struct buffer {
    const struct allocator *allocator; /* borrowed; outlives the buffer */
    uint8_t *data;
    size_t start;    /* first byte not consumed */
    size_t end;      /* one past the last byte */
    size_t capacity; /* of data */
    size_t limit;    /* end - start never passes this */
};

void buffer_init(struct buffer *buffer, const struct allocator *allocator, size_t limit);
void buffer_free(struct buffer *buffer);

static inline size_t buffer_size(const struct buffer *b) { return b->end - b->start; }
static inline struct slice buffer_slice(const struct buffer *b) {
    /* Adding even 0 to NULL is undefined, and a buffer without memory has no address. */
    return slice_of(b->data ? b->data + b->start : NULL, b->end - b->start);
}

/* Make room for `size` more bytes at the end and give their address in *room. The bytes count
 * only after buffer_commit(). STATUS_TOO_LARGE over the limit, STATUS_MEMORY without memory;
 * the contents are untouched either way. */
enum status buffer_reserve(struct buffer *buffer, size_t size, uint8_t **room);
void buffer_commit(struct buffer *buffer, size_t size);

/* Append a copy. Same failures as buffer_reserve(). */
enum status buffer_append(struct buffer *buffer, const void *bytes, size_t size);

/* Drop `size` bytes from the front. */
void buffer_consume(struct buffer *buffer, size_t size);

/* Forget the contents; keep the memory. */
void buffer_clear(struct buffer *buffer);

/* Give memory back when the buffer is empty and holds more than `keep` bytes. */
void buffer_shrink(struct buffer *buffer, size_t keep);

#endif
