/* Operator's lines: time, level, printable text. */
#include "server/notices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define LINE_SIZE 1024

enum status notices_open(struct notices *notices, const struct os *os, const char *path,
                         enum notice_level level) {
    *notices = (struct notices){.os = os, .path = path, .file = stdout, .level = level};
    if (path[0] == '\0') return STATUS_OK;
    FILE *file = fopen(path, "a");
    if (!file) return STATUS_IO;
    notices->file = file;
    return STATUS_OK;
}

void notices_close(struct notices *notices) {
    if (notices->file && notices->file != stdout) fclose(notices->file);
    notices->file = NULL;
}

void notices_reopen(struct notices *notices) {
    if (notices->path[0] == '\0') return;
    FILE *file = fopen(notices->path, "a");
    if (!file) {
        notice(notices, NOTICE_WARNING, "Cannot open logfile '%s' again: %s",
               notices->path, strerror(errno));
        return;
    }
    notice(notices, NOTICE_NORMAL, "SIGHUP: the log goes on in a new file");
    if (notices->file != stdout) fclose(notices->file);
    notices->file = file;
    notice(notices, NOTICE_NORMAL, "SIGHUP: the log file was opened");
}

/* Days since 1970-01-01 to year, month and day of the Gregorian calendar. Years are
 * counted from March, so that the leap day is the last of its year. */
static void date_of_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day) {
    uint64_t z = days + 719468; /* days from 0000-03-01 to 1970-01-01 */
    uint64_t era = z / 146097;
    unsigned day_of_era = (unsigned)(z % 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month_from_march = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = (unsigned)(era * 400) + year_of_era + (*month <= 2);
}

void notice_time(uint64_t wall_us, char text[NOTICE_TIME_SIZE]) {
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    uint64_t seconds = wall_us / 1000000;
    unsigned year, month, day, of_day = (unsigned)(seconds % 86400);
    date_of_days(seconds / 86400, &year, &month, &day);
    snprintf(text, NOTICE_TIME_SIZE, "%02u %s %04u %02u:%02u:%02u.%03u", day % 100,
             months[(month - 1) % 12], year % 10000, of_day / 3600, of_day / 60 % 60,
             of_day % 60, (unsigned)(wall_us / 1000 % 1000));
}

/* `text` as printable ASCII. */
static void make_printable(const char *text, char printable[4 * LINE_SIZE]) {
    size_t size = 0;
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte >= 0x20 && byte < 0x7f) printable[size++] = (char)byte;
        else size += (size_t)snprintf(printable + size, 5, "\\x%02x", byte);
    }
    printable[size] = '\0';
}

void notice(struct notices *notices, enum notice_level level, const char *format, ...) {
    if (level < notices->level) return;
    char line[LINE_SIZE], printable[4 * LINE_SIZE], time[NOTICE_TIME_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);

    make_printable(line, printable);
    notice_time(notices->os->wall_us(notices->os), time);
    fprintf(notices->file, "%" PRIu32 ":M %s %c %s\n", os_process_id(), time,
            ".-*#"[level], printable);
    fflush(notices->file);
    if (notices->to_syslog) notices->os->syslog_write(notices->os, (int)level, printable);
}
