/* Vectors from the files that the field uses, or made up by a rule.
 *
 * .bvecs .fvecs .ivecs        rows of: int32 dimension, then so many u8, binary32 or
 *                             int32, little-endian, the same dimension in every row
 * .fbin .u8bin .i8bin .ibin   uint32 rows, uint32 dimension, then binary32, u8, i8 or
 *                             int32 values
 * .npy                        NumPy's format, version 1 or 2: two dimensions in C order
 *                             of u1, i1, i4, f4 or f8, little-endian
 * FILE@FROM:TO                the rows FROM to TO - 1 of such a file
 * uniform: gauss: cluster:    see benchmark_synthetic.h
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

#endif
