#include <errno.h>

#include "fixture.h"

static void G1_durable_follows_the_sync_and_nothing_else(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    sim_set_sync_polls(f.sim, 3);
    fixture_append_many(&f, 5);
    EXPECT_EQUAL(log_size(f.log), 5);
    EXPECT_EQUAL(log_written(f.log), 0);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    EXPECT_EQUAL(log_written(f.log), 5);
    EXPECT_EQUAL(log_durable(f.log), 0);
    EXPECT_EQUAL(log_sync_start(f.log), STATUS_OK);
    EXPECT(log_sync_running(f.log));
    EXPECT_EQUAL(log_durable(f.log), 0);
    fixture_append_many(&f, 2); /* while it runs: not covered */
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    EXPECT_EQUAL(log_sync_poll(f.log, false), STATUS_AGAIN);
    EXPECT_EQUAL(log_durable(f.log), 0);
    EXPECT_EQUAL(log_sync_poll(f.log, true), STATUS_OK);
    EXPECT_EQUAL(log_durable(f.log), 5);
    EXPECT(log_unsynced_bytes(f.log) > 0);
    EXPECT_EQUAL(log_sync_start(f.log), STATUS_OK);
    EXPECT_EQUAL(log_sync_poll(f.log, true), STATUS_OK);
    EXPECT_EQUAL(log_durable(f.log), 7);
    EXPECT_EQUAL(log_unsynced_bytes(f.log), 0);
    expect_entries(&f, 7);
    fixture_end(&f);
}

static void G5_failed_sync_is_final(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    sim_set_fault(f.sim, sim_calls(f.sim), SIM_FAULT_FAIL, EIO, false);
    EXPECT_EQUAL(log_sync_start(f.log), STATUS_OK);
    EXPECT_EQUAL(log_sync_poll(f.log, true), STATUS_IO);
    EXPECT_EQUAL(log_error(f.log), EIO);
    EXPECT_EQUAL(log_durable(f.log), 0);
    uint64_t calls = sim_calls(f.sim);
    EXPECT_EQUAL(fixture_append(&f), STATUS_IO);
    EXPECT_EQUAL(log_flush(f.log), STATUS_IO);
    EXPECT_EQUAL(log_sync_start(f.log), STATUS_IO);
    EXPECT_EQUAL(log_sync_poll(f.log, true), STATUS_IO);
    EXPECT_EQUAL(log_mark(f.log), STATUS_IO);
    EXPECT_EQUAL(log_stop(f.log), STATUS_IO);
    EXPECT(!log_has_space(f.log));
    EXPECT_EQUAL(sim_calls(f.sim), calls); /* the file was not touched again */
    fixture_end(&f);
}

static void marks_and_slots_are_written_once(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    uint64_t changes = sim_changes(f.sim);
    EXPECT_EQUAL(log_mark(f.log), STATUS_OK); /* an empty log has nothing to say */
    EXPECT_EQUAL(sim_changes(f.sim), changes);
    for (int round = 0; round < 3; round++) {
        fixture_append_many(&f, 2);
        EXPECT_EQUAL(log_mark(f.log), STATUS_OK); /* not durable yet: not now */
        EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
        EXPECT_EQUAL(log_sync_start(f.log), STATUS_OK);
        EXPECT_EQUAL(log_sync_poll(f.log, true), STATUS_OK);
        changes = sim_changes(f.sim);
        EXPECT_EQUAL(log_mark(f.log), STATUS_OK);
        EXPECT_EQUAL(log_sync_poll(f.log, true), STATUS_OK);
        EXPECT_EQUAL(sim_changes(f.sim), changes + 2); /* mark, slot */
        EXPECT_EQUAL(log_mark(f.log), STATUS_OK);
        EXPECT_EQUAL(sim_changes(f.sim), changes + 2);
    }
    struct sim_image image;
    sim_snapshot(f.sim, &image);
    const struct sim_file_image *head = sim_image_find(&image, HEAD_NAME);
    struct head_slot slots[2];
    EXPECT_EQUAL(head->size, 1024);
    EXPECT_EQUAL(head_slot_decode(head->data, &slots[0]), STATUS_OK);
    EXPECT_EQUAL(head_slot_decode(head->data + 512, &slots[1]), STATUS_OK);
    EXPECT_EQUAL(slots[0].generation, 3);
    EXPECT_EQUAL(slots[0].durable, 6);
    EXPECT_EQUAL(slots[1].generation, 2);
    EXPECT_EQUAL(slots[1].durable, 4);
    uint8_t root[SHA256_SIZE];
    sample_root(6, root);
    EXPECT_BYTES(slots[0].root, root, SHA256_SIZE);
    sim_image_free(&image);
    fixture_end(&f);
}

static void segments_roll_under_a_load_that_never_pauses(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    f.options.segment_size = 4096;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    for (int turn = 0; turn < 60; turn++) {
        fixture_append_many(&f, 3);
        EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
        enum status status = log_sync_poll(f.log, false);
        EXPECT(status == STATUS_OK || status == STATUS_AGAIN);
        EXPECT_EQUAL(log_sync_start(f.log), STATUS_OK);
    }
    EXPECT(log_segment_count(f.log) > 5);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    uint64_t bytes = log_disk_bytes(f.log), segments = log_segment_count(f.log);
    log_close(f.log);
    f.log = NULL;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, 180);
    EXPECT_EQUAL(f.report.segments, segments);
    EXPECT_EQUAL(f.report.bytes, bytes);
    fixture_end(&f);
}

/* A disk without room for another segment header: the present one goes on. */
static void rolling_waits_for_space(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    f.options.segment_size = 2048;
    sim_set_reserve(f.sim, false);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    while (log_disk_bytes(f.log) < 2048) fixture_append_many(&f, 1);
    sim_set_capacity(f.sim, 1024 + log_disk_bytes(f.log) + 100);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    EXPECT_EQUAL(log_segment_count(f.log), 1);
    struct sim_image image;
    sim_snapshot(f.sim, &image);
    EXPECT(sim_image_find(&image, second_name) == NULL);
    sim_image_free(&image);
    sim_set_capacity(f.sim, UINT64_MAX);
    fixture_append_many(&f, 20);
    uint64_t size = log_size(f.log);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    log_close(f.log);
    f.log = NULL;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, size);
    fixture_end(&f);
}

static void a_segment_ends_when_it_is_told_to(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    log_roll_soon(f.log); /* there is nothing in it */
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    EXPECT_EQUAL(log_segment_count(f.log), 1);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    EXPECT_EQUAL(log_segment_count(f.log), 1);
    fixture_append_many(&f, 3);
    log_roll_soon(f.log);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    EXPECT_EQUAL(log_segment_count(f.log), 2);
    EXPECT_EQUAL(log_durable(f.log), 6);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    EXPECT_EQUAL(log_segment_count(f.log), 2);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    log_close(f.log);
    f.log = NULL;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, 9);
    fixture_end(&f);
}

int main(void) {
    RUN(G1_durable_follows_the_sync_and_nothing_else);
    RUN(G5_failed_sync_is_final);
    RUN(marks_and_slots_are_written_once);
    RUN(segments_roll_under_a_load_that_never_pauses);
    RUN(rolling_waits_for_space);
    RUN(a_segment_ends_when_it_is_told_to);
    return test_finish();
}
