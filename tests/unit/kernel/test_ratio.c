/* The order of cosine ratios: golden rows, an oracle of 192 bits made another way, and
 * the laws of a total order. */
#include "test.h"

#include "base/int128.h"
#include "kernel/ratio.h"

#define LIMIT ((int64_t)1 << 50)

static uint64_t random_state = 123456789123456789;
static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static int sign_of(int value) { return (value > 0) - (value < 0); }

static int compare(int64_t dot_a, uint64_t norm_a, int64_t dot_b, uint64_t norm_b) {
    struct cosine a = {dot_a, norm_a}, b = {dot_b, norm_b};
    int order = sign_of(cosine_compare(&a, &b));
    EXPECT_EQUAL(sign_of(cosine_compare(&b, &a)), -order);
    return order;
}

static void golden_rows(void) {
    EXPECT_EQUAL(compare(1, 1, 1, 1), 0);
    EXPECT_EQUAL(compare(2, 1, 1, 1), -1); /* the greater ratio is nearer */
    EXPECT_EQUAL(compare(1, 1, 1, 2), -1);
    EXPECT_EQUAL(compare(2, 4, 3, 9), 0);   /* 1 and 1 */
    EXPECT_EQUAL(compare(2, 1, 4, 4), 0);   /* 4 and 4 */
    EXPECT_EQUAL(compare(2, 4, 3, 8), 1);   /* 1 and 9/8 */
    EXPECT_EQUAL(compare(-2, 4, -3, 9), 0); /* -1 and -1 */
    EXPECT_EQUAL(compare(-1, 1, 1, 1), 1);  /* opposite is farthest */
    EXPECT_EQUAL(compare(-1, 1, -2, 1), -1);
    EXPECT_EQUAL(compare(-3, 1, 2, 1), 1); /* the sign comes before the size */
    EXPECT_EQUAL(compare(0, 1, 1, 5), 1);
    EXPECT_EQUAL(compare(0, 1, -1, 5), -1);
    EXPECT_EQUAL(compare(0, 1, 0, 7), 0);
    EXPECT_EQUAL(compare(0, 0, 0, 7), 0); /* a zero vector ties with a right angle */
    EXPECT_EQUAL(compare(0, 0, 0, 0), 0);
    EXPECT_EQUAL(compare(0, 0, 1, 1), 1);
    EXPECT_EQUAL(compare(0, 0, -1, 1), -1);
    EXPECT_EQUAL(compare(5, 0, 0, 1), 0); /* norm 0 alone decides */
}

static void golden_rows_at_the_limits(void) {
    const int64_t dot = LIMIT;
    const uint64_t norm = (uint64_t)LIMIT;
    EXPECT_EQUAL(compare(dot, norm, dot, norm), 0);
    EXPECT_EQUAL(compare(dot, norm, dot - 1, norm), -1);
    EXPECT_EQUAL(compare(dot, norm, dot, norm - 1), 1);
    EXPECT_EQUAL(compare(-dot, norm, -dot, norm - 1), -1);
    EXPECT_EQUAL(compare(dot - 1, norm - 2, dot, norm),
                 -1); /* above by about 2^-100 of itself */
    EXPECT_EQUAL(compare(dot, norm, dot / 2, norm / 4),
                 0); /* doubles would tie all of these */
    EXPECT_EQUAL(compare(dot, norm, dot / 2, norm / 4 + 1), -1);
    EXPECT_EQUAL(compare(dot, norm, dot / 2 + 1, norm / 4), 1);
    EXPECT_EQUAL(compare(dot, 1, 1, norm), -1);
    EXPECT_EQUAL(compare(INT64_MIN, UINT64_MAX, INT64_MIN, UINT64_MAX), 0);
    EXPECT_EQUAL(compare(INT64_MIN, UINT64_MAX, INT64_MAX, UINT64_MAX), 1);
    EXPECT_EQUAL(compare(INT64_MIN, UINT64_MAX, INT64_MIN + 1, UINT64_MAX), 1);
}

/* dot^2 * norm as three limbs of 64 bits. */
struct wide {
    uint64_t limb[3];
};

static struct wide square_times(int64_t dot, uint64_t norm) {
    uint64_t absolute = dot < 0 ? 0 - (uint64_t)dot : (uint64_t)dot;
    uint128 square = (uint128)absolute * absolute;
    uint128 low = (uint128)(uint64_t)square * norm;
    uint128 high = (uint128)(uint64_t)(square >> 64) * norm + (low >> 64);
    return (struct wide){{(uint64_t)low, (uint64_t)high, (uint64_t)(high >> 64)}};
}

static int oracle(int64_t dot_a, uint64_t norm_a, int64_t dot_b, uint64_t norm_b) {
    int sign_a = norm_a ? (dot_a > 0) - (dot_a < 0) : 0;
    int sign_b = norm_b ? (dot_b > 0) - (dot_b < 0) : 0;
    if (sign_a != sign_b) return sign_a > sign_b ? -1 : 1;
    if (sign_a == 0) return 0;
    struct wide a = square_times(dot_a, norm_b), b = square_times(dot_b, norm_a);
    for (int i = 2; i >= 0; i--)
        if (a.limb[i] != b.limb[i])
            return (a.limb[i] > b.limb[i]) == (sign_a > 0) ? -1 : 1;
    return 0;
}

/* Any length of bits up to `bits`, so that all paths meet each other. */
static uint64_t random_up_to(uint32_t bits) {
    uint64_t value = next_random() >> (64 - bits);
    return value >> next_random() % bits;
}

static void equals_the_oracle(void) {
    for (uint32_t i = 0; i < 2000000; i++) {
        uint32_t bits = i % 2 ? 50 : 63;
        int64_t dot_a = (int64_t)random_up_to(bits), dot_b = (int64_t)random_up_to(bits);
        uint64_t norm_a = random_up_to(bits), norm_b = random_up_to(bits);
        switch (i % 7) {
        case 0: /* the same ratio, or nearly */
            dot_a = (int64_t)(next_random() >> 40), norm_a = next_random() >> 30;
            dot_b = dot_a << 12, norm_b = (norm_a << 24) + next_random() % 3 - 1;
            break;
        case 1: /* neighbours at full size */
            dot_a = LIMIT - (int64_t)(next_random() % 4),
            dot_b = LIMIT - (int64_t)(next_random() % 4);
            norm_a = (uint64_t)LIMIT - next_random() % 8,
            norm_b = (uint64_t)LIMIT - next_random() % 8;
            break;
        default:
            break;
        }
        if (next_random() & 1) dot_a = -dot_a;
        if (next_random() & 1) dot_b = -dot_b;
        if (compare(dot_a, norm_a, dot_b, norm_b) !=
            oracle(dot_a, norm_a, dot_b, norm_b)) {
            printf("    %" PRId64 " %" PRIu64 " and %" PRId64 " %" PRIu64 "\n", dot_a,
                   norm_a, dot_b, norm_b);
            EXPECT(!"equal to the oracle");
            return;
        }
    }
}

static void is_a_total_order(void) {
    enum { COUNT = 60 };
    struct cosine all[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        int64_t dot = (int64_t)(next_random() % 7) - 3;
        all[i] = (struct cosine){dot * ((int64_t)1 << i % 3 * 20), (next_random() % 4)
                                                                       << i % 3 * 16};
    }
    for (uint32_t i = 0; i < COUNT; i++)
        for (uint32_t j = 0; j < COUNT; j++)
            for (uint32_t k = 0; k < COUNT; k++)
                if (cosine_compare(&all[i], &all[j]) <= 0 &&
                    cosine_compare(&all[j], &all[k]) <= 0)
                    EXPECT(cosine_compare(&all[i], &all[k]) <= 0);
}

int main(void) {
    RUN(golden_rows);
    RUN(golden_rows_at_the_limits);
    RUN(equals_the_oracle);
    RUN(is_a_total_order);
    return test_finish();
}
