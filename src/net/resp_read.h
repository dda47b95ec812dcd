/* Requests out of bytes: the pure half of the Redis protocol's server side.
 *
 * The reader is handed everything that has arrived since the last request ended, again
 * and again, each time with more at the end and perhaps at another address. It remembers
 * how far it understood, so the work is linear even when bytes come one by one, and the
 * outcome is the same wherever the network cut them.
 *
 *     *2\r\n $4\r\nPING\r\n $2\r\nhi\r\n     a request of two arguments
 *     PING "h\x69"\r\n                         the same, inline, for people at a terminal
 *     *0\r\n  or  \r\n                         nothing; skipped without an answer
 *
 * A line ends at CR and the byte after it, as in Redis; what follows a bulk must be CR
 * LF. */
#ifndef NET_RESP_READ_H
#define NET_RESP_READ_H

#include <stdbool.h>

#include "base/allocator.h"
#include "base/slice.h"

enum resp_result {
    RESP_REQUEST,    /* a whole request */
    RESP_INCOMPLETE, /* come back with more bytes */
    RESP_ERROR, /* the peer does not speak the protocol; the reader stays in this state */
    RESP_EMPTY, /* a request without arguments: drop its bytes and go on */
};

struct resp_limits {
    size_t arguments;    /* of one request */
    size_t bulk_bytes;   /* of one argument */
    size_t inline_bytes; /* of an inline request, or a header line, that has no end yet */
    bool authenticated;  /* chooses the words when one of the first two is passed */
};

/* What a stranger may send, and what everybody else may unless the configuration says
 * more. */
struct resp_limits resp_limits_unauthenticated(void);
struct resp_limits resp_limits_default(void);

/* The array of arguments belongs to the reader, and its slices point into the bytes that
 * were handed in (into the reader, for an inline request). Both hold until the next call
 * with this reader, and as long as the bytes stay in place. */
struct request {
    struct slice *arguments;
    size_t count;
    size_t consumed; /* bytes of the request: drop them before the next call */
};

#define RESP_ERROR_SIZE 64

/* All sizes are offsets from the first byte of the request. */
struct resp_reader {
    const struct allocator *allocator; /* borrowed; outlives the reader */
    enum { RESP_AT_START, RESP_AT_BULK_HEADER, RESP_IN_BULK, RESP_FAILED } phase;
    size_t position;  /* everything before it is understood */
    size_t scanned;   /* so many bytes from there on hold no line end */
    size_t announced; /* arguments that the header promised */
    size_t bulk_size; /* of the bulk at `position`, in RESP_IN_BULK */
    struct resp_span {
        size_t offset, size;
    } * spans;            /* the arguments so far, */
    size_t count;         /* so many, */
    struct slice *slices; /* and as the caller gets them in the end */
    size_t span_capacity, slice_capacity;
    uint8_t *unquoted; /* the text of an inline request's arguments */
    size_t unquoted_capacity;
    char error[RESP_ERROR_SIZE];
};

void resp_reader_init(struct resp_reader *reader, const struct allocator *allocator);
void resp_reader_free(struct resp_reader *reader);

/* Read the request that `bytes` begin with. `request` is set for RESP_REQUEST and
 * RESP_EMPTY.
 *
 * The arrays grow with the arguments that arrived, never with what was announced. The
 * limits may change from request to request. */
enum resp_result resp_read(struct resp_reader *reader, struct slice bytes,
                           const struct resp_limits *limits, struct request *request);

/* After RESP_ERROR: the sentence for the peer, without "-ERR ". One line, printable. */
const char *resp_reader_error(const struct resp_reader *reader);

/* After RESP_INCOMPLETE on `size` bytes: how many more end the bulk under way, 0 when
 * none is. So the receiver can take a big argument in place, without a byte of what
 * follows it. */
size_t resp_reader_missing(const struct resp_reader *reader, size_t size);

/* A glance ahead, for hints: the second arguments of the next requests that `bytes` hold
 * as arrays of bulks, as far as both are all there; at most `max`, and one for each
 * request that has one. Stops at whatever else comes, malformed or not. */
size_t resp_peek(struct slice bytes, struct slice *seconds, size_t max);

/* Give back the memory of an unusually large request. Does nothing while one is
 * under way. */
void resp_reader_shrink(struct resp_reader *reader);

#endif
