#include "base/decimal.h"

#include "test.h"

static void one_text_for_each_number(void) {
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"7", true, 7},
        {"-1", true, -1},
        {"10", true, 10},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551616", false, 0},
        {"99999999999999999999", false, 0},
        {"100000000000000000000", false, 0},
        {"+1", false, 0},
        {"01", false, 0},
        {"-01", false, 0},
        {"-0", false, 0},
        {"-", false, 0},
        {"--1", false, 0},
        {"", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x1", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 0;
        uint8_t text[DECIMAL_SIZE_MAX];
        bool good = decimal_integer(slice_text(rows[i].text), &value);
        EXPECT_EQUAL(good, rows[i].good);
        if (!good) continue;
        EXPECT_EQUAL(value, rows[i].value);
        EXPECT_EQUAL(decimal_text(value, text), strlen(rows[i].text));
        EXPECT_BYTES(text, rows[i].text, strlen(rows[i].text));
    }
}

static void what_was_written_reads_back(void) {
    for (int shift = 0; shift < 64; shift++)
        for (int nudge = -2; nudge <= 2; nudge++) {
            int64_t value = (int64_t)((UINT64_C(1) << shift) + (uint64_t)(int64_t)nudge), again;
            uint8_t text[DECIMAL_SIZE_MAX];
            EXPECT(decimal_integer(slice_of(text, decimal_text(value, text)), &again));
            EXPECT_EQUAL(again, value);
        }
}

int main(void) {
    RUN(one_text_for_each_number);
    RUN(what_was_written_reads_back);
    return test_finish();
}
