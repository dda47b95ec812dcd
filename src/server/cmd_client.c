/* CLIENT: looking at connections and closing them. */
#include <inttypes.h>
#include <stdio.h>

#include "server/server.h"
#include "server/words.h"

COMMAND(cmd_client_id) { reply_unsigned(call_reply(call), call->client->id); }

COMMAND(cmd_client_getname) {
    if (call->client->name[0]) reply_text(call_reply(call), call->client->name);
    else reply_null(call_reply(call));
}

/* Names stand in lines that people and programs read: printable, without blanks. */
static bool copy_name(struct call *call, struct slice name, const char *what,
                      char copy[CLIENT_NAME_SIZE]) {
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] > 0x20 && name.data[i] < 0x7f) continue;
        call_error(call, "ERR %s cannot contain spaces, newlines or special characters.",
                   what);
        return false;
    }
    if (name.size >= CLIENT_NAME_SIZE) {
        call_error(call, "ERR %s cannot be longer than %d bytes", what,
                   CLIENT_NAME_SIZE - 1);
        return false;
    }
    if (name.size) memcpy(copy, name.data, name.size);
    copy[name.size] = '\0';
    return true;
}

bool client_name(struct call *call, struct slice name) {
    return copy_name(call, name, "Client names", call->client->name);
}

COMMAND(cmd_client_setname) {
    if (client_name(call, call->arguments[2])) reply_ok(call_reply(call));
}

COMMAND(cmd_client_setinfo) {
    char word[64];
    bool library = call_is(call, 2, "lib-name"), version = call_is(call, 2, "lib-ver");
    if (!library && !version)
        call_error(call, "ERR Unrecognized option '%s'",
                   call_quote(call->arguments[2], word, sizeof word));
    else if (copy_name(call, call->arguments[3], library ? "lib-name" : "lib-ver",
                       library ? call->client->library : call->client->library_version))
        reply_ok(call_reply(call));
}

/* --- Lines ------------------------------------------------------------------------ */

static uint64_t seconds_since(const struct server *server, uint64_t then_us) {
    uint64_t now = loop_now_us(server->loop);
    return now > then_us ? (now - then_us) / 1000000 : 0;
}

static void command_name(const struct client *client, char name[64]) {
    const struct subcommand *subcommand = client->last_subcommand;
    if (!client->last_command) snprintf(name, 64, "NULL");
    else
        snprintf(name, 64, "%s%s%s", client->last_command->name, subcommand ? "|" : "",
                 subcommand ? subcommand->name : "");
}

/* The keys and their order are those of Redis: tools cut these lines at blanks and '='.
 */
static void append_line(struct buffer *text, const struct client *client) {
    const struct server *server = client->server;
    const struct connection *connection = client->connection;
    char line[1024], command[64];
    command_name(client, command);
    int size = snprintf(
        line, sizeof line,
        "id=%" PRIu64 " addr=%s laddr=%s fd=-1 name=%s age=%" PRIu64 " idle=%" PRIu64
        " flags=%s db=%" PRIu32 " sub=0 psub=0 ssub=0 multi=%lld watch=0 qbuf=%zu "
        "qbuf-free=%zu argv-mem=0 multi-mem=%zu rbs=0 rbp=0 obl=%zu oll=0 omem=%zu "
        "tot-mem=%zu events=r cmd=%s user=default redir=-1 resp=%d lib-name=%s "
        "lib-ver=%s\n",
        client->id, connection->peer, client->local_address, client->name,
        seconds_since(server, client->created_us),
        seconds_since(server, connection->active_us),
        client->in_multi                  ? "x"
        : client->waiting || client->busy ? "b"
                                          : "N",
        client->db, client->in_multi ? (long long)client->queue.count : -1LL,
        buffer_size(&connection->input),
        connection->input.capacity - buffer_size(&connection->input), client->queue.bytes,
        connection_pending(connection), connection->output.capacity,
        connection_memory(connection) + client->queue.bytes, command,
        connection->reply.protocol, client->library, client->library_version);
    if (size >= (int)sizeof line) size = (int)sizeof line - 1;
    (void)buffer_append(text, line, (size_t)size);
}

COMMAND(cmd_client_info) {
    struct buffer text;
    buffer_init(&text, call->server->allocator, 4096);
    append_line(&text, call->client);
    reply_verbatim(call_reply(call), "txt", buffer_slice(&text));
    buffer_free(&text);
}

/* --- Choosing --------------------------------------------------------------------- */

/* Which connections LIST shows and KILL closes. */
struct choice {
    struct call *call;
    const struct slice *ids; /* any of them */
    size_t id_count;
    bool other_type; /* of a type that no connection here has */
    bool keep_self;
    struct slice peer, local;
    struct buffer *text; /* LIST */
    uint64_t chosen;
};

static bool chosen(const struct choice *choice, const struct client *client) {
    if (choice->other_type) return false;
    if (choice->keep_self && client == choice->call->client) return false;
    if (choice->peer.data &&
        !slice_equal(choice->peer, slice_text(client->connection->peer)))
        return false;
    if (choice->local.data &&
        !slice_equal(choice->local, slice_text(client->local_address)))
        return false;
    uint64_t id;
    for (size_t i = 0; i < choice->id_count; i++)
        if (word_unsigned(choice->ids[i], &id) && id == client->id) return true;
    return choice->id_count == 0;
}

static bool read_type(struct choice *choice, struct slice type) {
    static const char *const others[] = {"master", "replica", "slave", "pubsub"};
    if (word_is(type, "normal")) return true;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (word_is(type, others[i])) {
            choice->other_type = true;
            return true;
        }
    char word[64];
    call_error(choice->call, "ERR Unknown client type '%s'",
               call_quote(type, word, sizeof word));
    return false;
}

static bool read_id(struct choice *choice, size_t at, size_t count) {
    uint64_t id;
    for (size_t i = at; i < at + count; i++)
        if (!word_unsigned(choice->call->arguments[i], &id) || id == 0) {
            call_error(choice->call, "ERR Invalid client ID");
            return false;
        }
    choice->ids = choice->call->arguments + at;
    choice->id_count = count;
    return true;
}

static bool list_line(void *context, struct connection *connection) {
    struct choice *choice = context;
    const struct client *client = connection->owner;
    if (client && chosen(choice, client)) append_line(choice->text, client);
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
                    : !read_id(&choice, 3, call->count - 3))
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

/* One filter and its value at `at`. */
static bool read_filter(struct choice *choice, size_t at) {
    struct call *call = choice->call;
    struct slice value = call->arguments[at + 1];
    if (call_is(call, at, "id")) return read_id(choice, at + 1, 1);
    if (call_is(call, at, "type")) return read_type(choice, value);
    if (call_is(call, at, "addr")) {
        choice->peer = value;
    } else if (call_is(call, at, "laddr")) {
        choice->local = value;
    } else if (call_is(call, at, "skipme") &&
               (word_is(value, "yes") || word_is(value, "no"))) {
        choice->keep_self = word_is(value, "yes");
    } else if (call_is(call, at, "user")) {
        if (!word_is(value, "default")) choice->other_type = true;
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

static void accept_switch(struct call *call) {
    if (call_is(call, 2, "on") || call_is(call, 2, "off")) reply_ok(call_reply(call));
    else call_error(call, "ERR syntax error");
}

COMMAND(cmd_client_no_evict) { accept_switch(call); }
COMMAND(cmd_client_no_touch) { accept_switch(call); }
