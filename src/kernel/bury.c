/* The graveyard: memory of deleted objects, given back a little at a time.
 *
 * Deleting a key of a million records takes one leaf out of the keyspace; what hung on it
 * goes here and nobody can reach it any more. Three lists, linked through fields that the
 * dead need no longer: nodes of keyspace tries (their leaves are objects), objects, and
 * nodes of record tries. */
#include "base/check.h"
#include "kernel/graph_write.h"

#include "kernel/pure.h"

static bool is_node(uint32_t reference) {
    return reference != 0 && !(reference & TRIE_LEAF);
}

static void push_node(struct kernel *kernel, uint32_t *list, uint32_t reference) {
    struct trie_node *node =
        pool_own(&kernel->memory, &kernel->state.nodes, reference - 1);
    node->dirty = *list;
    *list = reference;
}

/* Takes the first node off the list, frees it, and gives its children. */
static void pop_node(struct kernel *kernel, uint32_t *list, uint32_t child[2]) {
    uint32_t reference = *list;
    const struct trie_node *node = pool_row(&kernel->state.nodes, reference - 1);
    *list = node->dirty;
    child[0] = node->child[0];
    child[1] = node->child[1];
    pool_give(&kernel->memory, &kernel->state.nodes, reference - 1);
}

void bury_object(struct kernel *kernel, uint32_t row) {
    struct object *object = pool_own(&kernel->memory, &kernel->state.objects, row);
    object->dirty = false;
    object->list_next = kernel->buried_objects;
    kernel->buried_objects = row + 1;
    const struct collection *collection = object_collection(&kernel->state, object);
    if (collection) bury_nodes(kernel, collection->records);
}

void bury_nodes(struct kernel *kernel, uint32_t root) {
    if (is_node(root)) push_node(kernel, &kernel->buried_nodes, root);
}

void bury_keyspace(struct kernel *kernel, uint32_t root) {
    if (is_node(root)) push_node(kernel, &kernel->buried_keys, root);
    else if (root) bury_object(kernel, root & ~TRIE_LEAF);
}

/* Free the bytes of a collection's next slots, then its pools, then its row; true when it
 * is gone. */
static bool dissolve_collection(struct kernel *kernel, uint32_t row, uint32_t *budget) {
    struct memory *memory = &kernel->memory;
    struct heap *heap = &kernel->state.heap;
    struct collection *collection = pool_own(memory, &kernel->state.collections, row);
    for (; collection->buried_slot<collection->metas.limit && * budget> 0; --*budget) {
        uint32_t slot = collection->buried_slot++;
        if (!slot_live(collection, slot)) continue;
        const struct meta *meta = meta_at(collection, slot);
        heap_free(memory, heap, meta->name);
        heap_free(memory, heap, meta->attributes);
        heap_free(memory, heap, meta->fp32);
        record_untag(memory, &kernel->state, collection, slot);
    }
    if (collection->buried_slot < collection->metas.limit) return false;
    if (!pool_dissolve(memory, &collection->vectors, budget)) return false;
    if (!pool_dissolve(memory, &collection->facts, budget)) return false;
    if (!pool_dissolve(memory, &collection->metas, budget)) return false;
    if (collection->config.schema.count > 0 &&
        !pool_dissolve(memory, &collection->schema.rows, budget))
        return false;
    if (collection_indexed(collection) &&
        !hnsw_dissolve(memory, &collection->hnsw, budget))
        return false;
    pool_give(memory, &kernel->state.collections, row);
    return true;
}

/* The first buried object: its part, then its bytes, then its row. */
static void dissolve_object(struct kernel *kernel, uint32_t *budget) {
    struct memory *memory = &kernel->memory;
    struct heap *heap = &kernel->state.heap;
    uint32_t row = kernel->buried_objects - 1;
    const struct object *object = object_at(&kernel->state, row);
    if (object->type == OBJECT_COLLECTION &&
        !dissolve_collection(kernel, object->part, budget))
        return;
    if (object->type == OBJECT_GRAPH && !dissolve_graph(kernel, object->part, budget))
        return;
    if (*budget > 0) --*budget;
    heap_free(memory, heap, object->value);
    heap_free(memory, heap, object->name);
    kernel->buried_objects = object->list_next;
    pool_give(memory, &kernel->state.objects, row);
}

bool kernel_tidy(struct kernel *kernel, uint32_t budget) {
    while (budget > 0) {
        uint32_t child[2];
        if (kernel->buried_keys) {
            pop_node(kernel, &kernel->buried_keys, child);
            bury_keyspace(kernel, child[0]);
            bury_keyspace(kernel, child[1]);
            budget--;
        } else if (kernel->buried_nodes) {
            pop_node(kernel, &kernel->buried_nodes, child);
            bury_nodes(kernel, child[0]);
            bury_nodes(kernel, child[1]);
            budget--;
        } else if (kernel->buried_objects) {
            dissolve_object(kernel, &budget);
        } else {
            return false;
        }
    }
    return kernel->buried_keys || kernel->buried_nodes || kernel->buried_objects;
}
