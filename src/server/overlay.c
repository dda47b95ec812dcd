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

/* The key's type after what was noted so far, 0 for no such key, and of a collection its
 * config. */
static uint32_t type_of(const struct overlay *overlay, const struct state *state,
                        uint32_t db, struct slice key, const struct config **config) {
    if (overlay && overlay->used) {
        const struct overlay_key *place = place_of(overlay, db, key);
        *config = &place->config;
        if (place->key.data) return place->type;
    }
    if (overlay && (overlay->flushed >> db & 1)) return 0;
    const struct object *object = state_find(state, db, key);
    if (!object) return 0;
    const struct collection *collection = object_collection(state, object);
    if (collection) *config = collection_config(collection);
    return object_type(object);
}

const struct config *overlay_find(const struct overlay *overlay,
                                  const struct state *state, uint32_t db,
                                  struct slice key) {
    const struct config *config;
    bool found = type_of(overlay, state, db, key, &config) == OBJECT_COLLECTION;
    return found ? config : NULL;
}

static enum status note_key(struct overlay *overlay, uint32_t db, struct slice key,
                            uint32_t type, const struct config *config) {
    if ((overlay->used + 1) * 2 > overlay->capacity) {
        enum status status = grow(overlay);
        if (status) return status;
    }
    struct overlay_key *place = place_of(overlay, db, key);
    if (!place->key.data) {
        overlay->used++;
        /* An empty key has no bytes, but its place must not look free. */
        place->key = key.size ? key : slice_of("", 0);
    }
    place->db = db;
    place->type = type;
    if (config) place->config = *config;
    return STATUS_OK;
}

/* Everything noted about the database is gone, and the state below it too. */
static void note_flush(struct overlay *overlay, uint32_t db) {
    overlay->flushed |= db == FLUSH_ALL ? UINT32_MAX : UINT32_C(1) << db;
    for (size_t i = 0; i < overlay->capacity; i++)
        if (db == FLUSH_ALL || overlay->keys[i].db == db) overlay->keys[i].type = 0;
}

static enum status note_rename(struct overlay *overlay, const struct state *state,
                               const struct change *change, uint32_t type,
                               const struct config *config) {
    const struct config *unused;
    bool taken = type_of(overlay, state, change->db, change->target, &unused) != 0;
    if (type == 0 || ((change->flags & CHANGE_NX) && taken)) return STATUS_OK;
    struct config moved = {0}; /* a copy: `config` may lie in the table that grows */
    if (type == OBJECT_COLLECTION) moved = *config;
    enum status status = note_key(overlay, change->db, change->key, 0, NULL);
    if (status) return status;
    return note_key(overlay, change->db, change->target, type, &moved);
}

enum status overlay_note(struct overlay *overlay, const struct state *state,
                         const struct change *change) {
    const struct config *config = NULL;
    uint32_t type = 0;
    if (change->type != CHANGE_FLUSH && !change_is_group(change->type))
        type = type_of(overlay, state, change->db, change->key, &config);
    switch (change->type) {
    case CHANGE_CREATE:
    case CHANGE_VADD:
        if (type) return STATUS_OK;
        return note_key(overlay, change->db, change->key, OBJECT_COLLECTION,
                        &change->config);
    case CHANGE_GCREATE:
    case CHANGE_NODE:
        if (type) return STATUS_OK;
        return note_key(overlay, change->db, change->key, OBJECT_GRAPH, NULL);
    case CHANGE_DEL:
        return note_key(overlay, change->db, change->key, 0, NULL);
    case CHANGE_SET:
        if ((change->flags & CHANGE_NX) && type) return STATUS_OK;
        if ((change->flags & CHANGE_XX) && !type) return STATUS_OK;
        return note_key(overlay, change->db, change->key, OBJECT_STRING, NULL);
    case CHANGE_REPLACE:
    case CHANGE_INCR:
        if (type || (change->flags & CHANGE_XX)) return STATUS_OK;
        return note_key(overlay, change->db, change->key, OBJECT_STRING, NULL);
    case CHANGE_RENAME:
        return note_rename(overlay, state, change, type, config);
    case CHANGE_FLUSH:
        note_flush(overlay, change->db);
        return STATUS_OK;
    default:
        return STATUS_OK;
    }
}
