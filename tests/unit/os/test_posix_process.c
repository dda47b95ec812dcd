/* What a process has once: signals, its end, its memory, its clocks. The unpleasant ones
 * run in a child. */
#define _GNU_SOURCE

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "os/os.h"
#include "test.h"

static const struct os *os;

/* Run `body` in a child with its stderr in `text`; gives what waitpid() said. */
static int run_child(int (*body)(void), char *text, size_t size) {
    int ends[2], result = 0;
    EXPECT_EQUAL(pipe(ends), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        _exit(body());
    }
    close(ends[1]);
    size_t used = 0;
    ssize_t got;
    while (used + 1 < size && (got = read(ends[0], text + used, size - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    close(ends[0]);
    EXPECT_EQUAL(waitpid(child, &result, 0), child);
    return result;
}

static int fail_a_check(void) {
    os_start();
    int answer = 41;
    check(answer == 42);
    return 0;
}

static void a_failed_check_exits_with_70(void) {
    char text[16384];
    int result = run_child(fail_a_check, text, sizeof text);
    EXPECT(WIFEXITED(result));
    EXPECT_EQUAL(WEXITSTATUS(result), 70);
    EXPECT(strstr(text, "answer == 42") != NULL);
    EXPECT(strstr(text, "test_posix_process.c:") != NULL);
    EXPECT(strstr(text, "[0x") != NULL); /* a stack trace */
}

/* SIGTERM comes from another process while this one sleeps without a limit. */
static int sleep_until_told(void) {
    struct poller *poller;
    struct poll_event event;
    os_start();
    if (os->stop_requested(os) || os->poller_create(os, &poller)) return 1;
    pid_t parent = getpid();
    if (fork() == 0) {
        struct timespec time = {.tv_nsec = 50000000};
        nanosleep(&time, NULL);
        kill(parent, SIGTERM);
        _exit(0);
    }
    alarm(20);
    while (!os->stop_requested(os))
        if (os->poller_wait(os, poller, &event, 1, UINT64_MAX) != 0) return 2;
    return 0;
}

/* It comes before there is a poller to wake: the flag must do. */
static int be_told_early(void) {
    os_start();
    raise(SIGINT);
    raise(SIGPIPE); /* which is ignored */
    return os->stop_requested(os) ? 0 : 1;
}

/* Once for each time, and no stop. */
static int be_told_to_reopen(void) {
    os_start();
    if (os->reopen_requested(os)) return 1;
    raise(SIGHUP);
    if (!os->reopen_requested(os)) return 2;
    return os->reopen_requested(os) || os->stop_requested(os) ? 3 : 0;
}

static void signals_ask_for_a_stop(void) {
    char text[256];
    EXPECT_EQUAL(run_child(sleep_until_told, text, sizeof text), 0);
    EXPECT_EQUAL(run_child(be_told_early, text, sizeof text), 0);
    EXPECT_EQUAL(run_child(be_told_to_reopen, text, sizeof text), 0);
    EXPECT(!os->stop_requested(os));
}

static void the_allocator_counts(void) {
    const struct allocator *allocator = os_allocator();
    size_t before = os_allocator_used();
    uint8_t *block = allocate(allocator, 100);
    memset(block, 7, 100);
    EXPECT_EQUAL(os_allocator_used() - before, 100);
    block = allocator->resize(allocator->context, block, 100, 100000);
    EXPECT_EQUAL(os_allocator_used() - before, 100000);
    EXPECT_EQUAL(block[99], 7);
    block = allocator->resize(allocator->context, block, 100000, 50);
    EXPECT_EQUAL(os_allocator_used() - before, 50);
    release(allocator, block, 50);
    release(allocator, NULL, 0);
    EXPECT_EQUAL(os_allocator_used(), before);
    EXPECT(strcmp(os_allocator_name(), "libc") == 0 ||
           strncmp(os_allocator_name(), "jemalloc-", 9) == 0);
}

/* Across every border between what is allocated and what is mapped. */
static void large_blocks_keep_their_bytes(void) {
    static const size_t sizes[] = {100,      1000000, 1048575, 1048576, 1048577, 5000000,
                                   64 << 20, 9000000, 2000000, 1048576, 1048575, 10};
    const struct allocator *allocator = os_allocator();
    size_t before = os_allocator_used(), old = 0;
    uint8_t *block = NULL;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i], kept = size < old ? size : old;
        block = allocator->resize(allocator->context, block, old, size);
        EXPECT(block != NULL);
        EXPECT_EQUAL(os_allocator_used() - before, size);
        for (size_t at = 0; at < kept; at += 997) EXPECT_EQUAL(block[at], (uint8_t)(at * 7));
        for (size_t at = 0; at < size; at++) block[at] = (uint8_t)(at * 7);
        old = size;
    }
    release(allocator, block, old);
    for (int i = 0; i < 50; i++) { /* More than the helper takes at once. */
        block = allocate(allocator, 8 << 20);
        EXPECT(block != NULL);
        block[0] = block[(8 << 20) - 1] = 1;
        release(allocator, block, 8 << 20);
    }
    EXPECT_EQUAL(os_allocator_used(), before);
    EXPECT(allocate(allocator, SIZE_MAX - 1) == NULL);
    EXPECT(allocate(allocator, SIZE_MAX / 4) == NULL);
}

static void regions_are_aligned_and_zero(void) {
    const size_t unit = (size_t)2 << 20;
    for (size_t count = 1; count <= 5; count++) {
        uint8_t *region = os->region_take(os, count * unit);
        EXPECT(region != NULL);
        EXPECT_EQUAL((uintptr_t)region % unit, 0);
        for (size_t at = 0; at < count * unit; at += 4096) EXPECT_EQUAL(region[at], 0);
        region[0] = region[count * unit - 1] = 1;
        os->region_give(os, region, count * unit);
    }
    EXPECT(os->region_take(os, SIZE_MAX / unit * unit) == NULL);
}

static void clocks_go_on(void) {
    uint64_t mono = os->monotonic_us(os), wall = os->wall_us(os);
    struct timespec time = {.tv_nsec = 3000000};
    nanosleep(&time, NULL);
    EXPECT(os->monotonic_us(os) >= mono + 3000);
    EXPECT(wall > UINT64_C(1600000000) * 1000000); /* after 2020 */
}

static void random_bytes_differ(void) {
    uint8_t a[1000] = {0}, b[1000] = {0};
    os->random(os, a, sizeof a);
    os->random(os, b, sizeof b);
    EXPECT(memcmp(a, b, sizeof a) != 0);
    EXPECT(memcmp(a + 984, b + 984, 16) != 0); /* also behind the first 256 */
    os->random(os, a, 0);
}

static void facts_are_plausible(void) {
    EXPECT_EQUAL(os_process_id(), getpid());
    EXPECT(os_total_memory() > 1 << 20);
    EXPECT(os_resident_bytes() == 0 || os_resident_bytes() > 4096);
    EXPECT(os_resident_bytes() < os_total_memory());
    EXPECT(strchr(os_description(), ' ') != NULL);
    uint64_t before = os_cpu_user_us() + os_cpu_system_us(), now = before;
    while (now == before) now = os_cpu_user_us() + os_cpu_system_us();
    EXPECT(now > before);
}

int main(void) {
    os = posix_os();
    RUN(a_failed_check_exits_with_70);
    RUN(signals_ask_for_a_stop);
    RUN(the_allocator_counts);
    RUN(large_blocks_keep_their_bytes);
    RUN(regions_are_aligned_and_zero);
    RUN(clocks_go_on);
    RUN(random_bytes_differ);
    RUN(facts_are_plausible);
    return test_finish();
}
