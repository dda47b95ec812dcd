/* Latency buckets. A time that does not fit the fine bits is shifted until it does; each
 * shift has its own 32 buckets. */
#include "server/latency.h"

#define FINE  (UINT64_C(1) << LATENCY_FINE_BITS)
#define MOST  ((UINT64_C(1) << LATENCY_BITS) - 1)
#define WHOLE UINT64_C(1000000)

static unsigned bucket_of(uint64_t value) {
    unsigned shift = 0;
    while (value >> shift >= 2 * FINE) shift++;
    return (unsigned)((shift << LATENCY_FINE_BITS) + (value >> shift));
}

/* The greatest value that falls into it. */
static uint64_t bucket_end(unsigned bucket) {
    if (bucket < 2 * FINE) return bucket;
    unsigned shift = (bucket >> LATENCY_FINE_BITS) - 1;
    return ((bucket - (uint64_t)(shift << LATENCY_FINE_BITS) + 1) << shift) - 1;
}

void latencies_add(struct latencies *latencies, uint64_t microseconds) {
    uint64_t value = microseconds < MOST ? microseconds : MOST;
    uint32_t *bucket = &latencies->buckets[bucket_of(value)];
    if (*bucket == UINT32_MAX) return; /* four thousand million of one kind are enough */
    ++*bucket;
    latencies->count++;
    if (value > latencies->greatest) latencies->greatest = value;
}

uint64_t latencies_percentile(const struct latencies *latencies, uint64_t millionths) {
    uint64_t whole = latencies->count / WHOLE, rest = latencies->count % WHOLE, seen = 0;
    uint64_t wanted = whole * millionths + (rest * millionths + WHOLE - 1) / WHOLE;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latencies->buckets[i];
        if (seen == 0 || seen < wanted) continue;
        uint64_t end = bucket_end(i);
        return end < latencies->greatest ? end : latencies->greatest;
    }
    return latencies->greatest;
}
