#include "kernel/adjacency.h"

#include "base/bytes.h"
#include "base/check.h"
#include "kernel/graph_hash.h"

#include "kernel/pure.h"

enum {
    CLASS_SHIFT = 29,
    EDGE_CLASS = ADJACENCY_CLASSES, /* no bucket: the row is an edge's */
    PREFIX_BITS = 32,
    MERGE_AT = 2, /* A trie node with so few edges below becomes a bucket again. */
};
#define ROW_MASK ((UINT32_C(1) << CLASS_SHIFT) - 1)

static const uint32_t class_room[ADJACENCY_CLASSES] = {2, 3, ADJACENCY_BUCKET};

struct entry {
    uint32_t prefix; /* the first bits of the key */
    uint32_t edge;   /* row */
};

struct bucket {
    uint8_t hash[SHA256_SIZE]; /* of the subtrie that it stands for */
    uint32_t count;
    uint32_t dirty;
    struct entry entries[];
};

/* What a bucket holds, or would hold. */
struct entries {
    uint32_t count;
    struct entry at[ADJACENCY_BUCKET + 1];
};

void adjacency_begin(struct graph *graph) {
    enum { CHUNK_SIZE = 4096 };
    static const char *const layouts[ADJACENCY_CLASSES] = {"32b6w", "32b8w", "32b10w"};
    for (uint32_t i = 0; i < ADJACENCY_CLASSES; i++) {
        size_t size = sizeof(struct bucket) + class_room[i] * sizeof(struct entry);
        pool_begin(&graph->buckets[i], (uint32_t)size, CHUNK_SIZE, layouts[i]);
    }
}

static bool is_node(uint32_t reference) {
    return reference != 0 && !(reference & TRIE_LEAF);
}
static uint32_t class_of(uint32_t reference) { return reference >> CLASS_SHIFT & 3; }
static uint32_t row_of(uint32_t reference) { return reference & ROW_MASK; }
static bool is_bucket(uint32_t reference) {
    return (reference & TRIE_LEAF) && class_of(reference) != EDGE_CLASS;
}
static uint32_t leaf_reference(uint32_t size_class, uint32_t row) {
    check(row <= ROW_MASK);
    return TRIE_LEAF | size_class << CLASS_SHIFT | row;
}

static const struct trie_node *node_at(const struct state *state, uint32_t reference) {
    return pool_row(&state->nodes, reference - 1);
}
static struct trie_node *own_node(struct adjacency *adjacency, uint32_t reference) {
    return pool_own(adjacency->memory, &adjacency->state->nodes, reference - 1);
}
static const struct bucket *bucket_at(const struct graph *graph, uint32_t reference) {
    return pool_row(&graph->buckets[class_of(reference)], row_of(reference));
}
static struct bucket *own_bucket(struct adjacency *adjacency, uint32_t reference) {
    return pool_own(adjacency->memory, &adjacency->graph->buckets[class_of(reference)],
                    row_of(reference));
}

/* --- Keys ------------------------------------------------------------------------------
 */

void adjacency_key(const struct state *state, const struct graph *graph, uint32_t edge,
                   enum direction direction, uint8_t key[SHA256_SIZE]) {
    const struct graph_edge *row = edge_row(graph, edge);
    const struct graph_word *type = word_row(graph, row->type);
    bool out = direction == DIRECTION_OUT;
    const struct graph_node *other =
        node_row(graph, out ? row->destination : row->source);
    hash_edge_name(out ? 'E' : 'I', heap_get(&state->heap, type->name, type->size),
                   heap_get(&state->heap, other->name, other->name_size), key);
}

/* Bit `depth` of an entry's key. */
static uint32_t entry_bit(const struct adjacency *adjacency, const struct entry *entry,
                          uint32_t depth) {
    uint8_t key[SHA256_SIZE];
    if (depth < PREFIX_BITS) return entry->prefix >> (PREFIX_BITS - 1 - depth) & 1;
    adjacency_key(adjacency->state, adjacency->graph, entry->edge, adjacency->direction,
                  key);
    return trie_bit(key, depth);
}

/* Does the entry stand before the key? */
static bool entry_before(const struct adjacency *adjacency, const struct entry *entry,
                         const uint8_t key[SHA256_SIZE]) {
    uint8_t own[SHA256_SIZE];
    uint32_t prefix = load_be32(key);
    if (entry->prefix != prefix) return entry->prefix < prefix;
    adjacency_key(adjacency->state, adjacency->graph, entry->edge, adjacency->direction,
                  own);
    return memcmp(own, key, SHA256_SIZE) < 0;
}

/* --- Reading ---------------------------------------------------------------------------
 */

uint64_t adjacency_count(const struct state *state, const struct graph *graph,
                         uint32_t root) {
    if (root == 0) return 0;
    if (is_node(root)) return node_at(state, root)->count;
    return is_bucket(root) ? bucket_at(graph, root)->count : 1;
}

static uint32_t descend(const struct state *state, uint32_t reference,
                        const uint8_t key[SHA256_SIZE]) {
    for (uint32_t depth = 0; is_node(reference); depth++)
        reference = node_at(state, reference)->child[trie_bit(key, depth)];
    return reference;
}

uint32_t adjacency_find(const struct state *state, const struct graph *graph,
                        uint32_t root, enum direction direction,
                        const uint8_t key[SHA256_SIZE], uint32_t type, uint32_t other) {
    uint32_t reference = descend(state, root, key), edges[ADJACENCY_BUCKET];
    uint32_t count = adjacency_leaf_edges(graph, reference, edges);
    for (uint32_t i = 0; i < count; i++) {
        const struct graph_edge *edge = edge_row(graph, edges[i]);
        uint32_t end = direction == DIRECTION_OUT ? edge->destination : edge->source;
        if (end == other && edge->type == type) return edges[i];
    }
    return UINT32_MAX;
}

uint32_t adjacency_leaf_edges(const struct graph *graph, uint32_t reference,
                              uint32_t edges[ADJACENCY_BUCKET]) {
    if (reference == 0) return 0;
    edges[0] = row_of(reference);
    if (!is_bucket(reference)) return 1;
    const struct bucket *bucket = bucket_at(graph, reference);
    for (uint32_t i = 0; i < bucket->count; i++) edges[i] = bucket->entries[i].edge;
    return bucket->count;
}

/* --- Writing ---------------------------------------------------------------------------
 */

/* What a reference that is no trie node stands for. */
static void read_entries(const struct adjacency *adjacency, uint32_t reference,
                         struct entries *entries) {
    uint8_t key[SHA256_SIZE];
    entries->count = 0;
    if (is_bucket(reference)) {
        const struct bucket *bucket = bucket_at(adjacency->graph, reference);
        entries->count = bucket->count;
        memcpy(entries->at, bucket->entries, bucket->count * sizeof *entries->at);
    } else if (reference) {
        adjacency_key(adjacency->state, adjacency->graph, row_of(reference),
                      adjacency->direction, key);
        entries->count = 1;
        entries->at[0] = (struct entry){load_be32(key), row_of(reference)};
    }
}

static void give_bucket(struct adjacency *adjacency, uint32_t reference) {
    if (is_bucket(reference))
        pool_give(adjacency->memory, &adjacency->graph->buckets[class_of(reference)],
                  row_of(reference));
}

/* Entries in the place of `old`, which is no trie node: in its bucket where that has the
 * right size. Gives the reference. */
static uint32_t write_entries(struct adjacency *adjacency, uint32_t old,
                              const struct entry *entries, uint32_t count) {
    uint32_t size_class = 0, reference;
    while (size_class < ADJACENCY_CLASSES - 1 && class_room[size_class] < count)
        size_class++;
    if (count > 1 && is_bucket(old) && class_of(old) == size_class) {
        reference = old;
    } else {
        give_bucket(adjacency, old);
        if (count == 0) return 0;
        if (count == 1) return leaf_reference(EDGE_CLASS, entries[0].edge);
        struct pool *pool = &adjacency->graph->buckets[size_class];
        reference = leaf_reference(size_class, pool_take(adjacency->memory, pool));
    }
    struct bucket *bucket = own_bucket(adjacency, reference);
    bucket->count = count;
    bucket->dirty = 1;
    memcpy(bucket->entries, entries, count * sizeof *entries);
    memset(bucket->entries + count, 0,
           (class_room[size_class] - count) * sizeof *entries);
    return reference;
}

/* The subtrie of entries in order, `depth` below the root. */
static uint32_t build(struct adjacency *adjacency, const struct entry *entries,
                      uint32_t count, uint32_t depth) {
    if (count <= ADJACENCY_BUCKET) return write_entries(adjacency, 0, entries, count);
    check(depth < TRIE_DEPTH_MAX);
    uint32_t left = 0;
    while (left < count && !entry_bit(adjacency, &entries[left], depth)) left++;
    uint32_t child[2] = {build(adjacency, entries, left, depth + 1),
                         build(adjacency, entries + left, count - left, depth + 1)};
    uint32_t reference = pool_take(adjacency->memory, &adjacency->state->nodes) + 1;
    *own_node(adjacency, reference) =
        (struct trie_node){.child = {child[0], child[1]}, .count = count, .dirty = 1};
    adjacency->graph->inner++;
    return reference;
}

/* Put `leaf` where a walk by `key` ended, `depth` below the root. */
static void hang(struct adjacency *adjacency, uint32_t *root, uint32_t above,
                 const uint8_t key[SHA256_SIZE], uint32_t depth, uint32_t leaf) {
    if (above) own_node(adjacency, above)->child[trie_bit(key, depth - 1)] = leaf;
    else *root = leaf;
}

void adjacency_insert(struct adjacency *adjacency, uint32_t *root,
                      const uint8_t key[SHA256_SIZE], uint32_t edge) {
    uint32_t reference = *root, above = 0, depth = 0, at = 0;
    for (; is_node(reference); depth++) {
        struct trie_node *node = own_node(adjacency, reference);
        node->count++;
        node->dirty = 1;
        above = reference;
        reference = node->child[trie_bit(key, depth)];
    }
    struct entries entries;
    read_entries(adjacency, reference, &entries);
    while (at < entries.count && entry_before(adjacency, &entries.at[at], key)) at++;
    memmove(entries.at + at + 1, entries.at + at,
            (entries.count - at) * sizeof *entries.at);
    entries.at[at] = (struct entry){load_be32(key), edge};
    entries.count++;
    uint32_t leaf;
    if (entries.count > ADJACENCY_BUCKET) {
        give_bucket(adjacency, reference);
        leaf = build(adjacency, entries.at, entries.count, depth);
    } else {
        leaf = write_entries(adjacency, reference, entries.at, entries.count);
    }
    hang(adjacency, root, above, key, depth, leaf);
}

/* Take a small subtrie apart; its entries follow those that are there. */
static void take_apart(struct adjacency *adjacency, uint32_t reference,
                       struct entries *entries) {
    if (is_node(reference)) {
        struct trie_node node = *node_at(adjacency->state, reference);
        pool_give(adjacency->memory, &adjacency->state->nodes, reference - 1);
        adjacency->graph->inner--;
        take_apart(adjacency, node.child[0], entries);
        take_apart(adjacency, node.child[1], entries);
        return;
    }
    struct entries more;
    read_entries(adjacency, reference, &more);
    memcpy(entries->at + entries->count, more.at, more.count * sizeof *more.at);
    entries->count += more.count;
    give_bucket(adjacency, reference);
}

void adjacency_remove(struct adjacency *adjacency, uint32_t *root,
                      const uint8_t key[SHA256_SIZE], uint32_t edge) {
    uint32_t reference = *root, above = 0, depth = 0, at = 0;
    uint32_t small = 0, above_small = 0, small_depth = 0; /* the topmost to be merged */
    for (; is_node(reference); depth++) {
        struct trie_node *node = own_node(adjacency, reference);
        node->dirty = 1;
        if (--node->count <= MERGE_AT && !small) {
            small = reference;
            above_small = above;
            small_depth = depth;
        }
        above = reference;
        reference = node->child[trie_bit(key, depth)];
    }
    struct entries entries;
    read_entries(adjacency, reference, &entries);
    while (at < entries.count && entries.at[at].edge != edge) at++;
    check(at < entries.count);
    memmove(entries.at + at, entries.at + at + 1,
            (--entries.count - at) * sizeof *entries.at);
    uint32_t leaf = write_entries(adjacency, reference, entries.at, entries.count);
    hang(adjacency, root, above, key, depth, leaf);
    if (!small) return;
    entries.count = 0;
    take_apart(adjacency, small, &entries);
    leaf = write_entries(adjacency, 0, entries.at, entries.count);
    hang(adjacency, root, above_small, key, small_depth, leaf);
}

void adjacency_touch(struct adjacency *adjacency, uint32_t root,
                     const uint8_t key[SHA256_SIZE]) {
    uint32_t reference = root;
    for (uint32_t depth = 0; is_node(reference); depth++) {
        const struct trie_node *node = node_at(adjacency->state, reference);
        uint32_t child = node->child[trie_bit(key, depth)];
        if (!node->dirty) own_node(adjacency, reference)->dirty = 1;
        reference = child;
    }
    if (is_bucket(reference)) own_bucket(adjacency, reference)->dirty = 1;
}

/* --- Hashing ---------------------------------------------------------------------------
 */

struct leaf_hash {
    uint8_t key[SHA256_SIZE], hash[SHA256_SIZE];
};

/* The leaves of two edges, side by side. */
static void hash_two(const struct state *state, const struct graph_edge *const edges[2],
                     enum direction direction, bool content, struct leaf_hash *leaves) {
    struct edge_text texts[2];
    uint8_t values[2][SHA256_SIZE];
    for (int i = 0; i < 2; i++) edge_text(state, edges[i], direction, content, &texts[i]);
    if (texts[0].size == texts[1].size) {
        sha256_two((const void *const[2]){texts[0].bytes, texts[1].bytes}, texts[0].size,
                   (uint8_t *const[2]){values[0], values[1]});
    } else {
        for (int i = 0; i < 2; i++) sha256(texts[i].bytes, texts[i].size, values[i]);
    }
    trie_leaf_hash_two(leaves[0].key, values[0], leaves[0].hash, leaves[1].key, values[1],
                       leaves[1].hash);
}

/* What the keys of edges are made of lies all over memory: ask for it side by side. */
static void fetch_names(const struct state *state, const struct graph *graph,
                        const uint32_t *edges, uint32_t count, enum direction direction) {
    const struct graph_node *others[ADJACENCY_BUCKET];
    for (uint32_t i = 0; i < count; i++) __builtin_prefetch(edge_row(graph, edges[i]));
    for (uint32_t i = 0; i < count; i++) {
        struct edge_end end;
        graph_edge_end(graph, edges[i], direction, &end);
        others[i] = node_row(graph, end.other);
        __builtin_prefetch(&others[i]->name);
    }
    for (uint32_t i = 0; i < count; i++) {
        const void *name =
            heap_get(&state->heap, others[i]->name, others[i]->name_size).data;
        if (name) __builtin_prefetch(name);
    }
}

static void hash_leaves(const struct state *state, const struct graph *graph,
                        const uint32_t *edges, uint32_t count, enum direction direction,
                        bool content, struct leaf_hash *leaves) {
    fetch_names(state, graph, edges, count, direction);
    for (uint32_t i = 0; i < count; i++)
        adjacency_key(state, graph, edges[i], direction, leaves[i].key);
    for (uint32_t i = 0; i + 1 < count; i += 2) {
        const struct graph_edge *two[2] = {edge_row(graph, edges[i]),
                                           edge_row(graph, edges[i + 1])};
        hash_two(state, two, direction, content, leaves + i);
    }
    if (count % 2 == 0) return;
    uint8_t value[SHA256_SIZE];
    struct edge_text text;
    edge_text(state, edge_row(graph, edges[count - 1]), direction, content, &text);
    sha256(text.bytes, text.size, value);
    trie_leaf_hash(leaves[count - 1].key, value, leaves[count - 1].hash);
}

/* trie() of docs/format.md over leaves in order. */
static void fold(const struct leaf_hash *leaves, uint32_t count, uint32_t depth,
                 struct trie_sum *sum) {
    *sum = (struct trie_sum){.count = count};
    if (count == 1) memcpy(sum->root, leaves[0].hash, SHA256_SIZE);
    if (count < 2) return;
    check(depth < TRIE_DEPTH_MAX);
    uint32_t left = 0;
    while (left < count && !trie_bit(leaves[left].key, depth)) left++;
    struct trie_sum below[2];
    fold(leaves, left, depth + 1, &below[0]);
    fold(leaves + left, count - left, depth + 1, &below[1]);
    trie_node_hash(&below[0], &below[1], sum->root);
}

void adjacency_leaf_sum(const struct state *state, const struct graph *graph,
                        uint32_t reference, enum direction direction, uint32_t depth,
                        bool content, struct trie_sum *sum) {
    uint32_t edges[ADJACENCY_BUCKET];
    uint32_t count = adjacency_leaf_edges(graph, reference, edges);
    struct leaf_hash leaves[ADJACENCY_BUCKET];
    hash_leaves(state, graph, edges, count, direction, content, leaves);
    fold(leaves, count, depth, sum);
}

static bool is_marked(const struct adjacency *adjacency, uint32_t reference) {
    if (is_node(reference)) return node_at(adjacency->state, reference)->dirty;
    return is_bucket(reference) && bucket_at(adjacency->graph, reference)->dirty;
}

void adjacency_sum(const struct state *state, const struct graph *graph, uint32_t root,
                   enum direction direction, struct trie_sum *sum) {
    if (is_node(root)) {
        const struct trie_node *node = node_at(state, root);
        sum->count = node->count;
        memcpy(sum->root, node->hash, SHA256_SIZE);
    } else if (is_bucket(root)) {
        const struct bucket *bucket = bucket_at(graph, root);
        sum->count = bucket->count;
        memcpy(sum->root, bucket->hash, SHA256_SIZE);
    } else {
        adjacency_leaf_sum(state, graph, root, direction, 0, false, sum);
    }
}

/* Hash a trie node, whose children are not marked, or a bucket. */
static void hash_one(struct adjacency *adjacency, uint32_t reference, uint32_t depth) {
    const struct state *state = adjacency->state;
    const struct graph *graph = adjacency->graph;
    struct trie_sum left, right;
    if (is_node(reference)) {
        struct trie_node *node = own_node(adjacency, reference);
        adjacency_sum(state, graph, node->child[0], adjacency->direction, &left);
        adjacency_sum(state, graph, node->child[1], adjacency->direction, &right);
        trie_node_hash(&left, &right, node->hash);
        node->dirty = 0;
    } else {
        struct bucket *bucket = own_bucket(adjacency, reference);
        adjacency_leaf_sum(state, graph, reference, adjacency->direction, depth, false,
                           &left);
        memcpy(bucket->hash, left.root, SHA256_SIZE);
        bucket->dirty = 0;
    }
}

static void seal(struct adjacency *adjacency, uint32_t reference, uint32_t depth) {
    if (!is_marked(adjacency, reference)) return;
    if (is_node(reference)) {
        const struct trie_node *node = node_at(adjacency->state, reference);
        uint32_t left = node->child[0], right = node->child[1];
        seal(adjacency, left, depth + 1);
        seal(adjacency, right, depth + 1);
    }
    hash_one(adjacency, reference, depth);
}

void adjacency_seal(struct adjacency *adjacency, uint32_t root) {
    seal(adjacency, root, 0);
}

void adjacency_settle(struct adjacency *adjacency, uint32_t root,
                      const uint8_t key[SHA256_SIZE]) {
    uint32_t path[TRIE_DEPTH_MAX], depth = 0, reference = root;
    for (; is_node(reference); depth++) {
        path[depth] = reference;
        reference = node_at(adjacency->state, reference)->child[trie_bit(key, depth)];
    }
    if (is_marked(adjacency, reference)) hash_one(adjacency, reference, depth);
    while (depth-- > TRIE_UPPER) {
        const struct trie_node *node = node_at(adjacency->state, path[depth]);
        if (is_marked(adjacency, node->child[0]) || is_marked(adjacency, node->child[1]))
            return;
        hash_one(adjacency, path[depth], depth);
    }
}

/* --- Walking ---------------------------------------------------------------------------
 */

/* Down to the first edges below a reference. */
static void walk_down(struct edge_walk *walk, uint32_t reference) {
    while (is_node(reference)) {
        const struct trie_node *node = node_at(walk->state, reference);
        if (node->child[0] && node->child[1])
            walk->above[walk->height++] = node->child[1];
        reference = node->child[0] ? node->child[0] : node->child[1];
    }
    walk->leaf = reference;
    walk->next = 0;
}

/* Row number `next` of the leaf; false when there are no more. */
static bool leaf_edge(const struct edge_walk *walk, uint32_t *edge) {
    if (walk->leaf == 0) return false;
    if (!is_bucket(walk->leaf)) {
        *edge = row_of(walk->leaf);
        return walk->next == 0;
    }
    const struct bucket *bucket = bucket_at(walk->graph, walk->leaf);
    if (walk->next >= bucket->count) return false;
    *edge = bucket->entries[walk->next].edge;
    return true;
}

void adjacency_walk(struct edge_walk *walk, const struct state *state,
                    const struct graph *graph, uint32_t root, enum direction direction,
                    uint64_t prefix) {
    uint8_t key[SHA256_SIZE] = {0};
    uint32_t reference = root, edge;
    walk->state = state;
    walk->graph = graph;
    walk->direction = direction;
    walk->height = 0;
    store_be64(key, prefix);
    for (uint32_t depth = 0; is_node(reference); depth++) {
        const struct trie_node *node = node_at(state, reference);
        uint32_t bit = trie_bit(key, depth);
        if (bit == 0 && node->child[1]) walk->above[walk->height++] = node->child[1];
        reference = node->child[bit];
    }
    walk->leaf = reference;
    for (walk->next = 0; prefix > 0 && leaf_edge(walk, &edge); walk->next++) {
        adjacency_key(state, graph, edge, direction, key);
        if (load_be64(key) >= prefix) break;
    }
}

uint32_t adjacency_next(struct edge_walk *walk) {
    uint32_t edge;
    while (!leaf_edge(walk, &edge)) {
        if (walk->height == 0) return UINT32_MAX;
        walk_down(walk, walk->above[--walk->height]);
    }
    walk->next++;
    return edge;
}
