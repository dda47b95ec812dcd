/* Admit and apply: what the state answers to a change, and what a change does to it. */
#include "kernel/kernel.h"

#include "base/bytes.h"
#include "base/check.h"
#include "kernel/distance.h"
#include "kernel/search.h"
#include "kernel/state.h"

#include "kernel/pure.h"

enum {
    CHUNK_AT_RANDOM = 4096, /* Pools written at random: a small copy after a freeze. */
    CHUNK_OF_FACTS = 1024,  /* Ten records should not cost a page. */
    CHUNK_OF_VECTORS = 65536,
    /* What a change may take beside its payload: copies of trie chunks, tables, new
       chunks. */
    CHANGE_OVERHEAD = 256 * 1024,
    COPIED_BY_INSERTION = 128 * 1024,
};

/* --- Life ------------------------------------------------------------------------------
 */

enum status kernel_create(const struct memory_source *source, struct kernel **out) {
    struct memory memory;
    memory_begin(&memory, source);
    enum status status = memory_reserve(&memory, 0);
    if (status) {
        memory_end(&memory);
        return status;
    }
    struct kernel *kernel = memory_take(&memory, memory_class(sizeof *kernel)).address;
    kernel->memory = memory;
    struct state *state = &kernel->state;
    pool_begin(&state->nodes, sizeof(struct trie_node), CHUNK_AT_RANDOM);
    pool_begin(&state->objects, sizeof(struct object), CHUNK_AT_RANDOM);
    heap_begin(&state->heap);
    tags_begin(&state->tags);
    *out = kernel;
    return STATUS_OK;
}

void kernel_destroy(struct kernel *kernel) {
    if (!kernel) return;
    struct memory memory = kernel->memory; /* The kernel lies in what is given back. */
    memory_end(&memory);
}

const struct state *kernel_state(const struct kernel *kernel) { return &kernel->state; }

/* --- Finding ---------------------------------------------------------------------------
 */

uint32_t find_row(const struct state *state, const uint8_t key[SHA256_SIZE]) {
    return trie_find(&state->nodes, &state->objects, state->keyspace, key);
}

/* Where the key and the element of a change are. */
static struct place locate(const struct state *state, const struct change *change) {
    struct place place = {UINT32_MAX, UINT32_MAX};
    if (change->type == CHANGE_FLUSH) return place;
    place.row = find_row(state, change->object_hash);
    bool has_element = change->type >= CHANGE_VADD && change->type <= CHANGE_SETTAG;
    if (place.row == UINT32_MAX || !has_element) return place;
    const struct object *object = object_at(state, place.row);
    place.slot =
        trie_find(&state->nodes, &object->metas, object->records, change->element_hash);
    return place;
}

const struct object *state_find(const struct state *state, uint32_t db,
                                struct slice key) {
    uint8_t hash[SHA256_SIZE];
    hash_object_name(db, key, hash);
    uint32_t row = find_row(state, hash);
    return row == UINT32_MAX ? NULL : object_at(state, row);
}

_Static_assert(KERNEL_FETCH_MAX == TRIE_FETCH_MAX, "one number, told twice");

void kernel_fetch(const struct kernel *kernel, const uint8_t object_hash[SHA256_SIZE],
                  const uint8_t *const *element_hashes, size_t count) {
    const struct state *state = &kernel->state;
    uint32_t row = find_row(state, object_hash);
    if (row == UINT32_MAX) return;
    const struct object *object = object_at(state, row);
    trie_fetch(&state->nodes, &object->metas, object->records, element_hashes, count);
}

/* --- Refusals: docs/format.md 6.1 ------------------------------------------------------
 */

static enum status vector_refused(const struct config *config, struct slice bytes) {
    struct vector_facts facts;
    if (vector_decode(bytes, &facts)) return STATUS_INVALID;
    bool scaled = config->metric == METRIC_COSINE;
    return facts.dim == config->dim && facts.scaled == scaled ? STATUS_OK
                                                              : STATUS_DIMENSION;
}

/* `group` is NULL for a change on its own. */
static enum status vadd_refused(const struct object *object, const struct change *change,
                                bool exists, const struct group *group) {
    bool carried = (change->flags & CHANGE_CONFIG) != 0;
    bool lent = group && group->has_config;
    if (!object && !carried && !lent) return STATUS_NO_KEY;
    if (object && object->type != OBJECT_COLLECTION) return STATUS_WRONG_TYPE;
    const struct config *config = object ? &object->config
                                  : lent ? &group->config
                                         : &change->config;
    if (carried && config->origin == ORIGIN_VADD &&
        change->config.origin == ORIGIN_VADD) {
        if (config->quantisation != change->config.quantisation)
            return STATUS_QUANTISATION;
        if (config->m != change->config.m) return STATUS_M;
    }
    enum status status = vector_refused(config, change->vector);
    if (status) return status;
    if ((change->flags & CHANGE_NX) && exists) return STATUS_CONDITION;
    if ((change->flags & CHANGE_XX) && !exists) return STATUS_CONDITION;
    uint64_t live = object ? object->live : 0;
    uint64_t newcomers = group ? group->count : exists ? 0 : 1;
    if (config->capacity && newcomers > 0 &&
        (live > config->capacity || newcomers > config->capacity - live))
        return STATUS_CAPACITY;
    return STATUS_OK;
}

static enum status refused(const struct state *state, const struct change *change,
                           struct place place, const struct group *group) {
    const struct object *object =
        place.row == UINT32_MAX ? NULL : object_at(state, place.row);
    bool exists = place.slot != UINT32_MAX;
    switch (change->type) {
    case CHANGE_FLUSH:
        return STATUS_OK;
    case CHANGE_CREATE:
        return object ? STATUS_EXISTS : STATUS_OK;
    case CHANGE_DEL:
        return object ? STATUS_OK : STATUS_NO_KEY;
    case CHANGE_VADD:
        return vadd_refused(object, change, exists, group);
    case CHANGE_VREM:
    case CHANGE_SETATTR:
    case CHANGE_SETTAG:
        if (!object) return STATUS_NO_KEY;
        if (object->type != OBJECT_COLLECTION) return STATUS_WRONG_TYPE;
        return exists ? STATUS_OK : STATUS_NO_ELEMENT;
    case CHANGE_RENAME:
    case CHANGE_SET:
    case CHANGE_REPLACE:
    case CHANGE_INCR:
        return string_refused(state, object, change);
    default:
        check(false);
        return STATUS_INVALID;
    }
}

static uint64_t change_cost(const struct change *change) {
    return CHANGE_OVERHEAD + 4 * (uint64_t)(change->key.size + change->target.size +
                                            change->element.size + change->vector.size +
                                            change->attributes.size + change->fp32.size);
}

enum status kernel_admit(struct kernel *kernel, struct change *change) {
    struct place place = locate(&kernel->state, change);
    enum status status = refused(&kernel->state, change, place, NULL);
    if (!status) status = memory_reserve(&kernel->memory, change_cost(change));
    if (status) return status;
    kernel->admitted = (struct admitted){change, kernel->applied, place};
    if (change->type == CHANGE_VADD && place.row != UINT32_MAX)
        change->flags &= (uint8_t)~CHANGE_CONFIG;
    return STATUS_OK;
}

enum status kernel_reserve(struct kernel *kernel, uint64_t bytes, uint64_t count) {
    /* A row, its meta, facts and node, each with its share of a chunk, fit twice their
     * size; so do a point's code and links. */
    uint64_t wanted = CHANGE_OVERHEAD + 2 * bytes + (512 + kernel->links_size) * count;
    if (kernel->memory.newest_view > 0) {
        /* An insertion into a graph writes to many chunks; each is copied once. */
        uint64_t copied = COPIED_BY_INSERTION * count;
        wanted += copied < kernel->memory.used ? copied : kernel->memory.used;
    }
    return memory_reserve(&kernel->memory, wanted);
}

void kernel_group_check(const struct kernel *kernel, struct group *group,
                        const struct change *change) {
    if (group->status) return;
    group->status =
        refused(&kernel->state, change, locate(&kernel->state, change), group);
    if (group->has_config || !(change->flags & CHANGE_CONFIG)) return;
    group->config = change->config;
    group->has_config = true;
}

/* --- Applying --------------------------------------------------------------------------
 */

struct object *own_object(struct kernel *kernel, uint32_t row) {
    return pool_own(&kernel->memory, &kernel->state.objects, row);
}

void note_made(struct kernel *kernel, const uint8_t key[SHA256_SIZE]) {
    kernel->made[load_le32(key) % KEY_SLOTS] = kernel->applied;
}

uint64_t kernel_key_version(const struct kernel *kernel, const uint8_t key[SHA256_SIZE]) {
    uint32_t row = find_row(&kernel->state, key);
    if (row == UINT32_MAX) return 2 * kernel->made[load_le32(key) % KEY_SLOTS];
    return 2 * object_at(&kernel->state, row)->changed + 1;
}

void touch_object(struct kernel *kernel, uint32_t row) {
    struct object *object = own_object(kernel, row);
    object->changed = kernel->applied;
    if (object->dirty) return;
    object->dirty = 1;
    object->list_next = kernel->dirty_objects;
    object->list_previous = 0;
    if (kernel->dirty_objects)
        own_object(kernel, kernel->dirty_objects - 1)->list_previous = row + 1;
    kernel->dirty_objects = row + 1;
}

static void untouch_object(struct kernel *kernel, uint32_t row) {
    struct object *object = own_object(kernel, row);
    if (!object->dirty) return;
    object->dirty = 0;
    uint32_t next = object->list_next, previous = object->list_previous;
    if (previous) own_object(kernel, previous - 1)->list_next = next;
    else kernel->dirty_objects = next;
    if (next) own_object(kernel, next - 1)->list_previous = previous;
}

static void begin_index(struct kernel *kernel, struct object *object) {
    hnsw_begin(&object->hnsw, &object->config);
    uint32_t size = object->hnsw.links.row_size;
    if (size > kernel->links_size) kernel->links_size = size;
}

uint32_t add_object(struct kernel *kernel, const struct change *change,
                    enum object_type type) {
    struct state *state = &kernel->state;
    uint32_t row = pool_take(&kernel->memory, &state->objects);
    struct object *object = own_object(kernel, row);
    memcpy(object->leaf.key, change->object_hash, SHA256_SIZE);
    object->name = heap_put(&kernel->memory, &state->heap, change->key);
    object->name_size = (uint32_t)change->key.size;
    object->db = change->db;
    object->type = type;
    trie_insert(&kernel->memory, &state->nodes, &state->objects, &state->keyspace, row);
    state->keys[change->db]++;
    note_made(kernel, change->object_hash);
    touch_object(kernel, row);
    return row;
}

static uint32_t create_object(struct kernel *kernel, const struct change *change) {
    uint32_t row = add_object(kernel, change, OBJECT_COLLECTION);
    struct object *object = own_object(kernel, row);
    object->config = change->config;
    object->stride = query_stride(change->config.dim);
    pool_begin(&object->vectors, 4 * object->stride, CHUNK_OF_VECTORS);
    pool_begin(&object->facts, sizeof(struct facts), CHUNK_OF_FACTS);
    pool_begin(&object->metas, sizeof(struct meta), CHUNK_AT_RANDOM);
    if (object_indexed(object)) begin_index(kernel, object);
    return row;
}

void delete_object(struct kernel *kernel, uint32_t row) {
    struct state *state = &kernel->state;
    untouch_object(kernel, row);
    trie_remove(&kernel->memory, &state->nodes, &state->objects, &state->keyspace, row);
    const struct object *object = object_at(state, row);
    state->keys[object->db]--;
    state->records -= object->live;
    bury_object(kernel, row);
}

/* What an entry means for the index of its collection: the record in `slot` has new
 * values, or it goes (INDEX_KEEP: neither). And repair goes on. */
enum index_step { INDEX_KEEP, INDEX_PUT, INDEX_DROP };
static void tend_index(struct kernel *kernel, struct object *object, uint64_t sequence,
                       uint32_t slot, enum index_step step) {
    if (!object_indexed(object)) return;
    struct hnsw_writer writer;
    hnsw_write_begin(&writer, &kernel->memory, &object->hnsw, &kernel->work);
    if (step != INDEX_KEEP) {
        struct meta *meta = pool_own(&kernel->memory, &object->metas, slot);
        if (meta->point) hnsw_remove(&writer, meta->point);
        meta->point = 0;
        if (step == INDEX_PUT)
            meta->point = hnsw_insert(&writer, object->next_slot, slot,
                                      pool_row(&object->vectors, slot));
    }
    hnsw_repair(&writer);
    hnsw_chain(&writer, sequence, object->chain);
}

/* Fill the vector's row and what scans read of it; true if its values are others now. */
static bool store_vector(struct kernel *kernel, struct object *object, uint32_t slot,
                         const struct change *change) {
    struct vector_facts vector;
    check(vector_decode(change->vector, &vector) == STATUS_OK);
    int32_t *values = pool_own(&kernel->memory, &object->vectors, slot);
    bool changed = false;
    for (uint32_t i = 0; i < vector.dim; i++) {
        int32_t value = (int32_t)load_le32(vector.values + 4 * (size_t)i);
        changed |= values[i] != value;
        values[i] = value;
    }
    uint32_t bits = distance()->max_bits(values, object->stride);
    if (bits > object->max_bits) object->max_bits = bits;

    struct facts *facts = pool_own(&kernel->memory, &object->facts, slot);
    uint64_t norm = 0;
    if (object->config.metric == METRIC_COSINE)
        norm = (uint64_t)distance()->dot(values, values, object->stride);
    facts->word = (facts->word & FACT_TAGGED) | FACT_LIVE | norm;
    struct meta *meta = pool_own(&kernel->memory, &object->metas, slot);
    meta->exponent = vector.exponent;
    return changed;
}

/* Replace the attributes; `keep` false removes them. */
static void store_attributes(struct kernel *kernel, struct object *object, uint32_t slot,
                             struct slice bytes, bool keep) {
    struct meta *meta = pool_own(&kernel->memory, &object->metas, slot);
    struct heap *heap = &kernel->state.heap;
    object->heap_bytes -= heap_room(meta->attributes);
    heap_free(&kernel->memory, heap, meta->attributes);
    object->attributes_count -= (meta->flags & CHANGE_ATTRIBUTES) != 0;
    object->attributes_count += keep;
    meta->attributes = heap_put(&kernel->memory, heap, keep ? bytes : slice_of(NULL, 0));
    object->heap_bytes += heap_room(meta->attributes);
    meta->attributes_size = keep ? (uint32_t)bytes.size : 0;
    meta->flags =
        (uint8_t)((meta->flags & ~CHANGE_ATTRIBUTES) | (keep ? CHANGE_ATTRIBUTES : 0));
}

static void store_fp32(struct kernel *kernel, struct object *object, uint32_t slot,
                       struct slice bytes, bool keep) {
    struct meta *meta = pool_own(&kernel->memory, &object->metas, slot);
    struct heap *heap = &kernel->state.heap;
    object->heap_bytes -= heap_room(meta->fp32);
    heap_free(&kernel->memory, heap, meta->fp32);
    meta->fp32 = heap_put(&kernel->memory, heap, keep ? bytes : slice_of(NULL, 0));
    object->heap_bytes += heap_room(meta->fp32);
    meta->flags = (uint8_t)((meta->flags & ~CHANGE_FP32) | (keep ? CHANGE_FP32 : 0));
}

/* The record was written by `sequence`: hash its leaf. `known` are the hashes that the
 * change brings; what it does not bring is hashed from memory. */
static void finish_record(struct kernel *kernel, struct object *object, uint32_t slot,
                          uint64_t sequence, const struct change *change) {
    struct meta *meta = pool_own(&kernel->memory, &object->metas, slot);
    meta->widx = sequence;
    struct record record;
    record_read(&kernel->state, object, slot, &record);
    struct record_hashes hashes = {0};
    bool whole = change->type == CHANGE_VADD && ((change->flags & CHANGE_ATTRIBUTES) ||
                                                 !(record.flags & CHANGE_ATTRIBUTES));
    if (whole) {
        memcpy(hashes.vector, change->vector_hash, SHA256_SIZE);
        memcpy(hashes.attributes, change->attributes_hash, SHA256_SIZE);
        memcpy(hashes.fp32, change->fp32_hash, SHA256_SIZE);
    } else {
        record_hashes(object, &record, &hashes);
    }
    uint8_t value[SHA256_SIZE];
    record_value_hash(&record, &hashes, value);
    trie_leaf_hash(meta->leaf.key, value, meta->leaf.hash);
}

/* The record's leaf, present or gone, has changed. */
static void settle_record(struct kernel *kernel, const struct object *object,
                          const uint8_t key[SHA256_SIZE]) {
    if (!kernel->live) return;
    trie_settle(&kernel->memory, &kernel->state.nodes, &object->metas, object->records,
                key);
}

/* A slot for a new element, in all three pools at the same number. */
static uint32_t take_slot(struct kernel *kernel, struct object *object,
                          const struct change *change) {
    uint32_t slot = pool_take(&kernel->memory, &object->metas);
    check(pool_take(&kernel->memory, &object->facts) == slot);
    check(pool_take(&kernel->memory, &object->vectors) == slot);
    struct meta *meta = pool_own(&kernel->memory, &object->metas, slot);
    memcpy(meta->leaf.key, change->element_hash, SHA256_SIZE);
    meta->name = heap_put(&kernel->memory, &kernel->state.heap, change->element);
    object->heap_bytes += heap_room(meta->name);
    meta->name_size = (uint32_t)change->element.size;
    meta->flags = CHANGE_VECTOR;
    object->live++;
    kernel->state.records++;
    return slot;
}

static void apply_vadd(struct kernel *kernel, uint64_t sequence,
                       const struct change *change, struct place place,
                       struct outcome *outcome) {
    struct state *state = &kernel->state;
    uint32_t row = place.row, slot = place.slot;
    outcome->created_key = row == UINT32_MAX;
    if (outcome->created_key) row = create_object(kernel, change);
    touch_object(kernel, row);
    struct object *object = own_object(kernel, row);
    outcome->added = slot == UINT32_MAX;
    if (outcome->added) slot = take_slot(kernel, object, change);

    bool moved = store_vector(kernel, object, slot, change) || outcome->added;
#ifdef BUG_45
    moved = outcome->added;
#endif
    tend_index(kernel, object, sequence, slot, moved ? INDEX_PUT : INDEX_KEEP);
    if (change->flags & CHANGE_ATTRIBUTES)
        store_attributes(kernel, object, slot, change->attributes,
                         outcome->added || change->attributes.size > 0);
    if (change->flags & CHANGE_TAG)
        record_tag(&kernel->memory, state, object, slot, change->tag);
    store_fp32(kernel, object, slot, change->fp32, (change->flags & CHANGE_FP32) != 0);
    object->next_slot++;
    finish_record(kernel, object, slot, sequence, change);
    if (outcome->added)
        trie_insert(&kernel->memory, &state->nodes, &object->metas, &object->records,
                    slot);
    else
        trie_touch(&kernel->memory, &state->nodes, &object->metas, object->records, slot);
    settle_record(kernel, object, change->element_hash);
}

static void apply_vrem(struct kernel *kernel, uint64_t sequence,
                       const struct change *change, struct place place,
                       struct outcome *outcome) {
    struct state *state = &kernel->state;
    uint32_t row = place.row, slot = place.slot;
    touch_object(kernel, row);
    struct object *object = own_object(kernel, row);
    trie_remove(&kernel->memory, &state->nodes, &object->metas, &object->records, slot);
    settle_record(kernel, object, change->element_hash);
    tend_index(kernel, object, sequence, slot, INDEX_DROP);
    const struct meta *meta = meta_at(object, slot);
    object->attributes_count -= (meta->flags & CHANGE_ATTRIBUTES) != 0;
    object->heap_bytes -=
        heap_room(meta->name) + heap_room(meta->attributes) + heap_room(meta->fp32);
    heap_free(&kernel->memory, &state->heap, meta->name);
    heap_free(&kernel->memory, &state->heap, meta->attributes);
    heap_free(&kernel->memory, &state->heap, meta->fp32);
    record_untag(&kernel->memory, state, object, slot);
    pool_give(&kernel->memory, &object->metas, slot);
    pool_give(&kernel->memory, &object->facts, slot);
    pool_give(&kernel->memory, &object->vectors, slot);
    object->live--;
    state->records--;
    outcome->removed_key = object->live == 0 && object->config.origin == ORIGIN_VADD;
    if (outcome->removed_key) delete_object(kernel, row);
}

static void apply_to_record(struct kernel *kernel, uint64_t sequence,
                            const struct change *change, struct place place) {
    uint32_t slot = place.slot;
    touch_object(kernel, place.row);
    struct object *object = own_object(kernel, place.row);
    if (change->type == CHANGE_SETTAG)
        record_tag(&kernel->memory, &kernel->state, object, slot, change->tag);
    else
        store_attributes(kernel, object, slot, change->attributes,
                         change->attributes.size > 0);
    tend_index(kernel, object, sequence, slot, INDEX_KEEP);
    finish_record(kernel, object, slot, sequence, change);
    trie_touch(&kernel->memory, &kernel->state.nodes, &object->metas, object->records,
               slot);
    settle_record(kernel, object, change->element_hash);
}

static void apply_flush(struct kernel *kernel, uint32_t db) {
    struct state *state = &kernel->state;
    if (db == FLUSH_ALL) {
        bury_keyspace(kernel, state->keyspace);
        state->keyspace = 0;
        state->records = 0;
        memset(state->keys, 0, sizeof state->keys);
        kernel->dirty_objects = 0;
        return;
    }
    for (uint32_t row = 0; row < state->objects.limit && state->keys[db] > 0; row++) {
        const struct object *object = object_at(state, row);
        bool here = object->type != 0 && object->db == db &&
                    find_row(state, object->leaf.key) == row;
        if (here) delete_object(kernel, row);
    }
}

void kernel_apply(struct kernel *kernel, uint64_t sequence, const struct change *change,
                  struct outcome *outcome) {
    *outcome = (struct outcome){.status = STATUS_OK};
    const struct admitted *admitted = &kernel->admitted;
    struct place place;
    if (admitted->change == change && admitted->applied == kernel->applied) {
        place = admitted->place; /* Asked, answered, and nothing has changed since. */
    } else {
        place = locate(&kernel->state, change);
        outcome->status = refused(&kernel->state, change, place, NULL);
        if (outcome->status) return;
    }
    kernel->applied++;
    kernel->dirty++;
    switch (change->type) {
    case CHANGE_CREATE:
        create_object(kernel, change);
        outcome->created_key = true;
        break;
    case CHANGE_VADD:
        apply_vadd(kernel, sequence, change, place, outcome);
        break;
    case CHANGE_VREM:
        apply_vrem(kernel, sequence, change, place, outcome);
        break;
    case CHANGE_SETATTR:
    case CHANGE_SETTAG:
        apply_to_record(kernel, sequence, change, place);
        break;
    case CHANGE_DEL:
        delete_object(kernel, place.row);
        break;
    case CHANGE_FLUSH:
        apply_flush(kernel, change->db);
        break;
    case CHANGE_RENAME:
        apply_rename(kernel, change, place.row);
        break;
    case CHANGE_SET:
    case CHANGE_REPLACE:
        apply_set(kernel, sequence, change, place.row);
        break;
    case CHANGE_INCR:
        apply_incr(kernel, sequence, change, place.row);
        break;
    default:
        check(false);
    }
}

/* --- Sealing ---------------------------------------------------------------------------
 */

static void seal_object(struct kernel *kernel, uint32_t row) {
    struct state *state = &kernel->state;
    struct object *object = own_object(kernel, row);
    struct trie_sum records;
    if (object->type == OBJECT_STRING) {
        string_sum(state, object, false, &records);
    } else {
        trie_seal(&kernel->memory, &state->nodes, &object->metas, object->records);
        trie_sum(&state->nodes, &object->metas, object->records, &records);
        check(records.count == object->live);
    }
    uint8_t value[SHA256_SIZE];
    object_value_hash(object, &records, value);
    trie_leaf_hash(object->leaf.key, value, object->leaf.hash);
    trie_touch(&kernel->memory, &state->nodes, &state->objects, state->keyspace, row);
}

void kernel_seal(struct kernel *kernel, struct roots *roots) {
    struct state *state = &kernel->state;
    while (kernel->dirty_objects) {
        uint32_t row = kernel->dirty_objects - 1;
        seal_object(kernel, row);
        untouch_object(kernel, row);
    }
    trie_seal(&kernel->memory, &state->nodes, &state->objects, state->keyspace);
    *roots = (struct roots){0};
    trie_sum(&state->nodes, &state->objects, state->keyspace, &roots->keyspace);
    roots_finish(roots);
    kernel->dirty = 0;
}

void kernel_set_live(struct kernel *kernel, bool live) { kernel->live = live; }

uint64_t kernel_dirty(const struct kernel *kernel) { return kernel->dirty; }

_Static_assert(VIEWS_MAX == KERNEL_VIEWS_MAX, "one number, told twice");

/* --- Views -----------------------------------------------------------------------------
 */

enum status kernel_freeze(struct kernel *kernel, const struct state **out) {
    uint32_t epoch = memory_freeze(&kernel->memory);
    if (epoch == 0) return STATUS_MEMORY;
    for (int i = 0; i < VIEWS_MAX; i++) {
        struct view *view = &kernel->views[i];
        if (view->epoch != 0) continue;
        view->state = kernel->state;
        view->epoch = epoch;
        *out = &view->state;
        return STATUS_OK;
    }
    check(false);
    return STATUS_MEMORY;
}

void kernel_release(struct kernel *kernel, const struct state *state) {
    for (int i = 0; i < VIEWS_MAX; i++) {
        struct view *view = &kernel->views[i];
        if (&view->state != state) continue;
        check(view->epoch != 0);
        memory_thaw(&kernel->memory, view->epoch);
        view->epoch = 0;
        return;
    }
    check(false);
}

/* --- Facts -----------------------------------------------------------------------------
 */

uint64_t state_key_count(const struct state *state, uint32_t db) {
    return state->keys[db];
}

uint64_t state_key_total(const struct state *state) {
    uint64_t total = 0;
    for (int i = 0; i < DATABASE_COUNT; i++) total += state->keys[i];
    return total;
}

uint64_t state_record_total(const struct state *state) { return state->records; }
enum object_type object_type(const struct object *object) { return object->type; }
const struct config *object_config(const struct object *object) {
    return &object->config;
}
uint64_t object_count(const struct object *object) { return object->live; }
uint64_t object_next_slot(const struct object *object) { return object->next_slot; }
uint64_t object_attributes_count(const struct object *object) {
    return object->attributes_count;
}
uint32_t object_slot_limit(const struct object *object) { return object->metas.limit; }
uint64_t kernel_memory_used(const struct kernel *kernel) { return kernel->memory.used; }
uint64_t kernel_memory_taken(const struct kernel *kernel) { return kernel->memory.taken; }
