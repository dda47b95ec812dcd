/* Data sets: a file or a part of one, or synthetic rows, as binary32. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_data.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "tools/benchmark_layout.h"
#include "tools/benchmark_synthetic.h"

#define PATH_SIZE 4096

static void store_float(uint8_t *bytes, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    store_le32(bytes, bits);
}

static float load_float(const uint8_t *bytes) {
    uint32_t bits = load_le32(bytes);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float cell_value(enum cell cell, const uint8_t *bytes) {
    if (cell == CELL_U8) return (float)bytes[0];
    if (cell == CELL_I8) return (float)(int8_t)bytes[0];
    if (cell == CELL_I32) return (float)(int32_t)load_le32(bytes);
    if (cell == CELL_F32) return load_float(bytes);
    uint64_t bits = load_le64(bytes);
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

/* --- Data sets ------------------------------- */

static enum status dataset_reserve(struct dataset *dataset,
                                   const struct allocator *allocator, uint64_t rows,
                                   uint32_t dim, struct complaint *complaint) {
    size_t size;
    *dataset = (struct dataset){.allocator = allocator, .rows = (size_t)rows, .dim = dim};
    if (rows <= SIZE_MAX && size_multiply((size_t)rows, (size_t)dim * 4, &size))
        dataset->blob = allocate(allocator, size);
    if (!dataset->blob)
        return complain(complaint, STATUS_MEMORY,
                        "no memory for %" PRIu64 " rows of %" PRIu32 " values", rows,
                        dim);
    return STATUS_OK;
}

static enum status rows_to_dataset(FILE *file, const char *path,
                                   const struct layout *layout, uint64_t first,
                                   struct dataset *dataset, struct complaint *complaint) {
    const uint32_t each = cell_size(layout->cell);
    const size_t row_bytes = (size_t)layout->dim * each;
    uint8_t *bytes = allocate(dataset->allocator, row_bytes);
    if (!bytes) return complain(complaint, STATUS_MEMORY, "no memory for a row");
    uint8_t *out = dataset->blob;
    enum status status = STATUS_OK;
    for (size_t row = 0; row < dataset->rows && !status; row++) {
        status = layout_read_row(file, path, layout, first + row, bytes, complaint);
        for (uint32_t i = 0; i < layout->dim && !status; i++, out += 4) {
            float value = cell_value(layout->cell, bytes + (size_t)i * each);
            if (!isfinite(value))
                status = complain(complaint, STATUS_NOT_FINITE,
                                  "%s: row %" PRIu64 ", value %" PRIu32
                                  " is not a finite binary32 number",
                                  path, first + row, i);
            store_float(out, value);
        }
    }
    release(dataset->allocator, bytes, row_bytes);
    return status;
}

/* "FROM:TO" after the '@' of a source; TO may be missing. */
static bool parse_part(const char *text, uint64_t *from, uint64_t *to) {
    char first[24];
    size_t size = strcspn(text, ":");
    if (size >= sizeof first) return false;
    memcpy(first, text, size);
    first[size] = '\0';
    if (!text_unsigned(first, from)) return false;
    if (text[size] == '\0' || text[size + 1] == '\0') return true;
    return text_unsigned(text + size + 1, to);
}

static enum status dataset_from_file(struct dataset *dataset,
                                     const struct allocator *allocator,
                                     const char *source, size_t limit,
                                     struct complaint *complaint) {
    FILE *file;
    struct layout layout;
    char path[PATH_SIZE];
    const char *at = strrchr(source, '@');
    uint64_t from = 0, to = UINT64_MAX;
    size_t size = at ? (size_t)(at - source) : strlen(source);
    if (size >= sizeof path || (at && !parse_part(at + 1, &from, &to)))
        return complain(complaint, STATUS_INVALID, "%s: wanted FILE or FILE@FROM:TO",
                        source);
    memcpy(path, source, size);
    path[size] = '\0';
    enum status status = layout_open(path, &file, &layout, complaint);
    if (status) return status;
    if (to > layout.rows) to = layout.rows;
    if (from >= to)
        status = complain(complaint, STATUS_INVALID,
                          "%s: it has %" PRIu64 " rows, and none of these", source,
                          layout.rows);
    uint64_t rows = to - from;
    if (limit > 0 && limit < rows) rows = limit;
    if (!status) status = layout_seek(file, path, &layout, from, complaint);
    if (!status)
        status = dataset_reserve(dataset, allocator, rows, layout.dim, complaint);
    if (!status) {
        status = rows_to_dataset(file, path, &layout, from, dataset, complaint);
        if (status) dataset_free(dataset);
    }
    fclose(file);
    return status;
}

static enum status dataset_synthetic(struct dataset *dataset,
                                     const struct allocator *allocator,
                                     const char *source, size_t limit, uint64_t seed,
                                     struct complaint *complaint) {
    struct synthetic synthetic;
    if (!synthetic_parse(source, seed, &synthetic) || synthetic.dim > DIM_MAX)
        return complain(complaint, STATUS_INVALID,
                        "%s: wanted uniform:ROWS:DIM[:SEED], gauss:.. or "
                        "cluster:K:ROWS:DIM[:SEED]",
                        source);
    uint64_t rows = limit > 0 && limit < synthetic.rows ? limit : synthetic.rows;
    enum status status =
        dataset_reserve(dataset, allocator, rows, (uint32_t)synthetic.dim, complaint);
    for (size_t row = 0; row < dataset->rows && !status; row++)
        for (uint32_t i = 0; i < dataset->dim; i++)
            store_float(dataset->blob + (row * dataset->dim + i) * 4,
                        synthetic_value(&synthetic, row, i));
    return status;
}

enum status dataset_read(struct dataset *dataset, const struct allocator *allocator,
                         const char *source, size_t limit, uint64_t seed,
                         struct complaint *complaint) {
    *dataset = (struct dataset){0};
    if (synthetic_is(source))
        return dataset_synthetic(dataset, allocator, source, limit, seed, complaint);
    return dataset_from_file(dataset, allocator, source, limit, complaint);
}

void dataset_free(struct dataset *dataset) {
    if (dataset->blob)
        release(dataset->allocator, dataset->blob, dataset->rows * dataset->dim * 4);
    *dataset = (struct dataset){0};
}

float dataset_value(const struct dataset *dataset, size_t row, uint32_t column) {
    return load_float(dataset_row(dataset, row) + (size_t)column * 4);
}
