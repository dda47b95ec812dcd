/* What a search's filters say of its candidates, for the files of search. */
#ifndef KERNEL_SEARCH_FILTER_H
#define KERNEL_SEARCH_FILTER_H

#include "kernel/search.h"

/* Has the query a filter at all: tags, or an expression? */
static inline bool search_filters(const struct query *query) {
    return query->tag_count > 0 || query->filter;
}

/* Are the records that may match listed, so that no others need be looked at? */
static inline bool search_lists(const struct search *search) {
    return search->query.tag_count > 0 || search->plan.used;
}

/* Of these slots of records those that the expression lets pass, in order; but no more
 * than `wanted`. Gives their number. Once the budget is used up nothing passes. */
uint32_t search_keep(struct search *search, uint32_t *slots, uint32_t count,
                     uint32_t wanted);
/* The same of candidates that may have none of the tags. */
uint32_t search_keep_tagged(struct search *search, uint32_t *slots, uint32_t count,
                            uint32_t wanted);

/* What asking has cost since the last call, in rows of the collection. */
uint32_t search_effort(struct search *search);

/* Find out how many records match, about: from some of them, spread over all. True when
 * search->expected is known. */
bool search_sample_step(struct search *search, uint32_t rows);

#endif
