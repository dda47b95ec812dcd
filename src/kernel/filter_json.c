/* JSON as Redis's filters read it: strictly where a value is wanted, loosely where one is
 * passed over (docs/semantics-filter-1.md, section 3). A byte is looked at once or twice,
 * and nothing is kept of the nesting but its depth. */
#include "kernel/filter_json.h"

#include <string.h>

#include "kernel/pure.h"

struct reader {
    const uint8_t *at, *end;
};

static uint8_t peek(const struct reader *reader) {
    return reader->at < reader->end ? *reader->at : 0;
}

static bool accept(struct reader *reader, uint8_t c) {
    if (reader->at == reader->end || *reader->at != c) return false;
    reader->at++;
    return true;
}

static bool is_blank(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_number(uint8_t c) {
    return is_digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

static void skip_blanks(struct reader *reader) {
    while (reader->at < reader->end && is_blank(*reader->at)) reader->at++;
}

/* --- Passing over ----------------------------------------------------------------------
 */

/* From behind the opening quote to behind the closing one. */
static bool read_string(struct reader *reader, struct slice *text, bool *escaped) {
    const uint8_t *first = reader->at, *at = first, *end = reader->end;
    *escaped = false;
    for (; at < end && *at != '"'; at++) {
        if (*at != '\\') continue;
        *escaped = true;
        at++;
    }
    if (at >= end) return false;
    *text = slice_of(first, (size_t)(at - first));
    reader->at = at + 1;
    return true;
}

static bool skip_string(struct reader *reader) {
    struct slice text;
    bool escaped;
    return read_string(reader, &text, &escaped);
}

/* From behind an opening bracket to behind its closing one; brackets of the other kind
 * are not looked at. */
static bool skip_nested(struct reader *reader, uint8_t open, uint8_t close) {
    for (uint32_t depth = 1; reader->at < reader->end;) {
        uint8_t c = *reader->at++;
        if (c == '"') {
            if (!skip_string(reader)) return false;
        } else if (c == open) {
            depth++;
        } else if (c == close && --depth == 0) {
            return true;
        }
    }
    return false;
}

/* true, false or null, and what may stand behind it. */
static bool read_literal(struct reader *reader, struct filter_value *value) {
    static const struct {
        const char *word;
        uint8_t size, kind;
        binary64 number;
    } words[] = {{"true", 4, FILTER_NUMBER, BINARY64_ONE},
                 {"false", 5, FILTER_NUMBER, 0},
                 {"null", 4, FILTER_NULL, 0}};
    for (size_t i = 0; i < 3; i++) {
        size_t size = words[i].size;
        if ((size_t)(reader->end - reader->at) < size) continue;
        if (memcmp(reader->at, words[i].word, size) != 0) continue;
        reader->at += size;
        uint8_t c = peek(reader);
        *value = (struct filter_value){.kind = words[i].kind, .number = words[i].number};
        return reader->at == reader->end || is_blank(c) || c == ',' || c == ']' ||
               c == '}';
    }
    return false;
}

static bool skip_value(struct reader *reader) {
    struct filter_value ignored;
    if (accept(reader, '"')) return skip_string(reader);
    if (accept(reader, '{')) return skip_nested(reader, '{', '}');
    if (accept(reader, '[')) return skip_nested(reader, '[', ']');
    if (!is_number(peek(reader))) return read_literal(reader, &ignored);
    while (is_number(peek(reader))) reader->at++;
    return true;
}

/* --- Values ----------------------------------------------------------------------------
 */

/* Digits with at most one point are read on the way; the rest goes the long way. */
static bool read_number(struct reader *reader, struct filter_value *value) {
    const uint8_t *first = reader->at;
    uint64_t digits = 0;
    int count = 0, places = 0;
    bool negative = accept(reader, '-');
    if (!negative) accept(reader, '+');
    for (; is_digit(peek(reader)); reader->at++, count++)
        digits = digits * 10 + (uint64_t)(*reader->at - '0');
    if (accept(reader, '.'))
        for (; is_digit(peek(reader)); reader->at++, count++, places++)
            digits = digits * 10 + (uint64_t)(*reader->at - '0');
    *value = (struct filter_value){.kind = FILTER_NUMBER};
    if (count > 0 && count <= BINARY64_TEN_MAX && !is_number(peek(reader))) {
        value->number = places == 0 ? binary64_pack(negative, digits, 0, false)
                                    : binary64_from_decimal(negative, digits, -places);
        return true;
    }
    while (is_number(peek(reader))) reader->at++;
    return binary64_from_text(slice_of(first, (size_t)(reader->at - first)),
                              &value->number);
}

/* A value that is neither array nor object. */
static bool read_simple(struct reader *reader, struct filter_value *value) {
    uint8_t c = peek(reader);
    if (is_digit(c) || c == '-' || c == '+') return read_number(reader, value);
    if (!accept(reader, '"')) return read_literal(reader, value);
    *value = (struct filter_value){.kind = FILTER_TEXT};
    return read_string(reader, &value->text, &value->escaped);
}

/* From behind an opening bracket: elements and arrays of them, each of them sound. */
static bool read_array(struct reader *reader, struct filter_value *value) {
    const uint8_t *first = reader->at;
    struct filter_value element;
    bool closable = true; /* a bracket may close: nothing, or a value, is before it */
    for (uint32_t depth = 1; depth > 0;) {
        skip_blanks(reader);
        if (closable && accept(reader, ']')) {
            depth--;
        } else if (accept(reader, '[')) {
            depth++;
            closable = true;
            continue;
        } else if (!read_simple(reader, &element)) {
            return false;
        }
        closable = true;
        while (depth > 0) { /* behind a value */
            skip_blanks(reader);
            if (accept(reader, ',')) {
                closable = false;
                break;
            }
            if (!accept(reader, ']')) return false;
            depth--;
        }
    }
    *value = (struct filter_value){.kind = FILTER_ARRAY};
    value->text = slice_of(first, (size_t)(reader->at - 1 - first));
    return true;
}

bool filter_json_next(struct slice *rest, struct filter_value *value) {
    struct reader reader = {rest->data, rest->data + rest->size};
    skip_blanks(&reader);
    if (reader.at == reader.end) return false;
    const uint8_t *first = reader.at + 1;
    if (accept(&reader, '[')) {
        skip_nested(&reader, '[', ']');
        *value = (struct filter_value){.kind = FILTER_ARRAY};
        value->text = slice_of(first, (size_t)(reader.at - 1 - first));
    } else {
        read_simple(&reader, value);
    }
    skip_blanks(&reader);
    accept(&reader, ',');
    *rest = slice_of(reader.at, (size_t)(reader.end - reader.at));
    return true;
}

uint8_t filter_json_byte(struct slice text, size_t *at) {
    if (text.data[*at] != '\\' || *at + 1 == text.size) return text.data[*at];
    uint8_t c = text.data[++*at];
    return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
}

struct slice filter_json_unescape(struct slice text, uint8_t *room) {
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) room[size++] = filter_json_byte(text, &i);
    return slice_of(room, size);
}

/* --- Fields ----------------------------------------------------------------------------
 */

/* Of `name` among those that were not found; count: none. */
static uint32_t wanted(struct slice name, const struct slice *fields, uint32_t count,
                       uint64_t found) {
    for (uint32_t i = 0; i < count; i++)
        if (!(found >> i & 1) && slice_equal(fields[i], name)) return i;
    return count;
}

/* A member of the object, and what separates it from the next. */
static bool read_member(struct reader *reader, const struct slice *fields, uint32_t count,
                        struct filter_value *values, uint64_t *found) {
    struct slice name;
    bool escaped;
    skip_blanks(reader);
    if (!accept(reader, '"') || !read_string(reader, &name, &escaped)) return false;
    skip_blanks(reader);
    if (!accept(reader, ':')) return false;
    skip_blanks(reader);
    uint32_t field = wanted(name, fields, count, *found);
    if (field == count) return skip_value(reader);
    *found |= (uint64_t)1 << field;
    return accept(reader, '[') ? read_array(reader, &values[field])
                               : read_simple(reader, &values[field]);
}

static bool read_object(struct reader *reader, const struct slice *fields, uint32_t count,
                        struct filter_value *values) {
    uint64_t found = 0, all = count == 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
    skip_blanks(reader);
    if (!accept(reader, '{')) return false;
    while (read_member(reader, fields, count, values, &found)) {
        if (found == all) return true;
        skip_blanks(reader);
        if (!accept(reader, ',')) return false;
    }
    return false;
}

bool filter_json_fields(struct slice json, const struct slice *fields, uint32_t count,
                        struct filter_value *values, size_t *read) {
    *read = 0;
    if (count == 0 || json.size == 0) return count == 0;
    struct reader reader = {json.data, json.data + json.size};
    bool complete = read_object(&reader, fields, count, values);
    *read = (size_t)(reader.at - json.data);
    return complete;
}
