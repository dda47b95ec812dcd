/* Logs that begin where a snapshot ends, or before. */
#include "storage/cursor.h"
#include "storage/log_tree.h"
#include "unit/storage/fixture.h"

enum { ENTRIES = 120, SEGMENT = 6000 };

/* What a snapshot of the first `count` sample entries says. */
static void make_cover(const struct sim_image *image, uint64_t count,
                       struct log_cover *cover) {
    struct segment_header header;
    const struct sim_file_image *file = &image->files[0];
    for (size_t i = 0; i < image->count; i++)
        if (strstr(image->files[i].name, ".log")) file = &image->files[i];
    EXPECT_EQUAL(segment_header_decode(file->data, &header), STATUS_OK);
    memcpy(cover->log_id, header.log_id, LOG_ID_SIZE);
    rfc6962_begin(&cover->range);
    for (uint64_t i = 0; i < count; i++) {
        struct sample sample;
        uint8_t leaf[SHA256_SIZE];
        sample_make(&sample, i);
        rfc6962_leaf(sample.entry.head, sample.entry.body, leaf);
        rfc6962_append(&cover->range, leaf);
    }
}

static uint64_t base_of(const struct sim_image *image, unsigned number) {
    char name[SEGMENT_NAME_SIZE];
    struct segment_header header;
    segment_name(number, name);
    const struct sim_file_image *file = sim_image_find(image, name);
    if (!file) return UINT64_MAX;
    EXPECT_EQUAL(segment_header_decode(file->data, &header), STATUS_OK);
    return header.base;
}

static void drop_segments(struct sim_image *image, unsigned count) {
    for (unsigned i = 1; i <= count; i++) {
        char name[SEGMENT_NAME_SIZE];
        segment_name(i, name);
        sim_image_remove(image, name);
    }
}

/* Boot with a cover of `count` entries; the log must end up whole. */
static void expect_boots(struct sim_image *image, uint64_t count, uint64_t knows_from) {
    struct fixture f;
    struct log_cover cover;
    make_cover(image, count, &cover);
    fixture_begin(&f, image);
    f.options.segment_size = SEGMENT;
    f.cover = &cover;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    EXPECT_EQUAL(log_covered(f.log), count);
    expect_entries(&f, ENTRIES);
    fixture_append_many(&f, 30);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    expect_entries(&f, ENTRIES + 30);
    for (uint64_t i = 0; i < ENTRIES + 30; i++) {
        uint8_t leaf[SHA256_SIZE], wanted[SHA256_SIZE];
        struct sample sample;
        enum status status = log_tree_leaf(f.log, i, leaf);
        if (i < knows_from && status) {
            EXPECT_EQUAL(status, STATUS_RANGE);
            continue;
        }
        EXPECT_EQUAL(status, STATUS_OK);
        sample_make(&sample, i);
        rfc6962_leaf(sample.entry.head, sample.entry.body, wanted);
        EXPECT_BYTES(leaf, wanted, SHA256_SIZE);
    }
    struct log_cursor cursor;
    struct frame frame;
    log_cursor_begin(&cursor, f.log);
    for (uint64_t i = log_first(f.log); i < ENTRIES + 30; i += 7) {
        EXPECT_EQUAL(log_cursor_seek(&cursor, i), STATUS_OK);
        EXPECT_EQUAL(log_cursor_next(&cursor, &frame), STATUS_OK);
        EXPECT_EQUAL(frame.sequence, i);
    }
    if (log_first(f.log) > 0)
        EXPECT_EQUAL(log_cursor_seek(&cursor, log_first(f.log) - 1), STATUS_RANGE);
    log_cursor_end(&cursor);
    fixture_end(&f);
}

static enum status refusal_of(const struct sim_image *image,
                              const struct log_cover *cover) {
    struct fixture f;
    fixture_begin(&f, image);
    f.cover = cover;
    enum status status = fixture_boot(&f);
    EXPECT(strstr(f.report.message, "nothing was modified") != NULL);
    EXPECT_EQUAL(sim_changes(f.sim), 0);
    fixture_end(&f);
    return status;
}

static void begins_at_any_entry_of_a_whole_log(void) {
    struct sim_image image;
    make_image(&image, ENTRIES, SEGMENT, true);
    for (uint64_t n = 1; n <= ENTRIES; n += 3) expect_boots(&image, n, 0);
    expect_boots(&image, ENTRIES, 0);
    sim_image_free(&image);
}

static void G12_begins_without_the_first_segments(void) {
    for (unsigned dropped = 1; dropped < 5; dropped++) {
        struct sim_image image;
        make_image(&image, ENTRIES, SEGMENT, true);
        uint64_t base = base_of(&image, dropped + 1);
        EXPECT(base < ENTRIES);
        drop_segments(&image, dropped);
        for (uint64_t n = base; n <= ENTRIES; n += 5) expect_boots(&image, n, n);
        sim_image_free(&image);
    }
}

static void G9_missing_segments_need_a_cover(void) {
    struct sim_image image;
    struct log_cover cover;
    make_image(&image, ENTRIES, SEGMENT, true);
    drop_segments(&image, 2);
    EXPECT_EQUAL(refusal_of(&image, NULL), STATUS_FOREIGN);
    make_cover(&image, base_of(&image, 3) - 1, &cover);
    EXPECT_EQUAL(refusal_of(&image, &cover), STATUS_FOREIGN);
    make_cover(&image, ENTRIES + 1, &cover); /* it knows more than there is */
    EXPECT_EQUAL(refusal_of(&image, &cover), STATUS_FOREIGN);
    make_cover(&image, 100, &cover);
    cover.log_id[3] ^= 1;
    EXPECT_EQUAL(refusal_of(&image, &cover), STATUS_FOREIGN);
    sim_image_remove(&image, "valori-00000004.log"); /* a gap is no trim */
    make_cover(&image, 100, &cover);
    EXPECT_EQUAL(refusal_of(&image, &cover), STATUS_FOREIGN);
    sim_image_free(&image);
}

static void G12_another_history_is_refused(void) {
    struct sim_image image;
    struct log_cover cover;
    make_image(&image, ENTRIES, SEGMENT, true);
    for (uint64_t n = 1; n <= ENTRIES; n += 17) {
        make_cover(&image, n, &cover);
        unsigned level = 0;
        while (!(n >> level & 1)) level++;
        cover.range.roots[level][5] ^= 4;
        EXPECT_EQUAL(refusal_of(&image, &cover), STATUS_FOREIGN);
    }
    sim_image_free(&image);
}

/* The end of the log is damaged before the place that the snapshot covers: it proves that
 * the entries were acknowledged. */
static void G8_a_cover_is_evidence(void) {
    struct sim_image image;
    struct log_cover cover;
    make_image(&image, ENTRIES, UINT64_MAX, false);
    static struct place places[200];
    struct sim_file_image *file = sim_image_find(&image, first_name);
    EXPECT(list_frames(file, places, 200) >= ENTRIES);
    memset(file->data + places[ENTRIES - 1].offset, 0x33,
           file->size - places[ENTRIES - 1].offset);
    sim_image_remove(&image, HEAD_NAME);
    make_cover(&image, ENTRIES - 1, &cover);
    struct fixture f;
    fixture_begin(&f, &image);
    f.cover = &cover;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, ENTRIES - 1);
    fixture_end(&f);
    make_cover(&image, ENTRIES, &cover);
    EXPECT_EQUAL(refusal_of(&image, &cover), STATUS_CORRUPT);
    sim_image_free(&image);
}

static void another_cover_may_be_tried(void) {
    struct sim_image image;
    struct log_cover bad, good;
    make_image(&image, ENTRIES, SEGMENT, true);
    drop_segments(&image, 1);
    uint64_t base = base_of(&image, 2);
    make_cover(&image, base, &bad);
    make_cover(&image, base + 9, &good);
    bad.log_id[0] ^= 1;
    struct fixture f;
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_open(&f), STATUS_OK);
    EXPECT_EQUAL(log_begin_at(f.log, &bad, &f.report), STATUS_FOREIGN);
    EXPECT_EQUAL(log_begin_at(f.log, &good, &f.report), STATUS_OK);
    enum status status;
    do status = log_scan(f.log, 4096, &f.report);
    while (status == STATUS_AGAIN);
    EXPECT_EQUAL(status, STATUS_OK);
    fixture_end(&f);
    sim_image_free(&image);
}

int main(void) {
    RUN(begins_at_any_entry_of_a_whole_log);
    RUN(G12_begins_without_the_first_segments);
    RUN(G9_missing_segments_need_a_cover);
    RUN(G12_another_history_is_refused);
    RUN(G8_a_cover_is_evidence);
    RUN(another_cover_may_be_tried);
    return test_finish();
}
