/* Readers of vector files. One `struct layout` describes what all of the formats come
 * down to: a header, then rows of equal size, each maybe with its dimension in front. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_data.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"

#define DIM_MAX        65536
#define NPY_HEADER_MAX 65536

enum cell { CELL_U8, CELL_I32, CELL_F32, CELL_F64 };

static uint32_t cell_size(enum cell cell) {
    return cell == CELL_U8 ? 1 : cell == CELL_F64 ? 8 : 4;
}

struct layout {
    uint64_t header; /* bytes before the first row */
    uint64_t rows;
    uint32_t dim;
    enum cell cell;
    bool row_has_dimension; /* an int32 in front of each row */
};

static uint64_t row_size(const struct layout *layout) {
    return (layout->row_has_dimension ? 4 : 0) +
           (uint64_t)layout->dim * cell_size(layout->cell);
}

/* --- The vecs formats
 * ------------------------------------------------------------------- */

static enum status vecs_layout(FILE *file, const char *path, uint64_t size,
                               enum cell cell, struct layout *layout,
                               struct complaint *complaint) {
    uint8_t first[4];
    if (fread(first, 1, sizeof first, file) != sizeof first)
        return complain(complaint, STATUS_INVALID, "%s: too short for one row", path);
    uint32_t dim = load_le32(first);
    if (dim == 0 || dim > DIM_MAX)
        return complain(complaint, STATUS_INVALID,
                        "%s: the first row says dimension %" PRId32 ", not 1 to %d", path,
                        (int32_t)dim, DIM_MAX);
    *layout = (struct layout){.dim = dim, .cell = cell, .row_has_dimension = true};
    uint64_t each = row_size(layout);
    if (size % each != 0)
        return complain(complaint, STATUS_INVALID,
                        "%s: %" PRIu64 " bytes are not whole rows of %" PRIu64
                        " (dimension %" PRIu32 ")",
                        path, size, each, dim);
    layout->rows = size / each;
    return STATUS_OK;
}

/* --- NumPy
 * ------------------------------------------------------------------------------- */

static void skip_blanks(const char **cursor) {
    while (**cursor == ' ' || **cursor == '\n') (*cursor)++;
}

static bool skip_text(const char **cursor, const char *text) {
    skip_blanks(cursor);
    size_t size = strlen(text);
    if (strncmp(*cursor, text, size) != 0) return false;
    *cursor += size;
    return true;
}

static bool npy_descr(const char **cursor, enum cell *cell) {
    static const struct {
        const char *text;
        enum cell cell;
    } kinds[] = {{"'|u1'", CELL_U8},
                 {"'<i4'", CELL_I32},
                 {"'<f4'", CELL_F32},
                 {"'<f8'", CELL_F64}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (skip_text(cursor, kinds[i].text)) {
            *cell = kinds[i].cell;
            return true;
        }
    return false;
}

static bool npy_number(const char **cursor, uint64_t *value) {
    skip_blanks(cursor);
    char digits[21];
    size_t size = strspn(*cursor, "0123456789");
    if (size >= sizeof digits) return false;
    memcpy(digits, *cursor, size);
    digits[size] = '\0';
    *cursor += size;
    return text_unsigned(digits, value);
}

static bool npy_shape(const char **cursor, uint64_t *rows, uint64_t *columns) {
    if (!skip_text(cursor, "(") || !npy_number(cursor, rows)) return false;
    if (!skip_text(cursor, ",") || !npy_number(cursor, columns)) return false;
    skip_text(cursor, ",");
    return skip_text(cursor, ")");
}

/* The header is a Python dictionary with three keys in any order. NULL, or what is wrong.
 */
static const char *npy_header(const char *cursor, struct layout *layout) {
    uint64_t rows = 0, columns = 0;
    bool has_descr = false, has_order = false, has_shape = false;
    if (!skip_text(&cursor, "{")) return "the header is no dictionary";
    while (!skip_text(&cursor, "}")) {
        if (!has_descr && skip_text(&cursor, "'descr':")) {
            if (!npy_descr(&cursor, &layout->cell))
                return "descr is not one of |u1 <i4 <f4 <f8";
            has_descr = true;
        } else if (!has_order && skip_text(&cursor, "'fortran_order':")) {
            if (!skip_text(&cursor, "False")) return "it is in Fortran order";
            has_order = true;
        } else if (!has_shape && skip_text(&cursor, "'shape':")) {
            if (!npy_shape(&cursor, &rows, &columns))
                return "shape is not (rows, columns)";
            has_shape = true;
        } else {
            return "the header has another form";
        }
        skip_text(&cursor, ",");
    }
    skip_blanks(&cursor);
    if (*cursor != '\0') return "something stands after the header's dictionary";
    if (!has_descr || !has_order || !has_shape) return "the header lacks a key";
    if (columns == 0 || columns > DIM_MAX) return "rows do not have 1 to 65536 values";
    layout->rows = rows;
    layout->dim = (uint32_t)columns;
    return NULL;
}

static enum status npy_layout(FILE *file, const char *path, uint64_t size,
                              struct layout *layout, struct complaint *complaint) {
    uint8_t prefix[8]; /* magic and version */
    char header[NPY_HEADER_MAX + 1];
    const char *wrong = NULL;
    *layout = (struct layout){0};
    size_t length_size = 2;
    if (fread(prefix, 1, sizeof prefix, file) != sizeof prefix ||
        memcmp(prefix, "\x93NUMPY", 6) != 0)
        wrong = "it does not begin as a .npy file does";
    else if ((prefix[6] != 1 && prefix[6] != 2) || prefix[7] != 0)
        wrong = "its version is not 1.0 or 2.0";
    else if (prefix[6] == 2) length_size = 4;

    uint32_t length = 0;
    if (!wrong) {
        uint8_t bytes[4] = {0};
        if (fread(bytes, 1, length_size, file) != length_size) wrong = "it ends too soon";
        length = load_le32(bytes);
        if (length > NPY_HEADER_MAX) wrong = "its header is too long";
    }
    if (!wrong && fread(header, 1, length, file) != length) wrong = "it ends too soon";
    if (!wrong) {
        header[length] = '\0';
        wrong = npy_header(header, layout);
    }
    if (wrong) return complain(complaint, STATUS_INVALID, "%s: %s", path, wrong);

    layout->header = sizeof prefix + length_size + length;
    uint64_t wanted;
    if (__builtin_mul_overflow(layout->rows, row_size(layout), &wanted) ||
        __builtin_add_overflow(wanted, layout->header, &wanted) || wanted != size)
        return complain(complaint, STATUS_INVALID,
                        "%s: %" PRIu64 " bytes are not %" PRIu64 " rows of %" PRIu32
                        " values after a header of %" PRIu64,
                        path, size, layout->rows, layout->dim, layout->header);
    return STATUS_OK;
}

/* --- Any file
 * ------------------------------------------------------------------------------ */

static bool ends_with(const char *text, const char *ending) {
    size_t size = strlen(text), ending_size = strlen(ending);
    return size >= ending_size && strcmp(text + size - ending_size, ending) == 0;
}

static enum status file_layout(FILE *file, const char *path, struct layout *layout,
                               struct complaint *complaint) {
    struct stat facts;
    if (fstat(fileno(file), &facts) != 0 || !S_ISREG(facts.st_mode))
        return complain(complaint, STATUS_INVALID, "%s: not a regular file", path);
    uint64_t size = (uint64_t)facts.st_size;
    enum status status;
    if (ends_with(path, ".bvecs"))
        status = vecs_layout(file, path, size, CELL_U8, layout, complaint);
    else if (ends_with(path, ".fvecs"))
        status = vecs_layout(file, path, size, CELL_F32, layout, complaint);
    else if (ends_with(path, ".ivecs"))
        status = vecs_layout(file, path, size, CELL_I32, layout, complaint);
    else if (ends_with(path, ".npy"))
        status = npy_layout(file, path, size, layout, complaint);
    else
        return complain(complaint, STATUS_INVALID,
                        "%s: the name ends in none of .bvecs .fvecs .ivecs .npy", path);
    if (!status && layout->rows == 0)
        return complain(complaint, STATUS_INVALID, "%s: no rows", path);
    return status;
}

/* Open a file and learn its layout; the caller closes *file. */
static enum status file_open_rows(const char *path, FILE **file, struct layout *layout,
                                  struct complaint *complaint) {
    *file = fopen(path, "rb");
    if (!*file)
        return complain(complaint, STATUS_NOT_FOUND, "%s: cannot be opened", path);
    enum status status = file_layout(*file, path, layout, complaint);
    if (!status && fseeko(*file, (off_t)layout->header, SEEK_SET) != 0)
        status = complain(complaint, STATUS_IO, "%s: cannot be read", path);
    if (status) fclose(*file);
    return status;
}

/* Read row number `row`, the next one, into `bytes`, without its dimension. */
static enum status read_row(FILE *file, const char *path, const struct layout *layout,
                            uint64_t row, uint8_t *bytes, struct complaint *complaint) {
    uint8_t dimension[4];
    size_t size = (size_t)layout->dim * cell_size(layout->cell);
    if ((layout->row_has_dimension && fread(dimension, 1, 4, file) != 4) ||
        fread(bytes, 1, size, file) != size)
        return complain(complaint, STATUS_IO, "%s: row %" PRIu64 " cannot be read", path,
                        row);
    if (layout->row_has_dimension && load_le32(dimension) != layout->dim)
        return complain(complaint, STATUS_INVALID,
                        "%s: row %" PRIu64 " says dimension %" PRId32
                        ", the first says %" PRIu32,
                        path, row, (int32_t)load_le32(dimension), layout->dim);
    return STATUS_OK;
}

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
    if (cell == CELL_I32) return (float)(int32_t)load_le32(bytes);
    if (cell == CELL_F32) return load_float(bytes);
    uint64_t bits = load_le64(bytes);
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

/* --- Data sets
 * ---------------------------------------------------------------------------- */

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
                                   const struct layout *layout, struct dataset *dataset,
                                   struct complaint *complaint) {
    const uint32_t each = cell_size(layout->cell);
    const size_t row_bytes = (size_t)layout->dim * each;
    uint8_t *bytes = allocate(dataset->allocator, row_bytes);
    if (!bytes) return complain(complaint, STATUS_MEMORY, "no memory for a row");
    uint8_t *out = dataset->blob;
    enum status status = STATUS_OK;
    for (size_t row = 0; row < dataset->rows && !status; row++) {
        status = read_row(file, path, layout, row, bytes, complaint);
        for (uint32_t i = 0; i < layout->dim && !status; i++, out += 4) {
            float value = cell_value(layout->cell, bytes + (size_t)i * each);
            if (!isfinite(value))
                status = complain(complaint, STATUS_NOT_FINITE,
                                  "%s: row %zu, value %" PRIu32
                                  " is not a finite binary32 number",
                                  path, row, i);
            store_float(out, value);
        }
    }
    release(dataset->allocator, bytes, row_bytes);
    return status;
}

static enum status dataset_from_file(struct dataset *dataset,
                                     const struct allocator *allocator, const char *path,
                                     size_t limit, struct complaint *complaint) {
    FILE *file;
    struct layout layout;
    enum status status = file_open_rows(path, &file, &layout, complaint);
    if (status) return status;
    uint64_t rows = limit > 0 && limit < layout.rows ? limit : layout.rows;
    status = dataset_reserve(dataset, allocator, rows, layout.dim, complaint);
    if (!status) status = rows_to_dataset(file, path, &layout, dataset, complaint);
    if (status) dataset_free(dataset);
    fclose(file);
    return status;
}

/* SplitMix64: a counter, mixed. Small, and every seed is a good one. */
static uint64_t mix(uint64_t *counter) {
    uint64_t z = *counter += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* "N:DIM[:SEED]" after "random:". */
static bool parse_random(const char *text, uint64_t *rows, uint64_t *dim,
                         uint64_t *seed) {
    char part[24];
    uint64_t *values[] = {rows, dim, seed};
    for (size_t i = 0; i < 3; i++) {
        size_t size = strcspn(text, ":");
        if (size >= sizeof part) return false;
        memcpy(part, text, size);
        part[size] = '\0';
        if (!text_unsigned(part, values[i])) return false;
        text += size;
        if (*text == '\0') return i >= 1;
        text++;
    }
    return false;
}

static enum status dataset_from_random(struct dataset *dataset,
                                       const struct allocator *allocator,
                                       const char *source, size_t limit, uint64_t seed,
                                       struct complaint *complaint) {
    uint64_t rows = 0, dim = 0;
    if (!parse_random(source + strlen("random:"), &rows, &dim, &seed) || rows == 0 ||
        dim == 0 || dim > DIM_MAX)
        return complain(complaint, STATUS_INVALID,
                        "%s: wanted random:ROWS:DIMENSION[:SEED]", source);
    if (limit > 0 && limit < rows) rows = limit;
    enum status status =
        dataset_reserve(dataset, allocator, rows, (uint32_t)dim, complaint);
    if (status) return status;
    for (size_t i = 0; i < dataset->rows * dataset->dim; i++) {
        int32_t value = (int32_t)(mix(&seed) >> 40) - (1 << 23); /* 24 bits: exact */
        store_float(dataset->blob + i * 4, (float)value / (1 << 23));
    }
    return STATUS_OK;
}

enum status dataset_read(struct dataset *dataset, const struct allocator *allocator,
                         const char *source, size_t limit, uint64_t seed,
                         struct complaint *complaint) {
    if (strncmp(source, "random:", strlen("random:")) == 0)
        return dataset_from_random(dataset, allocator, source, limit, seed, complaint);
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

/* --- Truths
 * -------------------------------------------------------------------------------- */

static enum status rows_to_truth(FILE *file, const char *path,
                                 const struct layout *layout, struct truth *truth,
                                 struct complaint *complaint) {
    uint8_t *bytes = allocate(truth->allocator, (size_t)layout->dim * 4);
    if (!bytes) return complain(complaint, STATUS_MEMORY, "no memory for a row");
    enum status status = STATUS_OK;
    int32_t *out = truth->neighbors;
    for (size_t row = 0; row < truth->queries && !status; row++) {
        status = read_row(file, path, layout, row, bytes, complaint);
        for (uint32_t i = 0; i < layout->dim && !status; i++, out++) {
            *out = (int32_t)load_le32(bytes + (size_t)i * 4);
            if (*out < 0)
                status =
                    complain(complaint, STATUS_INVALID,
                             "%s: row %zu names the neighbour %" PRId32, path, row, *out);
        }
    }
    release(truth->allocator, bytes, (size_t)layout->dim * 4);
    return status;
}

enum status truth_read(struct truth *truth, const struct allocator *allocator,
                       const char *path, struct complaint *complaint) {
    FILE *file;
    struct layout layout;
    enum status status = file_open_rows(path, &file, &layout, complaint);
    if (status) return status;
    *truth = (struct truth){.allocator = allocator, .depth = layout.dim};
    size_t size;
    if (layout.cell != CELL_I32) {
        status =
            complain(complaint, STATUS_INVALID,
                     "%s: a truth holds int32 row numbers (.ivecs, or .npy of i4)", path);
    } else if (layout.rows <= SIZE_MAX &&
               size_multiply((size_t)layout.rows, (size_t)layout.dim * 4, &size)) {
        truth->queries = (size_t)layout.rows;
        truth->neighbors = allocate(allocator, size);
    }
    if (!status && !truth->neighbors)
        status = complain(complaint, STATUS_MEMORY, "%s: no memory for it", path);
    if (!status) status = rows_to_truth(file, path, &layout, truth, complaint);
    if (status) truth_free(truth);
    fclose(file);
    return status;
}

void truth_free(struct truth *truth) {
    if (truth->neighbors)
        release(truth->allocator, truth->neighbors, truth->queries * truth->depth * 4);
    *truth = (struct truth){0};
}
