/* WAIT and WAITAOF: until so many replicas have synced what this client wrote. */
#include "server/server.h"
#include "server/words.h"

static bool is_met(const struct server *server, const struct wait *wait) {
    return replicas_synced(server, wait->sequence) >= wait->replicas &&
           (!wait->local || engine_durable(server->engine) >= wait->sequence);
}

static void answer(const struct server *server, const struct wait *wait,
                   struct reply *reply) {
    uint64_t synced = replicas_synced(server, wait->sequence);
    if (wait->both) {
        reply_array(reply, 2);
        reply_integer(reply, engine_durable(server->engine) >= wait->sequence);
    }
    reply_unsigned(reply, synced);
}

/* --- Those who wait --------------------------------------------------------------- */

void wait_forget(struct server *server, struct client *client) {
    if (!client->wait.active) return;
    struct client **at = &server->waiting;
    while (*at != client) at = &(*at)->wait.next;
    *at = client->wait.next;
    client->wait.active = false;
}

/* Its answer is written: it may go on. */
static void let_go(struct server *server, struct client *client) {
    wait_forget(server, client);
    client->busy = false;
    if (buffer_size(&client->pushes)) pubsub_catch_up(client);
    if (client->connection->reply.muted) client_next_reply(client);
    loop_touch(server->loop, client->connection);
    loop_resume(server->loop, client->connection);
}

void waits_look(struct server *server) {
    uint64_t now = server_clock(server), next_us = UINT64_MAX;
    for (struct client *client = server->waiting, *next; client; client = next) {
        const struct wait *wait = &client->wait;
        next = wait->next;
        if (is_met(server, wait) || now >= wait->deadline_us) {
            answer(server, wait, &client->connection->reply);
            let_go(server, client);
        } else if (wait->deadline_us < next_us) {
            next_us = wait->deadline_us;
        }
    }
    if (next_us < UINT64_MAX)
        loop_timer_add(server->loop, &server->wait_timer, next_us);
}

void waits_end(struct server *server) {
    while (server->waiting) {
        struct client *client = server->waiting;
        reply_error(&client->connection->reply,
                    "UNBLOCKED force unblock from blocking operation, instance state "
                    "changed (master -> replica?)");
        let_go(server, client);
    }
}

bool wait_unblock(struct server *server, int64_t id, bool with_error) {
    struct client *client = server->waiting;
    while (client && client->id != (uint64_t)id) client = client->wait.next;
    if (!client) return false;
    struct reply *reply = &client->connection->reply;
    if (with_error)
        reply_error(reply, "UNBLOCKED client unblocked via CLIENT UNBLOCK");
    else answer(server, &client->wait, reply);
    let_go(server, client);
    return true;
}

/* --- The commands ----------------------------------------------------------------- */

static bool read_timeout(struct call *call, struct slice word, uint64_t *deadline_us) {
    int64_t milliseconds;
    if (!word_integer(word, &milliseconds) || milliseconds > INT64_MAX / 2000) {
        call_error(call, "ERR timeout is not an integer or out of range");
        return false;
    }
    if (milliseconds < 0) {
        call_error(call, "ERR timeout is negative");
        return false;
    }
    *deadline_us = milliseconds
                       ? server_clock(call->server) + (uint64_t)milliseconds * 1000
                       : UINT64_MAX;
    return true;
}

static bool read_replicas(struct call *call, struct slice word, struct wait *wait) {
    if (word_unsigned(word, &wait->replicas)) return true;
    call_error(call, "ERR value is out of range, must be positive");
    return false;
}

static bool is_primary(struct call *call) {
    if (!link_is_replica(call->server)) return true;
    call_error(call, "ERR WAIT cannot be used with replica instances. Please also note "
                     "that writes to replicas are just local.");
    return false;
}

/* Answer now where that is possible, and inside a transaction. */
static void wait_for(struct call *call, const struct wait *wanted) {
    struct server *server = call->server;
    struct client *client = call->client;
    client->wait = *wanted;
    client->wait.sequence = client->written;
    if (server->job.active || is_met(server, &client->wait)) {
        answer(server, &client->wait, call_reply(call));
        return;
    }
    client->wait.active = true;
    client->wait.next = server->waiting;
    server->waiting = client;
    waits_look(server);
}

COMMAND(cmd_wait) {
    struct wait wait = {.both = false};
    if (!is_primary(call) || !read_replicas(call, call->arguments[1], &wait) ||
        !read_timeout(call, call->arguments[2], &wait.deadline_us))
        return;
    wait_for(call, &wait);
}

COMMAND(cmd_waitaof) {
    struct wait wait = {.both = true};
    uint64_t local;
    if (!is_primary(call)) return;
    if (!word_unsigned(call->arguments[1], &local) || local > 1) {
        call_error(call, "ERR value is out of range, value must between 0 and 1");
        return;
    }
    wait.local = local == 1;
    if (!read_replicas(call, call->arguments[2], &wait) ||
        !read_timeout(call, call->arguments[3], &wait.deadline_us))
        return;
    wait_for(call, &wait);
}
