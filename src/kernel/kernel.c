/* Admit and apply: what the state answers to a change, and what a change does to it. */
#include "kernel/kernel.h"

#include "base/bytes.h"
#include "base/check.h"
#include "kernel/graph_write.h"

#include "kernel/pure.h"

enum {
    CHUNK_AT_RANDOM = 4096, /* Pools written at random: a small copy after a freeze. */
    /* What a change may take beside its payload: copies of trie chunks, tables, new
       chunks. */
    CHANGE_OVERHEAD = 256 * 1024,
    /* Ways down a field's tree and back up, to take out and put in, with what turns on
       them: chunks of 1 KiB. */
    SCHEMA_OVERHEAD = 320 * 1024,
    COPIED_BY_INSERTION = 128 * 1024,
    FETCH_WORTH = 4096, /* fewer keys are in the cache as they are */
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
    pool_begin(&state->nodes, sizeof(struct trie_node), CHUNK_AT_RANDOM,
               TRIE_NODE_LAYOUT);
    pool_begin(&state->objects, sizeof(struct object), CHUNK_AT_RANDOM, OBJECT_LAYOUT);
    pool_begin(&state->collections, sizeof(struct collection), CHUNK_AT_RANDOM, "2w");
    pool_begin(&state->graphs, sizeof(struct graph), CHUNK_AT_RANDOM, "2w");
    pool_begin(&state->system_rows, sizeof(struct system_row), CHUNK_AT_RANDOM,
               SYSTEM_LAYOUT);
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
    struct place place = {.row = UINT32_MAX,
                          .slot = UINT32_MAX,
                          .destination = UINT32_MAX,
                          .edge = UINT32_MAX};
    if (change->type == CHANGE_FLUSH) return place;
    if (change->type == CHANGE_SYSTEM) {
        place.row = find_system(state, change->object_hash);
        return place;
    }
    place.row = find_row(state, change->object_hash);
    if (place.row != UINT32_MAX && change_of_graph(change->type))
        graph_locate(state, change, &place);
    bool has_element = change->type >= CHANGE_VADD && change->type <= CHANGE_SETTAG;
    if (place.row == UINT32_MAX || !has_element) return place;
    const struct collection *collection =
        object_collection(state, object_at(state, place.row));
    if (collection)
        place.slot = trie_find(&state->nodes, &collection->metas, collection->records,
                               change->element_hash);
    return place;
}

const struct object *state_find(const struct state *state, uint32_t db,
                                struct slice key) {
    uint8_t hash[SHA256_SIZE];
    hash_object_name(db, key, hash);
    uint32_t row = find_row(state, hash);
    return row == UINT32_MAX ? NULL : object_at(state, row);
}

const struct collection *object_collection(const struct state *state,
                                           const struct object *object) {
    if (object->type != OBJECT_COLLECTION) return NULL;
    return pool_row(&state->collections, object->part);
}

const struct collection *state_collection(const struct state *state, uint32_t db,
                                          struct slice key) {
    const struct object *object = state_find(state, db, key);
    return object ? object_collection(state, object) : NULL;
}

_Static_assert(KERNEL_FETCH_MAX == TRIE_FETCH_MAX && STATE_FETCH_MAX == TRIE_FETCH_MAX,
               "one number, told three times");

void state_fetch(const struct state *state, uint32_t db, const struct slice *keys,
                 size_t count) {
    uint8_t hashes[STATE_FETCH_MAX][SHA256_SIZE];
    const uint8_t *wanted[STATE_FETCH_MAX];
    size_t others = 0;
    if (state->objects.limit < FETCH_WORTH) return;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && slice_equal(keys[i], keys[i - 1])) continue;
        hash_object_name(db, keys[i], hashes[others]);
        wanted[others] = hashes[others];
        others++;
    }
    trie_fetch(&state->nodes, &state->objects, state->keyspace, wanted, others);
}

void kernel_fetch(const struct kernel *kernel, const uint8_t object_hash[SHA256_SIZE],
                  const uint8_t *const *element_hashes, size_t count) {
    const struct state *state = &kernel->state;
    uint32_t row = find_row(state, object_hash);
    if (row == UINT32_MAX) return;
    const struct collection *collection = object_collection(state, object_at(state, row));
    if (!collection) return;
    trie_fetch(&state->nodes, &collection->metas, collection->records, element_hashes,
               count);
}

/* --- Refusals: docs/format.md 6.1 ------------------------------------------------------
 */

static enum status refused(const struct state *state, const struct change *change,
                           struct place place, const struct group *group) {
    if (change->type == CHANGE_SYSTEM) {
        bool removes = !(change->flags & CHANGE_ATTRIBUTES);
        return removes && place.row == UINT32_MAX ? STATUS_NO_KEY : STATUS_OK;
    }
    const struct object *object =
        place.row == UINT32_MAX ? NULL : object_at(state, place.row);
    bool exists = place.slot != UINT32_MAX;
    switch (change->type) {
    case CHANGE_FLUSH:
        return STATUS_OK;
    case CHANGE_DEL:
        return object ? STATUS_OK : STATUS_NO_KEY;
    case CHANGE_CREATE:
    case CHANGE_VADD:
    case CHANGE_VREM:
    case CHANGE_SETATTR:
    case CHANGE_SETTAG:
        return collection_refused(state, object, change, exists, group);
    case CHANGE_RENAME:
    case CHANGE_SET:
    case CHANGE_REPLACE:
    case CHANGE_INCR:
        return string_refused(state, object, change);
    case CHANGE_EXPIRE:
        return expire_refused(object, change);
    case CHANGE_GCREATE:
    case CHANGE_NODE:
    case CHANGE_NODEDEL:
    case CHANGE_EDGE:
    case CHANGE_EDGEDEL:
        return graph_refused(state, object, change, &place);
    default:
        check(false);
        return STATUS_INVALID;
    }
}

static uint64_t change_cost(const struct change *change) {
    return CHANGE_OVERHEAD +
           4 * (uint64_t)(change->key.size + change->target.size + change->element.size +
                          change->vector.size + change->link_key.size +
                          change->link_element.size + change->attributes.size +
                          change->fp32.size);
}

enum status kernel_admit(struct kernel *kernel, struct change *change) {
    struct place place = locate(&kernel->state, change);
    enum status status = refused(&kernel->state, change, place, NULL);
    uint64_t schema = (uint64_t)SCHEMA_OVERHEAD * kernel->schema_fields;
    if (!status) status = memory_reserve(&kernel->memory, change_cost(change) + schema);
    if (status) return status;
    kernel->admitted = (struct admitted){change, kernel->state.applied, place};
    bool makes_key = change->type == CHANGE_VADD || change->type == CHANGE_NODE;
    if (makes_key && place.row != UINT32_MAX) change->flags &= (uint8_t)~CHANGE_CONFIG;
    return STATUS_OK;
}

enum status kernel_reserve(struct kernel *kernel, uint64_t bytes, uint64_t count) {
    /* A row, its meta, facts and node, each with its share of a chunk, fit twice their
     * size; so do a point's code and links. */
    uint64_t wanted = CHANGE_OVERHEAD + 2 * bytes +
                      (512 + kernel->links_size + 64 * kernel->schema_fields) * count;
    if (kernel->memory.newest_view > 0) {
        /* An insertion into a graph writes to many chunks; each is copied once. */
        uint64_t copied =
            (COPIED_BY_INSERTION + SCHEMA_OVERHEAD * (uint64_t)kernel->schema_fields) *
            count;
        wanted += copied < kernel->memory.used ? copied : kernel->memory.used;
    }
    return memory_reserve(&kernel->memory, wanted);
}

void kernel_group_check(struct kernel *kernel, struct group *group,
                        const struct change *change) {
    if (group->status) return;
    if (group->all && change_of_graph(change->type)) {
        group->status = graph_group_refused(kernel, group, change);
        return;
    }
    if (group->all) {
        group->status =
            refused(&kernel->state, change, locate(&kernel->state, change), NULL);
        return;
    }
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
    kernel->made[load_le32(key) % KEY_SLOTS] = kernel->state.applied;
}

uint64_t kernel_key_version(const struct kernel *kernel, const uint8_t key[SHA256_SIZE]) {
    uint32_t row = find_row(&kernel->state, key);
    if (row == UINT32_MAX) return 2 * kernel->made[load_le32(key) % KEY_SLOTS];
    return 2 * object_at(&kernel->state, row)->changed + 1;
}

void touch_object(struct kernel *kernel, uint32_t row) {
    struct object *object = own_object(kernel, row);
    object->changed = kernel->state.applied;
    if (object->dirty) return;
    /* At once: the walk that found it has brought the way into the cache. */
    trie_touch(&kernel->memory, &kernel->state.nodes, &kernel->state.objects,
               kernel->state.keyspace, row);
    object->dirty = true;
    object->list_next = kernel->dirty_objects;
    object->list_previous = 0;
    if (kernel->dirty_objects)
        own_object(kernel, kernel->dirty_objects - 1)->list_previous = row + 1;
    kernel->dirty_objects = row + 1;
}

static void untouch_object(struct kernel *kernel, uint32_t row) {
    struct object *object = own_object(kernel, row);
    if (!object->dirty) return;
    object->dirty = false;
    uint32_t next = object->list_next, previous = object->list_previous;
    if (previous) own_object(kernel, previous - 1)->list_next = next;
    else kernel->dirty_objects = next;
    if (next) own_object(kernel, next - 1)->list_previous = previous;
    object = own_object(kernel, row);
    object->list_next = object->list_previous = 0;
}

uint32_t add_object(struct kernel *kernel, const struct change *change,
                    enum object_type type) {
    struct state *state = &kernel->state;
    uint32_t row = pool_take(&kernel->memory, &state->objects);
    struct object *object = own_object(kernel, row);
    memcpy(object->leaf.key, change->object_hash, SHA256_SIZE);
    object->name = heap_put(&kernel->memory, &state->heap, change->key);
    object->name_size = (uint32_t)change->key.size;
    object->db = (uint8_t)change->db;
    object->type = (uint8_t)type;
    trie_insert(&kernel->memory, &state->nodes, &state->objects, &state->keyspace, row);
    state->keys[change->db]++;
    note_made(kernel, change->object_hash);
    touch_object(kernel, row);
    return row;
}

void delete_object(struct kernel *kernel, uint32_t row) {
    struct state *state = &kernel->state;
    untouch_object(kernel, row);
    trie_remove(&kernel->memory, &state->nodes, &state->objects, &state->keyspace, row);
    const struct object *object = object_at(state, row);
    const struct collection *collection = object_collection(state, object);
    state->keys[object->db]--;
    state->expires[object->db] -= object->deadline != 0;
    if (collection) state->records -= collection->live;
    forget_graph(state, object);
    bury_object(kernel, row);
}

static void apply_flush(struct kernel *kernel, uint32_t db) {
    struct state *state = &kernel->state;
    if (db == FLUSH_ALL) {
        bury_keyspace(kernel, state->keyspace);
        state->keyspace = 0;
        state->records = 0;
        state->graph_nodes = state->graph_edges = 0;
        memset(state->keys, 0, sizeof state->keys);
        memset(state->expires, 0, sizeof state->expires);
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
    if (admitted->change == change && admitted->applied == kernel->state.applied) {
        place = admitted->place; /* Asked, answered, and nothing has changed since. */
    } else {
        place = locate(&kernel->state, change);
        outcome->status = refused(&kernel->state, change, place, NULL);
        if (outcome->status) return;
    }
    kernel->state.applied++;
    kernel->dirty++;
    switch (change->type) {
    case CHANGE_CREATE:
        create_collection(kernel, change);
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
    case CHANGE_EXPIRE:
        apply_expire(kernel, change, place.row);
        break;
    case CHANGE_GCREATE:
        apply_gcreate(kernel, change);
        outcome->created_key = true;
        break;
    case CHANGE_NODE:
        apply_node(kernel, sequence, change, &place, outcome);
        break;
    case CHANGE_NODEDEL:
        apply_nodedel(kernel, &place, outcome);
        break;
    case CHANGE_EDGE:
        apply_edge(kernel, sequence, change, &place, outcome);
        break;
    case CHANGE_EDGEDEL:
        apply_edgedel(kernel, &place);
        break;
    case CHANGE_SYSTEM:
        apply_system(kernel, sequence, change, place.row);
        break;
    default:
        check(false);
    }
}

void kernel_apply_more(struct kernel *kernel, struct outcome *outcome) {
    check(outcome->more);
    apply_nodedel_more(kernel, outcome);
}

/* --- Sealing ---------------------------------------------------------------------------
 */

static void seal_object(struct kernel *kernel, uint32_t row) {
    struct state *state = &kernel->state;
    struct object *object = own_object(kernel, row);
    struct object_sum sum;
    if (object->type == OBJECT_STRING) string_sum(state, object, false, &sum);
    else if (object->type == OBJECT_GRAPH) seal_graph(kernel, row, &sum);
    else seal_collection(kernel, row, &sum);
    deadline_sum(object, &sum);
    uint8_t value[SHA256_SIZE];
    object_value_hash(&sum, value);
    trie_leaf_hash(object->leaf.key, value, object->leaf.hash);
    object->dirty = false;
}

void kernel_seal(struct kernel *kernel, struct roots *roots) {
    struct state *state = &kernel->state;
    while (kernel->dirty_objects) {
        uint32_t row = kernel->dirty_objects - 1;
        seal_object(kernel, row);
        /* The links go too: equal states have equal images. */
        struct object *object = own_object(kernel, row);
        kernel->dirty_objects = object->list_next;
        object->list_next = object->list_previous = 0;
    }
    trie_seal(&kernel->memory, &state->nodes, &state->objects, state->keyspace);
    trie_seal(&kernel->memory, &state->nodes, &state->system_rows, state->system);
    *roots = (struct roots){0};
    trie_sum(&state->nodes, &state->objects, state->keyspace, &roots->keyspace);
    trie_sum(&state->nodes, &state->system_rows, state->system, &roots->system);
    roots_finish(roots);
    kernel->dirty = 0;
}

void kernel_set_live(struct kernel *kernel, bool live) { kernel->live = live; }

uint64_t kernel_changes(const struct kernel *kernel) { return kernel->state.applied; }

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
uint64_t kernel_memory_used(const struct kernel *kernel) { return kernel->memory.used; }
uint64_t kernel_memory_taken(const struct kernel *kernel) { return kernel->memory.taken; }
