#include "server/words.h"

#include "test.h"

static void compares_without_case(void) {
    EXPECT(word_is(slice_text("VaDd"), "vadd"));
    EXPECT(!word_is(slice_text("vad"), "vadd"));
    EXPECT(!word_is(slice_text("vaddx"), "vadd"));
    EXPECT(word_is(slice_of(NULL, 0), ""));
    EXPECT(!word_is(slice_of("a\0b", 3), "a"));
}

static void reads_integers_as_redis_does(void) {
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"-1", true, -1},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551616", false, 0},
        {"+1", false, 0},
        {"01", false, 0},
        {"-0", false, 0},
        {"-", false, 0},
        {"", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x1", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t value = 0;
        bool good = word_integer(slice_text(rows[i].text), &value);
        EXPECT_EQUAL(good, rows[i].good);
        if (good) EXPECT_EQUAL(value, rows[i].value);
    }
    uint64_t number;
    EXPECT(word_unsigned(slice_text("18446744073709551615"), &number));
    EXPECT(number == UINT64_MAX);
    EXPECT(!word_unsigned(slice_text("18446744073709551616"), &number));
    EXPECT(!word_unsigned(slice_text("-1"), &number));
}

static void reads_doubles(void) {
    double value;
    EXPECT(word_double(slice_text("0.25"), &value) && value == 0.25);
    EXPECT(word_double(slice_text("1e3"), &value) && value == 1000.0);
    EXPECT(!word_double(slice_text("nan"), &value));
    EXPECT(!word_double(slice_text(""), &value));
    EXPECT(!word_double(slice_text(" 1"), &value));
    EXPECT(!word_double(slice_text("1 "), &value));
    EXPECT(!word_double(slice_of("1\0", 2), &value));
}

static void compares_secrets(void) {
    EXPECT(secret_equal(slice_text("abc"), slice_text("abc")));
    EXPECT(!secret_equal(slice_text("abd"), slice_text("abc")));
    EXPECT(!secret_equal(slice_text("ab"), slice_text("abc")));
    EXPECT(!secret_equal(slice_text("abcabc"), slice_text("abc")));
    EXPECT(!secret_equal(slice_text(""), slice_text("abc")));
    EXPECT(!secret_equal(slice_text("abc"), slice_text("")));
}

static void reads_hex(void) {
    uint8_t bytes[3];
    EXPECT(hex_bytes(slice_text("00fFa9"), bytes, 3));
    EXPECT_BYTES(bytes, "\x00\xff\xa9", 3);
    EXPECT(!hex_bytes(slice_text("00ffa"), bytes, 3));
    EXPECT(!hex_bytes(slice_text("00ffa900"), bytes, 3));
    EXPECT(!hex_bytes(slice_text("00ffg9"), bytes, 3));
    EXPECT(!hex_bytes(slice_text(""), bytes, 3));
}

int main(void) {
    RUN(compares_without_case);
    RUN(reads_integers_as_redis_does);
    RUN(reads_doubles);
    RUN(compares_secrets);
    RUN(reads_hex);
    return test_finish();
}
