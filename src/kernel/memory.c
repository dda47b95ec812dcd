#include "kernel/memory.h"

#include <string.h>

#include "base/check.h"

#include "kernel/pure.h"

/* The last class that shares regions: 512 KiB. */
#define SHARED_CLASS_MAX 13
/* Spare regions kept beyond what was asked for: one for each class that a change may
 * open. */
#define SPARE_MIN 16
/* Fresh pages cost as much as what is written to them. One region is touched ahead for
 * every WARM_SHARE in use, so that a small server stays small, and at most WARM_MAX: the
 * helper touches one in less than a millisecond, and no load takes them faster. */
#define WARM_SHARE 64
#define WARM_MAX   2

struct free_block {
    struct free_block *next;
};

/* Sits in the place of block 0 of a shared region. */
struct region {
    struct region *next, *previous; /* in the list of its class, when it has room */
    struct region *after, *before;  /* in the list of all shared regions */
    struct free_block *vacant;
    uint32_t size_class;
    uint32_t used; /* blocks handed out */
    uint32_t
        fresh; /* blocks from here on were never handed out; block 0 is this header */
    bool listed;
};
_Static_assert(sizeof(struct region) <= BLOCK_SIZE_MIN,
               "the header fits the least block");

/* A region that is one block, noted in a block of the least class. */
struct large {
    struct large *next;
    void *address;
    size_t size;
    struct block self;
};

/* One block's worth of blocks that wait for views to go. */
struct limbo {
    struct limbo *next;
    struct block self;
    uint32_t count;
    struct {
        struct block block;
        uint32_t replaced; /* the epoch that no longer needs it */
    } items[168];
};
enum { LIMBO_CLASS = 6 }; /* 4 KiB */
_Static_assert(sizeof(struct limbo) <= 4096, "a limbo page fits its block");

void memory_begin(struct memory *memory, const struct memory_source *source) {
    *memory = (struct memory){.source = *source, .epoch = 1, .oldest_view = UINT32_MAX};
}

void memory_end(struct memory *memory) {
    const struct memory_source *source = &memory->source;
    for (struct large *large = memory->large; large; large = large->next)
        source->give(source->context, large->address, large->size);
    for (struct region *region = memory->shared; region;) {
        struct region *after = region->after;
        source->give(source->context, region, REGION_SIZE);
        region = after;
    }
    for (uint32_t i = 0; i < memory->spare_count; i++)
        source->give(source->context,
                     memory->spare[(memory->spare_first + i) % SPARE_MAX], REGION_SIZE);
}

uint32_t memory_class(size_t size) {
    uint32_t size_class = 0;
    while (block_size(size_class) < size) size_class++;
    check(size_class < BLOCK_CLASSES);
    return size_class;
}

/* --- Regions ---------------------------------------------------------------------------
 */

static bool spare_add(struct memory *memory) {
    void *region = memory->source.take(memory->source.context, REGION_SIZE);
    if (!region) return false;
    memory->taken += REGION_SIZE;
    memory->spare[(memory->spare_first + memory->spare_count++) % SPARE_MAX] = region;
    return true;
}

enum status memory_reserve(struct memory *memory, uint64_t bytes) {
    /* Twice: a block may be up to twice what it holds, and a region is never quite full.
     */
    uint64_t regions = SPARE_MIN + 2 * (bytes / REGION_SIZE);
    if (regions > SPARE_MAX) return STATUS_MEMORY;
    while (memory->spare_count < regions)
        if (!spare_add(memory)) return STATUS_MEMORY;
    return STATUS_OK;
}

/* The spare regions that come next will be wanted soon: have them touched meanwhile, the
 * more the larger the server is. */
static void warm_spares(struct memory *memory) {
    if (!memory->source.warm) return;
    uint64_t wanted = memory->used / REGION_SIZE / WARM_SHARE;
    if (wanted > WARM_MAX) wanted = WARM_MAX;
    for (; memory->warmed < wanted && memory->warmed < memory->spare_count;
         memory->warmed++) {
        uint32_t next = (memory->spare_first + memory->warmed) % SPARE_MAX;
        memory->source.warm(memory->source.context, memory->spare[next], REGION_SIZE);
    }
}

/* From the front, where they are being touched. */
static void *spare_first(struct memory *memory) {
    void *region = memory->spare[memory->spare_first];
    memory->spare_first = (memory->spare_first + 1) % SPARE_MAX;
    memory->spare_count--;
    if (memory->warmed > 0) memory->warmed--;
    warm_spares(memory);
    return region;
}

static void *spare_last(struct memory *memory) {
    memory->spare_count--;
    if (memory->warmed > memory->spare_count) memory->warmed = memory->spare_count;
    return memory->spare[(memory->spare_first + memory->spare_count) % SPARE_MAX];
}

/* Many classes never fill their first region: it has small pages and is not touched
 * ahead. */
static struct region *region_begin(struct memory *memory, uint32_t size_class) {
    if (memory->spare_count == 0) check(spare_add(memory));
    bool first = memory->regions[size_class]++ == 0;
    struct region *region = first ? spare_last(memory) : spare_first(memory);
    if (first && memory->source.sparse)
        memory->source.sparse(memory->source.context, region, REGION_SIZE);
    *region =
        (struct region){.after = memory->shared, .size_class = size_class, .fresh = 1};
    if (memory->shared) memory->shared->before = region;
    memory->shared = region;
    return region;
}

static void list_region(struct memory *memory, struct region *region) {
    struct region **head = &memory->partial[region->size_class];
    region->previous = NULL;
    region->next = *head;
    if (*head) (*head)->previous = region;
    *head = region;
    region->listed = true;
}

static void unlist_region(struct memory *memory, struct region *region) {
    if (region->previous) region->previous->next = region->next;
    else memory->partial[region->size_class] = region->next;
    if (region->next) region->next->previous = region->previous;
    region->listed = false;
}

static struct region *region_of(void *address) {
    return (struct region *)((uintptr_t)address & ~(uintptr_t)(REGION_SIZE - 1));
}

/* --- Blocks ----------------------------------------------------------------------------
 */

static void give_now(struct memory *memory, const struct block *block);

static size_t whole_regions(size_t size) {
    return (size + REGION_SIZE - 1) / REGION_SIZE * REGION_SIZE;
}

static void *take_large(struct memory *memory, size_t size) {
    size_t whole = whole_regions(size);
    void *address;
    if (whole == REGION_SIZE && memory->spare_count > 0) {
        address = spare_last(memory); /* Reserved when it was admitted. */
    } else {
        address = memory->source.take(memory->source.context, whole);
        check(address != NULL);
        memory->taken += whole;
    }
    struct block self = memory_take(memory, 0);
    struct large *large = self.address;
    *large = (struct large){memory->large, address, whole, self};
    memory->large = large;
    return address;
}

static void give_large(struct memory *memory, void *address) {
    struct large **link = &memory->large;
    while ((*link)->address != address) link = &(*link)->next;
    struct large gone = **link;
    *link = gone.next;
    memory->taken -= gone.size;
    memory->source.give(memory->source.context, gone.address, gone.size);
    give_now(memory, &gone.self);
}

static void *take_shared(struct memory *memory, uint32_t size_class) {
    struct region *region = memory->partial[size_class];
    if (!region) {
        region = region_begin(memory, size_class);
        list_region(memory, region);
    }
    void *address;
    if (region->vacant) {
        struct free_block *block = region->vacant;
        region->vacant = block->next;
        block->next = NULL;
        address = block;
    } else {
        address = (uint8_t *)region + region->fresh++ * block_size(size_class);
    }
    region->used++;
    bool full =
        !region->vacant && (region->fresh + 1) * block_size(size_class) > REGION_SIZE;
    if (full) unlist_region(memory, region);
    return address;
}

struct block memory_take(struct memory *memory, uint32_t size_class) {
    check(size_class < BLOCK_CLASSES);
    size_t size = block_size(size_class);
    void *address = size_class > SHARED_CLASS_MAX ? take_large(memory, size)
                                                  : take_shared(memory, size_class);
    memory->used += size;
    return (struct block){address, memory->epoch, size_class};
}

static void give_shared(struct memory *memory, void *address, uint32_t size_class) {
    struct region *region = region_of(address);
    memset(address, 0, block_size(size_class));
    struct free_block *block = address;
    block->next = region->vacant;
    region->vacant = block;
    region->used--;
    if (!region->listed) list_region(memory, region);
    /* Keep one empty region of a class, so that a block taken and given does not thrash.
     */
    if (region->used > 0 || (!region->next && !region->previous)) return;
    unlist_region(memory, region);
    if (region->before) region->before->after = region->after;
    else memory->shared = region->after;
    if (region->after) region->after->before = region->before;
    memory->regions[size_class]--;
    memory->taken -= REGION_SIZE;
    memory->source.give(memory->source.context, region, REGION_SIZE);
}

static void give_now(struct memory *memory, const struct block *block) {
    size_t size = block_size(block->size_class);
    memory->used -= size;
    if (block->size_class > SHARED_CLASS_MAX) give_large(memory, block->address);
    else give_shared(memory, block->address, block->size_class);
}

static void send_to_limbo(struct memory *memory, const struct block *block) {
    struct limbo *page = memory->limbo;
    if (!page || page->count == sizeof page->items / sizeof page->items[0]) {
        struct block self = memory_take(memory, LIMBO_CLASS);
        page = self.address;
        page->self = self;
        page->next = memory->limbo;
        memory->limbo = page;
    }
    page->items[page->count].block = *block;
    page->items[page->count].replaced = memory->epoch;
    page->count++;
}

void memory_give(struct memory *memory, struct block *block) {
    if (!block->address) return;
    if (block->epoch <= memory->newest_view) send_to_limbo(memory, block);
    else give_now(memory, block);
    *block = (struct block){0};
}

void *memory_own(struct memory *memory, struct block *block) {
    if (block->epoch > memory->newest_view) return block->address;
    struct block copy = memory_take(memory, block->size_class);
    memcpy(copy.address, block->address, block_size(block->size_class));
    send_to_limbo(memory, block);
    *block = copy;
    return copy.address;
}

/* --- Views -----------------------------------------------------------------------------
 */

static void note_views(struct memory *memory) {
    memory->newest_view = 0;
    memory->oldest_view = UINT32_MAX;
    for (int i = 0; i < VIEWS_MAX; i++) {
        uint32_t epoch = memory->views[i];
        if (epoch == 0) continue;
        if (epoch > memory->newest_view) memory->newest_view = epoch;
        if (epoch < memory->oldest_view) memory->oldest_view = epoch;
    }
}

uint32_t memory_freeze(struct memory *memory) {
    for (int i = 0; i < VIEWS_MAX; i++) {
        if (memory->views[i] != 0) continue;
        memory->views[i] = memory->epoch++;
        check(memory->epoch != UINT32_MAX);
        note_views(memory);
        return memory->views[i];
    }
    return 0;
}

/* Free what no view sees any more: a block replaced in epoch r was visible to views
 * before r. */
static void sweep_limbo(struct memory *memory) {
    struct limbo **link = &memory->limbo;
    while (*link) {
        struct limbo *page = *link;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < page->count; i++) {
            if (page->items[i].replaced > memory->oldest_view)
                page->items[kept++] = page->items[i];
            else give_now(memory, &page->items[i].block);
        }
        page->count = kept;
        if (kept > 0) {
            link = &page->next;
        } else {
            struct block self = page->self;
            *link = page->next;
            give_now(memory, &self);
        }
    }
}

void memory_thaw(struct memory *memory, uint32_t epoch) {
    for (int i = 0; i < VIEWS_MAX; i++)
        if (memory->views[i] == epoch) memory->views[i] = 0;
    note_views(memory);
    sweep_limbo(memory);
}
