/* tools/benchmark_histogram: percentiles against a sorted list, and the ends of the
 * range. */
#include "tools/benchmark_histogram.h"

#include "test.h"

static struct histogram histogram;

static void start(void) { memset(&histogram, 0, sizeof histogram); }

static void empty_is_zero(void) {
    start();
    EXPECT_EQUAL(histogram_percentile(&histogram, 0.5), 0);
    EXPECT_EQUAL(histogram_percentile(&histogram, 1), 0);
    EXPECT_EQUAL(histogram_mean(&histogram), 0);
}

static void small_values_are_exact(void) {
    start();
    for (uint64_t value = 1; value <= 100; value++) histogram_record(&histogram, value);
    EXPECT_EQUAL(histogram_percentile(&histogram, 0), 1);
    EXPECT_EQUAL(histogram_percentile(&histogram, 0.01), 1);
    EXPECT_EQUAL(histogram_percentile(&histogram, 0.5), 50);
    EXPECT_EQUAL(histogram_percentile(&histogram, 0.505), 51);
    EXPECT_EQUAL(histogram_percentile(&histogram, 0.99), 99);
    EXPECT_EQUAL(histogram_percentile(&histogram, 1), 100);
    EXPECT_EQUAL(histogram_mean(&histogram), 50);
}

/* Every bucket, alone: the value is never understated, and overstated by 1/1024 at most.
 */
static void every_size_is_close(void) {
    for (unsigned bit = 0; bit < HISTOGRAM_BITS; bit++)
        for (uint64_t part = 0; part < 3000; part++) {
            uint64_t value = (UINT64_C(1) << bit) + (part << bit) / 3000;
            start();
            histogram_record(&histogram, value);
            histogram_record(&histogram, (UINT64_C(1) << HISTOGRAM_BITS) - 1);
            uint64_t found = histogram_percentile(&histogram, 0.5);
            EXPECT(found >= value && found <= value + value / 1024);
        }
}

static void beyond_the_range_is_the_greatest(void) {
    start();
    histogram_record(&histogram, UINT64_MAX);
    EXPECT_EQUAL(histogram_percentile(&histogram, 1), (INT64_C(1) << HISTOGRAM_BITS) - 1);
}

static void never_above_the_greatest_seen(void) {
    start();
    for (int i = 0; i < 10; i++) histogram_record(&histogram, 100001);
    EXPECT_EQUAL(histogram_percentile(&histogram, 0.999), 100001);
    EXPECT_EQUAL(histogram.greatest, 100001);
    EXPECT_EQUAL(histogram.least, 100001);
}

static void merged_is_the_same_as_recorded_together(void) {
    static struct histogram other, together;
    start();
    memset(&other, 0, sizeof other);
    memset(&together, 0, sizeof together);
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t value = i * i * 37;
        histogram_record(i % 3 ? &histogram : &other, value);
        histogram_record(&together, value);
    }
    histogram_merge(&histogram, &other);
    EXPECT_BYTES(&histogram, &together, sizeof together);
}

int main(void) {
    RUN(empty_is_zero);
    RUN(small_values_are_exact);
    RUN(every_size_is_close);
    RUN(beyond_the_range_is_the_greatest);
    RUN(never_above_the_greatest_seen);
    RUN(merged_is_the_same_as_recorded_together);
    return test_finish();
}
