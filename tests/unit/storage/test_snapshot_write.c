#include "unit/storage/snapshot_trial.h"

#include <errno.h>

static const uint64_t sizes[] = {0, 8, 4000, SNAPSHOT_PIECE - SNAPSHOT_HEADER_SIZE,
                                 SNAPSHOT_PIECE, 11 * SNAPSHOT_PIECE + 808};

static bool exists(struct fixture *f, const char *name) {
    struct sim_image image;
    sim_image_init(&image);
    sim_snapshot(f->sim, &image);
    bool found = sim_image_find(&image, name) != NULL;
    sim_image_free(&image);
    return found;
}

static void what_is_written_is_read(void) {
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct fixture f;
        struct snapshot_reader reader;
        fixture_begin(&f, NULL);
        EXPECT_EQUAL(snapshot_write_all(&f, 9, sizes[i]), STATUS_OK);
        EXPECT_EQUAL(snapshot_read_all(&f, 9, &reader), STATUS_OK);
        EXPECT_EQUAL(reader.facts.image_size, sizes[i]);
        EXPECT_EQUAL(reader.facts.cover.range.size, 9);
        fixture_end(&f);
    }
}

/* Whatever call fails, an older snapshot stays and there is no new one, or there is. */
static void a_failure_leaves_the_set_usable(void) {
    int failed = 0;
    for (uint64_t call = 0;; call++) {
        struct fixture f;
        struct snapshot_reader reader;
        fixture_begin(&f, NULL);
        EXPECT_EQUAL(snapshot_write_all(&f, 5, 3000), STATUS_OK);
        sim_set_fault(f.sim, sim_calls(f.sim) + call, SIM_FAULT_HALF, call % 2 ? EIO : ENOSPC,
                      false);
        enum status status = snapshot_write_all(&f, 9, 2 * SNAPSHOT_PIECE);
        bool hit = sim_fault_hit(f.sim);
        sim_set_fault(f.sim, UINT64_MAX, SIM_FAULT_NONE, 0, false);
        EXPECT_EQUAL(snapshot_read_all(&f, 5, &reader), STATUS_OK);
        enum status newer = snapshot_read_all(&f, 9, &reader);
        if (!status) EXPECT_EQUAL(newer, STATUS_OK);
        EXPECT(newer == STATUS_OK || newer == STATUS_NOT_FOUND);
        EXPECT(newer == STATUS_OK || !exists(&f, "valori-00000000000000000009.snap"));
        failed += status != STATUS_OK;
        fixture_end(&f);
        if (!hit) break;
    }
    EXPECT(failed >= 8);
}

static void what_does_not_read_back_gets_no_name(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    uint64_t before = sim_calls(f.sim);
    EXPECT_EQUAL(snapshot_write_all(&f, 5, SNAPSHOT_PIECE), STATUS_OK);
    uint64_t calls = sim_calls(f.sim) - before;
    int caught = 0;
    for (uint64_t call = 0; call < calls; call++) {
        sim_set_fault(f.sim, sim_calls(f.sim) + call, SIM_FAULT_SHORT_READ, 0, false);
        enum status status = snapshot_write_all(&f, 9, SNAPSHOT_PIECE);
        const struct os *os = sim_os(f.sim);
        if (!status) os->remove(os, f.directory, "valori-00000000000000000009.snap");
        if (sim_fault_hit(f.sim) && status == STATUS_CORRUPT) {
            caught++;
            EXPECT(!exists(&f, "valori-00000000000000000009.snap"));
            EXPECT(!exists(&f, "valori-00000000000000000009.snap.tmp"));
        }
    }
    EXPECT(caught >= 3);
    fixture_end(&f);
}

static void memory_that_is_missing_is_told(void) {
    for (uint64_t call = 0; call < 2; call++) {
        struct fixture f;
        fixture_begin(&f, NULL);
        f.counting.fail_at = f.counting.calls + call;
        EXPECT_EQUAL(snapshot_write_all(&f, 9, 800), STATUS_MEMORY);
        fixture_end(&f);
    }
}

int main(void) {
    RUN(what_is_written_is_read);
    RUN(a_failure_leaves_the_set_usable);
    RUN(what_does_not_read_back_gets_no_name);
    RUN(memory_that_is_missing_is_told);
    return test_finish();
}
