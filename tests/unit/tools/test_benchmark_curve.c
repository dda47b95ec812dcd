/* tools/benchmark_curve: envelopes, and rates between their points. */
#include "tools/benchmark_curve.h"

#include <math.h>

#include "test.h"

static void nothing_gives_nothing(void) {
    struct curve curve = {.count = 0};
    curve_envelope(&curve);
    EXPECT_EQUAL(curve.count, 0);
    EXPECT(curve_rate(&curve, 0.9) == 0);
}

static void points_that_lose_are_dropped(void) {
    struct curve curve = {.count = 0};
    curve_add(&curve, 0.95, 1000);
    curve_add(&curve, 0.90, 900); /* slower and worse */
    curve_add(&curve, 0.99, 100);
    curve_add(&curve, 0.99, 120); /* the same recall, faster */
    curve_add(&curve, 0.80, 4000);
    curve_envelope(&curve);
    EXPECT_EQUAL(curve.count, 3);
    EXPECT(curve.points[0].recall == 0.80 && curve.points[1].recall == 0.95);
    EXPECT(curve.points[2].rate == 120);
}

static void rates_between_are_logarithmic(void) {
    struct curve curve = {.count = 0};
    curve_add(&curve, 0.90, 1000);
    curve_add(&curve, 0.98, 10);
    curve_envelope(&curve);
    EXPECT(fabs(curve_rate(&curve, 0.94) - 100) < 1e-9);
    EXPECT(curve_rate(&curve, 0.98) == 10);
    EXPECT(curve_rate(&curve, 0.90) == 1000);
    EXPECT(curve_rate(&curve, 0.50) == 1000); /* never more than was measured */
    EXPECT(curve_rate(&curve, 0.981) == 0);   /* not reached */
}

static void more_points_than_room(void) {
    struct curve curve = {.count = 0};
    for (int i = 0; i < CURVE_POINTS_MAX + 5; i++) curve_add(&curve, 0.001 * i, 100 - i);
    EXPECT_EQUAL(curve.count, CURVE_POINTS_MAX);
}

int main(void) {
    RUN(nothing_gives_nothing);
    RUN(points_that_lose_are_dropped);
    RUN(rates_between_are_logarithmic);
    RUN(more_points_than_room);
    return test_finish();
}
