/* The candidates of one walk through a graph: the nearest met so far, in order.
 *
 * A candidate is one integer, so that its order is one comparison: key in the upper 32
 * bits (nearer is smaller), point in the next 31, and in the last bit whether its links
 * have been followed. No point is offered twice; so no two candidates are equal, and what
 * a beam holds after a set of offers does not depend on their order.
 *
 * The loops have a form for each instruction set in simd/, equal to the portable one
 * (tests/unit/kernel/test_beam.c). */
#ifndef KERNEL_BEAM_H
#define KERNEL_BEAM_H

#include <stdbool.h>
#include <stdint.h>

/* Candidates whose links are followed at once. A number of the format: it decides what is
 * met. */
#define BEAM_WIDTH 8
/* Room before the first candidate (zeros) and behind the last that vector code touches.
 */
#define BEAM_MARGIN 16

struct beam {
    uint64_t *candidates; /* ascending */
    uint32_t count, capacity;
    uint32_t first; /* all before it were followed */
};

static inline uint64_t candidate_of(uint32_t key, uint32_t point) {
    return (uint64_t)key << 32 | (uint64_t)point << 1;
}
static inline uint32_t candidate_key(uint64_t candidate) {
    return (uint32_t)(candidate >> 32);
}
static inline uint32_t candidate_point(uint64_t candidate) {
    return (uint32_t)candidate >> 1;
}

struct beam_functions {
    const char *name;

    /* Put each (keys[i], points[i]) in its place, if it is among the nearest `capacity`;
     * what falls out is gone. */
    void (*offer)(struct beam *beam, const uint32_t *keys, const uint32_t *points,
                  uint32_t count);

    /* Of `count` links (a multiple of 16) those whose point, the lower 31 bits, has no
     * bit in `visited`: the points, in order, into `found`, which has room for count +
     * 16. Gives their number. The bit of point 0 must be set, and no other point may
     * stand twice among the links. */
    uint32_t (*unvisited)(const uint32_t *links, uint32_t count, const uint32_t *visited,
                          uint32_t *found);
};

/* The functions of one kind; NULL where this build has none. The CPU is not asked. */
const struct beam_functions *beam_portable(void);
const struct beam_functions *beam_avx512(void);

/* Those of a level of kernel/simd.h, or what is nearest below; simd_select() calls it. */
void beam_select(const char *level);
/* What was chosen; the portable ones until then. */
const struct beam_functions *beam_functions(void);

/* True if `functions` agree with the portable ones. Well under a millisecond. */
bool beam_self_check(const struct beam_functions *functions);

/* `room` has capacity + 2 * BEAM_MARGIN numbers. */
void beam_begin(struct beam *beam, uint64_t *room, uint32_t capacity);

/* The nearest candidates that were not followed yet, at most BEAM_WIDTH, marked as
 * followed. Gives their number; 0: the walk is over. */
uint32_t beam_pick(struct beam *beam, uint32_t points[BEAM_WIDTH]);
/* Those that the next beam_pick() would give if nothing were offered until then. */
uint32_t beam_peek(const struct beam *beam, uint32_t points[BEAM_WIDTH]);

#endif
