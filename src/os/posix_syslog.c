/* The system's log. The library keeps one connection a process. */
#include "os/posix.h"

#include <syslog.h>

#include "base/check.h"

void posix_syslog_open(const struct os *os, const char *ident, int facility) {
    static const int facilities[] = {LOG_USER,   LOG_LOCAL0, LOG_LOCAL1,
                                     LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4,
                                     LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7};
    (void)os;
    check(facility >= 0 && (size_t)facility < sizeof facilities / sizeof facilities[0]);
    openlog(ident, LOG_PID | LOG_NDELAY | LOG_NOWAIT, facilities[facility]);
}

void posix_syslog_write(const struct os *os, int level, const char *text) {
    static const int levels[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};
    (void)os;
    check(level >= 0 && level < 4);
    syslog(levels[level], "%s", text);
}
