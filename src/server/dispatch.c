/* From a request to its handler: the gates, in the order in which Redis has them.
 *
 *     known?  arity  authenticated?  permitted?  loaded?  inside MULTI: queued  its turn?
 * run */
#include <stdio.h>
#include <string.h>

#include "server/expire.h"
#include "server/server.h"
#include "server/words.h"

/* An error while queueing makes EXEC refuse the whole transaction. */
static enum dispatch_result refused(struct call *call) {
    struct client *client = call->client;
#ifndef BUG_26
    if (client->in_multi) client->multi_dirty = true;
#endif
    if (call->command) call->server->figures[command_index(call->command)].rejected++;
    return DISPATCH_DONE;
}

/* The name and the first arguments, as far as 128 bytes go, as Redis quotes them. */
static enum dispatch_result unknown(struct call *call) {
    char name[129], quoted[160], arguments[160] = "";
    size_t used = 0;
    if (word_is(call->arguments[0], "post") || word_is(call->arguments[0], "host:")) {
        /* A browser was made to speak to us: what follows is not the user's will. */
        notice(&call->server->notices, NOTICE_WARNING,
               "Possible cross-protocol attack from %s: connection closed",
               call->client->connection->peer);
        loop_close(call->server->loop, call->client->connection);
        connection_close_after_reply(call->client->connection);
        return DISPATCH_DONE;
    }
    for (size_t i = 1; i < call->count && used < 128; i++) {
        int size =
            snprintf(arguments + used, sizeof arguments - used, "'%.*s' ",
                     (int)(128 - used), call_quote(call->arguments[i], quoted, 129));
        used += (size_t)size;
        if (used >= sizeof arguments) break;
    }
    call_quote(call->arguments[0], name, sizeof name);
    if (call->count > 1)
        call_error(call, "ERR unknown command '%s', with args beginning with: %s", name,
                   arguments);
    else call_error(call, "ERR unknown command '%s'", name);
    return refused(call);
}

/* An EXEC that cannot be run ends the transaction all the same. */
static void abort_exec(struct call *call, const char *why) {
    client_discard(call->client);
    call_error(call, "EXECABORT Transaction discarded because of: %s", why);
}

/* Whether the words are a command as the table has it; answers if not. */
static bool known(struct call *call) {
    const struct command *command = call->command;
    if (!arity_fits(command->arity, call->count)) {
        if (command->run == cmd_exec)
            abort_exec(call, "wrong number of arguments for 'exec' command");
        else call_arity_error(call);
        return false;
    }
    if (!command->subcommands || call->count < 2) return true;
    call->subcommand = subcommand_find(command, call->arguments[1]);
    if (!call->subcommand) {
        char name[129], upper[32];
        size_t i = 0;
        for (; command->name[i] && i + 1 < sizeof upper; i++)
            upper[i] = (char)(command->name[i] >= 'a' && command->name[i] <= 'z'
                                  ? command->name[i] - 32
                                  : command->name[i]);
        upper[i] = '\0';
        call_error(call, "ERR unknown subcommand '%s'. Try %s HELP.",
                   call_quote(call->arguments[1], name, sizeof name), upper);
        return false;
    }
#ifndef BUG_27
    if (!arity_fits(call->subcommand->arity, call->count)) {
        call_arity_error(call);
        return false;
    }
#endif
    return true;
}

static bool debug_allowed(struct call *call) {
    int64_t access = call->server->options.enable_debug_command;
    if (access == ACCESS_YES || (access == ACCESS_LOCAL && client_is_local(call->client)))
        return true;
    call_error(call,
               "ERR DEBUG command not allowed. If the enable-debug-command option is set "
               "to \"local\", you can run it from a local connection, otherwise you need "
               "to set this option in the configuration file, and then restart the "
               "server.");
    return false;
}

/* In RESP2 nothing tells a message from a reply, so a subscriber may not ask for others. */
static bool subscriber_allows(struct call *call) {
    const struct client *client = call->client;
    if (!client->subscriptions || client->connection->reply.protocol != 2 ||
        call->command->flags & COMMAND_SUBSCRIBER)
        return true;
    call_error(call,
               "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
               "QUIT / RESET are allowed in this context",
               call->command->name);
    return false;
}

static bool memory_allows(struct call *call) {
    const struct server *server = call->server;
    uint64_t limit = (uint64_t)server->options.maxmemory;
    if (limit == 0 || server_used_memory(server) <= limit) return true;
    call_error(call, "OOM command not allowed when used memory > 'maxmemory'.");
    return false;
}

static bool writes(const struct call *call) {
    if (call->command->run != cmd_exec) return call_write(call) != NULL;
    for (const struct queued *queued = call->client->queue.first; queued;
         queued = queued->next)
        if (queued->command->write) return true;
    return false;
}

static bool sees_data(const struct call *call) {
    const struct command *command = call->command;
    return command->read || call_write(call) || command->run == cmd_exec ||
           (command->flags & COMMAND_SEES_STATE);
}

/* What a replica refuses, or a primary that has too few of them. EXEC of commands that see
 * no data is let through: Sentinel sends its orders in one. */
static bool role_allows(struct call *call) {
    const struct server *server = call->server;
    const struct replica_link *link = &server->link;
    bool exec = call->command->run == cmd_exec, write = writes(call);
    const char *why = NULL;
    char text[96];
    if (!link_is_replica(server)) {
        if (write && !replicas_suffice(server))
            why = "NOREPLICAS Not enough good replicas to write.";
    } else if (write) {
        why = "READONLY You can't write against a read only replica.";
    } else if (link->diverged && sees_data(call) && !exec) {
        snprintf(text, sizeof text,
                 "DIVERGED replica state differs from primary at sequence %llu",
                 (unsigned long long)link->diverged_at);
        why = text;
    } else if (!link_is_up(link) && !server->options.replica_serve_stale_data &&
               sees_data(call) && !exec) {
        why = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to "
              "'no'.";
    }
    if (!why) return true;
    if (exec) {
        client_discard(call->client);
        call_error(call, "EXECABORT Transaction discarded because of: %s", why);
    } else {
        call_error(call, "%s", why);
    }
    return false;
}

static void refuse_denied(struct call *call, enum acl_verdict verdict, size_t place) {
    char name[COMMAND_NAME_SIZE], user[ACL_NAME_MAX + 1];
    struct client *client = call->client;
    command_name(call->command, call->subcommand, name);
    struct slice object = slice_text(name);
    if (verdict == ACL_NO_COMMAND) {
        call_error(call, "NOPERM User %s has no permissions to run the '%s' command",
                   call_quote(client_user_name(client), user, sizeof user), name);
        call->server->metrics.denied_commands++;
    } else if (verdict == ACL_NO_KEY) {
        call_error(call, "NOPERM No permissions to access a key");
        object = call->arguments[place];
        call->server->metrics.denied_keys++;
    } else {
        call_error(call, "NOPERM No permissions to access a channel");
        object = call->arguments[place];
        call->server->metrics.denied_channels++;
    }
    static const char *const reasons[] = {"", "command", "key", "channel"};
    acl_log_note(call->server, client, reasons[verdict], object,
                 client_user_name(client));
}

static bool permitted(struct call *call) {
    size_t place = 0;
    enum acl_verdict verdict = acl_check(call->client, call->command, call->subcommand,
                                         call->arguments, call->count, &place);
    if (verdict != ACL_ALLOWED) refuse_denied(call, verdict, place);
    return verdict == ACL_ALLOWED;
}

/* The gates that do not depend on whose turn it is. */
static bool admitted(struct call *call) {
    struct client *client = call->client;
    unsigned flags = call->command->flags;
    if (!client->authenticated && !(flags & COMMAND_NO_AUTH)) {
        call_error(call, "NOAUTH Authentication required.");
        return false;
    }
    if (!permitted(call)) return false;
    if (call->server->loading && !(flags & COMMAND_LOADING)) {
        if (client->in_multi && call->command->run == cmd_exec)
            abort_exec(call, "LOADING valori is loading the dataset in memory");
        else call_error(call, "LOADING valori is loading the dataset in memory");
        return false;
    }
    if (flags & COMMAND_DEBUG && !debug_allowed(call)) return false;
    if (!subscriber_allows(call)) return false;
    if (flags & COMMAND_DENY_OOM && !memory_allows(call)) return false;
    if (!role_allows(call)) return false;
    if (client->in_multi && (flags & COMMAND_NO_MULTI)) {
        call_error(call, "ERR Command not allowed inside a transaction");
        return false;
    }
    return true;
}

static enum dispatch_result enqueue(struct call *call) {
    struct client *client = call->client;
    enum status status =
        queue_add(&client->queue, call->server->allocator, call->command, call->arguments,
                  call->count, (size_t)call->server->options.client_query_buffer_limit);
    if (status) {
        call_error(call,
                   status == STATUS_MEMORY
                       ? "OOM command not allowed when used memory > 'maxmemory'."
                       : "ERR the transaction is longer than client-query-buffer-limit");
        return refused(call);
    }
    reply_status(call_reply(call), "QUEUED");
    return DISPATCH_DONE;
}

static void count(struct server *server, const struct call *call, uint64_t used_us) {
    struct command_figures *figures = &server->figures[command_index(call->command)];
    figures->calls++;
    figures->microseconds += used_us;
    figures->failed += call->failed;
    if (server->options.latency_tracking) info_note_latency(server, figures, used_us);
    server->metrics.commands++;
}

static enum dispatch_result run_job(struct server *server, struct call *call) {
    job_begin(server, call);
    bool done = job_run(server, server->now_us + JOB_SLICE_US);
    uint64_t now = server_clock(server);
    server->job.used_us = now - server->now_us;
    server->now_us = now;
    if (!done) {
        server->metrics.long_commands++;
        return DISPATCH_BUSY;
    }
    count(server, &server->job.call, server->job.used_us);
    return DISPATCH_DONE;
}

static enum dispatch_result run(struct server *server, struct call *call) {
    const struct subcommand *subcommand = call->subcommand;
    struct connection *connection = call->client->connection;
    uint64_t start = connection_position(connection);
    unsigned flags = call->command->flags | (subcommand ? subcommand->flags : 0);
    (subcommand ? subcommand->run : call->command->run)(call);
    if (flags & COMMAND_SEES_STATE)
        connection_mark(connection, start, engine_size(server->engine));
    uint64_t now = server_clock(server), used_us = now - server->now_us;
    server->now_us = now;
    if (server->job.active && server->job.call.client == call->client) {
        server->job.used_us = used_us; /* EXEC is a job: counted when it is done */
        return DISPATCH_BUSY;
    }
    count(server, call, used_us);
    return call->client->wait.active ? DISPATCH_BUSY : DISPATCH_DONE;
}

/* --- Waiting ---------------------------------------------------------------------- */

/* CLIENT PAUSE holds it back. Who asks to end the pause is heard. */
static bool is_paused(const struct call *call) {
    const struct server *server = call->server;
    const struct subcommand *subcommand = call->subcommand;
    if (server->pause.until_us == 0) return false;
    if (subcommand && subcommand->run == cmd_client_unpause) return false;
    return server->pause.all || writes(call);
}

/* Whether this is a password from an address that must wait before it tries one. */
static bool waits_to_guess(struct call *call) {
    struct server *server = call->server;
    bool guess = call->command->run == cmd_auth ||
                 (call->command->run == cmd_hello && call->count > 2);
    if (!guess) return false;
    uint64_t until_us =
        guesses_wait(&server->guesses, server->hash_seed, call->client->connection->peer,
                     loop_now_us(server->loop));
    if (until_us) loop_timer_add(server->loop, &server->guess_timer, until_us);
    return until_us != 0;
}

/* Most clients say one word again and again. */
static const struct command *find_command(const struct client *client,
                                          struct slice name) {
    const struct command *last = client->last_command;
    return last && word_is(name, last->name) ? last : command_find(name);
}

enum dispatch_result dispatch(struct server *server, struct client *client,
                              const struct request *request) {
    struct call call = {.server = server,
                        .client = client,
                        .arguments = request->arguments,
                        .count = request->count,
                        .db = client->db};
    acl_refresh(server);
    call.command = find_command(client, request->arguments[0]);
    if (!call.command) return unknown(&call);
    if (!known(&call) || !admitted(&call)) return refused(&call);

    if (client->in_multi && !(call.command->flags & COMMAND_NOT_QUEUED))
        return enqueue(&call);
    bool busy = server->job.active || server->link.following;
    if (busy && !(call.command->flags & COMMAND_ALWAYS)) return DISPATCH_WAIT;
    if (is_paused(&call) || waits_to_guess(&call)) return DISPATCH_WAIT;
    if (call.command->waits && call.command->waits(&call)) return DISPATCH_WAIT;
    client->commands++;
    client->last_command = call.command;
    client->last_subcommand = call.subcommand;
    expire_keys(server, call.command, call.arguments, call.count, call.db);
    if (call.command->read || call_write(&call)) return run_job(server, &call);
    return run(server, &call);
}

static bool resume_waiting(void *context, struct connection *connection) {
    struct server *server = context;
    struct client *client = connection->owner;
    if (client && client->waiting) loop_resume(server->loop, connection);
    return true;
}

void dispatch_resume_waiting(struct server *server) {
    loop_each(server->loop, resume_waiting, server);
}

void dispatch_job_done(struct server *server) {
    struct client *client = server->job.call.client;
    count(server, &server->job.call, server->job.used_us);
    if (client) {
        client->busy = false;
        if (buffer_size(&client->pushes)) pubsub_catch_up(client);
        if (client->connection->reply.muted) client_next_reply(client);
        loop_resume(server->loop, client->connection);
    }
    dispatch_resume_waiting(server);
}
