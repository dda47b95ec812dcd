/* Recomputing the roots from raw memory, in slices.
 *
 * The tries' stored hashes are not believed: every leaf is hashed again from the names,
 * numbers and bytes in the pools, and every node from its children. What is believed is
 * their shape, and it is checked: each leaf lies on the path of its key, each node counts
 * what is below it, and every live record is met once. Two walks with explicit stacks,
 * keys outside and records inside, so that the work can stop anywhere. In a graph the nodes stand
 * where records stand elsewhere, and within each a third walk goes over its edges out, then
 * over those in; what it meets are buckets (adjacency.h). */
#include "base/check.h"
#include "kernel/fixed.h"
#include "kernel/graph_hash.h"

#include "kernel/pure.h"

struct frame {
    uint32_t reference;
    uint32_t side; /* 0: not entered, 1: in the left child, 2: in the right one */
    struct trie_sum left;
};

struct walk {
    const struct pool *nodes;
    struct trie_sum sum; /* of the whole trie, when `height` is 0 */
    uint32_t height;     /* frames in use */
    struct frame frames[TRIE_DEPTH_MAX + 1];
};

struct recompute {
    const struct state *state;
    const struct object *object;         /* the one being walked, or NULL */
    const struct collection *collection; /* its; or NULL */
    const struct graph *graph;           /* its; or NULL */
    uint64_t edges[2];                   /* met so far, by direction */
    uint32_t node;                       /* of the graph, or UINT32_MAX */
    enum direction direction;            /* of its edges */
    struct trie_sum out;
    bool content, trusting;
    struct walk keys, records, ends;
    bool keys_done; /* `keys` walks the system records */
    struct trie_sum keyspace;
    uint8_t code[VECTOR_DIM_MAX];
};
_Static_assert(sizeof(struct recompute) <= RECOMPUTE_SIZE, "the room is large enough");

static void push(struct walk *walk, uint32_t reference) {
    check(walk->height <= TRIE_DEPTH_MAX);
    walk->frames[walk->height++] = (struct frame){.reference = reference};
}

static void walk_begin(struct walk *walk, const struct pool *nodes, uint32_t root) {
    walk->nodes = nodes;
    walk->height = 0;
    push(walk, root);
}

/* The subtrie at the top has this sum: hand it to the node above, and so on while nodes
 * are complete. False when a node's count is not that of its children. */
static bool deliver(struct walk *walk, struct trie_sum sum) {
    for (;;) {
        if (--walk->height == 0) {
            walk->sum = sum;
            return true;
        }
        struct frame *above = &walk->frames[walk->height - 1];
        const struct trie_node *node = pool_row(walk->nodes, above->reference - 1);
        if (above->side == 1) {
            above->left = sum;
            above->side = 2;
            push(walk, node->child[1]);
            return true;
        }
        struct trie_sum whole = {.count = above->left.count + sum.count};
        if (whole.count < 2 || whole.count != node->count) return false;
        trie_node_hash(&above->left, &sum, whole.root);
        sum = whole;
    }
}

/* Go on to the next leaf. STATUS_AGAIN: *row is one, and deliver() is owed its sum.
 * STATUS_OK: the walk is over. STATUS_CORRUPT: a count is wrong. */
static enum status walk_to_leaf(struct walk *walk, uint32_t *row) {
    while (walk->height > 0) {
        struct frame *top = &walk->frames[walk->height - 1];
        if (top->reference & TRIE_LEAF) {
            *row = top->reference & ~TRIE_LEAF;
            return STATUS_AGAIN;
        }
        if (top->reference == 0) {
            if (!deliver(walk, (struct trie_sum){0})) return STATUS_CORRUPT;
            continue;
        }
        const struct trie_node *node = pool_row(walk->nodes, top->reference - 1);
        top->side = 1;
        push(walk, node->child[0]);
    }
    return STATUS_OK;
}

/* Is `key` where its bits say? */
static bool on_path(const struct walk *walk, const uint8_t key[SHA256_SIZE]) {
    for (uint32_t depth = 0; depth + 1 < walk->height; depth++)
        if (trie_bit(key, depth) != walk->frames[depth].side - 1) return false;
    return true;
}

static enum status give_leaf(struct walk *walk, const uint8_t key[SHA256_SIZE],
                             const uint8_t value[SHA256_SIZE]) {
    if (!on_path(walk, key)) return STATUS_CORRUPT;
    struct trie_sum sum = {.count = 1};
    trie_leaf_hash(key, value, sum.root);
    return deliver(walk, sum) ? STATUS_OK : STATUS_CORRUPT;
}

/* An index cannot be recomputed from what it leads to; but it leads there. */
static bool point_sound(struct recompute *recompute, const struct record *record) {
    const struct collection *collection = recompute->collection;
    return hnsw_sound(&collection->hnsw, meta_at(collection, record->slot)->point,
                      record->slot, record->values, recompute->code);
}

static enum status give_record(struct recompute *recompute, uint32_t slot) {
    struct record record;
    if (!record_at(recompute->state, recompute->collection, slot, &record))
        return STATUS_CORRUPT;
    if (collection_indexed(recompute->collection) && !point_sound(recompute, &record))
        return STATUS_CORRUPT;
    const struct schema *schema = &recompute->collection->config.schema;
    if (schema->count > 0 && !schema_sound(&recompute->collection->schema, schema, slot,
                                           record.attributes))
        return STATUS_CORRUPT;
    if (recompute->content) record.widx = 0;
    struct record_hashes hashes;
    record_hashes(recompute->collection, &record, &hashes);
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE];
    hash_element_name(record.element, key);
    record_value_hash(&record, &hashes, value);
    return give_leaf(&recompute->records, key, value);
}

/* --- Graphs ---------------------------------------------------------------------------- */

static void begin_ends(struct recompute *recompute, enum direction direction) {
    const struct graph_node *node = node_row(recompute->graph, recompute->node);
    recompute->direction = direction;
    walk_begin(&recompute->ends, &recompute->state->nodes,
               direction == DIRECTION_OUT ? node->out : node->in);
}

static enum status begin_node(struct recompute *recompute, uint32_t row) {
    if (row >= recompute->graph->nodes.limit) return STATUS_CORRUPT;
    recompute->node = row;
    begin_ends(recompute, DIRECTION_OUT);
    return STATUS_OK;
}

/* Some edges that lie together. */
static enum status give_edges(struct recompute *recompute) {
    struct walk *walk = &recompute->ends;
    const struct state *state = recompute->state;
    const struct graph *graph = recompute->graph;
    uint32_t reference = walk->frames[walk->height - 1].reference;
    uint32_t edges[ADJACENCY_BUCKET];
    uint32_t count = adjacency_leaf_edges(graph, reference, edges);
    for (uint32_t i = 0; i < count; i++) {
        const struct graph_edge *edge = edge_row(graph, edges[i]);
        bool out = recompute->direction == DIRECTION_OUT;
        uint8_t key[SHA256_SIZE];
        adjacency_key(state, graph, edges[i], recompute->direction, key);
        if ((out ? edge->source : edge->destination) != recompute->node ||
            !on_path(walk, key))
            return STATUS_CORRUPT;
    }
    recompute->edges[recompute->direction] += count;
    struct trie_sum sum;
    adjacency_leaf_sum(state, graph, reference, recompute->direction, walk->height - 1,
                       recompute->content, &sum);
    return deliver(walk, sum) ? STATUS_OK : STATUS_CORRUPT;
}

/* All edges in one direction were met. */
static enum status give_ends(struct recompute *recompute) {
    const struct graph *graph = recompute->graph;
    const struct graph_node *node = node_row(graph, recompute->node);
    if (recompute->direction == DIRECTION_OUT) {
        recompute->out = recompute->ends.sum;
        begin_ends(recompute, DIRECTION_IN);
        return STATUS_OK;
    }
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE];
    hash_node_name(graph_node_name(recompute->state, graph, recompute->node), key);
    node_value_hash(recompute->state, graph, node, &recompute->out, &recompute->ends.sum,
                    recompute->content, value);
    recompute->node = UINT32_MAX;
    return give_leaf(&recompute->records, key, value);
}

static enum status node_step(struct recompute *recompute) {
    uint32_t row;
    enum status status = walk_to_leaf(&recompute->ends, &row);
    if (status == STATUS_AGAIN) return give_edges(recompute);
    return status == STATUS_OK ? give_ends(recompute) : status;
}

/* --- Objects --------------------------------------------------------------------------- */

/* Its records come first, where it has any, or its nodes. */
static void begin_object(struct recompute *recompute, const struct object *object) {
    recompute->object = object;
    recompute->collection = object_collection(recompute->state, object);
    recompute->graph = object_graph(recompute->state, object);
    recompute->edges[DIRECTION_OUT] = recompute->edges[DIRECTION_IN] = 0;
    walk_begin(&recompute->records, &recompute->state->nodes,
               recompute->collection ? recompute->collection->records
               : recompute->graph    ? recompute->graph->names
                                     : 0);
}

static enum status give_object(struct recompute *recompute) {
    const struct object *object = recompute->object;
    const struct collection *collection = recompute->collection;
    const struct trie_sum *records = &recompute->records.sum;
    struct object_sum sum;
    if (collection) {
        if (records->count != collection->live) return STATUS_CORRUPT;
        collection_sum(collection, records, recompute->content, &sum);
    } else if (recompute->graph) {
        const struct graph *graph = recompute->graph;
        if (recompute->edges[DIRECTION_OUT] != graph->edge_count ||
            recompute->edges[DIRECTION_IN] != graph->edge_count)
            return STATUS_CORRUPT;
        graph_sum(graph, records, &sum);
    } else {
        string_sum(recompute->state, object, recompute->content, &sum);
    }
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE];
    struct slice name =
        heap_get(&recompute->state->heap, object->name, object->name_size);
    hash_object_name(object->db, name, key);
    deadline_sum(object, &sum);
    object_value_hash(&sum, value);
    recompute->object = NULL;
    return give_leaf(&recompute->keys, key, value);
}

static enum status object_step(struct recompute *recompute) {
    uint32_t row;
    const struct collection *trusted = recompute->trusting ? recompute->collection : NULL;
    if (trusted) {
        trie_sum(&recompute->state->nodes, &trusted->metas, trusted->records,
                 &recompute->records.sum);
        return give_object(recompute);
    }
    enum status status = walk_to_leaf(&recompute->records, &row);
    if (status == STATUS_AGAIN)
        return recompute->graph ? begin_node(recompute, row)
                                : give_record(recompute, row);
    return status == STATUS_OK ? give_object(recompute) : status;
}

/* The keys are done: the system records come. */
static void begin_system(struct recompute *recompute) {
    recompute->keyspace = recompute->keys.sum;
    recompute->keys_done = true;
    walk_begin(&recompute->keys, &recompute->state->nodes, recompute->state->system);
}

/* A leaf of the outer walk: a key, whose records come next, or a system record. */
static enum status meet_leaf(struct recompute *recompute, uint32_t row) {
    const struct state *state = recompute->state;
    if (recompute->keys_done) {
        uint8_t key[SHA256_SIZE], value[SHA256_SIZE];
        system_leaf(state, row, recompute->content, key, value);
        return give_leaf(&recompute->keys, key, value);
    }
    begin_object(recompute, object_at(state, row));
    return STATUS_OK;
}

struct recompute *recompute_begin(void *room, const struct state *state, bool content) {
    struct recompute *recompute = room;
    recompute->state = state;
    recompute->object = NULL;
    recompute->node = UINT32_MAX;
    recompute->content = content;
    recompute->trusting = false;
    recompute->keys_done = false;
    walk_begin(&recompute->keys, &state->nodes, state->keyspace);
    return recompute;
}

struct recompute *recompute_begin_trusting(void *room, const struct state *state) {
    struct recompute *recompute = recompute_begin(room, state, false);
    recompute->trusting = true;
    return recompute;
}

enum status recompute_step(struct recompute *recompute, uint32_t leaves,
                           struct roots *roots) {
    for (; leaves > 0; leaves--) {
        uint32_t row;
        enum status status;
        if (recompute->node != UINT32_MAX) {
            status = node_step(recompute);
        } else if (recompute->object) {
            status = object_step(recompute);
        } else {
            status = walk_to_leaf(&recompute->keys, &row);
            if (status == STATUS_OK && recompute->keys_done) {
                *roots = (struct roots){.keyspace = recompute->keyspace,
                                        .system = recompute->keys.sum};
                roots_finish(roots);
                return STATUS_OK;
            }
            if (status == STATUS_OK) begin_system(recompute);
            else if (status == STATUS_AGAIN) status = meet_leaf(recompute, row);
        }
        if (status) return status;
    }
    return STATUS_AGAIN;
}
