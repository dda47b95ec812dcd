/* Which records an expression can match at all, as far as indexed fields tell. */
#ifndef KERNEL_SEARCH_PLAN_H
#define KERNEL_SEARCH_PLAN_H

#include "kernel/search.h"

/* Of the comparisons that the expression joins by `and`, those of one field with values:
 * of the field for which the fewest records are left. plan->used is false where none of
 * them helps. Gives how many records the plan lists. */
uint64_t search_plan(const struct collection *collection, const struct filter *filter,
                     struct search_plan *plan);

#endif
