#include "server/options.h"

#include "test.h"

static char message[OPTION_MESSAGE_SIZE];

static enum status set(struct options *options, const char *name, const char *value) {
    return option_set_text(options, option_find(slice_text(name)), slice_text(value),
                           message);
}

static void every_initial_value_is_legal(void) {
    struct options options;
    options_begin(&options); /* checks each */
    EXPECT_EQUAL(options.port, 8256);
    EXPECT_EQUAL(options.databases, 16);
    EXPECT_EQUAL(options.appendonly, 1);
    EXPECT_EQUAL(options.appendfsync, 0);
    EXPECT(strcmp(options.bind, "127.0.0.1 ::1") == 0);
    EXPECT(strcmp(options.dir, ".") == 0);
}

/* What CONFIG GET shows can be given back. */
static void values_survive_their_text(void) {
    struct options options, copy;
    options_begin(&options);
    options_begin(&copy);
    set(&options, "port", "1");
    set(&options, "log-segment-size", "3gb");
    set(&options, "appendfsync", "EVERYSEC");
    set(&options, "requirepass", "a b");
    set(&options, "unixsocketperm", "51");
    set(&options, "bind", "127.0.0.1  127.0.0.2");
    set(&options, "client-output-buffer-limit", "pubsub 1kb 1 2 normal 0 0 0");
    EXPECT_EQUAL(options.client_output_buffer_limit[CLASS_PUBSUB].hard, 1024);
    EXPECT_EQUAL(options.client_output_buffer_limit[CLASS_NORMAL].hard, 0);
    EXPECT_EQUAL(options.client_output_buffer_limit[CLASS_REPLICA].seconds, 60);
    for (size_t i = 0; i < option_count(); i++) {
        char text[OPTION_TEXT_SIZE];
        option_text(&options, option_at(i), text);
        EXPECT_EQUAL(option_set_text(&copy, option_at(i), slice_text(text), message),
                     STATUS_OK);
        EXPECT(option_equal(&options, &copy, option_at(i)));
    }
    EXPECT(memcmp(&options, &copy, sizeof copy) == 0);
}

static void sizes_have_units(void) {
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {{"1048576", 1048576}, {"1100k", 1100000}, {"2mb", 2 << 20},
                {"3M", 3000000},      {"1GB", 1 << 30},   {"1048577b", 1048577}};
    struct options options;
    options_begin(&options);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EXPECT_EQUAL(set(&options, "proto-max-bulk-len", rows[i].text), STATUS_OK);
        EXPECT_EQUAL(options.proto_max_bulk_len, rows[i].value);
    }
    static const char *const bad[] = {
        "", "mb", "1tb", "-1mb", "1.5mb", "1 mb", "9223372036854775807gb"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQUAL(set(&options, "proto-max-bulk-len", bad[i]), STATUS_INVALID);
    EXPECT_EQUAL(options.proto_max_bulk_len, 1048577);
}

static void modes_are_octal(void) {
    struct options options;
    options_begin(&options);
    EXPECT_EQUAL(options.unixsocketperm, 0700);
    EXPECT_EQUAL(set(&options, "unixsocketperm", "640"), STATUS_OK);
    EXPECT_EQUAL(options.unixsocketperm, 0640);
    static const char *const bad[] = {"",   "8",   "1000",          "-1",
                                      "rw", "0x7", "77777777777777"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQUAL(set(&options, "unixsocketperm", bad[i]), STATUS_INVALID);
    EXPECT_EQUAL(options.unixsocketperm, 0640);
}

/* In Redis's words, and nothing changes. */
static void refusals_are_those_of_redis(void) {
    static const char *const rows[][3] = {
        {"port", "65536", "argument must be between 0 and 65535 inclusive"},
        {"port", "-1", "argument must be between 0 and 65535 inclusive"},
        {"port", "x", "argument couldn't be parsed into an integer"},
        {"port", "", "argument couldn't be parsed into an integer"},
        {"appendonly", "1", "argument must be 'yes' or 'no'"},
        {"appendfsync", "maybe",
         "argument(s) must be one of the following: always, everysec, no"},
        {"maxmemory", "1tb", "argument must be a memory value"},
        {"save", "300", "Invalid save parameters"},
        {"save", "0 1", "Invalid save parameters"},
        {"save", "300 1 x 2", "Invalid save parameters"},
        {"client-output-buffer-limit", "normal 0 0",
         "Wrong number of arguments in buffer limit configuration."},
        {"client-output-buffer-limit", "master 0 0 0",
         "Invalid client class specified in buffer limit configuration."},
        {"client-output-buffer-limit", "pubsub 1 1 1 normal 1 x 1",
         "Error in hard, soft or soft_seconds setting in buffer limit configuration."}};
    struct options options, before;
    options_begin(&options);
    before = options;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EXPECT_EQUAL(set(&options, rows[i][0], rows[i][1]), STATUS_INVALID);
        EXPECT(strcmp(message, rows[i][2]) == 0);
    }
    struct slice two[] = {slice_text("1"), slice_text("2")};
    EXPECT_EQUAL(option_set(&options, option_find(slice_text("port")), two, 2, message),
                 STATUS_INVALID);
    EXPECT(memcmp(&options, &before, sizeof before) == 0);
    EXPECT(option_find(slice_text("nosuch")) == NULL);
    EXPECT(option_find(slice_text("PORT")) != NULL);
}

static void texts_are_bounded(void) {
    struct options options;
    char longest[OPTION_TEXT_SIZE + 1];
    options_begin(&options);
    memset(longest, 'a', sizeof longest);
    const struct option *option = option_find(slice_text("requirepass"));
    EXPECT_EQUAL(option_set_text(&options, option,
                                 slice_of(longest, OPTION_TEXT_SIZE - 1), message),
                 STATUS_OK);
    EXPECT_EQUAL(strlen(options.requirepass), OPTION_TEXT_SIZE - 1);
    EXPECT_EQUAL(
        option_set_text(&options, option, slice_of(longest, OPTION_TEXT_SIZE), message),
        STATUS_INVALID);
    EXPECT_EQUAL(option_set_text(&options, option, slice_of("a\0b", 3), message),
                 STATUS_INVALID);
}

static void percentiles_are_millionths(void) {
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},         {"50", 500000},      {"99.9", 999000},
                {"100", 1000000}, {"99.9999", 999999}, {"0.0001", 1}};
    static const char *const bad[] = {"",   ".",  "100.1",   "101", "-1",
                                      "5.", ".5", "1.00001", "x"};
    uint64_t value;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        EXPECT(option_percentile(slice_text(good[i].text), &value));
        EXPECT_EQUAL(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT(!option_percentile(slice_text(bad[i]), &value));
}

static void knows_its_own_machine(void) {
    static const struct {
        const char *bind;
        bool loopback;
    } rows[] = {{"127.0.0.1 ::1", true}, {"127.9.9.9", true},     {"::1", true},
                {"0.0.0.0", false},      {"127.0.0.1 ::", false}, {"10.0.0.1", false}};
    struct options options;
    options_begin(&options);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set(&options, "bind", rows[i].bind);
        EXPECT_EQUAL(options_loopback_only(&options), rows[i].loopback);
    }
}

int main(void) {
    RUN(every_initial_value_is_legal);
    RUN(values_survive_their_text);
    RUN(sizes_have_units);
    RUN(modes_are_octal);
    RUN(refusals_are_those_of_redis);
    RUN(texts_are_bounded);
    RUN(percentiles_are_millionths);
    RUN(knows_its_own_machine);
    return test_finish();
}
