/* Numbers in text, to fixed point and to binary32.
 *
 * The oracles are libc's strtof() and strtod(), 128-bit integers, and the conversion of
 * blobs, which test_fixed.c holds against doubles. */
#include "test.h"

#include <math.h>

#include "base/bytes.h"
#include "base/int128.h"
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

/* --- Text: golden rows -------------------------------------------------------------- */

static enum status one_from_text(const char *text, int32_t *out) {
    struct slice slice = slice_text(text);
    return fixed_from_text(&slice, 1, false, out, NULL);
}

static void golden_rows_of_text(void) {
    static const struct {
        const char *text;
        enum status status;
        int32_t value;
    } rows[] = {
        {"0", STATUS_OK, 0},
        {"-0", STATUS_OK, 0},
        {"0e999999999999999999999", STATUS_OK, 0},
        {"0.000", STATUS_OK, 0},
        {"1", STATUS_OK, 65536},
        {"+1", STATUS_OK, 65536},
        {"-1", STATUS_OK, -65536},
        {"1.", STATUS_OK, 65536},
        {".5", STATUS_OK, 32768},
        {"-.5e1", STATUS_OK, -327680},
        {"1e0", STATUS_OK, 65536},
        {"1E+2", STATUS_OK, 6553600},
        {"100e-2", STATUS_OK, 65536},
        {"000001.50000", STATUS_OK, 98304},
        {"0.1", STATUS_OK, 6554},
        {"3.14159265358979323846264338327950288", STATUS_OK, 205887},
        {"0.0000228881835937500", STATUS_OK, 2}, /* 1.5 * 2^-16: a tie, to even */
        {"0.00003814697265625", STATUS_OK, 2},   /* 2.5 * 2^-16: a tie, to even */
        {"-0.00003814697265625", STATUS_OK, -2},
        {"0.0000381469726562500000000000000000000000000000000001", STATUS_OK, 3},
        {"0.0000381469726562499999999999999999999999999999999999", STATUS_OK, 2},
        {"0.00000762939453125", STATUS_ROUNDS_TO_ZERO, 0}, /* 2^-17 */
        {"0.0000076293945312500000001", STATUS_OK, 1},
        {"32767.99999237060546874", STATUS_OK, INT32_MAX}, /* below a tie with 2^31 */
        {"32767.99999237060546875", STATUS_RANGE,
         0}, /* the tie, to even, which is 2^31 */
        {"-32768", STATUS_OK, INT32_MIN},
        {"-32768.00000762939453125", STATUS_OK, INT32_MIN}, /* a tie, to even */
        {"-32768.000007629394531250001", STATUS_RANGE, 0},
        {"32768", STATUS_RANGE, 0},
        {"65536", STATUS_RANGE, 0},
        {"1e39", STATUS_RANGE, 0},
        {"1e400", STATUS_RANGE, 0},
        {"1e99999999999999999999999", STATUS_RANGE, 0},
        {"1e-99999999999999999999999", STATUS_RANGE, 0},
        {"1e-400", STATUS_RANGE, 0},
        {"2.4703282292062327e-324", STATUS_RANGE, 0}, /* below half of binary64's least */
        {"2.4703282292062328e-324", STATUS_ROUNDS_TO_ZERO, 0},
        {"1e-300", STATUS_ROUNDS_TO_ZERO, 0},
        {"0x10", STATUS_OK, 1048576},
        {"0x1.8p3", STATUS_OK, 786432},
        {"-0X.8P1", STATUS_OK, -65536},
        {"0x1p-16", STATUS_OK, 1},
        {"0x1.8p-16", STATUS_OK, 2}, /* a tie, to even */
        {"0x2.8p-16", STATUS_OK, 2},
        {"0x2.8000000000000000000000000000000000000000001p-16", STATUS_OK, 3},
        {"0x0p99999999999999999999", STATUS_OK, 0},
        {"0x1p99999999999999999999", STATUS_RANGE, 0},
        {"0x1p-99999999999999999999", STATUS_RANGE, 0},
        {"0x1p-1075", STATUS_RANGE, 0},
        {"0x1p-1074", STATUS_ROUNDS_TO_ZERO, 0},
        {"inf", STATUS_NOT_FINITE, 0},
        {"-Infinity", STATUS_NOT_FINITE, 0},
        {"nan", STATUS_NOT_FINITE, 0},
        {"+NaN(0x_1)", STATUS_NOT_FINITE, 0},
        {"", STATUS_INVALID, 0},
        {" 1", STATUS_INVALID, 0},
        {"1 ", STATUS_INVALID, 0},
        {"+", STATUS_INVALID, 0},
        {".", STATUS_INVALID, 0},
        {"-.e1", STATUS_INVALID, 0},
        {"1e", STATUS_INVALID, 0},
        {"1e+", STATUS_INVALID, 0},
        {"1.2.3", STATUS_INVALID, 0},
        {"1,5", STATUS_INVALID, 0},
        {"--1", STATUS_INVALID, 0},
        {"0x", STATUS_INVALID, 0},
        {"0x.p1", STATUS_INVALID, 0},
        {"0x1p", STATUS_INVALID, 0},
        {"0x1e+1", STATUS_INVALID, 0}, /* e is a digit here */
        {"1p3", STATUS_INVALID, 0},
        {"1f", STATUS_INVALID, 0},
        {"in", STATUS_INVALID, 0},
        {"infinit", STATUS_INVALID, 0},
        {"nan(", STATUS_INVALID, 0},
        {"nan(-)", STATUS_INVALID, 0},
        {"1e5x", STATUS_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int32_t value = 77;
        enum status status = one_from_text(rows[i].text, &value);
        EXPECT_EQUAL(status, rows[i].status);
        if (rows[i].status == STATUS_OK) EXPECT_EQUAL(value, rows[i].value);
        if (!test_run.ok) {
            printf("    in the row of \"%s\"\n", rows[i].text);
            return;
        }
    }
    struct slice with_nul = slice_of("1\0", 2);
    int32_t value;
    EXPECT_EQUAL(fixed_from_text(&with_nul, 1, false, &value, NULL), STATUS_INVALID);
}

static void golden_rows_of_scaled_text(void) {
    static const struct {
        const char *a, *b;
        enum status status;
        int32_t x, y;
        int exponent;
    } rows[] = {
        {"0", "-0", STATUS_OK, 0, 0, 0},
        {"1", "0.5", STATUS_OK, 65536, 32768, 0},
        {"0.5", "1", STATUS_OK, 32768, 65536, 0}, /* the first is read again */
        {"3", "-1e3", STATUS_OK, 384, -128000, 9},
        {"1e-3", "1e10", STATUS_OK, 0, 76294, 33},
        {"1.9999999999999999999999999999", "0", STATUS_OK, 131072, 0, 0},
        {"340282346638528859811704183484516925440", "1", STATUS_OK, 131072, 0, 127},
        /* The tie between the greatest binary32 and 2^128, and what is just below it. */
        {"340282356779733661637539395458142568448", "1", STATUS_RANGE, 0, 0, 0},
        {"340282356779733661637539395458142568447.9", "1", STATUS_OK, 131072, 0, 127},
        {"0x1p-128", "0x1p-129", STATUS_OK, 65536, 32768, -128},
        {"0x1p-144", "0", STATUS_OK, 1, 0, -128},
        {"0x1p-145", "0", STATUS_ROUNDS_TO_ZERO, 0, 0, 0},
        {"0x1.00000001p-145", "0", STATUS_OK, 1, 0, -128},
        {"1e-300", "1e-50", STATUS_ROUNDS_TO_ZERO, 0, 0, 0},
        {"1", "inf", STATUS_NOT_FINITE, 0, 0, 0},
        {"1", "1e-400", STATUS_RANGE, 0, 0, 0},
        {"x", "inf", STATUS_INVALID, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice texts[2] = {slice_text(rows[i].a), slice_text(rows[i].b)};
        int32_t out[2] = {77, 77};
        int8_t exponent = 77;
        EXPECT_EQUAL(fixed_from_text(texts, 2, true, out, &exponent), rows[i].status);
        if (rows[i].status == STATUS_OK) {
            EXPECT_EQUAL(out[0], rows[i].x);
            EXPECT_EQUAL(out[1], rows[i].y);
            EXPECT_EQUAL(exponent, rows[i].exponent);
        }
        if (!test_run.ok) {
            printf("    in the row of \"%s\" and \"%s\"\n", rows[i].a, rows[i].b);
            return;
        }
    }
}

static void golden_rows_of_text_to_binary32(void) {
    static const struct {
        const char *text;
        enum status status;
        uint32_t bits;
    } rows[] = {
        {"1", STATUS_OK, 0x3f800000},
        {"-0", STATUS_OK, 0x80000000},
        {"0.1", STATUS_OK, 0x3dcccccd},
        {"16777217", STATUS_OK, 0x4b800000}, /* 2^24 + 1: a tie, to even */
        {"16777219", STATUS_OK, 0x4b800002},
        {"16777217.0000000000000000000000000000001", STATUS_OK, 0x4b800001},
        {"3.4028234663852886e38", STATUS_OK, 0x7f7fffff},
        {"340282356779733661637539395458142568447", STATUS_OK, 0x7f7fffff},
        {"340282356779733661637539395458142568448", STATUS_RANGE, 0},
        {"1e39", STATUS_RANGE, 0},
        {"1.1754943508222875e-38", STATUS_OK, 0x00800000},
        {"1.401298464324817e-45", STATUS_OK, 0x00000001},
        {"0x1p-150", STATUS_OK, 0x00000000}, /* a tie with 0 */
        {"-0x1.0001p-150", STATUS_OK, 0x80000001},
        {"-1e-300", STATUS_OK, 0x80000000},
        {"1e-400", STATUS_RANGE, 0},
        {"nan", STATUS_NOT_FINITE, 0},
        {"one", STATUS_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t bits = 77;
        EXPECT_EQUAL(fp32_from_text(slice_text(rows[i].text), &bits), rows[i].status);
        if (rows[i].status == STATUS_OK) EXPECT_EQUAL(bits, rows[i].bits);
    }
}

static void very_long_numbers_are_exact(void) {
    enum { LENGTH = 100000 };
    static char text[LENGTH + 32];
    int32_t value = 0;

    /* A tie that the last of 100,000 digits breaks. */
    memset(text, '0', LENGTH);
    memcpy(text, "0.00003814697265625", 19);
    text[LENGTH] = '\0';
    EXPECT_EQUAL(one_from_text(text, &value), STATUS_OK);
    EXPECT_EQUAL(value, 2);
    text[LENGTH - 1] = '1';
    EXPECT_EQUAL(one_from_text(text, &value), STATUS_OK);
    EXPECT_EQUAL(value, 3);

    /* Leading zeros and an exponent that takes them back. */
    memset(text, '0', LENGTH);
    text[1] = '.';
    memcpy(text + LENGTH - 2, "15e99997", 9);
    EXPECT_EQUAL(one_from_text(text, &value), STATUS_OK);
    EXPECT_EQUAL(value, 98304);
    memset(text, '0', LENGTH);
    memcpy(text, "15", 2);
    memcpy(text + LENGTH, "e-99999", 8);
    EXPECT_EQUAL(one_from_text(text, &value), STATUS_OK);
    EXPECT_EQUAL(value, 98304);

    memset(text, '9', LENGTH);
    text[LENGTH] = '\0';
    EXPECT_EQUAL(one_from_text(text, &value), STATUS_RANGE);
    text[1] = '.';
    EXPECT_EQUAL(one_from_text(text, &value), STATUS_OK);
    EXPECT_EQUAL(value, 655360);
}

/* --- Text: oracles ------------------------------------------------------------------ */

/* Patterns of every exponent and both signs, with fractions that make ties, borders and
 * noise. */
static uint32_t sweep_pattern(uint32_t sign_and_exponent, uint32_t i) {
    uint32_t fraction = (uint32_t)next_random() & 0x7fffff;
    if (i % 4 == 1) fraction &= ~0u << i / 4 % 24;
    if (i % 4 == 2) fraction |= (1u << i / 4 % 24) - 1;
    if (i % 4 == 3) fraction = (1u << i / 4 % 24) - (i / 128 & 1);
    return sign_and_exponent << 23 | (fraction & 0x7fffff);
}

/* Texts near `exact`, which has at most 150 significant digits: itself, and a little more
 * or less by a digit that stands past the kernel's 200. */
static void write_neighbour(char *text, size_t size, double exact, uint32_t which) {
    int length = snprintf(text, size, "%.150e", exact);
    char *exponent = strchr(text, 'e');
    if (which == 0 || length < 0) return;
    char tail[16];
    snprintf(tail, sizeof tail, "%s", exponent);
    if (which == 2) { /* less: borrow from the last digit that is not zero */
        char *digit = exponent - 1;
        while (digit > text && (*digit == '0' || *digit == '.')) {
            if (*digit == '0') *digit = '9';
            digit--;
        }
        (*digit)--;
    }
    memset(exponent, which == 2 ? '9' : '0', 100);
    exponent[100] = which == 2 ? '9' : '1';
    memcpy(exponent + 101, tail, strlen(tail) + 1);
}

static void text_to_binary32_equals_strtof(void) {
    char text[400];
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < 60000; i++) {
        uint32_t pattern = (uint32_t)next_random() & 0x7fffffff;
        if (i % 8 == 0) pattern >>= 8; /* subnormal and small ones */
        if (pattern >= 0x7f7fffff) continue;
        double a = (double)float_of(pattern), b = (double)float_of(pattern + 1);
        switch (i % 5) {
        case 0:
            snprintf(text, sizeof text, "%.9g", a);
            break;
        case 1:
            snprintf(text, sizeof text, "%.*e", (int)(next_random() % 40), a);
            break;
        case 2:
            snprintf(text, sizeof text, "%a", a + (b - a) * 0.5);
            break;
        default:
            write_neighbour(text, sizeof text, (a + b) / 2, i / 5 % 3);
        }
        float wanted = strtof(text, NULL);
        uint32_t bits = 0;
        enum status status = fp32_from_text(slice_text(text), &bits);
        if (isinf(wanted)) wrong += status != STATUS_RANGE;
        else wrong += status != STATUS_OK || bits != bits_of(wanted);
    }
    EXPECT_EQUAL(wrong, 0);
}

/* numerator / 10^places in Q16.16, by 128-bit integers. */
static int64_t fixed_of_ratio(uint64_t numerator, uint32_t places) {
    uint64_t ten = 1;
    for (uint32_t i = 0; i < places; i++) ten *= 10;
    uint128 scaled = (uint128)numerator << 16;
    uint128 whole = scaled / ten, rest = scaled % ten;
    if (2 * rest > ten || (2 * rest == ten && (whole & 1))) whole++;
    return (int64_t)whole;
}

static void text_to_fixed_equals_128_bit_integers(void) {
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < 300000; i++) {
        uint32_t places = (uint32_t)(next_random() % 19);
        uint64_t numerator = next_random() % 1000000000000000000;
        for (uint32_t cut = (uint32_t)(next_random() % 18); cut > 0; cut--)
            numerator /= 10;
        /* A fifth of them ties: odd multiples of 2^-17, which have 17 places. */
        if (i % 5 == 0 && places == 17)
            numerator = (2 * (numerator % 65536) + 1) * 762939453125;
        char text[64];
        snprintf(text, sizeof text, "%s%" PRIu64 "e-%" PRIu32, i & 1 ? "-" : "",
                 numerator, places);
        int64_t wanted = fixed_of_ratio(numerator, places);
        if (i & 1) wanted = -wanted;
        int32_t value = 0;
        enum status status = one_from_text(text, &value);
        if (wanted < INT32_MIN || wanted > INT32_MAX) wrong += status != STATUS_RANGE;
        else if (wanted == 0 && numerator != 0) wrong += status != STATUS_ROUNDS_TO_ZERO;
        else wrong += status != STATUS_OK || value != wanted;
    }
    EXPECT_EQUAL(wrong, 0);
}

/* Text that says exactly what a blob says must give exactly the same vector. */
static void exact_text_equals_the_blob(void) {
    enum { DIM = 9 };
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < 8000; i++) {
        uint8_t blob[4 * DIM];
        char texts[DIM][200];
        struct slice slices[DIM];
        uint32_t top = (uint32_t)(next_random() % 255);
        for (uint32_t j = 0; j < DIM; j++) {
            uint32_t below = (uint32_t)(next_random() % 24);
            uint32_t exponent = top > below ? top - below : 0;
            uint32_t bits =
                sweep_pattern((uint32_t)(next_random() & 256) | exponent, i + j);
            store_le32(blob + 4 * j, bits);
            snprintf(texts[j], sizeof texts[j], (i + j) % 2 ? "%.120e" : "%a",
                     (double)float_of(bits));
            slices[j] = slice_text(texts[j]);
        }
        int32_t from_blob[DIM] = {0}, from_text[DIM] = {0};
        int8_t blob_exponent = 0, text_exponent = 0;
        enum status status = fixed_from_fp32_scaled(blob, DIM, from_blob, &blob_exponent);
        wrong += fixed_from_text(slices, DIM, true, from_text, &text_exponent) != status;
        if (!status) wrong += memcmp(from_blob, from_text, sizeof from_blob) != 0;
        if (!status) wrong += blob_exponent != text_exponent;
        status = fixed_from_fp32(blob, DIM, from_blob);
        wrong += fixed_from_text(slices, DIM, false, from_text, NULL) != status;
        if (!status) wrong += memcmp(from_blob, from_text, sizeof from_blob) != 0;
    }
    EXPECT_EQUAL(wrong, 0);
}

/* What strtod() takes whole is a number here, and nothing else is. */
static void accepts_what_strtod_accepts(void) {
    static const char letters[] = "0019.+-eExXpPaf inN";
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < 400000; i++) {
        char text[12];
        uint32_t length = 1 + (uint32_t)(next_random() % 7);
        for (uint32_t j = 0; j < length; j++)
            text[j] = letters[next_random() % (sizeof letters - 1)];
        text[length] = '\0';
        char *end;
        double number = strtod(text, &end);
        bool whole = *end == '\0' && text[0] != ' ';
        int32_t value;
        enum status status = one_from_text(text, &value);
        wrong += whole != (status != STATUS_INVALID);
        if (whole)
            wrong += !isfinite(number) && status != STATUS_RANGE &&
                     status != STATUS_NOT_FINITE;
        if (whole && !status) wrong += rint(ldexp(number, 16)) != value;
    }
    EXPECT_EQUAL(wrong, 0);
}

int main(void) {
    RUN(golden_rows_of_text);
    RUN(golden_rows_of_scaled_text);
    RUN(golden_rows_of_text_to_binary32);
    RUN(very_long_numbers_are_exact);
    RUN(text_to_binary32_equals_strtof);
    RUN(text_to_fixed_equals_128_bit_integers);
    RUN(exact_text_equals_the_blob);
    RUN(accepts_what_strtod_accepts);
    return test_finish();
}
