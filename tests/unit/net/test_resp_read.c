/* The request parser: every row of Redis's behaviour, cut at every place.
 *
 * A row is an input and the story it must lead to: "(PING)(hi)" for a request of two
 * arguments, "empty" for one of none, "incomplete", or "error <text>". The story is told
 * for the input in one piece, in two pieces for every place where it can be cut, and byte
 * by byte; it must be the same. Every call gets the bytes in a block of their own and of
 * exactly their size, so that the parser cannot rely on an address and a sanitizer sees a
 * byte read too many. */
#include "net/resp_read.h"

#include "test.h"

/* --- Memory that counts and may fail
 * ------------------------------------------------------- */

struct counted_memory {
    size_t used, peak;
    size_t calls, fail_at; /* the call that fails; 0: none */
};

static void *resize(void *context, void *block, size_t old_size, size_t new_size) {
    struct counted_memory *memory = context;
    if (new_size > 0 && ++memory->calls == memory->fail_at) return NULL;
    memory->used += new_size - old_size;
    if (memory->used > memory->peak) memory->peak = memory->used;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}

/* --- Telling the story
 * ------------------------------------------------------------------------ */

struct story {
    char text[4096];
    size_t size;
};

static void tell(struct story *story, const void *bytes, size_t size) {
    size_t room = sizeof story->text - 1 - story->size;
    if (size > room) size = room;
    memcpy(story->text + story->size, bytes, size);
    story->size += size;
    story->text[story->size] = '\0';
}

static void tell_request(struct story *story, const struct request *request) {
    for (size_t i = 0; i < request->count; i++) {
        tell(story, "(", 1);
        tell(story, request->arguments[i].data, request->arguments[i].size);
        tell(story, ")", 1);
    }
    tell(story, " ", 1);
}

/* Read everything that bytes[from, to) holds; gives where the next request begins. False
 * after an error. */
static bool read_all(struct resp_reader *reader, const struct resp_limits *limits,
                     const uint8_t *bytes, size_t *from, size_t to, struct story *story) {
    for (;;) {
        size_t size = to - *from;
        uint8_t *copy = malloc(size > 0 ? size : 1);
        memcpy(copy, bytes + *from, size);
        struct request request = {NULL, 0, 0};
        enum resp_result result =
            resp_read(reader, slice_of(copy, size), limits, &request);
        if (result == RESP_REQUEST) tell_request(story, &request);
        if (result == RESP_EMPTY) tell(story, "empty ", 6);
        if (result == RESP_ERROR) {
            tell(story, "error ", 6);
            tell(story, resp_reader_error(reader), strlen(resp_reader_error(reader)));
        }
        free(copy);
        if (result == RESP_ERROR) return false;
        if (result == RESP_INCOMPLETE) return true;
        *from += request.consumed;
    }
}

/* The story of `bytes`, handed over first up to `cut`, then `step` more at a time. */
static void tell_story(const uint8_t *bytes, size_t size, size_t cut, size_t step,
                       const struct resp_limits *limits, struct story *story) {
    struct counted_memory memory = {0};
    struct allocator allocator = {&memory, resize};
    struct resp_reader reader;
    resp_reader_init(&reader, &allocator);
    story->size = 0;
    story->text[0] = '\0';
    size_t from = 0, to = cut;
    bool good = read_all(&reader, limits, bytes, &from, to, story);
    while (good && to < size) {
        to = size - to < step ? size : to + step;
        good = read_all(&reader, limits, bytes, &from, to, story);
    }
    if (good && from < size) tell(story, "incomplete", 10);
    while (story->size > 0 && story->text[story->size - 1] == ' ')
        story->text[--story->size] = '\0';
    resp_reader_free(&reader);
    EXPECT_EQUAL(memory.used, 0);
}

static bool story_is(const struct story *story, const char *wanted) {
    return strcmp(story->text, wanted) == 0;
}

/* Every cut, or every `stride`-th of a long input, and all of them near its ends. */
static void check_story(const uint8_t *bytes, size_t size,
                        const struct resp_limits *limits, const char *wanted) {
    struct story story;
    tell_story(bytes, size, size, 1, limits, &story);
    if (!story_is(&story, wanted)) {
        printf("  %.60s\n    got    '%s'\n    wanted '%s'\n", (const char *)bytes,
               story.text, wanted);
        EXPECT(!"the story in one piece");
        return;
    }
    for (size_t cut = 0; cut < size; cut++) {
        bool near_an_end = cut < 40 || size - cut < 40;
        if (!near_an_end && size > 4096 && cut % 1021 != 0) continue;
        tell_story(bytes, size, cut, size, limits, &story);
        if (story_is(&story, wanted)) continue;
        printf("  %.60s\n    cut at %zu: got '%s'\n", (const char *)bytes, cut,
               story.text);
        EXPECT(!"the same story at every cut");
        return;
    }
    tell_story(bytes, size, 0, size > 4096 ? 509 : 1, limits, &story);
    EXPECT(story_is(&story, wanted));
}

/* --- Rows
 * ----------------------------------------------------------------------------------------
 */

#define ERROR(text) "error Protocol error: " text

/* `stranger` NULL: the same before authentication. */
static const struct {
    const char *input, *story, *stranger;
} rows[] = {
    /* Nothing, which is skipped. */
    {"\r\n", "empty", NULL},
    {"\n", "empty", NULL},
    {"   \r\n", "empty", NULL},
    {"*0\r\n", "empty", NULL},
    {"*-1\r\n", "empty", NULL},
    {"*-10\r\n", "empty", NULL},
    {"\r\n*0\r\nPING\r\n", "empty empty (PING)", NULL},

    /* Multibulk. */
    {"*1\r\n$4\r\nPING\r\n", "(PING)", NULL},
    {"*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n*1\r\n$4\r\nPING\r\n", "(ECHO)(hi) (PING)", NULL},
    {"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", "(GET)()", NULL},
    {"*1\r\n$0\r\n\r\n", "()", NULL},
    {"*1\r\n$6\r\na\r\nb\r\n\r\n", "(a\r\nb\r\n)", NULL},
    {"*1\r\n$2\r\n*1\r\nPING\r\n", "(*1) (PING)", NULL},
    {"*1\r\n$4\r\nPIN", "incomplete", NULL},
    {"*1\r\n$4\r\nPING\r", "incomplete", NULL},
    {"*2\r\n$4\r\nPING\r\n", "incomplete", NULL},
    {"*1\n", "incomplete", NULL}, /* waits for CR */
    {"*1\n$4\r\n", ERROR("invalid multibulk length"), NULL},
    {"*1\rX$4\rYPING\r\n", "(PING)",
     NULL}, /* a line ends at CR and whatever comes next */

    /* Inline. */
    {"PING\r\n", "(PING)", NULL},
    {"PING\n", "(PING)", NULL},
    {"  SET\tkey   value \r\n", "(SET)(key)(value)", NULL},
    {"SET key \"a b\"\r\n", "(SET)(key)(a b)", NULL},
    {"SET key 'a b'\r\n", "(SET)(key)(a b)", NULL},
    {"SET \"\" ''\r\n", "(SET)()()", NULL},
    {"ECHO \"\\x41\\x7a\\\"\\\\\\n\\r\\t\\b\\a\\q\"\r\n", "(ECHO)(Az\"\\\n\r\t\b\aq)",
     NULL},
    {"ECHO \"\\xZZ\\x4\"\r\n", "(ECHO)(xZZx4)", NULL},
    {"ECHO 'it\\'s \\n'\r\n", "(ECHO)(it's \\n)", NULL},
    {"ECHO ab\"c d\" e\r\n", "(ECHO)(abc d)(e)", NULL},
    {"PING", "incomplete", NULL},
    {"ECHO \"unbalanced\r\n", ERROR("unbalanced quotes in request"), NULL},
    {"ECHO 'unbalanced\r\n", ERROR("unbalanced quotes in request"), NULL},
    {"ECHO \"a\"b\r\n", ERROR("unbalanced quotes in request"), NULL},
    {"ECHO 'a'b\r\n", ERROR("unbalanced quotes in request"), NULL},
    {"ECHO \"a\\\r\n", ERROR("unbalanced quotes in request"), NULL},
    {"PING\r\nECHO \"x\r\nPING\r\n", "(PING) " ERROR("unbalanced quotes in request"),
     NULL},
    {"%1\r\n+a\r\n$4\r\n", "(%1) (+a) ($4)", NULL}, /* no request types: inline */
    {"POST / HTTP/1.1\r\nHost: x\r\n\r\n", "(POST)(/)(HTTP/1.1) (Host:)(x) empty", NULL},

    /* Counts. */
    {"*x\r\n", ERROR("invalid multibulk length"), NULL},
    {"*\r\n", ERROR("invalid multibulk length"), NULL},
    {"*+1\r\n", ERROR("invalid multibulk length"), NULL},
    {"* 1\r\n", ERROR("invalid multibulk length"), NULL},
    {"*1 \r\n", ERROR("invalid multibulk length"), NULL},
    {"*01\r\n", ERROR("invalid multibulk length"), NULL},
    {"*00\r\n", ERROR("invalid multibulk length"), NULL},
    {"*-\r\n", ERROR("invalid multibulk length"), NULL},
    {"*-01\r\n", ERROR("invalid multibulk length"), NULL},
    {"*2147483648\r\n", ERROR("invalid multibulk length"), NULL},
    {"*99999999999999999999\r\n", ERROR("invalid multibulk length"), NULL},
    {"*-99999999999999999999\r\n", ERROR("invalid multibulk length"), NULL},
    {"*-9223372036854775808\r\n", "empty", NULL},
    {"*1048577\r\n", ERROR("invalid multibulk length"),
     ERROR("unauthenticated multibulk length")},
    {"*1048576\r\n", "incomplete", ERROR("unauthenticated multibulk length")},
    {"*11\r\n", "incomplete", ERROR("unauthenticated multibulk length")},
    {"*10\r\n", "incomplete", NULL},

    /* Bulk headers. */
    {"*1\r\nfoo", ERROR("expected '$', got 'f'"), NULL},
    {"*1\r\nxoops\r\n", ERROR("expected '$', got 'x'"), NULL},
    {"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", ERROR("expected '$', got 'f'"), NULL},
    {"*1\r\n\r\n", ERROR("expected '$', got '\\x0d'"), NULL},
    {"*1\r\n*1\r\n", ERROR("expected '$', got '*'"), NULL},
    {"*1\r\n$-1\r\n", ERROR("invalid bulk length"), NULL},
    {"*1\r\n$-5\r\n", ERROR("invalid bulk length"), NULL},
    {"*1\r\n$abc\r\n", ERROR("invalid bulk length"), NULL},
    {"*1\r\n$x\r\n", ERROR("invalid bulk length"), NULL},
    {"*1\r\n$\r\n", ERROR("invalid bulk length"), NULL},
    {"*1\r\n$04\r\nPING\r\n", ERROR("invalid bulk length"), NULL},
    {"*1\r\n$+4\r\nPING\r\n", ERROR("invalid bulk length"), NULL},
    {"*1\r\n$ 4\r\nPING\r\n", ERROR("invalid bulk length"), NULL},
    {"*1\r\n$4 \r\nPING\r\n", ERROR("invalid bulk length"), NULL},
    {"*1\r\n$2000000000\r\n", ERROR("invalid bulk length"),
     ERROR("unauthenticated bulk length")},
    {"*1\r\n$536870912\r\n", "incomplete", ERROR("unauthenticated bulk length")},
    {"*1\r\n$536870913\r\n", ERROR("invalid bulk length"),
     ERROR("unauthenticated bulk length")},
    {"*1\r\n$16385\r\n", "incomplete", ERROR("unauthenticated bulk length")},
    {"*1\r\n$16384\r\n", "incomplete", NULL},
    {"*1\r\n$9223372036854775807\r\n", ERROR("invalid bulk length"), NULL},
    {"*1\r\n$18446744073709551615\r\n", ERROR("invalid bulk length"), NULL},

    /* Behind a bulk. */
    {"*1\r\n$4\r\nPINGxx", ERROR("expected CRLF after bulk"), NULL},
    {"*1\r\n$4\r\nPING\rx", ERROR("expected CRLF after bulk"), NULL},
    {"*1\r\n$4\r\nPING\n\r", ERROR("expected CRLF after bulk"), NULL},
    {"*1\r\n$3\r\nPING\r\n", ERROR("expected CRLF after bulk"), NULL},
};

static void tells_every_row_at_every_cut(void) {
    struct resp_limits known = resp_limits_default();
    struct resp_limits stranger = resp_limits_unauthenticated();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint8_t *input = (const uint8_t *)rows[i].input;
        size_t size = strlen(rows[i].input);
        check_story(input, size, &known, rows[i].story);
        const char *for_strangers = rows[i].stranger ? rows[i].stranger : rows[i].story;
        /* The number above the ceiling of both has the words of the stranger's. */
        if (strstr(rows[i].input, "$9223") && !rows[i].stranger)
            for_strangers = ERROR("unauthenticated bulk length");
        check_story(input, size, &stranger, for_strangers);
    }
}

/* --- Lines without an end
 * --------------------------------------------------------------------------- */

static void check_long(const char *head, uint8_t fill, size_t fill_size, const char *tail,
                       const char *wanted) {
    size_t head_size = strlen(head), tail_size = strlen(tail);
    size_t size = head_size + fill_size + tail_size;
    uint8_t *bytes = malloc(size + 1);
    memcpy(bytes, head, head_size);
    memset(bytes + head_size, fill, fill_size);
    memcpy(bytes + head_size + fill_size, tail, tail_size + 1);
    struct resp_limits known = resp_limits_default();
    struct resp_limits stranger = resp_limits_unauthenticated();
    check_story(bytes, size, &known, wanted);
    check_story(bytes, size, &stranger, wanted);
    free(bytes);
}

static void cuts_off_endless_lines(void) {
    check_long("", 'a', 65536, "", "incomplete");
    check_long("", 'a', 65537, "", ERROR("too big inline request"));
    check_long("", ' ', 65530, "PING\r\n", "(PING)");
    check_long("", ' ', 65536, "PING\r\n", ERROR("too big inline request"));
    check_long("*", '1', 65535, "", "incomplete");
    check_long("*", '1', 65536, "", ERROR("too big mbulk count string"));
    check_long("*", '1', 65535, "\r\n", ERROR("invalid multibulk length"));
    check_long("*", '1', 65536, "\r\n", ERROR("too big mbulk count string"));
    check_long("*1\r\n$", '1', 65535, "", "incomplete");
    check_long("*1\r\n$", '1', 65536, "", ERROR("too big bulk count string"));
    check_long("*1\r\n$", '1', 65536, "\r\n", ERROR("too big bulk count string"));
    /* The three of Redis's test "desync": a NUL, and then data without an end. */
    check_long("", '\0', 100000, "", ERROR("too big inline request"));
    check_long("*", '\0', 100000, "", ERROR("too big mbulk count string"));
    check_long("*1\r\n$", '\0', 100000, "", ERROR("too big bulk count string"));
}

/* --- Memory
 * -------------------------------------------------------------------------------------------
 */

/* What a header announces is not believed. */
static void announcing_costs_nothing(void) {
    struct counted_memory memory = {0};
    struct allocator allocator = {&memory, resize};
    struct resp_limits limits = resp_limits_default();
    struct resp_reader reader;
    struct request request;
    resp_reader_init(&reader, &allocator);
    const char *input = "*1048576\r\n$536870912\r\nx";
    EXPECT_EQUAL(resp_read(&reader, slice_text(input), &limits, &request),
                 RESP_INCOMPLETE);
    EXPECT_EQUAL(memory.peak, 0);
    EXPECT_EQUAL(resp_reader_missing(&reader, strlen(input)), 536870912 - 1 + 2);
    resp_reader_free(&reader);
}

/* 20,000 arguments, growing with them and given back when idle. */
static void takes_many_arguments(void) {
    enum { COUNT = 20000 };
    struct counted_memory memory = {0};
    struct allocator allocator = {&memory, resize};
    struct resp_limits limits = resp_limits_default();
    struct resp_reader reader;
    struct request request = {NULL, 0, 0};
    resp_reader_init(&reader, &allocator);
    char *input = malloc(COUNT * 7 + 16);
    size_t size = (size_t)sprintf(input, "*%d\r\n", COUNT);
    for (int i = 0; i < COUNT; i++) {
        memcpy(input + size, "$1\r\nx\r\n", 7);
        size += 7;
    }
    EXPECT_EQUAL(resp_read(&reader, slice_of(input, size / 2), &limits, &request),
                 RESP_INCOMPLETE);
    resp_reader_shrink(&reader); /* In the middle of a request it must do nothing. */
    EXPECT(memory.peak <= 16384 * sizeof(struct resp_span) + 1);
    EXPECT_EQUAL(resp_read(&reader, slice_of(input, size), &limits, &request),
                 RESP_REQUEST);
    EXPECT_EQUAL(request.count, COUNT);
    EXPECT_EQUAL(request.consumed, size);
    if (request.count == COUNT)
        EXPECT(slice_equal(request.arguments[COUNT - 1], slice_text("x")));
    resp_reader_shrink(&reader);
    EXPECT_EQUAL(memory.used, 0);
    resp_reader_free(&reader);
    free(input);
}

static void survives_every_failed_allocation(void) {
    static const char *const inputs[] = {
        "*20\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$"
        "1\r\na\r\n"
        "$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n"
        "$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n",
        "SET key 'a value'\r\n",
    };
    struct resp_limits limits = resp_limits_default();
    for (size_t i = 0; i < 2; i++) {
        enum resp_result result = RESP_ERROR;
        for (size_t fail_at = 1; result == RESP_ERROR && fail_at < 20; fail_at++) {
            struct counted_memory memory = {.fail_at = fail_at};
            struct allocator allocator = {&memory, resize};
            struct resp_reader reader;
            struct request request;
            resp_reader_init(&reader, &allocator);
            result = resp_read(&reader, slice_text(inputs[i]), &limits, &request);
            if (result == RESP_ERROR)
                EXPECT(strcmp(resp_reader_error(&reader), "out of memory") == 0);
            resp_reader_free(&reader);
            EXPECT_EQUAL(memory.used, 0);
        }
        EXPECT_EQUAL(result, RESP_REQUEST);
    }
}

/* --- Properties
 * ------------------------------------------------------------------------------------------
 */

/* A megabyte in single bytes, in place. Were the request read from its start each time,
 * this would be 10^12 steps. */
static void is_linear_byte_by_byte(void) {
    enum { SIZE = 1 << 20 };
    struct counted_memory memory = {0};
    struct allocator allocator = {&memory, resize};
    struct resp_limits limits = resp_limits_default();
    struct resp_reader reader;
    struct request request = {NULL, 0, 0};
    resp_reader_init(&reader, &allocator);
    uint8_t *input = malloc(SIZE + 64);
    size_t head = (size_t)sprintf((char *)input, "*2\r\n$1\r\nx\r\n$%d\r\n", SIZE);
    memset(input + head, '\r', SIZE);
    memcpy(input + head + SIZE, "\r\n", 2);
    size_t size = head + SIZE + 2;
    for (size_t now = 0; now < size; now++)
        if (resp_read(&reader, slice_of(input, now), &limits, &request) !=
            RESP_INCOMPLETE) {
            EXPECT(!"incomplete");
            break;
        }
    EXPECT_EQUAL(resp_read(&reader, slice_of(input, size), &limits, &request),
                 RESP_REQUEST);
    if (request.count == 2) {
        EXPECT_EQUAL(request.arguments[1].size, SIZE);
        EXPECT(request.arguments[1].data == input + head); /* in place */
    }
    resp_reader_free(&reader);
    free(input);
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Random requests of random bytes, in random pieces, come out as they went in. */
static void gives_back_what_was_sent(void) {
    struct counted_memory memory = {0};
    struct allocator allocator = {&memory, resize};
    struct resp_limits limits = resp_limits_default();
    struct resp_reader reader;
    resp_reader_init(&reader, &allocator);
    uint32_t random = 7;
    for (int round = 0; round < 2000; round++) {
        static uint8_t wire[8192], plain[8192];
        size_t sizes[12], wire_size, plain_size = 0;
        size_t count = 1 + next_random(&random) % 12;
        wire_size = (size_t)sprintf((char *)wire, "*%zu\r\n", count);
        for (size_t i = 0; i < count; i++) {
            sizes[i] = next_random(&random) % 300;
            wire_size += (size_t)sprintf((char *)wire + wire_size, "$%zu\r\n", sizes[i]);
            for (size_t k = 0; k < sizes[i]; k++)
                plain[plain_size + k] = wire[wire_size++] = (uint8_t)next_random(&random);
            plain_size += sizes[i];
            memcpy(wire + wire_size, "\r\n", 2);
            wire_size += 2;
        }
        struct request request = {NULL, 0, 0};
        enum resp_result result = RESP_INCOMPLETE;
        size_t now = 0;
        while (result == RESP_INCOMPLETE && now < wire_size) {
            now += 1 + next_random(&random) % 500;
            if (now > wire_size) now = wire_size;
            result = resp_read(&reader, slice_of(wire, now), &limits, &request);
        }
        EXPECT_EQUAL(result, RESP_REQUEST);
        EXPECT_EQUAL(request.consumed, wire_size);
        EXPECT_EQUAL(request.count, count);
        const uint8_t *next = plain;
        for (size_t i = 0; i < request.count; i++) {
            EXPECT(slice_equal(request.arguments[i], slice_of(next, sizes[i])));
            next += sizes[i];
        }
    }
    resp_reader_free(&reader);
    EXPECT_EQUAL(memory.used, 0);
}

/* --- A glance ahead
 * --------------------------------------------------------------------------- */

static const struct {
    const char *bytes, *seconds; /* with blanks between */
} glances[] = {
    {"", ""},
    {"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nv\r\n*2\r\n$3\r\nGET\r\n$2\r\nbc\r\n", "a bc"},
    {"*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "k"},
    {"*0\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "k"},
    {"PING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", ""},
    {"*2\r\n$3\r\nGET\r\n$-1\r\n", ""},
    {"*2\r\n$3\r\nGET\r\n$999999999\r\nk\r\n", ""},
    {"*9999999999\r\n$3\r\nGET\r\n", ""},
    {"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nv", "a"},
};

/* Cut at every place it gives the front of what the whole gives. */
static void glances_ahead(void) {
    struct slice seconds[8];
    for (size_t i = 0; i < sizeof glances / sizeof glances[0]; i++) {
        size_t size = strlen(glances[i].bytes), most = 0;
        for (size_t cut = 0; cut <= size; cut++) {
            uint8_t *bytes = malloc(cut + 1);
            memcpy(bytes, glances[i].bytes, cut);
            char told[64] = "";
            size_t count = resp_peek(slice_of(bytes, cut), seconds, 8);
            for (size_t j = 0; j < count; j++)
                snprintf(told + strlen(told), sizeof told - strlen(told), "%s%.*s",
                         j ? " " : "", (int)seconds[j].size,
                         (const char *)seconds[j].data);
            EXPECT(strncmp(told, glances[i].seconds, strlen(told)) == 0 && count >= most);
            if (cut == size) EXPECT(strcmp(told, glances[i].seconds) == 0);
            if (count > 1) EXPECT_EQUAL(resp_peek(slice_of(bytes, cut), seconds, 1), 1);
            most = count;
            free(bytes);
        }
    }
}

int main(void) {
    RUN(tells_every_row_at_every_cut);
    RUN(cuts_off_endless_lines);
    RUN(announcing_costs_nothing);
    RUN(takes_many_arguments);
    RUN(survives_every_failed_allocation);
    RUN(is_linear_byte_by_byte);
    RUN(gives_back_what_was_sent);
    RUN(glances_ahead);
    return test_finish();
}
