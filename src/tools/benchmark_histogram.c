/* Latency histograms: a value's bucket is its leading eleven bits and their place. */
#include "tools/benchmark_histogram.h"

#include <math.h>

#define FINE_COUNT (UINT64_C(1) << HISTOGRAM_FINE_BITS)
#define GREATEST   ((UINT64_C(1) << HISTOGRAM_BITS) - 1)

/* A value whose leading bit stands `shift` places above the fine bits is cut to its
 * leading eleven bits, 1024 to 2047; each shift has 1024 buckets of its own, after those
 * of the one before. With shift 0 that is the value itself. */
static size_t bucket_of(uint64_t value) {
    if (value < 2 * FINE_COUNT) return (size_t)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_FINE_BITS;
    return (size_t)(((uint64_t)shift << HISTOGRAM_FINE_BITS) + (value >> shift));
}

/* The greatest value of a bucket. */
static uint64_t bucket_end(size_t bucket) {
    if (bucket < 2 * FINE_COUNT) return bucket;
    unsigned shift = (unsigned)(bucket >> HISTOGRAM_FINE_BITS) - 1;
    uint64_t leading = bucket - ((uint64_t)shift << HISTOGRAM_FINE_BITS);
    return ((leading + 1) << shift) - 1;
}

void histogram_record(struct histogram *histogram, uint64_t value) {
    if (value > GREATEST) value = GREATEST;
    if (histogram->count == 0 || value < histogram->least) histogram->least = value;
    histogram->count++;
    histogram->sum += value;
    if (value > histogram->greatest) histogram->greatest = value;
    histogram->buckets[bucket_of(value)]++;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other) {
    if (other->count > 0 && (histogram->count == 0 || other->least < histogram->least))
        histogram->least = other->least;
    histogram->count += other->count;
    histogram->sum += other->sum;
    if (other->greatest > histogram->greatest) histogram->greatest = other->greatest;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->buckets[i] += other->buckets[i];
}

uint64_t histogram_percentile(const struct histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)ceil(share * (double)histogram->count);
    if (wanted > histogram->count) wanted = histogram->count;
    uint64_t passed = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS && histogram->count > 0; i++) {
        passed += histogram->buckets[i];
        if (passed > 0 && passed >= wanted) {
            uint64_t end = bucket_end(i);
            return end < histogram->greatest ? end : histogram->greatest;
        }
    }
    return histogram->greatest;
}

uint64_t histogram_mean(const struct histogram *histogram) {
    return histogram->count > 0 ? histogram->sum / histogram->count : 0;
}
