/* Choosing links, and making room for them. */
#include "base/check.h"
#include "base/sort.h"
#include "kernel/hnsw_lists.h"

#include "kernel/pure.h"

void links_note(struct hnsw_writer *writer, uint32_t layer, uint32_t point) {
    struct hnsw_lists *lists = writer->work->lists;
    check(lists->changed_count < HNSW_CHANGED_MAX);
    lists->changed[lists->changed_count++] = (uint64_t)layer << 32 | point;
}

static int compare_candidates(void *context, const void *a, const void *b) {
    (void)context;
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void query_point(struct hnsw_writer *writer, struct code_query *query,
                        uint32_t point) {
    const struct hnsw *hnsw = writer->hnsw;
    code_query_row(query, hnsw->metric, hnsw->dim, pool_row(&hnsw->codes, point),
                   pool_row(&hnsw->facts, point), writer->work->lists->query);
}

/* Keys of `count` of the list from `from` on. */
static void list_keys(const struct hnsw *hnsw, const struct code_query *query,
                      const struct point_list *list, uint32_t from, uint32_t count,
                      uint32_t *keys) {
    if (hnsw_plain(hnsw)) code_lattice_keys(query, list->rows + from, count, keys);
    else code_keys(query, list->rows + from, list->facts + from, count, keys);
}

/* Is one of the list nearer to the query than `key`? */
static bool any_nearer(const struct hnsw *hnsw, const struct code_query *query,
                       const struct point_list *list, uint32_t key) {
    enum { AT_ONCE = 8 };
    uint32_t keys[AT_ONCE];
    for (uint32_t at = 0; at < list->count; at += AT_ONCE) {
        uint32_t count = list->count - at < AT_ONCE ? list->count - at : AT_ONCE;
        list_keys(hnsw, query, list, at, count, keys);
        for (uint32_t i = 0; i < count; i++)
            if (keys[i] < key) return true;
    }
    return false;
}

void links_choose(struct hnsw_writer *writer, const uint64_t *candidates, uint32_t count,
                  uint32_t limit) {
    struct point_list *kept = &writer->work->lists->kept;
    struct point_list *rejected = &writer->work->lists->rejected;
    kept->count = rejected->count = 0;
    for (uint32_t i = 0; i < count && kept->count < limit; i++) {
        uint32_t point = candidate_point(candidates[i]);
        struct code_query query;
        query_point(writer, &query, point);
        if (!any_nearer(writer->hnsw, &query, kept, candidate_key(candidates[i])))
            list_add(kept, writer->hnsw, point);
        else if (rejected->count < limit) list_add(rejected, writer->hnsw, point);
    }
    for (uint32_t i = 0; i < rejected->count && kept->count < limit; i++)
        list_add(kept, writer->hnsw, rejected->points[i]);
}

void links_choose_found(struct hnsw_writer *writer, uint32_t point, uint32_t count,
                        uint32_t limit) {
    enum { AT_ONCE = 16 };
    struct hnsw_lists *lists = writer->work->lists;
    struct point_list *some = &lists->others;
    struct code_query query;
    query_point(writer, &query, point);
    for (uint32_t at = 0; at < count; at += AT_ONCE) {
        uint32_t keys[AT_ONCE];
        some->count = 0;
        for (uint32_t i = at; i < count && i < at + AT_ONCE; i++)
            list_add(some, writer->hnsw, lists->found[i]);
        list_keys(writer->hnsw, &query, some, 0, some->count, keys);
        for (uint32_t i = 0; i < some->count; i++)
            lists->candidates[at + i] = candidate_of(keys[i], some->points[i]);
    }
    sort(lists->candidates, count, sizeof lists->candidates[0], compare_candidates, NULL);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || lists->candidates[i] != lists->candidates[i - 1])
            lists->candidates[distinct++] = lists->candidates[i];
    links_choose(writer, lists->candidates, distinct, limit);
}

/* Of a full row and the point that wants to join, the last in `all`: which link gives
 * way? The farthest to which another is nearer than the owner, and which is nearer to the
 * owner than it; without such a one the farthest. `links` tells the pinned ones. */
static uint32_t gives_way(struct hnsw_writer *writer, uint32_t owner,
                          const struct point_list *all, const uint32_t *links) {
    struct hnsw_lists *lists = writer->work->lists;
    struct code_query query;
    query_point(writer, &query, owner);
    list_keys(writer->hnsw, &query, all, 0, all->count, lists->keys);

    uint32_t farthest = UINT32_MAX;
    uint64_t limit = UINT64_MAX;
    for (;;) {
        uint32_t at = UINT32_MAX;
        uint64_t greatest = 0;
        for (uint32_t i = 0; i < all->count; i++) {
            uint64_t candidate = candidate_of(lists->keys[i], all->points[i]);
#ifndef BUG_40
            if (links[i] & LINK_PIN) continue;
#endif
            if (candidate >= limit || candidate < greatest) continue;
            greatest = candidate;
            at = i;
        }
        if (at == UINT32_MAX) return farthest;
        if (farthest == UINT32_MAX) farthest = at;
        struct point_list *nearer = &lists->others;
        nearer->count = 0;
        for (uint32_t i = 0; i < all->count; i++)
            if (candidate_of(lists->keys[i], all->points[i]) < greatest) {
                nearer->rows[nearer->count] = all->rows[i];
                nearer->facts[nearer->count++] = all->facts[i];
            }
        query_point(writer, &query, all->points[at]);
        if (any_nearer(writer->hnsw, &query, nearer, candidate_key(greatest))) return at;
        limit = greatest;
    }
}

void links_add(struct hnsw_writer *writer, uint32_t layer, uint32_t owner, uint32_t point,
               uint32_t pin) {
    struct hnsw *hnsw = writer->hnsw;
    uint32_t degree = hnsw_degree(hnsw, layer);
    const uint32_t *links = hnsw_links(hnsw, layer, owner);
    uint32_t count = links_count(links, degree);
    uint32_t place = 0;
    while (place < count && (links[place] & LINK_POINT) != point) place++;
    if (place == degree) {
        struct point_list *all = &writer->work->lists->rejected;
        uint32_t copied[LIST_MAX];
        all->count = 0;
        for (uint32_t i = 0; i < count; i++) {
            copied[i] = links[i];
            list_add(all, hnsw, links[i] & LINK_POINT);
        }
        copied[count] = point | pin;
        list_add(all, hnsw, point);
        place = gives_way(writer, owner, all, copied);
        check(place != UINT32_MAX);
        if (place == count) return;
    } else {
        pin |= links[place] & LINK_PIN;
    }
    hnsw_own_links(writer->memory, hnsw, layer, owner)[place] = point | pin;
    links_note(writer, layer, owner);
}

/* --- The tree ----------------------------------------------------------------------- */

uint32_t links_adopter(const struct hnsw *hnsw, uint32_t near, uint64_t draw) {
    uint32_t degree = hnsw_degree(hnsw, 0), from = 0;
    for (;;) {
        const uint32_t *links = hnsw_links(hnsw, 0, near);
        for (uint32_t i = 0; i < degree; i++)
            if (!(links[i] & LINK_PIN)) return near;
        draw = draw * 6364136223846793005 + 1442695040888963407;
        uint32_t at = (uint32_t)((draw >> 33) % degree);
        if ((links[at] & LINK_POINT) == from) at = (at + 1) % degree;
        from = near;
        near = links[at] & LINK_POINT;
    }
}

void links_pin(struct hnsw_writer *writer, uint32_t a, uint32_t b) {
    links_add(writer, 0, a, b, LINK_PIN);
    links_add(writer, 0, b, a, LINK_PIN);
}
