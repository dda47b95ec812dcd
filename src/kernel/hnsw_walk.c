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
    return walk_room_visited(points) + 4 * (size_t)(WALK_TRAIL_MAX + 16) +
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
    at += 4 * (size_t)(WALK_TRAIL_MAX + 16);
    room.candidates = (uint64_t *)(void *)at;
    return room;
}

/* --- Looking ------------------------------------------------------------------------ */

/* The addresses of what looking at points will read; `looked` of `count` were. */
struct pending {
    uint32_t count, looked;
    const uint8_t *rows[WALK_PENDING_MAX];
    const struct code_facts *facts[WALK_PENDING_MAX];
};

PREFETCHING void fetch_lines(const void *address, size_t size) {
    for (size_t i = 0; i < size; i += LINE)
        __builtin_prefetch((const uint8_t *)address + i);
}

/* Ask for the code of a point, and its facts if there are any to ask for, into the second
 * cache: more can be on their way there. */
PREFETCHING void fetch_code(const struct pool *codes, uint32_t chunk_bits,
                            const struct pool *facts, uint32_t point,
                            struct pending *pending, uint32_t at) {
    const uint8_t *row;
    if (chunk_bits) {
        uint32_t place = point & ((UINT32_C(1) << chunk_bits) - 1);
        row = pool_chunk(codes, point >> chunk_bits) + (size_t)place * codes->row_size;
    } else {
        row = pool_row(codes, point);
    }
    pending->rows[at] = row;
    __builtin_prefetch(row, 0, 2);
    for (uint32_t i = LINE; i < codes->row_size; i += LINE)
        __builtin_prefetch(row + i, 0, 2);
    if (!facts) return;
    pending->facts[at] = pool_row(facts, point);
    __builtin_prefetch(pending->facts[at], 0, 2);
}

/* Keys of the pending points below `until` into the beam. They are the last on the trail.
 */
static void look(struct hnsw_walk *walk, struct pending *pending, uint32_t until) {
    uint32_t keys[WALK_PENDING_MAX], from = pending->looked, count = until - from;
    const uint32_t *points = walk->room.trail + walk->logged - pending->count + from;
    if (walk->plain) code_lattice_keys(&walk->query, pending->rows + from, count, keys);
    else
        code_keys(&walk->query, pending->rows + from, pending->facts + from, count, keys);
    beam_functions()->offer(&walk->beam, keys, points, count);
    walk->looked_at += count;
    pending->looked = until;
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
    uint32_t rows = hnsw->codes.rows_per_chunk;
    walk->chunk_bits = rows & (rows - 1) ? 0 : (uint32_t)__builtin_ctz(rows);
    walk->plain = walk->query.lattice && hnsw_plain(hnsw);
}

uint64_t hnsw_walk_descend(struct hnsw_walk *walk, uint32_t until) {
    const struct hnsw *hnsw = walk->hnsw;
    uint64_t nearest = look_at(walk, hnsw->entry);
    uint32_t degree = hnsw_degree(hnsw, 1);
    const struct pool codes = hnsw->codes, facts = hnsw->facts;
    struct pending pending;
    for (uint32_t layer = hnsw->top; layer > until;) {
        const uint32_t *links = hnsw_links(hnsw, layer, candidate_point(nearest));
        uint64_t before = nearest;
        for (uint32_t at = 0; at < degree && links[at] != 0;) {
            uint32_t from = at, keys[LINKS_AT_ONCE];
            for (; at < degree && links[at] != 0 && at - from < LINKS_AT_ONCE; at++)
                fetch_code(&codes, walk->chunk_bits, &facts, links[at], &pending,
                           at - from);
            code_keys(&walk->query, pending.rows, pending.facts, at - from, keys);
            for (uint32_t i = from; i < at; i++) {
                uint64_t candidate = candidate_of(keys[i - from], links[i]);
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

/* The points that `point` links to and that were not met in this layer yet are met, put
 * on the trail, and asked for. */
static void follow(struct hnsw_walk *walk, struct pending *pending, uint32_t point) {
    const struct hnsw *hnsw = walk->hnsw;
    const struct pool codes = hnsw->codes, *facts = walk->plain ? NULL : &hnsw->facts;
    const uint32_t *links = hnsw_links(hnsw, walk->layer, point);
    uint32_t bits = walk->chunk_bits;
    uint32_t *visited = walk->room.visited;
    uint32_t width = hnsw_width(hnsw, walk->layer);
    for (uint32_t at = 0; at < width; at += LINKS_AT_ONCE) {
        uint32_t piece = width - at < LINKS_AT_ONCE ? width - at : LINKS_AT_ONCE;
        bool overflows = walk->logged + piece > WALK_TRAIL_MAX;
        if (pending->count + piece > WALK_PENDING_MAX || overflows) {
            look(walk, pending, pending->count);
            pending->count = pending->looked = 0;
        }
        if (overflows) {
            walk->overflowed = true;
            walk->logged = 0;
        }
        uint32_t *found = walk->room.trail + walk->logged;
        uint32_t count = beam_functions()->unvisited(links + at, piece, visited, found);
        for (uint32_t i = 0; i < count; i++) {
            visited[found[i] / 32] |= UINT32_C(1) << found[i] % 32;
            fetch_code(&codes, bits, facts, found[i], pending, pending->count + i);
        }
        walk->logged += count;
        pending->count += count;
    }
}

/* Ask for the rows that the next step would follow as things are. */
static void fetch_next(const struct hnsw_walk *walk) {
    if (walk->layer > 0) return;
    uint32_t points[BEAM_WIDTH], count = beam_peek(&walk->beam, points);
    const struct pool links = walk->hnsw->links;
    for (uint32_t i = 0; i < count; i++)
        fetch_lines(pool_row(&links, points[i]), links.row_size);
}

/* Look at whole runs of those below `until`, while later ones are on their way. */
static void look_at_some(struct hnsw_walk *walk, struct pending *pending,
                         uint32_t until) {
    enum { RUN = 16 };
    if (until < pending->looked + RUN) return;
    look(walk, pending, until - (until - pending->looked) % RUN);
}

bool hnsw_walk_step(struct hnsw_walk *walk) {
    enum { LAST = 32 }; /* meanwhile what the next step begins with is asked for */
    uint32_t points[BEAM_WIDTH], count = beam_pick(&walk->beam, points);
    if (count == 0) return false;
    struct pending pending;
    pending.count = pending.looked = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t before = pending.count;
        follow(walk, &pending, points[i]);
        if (pending.count >= before) look_at_some(walk, &pending, before);
    }
    if (pending.count > LAST) look_at_some(walk, &pending, pending.count - LAST / 2);
    fetch_next(walk);
    look(walk, &pending, pending.count);
    fetch_next(walk);
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
