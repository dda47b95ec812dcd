/* Where the rows of a vector file stand: what all of the formats come down to is a
 * header, then rows of equal size, each maybe with its dimension in front. */
#ifndef TOOLS_BENCHMARK_LAYOUT_H
#define TOOLS_BENCHMARK_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/benchmark_text.h"

#define DIM_MAX 65536

enum cell { CELL_U8, CELL_I8, CELL_I32, CELL_F32, CELL_F64 };

uint32_t cell_size(enum cell cell);

struct layout {
    uint64_t header; /* bytes before the first row */
    uint64_t rows;
    uint32_t dim;
    enum cell cell;
    bool row_has_dimension; /* an int32 in front of each row */
};

/* Open a file by the ending of its name and learn its layout, which the file's size must
 * bear out; it stands at its first row then. The caller closes *file. STATUS_NOT_FOUND,
 * STATUS_INVALID, STATUS_IO. */
enum status layout_open(const char *path, FILE **file, struct layout *layout,
                        struct complaint *complaint);

/* Go to a row, which is there. */
enum status layout_seek(FILE *file, const char *path, const struct layout *layout,
                        uint64_t row, struct complaint *complaint);

/* Read row number `row`, the next one, into `bytes`, without its dimension. */
enum status layout_read_row(FILE *file, const char *path, const struct layout *layout,
                            uint64_t row, uint8_t *bytes, struct complaint *complaint);

#endif
