/* The connection itself: PING ECHO HELLO AUTH SELECT QUIT RESET. */
#include "server/plan.h"
#include "server/server.h"
#include "server/words.h"

/* Sentinel takes an error here for a server that must be replaced: rightly so while the
 * log cannot be written. */
COMMAND(cmd_ping) {
    struct reply *reply = call_reply(call);
    if (call->count > 2) {
        call_arity_error(call);
    } else if (!call->server->loading && engine_refusing(call->server->engine)) {
        struct tally tally = {.status = STATUS_NO_SPACE};
        call_refusal(call, NULL, &tally);
    } else if (call->client->subscriptions && reply->protocol == 2) {
        reply_array(reply, 2); /* as a message would look */
        reply_text(reply, "pong");
        reply_bulk(reply, call_argument(call, 1));
    } else if (call->count == 2) {
        reply_bulk(reply, call->arguments[1]);
    } else {
        reply_status(reply, "PONG");
    }
}

COMMAND(cmd_echo) { reply_bulk(call_reply(call), call->arguments[1]); }

COMMAND(cmd_quit) {
    reply_ok(call_reply(call));
    connection_close_after_reply(call->client->connection);
}

COMMAND(cmd_reset) {
    client_reset(call->client);
    reply_status(call_reply(call), "RESET");
}

COMMAND(cmd_select) {
    int64_t index;
    if (!word_integer(call->arguments[1], &index)) {
        call_error(call, "ERR value is not an integer or out of range");
    } else if (index < 0 || index >= call->server->options.databases) {
        call_error(call, "ERR DB index is out of range");
    } else {
        call->client->db = (uint32_t)index;
        reply_ok(call_reply(call));
    }
}

/* --- Authentication --------------------------------------------------------------- */

static bool authenticate(struct call *call, struct slice name, struct slice password) {
    struct server *server = call->server;
    struct client *client = call->client;
    struct acl_user *user = acl_login(server, name, password);
    if (user) {
        client_authenticate(client, user);
        return true;
    }
    server->metrics.failed_authentications++;
    guesses_note(&server->guesses, server->hash_seed, client->connection->peer,
                 loop_now_us(server->loop));
    acl_log_note(server, client, "auth",
                 slice_text(call->command->run == cmd_auth ? "AUTH" : "HELLO"), name);
    call_error(call, "WRONGPASS invalid username-password pair or user is disabled.");
    return false;
}

COMMAND(cmd_auth) {
    if (call->count > 3) {
        call_error(call, "ERR syntax error");
        return;
    }
    bool named = call->count == 3;
    if (!named && acl_is_open(call->server)) {
        call_error(call,
                   "ERR AUTH <password> called without any password configured for the "
                   "default user. Are you sure your configuration is correct?");
        return;
    }
    struct slice user = named ? call->arguments[1] : slice_text("default");
    if (authenticate(call, user, call->arguments[call->count - 1]))
        reply_ok(call_reply(call));
}

/* --- HELLO ------------------------------------------------------------------------ */

struct hello {
    int64_t protocol; /* 0: as it is */
    bool has_auth, has_name;
    struct slice user, password, name;
};

static bool hello_read(struct call *call, struct hello *hello) {
    *hello = (struct hello){0};
    if (call->count < 2) return true;
    if (!word_integer(call->arguments[1], &hello->protocol)) {
        call_error(call, "ERR Protocol version is not an integer or out of range");
        return false;
    }
    if (hello->protocol != 2 && hello->protocol != 3) {
        call_error(call, "NOPROTO unsupported protocol version");
        return false;
    }
    for (size_t at = 2; at < call->count;) {
        char word[64];
        if (call_is(call, at, "auth") && at + 2 < call->count) {
            hello->has_auth = true;
            hello->user = call->arguments[at + 1];
            hello->password = call->arguments[at + 2];
            at += 3;
        } else if (call_is(call, at, "setname") && at + 1 < call->count) {
            hello->has_name = true;
            hello->name = call->arguments[at + 1];
            at += 2;
        } else {
            call_error(call, "ERR Syntax error in HELLO option '%s'",
                       call_quote(call->arguments[at], word, sizeof word));
            return false;
        }
    }
    return true;
}

static void reply_hello(struct call *call) {
    struct reply *reply = call_reply(call);
    reply_map(reply, 7);
    reply_text(reply, "server");
    reply_text(reply, "valori");
    reply_text(reply, "version");
    reply_text(reply, REDIS_VERSION);
    reply_text(reply, "proto");
    reply_integer(reply, reply->protocol);
    reply_text(reply, "id");
    reply_unsigned(reply, call->client->id);
    reply_text(reply, "mode");
    reply_text(reply, "standalone");
    reply_text(reply, "role");
    reply_text(reply, link_is_replica(call->server) ? "replica" : "master");
    reply_text(reply, "modules");
    reply_array(reply, 0);
}

COMMAND(cmd_hello) {
    struct hello hello;
    if (!hello_read(call, &hello)) return;
    if (hello.has_auth && !authenticate(call, hello.user, hello.password)) return;
    if (!call->client->authenticated) {
        call_error(call,
                   "NOAUTH HELLO must be called with the client already authenticated, "
                   "otherwise the HELLO <proto> AUTH <user> <pass> option can be used to "
                   "authenticate the client and select the RESP protocol version at the "
                   "same time");
        return;
    }
    if (hello.has_name && !client_name(call, hello.name)) return;
    if (hello.protocol)
        connection_set_protocol(call->client->connection, (int)hello.protocol);
    reply_hello(call);
}
