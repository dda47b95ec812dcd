/* Rate against recall: what a sweep over EF says about a system, and how two of them
 * compare at equal recall. */
#ifndef TOOLS_BENCHMARK_CURVE_H
#define TOOLS_BENCHMARK_CURVE_H

#include <stddef.h>

struct curve_point {
    double recall, rate;
};

#define CURVE_POINTS_MAX 32

struct curve {
    struct curve_point points[CURVE_POINTS_MAX];
    size_t count;
};

/* The recalls at which curves are compared. */
#define CURVE_LEVELS 5
extern const double curve_levels[CURVE_LEVELS]; /* 0.90 0.95 0.98 0.99 0.999 */

/* Add a point; more than there is room for are left out. */
void curve_add(struct curve *curve, double recall, double rate);

/* Drop every point that another beats or equals in both, and sort by rising recall. */
void curve_envelope(struct curve *curve);

/* The rate at a recall of at least `recall`, of an envelope: between two points the
 * logarithm of the rate is linear in the recall; below the first point its rate, since
 * nothing is known that is faster; above the last 0. */
double curve_rate(const struct curve *curve, double recall);

#endif
