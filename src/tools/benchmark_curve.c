/* Envelopes and interpolation. */
#include "tools/benchmark_curve.h"

#include <math.h>
#include <stdlib.h>

const double curve_levels[CURVE_LEVELS] = {0.90, 0.95, 0.98, 0.99, 0.999};

void curve_add(struct curve *curve, double recall, double rate) {
    if (curve->count == CURVE_POINTS_MAX) return;
    curve->points[curve->count++] = (struct curve_point){.recall = recall, .rate = rate};
}

/* By falling recall, then by falling rate. */
static int by_recall(const void *a, const void *b) {
    const struct curve_point *x = a, *y = b;
    if (x->recall != y->recall) return x->recall > y->recall ? -1 : 1;
    return x->rate > y->rate ? -1 : x->rate < y->rate;
}

void curve_envelope(struct curve *curve) {
    size_t kept = 0;
    double fastest = 0;
    if (curve->count > 0)
        qsort(curve->points, curve->count, sizeof curve->points[0], by_recall);
    for (size_t i = 0; i < curve->count; i++)
        if (curve->points[i].rate > fastest) {
            fastest = curve->points[i].rate;
            curve->points[kept++] = curve->points[i];
        }
    for (size_t i = 0; i < kept / 2; i++) {
        struct curve_point point = curve->points[i];
        curve->points[i] = curve->points[kept - 1 - i];
        curve->points[kept - 1 - i] = point;
    }
    curve->count = kept;
}

double curve_rate(const struct curve *curve, double recall) {
    const struct curve_point *points = curve->points;
    size_t next = 0;
    while (next < curve->count && points[next].recall < recall) next++;
    if (next == curve->count) return 0;
    if (next == 0 || points[next].recall == recall) return points[next].rate;
    const struct curve_point *low = &points[next - 1], *high = &points[next];
    double share = (recall - low->recall) / (high->recall - low->recall);
    return exp(log(low->rate) + share * (log(high->rate) - log(low->rate)));
}
