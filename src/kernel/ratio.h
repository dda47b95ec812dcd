/* The order of cosine similarities, exactly and without a division. */
#ifndef KERNEL_RATIO_H
#define KERNEL_RATIO_H

#include <stdint.h>

/* One candidate b against a fixed query: the product of the two, and |b|^2. The query's
 * own norm is the same for all and does not change their order. Stored cosine vectors
 * keep within |dot| <= 2^50 and norm <= 2^50; the comparison is exact for every value. */
struct cosine {
    int64_t dot;
    uint64_t norm;
};

/* <0 if `a` is nearer to the query than `b`, 0 if both are equally near, >0 if `b` is:
 * the order of sign(dot) * dot^2 / norm, greatest first. Norm 0, the zero vector, counts
 * as ratio 0, the same as dot 0. */
int cosine_compare(const struct cosine *a, const struct cosine *b);

#endif
