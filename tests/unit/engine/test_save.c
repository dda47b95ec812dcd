/* Saving while the engine goes on, and what becomes of it when something fails. */
#define _DEFAULT_SOURCE /* for fixture.h */
#define _GNU_SOURCE     /* for memmem() */
#include "test.h"

#include "unit/engine/saves.h"

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

static void add_some(int from, int count) {
    char name[12];
    for (int i = from; i < from + count; i++) {
        snprintf(name, sizeof name, "e%d", i);
        EXPECT_EQUAL(submit(engine, make_vadd(&made, "k", name, i)), STATUS_OK);
    }
}

static size_t count_files(const char *suffix) {
    size_t count = 0;
    DIR *directory = opendir(path);
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t size = strlen(entry->d_name), wanted = strlen(suffix);
        count += size > wanted && strcmp(entry->d_name + size - wanted, suffix) == 0;
    }
    closedir(directory);
    return count;
}

static void a_save_ends_in_a_seal(void) {
    begin();
    struct save_facts facts;
    add_some(0, 100);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    EXPECT_EQUAL(engine_size(engine), 101);
    EXPECT_EQUAL(access(snapshot_path(path, 101), F_OK), 0);
    engine_save_facts(engine, &facts);
    EXPECT_EQUAL(facts.history.saves, 1);
    EXPECT_EQUAL(facts.history.entries, 101);
    EXPECT_EQUAL(facts.history.changes, 100);
    EXPECT_EQUAL(facts.history.wall_us, world.wall);
    EXPECT_EQUAL(save_now(engine), STATUS_OK); /* Sealed already: the same file once more. */
    EXPECT_EQUAL(engine_size(engine), 101);
    EXPECT_EQUAL(count_files(".snap"), 1);
    end();
}

static void an_empty_engine_can_be_saved(void) {
    begin();
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    EXPECT_EQUAL(engine_size(engine), 1);
    stop_engine(engine);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT_EQUAL(report.snapshot_entries, 1);
    end();
}

/* G10: the file holds the state of its SEAL, whatever is written while it is made. */
static void g10_writes_go_on(void) {
    begin();
    add_some(0, 500);
    EXPECT_EQUAL(engine_save(engine), STATUS_OK);
    EXPECT_EQUAL(engine_save(engine), STATUS_AGAIN);
    turn(engine);
    add_some(500, 300);
    EXPECT_EQUAL(submit(engine, make(&made, CHANGE_DEL, "k", NULL)), STATUS_OK);
    add_some(7, 5);
    EXPECT_EQUAL(finish_save(engine), STATUS_OK);
    struct portrait before, after;
    draw_portrait(engine, &before);
    stop_engine(engine);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT_EQUAL(report.snapshot_entries, 501);
    draw_portrait(engine, &after);
    EXPECT(portraits_equal(&before, &after));
    end();
}

static void two_are_kept(void) {
    begin();
    struct snapshot_fact facts[8];
    for (int round = 0; round < 4; round++) {
        add_some(round * 10, 10);
        EXPECT_EQUAL(save_now(engine), STATUS_OK);
    }
    EXPECT_EQUAL(count_files(".snap"), 2);
    EXPECT_EQUAL(engine_snapshots(engine, facts, 8), 2);
    EXPECT_EQUAL(facts[0].entries, 44);
    EXPECT_EQUAL(facts[1].entries, 33);
    EXPECT(facts[0].verified && facts[1].verified);
    end();
}

static void deleted_bytes_are_not_saved(void) {
    begin();
    static uint8_t bytes[1 << 20];
    add_some(0, 50);
    EXPECT_EQUAL(submit(engine, make_setattr(&made, "k", "e3", "a secret")), STATUS_OK);
    EXPECT_EQUAL(submit(engine, make(&made, CHANGE_DEL, "k", NULL)), STATUS_OK);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    FILE *file = fopen(snapshot_path(path, engine_size(engine)), "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    EXPECT(size > 5000);
    EXPECT(memmem(bytes, size, "a secret", 8) == NULL);
    end();
}

/* G10: a failure costs the new file and nothing else. */
static void g10_a_full_disk_costs_the_new_file(void) {
    begin();
    struct save_facts facts;
    add_some(0, 50);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    add_some(50, 50);
    EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
    turn(engine);
    world.full = true;
    EXPECT_EQUAL(save_now(engine), STATUS_NO_SPACE);
    engine_save_facts(engine, &facts);
    EXPECT_EQUAL(facts.history.failures, 1);
    EXPECT(strstr(facts.history.message, "writing it") != NULL);
    EXPECT_EQUAL(facts.history.entries, 51);
    world.full = false;
    EXPECT_EQUAL(count_files(".snap"), 1);
    EXPECT_EQUAL(count_files(".snap.tmp"), 0);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    EXPECT_EQUAL(count_files(".snap"), 2);
    end();
}

static void stopping_gives_it_up(void) {
    begin();
    add_some(0, 500);
    for (int round = 0; round < 20; round++) {
        EXPECT_EQUAL(engine_save(engine), STATUS_OK);
        turn(engine);
        usleep((unsigned)round * 100);
        stop_engine(engine);
        EXPECT_EQUAL(count_files(".snap.tmp"), 0);
        EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
        EXPECT_EQUAL(state_record_total(engine_state(engine)), 500);
    }
    end();
}

static void what_interrupted_saves_left_goes_with_the_next(void) {
    begin();
    char name[PATH_SIZE + 80];
    snprintf(name, sizeof name, "%s.tmp", snapshot_path(path, 7));
    FILE *file = fopen(name, "wb");
    fclose(file);
    add_some(0, 5);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    EXPECT_EQUAL(count_files(".snap.tmp"), 0);
    end();
}

/* Without threads a piece is written each turn. */
static void threads_are_not_needed(void) {
    begin();
    world.os.task_start = NULL;
    add_some(0, 500);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    add_some(500, 50);
    struct portrait before, after;
    draw_portrait(engine, &before);
    stop_engine(engine);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT_EQUAL(report.snapshot_entries, 501);
    draw_portrait(engine, &after);
    EXPECT(portraits_equal(&before, &after));
    end();
}

int main(void) {
    RUN(a_save_ends_in_a_seal);
    RUN(an_empty_engine_can_be_saved);
    RUN(g10_writes_go_on);
    RUN(two_are_kept);
    RUN(deleted_bytes_are_not_saved);
    RUN(g10_a_full_disk_costs_the_new_file);
    RUN(stopping_gives_it_up);
    RUN(what_interrupted_saves_left_goes_with_the_next);
    RUN(threads_are_not_needed);
    return test_finish();
}
