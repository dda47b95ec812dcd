/* What names, file facts and headers alone decide. */
#include "base/bytes.h"
#include "matrix.h"

static void empty_directory_is_a_fresh_log(void) {
    struct sim_image image = {0};
    expect_boot(&image, 0, 0);
    struct fixture f;
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_open(&f), STATUS_OK);
    EXPECT(!log_exists(f.log));
    EXPECT_EQUAL(log_bytes_total(f.log), 0);
    fixture_end(&f);
}

static void G9_missing_and_swapped_segments_are_foreign(void) {
    struct sim_image image, changed;
    make_image(&image, 30, 3000, true);
    static const char *const names[] = {first_name, second_name};
    for (size_t i = 0; i < 2; i++) {
        sim_image_copy(&image, &changed);
        sim_image_remove(&changed, names[i]);
        expect_refusal(&changed, STATUS_FOREIGN);
        sim_image_free(&changed);
    }
    sim_image_copy(&image, &changed); /* two swapped */
    struct sim_file_image *second = sim_image_find(&changed, second_name),
                          *third = sim_image_find(&changed, third_name), swap = *second;
    second->data = third->data, second->size = third->size;
    third->data = swap.data, third->size = swap.size;
    expect_refusal(&changed, STATUS_FOREIGN);
    sim_image_free(&changed);

    sim_image_copy(&image, &changed); /* one doubled under the next number */
    struct sim_file_image *last = &changed.files[changed.count - 1];
    sim_image_add(&changed, "valori-00000099.log", last->data, last->size);
    expect_refusal(&changed, STATUS_FOREIGN);
    sim_image_free(&changed);

    sim_image_copy(&image, &changed); /* the newest ones: the head knows of them */
    sim_image_remove(&changed, changed.files[changed.count - 2].name);
    expect_refusal(&changed, STATUS_FOREIGN);
    sim_image_free(&changed);

    sim_image_copy(&image, &changed); /* only the head is left */
    while (changed.count > 1)
        sim_image_remove(&changed, changed.files[0].name[6] == '.'
                                       ? changed.files[1].name
                                       : changed.files[0].name);
    EXPECT(sim_image_find(&changed, HEAD_NAME) != NULL);
    expect_refusal(&changed, STATUS_FOREIGN);
    sim_image_free(&changed);

    sim_image_copy(&image, &changed); /* a name that is nearly ours */
    sim_image_add(&changed, "valori-000000002.log", "x", 1);
    expect_refusal(&changed, STATUS_FOREIGN);
    sim_image_free(&changed);
    sim_image_free(&image);
}

/* An empty copy of the newest segment under the next number: a gap of length zero. */
static void G9_doubled_empty_segment_is_foreign(void) {
    struct sim_image image;
    make_image(&image, 0, UINT64_MAX, false);
    struct sim_file_image *file = sim_image_find(&image, first_name);
    sim_image_add(&image, second_name, file->data, SEGMENT_HEADER_SIZE);
    expect_refusal(&image, STATUS_FOREIGN);
    sim_image_free(&image);
}

static void log_from_seed(struct sim_image *image, uint64_t seed) {
    struct fixture f;
    fixture_begin(&f, NULL);
    sim_destroy(f.sim);
    f.sim = sim_create(seed, NULL);
    const struct os *os = sim_os(f.sim);
    os->directory_open(os, ".", &f.directory);
    f.options.segment_size = 3000;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    for (int i = 0; i < 20; i++) {
        fixture_append_many(&f, 1);
        EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    }
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    sim_snapshot(f.sim, image);
    fixture_end(&f);
}

static void G9_files_of_another_log_are_foreign(void) {
    struct sim_image ours, theirs;
    log_from_seed(&ours, 1);
    log_from_seed(&theirs, 2);
    static const char *const names[] = {second_name, HEAD_NAME};
    for (size_t i = 0; i < 2; i++) {
        struct sim_image changed;
        sim_image_copy(&ours, &changed);
        sim_image_remove(&changed, names[i]);
        const struct sim_file_image *foreign = sim_image_find(&theirs, names[i]);
        sim_image_add(&changed, names[i], foreign->data, foreign->size);
        expect_refusal(&changed, STATUS_FOREIGN);
        sim_image_free(&changed);
    }
    sim_image_free(&ours);
    sim_image_free(&theirs);
}

static void G9_newer_formats_are_a_version(void) {
    struct sim_image image;
    make_image(&image, 3, UINT64_MAX, true);
    struct sim_file_image *file = sim_image_find(&image, first_name);
    store_le32(file->data + 8, 2);
    sign_header(file->data);
    expect_refusal(&image, STATUS_VERSION);
    store_le32(file->data + 8, 1);
    sign_header(file->data);
    struct sim_file_image *head = sim_image_find(&image, HEAD_NAME);
    store_le32(head->data + 8, 2);
    sign_header(head->data);
    expect_refusal(&image, STATUS_VERSION);
    sim_image_free(&image);
}

static void unsafe_files_are_refused(void) {
    static const struct file_facts bad[] = {
        {.mode = 0600, .links = 1, .owned = false, .regular = true},
        {.mode = 0644, .links = 1, .owned = true, .regular = true},
        {.mode = 0600, .links = 2, .owned = true, .regular = true},
        {.mode = 0600, .links = 1, .owned = true, .regular = false},
    };
    static const char *const names[] = {first_name, HEAD_NAME};
    struct sim_image image;
    make_image(&image, 3, UINT64_MAX, true);
    for (size_t n = 0; n < 2; n++)
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            struct fixture f;
            fixture_begin(&f, &image);
            sim_set_unsafe(f.sim, names[n], &bad[i]);
            EXPECT_EQUAL(fixture_boot(&f), STATUS_UNSAFE);
            EXPECT(strstr(f.report.message, names[n]));
            EXPECT_EQUAL(sim_changes(f.sim), 0);
            fixture_end(&f);
        }
    struct fixture f;
    fixture_begin(&f, &image);
    struct file_facts group = {.mode = 0640, .links = 1, .owned = true, .regular = true};
    sim_set_unsafe(f.sim, first_name, &group);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_end(&f);
    sim_image_free(&image);
}

static void other_names_are_ignored_and_counted(void) {
    struct sim_image image;
    make_image(&image, 3, UINT64_MAX, true);
    sim_image_add(&image, "valori-00000001.log.torn", "abc", 3);
    sim_image_add(&image, "snapshot.tmp", "abc", 3);
    sim_image_add(&image, "notes", "abc", 3);
    sim_image_add(&image, "valori.lock", "1", 1);
    struct fixture f;
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    EXPECT_EQUAL(f.report.ignored_files, 3);
    fixture_end(&f);
    sim_image_free(&image);
}

int main(void) {
    RUN(empty_directory_is_a_fresh_log);
    RUN(G9_missing_and_swapped_segments_are_foreign);
    RUN(G9_doubled_empty_segment_is_foreign);
    RUN(G9_files_of_another_log_are_foreign);
    RUN(G9_newer_formats_are_a_version);
    RUN(unsafe_files_are_refused);
    RUN(other_names_are_ignored_and_counted);
    return test_finish();
}
