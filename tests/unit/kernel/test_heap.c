/* The heap of names and attributes: every size comes back as it was put, and goes when freed. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/heap.h"

#include "fixture.h"

static uint8_t bytes[262144];

static void sizes_come_back(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    struct heap heap;
    heap_begin(&heap);
    uint64_t random = 1;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(chance(&random) | 1);

    static const size_t sizes[] = {0,  1,   15,  16,   17,   31,    32,    33,     255,
                                   256, 257, 4095, 4096, 4097, 65535, 65536, 131073, 262144};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    uint64_t handles[COUNT];
    for (int i = 0; i < COUNT; i++) {
        handles[i] = heap_put(&memory, &heap, slice_of(bytes + i * (sizes[i] < 4096), sizes[i]));
        EXPECT((handles[i] == 0) == (sizes[i] == 0));
    }
    for (int i = 0; i < COUNT; i++) {
        struct slice found = heap_get(&heap, handles[i], sizes[i]);
        EXPECT(slice_equal(found, slice_of(bytes + i * (sizes[i] < 4096), sizes[i])));
    }
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

static void freed_bytes_are_cleared_and_used_again(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    struct heap heap;
    heap_begin(&heap);
    uint64_t first = heap_put(&memory, &heap, slice_text("the first secret"));
    uint64_t second = heap_put(&memory, &heap, slice_text("another one"));
    const uint8_t *at = heap_get(&heap, first, 16).data;
    heap_free(&memory, &heap, first);
    EXPECT(memcmp(at + 4, (uint8_t[12]){0}, 12) == 0); /* The link of the free list is first. */
    uint64_t used = memory.used;
    EXPECT_EQUAL(heap_put(&memory, &heap, slice_text("short")), first);
    EXPECT_EQUAL(memory.used, used);
    EXPECT_BYTES(heap_get(&heap, first, 16).data, "short\0\0\0\0\0\0\0\0\0\0\0", 16);
    EXPECT(slice_equal(heap_get(&heap, second, 11), slice_text("another one")));
    heap_free(&memory, &heap, 0); /* Nothing is freed as often as one likes. */
    memory_end(&memory);
}

static void frozen_bytes_stay(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    struct heap heap;
    heap_begin(&heap);
    uint64_t handle = heap_put(&memory, &heap, slice_text("a name that is seen"));
    uint32_t epoch = memory_freeze(&memory);
    struct heap view = heap;
    heap_free(&memory, &heap, handle);
    EXPECT_EQUAL(heap_put(&memory, &heap, slice_text("another name, later")), handle);
    EXPECT(slice_equal(heap_get(&view, handle, 19), slice_text("a name that is seen")));
    EXPECT(slice_equal(heap_get(&heap, handle, 19), slice_text("another name, later")));
    memory_thaw(&memory, epoch);
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

int main(void) {
    RUN(sizes_come_back);
    RUN(freed_bytes_are_cleared_and_used_again);
    RUN(frozen_bytes_stay);
    return test_finish();
}
