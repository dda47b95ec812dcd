/* Groups of changes: which may come together, and whether all of an ALL would be done.
 *
 * The members of an ALL are held against the state before them, but an edge may join
 * nodes that earlier ones make. These are noted in pools of the kernel's own, which no
 * state has, and forgotten when the last member was looked at. */
#include "base/check.h"
#include "kernel/graph_write.h"

#include "kernel/pure.h"

enum { CHUNK_SIZE = 4096 };

/* --- What a group may hold -------------------------------------------------------------
 */

/* The first one decides which object it is. */
static bool same_object(bool *known, uint8_t object[SHA256_SIZE],
                        const struct change *member) {
    if (!*known) memcpy(object, member->object_hash, SHA256_SIZE);
    *known = true;
    return memcmp(object, member->object_hash, SHA256_SIZE) == 0;
}

bool group_takes(struct group *group, const struct change *member) {
    group->seen++;
    bool sets = member->type == CHANGE_NODE || member->type == CHANGE_EDGE;
    if (sets && group->all)
        return !(member->flags & (CHANGE_NX | CHANGE_XX)) &&
               same_object(&group->has_graph, group->graph, member);
    if (!same_object(&group->has_object, group->object, member)) return false;
    if (!group->all) return member->type == CHANGE_VADD;
    if (member->type == CHANGE_VADD) return group->vadds++ == 0;
    return member->type == CHANGE_VREM && group->vrems++ == 0;
}

/* --- Nodes that members make -----------------------------------------------------------
 */

static bool is_fresh(const struct kernel *kernel, const uint8_t node[SHA256_SIZE]) {
    return trie_find(&kernel->fresh_nodes, &kernel->fresh, kernel->fresh_root, node) !=
           UINT32_MAX;
}

static void note_fresh(struct kernel *kernel, const uint8_t node[SHA256_SIZE]) {
    if (kernel->fresh.row_size == 0) {
        pool_begin(&kernel->fresh, sizeof(struct trie_leaf), CHUNK_SIZE, "64b");
        pool_begin(&kernel->fresh_nodes, sizeof(struct trie_node), CHUNK_SIZE,
                   TRIE_NODE_LAYOUT);
    }
    uint32_t row = pool_take(&kernel->memory, &kernel->fresh);
    struct trie_leaf *leaf = pool_own(&kernel->memory, &kernel->fresh, row);
    memcpy(leaf->key, node, SHA256_SIZE);
    trie_insert(&kernel->memory, &kernel->fresh_nodes, &kernel->fresh,
                &kernel->fresh_root, row);
}

void kernel_group_end(struct kernel *kernel) {
    uint32_t budget = UINT32_MAX;
    pool_dissolve(&kernel->memory, &kernel->fresh, &budget);
    pool_dissolve(&kernel->memory, &kernel->fresh_nodes, &budget);
    memset(&kernel->fresh, 0, sizeof kernel->fresh);
    memset(&kernel->fresh_nodes, 0, sizeof kernel->fresh_nodes);
    kernel->fresh_root = 0;
}

/* --- Refusals --------------------------------------------------------------------------
 */

static enum status room(uint64_t capacity, uint64_t count) {
    return capacity && count > capacity ? STATUS_CAPACITY : STATUS_OK;
}

static enum status node_of_group(struct kernel *kernel, struct group *group,
                                 const struct change *change, const struct graph *graph,
                                 const struct place *place) {
    bool carried = (change->flags & CHANGE_CONFIG) != 0;
    if (!graph && !group->makes_graph) {
        if (!carried) return STATUS_NO_KEY;
        group->makes_graph = true;
        group->graph_config = change->graph;
    }
    if (place->slot != UINT32_MAX || is_fresh(kernel, change->element_hash))
        return STATUS_OK;
    note_fresh(kernel, change->element_hash);
    uint64_t count = graph ? graph_node_count(&kernel->state, graph) : 0;
    return room((graph ? &graph->config : &group->graph_config)->nodes,
                count + ++group->new_nodes);
}

static enum status edge_of_group(struct kernel *kernel, struct group *group,
                                 const struct change *change, const struct graph *graph,
                                 const struct place *place) {
    if (!graph && !group->makes_graph) return STATUS_NO_KEY;
    bool source = place->slot != UINT32_MAX || is_fresh(kernel, change->element_hash);
    bool destination =
        place->destination != UINT32_MAX || is_fresh(kernel, change->target_hash);
    if (!source || !destination) return STATUS_NO_NODE;
    if (place->edge != UINT32_MAX) return STATUS_OK;
    return room((graph ? &graph->config : &group->graph_config)->edges,
                (graph ? graph->edge_count : 0) + ++group->new_edges);
}

enum status graph_group_refused(struct kernel *kernel, struct group *group,
                                const struct change *change) {
    struct state *state = &kernel->state;
    struct place place = {.row = find_row(state, change->object_hash),
                          .slot = UINT32_MAX,
                          .destination = UINT32_MAX,
                          .edge = UINT32_MAX};
    const struct graph *graph = NULL;
    if (place.row != UINT32_MAX) {
        graph = object_graph(state, object_at(state, place.row));
        if (!graph) return STATUS_WRONG_TYPE;
        graph_locate(state, change, &place);
    }
    return change->type == CHANGE_NODE
               ? node_of_group(kernel, group, change, graph, &place)
               : edge_of_group(kernel, group, change, graph, &place);
}
