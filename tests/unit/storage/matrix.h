/* Booting an image and demanding one exact outcome. A refusal must not have changed a
 * byte. */
#ifndef TESTS_UNIT_STORAGE_MATRIX_H
#define TESTS_UNIT_STORAGE_MATRIX_H

#include "fixture.h"

/* Boot `image` and demand a refusal that changed nothing. */
static inline void expect_refusal(const struct sim_image *image, enum status wanted) {
    struct fixture f;
    fixture_begin(&f, image);
    EXPECT_EQUAL(fixture_boot(&f), wanted);
    EXPECT_EQUAL(sim_changes(f.sim), 0);
    EXPECT(strncmp(f.report.message, "FATAL ", 6) == 0);
    EXPECT(strlen(f.report.message) > 20);
    fixture_end(&f);
}

/* Boot it and demand the first `count` sample entries; then once more, with nothing to
 * do. */
static inline void expect_boot(const struct sim_image *image, uint64_t count,
                               uint64_t torn) {
    struct fixture f;
    fixture_begin(&f, image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, count);
    EXPECT_EQUAL(f.report.torn_bytes, torn);
    EXPECT_EQUAL(log_durable(f.log), count);
    log_close(f.log);
    f.log = NULL;
    uint64_t changes = sim_changes(f.sim);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, count);
    EXPECT_EQUAL(sim_changes(f.sim), changes); /* G13 */
    EXPECT_EQUAL(f.report.torn_bytes, 0);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    log_close(f.log);
    f.log = NULL;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, count + 3);
    fixture_end(&f);
}

static inline void flip(struct sim_image *image, const char *name, uint64_t offset) {
    sim_image_find(image, name)->data[offset] ^= 0x10;
}

static inline void sign_header(uint8_t *bytes) { sha256(bytes, 480, bytes + 480); }

#endif
