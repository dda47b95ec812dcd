/* The helper threads: syncs that end on their own, wake the poller and are told once; a task. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "os/directory.h"

static const struct os *os;

static void sleep_ms(long ms) {
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static bool finish(bool wait, enum status *outcome, int *error) {
    *outcome = STATUS_INVALID;
    *error = -1;
    return os->sync_finish(os, wait, outcome, error);
}

static void tells_each_sync_once(void) {
    struct file *file;
    enum status outcome;
    int error;
    directory_begin();
    EXPECT_EQUAL(os->file_open(os, directory, "a", FILE_CREATE, &file), STATUS_OK);
    EXPECT(!finish(true, &outcome, &error)); /* none was started */
    for (int i = 0; i < 50; i++) {
        EXPECT_EQUAL(os->file_write(os, file, 0, &i, sizeof i), STATUS_OK);
        EXPECT_EQUAL(os->sync_start(os, file), STATUS_OK);
        EXPECT(finish(true, &outcome, &error));
        EXPECT_EQUAL(outcome, STATUS_OK);
        EXPECT_EQUAL(error, 0);
        EXPECT(!finish(false, &outcome, &error));
    }
    os->file_close(os, file);
    directory_end();
}

/* Both orders of "the sync ends" and "the loop falls asleep", many times: none may be
 * slept through. The limit of 5 s is never reached. */
static void wakes_the_poller(void) {
    struct file *file;
    struct poller *poller;
    struct poll_event event;
    enum status outcome;
    int error;
    directory_begin();
    EXPECT_EQUAL(os->file_open(os, directory, "a", FILE_CREATE, &file), STATUS_OK);
    EXPECT_EQUAL(os->poller_create(os, &poller), STATUS_OK);
    uint64_t start = os->monotonic_us(os);
    for (int i = 0; i < 2000; i++) {
        if (i % 8 == 0) EXPECT_EQUAL(os->file_write(os, file, 0, &i, 4), STATUS_OK);
        EXPECT_EQUAL(os->sync_start(os, file), STATUS_OK);
        for (volatile int spin = 0; spin < i % 64 * 200; spin++) continue;
        while (!finish(false, &outcome, &error))
            EXPECT_EQUAL(os->poller_wait(os, poller, &event, 1, 5000000), 0);
        EXPECT_EQUAL(outcome, STATUS_OK);
    }
    EXPECT(os->monotonic_us(os) - start < 5000000);
    os->poller_destroy(os, poller);
    os->file_close(os, file);
    directory_end();
}

static void a_finished_sync_needs_no_sleep(void) {
    struct file *file;
    struct poller *poller;
    struct poll_event event;
    enum status outcome;
    int error;
    directory_begin();
    EXPECT_EQUAL(os->file_open(os, directory, "a", FILE_CREATE, &file), STATUS_OK);
    EXPECT_EQUAL(os->poller_create(os, &poller), STATUS_OK);
    EXPECT_EQUAL(os->sync_start(os, file), STATUS_OK);
    sleep_ms(50);
    uint64_t start = os->monotonic_us(os);
    for (int i = 0; i < 3; i++) /* as long as it has not been told */
        EXPECT_EQUAL(os->poller_wait(os, poller, &event, 1, 5000000), 0);
    EXPECT(os->monotonic_us(os) - start < 1000000);
    EXPECT(finish(false, &outcome, &error));
    start = os->monotonic_us(os);
    /* An old wake-up may end the first of these; the rest sleep. */
    for (int i = 0; i < 3; i++) os->poller_wait(os, poller, &event, 1, 20000);
    EXPECT(os->monotonic_us(os) - start >= 40000);
    os->poller_destroy(os, poller);
    os->file_close(os, file);
    directory_end();
}

static void writes_parts_one_after_the_other(void) {
    struct file *file;
    enum status outcome;
    int error;
    static uint8_t large[3000000], back[sizeof large + 16];
    for (size_t i = 0; i < sizeof large; i++) large[i] = (uint8_t)(i * 31 >> 4);
    const struct slice parts[] = {slice_text("head"), slice_of(NULL, 0),
                                  slice_of(large, sizeof large), slice_text("tail")};
    directory_begin();
    EXPECT_EQUAL(os->file_open(os, directory, "a", FILE_CREATE, &file), STATUS_OK);
    EXPECT_EQUAL(os->write_start(os, file, 8, parts, 4), STATUS_OK);
    EXPECT(finish(true, &outcome, &error));
    EXPECT_EQUAL(outcome, STATUS_OK);
    EXPECT(!finish(false, &outcome, &error));
    size_t got;
    EXPECT_EQUAL(os->file_read(os, file, 0, back, sizeof back, &got), STATUS_OK);
    EXPECT_EQUAL(got, sizeof back);
    EXPECT_BYTES(back, "\0\0\0\0\0\0\0\0head", 12);
    EXPECT(memcmp(back + 12, large, sizeof large) == 0);
    EXPECT_BYTES(back + 12 + sizeof large, "tail", 4);
    os->file_close(os, file);
    EXPECT_EQUAL(os->file_open(os, directory, "a", FILE_READ, &file), STATUS_OK);
    EXPECT_EQUAL(os->write_start(os, file, 0, parts, 1), STATUS_OK); /* It may not. */
    EXPECT(finish(true, &outcome, &error));
    EXPECT_EQUAL(outcome, STATUS_IO);
    EXPECT_EQUAL(error, EBADF);
    os->file_close(os, file);
    directory_end();
}

static void waits_for_time(void) {
    struct poller *poller;
    struct poll_event event;
    EXPECT_EQUAL(os->poller_create(os, &poller), STATUS_OK);
    os->poller_wait(os, poller, &event, 1, 0); /* swallow an old wake-up */
    uint64_t start = os->monotonic_us(os);
    EXPECT_EQUAL(os->poller_wait(os, poller, &event, 1, 0), 0);
    EXPECT(os->monotonic_us(os) - start < 1000000);
    start = os->monotonic_us(os);
    EXPECT_EQUAL(os->poller_wait(os, poller, &event, 1, 10500), 0);
    EXPECT(os->monotonic_us(os) - start >= 10500);
    os->poller_destroy(os, poller);
}

/* A hint that may come for any region, in any number, and after the region is gone. */
static void warms_regions(void) {
    enum { SIZE = 4 << 20 };
    for (int i = 0; i < 40; i++) {
        uint8_t *region = os->region_take(os, SIZE);
        EXPECT(region != NULL);
        os->region_warm(os, region, SIZE);
        region[i * 4096] = 1; /* at the same time */
        if (i % 2) sleep_ms(1);
        EXPECT_EQUAL(region[i * 4096], 1);
        EXPECT_EQUAL(region[SIZE - 1], 0);
        os->region_give(os, region, SIZE);
    }
}

/* --- A task ------------------------------------------------------------------------------- */

struct job {
    atomic_bool go, begun;
    int result; /* plain: the end of the task makes it visible */
};

static void do_job(void *context) {
    struct job *job = context;
    atomic_store(&job->begun, true);
    while (!atomic_load(&job->go)) sleep_ms(1);
    job->result++;
}

static void a_task_runs_and_ends(void) {
    struct job job = {.go = true};
    EXPECT(os->task_wait(os, 0)); /* None was started: nothing to wait for. */
    EXPECT(os->task_wait(os, UINT64_MAX));
    for (int i = 0; i < 200; i++) {
        EXPECT_EQUAL(os->task_start(os, do_job, &job), STATUS_OK);
        EXPECT(os->task_wait(os, UINT64_MAX));
        EXPECT_EQUAL(job.result, i + 1);
        EXPECT(os->task_wait(os, 0));
    }
}

static void waiting_for_a_task_has_a_limit(void) {
    struct job job = {0};
    EXPECT_EQUAL(os->task_start(os, do_job, &job), STATUS_OK);
    uint64_t start = os->monotonic_us(os);
    EXPECT(!os->task_wait(os, 0));
    EXPECT(!os->task_wait(os, 30000));
    EXPECT(os->monotonic_us(os) - start >= 29000); /* Two clocks are compared. */
    EXPECT_EQUAL(os->task_start(os, do_job, &job), STATUS_AGAIN); /* One at a time. */
    while (!atomic_load(&job.begun)) sleep_ms(1);
    EXPECT(!os->task_wait(os, 1));
    atomic_store(&job.go, true);
    start = os->monotonic_us(os);
    EXPECT(os->task_wait(os, 60000000)); /* Wakes at its end, not at the limit. */
    EXPECT(os->monotonic_us(os) - start < 30000000);
    EXPECT_EQUAL(job.result, 1);
    EXPECT_EQUAL(os->task_start(os, do_job, &job), STATUS_OK);
    EXPECT(os->task_wait(os, UINT64_MAX));
    EXPECT_EQUAL(job.result, 2);
}

static void sleep_in_task(void *context) {
    (void)context;
    os->task_sleep(os, 20000);
}

static void a_task_sleeps_as_long_as_it_says(void) {
    uint64_t start = os->monotonic_us(os);
    EXPECT_EQUAL(os->task_start(os, sleep_in_task, NULL), STATUS_OK);
    EXPECT(os->task_wait(os, UINT64_MAX));
    EXPECT(os->monotonic_us(os) - start >= 20000);
}

int main(void) {
    os = posix_os();
    RUN(tells_each_sync_once);
    RUN(wakes_the_poller);
    RUN(a_finished_sync_needs_no_sleep);
    RUN(writes_parts_one_after_the_other);
    RUN(waits_for_time);
    RUN(warms_regions);
    RUN(a_task_runs_and_ends);
    RUN(waiting_for_a_task_has_a_limit);
    RUN(a_task_sleeps_as_long_as_it_says);
    return test_finish();
}
