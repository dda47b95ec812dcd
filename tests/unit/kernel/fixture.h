/* What the kernel's tests share: memory that counts and can run out, chance from a seed, and
 * changes that can be written in one line. Define _DEFAULT_SOURCE before any header. */
#ifndef TESTS_UNIT_KERNEL_FIXTURE_H
#define TESTS_UNIT_KERNEL_FIXTURE_H

#include <sys/mman.h>

#include "base/allocator.h"
#include "kernel/entry.h"
#include "kernel/kernel.h"

/* --- Memory ------------------------------------------------------------------------------- */

struct source {
    uint64_t taken;   /* bytes that the kernel has */
    uint64_t allowed; /* calls of take() that will still succeed */
};

static inline void *source_take(void *context, size_t size) {
    struct source *source = context;
    if (source->allowed == 0) return NULL;
    source->allowed--;
    uint8_t *mapped = mmap(NULL, size + REGION_SIZE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return NULL;
    size_t before = (REGION_SIZE - (uintptr_t)mapped % REGION_SIZE) % REGION_SIZE;
    if (before > 0) munmap(mapped, before);
    munmap(mapped + before + size, REGION_SIZE - before);
    source->taken += size;
    return mapped + before;
}

static inline void source_give(void *context, void *region, size_t size) {
    struct source *source = context;
    source->taken -= size;
    munmap(region, size);
}

static inline struct memory_source source_begin(struct source *source) {
    *source = (struct source){.allowed = UINT64_MAX};
    return (struct memory_source){.context = source, .take = source_take, .give = source_give};
}

static inline void *libc_resize(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context, (void)old_size;
    if (new_size > 0) return realloc(block, new_size);
    free(block);
    return NULL;
}
static const struct allocator libc_allocator = {.resize = libc_resize};

/* --- Chance ------------------------------------------------------------------------------- */

static inline uint64_t chance(uint64_t *state) { /* splitmix64 */
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
static inline uint32_t chance_below(uint64_t *state, uint32_t limit) {
    return (uint32_t)((chance(state) >> 32) * limit >> 32);
}

/* --- Changes ------------------------------------------------------------------------------ */

enum { MADE_DIM = 8 };

/* A change with the bytes that it borrows. */
struct made {
    struct change change;
    uint8_t vector[6 + 4 * MADE_DIM];
    uint8_t fp32[4 * MADE_DIM];
};

static inline struct config config_of(uint8_t metric, uint32_t dim) {
    return (struct config){.metric = metric, .index = INDEX_FLAT, .dim = dim, .m = 16, .ef = 200};
}

/* Gives the made change a vector of `dim` equal values. */
static inline void make_vector(struct made *made, bool scaled, uint32_t dim, int32_t value) {
    int32_t values[MADE_DIM];
    for (uint32_t i = 0; i < dim; i++) values[i] = value;
    vector_encode(values, dim, scaled, 0, made->vector);
    made->change.vector = slice_of(made->vector, vector_bytes_size(scaled, dim));
    made->change.flags |= CHANGE_VECTOR;
}

static inline struct change *make(struct made *made, uint8_t type, const char *key,
                                  const char *element) {
    *made = (struct made){.change = {.type = type}};
    made->change.key = slice_text(key);
    if (element) made->change.element = slice_text(element);
    return &made->change;
}

/* A VADD of an L2 collection of dimension 4, with its config. */
static inline struct change *make_vadd(struct made *made, const char *key, const char *element,
                                       int32_t value) {
    struct change *change = make(made, CHANGE_VADD, key, element);
    make_vector(made, false, 4, value);
    change->flags |= CHANGE_CONFIG;
    change->config = config_of(METRIC_L2, 4);
    return change;
}

static inline struct change *make_create(struct made *made, const char *key,
                                         struct config config) {
    struct change *change = make(made, CHANGE_CREATE, key, NULL);
    change->flags = CHANGE_CONFIG;
    change->config = config;
    return change;
}

static inline struct change *make_settag(struct made *made, const char *key, const char *element,
                                         uint64_t tag) {
    struct change *change = make(made, CHANGE_SETTAG, key, element);
    change->flags = CHANGE_TAG;
    change->tag = tag;
    return change;
}

static inline struct change *make_setattr(struct made *made, const char *key,
                                          const char *element, const char *attributes) {
    struct change *change = make(made, CHANGE_SETATTR, key, element);
    change->flags = CHANGE_ATTRIBUTES;
    change->attributes = slice_text(attributes);
    return change;
}

/* Commit, admit and apply. */
static inline enum status perform(struct kernel *kernel, uint64_t sequence,
                                  struct change *change) {
    change_commit(change);
    enum status status = kernel_admit(kernel, change);
    if (status) return status;
    struct outcome outcome;
    kernel_apply(kernel, sequence, change, &outcome);
    return outcome.status;
}

/* --- Roots -------------------------------------------------------------------------------- */

static inline enum status recompute_all(const struct state *state, bool content,
                                        struct roots *roots) {
    static _Alignas(16) uint8_t room[RECOMPUTE_SIZE];
    struct recompute *recompute = recompute_begin(room, state, content);
    enum status status;
    do {
        status = recompute_step(recompute, 7, roots);
    } while (status == STATUS_AGAIN);
    return status;
}

#endif
