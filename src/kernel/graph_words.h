/* Kinds and types of a graph: each word is kept once, as long as something has it. */
#ifndef KERNEL_GRAPH_WORDS_H
#define KERNEL_GRAPH_WORDS_H

#include "kernel/adjacency.h"

/* The word in the trie at `root` (graph->kinds or graph->types), or 0. */
uint32_t word_find(const struct state *state, const struct graph *graph, uint32_t root,
                   struct slice word);
/* The same for one more user of it, and made if there was none. */
uint32_t word_use(struct memory *memory, struct state *state, struct graph *graph,
                  uint32_t *root, struct slice word);
/* One user less. */
void word_leave(struct memory *memory, struct state *state, struct graph *graph,
                uint32_t *root, uint32_t reference);

/* `node` (row), which has no link, links to what the change names. */
void link_join(struct memory *memory, struct state *state, struct graph *graph,
               uint32_t node, const struct change *change);
/* It does not any more, if it did. */
void link_leave(struct memory *memory, struct state *state, struct graph *graph,
                uint32_t node);

#endif
