/* The beam step: follow the eight nearest candidates at once.
 *
 * One step meets up to 8 * 2M points whose codes lie anywhere in memory. All of them are
 * asked for before the first is looked at, so that the waits overlap: this, and not the
 * arithmetic, is what the speed of a search comes from. */
#include "kernel/hnsw_walk.h"

#include "base/check.h"

#include "kernel/pure.h"

#define LINE 64
/* Links that one call of unvisited() takes. */
#define LINKS_AT_ONCE 64

/* Inlined by force: a function that only prefetches has no effect that a compiler knows
 * of, and may be dropped with its call. */
#define PREFETCHING static inline __attribute__((always_inline))

/* --- Room --------------------------------------------------------------------------- */

static size_t whole_lines(size_t size) { return (size + LINE - 1) / LINE * LINE; }

size_t walk_room_visited(uint32_t points) { return whole_lines((size_t)points / 8 + 1); }

size_t walk_room_size(uint32_t points, uint32_t capacity, uint32_t dim) {
    return walk_room_visited(points) + 4 * (size_t)WALK_TRAIL_MAX +
           whole_lines(8 * ((size_t)capacity + 2 * BEAM_MARGIN)) + code_stride(dim);
}

struct walk_room walk_room_divide(void *bytes, uint32_t points, uint32_t capacity,
                                  uint32_t dim) {
    struct walk_room room = {.points = points, .capacity = capacity};
    uint8_t *at = bytes;
    room.visited = (uint32_t *)(void *)at;
    at += walk_room_visited(points);
    room.query = (int8_t *)at;
    at += code_stride(dim);
    room.trail = (uint32_t *)(void *)at;
    at += 4 * (size_t)WALK_TRAIL_MAX;
    room.candidates = (uint64_t *)(void *)at;
    return room;
}

/* --- Looking ------------------------------------------------------------------------ */

/* Points met and not looked at yet, with the addresses of what looking will read. */
struct pending {
    uint32_t count;
    uint32_t points[WALK_PENDING_MAX + 16];
    const uint8_t *rows[WALK_PENDING_MAX];
    const struct code_facts *facts[WALK_PENDING_MAX];
};

PREFETCHING void fetch_lines(const void *address, size_t size) {
    for (size_t i = 0; i < size; i += LINE)
        __builtin_prefetch((const uint8_t *)address + i);
}

/* Make ready to look at the pending points from `from` on. */
PREFETCHING void fetch_codes(const struct hnsw *hnsw, struct pending *pending,
                             uint32_t from) {
    const struct pool codes = hnsw->codes, facts = hnsw->facts;
    for (uint32_t i = from; i < pending->count; i++) {
        uint32_t point = pending->points[i];
        const uint8_t *row = pool_row(&codes, point);
        const struct code_facts *fact = pool_row(&facts, point);
        pending->rows[i] = row;
        pending->facts[i] = fact;
        __builtin_prefetch(fact);
        fetch_lines(row, codes.row_size);
    }
}

/* Keys of all pending points into the beam. */
static void look(struct hnsw_walk *walk, struct pending *pending) {
    uint32_t keys[WALK_PENDING_MAX];
    code_keys(&walk->query, pending->rows, pending->facts, pending->count, keys);
    beam_functions()->offer(&walk->beam, keys, pending->points, pending->count);
    walk->looked_at += pending->count;
    pending->count = 0;
}

static uint64_t look_at(struct hnsw_walk *walk, uint32_t point) {
    const uint8_t *row = pool_row(&walk->hnsw->codes, point);
    const struct code_facts *facts = pool_row(&walk->hnsw->facts, point);
    uint32_t key;
    code_keys(&walk->query, &row, &facts, 1, &key);
    return candidate_of(key, point);
}

/* --- Walking ------------------------------------------------------------------------ */

void hnsw_walk_begin(struct hnsw_walk *walk, const struct hnsw *hnsw,
                     const struct walk_room *room) {
    check(room->points >= hnsw->points.limit);
    walk->hnsw = hnsw;
    walk->room = *room;
    walk->looked_at = 0;
}

uint64_t hnsw_walk_descend(struct hnsw_walk *walk, uint32_t until) {
    const struct hnsw *hnsw = walk->hnsw;
    uint64_t nearest = look_at(walk, hnsw->entry);
    uint32_t degree = hnsw_degree(hnsw, 1);
    struct pending pending;
    for (uint32_t layer = hnsw->top; layer > until;) {
        const uint32_t *links = hnsw_links(hnsw, layer, candidate_point(nearest));
        uint64_t before = nearest;
        for (uint32_t at = 0; at < degree && links[at] != 0;) {
            pending.count = 0;
            for (; at < degree && links[at] != 0 && pending.count < LINKS_AT_ONCE; at++)
                pending.points[pending.count++] = links[at];
            fetch_codes(hnsw, &pending, 0);
            uint32_t keys[LINKS_AT_ONCE];
            code_keys(&walk->query, pending.rows, pending.facts, pending.count, keys);
            for (uint32_t i = 0; i < pending.count; i++) {
                uint64_t candidate = candidate_of(keys[i], pending.points[i]);
                if (candidate < nearest) nearest = candidate;
            }
        }
        if (nearest == before) layer--;
    }
    return nearest;
}

void hnsw_walk_layer(struct hnsw_walk *walk, uint32_t layer, uint32_t ef,
                     uint64_t start) {
    check(ef <= walk->room.capacity);
    walk->layer = layer;
    walk->logged = 0;
    walk->overflowed = false;
    walk->room.visited[0] |= 1; /* Point 0 never is news: so no link is none. */
    uint32_t key = candidate_key(start), point = candidate_point(start);
    walk->room.visited[point / 32] |= UINT32_C(1) << point % 32;
    walk->room.trail[walk->logged++] = point;
    beam_begin(&walk->beam, walk->room.candidates, ef);
    beam_functions()->offer(&walk->beam, &key, &point, 1);
}

static void note_visits(struct hnsw_walk *walk, const uint32_t *points, uint32_t count) {
    uint32_t *visited = walk->room.visited, *trail = walk->room.trail + walk->logged;
    for (uint32_t i = 0; i < count; i++) {
        visited[points[i] / 32] |= UINT32_C(1) << points[i] % 32;
        trail[i] = points[i];
    }
    walk->logged += count;
}

/* The points that `point` links to and that were not met in this layer yet join the
 * pending ones. */
static void follow(struct hnsw_walk *walk, struct pending *pending, uint32_t point) {
    const struct hnsw *hnsw = walk->hnsw;
    const uint32_t *links = hnsw_links(hnsw, walk->layer, point);
    uint32_t width = hnsw_width(hnsw, walk->layer);
    for (uint32_t at = 0; at < width; at += LINKS_AT_ONCE) {
        uint32_t piece = width - at < LINKS_AT_ONCE ? width - at : LINKS_AT_ONCE;
        if (pending->count + piece > WALK_PENDING_MAX) look(walk, pending);
        if (walk->logged + piece > WALK_TRAIL_MAX) {
            walk->overflowed = true;
            walk->logged = 0;
        }
        uint32_t from = pending->count;
        pending->count += beam_functions()->unvisited(
            links + at, piece, walk->room.visited, pending->points + from);
        note_visits(walk, pending->points + from, pending->count - from);
        fetch_codes(hnsw, pending, from);
    }
}

bool hnsw_walk_step(struct hnsw_walk *walk) {
    uint32_t points[BEAM_WIDTH];
    uint32_t count = beam_pick(&walk->beam, points);
    if (count == 0) return false;
    struct pending pending;
    pending.count = 0;
    for (uint32_t i = 0; i < count; i++) follow(walk, &pending, points[i]);
    look(walk, &pending);

    if (walk->layer > 0) return true;
    count = beam_peek(&walk->beam, points);
    for (uint32_t i = 0; i < count; i++)
        fetch_lines(pool_row(&walk->hnsw->links, points[i]), walk->hnsw->links.row_size);
    return true;
}

void hnsw_walk_clean(struct hnsw_walk *walk) {
#ifdef BUG_44
    walk->logged /= 2;
#endif
    if (walk->overflowed) {
        memset(walk->room.visited, 0, walk_room_visited(walk->room.points));
        return;
    }
    for (uint32_t i = 0; i < walk->logged; i++)
        walk->room.visited[walk->room.trail[i] / 32] = 0;
    walk->room.visited[0] = 0;
}
