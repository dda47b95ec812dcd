/* From PING to the answer to PSYNC: one command, one line, and the next (docs/replication.md).
 *
 * The first thing that only a valori can answer is REPLCONF VALORI. So a real Redis is told
 * apart before anything of it could be taken for ours. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/log_access.h"
#include "server/link_message.h"
#include "server/replica_internal.h"
#include "server/words.h"

#define LINE_MAX_SIZE 1024

void link_say(struct server *server, const char *command, const char *first,
              const char *second) {
    struct connection *connection = server->link.connection;
    struct reply *reply = connection_reply(connection);
    reply_array(reply, (uint64_t)(1 + (first != NULL) + (second != NULL)));
    reply_text(reply, command);
    if (first) reply_text(reply, first);
    if (second) reply_text(reply, second);
    loop_touch(server->loop, connection);
}

static void say_number(struct server *server, const char *option, uint64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    link_say(server, "REPLCONF", option, text);
}

/* Our log's id, size and root; an empty log has no id worth telling. */
static void say_psync(struct server *server) {
    struct log *log = engine_log(server->engine);
    char id[2 * LOG_ID_SIZE + 1] = "?", size[24], root[2 * SHA256_SIZE + 1];
    uint8_t hash[SHA256_SIZE];
    log_root(log, hash);
    hex_text(hash, sizeof hash, root);
    if (log_size(log) > 0) hex_text(log_id(log), LOG_ID_SIZE, id);
    snprintf(size, sizeof size, "%" PRIu64, log_size(log));
    struct reply *reply = connection_reply(server->link.connection);
    reply_array(reply, 4);
    reply_text(reply, "PSYNC");
    reply_text(reply, id);
    reply_text(reply, size);
    reply_text(reply, root);
    loop_touch(server->loop, server->link.connection);
}

static void begin_step(struct server *server, enum link_step step) {
    const struct options *options = &server->options;
    int64_t port = options->replica_announce_port;
    server->link.step = step;
    switch (step) {
    case STEP_PING:
        link_say(server, "PING", NULL, NULL);
        return;
    case STEP_AUTH:
        if (options->masterauth[0] == '\0') break;
        if (options->masteruser[0])
            link_say(server, "AUTH", options->masteruser, options->masterauth);
        else link_say(server, "AUTH", options->masterauth, NULL);
        return;
    case STEP_VERSION:
        say_number(server, "VALORI", LINK_VERSION);
        return;
    case STEP_PORT:
        say_number(server, "listening-port", port ? (uint64_t)port : server->port);
        return;
    case STEP_ADDRESS:
        if (options->replica_announce_ip[0] == '\0') break;
        link_say(server, "REPLCONF", "ip-address", options->replica_announce_ip);
        return;
    case STEP_PSYNC:
        say_psync(server);
        return;
    case STEP_FORK:
        return;
    }
    begin_step(server, step + 1);
}

void handshake_begin(struct server *server) { begin_step(server, STEP_PING); }

static bool begins(const char *line, const char *with) {
    return strncmp(line, with, strlen(with)) == 0;
}

/* The word number `index` of an answer; empty where there is none. */
static struct slice word_of(const char *line, unsigned index) {
    struct slice rest = slice_text(line), word = slice_of(NULL, 0);
    for (unsigned i = 0; i <= index; i++)
        if (!option_next_word(&rest, &word)) return slice_of(NULL, 0);
    return word;
}

/* --- Where two histories part ------------------------------------------------------ */

/* MTH is equal up to some size and differs from there on, so halving finds it. */
static void ask_next(struct server *server) {
    struct replica_link *link = &server->link;
    if (link->fork_high - link->fork_low == 1) {
        link_go_back(server, link->fork_low);
        return;
    }
    link->step = STEP_FORK;
    link->fork_asked = link->fork_low + (link->fork_high - link->fork_low) / 2;
    say_number(server, "ROOT", link->fork_asked);
}

/* Look for where the histories part. */
static void fork_search(struct server *server, uint64_t primary_size) {
    struct replica_link *link = &server->link;
    uint64_t own = engine_size(server->engine);
    link->fork_low = 0;
    link->fork_high = (own < primary_size ? own : primary_size) + 1;
    ask_next(server);
}

/* The primary's root of the size asked. */
static void fork_answer(struct server *server, const uint8_t root[SHA256_SIZE]) {
    struct replica_link *link = &server->link;
    uint8_t own[SHA256_SIZE];
    if (log_tree_root(engine_log(server->engine), link->fork_asked, own)) {
        link_drop(server, "our own log cannot be read where the histories part");
        return;
    }
    if (memcmp(own, root, SHA256_SIZE) == 0) link->fork_low = link->fork_asked;
    else link->fork_high = link->fork_asked;
    ask_next(server);
}

/* --- Answers ---------------------------------------------------------------------- */

/* "+CONTINUE id size key": the stream begins with the next byte. */
static void take_continue(struct server *server, const char *line) {
    struct replica_link *link = &server->link;
    uint8_t id[LOG_ID_SIZE];
    uint64_t size;
    bool read = hex_bytes(word_of(line, 1), id, sizeof id) &&
                word_unsigned(word_of(line, 2), &size) &&
                hex_bytes(word_of(line, 3), link->key, sizeof link->key);
    if (!read || size != engine_size(server->engine)) {
        link_drop(server, "its answer to PSYNC cannot be read");
        return;
    }
    enum status status = size == 0 ? engine_adopt(server->engine, id) : STATUS_OK;
    if (status) {
        link_drop(server, "the primary's log id cannot be taken over");
        return;
    }
    link->state = LINK_CONNECTED;
    link->down_us = 0;
    link->trouble[0] = '\0';
    link->acknowledged = UINT64_MAX;
    link->force = false;
    server->metrics.link_syncs++;
    notice(&server->notices, NOTICE_NORMAL,
           "Following primary %s:%u from entry %" PRIu64 " on", link->host,
           (unsigned)link->port, size);
}

static void take_psync(struct server *server, const char *line) {
    uint64_t size;
    if (begins(line, "+CONTINUE ")) take_continue(server, line);
    else if (begins(line, "-FORKED ") && word_unsigned(word_of(line, 1), &size))
        fork_search(server, size);
    else if (begins(line, "-FOREIGN ")) link_foreign(server);
    else if (begins(line, "-TRIMMED "))
        link_drop(server, "its log has no beginning any more: copy its directory here");
    else link_drop(server, "it refuses PSYNC: %s", line);
}

static void take_root_of_fork(struct server *server, const char *line) {
    uint8_t root[SHA256_SIZE];
    if (begins(line, "+ROOT ") && hex_bytes(word_of(line, 1), root, sizeof root))
        fork_answer(server, root);
    else link_drop(server, "a root of its past is refused: %s", line);
}

static void take_line(struct server *server, const char *line) {
    struct replica_link *link = &server->link;
    link->state = LINK_HANDSHAKE;
    switch (link->step) {
    case STEP_PING: /* a primary may answer PING with a complaint and feed all the same */
        if (line[0] != '+' && !begins(line, "-NOAUTH") && !begins(line, "-MISCONF") &&
            !begins(line, "-MASTERDOWN") && !begins(line, "-NOPERM"))
            link_drop(server, "it answers PING with %s", line);
        else begin_step(server, STEP_AUTH);
        return;
    case STEP_AUTH:
        if (line[0] != '+') link_drop(server, "it refuses AUTH: %s", line);
        else begin_step(server, STEP_VERSION);
        return;
    case STEP_VERSION:
        if (begins(line, "+VALORI ")) begin_step(server, STEP_PORT);
        else if (begins(line, "-ERR Unrecognized REPLCONF option"))
            link_drop(server, "it is no valori: a Redis cannot be followed");
        else link_drop(server, "it refuses REPLCONF VALORI: %s", line);
        return;
    case STEP_PORT: /* both are only for its INFO: an error is none of our business */
    case STEP_ADDRESS:
        begin_step(server, link->step + 1);
        return;
    case STEP_PSYNC:
        take_psync(server, line);
        return;
    case STEP_FORK:
        take_root_of_fork(server, line);
        return;
    }
}

bool handshake_line(struct server *server) {
    struct buffer *input = &server->link.connection->input;
    struct slice bytes = buffer_slice(input);
    char line[LINE_MAX_SIZE];
    const uint8_t *end = bytes.size ? memchr(bytes.data, '\n', bytes.size) : NULL;
    if (!end && bytes.size < LINE_MAX_SIZE) return false;
    size_t size = end ? (size_t)(end - bytes.data) : 0;
    if (size < 2 || size >= LINE_MAX_SIZE) {
        link_drop(server, "it does not speak our protocol");
        return false;
    }
    memcpy(line, bytes.data, size);
    line[line[size - 1] == '\r' ? size - 1 : size] = '\0';
    buffer_consume(input, size + 1);
    take_line(server, line);
    return server->link.connection != NULL;
}
