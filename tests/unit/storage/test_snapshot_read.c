#include "unit/storage/snapshot_trial.h"

/* Every flipped bit of a small snapshot, and every place where it may be cut. */
static void damage_is_found(void) {
    struct fixture f;
    struct snapshot_reader reader;
    struct sim_image image;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(snapshot_write_all(&f, 9, 400), STATUS_OK);
    sim_image_init(&image);
    sim_snapshot(f.sim, &image);
    fixture_end(&f);
    struct sim_file_image *file =
        sim_image_find(&image, "valori-00000000000000000009.snap");
    size_t size = file->size;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        file->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        fixture_begin(&f, &image);
        EXPECT_EQUAL(snapshot_read_all(&f, 9, &reader), STATUS_CORRUPT);
        EXPECT(reader.message[0]);
        fixture_end(&f);
        file->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (file->size = 0; file->size < size; file->size += 7) {
        fixture_begin(&f, &image);
        EXPECT_EQUAL(snapshot_read_all(&f, 9, &reader), STATUS_CORRUPT);
        fixture_end(&f);
    }
    file->size = size;
    sim_image_free(&image);
}

static void another_name_is_another_snapshot(void) {
    struct fixture f;
    struct snapshot_reader reader;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(snapshot_write_all(&f, 9, 400), STATUS_OK);
    const struct os *os = sim_os(f.sim);
    EXPECT_EQUAL(os->rename(os, f.directory, "valori-00000000000000000009.snap",
                            "valori-00000000000000000010.snap"),
                 STATUS_OK);
    EXPECT_EQUAL(snapshot_read_all(&f, 10, &reader), STATUS_CORRUPT);
    EXPECT_EQUAL(snapshot_read_all(&f, 9, &reader), STATUS_NOT_FOUND);
    fixture_end(&f);
}

static void what_is_not_safe_is_not_read(void) {
    struct fixture f;
    struct snapshot_reader reader;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(snapshot_write_all(&f, 9, 400), STATUS_OK);
    struct file_facts facts = {.regular = true, .owned = false, .links = 1, .mode = 0600};
    sim_set_unsafe(f.sim, "valori-00000000000000000009.snap", &facts);
    EXPECT_EQUAL(snapshot_read_all(&f, 9, &reader), STATUS_UNSAFE);
    fixture_end(&f);
}

int main(void) {
    RUN(damage_is_found);
    RUN(another_name_is_another_snapshot);
    RUN(what_is_not_safe_is_not_read);
    return test_finish();
}
