/* Random histories: a seed gives an endless list of changes over a few keys of every metric in
 * a few databases, so few that every kind of change meets state that it can change. Refusals are
 * part of it.
 *
 * A history of graphs (random/graphs.h) has collections with an HNSW index; it comes and
 * goes in waves, so that rows fill, rounds of repair begin, and most of them end. */
#ifndef TESTS_RANDOM_HISTORY_H
#define TESTS_RANDOM_HISTORY_H

#include "random/graphs.h"
#include "random/knowledge.h"

static inline void history_begin(struct history *history, uint64_t seed, uint32_t elements) {
    *history = (struct history){.random = seed, .elements = elements};
}
static inline void history_begin_graphs(struct history *history, uint64_t seed,
                                        uint32_t elements) {
    *history = (struct history){.random = seed, .elements = elements, .graphs = true};
}

static inline uint32_t history_keys(const struct history *history) {
    return history->graphs ? HISTORY_GRAPHS : HISTORY_KEYS;
}
static inline uint32_t history_key(struct history *history) {
    return history->graphs ? graph_key(history) : history_below(history, HISTORY_KEYS);
}

static inline struct slice history_name(char *text, char first, uint32_t number) {
    size_t size = 0;
    text[size++] = first;
    for (; number > 0; number /= 10) text[size++] = (char)('0' + number % 10);
    return slice_of(text, size);
}

/* A key has one metric, dimension and origin for ever: its number decides. */
static inline struct config history_config(const struct history *history, uint32_t key) {
    if (history->graphs) return graph_config(key);
    return (struct config){.metric = (uint8_t)(METRIC_COSINE + key % 3),
                           .index = INDEX_FLAT,
                           .dim = 1 + key * 2 % 12,
                           .m = 16,
                           .ef = 200,
                           .capacity = key == 4 ? 5 : 0,
                           .origin = key % 2 ? ORIGIN_VADD : ORIGIN_VCREATE};
}

static inline void history_values(struct history *history, const struct config *config,
                                  int32_t *values) {
    for (uint32_t i = 0; i < config->dim; i++) {
        uint64_t draw = history_random(history);
        values[i] = (int32_t)(draw % 262145) - 131072;
        if (config->metric != METRIC_COSINE && draw >> 60 == 0)
            values[i] = (int32_t)(draw >> 20);
    }
}

static inline void history_vector(struct history *history, uint32_t key,
                                  const struct config *config, struct change *change) {
    bool scaled = config->metric == METRIC_COSINE;
    int32_t values[HISTORY_DIM_MAX];
    if (history->graphs) graph_values(history, key, history->number, config, values);
    else history_values(history, config, values);
    int8_t exponent = (int8_t)((int)history_below(history, 256) - 128);
    vector_encode(values, config->dim, scaled, exponent, history->vector);
    change->vector = slice_of(history->vector, vector_bytes_size(scaled, config->dim));
    change->flags |= CHANGE_VECTOR;
    if (history_below(history, 4) > 0) return;
    for (size_t i = 0; i < 4 * (size_t)config->dim; i++)
        history->fp32[i] = (uint8_t)history_random(history);
    change->fp32 = slice_of(history->fp32, 4 * (size_t)config->dim);
    change->flags |= CHANGE_FP32;
}

static inline void history_attributes(struct history *history, struct change *change) {
    size_t size = history_below(history, 3) ? history_below(history, HISTORY_TEXT_MAX) : 0;
    for (size_t i = 0; i < size; i++) history->attributes[i] = (uint8_t)history_random(history);
    change->attributes = slice_of(history->attributes, size);
    change->flags |= CHANGE_ATTRIBUTES;
}

/* Among a few deadlines, none of them and `other`. */
static inline void history_deadline(struct history *history, struct change *change,
                                    uint64_t other) {
    uint32_t draw = history_below(history, 6);
    change->tag = draw == 5 ? other : draw;
    change->flags |= CHANGE_TAG;
}

/* Values that INCR reads, at the edges too, and others; a small or a great delta; a new name. */
static inline void history_string(struct history *history, struct change *change) {
    static const char *const numbers[] = {"0",  "7",  "-1", "9223372036854775807", "007",
                                          "-0", "1.5", "",  "-9223372036854775808"};
    uint32_t draw = history_below(history, 16);
    change->target = history_name(history->target, 'k', history_below(history, 8));
    change->delta = draw < 12 ? (int64_t)draw - 4 : (int64_t)history_random(history);
    if (change->type == CHANGE_SET || change->type == CHANGE_REPLACE) {
        history_attributes(history, change);
        draw = history_below(history, 12);
        if (draw < 9) change->attributes = slice_text(numbers[draw]);
        if (history_below(history, 4) == 0)
            history_deadline(history, change, DEADLINE_KEPT);
    }
    draw = history_below(history, 10);
    if (draw == 0 && change->type != CHANGE_INCR) change->flags |= CHANGE_NX;
    if (draw == 1 && change->type != CHANGE_INCR && change->type != CHANGE_RENAME)
        change->flags |= CHANGE_XX;
}

static inline uint8_t history_type(struct history *history) {
    if (history->graphs) return graph_type(history);
    uint32_t draw = history_below(history, 1780);
    if (draw >= 1740) return CHANGE_EXPIRE;
    if (draw >= 1700) return CHANGE_SYSTEM;
    if (draw >= 1160) return knowledge_type(draw - 1160);
    if (draw < 620) return CHANGE_VADD;
    if (draw < 760) return CHANGE_VREM;
    if (draw < 840) return CHANGE_SETATTR;
    if (draw < 930) return CHANGE_SETTAG;
    if (draw < 970) return CHANGE_CREATE;
    if (draw >= 1000) return (uint8_t)(CHANGE_RENAME + (draw - 1000) / 40);
    return draw < 995 ? CHANGE_DEL : CHANGE_FLUSH;
}

/* Set or remove one of a few users. */
static inline void history_system(struct history *history, struct change *change) {
    change->db = SYSTEM_USER;
    change->key = history_name(history->key, 'u', history_below(history, 5));
    if (history_below(history, 3)) history_attributes(history, change);
}

static inline void history_fill(struct history *history, uint32_t key, struct change *change) {
    struct config config = history_config(history, key);
    if (change->type == CHANGE_VADD) {
        history_vector(history, key, &config, change);
        if (history_below(history, 3) == 0) history_attributes(history, change);
        uint32_t draw = history_below(history, 16);
        if (draw == 0) change->flags |= CHANGE_NX;
        if (draw == 1) change->flags |= CHANGE_XX;
    }
    if (change->type == CHANGE_SETATTR) history_attributes(history, change);
    if (change->type == CHANGE_EXPIRE) {
        history_deadline(history, change, UINT64_MAX);
        change->delta = history_below(history, EXPIRE_CONDITIONS);
    } else if (change->type >= CHANGE_RENAME) {
        history_string(history, change);
    }
    bool tagged = change->type == CHANGE_VADD && history_below(history, 3) == 0;
    if (tagged || change->type == CHANGE_SETTAG) {
        change->tag = history_below(history, 4) ? history_below(history, 5) : UINT64_MAX;
        change->flags |= CHANGE_TAG;
    }
    bool creates = change->type == CHANGE_VADD && history_below(history, 8) > 0;
    if (creates || change->type == CHANGE_CREATE) {
        change->config = config;
        change->flags |= CHANGE_CONFIG;
    }
}

static inline struct slice history_element(struct history *history, uint32_t key) {
    if (history->graphs) history->number = graph_element(history, key);
    else history->number = history_below(history, history->elements);
    return history_name(history->element, 'e', history->number);
}

/* A VADD of that key: a member of a group. */
static inline void history_member(struct history *history, uint32_t key, struct change *change) {
    *change = (struct change){.type = CHANGE_VADD, .db = key == 5 ? 15 : key % 2};
    change->key = history_name(history->key, 'k', key);
    change->element = history_element(history, key);
    history_fill(history, key, change);
}

/* The next change; it borrows from the history until the one after it. Not committed. */
static inline void history_next(struct history *history, struct change *change) {
    uint32_t key = history_key(history);
    *change = (struct change){.type = history_type(history)};
    if (change_of_graph(change->type)) {
        knowledge_fill(history, change);
        return;
    }
    if (change->type == CHANGE_SYSTEM) {
        history_system(history, change);
        return;
    }
    /* Strings take the place of collections, but not of all. */
    if (change->type > CHANGE_RENAME &&
        (change->type != CHANGE_EXPIRE || history_below(history, 2)))
        key = history_keys(history) - 2 + history_below(history, 4);
    change->db = key == 5 ? 15 : key % 2;
    if (change->type == CHANGE_FLUSH) {
        if (history_below(history, 2)) change->db = FLUSH_ALL;
        return;
    }
    change->key = history_name(history->key, 'k', key);
    bool has_element = change->type >= CHANGE_VADD && change->type <= CHANGE_SETTAG;
    if (has_element) change->element = history_element(history, key);
    history_fill(history, key, change);
}

#endif
