/* A connection to a RESP server: made, let in, written to and read from.
 *
 * The socket never blocks; who wants to wait polls `descriptor`, or makes a
 * client_call().
 */
#ifndef TOOLS_BENCHMARK_CLIENT_H
#define TOOLS_BENCHMARK_CLIENT_H

#include "base/buffer.h"
#include "tools/benchmark_reply.h"
#include "tools/benchmark_text.h"

/* Where a server is and how to be let in. All strings are borrowed. */
struct endpoint {
    const char *host;
    int port;
    const char *socket_path; /* in place of host and port, or NULL */
    const char *user;        /* NULL: the default user */
    const char *password;    /* NULL: none is sent */
    uint64_t database;       /* 0: no SELECT is sent */
    bool resp3;              /* HELLO 3 */
};

struct client {
    int descriptor; /* -1: not connected */
    struct buffer out, in;
    struct reply_reader reader;
};

/* Connect, authenticate, choose protocol and database. On failure nothing is open.
 * STATUS_IO, STATUS_MEMORY. */
enum status client_open(struct client *client, const struct endpoint *endpoint,
                        const struct allocator *allocator, struct complaint *complaint);
/* Also for one that is all zero, or closed already. */
void client_close(struct client *client);

/* Write what the socket takes of `out`. STATUS_OK: all of it. STATUS_AGAIN: poll for
 * writing. */
enum status client_send(struct client *client, struct complaint *complaint);
/* Read once. STATUS_IO when the connection has ended. */
enum status client_receive(struct client *client, struct complaint *complaint);
/* The next whole reply of what was read, good until the next receive. STATUS_AGAIN: none.
 * Pushes of RESP3 are passed over. */
enum status client_next(struct client *client, struct reply *reply,
                        struct complaint *complaint);

/* Send a command and wait for its reply; an error reply is STATUS_OK here. */
enum status client_call(struct client *client, size_t count, const char *const *words,
                        struct reply *reply, struct complaint *complaint);
/* The same; an error reply is STATUS_INVALID with its text as the complaint. */
enum status client_order(struct client *client, size_t count, const char *const *words,
                         struct complaint *complaint);

#endif
