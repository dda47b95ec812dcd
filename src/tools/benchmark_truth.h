/* The true neighbours of queries: out of a file, or found by brute force; and what part
 * of them a search has found. */
#ifndef TOOLS_BENCHMARK_TRUTH_H
#define TOOLS_BENCHMARK_TRUTH_H

#include "tools/benchmark_data.h"
#include "tools/benchmark_options.h"

/* For each query the rows of its nearest neighbours, best first; -1 where there are no
 * more. */
struct truth {
    const struct allocator *allocator; /* borrowed */
    int32_t *neighbors;                /* queries * depth; owned */
    size_t queries;
    uint32_t depth;
};

/* Read an .ivecs or .ibin file, or an .npy file of i4. Failures as of dataset_read(). */
enum status truth_read(struct truth *truth, const struct allocator *allocator,
                       const char *path, struct complaint *complaint);
void truth_free(struct truth *truth);

static inline const int32_t *truth_row(const struct truth *truth, size_t query) {
    return truth->neighbors + query * truth->depth;
}

/* What is searched: where, what for, by which metric, and among which rows. */
struct ground {
    const struct dataset *base, *queries;
    enum metric_choice metric;
    const uint32_t *tags; /* of each row of the base; NULL: no filter */
    uint32_t tag;         /* only rows with this one */
};

/* What the metric orders by: less is nearer. */
double ground_distance(const struct ground *ground, size_t query, size_t row);

/* Find the `depth` nearest of each query, equal distances by row, on `threads` threads.
 *
 * A first pass in binary32 keeps some more than are wanted, and these are ordered by
 * distances in binary64: exact for small integers such as SIFT's, and otherwise good to
 * about 1 part in 10^15. */
enum status truth_compute(struct truth *truth, const struct allocator *allocator,
                          const struct ground *ground, uint32_t depth, uint64_t threads,
                          struct complaint *complaint);

/* How much of the truth the searches found. */
struct recall {
    size_t queries; /* 0: not measured */
    double mean, least, p5, deviation;
};

/* The share of the `count` nearest of a query that stands in found[0 .. found_count). A
 * row also counts that is as near as the last of the truth (which needs the base); one
 * that is named twice counts once; negative ones never. Where the truth has fewer than
 * `count`, they are all that is wanted. */
double recall_of(const struct truth *truth, const struct ground *ground, size_t query,
                 const int32_t *found, size_t found_count, uint64_t count);

/* Figures over the shares of all queries, which are sorted by this. */
void recall_summarise(struct recall *recall, double *shares, size_t count);

#endif
