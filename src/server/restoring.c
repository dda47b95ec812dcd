#include "server/restoring.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "server/words.h"

#define EXIT_CONFIGURATION 1
#define SECOND_US          UINT64_C(1000000)

/* --- Places ---------------------------------------------------------------------------
 */

/* `count` digits. */
static bool digits(const char **text, size_t count, uint64_t *value) {
    *value = 0;
    for (size_t i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9') return false;
        *value = *value * 10 + (uint64_t)(**text - '0');
    }
    return true;
}

static bool letter(const char **text, char wanted) {
    if (**text != wanted) return false;
    (*text)++;
    return true;
}

/* Up to six digits behind a point, as microseconds. */
static bool fraction(const char **text, uint64_t *us) {
    *us = 0;
    if (**text != '.') return true;
    (*text)++;
    uint64_t unit = SECOND_US / 10;
    if (**text < '0' || **text > '9') return false;
    for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10) {
        if (unit == 0) return false;
        *us += unit * (uint64_t)(**text - '0');
    }
    return true;
}

/* Days from 1970-01-01, of a date in the Gregorian calendar from there on. */
static uint64_t days_before(uint64_t year, uint64_t month, uint64_t day) {
    if (month <= 2) year--; /* years that begin in March have their leap day at the end */
    uint64_t shifted = (month + 9) % 12;
    uint64_t since_0 = year * 365 + year / 4 - year / 100 + year / 400;
    return since_0 + (153 * shifted + 2) / 5 + day - 1 - 719468;
}

static bool date(const char *text, uint64_t *us) {
    uint64_t year, month, day, hour, minute, second, part;
    bool read = digits(&text, 4, &year) && letter(&text, '-') &&
                digits(&text, 2, &month) && letter(&text, '-') &&
                digits(&text, 2, &day) && letter(&text, 'T') && digits(&text, 2, &hour) &&
                letter(&text, ':') && digits(&text, 2, &minute) && letter(&text, ':') &&
                digits(&text, 2, &second) && fraction(&text, &part) &&
                letter(&text, 'Z') && *text == '\0';
    if (!read || year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 ||
        hour > 23 || minute > 59 || second > 60)
        return false;
    uint64_t seconds =
        days_before(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *us = seconds * SECOND_US + part;
    return true;
}

static bool unix_time(const char *text, uint64_t *us) {
    size_t count = strspn(text, "0123456789");
    uint64_t seconds, part;
    if (count == 0 || count > 12 || !digits(&text, count, &seconds) ||
        !fraction(&text, &part) || *text)
        return false;
    *us = seconds * SECOND_US + part;
    return true;
}

bool restoring_place(const char *text, struct restore_options *options) {
    options->to_sequence = word_unsigned(slice_text(text), &options->to);
    if (options->to_sequence) return true;
    options->to_time =
        text[0] == '@' ? unix_time(text + 1, &options->to) : date(text, &options->to);
    return options->to_time;
}

/* --- Words ----------------------------------------------------------------------------
 */

static bool complain(const char *what, const char *word) {
    fprintf(stderr, "valori-server: %s%s\n", what, word);
    return false;
}

bool restoring_words(int *count, char **words, struct restore_options *options) {
    *options = (struct restore_options){.snapshot = NULL};
    const char *to = NULL;
    int kept = 1;
    bool asked = false;
    for (int i = 1; i < *count; i++) asked = asked || strcmp(words[i], "--restore") == 0;
    if (!asked) return true;
    for (int i = 1; i < *count; i++) {
        const char **value = strcmp(words[i], "--restore") == 0 ? &options->snapshot
                             : strcmp(words[i], "--log") == 0   ? &options->log
                             : strcmp(words[i], "--to") == 0    ? &to
                                                                : NULL;
        if (!value) words[kept++] = words[i];
        else if (i + 1 == *count) return complain("nothing stands behind ", words[i]);
        else *value = words[++i];
    }
    *count = kept;
    if (to && !options->log)
        return complain("--to needs --log: a snapshot alone is one moment", "");
    if (to && !restoring_place(to, options))
        return complain("--to wants a sequence, @seconds or 2026-01-31T12:30:00Z, not ",
                        to);
    return true;
}

int restoring_run(const struct os *os, const struct allocator *allocator,
                  struct restore_options *options, const char *directory) {
    struct restore_report report;
    options->directory = directory;
    enum status status = restore(os, allocator, options, &report);
    if (status == STATUS_EXISTS || status == STATUS_RANGE || status == STATUS_INVALID) {
        fprintf(stderr, "FATAL config: %s\n", report.message);
        return EXIT_CONFIGURATION;
    }
    if (status) {
        bool told = strncmp(report.message, "FATAL ", 6) == 0;
        fprintf(stderr, "%s%s\n", told ? "" : "FATAL restore: ", report.message);
        return engine_exit_code(status);
    }
    printf("Restored %" PRIu64 " entries into %s: %" PRIu64 " from the snapshot, %" PRIu64
           " from %" PRIu64 " segments\n",
           report.entries, directory, report.covered, report.entries - report.covered,
           report.segments);
    fflush(stdout);
    return 0;
}
