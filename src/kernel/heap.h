/* Bytes of any size up to 256 KiB: names, attributes, kept FP32 bits. A pool for each
 * power of two; a handle names pool and row, 0 names nothing. Stored bytes are never
 * changed, only freed, and then they are cleared. */
#ifndef KERNEL_HEAP_H
#define KERNEL_HEAP_H

#include "base/slice.h"
#include "kernel/pool.h"

#define HEAP_CLASSES 15 /* 16 bytes << class; the last is 256 KiB */

struct heap {
    struct pool pools[HEAP_CLASSES];
};

void heap_begin(struct heap *heap);
/* A copy of `bytes`; 0 when there are none. */
uint64_t heap_put(struct memory *memory, struct heap *heap, struct slice bytes);
/* Bytes that a handle's row takes. */
uint64_t heap_room(uint64_t handle);
/* Can this handle have been given for so many bytes? */
bool heap_holds(const struct heap *heap, uint64_t handle, size_t size);
/* `size` is what was put. */
struct slice heap_get(const struct heap *heap, uint64_t handle, size_t size);
void heap_free(struct memory *memory, struct heap *heap, uint64_t handle);

#endif
