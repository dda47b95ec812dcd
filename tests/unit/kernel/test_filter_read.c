/* Which texts are expressions, where the others go wrong, and what is too much. */
#include "test.h"

#include "kernel/filter.h"

static struct filter filter;

/* The text from the place of the error on, as a client is told it; "" for none. */
static const char *wrong_from(const char *text) {
    size_t error;
    enum status status = filter_read(slice_text(text), &filter, &error);
    if (status == STATUS_OK) return "";
    EXPECT_EQUAL(status, STATUS_INVALID);
    return error < strlen(text) ? text + error : text;
}

/* All seen in Redis 8.8. */
static void errors_are_where_redis_has_them(void) {
    static const char *const rows[][2] = {
        {"1.2.3", "1.2.3"},
        {"1e+5", "+5"},
        {"- 5", "- 5"},
        {"-.5", "-.5"},
        {"[,]", ",]"},
        {"[1 2]", "2]"},
        {"[1,2", "[1,2"},
        {"[1,null]", "null]"},
        {"[1,[2]]", "[2]]"},
        {"\"abc", "\"abc"},
        {"1 2", "1 2"},
        {"()", "()"},
        {"(1", "(1"},
        {"1)", "1)"},
        {"1 +", "1 +"},
        {"!!1", "!!1"},
        {".a===1", "1"},
        {".a=1", "1"},
        {".a & 1", " 1"},
        {"a == 1", " == 1"},
        {"true", "true"},
        {"true in .t", " in .t"},
        {".a.b", ".a.b"},
        {". a", ". a"},
        {".a . b", ". b"},
        {"1.5.a", "a"},
        {".a,1", ",1"},
        {".a;", ";"},
        {"# 1", "# 1"},
        {"1 # 2", "# 2"},
        {"(.)", ".)"},
        {"..", ".."},
        {"=(1) 2", "1) 2"},
        {"1 nota 2", " 2"},
        {"nullx == 1", " == 1"},
        {"null_ == 1", "_ == 1"},
        {"1 + [1, x]", "x]"},
        {"[-]", "]"},
        {"[--1]", "-1]"},
        {"1 + [1.2.3, 4]", ", 4]"},
        {"[.5]", ".5]"},
        {"1 ]", "]"},
        {"1e5e5 + 1", " + 1"},
        {"1 =< 2", " 2"},
        {"1 &and 2", " 2"},
        {"1 andx+1 2", "1 2"},
        {"(1 +) 2", "(1 +) 2"},
        {"(==) 1 1", "(==) 1 1"},
        {"\xc3\xa9 2", "\xc3\xa9 2"},
        {" ", " "},
        {"1 ! 2", "1 ! 2"},
        {"2***3", "2***3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = wrong_from(rows[i][0]);
        EXPECT(strcmp(got, rows[i][1]) == 0);
        if (strcmp(got, rows[i][1]) != 0) printf("    %s: %s\n", rows[i][0], got);
    }
}

static void good_texts_are_taken(void) {
    static const char *const rows[] = {
        "1.",       ".",       ".a",     "[ ]",      "[1, ]",
        "[-.5]",    "'\\''",   "1 2 +",  "((1))",    "1in[1]",
        ".a!in[1]", "null",    "(null)", "null==1",  "1 or not 0",
        "-1--1",    "1\t+\v1", ".a-b_9", "\"\\\\\"", "nullx-1 or 1" + 6,
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        EXPECT(strcmp(wrong_from(rows[i]), "") == 0);
}

static void programs_are_as_written(void) {
    EXPECT(strcmp(wrong_from("(.a + 2) in [1, 'x'] and .a == .b"), "") == 0);
    static const struct filter_step wanted[] = {
        {FILTER_FIELD, 0}, {FILTER_VALUE, 0}, {FILTER_ADD, 0},
        {FILTER_VALUE, 3}, {FILTER_IN, 0},    {FILTER_FIELD, 0},
        {FILTER_FIELD, 1}, {FILTER_EQUAL, 0}, {FILTER_AND, 0},
    };
    EXPECT_EQUAL(filter.step_count, 9);
    EXPECT_BYTES(filter.steps, wanted, sizeof wanted);
    EXPECT_EQUAL(filter.field_count, 2);
    EXPECT_EQUAL(filter.values[3].kind, FILTER_TUPLE);
    EXPECT_EQUAL(filter.values[3].first, 1);
    EXPECT_EQUAL(filter.values[3].size, 2);
}

/* `count` times `part`, then `end`. */
static enum status status_of(const char *part, int count, const char *end) {
    static char text[FILTER_SIZE_MAX + 100];
    size_t size = 0, error;
    for (int i = 0; i < count; i++, size += strlen(part)) strcpy(text + size, part);
    strcpy(text + size, end);
    return filter_read(slice_of(text, size + strlen(end)), &filter, &error);
}

static void what_is_too_much_is_refused(void) {
    EXPECT_EQUAL(status_of("1+", 511, "1"), STATUS_OK); /* 512 values, 511 sums */
    EXPECT_EQUAL(status_of("1+", 512, "1"), STATUS_TOO_LARGE);
    EXPECT_EQUAL(status_of("(", 32, "1))))))))))))))))))))))))))))))))"), STATUS_OK);
    EXPECT_EQUAL(status_of("(", 33, "1)))))))))))))))))))))))))))))))))"),
                 STATUS_TOO_LARGE);
    EXPECT_EQUAL(status_of("2**", 31, "2"), STATUS_OK);
    EXPECT_EQUAL(status_of("2**", 32, "2"), STATUS_TOO_LARGE);
    EXPECT_EQUAL(status_of("1 in [1]+", 203, "1"), STATUS_OK); /* 5 nodes each */
    EXPECT_EQUAL(status_of("1 in [1]+", 205, "1"), STATUS_TOO_LARGE);
    EXPECT_EQUAL(status_of("**", 2000, ""), STATUS_TOO_LARGE);
    EXPECT_EQUAL(status_of("(1", 20000, ""), STATUS_TOO_LARGE);
    EXPECT_EQUAL(status_of(")", 60000, ""), STATUS_INVALID);
    EXPECT_EQUAL(status_of(" ", 65535, "1"), STATUS_OK);
    EXPECT_EQUAL(status_of(" ", 65536, "1"), STATUS_TOO_LARGE);
    char digits[300];
    memset(digits, '1', sizeof digits);
    size_t error;
    EXPECT_EQUAL(filter_read(slice_of(digits, 255), &filter, &error), STATUS_OK);
    EXPECT_EQUAL(filter_read(slice_of(digits, 300), &filter, &error), STATUS_INVALID);
    EXPECT_EQUAL(error, 255);
    char fields[1000];
    size_t size = 0;
    for (int i = 0; i < 65; i++) size += (size_t)sprintf(fields + size, "+ .f%d ", i);
    EXPECT_EQUAL(filter_read(slice_of(fields + 1, size - 1), &filter, &error),
                 STATUS_TOO_LARGE);
    EXPECT_EQUAL(filter_read(slice_of(fields + 1, size - 8), &filter, &error), STATUS_OK);
    EXPECT_EQUAL(filter_read(slice_of("1\0", 2), &filter, &error), STATUS_INVALID);
}

int main(void) {
    RUN(errors_are_where_redis_has_them);
    RUN(good_texts_are_taken);
    RUN(programs_are_as_written);
    RUN(what_is_too_much_is_refused);
    return test_finish();
}
