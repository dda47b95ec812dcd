/* Exact search: a scan of the vectors' chunks with a heap of the k nearest.
 *
 * Distances of a run of rows come from the row kernels in 64 bits; where sums might not
 * fit, row by row in 128. The heap's root is the worst hit kept, and most rows lose
 * against it by one comparison of integers. Names are looked at only when distances tie.
 */
#include "kernel/search.h"

#include "base/check.h"
#include "kernel/distance.h"
#include "kernel/ratio.h"
#include "kernel/state.h"

#include "kernel/pure.h"

enum { RUN_MAX = 64 }; /* rows at a time; also the rows of a chunk of facts */

uint32_t query_stride(uint32_t dim) {
    return (dim + DISTANCE_STRIDE - 1) / DISTANCE_STRIDE * DISTANCE_STRIDE;
}

static struct slice name_of(const struct search *search, const struct hit *hit) {
    const struct meta *meta = meta_at(search->object, hit->slot);
    return heap_get(&search->state->heap, meta->name, meta->name_size);
}

static uint8_t metric_of(const struct search *search) {
    return search->object->config.metric;
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

static bool wanted(const struct search *search, const struct facts *facts) {
    if (!(facts->word & FACT_LIVE)) return false;
    const struct query *query = &search->query;
    if (query->tag_count == 0) return true;
    if (!(facts->word & FACT_TAGGED)) return false;
    for (size_t i = 0; i < query->tag_count; i++)
        if (query->tags[i] == facts->tag) return true;
    return false;
}

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

static void scan_run(struct search *search, uint32_t slot, const int32_t *rows,
                     const struct facts *facts, uint32_t count) {
    const struct object *object = search->object;
    int64_t sums[RUN_MAX];
    if (metric_of(search) == METRIC_L2)
        distance()->l2_rows(search->query.values, rows, object->stride, count, sums);
    else distance()->dot_rows(search->query.values, rows, object->stride, count, sums);
    for (uint32_t i = 0; i < count; i++) {
        if (!hopeful(search, sums[i], &facts[i]) || !wanted(search, &facts[i])) continue;
        struct hit hit = hit_of(search, slot + i, sums[i], &facts[i]);
        offer(search, &hit);
    }
}

/* One row, exactly, whatever its numbers. */
static void scan_wide(struct search *search, uint32_t slot, const int32_t *row) {
    const struct object *object = search->object;
    struct hit hit = {.slot = slot};
    if (metric_of(search) == METRIC_L2)
        distance()->l2_wide(search->query.values, row, object->stride, &hit.distance);
    else distance()->dot_wide(search->query.values, row, object->stride, &hit.product);
    offer(search, &hit);
}

/* Rows that the filter or the width of their numbers makes us take one by one. */
static void scan_singly(struct search *search, uint32_t slot, const int32_t *rows,
                        const struct facts *facts, uint32_t count) {
    uint32_t stride = search->object->stride;
    for (uint32_t i = 0; i < count; i++) {
        if (!wanted(search, &facts[i])) continue;
        const int32_t *row = rows + (size_t)i * stride;
        if (search->wide) scan_wide(search, slot + i, row);
        else scan_run(search, slot + i, row, &facts[i], 1);
    }
}

/* --- The search ------------------------------------------------------------------------
 */

void search_begin(struct search *search, const struct state *state,
                  const struct object *object, const struct query *query,
                  struct hit *hits) {
    check(query->k >= 1);
    *search =
        (struct search){.state = state, .object = object, .query = *query, .hits = hits};
    uint32_t bits = distance()->max_bits(query->values, object->stride);
    if (object->max_bits > bits) bits = object->max_bits;
    search->wide = object->config.metric == METRIC_L2
                       ? !l2_fits_64(bits, object->stride)
                       : !dot_fits_64(bits, object->stride);
    check(!search->wide || object->config.metric != METRIC_COSINE);
    if (object->config.metric == METRIC_COSINE)
        search->query_norm =
            (uint64_t)distance()->dot(query->values, query->values, object->stride);
    if (search->query.k > object->live) search->query.k = (uint32_t)object->live;
}

/* True when all slots were looked at. */
static bool scan_slots(struct search *search, uint32_t rows) {
    const struct object *object = search->object;
    const struct pool *vectors = &object->vectors, *facts = &object->facts;
    uint32_t limit = search->query.k > 0 ? vectors->limit : 0;
    bool singly = search->wide || search->query.tag_count > 0;
    while (search->next_slot < limit && rows > 0) {
        uint32_t slot = search->next_slot;
        uint32_t run = limit - slot < rows ? limit - slot : rows;
        uint32_t in_chunk = vectors->rows_per_chunk - slot % vectors->rows_per_chunk;
        uint32_t in_facts = facts->rows_per_chunk - slot % facts->rows_per_chunk;
        if (run > in_chunk) run = in_chunk;
        if (run > in_facts) run = in_facts;
        const int32_t *first_row = pool_row(vectors, slot);
        const struct facts *first_facts = pool_row(facts, slot);
        if (singly) scan_singly(search, slot, first_row, first_facts, run);
        else scan_run(search, slot, first_row, first_facts, run);
        search->next_slot += run;
        rows -= run;
    }
    if (search->next_slot < limit) return false;
    search->unsorted = search->hit_count;
    return true;
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
    if (search->unsorted == 0 && !scan_slots(search, rows)) return false;
    sort_hits(search, rows);
    return search->unsorted <= 1;
}
