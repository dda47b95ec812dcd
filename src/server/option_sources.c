/* Where option values come from. Every source ends in words, and words in option_set().
 */
#include "server/options.h"

#include <errno.h>

#include "base/check.h"
#include "net/resp_read.h"
#include "server/server.h"
#include "server/words.h"

#define FILE_SIZE_MAX ((size_t)1 << 20)
#define INCLUDE_DEPTH 8
#define ENVIRONMENT   "VALORI_"

struct reading {
    struct options *options;
    const struct option_sources *sources;
    bool failed;
    unsigned depth; /* of includes */
};

/* --- Telling ---------------------------------------------------------------------- */

/* An error as Redis prints it: where, what stood there, and what is wrong with it. */
static void complain(struct reading *reading, const char *where, struct slice what,
                     const char *why) {
    FILE *file = reading->sources->complaints;
    reading->failed = true;
    fprintf(file, "\n*** FATAL CONFIG FILE ERROR (valori %s) ***\nReading %s\n>>> '",
            VALORI_VERSION, where);
    for (size_t i = 0; i < what.size && i < 256; i++) {
        uint8_t byte = what.data[i];
        if (byte < 0x20 || byte == 0x7f) fprintf(file, "\\x%02x", byte);
        else putc(byte, file);
    }
    fprintf(file, "'\n%s\n", why);
}

/* `name word ...`, where the words of a secret are not shown. */
static struct slice shown(struct slice name, struct slice line) {
    const struct option *option = option_find(name);
    return option && option->flags & OPTION_SECRET ? slice_text(option->name) : line;
}

static bool goes_on(const struct reading *reading) {
    return !reading->failed || reading->sources->all;
}

/* --- Files ------------------------------------------------------------------------ */

static enum status text_of(FILE *file, struct buffer *text) {
    for (;;) {
        uint8_t *room;
        enum status status = buffer_reserve(text, 4096, &room);
        if (status) return status;
        size_t got = fread(room, 1, 4096, file);
        buffer_commit(text, got);
        if (got < 4096) return ferror(file) ? STATUS_IO : STATUS_OK;
    }
}

static enum status text_of_path(const char *path, struct buffer *text) {
    FILE *file = fopen(path, "rb");
    if (!file) return STATUS_IO;
    enum status status = text_of(file, text);
    int error = errno;
    fclose(file);
    errno = error;
    return status;
}

bool options_next_line(struct slice *text, struct slice *line) {
    if (text->size == 0) return false;
    const uint8_t *end = memchr(text->data, '\n', text->size);
    *line = slice_of(text->data, end ? (size_t)(end - text->data) : text->size);
    size_t used = line->size + (end != NULL);
    *text = slice_of(text->data + used, text->size - used);
    return true;
}

static void read_text(struct reading *reading, const char *name, struct slice text);

static const char *failure_text(enum status status) {
    if (status == STATUS_TOO_LARGE) return "the file is longer than 1 MiB";
    return status == STATUS_MEMORY ? "out of memory" : strerror(errno);
}

/* NULL: standard input. */
static void read_file(struct reading *reading, const char *path) {
    struct buffer text;
    buffer_init(&text, reading->sources->allocator, FILE_SIZE_MAX);
    enum status status = path ? text_of_path(path, &text) : text_of(stdin, &text);
    if (!path) path = "-";
    if (status) {
        reading->failed = true;
        fprintf(reading->sources->complaints,
                "Fatal error, can't open config file '%s': %s\n", path,
                failure_text(status));
    } else {
        read_text(reading, path, buffer_slice(&text));
    }
    buffer_free(&text);
}

static enum status include(struct reading *reading, const struct request *request,
                           char message[OPTION_MESSAGE_SIZE]) {
    char path[OPTION_PATH_SIZE];
    if (request->count != 2 || request->arguments[1].size >= sizeof path) {
        snprintf(message, OPTION_MESSAGE_SIZE, "wrong number of arguments");
        return STATUS_INVALID;
    }
    if (reading->depth == INCLUDE_DEPTH) {
        snprintf(message, OPTION_MESSAGE_SIZE, "include is nested too deeply");
        return STATUS_INVALID;
    }
    snprintf(path, sizeof path, "%.*s", (int)request->arguments[1].size,
             request->arguments[1].data);
    reading->depth++;
    read_file(reading, path);
    reading->depth--;
    return STATUS_OK; /* it has told itself what was wrong */
}

/* The words of a line are an inline request: RESP has the same quotes. */
static enum status split(struct resp_reader *reader, struct buffer *copy,
                         struct request *request, char message[OPTION_MESSAGE_SIZE]) {
    struct resp_limits limits = resp_limits_default();
    struct slice line = buffer_slice(copy);
    limits.inline_bytes = FILE_SIZE_MAX;
    if (line.data[0] == '*') {
        snprintf(message, OPTION_MESSAGE_SIZE,
                 "Bad directive or wrong number of arguments");
        return STATUS_INVALID;
    }
    enum resp_result result = resp_read(reader, line, &limits, request);
    if (result == RESP_REQUEST || result == RESP_EMPTY) return STATUS_OK;
    snprintf(message, OPTION_MESSAGE_SIZE, "Unbalanced quotes in configuration line");
    return STATUS_INVALID;
}

static enum status set_words(struct reading *reading, const struct request *request,
                             char message[OPTION_MESSAGE_SIZE]) {
    struct slice name = request->arguments[0];
    if (word_is(name, "include")) return include(reading, request, message);
    const struct option *option = option_find(name);
    if (!option) {
        snprintf(message, OPTION_MESSAGE_SIZE,
                 "Bad directive or wrong number of arguments");
        return STATUS_INVALID;
    }
    if (request->count < 2) {
        snprintf(message, OPTION_MESSAGE_SIZE, "wrong number of arguments");
        return STATUS_INVALID;
    }
    return option_set(reading->options, option, request->arguments + 1,
                      request->count - 1, message);
}

static enum status read_line(struct reading *reading, struct slice line,
                             char message[OPTION_MESSAGE_SIZE]) {
    while (line.size && (line.data[0] == ' ' || line.data[0] == '\t'))
        line = slice_of(line.data + 1, line.size - 1);
    if (line.size == 0 || line.data[0] == '#') return STATUS_OK;
    const struct allocator *allocator = reading->sources->allocator;
    struct resp_reader reader;
    struct request request = {.count = 0};
    struct buffer copy;
    resp_reader_init(&reader, allocator);
    buffer_init(&copy, allocator, FILE_SIZE_MAX + 1);
    enum status status = buffer_append(&copy, line.data, line.size);
    if (!status) status = buffer_append(&copy, "\n", 1);
    if (!status) status = split(&reader, &copy, &request, message);
    else snprintf(message, OPTION_MESSAGE_SIZE, "out of memory");
    if (!status && request.count > 0) status = set_words(reading, &request, message);
    buffer_free(&copy);
    resp_reader_free(&reader);
    return status;
}

enum status options_line(struct options *options, const struct option_sources *sources,
                         struct slice line, char message[OPTION_MESSAGE_SIZE]) {
    struct reading reading = {.options = options, .sources = sources};
    enum status status = read_line(&reading, line, message);
    if (!status && reading.failed) {
        snprintf(message, OPTION_MESSAGE_SIZE, "the included file has an error");
        status = STATUS_INVALID;
    }
    return status;
}

struct slice options_line_name(struct slice line) {
    size_t start = 0, end;
    while (start < line.size && (line.data[start] == ' ' || line.data[start] == '\t'))
        start++;
    for (end = start; end < line.size && line.data[end] > ' '; end++) continue;
    return slice_of(line.data + start, end - start);
}

static void read_text(struct reading *reading, const char *name, struct slice text) {
    struct slice line;
    char why[OPTION_MESSAGE_SIZE], where[OPTION_PATH_SIZE + 64];
    for (unsigned number = 1; goes_on(reading) && options_next_line(&text, &line);
         number++) {
        if (!read_line(reading, line, why)) continue;
        snprintf(where, sizeof where, "the configuration file %.512s, at line %u", name,
                 number);
        complain(reading, where, shown(options_line_name(line), line), why);
    }
}

/* --- The environment -------------------------------------------------------------- */

/* Whether NAME is the option's name in capitals, with _ for -. */
static bool is_variable_of(const struct option *option, struct slice name) {
    for (size_t i = 0; i < name.size; i++) {
        char c = option->name[i];
        char wanted = c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
        if (c == '\0' || name.data[i] != (uint8_t)wanted) return false;
    }
    return option->name[name.size] == '\0';
}

static const struct option *option_of_variable(struct slice name) {
    for (size_t i = 0; i < option_count(); i++)
        if (is_variable_of(option_at(i), name)) return option_at(i);
    return NULL;
}

static void read_variable(struct reading *reading, const char *variable,
                          struct option_origin *origin) {
    const char *name = variable + strlen(ENVIRONMENT), *sign = strchr(name, '=');
    if (!sign) return;
    const struct option *option =
        option_of_variable(slice_of(name, (size_t)(sign - name)));
    if (!option) { /* an orchestrator's, perhaps: VALORI_SERVICE_HOST. It is told of. */
        origin->strange++;
        snprintf(origin->strange_name, sizeof origin->strange_name, "%.*s",
                 sign - variable < 63 ? (int)(sign - variable) : 63, variable);
        return;
    }
    char why[OPTION_MESSAGE_SIZE];
    if (!option_set_text(reading->options, option, slice_text(sign + 1), why)) return;
    complain(reading, "the environment",
             option->flags & OPTION_SECRET ? slice_of(variable, (size_t)(sign - variable))
                                           : slice_text(variable),
             why);
}

static void read_environment(struct reading *reading, struct option_origin *origin) {
    char *const *variable = reading->sources->environment;
    for (; variable && *variable && goes_on(reading); variable++)
        if (strncmp(*variable, ENVIRONMENT, strlen(ENVIRONMENT)) == 0)
            read_variable(reading, *variable, origin);
}

/* --- The command line ------------------------------------------------------------- */

#define VALUES_MAX 64

static bool is_option(const char *word) { return strncmp(word, "--", 2) == 0; }

/* The words of an option as they stood there, without those of a secret. */
static void complain_of_argument(struct reading *reading, const char *name,
                                 const struct slice *values, size_t count,
                                 const char *why) {
    char text[256];
    const struct option *option =
        is_option(name) ? option_find(slice_text(name + 2)) : NULL;
    size_t used = (size_t)snprintf(text, sizeof text, "%s", name);
    if (option && option->flags & OPTION_SECRET) count = 0;
    for (size_t i = 0; i < count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %.*s",
                                 (int)values[i].size, values[i].data);
    complain(reading, "the command line", slice_text(text), why);
}

static void read_argument(struct reading *reading, int *next) {
    const struct option_sources *sources = reading->sources;
    const char *name = sources->words[(*next)++];
    char why[OPTION_MESSAGE_SIZE] = "Bad directive or wrong number of arguments";
    struct slice values[VALUES_MAX];
    size_t count = 0;
    bool too_many = false;
    for (; *next < sources->count && !is_option(sources->words[*next]); ++*next) {
        if (count < VALUES_MAX) values[count++] = slice_text(sources->words[*next]);
        else too_many = true;
    }
    const struct option *option =
        is_option(name) ? option_find(slice_text(name + 2)) : NULL;
    if (option && (count == 0 || too_many))
        snprintf(why, sizeof why, "wrong number of arguments");
    else if (option && option->flags & OPTION_MANY && count == 1) {
        if (!option_set_text(reading->options, option, values[0], why)) return;
    } else if (option && !option_set(reading->options, option, values, count, why)) {
        return;
    }
    complain_of_argument(reading, name, values, count, why);
}

/* --- In their order --------------------------------------------------------------- */

enum status options_read(struct options *options, const struct option_sources *sources,
                         struct option_origin *origin) {
    struct reading reading = {.options = options, .sources = sources};
    int next = 0;
    *origin = (struct option_origin){.path = NULL};
    if (next < sources->count && !is_option(sources->words[next]) &&
        strcmp(sources->words[next], "-") != 0) {
        origin->path = sources->words[next++];
        read_file(&reading, origin->path);
    }
    if (goes_on(&reading) && next < sources->count &&
        strcmp(sources->words[next], "-") == 0) {
        read_file(&reading, NULL);
        next++;
    }
    if (goes_on(&reading)) read_environment(&reading, origin);
    while (goes_on(&reading) && next < sources->count) read_argument(&reading, &next);
    return reading.failed ? STATUS_INVALID : STATUS_OK;
}
