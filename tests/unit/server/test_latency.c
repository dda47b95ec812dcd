#include "server/latency.h"

#include "test.h"

static struct latencies latencies;

static uint64_t next(uint64_t *seed) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

static void nothing_is_zero(void) {
    latencies = (struct latencies){.count = 0};
    EXPECT_EQUAL(latencies_percentile(&latencies, 500000), 0);
}

static void small_ones_are_exact(void) {
    latencies = (struct latencies){.count = 0};
    for (uint64_t i = 1; i <= 50; i++) latencies_add(&latencies, i);
    EXPECT_EQUAL(latencies_percentile(&latencies, 0), 1);
    EXPECT_EQUAL(latencies_percentile(&latencies, 500000), 25);
    EXPECT_EQUAL(latencies_percentile(&latencies, 990000), 50);
    EXPECT_EQUAL(latencies_percentile(&latencies, 20000), 1);
    EXPECT_EQUAL(latencies_percentile(&latencies, 20001), 2);
    EXPECT_EQUAL(latencies_percentile(&latencies, 1000000), 50);
}

/* Every size: alone, its percentile is itself; under a greater one, at most 1/32 more. */
static void sizes_are_within_a_thirtysecond(void) {
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        uint64_t value = next(&seed) >> next(&seed) % 31;
        latencies = (struct latencies){.count = 0};
        latencies_add(&latencies, value);
        EXPECT_EQUAL(latencies_percentile(&latencies, 500000), value);
        latencies_add(&latencies, UINT64_MAX);
        uint64_t told = latencies_percentile(&latencies, 500000);
        EXPECT(told >= value && told - value <= value / 32);
        EXPECT_EQUAL(latencies_percentile(&latencies, 999999),
                     (UINT64_C(1) << LATENCY_BITS) - 1);
    }
}

int main(void) {
    RUN(nothing_is_zero);
    RUN(small_ones_are_exact);
    RUN(sizes_are_within_a_thirtysecond);
    return test_finish();
}
