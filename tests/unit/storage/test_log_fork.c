/* Setting entries aside and going back: what is kept, what is left, and every crash between. */
#include "fixture.h"
#include "storage/cursor.h"
#include "storage/log_tree.h"

static void settle(struct fixture *f) {
    EXPECT_EQUAL(log_stop(f->log), STATUS_OK);
    EXPECT_EQUAL(log_durable(f->log), log_size(f->log));
}

/* Stop, cut, close, boot. */
static void cut_and_boot(struct fixture *f, uint64_t size) {
    settle(f);
    EXPECT_EQUAL(log_cut(f->log, size), STATUS_OK);
    log_close(f->log);
    f->log = NULL;
    EXPECT_EQUAL(fixture_boot(f), STATUS_OK);
    expect_entries(f, size);
}

static void going_back_leaves_the_beginning(void) {
    for (uint64_t size = 0; size <= 40; size += 3) {
        struct sim_image image;
        struct fixture f;
        make_image(&image, 40, 3000, true);
        fixture_begin(&f, &image);
        f.options.segment_size = 3000;
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        cut_and_boot(&f, size);
        fixture_append_many(&f, 20); /* other entries come, and stay */
        settle(&f);
        cut_and_boot(&f, size + 10);
        fixture_end(&f);
        sim_image_free(&image);
    }
}

static void what_is_set_aside_is_a_segment(void) {
    struct fixture f;
    struct sim_image image;
    fixture_begin(&f, NULL);
    f.options.segment_size = 3000;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 30);
    EXPECT_EQUAL(log_extract(f.log, 12, "fork-12.vlog"), STATUS_OK);
    EXPECT_EQUAL(log_extract(f.log, 12, "fork-12.vlog"), STATUS_EXISTS);
    EXPECT_EQUAL(log_extract(f.log, 30, "fork-30.vlog"), STATUS_OK);
    settle(&f);
    sim_snapshot(f.sim, &image);
    struct segment_header header;
    const struct sim_file_image *file = sim_image_find(&image, "fork-12.vlog");
    static struct place places[64];
    EXPECT_EQUAL(segment_header_decode(file->data, &header), STATUS_OK);
    EXPECT_EQUAL(header.base, 12);
    uint8_t root[SHA256_SIZE];
    sample_root(12, root);
    EXPECT_BYTES(header.root, root, SHA256_SIZE);
    EXPECT_EQUAL(list_frames(file, places, 64), 18);
    for (uint64_t i = 0; i < 18; i++) {
        struct sample sample;
        sample_make(&sample, 12 + i);
        const uint8_t *bytes = file->data + places[i].offset;
        EXPECT_EQUAL(places[i].header.sequence, 12 + i);
        EXPECT(frame_body_valid(header.key, &places[i].header, bytes));
        EXPECT(frame_payload_valid(header.key, &places[i].header, bytes));
        EXPECT(slice_equal(frame_payload(&places[i].header, bytes), sample.entry.payload));
    }
    EXPECT_EQUAL(list_frames(sim_image_find(&image, "fork-30.vlog"), places, 64), 0);
    fixture_end(&f);
    sim_image_free(&image);
}

/* Each failing call in turn: the log is whole whatever was done before it. */
static void a_failure_anywhere_leaves_a_whole_log(void) {
    struct sim_image image;
    make_image(&image, 40, 3000, true);
    for (uint64_t nth = 0;; nth++) {
        struct fixture f;
        struct sim_image after;
        fixture_begin(&f, &image);
        f.options.segment_size = 3000;
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        settle(&f);
        sim_set_fault(f.sim, sim_calls(f.sim) + nth, SIM_FAULT_FAIL, 5, false);
        enum status status = log_cut(f.log, 17);
        sim_set_fault(f.sim, UINT64_MAX, SIM_FAULT_NONE, 0, false);
        sim_snapshot(f.sim, &after);
        fixture_end(&f);

        fixture_begin(&f, &after);
        f.options.segment_size = 3000;
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        EXPECT(log_size(f.log) >= 17 && log_size(f.log) <= 40);
        expect_entries(&f, log_size(f.log));
        fixture_end(&f);
        sim_image_free(&after);
        if (status == STATUS_OK) break;
        EXPECT(nth < 200);
    }
    sim_image_free(&image);
}

static void setting_all_aside_leaves_an_empty_directory(void) {
    struct fixture f;
    struct sim_image image;
    fixture_begin(&f, NULL);
    f.options.segment_size = 3000;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 30);
    settle(&f);
    EXPECT_EQUAL(log_set_aside(f.log, "old-"), STATUS_OK);
    log_close(f.log);
    f.log = NULL;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, 0);
    sim_snapshot(f.sim, &image);
    EXPECT(sim_image_find(&image, "old-valori-00000001.log") != NULL);
    EXPECT(sim_image_find(&image, "old-valori.head") != NULL);
    fixture_end(&f);
    sim_image_free(&image);
}

int main(void) {
    RUN(going_back_leaves_the_beginning);
    RUN(what_is_set_aside_is_a_segment);
    RUN(a_failure_anywhere_leaves_a_whole_log);
    RUN(setting_all_aside_leaves_an_empty_directory);
    return test_finish();
}
