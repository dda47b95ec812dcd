/* The doubles that clients see. Nothing here flows back into an answer's order. */
#include "server/score.h"

#include <math.h>
#include <string.h>

static double cosine_score(const struct search *search, const struct hit *hit) {
    if (search->query_norm == 0 || hit->norm == 0) return 0.5;
    /* The root of the product, not the product of the roots: the root of n * n is n, so
     * that a vector's score with itself is exactly 1. */
    double norms = sqrt((double)search->query_norm * (double)hit->norm);
    double score = (1.0 + (double)hit->product / norms) / 2.0;
    return score < 0.0 ? 0.0 : score > 1.0 ? 1.0 : score;
}

double score_of(const struct search *search, const struct hit *hit) {
    switch (collection_config(search->collection)->metric) {
    case METRIC_L2:
        return ldexp((double)hit->distance, -32);
    case METRIC_IP:
        return ldexp((double)hit->product, -32);
    default:
        return cosine_score(search, hit);
    }
}

double score_value(int32_t value, int exponent) { return ldexp(value, exponent - 16); }

double score_fp32(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}
