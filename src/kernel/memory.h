/* Kernel memory: blocks of power-of-two sizes, carved from regions that the caller
 * supplies.
 *
 * Blocks carry the epoch in which they were taken. memory_freeze() starts a new epoch; a
 * block of an older one may be visible to a view, so memory_own() copies it before it is
 * written, and the old one waits in limbo until no view can see it. Free memory is always
 * zero: what a deleted record held is gone when its block is.
 *
 * Small blocks (up to 512 KiB) share a region of their class; a region that becomes empty
 * goes back to the source. Greater blocks have regions of their own. Addresses never
 * reach the state. */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "kernel/memory_source.h"

#define BLOCK_SIZE_MIN 64
#define BLOCK_CLASSES  30 /* 64 bytes << class */
#define VIEWS_MAX      8  /* KERNEL_VIEWS_MAX */
#define SPARE_MAX      2048 /* 4 GiB of address space, the most that one batch can reserve */

/* A block as its owner remembers it; no address means none. */
struct block {
    void *address;
    uint32_t epoch;
    uint32_t size_class;
};

struct region; /* the header at the start of a shared region */
struct large;  /* a note about a region that is one block */
struct limbo;  /* blocks that a view can still see */

struct memory {
    struct memory_source source;
    uint32_t epoch;                        /* of the blocks taken now; starts at 1 */
    uint32_t views[VIEWS_MAX];             /* their epochs; 0: no view */
    uint32_t newest_view, oldest_view;     /* 0 and UINT32_MAX without views */
    struct region *partial[BLOCK_CLASSES]; /* regions with free blocks */
    struct region *shared;                 /* all regions that blocks share */
    uint32_t regions[BLOCK_CLASSES];       /* of them, by class */
    struct large *large;                   /* all regions that are one block */
    struct region *spare[SPARE_MAX];       /* a ring of regions for what was admitted */
    uint32_t spare_first, spare_count;
    uint32_t warmed; /* of the first ones, being touched by the helper */
    struct limbo *limbo;
    uint64_t used;  /* bytes in blocks, limbo included */
    uint64_t taken; /* bytes of regions */
};

void memory_begin(struct memory *memory, const struct memory_source *source);

/* Give every region back, whatever is still in use. */
void memory_end(struct memory *memory);

/* See to it that blocks of `bytes` in all can be taken without asking the source in vain.
 * STATUS_MEMORY when it has no more. */
enum status memory_reserve(struct memory *memory, uint64_t bytes);

/* The smallest class whose blocks have `size` bytes. */
uint32_t memory_class(size_t size);
static inline size_t block_size(uint32_t size_class) {
    return (size_t)BLOCK_SIZE_MIN << size_class;
}

/* A zeroed block. Panics without memory: ask memory_reserve() first. */
struct block memory_take(struct memory *memory, uint32_t size_class);
/* Give a block back; it is cleared at once, or when the last view that sees it goes. */
void memory_give(struct memory *memory, struct block *block);
/* Make *block safe to write: copy it if a view sees it. Gives its address. */
void *memory_own(struct memory *memory, struct block *block);

/* A view of this moment; its epoch, or 0 when there are VIEWS_MAX already. */
uint32_t memory_freeze(struct memory *memory);
void memory_thaw(struct memory *memory, uint32_t epoch);

#endif
