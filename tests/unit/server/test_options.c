#include "server/options.h"

#include "test.h"

static char message[OPTION_MESSAGE_SIZE];

static enum status set(struct options *options, const char *name, const char *value) {
    return option_set(options, option_find(slice_text(name)), slice_text(value), message);
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
    set(&options, "client-output-buffer-limit", "pubsub 1 2 3");
    for (size_t i = 0; i < option_count(); i++) {
        char text[OPTION_TEXT_SIZE];
        option_text(&options, option_at(i), text);
        EXPECT_EQUAL(option_set(&copy, option_at(i), slice_text(text), message),
                     STATUS_OK);
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
    static const char *const bad[] = {"", "8", "1000", "-1", "rw", "0x7", "77777777777777"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQUAL(set(&options, "unixsocketperm", bad[i]), STATUS_INVALID);
    EXPECT_EQUAL(options.unixsocketperm, 0640);
}

static void refusals_name_the_option(void) {
    static const char *const rows[][2] = {{"port", "65536"},    {"port", "-1"},
                                          {"port", "x"},        {"appendonly", "1"},
                                          {"loglevel", "loud"}, {"databases", "17"}};
    struct options options, before;
    options_begin(&options);
    before = options;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EXPECT_EQUAL(set(&options, rows[i][0], rows[i][1]), STATUS_INVALID);
        EXPECT(strstr(message, rows[i][0]) != NULL);
    }
    EXPECT(memcmp(&options, &before, sizeof before) == 0);
    EXPECT(option_find(slice_text("nosuch")) == NULL);
    EXPECT(option_find(slice_text("PORT")) != NULL);
}

static void reads_lines(void) {
    struct options options;
    options_begin(&options);
    static const char *const good[] = {"",
                                       "   ",
                                       "# port 1",
                                       "  port   7000  \r",
                                       "requirepass \"a b\"",
                                       "bind 127.0.0.1 127.0.0.2",
                                       "logfile ''"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        EXPECT_EQUAL(options_line(&options, slice_text(good[i]), message), STATUS_OK);
    EXPECT_EQUAL(options.port, 7000);
    EXPECT(strcmp(options.requirepass, "a b") == 0);
    EXPECT(strcmp(options.bind, "127.0.0.1 127.0.0.2") == 0);
    EXPECT_EQUAL(options_line(&options, slice_text("port"), message), STATUS_INVALID);
    EXPECT_EQUAL(options_line(&options, slice_text("nosuch 1"), message), STATUS_INVALID);
}

static void reads_the_command_line(void) {
    struct options options;
    const char *path;
    options_begin(&options);
    char words[][16] = {"--port", "7001", "--bind", "127.0.0.1", "::1", "--logfile", ""};
    char *list[7];
    for (size_t i = 0; i < 7; i++) list[i] = words[i];
    EXPECT_EQUAL(options_command_line(&options, 7, list, &path, message), STATUS_OK);
    EXPECT(path == NULL);
    EXPECT_EQUAL(options.port, 7001);
    EXPECT(strcmp(options.bind, "127.0.0.1 ::1") == 0);
    EXPECT_EQUAL(options_command_line(&options, 1, list, &path, message), STATUS_INVALID);
    EXPECT_EQUAL(options_command_line(&options, 1, list + 1, &path, message),
                 STATUS_INVALID);
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
    RUN(refusals_name_the_option);
    RUN(reads_lines);
    RUN(reads_the_command_line);
    RUN(knows_its_own_machine);
    return test_finish();
}
