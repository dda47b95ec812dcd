/* Memory: regions straight from the system for the kernel's chunks, and a counting
 * allocator for everybody else.
 *
 * A region is a multiple of 2 MiB and aligned to it, because that is the huge page of
 * x86-64 and arm64: a scan over vectors then needs one TLB entry where it would need 512.
 * The system aligns to small pages only, so one huge page more is asked for and the ends
 * are given back. */
#include "os/posix.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef USE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

#include "base/check.h"

#define HUGE_PAGE ((size_t)2 << 20)

/* --- Regions
 * ------------------------------------------------------------------------------ */

/* Address space is asked for ARENA at a time: mmap() waits for the thread that touches pages
 * ahead, and the loop would wait with it at every region. Nothing of it is memory before it is
 * written to. */
#define ARENA (32 * HUGE_PAGE)

static struct {
    pthread_mutex_t lock;
    uint8_t *next;
    size_t left;
} arena = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint8_t *map_aligned(size_t size) {
    size_t asked;
    if (__builtin_add_overflow(size, HUGE_PAGE, &asked)) return NULL;
    uint8_t *mapped =
        mmap(NULL, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)mapped % HUGE_PAGE) % HUGE_PAGE;
    size_t after = HUGE_PAGE - before;
    if (before > 0) munmap(mapped, before);
    if (after > 0) munmap(mapped + before + size, after);
    system_huge_pages(mapped + before, size);
    return mapped + before;
}

static void *take_from_arena(void) {
    pthread_mutex_lock(&arena.lock);
    if (arena.left == 0) {
        arena.next = map_aligned(ARENA);
        if (arena.next) arena.left = ARENA;
    }
    uint8_t *region = arena.left > 0 ? arena.next : NULL;
    if (region) {
        arena.next += HUGE_PAGE;
        arena.left -= HUGE_PAGE;
    }
    pthread_mutex_unlock(&arena.lock);
    return region;
}

void *posix_region_take(const struct os *os, size_t size) {
    (void)os;
    check(size > 0 && size % HUGE_PAGE == 0);
    return size == HUGE_PAGE ? take_from_arena() : map_aligned(size);
}

void posix_region_sparse(const struct os *os, void *region, size_t size) {
    (void)os;
    system_small_pages(region, size);
}

void posix_region_give(const struct os *os, void *region, size_t size) {
    (void)os;
    check(munmap(region, size) == 0);
}

/* --- The allocator
 * ------------------------------------------------------------------------- */

/* A helper allocates during recovery, and a second server in this process may. */
static atomic_size_t used_bytes;

/* Blocks from this size on are mapped, and grow by moving pages instead of bytes: a
 * buffer of 64 MB that doubles would otherwise hold the loop for 30 ms. */
#ifdef __SANITIZE_ADDRESS__
#define MAPPED_LEAST SIZE_MAX /* it watches the ends of malloc's blocks only */
#else
#define MAPPED_LEAST ((size_t)1 << 20)
#endif
#define MAPPED_UNIT ((size_t)64 << 10) /* no page is larger */
#define GIVEN_LATER ((size_t)4 << 20)  /* by a helper: 64 MB take 10 ms */

#ifdef USE_JEMALLOC

#define TEXT_OF_VALUE(value) #value
#define TEXT_OF(macro)       TEXT_OF_VALUE(macro)

const char *os_allocator_name(void) {
    return "jemalloc-" TEXT_OF(JEMALLOC_VERSION_MAJOR) "." TEXT_OF(
        JEMALLOC_VERSION_MINOR) "." TEXT_OF(JEMALLOC_VERSION_BUGFIX);
}

/* The size spares jemalloc a look-up, and a wrong one is found by its debug build. */
static void give_back(void *block, size_t size) { sdallocx(block, size, 0); }

#else

const char *os_allocator_name(void) { return "libc"; }

static void give_back(void *block, size_t size) {
    (void)size;
    free(block);
}

#endif

static size_t mapped_size(size_t size) {
    return (size + MAPPED_UNIT - 1) / MAPPED_UNIT * MAPPED_UNIT;
}

static void *take_block(size_t size) {
    if (size < MAPPED_LEAST) return malloc(size);
    if (size > SIZE_MAX - MAPPED_UNIT) return NULL;
    void *mapped = mmap(NULL, mapped_size(size), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mapped == MAP_FAILED ? NULL : mapped;
}

static void give_block(void *block, size_t size) {
    size = size < MAPPED_LEAST ? size : mapped_size(size);
    if (size < MAPPED_LEAST) give_back(block, size);
    else if (size < GIVEN_LATER || !posix_unmap_later(block, size))
        check(munmap(block, size) == 0);
}

static void *resize_block(void *block, size_t old_size, size_t new_size) {
    bool was_mapped = old_size >= MAPPED_LEAST, is_mapped = new_size >= MAPPED_LEAST;
    if (!was_mapped && !is_mapped) return realloc(block, new_size);
    if (was_mapped && is_mapped && new_size <= SIZE_MAX - MAPPED_UNIT) {
        void *moved = system_remap(block, mapped_size(old_size), mapped_size(new_size));
        if (moved) return moved;
    }
    void *fresh = take_block(new_size);
    if (!fresh) return NULL;
    memcpy(fresh, block, old_size < new_size ? old_size : new_size);
    give_block(block, old_size);
    return fresh;
}

static void *resize_counted(void *context, void *block, size_t old_size,
                            size_t new_size) {
    (void)context;
    check((block == NULL) == (old_size == 0));
    void *result = NULL;
    if (new_size == 0) {
        if (block) give_block(block, old_size);
    } else {
        result = block ? resize_block(block, old_size, new_size) : take_block(new_size);
        if (!result) return NULL;
    }
    /* Unsigned wrap-around makes one addition of growing and shrinking. */
    atomic_fetch_add_explicit(&used_bytes, new_size - old_size, memory_order_relaxed);
    return result;
}

static const struct allocator counted = {.context = NULL, .resize = resize_counted};

const struct allocator *os_allocator(void) { return &counted; }

size_t os_allocator_used(void) {
    return atomic_load_explicit(&used_bytes, memory_order_relaxed);
}

/* --- Facts
 * --------------------------------------------------------------------------------- */

uint64_t os_resident_bytes(void) { return system_resident_bytes(); }

uint64_t os_total_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_size > 0 ? (uint64_t)pages * (uint64_t)page_size : 0;
}
