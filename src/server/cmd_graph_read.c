/* Looking at graphs: GRAPH.GET EXISTS CARD SCAN INFO. */
#include <inttypes.h>
#include <stdio.h>

#include "base/glob.h"
#include "server/graph_call.h"
#include "server/server.h"

/* --- GRAPH.GET and GRAPH.EXISTS --------------------------------------------------- */

/* The row of what the arguments from 2 on name: a node, or with three of them an edge. */
static uint32_t find_named(struct call *call, const struct state *state,
                           const struct graph *graph) {
    if (call->count != 3 && call->count != 5) {
        call_arity_error(call);
        return UINT32_MAX;
    }
    uint32_t node = graph ? graph_find(state, graph, call->arguments[2]) : UINT32_MAX;
    if (call->count == 3 || node == UINT32_MAX) return node;
    uint32_t destination = graph_find(state, graph, call->arguments[4]);
    if (destination == UINT32_MAX) return UINT32_MAX;
    return graph_find_edge(state, graph, node, call->arguments[3], destination);
}

static void reply_node(struct reply *reply, const struct node *node) {
    reply_map(reply, 7);
    reply_text(reply, "node");
    reply_bulk(reply, node->name);
    reply_text(reply, "kind");
    reply_bytes_or_null(reply, node->kind);
    reply_text(reply, "props");
    reply_bytes_or_null(reply, node->properties);
    reply_text(reply, "element");
    if (node->flags & CHANGE_LINK) {
        reply_array(reply, 2);
        reply_bulk(reply, node->link_key);
        reply_bulk(reply, node->link_element);
    } else {
        reply_null(reply);
    }
    reply_text(reply, "out");
    reply_unsigned(reply, node->edges[DIRECTION_OUT]);
    reply_text(reply, "in");
    reply_unsigned(reply, node->edges[DIRECTION_IN]);
    reply_text(reply, "leaf_index");
    reply_unsigned(reply, node->widx);
}

static void reply_edge(struct reply *reply, const struct state *state,
                       const struct graph *graph, const struct edge *edge) {
    reply_map(reply, 6);
    reply_text(reply, "source");
    reply_bulk(reply, graph_node_name(state, graph, edge->source));
    reply_text(reply, "type");
    reply_bulk(reply, edge->type);
    reply_text(reply, "destination");
    reply_bulk(reply, graph_node_name(state, graph, edge->destination));
    reply_text(reply, "weight");
    if (edge->flags & CHANGE_WEIGHT) reply_weight(reply, edge->weight);
    else reply_null(reply);
    reply_text(reply, "props");
    reply_bytes_or_null(reply, edge->properties);
    reply_text(reply, "leaf_index");
    reply_unsigned(reply, edge->widx);
}

READ(cmd_graph_get) {
    struct reply *reply = call_reply(call);
    const struct graph *graph = call_graph(call, state);
    uint32_t row = call->failed ? UINT32_MAX : find_named(call, state, graph);
    if (call->failed) return;
    if (row == UINT32_MAX) {
        reply_null(reply);
    } else if (call->count == 3) {
        struct node node;
        graph_node(state, graph, row, &node);
        reply_node(reply, &node);
    } else {
        struct edge edge;
        graph_edge(state, graph, row, &edge);
        reply_edge(reply, state, graph, &edge);
    }
}

READ(cmd_graph_exists) {
    const struct graph *graph = call_graph(call, state);
    uint32_t row = call->failed ? UINT32_MAX : find_named(call, state, graph);
    if (!call->failed) reply_integer(call_reply(call), row != UINT32_MAX);
}

/* --- GRAPH.CARD and GRAPH.INFO ---------------------------------------------------- */

READ(cmd_graph_card) {
    const struct graph *graph = call_graph(call, state);
    bool edges = call_is(call, 2, "edges");
    if (call->failed) return;
    if (call->count > 3 || (call->count == 3 && !edges && !call_is(call, 2, "nodes"))) {
        call_error(call, "ERR syntax error");
        return;
    }
    uint64_t count = !graph  ? 0
                     : edges ? graph_edge_count(graph)
                             : graph_node_count(state, graph);
    reply_unsigned(call_reply(call), count);
}

/* So many kinds and types are shown, no more: there may be one for each edge. */
#define WORDS_SHOWN 256

static void reply_words(struct reply *reply, const struct state *state,
                        const struct graph *graph, bool types) {
    struct scan scan;
    struct slice word;
    uint32_t users, count = 0;
    scan_begin(&scan, 0);
    while (count < WORDS_SHOWN && scan_word(state, graph, types, &scan, &word, &users))
        count++;
    reply_map(reply, count);
    scan_begin(&scan, 0);
    while (count-- > 0 && scan_word(state, graph, types, &scan, &word, &users)) {
        reply_bulk(reply, word);
        reply_unsigned(reply, users);
    }
}

READ(cmd_graph_info) {
    struct reply *reply = call_reply(call);
    const struct graph *graph = call_graph(call, state);
    if (call->failed) return;
    if (!graph) {
        reply_null_array(reply);
        return;
    }
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {{"nodes", graph_node_count(state, graph)},
                   {"edges", graph_edge_count(graph)},
                   {"capacity", graph_config(graph)->nodes},
                   {"edge-capacity", graph_config(graph)->edges},
                   {"memory", graph_memory(graph)}};
    size_t count = sizeof figures / sizeof figures[0];
    reply_map(reply, count + 2);
    for (size_t i = 0; i < count; i++) {
        reply_text(reply, figures[i].name);
        reply_unsigned(reply, figures[i].value);
    }
    reply_text(reply, "kinds");
    reply_words(reply, state, graph, false);
    reply_text(reply, "types");
    reply_words(reply, state, graph, true);
}

/* --- GRAPH.SCAN ------------------------------------------------------------------- */

#define SCAN_COUNT_DEFAULT 10
#define SCAN_COUNT_MAX     1000

struct node_scan {
    uint64_t cursor, count;
    bool has_pattern;
    struct slice pattern;
    struct graph_choice choice;
};

static bool is_option(const struct call *call, size_t at) {
    return choice_is_option(call, at) || call_is(call, at, "match") ||
           call_is(call, at, "count");
}

static bool read_scan(struct call *call, const struct state *state,
                      const struct graph *graph, struct node_scan *words) {
    *words = (struct node_scan){.count = SCAN_COUNT_DEFAULT};
    if (!word_unsigned(call->arguments[2], &words->cursor)) {
        call_error(call, "ERR invalid cursor");
        return false;
    }
    for (size_t at = 3; at < call->count;) {
        if (call_is(call, at, "count")) {
            if (!graph_number(call, at + 1, 1, INT64_MAX, &words->count)) return false;
            at += 2;
        } else if (call_is(call, at, "match") && at + 1 < call->count) {
            if (!call_pattern(call, at + 1)) return false;
            words->has_pattern = true;
            words->pattern = call->arguments[at + 1];
            at += 2;
        } else if (!call_is(call, at, "kind") ||
                   !choice_read(call, state, graph, &at, &words->choice, is_option)) {
            if (!call->failed) call_error(call, "ERR syntax error");
            return false;
        }
    }
    if (words->count > SCAN_COUNT_MAX) words->count = SCAN_COUNT_MAX;
    return true;
}

/* One part of the walk, from the cursor on: counts what matches, or with `reply` writes
 * it. Gives the next cursor. */
static uint64_t scan_part(const struct state *state, const struct graph *graph,
                          const struct node_scan *words, uint64_t *matches,
                          struct reply *reply) {
    struct scan scan;
    uint32_t row;
    uint64_t last = 0;
    struct graph_rules rules = choice_rules(&words->choice);
    scan_begin(&scan, words->cursor);
    *matches = 0;
    for (uint64_t seen = 0; scan_node(state, graph, &scan, &row); seen++) {
        if (seen >= words->count && scan_prefix(&scan) != last) return scan_prefix(&scan);
        last = scan_prefix(&scan);
        struct slice name = graph_node_name(state, graph, row);
        if (!graph_rules_node(&rules, graph, row) ||
            (words->has_pattern && !glob_match(words->pattern, name, false)))
            continue;
        ++*matches;
        if (reply) reply_bulk(reply, name);
    }
    return 0;
}

READ(cmd_graph_scan) {
    struct reply *reply = call_reply(call);
    struct node_scan words;
    const struct graph *graph = call_graph(call, state);
    if (call->failed || !read_scan(call, state, graph, &words)) return;
    uint64_t matches = 0;
    uint64_t next = graph ? scan_part(state, graph, &words, &matches, NULL) : 0;
    char cursor[24];
    snprintf(cursor, sizeof cursor, "%" PRIu64, next);
    reply_array(reply, 2);
    reply_text(reply, cursor);
    reply_array(reply, matches);
    if (graph) scan_part(state, graph, &words, &matches, reply);
}
