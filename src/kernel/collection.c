/* Collections: what the state answers to changes of their elements, and what these do. */
#include "base/bytes.h"
#include "base/check.h"
#include "kernel/distance.h"
#include "kernel/search.h"
#include "kernel/state.h"

#include "kernel/pure.h"

enum {
    CHUNK_AT_RANDOM = 4096,
    CHUNK_OF_FACTS = 1024, /* Ten records should not cost a page. */
    CHUNK_OF_VECTORS = 65536,
};

static struct collection *own_collection(struct kernel *kernel, uint32_t row) {
    struct state *state = &kernel->state;
    return pool_own(&kernel->memory, &state->collections, object_at(state, row)->part);
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
static enum status vadd_refused(const struct collection *collection,
                                const struct change *change, bool exists,
                                const struct group *group) {
    bool carried = (change->flags & CHANGE_CONFIG) != 0;
    bool lent = group && group->has_config;
    if (!collection && !carried && !lent) return STATUS_NO_KEY;
    const struct config *config = collection ? &collection->config
                                  : lent     ? &group->config
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
    uint64_t live = collection ? collection->live : 0;
    uint64_t newcomers = group ? group->count : exists ? 0 : 1;
    if (config->capacity && newcomers > 0 &&
        (live > config->capacity || newcomers > config->capacity - live))
        return STATUS_CAPACITY;
    return STATUS_OK;
}

enum status collection_refused(const struct state *state, const struct object *object,
                               const struct change *change, bool exists,
                               const struct group *group) {
    if (change->type == CHANGE_CREATE) return object ? STATUS_EXISTS : STATUS_OK;
    const struct collection *collection =
        object ? object_collection(state, object) : NULL;
    if (object && !collection) return STATUS_WRONG_TYPE;
    if (change->type == CHANGE_VADD)
        return vadd_refused(collection, change, exists, group);
    if (!object) return STATUS_NO_KEY;
    return exists ? STATUS_OK : STATUS_NO_ELEMENT;
}

/* --- Applying --------------------------------------------------------------------------
 */

static void begin_index(struct kernel *kernel, struct collection *collection) {
    hnsw_begin(&collection->hnsw, &collection->config);
    uint32_t size = collection->hnsw.links.row_size;
    if (size > kernel->links_size) kernel->links_size = size;
}

void collection_begin(struct kernel *kernel, struct collection *collection) {
    collection->stride = query_stride(collection->config.dim);
    pool_begin(&collection->vectors, 4 * collection->stride, CHUNK_OF_VECTORS, "w");
    pool_begin(&collection->facts, sizeof(struct facts), CHUNK_OF_FACTS, "2d");
    pool_begin(&collection->metas, sizeof(struct meta), CHUNK_AT_RANDOM, META_LAYOUT);
    schema_begin(&collection->schema, &collection->config.schema);
    if (collection->config.schema.count > kernel->schema_fields)
        kernel->schema_fields = collection->config.schema.count;
    if (collection_indexed(collection)) begin_index(kernel, collection);
}

uint32_t create_collection(struct kernel *kernel, const struct change *change) {
    uint32_t row = add_object(kernel, change, OBJECT_COLLECTION);
    own_object(kernel, row)->part =
        pool_take(&kernel->memory, &kernel->state.collections);
    struct collection *collection = own_collection(kernel, row);
    collection->config = change->config;
    collection_begin(kernel, collection);
    return row;
}

/* What an entry means for the index of its collection: the record in `slot` has new
 * values, or it goes (INDEX_KEEP: neither). And repair goes on. */
enum index_step { INDEX_KEEP, INDEX_PUT, INDEX_DROP };
static void tend_index(struct kernel *kernel, struct collection *collection,
                       uint64_t sequence, uint32_t slot, enum index_step step) {
    if (!collection_indexed(collection)) return;
    struct hnsw_writer writer;
    hnsw_write_begin(&writer, &kernel->memory, &collection->hnsw, &kernel->work);
    if (step != INDEX_KEEP) {
        struct meta *meta = pool_own(&kernel->memory, &collection->metas, slot);
        if (meta->point) hnsw_remove(&writer, meta->point);
        meta->point = 0;
        if (step == INDEX_PUT)
            meta->point = hnsw_insert(&writer, collection->next_slot, slot,
                                      pool_row(&collection->vectors, slot));
    }
    hnsw_repair(&writer);
    hnsw_chain(&writer, sequence, collection->chain);
}

/* Fill the vector's row and what scans read of it; true if its values are others now. */
static bool store_vector(struct kernel *kernel, struct collection *collection,
                         uint32_t slot, const struct change *change) {
    struct vector_facts vector;
    check(vector_decode(change->vector, &vector) == STATUS_OK);
    int32_t *values = pool_own(&kernel->memory, &collection->vectors, slot);
    bool changed = false;
    for (uint32_t i = 0; i < vector.dim; i++) {
        int32_t value = (int32_t)load_le32(vector.values + 4 * (size_t)i);
        changed |= values[i] != value;
        values[i] = value;
    }
    uint32_t bits = distance()->max_bits(values, collection->stride);
    if (bits > collection->max_bits) collection->max_bits = bits;

    struct facts *facts = pool_own(&kernel->memory, &collection->facts, slot);
    uint64_t norm = 0;
    if (collection->config.metric == METRIC_COSINE)
        norm = (uint64_t)distance()->dot(values, values, collection->stride);
    facts->word = (facts->word & FACT_TAGGED) | FACT_LIVE | norm;
    struct meta *meta = pool_own(&kernel->memory, &collection->metas, slot);
    meta->exponent = vector.exponent;
    return changed;
}

/* Replace the attributes; `keep` false removes them. */
static void store_attributes(struct kernel *kernel, struct collection *collection,
                             uint32_t slot, struct slice bytes, bool keep) {
    struct meta *meta = pool_own(&kernel->memory, &collection->metas, slot);
    struct heap *heap = &kernel->state.heap;
    collection->heap_bytes -= heap_room(meta->attributes);
    heap_free(&kernel->memory, heap, meta->attributes);
    collection->attributes_count -= (meta->flags & CHANGE_ATTRIBUTES) != 0;
    collection->attributes_count += keep;
    meta->attributes = heap_put(&kernel->memory, heap, keep ? bytes : slice_of(NULL, 0));
    collection->heap_bytes += heap_room(meta->attributes);
    meta->attributes_size = keep ? (uint32_t)bytes.size : 0;
    meta->flags =
        (uint8_t)((meta->flags & ~CHANGE_ATTRIBUTES) | (keep ? CHANGE_ATTRIBUTES : 0));
    schema_put(&kernel->memory, &collection->schema, &collection->config.schema, slot,
               keep ? bytes : slice_of(NULL, 0));
}

static void store_fp32(struct kernel *kernel, struct collection *collection,
                       uint32_t slot, struct slice bytes, bool keep) {
    struct meta *meta = pool_own(&kernel->memory, &collection->metas, slot);
    struct heap *heap = &kernel->state.heap;
    collection->heap_bytes -= heap_room(meta->fp32);
    heap_free(&kernel->memory, heap, meta->fp32);
    meta->fp32 = heap_put(&kernel->memory, heap, keep ? bytes : slice_of(NULL, 0));
    collection->heap_bytes += heap_room(meta->fp32);
    meta->flags = (uint8_t)((meta->flags & ~CHANGE_FP32) | (keep ? CHANGE_FP32 : 0));
}

/* The record was written by `sequence`: hash its leaf. `known` are the hashes that the
 * change brings; what it does not bring is hashed from memory. */
static void finish_record(struct kernel *kernel, struct collection *collection,
                          uint32_t slot, uint64_t sequence, const struct change *change) {
    struct meta *meta = pool_own(&kernel->memory, &collection->metas, slot);
    meta->widx = sequence;
    struct record record;
    record_read(&kernel->state, collection, slot, &record);
    struct record_hashes hashes = {0};
    bool whole = change->type == CHANGE_VADD && ((change->flags & CHANGE_ATTRIBUTES) ||
                                                 !(record.flags & CHANGE_ATTRIBUTES));
    if (whole) {
        memcpy(hashes.vector, change->vector_hash, SHA256_SIZE);
        memcpy(hashes.attributes, change->attributes_hash, SHA256_SIZE);
        memcpy(hashes.fp32, change->fp32_hash, SHA256_SIZE);
    } else {
        record_hashes(collection, &record, &hashes);
    }
    uint8_t value[SHA256_SIZE];
    record_value_hash(&record, &hashes, value);
    trie_leaf_hash(meta->leaf.key, value, meta->leaf.hash);
}

/* The record's leaf, present or gone, has changed. */
static void settle_record(struct kernel *kernel, const struct collection *collection,
                          const uint8_t key[SHA256_SIZE]) {
    if (!kernel->live) return;
    trie_settle(&kernel->memory, &kernel->state.nodes, &collection->metas,
                collection->records, key);
}

/* A slot for a new element, in all three pools at the same number. */
static uint32_t take_slot(struct kernel *kernel, struct collection *collection,
                          const struct change *change) {
    uint32_t slot = pool_take(&kernel->memory, &collection->metas);
    check(pool_take(&kernel->memory, &collection->facts) == slot);
    check(pool_take(&kernel->memory, &collection->vectors) == slot);
    if (collection->config.schema.count > 0)
        schema_take(&kernel->memory, &collection->schema, slot);
    struct meta *meta = pool_own(&kernel->memory, &collection->metas, slot);
    memcpy(meta->leaf.key, change->element_hash, SHA256_SIZE);
    meta->name = heap_put(&kernel->memory, &kernel->state.heap, change->element);
    collection->heap_bytes += heap_room(meta->name);
    meta->name_size = (uint32_t)change->element.size;
    meta->flags = CHANGE_VECTOR;
    collection->live++;
    kernel->state.records++;
    return slot;
}

void apply_vadd(struct kernel *kernel, uint64_t sequence, const struct change *change,
                struct place place, struct outcome *outcome) {
    struct state *state = &kernel->state;
    uint32_t row = place.row, slot = place.slot;
    outcome->created_key = row == UINT32_MAX;
    if (outcome->created_key) row = create_collection(kernel, change);
    touch_object(kernel, row);
    struct collection *collection = own_collection(kernel, row);
    outcome->added = slot == UINT32_MAX;
    if (outcome->added) slot = take_slot(kernel, collection, change);

    bool moved = store_vector(kernel, collection, slot, change) || outcome->added;
#ifdef BUG_45
    moved = outcome->added;
#endif
    tend_index(kernel, collection, sequence, slot, moved ? INDEX_PUT : INDEX_KEEP);
    if (change->flags & CHANGE_ATTRIBUTES)
        store_attributes(kernel, collection, slot, change->attributes,
                         outcome->added || change->attributes.size > 0);
    if (change->flags & CHANGE_TAG)
        record_tag(&kernel->memory, state, collection, slot, change->tag);
    store_fp32(kernel, collection, slot, change->fp32,
               (change->flags & CHANGE_FP32) != 0);
    collection->next_slot++;
    finish_record(kernel, collection, slot, sequence, change);
    if (outcome->added)
        trie_insert(&kernel->memory, &state->nodes, &collection->metas,
                    &collection->records, slot);
    else
        trie_touch(&kernel->memory, &state->nodes, &collection->metas,
                   collection->records, slot);
    settle_record(kernel, collection, change->element_hash);
}

void apply_vrem(struct kernel *kernel, uint64_t sequence, const struct change *change,
                struct place place, struct outcome *outcome) {
    struct state *state = &kernel->state;
    uint32_t row = place.row, slot = place.slot;
    touch_object(kernel, row);
    struct collection *collection = own_collection(kernel, row);
    trie_remove(&kernel->memory, &state->nodes, &collection->metas, &collection->records,
                slot);
    settle_record(kernel, collection, change->element_hash);
    tend_index(kernel, collection, sequence, slot, INDEX_DROP);
    const struct meta *meta = meta_at(collection, slot);
    collection->attributes_count -= (meta->flags & CHANGE_ATTRIBUTES) != 0;
    collection->heap_bytes -=
        heap_room(meta->name) + heap_room(meta->attributes) + heap_room(meta->fp32);
    heap_free(&kernel->memory, &state->heap, meta->name);
    heap_free(&kernel->memory, &state->heap, meta->attributes);
    heap_free(&kernel->memory, &state->heap, meta->fp32);
    record_untag(&kernel->memory, state, collection, slot);
    pool_give(&kernel->memory, &collection->metas, slot);
    pool_give(&kernel->memory, &collection->facts, slot);
    pool_give(&kernel->memory, &collection->vectors, slot);
    if (collection->config.schema.count > 0)
        schema_give(&kernel->memory, &collection->schema, &collection->config.schema,
                    slot);
    collection->live--;
    state->records--;
    outcome->removed_key =
        collection->live == 0 && collection->config.origin == ORIGIN_VADD;
    if (outcome->removed_key) delete_object(kernel, row);
}

void apply_to_record(struct kernel *kernel, uint64_t sequence,
                     const struct change *change, struct place place) {
    uint32_t slot = place.slot;
    touch_object(kernel, place.row);
    struct collection *collection = own_collection(kernel, place.row);
    if (change->type == CHANGE_SETTAG)
        record_tag(&kernel->memory, &kernel->state, collection, slot, change->tag);
    else
        store_attributes(kernel, collection, slot, change->attributes,
                         change->attributes.size > 0);
    tend_index(kernel, collection, sequence, slot, INDEX_KEEP);
    finish_record(kernel, collection, slot, sequence, change);
    trie_touch(&kernel->memory, &kernel->state.nodes, &collection->metas,
               collection->records, slot);
    settle_record(kernel, collection, change->element_hash);
}

/* --- Commitment ------------------------------------------------------------------------
 */

void collection_sum(const struct collection *collection, const struct trie_sum *records,
                    bool content, struct object_sum *sum) {
    *sum = (struct object_sum){.type = OBJECT_COLLECTION,
                               .config_size = config_size(&collection->config),
                               .records = *records,
                               .next_slot = collection->next_slot};
    config_encode(&collection->config, sum->config);
    if (!content) memcpy(sum->chain, collection->chain, SHA256_SIZE);
}

void seal_collection(struct kernel *kernel, uint32_t row, struct object_sum *sum) {
    struct state *state = &kernel->state;
    const struct collection *collection = object_collection(state, object_at(state, row));
    struct trie_sum records;
    trie_seal(&kernel->memory, &state->nodes, &collection->metas, collection->records);
    trie_sum(&state->nodes, &collection->metas, collection->records, &records);
    check(records.count == collection->live);
    collection_sum(collection, &records, false, sum);
}

/* --- Facts -----------------------------------------------------------------------------
 */

const struct config *collection_config(const struct collection *collection) {
    return &collection->config;
}
uint64_t collection_count(const struct collection *collection) {
    return collection->live;
}
uint64_t collection_next_slot(const struct collection *collection) {
    return collection->next_slot;
}
uint64_t collection_attributes_count(const struct collection *collection) {
    return collection->attributes_count;
}
uint32_t collection_slot_limit(const struct collection *collection) {
    return collection->metas.limit;
}

uint64_t collection_memory(const struct collection *collection) {
    const struct pool *pools[] = {&collection->vectors,     &collection->facts,
                                  &collection->metas,       &collection->hnsw.codes,
                                  &collection->hnsw.facts,  &collection->hnsw.links,
                                  &collection->hnsw.points, &collection->hnsw.upper};
    uint64_t bytes = sizeof *collection + sizeof(struct trie_node) * collection->live +
                     collection->heap_bytes;
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        bytes += pool_room(pools[i]);
    if (collection->config.schema.count > 0) bytes += pool_room(&collection->schema.rows);
    return bytes;
}
