/* Batches through the engine: one entry for many changes, groups that are all or nothing, and the
 * same state after a restart, in both forms. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "unit/engine/fixture.h"

static char path[PATH_SIZE];
static struct engine_options options;
static struct engine *engine;
static struct engine_report report;
static struct made made;
static struct batch batch;

static bool in_steps; /* every batch goes into the log in steps */

static void begin(void) {
    world_begin();
    directory_make(path);
    options = options_for(path);
    options.long_frame = in_steps ? 1 : 0;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
}
static void end(void) {
    stop_engine(engine);
    directory_remove(path);
}

/* Stop, start: the same proof, and a state that recomputes to the same root. */
static void expect_same_after_restart(void) {
    struct proof_state before, after;
    struct roots roots[2];
    EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
    engine_proof_state(engine, &before);
    EXPECT_EQUAL(recompute_all(engine_state(engine), false, &roots[0]), STATUS_OK);
    stop_engine(engine);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    engine_proof_state(engine, &after);
    EXPECT(proofs_equal(&before, &after));
    EXPECT_EQUAL(recompute_all(engine_state(engine), false, &roots[1]), STATUS_OK);
    EXPECT_BYTES(roots[0].state_root, roots[1].state_root, SHA256_SIZE);
    EXPECT_BYTES(roots[0].state_root, after.roots.state_root, SHA256_SIZE);
}

static void add(struct change *change) {
    if (change->type != CHANGE_GROUP) change_commit(change);
    EXPECT_EQUAL(batch_add(&batch, change), STATUS_OK);
}
static void add_group(uint32_t count) {
    struct change group = {.type = CHANGE_GROUP, .group_count = count};
    add(&group);
}

/* The loop goes on between the steps, and the engine with it. */
static enum status put_into_log(void) {
    uint64_t sequence, size = engine_size(engine);
    enum status status;
    unsigned steps = 0;
    while ((status = engine_batch_submit(engine, &batch, &sequence)) == STATUS_AGAIN) {
        EXPECT_EQUAL(engine_size(engine), size); /* Nothing of it counts, */
        world.monotonic += 2000000;              /* and no seal gets between. */
        turn(engine);
        steps++;
    }
    EXPECT(!in_steps || steps > 0 || status);
    EXPECT_EQUAL(engine_size(engine), size + (status == STATUS_OK));
    if (!status) EXPECT_EQUAL(sequence, size);
    return status;
}

/* Submit and walk; the outcomes' statuses as letters: . for STATUS_OK, else x, groups as G or g. */
static enum status submit_batch(char *outcomes) {
    enum status status = put_into_log();
    size_t length = 0;
    struct batch_event event;
    while (!status && engine_batch_next(engine, &event) == STATUS_OK) {
        if (!event.applied) continue;
        bool group = event.type == CHANGE_GROUP;
        outcomes[length++] = event.outcome.status ? (group ? 'g' : 'x') : (group ? 'G' : '.');
    }
    outcomes[length] = '\0';
    batch_free(&batch);
    return status;
}

static void expect_outcomes(const char *wanted) {
    char outcomes[64];
    EXPECT_EQUAL(submit_batch(outcomes), STATUS_OK);
    EXPECT(strcmp(outcomes, wanted) == 0);
    if (strcmp(outcomes, wanted) != 0) printf("    got %s, wanted %s\n", outcomes, wanted);
}

static uint64_t records(void) { return state_record_total(engine_state(engine)); }

static void a_refused_element_does_nothing(void) {
    begin();
    batch_begin(&batch, os_allocator(), 1 << 20);
    add(make_vadd(&made, "k", "a", 1));
    add(make(&made, CHANGE_VREM, "k", "nobody"));
    add(make_vadd(&made, "k", "b", 1));
    add(make_create(&made, "k", config_of(METRIC_L2, 4)));
    add(make_settag(&made, "k", "b", 5));
    expect_outcomes(".x.x.");
    EXPECT_EQUAL(engine_size(engine), 1); /* One entry for all of it. */
    EXPECT_EQUAL(records(), 2);
    struct record record;
    const struct state *state = engine_state(engine);
    EXPECT(record_find(state, state_collection(state, 0, slice_text("k")),
                       slice_text("b"), &record));
    EXPECT_EQUAL(record.widx, 0); /* The batch's sequence. */
    expect_same_after_restart();
    end();
}

static void a_group_is_all_or_nothing(void) {
    begin();
    batch_begin(&batch, os_allocator(), 1 << 20);
    add(make_vadd(&made, "k", "a", 1));
    add_group(3); /* The second one's vector is of another dimension. */
    add(make_vadd(&made, "k", "b", 1));
    make_vadd(&made, "k", "c", 1);
    make_vector(&made, false, 5, 1);
    add(&made.change);
    add(make_vadd(&made, "k", "d", 1));
    add_group(2);
    add(make_vadd(&made, "k", "e", 1));
    add(make_vadd(&made, "k", "f", 1));
    add(make_vadd(&made, "k", "g", 1));
    expect_outcomes(".gxxxG...");
    EXPECT_EQUAL(records(), 4);
    expect_same_after_restart();
    EXPECT_EQUAL(records(), 4);
    end();
}

static void a_single_group_is_refused_before_it_is_logged(void) {
    begin();
    char outcomes[64];
    struct config config = config_of(METRIC_L2, 4);
    config.capacity = 2;
    EXPECT_EQUAL(submit(engine, make_create(&made, "k", config)), STATUS_OK);
    for (uint32_t members = 3; members >= 2; members--) {
        batch_begin(&batch, os_allocator(), 1 << 20);
        add_group(members);
        for (uint32_t i = 0; i < members; i++) {
            static const char *const names[] = {"a", "b", "c"};
            add(make_vadd(&made, "k", names[i], 1));
        }
        EXPECT_EQUAL(submit_batch(outcomes), members == 3 ? STATUS_CAPACITY : STATUS_OK);
        EXPECT(strcmp(outcomes, members == 3 ? "" : "G..") == 0);
        EXPECT_EQUAL(engine_size(engine), members == 3 ? 1 : 2);
    }
    EXPECT_EQUAL(records(), 2);
    expect_same_after_restart();
    end();
}

static void a_group_makes_its_key(void) {
    begin();
    batch_begin(&batch, os_allocator(), 1 << 20);
    add_group(2); /* Without a config: no key to put them in. */
    for (int i = 0; i < 2; i++) {
        make_vadd(&made, "k", i ? "b" : "a", 1)->flags &= (uint8_t)~CHANGE_CONFIG;
        add(&made.change);
    }
    add_group(2); /* The first one's config is enough. */
    add(make_vadd(&made, "k", "a", 1));
    make_vadd(&made, "k", "b", 1)->flags &= (uint8_t)~CHANGE_CONFIG;
    add(&made.change);
    expect_outcomes("gxxG..");
    EXPECT_EQUAL(records(), 2);
    expect_same_after_restart();
    end();
}

static void a_full_disk_takes_no_batch(void) {
    begin();
    EXPECT_EQUAL(submit(engine, make_vadd(&made, "k", "a", 1)), STATUS_OK);
    turn(engine);
    world.full = true;
    char outcomes[64];
    batch_begin(&batch, os_allocator(), 1 << 20);
    add(make_vadd(&made, "k", "b", 1));
    EXPECT_EQUAL(submit_batch(outcomes), STATUS_NO_SPACE);
    EXPECT_EQUAL(records(), 1);
    EXPECT_EQUAL(engine_size(engine), 1);
    world.full = false;
    end();
}

/* 3,000 elements take the listed form; their entry is small and the state is the same. */
static void great_batches_are_listed(void) {
    begin();
    char name[12];
    for (int round = 0; round < 2; round++) {
        batch_begin(&batch, os_allocator(), 16 << 20);
        for (int i = 0; i < 3000; i++) {
            if (i % 500 == 100) add_group(50);
            snprintf(name, sizeof name, "e%d", i + round * 1000);
            add(make_vadd(&made, "k", name, i));
        }
        EXPECT_EQUAL(put_into_log(), STATUS_OK);
        struct batch_event event;
        enum status status;
        while ((status = engine_batch_next(engine, &event)) == STATUS_OK) {}
        EXPECT_EQUAL(status, STATUS_END);
        batch_free(&batch);
    }
    EXPECT_EQUAL(engine_size(engine), 2);
    EXPECT_EQUAL(records(), 4000);
    expect_same_after_restart();
    end();
}

/* A seal never falls into the middle of a batch, whose changes are one entry's. */
static void a_batch_is_not_sealed_halfway(void) {
    begin();
    struct batch_event event;
    batch_begin(&batch, os_allocator(), 1 << 20);
    for (int i = 0; i < 6; i++) {
        char name[12];
        snprintf(name, sizeof name, "e%d", i);
        add(make_vadd(&made, "k", name, i));
    }
    EXPECT_EQUAL(put_into_log(), STATUS_OK);
    for (int i = 0; i < 6; i++) {
        EXPECT_EQUAL(engine_batch_next(engine, &event), STATUS_OK);
        world.monotonic += 2000000;
        turn(engine);
        EXPECT_EQUAL(engine_size(engine), 1);
    }
    EXPECT_EQUAL(engine_batch_next(engine, &event), STATUS_END);
    turn(engine);
    EXPECT_EQUAL(engine_size(engine), 2);
    batch_free(&batch);
    expect_same_after_restart();
    end();
}

/* A large group is looked at in steps, alone and inside a batch; the last member decides. */
static void large_groups_are_checked_in_steps(void) {
    begin();
    char name[12], outcomes[1024];
    for (int refused = 1; refused >= 0; refused--) {
        for (int alone = 1; alone >= 0; alone--) {
            batch_begin(&batch, os_allocator(), 1 << 20);
            if (!alone) add(make_vadd(&made, "k", "first", 1));
            add_group(300);
            for (int i = 0; i < 300; i++) {
                snprintf(name, sizeof name, "e%d", i);
                make_vadd(&made, "k", name, i);
                if (refused && i == 299) make_vector(&made, false, 5, 1);
                add(&made.change);
            }
            EXPECT_EQUAL(submit_batch(outcomes),
                         refused && alone ? STATUS_DIMENSION : STATUS_OK);
            const char *group = alone ? outcomes : outcomes + 1;
            if (!alone) EXPECT(outcomes[0] == '.');
            if (!(refused && alone)) {
                EXPECT_EQUAL(strlen(group), 301);
                EXPECT_EQUAL(strspn(group, refused ? "gx" : "G."), 301);
            }
        }
        EXPECT_EQUAL(records(), refused ? 1 : 301);
    }
    expect_same_after_restart();
    EXPECT_EQUAL(records(), 301);
    end();
}

/* The same tests with batches that go into the log at once and in steps. */
int main(void) {
    for (in_steps = false;; in_steps = true) {
        RUN(a_refused_element_does_nothing);
        RUN(a_group_is_all_or_nothing);
        RUN(a_single_group_is_refused_before_it_is_logged);
        RUN(a_group_makes_its_key);
        RUN(a_full_disk_takes_no_batch);
        RUN(great_batches_are_listed);
        RUN(a_batch_is_not_sealed_halfway);
        RUN(large_groups_are_checked_in_steps);
        if (in_steps) break;
    }
    return test_finish();
}
