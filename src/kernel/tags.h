/* Which elements carry a tag: for each tag of a collection how many, and their slots.
 *
 * Derived state: it follows from the records, enters no hash, and lets a search that
 * filters by tags know before it starts how many elements match, and visit only those.
 * Tags of a collection are the nodes of a tree that is descended by the bits of a mixed
 * tag; each has a list of slots in rows of TAG_ROW, all full but the first. All
 * collections share the two pools. */
#ifndef KERNEL_TAGS_H
#define KERNEL_TAGS_H

#include "kernel/pool.h"

#define TAG_ROW 15

struct tags {
    struct pool nodes; /* one a tag */
    struct pool lists; /* rows of slots */
};

void tags_begin(struct tags *tags);

/* Elements with this tag in the collection whose tree is at `root`. */
uint32_t tags_count(const struct tags *tags, uint32_t root, uint64_t tag);

/* Note that `slot`, which is not in it yet, carries `tag`. Gives its place, which the
 * caller keeps with the element. */
uint32_t tags_add(struct memory *memory, struct tags *tags, uint32_t *root, uint64_t tag,
                  uint32_t slot);
/* Take out what stands at `place` of `tag`. The last of the list moves there: gives its
 * slot, whose place is now `place`, or UINT32_MAX when nothing had to move. */
uint32_t tags_remove(struct memory *memory, struct tags *tags, uint32_t *root,
                     uint64_t tag, uint32_t place);

/* A walk over the slots of one tag, in no order that anyone may rely on. The collection
 * must not change meanwhile. */
struct tag_walk {
    uint32_t list; /* row + 1; 0: the end */
    uint32_t here; /* slots in it */
};
void tags_walk(const struct tags *tags, uint32_t root, uint64_t tag,
               struct tag_walk *walk);
/* The next slots, at most TAG_ROW; 0 at the end. */
uint32_t tags_next(const struct tags *tags, struct tag_walk *walk,
                   const uint32_t **slots);

#endif
