/* What of the log goes, and when: never before two verified snapshots cover it. */
#define _DEFAULT_SOURCE /* for fixture.h */
#define _GNU_SOURCE
#include "test.h"

#include "engine/log_access.h"
#include "unit/engine/saves.h"

static char path[PATH_SIZE], archive[PATH_SIZE];
static struct engine_options options;
static struct engine *engine;
static struct engine_report report;
static struct made made;
static int added;

static void begin(void) {
    world_begin();
    world.os.task_start = NULL; /* its work is done in the turn */
    directory_make(path);
    directory_make(archive);
    options = options_for(path);
    options.segment_size = 4000;
    added = 0;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
}
static void end(void) {
    if (engine) stop_engine(engine);
    engine = NULL;
    directory_remove(path);
    directory_remove(archive);
}

static void add_some(int count) {
    char name[12];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "e%d", added++);
        EXPECT_EQUAL(submit(engine, make_vadd(&made, "k", name, added)), STATUS_OK);
        if (i % 5 == 4) turn(engine);
    }
}

static void keep_up(void) {
    for (int i = 0; i < 200; i++) {
        world.monotonic += 1000;
        turn(engine);
    }
}

static uint64_t first(void) {
    struct upkeep_facts facts;
    engine_upkeep_facts(engine, &facts);
    return facts.first;
}

static bool lies_in(const char *directory, const char *name) {
    char full[PATH_SIZE + 100];
    snprintf(full, sizeof full, "%s/%s", directory, name);
    return access(full, F_OK) == 0;
}

static void G11_two_verified_snapshots_must_cover_it(void) {
    begin();
    options.trim = true;
    engine_set_trim(engine, true, 0);
    add_some(60);
    keep_up();
    EXPECT_EQUAL(first(), 0);
    EXPECT_EQUAL(engine_trim_limit(engine), 0);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    uint64_t covered = engine_size(engine);
    add_some(60);
    keep_up();
    EXPECT_EQUAL(engine_trim_limit(engine), 0);
    EXPECT_EQUAL(first(), 0); /* one is not enough */
    EXPECT(lies_in(path, "valori-00000001.tree"));
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    EXPECT_EQUAL(engine_trim_limit(engine), covered);
    keep_up();
    EXPECT_EQUAL(first(), covered); /* the segment ended where the snapshot did */
    EXPECT(!lies_in(path, "valori-00000001.log"));
    EXPECT(lies_in(path, "valori-00000001.tree"));
    end();
}

/* Snapshots that were found, and not loaded, do not count: nobody has verified them. */
static void G11_what_was_not_verified_does_not_count(void) {
    begin();
    for (int i = 0; i < 2; i++) {
        add_some(40);
        EXPECT_EQUAL(save_now(engine), STATUS_OK);
    }
    EXPECT(engine_trim_limit(engine) > 0);
    stop_engine(engine);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT_EQUAL(engine_trim_limit(engine), 0);
    uint64_t loaded = report.snapshot_entries;
    add_some(10);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    EXPECT_EQUAL(engine_trim_limit(engine), loaded);
    end();
}

static void trimming_on_request(void) {
    begin();
    uint64_t place;
    add_some(60);
    EXPECT_EQUAL(engine_trim(engine, 10, &place), STATUS_RANGE);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    add_some(60);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    uint64_t limit = engine_trim_limit(engine);
    keep_up();
    EXPECT_EQUAL(first(), 0); /* nothing goes by itself */
    EXPECT_EQUAL(engine_trim(engine, limit + 1, &place), STATUS_RANGE);
    EXPECT_EQUAL(engine_trim(engine, 20, &place), STATUS_OK);
    keep_up();
    EXPECT(place > 0 && place <= 20);
    EXPECT_EQUAL(first(), place);
    EXPECT_EQUAL(engine_trim(engine, limit, &place), STATUS_OK);
    keep_up();
    EXPECT_EQUAL(first(), limit);
    end();
}

static void the_newest_bytes_are_kept(void) {
    begin();
    engine_set_trim(engine, true, 9000);
    for (int i = 0; i < 5; i++) {
        add_some(30);
        EXPECT_EQUAL(save_now(engine), STATUS_OK);
        keep_up();
    }
    struct engine_facts facts;
    engine_facts(engine, &facts);
    EXPECT(first() > 0);
    EXPECT(facts.log_disk_bytes >= 9000);
    EXPECT(facts.log_disk_bytes < 40000);
    end();
}

/* G12: a start from the snapshot and the rest finds what was there, and proofs of old
 * entries still hold. */
static void G12_starts_after_a_trim(void) {
    begin();
    engine_set_trim(engine, true, 0);
    add_some(100);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    add_some(40);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    add_some(25);
    keep_up();
    EXPECT(first() > 80);
    uint8_t leaf[SHA256_SIZE], again[SHA256_SIZE];
    EXPECT_EQUAL(log_tree_leaf(engine_log(engine), 7, leaf), STATUS_OK);
    struct portrait before, after;
    draw_portrait(engine, &before);
    stop_engine(engine);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    draw_portrait(engine, &after);
    EXPECT(portraits_equal(&before, &after));
    EXPECT(report.snapshot_entries > 0);
    EXPECT_EQUAL(log_tree_leaf(engine_log(engine), 7, again), STATUS_OK);
    EXPECT_BYTES(leaf, again, SHA256_SIZE);
    end();
}

/* The newest snapshot is damaged: the one before it covers what was trimmed. With both
 * damaged nothing does, and the start is refused. */
static void G12_damaged_snapshots_after_a_trim(void) {
    begin();
    engine_set_trim(engine, true, 0);
    add_some(100);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    uint64_t older = engine_size(engine);
    add_some(40);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    uint64_t newer = engine_size(engine);
    add_some(25);
    keep_up();
    EXPECT(first() > 80);
    struct portrait before, after;
    draw_portrait(engine, &before);
    stop_engine(engine);
    flip_byte(snapshot_path(path, newer), 5000);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT(report.warning[0] != 0);
    EXPECT_EQUAL(report.snapshot_entries, older);
    draw_portrait(engine, &after);
    EXPECT(portraits_equal(&before, &after));
    stop_engine(engine);
    flip_byte(snapshot_path(path, older), 5000);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_CORRUPT);
    EXPECT(strstr(report.message, "no snapshot that is whole covers") != NULL);
    unlink(snapshot_path(path, older));
    unlink(snapshot_path(path, newer));
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_FOREIGN);
    EXPECT(strstr(report.message, "valori-00000001.log is missing") != NULL);
    end();
}

static void the_archive_gets_what_goes(void) {
    begin();
    stop_engine(engine);
    options.trim = true;
    options.archive_directory = archive;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    add_some(60);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    add_some(60);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    keep_up();
    EXPECT(first() > 0);
    EXPECT(!lies_in(path, "valori-00000001.log"));
    EXPECT(lies_in(archive, "valori-00000001.log"));
    struct upkeep_facts facts;
    engine_upkeep_facts(engine, &facts);
    EXPECT_EQUAL(facts.archived, facts.segments);
    end();
}

static void an_archive_that_is_a_data_directory_is_refused(void) {
    begin();
    stop_engine(engine);
    options.archive_directory = path;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_INVALID);
    EXPECT(strstr(report.message, "is a data directory") != NULL);
    options.archive_directory = "/nonexistent/archive";
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_INVALID);
    EXPECT(strstr(report.message, "cannot open log-archive-dir") != NULL);
    engine = NULL;
    end();
}

/* A failure is told, and tried again after a while. */
static void failures_are_tried_again(void) {
    begin();
    engine_set_trim(engine, true, 0);
    add_some(60);
    keep_up();
    struct upkeep_facts facts;
    char name[PATH_SIZE + 40];
    engine_upkeep_facts(engine, &facts);
    EXPECT_EQUAL(facts.failures, 0);
    stop_engine(engine);
    snprintf(name, sizeof name, "%s/valori-00000001.tree", path);
    unlink(name);
    snprintf(name, sizeof name, "%s/valori-00000001.tree.tmp", path);
    EXPECT_EQUAL(mkdir(name, 0700), 0); /* what cannot be removed by name */
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    keep_up();
    engine_upkeep_facts(engine, &facts);
    EXPECT_EQUAL(facts.failures, 1);
    EXPECT(strstr(facts.message, "valori-00000001.log: ") != NULL);
    EXPECT_EQUAL(rmdir(name), 0);
    world.monotonic += 11000000;
    keep_up();
    engine_upkeep_facts(engine, &facts);
    EXPECT_EQUAL(facts.failures, 1);
    EXPECT_EQUAL(facts.last, STATUS_OK);
    EXPECT(lies_in(path, "valori-00000001.tree"));
    end();
}

/* The same with the thread. */
static void a_thread_does_it(void) {
    begin();
    stop_engine(engine);
    world.os.task_start = posix_os()->task_start;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    engine_set_trim(engine, true, 0);
    add_some(60);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    add_some(60);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    for (int i = 0; i < 2000 && first() == 0; i++) {
        world.os.task_wait(&world.os, UINT64_MAX);
        turn(engine);
    }
    EXPECT(first() > 0);
    end();
}

int main(void) {
    RUN(G11_two_verified_snapshots_must_cover_it);
    RUN(G11_what_was_not_verified_does_not_count);
    RUN(trimming_on_request);
    RUN(the_newest_bytes_are_kept);
    RUN(G12_starts_after_a_trim);
    RUN(G12_damaged_snapshots_after_a_trim);
    RUN(the_archive_gets_what_goes);
    RUN(an_archive_that_is_a_data_directory_is_refused);
    RUN(failures_are_tried_again);
    RUN(a_thread_does_it);
    return test_finish();
}
