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

/* What the disk holds has the due sequences, and durable counts that were true. */
static void frames_carry_the_durable_count(void) {
    struct sim_image image;
    make_image(&image, 4, UINT64_MAX, true);
    struct place places[16];
    size_t count = list_frames(sim_image_find(&image, first_name), places, 16);
    EXPECT_EQUAL(count, 5);
    for (size_t i = 0; i < 4; i++) {
        EXPECT_EQUAL(places[i].header.sequence, i);
        EXPECT_EQUAL(places[i].header.durable, i); /* one sync each */
    }
    EXPECT_EQUAL(places[4].header.kind, FRAME_MARK);
    EXPECT_EQUAL(places[4].header.sequence, 4);
    EXPECT_EQUAL(places[4].header.durable, 4);
    sim_image_free(&image);
}

static void G4_full_disk_leaves_nothing_of_the_frame(void) {
    for (int reserve = 0; reserve < 2; reserve++) {
        struct fixture f;
        fixture_begin(&f, NULL);
        sim_set_reserve(f.sim, reserve);
        sim_set_capacity(f.sim, 10000);
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        enum status status = STATUS_OK;
        while (!status) {
            status = fixture_append(&f);
            EXPECT(status == STATUS_OK || status == STATUS_NO_SPACE);
        }
        uint64_t size = log_size(f.log);
        EXPECT(size > 5);
        EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
        struct sim_image image;
        sim_snapshot(f.sim, &image);
        const struct sim_file_image *file = sim_image_find(&image, first_name);
        struct place places[64];
        size_t count = list_frames(file, places, 64);
        EXPECT_EQUAL(count, size);
        EXPECT_EQUAL(places[count - 1].offset + places[count - 1].size, file->size);
        sim_image_free(&image);

        EXPECT_EQUAL(fixture_append(&f), STATUS_NO_SPACE); /* still */
        EXPECT_EQUAL(log_size(f.log), size);
        sim_set_capacity(f.sim, UINT64_MAX);
        EXPECT(log_has_space(f.log));
        fixture_append_many(&f, 10);
        EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
        expect_entries(&f, size + 10);
        fixture_end(&f);
    }
}

static void G4_without_reservation_the_write_comes_first(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    sim_set_reserve(f.sim, false);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    for (uint64_t i = 1; i <= 5; i++) {
        EXPECT_EQUAL(fixture_append(&f), STATUS_OK);
        EXPECT_EQUAL(log_written(f.log), i);
    }
    fixture_end(&f);
}

static void reservation_shrinks_with_the_disk(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    f.options.reserve_size = 64 << 20;
    sim_set_capacity(f.sim, 1 << 20);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    EXPECT_EQUAL(fixture_append(&f), STATUS_OK);
    EXPECT_EQUAL(log_written(f.log), 0); /* 512 KiB were to be had: it waits in the buffer */
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    EXPECT_EQUAL(log_written(f.log), 1);
    fixture_end(&f);
}

static void big_entries_pass_through(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    size_t size = 9 << 20;
    uint8_t *payload = malloc(size);
    for (size_t i = 0; i < size; i++) payload[i] = (uint8_t)(i * 31 >> 3);
    struct log_entry entry = {.type = 9,
                              .head = slice_of(payload, 65535),
                              .list = slice_of(payload, 70001),
                              .payload = slice_of(payload, size)};
    uint8_t leaf[SHA256_SIZE];
    for (int i = 0; i < 3; i++) EXPECT_EQUAL(log_append(f.log, &entry, leaf), STATUS_OK);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    log_close(f.log);
    f.log = NULL;
    EXPECT_EQUAL(fixture_open(&f), STATUS_OK);
    EXPECT_EQUAL(log_scan(f.log, UINT64_MAX, &f.report), STATUS_OK);
    EXPECT_EQUAL(log_last_of_type(f.log, 9), 2);
    EXPECT(log_last_of_type(f.log, 8) == UINT64_MAX);
    for (int i = 0; i < 3; i++) {
        struct frame frame;
        EXPECT_EQUAL(log_next(f.log, &frame, &f.report), STATUS_OK);
        EXPECT_EQUAL(frame.sequence, i);
        EXPECT_EQUAL(frame.type, 9);
        EXPECT_BYTES(frame.leaf, leaf, SHA256_SIZE);
        EXPECT(slice_equal(frame.entry, entry.head));
        EXPECT(slice_equal(frame.list, entry.list));
        EXPECT(slice_equal(frame.payload, entry.payload));
    }
    free(payload);
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

static void G5_failed_write_inside_the_reservation_is_final(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 3);
    sim_set_fault(f.sim, sim_calls(f.sim), SIM_FAULT_HALF, ENOSPC, false);
    EXPECT_EQUAL(log_flush(f.log), STATUS_IO);
    EXPECT_EQUAL(log_error(f.log), ENOSPC);
    EXPECT_EQUAL(fixture_append(&f), STATUS_IO);
    fixture_end(&f);
}

static void no_memory_changes_nothing(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    f.counting.fail_at = f.counting.calls;
    EXPECT_EQUAL(fixture_append(&f), STATUS_MEMORY);
    EXPECT_EQUAL(log_size(f.log), 0);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    expect_entries(&f, 3);
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

int main(void) {
    RUN(G1_durable_follows_the_sync_and_nothing_else);
    RUN(frames_carry_the_durable_count);
    RUN(G4_full_disk_leaves_nothing_of_the_frame);
    RUN(G4_without_reservation_the_write_comes_first);
    RUN(reservation_shrinks_with_the_disk);
    RUN(big_entries_pass_through);
    RUN(G5_failed_sync_is_final);
    RUN(G5_failed_write_inside_the_reservation_is_final);
    RUN(no_memory_changes_nothing);
    RUN(marks_and_slots_are_written_once);
    RUN(segments_roll_under_a_load_that_never_pauses);
    RUN(rolling_waits_for_space);
    return test_finish();
}
