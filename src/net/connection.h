/* One buffered connection: bytes in, requests out, replies in, bytes out - in order,
 * bounded, and never ahead of the disk.
 *
 * **Marks.** A reply may tell of an entry that is not on the disk yet. The owner marks it
 * with the entry's sequence, and then neither that reply nor anything behind it is sent
 * before connection_release() says that the sequence is durable:
 *
 *     uint64_t start = connection_position(connection);
 *     ... run the command, write its reply ...
 *     connection_mark(connection, start, sequence);
 *
 * A connection knows neither commands nor the loop that drives it. It is used by one
 * thread. */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "base/buffer.h"
#include "net/resp_read.h"
#include "net/resp_write.h"
#include "net/tls.h"
#include "os/os.h"

#define CONNECTION_MARKS 32

struct connection_limits {
    struct resp_limits request;
    size_t input_bytes;  /* received and not yet taken as requests */
    size_t output_bytes; /* written and not yet sent */
};

/* For a peer that has not authenticated, and for one that has, unless the configuration
 * says more (as in Redis: 1 MB and 1 KB; 1 GB and no limit). */
struct connection_limits connection_limits_unauthenticated(void);
struct connection_limits connection_limits_default(void);

struct connection {
    const struct os *os;
    struct socket *socket; /* owned */
    struct tls *tls;       /* owned; NULL: plain */
    char peer[64];         /* "address:port" */
    int kind;              /* of the listener that it came by; 0 for others */
    void *owner;           /* whatever the user of the connection keeps here */
    uint64_t active_us;    /* monotonic time of the last byte received */

    struct connection_limits limits;
    struct buffer input;
    struct resp_reader reader;
    size_t unconsumed; /* bytes of the request that the owner has in hand */
    size_t at_once;    /* receive so much, for a stream that is no requests; 0: by them */

    struct buffer output;
    struct reply reply;
    uint64_t sent; /* bytes that have left, since the connection began */
    struct connection_mark {
        uint64_t position;     /* the first byte that waits, counted as `sent` is */
        uint64_t sequence;     /* for this entry */
    } marks[CONNECTION_MARKS]; /* a ring; both numbers grow from one mark to the next */
    size_t first_mark, mark_count;
    uint64_t durable; /* the highest sequence released */

    bool closing; /* no more requests; closed when the output is gone */
    bool ended;   /* the peer will send no more */
};

/* Take over `socket`. */
void connection_init(struct connection *connection, const struct os *os,
                     const struct allocator *allocator, struct socket *socket,
                     const char *peer, const struct connection_limits *limits);
/* From now on speak TLS; the session is the connection's. Before the first byte. */
void connection_set_tls(struct connection *connection, struct tls *tls);
/* Whether it speaks TLS and the handshake is not over: replies wait for it, and it must be
 * received from even when it is closing. */
bool connection_is_greeting(const struct connection *connection);

/* Close the socket and free the buffers. */
void connection_free(struct connection *connection);

/* Other limits from the next request on, as after AUTH. */
void connection_set_limits(struct connection *connection,
                           const struct connection_limits *limits);

/* Receive once: what is there up to 16 KiB, or what a big argument misses, straight to
 * where it stays. STATUS_AGAIN when there was nothing, STATUS_END when the peer is done
 * (what it sent before still counts), STATUS_TOO_LARGE over the input limit,
 * STATUS_MEMORY, STATUS_IO. */
enum status connection_receive(struct connection *connection);

/* The next request among the received bytes. Its arguments stay until the next call of
 * this or of connection_receive(): who needs them for longer than a turn keeps both from
 * happening.
 *
 * Never RESP_EMPTY: those are skipped. After RESP_ERROR the error reply is written and
 * the connection is closing, so there is nothing to do but stop. */
enum resp_result connection_next_request(struct connection *connection,
                                         struct request *request);

/* The second arguments of requests that come next: resp_peek(). They stay as long as
 * those of the request in hand. */
size_t connection_peek(const struct connection *connection, struct slice *seconds,
                       size_t max);

/* Where replies are written, in the protocol that HELLO chose (2 at first). */
static inline struct reply *connection_reply(struct connection *connection) {
    return &connection->reply;
}
static inline void connection_set_protocol(struct connection *connection, int protocol) {
    connection->reply.protocol = protocol;
}

/* The place of the next reply byte in the stream of all of them. */
uint64_t connection_position(const struct connection *connection);

/* Let the bytes from `position` on wait until `sequence` is durable. Nothing is marked
 * when it is already, when an earlier mark waits for as much, or when nothing was written
 * from there on. `position` is not below what has been sent. */
void connection_mark(struct connection *connection, uint64_t position, uint64_t sequence);

/* Everything up to `durable` is on the disk. True when there is something to send now. */
bool connection_release(struct connection *connection, uint64_t durable);

/* Whether there is something to send now: replies, or what TLS itself has to say. */
bool connection_wants_to_send(const struct connection *connection);

/* Bytes that may be sent now, and bytes that wait, for a sequence or for their turn. */
size_t connection_sendable(const struct connection *connection);
size_t connection_pending(const struct connection *connection);

/* Send what may be sent, 64 KiB at most, so that one reader of big replies does not keep
 * the others waiting. STATUS_OK also when the socket takes no more; ask
 * connection_sendable(). STATUS_TOO_LARGE or STATUS_MEMORY: a reply did not fit, close
 * without sending the half of it. STATUS_IO: the peer is gone. */
enum status connection_send(struct connection *connection);

/* Take no more requests; connection_is_over() once what is written has been sent. */
void connection_close_after_reply(struct connection *connection);
bool connection_is_over(const struct connection *connection);

/* Swallow what the peer has sent to a connection that is over: closing a socket over
 * unread bytes makes the peer's system throw away the last reply. Bounded. */
void connection_drain(struct connection *connection);

/* Give back what a burst left behind; for connections that have been idle for a while. */
void connection_shrink(struct connection *connection);

/* Memory held, for CLIENT LIST. */
size_t connection_memory(const struct connection *connection);

#endif
