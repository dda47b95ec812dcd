/* CLIENT: names, and the line that tells of a connection. */
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
    struct client *client = call->client;
    char word[64];
    call_quote(call->arguments[2], word, sizeof word);
    bool library = call_is(call, 2, "lib-name"), version = call_is(call, 2, "lib-ver");
    if (!library && !version) call_error(call, "ERR Unrecognized option '%s'", word);
    else if (copy_name(call, call->arguments[3], word,
                       library ? client->library : client->library_version))
        reply_ok(call_reply(call));
}

/* --- Lines ------------------------------------------------------------------------ */

static uint64_t seconds_since(const struct server *server, uint64_t then_us) {
    uint64_t now = loop_now_us(server->loop);
    return now > then_us ? (now - then_us) / 1000000 : 0;
}

static void last_command(const struct client *client, char name[COMMAND_NAME_SIZE]) {
    if (client->last_command)
        command_name(client->last_command, client->last_subcommand, name);
    else snprintf(name, COMMAND_NAME_SIZE, "NULL");
}

/* A letter for each thing that is unusual, in the order of Redis; N when nothing is. */
static void flag_letters(const struct client *client, char letters[12]) {
    const struct connection *connection = client->connection;
    size_t count = 0;
    if (client->replica) letters[count++] = 'S';
    if (client->subscriptions) letters[count++] = 'P';
    if (client->in_multi) letters[count++] = 'x';
    if (client->waiting || client->busy) letters[count++] = 'b';
    if (connection->closing) letters[count++] = 'c';
    if (connection->peer[0] == '/') letters[count++] = 'U';
    if (client->no_evict) letters[count++] = 'e';
    if (client->no_touch) letters[count++] = 'T';
    if (count == 0) letters[count++] = 'N';
    letters[count] = '\0';
}

/* Which of reading and writing it is watched for. */
static const char *event_letters(const struct client *client) {
    const struct connection *connection = client->connection;
    bool reads = !client->waiting && !client->busy && !connection->closing;
    bool writes = connection_sendable(connection) > 0;
    return reads ? writes ? "rw" : "r" : writes ? "w" : "";
}

/* The keys and their order are those of Redis: tools cut these lines at blanks and '='.
 * What Redis has as fixed buffer and list of blocks is one buffer here, told as the
 * first. */
void client_line(struct buffer *text, const struct client *client) {
    const struct server *server = client->server;
    const struct connection *connection = client->connection;
    size_t input = buffer_size(&connection->input);
    size_t waiting = connection_pending(connection);
    char line[1280], command[COMMAND_NAME_SIZE], local[64], letters[12];
    last_command(client, command);
    flag_letters(client, letters);
    server->os->socket_local(server->os, connection->socket, local);
    struct slice user = client_user_name(client);
    int size = snprintf(
        line, sizeof line,
        "id=%" PRIu64 " addr=%s laddr=%s fd=%d name=%s age=%" PRIu64 " idle=%" PRIu64
        " flags=%s db=%" PRIu32 " sub=%" PRIu32 " psub=%" PRIu32
        " ssub=0 multi=%lld watch=%zu qbuf=%zu "
        "qbuf-free=%zu argv-mem=%zu multi-mem=%zu rbs=%zu rbp=%zu obl=%zu oll=0 omem=%zu "
        "tot-mem=%zu events=%s cmd=%s user=%.*s redir=-1 resp=%d lib-name=%s "
        "lib-ver=%s io-thread=0 tot-net-in=%" PRIu64 " tot-net-out=%" PRIu64
        " tot-cmds=%" PRIu64 "\n",
        client->id, connection->peer, local,
        server->os->socket_number(server->os, connection->socket), client->name,
        seconds_since(server, client->created_us),
        seconds_since(server, connection->active_us), letters, client->db,
        client->channels, client->patterns,
        client->in_multi ? (long long)client->queue.count : -1LL, client->watch_count,
        input, connection->input.capacity - input, connection->unconsumed,
        client->queue.bytes, connection->output.capacity, client->largest_output, waiting,
        connection->output.capacity, client_memory(client), event_letters(client),
        command, user.size ? (int)user.size : 0, (const char *)user.data,
        connection->reply.protocol, client->library, client->library_version,
        client->input_bytes, connection->sent, client->commands);
    if (size >= (int)sizeof line) size = (int)sizeof line - 1;
    (void)buffer_append(text, line, (size_t)size);
}

COMMAND(cmd_client_info) {
    struct buffer text;
    buffer_init(&text, call->server->allocator, 4096);
    client_line(&text, call->client);
    reply_verbatim(call_reply(call), "txt", buffer_slice(&text));
    buffer_free(&text);
}
