/* What random histories draw from. */
#ifndef TESTS_RANDOM_DRAW_H
#define TESTS_RANDOM_DRAW_H

#include "base/bytes.h"
#include "kernel/change.h"

enum {
    HISTORY_DIM_MAX = 20,
    HISTORY_TEXT_MAX = 300,
    HISTORY_KEYS = 6,
    HISTORY_GRAPHS = 9,
    HISTORY_MANY = 1000 /* names */
};

struct history {
    uint64_t random;
    uint32_t elements; /* names to choose from, per key */
    bool graphs;
    uint32_t steps;  /* changes so far, in a history of graphs */
    uint32_t first;  /* the key of its first wave */
    uint32_t number; /* of the last element that was chosen */
    /* What the last change borrows. */
    char key[16], element[24], target[16];
    uint8_t vector[6 + 4 * HISTORY_DIM_MAX], fp32[4 * HISTORY_DIM_MAX];
    uint8_t attributes[HISTORY_TEXT_MAX];
    char destination[24], link_element[24];
};

static inline uint64_t history_random(struct history *history) { /* splitmix64 */
    uint64_t z = history->random += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
static inline uint32_t history_below(struct history *history, uint32_t limit) {
    return (uint32_t)((history_random(history) >> 32) * limit >> 32);
}

#endif
