/* Fields of JSON attributes: what is found, what is passed over, what is too wrong. Rows
 * were seen in Redis 8.8. */
#include "test.h"

#include "kernel/filter_json.h"

static struct filter_value value;

static bool find(const char *json, const char *name) {
    struct slice field = slice_text(name);
    size_t read;
    bool found = filter_json_fields(slice_text(json), &field, 1, &value, &read);
    EXPECT(read <= strlen(json));
    return found;
}

static void sound_and_unsound_objects(void) {
    static const struct {
        bool found; /* the number 1 under "a" */
        const char *json;
    } rows[] = {
        {true, "{\"a\":1}"},
        {true, "\t\n{ \"a\" : 1 }"},
        {true, "{\"a\":1"},
        {true, "{\"a\":1x"},
        {true, "{\"a\":1} junk"},
        {true, "{\"a\":1,\"a\":2}"},
        {true, "{\"a\":+1}"},
        {true, "{\"a\":01}"},
        {true, "{\"a\":1.}"},
        {true, "{\"a\":10e-1}"},
        {true, "{\"a\":true}"},
        {true, "{\"b\":1.2.3,\"a\":1}"},
        {true, "{\"b\":-,\"a\":1}"},
        {true, "{\"b\":\"x\\q\",\"a\":1}"},
        {true, "{\"b\":[}],\"a\":1}"},
        {true, "{\"b\":{\"a\":5},\"a\":1}"},
        {true, "{\"b\":{x},\"a\":1}"},
        {true, "{\"b\":{\"x\":\"}\"},\"a\":1}"},
        {true, "{\"b\":[1,2}],\"a\":1}"},
        {true, "{\"b\":\"\\\"\",\"a\":1}"},
        {false, ""},
        {false, "{"},
        {false, "{}"},
        {false, "[{\"a\":1}]"},
        {false, "{\"a\"}"},
        {false, "{\"a\" 1}"},
        {false, "{a:1}"},
        {false, "{'a':1}"},
        {false, "{,\"a\":1}"},
        {false, "{\"b\":2 \"a\":1}"},
        {false, "{\"b\":truex,\"a\":1}"},
        {false, "{\"b\":NaN,\"a\":1}"},
        {false, "{\"b\":0x10,\"a\":1}"},
        {false, "{\"b\":{\"c\":[1,2,}],\"a\":1}"},
        {false, "{\"b\":,\"a\":1}"},
        {false, "{\"b\":1,,\"a\":1}"},
        {false, "{\"A\":1}"},
        {false, "{\"\\u0061\":1}"},
        {false, "{\"a\":.1e1}"},
        {false, "{\"a\":1-}"},
        {false, "{\"a\":1e}"},
        {false, "{\"a\":truex}"},
        {false, "{\"a\":{}}"},
        {false, "{\"b\":\"x\\"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool found = find(rows[i].json, "a") && value.kind == FILTER_NUMBER &&
                     value.number == BINARY64_ONE;
        EXPECT_EQUAL(found, rows[i].found);
        if (found != rows[i].found) printf("    %s\n", rows[i].json);
    }
}

static void numbers_are_read_exactly(void) {
    static const char *const texts[] = {
        "0",
        "-0",
        "7.5",
        "-12.25",
        "1e3",
        "0.1",
        "123456789012345678",
        "1.7976931348623157e308",
        "4.9e-324",
        "0.30000000000000004",
        "12345678901234567890123",
        "99999999999999999.5",
        "+2",
        "1e400",
        "-1E-400",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"a\":%s}", texts[i]);
        EXPECT(find(json, "a"));
        double wanted = strtod(texts[i], NULL);
        EXPECT_BYTES(&value.number, &wanted, sizeof wanted);
    }
}

static void several_fields_in_one_pass(void) {
    const struct slice names[] = {slice_text("c"), slice_text("a"), slice_text("")};
    struct filter_value values[3];
    const char *json = "{\"a\":\"x\\ty\",\"b\":[[]],\"\":null,\"c\":[1,[2,\"]\"]],]";
    size_t read;
    EXPECT(filter_json_fields(slice_text(json), names, 3, values, &read));
    EXPECT_EQUAL(values[0].kind, FILTER_ARRAY);
    EXPECT_EQUAL(values[1].kind, FILTER_TEXT);
    EXPECT(values[1].escaped);
    EXPECT_EQUAL(values[2].kind, FILTER_NULL);
    EXPECT_EQUAL(read, strlen(json) - 2);
    uint8_t bytes[8];
    EXPECT(slice_equal(filter_json_unescape(values[1].text, bytes), slice_text("x\ty")));
}

static void arrays_are_strict(void) {
    static const char *const bad[] = {"[1,2",          "[1 2]",   "[1,]",   "[,1]",
                                      "[1,{\"x\":1}]", "[1,tru]", "[\"x]",  "[1;2]",
                                      "[1,-]",         "[1,.5]",  "[1,,2]", "[1,[{}]]",
                                      "[[1,]]",        "[[]",     "[[1]2]"};
    static const char *const good[] = {
        "[]", "[ ]", "[1]", "[1,[2,[3]]]", "[1, 2 ]", "[[],[[]] , null]", "[\"a\\\"]\"]"};
    char json[64];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(json, sizeof json, "{\"a\":%s}", bad[i]);
        EXPECT(!find(json, "a"));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(json, sizeof json, "{\"a\":%s}", good[i]);
        EXPECT(find(json, "a") && value.kind == FILTER_ARRAY);
    }
}

static void elements_of_arrays(void) {
    EXPECT(find("{\"a\":[1, \"x,]\" ,[2,[3]],false,null]}", "a"));
    struct slice rest = value.text;
    static const uint8_t kinds[] = {FILTER_NUMBER, FILTER_TEXT, FILTER_ARRAY,
                                    FILTER_NUMBER, FILTER_NULL};
    struct filter_value element;
    for (size_t i = 0; i < sizeof kinds; i++) {
        EXPECT(filter_json_next(&rest, &element));
        EXPECT_EQUAL(element.kind, kinds[i]);
    }
    EXPECT(!filter_json_next(&rest, &element));
}

/* Nesting costs no stack. */
static void deep_nesting(void) {
    static char json[65536];
    for (int open = 0; open < 2; open++) {
        char bracket = open ? '{' : '[';
        int size = sprintf(json, "{\"b\":");
        memset(json + size, bracket, 30000);
        memset(json + size + 30000, open ? '}' : ']', 30000);
        strcpy(json + size + 60000, ",\"a\":1}");
        EXPECT(find(json, "a"));
        EXPECT_EQUAL(find(json, "b"), !open);
    }
}

int main(void) {
    RUN(sound_and_unsound_objects);
    RUN(numbers_are_read_exactly);
    RUN(several_fields_in_one_pass);
    RUN(arrays_are_strict);
    RUN(elements_of_arrays);
    RUN(deep_nesting);
    return test_finish();
}
