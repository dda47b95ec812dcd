/* What a turn does and when: seals, syncs, marks, and who is answered meanwhile. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

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

int main(void) {
    RUN(seals_an_interval_after_the_first_change);
    RUN(seals_when_enough_is_dirty);
    RUN(always_waits_for_the_disk);
    RUN(everysec_waits_only_when_it_takes_too_long);
    RUN(no_never_waits);
    RUN(a_quiet_server_comes_to_rest);
    return test_finish();
}
