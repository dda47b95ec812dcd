/* Truths. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_truth.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tools/benchmark_layout.h"

/* --- Out of a file ------------------------------------------------------------------ */

static enum status rows_to_truth(FILE *file, const char *path,
                                 const struct layout *layout, struct truth *truth,
                                 struct complaint *complaint) {
    uint8_t *bytes = allocate(truth->allocator, (size_t)layout->dim * 4);
    if (!bytes) return complain(complaint, STATUS_MEMORY, "no memory for a row");
    enum status status = STATUS_OK;
    int32_t *out = truth->neighbors;
    for (size_t row = 0; row < truth->queries && !status; row++) {
        status = layout_read_row(file, path, layout, row, bytes, complaint);
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
    *truth = (struct truth){0};
    enum status status = layout_open(path, &file, &layout, complaint);
    if (status) return status;
    *truth = (struct truth){.allocator = allocator, .depth = layout.dim};
    size_t size;
    if (layout.cell != CELL_I32) {
        status = complain(
            complaint, STATUS_INVALID,
            "%s: a truth holds int32 row numbers (.ivecs, .ibin, or .npy of i4)", path);
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

/* --- Distances ---------------------------------------------------------------------- */

double ground_distance(const struct ground *ground, size_t query, size_t row) {
    double square = 0, dot = 0, norm = 0;
    for (uint32_t i = 0; i < ground->base->dim; i++) {
        double a = (double)dataset_value(ground->queries, query, i);
        double b = (double)dataset_value(ground->base, row, i);
        square += (a - b) * (a - b);
        dot += a * b;
        norm += b * b;
    }
    if (ground->metric == USE_L2) return square;
    if (ground->metric == USE_IP) return -dot;
    return norm > 0 ? -dot / sqrt(norm) : 0;
}

/* --- Recall ------------------------------------------------------------------------- */

static bool is_among(const int32_t *rows, size_t count, int32_t row) {
    for (size_t i = 0; i < count; i++)
        if (rows[i] == row) return true;
    return false;
}

/* True if `row` ties with the last neighbour of the truth, or is nearer. */
static bool is_as_near(const struct ground *ground, size_t query, int32_t row,
                       int32_t last) {
    if ((size_t)row >= ground->base->rows || (size_t)last >= ground->base->rows)
        return false;
    if (ground->tags && ground->tags[row] != ground->tag) return false;
    double wanted = ground_distance(ground, query, (size_t)last);
    return ground_distance(ground, query, (size_t)row) <= wanted + fabs(wanted) * 1e-12;
}

double recall_of(const struct truth *truth, const struct ground *ground, size_t query,
                 const int32_t *found, size_t found_count, uint64_t count) {
    const int32_t *rows = truth_row(truth, query);
    size_t wanted = 0, hits = 0;
    while (wanted < count && wanted < truth->depth && rows[wanted] >= 0) wanted++;
    if (wanted == 0) return 1;
    for (size_t i = 0; i < found_count; i++)
        if (found[i] >= 0 && !is_among(found, i, found[i]) &&
            (is_among(rows, wanted, found[i]) ||
             is_as_near(ground, query, found[i], rows[wanted - 1])))
            hits++;
    return hits < wanted ? (double)hits / (double)wanted : 1;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void recall_summarise(struct recall *recall, double *shares, size_t count) {
    double sum = 0, squares = 0;
    *recall = (struct recall){.queries = count};
    if (count == 0) return;
    qsort(shares, count, sizeof *shares, by_value);
    for (size_t i = 0; i < count; i++) sum += shares[i];
    recall->mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (shares[i] - recall->mean) * (shares[i] - recall->mean);
    recall->deviation = sqrt(squares / (double)count);
    recall->least = shares[0];
    recall->p5 = shares[count / 20];
}
