/* Proofs over random states: each holds, says what the state says, survives its text, and
 * no byte of it can be changed. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "base/bytes.h"
#include "kernel/proof.h"
#include "kernel/semantics.h"

#include "fixture.h"

static struct source source;
static struct kernel *kernel;
static const struct state *state;
static struct proof proof, read;
static struct buffer text, room;

/* --- A SEAL over the state, as the engine makes one ------------------------------------
 */

static uint8_t seal[ENTRY_HEADER_SIZE + 152];
static uint8_t log_root[SHA256_SIZE];

static void seal_state(uint64_t sequence) {
    struct roots roots;
    struct rfc6962_range range;
    uint8_t leaf[SHA256_SIZE] = {0};
    kernel_seal(kernel, &roots);
    struct entry entry = {
        .type = CHANGE_SEAL, .flags = ENTRY_NO_STATE, .sequence = sequence, .time_us = 5};
    uint8_t *body = seal + ENTRY_HEADER_SIZE;
    entry_encode_header(&entry, 152, seal);
    store_le64(body, sequence);
    memcpy(body + 8, roots.state_root, SHA256_SIZE);
    memcpy(body + 40, semantics_id, SHA256_SIZE);
    trie_sum_encode(&roots.system, trie_sum_encode(&roots.keyspace, body + 72));
    rfc6962_begin(&range);
    for (uint64_t i = 0; i < sequence; i++) rfc6962_append(&range, leaf);
    proof.seal = slice_of(seal, sizeof seal);
    proof.tail_depth = (uint32_t)rfc6962_tail(&range, proof.tail);
    rfc6962_leaf(proof.seal, slice_of(NULL, 0), leaf);
    rfc6962_append(&range, leaf);
    rfc6962_root(&range, log_root);
}

static void begin(void) {
    struct memory_source from = source_begin(&source);
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    state = kernel_state(kernel);
    buffer_init(&text, &libc_allocator, 1 << 20);
    buffer_init(&room, &libc_allocator, 1 << 20);
}
static void end(void) {
    kernel_destroy(kernel);
    buffer_free(&text);
    buffer_free(&room);
}

static void ask(enum proof_question question, const char *key, const char *element) {
    proof.question = question;
    proof.key = slice_text(key);
    proof.element = slice_text(element);
    EXPECT_EQUAL(proof_take(state, &proof), STATUS_OK);
}

/* Through its text; gives what the reader or the checker says against it. */
static const char *judge(struct slice bytes, struct proof_result *result) {
    struct proof_fault fault;
    buffer_clear(&room);
    if (proof_read(bytes, &room, &read, &fault)) return fault.reason;
    return proof_check(&read, result);
}

static void expect_right(void) {
    struct proof_result result;
    buffer_clear(&text);
    EXPECT_EQUAL(proof_write(&proof, &text), STATUS_OK);
    const char *why = judge(buffer_slice(&text), &result);
    EXPECT(why == NULL);
    if (why) {
        printf("    %s\n", why);
        return;
    }
    EXPECT_BYTES(result.log_root, log_root, SHA256_SIZE);
    EXPECT_EQUAL(read.object_end, proof.object_end);
    if (proof.object_end != PROOF_FOUND || proof.question == PROOF_OF_KEY) return;
    EXPECT_EQUAL(read.record_end, proof.record_end);
    if (proof.record_end == PROOF_FOUND) EXPECT(read.record.widx == proof.record.widx);
}

/* --- Cases ----------------------------------------------------------------------------
 */

static const char *name_of(uint32_t number, char name[16]) {
    snprintf(name, 16, "e%u", (unsigned)number);
    return name;
}

static void fill(uint32_t count) {
    struct made made;
    char name[16];
    for (uint32_t i = 0; i < count; i++)
        EXPECT_EQUAL(
            perform(kernel, i, make_vadd(&made, "many", name_of(i, name), (int32_t)i)),
            STATUS_OK);
    EXPECT_EQUAL(perform(kernel, count, make_vadd(&made, "one", "only", 1)), STATUS_OK);
    EXPECT_EQUAL(perform(kernel, count + 1, make_settag(&made, "one", "only", 9)),
                 STATUS_OK);
    struct change *set = make(&made, CHANGE_SET, "text", NULL);
    set->flags = CHANGE_ATTRIBUTES;
    set->attributes = slice_text("value");
    EXPECT_EQUAL(perform(kernel, count + 2, set), STATUS_OK);
}

static void present_and_absent(void) {
    begin();
    fill(300);
    seal_state(303);
    char name[16];
    for (uint32_t i = 0; i < 600; i++) {
        ask(PROOF_OF_RECORD, "many", name_of(i, name));
        EXPECT_EQUAL(proof.record_end == PROOF_FOUND, i < 300);
        if (i < 300) EXPECT_EQUAL(proof.record.widx, i);
        expect_right();
    }
    ask(PROOF_OF_RECORD, "one", "only");
    EXPECT_EQUAL(proof.record.tag, 9);
    expect_right();
    ask(PROOF_OF_RECORD, "one", "other");
    EXPECT_EQUAL(proof.record_end, PROOF_OTHER);
    expect_right();
    ask(PROOF_OF_RECORD, "text", "");
    EXPECT_EQUAL(proof.record_end, PROOF_FOUND);
    expect_right();
    ask(PROOF_OF_RECORD, "text", "x");
    EXPECT_EQUAL(proof.record_end, PROOF_OTHER);
    expect_right();
    ask(PROOF_OF_RECORD, "no such key", "x");
    EXPECT(proof.object_end != PROOF_FOUND);
    expect_right();
    ask(PROOF_OF_KEY, "many", "");
    EXPECT_EQUAL(proof.object.records.count, 300);
    expect_right();
    ask(PROOF_OF_KEY, "no such key", "");
    expect_right();
    end();
}

static void an_empty_state(void) {
    begin();
    seal_state(0);
    ask(PROOF_OF_RECORD, "key", "element");
    EXPECT_EQUAL(proof.object_end, PROOF_NONE);
    expect_right();
    end();
}

/* Every rank gives another element, in the order of key hashes. */
static void samples(void) {
    begin();
    fill(100);
    seal_state(200);
    uint8_t before[SHA256_SIZE] = {0}, key[SHA256_SIZE];
    for (proof.rank = 0; proof.rank < 100; proof.rank++) {
        ask(PROOF_OF_SAMPLE, "many", "");
        expect_right();
        hash_element_name(proof.element, key);
        EXPECT(memcmp(before, key, SHA256_SIZE) < 0);
        memcpy(before, key, SHA256_SIZE);
        proof.rank++;
        buffer_clear(&text);
        proof_write(&proof, &text);
        struct proof_result result;
        EXPECT(judge(buffer_slice(&text), &result) != NULL); /* of another rank */
        proof.rank--;
    }
    proof.key = slice_text("many");
    EXPECT_EQUAL(proof_take(state, &proof), STATUS_RANGE);
    proof.key = slice_text("text");
    EXPECT_EQUAL(proof_take(state, &proof), STATUS_WRONG_TYPE);
    proof.key = slice_text("no such key");
    EXPECT_EQUAL(proof_take(state, &proof), STATUS_NO_KEY);
    end();
}

/* Is it still an answer to what was asked? */
static bool same_question(void) {
    return read.question == proof.question && read.db == proof.db &&
           slice_equal(read.key, proof.key) && slice_equal(read.element, proof.element);
}

static void change_every_bit(void) {
    expect_right();
    struct slice bytes = buffer_slice(&text);
    uint8_t *changed = malloc(bytes.size);
    struct proof_result result;
    memcpy(changed, bytes.data, bytes.size);
    for (size_t i = 0; i < bytes.size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            changed[i] ^= (uint8_t)(1 << bit);
            bool held = judge(slice_of(changed, bytes.size), &result) == NULL;
            bool same_log = held && memcmp(result.log_root, log_root, SHA256_SIZE) == 0;
            EXPECT(!(same_log && same_question()));
            changed[i] = bytes.data[i];
        }
        EXPECT(judge(slice_of(changed, i), &result) != NULL);
    }
    free(changed);
}

static void no_bit_can_be_changed(void) {
    begin();
    fill(40);
    seal_state(77);
    ask(PROOF_OF_RECORD, "many", "e7");
    change_every_bit();
    ask(PROOF_OF_RECORD, "many", "e70");
    change_every_bit();
    ask(PROOF_OF_RECORD, "one", "only");
    change_every_bit();
    ask(PROOF_OF_KEY, "text", "");
    change_every_bit();
    ask(PROOF_OF_KEY, "nothing", "");
    change_every_bit();
    end();
}

/* A proof that is put together out of right parts of others is none. */
static void parts_of_other_proofs(void) {
    begin();
    fill(40);
    seal_state(9);
    struct proof_result result;
    ask(PROOF_OF_RECORD, "many", "e7");
    struct record_claim value = proof.record;
    ask(PROOF_OF_RECORD, "many", "e8");
    struct proof right = proof;
    EXPECT(proof_check(&proof, &result) == NULL);
    proof.record = value;
    EXPECT(proof_check(&proof, &result) != NULL);
    proof = right;
    proof.element = slice_text("e7");
    EXPECT(proof_check(&proof, &result) != NULL);
    proof = right;
    proof.record_end = PROOF_OTHER;
    hash_element_name(slice_text("e8"), proof.other_record.key);
    record_claim_hash(&proof.record, proof.other_record.value);
    EXPECT(proof_check(&proof, &result) != NULL); /* "another one", and it is the one */
    proof = right;
    proof.record_end = PROOF_NONE;
    EXPECT(proof_check(&proof, &result) != NULL);
    proof = right;
    proof.records.depth = 0;
    EXPECT(proof_check(&proof, &result) != NULL);
    proof = right;
    proof.tail_depth--;
    EXPECT(proof_check(&proof, &result) != NULL);
    proof = right;
    proof.key = slice_text("one");
    EXPECT(proof_check(&proof, &result) != NULL);
    end();
}

int main(void) {
    sha256_select(NULL);
    RUN(present_and_absent);
    RUN(an_empty_state);
    RUN(samples);
    RUN(no_bit_can_be_changed);
    RUN(parts_of_other_proofs);
    return test_finish();
}
