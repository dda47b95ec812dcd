/* Room for one command's vectors and hits, kept between commands: no allocation per
 * query. */
#ifndef SERVER_SCRATCH_H
#define SERVER_SCRATCH_H

#include "base/allocator.h"
#include "kernel/filter.h"
#include "kernel/fixed.h"
#include "kernel/search.h"

struct scratch {
    const struct allocator *allocator;
    void *block;     /* one allocation for the three below */
    int32_t *values; /* VECTOR_DIM_MAX, aligned as a query must be */
    uint8_t *vector; /* encoded vector bytes */
    uint8_t *fp32;   /* 4 * VECTOR_DIM_MAX */
    struct hit *hits;
    size_t hit_capacity;
    uint64_t *tags;
    size_t tag_capacity;
    struct search_room room; /* in room_block, aligned */
    void *room_block;
    int64_t *sums; /* of a projection, VECTOR_DIM_MAX; NULL until there is one */
    struct scratch_filter {
        struct filter program;
        struct filter_room room;
    } * filter; /* NULL until one is read */
};

enum status scratch_begin(struct scratch *scratch, const struct allocator *allocator);
void scratch_free(struct scratch *scratch);

/* Room for so many; STATUS_MEMORY. */
enum status scratch_hits(struct scratch *scratch, size_t count);
enum status scratch_tags(struct scratch *scratch, size_t count);
/* NULL without memory. */
int64_t *scratch_sums(struct scratch *scratch);
enum status scratch_filter(struct scratch *scratch);
/* Room for a walk through an index; STATUS_MEMORY. */
enum status scratch_room(struct scratch *scratch, size_t size);
/* Give back what an unusually large search has left. */
void scratch_shrink(struct scratch *scratch);

#endif
