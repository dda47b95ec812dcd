/* Exact search: a scan of the vectors' chunks with a heap of the k nearest.
 *
 * Distances of a run of rows come from the row kernels in 64 bits; where sums might not
 * fit, row by row in 128. The heap's root is the worst hit kept, and most rows lose
 * against it by one comparison of integers. Names are looked at only when distances tie.
 * Where there are codes, an exact search scans them first (search_codes.c).
 */
#include "kernel/search.h"

#include "base/check.h"
#include "kernel/distance.h"
#include "kernel/ratio.h"
#include "kernel/search_codes.h"
#include "kernel/search_filter.h"
#include "kernel/search_plan.h"
#include "kernel/search_walk.h"
#include "kernel/state.h"

#include "kernel/pure.h"

enum {
    RUN_MAX = 64,     /* rows at a time; also the rows of a chunk of facts */
    RUN_ASKED = 16,   /* where an expression is asked */
    FETCH_MAX = 2048, /* bytes of a row asked for ahead */
};

uint32_t query_stride(uint32_t dim) {
    return (dim + DISTANCE_STRIDE - 1) / DISTANCE_STRIDE * DISTANCE_STRIDE;
}

static struct slice name_of(const struct search *search, const struct hit *hit) {
    const struct meta *meta = meta_at(search->collection, hit->slot);
    return heap_get(&search->state->heap, meta->name, meta->name_size);
}

static uint8_t metric_of(const struct search *search) {
    return search->collection->config.metric;
}

/* By distance alone: <0 when a is nearer. */
static int compare_distance(const struct search *search, const struct hit *a,
                            const struct hit *b) {
    switch (metric_of(search)) {
    case METRIC_L2:
        return (a->distance > b->distance) - (a->distance < b->distance);
    case METRIC_IP:
        return (a->product < b->product) - (a->product > b->product);
    default: {
        struct cosine left = {(int64_t)a->product, a->norm};
        struct cosine right = {(int64_t)b->product, b->norm};
        return cosine_compare(&left, &right);
    }
    }
}

/* The order of results: distance, then name. */
static int compare_hits(const struct search *search, const struct hit *a,
                        const struct hit *b) {
    int order = compare_distance(search, a, b);
#ifdef BUG_19
    if (order == 0) return (a->slot > b->slot) - (a->slot < b->slot);
#endif
    return order ? order : slice_compare(name_of(search, a), name_of(search, b));
}

/* --- The heap: hits[0] is the worst
 * ----------------------------------------------------- */

static void sift_down(const struct search *search, uint32_t count, uint32_t at) {
    struct hit *hits = search->hits, moving = hits[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && compare_hits(search, &hits[child + 1], &hits[child]) > 0)
            child++;
        if (compare_hits(search, &hits[child], &moving) <= 0) break;
        hits[at] = hits[child];
        at = child;
    }
    hits[at] = moving;
}

static void sift_up(const struct search *search, uint32_t at) {
    struct hit *hits = search->hits, moving = hits[at];
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (compare_hits(search, &moving, &hits[parent]) <= 0) break;
        hits[at] = hits[parent];
        at = parent;
    }
    hits[at] = moving;
}

/* The least that a row must reach to be looked at more closely, from the worst hit kept.
 */
static void note_worst(struct search *search) {
    if (search->hit_count < search->query.k) return;
    const struct hit *worst = &search->hits[0];
    switch (metric_of(search)) {
    case METRIC_L2:
        search->bound = worst->distance;
        break;
    case METRIC_IP:
        break; /* The worst's product itself. */
    default: { /* floor(dot^2 / norm): a ratio below it is below the worst's. */
        uint128 square = (uint128)worst->product * (uint128)worst->product;
        bool positive = worst->product > 0 && worst->norm > 0;
        search->bound = positive ? square / worst->norm : 0;
    }
    }
}

static void offer(struct search *search, const struct hit *hit) {
    if (search->hit_count < search->query.k) {
        search->hits[search->hit_count++] = *hit;
        sift_up(search, search->hit_count - 1);
    } else {
        if (compare_hits(search, hit, &search->hits[0]) >= 0) return;
        search->hits[0] = *hit;
        sift_down(search, search->hit_count, 0);
    }
    note_worst(search);
}

/* --- Rows ------------------------------------------------------------------------------
 */

/* May a row of this 64-bit sum still enter? One comparison, never wrong about a no. */
static bool hopeful(const struct search *search, int64_t sum, const struct facts *facts) {
    if (search->hit_count < search->query.k) return true;
    switch (metric_of(search)) {
    case METRIC_L2:
        return (uint128)sum <= search->bound;
    case METRIC_IP:
        return sum >= search->hits[0].product;
    default: {
        if (search->bound == 0) return true;
        if (sum <= 0) return false;
        return (uint128)sum * (uint128)sum >= search->bound * (facts->word & FACT_NORM);
    }
    }
}

static struct hit hit_of(const struct search *search, uint32_t slot, int64_t sum,
                         const struct facts *facts) {
    struct hit hit = {.slot = slot};
    if (metric_of(search) == METRIC_L2) hit.distance = (uint128)sum;
    else hit.product = sum;
    if (metric_of(search) == METRIC_COSINE) hit.norm = facts->word & FACT_NORM;
    return hit;
}

/* `ask`: what would be a hit must pass the expression first. */
static void scan_run(struct search *search, uint32_t slot, const int32_t *rows,
                     const struct facts *facts, uint32_t count, bool ask) {
    const struct collection *collection = search->collection;
    int64_t sums[RUN_MAX];
    if (metric_of(search) == METRIC_L2)
        distance()->l2_rows(search->query.values, rows, collection->stride, count, sums);
    else
        distance()->dot_rows(search->query.values, rows, collection->stride, count, sums);
    for (uint32_t i = 0; i < count; i++) {
        bool live = (facts[i].word & FACT_LIVE) != 0;
        if (!live || !hopeful(search, sums[i], &facts[i])) continue;
        uint32_t asked = slot + i;
        if (ask && search_keep(search, &asked, 1, 1) == 0) continue;
        struct hit hit = hit_of(search, slot + i, sums[i], &facts[i]);
        offer(search, &hit);
    }
}

/* One row, exactly, whatever its numbers. */
static void scan_wide(struct search *search, uint32_t slot, const int32_t *row) {
    const struct collection *collection = search->collection;
    struct hit hit = {.slot = slot};
    if (metric_of(search) == METRIC_L2)
        distance()->l2_wide(search->query.values, row, collection->stride, &hit.distance);
    else
        distance()->dot_wide(search->query.values, row, collection->stride, &hit.product);
    offer(search, &hit);
}

/* The rows of one chunk from `slot` on. */
static void scan_rows(struct search *search, uint32_t slot, uint32_t count, bool ask) {
    const struct collection *collection = search->collection;
    const int32_t *rows = pool_row(&collection->vectors, slot);
    const struct facts *facts = pool_row(&collection->facts, slot);
    if (!search->wide) {
        scan_run(search, slot, rows, facts, count, ask);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t asked = slot + i;
        if (!(facts[i].word & FACT_LIVE)) continue;
        if (!ask || search_keep(search, &asked, 1, 1) == 1)
            scan_wide(search, slot + i, rows + (size_t)i * collection->stride);
    }
}

/* --- The search ------------------------------------------------------------------------
 */

static uint64_t count_matches(const struct state *state,
                              const struct collection *collection,
                              const struct query *query) {
    if (query->tag_count == 0) return collection->live;
    uint64_t count = 0;
    for (size_t i = 0; i < query->tag_count; i++)
        count += tags_count(&state->tags, collection->tags, query->tags[i]);
    return count;
}

/* Walk, scan codes, or, where neither begins, rows. */
static void choose_way(struct search *search) {
    search_walk_begin(search);
    search_codes_begin(search);
}

void search_begin(struct search *search, const struct state *state,
                  const struct collection *collection, const struct query *query,
                  struct hit *hits) {
    check(query->k >= 1);
    *search = (struct search){
        .state = state, .collection = collection, .query = *query, .hits = hits};
    uint32_t bits = distance()->max_bits(query->values, collection->stride);
    if (collection->max_bits > bits) bits = collection->max_bits;
    search->wide = collection->config.metric == METRIC_L2
                       ? !l2_fits_64(bits, collection->stride)
                       : !dot_fits_64(bits, collection->stride);
    check(!search->wide || collection->config.metric != METRIC_COSINE);
    if (collection->config.metric == METRIC_COSINE)
        search->query_norm =
            (uint64_t)distance()->dot(query->values, query->values, collection->stride);
    search->matches = count_matches(state, collection, query);
    if (query->filter && query->tag_count == 0 && collection->config.schema.count > 0)
        search->matches = search_plan(collection, query->filter->program, &search->plan);
    search->expected = search->matches;
    if (search->query.k > search->matches) search->query.k = (uint32_t)search->matches;
    search->sampling = search_walk_samples(search);
    if (!search->sampling) choose_way(search);
}

/* True when all slots were looked at. */
static bool scan_slots(struct search *search, uint32_t rows) {
    const struct collection *collection = search->collection;
    const struct pool *vectors = &collection->vectors, *facts = &collection->facts;
    uint32_t limit = search->query.k > 0 ? vectors->limit : 0;
    bool ask = search->query.filter != NULL;
    while (search->next_slot < limit && rows > 0) {
        uint32_t slot = search->next_slot;
        uint32_t run = limit - slot < rows ? limit - slot : rows;
        uint32_t in_chunk = pool_rows_left(vectors, slot);
        uint32_t in_facts = pool_rows_left(facts, slot);
        if (run > in_chunk) run = in_chunk;
        if (run > in_facts) run = in_facts;
        if (ask && run > RUN_ASKED) run = RUN_ASKED;
        scan_rows(search, slot, run, ask);
        search->next_slot += run;
        uint32_t effort = run + search_effort(search);
        rows -= effort < rows ? effort : rows;
    }
    return search->next_slot >= limit;
}

/* What a row is read from, of all slots that come next: they lie anywhere. Inlined, since
 * gcc drops calls of functions that only prefetch. */
static inline __attribute__((always_inline)) void
fetch_rows(const struct collection *collection, const uint32_t *slots, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const char *row = pool_row(&collection->vectors, slots[i]);
        __builtin_prefetch(facts_at(collection, slots[i]));
        for (uint32_t at = 0; at < 4 * collection->stride && at < FETCH_MAX; at += 64)
            __builtin_prefetch(row + at);
    }
}

void search_decide(struct search *search, const uint32_t *slots, uint32_t count) {
    uint32_t run[RUN_MAX];
    for (uint32_t first = 0; first < count; first += RUN_MAX) {
        uint32_t kept = count - first < RUN_MAX ? count - first : RUN_MAX;
        memcpy(run, slots + first, kept * sizeof *run);
        kept = search_keep(search, run, kept, kept);
        fetch_rows(search->collection, run, kept);
        for (uint32_t i = 0; i < kept; i++) scan_rows(search, run[i], 1, false);
    }
}

void search_decide_square(struct search *search, uint32_t slot, uint32_t square) {
    struct hit hit = {.slot = slot, .distance = (uint128)square << 32};
    offer(search, &hit);
}

static bool next_planned(struct search *search, const uint32_t **slots, uint32_t *count) {
    struct search_cursor *cursor = &search->cursor;
    *count = cursor->range.count < SCHEMA_AT_ONCE ? cursor->range.count : SCHEMA_AT_ONCE;
    *slots = search->listed;
    if (*count > 0) {
        schema_slots(&search->collection->schema, search->plan.field, cursor->range.first,
                     *count, search->listed);
        cursor->range.first += *count;
        cursor->range.count -= *count;
        return true;
    }
    if (cursor->next == search->plan.count) return false;
    cursor->range = search->plan.ranges[cursor->next++];
    return true;
}

bool search_next_listed(struct search *search, const uint32_t **slots, uint32_t *count) {
    const struct tags *tags = &search->state->tags;
    const struct query *query = &search->query;
    struct search_cursor *cursor = &search->cursor;
    if (search->plan.used) return next_planned(search, slots, count);
    *count = tags_next(tags, &cursor->walk, slots);
    if (*count > 0) return true;
    if (cursor->next == query->tag_count) return false;
    tags_walk(tags, search->collection->tags, query->tags[cursor->next++], &cursor->walk);
    return true;
}

/* True when all that are listed were looked at. */
static bool scan_listed(struct search *search, uint32_t rows) {
    for (uint32_t looked_at = 0; looked_at < rows;) {
        const uint32_t *slots;
        uint32_t count;
        if (!search_next_listed(search, &slots, &count)) return true;
        search_decide(search, slots, count);
        looked_at += count + 1 + search_effort(search);
    }
    return false;
}

/* True when all that may match was looked at. */
static bool scan(struct search *search, uint32_t rows) {
    bool done = search->codes.limit    ? search_codes_step(search, rows)
                : search_lists(search) ? scan_listed(search, rows)
                                       : scan_slots(search, rows);
    if (done) search->unsorted = search->hit_count;
    return done;
}

/* Take the worst off the heap, and again: what is taken stands in order behind it. */
static void sort_hits(struct search *search, uint32_t count) {
    for (; search->unsorted > 1 && count > 0; count--) {
        struct hit worst = search->hits[0];
        uint32_t last = --search->unsorted;
        search->hits[0] = search->hits[last];
        search->hits[last] = worst;
        sift_down(search, last, 0);
    }
}

bool search_step(struct search *search, uint32_t rows) {
    if (search->sampling) {
        if (!search_sample_step(search, rows)) return false;
        choose_way(search);
    }
    if (search->walking && !search_walk_step(search, rows)) return false;
    if (search->unsorted == 0 && !scan(search, rows) && !search->exhausted) return false;
    if (search->exhausted) {
        search->hit_count = 0;
        return true;
    }
    sort_hits(search, rows / 16 + 1); /* names decide ties, and lie anywhere */
    return search->unsorted <= 1;
}

void search_among(struct search *search, const struct state *state,
                  const struct collection *collection, const struct query *query,
                  struct hit *hits, const uint32_t *slots, uint32_t count) {
    struct query exact = *query;
    exact.exact = true;
    check(!exact.filter);
    search_begin(search, state, collection, &exact, hits);
    search_decide(search, slots, count);
    search->unsorted = search->hit_count;
    sort_hits(search, search->unsorted);
}
