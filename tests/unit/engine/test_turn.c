/* What a turn does and when: seals, syncs, marks, and who is answered meanwhile. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "engine/engine_internal.h"
#include "unit/engine/fixture.h"

#define SECOND UINT64_C(1000000)

static char path[PATH_SIZE];
static struct engine_options options;
static struct engine *engine;
static struct engine_report report;
static struct made made;

static void begin(enum sync_policy policy) {
    world_begin();
    directory_make(path);
    options = options_for(path);
    options.sync_policy = policy;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    turn(engine);
}
static void end(void) {
    stop_engine(engine);
    directory_remove(path);
}

static void add(int number) {
    char name[12];
    snprintf(name, sizeof name, "e%d", number);
    EXPECT_EQUAL(submit(engine, make_vadd(&made, "k", name, number)), STATUS_OK);
}
static uint64_t seals(void) {
    struct engine_facts facts;
    engine_facts(engine, &facts);
    return facts.seals;
}

/* --- Seals ---------------------------------------------------------------------------------- */

static void seals_an_interval_after_the_first_change(void) {
    begin(SYNC_NO);
    add(0);
    uint64_t first = world.monotonic;
    EXPECT(turn(engine) <= first + SECOND);
    world.monotonic += SECOND / 2;
    add(1); /* does not put it off */
    turn(engine);
    EXPECT_EQUAL(seals(), 0);
    world.monotonic = first + SECOND - 1;
    turn(engine);
    EXPECT_EQUAL(seals(), 0);
    world.monotonic++;
    turn(engine);
    EXPECT_EQUAL(seals(), 1);
    EXPECT_EQUAL(engine_size(engine), 3);
    struct proof_state proof;
    engine_proof_state(engine, &proof);
    EXPECT(proof.dirty == 0 && proof.seal_sequence == 2);
    for (int i = 0; i < 10; i++) { /* Nothing is dirty: no more of them. */
        world.monotonic += SECOND;
        turn(engine);
    }
    EXPECT_EQUAL(seals(), 1);
    EXPECT_EQUAL(engine_size(engine), 3);
    end();
}

static void seals_when_enough_is_dirty(void) {
    begin(SYNC_NO);
    for (int i = 0; i < 1023; i++) add(i);
    turn(engine);
    EXPECT_EQUAL(seals(), 0);
    add(1023);
    turn(engine);
    EXPECT_EQUAL(seals(), 1);
    end();
}

/* --- Syncs ---------------------------------------------------------------------------------- */

static void always_waits_for_the_disk(void) {
    begin(SYNC_ALWAYS);
    world.hold_sync = true;
    add(0);
    EXPECT_EQUAL(engine_acknowledged(engine), 0);
    turn(engine); /* starts the sync */
    add(1);
    for (int i = 0; i < 5; i++) {
        world.monotonic += SECOND;
        turn(engine);
        EXPECT_EQUAL(engine_acknowledged(engine), 0);
        EXPECT_EQUAL(engine_durable(engine), 0);
    }
    world.hold_sync = false;
    turn(engine); /* the first entry is durable, and what came meanwhile is started */
    EXPECT(engine_acknowledged(engine) >= 1);
    EXPECT_EQUAL(engine_acknowledged(engine), engine_durable(engine));
    turn(engine);
    EXPECT(engine_acknowledged(engine) >= 2);
    end();
}

static void everysec_waits_only_when_it_takes_too_long(void) {
    begin(SYNC_EVERY_SECOND);
    world.hold_sync = true;
    add(0);
    turn(engine);
    EXPECT_EQUAL(engine_acknowledged(engine), 1); /* at once */
    world.monotonic += SECOND;
    turn(engine);
    add(1);
    turn(engine);
    EXPECT(engine_acknowledged(engine) >= 2);
    EXPECT_EQUAL(engine_durable(engine), 0);
    /* Two seconds after the oldest unsynced entry, answers are held back. */
    world.monotonic += SECOND + 1;
    uint64_t before = engine_acknowledged(engine);
    add(2);
    turn(engine);
    EXPECT_EQUAL(engine_acknowledged(engine), before);
    world.hold_sync = false;
    turn(engine);
    turn(engine);
    EXPECT(engine_acknowledged(engine) > before);
    end();
}

static void no_never_waits(void) {
    begin(SYNC_NO);
    world.hold_sync = true;
    for (int i = 0; i < 5; i++) {
        add(i);
        turn(engine);
        EXPECT(engine_acknowledged(engine) >= (uint64_t)i + 1);
        world.monotonic += 10 * SECOND;
    }
    EXPECT_EQUAL(engine_durable(engine), 0);
    engine_set_sync_policy(engine, SYNC_ALWAYS); /* CONFIG SET appendfsync always */
    world.hold_sync = false;
    turn(engine);
    turn(engine);
    EXPECT_EQUAL(engine_durable(engine), engine_size(engine));
    end();
}

static void seals_sooner_when_told_to(void) { /* CONFIG SET seal-interval-ms */
    begin(SYNC_NO);
    add(0);
    uint64_t before = seals();
    engine_set_seal_limits(engine, 3600 * SECOND, 1000000);
    world.monotonic += 60 * SECOND;
    turn(engine);
    EXPECT_EQUAL(seals(), before);
    engine_set_seal_limits(engine, SECOND, 1000000);
    turn(engine);
    EXPECT_EQUAL(seals(), before + 1);
    end();
}

/* On a quiet server everything becomes durable and marked, and then it sleeps. */
static void a_quiet_server_comes_to_rest(void) {
    begin(SYNC_EVERY_SECOND);
    add(0);
    uint64_t next = 0;
    for (int i = 0; i < 200; i++) { /* The end of a sync wakes it as well. */
        next = turn(engine);
        if (next == UINT64_MAX && engine_durable(engine) == engine_size(engine)) break;
        world.monotonic = next == UINT64_MAX ? world.monotonic
                          : next > world.monotonic ? next
                                                   : world.monotonic + 1;
    }
    EXPECT_EQUAL(engine_durable(engine), engine_size(engine));
    EXPECT(next == UINT64_MAX);
    EXPECT_EQUAL(engine_acknowledged(engine), engine_size(engine));
    EXPECT_EQUAL(seals(), 1);
    struct proof_state before, after;
    engine_proof_state(engine, &before);
    for (int i = 0; i < 50; i++) {
        world.monotonic += SECOND;
        turn(engine);
    }
    engine_proof_state(engine, &after);
    EXPECT(proofs_equal(&before, &after));
    end();
}

/* --- Alone ---------------------------------------------------------------------------------- */

static void who_is_alone_is_synced_in_place(void) {
    begin(SYNC_ALWAYS);
    world.hold_sync = true; /* The helper would never end. */
    engine_set_alone(engine, true);
    struct engine_facts facts;
    for (int i = 0; i < 5; i++) {
        add(i);
        EXPECT(engine_acknowledged(engine) < engine_size(engine));
        turn(engine);
        EXPECT_EQUAL(engine_durable(engine), engine_size(engine));
        EXPECT_EQUAL(engine_acknowledged(engine), engine_size(engine));
        EXPECT(!log_sync_running(engine->log));
        engine_facts(engine, &facts);
        EXPECT_EQUAL(facts.syncs, i + 1);
    }
    engine_set_alone(engine, false);
    add(5);
    turn(engine);
    EXPECT(log_sync_running(engine->log));
    uint64_t durable = engine_durable(engine);
    engine_set_alone(engine, true); /* The helper has it: it is left to end. */
    add(6);
    turn(engine);
    EXPECT_EQUAL(engine_durable(engine), durable);
    world.hold_sync = false;
    turn(engine);
    turn(engine);
    EXPECT_EQUAL(engine_durable(engine), engine_size(engine));
    EXPECT_EQUAL(engine_acknowledged(engine), engine_size(engine));
    end();
}

/* Who does not wait for the disk does not wait for it because of being alone. */
static void alone_without_always_uses_the_helper(void) {
    begin(SYNC_EVERY_SECOND);
    world.hold_sync = true;
    engine_set_alone(engine, true);
    world.monotonic += 2 * SECOND;
    add(0);
    turn(engine);
    EXPECT(log_sync_running(engine->log));
    EXPECT_EQUAL(engine_durable(engine), 0);
    end();
}

/* --- Frames held back while a sync runs ------------------------------------------------------ */

/* A batch of about `size` bytes. */
static void batch_much(struct batch *batch, uint64_t size) {
    static char attributes[60001];
    memset(attributes, 'a', 60000);
    batch_begin(batch, os_allocator(), 64 << 20);
    for (uint64_t i = 0; i < size / 60000; i++) {
        change_commit(make_setattr(&made, "k", "e0", attributes));
        EXPECT_EQUAL(batch_add(batch, &made.change), STATUS_OK);
    }
}

static void add_much(uint64_t size) {
    struct batch batch;
    batch_much(&batch, size);
    uint64_t sequence;
    EXPECT_EQUAL(engine_batch_submit(engine, &batch, &sequence), STATUS_OK);
    struct batch_event event;
    while (engine_batch_next(engine, &event) == STATUS_OK) continue;
    batch_free(&batch);
}

/* With a sync on the helper that does not end. */
static void begin_held(void) {
    begin(SYNC_ALWAYS);
    world.reserves = true;
    options.seal_dirty_max = UINT64_MAX;
    world.hold_sync = true;
    add(0);
    turn(engine);
    EXPECT(log_sync_running(engine->log));
    EXPECT_EQUAL(log_buffered_bytes(engine->log), 0);
}

static void frames_wait_while_a_sync_runs(void) {
    begin_held();
    for (int i = 1; i < 100; i++) {
        add(i);
        turn(engine);
        EXPECT_EQUAL(log_written(engine->log), 1);
    }
    uint64_t buffered = log_buffered_bytes(engine->log);
    EXPECT(buffered > 0);
    world.hold_sync = false;
    turn(engine); /* Ended: written in the same turn, and the next sync started for it. */
    EXPECT_EQUAL(engine_durable(engine), 1);
    EXPECT_EQUAL(log_written(engine->log), 100);
    EXPECT_EQUAL(log_buffered_bytes(engine->log), 0);
    turn(engine);
    EXPECT_EQUAL(engine_durable(engine), 100);
    EXPECT_EQUAL(engine_acknowledged(engine), 100);
    end();
}

/* The buffer does not grow beyond 4 MiB and one frame. */
static void frames_do_not_wait_when_they_are_many(void) {
    begin_held();
    for (int i = 0; i < 40; i++) {
        add_much(900000);
        turn(engine);
        EXPECT(log_buffered_bytes(engine->log) < 6 << 20);
    }
    EXPECT(log_written(engine->log) > 4);
    EXPECT(log_sync_running(engine->log));
    EXPECT_EQUAL(engine_acknowledged(engine), 0);
    end();
}

/* A long frame waits for the helper, and with it the batch; the turns go on. */
static void a_long_frame_waits_while_a_sync_runs(void) {
    begin_held();
    struct batch batch;
    batch_much(&batch, 20 << 20);
    uint64_t sequence;
    enum status status = STATUS_AGAIN;
    for (int i = 0; i < 200; i++) {
        status = engine_batch_submit(engine, &batch, &sequence);
        EXPECT_EQUAL(status, STATUS_AGAIN);
        turn(engine);
    }
    EXPECT(engine_batch_waits(engine));
    EXPECT_EQUAL(engine_size(engine), 1);
    world.hold_sync = false;
    while (status == STATUS_AGAIN) status = engine_batch_submit(engine, &batch, &sequence);
    EXPECT_EQUAL(status, STATUS_OK);
    EXPECT(!engine_batch_waits(engine));
    EXPECT_EQUAL(log_written(engine->log), 2);
    EXPECT_EQUAL(log_buffered_bytes(engine->log), 0);
    struct batch_event event;
    while (engine_batch_next(engine, &event) == STATUS_OK) continue;
    batch_free(&batch);
    end();
}

int main(void) {
    RUN(seals_an_interval_after_the_first_change);
    RUN(seals_when_enough_is_dirty);
    RUN(always_waits_for_the_disk);
    RUN(everysec_waits_only_when_it_takes_too_long);
    RUN(no_never_waits);
    RUN(seals_sooner_when_told_to);
    RUN(a_quiet_server_comes_to_rest);
    RUN(who_is_alone_is_synced_in_place);
    RUN(alone_without_always_uses_the_helper);
    RUN(frames_wait_while_a_sync_runs);
    RUN(frames_do_not_wait_when_they_are_many);
    RUN(a_long_frame_waits_while_a_sync_runs);
    return test_finish();
}
