/* The map: the log's root after any number of entries, and the place of any of them, in a log
 * that was appended to and in one that was found. */
#include "fixture.h"
#include "storage/cursor.h"

enum { ENTRIES = 5000 };

static uint8_t roots[ENTRIES + 1][SHA256_SIZE];

/* Short entries, so that five rows of the map are quick to fill. */
static void append_short(struct fixture *f, uint64_t sequence) {
    uint8_t head[68] = {0}, leaf[SHA256_SIZE];
    memcpy(head, &sequence, sizeof sequence);
    struct log_entry entry = {.type = 3, .head = slice_of(head, sizeof head)};
    EXPECT_EQUAL(log_append(f->log, &entry, leaf), STATUS_OK);
}

static void fill(struct fixture *f, uint64_t count) {
    while (log_size(f->log) < count) {
        log_root(f->log, roots[log_size(f->log)]);
        append_short(f, log_size(f->log));
        if (log_size(f->log) % 100 == 0) EXPECT_EQUAL(log_flush(f->log), STATUS_OK);
    }
    log_root(f->log, roots[count]);
    EXPECT_EQUAL(log_flush(f->log), STATUS_OK);
    EXPECT_EQUAL(log_sync_start(f->log), STATUS_OK);
    EXPECT_EQUAL(log_sync_poll(f->log, true), STATUS_OK);
}

static void expect_roots(struct fixture *f, uint64_t step) {
    for (uint64_t n = 0; n <= log_size(f->log); n += step) {
        struct rfc6962_range range;
        uint8_t root[SHA256_SIZE];
        EXPECT_EQUAL(log_range_at(f->log, n, &range), STATUS_OK);
        EXPECT_EQUAL(range.size, n);
        rfc6962_root(&range, root);
        EXPECT_BYTES(root, roots[n], SHA256_SIZE);
        struct log_cursor cursor;
        struct frame frame;
        log_cursor_begin(&cursor, f->log);
        EXPECT_EQUAL(log_cursor_seek(&cursor, n), STATUS_OK);
        EXPECT_EQUAL(log_cursor_next(&cursor, &frame),
                     n < log_size(f->log) ? STATUS_OK : STATUS_END);
        if (n < log_size(f->log)) EXPECT_EQUAL(frame.sequence, n);
        log_cursor_end(&cursor);
    }
}

static void every_root_of_the_past_is_known(void) {
    struct sim_image image;
    struct fixture f;
    fixture_begin(&f, NULL);
    f.options.segment_size = 100000;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fill(&f, 1025);
    expect_roots(&f, 1);
    fill(&f, 4000);
    expect_roots(&f, 127);
    expect_roots(&f, 512);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    sim_snapshot(f.sim, &image);
    fixture_end(&f);

    fixture_begin(&f, &image); /* found on the disk, then appended to */
    f.options.segment_size = 100000;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_roots(&f, 511);
    fill(&f, ENTRIES);
    expect_roots(&f, 127);
    expect_roots(&f, 1024);
    struct rfc6962_range range;
    EXPECT_EQUAL(log_range_at(f.log, ENTRIES + 1, &range), STATUS_RANGE);
    fixture_end(&f);
    sim_image_free(&image);
}

static void without_memory_nothing_is_appended(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    f.counting.fail_at = f.counting.calls; /* the map's first row is the next thing */
    EXPECT_EQUAL(fixture_append(&f), STATUS_MEMORY);
    EXPECT_EQUAL(log_size(f.log), 0);
    f.counting.fail_at = UINT64_MAX;
    EXPECT_EQUAL(fixture_append(&f), STATUS_OK);
    expect_entries(&f, 1);
    fixture_end(&f);
}

int main(void) {
    RUN(every_root_of_the_past_is_known);
    RUN(without_memory_nothing_is_appended);
    return test_finish();
}
