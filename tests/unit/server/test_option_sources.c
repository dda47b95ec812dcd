#define _POSIX_C_SOURCE 200809L /* fmemopen, mkstemp */

#include <stdio.h>
#include <stdlib.h>

#include "os/os.h"
#include "server/options.h"
#include "test.h"

static char told[8192];
static char message[OPTION_MESSAGE_SIZE];

static struct option_sources sources_of(char *const *words, int count) {
    return (struct option_sources){.allocator = os_allocator(),
                                   .words = words,
                                   .count = count,
                                   .complaints = stderr};
}

static enum status line(struct options *options, const char *text) {
    struct option_sources sources = sources_of(NULL, 0);
    return options_line(options, &sources, slice_text(text), message);
}

static void reads_lines(void) {
    struct options options;
    options_begin(&options);
    static const char *const good[] = {"",
                                       "   ",
                                       "# port 1",
                                       "  port   7000  \r",
                                       "requirepass \"a b\\x21\\\"\"",
                                       "bind 127.0.0.1 '127.0.0.2'",
                                       "\"hz\" 11",
                                       "logfile ''"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        EXPECT_EQUAL(line(&options, good[i]), STATUS_OK);
    EXPECT_EQUAL(options.port, 7000);
    EXPECT_EQUAL(options.hz, 11);
    EXPECT(strcmp(options.requirepass, "a b!\"") == 0);
    EXPECT(strcmp(options.bind, "127.0.0.1 127.0.0.2") == 0);
    static const char *const bad[][2] = {
        {"port", "wrong number of arguments"},
        {"port 1 2", "wrong number of arguments"},
        {"nosuch 1", "Bad directive or wrong number of arguments"},
        {"*1", "Bad directive or wrong number of arguments"},
        {"port \"1", "Unbalanced quotes in configuration line"},
        {"port \"1\"2", "Unbalanced quotes in configuration line"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_EQUAL(line(&options, bad[i][0]), STATUS_INVALID);
        EXPECT(strcmp(message, bad[i][1]) == 0);
    }
    EXPECT_EQUAL(options.port, 7000);
}

static enum status read_all(struct options *options, struct option_sources *sources,
                            struct option_origin *origin) {
    FILE *file = fmemopen(told, sizeof told, "w");
    sources->complaints = file;
    options_begin(options);
    enum status status = options_read(options, sources, origin);
    fclose(file);
    return status;
}

static void reads_the_command_line(void) {
    struct options options;
    struct option_origin origin;
    char words[][16] = {"--port", "7001", "--bind", "127.0.0.1", "::1", "--logfile", ""};
    char *list[7];
    for (size_t i = 0; i < 7; i++) list[i] = words[i];
    struct option_sources sources = sources_of(list, 7);
    EXPECT_EQUAL(read_all(&options, &sources, &origin), STATUS_OK);
    EXPECT(origin.path == NULL);
    EXPECT_EQUAL(options.port, 7001);
    EXPECT(strcmp(options.bind, "127.0.0.1 ::1") == 0);
    sources = sources_of(list, 1);
    EXPECT_EQUAL(read_all(&options, &sources, &origin), STATUS_INVALID);
    EXPECT(strstr(told, ">>> '--port'\nwrong number of arguments") != NULL);
}

static void later_sources_win(void) {
    struct options options;
    struct option_origin origin;
    char path[] = "/tmp/valori-options-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("port 1\nhz 1\ntimeout 1\n", file);
    fclose(file);
    char port[] = "--port", three[] = "3", *list[] = {path, port, three};
    char env_port[] = "VALORI_PORT=2", env_hz[] = "VALORI_HZ=2",
         env_pass[] = "VALORI_REQUIREPASS=a \"b", foreign[] = "VALORI_SERVICE_HOST=x",
         other[] = "HOME=/",
         *environment[] = {env_port, env_hz, env_pass, foreign, other, NULL};
    struct option_sources sources = sources_of(list, 3);
    sources.environment = environment;
    EXPECT_EQUAL(read_all(&options, &sources, &origin), STATUS_OK);
    EXPECT_EQUAL(options.timeout, 1);
    EXPECT_EQUAL(options.hz, 2);
    EXPECT_EQUAL(options.port, 3);
    EXPECT(strcmp(options.requirepass, "a \"b") == 0);
    EXPECT(origin.path == path);
    EXPECT_EQUAL(origin.strange, 1);
    EXPECT(strcmp(origin.strange_name, "VALORI_SERVICE_HOST") == 0);
    env_hz[10] = 'x';
    EXPECT_EQUAL(read_all(&options, &sources, &origin), STATUS_INVALID);
    EXPECT(strstr(told, "Reading the environment\n>>> 'VALORI_HZ=x'") != NULL);
    remove(path);
}

/* Line numbers, all errors where they are wanted, and no secret among them. */
static void errors_say_where(void) {
    struct options options;
    struct option_origin origin;
    char path[] = "/tmp/valori-options-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("port 1\n\nport x\nrequirepass \"hidden\nnosuch\n", file);
    fclose(file);
    char *list[] = {path};
    struct option_sources sources = sources_of(list, 1);
    EXPECT_EQUAL(read_all(&options, &sources, &origin), STATUS_INVALID);
    EXPECT(strstr(told, "*** FATAL CONFIG FILE ERROR (valori") != NULL);
    EXPECT(strstr(told, ", at line 3\n>>> 'port x'\nargument couldn't") != NULL);
    EXPECT(strstr(told, "line 4") == NULL);
    sources.all = true;
    EXPECT_EQUAL(read_all(&options, &sources, &origin), STATUS_INVALID);
    EXPECT(strstr(told, ", at line 4\n>>> 'requirepass'\nUnbalanced quotes") != NULL);
    EXPECT(strstr(told, ", at line 5\n>>> 'nosuch'\nBad directive") != NULL);
    EXPECT(strstr(told, "hidden") == NULL);
    remove(path);
    EXPECT_EQUAL(read_all(&options, &sources, &origin), STATUS_INVALID);
    EXPECT(strstr(told, "Fatal error, can't open config file") != NULL);
}

/* A file that includes itself ends with an error. */
static void includes_are_bounded(void) {
    struct options options;
    struct option_origin origin;
    char path[] = "/tmp/valori-options-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    fprintf(file, "port 5\ninclude %s\n", path);
    fclose(file);
    char *list[] = {path};
    struct option_sources sources = sources_of(list, 1);
    EXPECT_EQUAL(read_all(&options, &sources, &origin), STATUS_INVALID);
    EXPECT(strstr(told, "include is nested too deeply") != NULL);
    EXPECT_EQUAL(options.port, 5);
    remove(path);
}

int main(void) {
    RUN(reads_lines);
    RUN(reads_the_command_line);
    RUN(later_sources_win);
    RUN(errors_say_where);
    RUN(includes_are_bounded);
    return test_finish();
}
