/* Latencies in buckets that grow with the value, so that a percentile is known to within
 * 1/1024 (three digits) whatever its size, in memory that does not depend on how many
 * were recorded.
 *
 * Values below 2048 have a bucket each. Above, every power of two is cut into 1024 equal
 * buckets. The greatest value is 2^HISTOGRAM_BITS - 1 (18 minutes in nanoseconds); larger
 * ones count as that. A percentile is reported as the upper end of its bucket and never
 * above the greatest value recorded: what is rounded is rounded against us. */
#ifndef TOOLS_BENCHMARK_HISTOGRAM_H
#define TOOLS_BENCHMARK_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BITS      40
#define HISTOGRAM_FINE_BITS 10
#define HISTOGRAM_BUCKETS                                                                \
    ((size_t)(HISTOGRAM_BITS - HISTOGRAM_FINE_BITS + 1) << HISTOGRAM_FINE_BITS)

/* All zero is an empty histogram. */
struct histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t least; /* of an empty histogram 0 */
    uint64_t greatest;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram *histogram, uint64_t value);

/* Add all that `other` holds. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/* The least value that at least `share` (0 to 1) of the recorded values do not exceed; 0
 * for an empty histogram. */
uint64_t histogram_percentile(const struct histogram *histogram, double share);

/* The mean, rounded down; 0 for an empty histogram. */
uint64_t histogram_mean(const struct histogram *histogram);

#endif
