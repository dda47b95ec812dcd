#include <errno.h>

#include "fixture.h"

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
    EXPECT_EQUAL(log_written(f.log),
                 0); /* 512 KiB were to be had: it waits in the buffer */
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

int main(void) {
    RUN(frames_carry_the_durable_count);
    RUN(G4_full_disk_leaves_nothing_of_the_frame);
    RUN(G4_without_reservation_the_write_comes_first);
    RUN(reservation_shrinks_with_the_disk);
    RUN(big_entries_pass_through);
    RUN(G5_failed_write_inside_the_reservation_is_final);
    RUN(no_memory_changes_nothing);
    return test_finish();
}
