/* Lines for the operator, on stdout or in `logfile`, as Redis prints them but in UTC:
 *
 *     1234 20 Nov 2026 12:44:56.123 * Ready to accept connections on port 8256
 *
 * The mark before the text is the level: . debug, - verbose, * notice, # warning. Bytes
 * that a terminal could act on are written as \xHH, so that nobody can forge a line. */
#ifndef SERVER_NOTICES_H
#define SERVER_NOTICES_H

#include <stdio.h>

#include "os/os.h"

enum notice_level {
    NOTICE_DEBUG,
    NOTICE_VERBOSE,
    NOTICE_NORMAL,
    NOTICE_WARNING,
    NOTICE_NOTHING
};

struct notices {
    const struct os *os;
    FILE *file; /* stdout, or the log file, owned */
    enum notice_level level;
};

/* `path` empty: stdout. STATUS_IO when the file cannot be opened; lines then go to
 * stdout. */
enum status notices_open(struct notices *notices, const struct os *os, const char *path,
                         enum notice_level level);
void notices_close(struct notices *notices);

/* Print a line unless its level is below the configured one. */
void notice(struct notices *notices, enum notice_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "20 Nov 2026 12:44:56.123" into `text`; `wall_us` counts from 1970-01-01 UTC. */
#define NOTICE_TIME_SIZE 32
void notice_time(uint64_t wall_us, char text[NOTICE_TIME_SIZE]);

#endif
