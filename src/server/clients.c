/* The connections of clients: who is let in, what each may hold, and when one is closed.
 *
 * What a client holds is taken into the account after each time it was served and a few
 * times a second besides. Two sums are kept, for clients and for strangers: those who
 * have not shown the password. Strangers together have a small allowance; nobody else
 * pays for it. */
#include <inttypes.h>

#include "server/http.h"
#include "server/server.h"

#define SECOND_US UINT64_C(1000000)
/* What a stranger may hold however many of them there are: a password fits well. */
#define STRANGER_BYTES ((size_t)4 << 10)
/* Who is turned away over TLS has so long for the handshake. */
#define GREETING_US (10 * SECOND_US)
/* The largest buffers are those of the last one to two of these. */
#define RECENT_US (4 * SECOND_US)

/* --- The account ------------------------------------------------------------------ */

size_t client_memory(const struct client *client) {
    return sizeof *client + client->queue.bytes +
           client->watch_capacity * sizeof *client->watches +
           connection_memory(client->connection);
}

static void forget(struct server *server, struct client *client) {
    server->memory_of[client->counted_as] -= client->counted;
    client->counted = 0;
}

static void account(struct server *server, struct client *client) {
    forget(server, client);
    client->counted = client_memory(client);
    client->counted_as = client->authenticated ? KNOWN : STRANGER;
    server->memory_of[client->counted_as] += client->counted;
}

uint64_t clients_memory(const struct server *server) {
    return server->memory_of[STRANGER] + server->memory_of[KNOWN];
}

/* Close it; what it held is off the account at once, though it is freed later. */
static void drop(struct server *server, struct client *client) {
    loop_close(server->loop, client->connection);
    forget(server, client);
}

/* --- Eviction --------------------------------------------------------------------- */

static bool find_largest(void *context, struct connection *connection) {
    struct client **largest = context, *client = connection->owner;
    if (!client || client->no_evict || client->replica) return true;
    if (!*largest || client->counted > (*largest)->counted) *largest = client;
    return true;
}

/* Only who serves less than what is held pays with a look at all of them. */
static void evict(struct server *server) {
    uint64_t limit = (uint64_t)server->options.maxmemory_clients;
    while (limit && clients_memory(server) > limit) {
        struct client *largest = NULL;
        loop_each(server->loop, find_largest, &largest);
        if (!largest) return;
        notice(&server->notices, NOTICE_VERBOSE,
               "Client %" PRIu64 " %s closed with %zu bytes: over maxmemory-clients",
               largest->id, largest->connection->peer, largest->counted);
        server->metrics.evicted_clients++;
        drop(server, largest);
    }
}

static void judge(struct server *server, struct client *client) {
    account(server, client);
    if (!client->authenticated && client->counted > STRANGER_BYTES &&
        server->memory_of[STRANGER] > (uint64_t)server->options.maxmemory_strangers) {
        server->metrics.evicted_strangers++;
        drop(server, client);
    }
    evict(server);
}

/* --- Coming and going ------------------------------------------------------------- */

static void turn_away(struct server *server, struct connection *connection,
                      const char *why) {
    server->metrics.rejected_connections++;
    reply_error(connection_reply(connection), why);
    connection_close_after_reply(connection);
}

void clients_accepted(void *context, struct connection *connection) {
    struct server *server = context;
    const struct options *options = &server->options;
    if (connection->kind == LISTENER_HTTP) {
        http_accepted(server, connection);
        return;
    }
    server->metrics.connections++;
    if (connection->kind == LISTENER_TLS && !tls_port_accepted(server, connection)) {
        loop_close(server->loop, connection);
        return;
    }
    size_t clients = loop_connection_count(server->loop) - server->http_connections;
    if (clients > (size_t)options->maxclients) {
        turn_away(server, connection, "ERR max number of clients reached");
        return;
    }
    struct client *client = allocate(server->allocator, sizeof *client);
    if (!client) {
        turn_away(server, connection, "ERR out of memory");
        return;
    }
    *client = (struct client){.server = server,
                              .connection = connection,
                              .id = ++server->next_client_id,
                              .created_us = loop_now_us(server->loop)};
    connection->owner = client;
    server->os->socket_keepalive(server->os, connection->socket,
                                 (uint32_t)options->tcp_keepalive);
    acl_refresh(server);
    if (acl_is_open(server)) {
        if (options->protected_mode && !client_is_local(client)) {
            turn_away(
                server, connection,
                "DENIED valori is running in protected mode: no password is set, so "
                "connections from other machines are refused. Set requirepass.");
            return;
        }
        client_authenticate(client, server->acl.standard);
    }
    account(server, client);
}

/* The two reasons that nobody else has told yet. */
static void say_why_closed(struct server *server, const struct client *client) {
    const struct connection *connection = client->connection;
    struct metrics *metrics = &server->metrics;
    const char *option = NULL;
    if (connection->reply.failed) {
        metrics->output_limit_disconnections++;
        option = "client-output-buffer-limit";
    } else if (buffer_size(&connection->input) >= connection->limits.input_bytes) {
        metrics->input_limit_disconnections++;
        option = "client-query-buffer-limit";
    }
    if (option && client->authenticated) /* strangers do not fill the log */
        notice(&server->notices, NOTICE_WARNING, "Client %" PRIu64 " %s closed: over %s",
               client->id, connection->peer, option);
}

void clients_closed(void *context, struct connection *connection) {
    struct server *server = context;
    struct client *client = connection->owner;
    server->closed_output_bytes += connection->sent;
    server->http_connections -= connection->kind == LISTENER_HTTP;
    if (!client) return;
    say_why_closed(server, client);
    connection->owner = NULL;
    forget(server, client);
    replicas_forget(server, client);
    pubsub_forget(server, client);
    wait_forget(server, client);
    job_abandon(server, client);
    client_discard(client);
    release(server->allocator, client, sizeof *client);
}

/* --- Requests --------------------------------------------------------------------- */

/* The next request of a client, unless one is in hand already. */
static bool take_request(struct client *client) {
    if (client->waiting) return true;
    struct metrics *metrics = &client->server->metrics;
    enum resp_result result =
        connection_next_request(client->connection, &client->request);
    if (result == RESP_ERROR) {
        metrics->protocol_errors++;
        metrics->error_replies++;
        errors_count(&client->server->errors, "ERR");
    }
    if (result != RESP_REQUEST) return false;
    metrics->input_bytes += client->request.consumed;
    client->input_bytes += client->request.consumed;
    return true;
}

/* Requests that came together nearly always have a key as their second word. To look one
 * up waits for memory at every step; many at once wait together. Gives how many requests
 * were looked at. */
static size_t fetch_keys(const struct server *server, const struct client *client) {
    struct slice keys[STATE_FETCH_MAX];
    if (server->loading) return STATE_FETCH_MAX;
    size_t count = connection_peek(client->connection, keys, STATE_FETCH_MAX);
    if (count > 1) state_fetch(engine_state(server->engine), client->db, keys, count);
    return count ? count : STATE_FETCH_MAX;
}

/* True: there is more to do, and no time left in this turn. */
static bool serve(struct server *server, struct client *client) {
    struct connection *connection = client->connection;
    size_t fetched = 0;
    for (;;) {
        if (fetched-- == 0) fetched = fetch_keys(server, client);
        if (!take_request(client)) return false;
        enum dispatch_result result = dispatch(server, client, &client->request);
        client->waiting = result == DISPATCH_WAIT;
        client->busy = result == DISPATCH_BUSY;
        if (connection->reply.muted && result == DISPATCH_DONE) client_next_reply(client);
        if (buffer_size(&client->pushes) && result == DISPATCH_DONE)
            pubsub_catch_up(client);
        if (client->waiting || client->busy) {
            loop_pause(server->loop, connection);
            return false;
        }
        if (connection->closing || server->stopping) return false;
        if (server->now_us >= server->turn_deadline_us) return true;
    }
}

bool clients_received(void *context, struct connection *connection) {
    struct server *server = context;
    struct client *client = connection->owner;
    if (connection->kind == LISTENER_HTTP) http_received(server, connection);
    if (!client || client->busy || server->stopping) return false;
    server->now_us = server_clock(server);
    bool more = serve(server, client);
    judge(server, client);
    return more;
}

/* --- A few times a second --------------------------------------------------------- */

/* True when it has been over its soft limit for too long. */
static bool reads_too_slowly(struct client *client, uint64_t now) {
    const struct output_limit *limit =
        &client->server->options.client_output_buffer_limit[client_class(client)];
    size_t waiting = connection_pending(client->connection);
    if (!limit->soft || waiting < (uint64_t)limit->soft) {
        client->slow_since_us = 0;
        return false;
    }
    if (client->slow_since_us == 0) client->slow_since_us = now;
    return (now - client->slow_since_us) / SECOND_US > (uint64_t)limit->seconds;
}

static bool is_late(const struct client *client, uint64_t now) {
    const struct options *options = &client->server->options;
    uint64_t stranger = (uint64_t)options->authentication_timeout * SECOND_US;
    uint64_t idle = (uint64_t)options->timeout * SECOND_US;
    uint64_t active = client->connection->active_us;
    bool guesses = client->waiting && !client->authenticated;
    if (client->busy || (client->waiting && !guesses))
        return false; /* it is we who are late */
    if (client->replica) return false;                 /* repl-timeout is for them */
    bool unknown = !client->authenticated || connection_is_greeting(client->connection);
    if (stranger && unknown && now - client->created_us > stranger) return true;
    return idle && now > active && now - active > idle;
}

static void watch_largest(struct server *server, const struct connection *connection) {
    size_t *input = &server->largest_input[0], *output = &server->largest_output[0];
    if (connection->input.capacity > *input) *input = connection->input.capacity;
    if (connection_pending(connection) > *output)
        *output = connection_pending(connection);
}

static bool look_at(void *context, struct connection *connection) {
    struct server *server = context;
    struct client *client = connection->owner;
    uint64_t now = loop_now_us(server->loop);
    server->live_output_bytes += connection->sent;
    if (connection->kind == LISTENER_HTTP) http_look(server, connection);
    if (!client && connection_is_greeting(connection) &&
        now > connection->active_us + GREETING_US)
        loop_close(server->loop, connection); /* it was turned away, and does not hear it */
    if (!client) return true;
    watch_largest(server, connection);
    if (connection_pending(connection) > client->largest_output)
        client->largest_output = connection_pending(connection);
    account(server, client);
    if (is_late(client, now)) {
        drop(server, client);
    } else if (reads_too_slowly(client, now)) {
        connection->reply.failed = STATUS_TOO_LARGE;
        drop(server, client);
    }
    return true;
}

void clients_look(struct server *server) {
    uint64_t now = loop_now_us(server->loop);
    if (now - server->recent_since_us >= RECENT_US) {
        server->recent_since_us = now;
        server->largest_input[1] = server->largest_input[0];
        server->largest_output[1] = server->largest_output[0];
        server->largest_input[0] = server->largest_output[0] = 0;
    }
    server->live_output_bytes = 0;
    loop_each(server->loop, look_at, server);
    evict(server);
}

static bool apply_to(void *context, struct connection *connection) {
    (void)context;
    if (connection->owner) client_apply_limits(connection->owner);
    return true;
}

void clients_apply_options(struct server *server) {
    loop_set_accept_batch(server->loop,
                          (uint32_t)server->options.max_new_connections_per_cycle);
    loop_each(server->loop, apply_to, NULL);
}
