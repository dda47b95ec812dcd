/* Where the kernel's memory comes from: the caller says. */
#ifndef KERNEL_MEMORY_SOURCE_H
#define KERNEL_MEMORY_SOURCE_H

#include <stddef.h>

#define REGION_SIZE ((size_t)2 << 20)

/* Zeroed memory aligned to REGION_SIZE; size a multiple of it. take() gives NULL when
 * there is none; give() takes back exactly what take() gave. `warm` is a hint that a
 * region will soon be written, and may be NULL. */
struct memory_source {
    void *context;
    void *(*take)(void *context, size_t size);
    void (*give)(void *context, void *region, size_t size);
    void (*warm)(void *context, void *region, size_t size);
};

#endif
