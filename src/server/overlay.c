/* A forecast of keys for transactions: a hash map over (db, key), laid over the state. */
#include "server/overlay.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/siphash.h"

#define CAPACITY_MIN 64

void overlay_begin(struct overlay *overlay, const struct allocator *allocator,
                   const uint8_t seed[16]) {
    *overlay = (struct overlay){.allocator = allocator};
    memcpy(overlay->seed, seed, sizeof overlay->seed);
}

void overlay_free(struct overlay *overlay) {
    release(overlay->allocator, overlay->keys, overlay->capacity * sizeof *overlay->keys);
    overlay->keys = NULL;
    overlay->capacity = overlay->used = 0;
}

/* The place of (db, key): taken by it, or the free one where it belongs. */
static struct overlay_key *place_of(const struct overlay *overlay, uint32_t db,
                                    struct slice key) {
    struct siphash hash;
    uint8_t db_bytes[4];
    store_le32(db_bytes, db);
    siphash_begin(&hash, overlay->seed);
    siphash_add(&hash, db_bytes, sizeof db_bytes);
    siphash_add(&hash, key.data, key.size);
    size_t mask = overlay->capacity - 1;
    for (size_t i = (size_t)siphash_end(&hash) & mask;; i = (i + 1) & mask) {
        struct overlay_key *place = &overlay->keys[i];
        if (!place->key.data || (place->db == db && slice_equal(place->key, key)))
            return place;
    }
}

static enum status grow(struct overlay *overlay) {
    struct overlay old = *overlay;
    size_t capacity = old.capacity ? old.capacity * 2 : CAPACITY_MIN;
    struct overlay_key *keys = allocate(old.allocator, capacity * sizeof *keys);
    if (!keys) return STATUS_MEMORY;
    memset(keys, 0, capacity * sizeof *keys);
    overlay->keys = keys;
    overlay->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.keys[i].key.data)
            *place_of(overlay, old.keys[i].db, old.keys[i].key) = old.keys[i];
    release(old.allocator, old.keys, old.capacity * sizeof *keys);
    return STATUS_OK;
}

const struct config *overlay_find(const struct overlay *overlay,
                                  const struct state *state, uint32_t db,
                                  struct slice key) {
    if (overlay && overlay->used) {
        const struct overlay_key *place = place_of(overlay, db, key);
        if (place->key.data) return place->exists ? &place->config : NULL;
    }
    if (overlay && (overlay->flushed >> db & 1)) return NULL;
    const struct object *object = state_find(state, db, key);
    return object ? object_config(object) : NULL;
}

static enum status note_key(struct overlay *overlay, const struct change *change,
                            bool exists) {
    if ((overlay->used + 1) * 2 > overlay->capacity) {
        enum status status = grow(overlay);
        if (status) return status;
    }
    struct overlay_key *place = place_of(overlay, change->db, change->key);
    if (!place->key.data) {
        overlay->used++;
        /* An empty key has no bytes, but its place must not look free. */
        place->key = change->key.size ? change->key : slice_of("", 0);
    }
    place->db = change->db;
    place->exists = exists;
    place->config = change->config;
    return STATUS_OK;
}

/* Everything noted about the database is gone, and the state below it too. */
static void note_flush(struct overlay *overlay, uint32_t db) {
    overlay->flushed |= db == FLUSH_ALL ? UINT32_MAX : UINT32_C(1) << db;
    for (size_t i = 0; i < overlay->capacity; i++)
        if (db == FLUSH_ALL || overlay->keys[i].db == db) overlay->keys[i].exists = false;
}

enum status overlay_note(struct overlay *overlay, const struct state *state,
                         const struct change *change) {
    switch (change->type) {
    case CHANGE_CREATE:
    case CHANGE_VADD:
        if (overlay_find(overlay, state, change->db, change->key)) return STATUS_OK;
        return note_key(overlay, change, true);
    case CHANGE_DEL:
        return note_key(overlay, change, false);
    case CHANGE_FLUSH:
        note_flush(overlay, change->db);
        return STATUS_OK;
    default:
        return STATUS_OK;
    }
}
