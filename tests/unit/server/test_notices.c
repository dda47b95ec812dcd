#define _POSIX_C_SOURCE 200809L /* mkstemp */

#include "server/notices.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static void tells_dates(void) {
    static const struct {
        uint64_t seconds;
        const char *text;
    } rows[] = {
        {0, "01 Jan 1970 00:00:00.000"},
        {951782399, "28 Feb 2000 23:59:59.000"},
        {951782400, "29 Feb 2000 00:00:00.000"},
        {951868800, "01 Mar 2000 00:00:00.000"},
        {1709164800, "29 Feb 2024 00:00:00.000"},
        {1735689599, "31 Dec 2024 23:59:59.000"},
        {4107542400, "01 Mar 2100 00:00:00.000"},
    };
    char text[NOTICE_TIME_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        notice_time(rows[i].seconds * 1000000, text);
        EXPECT(strcmp(text, rows[i].text) == 0);
    }
    notice_time(123999, text);
    EXPECT(strcmp(text, "01 Jan 1970 00:00:00.123") == 0);
}

static char text[8192];
static char sent[1024];
static int sent_level;

static uint64_t midnight(const struct os *os) {
    (void)os;
    return 0;
}

static void keep(const struct os *os, int level, const char *line) {
    (void)os;
    sent_level = level;
    snprintf(sent, sizeof sent, "%s", line);
}

static const char *contents(const char *path) {
    FILE *file = fopen(path, "r");
    text[file ? fread(text, 1, sizeof text - 1, file) : 0] = '\0';
    if (file) fclose(file);
    return text;
}

static void prints_lines_that_nobody_can_forge(void) {
    char path[] = "/tmp/valori-notices-XXXXXX", wanted[256];
    struct os os = {.wall_us = midnight, .syslog_write = keep};
    struct notices notices;
    close(mkstemp(path));
    EXPECT_EQUAL(notices_open(&notices, &os, path, NOTICE_NORMAL), STATUS_OK);
    notices.to_syslog = true;
    notice(&notices, NOTICE_VERBOSE, "not this");
    notice(&notices, NOTICE_WARNING, "%s", "a\r\nb\x1b[2J\xc2\x9b\x7f%s");
    snprintf(wanted, sizeof wanted, "%u:M 01 Jan 1970 00:00:00.000 # %s\n",
             (unsigned)os_process_id(), "a\\x0d\\x0ab\\x1b[2J\\xc2\\x9b\\x7f%s");
    EXPECT(strcmp(contents(path), wanted) == 0);
    EXPECT(strcmp(sent, "a\\x0d\\x0ab\\x1b[2J\\xc2\\x9b\\x7f%s") == 0);
    EXPECT_EQUAL(sent_level, 3);
    notices.level = NOTICE_NOTHING;
    notice(&notices, NOTICE_WARNING, "not this either");
    EXPECT(strcmp(contents(path), wanted) == 0);
    notices_close(&notices);
    remove(path);
}

static void opens_its_file_anew(void) {
    char path[] = "/tmp/valori-notices-XXXXXX", moved[64];
    struct os os = {.wall_us = midnight};
    struct notices notices;
    close(mkstemp(path));
    snprintf(moved, sizeof moved, "%s.1", path);
    EXPECT_EQUAL(notices_open(&notices, &os, path, NOTICE_NORMAL), STATUS_OK);
    notice(&notices, NOTICE_NORMAL, "before");
    rename(path, moved);
    notices_reopen(&notices);
    notice(&notices, NOTICE_NORMAL, "after");
    EXPECT(strstr(contents(moved), "before") && !strstr(text, "after"));
    EXPECT(strstr(contents(path), "after") && !strstr(text, "before"));
    notices.path = "/nonexistent/file";
    notices_reopen(&notices);
    EXPECT(strstr(contents(path), "Cannot open logfile '/nonexistent/file' again") !=
           NULL);
    notices_close(&notices);
    EXPECT_EQUAL(notices_open(&notices, &os, "/nonexistent/file", NOTICE_NORMAL),
                 STATUS_IO);
    EXPECT(notices.file == stdout);
    remove(path);
    remove(moved);
}

int main(void) {
    RUN(prints_lines_that_nobody_can_forge);
    RUN(opens_its_file_anew);
    RUN(tells_dates);
    return test_finish();
}
