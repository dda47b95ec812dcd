/* The beam against a sorted list, in the portable form and in that of this CPU. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "kernel/beam.h"
#include "kernel/fixture.h"
#include "kernel/simd.h"

static const struct beam_functions *all_functions(size_t i) {
    return i == 0 ? beam_portable() : i == 1 ? beam_functions() : NULL;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* A beam beside a list that is sorted and cut after each offer; the flags move along. */
static void keeps_the_nearest(const struct beam_functions *functions, uint32_t capacity,
                              uint32_t spread, uint64_t seed) {
    enum { OFFERS = 700 };
    static uint64_t room[OFFERS + 2 * BEAM_MARGIN], wanted[2 * OFFERS];
    struct beam beam;
    uint32_t count = 0;
    beam_begin(&beam, room, capacity);
    for (uint32_t at = 0; at < OFFERS;) {
        uint32_t keys[9], points[9], some = 1 + chance_below(&seed, 9);
        for (uint32_t i = 0; i < some; i++) {
            keys[i] = chance_below(&seed, spread) ? (uint32_t)chance(&seed) % spread : UINT32_MAX;
            points[i] = 1 + (at + i) * 1543 % 4099 + (i % 2 ? 0x7fff0000u - 4100 : 0);
            wanted[count++] = candidate_of(keys[i], points[i]);
        }
        functions->offer(&beam, keys, points, some);
        at += some;
        qsort(wanted, count, sizeof wanted[0], by_number);
        if (count > capacity) count = capacity;
        EXPECT_EQUAL(beam.count, count);
        EXPECT_BYTES(beam.candidates, wanted, count * sizeof wanted[0]);

        uint32_t peeked[BEAM_WIDTH], picked[BEAM_WIDTH], next = 0;
        if (chance_below(&seed, 3) > 0) continue;
        uint32_t number = beam_peek(&beam, peeked);
        EXPECT_EQUAL(beam_pick(&beam, picked), number);
        EXPECT_BYTES(picked, peeked, number * sizeof picked[0]);
        for (uint32_t i = 0; i < count && next < BEAM_WIDTH; i++) {
            if (wanted[i] & 1) continue;
            EXPECT_EQUAL(picked[next++], candidate_point(wanted[i]));
            wanted[i] |= 1;
        }
        EXPECT_EQUAL(number, next);
        if (!test_run.ok) return;
    }
}

static void beam_is_a_sorted_list_cut_to_its_capacity(void) {
    for (size_t i = 0; all_functions(i); i++)
        for (uint32_t capacity = 1; capacity < 40; capacity++)
            keeps_the_nearest(all_functions(i), capacity, capacity % 3 ? 50 : 1 << 30, capacity);
    for (size_t i = 0; all_functions(i); i++) keeps_the_nearest(all_functions(i), 600, 90000, 5);
}

static void filter_gives_the_points_that_were_not_visited(void) {
    enum { POINTS = 5000, LINKS = 64 };
    static uint32_t visited[POINTS / 32 + 1];
    uint64_t seed = 1;
    for (int round = 0; round < 500; round++) {
        uint32_t links[LINKS], wanted[LINKS], count = 0;
        uint32_t width = 16 * (1 + chance_below(&seed, LINKS / 16));
        for (size_t i = 0; i < sizeof visited / sizeof visited[0]; i++)
            visited[i] = (uint32_t)chance(&seed);
        visited[0] |= 1;
        for (uint32_t i = 0; i < width; i++) {
            uint32_t point = 1 + (i * 71 + (uint32_t)round * 13) % 4999;
            if (chance_below(&seed, 4) == 0) point = 0;
            links[i] = point ? point | (uint32_t)chance(&seed) << 31 : 0;
            if (!(visited[point / 32] >> point % 32 & 1)) wanted[count++] = point;
        }
        for (size_t i = 0; all_functions(i); i++) {
            uint32_t found[LINKS + 16];
            EXPECT_EQUAL(all_functions(i)->unvisited(links, width, visited, found), count);
            EXPECT_BYTES(found, wanted, count * sizeof found[0]);
        }
    }
}

/* Wrong in one place each: the check at start-up sees it. */
static void offer_nothing(struct beam *beam, const uint32_t *keys, const uint32_t *points,
                          uint32_t count) {
    (void)beam, (void)keys, (void)points, (void)count;
}
static uint32_t take_all(const uint32_t *links, uint32_t count, const uint32_t *visited,
                         uint32_t *found) {
    (void)visited;
    memcpy(found, links, count * sizeof links[0]);
    return count;
}

static void self_check_tells_right_from_wrong(void) {
    struct beam_functions wrong = *beam_portable();
    EXPECT(beam_self_check(beam_portable()));
    EXPECT(beam_self_check(beam_functions()));
    wrong.offer = offer_nothing;
    EXPECT(!beam_self_check(&wrong));
    wrong = *beam_portable();
    wrong.unvisited = take_all;
    EXPECT(!beam_self_check(&wrong));
}

int main(void) {
    simd_select(NULL);
    RUN(beam_is_a_sorted_list_cut_to_its_capacity);
    RUN(filter_gives_the_points_that_were_not_visited);
    RUN(self_check_tells_right_from_wrong);
    return test_finish();
}
