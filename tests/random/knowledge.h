/* What a history does to graphs of nodes and edges: few names, so that nodes go while edges hang on
 * them, edges are set again, loops and hubs come up; one key is now and then no graph, and
 * one has a capacity that is reached. */
#ifndef TESTS_RANDOM_KNOWLEDGE_H
#define TESTS_RANDOM_KNOWLEDGE_H

#include "random/draw.h"

/* `draw` is below 540. */
static inline uint8_t knowledge_type(uint32_t draw) {
    if (draw < 150) return CHANGE_NODE;
    if (draw < 165) return CHANGE_NODEDEL;
    if (draw < 170) return CHANGE_GCREATE;
    return draw < 470 ? CHANGE_EDGE : CHANGE_EDGEDEL;
}

static inline struct slice knowledge_name(struct history *history, char *text) {
    uint32_t number = history_below(history, history_below(history, 3) ? 24 : 2);
    size_t size = 0;
    text[size++] = 'n';
    for (; number > 0; number /= 10) text[size++] = (char)('0' + number % 10);
    return slice_of(text, size);
}

/* Properties, or none at all, which take away what there was. */
static inline void knowledge_properties(struct history *history, struct change *change) {
    uint32_t size = history_below(history, 3) * 20;
    for (uint32_t i = 0; i < size; i++)
        history->attributes[i] = (uint8_t)history_random(history);
    change->attributes = slice_of(history->attributes, size);
    change->flags |= CHANGE_ATTRIBUTES;
}

static inline void knowledge_node(struct history *history, struct change *change) {
    static const char *const kinds[] = {"", "person", "a place"};
    uint32_t draw = history_below(history, 16);
    if (draw & 1) {
        change->flags |= CHANGE_KIND;
        change->word = slice_text(kinds[history_below(history, 3)]);
    }
    if (draw & 2) knowledge_properties(history, change);
    if ((draw & 12) == 4) change->flags |= CHANGE_UNLINK;
    if ((draw & 12) == 8) {
        change->flags |= CHANGE_LINK;
        change->link_key = slice_text("k1");
        change->link_element = knowledge_name(history, history->link_element);
    }
}

static inline void knowledge_edge(struct history *history, struct change *change) {
    static const char *const types[] = {"knows", "likes", "is in"};
    change->target = knowledge_name(history, history->destination);
    change->word = slice_text(types[history_below(history, 3)]);
    if (change->type == CHANGE_EDGEDEL) return;
    if (history_below(history, 3) == 0) knowledge_properties(history, change);
    if (history_below(history, 3) == 0) {
        change->flags |= CHANGE_WEIGHT;
        change->weight = (int32_t)history_random(history);
    }
}

static inline void knowledge_fill(struct history *history, struct change *change) {
    static const char *const keys[] = {"g", "h", "k3"};
    uint32_t key = history_below(history, 16);
    key = key < 10 ? 0 : key < 15 ? 1 : 2;
    change->db = key;
    change->key = slice_text(keys[key]);
    bool creates = change->type == CHANGE_GCREATE ||
                   (change->type == CHANGE_NODE && history_below(history, 8) > 0);
    if (creates) {
        change->flags |= CHANGE_CONFIG;
        change->graph.origin = change->type == CHANGE_GCREATE;
        if (key == 1) change->graph = (struct graph_config){.nodes = 12, .edges = 40};
    }
    if (change->type == CHANGE_GCREATE) return;
    change->element = knowledge_name(history, history->element);
    uint32_t draw = history_below(history, 16);
    bool sets = change->type == CHANGE_NODE || change->type == CHANGE_EDGE;
    if (sets && draw == 0) change->flags |= CHANGE_NX;
    if (sets && draw == 1) change->flags |= CHANGE_XX;
    if (change->type == CHANGE_NODE) knowledge_node(history, change);
    if (change_of_edge(change->type)) knowledge_edge(history, change);
}

#endif
