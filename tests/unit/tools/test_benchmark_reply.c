/* tools/benchmark_reply: every form of RESP2 and RESP3, at every cut, and what is none.
 */
#include "tools/benchmark_reply.h"

#include "os/os.h"
#include "test.h"

static struct reply_reader reader;
static struct reply reply;

static enum status read_text(const char *text, size_t *size) {
    return reply_read(&reader, slice_text(text), &reply, size);
}

/* The items of a whole reply as text: type, number, text. */
static void expect_items(const char *wire, const char *wanted) {
    char text[256] = "";
    size_t size = 0, at = 0;
    EXPECT_EQUAL(read_text(wire, &size), STATUS_OK);
    EXPECT_EQUAL(size, strlen(wire));
    for (size_t i = 0; i < reply.count; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%c%lld%.*s ",
                               reply.items[i].type, (long long)reply.items[i].number,
                               (int)reply.items[i].text.size,
                               (const char *)reply.items[i].text.data);
    EXPECT(strcmp(text, wanted) == 0);
    if (strcmp(text, wanted) != 0) printf("    %s gave %s\n", wire, text);
}

static const struct {
    const char *wire, *items;
} good[] = {
    {"+OK\r\n", "+0OK "},
    {"-ERR no\r\n", "-0ERR no "},
    {":42\r\n", ":42 "},
    {":-9223372036854775808\r\n", ":-9223372036854775808 "},
    {"$3\r\na\r\n\r\n", NULL}, /* binary text with a line's end inside */
    {"$0\r\n\r\n", "$0 "},
    {"$-1\r\n", "_-1 "},
    {"*-1\r\n", "_-1 "},
    {"_\r\n", "_0 "},
    {"#t\r\n", "#1 "},
    {"#f\r\n", "#0 "},
    {",1.5\r\n", ",01.5 "},
    {"(12345678901234567890\r\n", "(012345678901234567890 "},
    {"!5\r\nERR x\r\n", "-5ERR x "},
    {"=7\r\ntxt:abc\r\n", "=7txt:abc "},
    {"*0\r\n", "*0 "},
    {"*2\r\n:1\r\n*1\r\n+a\r\n", "*2 :1 *1 +0a "},
    {"%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n_\r\n", "%4 +0a :1 +0b ~1 _0 "},
    {">1\r\n+x\r\n", ">1 +0x "},
};

static void every_form_is_read(void) {
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (good[i].items) expect_items(good[i].wire, good[i].items);
    size_t size;
    EXPECT_EQUAL(read_text(good[4].wire, &size), STATUS_OK);
    EXPECT_BYTES(reply.items[0].text.data, "a\r\n", 3);
}

static void every_cut_waits_for_more(void) {
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        for (size_t cut = 0; cut < strlen(good[i].wire); cut++) {
            size_t size;
            EXPECT_EQUAL(reply_read(&reader, slice_of(good[i].wire, cut), &reply, &size),
                         STATUS_AGAIN);
        }
}

static void only_the_first_reply_is_taken(void) {
    size_t size;
    EXPECT_EQUAL(read_text("*1\r\n:1\r\n:2\r\n", &size), STATUS_OK);
    EXPECT_EQUAL(size, 8);
}

static void what_is_no_resp_is_refused(void) {
    const char *bad[] = {"@1\r\n",
                         "+a\rb\r\n",
                         ":\r\n",
                         ":1x\r\n",
                         ":+\r\n",
                         "$-2\r\n",
                         "*-2\r\n",
                         "$3\r\nabcde\r\n",
                         "#x\r\n",
                         "#tt\r\n",
                         "_x\r\n",
                         "*9999999999\r\n",
                         "$99999999999\r\n",
                         ":9223372036854775808\r\n",
                         "\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t size;
        EXPECT_EQUAL(read_text(bad[i], &size), STATUS_INVALID);
    }
}

/* A count that nobody can meet takes no memory before its items come. */
static void what_is_announced_is_not_believed(void) {
    size_t size;
    EXPECT_EQUAL(read_text("*2000000000\r\n:1\r\n", &size), STATUS_AGAIN);
    EXPECT(reader.capacity < 1000);
}

static void hashes_tell_replies_apart(void) {
    const char *wires[] = {":1\r\n",
                           ":2\r\n",
                           "$1\r\n1\r\n",
                           "+1\r\n",
                           "*1\r\n:1\r\n",
                           "*2\r\n+a\r\n+b\r\n",
                           "*2\r\n+ab\r\n+\r\n"};
    uint8_t digests[sizeof wires / sizeof wires[0]][SHA256_SIZE];
    for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++) {
        size_t size;
        EXPECT_EQUAL(read_text(wires[i], &size), STATUS_OK);
        reply_hash(&reply, digests[i]);
        for (size_t j = 0; j < i; j++)
            EXPECT(memcmp(digests[i], digests[j], SHA256_SIZE) != 0);
    }
}

int main(void) {
    reply_reader_init(&reader, os_allocator());
    RUN(every_form_is_read);
    RUN(every_cut_waits_for_more);
    RUN(only_the_first_reply_is_taken);
    RUN(what_is_no_resp_is_refused);
    RUN(what_is_announced_is_not_believed);
    RUN(hashes_tell_replies_apart);
    reply_reader_free(&reader);
    return test_finish();
}
