#include "kernel/graph_walk.h"

#include <string.h>

#include "base/check.h"

#include "kernel/pure.h"

static bool has(const uint32_t *words, uint32_t count, uint32_t word) {
    for (uint32_t i = 0; i < count; i++)
        if (words[i] == word) return true;
    return false;
}

bool graph_rules_edge(const struct graph_rules *rules, const struct edge_end *end) {
    return !rules->typed || has(rules->types, rules->type_count, end->type);
}

bool graph_rules_node(const struct graph_rules *rules, const struct graph *graph,
                      uint32_t node) {
    return !rules->kinded ||
           has(rules->kinds, rules->kind_count, graph_node_kind(graph, node));
}

/* --- What was reached ------------------------------------------------------------------
 */

static uint32_t table_size(uint32_t limit) {
    uint32_t size = 16;
    while (size < 2 * (uint64_t)limit) size *= 2;
    return size;
}

/* Bytes for a walk that reaches at most `limit` nodes, aligned to 8. */
static size_t walk_room(uint32_t limit) {
    return limit * sizeof(struct graph_reach) + table_size(limit) * sizeof(uint32_t);
}

void graph_walk_begin(struct graph_walk *walk, const struct state *state,
                      const struct graph *graph, const struct graph_rules *rules,
                      uint32_t depth, uint32_t limit, void *room) {
    walk->state = state;
    walk->graph = graph;
    walk->rules = *rules;
    walk->depth = depth;
    walk->limit = limit;
    walk->count = walk->head = walk->stage = 0;
    walk->full = false;
    walk->followed = walk->looked_at = 0;
    walk->reached = room;
    walk->table = (uint32_t *)(void *)(walk->reached + limit);
    walk->mask = table_size(limit) - 1;
    memset(walk->table, 0, (walk->mask + (size_t)1) * sizeof *walk->table);
}

/* Where the node stands in the table, or would. */
static uint32_t *slot_of(const struct graph_walk *walk, uint32_t node) {
    uint32_t at = node * UINT32_C(2654435761) & walk->mask;
    while (walk->table[at] && walk->reached[walk->table[at] - 1].node != node)
        at = (at + 1) & walk->mask;
    return &walk->table[at];
}

uint32_t graph_walk_find(const struct graph_walk *walk, uint32_t node) {
    return *slot_of(walk, node) - 1; /* 0, for none, gives UINT32_MAX */
}

/* Note a node, if it is new and there is room; its index, or UINT32_MAX. */
static uint32_t reach(struct graph_walk *walk, uint32_t node, uint32_t edge,
                      uint32_t from, uint32_t depth) {
    uint32_t *slot = slot_of(walk, node);
    if (*slot) return UINT32_MAX;
    if (walk->count == walk->limit) {
        walk->full = true;
        return UINT32_MAX;
    }
    walk->reached[walk->count] =
        (struct graph_reach){.node = node, .edge = edge, .from = from, .depth = depth};
    *slot = ++walk->count;
    return walk->count - 1;
}

void graph_walk_from(struct graph_walk *walk, uint32_t node) {
    check(walk->head == 0 && walk->stage == 0);
    reach(walk, node, UINT32_MAX, walk->count, 0);
}

/* --- Following edges -------------------------------------------------------------------
 */

/* The next edge of the node at `index` that the rules let through; false after the last.
 */
static bool next_end(struct graph_walk *walk, uint32_t index, uint32_t *edge,
                     struct edge_end *end) {
    uint32_t node = walk->reached[index].node;
    for (;;) {
        bool more = walk->rules.fan_out == 0 || walk->followed < walk->rules.fan_out;
        if (walk->stage > 0 && more && (*edge = edge_next(&walk->edges)) != UINT32_MAX) {
            walk->looked_at++;
            graph_edge_end(walk->graph, *edge, walk->edges.direction, end);
            if (!graph_rules_edge(&walk->rules, end) ||
                !graph_rules_node(&walk->rules, walk->graph, end->other))
                continue;
            walk->followed++;
            return true;
        }
        if (++walk->stage == 1 && !walk->rules.out) walk->stage++;
        if (walk->stage == 2 && !walk->rules.in) walk->stage++;
        if (walk->stage > 2 || !more) {
            walk->stage = 0;
            walk->followed = 0;
            return false;
        }
        edge_walk(&walk->edges, walk->state, walk->graph, node,
                  walk->stage == 1 ? DIRECTION_OUT : DIRECTION_IN, 0);
    }
}

bool graph_walk_step(struct graph_walk *walk, uint32_t edges) {
    uint64_t enough = walk->looked_at + edges;
    while (walk->head < walk->count && !walk->full) {
        uint32_t depth = walk->reached[walk->head].depth, edge;
        struct edge_end end;
        if (depth == walk->depth) return true; /* All that follow are as deep. */
        while (next_end(walk, walk->head, &edge, &end)) {
            reach(walk, end.other, edge, walk->head, depth + 1);
            if (walk->full) return true;
            if (walk->looked_at >= enough) return false;
        }
        walk->head++;
        if (walk->looked_at >= enough) return false;
    }
    return true;
}

/* --- By weight -------------------------------------------------------------------------
 */

size_t graph_path_room(uint32_t limit) {
    return walk_room(limit) + limit * sizeof(uint32_t);
}

static bool nearer(const struct graph_path *path, uint32_t a, uint32_t b) {
    const struct graph_reach *reached = path->walk.reached;
    if (reached[a].distance != reached[b].distance)
        return reached[a].distance < reached[b].distance;
    return a < b;
}

static void put(struct graph_path *path, uint32_t place, uint32_t index) {
    path->heap[place] = index;
    path->walk.reached[index].place = place + 1;
}

static void rise(struct graph_path *path, uint32_t place) {
    uint32_t index = path->heap[place];
    while (place > 0 && nearer(path, index, path->heap[(place - 1) / 2])) {
        put(path, place, path->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(path, place, index);
}

static void sink(struct graph_path *path, uint32_t place) {
    uint32_t index = path->heap[place];
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child >= path->heap_size) break;
        if (child + 1 < path->heap_size &&
            nearer(path, path->heap[child + 1], path->heap[child]))
            child++;
        if (!nearer(path, path->heap[child], index)) break;
        put(path, place, path->heap[child]);
        place = child;
    }
    put(path, place, index);
}

static uint32_t take_nearest(struct graph_path *path) {
    uint32_t index = path->heap[0];
    path->walk.reached[index].place = 0;
    uint32_t last = path->heap[--path->heap_size];
    if (path->heap_size > 0) {
        path->heap[0] = last;
        sink(path, 0);
    }
    return index;
}

static void push(struct graph_path *path, uint32_t index) {
    path->heap[path->heap_size] = index;
    rise(path, path->heap_size++);
}

void graph_path_begin(struct graph_path *path, const struct state *state,
                      const struct graph *graph, const struct graph_rules *rules,
                      uint32_t depth, uint32_t limit, uint32_t from, uint32_t target,
                      void *room) {
    graph_walk_begin(&path->walk, state, graph, rules, depth, limit, room);
    path->heap = path->walk.table + path->walk.mask + 1;
    path->heap_size = 0;
    path->target = target;
    path->found = UINT32_MAX;
    path->negative = false;
    path->walk.head = UINT32_MAX; /* none is looked at */
    push(path, reach(&path->walk, from, UINT32_MAX, 0, 0));
}

/* An edge leads from the node at `index` to another: perhaps it is a shorter way there.
 */
static void relax(struct graph_path *path, uint32_t index, uint32_t edge,
                  const struct edge_end *end) {
    struct graph_walk *walk = &path->walk;
    const struct graph_reach *from = &walk->reached[index];
    uint64_t distance = from->distance + (uint32_t)end->weight;
    uint32_t known = graph_walk_find(walk, end->other);
    if (end->weight < 0) {
        path->negative = true;
    } else if (known == UINT32_MAX) {
        known = reach(walk, end->other, edge, index, from->depth + 1);
        if (known == UINT32_MAX) return;
        walk->reached[known].distance = distance;
        push(path, known);
    } else if (walk->reached[known].place && distance < walk->reached[known].distance) {
        struct graph_reach *to = &walk->reached[known];
        to->distance = distance;
        to->edge = edge;
        to->from = index;
        to->depth = from->depth + 1;
        rise(path, to->place - 1);
    }
}

bool graph_path_step(struct graph_path *path, uint32_t edges) {
    struct graph_walk *walk = &path->walk;
    uint64_t enough = walk->looked_at + edges;
    for (;;) {
        uint32_t edge;
        struct edge_end end;
        if (walk->head == UINT32_MAX) {
            if (path->heap_size == 0) return true;
            walk->head = take_nearest(path);
            if (walk->reached[walk->head].node == path->target) {
                path->found = walk->head;
                return true;
            }
        }
        bool further = walk->reached[walk->head].depth < walk->depth;
        while (further && next_end(walk, walk->head, &edge, &end)) {
            relax(path, walk->head, edge, &end);
            if (path->negative || walk->full) return true;
            if (walk->looked_at >= enough) return false;
        }
        walk->head = UINT32_MAX;
    }
}
