/* Tree files are made, segments go, and nothing of the log tree is lost. */
#include "storage/log_upkeep.h"

#include "storage/cursor.h"
#include "storage/log_tree.h"
#include "unit/storage/fixture.h"

enum { SEGMENT = 30000 };

static void fill(struct fixture *f, uint64_t count) {
    while (log_size(f->log) < count) {
        fixture_append_many(f, 5);
        EXPECT_EQUAL(log_flush(f->log), STATUS_OK);
        EXPECT_EQUAL(log_sync_start(f->log), STATUS_OK);
        EXPECT_EQUAL(log_sync_poll(f->log, true), STATUS_OK);
    }
}

static void make_log(struct fixture *f, const struct sim_image *image, uint64_t count) {
    fixture_begin(f, image);
    f->options.segment_size = SEGMENT;
    EXPECT_EQUAL(fixture_boot(f), STATUS_OK);
    fill(f, count);
}

/* Do all upkeep that is wanted; gives the number of jobs. */
static unsigned keep_up(struct fixture *f, const struct upkeep_wish *wish) {
    struct log_upkeep job;
    enum status status;
    unsigned jobs = 0;
    while ((status = log_upkeep_pick(f->log, wish, &job)) == STATUS_OK) {
        log_upkeep_work(&job);
        EXPECT_EQUAL(log_upkeep_done(f->log, &job), STATUS_OK);
        if (job.status || jobs++ > 100) break;
    }
    EXPECT_EQUAL(status, STATUS_END);
    return jobs;
}

static void expect_tree(struct fixture *f, uint64_t size) {
    for (uint64_t i = 0; i < size; i += 3) {
        struct log_proof proof;
        uint8_t leaf[SHA256_SIZE], wanted[SHA256_SIZE], root[SHA256_SIZE];
        struct sample sample;
        EXPECT_EQUAL(log_tree_leaf(f->log, i, leaf), STATUS_OK);
        sample_make(&sample, i);
        rfc6962_leaf(sample.entry.head, sample.entry.body, wanted);
        EXPECT_BYTES(leaf, wanted, SHA256_SIZE);
        EXPECT_EQUAL(log_tree_inclusion(f->log, i, size, &proof), STATUS_OK);
        EXPECT_EQUAL(log_tree_root(f->log, size, root), STATUS_OK);
        EXPECT(
            rfc6962_verify_inclusion(i, size, leaf, proof.hashes[0], proof.count, root));
    }
    expect_entries(f, size);
}

/* What a snapshot of everything would say. */
static void cover_of(struct fixture *f, uint64_t size, struct log_cover *cover) {
    memcpy(cover->log_id, log_id(f->log), LOG_ID_SIZE);
    EXPECT_EQUAL(log_range_at(f->log, size, &cover->range), STATUS_OK);
}

static bool exists(const struct fixture *f, const char *name) {
    struct sim_image image;
    sim_snapshot(f->sim, &image);
    bool found = sim_image_find(&image, name) != NULL;
    sim_image_free(&image);
    return found;
}

static void every_complete_segment_gets_a_tree_file(void) {
    struct fixture f;
    make_log(&f, NULL, 700);
    EXPECT(log_segment_count(f.log) > 10);
    struct upkeep_wish wish = {.trim_to = 0};
    EXPECT_EQUAL(keep_up(&f, &wish), log_segment_count(f.log) - 1);
    EXPECT_EQUAL(keep_up(&f, &wish), 0);
    EXPECT(exists(&f, "valori-00000001.tree"));
    EXPECT(!exists(&f, "valori-00000001.tree.tmp"));
    expect_tree(&f, 700);
    fixture_end(&f);
}

static void G11_segments_go_up_to_the_place_and_proofs_stay(void) {
    struct fixture f;
    make_log(&f, NULL, 700);
    for (uint64_t to = 0; to <= 700; to += 70) {
        struct upkeep_wish wish = {.trim_to = to};
        uint64_t place = log_trim_place(f.log, to);
        keep_up(&f, &wish);
        EXPECT_EQUAL(log_first(f.log), place);
        EXPECT(place <= to);
        expect_tree(&f, 700);
    }
    EXPECT(log_first(f.log) > 600);
    EXPECT_EQUAL(log_segment_count(f.log), 1);
    EXPECT(!exists(&f, first_name));
    struct log_cursor cursor;
    log_cursor_begin(&cursor, f.log);
    EXPECT_EQUAL(log_cursor_seek(&cursor, log_first(f.log) - 1), STATUS_RANGE);
    EXPECT_EQUAL(log_cursor_seek(&cursor, log_first(f.log)), STATUS_OK);
    log_cursor_end(&cursor);
    fill(&f, 800);
    expect_tree(&f, 800);
    fixture_end(&f);
}

/* Starts after a trim: with the tree files, without some, with damaged ones. */
static void starts_know_the_tree_of_what_went(void) {
    struct fixture f;
    struct sim_image image;
    struct log_cover cover;
    make_log(&f, NULL, 700);
    struct upkeep_wish wish = {.trim_to = 400};
    keep_up(&f, &wish);
    cover_of(&f, 650, &cover);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    sim_snapshot(f.sim, &image);
    fixture_end(&f);

    fixture_begin(&f, &image);
    f.options.segment_size = SEGMENT;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_FOREIGN);
    log_close(f.log);
    f.log = NULL;
    f.cover = &cover;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    EXPECT(f.report.bytes < 3 * SEGMENT); /* the others were not read */
    expect_tree(&f, 700);
    fixture_end(&f);
    sim_image_free(&image);
}

static void a_missing_tree_file_is_made_from_the_segment(void) {
    struct fixture f;
    struct sim_image image;
    struct log_cover cover;
    make_log(&f, NULL, 700);
    struct upkeep_wish wish = {.trim_to = 300};
    keep_up(&f, &wish);
    cover_of(&f, 690, &cover);
    sim_snapshot(f.sim, &image);
    char name[SEGMENT_NAME_SIZE];
    tree_name(10, name);
    EXPECT(sim_image_find(&image, name) != NULL);
    fixture_end(&f);
    for (int damage = 0; damage < 2; damage++) {
        struct sim_file_image *file = sim_image_find(&image, name);
        if (damage) file->data[600] ^= 1; /* a root, which only its hash tells */
        else sim_image_remove(&image, name);
        fixture_begin(&f, &image);
        f.options.segment_size = SEGMENT;
        f.cover = &cover;
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        expect_tree(&f, 700);
        EXPECT_EQUAL(keep_up(&f, &wish) > 0, !damage);
        expect_tree(&f, 700);
        sim_image_free(&image);
        sim_snapshot(f.sim, &image);
        fixture_end(&f);
    }
    sim_image_free(&image);
}

static void without_tree_files_the_snapshot_begins_the_tree(void) {
    struct fixture f;
    struct sim_image image;
    struct log_cover cover;
    make_log(&f, NULL, 700);
    struct upkeep_wish wish = {.trim_to = 300};
    keep_up(&f, &wish);
    cover_of(&f, 500, &cover);
    sim_snapshot(f.sim, &image);
    fixture_end(&f);
    for (uint64_t i = 1; i < 30; i++) {
        char name[SEGMENT_NAME_SIZE];
        tree_name(i, name);
        if (sim_image_find(&image, name)) sim_image_remove(&image, name);
    }
    fixture_begin(&f, &image);
    f.options.segment_size = SEGMENT;
    f.cover = &cover;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, 700);
    uint8_t leaf[SHA256_SIZE], root[SHA256_SIZE], wanted[SHA256_SIZE];
    EXPECT_EQUAL(log_tree_leaf(f.log, 499, leaf), STATUS_RANGE);
    EXPECT_EQUAL(log_tree_leaf(f.log, 500, leaf), STATUS_OK);
    EXPECT_EQUAL(log_tree_root(f.log, 500, root), STATUS_OK);
    sample_root(500, wanted);
    EXPECT_BYTES(root, wanted, SHA256_SIZE);
    struct log_proof proof;
    EXPECT_EQUAL(log_tree_consistency(f.log, 500, 700, &proof), STATUS_OK);
    /* The one that holds entry 500 gets no file; those behind it do, and all may go. */
    wish.trim_to = 700;
    EXPECT(keep_up(&f, &wish) > 0);
    EXPECT_EQUAL(log_segment_count(f.log), 1);
    EXPECT_EQUAL(log_tree_leaf(f.log, 690, leaf), STATUS_OK);
    fixture_end(&f);
    sim_image_free(&image);
}

static void the_archive_holds_what_went(void) {
    struct fixture f;
    struct sim_image before, after;
    make_log(&f, NULL, 300);
    sim_snapshot(f.sim, &before);
    struct upkeep_wish wish = {.trim_to = 300};
    const struct os *os = sim_os(f.sim);
    EXPECT_EQUAL(os->directory_open(os, "archive", &wish.archive), STATUS_OK);
    keep_up(&f, &wish);
    sim_snapshot(f.sim, &after);
    EXPECT(sim_image_find(&after, first_name) == NULL);
    const struct sim_file_image *kept =
        sim_image_find(&after, "archive/valori-00000001.log");
    const struct sim_file_image *was = sim_image_find(&before, first_name);
    EXPECT(kept != NULL && kept->size <= was->size);
    if (kept) EXPECT_BYTES(kept->data, was->data, kept->size);
    sim_image_free(&before);
    sim_image_free(&after);
    fixture_end(&f);
}

/* Another file of that name is not overwritten, and the segment stays. */
static void the_archive_is_not_overwritten(void) {
    struct fixture f;
    struct log_upkeep job;
    make_log(&f, NULL, 100);
    struct upkeep_wish wish = {.trim_to = 0};
    const struct os *os = sim_os(f.sim);
    keep_up(&f, &wish);
    struct file *file;
    EXPECT_EQUAL(os->directory_open(os, "archive", &wish.archive), STATUS_OK);
    EXPECT_EQUAL(os->file_open(os, wish.archive, first_name, FILE_CREATE, &file),
                 STATUS_OK);
    os->file_close(os, file);
    wish.trim_to = 100;
    EXPECT_EQUAL(log_upkeep_pick(f.log, &wish, &job), STATUS_OK);
    log_upkeep_work(&job);
    EXPECT_EQUAL(log_upkeep_done(f.log, &job), STATUS_EXISTS);
    EXPECT_EQUAL(log_first(f.log), 0);
    EXPECT(exists(&f, first_name));
    fixture_end(&f);
}

/* A segment that is damaged gets no tree file, and so it stays. */
static void a_damaged_segment_stays(void) {
    struct fixture f;
    struct log_upkeep job;
    make_log(&f, NULL, 100);
    const struct os *os = sim_os(f.sim);
    struct file *file;
    EXPECT_EQUAL(os->file_open(os, f.directory, first_name, FILE_WRITE, &file),
                 STATUS_OK);
    EXPECT_EQUAL(os->file_write(os, file, 9000, "damage", 6), STATUS_OK);
    os->file_close(os, file);
    struct upkeep_wish wish = {.trim_to = 100};
    EXPECT_EQUAL(log_upkeep_pick(f.log, &wish, &job), STATUS_OK);
    EXPECT_EQUAL(job.kind, UPKEEP_TREE);
    log_upkeep_work(&job);
    EXPECT_EQUAL(log_upkeep_done(f.log, &job), STATUS_CORRUPT);
    EXPECT(exists(&f, first_name));
    EXPECT(!exists(&f, "valori-00000001.tree"));
    EXPECT(!exists(&f, "valori-00000001.tree.tmp"));
    fixture_end(&f);
}

/* Every call may fail: the log stays what it was, and the next try does it. */
static void every_failure_leaves_the_log_whole(int error) {
    for (uint64_t call = 0;; call++) {
        struct fixture f;
        struct log_upkeep job;
        make_log(&f, NULL, 60);
        struct upkeep_wish wish = {.trim_to = 60};
        const struct os *os = sim_os(f.sim);
        EXPECT_EQUAL(os->directory_open(os, "archive", &wish.archive), STATUS_OK);
        sim_set_fault(f.sim, sim_calls(f.sim) + call, SIM_FAULT_FAIL, error, false);
        while (log_upkeep_pick(f.log, &wish, &job) == STATUS_OK) {
            log_upkeep_work(&job);
            if (log_upkeep_done(f.log, &job)) break;
        }
        bool hit = sim_fault_hit(f.sim);
        sim_set_fault(f.sim, 0, SIM_FAULT_NONE, 0, false);
        keep_up(&f, &wish);
        expect_tree(&f, 60);
        EXPECT_EQUAL(log_segment_count(f.log), 1);
        EXPECT(!exists(&f, first_name) && exists(&f, "archive/valori-00000001.log"));
        fixture_end(&f);
        if (!hit) break;
    }
}
static void failures_leave_the_log_whole(void) { every_failure_leaves_the_log_whole(5); }
static void what_is_not_found_is_no_leave_to_remove(void) {
    every_failure_leaves_the_log_whole(2);
}

int main(void) {
    RUN(every_complete_segment_gets_a_tree_file);
    RUN(G11_segments_go_up_to_the_place_and_proofs_stay);
    RUN(starts_know_the_tree_of_what_went);
    RUN(a_missing_tree_file_is_made_from_the_segment);
    RUN(without_tree_files_the_snapshot_begins_the_tree);
    RUN(the_archive_holds_what_went);
    RUN(the_archive_is_not_overwritten);
    RUN(a_damaged_segment_stays);
    RUN(failures_leave_the_log_whole);
    RUN(what_is_not_found_is_no_leave_to_remove);
    return test_finish();
}
