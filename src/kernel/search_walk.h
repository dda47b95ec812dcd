/* The approximate half of a search, for search.c. */
#ifndef KERNEL_SEARCH_WALK_H
#define KERNEL_SEARCH_WALK_H

#include "kernel/search.h"

/* Must a sample tell whether this search takes a walk? */
bool search_walk_samples(const struct search *search);
/* Begin a walk, if this search takes one: then search->walking is set. */
void search_walk_begin(struct search *search);
/* Look at about `rows` more codes. True when the walk is over: the search's hits are a
 * heap, or nothing was decided and search->next_slot is 0. */
bool search_walk_step(struct search *search, uint32_t rows);

/* search.c: the next slots of those that are listed, at most TAG_ROW, maybe none; false
 * at the end. */
bool search_next_listed(struct search *search, const uint32_t **slots, uint32_t *count);

/* search.c: decide about the live records in these slots by the expression, if there is
 * one, and by their exact distances. */
void search_decide(struct search *search, const uint32_t *slots, uint32_t count);
/* The same about one of L2 whose squared distance, in units of 1, is known. */
void search_decide_square(struct search *search, uint32_t slot, uint32_t square);

#endif
