/* The laboratory's program.
 *
 *     crash            once; CRASH_IMAGES=n images instead of 110,000, CRASH_SEED=n
 *     crash NAME       only the tests whose name holds NAME
 *     crash --soak     with new seeds until something is found, or for CRASH_HOURS=n
 *
 * The last line is "N passed, N failed". */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "crash/lab.h"

#define IMAGES 110000

/* --- The report -------------------------------------------------------------------- */

static struct {
    const char *wanted; /* NULL: all */
    const char *name;
    unsigned passed, failed;
    unsigned complaints; /* of the test that runs now */
} lab;

static void lab_end(void) {
    if (!lab.name) return;
    if (lab.complaints > 0) {
        printf("  FAIL %s\n", lab.name);
        lab.failed++;
    } else {
        lab.passed++;
    }
    lab.name = NULL;
}

void lab_begin(const char *name) {
    lab_end();
    lab.name = name;
    lab.complaints = 0;
}

bool lab_wanted(const char *name) {
    return !lab.wanted || strstr(name, lab.wanted) != NULL;
}

bool lab_failed(void) { return lab.complaints > 0; }

void lab_fail(const char *file, int line, const char *format, ...) {
    if (lab.complaints++ >= 5) return; /* the first ones tell enough */
    printf("  %s:%d: in %s: ", file, line, lab.name);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

static void on_panic(const char *what, const char *file, int line) {
    lab_fail(file, line, "check failed: %s", what);
    lab_end();
    printf("%u passed, %u failed\n", lab.passed, lab.failed);
    fflush(stdout);
    _Exit(1);
}

/* --- What the parts share ---------------------------------------------------------- */

static void *resize(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context, (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}
const struct allocator lab_allocator = {NULL, resize};

uint64_t lab_random(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* --- The workloads ----------------------------------------------------------------- */

#define NEVER UINT64_MAX

/* clang-format off */
static const struct workload workloads[] = {
    {.name = "G1_append_only",
     .boot = {.segment_size = NEVER, .reserve = true},
     .steps = 25, .sync_polls = 1, .burst = 1},
    {.name = "G1_group_commit_with_pipelining",
     .boot = {.segment_size = NEVER, .reserve = true},
     .steps = 25, .sync_polls = 3, .burst = 6},
    {.name = "G1_batches_and_groups",
     .boot = {.segment_size = NEVER, .reserve = true},
     .steps = 20, .sync_polls = 2, .burst = 3, .batches = true},
    {.name = "G1_batches_of_form_1",
     .boot = {.segment_size = NEVER, .reserve = true},
     .steps = 8, .sync_polls = 2, .burst = 2, .big_batches = true},
    {.name = "G1_long_frames_in_steps",
     .boot = {.segment_size = 4000, .reserve = true, .long_frame = 1},
     .steps = 20, .sync_polls = 2, .burst = 3, .batches = true},
    {.name = "G4_long_frames_on_a_full_disk",
     .boot = {.segment_size = 3000, .reserve = false, .long_frame = 1},
     .steps = 40, .sync_polls = 2, .burst = 3, .batches = true, .full_disk = true},
    {.name = "G1_rolling_segments",
     .boot = {.segment_size = 2500, .reserve = true},
     .steps = 35, .sync_polls = 2, .burst = 4, .batches = true},
    {.name = "G1_marks_idle_and_shutdown",
     .boot = {.segment_size = 6000, .reserve = true},
     .steps = 25, .sync_polls = 1, .burst = 2, .idle = true},
    {.name = "G4_full_disk_and_space_again",
     .boot = {.segment_size = 3000, .reserve = true},
     .steps = 40, .sync_polls = 2, .burst = 3, .full_disk = true},
    {.name = "G4_full_disk_without_reservation",
     .boot = {.segment_size = 3000, .reserve = false},
     .steps = 40, .sync_polls = 2, .burst = 3, .full_disk = true},
    {.name = "G1_no_reservation",
     .boot = {.segment_size = NEVER, .reserve = false},
     .steps = 25, .sync_polls = 2, .burst = 4},
    {.name = "G13_crash_inside_recovery",
     .boot = {.segment_size = NEVER, .reserve = true},
     .steps = 4, .sync_polls = 1, .burst = 2, .torn_start = true},
    {.name = "G3_G13_restarts",
     .boot = {.segment_size = 4000, .reserve = true},
     .steps = 40, .sync_polls = 2, .burst = 2, .restarts = true, .idle = true},
    {.name = "G10_G11_snapshots_and_trims",
     .boot = {.segment_size = 1500, .reserve = true, .trim = true},
     .steps = 14, .sync_polls = 1, .burst = 3, .saves = true},
    {.name = "G11_snapshots_and_an_archive_with_restarts",
     .boot = {.segment_size = 1500, .reserve = true, .trim = true, .archive = true},
     .steps = 20, .sync_polls = 1, .burst = 2, .saves = true, .restarts = true},
    {.name = "G10_G11_snapshots_on_a_full_disk",
     .boot = {.segment_size = 1500, .reserve = false, .trim = true},
     .steps = 26, .sync_polls = 1, .burst = 2, .saves = true, .full_disk = true},
    {.name = "G2_everysec",
     .boot = {.segment_size = 6000, .reserve = true, .policy = SYNC_EVERY_SECOND},
     .steps = 30, .sync_polls = 1, .burst = 3, .batches = true},
    {.name = "G3_no_policy",
     .boot = {.segment_size = 6000, .reserve = true, .policy = SYNC_NO},
     .steps = 30, .sync_polls = 1, .burst = 3, .restarts = true},
};
/* clang-format on */
#define WORKLOADS (sizeof workloads / sizeof workloads[0])

static uint64_t explore_all(uint64_t seed, uint64_t budget) {
    uint64_t total = 0;
    for (size_t i = 0; i < WORKLOADS; i++) {
        struct explore_counts counts = {0};
        if (!lab_wanted(workloads[i].name)) continue;
        lab_begin(workloads[i].name);
        /* A short workload is soon exhausted: then again with other changes. */
        uint64_t share = budget / WORKLOADS, round = 0;
        do
            explore(&workloads[i], seed + 1000 * (i + WORKLOADS * round++), share,
                    &counts);
        while (counts.images < share && !lab_failed());
        printf("  %-34s %8" PRIu64 " images (%" PRIu64 " inside recovery), %5" PRIu64
               " boundaries, %" PRIu64 " exhaustively\n",
               workloads[i].name, counts.images, counts.nested, counts.points,
               counts.exhausted);
        fflush(stdout);
        total += counts.images;
    }
    return total;
}

static uint64_t number_from(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static int soak(uint64_t seed, uint64_t budget) {
    uint64_t images = 0;
    time_t end = time(NULL) + (time_t)number_from("CRASH_HOURS", 1000000) * 3600;
    while (lab.failed == 0 && time(NULL) < end) {
        printf("seed %" PRIu64 "\n", seed);
        images += explore_all(seed++, budget);
        lab_end();
        printf("%" PRIu64 " images so far\n", images);
    }
    printf("%u passed, %u failed\n", lab.passed, lab.failed);
    return lab.failed ? 1 : 0;
}

int main(int count, char **arguments) {
    panic_set_hook(on_panic);
    sha256_select(NULL);
    uint64_t seed = number_from("CRASH_SEED", 1);
    uint64_t budget = number_from("CRASH_IMAGES", IMAGES);
    if (count > 1 && strcmp(arguments[1], "--soak") == 0) return soak(seed, budget);
    if (count > 1) lab.wanted = arguments[1];

    matrix_run();
    uint64_t images = explore_all(seed, budget);
    images += flips_run();
    errnos_run();
    lab_end();
    printf("%" PRIu64 " distinct disk images\n", images);
    printf("%u passed, %u failed\n", lab.passed, lab.failed);
    return lab.failed || lab.passed == 0 ? 1 : 0;
}
