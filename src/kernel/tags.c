#include "kernel/tags.h"

#include <string.h>

#include "base/check.h"

#include "kernel/pure.h"

enum {
    CHUNK_SIZE = 4096,
    PLACE_BITS = 4, /* of a place for the index in its row */
};

/* References are row + 1; 0 is nothing. */
struct node {
    uint64_t tag;
    uint32_t child[2];
    uint32_t count;
    uint32_t list; /* the first row of slots, the only one that may not be full */
};

struct list {
    uint32_t next;
    uint32_t slots[TAG_ROW];
};

void tags_begin(struct tags *tags) {
    pool_begin(&tags->nodes, sizeof(struct node), CHUNK_SIZE, "d4w");
    pool_begin(&tags->lists, sizeof(struct list), CHUNK_SIZE, "w");
}

static const struct node *node_at(const struct tags *tags, uint32_t reference) {
    return pool_row(&tags->nodes, reference - 1);
}
static struct node *own_node(struct memory *memory, struct tags *tags,
                             uint32_t reference) {
    return pool_own(memory, &tags->nodes, reference - 1);
}
static const struct list *list_at(const struct tags *tags, uint32_t reference) {
    return pool_row(&tags->lists, reference - 1);
}
static struct list *own_list(struct memory *memory, struct tags *tags,
                             uint32_t reference) {
    return pool_own(memory, &tags->lists, reference - 1);
}

/* --- The tree --------------------------------------------------------------------------
 */

/* A bijection (that of SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom
 * number generators", 2014), so that tags in a row spread, and that two tags part after
 * at most 64 bits. */
static uint64_t mix(uint64_t tag) {
    tag = (tag ^ tag >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    tag = (tag ^ tag >> 27) * UINT64_C(0x94d049bb133111eb);
    return tag ^ tag >> 31;
}

/* The way to the node of `tag`, or to where it would hang. */
struct way {
    uint32_t node, parent;
    uint32_t side; /* of the parent */
};

static struct way find(const struct tags *tags, uint32_t root, uint64_t tag) {
    struct way way = {.node = root};
    for (uint64_t bits = mix(tag); way.node; bits <<= 1) {
        const struct node *node = node_at(tags, way.node);
        if (node->tag == tag) break;
        way.parent = way.node;
        way.side = (uint32_t)(bits >> 63);
        way.node = node->child[way.side];
    }
    return way;
}

/* Let what hung on `parent`, or was the root, be `reference`. */
static void hang(struct memory *memory, struct tags *tags, uint32_t *root,
                 uint32_t parent, uint32_t side, uint32_t reference) {
    if (parent) own_node(memory, tags, parent)->child[side] = reference;
    else *root = reference;
}

static uint32_t add_node(struct memory *memory, struct tags *tags, uint32_t *root,
                         const struct way *way, uint64_t tag) {
    uint32_t reference = pool_take(memory, &tags->nodes) + 1;
    own_node(memory, tags, reference)->tag = tag;
    hang(memory, tags, root, way->parent, way->side, reference);
    return reference;
}

/* Any leaf below a node may take its place: they share the bits that lead there. */
static void remove_node(struct memory *memory, struct tags *tags, uint32_t *root,
                        const struct way *way) {
    uint32_t leaf = way->node, parent = way->parent, side = way->side;
    for (;;) {
        const struct node *node = node_at(tags, leaf);
        if (!node->child[0] && !node->child[1]) break;
        parent = leaf;
        side = node->child[0] ? 0 : 1;
        leaf = node->child[side];
    }
    hang(memory, tags, root, parent, side, 0);
    if (leaf != way->node) {
        struct node *heir = own_node(memory, tags, leaf);
        memcpy(heir->child, node_at(tags, way->node)->child, sizeof heir->child);
        hang(memory, tags, root, way->parent, way->side, leaf);
    }
    pool_give(memory, &tags->nodes, way->node - 1);
}

/* --- The lists -------------------------------------------------------------------------
 */

/* Slots in the first row of a list of `count`. */
static uint32_t in_first(uint32_t count) {
    return count == 0 ? 0 : (count - 1) % TAG_ROW + 1;
}

uint32_t tags_count(const struct tags *tags, uint32_t root, uint64_t tag) {
    struct way way = find(tags, root, tag);
    return way.node ? node_at(tags, way.node)->count : 0;
}

uint32_t tags_add(struct memory *memory, struct tags *tags, uint32_t *root, uint64_t tag,
                  uint32_t slot) {
    struct way way = find(tags, *root, tag);
    if (!way.node) way.node = add_node(memory, tags, root, &way, tag);
    struct node *node = own_node(memory, tags, way.node);
    uint32_t index = node->count++ % TAG_ROW;
    if (index == 0) {
        uint32_t row = pool_take(memory, &tags->lists);
        check(row < UINT32_MAX >> PLACE_BITS);
        own_list(memory, tags, row + 1)->next = node->list;
        node->list = row + 1;
    }
    own_list(memory, tags, node->list)->slots[index] = slot;
    return (node->list - 1) << PLACE_BITS | index;
}

uint32_t tags_remove(struct memory *memory, struct tags *tags, uint32_t *root,
                     uint64_t tag, uint32_t place) {
    struct way way = find(tags, *root, tag);
    check(way.node != 0);
    struct node *node = own_node(memory, tags, way.node);
    uint32_t first = node->list, last_index = in_first(node->count) - 1;
    uint32_t last = (first - 1) << PLACE_BITS | last_index;
    uint32_t moved = UINT32_MAX;
    if (place != last) {
        uint32_t here = (place >> PLACE_BITS) + 1;
        uint32_t index = place & ((1u << PLACE_BITS) - 1);
        moved = list_at(tags, first)->slots[last_index];
        own_list(memory, tags, here)->slots[index] = moved;
    }
    own_list(memory, tags, first)->slots[last_index] = 0;
    if (last_index == 0) {
        node->list = list_at(tags, first)->next;
        pool_give(memory, &tags->lists, first - 1);
    }
    if (--node->count == 0) remove_node(memory, tags, root, &way);
    return moved;
}

void tags_walk(const struct tags *tags, uint32_t root, uint64_t tag,
               struct tag_walk *walk) {
    struct way way = find(tags, root, tag);
    *walk = (struct tag_walk){0};
    if (!way.node) return;
    const struct node *node = node_at(tags, way.node);
    *walk = (struct tag_walk){.list = node->list, .here = in_first(node->count)};
}

uint32_t tags_next(const struct tags *tags, struct tag_walk *walk,
                   const uint32_t **slots) {
    if (!walk->list) return 0;
    const struct list *list = list_at(tags, walk->list);
    uint32_t here = walk->here;
    *slots = list->slots;
    walk->list = list->next;
    walk->here = TAG_ROW;
    if (walk->list) __builtin_prefetch(list_at(tags, walk->list));
    return here;
}
