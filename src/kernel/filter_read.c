/* FILTER expressions to programs: tokens from left to right, operators waiting on a stack
 * until one that binds less comes (Dijkstra's shunting yard).
 *
 * Where Redis takes more than its grammar says (an operator behind its values), so do we:
 * both let the order of tokens decide, and count values. A token that is none is told by
 * its place; too few or too many values, or parentheses that do not match, by the whole
 * text. */
#include <string.h>

#include "kernel/filter.h"

#include "kernel/pure.h"

enum {
    PARENTHESIS = 255, /* waits among operators */
    /* In each parenthesis an operator of each of seven precedences may wait, and powers
     * as long as there are values for them. */
    WAITING_MAX = 8 * (FILTER_DEPTH_MAX + 1) + FILTER_DEPTH_MAX,
    NUMBER_SIZE_MAX = 255,
};

static const struct {
    struct slice text[2]; /* ways to write it */
    uint8_t precedence, operands;
} operators[] = {
#define TEXT(literal)                                                                    \
    { (const uint8_t *)literal, sizeof literal - 1 }
    [FILTER_OR] = {{TEXT("or"), TEXT("||")}, 1, 2},
    [FILTER_AND] = {{TEXT("and"), TEXT("&&")}, 2, 2},
    [FILTER_GREATER] = {{TEXT(">")}, 3, 2},
    [FILTER_GREATER_EQUAL] = {{TEXT(">=")}, 3, 2},
    [FILTER_LESS] = {{TEXT("<")}, 3, 2},
    [FILTER_LESS_EQUAL] = {{TEXT("<=")}, 3, 2},
    [FILTER_EQUAL] = {{TEXT("==")}, 3, 2},
    [FILTER_NOT_EQUAL] = {{TEXT("!=")}, 3, 2},
    [FILTER_IN] = {{TEXT("in")}, 3, 2},
    [FILTER_ADD] = {{TEXT("+")}, 4, 2},
    [FILTER_SUBTRACT] = {{TEXT("-")}, 4, 2},
    [FILTER_MULTIPLY] = {{TEXT("*")}, 5, 2},
    [FILTER_DIVIDE] = {{TEXT("/")}, 5, 2},
    [FILTER_REMAINDER] = {{TEXT("%")}, 5, 2},
    [FILTER_POWER] = {{TEXT("**")}, 6, 2},
    [FILTER_NOT] = {{TEXT("not"), TEXT("!")}, 7, 1},
};
#define NULL_SIZE 4 /* of the word */

struct reader {
    struct filter *filter;
    const uint8_t *start, *at, *end;
    bool behind_value; /* the token before is a value or ')' */
    bool unbalanced;   /* values or parentheses do not come out */
    bool large;        /* a limit is passed */
    uint32_t nodes;
    uint32_t held; /* values, were the program run up to here */
    uint32_t open; /* parentheses */
    uint32_t waiting_count;
    uint8_t waiting[WAITING_MAX]; /* enum filter_code, or PARENTHESIS */
};

/* --- Characters ------------------------------------------------------------------------
 */

static bool is_blank(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_letter(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool is_name(uint8_t c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-';
}
static bool is_one_of(uint8_t c, const char *set) {
    while (*set && (uint8_t)*set != c) set++;
    return *set != 0;
}
static bool is_operator(uint8_t c) {
    return is_letter(c) || is_one_of(c, "+-*/%!()<>=|&");
}

/* The byte `ahead` of the reader; 0, which begins nothing, at the end. */
static uint8_t peek(const struct reader *reader, size_t ahead) {
    return (size_t)(reader->end - reader->at) > ahead ? reader->at[ahead] : 0;
}

static void skip_blanks(struct reader *reader) {
    while (is_blank(peek(reader, 0))) reader->at++;
}

/* --- The program -----------------------------------------------------------------------
 */

/* One node more; false: there are too many. */
static bool add_node(struct reader *reader) {
    reader->large |= reader->nodes == FILTER_NODES_MAX;
    reader->nodes += !reader->large;
    return !reader->large;
}

/* A place for a value; its node is that of the step or the tuple that it is for. */
static struct filter_value *add_value(struct reader *reader) {
    struct filter *filter = reader->filter;
    if (filter->value_count == FILTER_NODES_MAX) {
        reader->large = true;
        return NULL;
    }
    struct filter_value *value = &filter->values[filter->value_count++];
    memset(value, 0, sizeof *value);
    return value;
}

static void add_step(struct reader *reader, enum filter_code code, uint32_t operand) {
    struct filter *filter = reader->filter;
    uint32_t operands = code >= FILTER_OR ? operators[code].operands : 0;
    if (reader->held < operands) reader->unbalanced = true;
    if (reader->unbalanced || reader->large) return;
    reader->held = reader->held - operands + 1;
    reader->large |= reader->held > FILTER_DEPTH_MAX;
    if (!add_node(reader)) return;
    filter->steps[filter->step_count++] =
        (struct filter_step){.code = (uint16_t)code, .operand = (uint16_t)operand};
}

/* --- Values ----------------------------------------------------------------------------
 */

/* A number at the reader, maybe with a sign. */
static bool read_number(struct reader *reader, struct filter_value *value) {
    const uint8_t *first = reader->at;
    if (peek(reader, 0) == '-') reader->at++;
    for (uint8_t c; (c = peek(reader, 0)), is_digit(c) || is_one_of(c, ".eE");) {
        if (reader->at - first == NUMBER_SIZE_MAX) return false;
        reader->at++;
    }
    value->kind = FILTER_NUMBER;
    return binary64_from_text(slice_of(first, (size_t)(reader->at - first)),
                              &value->number);
}

/* A backslash keeps the byte behind it from ending the text; both stay. */
static bool read_text(struct reader *reader, struct filter_value *value) {
    uint8_t quote = *reader->at++;
    const uint8_t *first = reader->at;
    while (reader->at < reader->end && *reader->at != quote)
        reader->at += *reader->at == '\\' && reader->end - reader->at > 1 ? 2 : 1;
    value->kind = FILTER_TEXT;
    value->text = slice_of(first, (size_t)(reader->at - first));
    if (reader->at == reader->end) return false;
    reader->at++;
    value->number = filter_text_number(value->text);
    return true;
}

/* An element of a tuple. */
static bool read_element(struct reader *reader) {
    uint8_t c = peek(reader, 0);
    struct filter_value *value = add_node(reader) ? add_value(reader) : NULL;
    if (!value) return true;
    if (is_digit(c) || c == '-') return read_number(reader, value);
    return (c == '"' || c == '\'') && read_text(reader, value);
}

/* [a, b, ..]: elements first, then the tuple itself, so that they lie side by side. */
static bool read_tuple(struct reader *reader, uint32_t *operand) {
    uint32_t first = reader->filter->value_count;
    reader->at++;
    for (;;) {
        skip_blanks(reader);
        if (peek(reader, 0) == ']') break;
        if (!read_element(reader)) return false;
        if (reader->large) return true;
        skip_blanks(reader);
        if (peek(reader, 0) == ']') break;
        if (peek(reader, 0) != ',') return false;
        reader->at++;
    }
    reader->at++;
    uint32_t size = reader->filter->value_count - first;
    struct filter_value *tuple = add_value(reader);
    if (!tuple) return true;
    tuple->kind = FILTER_TUPLE;
    tuple->first = (uint16_t)first;
    tuple->size = (uint16_t)size;
    *operand = first + size;
    return true;
}

static bool read_value(struct reader *reader) {
    uint32_t operand = reader->filter->value_count;
    bool good;
    if (peek(reader, 0) == '[') {
        good = read_tuple(reader, &operand);
    } else {
        struct filter_value *value = add_value(reader);
        if (!value) return true;
        uint8_t c = peek(reader, 0);
        good =
            c == '"' || c == '\'' ? read_text(reader, value) : read_number(reader, value);
    }
    if (good) add_step(reader, FILTER_VALUE, operand);
    return good;
}

/* .name; a name that is missing is one only at the end of the text. */
static bool read_field(struct reader *reader) {
    struct filter *filter = reader->filter;
    const uint8_t *first = reader->at + 1;
    size_t size = 0;
    while (is_name(peek(reader, 1 + size))) size++;
    if (size == 0 && first < reader->end) return false;
    reader->at += 1 + size;
    struct slice name = slice_of(first, size);
    uint32_t field = 0;
    while (field < filter->field_count && !slice_equal(filter->fields[field], name))
        field++;
    if (field == FILTER_FIELDS_MAX) {
        reader->large = true;
        return true;
    }
    if (field == filter->field_count) filter->fields[filter->field_count++] = name;
    add_step(reader, FILTER_FIELD, field);
    return true;
}

/* --- Operators -------------------------------------------------------------------------
 */

static void close_parenthesis(struct reader *reader) {
    while (reader->waiting_count > 0) {
        uint8_t code = reader->waiting[--reader->waiting_count];
        if (code == PARENTHESIS) {
            reader->open--;
            return;
        }
        add_step(reader, code, 0);
    }
    reader->unbalanced = true;
}

static void wait(struct reader *reader, uint8_t code) {
    if (reader->unbalanced || reader->large) return;
    reader->open += code == PARENTHESIS;
    reader->large =
        reader->waiting_count == WAITING_MAX || reader->open > FILTER_DEPTH_MAX;
    if (!reader->large) reader->waiting[reader->waiting_count++] = code;
}

static void take_operator(struct reader *reader, uint8_t code) {
    bool to_the_right = code == FILTER_POWER;
    while (reader->waiting_count > 0) {
        uint8_t before = reader->waiting[reader->waiting_count - 1];
        if (before == PARENTHESIS) break;
        int binds = operators[before].precedence - operators[code].precedence;
        if (binds < 0 || (binds == 0 && to_the_right)) break;
        reader->waiting_count--;
        add_step(reader, before, 0);
    }
    wait(reader, code);
}

static void take_parenthesis(struct reader *reader) {
    if (*reader->at++ == '(') {
        reader->behind_value = false;
        wait(reader, PARENTHESIS);
    } else {
        reader->behind_value = true;
        close_parenthesis(reader);
    }
}

/* The longest operator that the reader's bytes begin with; 0: none. */
static uint8_t longest_operator(const struct reader *reader, size_t *size) {
    size_t left = (size_t)(reader->end - reader->at);
    uint8_t found = 0;
    *size = 0;
    for (uint8_t code = FILTER_OR; code <= FILTER_NOT; code++) {
        for (int i = 0; i < 2; i++) {
            struct slice text = operators[code].text[i];
            if (text.size <= *size || text.size > left) continue;
            if (memcmp(reader->at, text.data, text.size) != 0) continue;
            found = code;
            *size = text.size;
        }
    }
    return found;
}

static bool is_null(const struct reader *reader) {
    return reader->end - reader->at >= NULL_SIZE &&
           memcmp(reader->at, "null", NULL_SIZE) == 0 &&
           !is_letter(peek(reader, NULL_SIZE));
}

/* An operator or the word null. What is neither is passed as far as it looks like one. */
static bool read_word(struct reader *reader) {
    if (is_null(reader)) {
        uint32_t operand = reader->filter->value_count;
        reader->at += NULL_SIZE;
        reader->behind_value = true;
        if (add_value(reader)) add_step(reader, FILTER_VALUE, operand);
        return true;
    }
    size_t size;
    uint8_t code = longest_operator(reader, &size);
    if (code == 0) {
        while (is_operator(peek(reader, 0))) reader->at++;
        return false;
    }
    reader->at += size;
    reader->behind_value = false;
    take_operator(reader, code);
    return true;
}

/* --- The text --------------------------------------------------------------------------
 */

/* False: what the reader is at, or has just passed, is no token. */
static bool read_token(struct reader *reader) {
    uint8_t c = peek(reader, 0);
    bool sign = c == '-' && is_digit(peek(reader, 1)) && !reader->behind_value;
    if (sign || is_digit(c) || is_one_of(c, "\"'[")) {
        bool good = read_value(reader);
        reader->behind_value = true;
        return good;
    }
    if (c == '.') {
        reader->behind_value = true;
        return read_field(reader);
    }
    if (c == '(' || c == ')') {
        take_parenthesis(reader);
        return true;
    }
    return is_operator(c) && read_word(reader);
}

enum status filter_read(struct slice text, struct filter *filter, size_t *error) {
    *error = 0;
    if (text.size > FILTER_SIZE_MAX) return STATUS_TOO_LARGE;
    filter->step_count = filter->value_count = filter->field_count = 0;
    struct reader reader = {.filter = filter, .start = text.data, .at = text.data};
    reader.end = text.size > 0 ? text.data + text.size : text.data;
    for (skip_blanks(&reader); reader.at < reader.end; skip_blanks(&reader)) {
        if (!read_token(&reader)) {
            *error = (size_t)(reader.at - reader.start);
            return STATUS_INVALID;
        }
        if (reader.large) return STATUS_TOO_LARGE;
    }
    while (reader.waiting_count > 0) {
        uint8_t code = reader.waiting[--reader.waiting_count];
        if (code == PARENTHESIS) reader.unbalanced = true;
        else add_step(&reader, code, 0);
    }
    if (reader.unbalanced || reader.held != 1)
        return reader.large ? STATUS_TOO_LARGE : STATUS_INVALID;
    return reader.large ? STATUS_TOO_LARGE : STATUS_OK;
}
