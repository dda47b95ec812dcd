/* Distances between vectors of int32, and the other loops over vectors, in the form that
 * is best for this CPU.
 *
 * distance.c holds the portable definition: what it computes is what the word means. Each
 * file of simd/ holds the same functions for one instruction set, equal bit for bit on
 * every input, also where sums wrap (tests/unit/kernel/test_distance.c, and
 * distance_self_check() at start-up). So the choice of one is a matter of speed and never
 * of an answer.
 *
 * With Q16.16 values a product or a squared difference counts in units of 2^-32. */
#ifndef KERNEL_DISTANCE_H
#define KERNEL_DISTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/int128.h"

/* The greatest bit pattern among the values without a sign bit, and among those with one
 * (the sign bit included). 0 where there is none of the kind. */
struct fp32_extent {
    uint32_t positive, negative;
};

/* Rows of a pool, and queries, start at a multiple of DISTANCE_ALIGNMENT bytes and are
 * padded with zeros to a multiple of DISTANCE_STRIDE values. */
#define DISTANCE_ALIGNMENT 64
#define DISTANCE_STRIDE    16

/* In each function `dim` is 1 to VECTOR_DIM_MAX and pointers need the alignment of their
 * type alone, unless it says otherwise. Nothing is allocated, nothing kept. */
struct distance_functions {
    const char *name;

    /* Sum of a[i] * b[i], and of (a[i] - b[i])^2. Exact where dot_fits_64() and
     * l2_fits_64() say so; beyond, differences wrap to 32 bits and sums to 64. */
    int64_t (*dot)(const int32_t *a, const int32_t *b, uint32_t dim);
    int64_t (*l2)(const int32_t *a, const int32_t *b, uint32_t dim);

    /* The same, exact for every input. */
    void (*dot_wide)(const int32_t *a, const int32_t *b, uint32_t dim, int128 *result);
    void (*l2_wide)(const int32_t *a, const int32_t *b, uint32_t dim, uint128 *result);

    /* The scan: out[i] is dot() or l2() of the query and the row at rows + i * stride.
     * `stride` is a multiple of DISTANCE_STRIDE, up to VECTOR_DIM_MAX; query and rows are
     * aligned to DISTANCE_ALIGNMENT. Adjacent rows stream from memory at nearly its full
     * speed. */
    void (*dot_rows)(const int32_t *query, const int32_t *rows, uint32_t stride,
                     uint32_t count, int64_t *out);
    void (*l2_rows)(const int32_t *query, const int32_t *rows, uint32_t stride,
                    uint32_t count, int64_t *out);

    /* The bit length of the greatest |values[i]|: 0 to 32. */
    uint32_t (*max_bits)(const int32_t *values, uint32_t dim);

    /* The loops of fixed_from_fp32() and fixed_from_fp32_scaled(), which check what comes
     * between them: every result of fp32_convert() must fit int32. out[i] is the value of
     * blob[i] times 2^(16 - exponent), rounded half to even; `exponent` is -128 to 127.
     * `blob` has no alignment. */
    struct fp32_extent (*fp32_extent)(const uint8_t *blob, uint32_t dim);
    void (*fp32_convert)(const uint8_t *blob, uint32_t dim, int exponent, int32_t *out);
};

/* The functions of one kind; NULL where this build has none. The CPU is not asked. */
const struct distance_functions *distance_portable(void);
const struct distance_functions *distance_sse41(void);
const struct distance_functions *distance_avx2(void);
const struct distance_functions *distance_avx512(void);
const struct distance_functions *distance_neon(void);

/* Choose for this process, once, before any work and any thread: the fastest kind that
 * this CPU has, or the one named `force` ("portable", "sse4.1", "avx2", "avx512", "neon").
 * Gives what was chosen; NULL, and nothing changes, where `force` is unknown or this CPU lacks
 * it. */
const struct distance_functions *distance_select(const char *force);

/* What was chosen; the portable ones until then. */
const struct distance_functions *distance(void);

/* True if `functions` agree with the portable ones on inputs made to find the faults of
 * vector code: every length 1 to 130, extreme values, sums that wrap, ties. Under a
 * millisecond or two. */
bool distance_self_check(const struct distance_functions *functions);

/* May dot() or l2() be used where no |value| on either side has more than `bits` bits?
 * Otherwise use the wide form. These bound the worst case: dim times the greatest product
 * stays below 2^63. */
bool dot_fits_64(uint32_t bits, uint32_t dim);
bool l2_fits_64(uint32_t bits, uint32_t dim);

#endif
