/* System records: set, replaced and removed; what they are hashed as; that views and
 * FLUSH leave them alone. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/state.h"

#include "fixture.h"

static struct source source;
static struct kernel *kernel;

static void begin(void) {
    struct memory_source from = source_begin(&source);
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
}

static void end(void) {
    kernel_destroy(kernel);
    EXPECT_EQUAL(source.taken, 0);
}

/* Set the record, or remove it without a value. */
static enum status put(uint64_t sequence, const char *name, const char *value) {
    struct change change = {.type = CHANGE_SYSTEM,
                            .flags = value ? CHANGE_ATTRIBUTES : 0,
                            .db = SYSTEM_USER,
                            .key = slice_text(name)};
    if (value) change.attributes = slice_text(value);
    return perform(kernel, sequence, &change);
}

static bool holds(const struct state *state, const char *name, const char *value) {
    struct slice found;
    bool there = state_system_find(state, SYSTEM_USER, slice_text(name), &found);
    return value ? there && slice_equal(found, slice_text(value)) : !there;
}

static uint64_t count(const struct state *state) {
    uint64_t rows = 0;
    struct system_record record;
    uint32_t row = state_system_next(state, 0, &record);
    for (; row != UINT32_MAX; row = state_system_next(state, row + 1, &record)) rows++;
    return rows;
}

static void set_replaced_and_removed(void) {
    begin();
    const struct state *state = kernel_state(kernel);
    uint64_t version = kernel_system_version(kernel);
    EXPECT_EQUAL(put(0, "a", NULL), STATUS_NO_KEY);
    EXPECT_EQUAL(kernel_system_version(kernel), version);
    EXPECT_EQUAL(put(1, "a", "one"), STATUS_OK);
    EXPECT_EQUAL(put(2, "b", ""), STATUS_OK);
    EXPECT_EQUAL(put(3, "a", "two"), STATUS_OK);
    EXPECT(holds(state, "a", "two") && holds(state, "b", "") && holds(state, "c", NULL));
    EXPECT_EQUAL(count(state), 2);
    EXPECT_EQUAL(kernel_system_version(kernel), version + 3);
    const struct state *view;
    EXPECT_EQUAL(kernel_freeze(kernel, &view), STATUS_OK);
    EXPECT_EQUAL(put(4, "a", NULL), STATUS_OK);
    EXPECT_EQUAL(put(5, "c", "three"), STATUS_OK);
    EXPECT(holds(state, "a", NULL) && holds(state, "c", "three"));
    EXPECT(holds(view, "a", "two") && holds(view, "c", NULL));
    EXPECT_EQUAL(count(view), 2);
    kernel_release(kernel, view);
    struct change flush = {.type = CHANGE_FLUSH, .db = FLUSH_ALL};
    EXPECT_EQUAL(perform(kernel, 6, &flush), STATUS_OK);
    EXPECT_EQUAL(count(state), 2);
    end();
}

static void hashed_as_the_format_says(void) {
    begin();
    struct roots roots, again;
    EXPECT_EQUAL(put(7, "eve", "on nopass"), STATUS_OK);
    kernel_seal(kernel, &roots);
    EXPECT_EQUAL(roots.system.count, 1);
    EXPECT_EQUAL(roots.keyspace.count, 0);
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE], leaf[SHA256_SIZE];
    struct record record = {.widx = 7, .flags = CHANGE_ATTRIBUTES};
    struct record_hashes hashes = {0};
    hash_system_name(SYSTEM_USER, slice_text("eve"), key);
    hash_payload('A', slice_text("on nopass"), hashes.attributes);
    record_value_hash(&record, &hashes, value);
    trie_leaf_hash(key, value, leaf);
    EXPECT_BYTES(roots.system.root, leaf, SHA256_SIZE);

    static _Alignas(16) uint8_t room[RECOMPUTE_SIZE];
    struct recompute *recompute = recompute_begin(room, kernel_state(kernel), false);
    EXPECT_EQUAL(recompute_step(recompute, UINT32_MAX, &again), STATUS_OK);
    EXPECT_BYTES(again.state_root, roots.state_root, SHA256_SIZE);
    EXPECT_EQUAL(put(8, "eve", NULL), STATUS_OK);
    kernel_seal(kernel, &again);
    EXPECT_EQUAL(again.system.count, 0);
    end();
}

int main(void) {
    RUN(set_replaced_and_removed);
    RUN(hashed_as_the_format_says);
    return test_finish();
}
