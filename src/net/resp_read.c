/* The request parser: a small state machine over offsets.
 *
 * The state moves only forward through the bytes, and every decision is taken on bytes
 * that are all there, so that where the network cut them cannot matter: a line is looked
 * at when its CR and the byte after it have come, a bulk when its CR LF has. "Too long"
 * counts from the first byte of the line and does not depend on how much arrived at once.
 *
 * Inside this file RESP_REQUEST means "this part is complete, go on". */
#include "net/resp_read.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"

#define FIRST_CAPACITY 16
/* What an idle reader may keep: more than nearly all commands need. */
#define KEPT_ARGUMENTS 64
#define KEPT_UNQUOTED  1024

struct resp_limits resp_limits_unauthenticated(void) {
    return (struct resp_limits){
        .arguments = 10,
        .bulk_bytes = 16384,
        .inline_bytes = 65536,
        .authenticated = false,
    };
}

/* A vector of 65,536 numbers in text, with its command around it, is 65,600 arguments. */
struct resp_limits resp_limits_default(void) {
    return (struct resp_limits){
        .arguments = 1048576,
        .bulk_bytes = (size_t)512 << 20,
        .inline_bytes = 65536,
        .authenticated = true,
    };
}

/* --- Life
 * ------------------------------------------------------------------------------- */

void resp_reader_init(struct resp_reader *reader, const struct allocator *allocator) {
    *reader = (struct resp_reader){.allocator = allocator, .phase = RESP_AT_START};
}

static void free_spans(struct resp_reader *reader) {
    release(reader->allocator, reader->spans,
            reader->span_capacity * sizeof *reader->spans);
    reader->spans = NULL;
    reader->span_capacity = 0;
}

static void free_slices(struct resp_reader *reader) {
    release(reader->allocator, reader->slices,
            reader->slice_capacity * sizeof *reader->slices);
    reader->slices = NULL;
    reader->slice_capacity = 0;
}

static void free_unquoted(struct resp_reader *reader) {
    release(reader->allocator, reader->unquoted, reader->unquoted_capacity);
    reader->unquoted = NULL;
    reader->unquoted_capacity = 0;
}

void resp_reader_free(struct resp_reader *reader) {
    free_spans(reader);
    free_slices(reader);
    free_unquoted(reader);
    resp_reader_init(reader, reader->allocator);
}

void resp_reader_shrink(struct resp_reader *reader) {
    if (reader->phase != RESP_AT_START) return;
    if (reader->span_capacity > KEPT_ARGUMENTS) free_spans(reader);
    if (reader->slice_capacity > KEPT_ARGUMENTS) free_slices(reader);
    if (reader->unquoted_capacity > KEPT_UNQUOTED) free_unquoted(reader);
}

const char *resp_reader_error(const struct resp_reader *reader) { return reader->error; }

size_t resp_reader_missing(const struct resp_reader *reader, size_t size) {
    if (reader->phase != RESP_IN_BULK) return 0;
    size_t end = reader->position + reader->bulk_size + 2;
    return size < end ? end - size : 0;
}

static enum resp_result fail(struct resp_reader *reader, const char *error) {
    snprintf(reader->error, sizeof reader->error, "%s", error);
    reader->phase = RESP_FAILED;
    return RESP_ERROR;
}

/* --- Arguments
 * --------------------------------------------------------------------------- */

static bool add_argument(struct resp_reader *reader, size_t offset, size_t size) {
    if (reader->count == reader->span_capacity) {
        size_t old = reader->span_capacity;
        size_t grown = old ? old * 2 : FIRST_CAPACITY;
        struct resp_span *spans =
            reader->allocator->resize(reader->allocator->context, reader->spans,
                                      old * sizeof *spans, grown * sizeof *spans);
        if (!spans) return false;
        reader->spans = spans;
        reader->span_capacity = grown;
    }
    reader->spans[reader->count++] = (struct resp_span){offset, size};
    return true;
}

/* Room for as many slices as there are spans. */
static bool reserve_slices(struct resp_reader *reader) {
    if (reader->slice_capacity >= reader->count) return true;
    free_slices(reader);
    reader->slices =
        allocate(reader->allocator, reader->span_capacity * sizeof *reader->slices);
    if (reader->slices) reader->slice_capacity = reader->span_capacity;
    return reader->slices != NULL;
}

/* The request is whole: offsets become addresses, and the reader starts anew behind it.
 */
static enum resp_result deliver(struct resp_reader *reader, const uint8_t *base,
                                struct request *request) {
    if (!reserve_slices(reader)) return fail(reader, "out of memory");
    for (size_t i = 0; i < reader->count; i++)
        reader->slices[i] =
            slice_of(base + reader->spans[i].offset, reader->spans[i].size);
    *request = (struct request){
        .arguments = reader->slices,
        .count = reader->count,
        .consumed = reader->position,
    };
    reader->phase = RESP_AT_START;
    reader->position = reader->scanned = reader->announced = reader->count = 0;
    return request->count > 0 ? RESP_REQUEST : RESP_EMPTY;
}

/* --- Lines
 * ------------------------------------------------------------------------------- */

/* Find `terminator` in the line at `position`. RESP_ERROR: the line is longer than
 * `limit` without it; the caller has the words for that. */
static enum resp_result find_in_line(struct resp_reader *reader, struct slice bytes,
                                     uint8_t terminator, size_t limit, size_t *found) {
    size_t from = reader->position + reader->scanned;
    size_t end = bytes.size;
    if (end - reader->position > limit + 1) end = reader->position + limit + 1;
    const uint8_t *hit =
        from < end ? memchr(bytes.data + from, terminator, end - from) : NULL;
    if (hit) {
        *found = (size_t)(hit - bytes.data);
        reader->scanned = *found - reader->position;
        return RESP_REQUEST;
    }
    reader->scanned = end - reader->position;
    return reader->scanned > limit ? RESP_ERROR : RESP_INCOMPLETE;
}

/* A decimal number as Redis writes them: a minus sign perhaps, no plus, no leading zero,
 * no blanks. False for anything else and for what does not fit. */
static bool parse_number(struct slice text, int64_t *number) {
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t i = negative ? 1 : 0;
    if (i == text.size) return false;
#ifndef BUG_5
    if (text.data[i] == '0' && text.size > 1) return false;
#endif
    int64_t value = 0;
    for (; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte < '0' || byte > '9') return false;
        int digit = byte - '0';
        if (__builtin_mul_overflow(value, 10, &value)) return false;
        if (negative ? __builtin_sub_overflow(value, digit, &value)
                     : __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *number = value;
    return true;
}

/* Read "<marker><number>CR?" and step behind it. */
static enum resp_result read_header(struct resp_reader *reader, struct slice bytes,
                                    size_t limit, struct slice *digits) {
    size_t cr = 0;
    enum resp_result result = find_in_line(reader, bytes, '\r', limit, &cr);
    if (result != RESP_REQUEST) return result;
    size_t next = cr + 2;
#ifdef BUG_6
    if (next > bytes.size) next = bytes.size;
#else
    if (next > bytes.size) return RESP_INCOMPLETE;
#endif
    *digits = slice_of(bytes.data + reader->position + 1, cr - reader->position - 1);
    reader->position = next;
    reader->scanned = 0;
    return RESP_REQUEST;
}

/* --- Multibulk requests
 * ------------------------------------------------------------------- */

/* "*<count>": RESP_EMPTY when there is nothing to come. */
static enum resp_result read_count(struct resp_reader *reader, struct slice bytes,
                                   const struct resp_limits *limits) {
    struct slice digits = {NULL, 0};
    enum resp_result result = read_header(reader, bytes, limits->inline_bytes, &digits);
    if (result == RESP_ERROR)
        return fail(reader, "Protocol error: too big mbulk count string");
    if (result != RESP_REQUEST) return result;

    int64_t count;
    if (!parse_number(digits, &count) || count > INT_MAX)
        return fail(reader, "Protocol error: invalid multibulk length");
    if (count > 0 && (uint64_t)count > limits->arguments)
        return fail(reader, limits->authenticated
                                ? "Protocol error: invalid multibulk length"
                                : "Protocol error: unauthenticated multibulk length");
    if (count <= 0) return RESP_EMPTY;
    reader->announced = (size_t)count;
    reader->phase = RESP_AT_BULK_HEADER;
    return RESP_REQUEST;
}

static enum resp_result refuse_marker(struct resp_reader *reader, uint8_t byte) {
    char error[RESP_ERROR_SIZE];
    bool printable = byte >= 0x20 && byte < 0x7f;
    snprintf(error, sizeof error,
             printable ? "Protocol error: expected '$', got '%c'"
                       : "Protocol error: expected '$', got '\\x%02x'",
             byte);
    return fail(reader, error);
}

static enum resp_result read_bulk_header(struct resp_reader *reader, struct slice bytes,
                                         const struct resp_limits *limits) {
    if (reader->position == bytes.size) return RESP_INCOMPLETE;
    uint8_t marker = bytes.data[reader->position];
    if (marker != '$') return refuse_marker(reader, marker);

    struct slice digits = {NULL, 0};
    enum resp_result result = read_header(reader, bytes, limits->inline_bytes, &digits);
    if (result == RESP_ERROR)
        return fail(reader, "Protocol error: too big bulk count string");
    if (result != RESP_REQUEST) return result;

    int64_t size;
    if (!parse_number(digits, &size) || size < 0 || (uint64_t)size > SIZE_MAX / 2)
        return fail(reader, "Protocol error: invalid bulk length");
    if ((uint64_t)size > limits->bulk_bytes)
        return fail(reader, limits->authenticated
                                ? "Protocol error: invalid bulk length"
                                : "Protocol error: unauthenticated bulk length");
    reader->bulk_size = (size_t)size;
    reader->phase = RESP_IN_BULK;
    return RESP_REQUEST;
}

static enum resp_result read_bulk(struct resp_reader *reader, struct slice bytes) {
    if (resp_reader_missing(reader, bytes.size) > 0) return RESP_INCOMPLETE;
    size_t end = reader->position + reader->bulk_size;
    if (bytes.data[end] != '\r' || bytes.data[end + 1] != '\n')
        return fail(reader, "Protocol error: expected CRLF after bulk");
    if (!add_argument(reader, reader->position, reader->bulk_size))
        return fail(reader, "out of memory");
    reader->position = end + 2;
    reader->phase = RESP_AT_BULK_HEADER;
    return RESP_REQUEST;
}

static enum resp_result read_multibulk(struct resp_reader *reader, struct slice bytes,
                                       const struct resp_limits *limits,
                                       struct request *request) {
    enum resp_result result = RESP_REQUEST;
    if (reader->phase == RESP_AT_START) result = read_count(reader, bytes, limits);
    while (result == RESP_REQUEST && reader->count < reader->announced) {
        if (reader->phase == RESP_AT_BULK_HEADER)
            result = read_bulk_header(reader, bytes, limits);
        if (result == RESP_REQUEST) result = read_bulk(reader, bytes);
    }
    if (result == RESP_INCOMPLETE || result == RESP_ERROR) return result;
    return deliver(reader, bytes.data, request);
}

/* --- A glance ahead
 * ------------------------------------------------------------------------ */

/* "<marker><number>CRLF" off the front; at most nine digits. */
static bool glance_number(struct slice *bytes, uint8_t marker, size_t *number) {
    const uint8_t *p = bytes->data;
    size_t i = 1;
    if (bytes->size < 4 || p[0] != marker) return false;
    *number = 0;
    for (; i < bytes->size && i < 10 && p[i] >= '0' && p[i] <= '9'; i++)
        *number = 10 * *number + (size_t)(p[i] - '0');
    if (i == 1 || i + 2 > bytes->size || p[i] != '\r') return false;
    *bytes = slice_of(p + i + 2, bytes->size - i - 2);
    return true;
}

static bool glance_bulk(struct slice *bytes, struct slice *bulk) {
    size_t size;
    if (!glance_number(bytes, '$', &size) || bytes->size < size + 2) return false;
    *bulk = slice_of(bytes->data, size);
    *bytes = slice_of(bytes->data + size + 2, bytes->size - size - 2);
    return true;
}

size_t resp_peek(struct slice bytes, struct slice *seconds, size_t max) {
    size_t found = 0, count;
    while (found < max && glance_number(&bytes, '*', &count)) {
        struct slice bulk;
        for (size_t i = 0; i < count; i++) {
            if (!glance_bulk(&bytes, &bulk)) return found;
            if (i == 1) seconds[found++] = bulk;
        }
    }
    return found;
}

/* --- Inline requests
 * ----------------------------------------------------------------------- */

static bool is_blank(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* The value of a hexadecimal digit, or -1. */
static int hex_digit(uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

static uint8_t escaped(uint8_t byte) {
    switch (byte) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case 'a':
        return '\a';
    default:
        return byte;
    }
}

/* What a backslash at line[*at] in double quotes stands for; *at moves behind it. */
static uint8_t read_escape(struct slice line, size_t *at) {
    const uint8_t *p = line.data + *at;
    size_t left = line.size - *at;
    if (left >= 4 && p[1] == 'x' && hex_digit(p[2]) >= 0 && hex_digit(p[3]) >= 0) {
        *at += 4;
        return (uint8_t)(hex_digit(p[2]) * 16 + hex_digit(p[3]));
    }
    *at += 2;
    return escaped(p[1]);
}

/* Copy what stands in quotes at line[*at] and step behind the closing one, which must be
 * followed by a blank or by nothing. False when it is not there. */
static bool read_quoted(struct slice line, size_t *at, uint8_t *text, size_t *used) {
    uint8_t quote = line.data[(*at)++];
    while (*at < line.size) {
        uint8_t byte = line.data[*at];
        bool more = *at + 1 < line.size;
        if (byte == quote) {
            ++*at;
            return !more || is_blank(line.data[*at]);
        }
        if (quote == '"' && byte == '\\' && more) {
            text[(*used)++] = read_escape(line, at);
        } else if (quote == '\'' && byte == '\\' && more && line.data[*at + 1] == '\'') {
            text[(*used)++] = '\'';
            *at += 2;
        } else {
            text[(*used)++] = byte;
            ++*at;
        }
    }
    return false;
}

/* Copy one argument; quotes may begin in its middle and end it. */
static bool read_word(struct slice line, size_t *at, uint8_t *text, size_t *used) {
    while (*at < line.size && !is_blank(line.data[*at])) {
        uint8_t byte = line.data[*at];
        if (byte == '"' || byte == '\'') return read_quoted(line, at, text, used);
        text[(*used)++] = byte;
        ++*at;
    }
    return true;
}

/* Unquoting never makes a text longer, so the size of the line is room enough, and the
 * text does not move while arguments are added. */
static bool reserve_unquoted(struct resp_reader *reader, size_t size) {
    if (size <= reader->unquoted_capacity) return true;
    free_unquoted(reader);
    reader->unquoted = allocate(reader->allocator, size);
    if (reader->unquoted) reader->unquoted_capacity = size;
    return reader->unquoted != NULL;
}

static enum resp_result split_line(struct resp_reader *reader, struct slice line) {
    if (!reserve_unquoted(reader, line.size)) return fail(reader, "out of memory");
    size_t at = 0, used = 0;
    for (;;) {
        while (at < line.size && is_blank(line.data[at])) at++;
        if (at == line.size) return RESP_REQUEST;
        size_t start = used;
        if (!read_word(line, &at, reader->unquoted, &used))
            return fail(reader, "Protocol error: unbalanced quotes in request");
        if (!add_argument(reader, start, used - start))
            return fail(reader, "out of memory");
    }
}

static enum resp_result read_inline(struct resp_reader *reader, struct slice bytes,
                                    const struct resp_limits *limits,
                                    struct request *request) {
    size_t end = 0;
    enum resp_result result =
        find_in_line(reader, bytes, '\n', limits->inline_bytes, &end);
    if (result == RESP_ERROR)
        return fail(reader, "Protocol error: too big inline request");
    if (result != RESP_REQUEST) return result;
    struct slice line = slice_of(bytes.data, end);
    if (line.size > 0 && line.data[line.size - 1] == '\r') line.size--;
    result = split_line(reader, line);
    if (result != RESP_REQUEST) return result;
    reader->position = end + 1;
    return deliver(reader, reader->unquoted, request);
}

/* --- The entrance
 * -------------------------------------------------------------------------- */

enum resp_result resp_read(struct resp_reader *reader, struct slice bytes,
                           const struct resp_limits *limits, struct request *request) {
    if (reader->phase == RESP_FAILED) return RESP_ERROR;
    check(bytes.size >= reader->position + reader->scanned);
    if (bytes.size == 0) return RESP_INCOMPLETE;
    if (reader->phase == RESP_AT_START && bytes.data[0] != '*')
        return read_inline(reader, bytes, limits, request);
    return read_multibulk(reader, bytes, limits, request);
}
