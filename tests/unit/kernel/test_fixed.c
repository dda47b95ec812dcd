/* Numbers in and out: binary32 blobs to fixed point, and back. (Text: test_fixed_text.c.)
 *
 * The oracle is libc's double, which holds a binary32 times a power of two exactly. */
#include "test.h"

#include <math.h>

#include "base/bytes.h"
#include "kernel/distance.h"
#include "kernel/fixed.h"

static uint64_t random_state = 88172645463325252;
static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Each test of blobs runs once for each kind of vector loops that this CPU has. */
static const char *const kinds[] = {"portable", "sse4.1", "avx2", "avx512", "neon"};
#define FOR_EACH_KIND(kind)                                                              \
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)                 \
        if (distance_select(kinds[kind]))

/* --- Blobs: golden rows ------------------------------------------------------------- */

static enum status one_from_fp32(uint32_t bits, int32_t *out) {
    uint8_t blob[4];
    store_le32(blob, bits);
    return fixed_from_fp32(blob, 1, out);
}

static void golden_rows_of_binary32(void) {
    static const struct {
        uint32_t bits;
        enum status status;
        int32_t value;
    } rows[] = {
        {0x00000000, STATUS_OK, 0},
        {0x80000000, STATUS_OK, 0}, /* -0 */
        {0x3f800000, STATUS_OK, 65536},
        {0xbf800000, STATUS_OK, -65536},
        {0x3dcccccd, STATUS_OK, 6554},       /* 0.1 */
        {0x37800000, STATUS_OK, 1},          /* 2^-16 */
        {0x37c00000, STATUS_OK, 2},          /* 1.5 * 2^-16: a tie, to even */
        {0x38200000, STATUS_OK, 2},          /* 2.5 * 2^-16: a tie, to even */
        {0x38600000, STATUS_OK, 4},          /* 3.5 * 2^-16: a tie, to even */
        {0xb8200000, STATUS_OK, -2},         /* -2.5 * 2^-16 */
        {0xb7c00000, STATUS_OK, -2},         /* -1.5 * 2^-16 */
        {0x38200001, STATUS_OK, 3},          /* just above the tie */
        {0x381fffff, STATUS_OK, 2},          /* just below */
        {0x37000001, STATUS_OK, 1},          /* just above half a unit */
        {0x46ffffff, STATUS_OK, 0x7fffff80}, /* the greatest that fits */
        {0xc6ffffff, STATUS_OK, -0x7fffff80},
        {0xc7000000, STATUS_OK, INT32_MIN}, /* -32768 */
        {0x47000000, STATUS_RANGE, 0},      /* 32768 */
        {0xc7000001, STATUS_RANGE, 0},
        {0x7f7fffff, STATUS_RANGE, 0},
        {0x7f800000, STATUS_NOT_FINITE, 0},
        {0xff800000, STATUS_NOT_FINITE, 0},
        {0x7fc00000, STATUS_NOT_FINITE, 0}, /* quiet NaN */
        {0x7f800001, STATUS_NOT_FINITE, 0}, /* signalling NaN */
        {0xffffffff, STATUS_NOT_FINITE, 0},
        {0x37000000, STATUS_ROUNDS_TO_ZERO, 0}, /* 2^-17: a tie with 0 */
        {0xb7000000, STATUS_ROUNDS_TO_ZERO, 0},
        {0x00000001, STATUS_ROUNDS_TO_ZERO, 0}, /* the least subnormal */
        {0x80000001, STATUS_ROUNDS_TO_ZERO, 0},
    };
    FOR_EACH_KIND(kind) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            int32_t value = 77;
            EXPECT_EQUAL(one_from_fp32(rows[i].bits, &value), rows[i].status);
            if (rows[i].status == STATUS_OK) EXPECT_EQUAL(value, rows[i].value);
        }
    }
}

static void golden_rows_of_scaled_binary32(void) {
    static const struct {
        uint32_t a, b; /* a vector of two */
        enum status status;
        int32_t x, y;
        int exponent;
    } rows[] = {
        {0x00000000, 0x80000000, STATUS_OK, 0, 0, 0},
        {0x3f800000, 0x00000000, STATUS_OK, 65536, 0, 0},     /* 1 */
        {0x40000000, 0x3f800000, STATUS_OK, 65536, 32768, 1}, /* 2 1 */
        {0x3fffffff, 0x00000000, STATUS_OK, 131072, 0, 0},    /* rounds up to 2 */
        {0x3fc00000, 0x37c00000, STATUS_OK, 98304, 2, 0},     /* a tie, to even */
        {0x3fc00000, 0xb8200000, STATUS_OK, 98304, -2, 0},
        {0x501502f9, 0xd01502f9, STATUS_OK, 76294, -76294, 33}, /* 10^10 */
        {0x7f7fffff, 0xff7fffff, STATUS_OK, 131072, -131072, 127},
        {0x7f7fffff, 0x00000001, STATUS_OK, 131072, 0, 127},
        {0x00800000, 0x00000000, STATUS_OK, 65536, 0, -126}, /* the least normal */
        {0x00400000, 0x00000000, STATUS_OK, 65536, 0, -127},
        {0x00200000, 0x80200000, STATUS_OK, 65536, -65536, -128},
        {0x00100000, 0x00000000, STATUS_OK, 32768, 0, -128}, /* the scale ends here */
        {0x00000011, 0x00000000, STATUS_OK, 1, 0, -128},     /* 17 * 2^-149 */
        {0x00000030, 0x00000000, STATUS_OK, 2, 0, -128}, /* 48 * 2^-149: a tie, to even */
        {0x00000010, 0x80000010, STATUS_ROUNDS_TO_ZERO, 0, 0, 0},
        {0x00000001, 0x00000000, STATUS_ROUNDS_TO_ZERO, 0, 0, 0},
        {0x3f800000, 0x7fc00000, STATUS_NOT_FINITE, 0, 0, 0},
        {0xff800000, 0x3f800000, STATUS_NOT_FINITE, 0, 0, 0},
    };
    FOR_EACH_KIND(kind) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            uint8_t blob[8];
            store_le32(blob, rows[i].a);
            store_le32(blob + 4, rows[i].b);
            int32_t out[2] = {77, 77};
            int8_t exponent = 77;
            EXPECT_EQUAL(fixed_from_fp32_scaled(blob, 2, out, &exponent), rows[i].status);
            if (rows[i].status) continue;
            EXPECT_EQUAL(out[0], rows[i].x);
            EXPECT_EQUAL(out[1], rows[i].y);
            EXPECT_EQUAL(exponent, rows[i].exponent);
        }
    }
}

static void refusals_do_not_depend_on_the_place(void) {
    FOR_EACH_KIND(kind) {
        for (uint32_t dim = 1; dim <= 67; dim++) {
            uint8_t blob[4 * 67 + 1], *unaligned = blob + 1;
            int32_t out[67];
            int8_t exponent;
            for (uint32_t i = 0; i < dim; i++) {
                for (uint32_t j = 0; j < dim; j++)
                    store_le32(unaligned + 4 * j, 0x3f800000);
                store_le32(unaligned + 4 * i, 0xff800001);
                EXPECT_EQUAL(fp32_check(unaligned, dim), STATUS_NOT_FINITE);
                EXPECT_EQUAL(fixed_from_fp32(unaligned, dim, out), STATUS_NOT_FINITE);
                EXPECT_EQUAL(fixed_from_fp32_scaled(unaligned, dim, out, &exponent),
                             STATUS_NOT_FINITE);
                store_le32(unaligned + 4 * i, 0x47000000);
                EXPECT_EQUAL(fp32_check(unaligned, dim), STATUS_OK);
                EXPECT_EQUAL(fixed_from_fp32(unaligned, dim, out), STATUS_RANGE);
                if (dim == 1) continue;
                store_le32(unaligned + 4 * ((i + 1) % dim), 0x7f800000);
                EXPECT_EQUAL(fixed_from_fp32(unaligned, dim, out), STATUS_NOT_FINITE);
            }
        }
    }
}

/* --- Blobs: against doubles --------------------------------------------------------- */

enum { SWEEP = 4096 };

/* Patterns of every exponent and both signs, with fractions that make ties, borders and
 * noise. */
static uint32_t sweep_pattern(uint32_t sign_and_exponent, uint32_t i) {
    uint32_t fraction = (uint32_t)next_random() & 0x7fffff;
    if (i % 4 == 1) fraction &= ~0u << i / 4 % 24;
    if (i % 4 == 2) fraction |= (1u << i / 4 % 24) - 1;
    if (i % 4 == 3) fraction = (1u << i / 4 % 24) - (i / 128 & 1);
    return sign_and_exponent << 23 | (fraction & 0x7fffff);
}

static void plain_conversion_equals_the_doubles(void) {
    FOR_EACH_KIND(kind) {
        uint64_t wrong = 0;
        for (uint32_t top = 0; top < 512; top++) {
            for (uint32_t i = 0; i < SWEEP; i++) {
                uint32_t bits = sweep_pattern(top, i);
                double exact = rint(ldexp((double)float_of(bits), 16));
                enum status wanted = STATUS_OK;
                if ((top & 255) == 255) wanted = STATUS_NOT_FINITE;
                else if (!(exact >= -2147483648.0 && exact <= 2147483647.0))
                    wanted = STATUS_RANGE;
                else if (exact == 0 && bits << 1 != 0) wanted = STATUS_ROUNDS_TO_ZERO;
                int32_t value;
                enum status status = one_from_fp32(bits, &value);
                wrong += status != wanted;
                if (!status) wrong += value != (int32_t)exact;
            }
        }
        EXPECT_EQUAL(wrong, 0);
    }
}

static void scaled_conversion_equals_the_doubles(void) {
    FOR_EACH_KIND(kind) {
        uint64_t wrong = 0;
        for (uint32_t top = 0; top < 510; top++) {
            if ((top & 255) == 255) continue;
            /* Vectors of 19: a greatest value, then smaller ones of up to 40 powers of
             * two. */
            for (uint32_t round = 0; round < SWEEP / 19; round++) {
                uint8_t blob[4 * 19];
                double greatest = 0;
                for (uint32_t i = 0; i < 19; i++) {
                    uint32_t below = i == 0 ? 0 : (uint32_t)(next_random() % 40);
                    if (below > (top & 255)) below = top & 255;
                    uint32_t bits = sweep_pattern(top - below, round * 19 + i);
                    store_le32(blob + 4 * i, bits);
                    greatest = fmax(greatest, fabs((double)float_of(bits)));
                }
                int32_t out[19];
                int8_t exponent = 0;
                enum status status = fixed_from_fp32_scaled(blob, 19, out, &exponent);
                if (greatest == 0) continue;
                int scale = ilogb(greatest);
                if (scale < -128) scale = -128;
                bool all_zero = true;
                for (uint32_t i = 0; i < 19; i++) {
                    double x = (double)float_of(load_le32(blob + 4 * i));
                    double exact = rint(ldexp(x, 16 - scale));
                    all_zero = all_zero && exact == 0;
                    if (!status) wrong += out[i] != (int32_t)exact;
                }
                wrong += status != (all_zero ? STATUS_ROUNDS_TO_ZERO : STATUS_OK);
                if (!status) wrong += exponent != scale;
            }
        }
        EXPECT_EQUAL(wrong, 0);
    }
}

/* --- Back to binary32 --------------------------------------------------------------- */

static void golden_rows_back_to_binary32(void) {
    EXPECT_EQUAL(fp32_from_fixed(0, 0), 0);
    EXPECT_EQUAL(fp32_from_fixed(0, -128), 0);
    EXPECT_EQUAL(fp32_from_fixed(65536, 0), 0x3f800000);
    EXPECT_EQUAL(fp32_from_fixed(-65536, 1), 0xc0000000);
    EXPECT_EQUAL(fp32_from_fixed(INT32_MIN, 0), 0xc7000000);
    EXPECT_EQUAL(fp32_from_fixed(INT32_MAX, 0), 0x47000000); /* 31 bits do not fit 24 */
    EXPECT_EQUAL(fp32_from_fixed(0x1000001, 0), 0x43800000); /* a tie, to even */
    EXPECT_EQUAL(fp32_from_fixed(0x1000003, 0), 0x43800002); /* a tie, to even */
    EXPECT_EQUAL(fp32_from_fixed(131072, 127),
                 0x7f7fffff); /* 2^128: the greatest finite */
    EXPECT_EQUAL(fp32_from_fixed(-131072, 127), 0xff7fffff);
    EXPECT_EQUAL(fp32_from_fixed(1, -128), 0x00000020); /* 2^-144 */
    EXPECT_EQUAL(fp32_from_fixed(65536, -127), 0x00400000);
}

static void back_conversion_equals_the_doubles(void) {
    uint64_t wrong = 0;
    for (int exponent = -128; exponent <= 127; exponent++) {
        for (uint32_t i = 0; i < SWEEP; i++) {
            int32_t value = (int32_t)next_random() >> i % 31;
            float exact = (float)ldexp((double)value, exponent - 16);
            uint32_t wanted = bits_of(exact);
            if (isinf(exact)) wanted--; /* the greatest finite */
            wrong += fp32_from_fixed(value, exponent) != wanted;
        }
    }
    EXPECT_EQUAL(wrong, 0);
}

static void knows_whether_the_integers_give_the_bits_back(void) {
    static const struct {
        uint32_t bits;
        bool same;
    } rows[] = {
        {0x3f800000, true},  {0x00000000, true},  {0x80000000, false}, /* -0 */
        {0x3f000000, true},  {0x3dcccccd, false},                      /* 0.1 */
        {0xc7000000, true},  {0x37800000, true},  {0x46ffffff, true},
        {0x3f800001, false}, {0x3f800080, true},  {0x3f800040, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t blob[8];
        int32_t out[2];
        store_le32(blob, 0x3f800000);
        store_le32(blob + 4, rows[i].bits);
        EXPECT_EQUAL(fixed_from_fp32(blob, 2, out), STATUS_OK);
        EXPECT_EQUAL(fixed_gives_fp32(out, 2, 0, blob), rows[i].same);
    }
    uint8_t blob[4];
    int32_t out;
    int8_t exponent;
    store_le32(blob, 0x7f7fffff);
    EXPECT_EQUAL(fixed_from_fp32_scaled(blob, 1, &out, &exponent), STATUS_OK);
    EXPECT(fixed_gives_fp32(&out, 1, exponent, blob));
}

int main(void) {
    RUN(golden_rows_of_binary32);
    RUN(golden_rows_of_scaled_binary32);
    RUN(refusals_do_not_depend_on_the_place);
    RUN(plain_conversion_equals_the_doubles);
    RUN(scaled_conversion_equals_the_doubles);
    RUN(golden_rows_back_to_binary32);
    RUN(back_conversion_equals_the_doubles);
    RUN(knows_whether_the_integers_give_the_bits_back);
    return test_finish();
}
