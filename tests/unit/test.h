/* The unit tests' few words: RUN, EXPECT, SKIP. One header, no library. */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int passed, failed, skipped;
    bool ok;             /* the test that runs now has met every expectation */
    const char *skip;    /* why it was skipped, or NULL */
} test_run;

#define EXPECT(condition)                                                                \
    do {                                                                                 \
        if (!(condition)) test_fail(__FILE__, __LINE__, #condition);                     \
    } while (0)

#define EXPECT_EQUAL(actual, wanted)                                                     \
    do {                                                                                 \
        long long test_actual = (long long)(actual), test_wanted = (long long)(wanted);  \
        if (test_actual != test_wanted) {                                                \
            test_fail(__FILE__, __LINE__, #actual " == " #wanted);                       \
            printf("    got %lld, wanted %lld\n", test_actual, test_wanted);             \
        }                                                                                \
    } while (0)

#define EXPECT_BYTES(actual, wanted, size) EXPECT(memcmp((actual), (wanted), (size)) == 0)

/* Leave the running test; it counts as skipped, and says why. */
#define SKIP(reason)                                                                     \
    do {                                                                                 \
        test_run.skip = (reason);                                                        \
        return;                                                                          \
    } while (0)

#define RUN(test) test_one(#test, test)

static inline void test_fail(const char *file, int line, const char *what) {
    printf("  %s:%d: expected %s\n", file, line, what);
    test_run.ok = false;
}

static inline void test_one(const char *name, void (*test)(void)) {
    test_run.ok = true;
    test_run.skip = NULL;
    test();
    if (test_run.skip) {
        printf("  SKIP %s: %s\n", name, test_run.skip);
        test_run.skipped++;
    } else if (test_run.ok) {
        test_run.passed++;
    } else {
        printf("  FAIL %s\n", name);
        test_run.failed++;
    }
}

static inline int test_finish(void) {
    printf("%d passed, %d failed, %d skipped\n", test_run.passed, test_run.failed,
           test_run.skipped);
    return test_run.failed ? 1 : 0;
}

/* Bytes of a hex string; the caller knows how many. */
static inline void test_unhex(const char *hex, uint8_t *bytes) {
    for (size_t i = 0; hex[2 * i]; i++) {
        unsigned byte = 0;
        sscanf(hex + 2 * i, "%2x", &byte);
        bytes[i] = (uint8_t)byte;
    }
}

#endif
