#include "base/bytes.h"
#include "matrix.h"

static void replay_hands_out_what_was_appended(void) {
    struct sim_image image;
    make_image(&image, 30, 3000, true);
    struct fixture f;
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_open(&f), STATUS_OK);
    EXPECT(log_exists(f.log));
    EXPECT_EQUAL(log_scan(f.log, UINT64_MAX, &f.report), STATUS_OK);
    EXPECT_EQUAL(f.report.entries, 30);
    for (uint64_t i = 0; i < 30; i++) {
        struct sample sample;
        struct frame frame;
        sample_make(&sample, i);
        EXPECT_EQUAL(log_next(f.log, &frame, &f.report), STATUS_OK);
        EXPECT_EQUAL(frame.sequence, i);
        EXPECT_EQUAL(frame.type, sample.entry.type);
        EXPECT_EQUAL(frame.entry.size, sample.entry.head.size + sample.entry.body.size);
        EXPECT_BYTES(frame.entry.data, sample.bytes, frame.entry.size);
        EXPECT(slice_equal(frame.list, sample.entry.list));
        EXPECT(slice_equal(frame.payload, sample.entry.payload));
    }
    struct frame frame;
    EXPECT_EQUAL(log_next(f.log, &frame, &f.report), STATUS_END);
    fixture_end(&f);
    sim_image_free(&image);
}

/* Files that are sound one by one and tell different histories. */
static void G9_roots_that_do_not_fit_are_foreign(void) {
    struct sim_image image;
    make_image(&image, 12, 3000, true);
    struct sim_file_image *second = sim_image_find(&image, second_name);
    second->data[48] ^= 1;
    sign_header(second->data);
    expect_refusal(&image, STATUS_FOREIGN);
    second->data[48] ^= 1;
    sign_header(second->data);
    struct sim_file_image *head = sim_image_find(&image, HEAD_NAME);
    head->data[48] ^= 1;
    sign_header(head->data);
    expect_refusal(&image, STATUS_FOREIGN);
    sim_image_free(&image);
}

int main(void) {
    RUN(replay_hands_out_what_was_appended);
    RUN(G9_roots_that_do_not_fit_are_foreign);
    return test_finish();
}
