/* Records: their fields read out of the pools, and their commitment. */
#include "base/bytes.h"
#include "base/check.h"
#include "kernel/proof.h"
#include "kernel/semantics.h"
#include "kernel/state.h"

#include "kernel/pure.h"

void record_read(const struct state *state, const struct collection *collection,
                 uint32_t slot, struct record *record) {
    const struct meta *meta = meta_at(collection, slot);
    bool kept = (meta->flags & CHANGE_FP32) != 0;
    *record = (struct record){
        .slot = slot,
        .widx = meta->widx,
        .flags = meta->flags,
        .exponent = meta->exponent,
        .tag = facts_at(collection, slot)->tag,
        .element = heap_get(&state->heap, meta->name, meta->name_size),
        .attributes = heap_get(&state->heap, meta->attributes, meta->attributes_size),
        .fp32 = heap_get(&state->heap, meta->fp32,
                         kept ? 4 * (size_t)collection->config.dim : 0),
        .values = pool_row(&collection->vectors, slot),
    };
}

bool record_at(const struct state *state, const struct collection *collection,
               uint32_t slot, struct record *record) {
    if (slot >= collection->facts.limit || !slot_live(collection, slot)) return false;
    record_read(state, collection, slot, record);
    return true;
}

bool record_find(const struct state *state, const struct collection *collection,
                 struct slice element, struct record *record) {
    uint8_t key[SHA256_SIZE];
    hash_element_name(element, key);
    uint32_t slot =
        trie_find(&state->nodes, &collection->metas, collection->records, key);
    if (slot == UINT32_MAX) return false;
    record_read(state, collection, slot, record);
    return true;
}

/* --- Commitment ------------------------------------------------------------------------
 */

static void hash_stored_vector(const struct collection *collection,
                               const struct record *record, uint8_t out[SHA256_SIZE]) {
    bool scaled = collection->config.metric == METRIC_COSINE;
    uint32_t dim = collection->config.dim;
    uint8_t bytes[1024] = {0x14, 'V'}; /* The salt's 32 zeros follow. */
    uint8_t *p = bytes + 2 + 32;
    *p++ = scaled ? 3 : 1;
    store_le32(p, dim);
    p += 4;
    if (scaled) *p++ = (uint8_t)record->exponent;
    struct sha256 hash;
    sha256_begin(&hash);
    for (uint32_t i = 0; i < dim; i++) {
        if (p + 4 > bytes + sizeof bytes) {
            sha256_add(&hash, bytes, (size_t)(p - bytes));
            p = bytes;
        }
        store_le32(p, (uint32_t)record->values[i]);
        p += 4;
    }
    sha256_add(&hash, bytes, (size_t)(p - bytes));
    sha256_end(&hash, out);
}

void record_hashes(const struct collection *collection, const struct record *record,
                   struct record_hashes *hashes) {
    *hashes = (struct record_hashes){0};
    hash_stored_vector(collection, record, hashes->vector);
    if (record->flags & CHANGE_ATTRIBUTES)
        hash_payload('A', record->attributes, hashes->attributes);
    if (record->flags & CHANGE_FP32) hash_payload('F', record->fp32, hashes->fp32);
}

void record_value_hash(const struct record *record, const struct record_hashes *hashes,
                       uint8_t value[SHA256_SIZE]) {
    struct record_claim claim = {
        .widx = record->widx, .flags = record->flags, .tag = record->tag};
    memcpy(claim.vector, hashes->vector, SHA256_SIZE);
    if (record->flags & CHANGE_ATTRIBUTES)
        memcpy(claim.attributes, hashes->attributes, SHA256_SIZE);
    memcpy(claim.fp32, hashes->fp32, SHA256_SIZE);
    record_claim_hash(&claim, value);
}

void object_claim_of(const struct object_sum *sum, struct object_claim *claim) {
    *claim = (struct object_claim){.type = (uint8_t)sum->type,
                                   .config = slice_of(sum->config, sum->config_size),
                                   .records = sum->records,
                                   .nodes = sum->nodes,
                                   .next_slot = sum->next_slot};
    memcpy(claim->chain, sum->chain, SHA256_SIZE);
}

void object_value_hash(const struct object_sum *sum, uint8_t value[SHA256_SIZE]) {
    struct object_claim claim;
    object_claim_of(sum, &claim);
    object_claim_hash(&claim, value);
}
void roots_finish(struct roots *roots) {
    uint8_t bytes[1 + 4 + SHA256_SIZE + 2 * 40] = {0x18, 1};
    memcpy(bytes + 5, semantics_id, SHA256_SIZE);
    trie_sum_encode(&roots->system, trie_sum_encode(&roots->keyspace, bytes + 37));
    sha256(bytes, sizeof bytes, roots->state_root);
}
