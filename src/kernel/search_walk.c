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
#include "kernel/search_filter.h"
#include "kernel/state.h"

#include "kernel/pure.h"

/* Numbers of the format (docs/semantics-hnsw-1.md, 5). */
enum {
    SCAN_FACTOR = 16,   /* as many records as this times EF are scanned */
    DECIDED_EXTRA = 10, /* candidates beyond k that exact distances decide, and EF / 8 */
    FILTER_FACTOR = 32, /* as many matches as this times the beam are scanned */
    PLANNED_FACTOR = 8, /* the same where a plan lists them, which takes longer */
    FILTERED_BEAM_MAX = 8192,

    ASKED_AT_ONCE = 64 /* no number of the format */
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
    uint32_t beam = search_filters(query) ? FILTERED_BEAM_MAX : ef_of(query);
    return walk_room_size(collection->hnsw.points.limit, beam, collection->config.dim);
}

/* Candidates that exact distances decide. */
static uint32_t decided_of(const struct query *query) {
    uint32_t k = search_filters(query) ? 2 * query->k : query->k;
    return k + DECIDED_EXTRA + ef_of(query) / 8;
}

/* FILTER-EF bounds a walk that can hold so many. */
static uint32_t bound_of(const struct query *query) {
    uint32_t bound = query->filter ? query->filter->bound : 0;
    return bound <= FILTERED_BEAM_MAX ? bound : 0;
}

bool search_walk_samples(const struct search *search) {
    const struct query *query = &search->query;
    return query->filter && !bound_of(query) && !search->plan.whole &&
           may_walk(search->collection, query);
}

/* So wide that, were matches spread by chance, decided_of() of it would match. 0: it is
 * shorter to scan. */
static uint32_t beam_of(const struct search *search) {
    const struct query *query = &search->query;
    const struct hnsw *hnsw = &search->collection->hnsw;
    uint32_t ef = ef_of(query), least = ef + 3 * ef / 10;
    if (!search_filters(query)) return ef;
    if (bound_of(query)) return greater(least, bound_of(query));
    if (search->expected == 0) return 0;
    uint64_t points = (uint64_t)hnsw->live + hnsw->dead + hnsw->condemned;
    uint64_t beam =
        (decided_of(query) * points + search->expected - 1) / search->expected;
    if (beam < least) beam = least;
    uint32_t factor = search->plan.used ? PLANNED_FACTOR : FILTER_FACTOR;
    bool walk = beam <= FILTERED_BEAM_MAX && factor * beam < search->matches;
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

/* Nothing is left to scan. */
static void end_scans(struct search *search) {
    search->next_slot = search->collection->vectors.limit;
    search->cursor = (struct search_cursor){
        .next = search->plan.used ? search->plan.count : search->query.tag_count};
    search->decided = true;
}

/* What is decided stands where the walk's trail was, which has done its work. */
static struct found found_of(const struct search *search, uint32_t count) {
    uint32_t *trail = search->graph.room.trail;
    return (struct found){
        .count = count, .slots = trail, .points = trail + FILTERED_BEAM_MAX};
}

/* The walk has ended: take what it has found. */
static void gather(struct search *search) {
    const struct query *query = &search->query;
    uint32_t bound = bound_of(query);
    uint32_t most = bound                   ? bound
                    : search_filters(query) ? FILTERED_BEAM_MAX
                                            : decided_of(query);
    struct found found = found_of(search, 0);
    hnsw_walk_clean(&search->graph);
    find_nearest(search, &found, most);
    search->found.count = found.count;
    search->gathered = true;
}

/* Ask those that were found, in order, until enough pass. True when that is over. */
static bool ask(struct search *search, uint32_t rows) {
    uint32_t *slots = search->graph.room.trail, wanted = decided_of(&search->query);
    for (uint32_t effort = 0; search->found.kept < wanted;) {
        uint32_t left = search->found.count - search->found.next;
        uint32_t batch = left < ASKED_AT_ONCE ? left : ASKED_AT_ONCE;
        if (batch == 0) break;
        if (effort > rows) return false;
        uint32_t *asked = slots + search->found.next;
        uint32_t kept =
            search_keep_tagged(search, asked, batch, wanted - search->found.kept);
        memmove(slots + search->found.kept, asked, kept * sizeof *slots);
        search->found.kept += kept;
        search->found.next += batch;
        effort += search_effort(search);
    }
    return true;
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

/* Decide by exact distances among what has passed. The farthest that a beam holds are not
 * all that there are so far away: so with a filter more than k must be there. */
static void decide(struct search *search) {
    const struct query *query = &search->query;
    bool filters = search_filters(query);
    struct found found = found_of(search, search->found.kept);
    uint32_t least = query->k + (filters ? query->k / 2 : 0);
#ifndef BUG_43
    if (found.count < least && !bound_of(query)) return;
#endif
    for (uint32_t i = 0; filters && i < found.count; i++) /* slots have moved up */
        found.points[i] = meta_at(search->collection, found.slots[i])->point;
    if (search->graph.plain) decide_by_codes(search, &found);
    else
        search_codes_decide(search, &search->graph.query, found.slots, found.points,
                            found.count);
    end_scans(search);
}

bool search_walk_step(struct search *search, uint32_t rows) {
    uint64_t until = search->graph.looked_at + rows;
    while (!search->gathered && hnsw_walk_step(&search->graph))
        if (search->graph.looked_at >= until) return false;
    if (!search->gathered) gather(search);
    if (!ask(search, rows)) return false;
    decide(search);
    search->query.room->clean = walk_room_visited(search->graph.room.points);
    search->walking = false;
    if (!search->decided) search_codes_begin(search);
    return true;
}
