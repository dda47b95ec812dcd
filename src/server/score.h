/* The doubles that clients see, made from the exact integers. */
#ifndef SERVER_SCORE_H
#define SERVER_SCORE_H

#include "kernel/search.h"

/* COSINE: (1 + cos) / 2 in [0, 1], exactly 1 for a vector and itself, 0.5 where one is
 * zero. L2: the squared distance. IP: the product. */
double score_of(const struct search *search, const struct hit *hit);

/* A stored value as a double: value * 2^(exponent - 16), exact. */
double score_value(int32_t value, int exponent);

/* An IEEE binary32 given by its bits. */
double score_fp32(uint32_t bits);

#endif
