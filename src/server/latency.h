/* How long commands took, in buckets: percentiles to within 1/32, in memory that does not
 * grow with what was counted.
 *
 * Times below 64 microseconds have a bucket each; above, every power of two is cut
 * into 32. A percentile is the upper end of its bucket and never above the greatest time:
 * what is rounded is rounded against us. */
#ifndef SERVER_LATENCY_H
#define SERVER_LATENCY_H

#include <stdint.h>

#define LATENCY_FINE_BITS 5
#define LATENCY_BITS      36 /* 19 hours; longer counts as that */
#define LATENCY_BUCKETS   ((LATENCY_BITS - LATENCY_FINE_BITS + 1) << LATENCY_FINE_BITS)

/* All zero is an empty one. */
struct latencies {
    uint64_t count, greatest;
    uint32_t buckets[LATENCY_BUCKETS];
};

void latencies_add(struct latencies *latencies, uint64_t microseconds);

/* The least time that `millionths` of all times do not exceed; 0 when there are none. */
uint64_t latencies_percentile(const struct latencies *latencies, uint64_t millionths);

#endif
