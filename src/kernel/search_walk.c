/* Approximate search: candidates by code, the answer by exact distances. */
#include "kernel/search_walk.h"

#include "base/check.h"
#include "kernel/search_codes.h"
#include "kernel/state.h"

#include "kernel/pure.h"

/* Numbers of the format (docs/semantics-hnsw-1.md, 5). */
enum {
    SCAN_FACTOR = 16,  /* as many records as this times EF are scanned */
    DECIDED_EXTRA = 10 /* candidates beyond k that exact distances decide, and EF / 8 */
};

static uint32_t greater(uint32_t a, uint32_t b) { return a > b ? a : b; }

static uint32_t beam_of(const struct query *query) {
    uint32_t ef = query->ef ? query->ef : SEARCH_EF_DEFAULT;
    return greater(greater(ef, query->k), HNSW_EF_MIN);
}

static bool takes_walk(const struct object *object, const struct query *query) {
    if (!object_indexed(object) || query->exact || query->tag_count > 0) return false;
    uint32_t ef = beam_of(query);
    return ef <= HNSW_EF_MAX && object->live > SCAN_FACTOR * ef;
}

size_t search_room_size(const struct object *object, const struct query *query) {
    if (!takes_walk(object, query)) return search_codes_room(object, query);
    return walk_room_size(object->hnsw.points.limit, beam_of(query), object->config.dim);
}

void search_walk_begin(struct search *search) {
    const struct object *object = search->object;
    const struct query *query = &search->query;
    search->walking = takes_walk(object, query);
    if (!search->walking) return;

    const struct hnsw *hnsw = &object->hnsw;
    struct search_room *lent = query->room;
    check(lent && lent->size >= search_room_size(object, query));
    size_t visited = walk_room_visited(hnsw->points.limit);
    if (lent->clean < visited)
        memset((uint8_t *)lent->bytes + lent->clean, 0, visited - lent->clean);
    lent->clean = 0; /* until the walk has ended */
    struct walk_room room = walk_room_divide(lent->bytes, hnsw->points.limit,
                                             beam_of(query), object->config.dim);
    hnsw_walk_begin(&search->graph, hnsw, &room);
    code_query_begin(&search->graph.query, object->config.metric, query->values,
                     object->config.dim, room.query);
    uint64_t start = hnsw_walk_descend(&search->graph, 0);
    hnsw_walk_layer(&search->graph, 0, beam_of(query), start);
}

/* Records of the nearest live candidates into `slots`. */
static uint32_t nearest_slots(const struct search *search, uint32_t *slots,
                              uint32_t limit) {
    const struct beam *beam = &search->graph.beam;
    uint32_t count = 0;
    for (uint32_t i = 0; i < beam->count && count < limit; i++) {
        const struct hnsw_point *point =
            point_at(search->graph.hnsw, candidate_point(beam->candidates[i]));
        if (point->slot < POINT_DEAD_EVEN) slots[count++] = point->slot - 1;
    }
    return count;
}

/* Decide by exact distances among what the walk has found. */
static void decide(struct search *search) {
    uint32_t wanted = search->query.k + DECIDED_EXTRA + search->graph.beam.capacity / 8;
    /* The trail has done its work. */
    uint32_t *slots = search->graph.room.trail;
    uint32_t count = nearest_slots(search, slots, wanted);
#ifndef BUG_43
    if (count < search->query.k) return;
#endif
    search_decide(search, slots, count);
    search->next_slot = search->object->vectors.limit; /* Nothing is left to scan. */
}

bool search_walk_step(struct search *search, uint32_t rows) {
    uint64_t until = search->graph.looked_at + rows;
    while (hnsw_walk_step(&search->graph))
        if (search->graph.looked_at >= until) return false;
    hnsw_walk_clean(&search->graph);
    decide(search);
    search->query.room->clean = walk_room_visited(search->graph.room.points);
    search->walking = false;
    return true;
}
