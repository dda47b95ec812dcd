/* Reading entries while others are appended: only what is durable, with every check, across
 * segments, marks and restarts. */
#include "fixture.h"
#include "storage/cursor.h"

static void sync_all(struct fixture *f) {
    EXPECT_EQUAL(log_flush(f->log), STATUS_OK);
    EXPECT_EQUAL(log_sync_start(f->log), STATUS_OK);
    EXPECT_EQUAL(log_sync_poll(f->log, true), STATUS_OK);
}

static void expect_next(struct log_cursor *cursor, uint64_t sequence) {
    struct sample sample;
    struct frame frame;
    sample_make(&sample, sequence);
    EXPECT_EQUAL(log_cursor_next(cursor, &frame), STATUS_OK);
    EXPECT_EQUAL(frame.sequence, sequence);
    EXPECT_EQUAL(frame.type, sample.entry.type);
    EXPECT_EQUAL(frame.entry.size, sample.entry.head.size + sample.entry.body.size);
    EXPECT_BYTES(frame.entry.data, sample.bytes, frame.entry.size);
    EXPECT(slice_equal(frame.list, sample.entry.list));
    EXPECT(slice_equal(frame.payload, sample.entry.payload));
}

static void expect_end(struct log_cursor *cursor) {
    struct frame frame;
    EXPECT_EQUAL(log_cursor_next(cursor, &frame), STATUS_END);
}

static void what_is_durable_comes_in_order(void) {
    struct fixture f;
    struct log_cursor cursor;
    fixture_begin(&f, NULL);
    f.options.segment_size = 3000;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    log_cursor_begin(&cursor, f.log);
    EXPECT_EQUAL(log_cursor_seek(&cursor, 0), STATUS_OK);
    expect_end(&cursor);
    for (uint64_t i = 0; i < 60; i++) {
        EXPECT_EQUAL(fixture_append(&f), STATUS_OK);
        expect_end(&cursor); /* it is in the buffer */
        EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
        /* It is in the cache, if no new segment was begun. */
        if (log_durable(f.log) == i) expect_end(&cursor);
        sync_all(&f);
        expect_next(&cursor, i);
        expect_end(&cursor);
        if (i % 7 == 3) EXPECT_EQUAL(log_mark(f.log), STATUS_OK);
        EXPECT_EQUAL(log_sync_poll(f.log, true), STATUS_OK);
    }
    EXPECT(log_segment_count(f.log) > 5);
    log_cursor_end(&cursor);
    fixture_end(&f);
}

static void any_sequence_is_found(void) {
    struct sim_image image;
    make_image(&image, 50, 3000, true);
    struct fixture f;
    struct log_cursor cursor;
    fixture_begin(&f, &image);
    f.options.segment_size = 3000;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 20);
    sync_all(&f);
    log_cursor_begin(&cursor, f.log);
    for (uint64_t i = 0; i < 70; i += 3) {
        EXPECT_EQUAL(log_cursor_seek(&cursor, 69 - i), STATUS_OK);
        for (uint64_t j = 69 - i; j < 70; j++) expect_next(&cursor, j);
        expect_end(&cursor);
    }
    EXPECT_EQUAL(log_cursor_seek(&cursor, 70), STATUS_OK);
    expect_end(&cursor);
    EXPECT_EQUAL(log_cursor_seek(&cursor, 71), STATUS_RANGE);
    fixture_append_many(&f, 1);
    EXPECT_EQUAL(log_cursor_seek(&cursor, 71), STATUS_RANGE);
    sync_all(&f);
    expect_next(&cursor, 70);
    log_cursor_end(&cursor);
    fixture_end(&f);
    sim_image_free(&image);
}

/* In a segment large enough to be searched, with marks here and there. */
static void the_search_finds_any_of_many(void) {
    struct fixture f;
    struct log_cursor cursor;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    for (unsigned i = 0; i < 100; i++) {
        fixture_append_many(&f, 10);
        sync_all(&f);
        if (i % 3 == 1) EXPECT_EQUAL(log_mark(f.log), STATUS_OK);
        EXPECT_EQUAL(log_sync_poll(f.log, true), STATUS_OK);
    }
    log_cursor_begin(&cursor, f.log);
    for (uint64_t i = 0; i < 1000; i++) {
        EXPECT_EQUAL(log_cursor_seek(&cursor, i * 373 % 1000), STATUS_OK);
        expect_next(&cursor, i * 373 % 1000);
    }
    log_cursor_end(&cursor);
    fixture_end(&f);
}

static void what_is_written_comes_if_asked_for(void) {
    struct fixture f;
    struct log_cursor cursor;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    log_cursor_begin(&cursor, f.log);
    cursor.written = true;
    EXPECT_EQUAL(log_cursor_seek(&cursor, 0), STATUS_OK);
    fixture_append_many(&f, 2);
    expect_end(&cursor);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    expect_next(&cursor, 0);
    expect_next(&cursor, 1);
    expect_end(&cursor);
    log_cursor_end(&cursor);
    fixture_end(&f);
}

static void reads_a_log_that_is_only_read(void) {
    struct sim_image image;
    make_image(&image, 60, 6000, true);
    struct fixture f;
    fixture_begin(&f, &image);
    f.options.read_only = true;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    struct log_cursor cursor;
    log_cursor_begin(&cursor, f.log);
    EXPECT_EQUAL(log_cursor_seek(&cursor, 33), STATUS_OK);
    expect_next(&cursor, 33);
    log_cursor_end(&cursor);
    fixture_end(&f);
    sim_image_free(&image);
}

/* A large payload full of what looks like frames is not taken for any. */
static void payloads_cannot_pose_as_frames(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 50);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    static uint8_t payload[200000];
    struct frame_header header = {.kind = FRAME_ENTRY, .type = 1, .sequence = 50};
    uint8_t key[SIPHASH_KEY_SIZE] = {0};
    for (size_t at = 0; at + 64 <= sizeof payload; at += 64)
        frame_encode(key, &header, &(struct log_entry){.type = 1}, payload + at);
    struct sample sample;
    uint8_t leaf[SHA256_SIZE];
    sample_make(&sample, 50);
    sample.entry.payload = slice_of(payload, sizeof payload);
    EXPECT_EQUAL(log_append(f.log, &sample.entry, leaf), STATUS_OK);
    fixture_append_many(&f, 49);
    sync_all(&f);
    struct log_cursor cursor;
    struct frame frame;
    log_cursor_begin(&cursor, f.log);
    for (uint64_t i = 0; i < 100; i++) {
        EXPECT_EQUAL(log_cursor_seek(&cursor, 99 - i), STATUS_OK);
        EXPECT_EQUAL(log_cursor_next(&cursor, &frame), STATUS_OK);
        EXPECT_EQUAL(frame.sequence, 99 - i);
    }
    log_cursor_end(&cursor);
    fixture_end(&f);
}

/* A bit that turns over behind our back is never handed on. */
static void G16_damage_on_the_disk_stays_here(void) {
    struct fixture f;
    struct log_cursor cursor;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 10);
    sync_all(&f);
    const struct os *os = sim_os(f.sim);
    struct file *file;
    EXPECT_EQUAL(os->file_open(os, f.directory, first_name, FILE_WRITE, &file), STATUS_OK);
    struct file_facts facts;
    EXPECT_EQUAL(os->file_describe(os, file, &facts), STATUS_OK);
    unsigned missed = 0, found = 0;
    for (uint64_t at = SEGMENT_HEADER_SIZE; at < 6000; at += 41) {
        uint8_t byte;
        size_t got;
        EXPECT_EQUAL(os->file_read(os, file, at, &byte, 1, &got), STATUS_OK);
        byte ^= 4;
        EXPECT_EQUAL(os->file_write(os, file, at, &byte, 1), STATUS_OK);
        log_cursor_begin(&cursor, f.log);
        struct frame frame;
        enum status status = log_cursor_seek(&cursor, 0);
        while (!status) status = log_cursor_next(&cursor, &frame);
        if (status == STATUS_END) missed++;
        else found++;
        log_cursor_end(&cursor);
        byte ^= 4;
        EXPECT_EQUAL(os->file_write(os, file, at, &byte, 1), STATUS_OK);
    }
    EXPECT(found > 50);
    EXPECT_EQUAL(missed, 0);
    os->file_close(os, file);
    fixture_end(&f);
}

static void a_log_that_is_empty_takes_another_id(void) {
    static const uint8_t id[LOG_ID_SIZE] = "0123456789abcde";
    struct fixture f;
    struct sim_image image;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    EXPECT_EQUAL(log_adopt(f.log, id), STATUS_OK);
    EXPECT_BYTES(log_id(f.log), id, LOG_ID_SIZE);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_adopt(f.log, log_id(f.log)), STATUS_INVALID);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    sim_snapshot(f.sim, &image);
    fixture_end(&f);
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, 3);
    EXPECT_BYTES(log_id(f.log), id, LOG_ID_SIZE);
    fixture_end(&f);
    sim_image_free(&image);
}

int main(void) {
    RUN(what_is_durable_comes_in_order);
    RUN(any_sequence_is_found);
    RUN(the_search_finds_any_of_many);
    RUN(what_is_written_comes_if_asked_for);
    RUN(reads_a_log_that_is_only_read);
    RUN(payloads_cannot_pose_as_frames);
    RUN(G16_damage_on_the_disk_stays_here);
    RUN(a_log_that_is_empty_takes_another_id);
    return test_finish();
}
