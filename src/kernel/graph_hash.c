#include "kernel/graph_hash.h"

#include "base/bytes.h"

#include "kernel/pure.h"

static uint8_t *put_properties(const struct state *state, uint8_t flags, uint64_t handle,
                               uint32_t size, uint8_t *p) {
    if (flags & CHANGE_ATTRIBUTES)
        hash_payload('A', heap_get(&state->heap, handle, size), p);
    return p + SHA256_SIZE;
}

void edge_text(const struct state *state, const struct graph_edge *edge,
               enum direction direction, bool content, struct edge_text *text) {
    uint8_t *p = text->bytes + 9;
    text->bytes[0] = direction == DIRECTION_OUT ? 0x16 : 0x1a;
    store_le64(text->bytes + 1, content ? 0 : edge->widx);
    if (direction == DIRECTION_OUT) {
        *p++ = edge->flags;
        memset(p, 0, SHA256_SIZE);
        p = put_properties(state, edge->flags, edge->properties, edge->properties_size,
                           p);
        if (edge->flags & CHANGE_WEIGHT) store_le32(p, (uint32_t)edge->weight), p += 4;
    }
    text->size = (size_t)(p - text->bytes);
}

void node_value_hash(const struct state *state, const struct graph *graph,
                     const struct graph_node *node, const struct trie_sum *out,
                     const struct trie_sum *in, bool content,
                     uint8_t value[SHA256_SIZE]) {
    uint8_t bytes[1 + 8 + 1 + 2 * SHA256_SIZE + 2 * TRIE_SUM_SIZE + 8 + WORD_SIZE_MAX] = {
        0x15};
    store_le64(bytes + 1, content ? 0 : node->widx);
    bytes[9] = node->flags;
    uint8_t *p = put_properties(state, node->flags, node->properties,
                                node->properties_size, bytes + 10);
    if (node->link) memcpy(p, link_row(graph, node->link)->leaf.key, SHA256_SIZE);
    p = trie_sum_encode(in, trie_sum_encode(out, p + SHA256_SIZE));
    if (node->kind) {
        const struct graph_word *kind = word_row(graph, node->kind);
        store_le64(p, kind->size);
        memcpy(p + 8, heap_get(&state->heap, kind->name, kind->size).data, kind->size);
        p += 8 + kind->size;
    }
    sha256(bytes, (size_t)(p - bytes), value);
}

void graph_sum(const struct graph *graph, const struct trie_sum *nodes,
               struct object_sum *sum) {
    *sum = (struct object_sum){.type = OBJECT_GRAPH, .nodes = *nodes};
    sum->config_size = GRAPH_CONFIG_SIZE;
    graph_config_encode(&graph->config, sum->config);
}
