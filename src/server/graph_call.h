/* What the commands of graphs share. */
#ifndef SERVER_GRAPH_CALL_H
#define SERVER_GRAPH_CALL_H

#include "kernel/graph_walk.h"
#include "server/call.h"
#include "server/words.h"

/* The graph under the key in argument 1; NULL without it, or, with the error answered,
 * when the key holds something else. */
const struct graph *call_graph(struct call *call, const struct state *state);
/* The row of the node in argument `at`; UINT32_MAX, and null is answered, when there is
 * none, or no graph (NULL). */
uint32_t call_node(struct call *call, const struct state *state,
                   const struct graph *graph, size_t at);

void reply_weight(struct reply *reply, int32_t weight);
/* Bytes, or null when there are none. */
void reply_bytes_or_null(struct reply *reply, struct slice bytes);

/* Which edges and nodes a walk is about: IN, OUT or BOTH, TYPE words, KIND words. */
#define GRAPH_WORDS_MAX 64
struct graph_choice {
    bool in, out;
    bool typed, kinded; /* only of these */
    uint32_t type_count, kind_count;
    uint32_t types[GRAPH_WORDS_MAX], kinds[GRAPH_WORDS_MAX]; /* those that exist */
    uint64_t cursor; /* NEIGHBORS: where to begin */
};

/* Read one of these options at *at, of a graph that may be NULL. False when it is another
 * word, or when an error was answered (call->failed). `is_option` knows the words that
 * end a list. */
bool choice_read(struct call *call, const struct state *state, const struct graph *graph,
                 size_t *at, struct graph_choice *choice,
                 bool (*is_option)(const struct call *call, size_t at));
/* As the kernel's walks want it; borrows the choice. */
struct graph_rules choice_rules(const struct graph_choice *choice);
/* One of these options. */
bool choice_is_option(const struct call *call, size_t at);

/* A number behind an option word, at most `most`; answers if it is none. */
bool graph_number(struct call *call, size_t at, uint64_t least, uint64_t most,
                  uint64_t *value);

/* A command under way that goes over a graph in slices. */
struct graph_task {
    const struct graph *graph;
    uint32_t node; /* where it begins */
    struct graph_choice choice;
    struct graph_rules rules;
    bool with_edges;
    /* NEIGHBORS: */
    bool paged, counted, ended;
    uint64_t limit, met, next; /* the most, so far, and the cursor of what comes after */
    struct edge_walk edges;
    /* WALK and PATH: */
    bool weighed;
    uint32_t target, replied;
    struct graph_path path; /* and its walk alone, where nothing is weighed */
};

#endif
