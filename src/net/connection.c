/* The buffers of one connection and the marks over its output.
 *
 *     sent                 marks[0].position     marks[1].position      position()
 *      |  may be sent            |  waits for           |  waits for          |
 *      v                         v  sequence 7          v  sequence 9         v
 *     [==========================|======================|=====================]
 *
 * Invariants: sent + size of the output is the position of the next byte; positions and
 * sequences of the marks grow strictly; every mark's sequence is above `durable`.
 *
 * The ring of marks is of fixed size, and marking cannot fail. When it is full the last
 * mark takes over the new sequence: bytes then wait longer than they must, never less.
 * With group commit most marks of one turn become durable together, so nobody sees the
 * difference. */
#include "net/connection.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

#define RECEIVE_SIZE ((size_t)16 << 10)
/* More than this in one call would hold the loop for milliseconds. */
#define RECEIVE_MOST ((size_t)512 << 10)
/* From here on an argument is received by its exact size. */
#define BIG_ARGUMENT ((size_t)32 << 10)
/* Room made on the word of a header alone; after that it doubles with what really came.
 */
#define TRUSTED_ROOM ((size_t)1 << 20)
#define SEND_SIZE    ((size_t)64 << 10)
#define DRAIN_SIZE   ((size_t)256 << 10)
/* Buffers of an idle connection that hold more than this are freed. */
#define KEPT_BUFFER ((size_t)1 << 10)

struct connection_limits connection_limits_unauthenticated(void) {
    return (struct connection_limits){
        .request = resp_limits_unauthenticated(),
        .input_bytes = (size_t)1 << 20,
        .output_bytes = (size_t)1 << 10,
    };
}

struct connection_limits connection_limits_default(void) {
    return (struct connection_limits){
        .request = resp_limits_default(),
        .input_bytes = (size_t)1 << 30,
        .output_bytes = SIZE_MAX / 4,
    };
}

void connection_init(struct connection *connection, const struct os *os,
                     const struct allocator *allocator, struct socket *socket,
                     const char *peer, const struct connection_limits *limits) {
    *connection = (struct connection){
        .os = os,
        .socket = socket,
        .limits = *limits,
        .active_us = os->monotonic_us(os),
    };
    snprintf(connection->peer, sizeof connection->peer, "%s", peer);
    buffer_init(&connection->input, allocator, limits->input_bytes);
    buffer_init(&connection->output, allocator, limits->output_bytes);
    resp_reader_init(&connection->reader, allocator);
    reply_init(&connection->reply, &connection->output, 2);
}

void connection_free(struct connection *connection) {
    connection->os->socket_close(connection->os, connection->socket);
    tls_free(connection->tls);
    connection->tls = NULL;
    connection->socket = NULL;
    buffer_free(&connection->input);
    buffer_free(&connection->output);
    resp_reader_free(&connection->reader);
}

void connection_set_tls(struct connection *connection, struct tls *tls) {
    check(connection->tls == NULL);
    connection->tls = tls;
}

bool connection_is_greeting(const struct connection *connection) {
    return connection->tls && !tls_is_ready(connection->tls);
}

/* --- The socket, plain or under TLS ------------------------------------------------- */

static enum status receive_bytes(struct connection *connection, void *room, size_t size,
                                 size_t *got) {
    const struct os *os = connection->os;
    return connection->tls
               ? tls_receive(connection->tls, os, connection->socket, room, size, got)
               : os->socket_receive(os, connection->socket, room, size, got);
}

static enum status send_bytes(struct connection *connection, const void *bytes,
                              size_t size, size_t *sent) {
    const struct os *os = connection->os;
    return connection->tls
               ? tls_send(connection->tls, os, connection->socket, bytes, size, sent)
               : os->socket_send(os, connection->socket, bytes, size, sent);
}

/* A buffer keeps what it holds: a lower limit counts once its memory is below it. */
static void set_limit(struct buffer *buffer, size_t limit) {
    buffer->limit = limit > buffer->capacity ? limit : buffer->capacity;
}

void connection_set_limits(struct connection *connection,
                           const struct connection_limits *limits) {
    connection->limits = *limits;
    set_limit(&connection->input, limits->input_bytes);
    set_limit(&connection->output, limits->output_bytes);
}

/* --- Requests
 * --------------------------------------------------------------------------------- */

/* The arguments of the last request lie in the input, so it is dropped only now. */
static void drop_last_request(struct connection *connection) {
    buffer_consume(&connection->input, connection->unconsumed);
    connection->unconsumed = 0;
    if (buffer_size(&connection->input) == 0) buffer_clear(&connection->input);
}

/* How much to receive at once. A big argument gets room for all of it when it is not
 * huge, so that it is received and parsed in one place; nothing behind it is taken along,
 * so that after it the input is empty and nothing has to move. */
static size_t receive_size(const struct connection *connection) {
    if (connection->at_once) return connection->at_once;
    size_t held = buffer_size(&connection->input);
    size_t missing = resp_reader_missing(&connection->reader, held);
    if (missing == 0 || connection->reader.bulk_size < BIG_ARGUMENT) return RECEIVE_SIZE;
    size_t trusted = held > TRUSTED_ROOM ? held : TRUSTED_ROOM;
    return missing < trusted ? missing : trusted;
}

static enum status receive_into(struct connection *connection, uint8_t *room, size_t size,
                                size_t *got) {
    if (size > RECEIVE_MOST) size = RECEIVE_MOST;
    enum status status = receive_bytes(connection, room, size, got);
    if (status == STATUS_END) connection->ended = true;
    return status;
}

/* Through a place on the stack, so that what a connection holds grows with what it has
 * sent and not with what it might. */
static enum status receive_some(struct connection *connection, size_t size) {
    uint8_t room[RECEIVE_SIZE];
    size_t got;
    enum status status = receive_into(connection, room, size, &got);
    return status ? status : buffer_append(&connection->input, room, got);
}

/* A big argument goes to where it stays. */
static enum status receive_in_place(struct connection *connection, size_t size) {
    uint8_t *room;
    size_t got;
    enum status status = buffer_reserve(&connection->input, size, &room);
    if (!status) status = receive_into(connection, room, size, &got);
    if (!status) buffer_commit(&connection->input, got);
    return status;
}

static enum status receive_once(struct connection *connection) {
    struct buffer *input = &connection->input;
    size_t size = receive_size(connection);
    size_t free_bytes = input->limit - buffer_size(input);
    if (free_bytes == 0) return STATUS_TOO_LARGE;
    bool in_place = size > RECEIVE_SIZE;
    if (size > free_bytes) size = free_bytes;
    return in_place ? receive_in_place(connection, size) : receive_some(connection, size);
}

/* What TLS has taken from the socket is taken from it too: the poller knows nothing of
 * it. */
enum status connection_receive(struct connection *connection) {
    drop_last_request(connection);
    enum status status = receive_once(connection);
    while (!status && connection->tls && tls_has_more(connection->tls)) {
        enum status more = receive_once(connection);
        if (more == STATUS_AGAIN || more == STATUS_END) break;
        status = more;
    }
    if (!status) connection->active_us = connection->os->monotonic_us(connection->os);
    return status;
}

/* One last reply, and whatever else was received is forgotten. */
static void refuse(struct connection *connection) {
    reply_error_format(&connection->reply, "ERR %s",
                       resp_reader_error(&connection->reader));
    buffer_clear(&connection->input);
    connection_close_after_reply(connection);
}

enum resp_result connection_next_request(struct connection *connection,
                                         struct request *request) {
    drop_last_request(connection);
    if (connection->closing) return RESP_INCOMPLETE;
    enum resp_result result;
    do {
        result = resp_read(&connection->reader, buffer_slice(&connection->input),
                           &connection->limits.request, request);
        if (result == RESP_EMPTY) buffer_consume(&connection->input, request->consumed);
    } while (result == RESP_EMPTY);
    if (result == RESP_REQUEST) connection->unconsumed = request->consumed;
    if (result == RESP_ERROR) refuse(connection);
    return result;
}

size_t connection_peek(const struct connection *connection, struct slice *seconds,
                       size_t max) {
    struct slice bytes = buffer_slice(&connection->input);
    size_t taken = connection->unconsumed;
    return resp_peek(slice_of(bytes.data + taken, bytes.size - taken), seconds, max);
}

/* --- Marks
 * -------------------------------------------------------------------------------------
 */

uint64_t connection_position(const struct connection *connection) {
    return connection->sent + buffer_size(&connection->output);
}

static struct connection_mark *last_mark(struct connection *connection) {
    if (connection->mark_count == 0) return NULL;
    size_t last = connection->first_mark + connection->mark_count - 1;
    return &connection->marks[last % CONNECTION_MARKS];
}

void connection_mark(struct connection *connection, uint64_t position,
                     uint64_t sequence) {
    check(position >= connection->sent);
    if (sequence <= connection->durable) return;
    if (position == connection_position(connection)) return;
    struct connection_mark *last = last_mark(connection);
    while (last && last->position > position) {
        /* One mark further to the front stands for this one too. */
        if (last->sequence > sequence) sequence = last->sequence;
        connection->mark_count--;
        last = last_mark(connection);
    }
    if (last && sequence <= last->sequence) return;
    if (last &&
        (last->position == position || connection->mark_count == CONNECTION_MARKS)) {
        last->sequence = sequence;
        return;
    }
    size_t next = (connection->first_mark + connection->mark_count) % CONNECTION_MARKS;
    connection->marks[next] = (struct connection_mark){position, sequence};
    connection->mark_count++;
}

bool connection_release(struct connection *connection, uint64_t durable) {
    if (durable > connection->durable) connection->durable = durable;
#ifdef BUG_7
    durable++;
#endif
    while (connection->mark_count > 0 &&
           connection->marks[connection->first_mark].sequence <= durable) {
        connection->first_mark = (connection->first_mark + 1) % CONNECTION_MARKS;
        connection->mark_count--;
    }
    return connection_sendable(connection) > 0;
}

/* --- Output
 * ---------------------------------------------------------------------------------------
 */

size_t connection_pending(const struct connection *connection) {
    return buffer_size(&connection->output);
}

size_t connection_sendable(const struct connection *connection) {
    if (connection->mark_count == 0) return connection_pending(connection);
    return (size_t)(connection->marks[connection->first_mark].position -
                    connection->sent);
}

bool connection_wants_to_send(const struct connection *connection) {
    if (connection->tls && tls_pending(connection->tls)) return true;
    return connection_sendable(connection) > 0 && !connection_is_greeting(connection);
}

static enum status send_replies(struct connection *connection) {
    size_t budget = SEND_SIZE;
    for (;;) {
        size_t size = connection_sendable(connection);
        if (size > budget) size = budget;
        if (size == 0) return STATUS_OK;
        size_t sent;
        enum status status =
            send_bytes(connection, buffer_slice(&connection->output).data, size, &sent);
        if (status == STATUS_AGAIN) return STATUS_OK;
        if (status) return status;
        buffer_consume(&connection->output, sent);
        if (buffer_size(&connection->output) == 0) buffer_clear(&connection->output);
        connection->sent += sent;
        budget -= sent;
        if (sent < size && !connection->tls)
            return STATUS_OK; /* The socket is full: no need to hear it say so. */
    }
}

enum status connection_send(struct connection *connection) {
    if (connection->reply.failed) return connection->reply.failed;
    enum status status = send_replies(connection);
    if (status || !connection->tls) return status;
    if (connection->closing && connection_pending(connection) == 0)
        tls_end(connection->tls);
    return tls_flush(connection->tls, connection->os, connection->socket);
}

/* --- The end
 * -----------------------------------------------------------------------------------------
 */

void connection_close_after_reply(struct connection *connection) {
    connection->closing = true;
}

bool connection_is_over(const struct connection *connection) {
    return connection->closing && connection_pending(connection) == 0 &&
           !(connection->tls && tls_pending(connection->tls));
}

void connection_drain(struct connection *connection) {
    uint8_t unread[4096];
    size_t total = 0, got;
    while (!connection->ended && total < DRAIN_SIZE) {
        enum status status = receive_bytes(connection, unread, sizeof unread, &got);
        if (status) return;
        total += got;
    }
}

void connection_shrink(struct connection *connection) {
    if (connection->unconsumed == 0) { /* Else somebody may still read the arguments. */
        buffer_shrink(&connection->input, KEPT_BUFFER);
        resp_reader_shrink(&connection->reader);
    }
    buffer_shrink(&connection->output, KEPT_BUFFER);
    set_limit(&connection->input, connection->limits.input_bytes);
    set_limit(&connection->output, connection->limits.output_bytes);
}

size_t connection_memory(const struct connection *connection) {
    const struct resp_reader *reader = &connection->reader;
    return sizeof *connection + connection->input.capacity + connection->output.capacity +
           reader->span_capacity * sizeof *reader->spans +
           reader->slice_capacity * sizeof *reader->slices + reader->unquoted_capacity;
}
