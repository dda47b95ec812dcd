#include "server/graph_call.h"

#include "server/server.h"

const struct graph *call_graph(struct call *call, const struct state *state) {
    const struct object *object = call_object(call, state);
    if (!object) return NULL;
    const struct graph *graph = object_graph(state, object);
    if (!graph) call_wrong_type(call);
    return graph;
}

uint32_t call_node(struct call *call, const struct state *state,
                   const struct graph *graph, size_t at) {
    uint32_t row = graph ? graph_find(state, graph, call_argument(call, at)) : UINT32_MAX;
    if (row == UINT32_MAX) reply_null_array(call_reply(call));
    return row;
}

void reply_weight(struct reply *reply, int32_t weight) {
    reply_double(reply, (double)weight / WEIGHT_ONE);
}

void reply_bytes_or_null(struct reply *reply, struct slice bytes) {
    if (bytes.size) reply_bulk(reply, bytes);
    else reply_null(reply);
}

bool graph_number(struct call *call, size_t at, uint64_t least, uint64_t most,
                  uint64_t *value) {
    if (word_unsigned(call_argument(call, at), value) && *value >= least &&
        *value <= most)
        return true;
    call_error(call, "ERR value is not an integer or out of range");
    return false;
}

/* --- Choices ---------------------------------------------------------------------- */

bool choice_is_option(const struct call *call, size_t at) {
    return call_is(call, at, "in") || call_is(call, at, "out") ||
           call_is(call, at, "both") || call_is(call, at, "type") ||
           call_is(call, at, "kind");
}

/* The words behind TYPE or KIND: one at least, whatever it is, and others up to the next
 * option. */
static bool read_words(struct call *call, const struct state *state,
                       const struct graph *graph, size_t *at, bool types,
                       struct graph_choice *choice,
                       bool (*is_option)(const struct call *call, size_t at)) {
    uint32_t *count = types ? &choice->type_count : &choice->kind_count;
    uint32_t *words = types ? choice->types : choice->kinds;
    size_t first = *at + 1;
    *(types ? &choice->typed : &choice->kinded) = true;
    if (first >= call->count) {
        call_error(call, "ERR syntax error");
        return false;
    }
    for (*at = first; *at < call->count && (*at == first || !is_option(call, *at));
         ++*at) {
        struct slice word = call->arguments[*at];
        uint32_t number = !graph  ? 0
                          : types ? graph_type(state, graph, word)
                                  : graph_kind(state, graph, word);
        if (*count == GRAPH_WORDS_MAX) {
            call_error(call, "ERR too many kinds or types");
            return false;
        }
        if (number) words[(*count)++] = number;
    }
    return true;
}

bool choice_read(struct call *call, const struct state *state, const struct graph *graph,
                 size_t *at, struct graph_choice *choice,
                 bool (*is_option)(const struct call *call, size_t at)) {
    bool in = call_is(call, *at, "in"), out = call_is(call, *at, "out"),
         both = call_is(call, *at, "both"), types = call_is(call, *at, "type");
    if (in || out || both) {
        choice->in = in || both;
        choice->out = out || both;
        ++*at;
        return true;
    }
    if (!types && !call_is(call, *at, "kind")) return false;
    return read_words(call, state, graph, at, types, choice, is_option);
}

struct graph_rules choice_rules(const struct graph_choice *choice) {
    return (struct graph_rules){.in = choice->in,
                                .out = choice->out,
                                .typed = choice->typed,
                                .kinded = choice->kinded,
                                .type_count = choice->type_count,
                                .kind_count = choice->kind_count,
                                .types = choice->types,
                                .kinds = choice->kinds};
}
