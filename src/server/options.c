/* Options from words and back to text: one parser for initial values, file, environment,
 * command line and CONFIG SET. */
#include "server/options.h"

#include <inttypes.h>
#include <strings.h>

#include "base/check.h"
#include "server/words.h"

#define WORDS_MAX 64

static int64_t *number_field(struct options *options, const struct option *option) {
    return (int64_t *)(void *)((char *)options + option->offset);
}

static char *text_field(struct options *options, const struct option *option) {
    return (char *)options + option->offset;
}

static enum status refuse(const char *why, char message[OPTION_MESSAGE_SIZE]) {
    snprintf(message, OPTION_MESSAGE_SIZE, "%s", why);
    return STATUS_INVALID;
}

static enum status set_number(struct options *options, const struct option *option,
                              struct slice value, char message[OPTION_MESSAGE_SIZE]) {
    int64_t number;
    if (option->type == OPTION_SIZE) {
        if (!word_size(value, &number))
            return refuse("argument must be a memory value", message);
    } else if (!word_integer(value, &number)) {
        return refuse("argument couldn't be parsed into an integer", message);
    }
    if (number < option->least || number > option->most) {
        snprintf(message, OPTION_MESSAGE_SIZE,
                 "argument must be between %" PRId64 " and %" PRId64 " inclusive",
                 option->least, option->most);
        return STATUS_INVALID;
    }
    *number_field(options, option) = number;
    return STATUS_OK;
}

/* --- Choices ---------------------------------------------------------------------- */

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

static bool parse_choice(const char *choices, struct slice value, int64_t *result) {
    for (int64_t i = 0;; i++) {
        struct slice choice = choice_at(choices, i);
        if (choice.size == 0) return false;
        if (choice.size == value.size &&
            strncasecmp((const char *)choice.data, (const char *)value.data,
                        value.size) == 0) {
            *result = i;
            return true;
        }
    }
}

static enum status set_choice(struct options *options, const struct option *option,
                              struct slice value, char message[OPTION_MESSAGE_SIZE]) {
    if (parse_choice(option->choices, value, number_field(options, option)))
        return STATUS_OK;
    size_t size = (size_t)snprintf(message, OPTION_MESSAGE_SIZE,
                                   "argument(s) must be one of the following: ");
    for (int64_t i = 0; size < OPTION_MESSAGE_SIZE; i++) {
        struct slice choice = choice_at(option->choices, i);
        if (choice.size == 0) break;
        size += (size_t)snprintf(message + size, OPTION_MESSAGE_SIZE - size, "%s%.*s",
                                 i ? ", " : "", (int)choice.size, choice.data);
    }
    return STATUS_INVALID;
}

static enum status set_bool(struct options *options, const struct option *option,
                            struct slice value, char message[OPTION_MESSAGE_SIZE]) {
    if (!word_is(value, "yes") && !word_is(value, "no"))
        return refuse("argument must be 'yes' or 'no'", message);
    *number_field(options, option) = word_is(value, "yes");
    return STATUS_OK;
}

/* --- Texts ------------------------------------------------------------------------ */

/* The words with blanks between. NULL, or why not. */
static const char *join(const struct slice *words, size_t count,
                        char text[OPTION_TEXT_SIZE]) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        struct slice word = words[i];
        if (word.size + (i > 0) >= OPTION_TEXT_SIZE - size) return "argument is too long";
        if (word.size && memchr(word.data, 0, word.size))
            return "argument must not hold a NUL byte";
        if (i > 0) text[size++] = ' ';
        if (word.size) memcpy(text + size, word.data, word.size);
        size += word.size;
    }
    text[size] = '\0';
    return NULL;
}

static enum status set_text(struct options *options, const struct option *option,
                            const struct slice *words, size_t count,
                            char message[OPTION_MESSAGE_SIZE]) {
    char text[OPTION_TEXT_SIZE];
    const char *why = join(words, count, text);
    if (!why && option->complaint) why = option->complaint(text);
    if (why) return refuse(why, message);
    memcpy(text_field(options, option), text, strlen(text) + 1);
    return STATUS_OK;
}

/* --- Modes and limits --------------------------------------------------------------- */

/* File permissions, in octal digits as chmod takes them. */
static enum status set_mode(struct options *options, const struct option *option,
                            struct slice value, char message[OPTION_MESSAGE_SIZE]) {
    int64_t mode = 0;
    for (size_t i = 0; i < value.size && mode <= 0777; i++) {
        if (value.data[i] < '0' || value.data[i] > '7') mode = 0777;
        mode = mode * 8 + (value.data[i] - '0');
    }
    if (value.size == 0 || mode > 0777)
        return refuse("argument must be permissions in octal digits, 0 to 777", message);
    *number_field(options, option) = mode;
    return STATUS_OK;
}

static enum status set_limits(struct options *options, const struct option *option,
                              const struct slice *words, size_t count,
                              char message[OPTION_MESSAGE_SIZE]) {
    char text[OPTION_TEXT_SIZE];
    const char *why = join(words, count, text);
    if (!why)
        why = output_limits_read(
            (struct output_limit *)(void *)text_field(options, option), slice_text(text));
    return why ? refuse(why, message) : STATUS_OK;
}

/* --- All of them ------------------------------------------------------------------ */

enum status option_set(struct options *options, const struct option *option,
                       const struct slice *words, size_t count,
                       char message[OPTION_MESSAGE_SIZE]) {
    if (!(option->flags & OPTION_MANY) && count != 1)
        return refuse("wrong number of arguments", message);
    switch (option->type) {
    case OPTION_TEXT:
        return set_text(options, option, words, count, message);
    case OPTION_INTEGER:
    case OPTION_SIZE:
        return set_number(options, option, words[0], message);
    case OPTION_BOOL:
        return set_bool(options, option, words[0], message);
    case OPTION_ENUM:
        return set_choice(options, option, words[0], message);
    case OPTION_MODE:
        return set_mode(options, option, words[0], message);
    case OPTION_OUTPUT_LIMITS:
        return set_limits(options, option, words, count, message);
    }
    return STATUS_INVALID;
}

enum status option_set_text(struct options *options, const struct option *option,
                            struct slice text, char message[OPTION_MESSAGE_SIZE]) {
    struct slice words[WORDS_MAX], word;
    size_t count = 0;
    if (!(option->flags & OPTION_MANY))
        return option_set(options, option, &text, 1, message);
    while (option_next_word(&text, &word)) {
        if (count == WORDS_MAX) return refuse("wrong number of arguments", message);
        words[count++] = word;
    }
    return option_set(options, option, words, count, message);
}

void options_begin(struct options *options) {
    char message[OPTION_MESSAGE_SIZE];
    memset(options, 0, sizeof *options);
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *option = option_at(i);
        check(option_set_text(options, option, slice_text(option->initial), message) ==
              STATUS_OK);
    }
}

void option_text(const struct options *options, const struct option *option,
                 char text[OPTION_TEXT_SIZE]) {
    const void *at = (const char *)options + option->offset;
    if (option->type == OPTION_TEXT) {
        snprintf(text, OPTION_TEXT_SIZE, "%s", (const char *)at);
        return;
    }
    if (option->type == OPTION_OUTPUT_LIMITS) {
        output_limits_text(at, text, OPTION_TEXT_SIZE);
        return;
    }
    int64_t number;
    memcpy(&number, at, sizeof number);
    if (option->type == OPTION_ENUM) {
        struct slice choice = choice_at(option->choices, number);
        snprintf(text, OPTION_TEXT_SIZE, "%.*s", (int)choice.size, choice.data);
    } else if (option->type == OPTION_BOOL) {
        snprintf(text, OPTION_TEXT_SIZE, "%s", number ? "yes" : "no");
    } else if (option->type == OPTION_MODE) {
        snprintf(text, OPTION_TEXT_SIZE, "%" PRIo64, (uint64_t)number);
    } else {
        snprintf(text, OPTION_TEXT_SIZE, "%" PRId64, number);
    }
}

bool option_equal(const struct options *a, const struct options *b,
                  const struct option *option) {
    char texts[2][OPTION_TEXT_SIZE];
    option_text(a, option, texts[0]);
    option_text(b, option, texts[1]);
    return strcmp(texts[0], texts[1]) == 0;
}

/* --- Words in texts -------------------------------------------------------------------
 */

bool option_next_word(struct slice *rest, struct slice *word) {
    size_t start = 0;
    while (start < rest->size && rest->data[start] == ' ') start++;
    size_t end = start;
    while (end < rest->size && rest->data[end] != ' ') end++;
    *word = slice_of(rest->data + start, end - start);
    *rest = slice_of(rest->data + end, rest->size - end);
    return word->size > 0;
}

bool option_percentile(struct slice word, uint64_t *millionths) {
    const uint8_t *point = word.size ? memchr(word.data, '.', word.size) : NULL;
    size_t whole = point ? (size_t)(point - word.data) : word.size;
    uint64_t value, unit = 1000;
    if (!word_unsigned(slice_of(word.data, whole), &value) || value > 100) return false;
    value *= 10000;
    if (point && whole + 1 == word.size) return false;
    for (size_t i = whole + 1; i < word.size; i++, unit /= 10) {
        if (word.data[i] < '0' || word.data[i] > '9' || unit == 0) return false;
        value += (uint64_t)(word.data[i] - '0') * unit;
    }
    *millionths = value;
    return value <= 1000000;
}

/* --- Addresses -------------------------------------------------------------------- */

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

bool options_primary(const char *text, char host[OPTION_HOST_SIZE], uint16_t *port) {
    struct slice rest = slice_text(text), name, number, more;
    int64_t value;
    bool read = option_next_word(&rest, &name) && option_next_word(&rest, &number) &&
                !option_next_word(&rest, &more) && name.size < OPTION_HOST_SIZE &&
                word_integer(number, &value) && value >= 1 && value <= 65535;
    if (!read) return false;
    memcpy(host, name.data, name.size);
    host[name.size] = '\0';
    *port = (uint16_t)value;
    return true;
}

const char *options_conflict(const struct options *options) {
    if (options->replicaof[0] != '\0' && !options->appendonly)
        return "replicaof needs appendonly yes: a replica keeps its primary's log";
    if (!options->replica_read_only)
        return "replica-read-only no: a write to a replica would be another history";
    if (options->requirepass[0] != '\0' || options_loopback_only(options)) return NULL;
    return "bind names an address that other machines can reach, and no requirepass is "
           "set: refused";
}
