/* Replication: REPLICAOF and ROLE for people and Sentinel, REPLCONF and PSYNC for replicas
 * (docs/replication.md). */
#include <inttypes.h>
#include <stdio.h>

#include "engine/log_access.h"
#include "server/link_message.h"
#include "server/server.h"
#include "server/words.h"

/* --- Roles ------------------------------------------------------------------------ */

static void follow_nobody(struct call *call) {
    if (call->server->link.diverged) {
        call_error(call, "DIVERGED a replica whose state differs cannot become a primary");
        return;
    }
    link_set(call->server, NULL, 0, false);
    reply_ok(call_reply(call));
}

static bool is_primary_already(const struct server *server, const char *host,
                               int64_t port) {
    const struct replica_link *link = &server->link;
    return link_is_replica(server) && strcmp(link->host, host) == 0 &&
           link->port == port;
}

static void follow(struct call *call, struct slice name, int64_t port, bool force) {
    struct server *server = call->server;
    char host[LINK_HOST_SIZE];
    if (name.size == 0 || name.size >= sizeof host || memchr(name.data, ' ', name.size)) {
        call_error(call, "ERR Invalid master host");
        return;
    }
    memcpy(host, name.data, name.size);
    host[name.size] = '\0';
    if (is_primary_already(server, host, port) && !force) {
        reply_status(call_reply(call), "OK Already connected to specified master");
        return;
    }
    if (!engine_log(server->engine)) {
        call_error(call, "ERR replication needs appendonly yes");
        return;
    }
    link_set(server, host, (uint16_t)port, force);
    reply_ok(call_reply(call));
}

/* A transaction's writes are in the log already when it comes to this command, and are not
 * applied to their end. */
static bool is_among_writes(struct call *call) {
    if (!call->server->job.submitted) return false;
    call_error(call, "ERR REPLICAOF cannot stand beside writes in a transaction");
    return true;
}

COMMAND(cmd_replicaof) {
    int64_t port;
    bool force = call->count == 4 && call_is(call, 3, "force");
    if (call->count > 3 && !force) {
        call_error(call, "ERR syntax error");
        return;
    }
    if (is_among_writes(call)) return;
    if (call_is(call, 1, "no") && call_is(call, 2, "one")) {
        follow_nobody(call);
    } else if (!word_integer(call->arguments[2], &port) || port < 1 || port > 65535) {
        call_error(call, "ERR Invalid master port");
    } else {
        follow(call, call->arguments[1], port, force);
    }
}

static void role_of_replica(struct server *server, struct reply *reply) {
    static const char *const states[] = {"none", "connect", "connecting", "handshake",
                                         "connected"};
    reply_array(reply, 5);
    reply_text(reply, "slave");
    reply_text(reply, server->link.host);
    reply_integer(reply, server->link.port);
    reply_text(reply, states[server->link.state]);
    reply_unsigned(reply, server->loading ? 0 : engine_size(server->engine));
}

static void reply_number_text(struct reply *reply, uint64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    reply_text(reply, text);
}

COMMAND(cmd_role) {
    struct server *server = call->server;
    struct reply *reply = call_reply(call);
    if (link_is_replica(server)) {
        role_of_replica(server, reply);
        return;
    }
    reply_array(reply, 3);
    reply_text(reply, "master");
    reply_unsigned(reply, server->loading ? 0 : engine_size(server->engine));
    reply_array(reply, replicas_count(server));
    for (const struct replica *replica = server->replicas; replica;
         replica = replica->next) {
        char address[REPLICA_ADDRESS_SIZE];
        replica_address(replica, address);
        reply_array(reply, 3);
        reply_text(reply, address);
        reply_number_text(reply, replica->client->words.port);
        reply_number_text(reply, replica->acknowledged);
    }
}

/* --- REPLCONF --------------------------------------------------------------------- */

/* The log's root after so many entries, for a replica that looks for where it parts. */
static void answer_root(struct call *call, struct slice word) {
    struct server *server = call->server;
    uint8_t root[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 8] = "ROOT ";
    uint64_t size;
    if (server->loading || !engine_log(server->engine) || !word_unsigned(word, &size) ||
        size > engine_durable(server->engine) ||
        log_tree_root(engine_log(server->engine), size, root)) {
        call_error(call, "ERR the log has no root of that size");
        return;
    }
    hex_text(root, sizeof root, text + strlen(text));
    reply_status(call_reply(call), text);
}

static void answer_version(struct call *call, struct slice word) {
    char text[32];
    int64_t version;
    if (!word_integer(word, &version) || version != LINK_VERSION) {
        call_error(call, "ERR the link speaks version %d only", LINK_VERSION);
        return;
    }
    call->client->words.version = LINK_VERSION;
    snprintf(text, sizeof text, "VALORI %d", LINK_VERSION);
    reply_status(call_reply(call), text);
}

/* One option and its value. False: it is answered. */
static bool take_option(struct call *call, size_t at) {
    struct replica_words *words = &call->client->words;
    struct slice value = call->arguments[at + 1];
    char quoted[64];
    int64_t number;
    if (call_is(call, at, "ack")) {
        uint64_t count;
        if (word_unsigned(value, &count))
            replicas_acknowledge(call->server, call->client, count);
        return false; /* an acknowledgement has no answer */
    }
    if (call_is(call, at, "valori")) return answer_version(call, value), false;
    if (call_is(call, at, "root")) return answer_root(call, value), false;
    if (call_is(call, at, "capa")) return true;
    if (call_is(call, at, "listening-port") && word_integer(value, &number) &&
        number >= 0 && number <= 65535) {
        words->port = (uint16_t)number;
        return true;
    }
    if (call_is(call, at, "ip-address") && value.size < sizeof words->address) {
        call_quote(value, words->address, sizeof words->address);
        return true;
    }
    call_error(call, "ERR Unrecognized REPLCONF option: %s",
               call_quote(call->arguments[at], quoted, sizeof quoted));
    return false;
}

COMMAND(cmd_replconf) {
    if (call->count % 2 == 0) {
        call_error(call, "ERR syntax error");
        return;
    }
    for (size_t at = 1; at < call->count; at += 2)
        if (!take_option(call, at)) return;
    reply_ok(call_reply(call));
}

/* --- PSYNC ------------------------------------------------------------------------ */

/* Why the log cannot be handed out now; answers. */
static bool may_feed(struct call *call) {
    struct server *server = call->server;
    if (call->client->words.version != LINK_VERSION)
        call_error(call, "ERR this is valori: only another valori can replicate from it");
    else if (!engine_log(server->engine))
        call_error(call, "ERR replication needs appendonly yes");
    else if (link_is_replica(server) && !link_is_up(&server->link))
        call_error(call, "NOMASTERLINK Can't SYNC while not connected with my master");
    else return true;
    return false;
}

/* What the replica says that it has. */
struct offer {
    bool empty;
    uint8_t id[LOG_ID_SIZE], root[SHA256_SIZE];
    uint64_t size;
};

static bool read_offer(struct call *call, struct offer *offer) {
    offer->empty = call_is(call, 1, "?");
    bool read = word_unsigned(call->arguments[2], &offer->size) &&
                hex_bytes(call->arguments[3], offer->root, sizeof offer->root) &&
                (offer->empty ? offer->size == 0
                              : hex_bytes(call->arguments[1], offer->id, LOG_ID_SIZE));
    if (!read) call_error(call, "ERR syntax error");
    return read;
}

/* The tree over what the replica has, if that is the beginning of what we have; answers if
 * not. */
static bool continues(struct call *call, const struct offer *offer,
                      struct rfc6962_range *range) {
    struct log *log = engine_log(call->server->engine);
    uint8_t root[SHA256_SIZE];
    if (!offer->empty && memcmp(offer->id, log_id(log), LOG_ID_SIZE) != 0) {
        call_error(call, "FOREIGN this is another log");
        return false;
    }
    uint64_t durable = log_durable(log);
    if (offer->size < log_first(log)) {
        call_error(call, "TRIMMED the log begins at entry %" PRIu64, log_first(log));
        return false;
    }
    bool known = offer->size <= durable && !log_range_at(log, offer->size, range);
    if (known) rfc6962_root(range, root);
    if (known && memcmp(root, offer->root, SHA256_SIZE) == 0) return true;
    call_error(call, "FORKED %" PRIu64 " entries are here, and yours are no part of them",
               durable);
    return false;
}

COMMAND(cmd_psync) {
    struct server *server = call->server;
    struct offer offer;
    struct rfc6962_range range;
    if (!may_feed(call)) return;
    if (call->count != 4) {
        call_arity_error(call);
        return;
    }
    if (!read_offer(call, &offer) || !continues(call, &offer, &range)) return;
    if (call->client->replica || replicas_add(server, call->client, &range)) {
        call_error(call, "ERR the log cannot be read from there");
        return;
    }
    char id[2 * LOG_ID_SIZE + 1], key[2 * SIPHASH_KEY_SIZE + 1], text[160];
    hex_text(log_id(engine_log(server->engine)), LOG_ID_SIZE, id);
    hex_text(call->client->replica->key, SIPHASH_KEY_SIZE, key);
    snprintf(text, sizeof text, "CONTINUE %s %" PRIu64 " %s", id, offer.size, key);
    reply_status(call_reply(call), text);
    server->metrics.sync_partial++;
    notice(&server->notices, NOTICE_NORMAL, "Replica %s is fed from entry %" PRIu64 " on",
           call->client->connection->peer, offer.size);
}
