/* Codes: one byte a value, with which a search finds its way before the stored values
 * decide.
 *
 * A code row stands for a vector near the one it was made from, and everything below is
 * exact for that vector, in integers: the same on every machine. No code depends on
 * another row or on what a collection has seen, so that a row never changes because
 * others came.
 *
 * What a row stands for: values scale * (c + centre) / 128, where c is the byte less 128.
 *  - Lattice rows (L2 and IP, every value one of 0, 1 .. 255 in Q16.16): c = x - 128,
 * centre 128, scale 2^23. Nothing is lost.
 *  - All others: c in -127 .. 127, centre 0, and a scale of the row's own, so that the
 * greatest |value| has |c| = 127. Where the values are k * 2^t with |k| <= 127 (L2 and
 * IP) the scale is 2^(t + 7), c is k, and nothing is lost.
 *
 * A *key* orders candidates: smaller is nearer. It is a 32-bit integer that grows with
 *  - L2: the squared distance between what the two codes stand for,
 *  - COSINE: 1 less the cosine of the angle between them (a zero vector's cosine is 0),
 *  - IP: minus their product.
 * It does not depend on which of the two is the query, and keys of different pairs
 * compare. L2 and IP keys keep the leading 26 and 25 bits of those numbers: between
 * lattice rows of at most 1,024 and 512 dimensions they order as the stored values do.
 *
 * Bounds, with D = 65,536 dimensions: |byte * c| sums to at most 255 * 128 * D =
 * 2,139,095,040 < 2^31; |c * c| to 2^30; (c + centre)^2 to 255^2 * D < 2^32. See code.c
 * for the rest. */
#ifndef KERNEL_CODE_H
#define KERNEL_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/int128.h"
#include "kernel/change.h"

/* A code row begins at a multiple of CODE_ALIGNMENT bytes and has as many; the bytes
 * beyond the dimension are neutral. */
#define CODE_ALIGNMENT 64

/* What is kept beside a code row. L2 and IP, lattice rows: sum of c^2, and sum of c +
 * 2^23; all others: scale, and CODE_SCALED | (CODE_EXACT where nothing is lost) | sum of
 * c^2. COSINE: 2^37 / |c|, and the chord between the two directions in units of 2^-30,
 * rounded up. */
struct code_facts {
    uint32_t a, b;
};
#define CODE_SCALED ((uint32_t)1 << 31)
#define CODE_EXACT  ((uint32_t)1 << 30)

static inline bool code_lattice(uint8_t metric, const struct code_facts *facts) {
    return metric != METRIC_COSINE && !(facts->b & CODE_SCALED);
}

/* Bytes of a code row of `dim` values. */
uint32_t code_stride(uint32_t dim);

/* Make the code of `dim` values (1 to VECTOR_DIM_MAX, of a collection with this metric).
 * `row` has code_stride(dim) bytes. */
void code_encode(uint8_t metric, const int32_t *values, uint32_t dim, uint8_t *row,
                 struct code_facts *facts);

/* What keys are taken from. */
struct code_query {
    const int8_t *codes; /* c, zeros beyond dim */
    uint8_t metric;
    bool lattice;
    uint32_t dim, stride;
    int32_t sum;     /* of c */
    uint32_t scale;  /* COSINE: 2^37 / |c| */
    uint32_t chord;  /* COSINE: facts.b of its code; 0 otherwise */
    uint32_t norm;   /* sum of (c + centre)^2; 0 for COSINE */
    uint32_t square; /* sum of c^2; 0 for COSINE */
};

/* A query from values as a row has them, or from a row itself. `room` has
 * code_stride(dim) bytes aligned to CODE_ALIGNMENT and is borrowed while the query is
 * used. */
void code_query_begin(struct code_query *query, uint8_t metric, const int32_t *values,
                      uint32_t dim, int8_t *room);
void code_query_row(struct code_query *query, uint8_t metric, uint32_t dim,
                    const uint8_t *row, const struct code_facts *facts, int8_t *room);

/* keys[i] of the query and rows[i], for i < count; rows are read four at a time. */
void code_keys(const struct code_query *query, const uint8_t *const *rows,
               const struct code_facts *const *facts, uint32_t count, uint32_t *keys);

/* The same of a lattice query of L2 (query->lattice) and lattice rows: facts are not
 * read. And the sum of (c - c)^2, which is the squared distance of the stored values in
 * units of 1. */
void code_lattice_keys(const struct code_query *query, const uint8_t *const *rows,
                       uint32_t count, uint32_t *keys);
void code_squares(const struct code_query *query, const uint8_t *const *rows,
                  uint32_t count, uint32_t *squares);

/* The two halves of code_keys(): dots[i] is the sum of the query's c times the row's, and
 * a key is made of one. (The key of rows without loss needs no more than `dots` and
 * facts.) */
void code_dots(const struct code_query *query, const uint8_t *const *rows, uint32_t count,
               int32_t *dots);
uint32_t code_key(const struct code_query *query, const uint8_t *row,
                  const struct code_facts *facts, int32_t dot);

/* The key of two codes whose squared distance (L2) or product (IP) is this, in units of
 * 2^-14 of those of stored values; a product's size is below 2^96. Both are monotone. */
uint32_t code_key_of_distance(uint128 distance);
uint32_t code_key_of_product(int128 product);

#endif
