/* The exact scan of an indexed collection, at the cost of reading a byte a value: for
 * search.c. */
#ifndef KERNEL_SEARCH_CODES_H
#define KERNEL_SEARCH_CODES_H

#include "kernel/search.h"

/* Bytes that the scan of codes wants for this search; 0 where rows are scanned instead.
 */
size_t search_codes_room(const struct collection *collection, const struct query *query);
/* Begin it, where this search takes it: then search->codes.limit is set. */
void search_codes_begin(struct search *search);
/* Look at about `rows` more codes. True when all were looked at. */
bool search_codes_step(struct search *search, uint32_t rows);

/* Decide about the records in these slots, whose points stand beside them and lie in
 * about the order of their distances: with COSINE, and a query of some length, the stored
 * values of those beyond the first k are read only where codes do not exclude them. */
void search_codes_decide(struct search *search, const struct code_query *query,
                         const uint32_t *slots, const uint32_t *points, uint32_t count);

#endif
