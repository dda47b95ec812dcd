/* The boot matrix: what the scan makes of each kind of bad bytes. */
#include <errno.h>

#include "matrix.h"

static void clean_logs_come_back(void) {
    for (unsigned count = 1; count < 40; count += 6)
        for (int stopped = 0; stopped < 2; stopped++) {
            struct sim_image image;
            make_image(&image, count, count % 4 ? 4096 : UINT64_MAX, stopped);
            expect_boot(&image, count, 0);
            sim_image_free(&image);
        }
}

static void G7_tail_cut_at_every_byte_loses_only_what_was_cut(void) {
    struct sim_image whole;
    make_image(&whole, 0, UINT64_MAX, false);
    /* All in one sync, so that no frame tells that another was durable. */
    struct fixture f;
    fixture_begin(&f, &whole);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 6);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    sim_image_free(&whole);
    sim_snapshot(f.sim, &whole);
    fixture_end(&f);
    struct sim_file_image *file = sim_image_find(&whole, first_name);
    struct place places[8];
    EXPECT_EQUAL(list_frames(file, places, 8), 6);
    size_t full = file->size;
    for (size_t size = SEGMENT_HEADER_SIZE; size <= full; size++) {
        uint64_t stand = 0, end = SEGMENT_HEADER_SIZE;
        while (stand < 6 && places[stand].offset + places[stand].size <= size) {
            end = places[stand].offset + places[stand].size;
            stand++;
        }
        file->size = size;
        expect_boot(&whole, stand, size - end);
    }
    file->size = full;
    sim_image_free(&whole);
}

static void G8_damage_before_the_last_mark_refuses_and_names_the_place(void) {
    struct sim_image image;
    make_image(&image, 8, UINT64_MAX, true);
    struct place places[16];
    size_t count = list_frames(sim_image_find(&image, first_name), places, 16);
    EXPECT_EQUAL(count, 9);
    for (size_t i = 0; i < 8; i++) {
        flip(&image, first_name, places[i].offset + 70);
        expect_refusal(&image, STATUS_CORRUPT);
        struct fixture f;
        fixture_begin(&f, &image);
        EXPECT_EQUAL(fixture_boot(&f), STATUS_CORRUPT);
        EXPECT_EQUAL(f.report.bad_sequence, i);
        EXPECT_EQUAL(f.report.bad_offset, places[i].offset);
        EXPECT(strcmp(f.report.bad_file, first_name) == 0);
        EXPECT(strstr(f.report.message, "was acknowledged (evidence: "));
        fixture_end(&f);
        flip(&image, first_name, places[i].offset + 70);
    }
    flip(&image, first_name,
         places[8].offset + 20); /* inside the mark: nothing is lost */
    expect_boot(&image, 8, 64);
    sim_image_free(&image);
}

static void G8_head_slot_alone_is_evidence(void) {
    struct sim_image image;
    make_image(&image, 4, UINT64_MAX, true);
    struct sim_file_image *file = sim_image_find(&image, first_name);
    struct place places[8];
    EXPECT_EQUAL(list_frames(file, places, 8), 5);
    file->size = places[3].offset; /* the last entry and the mark are gone, cleanly */
    expect_refusal(&image, STATUS_CORRUPT);
    flip(&image, HEAD_NAME, 100); /* and without the slot nobody knows */
    expect_boot(&image, 3, 0);
    sim_image_free(&image);
}

static void G8_damage_in_an_older_segment_refuses(void) {
    struct sim_image image;
    make_image(&image, 20, 3000, false);
    EXPECT(sim_image_find(&image, third_name) != NULL);
    struct sim_file_image *file = sim_image_find(&image, second_name);
    flip(&image, second_name, file->size - 1);
    expect_refusal(&image, STATUS_CORRUPT);
    flip(&image, second_name, file->size - 1);
    file->size -= 8; /* shorter: the next segment proves what is missing */
    expect_refusal(&image, STATUS_CORRUPT);
    file->size += 8;
    flip(&image, second_name, 40); /* its header */
    expect_refusal(&image, STATUS_CORRUPT);
    sim_image_free(&image);
}

static void G8_damaged_header_over_data_refuses(void) {
    struct sim_image image;
    make_image(&image, 3, UINT64_MAX, false);
    flip(&image, first_name, 200);
    expect_refusal(&image, STATUS_CORRUPT);
    sim_image_free(&image);
}

/* A frame that is sound, but not the one that is due: kept out by its sequence. */
static void G9_frame_out_of_place_is_not_taken(void) {
    struct sim_image image;
    make_image(&image, 0, UINT64_MAX, false);
    struct fixture f;
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    struct sim_image doubled;
    sim_snapshot(f.sim, &doubled);
    fixture_end(&f);
    struct sim_file_image *file = sim_image_find(&doubled, first_name);
    struct place places[4];
    EXPECT_EQUAL(list_frames(file, places, 4), 3);
    size_t size = (size_t)places[2].size, old = file->size;
    file->data = realloc(file->data, old + size);
    memcpy(file->data + old, file->data + places[2].offset, size); /* number 2, twice */
    file->size += size;
    expect_boot(&doubled, 3, size);
    sim_image_free(&doubled);
    sim_image_free(&image);
}

/* Every call of a boot fails once with EIO: never a wrong log, never another answer. */
static void unreadable_disks_stop_the_boot(void) {
    struct sim_image image;
    make_image(&image, 25, 3000, true);
    for (uint64_t call = 1;; call++) {
        struct fixture f;
        fixture_begin(&f, &image);
        sim_set_fault(f.sim, call, SIM_FAULT_FAIL, EIO, false);
        enum status status = fixture_boot(&f);
        bool hit = sim_fault_hit(f.sim);
        if (hit) {
            EXPECT_EQUAL(status, STATUS_IO);
            EXPECT(strncmp(f.report.message, "FATAL io: ", 10) == 0);
        }
        struct sim_image after;
        sim_snapshot(f.sim, &after);
        fixture_end(&f);
        if (hit) expect_boot(&after, 25, 0);
        sim_image_free(&after);
        if (!hit) break;
    }
    sim_image_free(&image);
}

static void short_reads_are_errors_not_ends(void) {
    struct sim_image image;
    make_image(&image, 25, UINT64_MAX, false);
    for (uint64_t call = 1;; call++) {
        struct fixture f;
        fixture_begin(&f, &image);
        sim_set_fault(f.sim, call, SIM_FAULT_SHORT_READ, 0, false);
        enum status status = fixture_boot(&f);
        bool hit = sim_fault_hit(f.sim);
        if (status == STATUS_OK) expect_entries(&f, 25);
        else EXPECT_EQUAL(status, STATUS_IO);
        fixture_end(&f);
        if (!hit) break;
    }
    sim_image_free(&image);
}

/* User bytes that look like frames cannot speak as evidence: they lack the key. */
static void G8_forged_frames_in_a_payload_are_no_evidence(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    uint8_t forged[FRAME_HEADER_SIZE], leaf[SHA256_SIZE];
    static const uint8_t guess[SIPHASH_KEY_SIZE];
    struct frame_header lie = {.kind = FRAME_MARK, .sequence = 99, .durable = 99};
    frame_encode(guess, &lie, NULL, forged);
    struct log_entry entry = {.type = 4,
                              .head = slice_of(forged, 64),
                              .payload = slice_of(forged, sizeof forged)};
    EXPECT_EQUAL(log_append(f.log, &entry, leaf), STATUS_OK);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    struct sim_image image;
    sim_snapshot(f.sim, &image);
    fixture_end(&f);
    flip(&image, first_name, SEGMENT_HEADER_SIZE + 9);
    expect_boot(&image, 0, 64 + 64 + 64);
    sim_image_free(&image);
}

int main(void) {
    RUN(clean_logs_come_back);
    RUN(G7_tail_cut_at_every_byte_loses_only_what_was_cut);
    RUN(G8_damage_before_the_last_mark_refuses_and_names_the_place);
    RUN(G8_head_slot_alone_is_evidence);
    RUN(G8_damage_in_an_older_segment_refuses);
    RUN(G8_damaged_header_over_data_refuses);
    RUN(G9_frame_out_of_place_is_not_taken);
    RUN(unreadable_disks_stop_the_boot);
    RUN(short_reads_are_errors_not_ends);
    RUN(G8_forged_frames_in_a_payload_are_no_evidence);
    return test_finish();
}
