/* CLIENT LIST and KILL: which connections are meant, and what becomes of them. */
#include "server/server.h"
#include "server/words.h"

/* Which connections LIST shows and KILL closes. */
struct choice {
    struct call *call;
    const struct slice *ids; /* any of them */
    size_t id_count;
    bool by_type;
    enum client_class type; /* CLASS_COUNT: one that no client has */
    bool keep_self;
    int64_t age; /* seconds since it came, at least */
    struct slice peer, local;
    struct buffer *text; /* LIST */
    uint64_t chosen;
};

static bool is_local_end(struct slice wanted, const struct client *client) {
    char local[64];
    const struct os *os = client->server->os;
    os->socket_local(os, client->connection->socket, local);
    return slice_equal(wanted, slice_text(local));
}

static bool chosen(const struct choice *choice, const struct client *client) {
    if (choice->by_type && client_class(client) != choice->type) return false;
    if (choice->keep_self && client == choice->call->client) return false;
    if (choice->peer.data &&
        !slice_equal(choice->peer, slice_text(client->connection->peer)))
        return false;
    if (choice->local.data && !is_local_end(choice->local, client)) return false;
    uint64_t age_us = loop_now_us(client->server->loop) - client->created_us;
    if (age_us / 1000000 < (uint64_t)choice->age) return false;
    uint64_t id;
    for (size_t i = 0; i < choice->id_count; i++)
        if (word_unsigned(choice->ids[i], &id) && id == client->id) return true;
    return choice->id_count == 0;
}

static bool read_type(struct choice *choice, struct slice type) {
    enum client_class class = client_class_find(type);
    if (class != CLASS_COUNT || word_is(type, "master")) {
        choice->by_type = true;
        choice->type = class;
        return true;
    }
    char word[64];
    call_error(choice->call, "ERR Unknown client type '%s'",
               call_quote(type, word, sizeof word));
    return false;
}

/* `error` when one is not at least `least`. */
static bool read_ids(struct choice *choice, size_t at, size_t count, uint64_t least,
                     const char *error) {
    uint64_t id;
    for (size_t i = at; i < at + count; i++)
        if (!word_unsigned(choice->call->arguments[i], &id) || id < least) {
            call_error(choice->call, "ERR %s", error);
            return false;
        }
    choice->ids = choice->call->arguments + at;
    choice->id_count = count;
    return true;
}

static bool list_line(void *context, struct connection *connection) {
    struct choice *choice = context;
    const struct client *client = connection->owner;
    if (client && chosen(choice, client)) client_line(choice->text, client);
    return true;
}

COMMAND(cmd_client_list) {
    struct choice choice = {.call = call};
    if (call->count > 2) {
        bool by_type = call_is(call, 2, "type") && call->count == 4;
        bool by_id = call_is(call, 2, "id") && call->count > 3;
        if (!by_type && !by_id) {
            call_error(call, "ERR syntax error");
            return;
        }
        if (by_type ? !read_type(&choice, call->arguments[3])
                    : !read_ids(&choice, 3, call->count - 3, 0, "Invalid client ID"))
            return;
    }
    struct buffer text;
    buffer_init(&text, call->server->allocator, (size_t)64 << 20);
    choice.text = &text;
    loop_each(call->server->loop, list_line, &choice);
    reply_verbatim(call_reply(call), "txt", buffer_slice(&text));
    buffer_free(&text);
}

static bool kill_one(void *context, struct connection *connection) {
    struct choice *choice = context;
    struct client *client = connection->owner;
    if (!client || !chosen(choice, client)) return true;
    choice->chosen++;
    if (client == choice->call->client) connection_close_after_reply(connection);
    else loop_close(choice->call->server->loop, connection);
    return true;
}

static bool read_age(struct choice *choice, struct slice value) {
    const char *error = NULL;
    if (!word_integer(value, &choice->age))
        error = "maxage is not an integer or out of range";
    else if (choice->age <= 0) error = "maxage should be greater than 0";
    if (error) call_error(choice->call, "ERR %s", error);
    return !error;
}

/* There is one user, and all are it. */
static bool read_user(struct choice *choice, struct slice value) {
    char word[64];
    if (slice_equal(value, slice_text("default"))) return true;
    call_error(choice->call, "ERR No such user '%s'",
               call_quote(value, word, sizeof word));
    return false;
}

/* One filter and its value at `at`. */
static bool read_filter(struct choice *choice, size_t at) {
    struct call *call = choice->call;
    struct slice value = call->arguments[at + 1];
    if (call_is(call, at, "id"))
        return read_ids(choice, at + 1, 1, 1, "client-id should be greater than 0");
    if (call_is(call, at, "maxage")) return read_age(choice, value);
    if (call_is(call, at, "user")) return read_user(choice, value);
    if (call_is(call, at, "type")) return read_type(choice, value);
    if (call_is(call, at, "addr")) {
        choice->peer = value;
    } else if (call_is(call, at, "laddr")) {
        choice->local = value;
    } else if (call_is(call, at, "skipme") &&
               (word_is(value, "yes") || word_is(value, "no"))) {
        choice->keep_self = word_is(value, "yes");
    } else {
        call_error(call, "ERR syntax error");
        return false;
    }
    return true;
}

COMMAND(cmd_client_kill) {
    struct choice choice = {.call = call, .keep_self = call->count > 3};
    if (call->count == 3) {
        choice.peer = call->arguments[2];
    } else if (call->count % 2 != 0) {
        call_error(call, "ERR syntax error");
        return;
    }
    for (size_t at = 2; call->count > 3 && at < call->count; at += 2)
        if (!read_filter(&choice, at)) return;
    loop_each(call->server->loop, kill_one, &choice);
    if (call->count > 3) reply_unsigned(call_reply(call), choice.chosen);
    else if (choice.chosen) reply_ok(call_reply(call));
    else call_error(call, "ERR No such client");
}
