/* Exact search by codes: what a code certainly shows to be too far is not looked at. All
 * codes are scanned, or with tags those of the records that have one of them.
 *
 * Let a be the query and b a stored vector, a' and b' what their codes stand for, and w
 * the worst hit kept. b is passed over only where these inequalities say that it is
 * further than w:
 *
 *  - L2: |a - b| >= |a' - b'| - |a - a'| - |b - b'|. So b is out if |a' - b'| is above
 *    |a - w| + |a - a'| + |b - b'|.
 *  - COSINE: the same for the vectors' directions, whose distance (the chord) grows as
 * the cosine falls. Facts of a code hold the chord between the two directions of b.
 *  - IP: <a, b> = <a', b'> + <a', b - b'> + <a - a', b>. So b is out if <a', b'> is below
 *    <a, w> - |a'| |b - b'| - |a - a'| (|b'| + |b - b'|).
 *
 * Distances between codes come as keys, which are monotone: the greatest distance that
 * stays in has a key, and rows with greater keys are out. Everything else is rounded so
 * that more rows stay. Those are decided by search_decide() from the stored values, as
 * every row is in a plain scan; so the answer is the same, ties and all.
 *
 * Lengths are in units of 2^-7 of a stored value's unit, as codes are. Sizes, for D <=
 * 65,536: a vector's length is at most 2^31 * 2^7 * 2^8 = 2^46; what a code is off by, at
 * most half its scale and 2^-24 of it and half a unit a value (test_code.c), below 2^40;
 * the sum of three, below 2^49; squares fit 128 bits. */
#include "kernel/search_codes.h"

#include "base/check.h"
#include "kernel/code_loops.h"
#include "kernel/root.h"
#include "kernel/rounding.h"
#include "kernel/search_filter.h"
#include "kernel/search_walk.h"
#include "kernel/state.h"

#include "kernel/pure.h"

enum {
    RUN_MAX = 64, /* points at a time */
    RUN_LEAST = 4,
    RUN_BYTES = 12288,   /* of codes: this run and the next stay in the nearest cache */
    RECORDS_LEAST = 512, /* with fewer, or fewer a hit, rows are scanned */
    RECORDS_A_HIT = 16,
    UNIT = 7, /* log2 of the unit of lengths */
};

#define CHORD_BITS 30 /* of a chord's unit; 2 is the greatest */
#define CHORD_MAX  ((uint64_t)2 << CHORD_BITS)
/* A cosine's key is too large by less than this: lengths are rounded down by a part in
 * 2^22 twice for each of two codes, and the product by one. */
#define COSINE_SLACK 2048

/* --- Roots of large numbers, rounded up
 * ------------------------------------------------- */

static uint64_t root_above(uint128 square) {
    int shift = 0;
    while (square >> (62 + 2 * shift) != 0) shift++;
    return (root_ceiling((uint64_t)(square >> (2 * shift)) + (shift > 0))) << shift;
}

/* --- What the search knows before it starts
 * ---------------------------------------------- */

static bool takes_codes(const struct collection *collection, const struct query *query,
                        uint64_t records) {
    if (!collection_indexed(collection)) return false;
    if (records < RECORDS_LEAST || query->k > records / RECORDS_A_HIT) return false;
    return query->exact || search_filters(query);
}

size_t search_codes_room(const struct collection *collection, const struct query *query) {
    bool taken = takes_codes(collection, query, collection->live);
    return taken ? 2 * (size_t)code_stride(collection->config.dim) : 0;
}

/* |a - a'| of a code as it was made. */
static uint64_t loss_of(const int32_t *values, uint32_t dim, const uint8_t *row,
                        const struct code_facts *facts) {
    if (!(facts->b & CODE_SCALED) || (facts->b & CODE_EXACT)) return 0;
    uint128 sum = 0;
    for (uint32_t i = 0; i < dim; i++) {
        int64_t away =
            (int64_t)values[i] * (1 << UNIT) - (int64_t)facts->a * (row[i] - 128);
        sum += (uint64_t)(away * away); /* |away| < 2^32 */
    }
    return root_above(sum);
}

void search_codes_begin(struct search *search) {
    const struct collection *collection = search->collection;
    const struct query *query = &search->query;
    struct search_codes *codes = &search->codes;
    bool scaleless =
        collection->config.metric == METRIC_COSINE && search->query_norm == 0;
    if (search->walking || scaleless || !takes_codes(collection, query, search->matches))
        return;
    struct search_room *room = query->room;
    if (!room || room->size < search_codes_room(collection, query)) return;

    room->clean = 0;
    uint32_t dim = collection->config.dim;
    uint8_t *row = room->bytes;
    struct code_facts facts;
    code_encode(collection->config.metric, query->values, dim, row, &facts);
    code_query_row(&codes->query, collection->config.metric, dim, row, &facts,
                   (int8_t *)row + code_stride(dim));
    codes->plain = codes->query.lattice && hnsw_plain(&collection->hnsw);
    codes->limit = collection->hnsw.points.limit;
    codes->next = 1;
    codes->side = (uint32_t)root_ceiling(dim);
    if (collection->config.metric == METRIC_COSINE) {
        codes->loss = facts.b;
        return;
    }
    codes->loss = loss_of(query->values, dim, row, &facts);
    uint128 norm = (uint128)codes->query.norm * codes->query.scale * codes->query.scale;
    codes->length = root_above(norm);
}

/* --- How far the worst hit is
 * ------------------------------------------------------------- */

/* The chord between the query and a hit, at most. Lengths have 6 binary places and are
 * rounded up, so that the cosine comes out too small. */
static uint64_t chord_to(const struct search *search, const struct hit *hit) {
    if (hit->product <= 0 || hit->norm == 0) return CHORD_MAX;
    uint128 lengths =
        (uint128)root_ceiling(search->query_norm << 12) * root_ceiling(hit->norm << 12);
    uint64_t cosine = (uint64_t)(((uint128)hit->product << 72) / lengths); /* of 2^60 */
    uint64_t one = (uint64_t)1 << 60;
    return cosine >= one ? 0 : root_ceiling(2 * (one - cosine));
}

/* The greatest sum of squares between lattice rows that is not above `square`. */
static uint32_t lattice_most(uint128 square) {
    uint128 most = square >> (2 * (16 + UNIT));
    return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

/* Before each run: the worst hit may be another one. */
static void note_worst(struct search *search) {
    struct search_codes *codes = &search->codes;
    codes->full = search->hit_count == search->query.k;
    if (!codes->full || search->hits[0].slot + 1 == codes->worst) return;
    const struct hit *worst = &search->hits[0];
    codes->worst = worst->slot + 1;
    switch (search->collection->config.metric) {
    case METRIC_COSINE:
        codes->reach = chord_to(search, worst) + codes->loss;
        break;
    case METRIC_L2:
        codes->reach = (root_above(worst->distance) << UNIT) + codes->loss;
        codes->exact_key = code_key_of_distance((uint128)codes->reach * codes->reach);
        codes->lattice = lattice_most((uint128)codes->reach * codes->reach);
        break;
    default:
        codes->product = worst->product * ((int128)1 << (2 * UNIT));
    }
}

/* --- Is a row out?
 * -------------------------------------------------------------------------- */

static bool chord_is_out(const struct search_codes *codes, uint32_t key,
                         const struct code_facts *facts) {
    uint64_t reach = codes->reach + facts->b;
    if (reach >= CHORD_MAX || key < COSINE_SLACK) return false;
    /* chord^2 = 2 - 2 cos */
    return 2 * (uint64_t)(key - COSINE_SLACK) > (reach * reach >> CHORD_BITS) + 1;
}

/* |b - b'| at most. */
static uint64_t loss_at_most(const struct search_codes *codes,
                             const struct code_facts *facts) {
    bool kept = !(facts->b & CODE_SCALED) || (facts->b & CODE_EXACT);
    uint64_t scale = facts->a;
    return kept ? 0 : codes->side * (scale / 2 + (scale >> 24) + 65);
}

static bool distance_is_out(const struct search_codes *codes, uint32_t key,
                            const struct code_facts *facts) {
    if (key <= codes->exact_key) return false;
#ifdef BUG_46
    return true;
#endif
    uint64_t loss = loss_at_most(codes, facts);
    if (loss == 0) return true;
    uint128 reach = codes->reach + loss;
    return key > code_key_of_distance(reach * reach);
}

/* |b'| at most: (n / g + g) / 2 is not below the root of n, whatever g > 0 is, and close
 * to it when g is; here g is the query's. */
static uint64_t length_at_most(const struct search_codes *codes,
                               const struct code_facts *facts) {
    uint64_t scale = facts->a, squares = facts->b & (CODE_EXACT - 1);
    if (!(facts->b & CODE_SCALED)) {
        scale = (uint64_t)1 << (16 + UNIT);
        squares = (uint64_t)255 * 255 * codes->query.dim;
    }
    uint64_t guess = root_floor(codes->query.norm) + (uint64_t)1;
    return scale * ((squares / guess + guess) / 2 + 1);
}

static bool product_is_out(const struct search_codes *codes, uint32_t key,
                           const struct code_facts *facts) {
    uint64_t loss = loss_at_most(codes, facts);
    uint128 error = (uint128)codes->length * loss;
    if (codes->loss > 0)
        error += (uint128)codes->loss * (length_at_most(codes, facts) + loss);
    return key > code_key_of_product(codes->product - (int128)error);
}

/* --- A few candidates --------------------------------------------------------------- */

/* Those of up to RUN_MAX points that are not out: their slots, in order. */
static uint32_t not_out(const struct search *search, const struct code_query *query,
                        const uint32_t *slots, const uint32_t *points, uint32_t count,
                        uint32_t *kept) {
    const struct hnsw *hnsw = &search->collection->hnsw;
    const uint8_t *rows[RUN_MAX];
    const struct code_facts *facts[RUN_MAX];
    uint32_t keys[RUN_MAX], number = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = pool_row(&hnsw->codes, points[i]);
        facts[i] = pool_row(&hnsw->facts, points[i]);
    }
    code_keys(query, rows, facts, count, keys);
    for (uint32_t i = 0; i < count; i++) {
        kept[number] = slots[i];
        number += !chord_is_out(&search->codes, keys[i], facts[i]);
    }
    return number;
}

void search_codes_decide(struct search *search, const struct code_query *query,
                         const uint32_t *slots, const uint32_t *points, uint32_t count) {
    uint32_t done = count < search->query.k ? count : search->query.k, kept[RUN_MAX];
    if (query->metric != METRIC_COSINE || search->query_norm == 0) done = count;
    search_decide(search, slots, done);
    search->codes.loss = query->chord;
    while (done < count) {
        uint32_t left = count - done, run = left < RUN_MAX ? left : RUN_MAX;
        note_worst(search);
        uint32_t number = run;
        if (search->codes.full)
            number = not_out(search, query, slots + done, points + done, run, kept);
        else memcpy(kept, slots + done, run * sizeof *kept);
        search_decide(search, kept, number);
        done += run;
    }
}

/* --- The scan
 * ------------------------------------------------------------------------------- */

/* Points and their codes. */
struct run {
    uint32_t count;
    uint32_t point; /* the first; facts and slots of the others lie behind its own */
    const uint8_t *rows[RUN_MAX];
    int32_t dots[RUN_MAX];
};

/* Those of records that lie anywhere. */
struct listed_run {
    struct run run;
    uint32_t slots[RUN_MAX];
    const struct code_facts *facts[RUN_MAX];
};

/* The run from `point` on, asked for while the one before it is looked at: chunks of
 * codes are small and lie apart. */
static void run_begin(const struct hnsw *hnsw, uint32_t point, uint32_t limit,
                      struct run *run) {
    uint32_t size = hnsw->codes.row_size, count = RUN_BYTES / size;
    if (count < RUN_LEAST) count = RUN_LEAST;
    if (count > RUN_MAX) count = RUN_MAX;
    uint32_t left[] = {limit - point, pool_rows_left(&hnsw->facts, point),
                       pool_rows_left(&hnsw->points, point)};
    for (int i = 0; i < 3; i++) count = left[i] < count ? left[i] : count;
    run->point = point;
    run->count = count;
    if (count == 0) return;
    const uint8_t *row = pool_row(&hnsw->facts, point);
    for (uint32_t at = 0; at < count * sizeof(struct code_facts); at += 64)
        __builtin_prefetch(row + at);
    for (uint32_t i = 0, in_chunk = 0; i < count; i++, in_chunk--, row += size) {
        if (in_chunk == 0) {
            row = pool_row(&hnsw->codes, point + i);
            in_chunk = pool_rows_left(&hnsw->codes, point + i);
        }
        run->rows[i] = row;
        for (uint32_t at = 0; at < size; at += 64) __builtin_prefetch(row + at);
    }
}

/* Keys of a run. */
static void keys_of(const struct code_query *query, const struct run *run,
                    const struct code_facts *facts, uint32_t *keys) {
    if (query->metric == METRIC_COSINE) {
        uint32_t scales[RUN_MAX];
        for (uint32_t i = 0; i < run->count; i++) scales[i] = facts[i].a;
        code_loops()->cosine_keys(query->scale, scales, run->dots, run->count, keys);
        return;
    }
    for (uint32_t i = 0; i < run->count; i++)
        keys[i] = code_key(query, run->rows[i], &facts[i], run->dots[i]);
}

/* The points of a run that are not out, by their place in it. */
static uint32_t survivors(const struct search_codes *codes, const struct run *run,
                          const struct code_facts *facts, uint32_t *places) {
    const struct code_query *query = &codes->query;
    bool squares = query->metric == METRIC_L2 && query->lattice;
    uint32_t keys[RUN_MAX], number = 0;
    if (codes->full && !squares) keys_of(query, run, facts, keys);
    for (uint32_t i = 0; i < run->count; i++) {
        bool out = false;
        if (!codes->full) {
            out = false; /* Every one is wanted. */
        } else if (squares && !(facts[i].b & CODE_SCALED)) {
            out =
                query->square + facts[i].a - 2 * (uint32_t)run->dots[i] > codes->lattice;
        } else {
            uint32_t key = squares
                               ? code_key(query, run->rows[i], &facts[i], run->dots[i])
                               : keys[i];
            out = query->metric == METRIC_COSINE ? chord_is_out(codes, key, &facts[i])
                  : query->metric == METRIC_L2   ? distance_is_out(codes, key, &facts[i])
                                                 : product_is_out(codes, key, &facts[i]);
        }
        places[number] = i;
        number += !out;
    }
    return number;
}

/* Decide about those among them that are records. */
static uint32_t decide(struct search *search, const struct run *run,
                       const uint32_t *places, uint32_t count) {
    const struct hnsw_point *points =
        pool_row(&search->collection->hnsw.points, run->point);
    uint32_t slots[RUN_MAX], number = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = points[places[i]].slot;
        if (slot != 0 && slot < POINT_DEAD_EVEN) slots[number++] = slot - 1;
    }
    if (number > 0) search_decide(search, slots, number);
    return number;
}

static bool scan_all(struct search *search, uint32_t rows) {
    const struct hnsw *hnsw = &search->collection->hnsw;
    struct search_codes *codes = &search->codes;
    struct run runs[2], *run = &runs[0], *next = &runs[1];
    run_begin(hnsw, codes->next, codes->limit, run);
    for (uint32_t looked_at = 0; run->count > 0 && looked_at < rows;) {
        run_begin(hnsw, run->point + run->count, codes->limit, next);
        code_dots(&codes->query, run->rows, run->count, run->dots);
        note_worst(search);
        uint32_t places[RUN_MAX];
        uint32_t number =
            survivors(codes, run, pool_row(&hnsw->facts, run->point), places);
        codes->decided += decide(search, run, places, number);
        looked_at += run->count + search_effort(search);
        codes->next = next->point;
        struct run *done = run;
        run = next;
        next = done;
    }
    return codes->next >= codes->limit;
}

/* --- Of those that are listed
 * ------------------------------------------------------------------------------ */

/* While none is deleted a record's point is its slot + 1; and the points lie closer
 * together than the metas. */
static uint32_t point_of(const struct collection *collection, uint32_t slot) {
    const struct hnsw *hnsw = &collection->hnsw;
    if (!hnsw->moved) return slot + 1;
    if (slot + 1 < hnsw->points.limit && point_at(hnsw, slot + 1)->slot == slot + 1)
        return slot + 1;
    return meta_at(collection, slot)->point;
}

/* The next run, asked for while the one before it is looked at. None: the end. */
static void listed_begin(struct search *search, struct listed_run *listed) {
    const struct collection *collection = search->collection;
    const struct hnsw *hnsw = &collection->hnsw;
    uint32_t size = hnsw->codes.row_size, most = RUN_BYTES / size, count = 0;
    if (most > RUN_MAX) most = RUN_MAX;
    do {
        const uint32_t *slots;
        uint32_t more;
        if (!search_next_listed(search, &slots, &more)) break;
        for (uint32_t i = 0; i < more; i++, count++) {
            uint32_t point = point_of(collection, slots[i]);
            const uint8_t *row = pool_row(&hnsw->codes, point);
            listed->slots[count] = slots[i];
            listed->run.rows[count] = row;
            for (uint32_t at = 0; at < size; at += 64) __builtin_prefetch(row + at);
            if (search->codes.plain) continue;
            listed->facts[count] = pool_row(&hnsw->facts, point);
            __builtin_prefetch(listed->facts[count]);
        }
    } while (count == 0 || count + TAG_ROW <= most);
    listed->run.count = count;
}

/* The greatest square that may still be among the hits. */
static uint32_t square_most(const struct search *search) {
    if (search->hit_count < search->query.k) return UINT32_MAX;
    return (uint32_t)(search->hits[0].distance >> 32);
}

/* Where nothing is lost: the codes' distances are those of the stored values. */
static void look_at_plain(struct search *search, const struct listed_run *listed) {
    const struct run *run = &listed->run;
    uint32_t squares[RUN_MAX], places[RUN_MAX], number = 0;
    uint32_t most = square_most(search);
    code_squares(&search->codes.query, run->rows, run->count, squares);
    for (uint32_t i = 0; i < run->count; i++) {
        places[number] = i;
        number += squares[i] <= most;
    }
    for (uint32_t i = 0; i < number; i++) {
        uint32_t slot = listed->slots[places[i]], square = squares[places[i]];
        if (square > square_most(search) || !search_keep(search, &slot, 1, 1)) continue;
        search_decide_square(search, slot, square);
    }
    search->codes.decided += number;
}

static void look_at_listed(struct search *search, struct listed_run *listed) {
    if (search->codes.plain) {
        look_at_plain(search, listed);
        return;
    }
    struct search_codes *codes = &search->codes;
    struct run *run = &listed->run;
    struct code_facts facts[RUN_MAX];
    uint32_t places[RUN_MAX];
    for (uint32_t i = 0; i < run->count; i++) facts[i] = *listed->facts[i];
    code_dots(&codes->query, run->rows, run->count, run->dots);
    note_worst(search);
    uint32_t number = survivors(codes, run, facts, places);
    for (uint32_t i = 0; i < number; i++) listed->slots[i] = listed->slots[places[i]];
    if (number > 0) search_decide(search, listed->slots, number);
    codes->decided += number;
}

static bool scan_listed(struct search *search, uint32_t rows) {
    struct listed_run runs[2], *listed = &runs[0], *next = &runs[1];
    struct search_cursor cursor = search->cursor;
    listed_begin(search, listed);
    for (uint32_t looked_at = 0; listed->run.count > 0 && looked_at < rows;) {
        cursor = search->cursor;
        listed_begin(search, next);
        look_at_listed(search, listed);
        looked_at += listed->run.count + search_effort(search);
        struct listed_run *done = listed;
        listed = next;
        next = done;
    }
#ifndef BUG_47
    search->cursor = cursor; /* What was begun last was not looked at. */
#endif
    return listed->run.count == 0;
}

bool search_codes_step(struct search *search, uint32_t rows) {
    return search_lists(search) ? scan_listed(search, rows) : scan_all(search, rows);
}
