/* binary64 in integers, against the processor's doubles and the C library: equal bits for
 * sums, products, quotients, remainders and text; for powers equal bits nearly always,
 * and otherwise a neighbour. */
#include "test.h"

#include <math.h>

#include "kernel/binary64.h"

static uint64_t random_state = 88172645463325252;
static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static double double_of(binary64 bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
static binary64 bits_of(double value) {
    binary64 bits;
    memcpy(&bits, &value, sizeof bits);
    return isnan(value) ? BINARY64_NAN : bits;
}

static const uint64_t edges[] = {
    0,
    1,
    2,
    0x000fffffffffffff,
    0x0010000000000000,
    0x0010000000000001,
    0x001fffffffffffff,
    0x3cb0000000000000, /* 2^-52 */
    0x3fe0000000000000,
    0x3fefffffffffffff,
    0x3ff0000000000000,
    0x3ff0000000000001,
    0x3ff8000000000000,
    0x4000000000000000,
    0x4008000000000000,
    0x4330000000000000, /* 2^52 */
    0x433fffffffffffff,
    0x4340000000000001,
    0x43e0000000000000, /* 2^63 */
    0x7fdfffffffffffff,
    0x7fe0000000000000,
    0x7fefffffffffffff,
    0x7ff0000000000000,
    0x7ff8000000000000,
};
enum { EDGES = sizeof edges / sizeof edges[0] };

/* All kinds: edges, small integers, close exponents, anything. */
static binary64 draw(void) {
    uint64_t kind = next_random() % 8, bits = next_random();
    uint64_t sign = bits & BINARY64_SIGN;
    if (kind == 0) return edges[next_random() % EDGES] | sign;
    if (kind == 1) return bits_of((double)(int64_t)(next_random() % 2001) - 1000);
    if (kind <= 4) /* exponents near each other, few or many bits */
        return sign | (1023 - 60 + next_random() % 120) << 52 |
               (bits & BINARY64_FRACTION & -(UINT64_C(1) << next_random() % 53));
    return bits;
}

static int wrong;
static void compare(const char *what, binary64 a, binary64 b, binary64 got,
                    double wanted) {
    if (got == bits_of(wanted) || wrong++ > 5) return;
    printf("  %s(%a, %a) = %a, wanted %a\n", what, double_of(a), double_of(b),
           double_of(got), wanted);
}

static void check_pair(binary64 a, binary64 b) {
    double x = double_of(a), y = double_of(b);
    compare("add", a, b, binary64_add(a, b), x + y);
    compare("subtract", a, b, binary64_subtract(a, b), x - y);
    compare("multiply", a, b, binary64_multiply(a, b), x * y);
    compare("divide", a, b, binary64_divide(a, b), x / y);
    compare("remainder", a, b, binary64_remainder(a, b), fmod(x, y));
    int order = isnan(x) || isnan(y) ? BINARY64_UNORDERED : (x > y) - (x < y);
    if (binary64_compare(a, b) != order) wrong++;
}

static void operations_equal_the_processors(void) {
    wrong = 0;
    for (int i = 0; i < 2 * EDGES; i++)
        for (int j = 0; j < 2 * EDGES; j++)
            check_pair(edges[i / 2] | (uint64_t)(i % 2) << 63,
                       edges[j / 2] | (uint64_t)(j % 2) << 63);
    for (int i = 0; i < 2000000; i++) check_pair(draw(), draw());
    EXPECT_EQUAL(wrong, 0);
}

/* --- Powers ------------------------------------------------------------------------- */

static void powers_of_edges_are_those_of_the_standard(void) {
    wrong = 0;
    for (int i = 0; i < 2 * EDGES; i++) {
        for (int j = 0; j < 2 * EDGES; j++) {
            binary64 a = edges[i / 2] | (uint64_t)(i % 2) << 63;
            binary64 b = edges[j / 2] | (uint64_t)(j % 2) << 63;
            double wanted = pow(double_of(a), double_of(b));
            binary64 got = binary64_power(a, b);
            if (isnan(wanted) || isinf(wanted) || wanted == 0)
                compare("power", a, b, got, wanted);
            else if (llabs((long long)(got - bits_of(wanted))) > 1) wrong++;
        }
    }
    EXPECT_EQUAL(wrong, 0);
}

static void powers_are_within_a_unit_of_the_librarys(void) {
    int other = 0, far = 0, count = 300000;
    for (int i = 0; i < count; i++) {
        binary64 a = draw() & ~BINARY64_SIGN, b = draw();
        if (i % 2) { /* results that are neither 0 nor infinite */
            a = bits_of(exp2((double)(int64_t)next_random() / 0x1p63 * 30));
            b = bits_of((double)(int64_t)next_random() / 0x1p63 * 30);
        }
        binary64 got = binary64_power(a, b);
        binary64 wanted = bits_of(pow(double_of(a), double_of(b)));
        other += got != wanted;
        if (llabs((long long)(got - wanted)) > 1) {
            if (far++ < 5)
                printf("  power(%a, %a) = %a, wanted %a\n", double_of(a), double_of(b),
                       double_of(got), double_of(wanted));
        }
    }
    EXPECT_EQUAL(far, 0);
    EXPECT(other < count / 500); /* the library's own errors: it promises 0.52 units */
}

static void exact_powers_are_exact(void) {
    for (uint64_t base = 2; base < 40; base++) {
        uint64_t product = 1;
        for (uint64_t power = 0; power < 60 && product < UINT64_C(1) << 53; power++) {
            EXPECT_EQUAL(binary64_power(bits_of((double)base), bits_of((double)power)),
                         bits_of((double)product));
            binary64 minus =
                binary64_power(bits_of(-(double)base), bits_of((double)power));
            EXPECT_EQUAL(minus, bits_of(power % 2 ? -(double)product : (double)product));
            product *= base;
        }
    }
    EXPECT_EQUAL(binary64_power(bits_of(2.25), bits_of(0.5)), bits_of(1.5));
    EXPECT_EQUAL(binary64_power(bits_of(2), bits_of(-1)), bits_of(0.5));
    EXPECT_EQUAL(binary64_power(bits_of(2), bits_of(-1074)), 1);
    EXPECT_EQUAL(binary64_power(bits_of(2), bits_of(-1075)), 0);
    EXPECT_EQUAL(binary64_power(bits_of(1e300), bits_of(2)), BINARY64_INFINITY);
}

/* Values of the format: they are the same on every machine and in every release. */
static void golden_powers(void) {
    static const struct {
        uint64_t a, b, power;
    } rows[] = {
        {0x4000000000000000, 0x3fe0000000000000, 0x3ff6a09e667f3bcd},
        {0x4024000000000000, 0xc008000000000000, 0x3f50624dd2f1a9fc},
        {0x4008000000000000, 0x4040c00000000000, 0x43411a91b2866515},
        {0x3ff0000000000001, 0x430c6bf526340000, 0x3ff3fa60615291ee},
        {0x3fb999999999999a, 0x3fb999999999999a, 0x3fe96b230bcdc434},
        {0x4039000000000000, 0x4027000000000000, 0x43452d02c7e14af6},
        {0x401c000000000000, 0x3fd5555555555555, 0x3ffe9b5dba58189d},
        {0x0000000000000001, 0x3f847ae147ae147b, 0x3f4328df6e1fea76},
        {0x7fefffffffffffff, 0xbfefae147ae147ae, 0x0092e5588f9a7e6e},
        {0xc008000000000000, 0x4041800000000000, 0xc36637ed9b2612f3},
        {0x3ff8000000000000, 0x409a900000000000, 0x7e15a63b3b6d05e3},
        {0x3fefffffffffffff, 0x43abc16d674ec800, 0x35ec6ab6c6b3f2f9},
        {0x40fe240c9fbe76c9, 0x400a000000000000, 0x435f53ce502068f9},
        {0x40837736abcf71ec, 0x40382dbf367b5048, 0x4df5d196d1b7315d},
        {0x4088d98c6c1a7264, 0x40461f5d17026ae2, 0x5a93cee845aad0ed},
        {0x40871f3047f4081d, 0x40451dc28c901052, 0x591708c8e9ba5e5a},
        {0x403d0156a40b23b7, 0xc00b807afa677600, 0x3ee3ae1318418f74},
        {0x408d7ada8e710d7a, 0x402dcb7f434bdc58, 0x492286fe6f9d5936},
        {0x408c27343504d9f0, 0xc04356f6b1ed2172, 0x28346f70373eb1d3},
        {0x407d511ad1d8e413, 0xc03957bc48bd931e, 0x31e15b5d7e046aea},
        {0x4080fe163d5df972, 0x401d9393e0776ee0, 0x44223d9ea7eab461},
        {0x402a3a770ecbc1de, 0xc03c53b79465eaaa, 0x395c3ff10a3bd3c2},
        {0x407177b7c56c26bc, 0x4044d13883abef3e, 0x55145c9bc3c5f32a},
        {0x4087edcdb9956ff3, 0xc0410510eabceb5a, 0x2b8d6581610495a1},
        {0x4088e92d09d7ee86, 0xc0420fc6ec635170, 0x2a2c387e10226879},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        EXPECT(binary64_power(rows[i].a, rows[i].b) == rows[i].power);
}

/* --- Text --------------------------------------------------------------------------- */

static binary64 from_text(const char *text) {
    binary64 value = 0;
    EXPECT(binary64_from_text(slice_text(text), &value));
    return value;
}

static void text_is_read_as_the_library_reads_it(void) {
    char text[1200];
    wrong = 0;
    for (int i = 0; i < 200000; i++) {
        double value = double_of(next_random());
        if (isnan(value)) continue;
        snprintf(text, sizeof text,
                 i % 3 == 0   ? "%.17g"
                 : i % 3 == 1 ? "%.3e"
                              : "%a",
                 value);
        compare(text, 0, 0, from_text(text), strtod(text, NULL));
        snprintf(text, sizeof text, "%d.%de%d", (int)(next_random() % 100000),
                 (int)(next_random() % 100000), (int)(next_random() % 700) - 350);
        compare(text, 0, 0, from_text(text), strtod(text, NULL));
    }
    EXPECT_EQUAL(wrong, 0);
}

/* A number halfway between two is decided by its last digit, the 768th at the latest. */
static void ties_are_decided_by_digits_far_behind(void) {
    char text[1300];
    for (int i = 0; i < 3000; i++) {
        uint64_t exponent = i % 3 ? next_random() % 2046 : next_random() % 3;
        binary64 below = exponent << 52 | (next_random() & BINARY64_FRACTION);
        /* Longer than any double: written exactly by the library from a wider type. */
        long double half = ((long double)double_of(below) + double_of(below + 1)) / 2;
        int size = snprintf(text, sizeof text - 8, "%.1100Lf", half);
        if (size > 1200) continue;
        EXPECT_EQUAL(from_text(text), bits_of(strtod(text, NULL)));
        size = snprintf(text, sizeof text - 8, "%.800Le", half);
        EXPECT_EQUAL(from_text(text), bits_of(strtod(text, NULL)));
        char *e = strchr(text, 'e');
        e[-1] = '1';
        EXPECT_EQUAL(from_text(text), bits_of(strtod(text, NULL)));
    }
}

static void words_and_ends_of_the_range(void) {
    EXPECT_EQUAL(from_text("inf"), BINARY64_INFINITY);
    EXPECT_EQUAL(from_text("-Infinity"), BINARY64_INFINITY | BINARY64_SIGN);
    EXPECT_EQUAL(from_text("nan(1)"), BINARY64_NAN);
    EXPECT_EQUAL(from_text("1e400"), BINARY64_INFINITY);
    EXPECT_EQUAL(from_text("-1e400"), BINARY64_INFINITY | BINARY64_SIGN);
    EXPECT_EQUAL(from_text("1e99999999999999999999"), BINARY64_INFINITY);
    EXPECT_EQUAL(from_text("1e-400"), 0);
    EXPECT_EQUAL(from_text("-1e-400"), BINARY64_SIGN);
    EXPECT_EQUAL(from_text("2.4703282292062327e-324"), 0);
    EXPECT_EQUAL(from_text("2.4703282292062328e-324"), 1);
    EXPECT_EQUAL(from_text("1.7976931348623158e308"), 0x7fefffffffffffff);
    EXPECT_EQUAL(from_text("1.7976931348623159e308"), BINARY64_INFINITY);
    EXPECT_EQUAL(from_text("0x1p1024"), BINARY64_INFINITY);
    binary64 value;
    static const char *const none[] = {"", "x", "1x", " 1", "1 ", "--1", "1e", "."};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        EXPECT(!binary64_from_text(slice_text(none[i]), &value));
}

static void decimals_of_few_digits(void) {
    char text[64];
    wrong = 0;
    for (int i = 0; i < 300000; i++) {
        uint64_t digits = next_random() >> next_random() % 64;
        int ten = (int)(next_random() % 39) - 19;
        snprintf(text, sizeof text, "-%" PRIu64 "e%d", digits, ten);
        compare(text, 0, 0, binary64_from_decimal(true, digits, ten), strtod(text, NULL));
    }
    EXPECT_EQUAL(wrong, 0);
}

int main(void) {
    RUN(operations_equal_the_processors);
    RUN(powers_of_edges_are_those_of_the_standard);
    RUN(powers_are_within_a_unit_of_the_librarys);
    RUN(exact_powers_are_exact);
    RUN(golden_powers);
    RUN(text_is_read_as_the_library_reads_it);
    RUN(ties_are_decided_by_digits_far_behind);
    RUN(words_and_ends_of_the_range);
    RUN(decimals_of_few_digits);
    return test_finish();
}
