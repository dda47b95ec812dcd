/* Following: the same log, the same state, the same roots; and nothing of an entry that is not
 * what it should be. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "engine/log_access.h"
#include "unit/engine/fixture.h"

static char paths[2][PATH_SIZE];
static struct engine *primary, *replica;
static struct engine_options options[2];
static struct engine_report report;
static struct log_cursor cursor;
static struct made made;

static void begin_with(uint64_t long_frame) {
    world_begin();
    for (int i = 0; i < 2; i++) {
        directory_make(paths[i]);
        options[i] = options_for(paths[i]);
        options[i].long_frame = long_frame;
    }
    options[0].segment_size = options[1].segment_size = 4000;
    EXPECT_EQUAL(start_engine(&options[0], &primary, &report), STATUS_OK);
    EXPECT_EQUAL(start_engine(&options[1], &replica, &report), STATUS_OK);
    struct engine_facts facts;
    engine_facts(primary, &facts);
    EXPECT_EQUAL(engine_adopt(replica, facts.log_id), STATUS_OK);
    engine_set_following(replica, true);
    log_cursor_begin(&cursor, engine_log(primary));
    EXPECT_EQUAL(log_cursor_seek(&cursor, 0), STATUS_OK);
}
static void begin(void) { begin_with(0); }

static void end(void) {
    log_cursor_end(&cursor);
    stop_engine(primary);
    stop_engine(replica);
    directory_remove(paths[0]);
    directory_remove(paths[1]);
}

static void settle(struct engine *engine) {
    do turn(engine);
    while (engine_durable(engine) < engine_size(engine));
}

static enum status follow(struct slice entry, struct slice list, struct slice payload) {
    struct received received = {entry, list, payload};
    enum status status = engine_follow(replica, &received);
    while (status == STATUS_AGAIN) status = engine_follow_step(replica);
    return status;
}

/* Hand over what the primary has on its disk. */
static enum status catch_up(void) {
    struct frame frame;
    settle(primary);
    enum status status;
    while (!(status = log_cursor_next(&cursor, &frame))) {
        status = follow(frame.entry, frame.list, frame.payload);
        if (status) return status;
    }
    settle(replica);
    return status == STATUS_END ? STATUS_OK : status;
}

static void expect_equal_engines(void) {
    struct proof_state a, b;
    struct roots roots[2];
    engine_proof_state(primary, &a);
    engine_proof_state(replica, &b);
    EXPECT(proofs_equal(&a, &b));
    EXPECT_EQUAL(recompute_all(engine_state(primary), false, &roots[0]), STATUS_OK);
    EXPECT_EQUAL(recompute_all(engine_state(replica), false, &roots[1]), STATUS_OK);
    EXPECT_BYTES(roots[0].state_root, roots[1].state_root, SHA256_SIZE);
}

static void put_batch(uint32_t members) {
    static char names[64][16];
    struct batch batch;
    struct batch_event event;
    uint64_t sequence;
    enum status status;
    batch_begin(&batch, os_allocator(), SIZE_MAX / 2);
    struct change group = {.type = CHANGE_GROUP, .group_count = members};
    EXPECT_EQUAL(batch_add(&batch, &group), STATUS_OK);
    for (uint32_t i = 0; i < members; i++) {
        snprintf(names[i], sizeof names[i], "b%u", i);
        struct change *change = make_vadd(&made, "k", names[i], (int32_t)i);
        change_commit(change);
        EXPECT_EQUAL(batch_add(&batch, change), STATUS_OK);
    }
    struct change *rename = make(&made, CHANGE_DEL, "nothing", NULL);
    change_commit(rename); /* an element that does nothing */
    EXPECT_EQUAL(batch_add(&batch, rename), STATUS_OK);
    do status = engine_batch_submit(primary, &batch, &sequence);
    while (status == STATUS_AGAIN);
    EXPECT_EQUAL(status, STATUS_OK);
    while (!engine_batch_next(primary, &event)) continue;
    batch_free(&batch);
}

static void write_some(uint64_t *state, int count) {
    char name[16];
    for (int i = 0; i < count; i++) {
        world.wall += chance_below(state, 1000);
        snprintf(name, sizeof name, "e%u", chance_below(state, 40));
        switch (chance_below(state, 6)) {
        case 0:
            submit(primary, make(&made, CHANGE_VREM, "k", name));
            break;
        case 1:
            submit(primary, make_settag(&made, "k", name, chance(state)));
            break;
        case 2:
            if (chance_below(state, 3) == 0) engine_seal(primary);
            break;
        case 3:
            if (chance_below(state, 9) == 0) put_batch(1 + chance_below(state, 40));
            break;
        default:
            submit(primary,
                   make_vadd(&made, "k", name, (int32_t)chance_below(state, 1000)));
        }
    }
}

static void the_same_entries_reach_the_same_roots(void) {
    uint64_t state = 7;
    begin();
    for (int round = 0; round < 20; round++) {
        write_some(&state, 60);
        EXPECT_EQUAL(catch_up(), STATUS_OK);
        expect_equal_engines();
    }
    engine_seal(primary);
    EXPECT_EQUAL(catch_up(), STATUS_OK);
    expect_equal_engines();
    EXPECT(engine_divergence(replica) == NULL);
    end();
}

static void a_replica_that_starts_again_goes_on(void) {
    uint64_t state = 9;
    begin();
    for (int round = 0; round < 5; round++) {
        write_some(&state, 40);
        EXPECT_EQUAL(catch_up(), STATUS_OK);
        stop_engine(replica);
        EXPECT_EQUAL(start_engine(&options[1], &replica, &report), STATUS_OK);
        engine_set_following(replica, true);
        expect_equal_engines();
    }
    end();
}

/* In steps, as a large batch goes into the log. */
static void a_large_batch_is_followed_in_steps(void) {
    begin_with(1);
    put_batch(60);
    engine_seal(primary);
    EXPECT_EQUAL(catch_up(), STATUS_OK);
    expect_equal_engines();
    EXPECT_EQUAL(engine_size(replica), 2);
    end();
}

static void a_replica_never_seals(void) {
    begin();
    submit(primary, make_vadd(&made, "k", "a", 1));
    EXPECT_EQUAL(catch_up(), STATUS_OK);
    world.monotonic += 10000000;
    settle(replica);
    EXPECT_EQUAL(engine_seal(replica), STATUS_OK);
    EXPECT_EQUAL(engine_size(replica), 1);
    engine_set_following(replica, false); /* promoted */
    EXPECT_EQUAL(engine_seal(replica), STATUS_OK);
    EXPECT_EQUAL(engine_size(replica), 2);
    end();
}

/* What no check of one entry can see: its time (if it grows) and its principal, a tag, the
 * config of a VADD whose key exists, and that a SEAL is none. */
static bool log_root_alone_tells(uint8_t type, size_t at, size_t size) {
    if (at >= 12 && at < 52) return true;
    switch (type) {
    case CHANGE_SEAL:
        return at == 1;
    case CHANGE_SETTAG:
        return at + 8 >= size;
    case CHANGE_VADD:
        return at + CONFIG_SIZE >= size;
    default:
        return type == CHANGE_BATCH && at > 150;
    }
}

static void G15_a_changed_byte_is_refused_and_changes_nothing(void) {
    uint64_t state = 11;
    unsigned refused = 0;
    begin();
    write_some(&state, 30);
    put_batch(5);
    engine_seal(primary);
    settle(primary);
    struct frame frame;
    while (!log_cursor_next(&cursor, &frame)) {
        static uint8_t entry[65536], payload[65536];
        memcpy(entry, frame.entry.data, frame.entry.size);
        if (frame.payload.size) memcpy(payload, frame.payload.data, frame.payload.size);
        struct slice e = slice_of(entry, frame.entry.size);
        struct slice p = slice_of(payload, frame.payload.size);
        uint64_t before = engine_size(replica);
        for (size_t i = 0; i < e.size; i++) {
            if (log_root_alone_tells(frame.type, i, e.size)) continue;
            entry[i] ^= 16;
            EXPECT(follow(e, frame.list, p) != STATUS_OK);
            entry[i] ^= 16;
            refused++;
        }
        for (size_t i = 0; i < p.size; i += 3) {
            payload[i] ^= 1;
            EXPECT(follow(e, frame.list, p) != STATUS_OK);
            payload[i] ^= 1;
            refused++;
        }
        EXPECT(follow(slice_of(entry, e.size - 1), frame.list, p) != STATUS_OK);
        EXPECT_EQUAL(engine_size(replica), before);
        EXPECT_EQUAL(follow(e, frame.list, p), STATUS_OK);
        EXPECT_EQUAL(follow(e, frame.list, p), STATUS_CORRUPT); /* not twice */
    }
    settle(replica);
    expect_equal_engines();
    EXPECT(refused > 2000);
    end();
}

static void G15_another_state_is_found_at_the_next_seal(void) {
    begin();
    submit(primary, make_vadd(&made, "k", "a", 1));
    engine_seal(primary);
    EXPECT_EQUAL(catch_up(), STATUS_OK);
    EXPECT_EQUAL(engine_change_secretly(replica, make_settag(&made, "k", "a", 5)),
                 STATUS_OK);
    submit(primary, make_vadd(&made, "k", "b", 2));
    EXPECT_EQUAL(catch_up(), STATUS_OK); /* nobody has said anything of the state yet */
    EXPECT(engine_divergence(replica) == NULL);
    engine_seal(primary);
    EXPECT_EQUAL(catch_up(), STATUS_DIVERGED);
    const struct divergence *found = engine_divergence(replica);
    struct proof_state proof;
    engine_proof_state(primary, &proof);
    EXPECT_EQUAL(found->sequence, 3);
    EXPECT_EQUAL(found->last_equal, 1);
    EXPECT(!found->refused);
    EXPECT_BYTES(found->primary.state_root, proof.roots.state_root, SHA256_SIZE);
    EXPECT(memcmp(found->own.state_root, proof.roots.state_root, SHA256_SIZE) != 0);
    EXPECT_EQUAL(engine_size(replica), 3); /* the SEAL is not in the log, */
    stop_engine(replica);                  /* which a start finds whole */
    EXPECT_EQUAL(start_engine(&options[1], &replica, &report), STATUS_OK);
    engine_set_following(replica, true);
    EXPECT_EQUAL(log_cursor_seek(&cursor, 3), STATUS_OK);
    EXPECT_EQUAL(catch_up(), STATUS_OK); /* it was the memory, and that is new */
    expect_equal_engines();
    end();
}

static void G15_an_entry_that_the_state_refuses_is_a_divergence(void) {
    begin();
    submit(primary, make_vadd(&made, "k", "a", 1));
    EXPECT_EQUAL(catch_up(), STATUS_OK);
    EXPECT_EQUAL(engine_change_secretly(replica, make(&made, CHANGE_DEL, "k", NULL)),
                 STATUS_OK);
    submit(primary, make_settag(&made, "k", "a", 5));
    EXPECT_EQUAL(catch_up(), STATUS_DIVERGED);
    EXPECT(engine_divergence(replica)->refused);
    EXPECT_EQUAL(engine_divergence(replica)->sequence, 1);
    EXPECT_EQUAL(engine_size(replica), 1);
    end();
}

static void a_full_disk_refuses_and_the_entry_comes_again(void) {
    begin();
    submit(primary, make_vadd(&made, "k", "a", 1));
    settle(primary);
    struct frame frame;
    EXPECT_EQUAL(log_cursor_next(&cursor, &frame), STATUS_OK);
    world.full = true;
    EXPECT_EQUAL(follow(frame.entry, frame.list, frame.payload), STATUS_NO_SPACE);
    EXPECT_EQUAL(engine_size(replica), 0);
    world.full = false;
    world.reserves = true;
    world.monotonic += 1000000;
    turn(replica);
    EXPECT(!engine_refusing(replica));
    EXPECT_EQUAL(follow(frame.entry, frame.list, frame.payload), STATUS_OK);
    settle(replica);
    expect_equal_engines();
    end();
}

static void only_an_engine_without_entries_adopts(void) {
    static const uint8_t other[LOG_ID_SIZE] = "another";
    begin();
    EXPECT_EQUAL(engine_adopt(replica, other), STATUS_OK);
    submit(primary, make_vadd(&made, "k", "a", 1));
    EXPECT_EQUAL(engine_adopt(primary, other), STATUS_INVALID);
    end();
}

/* Who has seen the state waits for what changed it, and for no SEAL behind that. */
static void a_seal_changes_nothing_that_is_waited_for(void) {
    begin();
    submit(primary, make_vadd(&made, "k", "a", 1));
    EXPECT_EQUAL(engine_changed(primary), 1);
    engine_seal(primary);
    EXPECT_EQUAL(engine_size(primary), 2);
    EXPECT_EQUAL(engine_changed(primary), 1);
    EXPECT_EQUAL(catch_up(), STATUS_OK);
    EXPECT_EQUAL(engine_changed(replica), 1);
    put_batch(3);
    EXPECT_EQUAL(engine_changed(primary), 3);
    end();
}

int main(void) {
    RUN(the_same_entries_reach_the_same_roots);
    RUN(a_replica_that_starts_again_goes_on);
    RUN(a_large_batch_is_followed_in_steps);
    RUN(a_replica_never_seals);
    RUN(G15_a_changed_byte_is_refused_and_changes_nothing);
    RUN(G15_another_state_is_found_at_the_next_seal);
    RUN(G15_an_entry_that_the_state_refuses_is_a_divergence);
    RUN(a_full_disk_refuses_and_the_entry_comes_again);
    RUN(a_seal_changes_nothing_that_is_waited_for);
    RUN(only_an_engine_without_entries_adopts);
    return test_finish();
}
