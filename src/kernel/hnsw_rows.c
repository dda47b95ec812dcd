/* Points and their rows. */
#include "base/bytes.h"
#include "base/check.h"
#include "base/siphash.h"
#include "kernel/hnsw.h"

#include "kernel/pure.h"

enum {
    CHUNK_AT_RANDOM = 4096,   /* Of links: a small copy after a freeze. */
    CHUNK_OF_CODES = 1 << 16, /* Written once: a small table, which stays in the cache. */
    CHUNK_OF_FACTS = 1 << 14,
};

static uint32_t clamp(uint32_t number, uint32_t least, uint32_t greatest) {
    return number < least ? least : number > greatest ? greatest : number;
}

void hnsw_begin(struct hnsw *hnsw, const struct config *config) {
    *hnsw = (struct hnsw){.metric = config->metric, .dim = config->dim};
    hnsw->m = clamp(config->m, 2, HNSW_M_MAX);
    hnsw->ef = clamp(config->ef, hnsw->m, HNSW_EF_MAX);
    if (hnsw->ef < HNSW_EF_MIN) hnsw->ef = HNSW_EF_MIN;
    pool_begin(&hnsw->codes, code_stride(config->dim), CHUNK_OF_CODES, "b");
    pool_begin(&hnsw->facts, sizeof(struct code_facts), CHUNK_OF_FACTS, "2w");
    pool_begin(&hnsw->links, 4 * hnsw_width(hnsw, 0), CHUNK_AT_RANDOM, "w");
    pool_begin(&hnsw->points, sizeof(struct hnsw_point), CHUNK_AT_RANDOM, "2w");
    pool_begin(&hnsw->upper, sizeof(struct upper_row) + 4 * hnsw_width(hnsw, 1),
               CHUNK_AT_RANDOM, "w");
}

bool hnsw_dissolve(struct memory *memory, struct hnsw *hnsw, uint32_t *budget) {
    return pool_dissolve(memory, &hnsw->codes, budget) &&
           pool_dissolve(memory, &hnsw->facts, budget) &&
           pool_dissolve(memory, &hnsw->links, budget) &&
           pool_dissolve(memory, &hnsw->points, budget) &&
           pool_dissolve(memory, &hnsw->upper, budget);
}

uint32_t hnsw_level(uint64_t counter) {
    static const uint8_t key[SIPHASH_KEY_SIZE] = "HNSW level key 1";
    uint8_t bytes[8];
    store_le64(bytes, counter);
    uint64_t hash = siphash(key, bytes, sizeof bytes);
    uint32_t level = 0;
    for (; level < HNSW_LEVEL_MAX && (hash & 15) == 0; hash >>= 4) level++;
    return level;
}

/* Row 0 of a pool is nobody's. */
static uint32_t take_row(struct memory *memory, struct pool *pool) {
    if (pool->limit == 0) pool_take(memory, pool);
    return pool_take(memory, pool);
}

uint32_t hnsw_take_point(struct memory *memory, struct hnsw *hnsw, uint32_t slot,
                         uint32_t level, const int32_t *values) {
    uint32_t point = take_row(memory, &hnsw->points);
    check(point < LINK_POINT);
    hnsw->moved |= point != slot + 1;
    check(take_row(memory, &hnsw->codes) == point);
    check(take_row(memory, &hnsw->facts) == point);
    check(take_row(memory, &hnsw->links) == point);
    hnsw->live++;
    struct code_facts *facts = pool_own(memory, &hnsw->facts, point);
    code_encode(hnsw->metric, values, hnsw->dim, pool_own(memory, &hnsw->codes, point),
                facts);
    hnsw->scaled += !code_lattice(hnsw->metric, facts);
    uint32_t above = 0;
    for (; level > 0; level--) {
        uint32_t row = take_row(memory, &hnsw->upper);
        struct upper_row *upper = pool_own(memory, &hnsw->upper, row);
        *upper = (struct upper_row){.point = point, .above = above};
        above = row;
    }
    struct hnsw_point *made = pool_own(memory, &hnsw->points, point);
    *made = (struct hnsw_point){.upper = above, .slot = slot + 1};
    return point;
}

void hnsw_give_point(struct memory *memory, struct hnsw *hnsw, uint32_t point) {
    uint32_t row = point_at(hnsw, point)->upper;
    while (row != 0) {
        uint32_t above = ((const struct upper_row *)pool_row(&hnsw->upper, row))->above;
        pool_give(memory, &hnsw->upper, row);
        row = above;
    }
    hnsw->scaled -= !code_lattice(hnsw->metric, pool_row(&hnsw->facts, point));
    pool_give(memory, &hnsw->codes, point);
    pool_give(memory, &hnsw->facts, point);
    pool_give(memory, &hnsw->links, point);
    pool_give(memory, &hnsw->points, point);
}

uint32_t hnsw_level_of(const struct hnsw *hnsw, uint32_t point) {
    uint32_t level = 0;
    for (uint32_t row = point_at(hnsw, point)->upper; row != 0; level++)
        row = ((const struct upper_row *)pool_row(&hnsw->upper, row))->above;
    return level;
}

/* The row of `upper` with the links of `point` in this layer. */
static uint32_t upper_row_of(const struct hnsw *hnsw, uint32_t layer, uint32_t point) {
    uint32_t row = point_at(hnsw, point)->upper;
    for (uint32_t at = 1; at < layer; at++)
        row = ((const struct upper_row *)pool_row(&hnsw->upper, row))->above;
    check(row != 0);
    return row;
}

const uint32_t *hnsw_links(const struct hnsw *hnsw, uint32_t layer, uint32_t point) {
    if (layer == 0) return pool_row(&hnsw->links, point);
    const struct upper_row *row =
        pool_row(&hnsw->upper, upper_row_of(hnsw, layer, point));
    return (const uint32_t *)(row + 1);
}

uint32_t *hnsw_own_links(struct memory *memory, struct hnsw *hnsw, uint32_t layer,
                         uint32_t point) {
    if (layer == 0) return pool_own(memory, &hnsw->links, point);
    struct upper_row *row =
        pool_own(memory, &hnsw->upper, upper_row_of(hnsw, layer, point));
    return (uint32_t *)(row + 1);
}

static bool row_sound(const struct hnsw *hnsw, const uint32_t *links, uint32_t width,
                      uint32_t owner) {
    for (uint32_t i = 0; i < width; i++) {
        uint32_t to = links[i] & LINK_POINT;
        if (links[i] == 0) continue;
        if (to == 0 || to == owner || to >= hnsw->points.limit) return false;
        if (point_at(hnsw, to)->slot == 0) return false;
    }
    return true;
}

bool hnsw_code_sound(const struct hnsw *hnsw, uint32_t point, uint32_t slot,
                     const int32_t *values, uint8_t *room) {
    if (point == 0 || point >= hnsw->points.limit || !hnsw_whole(hnsw)) return false;
    if (point_at(hnsw, point)->slot != slot + 1) return false;
    struct code_facts facts;
    code_encode(hnsw->metric, values, hnsw->dim, room, &facts);
    return memcmp(room, pool_row(&hnsw->codes, point), code_stride(hnsw->dim)) == 0 &&
           memcmp(&facts, pool_row(&hnsw->facts, point), sizeof facts) == 0;
}

bool hnsw_sound(const struct hnsw *hnsw, uint32_t point, uint32_t slot,
                const int32_t *values, uint8_t *room) {
    if (!hnsw_code_sound(hnsw, point, slot, values, room)) return false;
    if (!row_sound(hnsw, hnsw_links(hnsw, 0, point), hnsw_width(hnsw, 0), point))
        return false;
    uint32_t row = point_at(hnsw, point)->upper;
    for (uint32_t level = 0; row != 0; level++) {
        if (level == HNSW_LEVEL_MAX || row >= hnsw->upper.limit) return false;
        const struct upper_row *upper = pool_row(&hnsw->upper, row);
        const uint32_t *links = (const uint32_t *)(upper + 1);
        if (!row_sound(hnsw, links, hnsw_width(hnsw, 1), point)) return false;
        row = upper->above;
    }
    return true;
}

bool hnsw_whole(const struct hnsw *hnsw) {
    uint32_t limit = hnsw->points.limit;
    bool level = hnsw->codes.limit == limit && hnsw->facts.limit == limit &&
                 hnsw->links.limit == limit;
    bool inside = hnsw->entry == 0 || hnsw->entry < limit;
    return level && inside && hnsw->top <= HNSW_LEVEL_MAX && hnsw->limit <= limit &&
           (hnsw->heir == 0 || hnsw->heir < limit);
}

/* Only that nothing leads out of the pools: what a row should hold nobody can tell. */
static bool links_inside(const struct hnsw *hnsw, const uint32_t *links, uint32_t width) {
    uint32_t beyond = 0;
    for (uint32_t i = 0; i < width; i++)
        beyond |= (links[i] & LINK_POINT) >= hnsw->points.limit;
    return beyond == 0;
}

bool hnsw_links_sound(const struct hnsw *hnsw, uint32_t point) {
    const struct hnsw_point *row = point_at(hnsw, point);
    if (point == 0 || row->slot == 0) return true;
    if (!links_inside(hnsw, hnsw_links(hnsw, 0, point), hnsw_width(hnsw, 0)))
        return false;
    uint32_t at = row->upper, level = 0;
    for (; at != 0; level++) {
        if (level == HNSW_LEVEL_MAX || at >= hnsw->upper.limit) return false;
        const struct upper_row *upper = pool_row(&hnsw->upper, at);
        if (!links_inside(hnsw, (const uint32_t *)(upper + 1), hnsw_width(hnsw, 1)))
            return false;
        at = upper->above;
    }
    return point != hnsw->entry || level >= hnsw->top;
}
