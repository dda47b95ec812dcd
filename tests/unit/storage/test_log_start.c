#include "matrix.h"

static void torn_creations_are_made_again(void) {
    static const size_t sizes[] = {0, 1, 511, 512, 1024};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct sim_image image;
        uint8_t zeros[1024] = {0};
        make_image(&image, 7, UINT64_MAX, true);
        sim_image_add(&image, second_name, zeros, sizes[i]);
        expect_boot(&image, 7, 0);
        sim_image_free(&image);

        sim_image_init(&image); /* the very first one, too */
        sim_image_add(&image, first_name, zeros, sizes[i]);
        expect_boot(&image, 0, 0);
        sim_image_free(&image);
    }
}

static void G7_zero_and_garbage_tails_are_cut_and_garbage_is_kept(void) {
    for (int garbage = 0; garbage < 2; garbage++) {
        struct sim_image image;
        make_image(&image, 5, UINT64_MAX, true);
        struct sim_file_image *file = sim_image_find(&image, first_name);
        size_t size = file->size;
        file->data = realloc(file->data, size + 1000);
        memset(file->data + size, garbage ? 0xA7 : 0, 1000);
        file->size += 1000;
        expect_boot(&image, 5, 1000);
        struct fixture f;
        fixture_begin(&f, &image);
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        struct sim_image after;
        sim_snapshot(f.sim, &after);
        EXPECT_EQUAL(sim_image_find(&after, first_name)->size, size);
        const struct sim_file_image *torn =
            sim_image_find(&after, "valori-00000001.log.torn");
        EXPECT((torn != NULL) == (garbage != 0));
        if (torn) {
            EXPECT_EQUAL(torn->size, 1000);
            EXPECT_BYTES(torn->data, file->data + size, 1000);
            EXPECT(strstr(f.report.message, "valori-00000001.log.torn"));
        }
        sim_image_free(&after);
        fixture_end(&f);
        sim_image_free(&image);
    }
}

/* Starting many times does not pile up files. */
static void G13_boot_loops_leave_one_empty_segment(void) {
    struct sim_image image;
    make_image(&image, 5, UINT64_MAX, false);
    struct fixture f;
    fixture_begin(&f, &image);
    for (int i = 0; i < 10; i++) {
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        if (i % 2) EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
        EXPECT_EQUAL(log_segment_count(f.log), 2);
        log_close(f.log);
        f.log = NULL;
    }
    fixture_end(&f);
    sim_image_free(&image);
}

static void read_only_changes_nothing(void) {
    struct sim_image image;
    make_image(&image, 25, 3000, true);
    sim_image_find(&image, first_name); /* and a torn tail */
    struct sim_file_image *last = &image.files[image.count - 2];
    last->data = realloc(last->data, last->size + 40);
    memset(last->data + last->size, 0x33, 40);
    last->size += 40;
    struct fixture f;
    fixture_begin(&f, &image);
    f.options.read_only = true;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, 25);
    EXPECT_EQUAL(f.report.torn_bytes, 40);
    EXPECT_EQUAL(log_start(f.log, &f.report), STATUS_INVALID);
    EXPECT_EQUAL(sim_changes(f.sim), 0);
    fixture_end(&f);
    sim_image_free(&image);
}

static void no_memory_stops_the_boot(void) {
    struct sim_image image;
    make_image(&image, 25, 3000, true);
    for (uint64_t call = 0;; call++) {
        struct fixture f;
        fixture_begin(&f, &image);
        f.counting.fail_at = call;
        enum status status = fixture_boot(&f);
        bool hit = f.counting.calls > call;
        EXPECT_EQUAL(status, hit ? STATUS_MEMORY : STATUS_OK);
        f.counting.fail_at = UINT64_MAX;
        fixture_end(&f);
        if (!hit) break;
    }
    sim_image_free(&image);
}

int main(void) {
    RUN(torn_creations_are_made_again);
    RUN(G7_zero_and_garbage_tails_are_cut_and_garbage_is_kept);
    RUN(G13_boot_loops_leave_one_empty_segment);
    RUN(read_only_changes_nothing);
    RUN(no_memory_stops_the_boot);
    return test_finish();
}
