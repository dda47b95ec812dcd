/* The verifier: from a claimed value upwards, hash by hash, to the root of a log. */
#include "kernel/proof.h"

#include "base/bytes.h"

#include "kernel/pure.h"

/* --- What is claimed ------------------------------------------------------------------
 */

void record_claim_hash(const struct record_claim *claim, uint8_t value[SHA256_SIZE]) {
    uint8_t bytes[1 + 8 + 1 + 3 * SHA256_SIZE + 8] = {0x13};
    store_le64(bytes + 1, claim->widx);
    bytes[9] = claim->flags;
    memcpy(bytes + 10, claim->vector, SHA256_SIZE);
    memcpy(bytes + 42, claim->attributes, SHA256_SIZE);
    uint8_t *p = bytes + 74;
#ifndef BUG_16
    if (claim->flags & CHANGE_TAG) store_le64(p, claim->tag), p += 8;
#endif
    if (claim->flags & CHANGE_FP32) memcpy(p, claim->fp32, SHA256_SIZE), p += SHA256_SIZE;
    sha256(bytes, (size_t)(p - bytes), value);
}

void object_claim_hash(const struct object_claim *claim, uint8_t value[SHA256_SIZE]) {
    uint8_t head[2 + 8] = {0x17, claim->type};
    uint8_t tail[2 * TRIE_SUM_SIZE + SHA256_SIZE + 8];
    store_le64(head + 2, claim->config.size);
    uint8_t *p = trie_sum_encode(&claim->nodes, trie_sum_encode(&claim->records, tail));
    memcpy(p, claim->chain, SHA256_SIZE);
    store_le64(p + SHA256_SIZE, claim->next_slot);
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, head, sizeof head);
    sha256_add(&hash, claim->config.data, claim->config.size);
    sha256_add(&hash, tail, sizeof tail);
    sha256_end(&hash, value);
}

/* --- Tries ----------------------------------------------------------------------------
 */

/* What lies at the end of the path of `key`: `value`, or what stands in its place. */
static const char *fold(const struct trie_path *path, const uint8_t key[SHA256_SIZE],
                        enum proof_end end, const uint8_t value[SHA256_SIZE],
                        const struct other_leaf *other, struct trie_sum *sum) {
    static const uint8_t zeros[SHA256_SIZE];
    *sum = (struct trie_sum){.count = end != PROOF_NONE};
    if (end == PROOF_FOUND) trie_leaf_hash(key, value, sum->root);
    if (end == PROOF_OTHER) {
        trie_leaf_hash(other->key, other->value, sum->root);
        if (memcmp(other->key, key, SHA256_SIZE) == 0)
            return "the leaf that is said to be another one is the one asked for";
        for (uint32_t depth = 0; depth < path->depth; depth++)
            if (trie_bit(other->key, depth) != trie_bit(key, depth))
                return "the other leaf is not on the path of the one asked for";
    }
    for (uint32_t depth = path->depth; depth-- > 0;) {
        const struct trie_sum *beside = &path->siblings[depth];
        bool empty = memcmp(beside->root, zeros, SHA256_SIZE) == 0;
        if ((beside->count == 0) != empty)
            return "an empty side of the trie that is not written as one";
        struct trie_sum whole = {.count = sum->count + beside->count};
        if (whole.count < 2 || whole.count < beside->count)
            return "counts of the trie that no trie has";
        bool right = trie_bit(key, depth);
        trie_node_hash(right ? beside : sum, right ? sum : beside, whole.root);
        *sum = whole;
    }
    return NULL;
}

static bool same_sum(const struct trie_sum *a, const struct trie_sum *b) {
    return a->count == b->count && memcmp(a->root, b->root, SHA256_SIZE) == 0;
}

/* How many leaves lie before the one at the path's end. */
static uint64_t rank_of(const struct trie_path *path, const uint8_t key[SHA256_SIZE]) {
    uint64_t rank = 0;
    for (uint32_t depth = 0; depth < path->depth; depth++)
        if (trie_bit(key, depth)) rank += path->siblings[depth].count;
    return rank;
}

/* --- From the inside out --------------------------------------------------------------
 */

static const char *check_record(const struct proof *proof) {
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE];
    struct trie_sum sum;
    hash_element_name(proof->element, key);
    record_claim_hash(&proof->record, value);
    const char *why =
        fold(&proof->records, key, proof->record_end, value, &proof->other_record, &sum);
    if (why) return why;
    if (!same_sum(&sum, &proof->object.records))
        return "the path of the record does not lead to the object's records";
    if (proof->question != PROOF_OF_SAMPLE) return NULL;
    if (proof->record_end != PROOF_FOUND) return "a sample without an element";
    return rank_of(&proof->records, key) == proof->rank
               ? NULL
               : "the element has another rank than the one asked for";
}

static const char *check_object(const struct proof *proof,
                                const struct trie_sum *keyspace) {
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE];
    struct trie_sum sum;
    hash_object_name(proof->db, proof->key, key);
    object_claim_hash(&proof->object, value);
    const char *why =
        fold(&proof->keyspace, key, proof->object_end, value, &proof->other_object, &sum);
    if (why) return why;
    return same_sum(&sum, keyspace)
               ? NULL
               : "the path of the key does not lead to the keyspace of the SEAL";
}

/* The entry of a SEAL, and that its state root is made of what it names. */
#define SEAL_BODY_SIZE (8 + 2 * SHA256_SIZE + 2 * TRIE_SUM_SIZE)
static const char *check_seal(const struct proof *proof, struct entry *entry,
                              struct roots *roots) {
    static const char malformed[] = "the SEAL is no entry of that type";
    if (entry_decode(proof->seal, entry) || entry->type != CHANGE_SEAL) return malformed;
    if (entry->body.size != SEAL_BODY_SIZE) return malformed;
    const uint8_t *p = entry->body.data;
    if (load_le64(p) != entry->sequence) return "the SEAL names another place in the log";
    uint8_t bytes[1 + 4 + SHA256_SIZE + 2 * TRIE_SUM_SIZE] = {0x18, 1};
    memcpy(bytes + 5, p + 40, SHA256_SIZE + 2 * TRIE_SUM_SIZE);
    sha256(bytes, sizeof bytes, roots->state_root);
    if (memcmp(roots->state_root, p + 8, SHA256_SIZE) != 0)
        return "the SEAL's state root is not made of the tries that it names";
    trie_sum_decode(trie_sum_decode(p + 72, &roots->keyspace), &roots->system);
    return NULL;
}

/* The last entry's siblings are all on its left: one for each bit of its sequence. */
static const char *climb_log(const struct proof *proof, uint64_t sequence,
                             uint8_t root[SHA256_SIZE]) {
    uint32_t due = 0;
    for (uint64_t bits = sequence; bits != 0; bits &= bits - 1) due++;
    if (proof->tail_depth != due)
        return "another number of hashes of the log than its size asks for";
    rfc6962_leaf(proof->seal, slice_of(NULL, 0), root);
    for (uint32_t i = 0; i < due; i++) rfc6962_node(proof->tail[i], root, root);
    return NULL;
}

const char *proof_check(const struct proof *proof, struct proof_result *result) {
    struct entry seal;
    struct roots roots;
    const char *why = check_seal(proof, &seal, &roots);
    if (!why) why = check_object(proof, &roots.keyspace);
    if (!why && proof->object_end == PROOF_FOUND && proof->question != PROOF_OF_KEY)
        why = check_record(proof);
    if (!why && proof->object_end != PROOF_FOUND && proof->question == PROOF_OF_SAMPLE)
        why = "a sample without a key";
    if (!why && seal.sequence == UINT64_MAX) why = "no log is so long";
    if (!why) why = climb_log(proof, seal.sequence, result->log_root);
    if (why) return why;
    result->log_size = seal.sequence + 1;
    result->time_us = seal.time_us;
    memcpy(result->state_root, roots.state_root, SHA256_SIZE);
    return NULL;
}
