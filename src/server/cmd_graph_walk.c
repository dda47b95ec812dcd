/* GRAPH.WALK: what can be reached from a node. GRAPH.PATH: the shortest way between two.
 */
#include "server/graph_call.h"
#include "server/limits.h"
#include "server/server.h"

/* Edges between two looks at the clock, and nodes of a reply. */
#define EDGES_PER_STEP 4096
#define NODES_PER_STEP 256

#define WALK_LIMIT_DEFAULT 1000
#define PATH_LIMIT_DEFAULT 100000
#define DEPTH_MISSING      UINT64_MAX

struct walk_words {
    uint64_t depth, limit, fan_out;
};

/* --- Words ------------------------------------------------------------------------ */

static bool is_option(const struct call *call, size_t at) {
    return choice_is_option(call, at) || call_is(call, at, "depth") ||
           call_is(call, at, "limit") || call_is(call, at, "fanout") ||
           call_is(call, at, "by") || call_is(call, at, "withedges");
}

static bool read_option(struct call *call, const struct state *state, size_t *at,
                        struct graph_task *task, struct walk_words *words) {
    bool weight = call_is(call, *at + 1, "weight");
    uint64_t *number = call_is(call, *at, "depth")    ? &words->depth
                       : call_is(call, *at, "limit")  ? &words->limit
                       : call_is(call, *at, "fanout") ? &words->fan_out
                                                      : NULL;
    if (number) {
        uint64_t most = number == &words->limit ? GRAPH_LIMIT_MAX : UINT32_MAX;
        if (!graph_number(call, *at + 1, number == &words->depth ? 0 : 1, most, number))
            return false;
        *at += 2;
    } else if (call_is(call, *at, "withedges")) {
        task->with_edges = true;
        ++*at;
    } else if (call_is(call, *at, "by") && (weight || call_is(call, *at + 1, "hops"))) {
        task->weighed = weight;
        *at += 2;
    } else {
        return choice_read(call, state, task->graph, at, &task->choice, is_option);
    }
    return true;
}

/* Begin with the words from `at` on; false when an error was answered. */
static bool read_words(struct call *call, const struct state *state, size_t at,
                       struct graph_task *task, struct walk_words *words) {
    task->graph = call_graph(call, state);
    task->choice = (struct graph_choice){.out = true};
    task->with_edges = task->weighed = task->ended = false;
    task->target = UINT32_MAX;
    task->replied = 0;
    if (call->failed) return false;
    while (at < call->count)
        if (!read_option(call, state, &at, task, words)) {
            if (!call->failed) call_error(call, "ERR syntax error");
            return false;
        }
    if (words->depth == DEPTH_MISSING || (task->weighed && words->depth != UINT32_MAX)) {
        call_error(call, "ERR syntax error");
        return false;
    }
    task->node = call_node(call, state, task->graph, 2);
    if (task->node == UINT32_MAX) return false;
    task->rules = choice_rules(&task->choice);
    task->rules.fan_out = words->fan_out;
    return true;
}

/* No walk reaches more nodes than there are. */
static uint32_t walk_limit(const struct state *state, const struct graph *graph,
                           uint64_t limit) {
    uint64_t count = graph_node_count(state, graph);
    return (uint32_t)(limit < count ? limit : count);
}

static bool begin_walk(struct call *call, const struct state *state,
                       struct graph_task *task, const struct walk_words *words) {
    struct scratch *scratch = &call->server->scratch;
    uint32_t limit = walk_limit(state, task->graph, words->limit);
    if (scratch_room(scratch, graph_path_room(limit))) {
        call_error(call, "OOM command not allowed when used memory > 'maxmemory'.");
        return false;
    }
    void *room = scratch->room.bytes;
    uint32_t depth = (uint32_t)words->depth;
    if (task->weighed) {
        graph_path_begin(&task->path, state, task->graph, &task->rules, UINT32_MAX, limit,
                         task->node, task->target, room);
    } else {
        graph_walk_begin(&task->path.walk, state, task->graph, &task->rules, depth, limit,
                         room);
        graph_walk_from(&task->path.walk, task->node);
    }
    return true;
}

/* --- GRAPH.WALK ------------------------------------------------------------------- */

/* [node, depth], and WITHEDGES the edge that led there: [node it came from, out or in,
 * type], null at the start. */
static void reply_reached(struct reply *reply, const struct state *state,
                          const struct graph_task *task, uint32_t index) {
    const struct graph_reach *reach = &task->path.walk.reached[index];
    struct edge edge;
    reply_array(reply, task->with_edges ? 3 : 2);
    reply_bulk(reply, graph_node_name(state, task->graph, reach->node));
    reply_integer(reply, reach->depth);
    if (!task->with_edges) return;
    if (reach->edge == UINT32_MAX) {
        reply_null(reply);
        return;
    }
    const struct graph_reach *from = &task->path.walk.reached[reach->from];
    graph_edge(state, task->graph, reach->edge, &edge);
    reply_array(reply, 3);
    reply_bulk(reply, graph_node_name(state, task->graph, from->node));
    reply_text(reply, edge.source == from->node ? "out" : "in");
    reply_bulk(reply, edge.type);
}

static bool walk_more(struct call *call, uint64_t deadline_us) {
    struct graph_task *task = &call->server->graph_task;
    struct graph_walk *walk = &task->path.walk;
    const struct state *state = engine_state(call->server->engine);
    do {
        if (!task->ended) {
            task->ended = graph_walk_step(walk, EDGES_PER_STEP);
            if (task->ended) reply_array(call_reply(call), walk->count);
        }
        for (int i = 0; task->ended && i < NODES_PER_STEP; i++) {
            if (task->replied == walk->count) return true;
            reply_reached(call_reply(call), state, task, task->replied++);
        }
    } while (server_clock(call->server) < deadline_us);
    return false;
}

READ(cmd_graph_walk) {
    struct graph_task *task = &call->server->graph_task;
    struct walk_words words = {.depth = DEPTH_MISSING, .limit = WALK_LIMIT_DEFAULT};
    if (!read_words(call, state, 3, task, &words)) return;
    if (task->weighed) call_error(call, "ERR syntax error");
    else if (begin_walk(call, state, task, &words)) call->server->job.more = walk_more;
}

/* --- GRAPH.PATH ------------------------------------------------------------------- */

/* The way to the node at `index`, from its start: nodes, or WITHEDGES after the first
 * [node, out or in, type, weight]. */
static void reply_way(struct reply *reply, const struct state *state,
                      const struct graph_task *task, uint32_t index) {
    struct graph_reach *reached = task->path.walk.reached;
    uint32_t before = index, depth = reached[index].depth;
    /* Turn the way round: from now on `from` leads towards the target. */
    for (uint32_t at = index, i = 0; i <= depth; i++) {
        uint32_t from = reached[at].from;
        reached[at].from = before;
        before = at;
        at = from;
    }
    reply_array(reply, (uint64_t)depth + 1);
    for (uint32_t at = before, i = 0; i <= depth; at = reached[at].from, i++) {
        struct edge edge;
        if (!task->with_edges || i == 0) {
            reply_bulk(reply, graph_node_name(state, task->graph, reached[at].node));
            continue;
        }
        graph_edge(state, task->graph, reached[at].edge, &edge);
        reply_array(reply, 4);
        reply_bulk(reply, graph_node_name(state, task->graph, reached[at].node));
        reply_text(reply, edge.destination == reached[at].node ? "out" : "in");
        reply_bulk(reply, edge.type);
        reply_weight(reply, edge.weight);
    }
}

static void reply_path(struct call *call, const struct state *state,
                       const struct graph_task *task) {
    uint32_t found = task->weighed ? task->path.found
                                   : graph_walk_find(&task->path.walk, task->target);
    if (task->weighed && task->path.negative)
        call_error(call, "ERR an edge on the way has a negative weight");
    else if (found != UINT32_MAX) reply_way(call_reply(call), state, task, found);
    else if (task->path.walk.full)
        call_error(call, "ERR LIMIT nodes were met before a path was found");
    else reply_null_array(call_reply(call));
}

static bool path_more(struct call *call, uint64_t deadline_us) {
    struct graph_task *task = &call->server->graph_task;
    bool ended;
    do {
        ended = task->weighed
                    ? graph_path_step(&task->path, EDGES_PER_STEP)
                    : graph_walk_step(&task->path.walk, EDGES_PER_STEP) ||
                          graph_walk_find(&task->path.walk, task->target) != UINT32_MAX;
    } while (!ended && server_clock(call->server) < deadline_us);
    if (ended) reply_path(call, engine_state(call->server->engine), task);
    return ended;
}

READ(cmd_graph_path) {
    struct graph_task *task = &call->server->graph_task;
    struct walk_words words = {.depth = UINT32_MAX, .limit = PATH_LIMIT_DEFAULT};
    if (!read_words(call, state, 4, task, &words)) return;
    task->target = call_node(call, state, task->graph, 3);
    if (task->target == UINT32_MAX) return;
    if (begin_walk(call, state, task, &words)) call->server->job.more = path_more;
}
