/* Where code that must not know malloc gets its memory: base/, storage/ and net/ are handed
 * one of these. The real one is os/memory.h (jemalloc or libc); tests count and fail with
 * their own.
 *
 * resize() is all three calls in one: (NULL, 0, n) allocates, (p, old, n) grows or shrinks and
 * may move, (p, old, 0) frees and gives NULL. The old size is always the true one. New bytes
 * are not cleared. NULL for n > 0 means no memory; the old block is then untouched. */
#ifndef BASE_ALLOCATOR_H
#define BASE_ALLOCATOR_H

#include <stddef.h>

struct allocator {
    void *context;
    void *(*resize)(void *context, void *block, size_t old_size, size_t new_size);
};

static inline void *allocate(const struct allocator *allocator, size_t size) {
    return allocator->resize(allocator->context, NULL, 0, size);
}
static inline void release(const struct allocator *allocator, void *block, size_t size) {
    if (block) allocator->resize(allocator->context, block, size, 0);
}

#endif
