/* The engine over a real directory: submit, seal, stop, open again, and what it refuses. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "unit/engine/fixture.h"

static char path[PATH_SIZE];
static struct engine_options options;
static struct engine *engine;
static struct engine_report report;
static struct made made;

static void begin(void) {
    world_begin();
    directory_make(path);
    options = options_for(path);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
}
static void end(void) {
    if (engine) stop_engine(engine);
    engine = NULL;
    directory_remove(path);
}
static enum status again(void) {
    if (engine) stop_engine(engine);
    return start_engine(&options, &engine, &report);
}

static void add_some(int from, int count) {
    char name[12];
    for (int i = from; i < from + count; i++) {
        snprintf(name, sizeof name, "e%d", i);
        struct change *change = make_vadd(&made, i % 3 ? "k" : "l", name, i);
        EXPECT_EQUAL(submit(engine, change), STATUS_OK);
    }
}

static void an_empty_one_has_empty_roots(void) {
    begin();
    struct proof_state proof;
    struct roots empty = {0};
    roots_finish(&empty);
    engine_proof_state(engine, &proof);
    EXPECT_BYTES(proof.roots.state_root, empty.state_root, SHA256_SIZE);
    EXPECT(proof.seal_sequence == UINT64_MAX);
    EXPECT_EQUAL(proof.log_size, 0);
    EXPECT_EQUAL(engine_seal(engine), STATUS_OK); /* Nothing is dirty, nothing is sealed. */
    EXPECT_EQUAL(engine_size(engine), 0);
    end();
}

/* G13: what was proved before a stop is proved after it, sealed or not. */
static void g13_proofs_survive_a_restart(void) {
    begin();
    for (int round = 0; round < 4; round++) {
        struct proof_state before, after;
        add_some(round * 100, 100);
        if (round != 2) EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
        if (round == 3) EXPECT_EQUAL(submit(engine, make_settag(&made, "k", "e1", 7)), STATUS_OK);
        engine_proof_state(engine, &before);
        EXPECT_EQUAL(again(), STATUS_OK);
        engine_proof_state(engine, &after);
        EXPECT(proofs_equal(&before, &after));
        EXPECT_EQUAL(report.last_seal, before.seal_sequence);
        EXPECT_EQUAL(state_record_total(engine_state(engine)), 100 * (round + 1));
    }
    end();
}

static void recover_whole(void) {
    enum status status;
    do {
        status = engine_recover(engine, 1000, &report);
    } while (status == STATUS_AGAIN);
    EXPECT_EQUAL(status, STATUS_OK);
}

/* G13: the same without giving the directory out of hand, sealed or not. */
static void g13_proofs_survive_a_reopening(void) {
    begin();
    for (int round = 0; round < 4; round++) {
        struct proof_state before, after;
        add_some(round * 100, 100);
        if (round != 2) EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
        engine_proof_state(engine, &before);
        EXPECT_EQUAL(engine_stop(engine), STATUS_OK);
        EXPECT_EQUAL(engine_reopen(engine, &report), STATUS_OK);
        EXPECT_EQUAL(state_record_total(engine_state(engine)), 0);
        struct engine *other;
        struct engine_report refusal;
        EXPECT_EQUAL(start_engine(&options, &other, &refusal), STATUS_LOCKED);
        recover_whole();
        engine_proof_state(engine, &after);
        EXPECT(proofs_equal(&before, &after));
        EXPECT_EQUAL(report.last_seal, before.seal_sequence);
        EXPECT_EQUAL(state_record_total(engine_state(engine)), 100 * (round + 1));
        EXPECT_EQUAL(engine_acknowledged(engine), after.log_size);
    }
    end();
}

/* What does not stand in the files is refused as by a start, and the engine is over. */
static void a_reopening_refuses_what_a_start_refuses(void) {
    begin();
    add_some(0, 100);
    EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
    EXPECT_EQUAL(engine_stop(engine), STATUS_OK);
    char segment[PATH_SIZE + 40];
    snprintf(segment, sizeof segment, "%s/valori-00000001.log", path);
    chmod(segment, 0666);
    EXPECT_EQUAL(engine_reopen(engine, &report), STATUS_UNSAFE);
    EXPECT(strncmp(report.message, "FATAL unsafe", 12) == 0);
    EXPECT_EQUAL(engine_stop(engine), STATUS_IO);
    chmod(segment, 0600);
    EXPECT_EQUAL(again(), STATUS_OK);
    EXPECT_EQUAL(state_record_total(engine_state(engine)), 100);
    end();
}

/* Killed: nothing but what was appended is left to help. */
static void g13_proofs_survive_a_kill(void) {
    begin();
    struct proof_state before, after;
    char copy[PATH_SIZE];
    add_some(0, 50);
    EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
    engine_proof_state(engine, &before);
    turn(engine); /* writes what is buffered */
    directory_make(copy);
    directory_copy(path, copy);
    struct engine *other;
    struct engine_options others = options_for(copy);
    EXPECT_EQUAL(start_engine(&others, &other, &report), STATUS_OK);
    engine_proof_state(other, &after);
    EXPECT(proofs_equal(&before, &after));
    stop_engine(other);
    directory_remove(copy);
    end();
}

static void refusals_leave_no_trace(void) {
    begin();
    add_some(0, 10);
    struct proof_state before, after;
    engine_proof_state(engine, &before);
    EXPECT_EQUAL(submit(engine, make(&made, CHANGE_VREM, "k", "nobody")), STATUS_NO_ELEMENT);
    EXPECT_EQUAL(submit(engine, make(&made, CHANGE_DEL, "nothing", NULL)), STATUS_NO_KEY);
    struct change *change = make_vadd(&made, "k", "e1", 3);
    change->flags |= CHANGE_NX;
    EXPECT_EQUAL(submit(engine, change), STATUS_CONDITION);
    engine_proof_state(engine, &after);
    EXPECT(proofs_equal(&before, &after));
    end();
}

/* The disk is full: no entry, no change, no seal; and when it is not any more, all goes on. */
static void a_full_disk_changes_nothing(void) {
    begin();
    add_some(0, 10);
    turn(engine);
    struct roots before, after;
    uint64_t size = engine_size(engine);
    EXPECT_EQUAL(recompute_all(engine_state(engine), false, &before), STATUS_OK);
    world.full = true;
    EXPECT_EQUAL(submit(engine, make_vadd(&made, "k", "late", 1)), STATUS_NO_SPACE);
    EXPECT(engine_refusing(engine));
    EXPECT_EQUAL(submit(engine, make(&made, CHANGE_VREM, "k", "e1")), STATUS_NO_SPACE);
    EXPECT_EQUAL(engine_seal(engine), STATUS_NO_SPACE);
    EXPECT_EQUAL(recompute_all(engine_state(engine), false, &after), STATUS_OK);
    EXPECT_BYTES(before.state_root, after.state_root, SHA256_SIZE);
    EXPECT_EQUAL(state_record_total(engine_state(engine)), 10);
    EXPECT_EQUAL(engine_size(engine), size);

    world.monotonic += 100000;
    EXPECT(turn(engine) <= world.monotonic + 100000); /* It looks every 100 ms. */
    EXPECT(engine_refusing(engine));
    world.full = false;
    world.reserves = true;
    world.monotonic += 100000;
    turn(engine);
    EXPECT(!engine_refusing(engine));
    EXPECT_EQUAL(submit(engine, make_vadd(&made, "k", "late", 1)), STATUS_OK);
    EXPECT_EQUAL(again(), STATUS_OK);
    EXPECT_EQUAL(state_record_total(engine_state(engine)), 11);
    end();
}

/* Entries never go back in time, whatever the clock does, and not over a restart either. */
static void time_does_not_go_back(void) {
    begin();
    static const int64_t jumps[] = {5, -3600000000, 0, 7, -1, 100};
    for (int i = 0; i < 6; i++) {
        world.wall = (uint64_t)((int64_t)world.wall + jumps[i]);
        add_some(i, 1);
        if (i == 3) EXPECT_EQUAL(again(), STATUS_OK); /* One that goes back is damaged. */
        if (!engine) break;
    }
    if (engine) EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
    EXPECT_EQUAL(again(), STATUS_OK);
    end();
}

/* --- Without a log ------------------------------------------------------------------------- */

static void appendonly_no_keeps_nothing_and_says_the_same(void) {
    begin();
    struct proof_state with, without;
    struct roots content[2];
    add_some(0, 60);
    EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
    engine_proof_state(engine, &with);
    EXPECT_EQUAL(recompute_all(engine_state(engine), true, &content[0]), STATUS_OK);
    end();

    world_begin();
    directory_make(path);
    options = options_for(path);
    options.log_enabled = false;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    add_some(0, 60);
    EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
    engine_proof_state(engine, &without);
    EXPECT(proofs_equal(&with, &without)); /* The clocks were equal, so the logs are as well. */
    EXPECT_EQUAL(recompute_all(engine_state(engine), true, &content[1]), STATUS_OK);
    EXPECT_BYTES(content[0].state_root, content[1].state_root, SHA256_SIZE);
    EXPECT_EQUAL(engine_acknowledged(engine), 61);
    EXPECT_EQUAL(engine_durable(engine), 61);
    struct engine_facts facts;
    engine_facts(engine, &facts);
    EXPECT(facts.log_id == NULL);
    EXPECT_EQUAL(again(), STATUS_OK);
    EXPECT_EQUAL(engine_size(engine), 0);
    EXPECT_EQUAL(state_key_total(engine_state(engine)), 0);
    end();
}

static void appendonly_no_never_over_a_log(void) {
    begin();
    add_some(0, 3);
    stop_engine(engine);
    engine = NULL;
    options.log_enabled = false;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_INVALID);
    EXPECT(engine == NULL && strstr(report.message, "holds a log") != NULL);
    options.log_enabled = true;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT_EQUAL(state_record_total(engine_state(engine)), 3);
    end();
}

/* --- Who may open ---------------------------------------------------------------------------- */

static void one_writer_only(void) {
    begin();
    struct engine *second;
    /* The lock is the process's own file description; another engine meets it all the same. */
    EXPECT_EQUAL(start_engine(&options, &second, &report), STATUS_LOCKED);
    EXPECT(second == NULL && report.message[0] != '\0');
    EXPECT_EQUAL(engine_exit_code(STATUS_LOCKED), 2);
    end();
}

static void no_directory(void) {
    world_begin();
    struct engine_options nowhere = options_for("/nowhere/at/all");
    EXPECT(start_engine(&nowhere, &engine, &report) != STATUS_OK);
    EXPECT(engine == NULL && strstr(report.message, "/nowhere/at/all") != NULL);
}

static void exit_codes(void) {
    EXPECT_EQUAL(engine_exit_code(STATUS_OK), 0);
    EXPECT_EQUAL(engine_exit_code(STATUS_INVALID), 1);
    EXPECT_EQUAL(engine_exit_code(STATUS_UNSAFE), 1);
    EXPECT_EQUAL(engine_exit_code(STATUS_CORRUPT), 3);
    EXPECT_EQUAL(engine_exit_code(STATUS_VERSION), 4);
    EXPECT_EQUAL(engine_exit_code(STATUS_FOREIGN), 5);
    EXPECT_EQUAL(engine_exit_code(STATUS_IO), 74);
    EXPECT_EQUAL(engine_exit_code(STATUS_NO_SPACE), 74);
}

int main(void) {
    RUN(an_empty_one_has_empty_roots);
    RUN(g13_proofs_survive_a_restart);
    RUN(g13_proofs_survive_a_reopening);
    RUN(a_reopening_refuses_what_a_start_refuses);
    RUN(g13_proofs_survive_a_kill);
    RUN(refusals_leave_no_trace);
    RUN(a_full_disk_changes_nothing);
    RUN(time_does_not_go_back);
    RUN(appendonly_no_keeps_nothing_and_says_the_same);
    RUN(appendonly_no_never_over_a_log);
    RUN(one_writer_only);
    RUN(no_directory);
    RUN(exit_codes);
    return test_finish();
}
