/* Writing replies. The one place in net/ that knows floating point: scores leave the
 * server as doubles, and only here do they become text. */
#include "net/resp_write.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define ERROR_SIZE 512
/* A marker, twenty digits and a sign, CR LF. */
#define HEAD_SIZE 24

/* Doubles up to here are integers that int64 holds and that print exactly: 2^53. */
#define INTEGRAL_LIMIT 9007199254740992.0
/* Below 2^-1022 doubles lose digits. */
#define SUBNORMAL_LIMIT 2.2250738585072014e-308

void reply_init(struct reply *reply, struct buffer *output, int protocol) {
    check(protocol == 2 || protocol == 3);
    *reply = (struct reply){.output = output, .protocol = protocol, .failed = STATUS_OK};
}

/* Room for `size` bytes, or NULL from the first failure on. */
static uint8_t *take(struct reply *reply, size_t size) {
    uint8_t *room = NULL;
    if (reply->muted) return NULL;
    if (!reply->failed) reply->failed = buffer_reserve(reply->output, size, &room);
    return reply->failed ? NULL : room;
}

void reply_raw(struct reply *reply, struct slice bytes) {
    uint8_t *room = take(reply, bytes.size);
    if (!room || bytes.size == 0) return;
    memcpy(room, bytes.data, bytes.size);
    buffer_commit(reply->output, bytes.size);
}

static bool is_resp3(const struct reply *reply) { return reply->protocol == 3; }

/* "<marker><number>\r\n" into `head`; gives its size. */
static size_t format_head(char head[HEAD_SIZE], char marker, bool negative,
                          uint64_t number) {
    char digits[20];
    size_t count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    size_t size = 0;
    head[size++] = marker;
    if (negative) head[size++] = '-';
    while (count > 0) head[size++] = digits[--count];
    head[size++] = '\r';
    head[size++] = '\n';
    return size;
}

static void write_head(struct reply *reply, char marker, uint64_t number) {
    char head[HEAD_SIZE];
    reply_raw(reply, slice_of(head, format_head(head, marker, false, number)));
}

/* A head with the size of both parts together, the parts, CR LF; all of it or nothing. */
static void write_sized(struct reply *reply, char marker, struct slice first,
                        struct slice second) {
    char head[HEAD_SIZE];
    size_t head_size = format_head(head, marker, false, first.size + second.size);
    size_t size = head_size + first.size + second.size + 2;
    uint8_t *room = take(reply, size);
    if (!room) return;
    memcpy(room, head, head_size);
    room += head_size;
    if (first.size > 0) memcpy(room, first.data, first.size);
    room += first.size;
    if (second.size > 0) memcpy(room, second.data, second.size);
    room += second.size;
    memcpy(room, "\r\n", 2);
    buffer_commit(reply->output, size);
}

/* "<marker><text>\r\n". */
static void write_line(struct reply *reply, char marker, struct slice text) {
    uint8_t *room = take(reply, text.size + 3);
    if (!room) return;
    room[0] = (uint8_t)marker;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        room[1 + i] = byte == '\r' || byte == '\n' ? (uint8_t)' ' : byte;
    }
    memcpy(room + 1 + text.size, "\r\n", 2);
    buffer_commit(reply->output, text.size + 3);
}

/* --- Lines
 * -------------------------------------------------------------------------------- */

void reply_ok(struct reply *reply) { reply_raw(reply, slice_text("+OK\r\n")); }

void reply_status(struct reply *reply, const char *text) {
    write_line(reply, '+', slice_text(text));
}

void reply_error(struct reply *reply, const char *text) {
    write_line(reply, '-', slice_text(text));
}

void reply_error_format(struct reply *reply, const char *format, ...) {
    char text[ERROR_SIZE + 1];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    check(size >= 0);
    reply_error(reply, text);
}

/* --- Numbers
 * -------------------------------------------------------------------------------- */

void reply_integer(struct reply *reply, int64_t value) {
    char head[HEAD_SIZE];
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    reply_raw(reply, slice_of(head, format_head(head, ':', value < 0, magnitude)));
}

void reply_unsigned(struct reply *reply, uint64_t value) {
    char head[HEAD_SIZE];
    size_t size = format_head(head, ':', false, value);
    if (value <= INT64_MAX) reply_raw(reply, slice_of(head, size));
    else reply_big_number(reply, slice_of(head + 1, size - 3));
}

void reply_bool(struct reply *reply, bool value) {
    if (is_resp3(reply)) reply_raw(reply, slice_text(value ? "#t\r\n" : "#f\r\n"));
    else reply_integer(reply, value ? 1 : 0);
}

void reply_big_number(struct reply *reply, struct slice digits) {
    if (is_resp3(reply)) write_line(reply, '(', digits);
    else reply_bulk(reply, digits);
}

static size_t copy_word(char text[RESP_DOUBLE_SIZE], const char *word) {
    size_t size = strlen(word);
    memcpy(text, word, size + 1);
    return size;
}

/* Fifteen digits are always kept by a double and seventeen always tell it; so the
 * shortest text is found in three trials, since %g prints no trailing zeros. The locale
 * is "C": nobody here sets another. */
size_t resp_double_text(double value, char text[RESP_DOUBLE_SIZE]) {
    if (value != value) return copy_word(text, "nan");
    if (value - value != 0) return copy_word(text, value > 0 ? "inf" : "-inf");
    if (value > -INTEGRAL_LIMIT && value < INTEGRAL_LIMIT && value != 0 &&
        value == (double)(int64_t)value)
        return (size_t)snprintf(text, RESP_DOUBLE_SIZE, "%lld", (long long)value);
    int size = 0;
    bool subnormal = value > -SUBNORMAL_LIMIT && value < SUBNORMAL_LIMIT;
    for (int digits = subnormal ? 1 : 15; digits <= 17; digits++) {
        size = snprintf(text, RESP_DOUBLE_SIZE, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    check(size > 0 && size < RESP_DOUBLE_SIZE);
    return (size_t)size;
}

void reply_double(struct reply *reply, double value) {
    char text[RESP_DOUBLE_SIZE];
    size_t size = resp_double_text(value, text);
    if (is_resp3(reply)) write_line(reply, ',', slice_of(text, size));
    else reply_bulk(reply, slice_of(text, size));
}

/* --- Strings and nothing
 * ---------------------------------------------------------------------- */

void reply_bulk(struct reply *reply, struct slice bytes) {
    write_sized(reply, '$', bytes, slice_of(NULL, 0));
}

void reply_text(struct reply *reply, const char *text) {
    reply_bulk(reply, slice_text(text));
}

void reply_verbatim(struct reply *reply, const char format[3], struct slice bytes) {
    char prefix[4] = {format[0], format[1], format[2], ':'};
    if (is_resp3(reply)) write_sized(reply, '=', slice_of(prefix, sizeof prefix), bytes);
    else reply_bulk(reply, bytes);
}

void reply_null(struct reply *reply) {
    reply_raw(reply, slice_text(is_resp3(reply) ? "_\r\n" : "$-1\r\n"));
}

void reply_null_array(struct reply *reply) {
    reply_raw(reply, slice_text(is_resp3(reply) ? "_\r\n" : "*-1\r\n"));
}

/* --- Heads
 * --------------------------------------------------------------------------------------
 */

void reply_array(struct reply *reply, uint64_t count) { write_head(reply, '*', count); }

void reply_map(struct reply *reply, uint64_t pairs) {
    if (is_resp3(reply)) write_head(reply, '%', pairs);
    else write_head(reply, '*', pairs * 2);
}

void reply_set(struct reply *reply, uint64_t count) {
    write_head(reply, is_resp3(reply) ? '~' : '*', count);
}

void reply_push(struct reply *reply, uint64_t count) {
    write_head(reply, is_resp3(reply) ? '>' : '*', count);
}
