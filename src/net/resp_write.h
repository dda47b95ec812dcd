/* Replies as bytes, in RESP2 or RESP3: the caller says what the answer is, not how the
 * two protocols spell it.
 *
 *                RESP2            RESP3                        RESP2           RESP3
 *     null       $-1              _               map          *2n             %n
 *     null array *-1              _               set, push    *n              ~n, >n
 *     bool       :1 :0            #t #f           verbatim     bulk            =n txt:...
 *     double     bulk             ,1.5            big number   bulk            (123
 *
 * A writer that meets the output limit, or the end of memory, stays failed and writes no
 * more: the commands need not look, the owner of the connection does, once, and closes
 * it. */
#ifndef NET_RESP_WRITE_H
#define NET_RESP_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

struct reply {
    struct buffer *output; /* borrowed; its limit is the output limit */
    int protocol;          /* 2 or 3 */
    bool muted;            /* nothing is written, and that is no failure */
    enum status failed; /* STATUS_TOO_LARGE or STATUS_MEMORY from the first failure on */
};

void reply_init(struct reply *reply, struct buffer *output, int protocol);

void reply_ok(struct reply *reply);
/* A short word of ours, such as "PONG": without CR and LF. */
void reply_status(struct reply *reply, const char *text);
/* `text` begins with its code: "ERR syntax error". CR and LF in it become blanks, for it
 * may quote what a client sent. */
void reply_error(struct reply *reply, const char *text);
/* The same from a format; what is longer than 512 bytes is cut. */
void reply_error_format(struct reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void reply_integer(struct reply *reply, int64_t value);
/* An integer while it is below 2^63, a big number from there on. */
void reply_unsigned(struct reply *reply, uint64_t value);
void reply_bool(struct reply *reply, bool value);
/* The shortest decimal that reads back as the same double; integral values have no point.
 */
void reply_double(struct reply *reply, double value);

void reply_bulk(struct reply *reply, struct slice bytes);
/* A bulk of a string that ends in NUL. */
void reply_text(struct reply *reply, const char *text);
/* A text with its format, "txt" or "mkd". */
void reply_verbatim(struct reply *reply, const char format[3], struct slice bytes);
/* Decimal digits, perhaps with a minus sign. */
void reply_big_number(struct reply *reply, struct slice digits);
void reply_null(struct reply *reply);
void reply_null_array(struct reply *reply);

/* Heads: the `count` items (pairs of them, for a map) follow as replies of their own. */
void reply_array(struct reply *reply, uint64_t count);
void reply_map(struct reply *reply, uint64_t pairs);
void reply_set(struct reply *reply, uint64_t count);
void reply_push(struct reply *reply, uint64_t count);

/* Bytes that are a reply already. */
void reply_raw(struct reply *reply, struct slice bytes);

/* The text of reply_double(), with its NUL; gives its length. */
#define RESP_DOUBLE_SIZE 32
size_t resp_double_text(double value, char text[RESP_DOUBLE_SIZE]);

#endif
