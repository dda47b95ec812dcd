/* Headers of vector files, read strictly: a file is what its header says to the last
 * byte, or it is refused with the place and the reason. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_layout.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"

#define NPY_HEADER_MAX 65536

uint32_t cell_size(enum cell cell) {
    return cell == CELL_U8 || cell == CELL_I8 ? 1 : cell == CELL_F64 ? 8 : 4;
}

static uint64_t row_size(const struct layout *layout) {
    return (layout->row_has_dimension ? 4 : 0) +
           (uint64_t)layout->dim * cell_size(layout->cell);
}

/* --- The vecs formats ------------------------------- */

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

/* --- The bin formats ------------------------------- */

/* uint32 rows, uint32 dimension, then the values. */
static enum status bin_layout(FILE *file, const char *path, uint64_t size, enum cell cell,
                              struct layout *layout, struct complaint *complaint) {
    uint8_t head[8];
    if (fread(head, 1, sizeof head, file) != sizeof head)
        return complain(complaint, STATUS_INVALID, "%s: too short for its header", path);
    *layout = (struct layout){.header = sizeof head,
                              .rows = load_le32(head),
                              .dim = load_le32(head + 4),
                              .cell = cell};
    if (layout->dim == 0 || layout->dim > DIM_MAX)
        return complain(complaint, STATUS_INVALID,
                        "%s: it says dimension %" PRIu32 ", not 1 to %d", path,
                        layout->dim, DIM_MAX);
    if (layout->rows * row_size(layout) + sizeof head != size)
        return complain(complaint, STATUS_INVALID,
                        "%s: %" PRIu64 " bytes are not %" PRIu64 " rows of %" PRIu32
                        " values after a header of 8",
                        path, size, layout->rows, layout->dim);
    return STATUS_OK;
}

/* --- NumPy ------------------------------- */

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
    } cells[] = {{"'|u1'", CELL_U8},
                 {"'|i1'", CELL_I8},
                 {"'<i4'", CELL_I32},
                 {"'<f4'", CELL_F32},
                 {"'<f8'", CELL_F64}};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        if (skip_text(cursor, cells[i].text)) {
            *cell = cells[i].cell;
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
                return "descr is not one of |u1 |i1 <i4 <f4 <f8";
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

/* The header says what the cells are; `cell` is not looked at. */
static enum status npy_layout(FILE *file, const char *path, uint64_t size, enum cell cell,
                              struct layout *layout, struct complaint *complaint) {
    (void)cell;
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

/* --- Any file ------------------------------- */

static bool ends_with(const char *text, const char *ending) {
    size_t size = strlen(text), ending_size = strlen(ending);
    return size >= ending_size && strcmp(text + size - ending_size, ending) == 0;
}

static const struct {
    const char *ending;
    enum cell cell;
    enum status (*read)(FILE *file, const char *path, uint64_t size, enum cell cell,
                        struct layout *layout, struct complaint *complaint);
} kinds[] = {{".bvecs", CELL_U8, vecs_layout},  {".fvecs", CELL_F32, vecs_layout},
             {".ivecs", CELL_I32, vecs_layout}, {".fbin", CELL_F32, bin_layout},
             {".u8bin", CELL_U8, bin_layout},   {".i8bin", CELL_I8, bin_layout},
             {".ibin", CELL_I32, bin_layout},   {".npy", CELL_F32, npy_layout}};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static enum status file_layout(FILE *file, const char *path, struct layout *layout,
                               struct complaint *complaint) {
    struct stat facts;
    if (fstat(fileno(file), &facts) != 0 || !S_ISREG(facts.st_mode))
        return complain(complaint, STATUS_INVALID, "%s: not a regular file", path);
    uint64_t size = (uint64_t)facts.st_size;
    enum status status = STATUS_INVALID;
    size_t kind = 0;
    while (kind < KIND_COUNT && !ends_with(path, kinds[kind].ending)) kind++;
    if (kind < KIND_COUNT)
        status = kinds[kind].read(file, path, size, kinds[kind].cell, layout, complaint);
    else
        complain(complaint, status,
                 "%s: the name ends in none of .bvecs .fvecs .ivecs .npy .fbin .u8bin "
                 ".i8bin .ibin",
                 path);
    if (!status && layout->rows == 0)
        return complain(complaint, STATUS_INVALID, "%s: no rows", path);
    return status;
}

enum status layout_open(const char *path, FILE **file, struct layout *layout,
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

enum status layout_seek(FILE *file, const char *path, const struct layout *layout,
                        uint64_t row, struct complaint *complaint) {
    uint64_t offset = layout->header + row * row_size(layout);
    if (fseeko(file, (off_t)offset, SEEK_SET) == 0) return STATUS_OK;
    return complain(complaint, STATUS_IO, "%s: cannot be read", path);
}

enum status layout_read_row(FILE *file, const char *path, const struct layout *layout,
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
