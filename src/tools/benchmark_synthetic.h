/* Vectors by a rule, for when no file is at hand: every value is a function of the seed,
 * its row and its column, the same on every machine.
 *
 * uniform:ROWS:DIM[:SEED]     values in [-1, 1); random: is the same
 * gauss:ROWS:DIM[:SEED]       the sum of twelve uniform values, which is nearly normal
 * cluster:K:ROWS:DIM[:SEED]   K centres of gauss, each row a centre and a quarter of its
 *                             own gauss */
#ifndef TOOLS_BENCHMARK_SYNTHETIC_H
#define TOOLS_BENCHMARK_SYNTHETIC_H

#include <stdbool.h>
#include <stdint.h>

struct synthetic {
    enum { SYNTHETIC_UNIFORM, SYNTHETIC_GAUSS, SYNTHETIC_CLUSTER } kind;
    uint64_t clusters, rows, dim, seed;
};

/* True if `source` begins as one of the rules does. */
bool synthetic_is(const char *source);

/* Read the rule; `seed` is taken when it has none of its own. Rows, dimension and
 * clusters are at least 1, or it is false. */
bool synthetic_parse(const char *source, uint64_t seed, struct synthetic *synthetic);

float synthetic_value(const struct synthetic *synthetic, uint64_t row, uint32_t column);

/* SplitMix64: the `index`th number of a seed. */
uint64_t random_at(uint64_t seed, uint64_t index);

#endif
