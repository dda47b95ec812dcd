/* A graph as anyone would write it: two arrays, searched from the start, and the commitment of
 * docs/format.md section 7 by its definition. */
#ifndef TESTS_UNIT_KERNEL_NAIVE_GRAPH_H
#define TESTS_UNIT_KERNEL_NAIVE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/change.h"
#include "kernel/trie.h"

enum { NAIVE_NODES = 256, NAIVE_EDGES = 4096, NAIVE_TEXT = 24 };

struct naive_node {
    bool there;
    uint64_t widx;
    char kind[NAIVE_TEXT], properties[NAIVE_TEXT], link[NAIVE_TEXT]; /* "": none */
};

struct naive_edge {
    uint32_t source, type, destination;
    uint64_t widx;
    bool weighed;
    int32_t weight;
    char properties[NAIVE_TEXT];
};

struct naive {
    struct naive_node nodes[NAIVE_NODES];
    struct naive_edge edges[NAIVE_EDGES];
    uint32_t edge_count;
};

static inline struct slice naive_name(uint32_t node, char text[NAIVE_TEXT]) {
    snprintf(text, NAIVE_TEXT, "n%u", node);
    return slice_text(text);
}
static inline struct slice naive_type(uint32_t type, char text[NAIVE_TEXT]) {
    snprintf(text, NAIVE_TEXT, "type-%u", type);
    return slice_text(text);
}

static inline struct naive_edge *naive_find(struct naive *naive, uint32_t source,
                                            uint32_t type, uint32_t destination) {
    for (uint32_t i = 0; i < naive->edge_count; i++) {
        struct naive_edge *edge = &naive->edges[i];
        if (edge->source == source && edge->type == type &&
            edge->destination == destination)
            return edge;
    }
    return NULL;
}

static inline void naive_drop(struct naive *naive, struct naive_edge *edge) {
    *edge = naive->edges[--naive->edge_count];
}

static inline uint32_t naive_node_count(const struct naive *naive) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < NAIVE_NODES; i++) count += naive->nodes[i].there;
    return count;
}

/* --- The commitment ----------------------------------------------------------------------- */

struct naive_leaf {
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE];
};

static inline int naive_order(const void *a, const void *b) {
    return memcmp(a, b, SHA256_SIZE);
}

static inline struct trie_sum naive_trie(const struct naive_leaf *leaves, uint32_t count,
                                         uint32_t depth) {
    struct trie_sum sum = {.count = count};
    if (count == 1) trie_leaf_hash(leaves[0].key, leaves[0].value, sum.root);
    if (count < 2) return sum;
    uint32_t left = 0;
    while (left < count && !trie_bit(leaves[left].key, depth)) left++;
    struct trie_sum below[2] = {naive_trie(leaves, left, depth + 1),
                                naive_trie(leaves + left, count - left, depth + 1)};
    trie_node_hash(&below[0], &below[1], sum.root);
    return sum;
}

static inline uint8_t *naive_put(uint8_t *p, const void *bytes, size_t size) {
    memcpy(p, bytes, size);
    return p + size;
}

static inline uint8_t *naive_properties(uint8_t *p, const char *properties) {
    memset(p, 0, SHA256_SIZE);
    if (*properties) hash_payload('A', slice_text(properties), p);
    return p + SHA256_SIZE;
}

static inline void naive_edge_value(const struct naive_edge *edge, bool out,
                                    uint8_t value[SHA256_SIZE]) {
    uint8_t bytes[64] = {out ? 0x16 : 0x1a}, *p = bytes + 9;
    store_le64(bytes + 1, edge->widx);
    if (out) {
        *p++ = (uint8_t)((*edge->properties ? 2 : 0) | (edge->weighed ? 8 : 0));
        p = naive_properties(p, edge->properties);
        if (edge->weighed) store_le32(p, (uint32_t)edge->weight), p += 4;
    }
    sha256(bytes, (size_t)(p - bytes), value);
}

static inline struct trie_sum naive_ends(const struct naive *naive, uint32_t node,
                                         bool out) {
    static struct naive_leaf leaves[NAIVE_EDGES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < naive->edge_count; i++) {
        const struct naive_edge *edge = &naive->edges[i];
        char type[NAIVE_TEXT], name[NAIVE_TEXT];
        if ((out ? edge->source : edge->destination) != node) continue;
        hash_edge_name(out ? 'E' : 'I', naive_type(edge->type, type),
                       naive_name(out ? edge->destination : edge->source, name),
                       leaves[count].key);
        naive_edge_value(edge, out, leaves[count++].value);
    }
    qsort(leaves, count, sizeof *leaves, naive_order);
    return naive_trie(leaves, count, 0);
}

static inline void naive_node_value(const struct naive *naive, uint32_t number,
                                    uint8_t value[SHA256_SIZE]) {
    const struct naive_node *node = &naive->nodes[number];
    struct trie_sum out = naive_ends(naive, number, true),
                    in = naive_ends(naive, number, false);
    uint8_t bytes[400] = {0x15}, *p = bytes + 10;
    store_le64(bytes + 1, node->widx);
    bytes[9] = (uint8_t)((*node->link ? 1 : 0) | (*node->properties ? 2 : 0) |
                         (*node->kind ? 8 : 0));
    p = naive_properties(p, node->properties);
    if (*node->link) hash_link(0, slice_text("vectors"), slice_text(node->link), p);
    p = trie_sum_encode(&in, trie_sum_encode(&out, p + SHA256_SIZE));
    if (*node->kind) {
        store_le64(p, strlen(node->kind));
        p = naive_put(p + 8, node->kind, strlen(node->kind));
    }
    sha256(bytes, (size_t)(p - bytes), value);
}

/* The trie of nodes. */
static inline struct trie_sum naive_sum(const struct naive *naive) {
    static struct naive_leaf leaves[NAIVE_NODES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < NAIVE_NODES; i++) {
        char name[NAIVE_TEXT];
        if (!naive->nodes[i].there) continue;
        hash_node_name(naive_name(i, name), leaves[count].key);
        naive_node_value(naive, i, leaves[count++].value);
    }
    qsort(leaves, count, sizeof *leaves, naive_order);
    return naive_trie(leaves, count, 0);
}

#endif
