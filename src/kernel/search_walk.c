/* Approximate search: candidates by code, the answer by exact distances.
 *
 * A filter does not change where the walk goes, only how wide its beam is and which of
 * its candidates may be hits. When it ends the beam holds, nearly always, the points
 * that are nearest to the query. So if k of them match, the k nearest matches are among
 * them, wherever in the collection the others lie; and if not, nothing follows, and the
 * matches are scanned. */
#include "kernel/search_walk.h"

#include "base/check.h"
#include "kernel/search_codes.h"
#include "kernel/state.h"

#include "kernel/pure.h"

/* Numbers of the format (docs/semantics-hnsw-1.md, 5). */
enum {
    SCAN_FACTOR = 16,   /* as many records as this times EF are scanned */
    DECIDED_EXTRA = 10, /* candidates beyond k that exact distances decide, and EF / 8 */
    FILTER_FACTOR = 32, /* as many matches as this times the beam are scanned */
    FILTERED_BEAM_MAX = 8192
};
_Static_assert(2 * FILTERED_BEAM_MAX <= WALK_TRAIL_MAX, "room for what is decided");

static uint32_t greater(uint32_t a, uint32_t b) { return a > b ? a : b; }

static uint32_t ef_of(const struct query *query) {
    uint32_t ef = query->ef ? query->ef : SEARCH_EF_DEFAULT;
    return greater(greater(ef, query->k), HNSW_EF_MIN);
}

/* Without regard to the number of matches. */
static bool may_walk(const struct collection *collection, const struct query *query) {
    if (!collection_indexed(collection) || query->exact) return false;
    uint32_t ef = ef_of(query);
    return ef <= HNSW_EF_MAX && collection->live > SCAN_FACTOR * ef;
}

size_t search_room_size(const struct collection *collection, const struct query *query) {
    if (!may_walk(collection, query)) return search_codes_room(collection, query);
    uint32_t beam = query->tag_count > 0 ? FILTERED_BEAM_MAX : ef_of(query);
    return walk_room_size(collection->hnsw.points.limit, beam, collection->config.dim);
}

/* Candidates that exact distances decide. */
static uint32_t decided_of(const struct query *query) {
    uint32_t k = query->tag_count > 0 ? 2 * query->k : query->k;
    return k + DECIDED_EXTRA + ef_of(query) / 8;
}

/* So wide that, were tags given out by chance, decided_of() of it would match. 0: it is
 * shorter to scan. */
static uint32_t beam_of(const struct search *search) {
    const struct query *query = &search->query;
    const struct hnsw *hnsw = &search->collection->hnsw;
    uint32_t ef = ef_of(query);
    if (query->tag_count == 0) return ef;
    if (search->matches == 0) return 0;
    uint64_t points = (uint64_t)hnsw->live + hnsw->dead + hnsw->condemned;
    uint64_t beam = (decided_of(query) * points + search->matches - 1) / search->matches;
    if (beam < ef + 3 * ef / 10) beam = ef + 3 * ef / 10;
    bool walk = beam <= FILTERED_BEAM_MAX && FILTER_FACTOR * beam < search->matches;
    return walk ? (uint32_t)beam : 0;
}

void search_walk_begin(struct search *search) {
    const struct collection *collection = search->collection;
    const struct query *query = &search->query;
    uint32_t beam = may_walk(collection, query) ? beam_of(search) : 0;
    search->walking = beam > 0;
    if (!search->walking) return;

    const struct hnsw *hnsw = &collection->hnsw;
    struct search_room *lent = query->room;
    check(lent && lent->size >= search_room_size(collection, query));
    size_t visited = walk_room_visited(hnsw->points.limit);
    if (lent->clean < visited)
        memset((uint8_t *)lent->bytes + lent->clean, 0, visited - lent->clean);
    lent->clean = 0; /* until the walk has ended */
    struct walk_room room =
        walk_room_divide(lent->bytes, hnsw->points.limit, beam, collection->config.dim);
    code_query_begin(&search->graph.query, collection->config.metric, query->values,
                     collection->config.dim, room.query);
    hnsw_walk_begin(&search->graph, hnsw, &room);
    uint64_t start = hnsw_walk_descend(&search->graph, 0);
    hnsw_walk_layer(&search->graph, 0, beam, start);
}

/* What is decided: records and their points, side by side. */
struct found {
    uint32_t count;
    uint32_t *slots, *points;
};

/* The nearest live candidates. */
static void find_nearest(const struct search *search, struct found *found,
                         uint32_t limit) {
    enum { AHEAD = 16 };
    const struct beam *beam = &search->graph.beam;
    const struct hnsw *hnsw = search->graph.hnsw;
    for (uint32_t i = 0; i < beam->count && i < AHEAD; i++)
        __builtin_prefetch(point_at(hnsw, candidate_point(beam->candidates[i])));
    for (uint32_t i = 0; i < beam->count && found->count < limit; i++) {
        if (i + AHEAD < beam->count)
            __builtin_prefetch(
                point_at(hnsw, candidate_point(beam->candidates[i + AHEAD])));
        uint32_t point = candidate_point(beam->candidates[i]);
        uint32_t slot = point_at(hnsw, point)->slot;
        if (slot >= POINT_DEAD_EVEN) continue;
        found->points[found->count] = point;
        found->slots[found->count++] = slot - 1;
    }
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

/* Keep the first `wanted` with one of the tags. */
static void keep_matches(const struct search *search, struct found *found,
                         uint32_t wanted) {
    for (uint32_t i = 0; i < found->count; i++)
        __builtin_prefetch(facts_at(search->collection, found->slots[i]));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < found->count && kept < wanted; i++) {
        found->slots[kept] = found->slots[i];
        found->points[kept] = found->points[i];
        kept += has_tag(&search->query, facts_at(search->collection, found->slots[i]));
    }
    found->count = kept;
}

/* Where codes lose nothing: the distances between them are those of the stored values. */
static void decide_by_codes(struct search *search, const struct found *found) {
    enum { AT_ONCE = 32 };
    const struct hnsw_walk *walk = &search->graph;
    for (uint32_t at = 0; at < found->count; at += AT_ONCE) {
        const uint8_t *rows[AT_ONCE];
        uint32_t squares[AT_ONCE], left = found->count - at;
        uint32_t count = left < AT_ONCE ? left : AT_ONCE;
        for (uint32_t i = 0; i < count; i++)
            rows[i] = pool_row(&walk->hnsw->codes, found->points[at + i]);
        code_squares(&walk->query, rows, count, squares);
        for (uint32_t i = 0; i < count; i++)
            search_decide_square(search, found->slots[at + i], squares[i]);
    }
}

/* Decide by exact distances among what the walk has found. */
static void decide(struct search *search) {
    const struct query *query = &search->query;
    uint32_t wanted = decided_of(query), least = query->k;
    /* The trail has done its work. */
    uint32_t *slots = search->graph.room.trail;
    struct found found = {.slots = slots, .points = slots + FILTERED_BEAM_MAX};
    if (query->tag_count == 0) {
        find_nearest(search, &found, wanted);
    } else { /* The farthest that a beam holds are not all that there are so far away. */
        find_nearest(search, &found, FILTERED_BEAM_MAX);
        keep_matches(search, &found, wanted);
        least += query->k / 2;
    }
#ifndef BUG_43
    if (found.count < least) return;
#endif
    if (search->graph.plain) decide_by_codes(search, &found);
    else search_decide(search, found.slots, found.count);
    search->next_slot = search->collection->vectors.limit; /* Nothing is left to scan. */
    search->next_tag = query->tag_count;
}

bool search_walk_step(struct search *search, uint32_t rows) {
    uint64_t until = search->graph.looked_at + rows;
    while (hnsw_walk_step(&search->graph))
        if (search->graph.looked_at >= until) return false;
    hnsw_walk_clean(&search->graph);
    decide(search);
    search->query.room->clean = walk_room_visited(search->graph.room.points);
    search->walking = false;
    if (search->hit_count == 0) search_codes_begin(search);
    return true;
}
