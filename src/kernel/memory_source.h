/* Where the kernel's memory comes from: the caller says. */
#ifndef KERNEL_MEMORY_SOURCE_H
#define KERNEL_MEMORY_SOURCE_H

#include <stddef.h>

#define REGION_SIZE ((size_t)2 << 20)

/* Zeroed memory aligned to REGION_SIZE; size a multiple of it. take() gives NULL when
 * there is none; give() takes back exactly what take() gave. Two hints that may be NULL: `warm`,
 * a region will soon be written; `sparse`, it may stay mostly unwritten, so that small pages suit
 * it better than huge ones. */
struct memory_source {
    void *context;
    void *(*take)(void *context, size_t size);
    void (*give)(void *context, void *region, size_t size);
    void (*warm)(void *context, void *region, size_t size);
    void (*sparse)(void *context, void *region, size_t size);
};

#endif
