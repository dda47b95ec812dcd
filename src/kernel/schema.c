#include "kernel/schema.h"

#include "base/check.h"
#include "kernel/filter_json.h"

#include "kernel/pure.h"

enum {
    CHUNK_SIZE = 1024, /* written at random */
    DEPTH_MAX = 80, /* each step leaves at most 3/4 of the weight: log(2^32) / log(4/3) */
    HEAVIER = 3,    /* how many times heavier one side may be than the other */
    SINGLE = 2,     /* a single rotation is enough where the inner part is below */
};

/* References are slot + 1; 0 is nothing. */
struct node {
    uint64_t key;
    uint64_t links; /* left in the lower half, right in the upper */
    uint64_t count; /* of the subtree; 0: the record is not in the tree */
};

/* A field's tree, for writing. */
struct tree {
    struct memory *memory;
    struct schema_index *index;
    uint32_t field;
};

void schema_begin(struct schema_index *index, const struct schema *schema) {
    if (schema->count == 0) return;
    uint32_t size = (uint32_t)sizeof(struct node) * schema->count;
    pool_begin(&index->rows, size, CHUNK_SIZE, "d");
}

static const struct node *node_at(const struct schema_index *index, uint32_t field,
                                  uint32_t reference) {
    return (const struct node *)pool_row(&index->rows, reference - 1) + field;
}
static struct node *own_node(const struct tree *tree, uint32_t reference) {
    struct node *nodes = pool_own(tree->memory, &tree->index->rows, reference - 1);
    return nodes + tree->field;
}

static uint32_t child_of(const struct node *node, uint32_t side) {
    return (uint32_t)(node->links >> 32 * side);
}
static void set_child(struct node *node, uint32_t side, uint32_t reference) {
    node->links &= ~((uint64_t)UINT32_MAX << 32 * side);
    node->links |= (uint64_t)reference << 32 * side;
}

static uint64_t weight_of(const struct schema_index *index, uint32_t field,
                          uint32_t reference) {
    return reference ? node_at(index, field, reference)->count + 1 : 1;
}

/* --- Balance ---------------------------------------------------------------------------
 */

static uint64_t side_weight(const struct tree *tree, const struct node *node,
                            uint32_t side) {
    return weight_of(tree->index, tree->field, child_of(node, side));
}

static void count_again(const struct tree *tree, uint32_t reference) {
    struct node *node = own_node(tree, reference);
    node->count = side_weight(tree, node, 0) + side_weight(tree, node, 1) - 1;
}

/* The child at `side` comes up; gives it. */
static uint32_t rotate(const struct tree *tree, uint32_t reference, uint32_t side) {
    struct node *node = own_node(tree, reference);
    uint32_t up = child_of(node, side);
    set_child(own_node(tree, reference), side, child_of(own_node(tree, up), 1 - side));
    set_child(own_node(tree, up), 1 - side, reference);
    count_again(tree, reference);
    count_again(tree, up);
    return up;
}

/* What hung on `reference` has changed by one: count it, and balance it. Gives what hangs
 * there now. */
static uint32_t balance(const struct tree *tree, uint32_t reference) {
    count_again(tree, reference);
    for (uint32_t side = 0; side < 2; side++) {
        const struct node *node = node_at(tree->index, tree->field, reference);
        if (side_weight(tree, node, side) <= HEAVIER * side_weight(tree, node, 1 - side))
            continue;
        uint32_t heavy = child_of(node, side);
        const struct node *child = node_at(tree->index, tree->field, heavy);
        if (side_weight(tree, child, 1 - side) >=
            SINGLE * side_weight(tree, child, side)) {
            uint32_t inner = rotate(tree, heavy, 1 - side);
            set_child(own_node(tree, reference), side, inner);
        }
        return rotate(tree, reference, side);
    }
    return reference;
}

/* --- Putting in and taking out ---------------------------------------------------------
 */

struct path {
    uint32_t count;
    uint32_t references[DEPTH_MAX];
    uint8_t sides[DEPTH_MAX];
};

static void step(struct path *path, uint32_t reference, uint32_t side) {
    check(path->count < DEPTH_MAX);
    path->references[path->count] = reference;
    path->sides[path->count++] = (uint8_t)side;
}

/* Let `reference` hang where the first `count` steps of the path lead. */
static void hang(const struct tree *tree, const struct path *path, uint32_t count,
                 uint32_t reference) {
    if (count == 0) tree->index->roots[tree->field] = reference;
    else
        set_child(own_node(tree, path->references[count - 1]), path->sides[count - 1],
                  reference);
}

static void balance_up(const struct tree *tree, const struct path *path) {
    for (uint32_t i = path->count; i-- > 0;)
        hang(tree, path, i, balance(tree, path->references[i]));
}

/* Steps to the record, or to where it would hang. */
static void find(const struct tree *tree, uint64_t key, uint32_t reference,
                 struct path *path) {
    path->count = 0;
    uint32_t at = tree->index->roots[tree->field];
    while (at && at != reference) {
        const struct node *node = node_at(tree->index, tree->field, at);
        uint32_t side = node->key < key || (node->key == key && at < reference);
        step(path, at, side);
        at = child_of(node, side);
    }
}

static void put_in(const struct tree *tree, uint32_t reference, uint64_t key) {
    struct path path;
    find(tree, key, reference, &path);
    *own_node(tree, reference) = (struct node){.key = key, .count = 1};
    hang(tree, &path, path.count, reference);
    balance_up(tree, &path);
}

static void take_out(const struct tree *tree, uint32_t reference) {
    struct path path;
    struct node gone = *node_at(tree->index, tree->field, reference);
    if (gone.count == 0) return;
    find(tree, gone.key, reference, &path);
    uint32_t left = child_of(&gone, 0), right = child_of(&gone, 1);
    if (left && right) { /* The next one takes its place. */
        uint32_t place = path.count, heir = right;
        step(&path, reference, 1);
        for (uint32_t next; (next = child_of(node_at(tree->index, tree->field, heir), 0));
             heir = next)
            step(&path, heir, 0);
        uint32_t orphan = child_of(node_at(tree->index, tree->field, heir), 1);
        hang(tree, &path, path.count, orphan);
        own_node(tree, heir)->links = node_at(tree->index, tree->field, reference)->links;
        path.references[place] = heir;
        hang(tree, &path, place, heir);
    } else {
        hang(tree, &path, path.count, left ? left : right);
    }
    *own_node(tree, reference) = (struct node){0};
    balance_up(tree, &path);
}

/* --- Keys ------------------------------------------------------------------------------
 */

uint64_t schema_number_key(binary64 number) {
    if (binary64_is_zero(number)) number = 0;
    return number & BINARY64_SIGN ? ~number : number | BINARY64_SIGN;
}

uint64_t schema_text_key(struct slice text, bool escaped) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a: Fowler, Noll, Vo */
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = escaped ? filter_json_byte(text, &i) : text.data[i];
        hash = (hash ^ byte) * UINT64_C(0x100000001b3);
    }
    return hash ? hash : 1;
}

/* The key of a field; false: the attributes have none. */
static bool key_of(const struct schema *schema, uint32_t field, struct slice attributes,
                   uint64_t *key) {
    struct slice name = schema_name(schema, field);
    struct filter_value value;
    size_t read;
    *key = 0;
    if (!filter_json_fields(attributes, &name, 1, &value, &read)) return false;
    if (schema->types[field] == SCHEMA_NUMBER && value.kind == FILTER_NUMBER)
        *key = schema_number_key(value.number);
    if (schema->types[field] == SCHEMA_STRING && value.kind == FILTER_TEXT)
        *key = schema_text_key(value.text, value.escaped);
    return true;
}

/* --- Records ---------------------------------------------------------------------------
 */

void schema_take(struct memory *memory, struct schema_index *index, uint32_t slot) {
    check(pool_take(memory, &index->rows) == slot);
}

void schema_put(struct memory *memory, struct schema_index *index,
                const struct schema *schema, uint32_t slot, struct slice attributes) {
    for (uint32_t field = 0; field < schema->count; field++) {
        struct tree tree = {memory, index, field};
        const struct node *node = node_at(index, field, slot + 1);
        uint64_t key;
        bool has = key_of(schema, field, attributes, &key);
        if (has && node->count > 0 && node->key == key) continue;
        take_out(&tree, slot + 1);
        if (has) put_in(&tree, slot + 1, key);
    }
}

void schema_give(struct memory *memory, struct schema_index *index,
                 const struct schema *schema, uint32_t slot) {
    for (uint32_t field = 0; field < schema->count; field++)
        take_out(&(struct tree){memory, index, field}, slot + 1);
    pool_give(memory, &index->rows, slot);
}

bool schema_sound(const struct schema_index *index, const struct schema *schema,
                  uint32_t slot, struct slice attributes) {
    for (uint32_t field = 0; field < schema->count; field++) {
        const struct node *node = node_at(index, field, slot + 1);
        uint64_t key;
        bool has = key_of(schema, field, attributes, &key);
        if (has != (node->count > 0) || (has && node->key != key)) return false;
    }
    return true;
}

/* --- Asking ----------------------------------------------------------------------------
 */

uint32_t schema_total(const struct schema_index *index, uint32_t field) {
    return (uint32_t)weight_of(index, field, index->roots[field]) - 1;
}

uint32_t schema_rank(const struct schema_index *index, uint32_t field, uint64_t key) {
    uint64_t rank = 0;
    for (uint32_t at = index->roots[field]; at;) {
        const struct node *node = node_at(index, field, at);
        bool below = node->key < key;
        if (below) rank += weight_of(index, field, child_of(node, 0));
        at = child_of(node, below);
    }
    return (uint32_t)rank;
}

void schema_slots(const struct schema_index *index, uint32_t field, uint32_t rank,
                  uint32_t count, uint32_t *slots) {
    uint32_t above[DEPTH_MAX], height = 0; /* nodes that come after what is below them */
    for (uint32_t at = index->roots[field]; at;) {
        const struct node *node = node_at(index, field, at);
        uint64_t before = weight_of(index, field, child_of(node, 0)) - 1;
        if (rank > before) {
            rank -= (uint32_t)before + 1;
            at = child_of(node, 1);
            continue;
        }
        above[height++] = at;
        if (rank == before) break;
        at = child_of(node, 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        check(height > 0);
        uint32_t at = above[--height];
        slots[i] = at - 1;
        at = child_of(node_at(index, field, at), 1);
        for (; at; at = child_of(node_at(index, field, at), 0)) above[height++] = at;
    }
}
