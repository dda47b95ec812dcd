/* Vectors and truths from the files that the field uses, read strictly: a file is what
 * its header says to the last byte, or it is refused with the place and the reason.
 *
 * .bvecs .fvecs .ivecs   rows of: int32 dimension, then so many u8, binary32 or int32
 * values, little-endian, the same dimension in every row .npy                   NumPy's
 * format, version 1 or 2: two dimensions in C order of u1, i4, f4 or f8, little-endian
 * random:N:DIM[:SEED]    N rows of uniform values in [-1, 1), the same on every machine
 *
 * Values are kept as little-endian binary32, the form in which they are sent, so that
 * loading copies nothing per command. int32 and binary64 values are rounded to nearest.
 */
#ifndef TOOLS_BENCHMARK_DATA_H
#define TOOLS_BENCHMARK_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "base/allocator.h"
#include "tools/benchmark_text.h"

struct dataset {
    const struct allocator *allocator; /* borrowed */
    uint8_t *blob;                     /* rows * dim values of four bytes; owned */
    size_t rows;
    uint32_t dim;
};

/* Read `source`, at most `limit` rows of it (0: all; at least one is there). `seed` is
 * for random: without one of its own. On failure nothing is to be freed.
 *
 * STATUS_INVALID: not such a file; the complaint says where. STATUS_NOT_FINITE: a value
 * is NaN or does not fit binary32. STATUS_IO, STATUS_MEMORY. */
enum status dataset_read(struct dataset *dataset, const struct allocator *allocator,
                         const char *source, size_t limit, uint64_t seed,
                         struct complaint *complaint);
void dataset_free(struct dataset *dataset);

static inline const uint8_t *dataset_row(const struct dataset *dataset, size_t row) {
    return dataset->blob + row * dataset->dim * 4;
}

float dataset_value(const struct dataset *dataset, size_t row, uint32_t column);

/* For each query the rows of its nearest neighbours, best first. */
struct truth {
    const struct allocator *allocator; /* borrowed */
    int32_t *neighbors;                /* queries * depth; owned */
    size_t queries;
    uint32_t depth;
};

/* Read an .ivecs file or an .npy file of i4. Failures as above. */
enum status truth_read(struct truth *truth, const struct allocator *allocator,
                       const char *path, struct complaint *complaint);
void truth_free(struct truth *truth);

static inline const int32_t *truth_row(const struct truth *truth, size_t query) {
    return truth->neighbors + query * truth->depth;
}

#endif
