/* Keys as the writes of a transaction, queued but not applied, would leave them: enough
 * to know the metric that a vector queued later must be converted for.
 *
 * It is a forecast. A queued VREM may or may not take a key with it; the kernel decides
 * when the batch is applied, and refuses a vector whose form turns out not to fit. */
#ifndef SERVER_OVERLAY_H
#define SERVER_OVERLAY_H

#include "base/allocator.h"
#include "kernel/kernel.h"

struct overlay_key {
    uint32_t db;
    struct slice key;     /* borrowed from the queue; data NULL: the place is free */
    uint32_t type;        /* enum object_type; 0: the key does not exist */
    struct config config; /* of a collection */
};

struct overlay {
    const struct allocator *allocator;
    struct overlay_key *keys; /* open addressing, a power of two of places */
    size_t capacity, used;
    uint32_t flushed; /* bit d: database d was flushed, the state below does not count */
    uint8_t seed[16];
};

void overlay_begin(struct overlay *overlay, const struct allocator *allocator,
                   const uint8_t seed[16]);
void overlay_free(struct overlay *overlay);

/* The config that the collection `key` has after what was noted so far, or NULL when
 * there is no such key, or it holds a string. `overlay` may be NULL: then the state alone
 * is asked. */
const struct config *overlay_find(const struct overlay *overlay,
                                  const struct state *state, uint32_t db,
                                  struct slice key);

/* Note what a change does to keys. STATUS_MEMORY only. */
enum status overlay_note(struct overlay *overlay, const struct state *state,
                         const struct change *change);

#endif
