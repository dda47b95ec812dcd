/* Replies: each kind in both protocols, byte by byte; the text of doubles; what happens
 * at the limit. */
#include "net/resp_write.h"

#include <math.h>

#include "test.h"

static void *resize(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context;
    (void)old_size;
    if (new_size > 0) return realloc(block, new_size);
    free(block);
    return NULL;
}

static const struct allocator memory = {NULL, resize};

/* One call a row: what it writes in RESP2 and in RESP3. */
#define ROWS                                                                             \
    ROW(reply_ok(r), "+OK\r\n", "+OK\r\n")                                               \
    ROW(reply_status(r, "PONG"), "+PONG\r\n", "+PONG\r\n")                               \
    ROW(reply_error(r, "ERR syntax error"), "-ERR syntax error\r\n",                     \
        "-ERR syntax error\r\n")                                                         \
    ROW(reply_error(r, "ERR a\r\n+OK\nb"), "-ERR a  +OK b\r\n", "-ERR a  +OK b\r\n")     \
    ROW(reply_error_format(r, "ERR %s %d", "x\r\n", 7), "-ERR x   7\r\n",                \
        "-ERR x   7\r\n")                                                                \
    ROW(reply_integer(r, 0), ":0\r\n", ":0\r\n")                                         \
    ROW(reply_integer(r, -1), ":-1\r\n", ":-1\r\n")                                      \
    ROW(reply_integer(r, INT64_MAX), ":9223372036854775807\r\n",                         \
        ":9223372036854775807\r\n")                                                      \
    ROW(reply_integer(r, INT64_MIN), ":-9223372036854775808\r\n",                        \
        ":-9223372036854775808\r\n")                                                     \
    ROW(reply_unsigned(r, INT64_MAX), ":9223372036854775807\r\n",                        \
        ":9223372036854775807\r\n")                                                      \
    ROW(reply_unsigned(r, UINT64_MAX), "$20\r\n18446744073709551615\r\n",                \
        "(18446744073709551615\r\n")                                                     \
    ROW(reply_bool(r, true), ":1\r\n", "#t\r\n")                                         \
    ROW(reply_bool(r, false), ":0\r\n", "#f\r\n")                                        \
    ROW(reply_double(r, 1.5), "$3\r\n1.5\r\n", ",1.5\r\n")                               \
    ROW(reply_double(r, 0.9300149977207184), "$18\r\n0.9300149977207184\r\n",            \
        ",0.9300149977207184\r\n")                                                       \
    ROW(reply_double(r, -INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n")                       \
    ROW(reply_bulk(r, slice_of("a\r\nb", 4)), "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n")    \
    ROW(reply_bulk(r, slice_of(NULL, 0)), "$0\r\n\r\n", "$0\r\n\r\n")                    \
    ROW(reply_text(r, "text"), "$4\r\ntext\r\n", "$4\r\ntext\r\n")                       \
    ROW(reply_verbatim(r, "txt", slice_text("hi")), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n")  \
    ROW(reply_big_number(r, slice_text("-12")), "$3\r\n-12\r\n", "(-12\r\n")             \
    ROW(reply_null(r), "$-1\r\n", "_\r\n")                                               \
    ROW(reply_null_array(r), "*-1\r\n", "_\r\n")                                         \
    ROW(reply_array(r, 0), "*0\r\n", "*0\r\n")                                           \
    ROW(reply_array(r, 12), "*12\r\n", "*12\r\n")                                        \
    ROW(reply_map(r, 3), "*6\r\n", "%3\r\n")                                             \
    ROW(reply_set(r, 3), "*3\r\n", "~3\r\n")                                             \
    ROW(reply_push(r, 3), "*3\r\n", ">3\r\n")                                            \
    ROW(reply_raw(r, slice_text(":1\r\n")), ":1\r\n", ":1\r\n")

static void expect_output(struct buffer *output, const char *call, const char *wanted) {
    struct slice written = buffer_slice(output);
    if (!slice_equal(written, slice_text(wanted)))
        printf("  %s wrote '%.*s'\n", call, (int)written.size,
               (const char *)written.data);
    EXPECT(slice_equal(written, slice_text(wanted)));
    buffer_clear(output);
}

static void spells_every_kind(void) {
    struct buffer output;
    buffer_init(&output, &memory, 1 << 20);
    struct reply reply, *r = &reply;
#define ROW(call, resp2, resp3)                                                          \
    reply_init(r, &output, 2);                                                           \
    call;                                                                                \
    expect_output(&output, #call, resp2);                                                \
    reply_init(r, &output, 3);                                                           \
    call;                                                                                \
    expect_output(&output, #call, resp3);
    ROWS
#undef ROW
        EXPECT_EQUAL(reply.failed, STATUS_OK);
    buffer_free(&output);
}

static void cuts_long_errors(void) {
    struct buffer output;
    buffer_init(&output, &memory, 1 << 20);
    struct reply reply;
    reply_init(&reply, &output, 2);
    char text[2000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    reply_error_format(&reply, "ERR %s", text);
    EXPECT_EQUAL(buffer_size(&output), 1 + 512 + 2);
    buffer_free(&output);
}

static void shortens_doubles(void) {
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1.0, "1"},
        {-1.0, "-1"},
        {123456789.0, "123456789"},
        {4503599627370496.0, "4503599627370496"},
        {1e15, "1000000000000000"},
        {0.1, "0.1"},
        {0.5, "0.5"},
        {1.0 / 3.0, "0.3333333333333333"},
        {2.0 / 3.0, "0.6666666666666666"},
        {0.1 + 0.2, "0.30000000000000004"},
        {0.9300000071525574, "0.9300000071525574"},
        {1e22, "1e+22"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[RESP_DOUBLE_SIZE];
        size_t size = resp_double_text(rows[i].value, text);
        if (strcmp(text, rows[i].text) != 0)
            printf("  got %s, wanted %s\n", text, rows[i].text);
        EXPECT(strcmp(text, rows[i].text) == 0);
        EXPECT_EQUAL(size, strlen(text));
    }
}

/* All kinds of bit patterns, and one digit less would not do. */
static void doubles_read_back(void) {
    uint64_t random = 1;
    for (int i = 0; i < 200000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint64_t bits = i % 2 ? random : (random & 0xffffffffffff) | 0x3fe0000000000000;
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        char text[RESP_DOUBLE_SIZE];
        resp_double_text(value, text);
        EXPECT(strtod(text, NULL) == value);
    }
}

/* The first reply that does not fit leaves no trace, and nothing after it does either. */
static void stays_failed_at_the_limit(void) {
    struct buffer output;
    buffer_init(&output, &memory, 16);
    struct reply reply;
    reply_init(&reply, &output, 2);
    reply_text(&reply, "1234");
    EXPECT_EQUAL(buffer_size(&output), 10);
    EXPECT_EQUAL(reply.failed, STATUS_OK);
    reply_text(&reply, "5");
    EXPECT_EQUAL(reply.failed, STATUS_TOO_LARGE);
    reply_ok(&reply);
    EXPECT_EQUAL(buffer_size(&output), 10);
    EXPECT_EQUAL(reply.failed, STATUS_TOO_LARGE);
    buffer_free(&output);
}

int main(void) {
    RUN(spells_every_kind);
    RUN(cuts_long_errors);
    RUN(shortens_doubles);
    RUN(doubles_read_back);
    RUN(stays_failed_at_the_limit);
    return test_finish();
}
