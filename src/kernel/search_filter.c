/* Asking filters: in batches, since what is asked lies anywhere in memory. */
#include "kernel/search_filter.h"

#include "base/check.h"
#include "kernel/filter.h"
#include "kernel/state.h"

#include "kernel/pure.h"

enum {
    BATCH = 16,         /* records that are fetched side by side */
    FETCHED = 192,      /* bytes of their attributes */
    SAMPLES = 256,      /* a number of the format (docs/semantics-hnsw-1.md, 5) */
    VALUES_A_STEP = 32, /* of a row, that take as long to compare */
};

static struct slice attributes_of(const struct search *search, uint32_t slot) {
    const struct meta *meta = meta_at(search->collection, slot);
    return heap_get(&search->state->heap, meta->attributes, meta->attributes_size);
}

static bool passes(struct search *search, uint32_t slot) {
    const struct search_filter *filter = search->query.filter;
    if (search->filter_cost > filter->budget) return false;
    return filter_matches(filter->program, attributes_of(search, slot), filter->room,
                          &search->filter_cost);
}

/* Inlined, since gcc drops calls of functions that only prefetch. */
static inline __attribute__((always_inline)) void
fetch_attributes(const struct search *search, const uint32_t *slots, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(&meta_at(search->collection, slots[i])->widx);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *bytes = attributes_of(search, slots[i]).data;
        for (uint32_t at = 0; at < FETCHED; at += 64) __builtin_prefetch(bytes + at);
    }
}

uint32_t search_keep(struct search *search, uint32_t *slots, uint32_t count,
                     uint32_t wanted) {
    if (!search->query.filter) return count < wanted ? count : wanted;
    uint32_t kept = 0;
    for (uint32_t first = 0; first < count && kept < wanted; first += BATCH) {
        uint32_t batch = count - first < BATCH ? count - first : BATCH;
        fetch_attributes(search, slots + first, batch);
        for (uint32_t i = 0; i < batch && kept < wanted; i++) {
            uint32_t slot = slots[first + i];
            slots[kept] = slot;
            kept += passes(search, slot);
        }
    }
    search->exhausted =
        search->query.filter && search->filter_cost > search->query.filter->budget;
    return kept;
}

static bool has_tag(const struct query *query, const struct facts *facts) {
    if (!(facts->word & FACT_TAGGED)) return false;
    size_t low = 0, high = query->tag_count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (query->tags[middle] < facts->tag) low = middle + 1;
        else high = middle;
    }
    return query->tags[low] == facts->tag;
}

uint32_t search_keep_tagged(struct search *search, uint32_t *slots, uint32_t count,
                            uint32_t wanted) {
    const struct query *query = &search->query;
    if (query->tag_count == 0) return search_keep(search, slots, count, wanted);
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(facts_at(search->collection, slots[i]));
    uint32_t tagged = 0, most = query->filter ? count : wanted;
    for (uint32_t i = 0; i < count && tagged < most; i++) {
        slots[tagged] = slots[i];
        tagged += has_tag(query, facts_at(search->collection, slots[i]));
    }
    return search_keep(search, slots, tagged, wanted);
}

uint32_t search_effort(struct search *search) {
    uint64_t steps = search->filter_cost - search->filter_counted;
    search->filter_counted = search->filter_cost;
    uint64_t rows = steps * VALUES_A_STEP / search->collection->config.dim;
    return rows < UINT32_MAX / 2 ? (uint32_t)rows : UINT32_MAX / 2;
}

/* The record of a point, if it has one. */
static bool record_of(const struct search *search, uint32_t point, uint32_t *slot) {
    uint32_t reference = point_at(&search->collection->hnsw, point)->slot;
    *slot = reference - 1;
    return reference != 0 && reference < POINT_DEAD_EVEN;
}

bool search_sample_step(struct search *search, uint32_t rows) {
    struct search_sample *sample = &search->sample;
    uint32_t points = search->collection->hnsw.points.limit - 1, slots[BATCH];
    for (uint32_t effort = 0; sample->next < SAMPLES;) {
        if (effort >= rows && rows > 0) return false;
        uint32_t count = 0;
        for (uint32_t i = 0; i < BATCH; i++, sample->next++) {
            uint32_t point = 1 + (uint32_t)((uint64_t)sample->next * points / SAMPLES);
            count += record_of(search, point, &slots[count]);
        }
        sample->records += count;
        sample->matches += search_keep_tagged(search, slots, count, count);
        effort += search_effort(search);
    }
    check(sample->next == SAMPLES);
    uint64_t expected = search->collection->live * sample->matches;
    if (sample->records > 0) expected /= sample->records;
    search->expected = expected < search->matches ? expected : search->matches;
    search->sampling = false;
    return true;
}
