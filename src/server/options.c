/* Options from text and back: one parser for initial values, file and command line. */
#include "server/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/check.h"
#include "server/words.h"

#define LINE_SIZE 4096

static int64_t *number_field(struct options *options, const struct option *option) {
    return (int64_t *)(void *)((char *)options + option->offset);
}

static char *text_field(struct options *options, const struct option *option) {
    return (char *)options + option->offset;
}

static enum status refuse(const struct option *option, const char *why,
                          char message[OPTION_MESSAGE_SIZE]) {
    snprintf(message, OPTION_MESSAGE_SIZE, "option '%s': %s", option->name, why);
    return STATUS_INVALID;
}

/* The `index`-th word of `choices`, or an empty slice. */
static struct slice choice_at(const char *choices, int64_t index) {
    const char *start = choices;
    for (; index > 0; index--) {
        start = strchr(start, ' ');
        if (!start) return slice_of(NULL, 0);
        start++;
    }
    return slice_of(start, strcspn(start, " "));
}

static bool parse_choice(const struct option *option, struct slice value,
                         int64_t *result) {
    for (int64_t i = 0;; i++) {
        struct slice choice = choice_at(option->choices, i);
        if (choice.size == 0) return false;
        if (choice.size == value.size &&
            strncasecmp((const char *)choice.data, (const char *)value.data,
                        value.size) == 0) {
            *result = i;
            return true;
        }
    }
}

/* File permissions, in octal digits as chmod takes them. */
static enum status set_mode(struct options *options, const struct option *option,
                            struct slice value, char message[OPTION_MESSAGE_SIZE]) {
    int64_t mode = 0;
    for (size_t i = 0; i < value.size && mode <= 0777; i++) {
        if (value.data[i] < '0' || value.data[i] > '7') mode = 0777;
        mode = mode * 8 + (value.data[i] - '0');
    }
    if (value.size == 0 || mode > 0777)
        return refuse(option, "must be permissions in octal digits, 0 to 777", message);
    *number_field(options, option) = mode;
    return STATUS_OK;
}

static struct output_limit *limits_field(struct options *options,
                                         const struct option *option) {
    return (struct output_limit *)(void *)((char *)options + option->offset);
}

static enum status set_number(struct options *options, const struct option *option,
                              struct slice value, char message[OPTION_MESSAGE_SIZE]) {
    int64_t number;
    bool read = option->type == OPTION_SIZE ? word_size(value, &number)
                                            : word_integer(value, &number);
    if (!read) return refuse(option, "is not a number", message);
    if (number < option->least || number > option->most) {
        char why[96];
        snprintf(why, sizeof why, "must be between %" PRId64 " and %" PRId64,
                 option->least, option->most);
        return refuse(option, why, message);
    }
    *number_field(options, option) = number;
    return STATUS_OK;
}

enum status option_set(struct options *options, const struct option *option,
                       struct slice value, char message[OPTION_MESSAGE_SIZE]) {
    switch (option->type) {
    case OPTION_TEXT:
        if (value.size >= OPTION_TEXT_SIZE) return refuse(option, "is too long", message);
        if (memchr(value.data ? value.data : (const uint8_t *)"", 0, value.size))
            return refuse(option, "must not hold a NUL", message);
        char *text = text_field(options, option);
        if (value.size) memcpy(text, value.data, value.size);
        text[value.size] = '\0';
        return STATUS_OK;
    case OPTION_INTEGER:
    case OPTION_SIZE:
        return set_number(options, option, value, message);
    case OPTION_MODE:
        return set_mode(options, option, value, message);
    case OPTION_OUTPUT_LIMITS: {
        const char *why = output_limits_read(limits_field(options, option), value);
        return why ? refuse(option, why, message) : STATUS_OK;
    }
    case OPTION_BOOL:
        if (!word_is(value, "yes") && !word_is(value, "no"))
            return refuse(option, "must be yes or no", message);
        *number_field(options, option) = word_is(value, "yes");
        return STATUS_OK;
    case OPTION_ENUM: {
        int64_t choice;
        if (!parse_choice(option, value, &choice)) {
            char why[128];
            snprintf(why, sizeof why, "must be one of: %s", option->choices);
            return refuse(option, why, message);
        }
        *number_field(options, option) = choice;
        return STATUS_OK;
    }
    }
    return STATUS_INVALID;
}

void options_begin(struct options *options) {
    char message[OPTION_MESSAGE_SIZE];
    memset(options, 0, sizeof *options);
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *option = option_at(i);
        check(option_set(options, option, slice_text(option->initial), message) ==
              STATUS_OK);
    }
}

void option_text(const struct options *options, const struct option *option,
                 char text[OPTION_TEXT_SIZE]) {
    const char *at = (const char *)options + option->offset;
    if (option->type == OPTION_TEXT) {
        snprintf(text, OPTION_TEXT_SIZE, "%s", at);
        return;
    }
    if (option->type == OPTION_OUTPUT_LIMITS) {
        output_limits_text((const struct output_limit *)(const void *)at, text,
                           OPTION_TEXT_SIZE);
        return;
    }
    int64_t number;
    memcpy(&number, at, sizeof number);
    if (option->type == OPTION_ENUM) {
        struct slice choice = choice_at(option->choices, number);
        snprintf(text, OPTION_TEXT_SIZE, "%.*s", (int)choice.size,
                 (const char *)choice.data);
    } else if (option->type == OPTION_BOOL) {
        snprintf(text, OPTION_TEXT_SIZE, "%s", number ? "yes" : "no");
    } else if (option->type == OPTION_MODE) {
        snprintf(text, OPTION_TEXT_SIZE, "%" PRIo64, (uint64_t)number);
    } else {
        snprintf(text, OPTION_TEXT_SIZE, "%" PRId64, number);
    }
}

static enum status set_named(struct options *options, struct slice name,
                             struct slice value, char message[OPTION_MESSAGE_SIZE]) {
    const struct option *option = option_find(name);
    if (!option) {
        int shown = name.size < 64 ? (int)name.size : 64;
        snprintf(message, OPTION_MESSAGE_SIZE, "there is no option '%.*s'", shown,
                 (const char *)name.data);
        return STATUS_INVALID;
    }
    return option_set(options, option, value, message);
}

static bool blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

static struct slice trimmed(struct slice text) {
    while (text.size && blank(text.data[0]))
        text = slice_of(text.data + 1, text.size - 1);
    while (text.size && blank(text.data[text.size - 1])) text.size--;
    return text;
}

enum status options_line(struct options *options, struct slice line,
                         char message[OPTION_MESSAGE_SIZE]) {
    line = trimmed(line);
    if (line.size == 0 || line.data[0] == '#') return STATUS_OK;
    size_t name = 0;
    while (name < line.size && !blank(line.data[name])) name++;
    struct slice value = trimmed(slice_of(line.data + name, line.size - name));
    if (value.size >= 2 && (value.data[0] == '"' || value.data[0] == '\'') &&
        value.data[value.size - 1] == value.data[0])
        value = slice_of(value.data + 1, value.size - 2);
    else if (value.size == 0) {
        snprintf(message, OPTION_MESSAGE_SIZE, "option '%.*s' has no value",
                 name < 64 ? (int)name : 64, (const char *)line.data);
        return STATUS_INVALID;
    }
    return set_named(options, slice_of(line.data, name), value, message);
}

/* A whole file; messages begin with path and line number. */
static enum status options_file(struct options *options, const char *path,
                                char message[OPTION_MESSAGE_SIZE]) {
    FILE *file = fopen(path, "r");
    if (!file) {
        snprintf(message, OPTION_MESSAGE_SIZE, "cannot open '%.120s': %s", path,
                 strerror(errno));
        return STATUS_INVALID;
    }
    char line[LINE_SIZE], why[OPTION_MESSAGE_SIZE];
    enum status status = STATUS_OK;
    for (unsigned number = 1; !status && fgets(line, sizeof line, file); number++) {
        size_t size = strcspn(line, "\n");
        bool whole = line[size] == '\n' || feof(file);
        snprintf(why, sizeof why, "line is longer than %d bytes", LINE_SIZE - 2);
        status =
            whole ? options_line(options, slice_of(line, size), why) : STATUS_INVALID;
        if (status)
            snprintf(message, OPTION_MESSAGE_SIZE, "%.80s line %u: %.150s", path, number,
                     why);
    }
    if (!status && ferror(file)) {
        snprintf(message, OPTION_MESSAGE_SIZE, "cannot read '%.120s': %s", path,
                 strerror(errno));
        status = STATUS_INVALID;
    }
    fclose(file);
    return status;
}

/* Join the words up to the next option with blanks: `--bind 127.0.0.1 ::1`. */
static enum status join_values(int count, char *const *words, int *next,
                               char value[OPTION_TEXT_SIZE]) {
    size_t size = 0;
    value[0] = '\0';
    while (*next < count && strncmp(words[*next], "--", 2) != 0) {
        size_t word = strlen(words[*next]);
        if (size + word + 2 > OPTION_TEXT_SIZE) return STATUS_TOO_LARGE;
        if (size) value[size++] = ' ';
        memcpy(value + size, words[*next], word + 1);
        size += word;
        ++*next;
    }
    return STATUS_OK;
}

enum status options_command_line(struct options *options, int count, char *const *words,
                                 const char **path, char message[OPTION_MESSAGE_SIZE]) {
    int next = 0;
    *path = NULL;
    if (next < count && strncmp(words[next], "--", 2) != 0) {
        *path = words[next++];
        enum status status = options_file(options, *path, message);
        if (status) return status;
    }
    while (next < count) {
        const char *name = words[next++];
        char value[OPTION_TEXT_SIZE];
        int first = next;
        if (strncmp(name, "--", 2) != 0) {
            snprintf(message, OPTION_MESSAGE_SIZE, "expected an option, got '%.64s'",
                     name);
            return STATUS_INVALID;
        }
        if (join_values(count, words, &next, value)) {
            snprintf(message, OPTION_MESSAGE_SIZE, "option '%.64s' is too long",
                     name + 2);
            return STATUS_INVALID;
        }
        if (next == first) {
            snprintf(message, OPTION_MESSAGE_SIZE, "option '%.64s' has no value",
                     name + 2);
            return STATUS_INVALID;
        }
        enum status status =
            set_named(options, slice_text(name + 2), slice_text(value), message);
        if (status) return status;
    }
    return STATUS_OK;
}

bool options_next_address(const char **list, char address[64]) {
    *list += strspn(*list, " ");
    size_t size = strcspn(*list, " ");
    if (size == 0) return false;
    snprintf(address, 64, "%.*s", size < 63 ? (int)size : 63, *list);
    *list += size;
    return true;
}

bool options_loopback_only(const struct options *options) {
    const char *list = options->bind;
    char address[64];
    while (options_next_address(&list, address))
        if (strncmp(address, "127.", 4) != 0 && strcmp(address, "::1") != 0) return false;
    return true;
}
