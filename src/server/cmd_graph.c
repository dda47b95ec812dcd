/* Writing graphs: GRAPH.CREATE NODE EDGE DEL. */
#include "kernel/fixed.h"
#include "server/graph_call.h"
#include "server/plan.h"
#include "server/server.h"

/* --- Words ------------------------------------------------------------------------ */

static bool size_fits(struct call *call, struct slice bytes, size_t limit,
                      const char *what) {
    if (bytes.size <= limit) return true;
    call_error(call, "ERR %s exceeds %zu bytes", what, limit);
    return false;
}

static bool names_fit(struct call *call, const struct change *change) {
    return size_fits(call, change->key, NAME_SIZE_MAX, "key") &&
           size_fits(call, change->element, NAME_SIZE_MAX, "node name") &&
           size_fits(call, change->target, NAME_SIZE_MAX, "node name") &&
           size_fits(call, change->link_key, NAME_SIZE_MAX, "key") &&
           size_fits(call, change->link_element, NAME_SIZE_MAX, "element name") &&
           size_fits(call, change->word, WORD_SIZE_MAX, "kind or type") &&
           size_fits(call, change->attributes, ATTRIBUTES_SIZE_MAX, "properties");
}

static bool syntax_error(struct call *call) {
    call_error(call, "ERR syntax error");
    return false;
}

static bool read_weight(struct call *call, size_t at, struct change *change) {
    change->flags |= CHANGE_WEIGHT;
    if (fixed_from_text(&call->arguments[at], 1, false, &change->weight, NULL) ==
        STATUS_OK)
        return true;
    call_error(call, "ERR weight is not a number from -32768 to 32767.99998");
    return false;
}

/* An option of both NODE and EDGE at *at, or false. */
static bool read_common(const struct call *call, size_t *at, struct change *change) {
    if (call_is(call, *at, "nx")) {
        change->flags |= CHANGE_NX;
        ++*at;
    } else if (call_is(call, *at, "xx")) {
        change->flags |= CHANGE_XX;
        ++*at;
    } else if (call_is(call, *at, "props") && *at + 1 < call->count) {
        change->flags |= CHANGE_ATTRIBUTES;
        change->attributes = call->arguments[*at + 1];
        *at += 2;
    } else {
        return false;
    }
    return true;
}

static bool flags_agree(struct call *call, const struct change *change) {
    uint8_t both = CHANGE_NX | CHANGE_XX, links = CHANGE_LINK | CHANGE_UNLINK;
    bool of_node = change->type == CHANGE_NODE;
    if ((change->flags & both) == both) {
        call_error(call, "ERR XX and NX options at the same time are not compatible");
        return false;
    }
    return !of_node || (change->flags & links) != links || syntax_error(call);
}

/* Options of a node from *at on, up to the first word that is none. */
static void read_node(const struct call *call, size_t *at, struct change *change) {
    for (;;) {
        size_t left = call->count - *at;
        if (call_is(call, *at, "kind") && left > 1) {
            change->flags |= CHANGE_KIND;
            change->word = call->arguments[*at + 1];
            *at += 2;
        } else if (call_is(call, *at, "element") && left > 2) {
            change->flags |= CHANGE_LINK;
            change->link_key = call->arguments[*at + 1];
            change->link_element = call->arguments[*at + 2];
            *at += 3;
        } else if (call_is(call, *at, "noelement")) {
            change->flags |= CHANGE_UNLINK;
            ++*at;
        } else if (!read_common(call, at, change)) {
            return;
        }
    }
}

/* The same of an edge; false when an error was answered. */
static bool read_edge(struct call *call, size_t *at, struct change *change) {
    for (;;) {
        if (call_is(call, *at, "weight") && *at + 1 < call->count) {
            if (!read_weight(call, *at + 1, change)) return false;
            *at += 2;
        } else if (!read_common(call, at, change)) {
            return true;
        }
    }
}

static enum plan_result add(struct call *call, struct plan *plan, struct change *change) {
    enum status status = plan_add(plan, change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

/* Are max-nodes and max-edges met? What a transaction has planned before is not counted.
 */
static bool room_for(struct call *call, const struct state *state, bool node) {
    const struct options *options = &call->server->options;
    int64_t most = node ? options->max_nodes : options->max_edges;
    uint64_t count = node ? state_graph_nodes(state) : state_graph_edges(state);
    if (most < 0 || count < (uint64_t)most) return true;
    if (node) call_error(call, "ERR max-nodes is reached");
    else call_error(call, "ERR max-edges is reached");
    return false;
}

/* --- GRAPH.CREATE ----------------------------------------------------------------- */

WRITE(cmd_graph_create) {
    (void)state;
    struct change change = {.type = CHANGE_GCREATE,
                            .flags = CHANGE_CONFIG,
                            .db = call->db,
                            .key = call->arguments[1],
                            .graph = {.origin = ORIGIN_VCREATE}};
    for (size_t at = 2; at < call->count; at += 2) {
        bool nodes = call_is(call, at, "capacity");
        if (!nodes && !call_is(call, at, "edges")) {
            syntax_error(call);
            return PLAN_REFUSED;
        }
        uint64_t *capacity = nodes ? &change.graph.nodes : &change.graph.edges;
        if (!graph_number(call, at + 1, 1, UINT32_MAX, capacity)) return PLAN_REFUSED;
    }
    return names_fit(call, &change) ? add(call, plan, &change) : PLAN_REFUSED;
}

/* --- GRAPH.NODE and GRAPH.EDGE ---------------------------------------------------- */

static bool node_exists(const struct call *call, const struct state *state) {
    const struct object *object = state_find(state, call->db, call->arguments[1]);
    const struct graph *graph = object ? object_graph(state, object) : NULL;
    return graph && graph_find(state, graph, call->arguments[2]) != UINT32_MAX;
}

WRITE(cmd_graph_node) {
    struct change change = {.type = CHANGE_NODE,
                            .db = call->db,
                            .key = call->arguments[1],
                            .element = call->arguments[2]};
    size_t at = 3;
    read_node(call, &at, &change);
    if ((at < call->count && !syntax_error(call)) || !flags_agree(call, &change) ||
        !names_fit(call, &change))
        return PLAN_REFUSED;
    if (call->server->options.max_nodes >= 0 && !node_exists(call, state) &&
        !room_for(call, state, true))
        return PLAN_REFUSED;
    if (plan->overlay || !state_find(state, call->db, change.key))
        change.flags |= CHANGE_CONFIG; /* of zeros: without limits */
    return add(call, plan, &change);
}

static bool edge_exists(const struct state *state, const struct change *change) {
    const struct object *object = state_find(state, change->db, change->key);
    const struct graph *graph = object ? object_graph(state, object) : NULL;
    if (!graph) return false;
    uint32_t source = graph_find(state, graph, change->element);
    uint32_t destination = graph_find(state, graph, change->target);
    return source != UINT32_MAX && destination != UINT32_MAX &&
           graph_find_edge(state, graph, source, change->word, destination) != UINT32_MAX;
}

/* The words from argument `at` on as an edge's names. */
static struct change edge_change(const struct call *call, uint8_t type, size_t at) {
    return (struct change){.type = type,
                           .db = call->db,
                           .key = call->arguments[1],
                           .element = call->arguments[at],
                           .word = call->arguments[at + 1],
                           .target = call->arguments[at + 2]};
}

WRITE(cmd_graph_edge) {
    struct change change = edge_change(call, CHANGE_EDGE, 2);
    size_t at = 5;
    if (change.word.size == 0) {
        call_error(call, "ERR an edge's type must not be empty");
        return PLAN_REFUSED;
    }
    if (!read_edge(call, &at, &change) || (at < call->count && !syntax_error(call)) ||
        !flags_agree(call, &change) || !names_fit(call, &change))
        return PLAN_REFUSED;
    if (call->server->options.max_edges >= 0 && !edge_exists(state, &change) &&
        !room_for(call, state, false))
        return PLAN_REFUSED;
    return add(call, plan, &change);
}

ANSWER(answer_graph_set) {
    if (tally->status && tally->status != STATUS_CONDITION)
        call_refusal(call, state, tally);
    else reply_integer(call_reply(call), tally->added == 1);
}

/* --- GRAPH.MADD ------------------------------------------------------------------- */

#define MEMBERS_PER_STEP 64

/* The node or edge whose words begin at *at, which moves behind them. */
static bool read_member(struct call *call, size_t *at, struct change *change) {
    size_t left = call->count - *at;
    if (call_is(call, *at, "node") && left > 1) {
        *change = (struct change){.type = CHANGE_NODE,
                                  .flags = CHANGE_CONFIG, /* of zeros: without limits */
                                  .db = call->db,
                                  .key = call->arguments[1],
                                  .element = call->arguments[*at + 1]};
        *at += 2;
        read_node(call, at, change);
    } else if (call_is(call, *at, "edge") && left > 3) {
        *change = edge_change(call, CHANGE_EDGE, *at + 1);
        *at += 4;
        if (!read_edge(call, at, change)) return false;
        if (change->word.size == 0) {
            call_error(call, "ERR an edge's type must not be empty");
            return false;
        }
    } else {
        return syntax_error(call);
    }
    if (change->flags & (CHANGE_NX | CHANGE_XX)) return syntax_error(call);
    return flags_agree(call, change) && names_fit(call, change);
}

/* Everything that could be refused without the state, a few members at a time; then how
 * many they are is known. */
static enum plan_result count_members(struct call *call, const struct state *state,
                                      struct plan *plan) {
    struct change change;
    size_t at = (size_t)plan->next;
    for (int i = 0; i < MEMBERS_PER_STEP && at < call->count; i++, plan->members++) {
        if (!read_member(call, &at, &change) ||
            !room_for(call, state, change.type == CHANGE_NODE))
            return PLAN_REFUSED;
    }
    plan->next = at;
    if (at < call->count) return PLAN_MORE;
    struct change group = {.type = CHANGE_ALL, .group_count = plan->members};
    enum status status = plan_add(plan, &group);
    plan->next = call->count + 2;
    return status ? plan_fail(call, status) : PLAN_MORE;
}

WRITE(cmd_graph_madd) {
    if (plan->next == 0) plan->next = 2;
    if (plan->next < call->count) return count_members(call, state, plan);
    size_t at = (size_t)plan->next - call->count;
    for (int i = 0; i < MEMBERS_PER_STEP && at < call->count; i++) {
        struct change change;
        if (!read_member(call, &at, &change)) return PLAN_REFUSED;
        enum status status = plan_add(plan, &change);
        if (status) return plan_fail(call, status);
    }
    plan->next = call->count + at;
    return at < call->count ? PLAN_MORE : PLAN_DONE;
}

ANSWER(answer_graph_madd) {
    if (tally->status) call_refusal(call, state, tally);
    else reply_integer(call_reply(call), tally->added);
}

/* --- GRAPH.DEL -------------------------------------------------------------------- */

WRITE(cmd_graph_del) {
    (void)state;
    struct change change = {.type = CHANGE_NODEDEL,
                            .db = call->db,
                            .key = call->arguments[1],
                            .element = call->arguments[2]};
    if (call->count != 3 && call->count != 5) {
        call_arity_error(call);
        return PLAN_REFUSED;
    }
    if (call->count == 5) change = edge_change(call, CHANGE_EDGEDEL, 2);
    if (!names_fit(call, &change)) return PLAN_REFUSED;
    if (change.type == CHANGE_EDGEDEL && change.word.size == 0) return PLAN_DONE;
    return add(call, plan, &change);
}

ANSWER(answer_graph_del) {
    bool missing = tally->status == STATUS_NO_KEY || tally->status == STATUS_NO_NODE ||
                   tally->status == STATUS_NO_EDGE;
    if (tally->status && !missing) call_refusal(call, state, tally);
    else reply_integer(call_reply(call), tally->applied);
}
