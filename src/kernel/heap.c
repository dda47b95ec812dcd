#include "kernel/heap.h"

#include "base/check.h"

#include "kernel/pure.h"

enum { CHUNK_SIZE = 4096, LEAST = 16 };

void heap_begin(struct heap *heap) {
    for (uint32_t i = 0; i < HEAP_CLASSES; i++)
        pool_begin(&heap->pools[i], (uint32_t)LEAST << i, CHUNK_SIZE, "b");
}

uint64_t heap_put(struct memory *memory, struct heap *heap, struct slice bytes) {
    if (bytes.size == 0) return 0;
    uint32_t size_class = 0;
    while (((size_t)LEAST << size_class) < bytes.size) size_class++;
    check(size_class < HEAP_CLASSES);
    struct pool *pool = &heap->pools[size_class];
    uint32_t row = pool_take(memory, pool);
    memcpy(pool_own(memory, pool, row), bytes.data, bytes.size);
    return (uint64_t)(size_class + 1) << 32 | row;
}

bool heap_holds(const struct heap *heap, uint64_t handle, size_t size) {
    if (handle == 0) return size == 0;
    uint64_t size_class = (handle >> 32) - 1;
    return size_class < HEAP_CLASSES && size <= (size_t)LEAST << size_class &&
           (uint32_t)handle < heap->pools[size_class].limit;
}

struct slice heap_get(const struct heap *heap, uint64_t handle, size_t size) {
    if (handle == 0) return slice_of(NULL, 0);
    return slice_of(pool_row(&heap->pools[(handle >> 32) - 1], (uint32_t)handle), size);
}

uint64_t heap_room(uint64_t handle) {
    return handle ? (uint64_t)LEAST << ((handle >> 32) - 1) : 0;
}

void heap_free(struct memory *memory, struct heap *heap, uint64_t handle) {
    if (handle == 0) return;
    pool_give(memory, &heap->pools[(handle >> 32) - 1], (uint32_t)handle);
}
