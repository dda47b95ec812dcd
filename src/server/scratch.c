/* Room for one command's vectors and hits. */
#include "server/scratch.h"

#include "base/bytes.h"
#include "kernel/distance.h"

#define VECTOR_BYTES (6 + 4 * (size_t)VECTOR_DIM_MAX)
#define BLOCK_BYTES                                                                      \
    (DISTANCE_ALIGNMENT + 4 * (size_t)VECTOR_DIM_MAX + VECTOR_BYTES +                    \
     4 * (size_t)VECTOR_DIM_MAX)
#define SUMS_BYTES     (VECTOR_DIM_MAX * sizeof(int64_t))
#define KEPT_HITS      16384
#define ROOM_ALIGNMENT ((size_t)64)
#define ROOM_STEP      ((size_t)64 * 1024)

enum status scratch_begin(struct scratch *scratch, const struct allocator *allocator) {
    *scratch = (struct scratch){.allocator = allocator};
    uint8_t *block = allocate(allocator, BLOCK_BYTES);
    if (!block) return STATUS_MEMORY;
    size_t past = (uintptr_t)block % DISTANCE_ALIGNMENT;
    uint8_t *aligned = block + (past ? DISTANCE_ALIGNMENT - past : 0);
    scratch->block = block;
    scratch->values = (int32_t *)(void *)aligned;
    scratch->vector = aligned + 4 * (size_t)VECTOR_DIM_MAX;
    scratch->fp32 = scratch->vector + VECTOR_BYTES;
    return STATUS_OK;
}

/* What lies at room_block, from what of it is used. */
static size_t room_block_size(const struct scratch *scratch) {
    return scratch->room_block ? scratch->room.size + ROOM_ALIGNMENT : 0;
}

void scratch_free(struct scratch *scratch) {
    release(scratch->allocator, scratch->block, BLOCK_BYTES);
    release(scratch->allocator, scratch->hits,
            scratch->hit_capacity * sizeof *scratch->hits);
    release(scratch->allocator, scratch->tags,
            scratch->tag_capacity * sizeof *scratch->tags);
    release(scratch->allocator, scratch->room_block, room_block_size(scratch));
    if (scratch->sums) release(scratch->allocator, scratch->sums, SUMS_BYTES);
    if (scratch->filter)
        release(scratch->allocator, scratch->filter, sizeof *scratch->filter);
}

/* Grow an array that need not keep its contents. */
static enum status grow(const struct allocator *allocator, void **array, size_t *capacity,
                        size_t item, size_t count) {
    if (count <= *capacity) return STATUS_OK;
    size_t wanted = count < 64 ? 64 : count, bytes;
    if (!size_multiply(wanted, item, &bytes)) return STATUS_MEMORY;
    void *grown = allocator->resize(allocator->context, *array, *capacity * item, bytes);
    if (!grown) return STATUS_MEMORY;
    *array = grown;
    *capacity = wanted;
    return STATUS_OK;
}

enum status scratch_hits(struct scratch *scratch, size_t count) {
    void *hits = scratch->hits;
    enum status status = grow(scratch->allocator, &hits, &scratch->hit_capacity,
                              sizeof *scratch->hits, count);
    scratch->hits = hits;
    return status;
}

enum status scratch_tags(struct scratch *scratch, size_t count) {
    void *tags = scratch->tags;
    enum status status = grow(scratch->allocator, &tags, &scratch->tag_capacity,
                              sizeof *scratch->tags, count);
    scratch->tags = tags;
    return status;
}

int64_t *scratch_sums(struct scratch *scratch) {
    if (!scratch->sums) scratch->sums = allocate(scratch->allocator, SUMS_BYTES);
    return scratch->sums;
}

enum status scratch_filter(struct scratch *scratch) {
    if (!scratch->filter)
        scratch->filter = allocate(scratch->allocator, sizeof *scratch->filter);
    return scratch->filter ? STATUS_OK : STATUS_MEMORY;
}

enum status scratch_room(struct scratch *scratch, size_t size) {
    if (size <= scratch->room.size) return STATUS_OK;
    size_t wanted = (size / ROOM_STEP + 1) * ROOM_STEP;
    uint8_t *block = allocate(scratch->allocator, wanted + ROOM_ALIGNMENT);
    if (!block) return STATUS_MEMORY;
    release(scratch->allocator, scratch->room_block, room_block_size(scratch));
    size_t past = (uintptr_t)block % ROOM_ALIGNMENT;
    scratch->room_block = block;
    scratch->room = (struct search_room){
        .bytes = block + (past ? ROOM_ALIGNMENT - past : 0), .size = wanted};
    return STATUS_OK;
}

void scratch_shrink(struct scratch *scratch) {
    if (scratch->hit_capacity > KEPT_HITS) {
        release(scratch->allocator, scratch->hits,
                scratch->hit_capacity * sizeof *scratch->hits);
        scratch->hits = NULL;
        scratch->hit_capacity = 0;
    }
    if (scratch->tag_capacity > KEPT_HITS) {
        release(scratch->allocator, scratch->tags,
                scratch->tag_capacity * sizeof *scratch->tags);
        scratch->tags = NULL;
        scratch->tag_capacity = 0;
    }
}
