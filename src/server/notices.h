/* Lines for the operator, on standard output, in `logfile` and in the system's log, as
 * Redis prints them but in UTC:
 *
 *     1234:M 20 Nov 2026 12:44:56.123 * Ready to accept connections on port 8256
 *
 * M is the role, a primary. The mark before the text is the level: . debug, - verbose,
 * * notice, # warning. All but printable ASCII is written as \xHH, so that nobody can
 * forge a line or speak to a terminal. */
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
    const char *path; /* of the log file, borrowed; empty: stdout */
    FILE *file;       /* stdout, or the log file, owned */
    enum notice_level level;
    bool to_syslog; /* as well; syslog_open() was called */
};

/* STATUS_IO when the file cannot be opened; lines then go to stdout. */
enum status notices_open(struct notices *notices, const struct os *os, const char *path,
                         enum notice_level level);
void notices_close(struct notices *notices);
/* Open the file by its name again, for whoever has moved it away. When that fails, the
 * old one stays in use and gets the reason. */
void notices_reopen(struct notices *notices);

/* Print a line unless its level is below the configured one. */
void notice(struct notices *notices, enum notice_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "20 Nov 2026 12:44:56.123" into `text`; `wall_us` counts from 1970-01-01 UTC. */
#define NOTICE_TIME_SIZE 32
void notice_time(uint64_t wall_us, char text[NOTICE_TIME_SIZE]);

#endif
