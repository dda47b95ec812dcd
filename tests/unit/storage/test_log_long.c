/* Long frames in steps: the bytes are those of any other frame, nothing of one counts before all
 * of it is in the file, and a full disk keeps nothing of it. */
#include <errno.h>

#include "fixture.h"
#include "sim/sim_crash.h"

static void begin(struct fixture *f, uint64_t long_frame) {
    fixture_begin(f, NULL);
    f->options.long_frame = long_frame;
    EXPECT_EQUAL(fixture_boot(f), STATUS_OK);
}

/* What a loop does between two steps. */
static void go_on(struct fixture *f) {
    EXPECT_EQUAL(log_flush(f->log), STATUS_OK);
    EXPECT_EQUAL(log_sync_start(f->log), STATUS_OK);
    (void)log_sync_poll(f->log, false);
    EXPECT_EQUAL(log_mark(f->log), STATUS_OK);
}

/* Append the next sample; `steps` counts them. */
static enum status append(struct fixture *f, bool busy, unsigned *steps) {
    struct sample sample;
    uint8_t leaf[SHA256_SIZE], wanted[SHA256_SIZE];
    uint64_t size = log_size(f->log);
    sample_make(&sample, size);
    enum status status = log_append_long(f->log, &sample.entry, leaf);
    for (*steps = 0; status == STATUS_AGAIN; ++*steps) {
        EXPECT_EQUAL(log_size(f->log), size);
        if (busy) go_on(f);
        status = log_append_step(f->log, leaf);
    }
    if (status) return status;
    rfc6962_leaf(sample.entry.head, sample.entry.body, wanted);
    EXPECT_BYTES(leaf, wanted, SHA256_SIZE);
    EXPECT_EQUAL(log_size(f->log), size + 1);
    return STATUS_OK;
}

/* One machine writes every frame in steps, the other none: the files are the same. */
static void the_bytes_are_those_of_any_frame(void) {
    struct sim_image images[2];
    for (int way = 0; way < 2; way++) {
        struct fixture f;
        unsigned steps;
        begin(&f, way ? 1 : UINT64_MAX);
        for (int i = 0; i < 40; i++) {
            EXPECT_EQUAL(append(&f, false, &steps), STATUS_OK);
            EXPECT_EQUAL(steps > 0, way);
            EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
        }
        EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
        sim_snapshot(f.sim, &images[way]);
        fixture_end(&f);
    }
    EXPECT_EQUAL(images[0].count, images[1].count);
    EXPECT_EQUAL(sim_image_hash(&images[0]), sim_image_hash(&images[1]));
    sim_image_free(&images[0]);
    sim_image_free(&images[1]);
}

/* Long and short ones mixed, with syncs, marks and rolls between the steps. */
static void the_log_goes_on_meanwhile(void) {
    for (unsigned polls = 1; polls <= 3; polls++) {
        struct fixture f;
        unsigned steps;
        begin(&f, 600);
        f.options.segment_size = 3000;
        log_close(f.log);
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        sim_set_sync_polls(f.sim, polls);
        for (int i = 0; i < 60; i++) {
            EXPECT_EQUAL(append(&f, true, &steps), STATUS_OK);
            go_on(&f);
        }
        EXPECT(log_segment_count(f.log) > 3);
        EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
        log_close(f.log);
        f.log = NULL;
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        expect_entries(&f, 60);
        fixture_end(&f);
    }
}

/* Killed after any step: the entries before it stand, and it does not, or all of it does. */
static void G7_killed_between_the_steps(void) {
    for (unsigned last = 0; last < 8; last++) {
        struct fixture f, after;
        struct sample sample;
        uint8_t leaf[SHA256_SIZE];
        begin(&f, 1);
        fixture_append_many(&f, 7);
        sim_set_sync_polls(f.sim, 3);
        sample_make(&sample, 7);
        EXPECT_EQUAL(log_append_long(f.log, &sample.entry, leaf), STATUS_AGAIN);
        enum status status = STATUS_AGAIN;
        for (unsigned i = 0; i < last && status == STATUS_AGAIN; i++)
            status = log_append_step(f.log, leaf);
        EXPECT_EQUAL(log_size(f.log), status == STATUS_OK ? 8 : 7);
        if (status == STATUS_AGAIN) EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
        struct sim_image image;
        sim_snapshot(f.sim, &image);
        fixture_end(&f);
        fixture_begin(&after, &image);
        EXPECT_EQUAL(fixture_boot(&after), STATUS_OK);
        uint64_t size = log_size(after.log);
        EXPECT(size == 8 || (size == 7 && status == STATUS_AGAIN));
        expect_entries(&after, size);
        fixture_end(&after);
        sim_image_free(&image);
        if (status == STATUS_OK) {
            EXPECT(last > 4); /* The loop has gone on between. */
            return;
        }
    }
    EXPECT(!"it ended");
}

static void G4_a_full_disk_keeps_nothing_of_it(void) {
    for (int reserve = 0; reserve < 2; reserve++) {
        struct fixture f;
        unsigned steps;
        begin(&f, 1);
        sim_set_reserve(f.sim, reserve);
        fixture_append_many(&f, 7);
        EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
        EXPECT_EQUAL(log_stop(f.log), STATUS_OK); /* gives reserved space back */
        struct sim_image before, after;
        sim_snapshot(f.sim, &before);
        const struct sim_file_image *file = sim_image_find(&before, first_name);
        sim_set_capacity(f.sim, file->size + 700); /* Entry 7 has 1,100 bytes. */
        EXPECT_EQUAL(append(&f, true, &steps), STATUS_NO_SPACE);
        EXPECT(steps > 2);
        EXPECT_EQUAL(log_size(f.log), 7);
        sim_snapshot(f.sim, &after);
        EXPECT_EQUAL(sim_image_find(&after, first_name)->size, file->size);
        EXPECT_EQUAL(append(&f, true, &steps), STATUS_NO_SPACE); /* still */
        EXPECT_EQUAL(steps, 0);
        sim_image_free(&before);
        sim_image_free(&after);
        sim_set_capacity(f.sim, UINT64_MAX);
        EXPECT(log_has_space(f.log));
        for (int i = 0; i < 5; i++) EXPECT_EQUAL(append(&f, true, &steps), STATUS_OK);
        EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
        expect_entries(&f, 12);
        fixture_end(&f);
    }
}

static void G5_a_write_that_fails_is_final(void) {
    struct fixture f;
    unsigned steps;
    begin(&f, 1);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    sim_set_fault(f.sim, sim_calls(f.sim), SIM_FAULT_HALF, EIO, false);
    EXPECT_EQUAL(append(&f, false, &steps), STATUS_IO);
    EXPECT_EQUAL(log_error(f.log), EIO);
    EXPECT_EQUAL(log_size(f.log), 3);
    EXPECT_EQUAL(append(&f, false, &steps), STATUS_IO);
    fixture_end(&f);
}

/* While the helper is busy, with a sync or with the frame, a step has nothing to do. */
static void says_when_it_waits(void) {
    struct fixture f;
    struct sample sample;
    uint8_t leaf[SHA256_SIZE];
    begin(&f, 1);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    sim_set_sync_polls(f.sim, 4);
    EXPECT_EQUAL(log_sync_start(f.log), STATUS_OK);
    sample_make(&sample, 3);
    EXPECT(!log_append_waits(f.log));
    enum status status = log_append_long(f.log, &sample.entry, leaf);
    EXPECT(!log_append_waits(f.log)); /* It has its checks to make. */
    unsigned waits = 0;
    for (; status == STATUS_AGAIN; status = log_append_step(f.log, leaf))
        waits += log_append_waits(f.log);
    EXPECT_EQUAL(status, STATUS_OK);
    EXPECT(waits >= 6);
    EXPECT(!log_append_waits(f.log));
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    expect_entries(&f, 4);
    fixture_end(&f);
}

int main(void) {
    RUN(the_bytes_are_those_of_any_frame);
    RUN(the_log_goes_on_meanwhile);
    RUN(G7_killed_between_the_steps);
    RUN(G4_a_full_disk_keeps_nothing_of_it);
    RUN(G5_a_write_that_fails_is_final);
    RUN(says_when_it_waits);
    return test_finish();
}
