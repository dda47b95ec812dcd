/* GRAPH.NEIGHBORS: the edges of a node. */
#include <inttypes.h>
#include <stdio.h>

#include "server/graph_call.h"
#include "server/server.h"

/* Edges between two looks at the clock. */
#define EDGES_PER_STEP 256

/* A cursor is the high half of the next edge's hash with the direction in its last bit:
 * edges out come first, and 0 is both the beginning and the end. */
static enum direction cursor_direction(const struct graph_task *task, uint64_t cursor) {
    return !task->rules.out || (cursor & 1) ? DIRECTION_IN : DIRECTION_OUT;
}

static void begin_pass(struct graph_task *task, const struct state *state,
                       uint64_t cursor) {
    task->met = 0;
    task->ended = false;
    edge_walk(&task->edges, state, task->graph, task->node,
              cursor_direction(task, cursor), cursor & ~UINT64_C(1));
}

static void reply_end(struct reply *reply, const struct state *state,
                      const struct graph_task *task, uint32_t edge,
                      const struct edge_end *end) {
    struct slice name = graph_node_name(state, task->graph, end->other);
    if (!task->with_edges) {
        reply_bulk(reply, name);
        return;
    }
    struct edge whole;
    graph_edge(state, task->graph, edge, &whole);
    reply_array(reply, 5);
    reply_bulk(reply, name);
    reply_text(reply, task->edges.direction == DIRECTION_OUT ? "out" : "in");
    reply_bulk(reply, whole.type);
    if (whole.flags & CHANGE_WEIGHT) reply_weight(reply, whole.weight);
    else reply_null(reply);
    reply_bytes_or_null(reply, whole.properties);
}

/* The next edge of either direction; UINT32_MAX after the last. */
static uint32_t next_edge(struct graph_task *task, const struct state *state) {
    uint32_t edge = edge_next(&task->edges);
    if (edge != UINT32_MAX || task->edges.direction == DIRECTION_IN || !task->rules.in)
        return edge;
    edge_walk(&task->edges, state, task->graph, task->node, DIRECTION_IN, 0);
    return edge_next(&task->edges);
}

/* Look at some more edges: counts what matches, or with `reply` writes it. True when the
 * pass is over. */
static bool pass_some(struct graph_task *task, const struct state *state,
                      struct reply *reply) {
    for (int i = 0; i < EDGES_PER_STEP; i++) {
        struct edge_end end;
        if (reply && task->met == task->limit) return true;
        uint32_t edge = next_edge(task, state);
        if (edge == UINT32_MAX) return true;
        if (task->met == task->limit) {
            task->next = (edge_prefix(&task->edges, edge) & ~UINT64_C(1)) |
                         (task->edges.direction == DIRECTION_IN);
            return true;
        }
        graph_edge_end(task->graph, edge, task->edges.direction, &end);
        if (!graph_rules_edge(&task->rules, &end) ||
            !graph_rules_node(&task->rules, task->graph, end.other))
            continue;
        task->met++;
        if (reply) reply_end(reply, state, task, edge, &end);
    }
    return false;
}

static void reply_head(struct reply *reply, const struct graph_task *task) {
    char cursor[24];
    if (task->paged) {
        snprintf(cursor, sizeof cursor, "%" PRIu64, task->next);
        reply_array(reply, 2);
        reply_text(reply, cursor);
    }
    reply_array(reply, task->limit);
}

static bool neighbors_more(struct call *call, uint64_t deadline_us) {
    struct graph_task *task = &call->server->graph_task;
    const struct state *state = engine_state(call->server->engine);
    struct reply *reply = call_reply(call);
    for (;;) {
        bool over = pass_some(task, state, task->counted ? reply : NULL);
        if (over && task->counted) return true;
        if (over) {
            task->limit = task->met;
            task->counted = true;
            reply_head(reply, task);
            begin_pass(task, state, task->choice.cursor);
        }
        if (server_clock(call->server) >= deadline_us) return false;
    }
}

/* --- Words ------------------------------------------------------------------------ */

static bool is_option(const struct call *call, size_t at) {
    return choice_is_option(call, at) || call_is(call, at, "count") ||
           call_is(call, at, "cursor") || call_is(call, at, "withedges");
}

static bool read_options(struct call *call, const struct state *state,
                         struct graph_task *task) {
    for (size_t at = 3; at < call->count;) {
        if (call_is(call, at, "count")) {
            if (!graph_number(call, at + 1, 1, UINT32_MAX, &task->limit)) return false;
            at += 2;
        } else if (call_is(call, at, "cursor")) {
            if (!graph_number(call, at + 1, 0, UINT64_MAX, &task->choice.cursor))
                return false;
            task->paged = true;
            at += 2;
        } else if (call_is(call, at, "withedges")) {
            task->with_edges = true;
            at++;
        } else if (!choice_read(call, state, task->graph, &at, &task->choice,
                                is_option)) {
            if (!call->failed) call_error(call, "ERR syntax error");
            return false;
        }
    }
    return true;
}

/* How many there are is known without counting when every edge counts. */
static bool count_known(struct graph_task *task, const struct state *state) {
    struct node node;
    if (task->paged || task->rules.typed || task->rules.kinded) return false;
    graph_node(state, task->graph, task->node, &node);
    uint64_t count = (task->rules.out ? node.edges[DIRECTION_OUT] : 0) +
                     (task->rules.in ? node.edges[DIRECTION_IN] : 0);
    if (count < task->limit) task->limit = count;
    return true;
}

READ(cmd_graph_neighbors) {
    struct graph_task *task = &call->server->graph_task;
    task->graph = call_graph(call, state);
    task->choice = (struct graph_choice){.out = true};
    task->with_edges = task->paged = task->counted = false;
    task->limit = UINT64_MAX;
    task->next = 0;
    if (call->failed || !read_options(call, state, task)) return;
    task->node = call_node(call, state, task->graph, 2);
    if (task->node == UINT32_MAX) return;
    task->rules = choice_rules(&task->choice);
    begin_pass(task, state, task->choice.cursor);
    task->counted = count_known(task, state);
    if (task->counted) reply_head(call_reply(call), task);
    call->server->job.more = neighbors_more;
}
