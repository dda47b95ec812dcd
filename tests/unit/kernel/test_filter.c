/* What FILTER expressions say of attributes: rows that were seen in Redis 8.8, and
 * limits. */
#include "test.h"

#include "kernel/filter.h"

static struct filter filter;
static struct filter_room room;

/* 1, 0, or -1: no expression. */
static int ask(const char *text, const char *attributes) {
    size_t error;
    uint64_t cost = 0;
    if (filter_read(slice_text(text), &filter, &error)) return -1;
    bool matches = filter_matches(&filter, slice_text(attributes), &room, &cost);
    EXPECT(cost > 0);
    return matches;
}

static const char usual[] = "{\"a\":1,\"s\":\"cat\",\"t\":[1,\"x\",null,true,[2,3]],"
                            "\"n\":null,\"b\":true,\"e\":\"\",\"f\":2.5,\"o\":{\"x\":1},"
                            "\"g\":\"3\"}";

struct row {
    int matches;
    const char *text, *attributes; /* NULL: the usual ones */
};

static void expect_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        int got = ask(row->text, row->attributes ? row->attributes : usual);
        EXPECT_EQUAL(got, row->matches);
        if (got != row->matches) printf("    %s  over  %s\n", row->text, row->attributes);
    }
}
#define EXPECT_ROWS(rows) expect_rows(rows, sizeof(rows) / sizeof(rows)[0])

static void operators_bind_as_in_redis(void) {
    static const struct row rows[] = {
        {1, "2 ** 3 ** 2 == 512", NULL},
        {1, "-2 ** 2 == 4", NULL},
        {1, "1 -5 == -4", NULL},
        {1, "1 - -5 == 6", NULL},
        {1, ".a -1 == 0", NULL},
        {1, "(1)-1 == 0", NULL},
        {0, ".a-1", NULL}, /* a field called "a-1" */
        {1, "1 == 1 == 1", NULL},
        {1, "1 < 2 < 3", NULL},
        {1, "1 in [1] == 1", NULL},
        {1, "1 and 1 or 0", NULL},
        {0, "0 or 1 and 0", NULL},
        {1, ".a==1and.b==1", NULL},
        {1, "1 andnot 0", NULL},
        {0, "not .a == 2", NULL}, /* (not .a) == 2 */
        {1, "!1 == 0", NULL},
        {1, "2 ** !0 == 2", NULL},
        {1, "1 + not 0", NULL},
        {1, ".a && 1", NULL},
        {1, "0 || .a", NULL},
        {1, "1 2 +", NULL},
        {1, ".a 1 ==", NULL},
        {0, "1 not", NULL},
        {1, "1 + 2 * 3 - 4 / 2 % 3 == 5", NULL},
        {1, "7 % 4 ** 2 == 7", NULL},
        {-1, "! !1", NULL},
        {-1, "not not 1", NULL},
    };
    EXPECT_ROWS(rows);
}

static void values_are_taken_as_redis_takes_them(void) {
    static const struct row rows[] = {
        {1, "[1,2] == [3]", NULL},
        {1, "[1] == 0", NULL},
        {1, "[1] == \"a\"", NULL},
        {1, "[]", NULL},
        {1, "null == null", NULL},
        {0, "null == 0", NULL},
        {1, "null != 0", NULL},
        {1, "null < 1", NULL},
        {1, "null >= 0", NULL},
        {0, "null", NULL},
        {1, "(.n == null) and (null == .n)", NULL},
        {1, "\"\" == 0", NULL},
        {1, ".s == 0", NULL},
        {0, ".s == 'CAT'", NULL},
        {1, "\"5\" > 4", NULL},
        {0, "\"5x\" > 4", NULL},
        {1, "\" 5\" > 4", NULL},
        {0, "\"5 \" > 4", NULL},
        {1, "\"0x10\" == 16", NULL},
        {1, "\"inf\" > 5", NULL},
        {1, "'nan' == 'nan'", NULL},
        {0, "'nan' == 1", NULL},
        {1, "0 != 'nan'", NULL},
        {0, "!'nan'", NULL},
        {0, "'a' + 'b'", NULL},
        {1, "'2'*'3' == 6", NULL},
        {1, "1 + null == 1", NULL},
        {0, "'x' > 'a'", NULL},
        {0, "'a\\nb' == 'anb'", NULL},
        {1, "\"it's\" == 'it' + 's' or 1", NULL},
        {1, ".b == 1", NULL},
        {0, ".e", NULL},
        {1, ".e == ''", NULL},
        {1, ".t", NULL},
        {1, "(1 and 5) == 1", NULL},
    };
    EXPECT_ROWS(rows);
}

static void arithmetic_is_that_of_doubles(void) {
    static const struct row rows[] = {
        {1, "1/0 > 5", NULL},
        {0, "0/0 == 0/0", NULL},
        {1, "0/0 != 0/0", NULL},
        {1, "0/0", NULL},
        {1, "5 % 0", NULL},
        {0, "5 % 0 == 0", NULL},
        {1, "-5 % 3 == -2", NULL},
        {1, "5.5 % 2 == 1.5", NULL},
        {1, "0.1 + 0.2 != 0.3", NULL},
        {1, "1e308*10 > 1e308", NULL},
        {1, "2 ** -1 == 0.5", NULL},
        {1, "0 ** 0 == 1", NULL},
        {1, "1 ** (0/0) == 1", NULL},
        {1, "9 ** 0.5 == 3", NULL},
        {1, "9007199254740993 == 9007199254740992", NULL},
        {1, "1e999 > 5", NULL},
    };
    EXPECT_ROWS(rows);
}

static void in_knows_sets_and_texts(void) {
    static const struct row rows[] = {
        {1, ".a in [1,2,3]", NULL},
        {0, ".a in []", NULL},
        {1, ".a in [1,]", NULL},
        {1, "'cat' in ['dog', \"cat\"]", NULL},
        {1, "\"3\" in [3]", NULL},
        {1, "3 in [\"3\"]", NULL},
        {1, "1 in .t", NULL},
        {1, "'x' in .t", NULL},
        {1, "null in .t", NULL},
        {0, "2 in .t", NULL},
        {1, "[9] in .t", NULL}, /* an array in the array equals every tuple */
        {0, "null in .a", "{\"a\":[0]}"},
        {1, "'' in .a", "{\"a\":[0]}"},
        {1, "'a\"b' in .a", "{\"a\":[1,\"a\\\"b\"]}"},
        {1, "'' in 'abc'", NULL},
        {1, "'at' in .s", NULL},
        {0, "'ct' in .s", NULL},
        {0, "1 in '123'", NULL},
        {0, "1 in 1", NULL},
        {0, "'abcab' in 'abcab'  - 1", NULL},
        {1, "'abcabd' in 'abcabcabd'", NULL},
        {1, "'aab' in 'aaaaab'", NULL},
        {0, "'aab' in 'abababaa'", NULL},
        {1, "'abaab' in 'abaabaabaab'", NULL},
    };
    EXPECT_ROWS(rows);
}

static void attributes_that_do_not_say_match_nothing(void) {
    static const struct row rows[] = {
        {0, "1 or .missing", NULL},
        {0, "!.missing", NULL},
        {0, "!.o", NULL},
        {0, ".a or .o", NULL},
        {0, "1", ""},
        {1, "1", "not json"},
        {0, "!(.a == 2)", "[{\"a\":1}]"},
    };
    EXPECT_ROWS(rows);
}

/* Compared with the plain search at every length, over few letters. */
static void texts_are_found_wherever_they_stand(void) {
    uint64_t state = 99991;
    for (int i = 0; i < 20000; i++) {
        char text[64], attributes[32], quoted[64];
        size_t size = 0;
        char needle[32];
        size_t length = 1 + (size_t)(i % 12);
        for (size_t j = 0; j < 28; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            attributes[size++] = (char)('a' + (state >> 33) % 2);
        }
        attributes[size] = 0;
        for (size_t j = 0; j < length; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            needle[j] = (char)('a' + (state >> 33) % 2);
        }
        needle[length] = 0;
        bool wanted = strstr(attributes, needle) != NULL;
        snprintf(quoted, sizeof quoted, "{\"s\":\"%s\"}", attributes);
        snprintf(text, sizeof text, "'%s' in .s", needle);
        EXPECT_EQUAL(ask(text, quoted), wanted);
    }
}

/* What an evaluation costs grows with what it reads, not with its square. */
static void cost_is_bounded_by_what_is_read(void) {
    static char attributes[65537];
    int at = snprintf(attributes, sizeof attributes, "{\"a\":\"");
    memset(attributes + at, 'a', 60000);
    strcpy(attributes + at + 60000, "\"}");
    size_t error;
    uint64_t cost = 0;
    EXPECT_EQUAL(filter_read(slice_text("'aaaaaaaaaaaaaaab' in .a"), &filter, &error), 0);
    EXPECT(!filter_matches(&filter, slice_text(attributes), &room, &cost));
    EXPECT(cost > 1000 && cost < 4000);
}

int main(void) {
    RUN(operators_bind_as_in_redis);
    RUN(values_are_taken_as_redis_takes_them);
    RUN(arithmetic_is_that_of_doubles);
    RUN(in_knows_sets_and_texts);
    RUN(attributes_that_do_not_say_match_nothing);
    RUN(texts_are_found_wherever_they_stand);
    RUN(cost_is_bounded_by_what_is_read);
    return test_finish();
}
