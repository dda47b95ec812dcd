/* Starting from a snapshot: one state by every road, and none from a damaged file. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "unit/engine/saves.h"

static char path[PATH_SIZE];
static struct engine_options options;
static struct engine *engine;
static struct engine_report report;

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

static void go_on(struct history *history, int count) {
    for (int i = 0; i < count; i++) {
        struct change change;
        history_next(history, &change);
        submit(engine, &change);
        if (history_below(history, 50) == 0) turn(engine);
    }
}

/* G12: from the beginning, from either snapshot, and the live one: one root, one index. */
static void all_roads(uint64_t seed, bool graphs) {
    struct history history;
    struct portrait live, other;
    begin();
    if (graphs) history_begin_graphs(&history, seed, 200);
    else history_begin(&history, seed, 60);
    for (int round = 0; round < 3; round++) {
        go_on(&history, (int)history_below(&history, 600));
        EXPECT_EQUAL(save_now(engine), STATUS_OK);
    }
    go_on(&history, (int)history_below(&history, 300));
    draw_portrait(engine, &live);
    struct snapshot_fact facts[2];
    EXPECT_EQUAL(engine_snapshots(engine, facts, 2), 2);

    EXPECT_EQUAL(again(), STATUS_OK);
    EXPECT_EQUAL(report.snapshot_entries, facts[0].entries);
    draw_portrait(engine, &other);
    EXPECT(portraits_equal(&live, &other));

    flip_byte(snapshot_path(path, facts[0].entries), (long)(history_random(&history) % 5000));
    EXPECT_EQUAL(again(), STATUS_OK);
    EXPECT_EQUAL(report.snapshot_entries, facts[1].entries);
    EXPECT(strstr(report.warning, "is passed over") != NULL);
    draw_portrait(engine, &other);
    EXPECT(portraits_equal(&live, &other));

    options.no_snapshots = true;
    EXPECT_EQUAL(again(), STATUS_OK);
    EXPECT_EQUAL(report.snapshot_entries, 0);
    draw_portrait(engine, &other);
    EXPECT(portraits_equal(&live, &other));
    end();
}

static void g12_all_roads_lead_to_one_state(void) {
    for (uint64_t seed = 1; seed <= 12; seed++) all_roads(seed, seed % 3 == 0);
}

/* A server that was started from a snapshot goes on as one that replayed everything. */
static void g12_what_follows_is_the_same(void) {
    for (uint64_t seed = 50; seed < 56; seed++) {
        struct history history, kept;
        struct portrait first, second;
        begin();
        history_begin_graphs(&history, seed, 200);
        go_on(&history, 900);
        EXPECT_EQUAL(save_now(engine), STATUS_OK);
        stop_engine(engine);
        engine = NULL;
        char copy[PATH_SIZE];
        directory_make(copy);
        directory_copy(path, copy);
        kept = history;

        EXPECT_EQUAL(again(), STATUS_OK);
        EXPECT(report.snapshot_entries > 0);
        go_on(&history, 500);
        EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
        draw_portrait(engine, &first);
        stop_engine(engine);
        engine = NULL;

        options.directory = copy;
        options.no_snapshots = true;
        history = kept;
        EXPECT_EQUAL(again(), STATUS_OK);
        go_on(&history, 500);
        EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
        draw_portrait(engine, &second);
        EXPECT(portraits_equal(&first, &second));
        stop_engine(engine);
        engine = NULL;
        directory_remove(copy);
        end();
    }
}

/* Every damaged bit of a small one is found; both damaged, the log tells everything. */
static void no_damage_is_loaded(void) {
    struct history history;
    struct portrait live, other;
    begin();
    history_begin(&history, 3, 20);
    go_on(&history, 60);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    uint64_t entries = engine_size(engine);
    draw_portrait(engine, &live);
    struct stat facts;
    const char *name = snapshot_path(path, entries);
    EXPECT_EQUAL(stat(name, &facts), 0);
    for (long offset = 0; offset < facts.st_size; offset += 97) {
        flip_byte(name, offset);
        EXPECT_EQUAL(again(), STATUS_OK);
        EXPECT_EQUAL(report.snapshot_entries, 0);
        EXPECT(strstr(report.warning, "is passed over") != NULL);
        draw_portrait(engine, &other);
        EXPECT(portraits_equal(&live, &other));
        struct snapshot_verdict verdict;
        EXPECT_EQUAL(engine_verify_snapshot(posix_os(), os_allocator(), path,
                                            strrchr(name, '/') + 1, &verdict),
                     STATUS_CORRUPT);
        EXPECT(verdict.message[0]);
        flip_byte(name, offset);
        EXPECT_EQUAL(engine_verify_snapshot(posix_os(), os_allocator(), path,
                                            strrchr(name, '/') + 1, &verdict),
                     STATUS_OK);
        EXPECT_BYTES(verdict.state_root, live.state.state_root, SHA256_SIZE);
        EXPECT_EQUAL(verdict.entries, entries);
    }
    end();
}

static void a_snapshot_of_another_log_is_refused(void) {
    struct history history;
    char other[PATH_SIZE], from[PATH_SIZE + 64];
    begin();
    history_begin(&history, 3, 20);
    go_on(&history, 30);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    uint64_t entries = engine_size(engine);
    snprintf(from, sizeof from, "%s", snapshot_path(path, entries));
    stop_engine(engine);
    engine = NULL;
    directory_make(other);
    options.directory = other;
    file_copy(from, snapshot_path(other, entries));
    EXPECT_EQUAL(again(), STATUS_FOREIGN);
    EXPECT(strstr(report.message, "the log that it belongs to is missing") != NULL);
    unlink(snapshot_path(other, entries));
    EXPECT_EQUAL(again(), STATUS_OK);
    go_on(&history, 30);
    stop_engine(engine);
    engine = NULL;
    file_copy(from, snapshot_path(other, entries));
    EXPECT_EQUAL(again(), STATUS_FOREIGN);
    EXPECT(strstr(report.message, "another log") != NULL);
    directory_remove(other);
    end();
}

static void a_snapshot_beyond_the_log_is_refused(void) {
    struct history history;
    char copy[PATH_SIZE];
    begin();
    history_begin(&history, 3, 20);
    go_on(&history, 30);
    stop_engine(engine);
    engine = NULL;
    directory_make(copy);
    directory_copy(path, copy);
    EXPECT_EQUAL(again(), STATUS_OK);
    go_on(&history, 10);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    uint64_t entries = engine_size(engine);
    stop_engine(engine);
    engine = NULL;
    char from[PATH_SIZE + 64];
    snprintf(from, sizeof from, "%s", snapshot_path(path, entries));
    file_copy(from, snapshot_path(copy, entries));
    options.directory = copy;
    EXPECT_EQUAL(again(), STATUS_FOREIGN);
    directory_remove(copy);
    end();
}

int main(void) {
    RUN(g12_all_roads_lead_to_one_state);
    RUN(g12_what_follows_is_the_same);
    RUN(no_damage_is_loaded);
    RUN(a_snapshot_of_another_log_is_refused);
    RUN(a_snapshot_beyond_the_log_is_refused);
    return test_finish();
}
