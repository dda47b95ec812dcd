/* Proofs taken from a sealed state. */
#include "kernel/proof.h"

#include "base/check.h"
#include "kernel/graph_hash.h"
#include "kernel/graph_rows.h"
#include "kernel/state.h"

#include "kernel/pure.h"

/* What OV says of an object in a sealed state. */
static void sum_object(const struct state *state, const struct object *object,
                       struct object_sum *sum) {
    struct trie_sum inner;
    if (object->type == OBJECT_STRING) {
        string_sum(state, object, false, sum);
    } else if (object->type == OBJECT_GRAPH) {
        const struct graph *graph = object_graph(state, object);
        trie_sum(&state->nodes, &graph->nodes, graph->names, &inner);
        graph_sum(graph, &inner, sum);
    } else {
        const struct collection *collection = object_collection(state, object);
        trie_sum(&state->nodes, &collection->metas, collection->records, &inner);
        collection_sum(collection, &inner, false, sum);
    }
}

static void claim_object(const struct state *state, const struct object *object,
                         struct proof *proof) {
    struct object_sum sum;
    sum_object(state, object, &sum);
    deadline_sum(object, &sum);
    object_claim_of(&sum, &proof->object);
    check(sum.config_size <= sizeof proof->config_bytes);
    memcpy(proof->config_bytes, sum.config, sum.config_size);
    proof->object.config = slice_of(proof->config_bytes, sum.config_size);
}

static void claim_record(const struct collection *collection, const struct record *record,
                         struct record_claim *claim) {
    struct record_hashes hashes;
    record_hashes(collection, record, &hashes);
    *claim = (struct record_claim){
        .widx = record->widx, .flags = record->flags, .tag = record->tag};
    memcpy(claim->vector, hashes.vector, SHA256_SIZE);
    memcpy(claim->attributes, hashes.attributes, SHA256_SIZE);
    memcpy(claim->fp32, hashes.fp32, SHA256_SIZE);
}

static void claim_string(const struct state *state, const struct object *object,
                         struct record_claim *claim) {
    *claim = (struct record_claim){.widx = object->widx, .flags = CHANGE_ATTRIBUTES};
    hash_payload('A', object_string(state, object), claim->attributes);
}

/* FOUND, or OTHER with the key of what is there; the value is the caller's. */
static enum proof_end end_at(const struct trie_leaf *leaf, const uint8_t key[SHA256_SIZE],
                             struct other_leaf *other) {
    if (memcmp(leaf->key, key, SHA256_SIZE) == 0) return PROOF_FOUND;
    memcpy(other->key, leaf->key, SHA256_SIZE);
    return PROOF_OTHER;
}

static const struct object *take_object(const struct state *state, struct proof *proof) {
    uint8_t key[SHA256_SIZE];
    hash_object_name(proof->db, proof->key, key);
    uint32_t row = trie_proof(&state->nodes, &state->objects, state->keyspace, key,
                              &proof->keyspace);
    proof->object_end = PROOF_NONE;
    if (row == UINT32_MAX) return NULL;
    const struct object *object = object_at(state, row);
    claim_object(state, object, proof);
    proof->object_end = end_at(&object->leaf, key, &proof->other_object);
    if (proof->object_end == PROOF_FOUND) return object;
    object_claim_hash(&proof->object, proof->other_object.value);
    return NULL;
}

/* A string's one record is a trie of its own, without nodes. */
static void take_string_record(const struct state *state, const struct object *object,
                               struct proof *proof) {
    claim_string(state, object, &proof->record);
    proof->records.depth = 0;
    proof->record_end = proof->element.size == 0 ? PROOF_FOUND : PROOF_OTHER;
    if (proof->record_end == PROOF_FOUND) return;
    hash_element_name(slice_of(NULL, 0), proof->other_record.key);
    record_claim_hash(&proof->record, proof->other_record.value);
}

static void take_record(const struct state *state, const struct collection *collection,
                        struct proof *proof) {
    uint8_t key[SHA256_SIZE];
    hash_element_name(proof->element, key);
    uint32_t slot = trie_proof(&state->nodes, &collection->metas, collection->records,
                               key, &proof->records);
    proof->record_end = PROOF_NONE;
    if (slot == UINT32_MAX) return;
    struct record record;
    record_read(state, collection, slot, &record);
    claim_record(collection, &record, &proof->record);
    proof->record_end =
        end_at(&meta_at(collection, slot)->leaf, key, &proof->other_record);
    if (proof->record_end == PROOF_OTHER)
        record_claim_hash(&proof->record, proof->other_record.value);
}

static enum status take_sample(const struct state *state,
                               const struct collection *collection, struct proof *proof) {
    if (proof->rank >= collection->live) return STATUS_RANGE;
    struct record record;
    record_read(state, collection,
                trie_at(&state->nodes, collection->records, proof->rank), &record);
    proof->element = record.element;
    take_record(state, collection, proof);
    check(proof->record_end == PROOF_FOUND);
    return STATUS_OK;
}

enum status proof_take(const struct state *state, struct proof *proof) {
    const struct object *object = take_object(state, proof);
    bool sample = proof->question == PROOF_OF_SAMPLE;
    if (sample && !object) return STATUS_NO_KEY;
    if (sample && object->type != OBJECT_COLLECTION) return STATUS_WRONG_TYPE;
    if (proof->question == PROOF_OF_KEY || !object) return STATUS_OK;
    if (object->type == OBJECT_STRING) {
        take_string_record(state, object, proof);
        return STATUS_OK;
    }
    if (object->type == OBJECT_GRAPH) { /* it has no records */
        proof->records.depth = 0;
        proof->record_end = PROOF_NONE;
        return STATUS_OK;
    }
    const struct collection *collection = object_collection(state, object);
    if (sample) return take_sample(state, collection, proof);
    take_record(state, collection, proof);
    return STATUS_OK;
}
