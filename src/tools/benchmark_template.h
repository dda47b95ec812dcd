/* A command that is sent again and again, with random numbers in some places.
 *
 * __rand_int__ anywhere in an argument becomes a number of twelve digits below the key
 * space, as in redis-benchmark. The word is twelve letters long for this reason: the
 * command is encoded once, and a copy has only its digits written over. */
#ifndef TOOLS_BENCHMARK_TEMPLATE_H
#define TOOLS_BENCHMARK_TEMPLATE_H

#include "tools/benchmark_command.h"

struct template {
    const struct allocator *allocator; /* borrowed */
    struct buffer bytes;
    size_t *places; /* of the digits */
    size_t place_count, place_capacity;
    uint64_t keyspace, seed;
};

/* `keyspace` 0: the words stay as they are. On failure, too, template_free() it.
 * STATUS_MEMORY. */
enum status template_init(struct template *template, const struct allocator *allocator,
                          size_t count, const struct slice *words, uint64_t keyspace,
                          uint64_t seed);
/* A line as it is sent, without places. */
enum status template_init_line(struct template *template,
                               const struct allocator *allocator, const char *line);
void template_free(struct template *template);

/* The `index`th of them. The numbers follow from seed and index alone. */
void template_compose(const struct template *template, size_t index,
                      struct command *command);

#endif
