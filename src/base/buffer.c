/* A growable run of bytes: start <= end <= capacity <= limit, and the contents lie
 * between start and end.
 *
 * Room is made in the cheapest way that stays cheap over many calls. Moving the contents
 * to the front is done when at least as many bytes were consumed as must move, so each
 * byte pays for one move; otherwise the capacity doubles. Only at the ceiling is there no
 * such choice. */
#include "base/buffer.h"

#include <string.h>

#include "base/check.h"

/* Less would only mean more reallocations. */
#define BUFFER_FIRST_CAPACITY 64

void buffer_init(struct buffer *buffer, const struct allocator *allocator, size_t limit) {
    *buffer = (struct buffer){.allocator = allocator, .limit = limit};
}

void buffer_free(struct buffer *buffer) {
    release(buffer->allocator, buffer->data, buffer->capacity);
    buffer_init(buffer, buffer->allocator, buffer->limit);
}

static void move_to_front(struct buffer *buffer) {
    size_t size = buffer_size(buffer);
    if (buffer->start > 0 && size > 0)
        memmove(buffer->data, buffer->data + buffer->start, size);
    buffer->start = 0;
    buffer->end = size;
}

/* The next capacity that holds `needed` bytes; `needed` is within the limit. */
static size_t next_capacity(const struct buffer *buffer, size_t needed) {
    if (buffer->capacity > buffer->limit / 2) return buffer->limit;
    size_t capacity = buffer->capacity * 2;
    if (capacity < BUFFER_FIRST_CAPACITY) capacity = BUFFER_FIRST_CAPACITY;
    if (capacity < needed) capacity = needed;
    return capacity < buffer->limit ? capacity : buffer->limit;
}

static enum status grow(struct buffer *buffer, size_t needed) {
    size_t capacity = next_capacity(buffer, needed);
    const struct allocator *allocator = buffer->allocator;
    uint8_t *data =
        allocator->resize(allocator->context, buffer->data, buffer->capacity, capacity);
    if (!data) return STATUS_MEMORY;
    buffer->data = data;
    buffer->capacity = capacity;
    return STATUS_OK;
}

enum status buffer_reserve(struct buffer *buffer, size_t size, uint8_t **room) {
    check(buffer->start <= buffer->end && buffer->end <= buffer->capacity);
    check(buffer->capacity <= buffer->limit);
    size_t used = buffer_size(buffer);
    if (size > buffer->limit - used) return STATUS_TOO_LARGE;

    if (size > buffer->capacity - buffer->end) {
        size_t needed = used + size;
        bool fits = needed <= buffer->capacity;
        if (!fits || buffer->start >= used || buffer->capacity == buffer->limit)
            move_to_front(buffer);
        if (size > buffer->capacity - buffer->end) {
            enum status status = grow(buffer, needed);
            if (status) return status;
        }
    }
    *room = buffer->data ? buffer->data + buffer->end : NULL;
    return STATUS_OK;
}

void buffer_commit(struct buffer *buffer, size_t size) {
    check(size <= buffer->capacity - buffer->end);
    buffer->end += size;
}

enum status buffer_append(struct buffer *buffer, const void *bytes, size_t size) {
    uint8_t *room;
    enum status status = buffer_reserve(buffer, size, &room);
    if (status) return status;
    if (size > 0) memcpy(room, bytes, size);
    buffer_commit(buffer, size);
    return STATUS_OK;
}

void buffer_consume(struct buffer *buffer, size_t size) {
    check(size <= buffer_size(buffer));
    buffer->start += size;
}

void buffer_clear(struct buffer *buffer) { buffer->start = buffer->end = 0; }

void buffer_shrink(struct buffer *buffer, size_t keep) {
    if (buffer_size(buffer) == 0 && buffer->capacity > keep) buffer_free(buffer);
}
