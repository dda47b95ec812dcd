#define _DEFAULT_SOURCE /* mkdtemp() */

/* The log on the real system: a directory in TMPDIR, real files, the real sync helper. */
#include <stdio.h>
#include <unistd.h>

#include "fixture.h"

struct real {
    char path[256];
    struct counting counting;
    struct allocator allocator;
    struct directory *directory;
    struct log *log;
    struct log_report report;
};

static bool begin(struct real *real) {
    const char *top = getenv("TMPDIR");
    memset(real, 0, sizeof *real);
    real->counting.fail_at = UINT64_MAX;
    real->allocator = (struct allocator){&real->counting, counting_resize};
    snprintf(real->path, sizeof real->path, "%s/valori-test-XXXXXX", top ? top : "/tmp");
    if (!mkdtemp(real->path)) return false;
    const struct os *os = posix_os();
    return os->directory_open(os, real->path, &real->directory) == STATUS_OK;
}

static bool remove_one(void *context, const char *name) {
    struct real *real = context;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", real->path, name);
    remove(path);
    return true;
}

static void end(struct real *real) {
    const struct os *os = posix_os();
    log_close(real->log);
    os->directory_list(os, real->directory, remove_one, real);
    os->directory_close(os, real->directory);
    rmdir(real->path);
    EXPECT_EQUAL(real->counting.used, 0);
}

static enum status boot(struct real *real) {
    struct log_options options = {.segment_size = 50000, .reserve_size = 1 << 20};
    log_close(real->log);
    enum status status = log_open(posix_os(), &real->allocator, real->directory, &options,
                                  &real->log, &real->report);
    if (status) return status;
    do status = log_scan(real->log, 10000, &real->report);
    while (status == STATUS_AGAIN);
    struct frame frame;
    while (!status) status = log_next(real->log, &frame, &real->report);
    return status == STATUS_END ? log_start(real->log, &real->report) : status;
}

static void append(struct real *real) {
    struct sample sample;
    uint8_t leaf[SHA256_SIZE];
    sample_make(&sample, log_size(real->log));
    EXPECT_EQUAL(log_append(real->log, &sample.entry, leaf), STATUS_OK);
}

static void expect_count(struct real *real, uint64_t count) {
    uint8_t actual[SHA256_SIZE], wanted[SHA256_SIZE];
    EXPECT_EQUAL(log_size(real->log), count);
    log_root(real->log, actual);
    sample_root(count, wanted);
    EXPECT_BYTES(actual, wanted, SHA256_SIZE);
}

static void a_log_lives_through_restarts(void) {
    struct real real;
    if (!begin(&real)) SKIP("no temporary directory");
    for (uint64_t round = 0; round < 3; round++) {
        EXPECT_EQUAL(boot(&real), STATUS_OK);
        expect_count(&real, 300 * round);
        for (int i = 0; i < 300; i++) {
            append(&real);
            if (i % 10 != 9) continue;
            EXPECT_EQUAL(log_flush(real.log), STATUS_OK);
            EXPECT_EQUAL(log_sync_start(real.log), STATUS_OK);
            enum status status = log_sync_poll(real.log, i % 100 == 99);
            EXPECT(status == STATUS_OK || status == STATUS_AGAIN);
        }
        /* Twice a clean end, once as if the process had been killed. */
        if (round != 1) EXPECT_EQUAL(log_stop(real.log), STATUS_OK);
    }
    EXPECT_EQUAL(boot(&real), STATUS_OK);
    expect_count(&real, 900);
    EXPECT(real.report.segments > 5);
    EXPECT_EQUAL(real.report.torn_bytes, 0);
    end(&real);
}

static void a_torn_tail_on_a_real_disk_is_cut(void) {
    struct real real;
    if (!begin(&real)) SKIP("no temporary directory");
    EXPECT_EQUAL(boot(&real), STATUS_OK);
    for (int i = 0; i < 5; i++) append(&real);
    EXPECT_EQUAL(log_stop(real.log), STATUS_OK);
    const struct os *os = posix_os();
    struct file *file;
    struct file_facts facts;
    EXPECT_EQUAL(os->file_open(os, real.directory, first_name, FILE_WRITE, &file),
                 STATUS_OK);
    EXPECT_EQUAL(os->file_describe(os, file, &facts), STATUS_OK);
    EXPECT_EQUAL(os->file_write(os, file, facts.size, "torn", 4), STATUS_OK);
    os->file_close(os, file);
    EXPECT_EQUAL(boot(&real), STATUS_OK);
    expect_count(&real, 5);
    EXPECT_EQUAL(real.report.torn_bytes, 4);
    EXPECT_EQUAL(boot(&real), STATUS_OK);
    EXPECT_EQUAL(real.report.torn_bytes, 0);
    end(&real);
}

int main(void) {
    RUN(a_log_lives_through_restarts);
    RUN(a_torn_tail_on_a_real_disk_is_cut);
    return test_finish();
}
