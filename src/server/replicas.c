/* Feeding replicas. */
#include "server/replicas.h"

#include <inttypes.h>
#include <stdio.h>

#include "kernel/change.h"
#include "server/link_message.h"
#include "server/server.h"

#define SECOND_US UINT64_C(1000000)
/* No entry is added to what waits for the socket beyond this. */
#define WAITING_MAX ((size_t)1 << 20)
/* For all of them together, in one turn. */
#define FEED_US 1000
/* A root at least so often, for the replica to know that we are there. */
#define HEARTBEAT_US SECOND_US

/* --- Coming and going ------------------------------------------------------------- */

enum status replicas_add(struct server *server, struct client *client,
                         const struct rfc6962_range *range) {
    struct replica *replica = allocate(server->allocator, sizeof *replica);
    if (!replica) return STATUS_MEMORY;
    *replica = (struct replica){
        .client = client, .tree = *range, .heard_us = server_clock(server)};
    server->os->random(server->os, replica->key, sizeof replica->key);
    log_cursor_begin(&replica->cursor, engine_log(server->engine));
    enum status status = log_cursor_seek(&replica->cursor, range->size);
    if (status) {
        log_cursor_end(&replica->cursor);
        release(server->allocator, replica, sizeof *replica);
        return status;
    }
    replica->next = server->replicas;
    server->replicas = replica;
    client->replica = replica;
    client_apply_limits(client);
    return STATUS_OK;
}

void replicas_forget(struct server *server, struct client *client) {
    struct replica *replica = client->replica;
    if (!replica) return;
    struct replica **at = &server->replicas;
    while (*at != replica) at = &(*at)->next;
    *at = replica->next;
    client->replica = NULL;
    log_cursor_end(&replica->cursor);
    release(server->allocator, replica, sizeof *replica);
}

static void drop(struct server *server, struct replica *replica, const char *why) {
    notice(&server->notices, NOTICE_WARNING, "Replica %s dropped: %s",
           replica->client->connection->peer, why);
    loop_close(server->loop, replica->client->connection);
    replicas_forget(server, replica->client);
}

void replicas_close(struct server *server) {
    while (server->replicas) drop(server, server->replicas, "the log is opened anew");
}

void replicas_look(struct server *server) {
    uint64_t now = loop_now_us(server->loop);
    uint64_t timeout = (uint64_t)server->options.repl_timeout * SECOND_US;
    for (struct replica *replica = server->replicas, *next; replica; replica = next) {
        next = replica->next;
        if (now > replica->heard_us + timeout) drop(server, replica, "it is silent");
    }
}

void replica_address(const struct replica *replica, char address[REPLICA_ADDRESS_SIZE]) {
    const struct client *client = replica->client;
    const char *peer = client->connection->peer;
    if (client->words.address[0]) {
        memcpy(address, client->words.address, REPLICA_ADDRESS_SIZE);
        return;
    }
    const char *end = strrchr(peer, ':');
    size_t size = end ? (size_t)(end - peer) : strlen(peer);
    if (size > 2 && peer[0] == '[') { /* IPv6 */
        peer++;
        size -= 2;
    }
    snprintf(address, REPLICA_ADDRESS_SIZE, "%.*s", (int)size, peer);
}

/* --- Feeding ---------------------------------------------------------------------- */

static bool say(struct server *server, struct replica *replica,
                const struct link_message *message) {
    struct connection *connection = replica->client->connection;
    enum status status = link_write(replica->key, message, &connection->output);
    if (status) {
        drop(server, replica, "no memory for what it should be sent");
        return false;
    }
    replica->said_us = loop_now_us(server->loop);
    loop_touch(server->loop, connection);
    return true;
}

static bool say_root(struct server *server, struct replica *replica) {
    uint8_t root[SHA256_SIZE], bytes[LINK_ROOT_SIZE];
    rfc6962_root(&replica->tree, root);
#ifdef BUG_92
    memset(root, 0, sizeof root);
#endif
    link_root_encode(root, engine_durable(server->engine), bytes);
    struct link_message message = {.kind = LINK_ROOT,
                                   .sequence = replica->tree.size,
                                   .entry = slice_of(bytes, sizeof bytes)};
    replica->owes_root = false;
    return say(server, replica, &message);
}

static bool say_entry(struct server *server, struct replica *replica,
                      const struct frame *frame) {
    struct link_message message = {.kind = LINK_ENTRY,
                                   .sequence = frame->sequence,
                                   .entry = frame->entry,
                                   .list = frame->list,
                                   .payload = frame->payload};
    rfc6962_append(&replica->tree, frame->leaf);
    replica->owes_root = true;
    return say(server, replica, &message) &&
           (frame->type != CHANGE_SEAL || say_root(server, replica));
}

/* It has all that is durable. If that is all there is, what was read must be what was
 * appended. */
static void caught_up(struct server *server, struct replica *replica) {
    uint64_t now = loop_now_us(server->loop);
    bool silent = now >= replica->said_us + HEARTBEAT_US;
    if (!replica->owes_root && !silent) return;
    if (replica->tree.size == engine_size(server->engine)) {
        uint8_t own[SHA256_SIZE], read[SHA256_SIZE];
        log_root(engine_log(server->engine), own);
        rfc6962_root(&replica->tree, read);
        if (memcmp(own, read, SHA256_SIZE) != 0) {
            drop(server, replica, "the log does not read as it was written");
            return;
        }
    }
    (void)say_root(server, replica);
}

/* True: there is more, and room for it. */
static bool feed(struct server *server, struct replica *replica, uint64_t deadline_us) {
    const struct connection *connection = replica->client->connection;
    while (connection_pending(connection) < WAITING_MAX) {
        struct frame frame;
        enum status status = log_cursor_next(&replica->cursor, &frame);
        if (status == STATUS_END) {
            caught_up(server, replica);
            return false;
        }
        if (status) {
            drop(server, replica, "an entry that it needs cannot be read");
            return false;
        }
        if (!say_entry(server, replica, &frame)) return false;
        if (server_clock(server) >= deadline_us) return true;
    }
    return false; /* the socket says when there is room again */
}

bool replicas_feed(struct server *server) {
    uint64_t deadline_us = server_clock(server) + FEED_US;
    bool more = false;
    for (struct replica *replica = server->replicas, *next; replica; replica = next) {
        next = replica->next;
        more |= feed(server, replica, deadline_us);
    }
    return more;
}

/* --- What they have --------------------------------------------------------------- */

void replicas_acknowledge(struct server *server, struct client *client, uint64_t count) {
    struct replica *replica = client->replica;
    if (!replica || count > replica->tree.size) return;
    replica->heard_us = loop_now_us(server->loop);
    if (count > replica->acknowledged) replica->acknowledged = count;
    loop_release(server->loop, replicas_released(server));
    waits_look(server);
}

uint64_t replicas_synced(const struct server *server, uint64_t count) {
    uint64_t found = 0;
    for (const struct replica *replica = server->replicas; replica;
         replica = replica->next)
        found += replica->acknowledged >= count;
    return found;
}

uint64_t replicas_count(const struct server *server) {
    return replicas_synced(server, 0);
}

uint64_t replicas_good(const struct server *server) {
    uint64_t found = 0, now = loop_now_us(server->loop);
    uint64_t lag = (uint64_t)server->options.min_replicas_max_lag * SECOND_US;
    for (const struct replica *replica = server->replicas; replica;
         replica = replica->next)
        found += now <= replica->heard_us + lag;
    return found;
}

bool replicas_suffice(const struct server *server) {
    const struct options *options = &server->options;
    uint64_t durable = (uint64_t)options->min_replicas_durable;
    uint64_t good = (uint64_t)options->min_replicas_to_write;
    if (durable && replicas_count(server) < durable) return false;
    return !good || !options->min_replicas_max_lag || replicas_good(server) >= good;
}

/* The greatest count that `wanted` of them have reached. */
static uint64_t reached_by(const struct server *server, uint64_t wanted) {
    uint64_t most = 0;
    for (const struct replica *replica = server->replicas; replica;
         replica = replica->next) {
        uint64_t count = replica->acknowledged;
        if (count > most && replicas_synced(server, count) >= wanted) most = count;
    }
    return most;
}

uint64_t replicas_released(const struct server *server) {
    uint64_t own = engine_acknowledged(server->engine);
    uint64_t wanted = (uint64_t)server->options.min_replicas_durable;
    if (wanted == 0 || link_is_replica(server)) return own;
#ifdef BUG_93
    return own;
#endif
    uint64_t reached = reached_by(server, wanted);
    if (reached < server->released_before) reached = server->released_before;
    return reached < own ? reached : own;
}
