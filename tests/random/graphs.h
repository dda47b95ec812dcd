/* What a history of graphs (random/history.h) chooses from: configs of every metric with
 * rows so short that they fill, and vectors that codes take in each of their three ways,
 * near others, equal to others, zero, and at the ends of their range. */
#ifndef TESTS_RANDOM_GRAPHS_H
#define TESTS_RANDOM_GRAPHS_H

#include "random/draw.h"

static inline struct config graph_config(uint32_t key) {
    static const uint8_t dims[HISTORY_GRAPHS] = {4, 20, 2, 12, 1, 7, 16, 3, 9};
    static const uint8_t links[HISTORY_GRAPHS] = {4, 8, 5, 6, 1, 7, 4, 5, 8};
    static const uint16_t efforts[HISTORY_GRAPHS] = {16, 40, 24, 20, 3, 32, 16, 36, 5000};
    key %= HISTORY_GRAPHS;
    return (struct config){.metric = (uint8_t)(METRIC_COSINE + key % 3),
                           .index = INDEX_HNSW,
                           .quantisation = (uint8_t)(key % 4 % 3),
                           .dim = dims[key],
                           .m = links[key],
                           .ef = efforts[key],
                           .capacity = key == 6 ? 60 : 0,
                           .origin = key % 2 ? ORIGIN_VADD : ORIGIN_VCREATE};
}

/* One key has hardly any names, so that its last element goes again and again. */
static inline uint32_t graph_element(struct history *history, uint32_t key) {
    return history_below(history, key == 3 ? 3 : history->elements);
}

/* Half of the time the same key for a while. */
static inline uint32_t graph_key(struct history *history) {
    uint32_t wave = history->first + history->steps / (4 * history->elements);
    if (history_below(history, 2)) return wave % HISTORY_GRAPHS;
    return history_below(history, HISTORY_GRAPHS);
}

/* A wave is three parts coming and one going. Where there are many names keys stay, so that
 * graphs grow. */
static inline uint8_t graph_type(struct history *history) {
    bool ebb = history->steps++ / history->elements % 4 == 3;
    uint32_t draw = history_below(history, 1000);
    if (draw < 8) return CHANGE_CREATE;
    if (draw < 30) return CHANGE_SETATTR;
    if (draw < 80) return CHANGE_SETTAG;
    if (draw < 86 && history->elements >= HISTORY_MANY) return CHANGE_SETTAG;
    if (draw == 80) return history_below(history, 3) ? CHANGE_DEL : CHANGE_FLUSH;
    if (draw < 86 && draw > 81) return (uint8_t)(CHANGE_RENAME + draw - 82);
    return draw < (ebb ? 750 : 300) ? CHANGE_VREM : CHANGE_VADD;
}

enum vector_kind { VECTOR_ANY, VECTOR_LATTICE, VECTOR_POWER, VECTOR_ENDS, VECTOR_ZERO };

/* The values are those of a seed: the same seed, the same vector. */
static inline void graph_draw(uint64_t seed, const struct config *config,
                              int32_t *values) {
    struct history own = {.random = seed};
    uint32_t draw = history_below(&own, 40), span = 1u << history_below(&own, 9);
    enum vector_kind kind = draw == 0 ? VECTOR_ZERO : draw == 1 ? VECTOR_ENDS : draw % 3;
    int32_t most = config->metric == METRIC_COSINE ? 1 << 17 : INT32_MAX;
    uint32_t shift = history_below(&own, config->metric == METRIC_COSINE ? 11 : 25);
    for (uint32_t i = 0; i < config->dim; i++) {
        uint64_t random = history_random(&own);
        int32_t small = (int32_t)(random % (2 * span)) - (int32_t)span;
        if (kind == VECTOR_ANY) values[i] = (int32_t)(random % 262145) - 131072;
        if (kind == VECTOR_LATTICE)
            values[i] = (int32_t)(random % (config->metric == METRIC_COSINE ? 3 : span))
                        << 16;
        if (kind == VECTOR_POWER) values[i] = small % 128 * (1 << shift);
        if (kind == VECTOR_ENDS) values[i] = random & 1 ? most : -most;
        if (kind == VECTOR_ZERO) values[i] = 0;
    }
}

/* An element's own vector, one of a few that many share, another's but for one value, or
 * new. In the collection `key` 7 all are equal. */
static inline void graph_values(struct history *history, uint32_t key, uint32_t element,
                                const struct config *config, int32_t *values) {
    uint32_t draw = history_below(history, 8);
    uint64_t seed = (uint64_t)key << 32;
    switch (key == 7 ? 0 : draw) {
    case 0:
        seed += 1u << 31 | (key == 7 ? 0 : history_below(history, 5));
        break;
    case 1:
    case 2:
        seed += graph_element(history, key);
        break;
    case 3:
    case 4:
        seed += element;
        break;
    default:
        seed = history_random(history);
    }
    graph_draw(seed, config, values);
    if (draw == 2 && key != 7)
        values[history_below(history, config->dim)] =
            (int32_t)history_below(history, 131073);
}

#endif
