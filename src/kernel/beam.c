/* The portable definition of the beam's loops, and the choice among them. */
#include "kernel/beam.h"

#include <string.h>

#include "kernel/simd.h"

#include "kernel/pure.h"

#define FOLLOWED  UINT64_C(1)
#define LINK_FLAG 0x80000000u

void beam_begin(struct beam *beam, uint64_t *room, uint32_t capacity) {
    for (uint32_t i = 0; i < BEAM_MARGIN; i++) room[i] = 0;
    *beam = (struct beam){.candidates = room + BEAM_MARGIN, .capacity = capacity};
}

uint32_t beam_peek(const struct beam *beam, uint32_t points[BEAM_WIDTH]) {
    uint32_t found = 0;
    for (uint32_t i = beam->first; i < beam->count && found < BEAM_WIDTH; i++)
        if (!(beam->candidates[i] & FOLLOWED))
            points[found++] = candidate_point(beam->candidates[i]);
    return found;
}

uint32_t beam_pick(struct beam *beam, uint32_t points[BEAM_WIDTH]) {
    uint32_t found = 0, i = beam->first;
    for (; i < beam->count && found < BEAM_WIDTH; i++) {
        if (beam->candidates[i] & FOLLOWED) continue;
        points[found++] = candidate_point(beam->candidates[i]);
        beam->candidates[i] |= FOLLOWED;
    }
    beam->first = i;
    return found;
}

/* --- The portable definition -------------------------------------------------------- */

static void offer(struct beam *beam, const uint32_t *keys, const uint32_t *points,
                  uint32_t count) {
    uint64_t *candidates = beam->candidates;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t candidate = candidate_of(keys[i], points[i]);
        uint32_t at = beam->count;
        if (at < beam->capacity) beam->count++;
        else if (candidate > candidates[at - 1]) continue;
        else at--;
        for (; at > 0 && candidates[at - 1] > candidate; at--)
            candidates[at] = candidates[at - 1];
        candidates[at] = candidate;
        if (at < beam->first) beam->first = at;
    }
}

static uint32_t unvisited(const uint32_t *links, uint32_t count, const uint32_t *visited,
                          uint32_t *found) {
    uint32_t number = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t point = links[i] & ~LINK_FLAG;
        found[number] = point;
        number += ~visited[point / 32] >> point % 32 & 1;
    }
    return number;
}

static const struct beam_functions portable = {
    .name = "portable", .offer = offer, .unvisited = unvisited};

const struct beam_functions *beam_portable(void) { return &portable; }

/* --- The choice --------------------------------------------------------------------- */

#if !defined(__x86_64__)
const struct beam_functions *beam_avx512(void) { return NULL; }
#endif

/* Written before there is a second thread, then only read. */
static const struct beam_functions *chosen = &portable;

const struct beam_functions *beam_functions(void) { return chosen; }

void beam_select(const char *level) {
    const struct beam_functions *avx512 = beam_avx512();
    chosen = avx512 && simd_same_name(level, avx512->name) ? avx512 : &portable;
}

/* --- The start-up check ------------------------------------------------------------- */

enum { CHECK_CAPACITY = 37, CHECK_OFFERS = 100, CHECK_LINKS = 48 };

/* Keys with many ties, offered in pieces of 1 to 5. */
static uint32_t offer_all(const struct beam_functions *functions, uint64_t *room) {
    struct beam beam;
    beam_begin(&beam, room, CHECK_CAPACITY);
    uint32_t draw = 1;
    for (uint32_t at = 0; at < CHECK_OFFERS;) {
        uint32_t keys[5], points[5], count = 1 + at % 5;
        for (uint32_t i = 0; i < count; i++) {
            draw = draw * 1664525 + 1013904223;
            keys[i] = draw >> 29 ? draw >> 24 : UINT32_MAX;
            points[i] = 1 + (at + i) * 7919 % 1009;
        }
        functions->offer(&beam, keys, points, count);
        at += count;
    }
    return beam.first;
}

static bool offers_agree(const struct beam_functions *functions) {
    uint64_t wanted[CHECK_CAPACITY + 2 * BEAM_MARGIN] = {0};
    uint64_t given[CHECK_CAPACITY + 2 * BEAM_MARGIN] = {0};
    uint32_t first = offer_all(&portable, wanted);
    if (offer_all(functions, given) != first) return false;
    return memcmp(given + BEAM_MARGIN, wanted + BEAM_MARGIN,
                  CHECK_CAPACITY * sizeof wanted[0]) == 0;
}

static bool filters_agree(const struct beam_functions *functions) {
    uint32_t links[CHECK_LINKS], visited[CHECK_LINKS];
    uint32_t wanted[CHECK_LINKS + 16], given[CHECK_LINKS + 16];
    uint32_t draw = 1;
    for (uint32_t i = 0; i < CHECK_LINKS; i++) {
        draw = draw * 1664525 + 1013904223;
        visited[i] = draw | 1;
        links[i] = i % 7 == 6 ? 0 : (32 * i + (draw >> 20) % 32) | (draw & LINK_FLAG);
    }
    uint32_t count = unvisited(links, CHECK_LINKS, visited, wanted);
    return functions->unvisited(links, CHECK_LINKS, visited, given) == count &&
           memcmp(given, wanted, count * sizeof wanted[0]) == 0;
}

bool beam_self_check(const struct beam_functions *functions) {
    return offers_agree(functions) && filters_agree(functions);
}
