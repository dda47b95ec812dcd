/* Which elements carry which tag, so that a filter lets a wanted part of them through. */
#ifndef TOOLS_BENCHMARK_TAGS_H
#define TOOLS_BENCHMARK_TAGS_H

#include "tools/benchmark_data.h"
#include "tools/benchmark_options.h"

/* Give each row of `base` its tag: 1 + the place in options->selectivity of the share it
 * belongs to, or 0. Random tags follow from the seed and the row alone; clustered ones
 * from the order of the rows along a direction. `tags` has room for base->rows.
 * STATUS_MEMORY.
 */
enum status tags_assign(const struct benchmark_options *options,
                        const struct dataset *base, const struct allocator *allocator,
                        uint32_t *tags);

#endif
