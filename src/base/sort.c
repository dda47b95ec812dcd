/* Heapsort. A merge sort would be stable but wants memory; stability is worth nothing
 * under a total order, where no two elements are equal. Quicksort has inputs that make it
 * quadratic, and names come from outside. */
#include "base/sort.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct heap {
    uint8_t *elements;
    size_t size; /* of an element */
    sort_compare *compare;
    void *context;
};

static inline uint8_t *element(const struct heap *heap, size_t index) {
    return heap->elements + index * heap->size;
}

static void swap(const struct heap *heap, size_t i, size_t j) {
    uint8_t piece[64];
    uint8_t *a = element(heap, i), *b = element(heap, j);
    for (size_t left = heap->size, step; left > 0; left -= step, a += step, b += step) {
        step = left < sizeof piece ? left : sizeof piece;
        memcpy(piece, a, step);
        memcpy(a, b, step);
        memcpy(b, piece, step);
    }
}

static inline bool before(const struct heap *heap, size_t i, size_t j) {
    return heap->compare(heap->context, element(heap, i), element(heap, j)) < 0;
}

/* Let the element at `index` sink until no child among the first `count` elements comes
 * after it. The children of i are 2i + 1 and 2i + 2. */
static void sink(const struct heap *heap, size_t index, size_t count) {
    while (index < count / 2) {
        size_t child = 2 * index + 1;
        if (child + 1 < count && before(heap, child, child + 1)) child++;
        if (!before(heap, index, child)) return;
        swap(heap, index, child);
        index = child;
    }
}

void sort(void *elements, size_t count, size_t size, sort_compare *compare,
          void *context) {
    struct heap heap = {elements, size, compare, context};
    for (size_t i = count / 2; i > 0; i--) sink(&heap, i - 1, count);
    for (size_t left = count; left > 1; left--) {
        swap(&heap, 0, left - 1); /* The greatest of those left goes to the end. */
        sink(&heap, 0, left - 1);
    }
}
