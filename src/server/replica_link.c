/* The link to the primary: connecting, taking what comes, acknowledging. The handshake is in
 * replica_handshake.c, what follows a difference in replica_repair.c. */
#include "server/replica_link.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/log_access.h"
#include "server/link_message.h"
#include "server/replica_internal.h"

#define SECOND_US UINT64_C(1000000)
/* The timer's turn. */
#define TICK_US (SECOND_US / 10)
/* Bytes taken from the socket at once. */
#define AT_ONCE ((size_t)256 << 10)

bool link_is_replica(const struct server *server) {
    return server->options.replicaof[0] != '\0';
}

/* --- Up and down ------------------------------------------------------------------ */

static void see_batch_through(struct server *server) {
    struct replica_link *link = &server->link;
    if (!link->following) return;
    enum status status;
    do status = engine_follow_step(server->engine);
    while (status == STATUS_AGAIN);
    link->following = false;
    dispatch_resume_waiting(server);
}

/* The connection is gone, or about to go. */
static void disconnect(struct server *server) {
    struct replica_link *link = &server->link;
    see_batch_through(server);
    bool was_up = link->state == LINK_CONNECTED;
    link->connection = NULL;
    link->stalled = link->held = false;
    if (link->state == LINK_NONE) return;
    link->state = LINK_CONNECT;
    link->try_us = server_clock(server) + (was_up ? TICK_US : SECOND_US);
    if (link->down_us == 0) link->down_us = server_clock(server);
}

void link_drop(struct server *server, const char *format, ...) {
    struct replica_link *link = &server->link;
    struct connection *connection = link->connection;
    char why[LINK_TROUBLE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    bool said = strcmp(why, link->trouble) == 0 && link->state != LINK_CONNECTED;
    notice(&server->notices, said ? NOTICE_DEBUG : NOTICE_WARNING,
           "Link to primary %s:%u: %s", link->host, (unsigned)link->port, why);
    memcpy(link->trouble, why, sizeof why);
    disconnect(server);
    if (connection) loop_close(server->loop, connection);
}

void link_closed(struct server *server, struct connection *connection) {
    struct replica_link *link = &server->link;
    if (connection != link->connection) return;
    if (link->state == LINK_CONNECTING)
        link_drop(server, "nobody answers there");
    else link_drop(server, "the primary has closed it");
}

static void connect_now(struct server *server) {
    struct replica_link *link = &server->link;
    const struct os *os = server->os;
    struct socket *socket;
    char peer[LINK_HOST_SIZE + 16];
    link->try_us = server_clock(server) + SECOND_US;
    if (os->socket_connect(os, link->host, link->port, &socket)) {
        link_drop(server, "cannot connect: %s", os->error_text(os));
        return;
    }
    snprintf(peer, sizeof peer, "%s:%u", link->host, (unsigned)link->port);
    if (loop_adopt(server->loop, socket, peer, &link->connection)) {
        link_drop(server, "out of memory");
        return;
    }
    struct connection_limits limits = connection_limits_default();
    limits.input_bytes = limits.output_bytes; /* an entry may have a gigabyte */
    connection_set_limits(link->connection, &limits);
    if (server->options.tls_replication && !tls_port_connects(server, link->connection)) {
        link_drop(server, "out of memory");
        return;
    }
    link->connection->at_once = AT_ONCE;
    link->state = LINK_CONNECTING;
    link->heard_us = server_clock(server);
    handshake_begin(server);
}

/* --- Acknowledging ---------------------------------------------------------------- */

static void acknowledge(struct server *server) {
    struct replica_link *link = &server->link;
    uint64_t durable = engine_durable(server->engine), now = server_clock(server);
    char count[24];
    if (link->state != LINK_CONNECTED) return;
    if (durable == link->acknowledged && now < link->acknowledged_us + SECOND_US) return;
    snprintf(count, sizeof count, "%" PRIu64, durable);
    link->acknowledged = durable;
    link->acknowledged_us = now;
    link_say(server, "REPLCONF", "ACK", count);
}

/* --- What comes ------------------------------------------------------------------- */

static void note_progress(struct server *server, uint64_t primary_size) {
    struct replica_link *link = &server->link;
    if (primary_size > link->primary_size) link->primary_size = primary_size;
    bool behind = engine_size(server->engine) < link->primary_size;
    if (!behind) link->behind_since_us = 0;
    else if (link->behind_since_us == 0) link->behind_since_us = server_clock(server);
}

/* What the engine has said of the entry in hand. True: it is in, or nothing is to be done
 * about it. */
static bool judge(struct server *server, enum status status, uint64_t sequence) {
    struct replica_link *link = &server->link;
    switch (status) {
    case STATUS_OK:
        return true;
    case STATUS_NO_SPACE:
    case STATUS_MEMORY:
        link->stalled = true; /* the timer tries it again */
        loop_pause(server->loop, link->connection);
        return false;
    case STATUS_DIVERGED: {
        const struct divergence *found = engine_divergence(server->engine);
        link_diverge(server, found->sequence, found->own.state_root,
                     found->primary.state_root,
                     found->refused ? "the state refuses an entry" : "state roots");
        return false;
    }
    case STATUS_IO:
        return false; /* the engine's own turn ends the server */
    default:
        link_drop(server, "entry %" PRIu64 " cannot be taken: %s", sequence,
                  status_name(status));
        return false;
    }
}

static bool take_entry(struct server *server, const struct link_message *message,
                       size_t size) {
    struct replica_link *link = &server->link;
    if (message->sequence != engine_size(server->engine)) {
        link_drop(server, "entry %" PRIu64 " came out of turn", message->sequence);
        return false;
    }
    struct received received = {message->entry, message->list, message->payload};
    enum status status = engine_follow(server->engine, &received);
    note_progress(server, message->sequence + 1);
    if (status == STATUS_AGAIN) {
        link->following = true;
        link->in_hand = size;
        loop_pause(server->loop, link->connection);
        return false;
    }
    return judge(server, status, message->sequence);
}

static bool take_root(struct server *server, const struct link_message *message) {
    struct replica_link *link = &server->link;
    uint8_t own[SHA256_SIZE];
    if (message->sequence != engine_size(server->engine)) {
        link_drop(server, "a log root came out of turn");
        return false;
    }
    log_root(engine_log(server->engine), own);
    if (memcmp(own, message->entry.data, SHA256_SIZE) != 0) {
        link_diverge(server, message->sequence, own, message->entry.data, "log roots");
        return false;
    }
    link->compared = message->sequence;
    note_progress(server, load_le64(message->entry.data + SHA256_SIZE));
    return true;
}

/* One message. False: no whole one is there, or none may be taken now. */
static bool take_message(struct server *server) {
    struct replica_link *link = &server->link;
    struct buffer *input = &link->connection->input;
    struct link_message message;
    size_t size;
    enum status status = link_read(link->key, buffer_slice(input), &message, &size);
    if (status == STATUS_AGAIN) return false;
    if (status) {
        link_drop(server, "bytes have changed on their way");
        return false;
    }
    bool taken = true;
    if (message.kind == LINK_ENTRY) taken = take_entry(server, &message, size);
    else if (message.kind == LINK_ROOT) taken = take_root(server, &message);
    if (taken) buffer_consume(input, size);
    return taken;
}

bool link_received(struct server *server, struct connection *connection) {
    struct replica_link *link = &server->link;
    if (connection != link->connection) return false;
    server->now_us = link->heard_us = server_clock(server);
    while (link->connection && link->state != LINK_CONNECTED)
        if (!handshake_line(server)) return false;
    if (!link->connection) return false;
    if (server->job.active) { /* it may look at the state between its slices */
        link->held = true;
        loop_pause(server->loop, connection);
        return false;
    }
    while (take_message(server))
        if (server_clock(server) >= server->turn_deadline_us) return true;
    return false;
}

/* --- The turn and the timer ------------------------------------------------------- */

/* Go on with the batch in hand. True: there is more to do now. */
static bool go_on(struct server *server) {
    struct replica_link *link = &server->link;
    uint64_t deadline_us = server_clock(server) + JOB_SLICE_US;
    enum status status;
    do {
        status = engine_follow_step(server->engine);
        if (status == STATUS_AGAIN && engine_batch_waits(server->engine)) return false;
    } while (status == STATUS_AGAIN && server_clock(server) < deadline_us);
    if (status == STATUS_AGAIN) return true;
    link->following = false;
    dispatch_resume_waiting(server);
    if (judge(server, status, engine_size(server->engine)) && link->connection) {
        buffer_consume(&link->connection->input, link->in_hand);
        loop_resume(server->loop, link->connection);
    }
    return false;
}

bool link_turn(struct server *server) {
    struct replica_link *link = &server->link;
    if (link->state == LINK_NONE || server->loading) return false;
    if (link->held && !server->job.active) {
        link->held = false;
        loop_resume(server->loop, link->connection);
    }
    bool more = link->following && !server->job.active && go_on(server);
    acknowledge(server);
    return more;
}

static void tick(void *context, struct loop_timer *timer) {
    struct server *server = context;
    struct replica_link *link = &server->link;
    uint64_t now = server_clock(server);
    uint64_t timeout = (uint64_t)server->options.repl_timeout * SECOND_US;
    loop_timer_add(server->loop, timer, now + TICK_US);
    if (server->loading) return;
    if (link->state == LINK_CONNECT) {
        if (!link->diverged && now >= link->try_us) connect_now(server);
    } else if (now > link->heard_us + timeout && !link->stalled && !link->held) {
        link_drop(server, "the primary is silent");
    } else if (link->stalled) {
        link->stalled = false;
        loop_resume(server->loop, link->connection);
    }
}

/* --- Roles ------------------------------------------------------------------------ */

void link_begin(struct server *server) {
    struct replica_link *link = &server->link;
    if (!link_is_replica(server)) {
        server->released_before = engine_size(server->engine);
        return;
    }
    check(options_primary(server->options.replicaof, link->host, &link->port));
    engine_set_following(server->engine, true);
    link->state = LINK_CONNECT;
    link->try_us = 0;
    link->down_us = server_clock(server);
    link->compared = UINT64_MAX;
    link->primary_size = link->behind_since_us = 0;
    link->timer = (struct loop_timer){.callback = tick, .context = server};
    loop_timer_add(server->loop, &link->timer, loop_now_us(server->loop));
}

void link_end(struct server *server) {
    struct replica_link *link = &server->link;
    struct connection *connection = link->connection;
    if (link->timer.callback) loop_timer_cancel(server->loop, &link->timer);
    disconnect(server);
    link->state = LINK_NONE;
    if (connection) loop_close(server->loop, connection);
}

/* Nobody may be told that a write has succeeded which another history will not have: who
 * still waits for that gets an error, and is closed. */
static bool unblock(void *context, struct connection *connection) {
    struct server *server = context;
    struct client *client = connection->owner;
    if (!client || connection->mark_count == 0) return true;
    struct buffer *output = &connection->output;
    output->end = output->start + connection_sendable(connection);
    connection->mark_count = 0;
    reply_error(connection_reply(connection),
                "UNBLOCKED force unblock from blocking operation, instance state changed "
                "(master -> replica?)");
    connection_close_after_reply(connection);
    loop_touch(server->loop, connection);
    return true;
}

static void become_replica(struct server *server, const char *host, uint16_t port) {
    bool was_primary = !link_is_replica(server);
    if (!was_primary) link_end(server);
    snprintf(server->options.replicaof, sizeof server->options.replicaof, "%s %u", host,
             (unsigned)port);
    if (was_primary) {
        loop_each(server->loop, unblock, server);
        waits_end(server);
    }
    notice(&server->notices, NOTICE_NORMAL, "Now a replica of %s:%u", host,
           (unsigned)port);
    link_begin(server);
}

static void become_primary(struct server *server) {
    link_end(server);
    server->options.replicaof[0] = '\0';
    engine_set_following(server->engine, false);
    server->released_before = engine_size(server->engine);
    notice(&server->notices, NOTICE_NORMAL,
           "Now a primary, from entry %" PRIu64 " on", engine_size(server->engine));
}

void link_set(struct server *server, const char *host, uint16_t port, bool force) {
    server->link.force = force;
    server->link.diverged = false;
    server->link.trouble[0] = '\0';
    if (host) become_replica(server, host, port);
    else if (link_is_replica(server)) become_primary(server);
}
