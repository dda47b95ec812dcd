/* Strings and RENAME: every refusal of docs/format.md 6.1, what is hashed, and that memory
 * goes back. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/kernel.h"

#include "fixture.h"

static struct source source;
static struct kernel *kernel;
static const struct state *state;
static struct made made;
static uint64_t sequence;

static void begin(void) {
    struct memory_source from = source_begin(&source);
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    state = kernel_state(kernel);
    sequence = 0;
}
static void end(void) {
    struct roots sealed, again;
    kernel_seal(kernel, &sealed);
    EXPECT_EQUAL(recompute_all(state, false, &again), STATUS_OK);
    EXPECT_BYTES(sealed.state_root, again.state_root, SHA256_SIZE);
    kernel_destroy(kernel);
    EXPECT_EQUAL(source.taken, 0);
}

static struct change *make_set(uint8_t type, const char *key, const char *value, uint8_t flags) {
    struct change *change = make(&made, type, key, NULL);
    change->flags = CHANGE_ATTRIBUTES | flags;
    change->attributes = slice_text(value);
    return change;
}
static struct change *make_incr(const char *key, int64_t delta) {
    struct change *change = make(&made, CHANGE_INCR, key, NULL);
    change->delta = delta;
    return change;
}
static struct change *make_rename(const char *key, const char *target, uint8_t flags) {
    struct change *change = make(&made, CHANGE_RENAME, key, NULL);
    change->flags = flags;
    change->target = slice_text(target);
    return change;
}

static void expect_done(struct change *change) {
    EXPECT_EQUAL(perform(kernel, ++sequence, change), STATUS_OK);
}
/* Refused, asked or told, and nothing has changed. */
static void expect_refused(struct change *change, enum status wanted) {
    struct roots before, after;
    struct outcome outcome;
    kernel_seal(kernel, &before);
    change_commit(change);
    EXPECT_EQUAL(kernel_admit(kernel, change), wanted);
    kernel_apply(kernel, ++sequence, change, &outcome);
    EXPECT_EQUAL(outcome.status, wanted);
    kernel_seal(kernel, &after);
    EXPECT_BYTES(before.state_root, after.state_root, SHA256_SIZE);
}
static void expect_value(const char *key, const char *wanted) {
    const struct object *object = state_find(state, 0, slice_text(key));
    EXPECT(object != NULL);
    if (!object) return;
    EXPECT_EQUAL(object_type(object), OBJECT_STRING);
    EXPECT(slice_equal(object_string(state, object), slice_text(wanted)));
}

static void conditions_of_set(void) {
    begin();
    expect_refused(make_set(CHANGE_SET, "s", "v", CHANGE_XX), STATUS_CONDITION);
    expect_refused(make_set(CHANGE_REPLACE, "s", "v", CHANGE_XX), STATUS_CONDITION);
    expect_done(make_set(CHANGE_SET, "s", "v", CHANGE_NX));
    expect_value("s", "v");
    expect_refused(make_set(CHANGE_SET, "s", "w", CHANGE_NX), STATUS_CONDITION);
    expect_refused(make_set(CHANGE_REPLACE, "s", "w", CHANGE_NX), STATUS_CONDITION);
    expect_done(make_set(CHANGE_REPLACE, "s", "", CHANGE_XX));
    expect_value("s", "");
    EXPECT_EQUAL(state_key_count(state, 0), 1);
    EXPECT_EQUAL(state_record_total(state), 0);
    end();
}

static void a_collection_is_no_string_and_the_other_way_round(void) {
    begin();
    expect_done(make_vadd(&made, "c", "e", 1));
    expect_refused(make_set(CHANGE_REPLACE, "c", "v", 0), STATUS_WRONG_TYPE);
    expect_refused(make_incr("c", 1), STATUS_WRONG_TYPE);
    expect_done(make_set(CHANGE_SET, "c", "v", 0));
    expect_value("c", "v");
    EXPECT_EQUAL(state_record_total(state), 0);
    expect_refused(make_vadd(&made, "c", "e", 1), STATUS_WRONG_TYPE);
    expect_refused(make(&made, CHANGE_VREM, "c", ""), STATUS_WRONG_TYPE);
    expect_refused(make_setattr(&made, "c", "", "x"), STATUS_WRONG_TYPE);
    expect_refused(make_settag(&made, "c", "", 1), STATUS_WRONG_TYPE);
    expect_refused(make_create(&made, "c", config_of(METRIC_L2, 4)), STATUS_EXISTS);
    expect_done(make(&made, CHANGE_DEL, "c", NULL));
    expect_done(make_vadd(&made, "c", "e", 1));
    end();
}

static void incr_counts_and_refuses(void) {
    static const char *const no_numbers[] = {"", "-0", "01", "1 ", "x", "9223372036854775808"};
    begin();
    expect_done(make_incr("n", -3));
    expect_value("n", "-3");
    expect_done(make_incr("n", 10));
    expect_value("n", "7");
    for (size_t i = 0; i < sizeof no_numbers / sizeof no_numbers[0]; i++) {
        expect_done(make_set(CHANGE_SET, "s", no_numbers[i], 0));
        expect_refused(make_incr("s", 1), STATUS_INVALID);
    }
    expect_done(make_set(CHANGE_SET, "s", "9223372036854775807", 0));
    expect_refused(make_incr("s", 1), STATUS_RANGE);
    expect_done(make_incr("s", INT64_MIN));
    expect_value("s", "-1");
    expect_refused(make_incr("s", INT64_MIN), STATUS_RANGE);
    end();
}

static void rename_moves_anything(void) {
    begin();
    struct record record;
    expect_refused(make_rename("a", "b", 0), STATUS_NO_KEY);
    expect_refused(make_rename("a", "a", 0), STATUS_NO_KEY);
    for (int i = 0; i < 200; i++) {
        char name[8];
        snprintf(name, sizeof name, "e%d", i);
        expect_done(make_vadd(&made, "a", name, i));
    }
    uint64_t widx = sequence;
    expect_done(make_set(CHANGE_SET, "b", "v", 0));
    expect_refused(make_rename("a", "b", CHANGE_NX), STATUS_EXISTS);
    expect_refused(make_rename("a", "a", CHANGE_NX), STATUS_EXISTS);
    expect_done(make_rename("a", "a", 0));
    expect_done(make_rename("a", "b", 0));
    EXPECT(state_find(state, 0, slice_text("a")) == NULL);
    const struct collection *collection = state_collection(state, 0, slice_text("b"));
    EXPECT(collection && collection_count(collection) == 200);
    EXPECT(collection && collection_next_slot(collection) == 200);
    EXPECT(collection && record_find(state, collection, slice_text("e199"), &record));
    EXPECT_EQUAL(record.widx, widx);
    EXPECT_EQUAL(state_key_count(state, 0), 1);
    expect_done(make_rename("b", "a", CHANGE_NX));
    expect_done(make_vadd(&made, "a", "more", 1));
    end();
}

/* Two ways to one state: the roots are equal but for widx, and without it equal. */
static void the_content_root_knows_no_history(void) {
    struct roots first, second, whole_first, whole_second;
    begin();
    expect_done(make_set(CHANGE_SET, "s", "12", 0));
    EXPECT_EQUAL(recompute_all(state, true, &first), STATUS_OK);
    kernel_seal(kernel, &whole_first);
    end();
    begin();
    expect_done(make_incr("t", 4));
    expect_done(make_incr("t", 8));
    expect_done(make_rename("t", "s", 0));
    EXPECT_EQUAL(recompute_all(state, true, &second), STATUS_OK);
    kernel_seal(kernel, &whole_second);
    end();
    EXPECT_BYTES(first.state_root, second.state_root, SHA256_SIZE);
    EXPECT(memcmp(whole_first.state_root, whole_second.state_root, SHA256_SIZE) != 0);
}

/* The root of one string, computed from docs/format.md by tests/python/naive.py. */
static void the_root_is_the_documents(void) {
    struct roots roots;
    begin();
    sequence = 6;
    expect_done(make_set(CHANGE_SET, "s", "v", 0));
    kernel_seal(kernel, &roots);
    char hex[65];
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", roots.keyspace.root[i]);
    EXPECT_EQUAL(roots.keyspace.count, 1);
    EXPECT(strcmp(hex, "0bac6c6ab1e8991474b0d421dbd1b401d1dfd4637a84914a6360d263f1720ea5") == 0);
    end();
}

static void overwriting_takes_no_memory(void) {
    static char large[STRING_SIZE_MAX + 1];
    begin();
    memset(large, 'x', STRING_SIZE_MAX);
    expect_done(make_set(CHANGE_SET, "s", large, 0));
    expect_done(make_set(CHANGE_SET, "s", "small", 0));
    expect_done(make_vadd(&made, "c", "e", 1));
    while (kernel_tidy(kernel, 100)) {}
    uint64_t used = kernel_memory_used(kernel);
    for (int i = 0; i < 1000; i++) {
        large[i % 8 * 1000 + 1] = '\0';
        expect_done(make_set(CHANGE_SET, "s", large, 0));
        large[i % 8 * 1000 + 1] = 'x';
        expect_done(make_rename("c", i % 2 ? "c" : "d", 0));
        expect_done(make_rename(i % 2 ? "c" : "d", "c", 0));
    }
    expect_done(make_set(CHANGE_SET, "s", large, 0));
    while (kernel_tidy(kernel, 100)) {}
    EXPECT(kernel_memory_used(kernel) < used + 512 * 1024);
    uint64_t peak = kernel_memory_used(kernel);
    for (int i = 0; i < 100; i++) expect_done(make_set(CHANGE_SET, "s", large, 0));
    EXPECT_EQUAL(kernel_memory_used(kernel), peak);
    end();
}

/* WATCH's number of a key changes with everything that is done to it, and with nothing else. */
static uint64_t version_of(const char *key) {
    uint8_t hash[SHA256_SIZE];
    hash_object_name(0, slice_text(key), hash);
    return kernel_key_version(kernel, hash);
}
static void expect_version(const char *key, uint64_t *version, bool changes) {
    uint64_t now = version_of(key);
    EXPECT((now != *version) == changes);
    *version = now;
}

static void versions_tell_of_changes(void) {
    begin();
    struct roots roots;
    uint64_t a = version_of("a"), b = version_of("b");
    expect_done(make_set(CHANGE_SET, "a", "1", 0));
    expect_version("a", &a, true);
    expect_done(make_set(CHANGE_SET, "a", "1", 0));
    expect_version("a", &a, true);
    kernel_seal(kernel, &roots);
    expect_version("a", &a, false);
    expect_refused(make_set(CHANGE_SET, "a", "2", CHANGE_NX), STATUS_CONDITION);
    expect_version("a", &a, false);
    expect_version("b", &b, false);
    expect_done(make_rename("a", "b", 0)); /* over nothing, and back */
    expect_version("b", &b, true);
    expect_done(make_rename("b", "a", 0));
    expect_version("a", &a, true);
    expect_version("b", &b, true);
    expect_done(make(&made, CHANGE_DEL, "a", NULL));
    expect_version("a", &a, true);
    expect_done(make_vadd(&made, "a", "e", 1)); /* there and gone again */
    struct change flush = {.type = CHANGE_FLUSH, .db = FLUSH_ALL};
    expect_done(&flush);
    expect_version("a", &a, true);
    expect_version("b", &b, false);
    end();
}

int main(void) {
    RUN(versions_tell_of_changes);
    RUN(conditions_of_set);
    RUN(a_collection_is_no_string_and_the_other_way_round);
    RUN(incr_counts_and_refuses);
    RUN(rename_moves_anything);
    RUN(the_content_root_knows_no_history);
    RUN(the_root_is_the_documents);
    RUN(overwriting_takes_no_memory);
    return test_finish();
}
