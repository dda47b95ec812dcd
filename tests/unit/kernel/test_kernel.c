/* The state machine: every refusal of docs/format.md 6.1 and that it changes nothing, groups,
 * roots under random runs, frozen views, and memory that runs out. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/kernel.h"
#include "random/history.h"

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
    kernel_destroy(kernel);
    EXPECT_EQUAL(source.taken, 0);
}

/* The change is refused with `wanted`, asked or told, and the root stays. */
static void expect_refusal_of(struct change *change, enum status wanted) {
    struct roots before, after;
    struct outcome outcome;
    kernel_seal(kernel, &before);
    uint64_t records = state_record_total(state), keys = state_key_total(state);
    change_commit(change);
    EXPECT_EQUAL(kernel_admit(kernel, change), wanted);
    kernel_apply(kernel, ++sequence, change, &outcome);
    EXPECT_EQUAL(outcome.status, wanted);
    EXPECT_EQUAL(kernel_dirty(kernel), 0);
    kernel_seal(kernel, &after);
    EXPECT_BYTES(before.state_root, after.state_root, SHA256_SIZE);
    EXPECT(records == state_record_total(state) && keys == state_key_total(state));
}
static void expect_done(struct change *change) {
    EXPECT_EQUAL(perform(kernel, ++sequence, change), STATUS_OK);
}

/* --- Refusals ------------------------------------------------------------------------------ */

static void refusals_without_a_key(void) {
    begin();
    struct change *change = make_vadd(&made, "k", "e", 1);
    change->flags &= (uint8_t)~CHANGE_CONFIG;
    expect_refusal_of(change, STATUS_NO_KEY); /* (a) */
    expect_refusal_of(make(&made, CHANGE_VREM, "k", "e"), STATUS_NO_KEY);
    expect_refusal_of(make_setattr(&made, "k", "e", "x"), STATUS_NO_KEY);
    expect_refusal_of(make_settag(&made, "k", "e", 1), STATUS_NO_KEY);
    expect_refusal_of(make(&made, CHANGE_DEL, "k", NULL), STATUS_NO_KEY);
    change = make_vadd(&made, "k", "e", 1);
    change->flags |= CHANGE_XX;
    expect_refusal_of(change, STATUS_CONDITION); /* (g): the key would not be made either */
    EXPECT(state_find(state, 0, slice_text("k")) == NULL);
    change = make_vadd(&made, "k", "e", 1);
    change->config.dim = 5; /* Its own config refuses it. */
    expect_refusal_of(change, STATUS_DIMENSION);
    end();
}

static void refusals_with_a_key(void) {
    begin();
    expect_done(make_vadd(&made, "k", "e", 1));
    expect_refusal_of(make_create(&made, "k", config_of(METRIC_L2, 4)), STATUS_EXISTS);
    expect_refusal_of(make(&made, CHANGE_VREM, "k", "f"), STATUS_NO_ELEMENT);
    expect_refusal_of(make_setattr(&made, "k", "f", "x"), STATUS_NO_ELEMENT);
    expect_refusal_of(make_settag(&made, "k", "f", 1), STATUS_NO_ELEMENT);
    struct change *change = make_vadd(&made, "k", "f", 1);
    make_vector(&made, false, 5, 1);
    expect_refusal_of(change, STATUS_DIMENSION); /* (e) */
    make_vector(&made, true, 4, 1); /* the form of another metric */
    expect_refusal_of(change, STATUS_DIMENSION);
    change = make_vadd(&made, "k", "e", 1);
    change->flags |= CHANGE_NX;
    expect_refusal_of(change, STATUS_CONDITION); /* (f) */
    change = make_vadd(&made, "k", "f", 1);
    change->flags |= CHANGE_XX;
    expect_refusal_of(change, STATUS_CONDITION); /* (g) */
    change->flags |= CHANGE_NX; /* Both can never be met. */
    expect_refusal_of(change, STATUS_CONDITION);
    end();
}

static void refusals_of_configs(void) {
    begin();
    expect_done(make_vadd(&made, "k", "e", 1));
    struct change *change = make_vadd(&made, "k", "e", 1);
    change->config.quantisation = QUANTISATION_Q8;
    change->config.m = 5;
    expect_refusal_of(change, STATUS_QUANTISATION); /* (c) before (d) */
    change->config.quantisation = QUANTISATION_NONE;
    make_vector(&made, false, 5, 1);
    expect_refusal_of(change, STATUS_M); /* (d) before (e) */
    change = make_vadd(&made, "k", "e", 2);
    change->config.m = 5;
    change->config.origin = ORIGIN_VCREATE; /* Compared only where both came with VADD. */
    expect_done(change);
    change = make_vadd(&made, "k", "e", 2);
    change->config.metric = METRIC_IP; /* What else differs is passed over. */
    change->config.ef = 1;
    change->config.capacity = 1;
    expect_done(change);
    struct config config = config_of(METRIC_L2, 4);
    config.origin = ORIGIN_VCREATE;
    config.m = 99;
    expect_done(make_create(&made, "c", config));
    expect_done(make_vadd(&made, "c", "e", 1));
    EXPECT_EQUAL(collection_config(state_collection(state, 0, slice_text("c")))->m, 99);
    end();
}

static void refusals_of_a_full_collection(void) {
    begin();
    struct config config = config_of(METRIC_L2, 4);
    config.capacity = 2;
    expect_done(make_create(&made, "k", config));
    expect_done(make_vadd(&made, "k", "a", 1));
    expect_done(make_vadd(&made, "k", "b", 1));
    expect_refusal_of(make_vadd(&made, "k", "c", 1), STATUS_CAPACITY); /* (h) */
    expect_done(make_vadd(&made, "k", "a", 2)); /* Not new. */
    struct change *change = make_vadd(&made, "k", "c", 1);
    change->flags |= CHANGE_XX;
    expect_refusal_of(change, STATUS_CONDITION); /* (g) before (h) */
    expect_done(make(&made, CHANGE_VREM, "k", "a"));
    expect_done(make_vadd(&made, "k", "c", 1));
    end();
}

/* --- Outcomes ------------------------------------------------------------------------------ */

static struct outcome apply(struct change *change) {
    struct outcome outcome;
    change_commit(change);
    EXPECT_EQUAL(kernel_admit(kernel, change), STATUS_OK);
    kernel_apply(kernel, ++sequence, change, &outcome);
    EXPECT_EQUAL(outcome.status, STATUS_OK);
    return outcome;
}

static void outcomes_say_what_happened(void) {
    begin();
    struct outcome outcome = apply(make_vadd(&made, "k", "a", 1));
    EXPECT(outcome.created_key && outcome.added && !outcome.removed_key);
    outcome = apply(make_vadd(&made, "k", "b", 1));
    EXPECT(!outcome.created_key && outcome.added);
    outcome = apply(make_vadd(&made, "k", "b", 2));
    EXPECT(!outcome.created_key && !outcome.added);
    EXPECT_EQUAL(collection_next_slot(state_collection(state, 0, slice_text("k"))), 3);
    outcome = apply(make(&made, CHANGE_VREM, "k", "a"));
    EXPECT(!outcome.removed_key);
    outcome = apply(make(&made, CHANGE_VREM, "k", "b"));
    EXPECT(outcome.removed_key); /* VADD had made it, so it goes with its last element. */
    EXPECT(state_find(state, 0, slice_text("k")) == NULL);

    struct config config = config_of(METRIC_L2, 4);
    config.origin = ORIGIN_VCREATE;
    EXPECT(apply(make_create(&made, "k", config)).created_key);
    apply(make_vadd(&made, "k", "a", 1));
    outcome = apply(make(&made, CHANGE_VREM, "k", "a"));
    EXPECT(!outcome.removed_key); /* VCREATE had, so it stays, */
    EXPECT_EQUAL(collection_next_slot(state_collection(state, 0, slice_text("k"))),
                 1); /* with its count. */
    end();
}

static void databases_are_apart(void) {
    begin();
    for (uint32_t db = 0; db < DATABASE_COUNT; db++) {
        struct change *change = make_vadd(&made, "same key", "e", (int32_t)db);
        change->db = db;
        expect_done(change);
    }
    EXPECT_EQUAL(state_key_total(state), 16);
    EXPECT_EQUAL(state_record_total(state), 16);
    struct change flush = {.type = CHANGE_FLUSH, .db = 7};
    expect_done(&flush);
    expect_done(&flush); /* Nothing to do is no refusal. */
    EXPECT_EQUAL(state_key_count(state, 7), 0);
    EXPECT_EQUAL(state_key_total(state), 15);
    EXPECT(state_find(state, 7, slice_text("same key")) == NULL);
    EXPECT(state_find(state, 8, slice_text("same key")) != NULL);
    flush.db = FLUSH_ALL;
    expect_done(&flush);
    EXPECT_EQUAL(state_key_total(state), 0);
    EXPECT_EQUAL(state_record_total(state), 0);
    struct roots now, empty = {0};
    kernel_seal(kernel, &now);
    roots_finish(&empty);
    EXPECT_BYTES(now.state_root, empty.state_root, SHA256_SIZE);
    end();
}

/* --- Groups -------------------------------------------------------------------------------- */

static enum status check_group(struct made *members, uint32_t count) {
    struct group group = {.count = count};
    for (uint32_t i = 0; i < count; i++) {
        change_commit(&members[i].change);
        kernel_group_check(kernel, &group, &members[i].change);
    }
    return group.status;
}

static void groups_of_a_missing_key(void) {
    begin();
    struct made members[3];
    make_vadd(&members[0], "k", "a", 1);
    make_vadd(&members[1], "k", "b", 2)->flags &= (uint8_t)~CHANGE_CONFIG;
    make_vadd(&members[2], "k", "c", 3);
    EXPECT_EQUAL(check_group(members, 3), STATUS_OK); /* The first one's config serves all. */
    members[2].change.config.m = 5; /* (d), against the first one's */
    EXPECT_EQUAL(check_group(members, 3), STATUS_M);
    members[2].change.config = config_of(METRIC_L2, 5);
    make_vector(&members[2], false, 5, 1); /* fits its own config, not the first one's */
    EXPECT_EQUAL(check_group(members, 3), STATUS_DIMENSION);
    make_vadd(&members[2], "k", "c", 3);
    members[0].change.flags &= (uint8_t)~CHANGE_CONFIG;
    EXPECT_EQUAL(check_group(members, 3), STATUS_NO_KEY);
    make_vadd(&members[0], "k", "a", 1);
    members[0].change.config.capacity = 2;
    EXPECT_EQUAL(check_group(members, 3), STATUS_CAPACITY);
    EXPECT_EQUAL(check_group(members, 2), STATUS_OK);
    make_vadd(&members[1], "k", "b", 2)->flags |= CHANGE_XX;
    EXPECT_EQUAL(check_group(members, 2), STATUS_CONDITION);
    end();
}

static void groups_of_a_key_that_is_there(void) {
    begin();
    struct config config = config_of(METRIC_L2, 4);
    config.capacity = 4;
    expect_done(make_create(&made, "k", config));
    expect_done(make_vadd(&made, "k", "a", 1));
    expect_done(make_vadd(&made, "k", "b", 1));
    struct made members[3];
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"a", "b", "c"};
        make_vadd(&members[i], "k", names[i], 1)->flags &= (uint8_t)~CHANGE_CONFIG;
    }
    EXPECT_EQUAL(check_group(members, 2), STATUS_OK); /* 2 + 2 */
    EXPECT_EQUAL(check_group(members, 3), STATUS_CAPACITY); /* counts members, not newcomers */
    members[0].change.flags |= CHANGE_NX;
    EXPECT_EQUAL(check_group(members, 2), STATUS_CONDITION);
    members[0].change.flags &= (uint8_t)~CHANGE_NX;
    make_vector(&members[1], false, 3, 1);
    EXPECT_EQUAL(check_group(members, 2), STATUS_DIMENSION);
    end();
}

/* --- Roots --------------------------------------------------------------------------------- */

static bool roots_equal(const struct roots *a, const struct roots *b) {
    return memcmp(a->state_root, b->state_root, SHA256_SIZE) == 0 &&
           a->keyspace.count == b->keyspace.count && a->system.count == b->system.count &&
           memcmp(a->keyspace.root, b->keyspace.root, SHA256_SIZE) == 0;
}

static void incremental_root_is_the_recomputed_one(void) {
    for (uint64_t seed = 1; seed <= 4 && test_run.ok; seed++) {
        begin();
        struct history history;
        history_begin(&history, seed, 6 + 30 * (uint32_t)(seed % 2));
        int done = 0;
        for (int step = 0; step < 1500 && test_run.ok; step++) {
            struct change change;
            struct roots sealed, recomputed;
            history_next(&history, &change);
            done += perform(kernel, (uint64_t)step, &change) == STATUS_OK;
            if (step % 3 == 0) kernel_tidy(kernel, chance_below(&sequence, 40));
            if (step % 4 == 3) continue;
            kernel_seal(kernel, &sealed);
            EXPECT_EQUAL(recompute_all(state, false, &recomputed), STATUS_OK);
            EXPECT(roots_equal(&sealed, &recomputed));
        }
        EXPECT(done > 600);
        end();
    }
}

/* Equal contents, another history: the content root says so, the state root does not. */
static void content_root_knows_no_history(void) {
    struct roots content[2], sealed[2];
    for (int way = 0; way < 2; way++) {
        begin();
        sequence = (uint64_t)way * 1000;
        for (int i = 0; i < 60; i++) {
            char name[8];
            snprintf(name, sizeof name, "e%d", way ? 59 - i : i);
            expect_done(make_vadd(&made, "k", name, way ? 59 - i : i));
            expect_done(make_settag(&made, "k", name, 4));
        }
        for (int i = 0; way && i < 3; i++) { /* Comings and goings, but as many insertions. */
            expect_done(make_vadd(&made, "gone", "x", 1));
            expect_done(make(&made, CHANGE_DEL, "gone", NULL));
        }
        kernel_seal(kernel, &sealed[way]);
        EXPECT_EQUAL(recompute_all(state, true, &content[way]), STATUS_OK);
        end();
    }
    EXPECT(roots_equal(&content[0], &content[1]));
    EXPECT(!roots_equal(&sealed[0], &sealed[1]));
}

/* --- Views --------------------------------------------------------------------------------- */

struct view {
    const struct state *state;
    struct roots roots;
    uint64_t keys, records;
};

static void expect_view_whole(const struct view *view) {
    struct roots roots;
    EXPECT_EQUAL(recompute_all(view->state, false, &roots), STATUS_OK);
    EXPECT(roots_equal(&roots, &view->roots));
    EXPECT_EQUAL(state_key_total(view->state), view->keys);
    EXPECT_EQUAL(state_record_total(view->state), view->records);
}

static void freeze(struct view *view) {
    kernel_seal(kernel, &view->roots);
    EXPECT_EQUAL(kernel_freeze(kernel, &view->state), STATUS_OK);
    view->keys = state_key_total(state);
    view->records = state_record_total(state);
}

static void views_keep_their_roots(void) {
    for (uint64_t seed = 10; seed < 13 && test_run.ok; seed++) {
        begin();
        struct history history;
        struct view views[KERNEL_VIEWS_MAX] = {{0}};
        history_begin(&history, seed, 40);
        for (int step = 0; step < 4000 && test_run.ok; step++) {
            struct change change;
            history_next(&history, &change);
            perform(kernel, (uint64_t)step, &change);
            uint32_t draw = chance_below(&sequence, 100);
            struct view *view = &views[chance_below(&sequence, KERNEL_VIEWS_MAX)];
            if (draw < 2 && !view->state) {
                freeze(view);
            } else if (draw < 4 && view->state) {
                expect_view_whole(view);
                kernel_release(kernel, view->state);
                view->state = NULL;
            } else if (draw < 8) {
                kernel_tidy(kernel, 100); /* What is dead may still be seen. */
            } else if (draw < 12) {
                struct roots roots;
                kernel_seal(kernel, &roots);
            }
        }
        for (int i = 0; i < KERNEL_VIEWS_MAX; i++) {
            if (!views[i].state) continue;
            expect_view_whole(&views[i]);
            kernel_release(kernel, views[i].state);
        }
        struct roots sealed, recomputed;
        kernel_seal(kernel, &sealed);
        EXPECT_EQUAL(recompute_all(state, false, &recomputed), STATUS_OK);
        EXPECT(roots_equal(&sealed, &recomputed));
        end();
    }
}

/* Every kind of change, one at a time, under one view. */
static void a_view_sees_no_change_of_any_kind(void) {
    begin();
    struct view view;
    for (int i = 0; i < 3000; i++) {
        char name[12];
        snprintf(name, sizeof name, "e%d", i);
        struct change *change = make_vadd(&made, "k", name, i);
        change->flags |= CHANGE_ATTRIBUTES;
        change->attributes = slice_text("attributes of it");
        expect_done(change);
    }
    freeze(&view);
    expect_done(make_settag(&made, "k", "e7", 4));
    expect_view_whole(&view);
    expect_done(make_setattr(&made, "k", "e8", "others"));
    expect_view_whole(&view);
    expect_done(make_vadd(&made, "k", "e9", -5));
    expect_view_whole(&view);
    expect_done(make(&made, CHANGE_VREM, "k", "e10"));
    expect_view_whole(&view);
    expect_done(make_vadd(&made, "k", "new", 1)); /* takes the slot of e10 */
    expect_done(make_vadd(&made, "other", "new", 1));
    expect_view_whole(&view);
    struct roots roots;
    kernel_seal(kernel, &roots); /* writes hashes into shared nodes */
    expect_view_whole(&view);
    struct change flush = {.type = CHANGE_FLUSH, .db = FLUSH_ALL};
    expect_done(&flush);
    while (kernel_tidy(kernel, 1000)) {}
    expect_view_whole(&view);

    struct record record;
    const struct collection *collection =
        state_collection(view.state, 0, slice_text("k"));
    EXPECT(record_find(view.state, collection, slice_text("e10"), &record));
    EXPECT_EQUAL(record.values[3], 10);
    EXPECT(slice_equal(record.attributes, slice_text("attributes of it")));
    kernel_release(kernel, view.state);
    end();
}

static void views_are_bounded(void) {
    begin();
    const struct state *views[KERNEL_VIEWS_MAX], *more;
    for (int i = 0; i < KERNEL_VIEWS_MAX; i++)
        EXPECT_EQUAL(kernel_freeze(kernel, &views[i]), STATUS_OK);
    EXPECT_EQUAL(kernel_freeze(kernel, &more), STATUS_MEMORY);
    kernel_release(kernel, views[5]);
    EXPECT_EQUAL(kernel_freeze(kernel, &views[5]), STATUS_OK);
    for (int i = 0; i < KERNEL_VIEWS_MAX; i++) kernel_release(kernel, views[i]);
    end();
}

/* --- Memory -------------------------------------------------------------------------------- */

static void no_memory_at_all(void) {
    for (uint64_t allowed = 0; allowed < 5; allowed++) {
        struct memory_source from = source_begin(&source);
        source.allowed = allowed;
        EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_MEMORY);
        EXPECT_EQUAL(source.taken, 0);
    }
}

/* The source dries up: sooner or later a change is refused, nothing of it happens, and it
 * succeeds when there is memory again. What was admitted before can always be applied. */
static void memory_runs_out_at_admission(void) {
    begin();
    struct roots before, after;
    bool refused = false;
    char name[16], attributes[60000];
    memset(attributes, 'x', sizeof attributes);
    source.allowed = 5;
    for (int i = 0; i < 20000 && !refused; i++) {
        snprintf(name, sizeof name, "e%d", i);
        struct change *change = make_vadd(&made, "k", name, i);
        change->flags |= CHANGE_ATTRIBUTES;
        change->attributes = slice_of(attributes, sizeof attributes);
        change_commit(change);
        kernel_seal(kernel, &before);
        enum status status = kernel_admit(kernel, change);
        refused = status != STATUS_OK;
        if (!refused) {
            struct outcome outcome;
            kernel_apply(kernel, (uint64_t)i, change, &outcome);
            continue;
        }
        EXPECT_EQUAL(status, STATUS_MEMORY);
        kernel_seal(kernel, &after);
        EXPECT(roots_equal(&before, &after));
        EXPECT_EQUAL(recompute_all(state, false, &after), STATUS_OK);
        EXPECT(roots_equal(&before, &after));
        EXPECT_EQUAL(kernel_reserve(kernel, 1 << 20, 100), STATUS_MEMORY);
        source.allowed = UINT64_MAX;
        EXPECT_EQUAL(perform(kernel, (uint64_t)i, change), STATUS_OK);
    }
    EXPECT(refused);
    end();
}

/* The same for vectors whose chunks are greater than what regions are shared for. */
static void memory_runs_out_at_great_dimensions(void) {
    static const uint32_t dims[] = {16384, 36000, 49152, 65536};
    static uint8_t bytes[5 + 4 * 65536];
    static const int32_t values[65536];
    for (size_t d = 0; d < 4; d++) {
        begin();
        enum status status = STATUS_OK;
        for (int i = 0; i < 1000 && !status; i++) {
            char name[16];
            snprintf(name, sizeof name, "e%d", i);
            vector_encode(values, dims[d], false, 0, bytes);
            struct change change = {.type = CHANGE_VADD,
                                    .flags = CHANGE_VECTOR | CHANGE_CONFIG,
                                    .key = slice_text("k"),
                                    .element = slice_text(name),
                                    .vector = slice_of(bytes, vector_bytes_size(false, dims[d])),
                                    .config = config_of(METRIC_L2, dims[d])};
            change_commit(&change);
            if (i == 20) source.allowed = 6;
            status = kernel_admit(kernel, &change);
            uint64_t allowed = source.allowed;
            source.allowed = 0; /* From here to the next admission there is none. */
            struct outcome outcome;
            if (!status) kernel_apply(kernel, (uint64_t)i, &change, &outcome);
            source.allowed = allowed;
        }
        EXPECT_EQUAL(status, STATUS_MEMORY);
        end();
    }
}

int main(void) {
    RUN(refusals_without_a_key);
    RUN(refusals_with_a_key);
    RUN(refusals_of_configs);
    RUN(refusals_of_a_full_collection);
    RUN(outcomes_say_what_happened);
    RUN(databases_are_apart);
    RUN(groups_of_a_missing_key);
    RUN(groups_of_a_key_that_is_there);
    RUN(incremental_root_is_the_recomputed_one);
    RUN(content_root_knows_no_history);
    RUN(views_keep_their_roots);
    RUN(a_view_sees_no_change_of_any_kind);
    RUN(views_are_bounded);
    RUN(no_memory_at_all);
    RUN(memory_runs_out_at_admission);
    RUN(memory_runs_out_at_great_dimensions);
    return test_finish();
}
