/* Walks in the order of key hashes, which is the order of the tries. */
#include "base/bytes.h"
#include "kernel/graph.h"
#include "kernel/state.h"

#include "kernel/pure.h"

struct slice object_name(const struct state *state, const struct object *object) {
    return heap_get(&state->heap, object->name, object->name_size);
}

uint64_t object_memory(const struct state *state, const struct object *object) {
    const struct collection *collection = object_collection(state, object);
    const struct graph *graph = object_graph(state, object);
    uint64_t part = collection ? collection_memory(collection)
                    : graph    ? graph_memory(graph)
                               : 0;
    return sizeof *object + sizeof(struct trie_node) + heap_room(object->name) +
           heap_room(object->value) + part;
}

uint32_t object_database(const struct object *object) { return object->db; }

const struct object *state_key_at(const struct state *state, uint64_t index) {
    return object_at(state, trie_at(&state->nodes, state->keyspace, index));
}

void collection_record_at(const struct state *state, const struct collection *collection,
                          uint64_t index, struct record *record) {
    uint32_t slot = trie_at(&state->nodes, collection->records, index);
    record_read(state, collection, slot, record);
}

void scan_begin(struct scan *scan, uint64_t prefix) {
    *scan = (struct scan){.above = false};
    store_be64(scan->hash, prefix);
}

uint64_t scan_prefix(const struct scan *scan) { return load_be64(scan->hash); }

uint32_t scan_leaf(const struct state *state, const struct pool *leaves, uint32_t root,
                   struct scan *scan) {
    uint32_t row = trie_next(&state->nodes, leaves, root, scan->hash, scan->above);
    if (row == UINT32_MAX) return row;
    const struct trie_leaf *leaf = pool_row(leaves, row);
    memcpy(scan->hash, leaf->key, SHA256_SIZE);
    scan->above = true;
    return row;
}

const struct object *scan_key(const struct state *state, struct scan *scan) {
    uint32_t row = scan_leaf(state, &state->objects, state->keyspace, scan);
    return row == UINT32_MAX ? NULL : object_at(state, row);
}

bool scan_record(const struct state *state, const struct collection *collection,
                 struct scan *scan, struct record *record) {
    uint32_t row = scan_leaf(state, &collection->metas, collection->records, scan);
    if (row == UINT32_MAX) return false;
    record_read(state, collection, row, record);
    return true;
}
