/* The sentences of a log report. An operator reads them once, in trouble: they name the
 * file, the place and the reason. The storage does not know the directory's path; whoever
 * prints a message adds the commands that help. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "storage/log_internal.h"

void log_say(struct log_report *report, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->message, sizeof report->message, format, arguments);
    va_end(arguments);
}

enum status log_say_failed(const struct log *log, struct log_report *report,
                           enum status status, const char *what, const char *name) {
    switch (status) {
    case STATUS_MEMORY:
        log_say(report, "FATAL memory: no memory for %s %s", what, name);
        break;
    case STATUS_UNSAFE:
        log_say(report, "FATAL unsafe: %s is not a regular file; nothing was modified",
                name);
        break;
    default:
        log_say(report, "FATAL io: %s %s: %s", what, name, log->os->error_text(log->os));
    }
    return status;
}

enum status log_say_damage(const struct log *log, struct log_report *report, size_t index,
                           uint64_t offset, uint64_t sequence, const char *evidence) {
    char name[SEGMENT_NAME_SIZE];
    segment_name(log->segments[index].number, name);
    snprintf(report->bad_file, sizeof report->bad_file, "%s", name);
    report->bad_offset = offset;
    report->bad_sequence = sequence;
    log_say(report,
            "FATAL corrupt: sequence %" PRIu64 " at %s:%" PRIu64
            " was acknowledged (evidence: %s); nothing was modified",
            sequence, name, offset, evidence);
    return STATUS_CORRUPT;
}
