/* MULTI EXEC DISCARD WATCH UNWATCH.
 *
 * EXEC plans all queued writes into one batch, which becomes one entry; then it walks the
 * queue a second time together with the batch as it is applied, so that each command is
 * answered at its place: a read sees the writes before it and none behind it. */
#include "server/expire.h"
#include "server/plan.h"
#include "server/server.h"
#include "server/words.h"

COMMAND(cmd_multi) {
    if (call->client->in_multi) {
        call_error(call, "ERR MULTI calls can not be nested");
        return;
    }
    call->client->in_multi = true;
    reply_ok(call_reply(call));
}

COMMAND(cmd_discard) {
    if (!call->client->in_multi) {
        call_error(call, "ERR DISCARD without MULTI");
        return;
    }
    client_discard(call->client);
    reply_ok(call_reply(call));
}

/* --- Watching --------------------------------------------------------------------- */

static enum status watch_key(struct client *client, struct slice key) {
    const struct allocator *allocator = client->server->allocator;
    if (client->watch_count == client->watch_capacity) {
        size_t capacity = client->watch_capacity ? 2 * client->watch_capacity : 4;
        struct watch *watches = allocate(allocator, capacity * sizeof *watches);
        if (!watches) return STATUS_MEMORY;
        if (client->watch_count)
            memcpy(watches, client->watches, client->watch_count * sizeof *watches);
        release(allocator, client->watches,
                client->watch_capacity * sizeof *client->watches);
        client->watches = watches;
        client->watch_capacity = capacity;
    }
    struct watch *watch = &client->watches[client->watch_count++];
    hash_object_name(client->db, key, watch->key);
    watch->version =
        kernel_key_version(engine_kernel(client->server->engine), watch->key);
    return STATUS_OK;
}

COMMAND(cmd_watch) {
    struct client *client = call->client;
    size_t limit = (size_t)call->server->options.client_query_buffer_limit;
    if (client->in_multi) {
        call_error(call, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    if (client->watch_count + call->count > limit / sizeof *client->watches) {
        call_error(call, "ERR the keys of WATCH exceed client-query-buffer-limit");
        return;
    }
    for (size_t i = 1; i < call->count; i++)
        if (watch_key(client, call->arguments[i])) {
            client_unwatch(client);
            call_error(call, "OOM command not allowed when used memory > 'maxmemory'.");
            return;
        }
    reply_ok(call_reply(call));
}

COMMAND(cmd_unwatch) {
    client_unwatch(call->client);
    reply_ok(call_reply(call));
}

/* What a queued SELECT will do, known before it runs. */
static void follow_select(const struct server *server, const struct queued *queued,
                          uint32_t *db) {
    int64_t index;
    if (queued->command->run == cmd_select &&
        word_integer(queued->arguments[1], &index) && index >= 0 &&
        index < server->options.databases)
        *db = (uint32_t)index;
}

/* Before anything is planned: inside the transaction time stands still. */
static void expire_queued(struct server *server, const struct client *client) {
    uint32_t db = client->db;
    for (const struct queued *queued = client->queue.first; queued;
         queued = queued->next) {
        expire_keys(server, queued->command, queued->arguments, queued->count, db);
        follow_select(server, queued, &db);
    }
}

/* Was anything done to a watched key since? */
static bool watched_changed(const struct server *server, const struct client *client) {
    const struct kernel *kernel = engine_kernel(server->engine);
    for (size_t i = 0; i < client->watch_count; i++) {
        const struct watch *watch = &client->watches[i];
        if (kernel_key_version(kernel, watch->key) != watch->version) return true;
    }
    return false;
}

COMMAND(cmd_exec) {
    struct server *server = call->server;
    struct client *client = call->client;
    if (!client->in_multi) {
        call_error(call, "ERR EXEC without MULTI");
        return;
    }
    if (client->multi_dirty) {
        client_discard(client);
        call_error(call, "EXECABORT Transaction discarded because of previous errors.");
        return;
    }
    expire_queued(server, client);
    bool changed = watched_changed(server, client);
    client_unwatch(client);
    if (changed) {
        client_discard(client);
        reply_null_array(call_reply(call));
        return;
    }
    job_begin(server, call);
    server->job.queue = client->queue;
    client->queue = (struct queue){0};
    client->in_multi = false;
    if (!job_run(server, server->now_us + JOB_SLICE_US)) server->metrics.long_commands++;
}

/* --- Planning --------------------------------------------------------------------- */

/* A queued command as a call. Its errors go to where `refusal` says. */
static struct call queued_call(struct server *server, struct queued *queued) {
    return (struct call){.server = server,
                         .client = server->job.call.client,
                         .command = queued->command,
                         .arguments = queued->arguments,
                         .count = queued->count,
                         .db = queued->db};
}

static const struct subcommand *queued_subcommand(const struct queued *queued) {
    bool has = queued->command->subcommands && queued->count > 1;
    return has ? subcommand_find(queued->command, queued->arguments[1]) : NULL;
}

/* The command will not be run, and that is its answer. */
static void keep_refusal(struct server *server, struct queued *queued,
                         const char refusal[CALL_REFUSAL_SIZE]) {
    queued->refusal = allocate(server->allocator, CALL_REFUSAL_SIZE);
    if (queued->refusal) memcpy(queued->refusal, refusal, CALL_REFUSAL_SIZE);
}

/* Rights may have changed since it was queued: then it is answered with an error. */
static void deny_queued(struct server *server, struct queued *queued) {
    const struct client *client = server->job.call.client;
    size_t place = 0;
    if (!client || acl_check(client, queued->command, queued_subcommand(queued),
                             queued->arguments, queued->count, &place) == ACL_ALLOWED)
        return;
    struct call call = queued_call(server, queued);
    char refusal[CALL_REFUSAL_SIZE];
    call.refusal = refusal;
    call_error(&call, "NOPERM ACLs rules changed between the moment the transaction was "
                      "accumulated and the EXEC call: this command is no longer allowed");
    keep_refusal(server, queued, refusal);
}

/* Plan one write. False: not done yet. */
static bool plan_queued(struct server *server, struct queued *queued,
                        uint64_t deadline_us) {
    struct plan *plan = &server->job.plan;
    char refusal[CALL_REFUSAL_SIZE];
    struct call call = queued_call(server, queued);
    call.refusal = refusal;
    if (plan->next == 0) {
        queued->changes = plan->count; /* until it is whole: where it begins */
        plan->dim = 0;
    }
    enum plan_result result;
    do {
        result = queued->command->write(&call, engine_state(server->engine), plan);
    } while (result == PLAN_MORE && server_clock(server) < deadline_us);
    if (result == PLAN_MORE) return false;
    queued->changes = plan->count - queued->changes;
    queued->dim = plan->dim;
    plan->next = 0;
    plan->members = 0;
    if (result == PLAN_REFUSED) keep_refusal(server, queued, refusal);
    return true;
}

static bool plan_queue(struct server *server, uint64_t deadline_us) {
    struct job *job = &server->job;
    for (; job->at; job->at = job->at->next) {
        if (job->plan.next == 0) {
            job->at->db = job->call.db;
            follow_select(server, job->at, &job->call.db);
            deny_queued(server, job->at);
        }
        if (job->at->command->write && !job->at->refusal &&
            !plan_queued(server, job->at, deadline_us))
            return false;
        if (server_clock(server) >= deadline_us && job->at->next) {
            job->at = job->at->next;
            return false;
        }
    }
    return true;
}

/* --- Running ---------------------------------------------------------------------- */

/* The batch was put into the log, or not. False: none of it will happen, and that is
 * answered. */
static bool note_submitted(struct job *job, enum status status) {
    switch (status) {
    case STATUS_OK:
        return true;
    case STATUS_MEMORY:
    case STATUS_TOO_LARGE:
    case STATUS_FULL:
    case STATUS_NO_SPACE:
    case STATUS_IO: {
        char why[CALL_REFUSAL_SIZE];
        struct call call = job->call;
        struct tally tally = {.status = status};
        call.refusal = why;
        call_refusal(&call, NULL, &tally);
        call_error(&job->call, "EXECABORT Transaction discarded because of: %s", why);
        return false;
    }
    default:
        job->refused = status;
        return true; /* its only write, a GROUP, was refused */
    }
}

static bool answer_write(struct server *server, struct queued *queued, struct call *call,
                         uint64_t deadline_us) {
    struct job *job = &server->job;
    if (queued->command->before && job->events == 0)
        queued->command->before(call, engine_state(server->engine), &job->tally);
    if (job->submitted && !job_walk(server, queued->changes, deadline_us)) return false;
    job->tally.asked = queued->changes;
    job->tally.dim = queued->dim;
    if (job->refused && queued->changes) job->tally.status = job->refused;
    queued->command->answer(call, engine_state(server->engine), &job->tally);
    return true;
}

static bool answer_read(struct server *server, struct queued *queued, struct call *call,
                        uint64_t deadline_us) {
    struct job *job = &server->job;
    if (job->phase != JOB_MORE) {
        job->more = NULL;
        queued->command->read(call, engine_state(server->engine));
    }
    bool done = !job->more || job->more(call, deadline_us);
    job->phase = done ? JOB_WALK : JOB_MORE;
    return done;
}

/* Answer the command at hand. False: its slice is over, it is not. */
static bool answer_queued(struct server *server, struct queued *queued,
                          uint64_t deadline_us) {
    struct call call = queued_call(server, queued);
    if (queued->refusal) {
        call_error(&call, "%s", queued->refusal);
        return true;
    }
    if (queued->command->write) return answer_write(server, queued, &call, deadline_us);
    if (queued->command->read) return answer_read(server, queued, &call, deadline_us);
    if (!call.client) return true;
    const struct subcommand *subcommand = queued_subcommand(queued);
    (subcommand ? subcommand->run : queued->command->run)(&call);
    return true;
}

static bool answer_queue(struct server *server, uint64_t deadline_us) {
    struct job *job = &server->job;
    while (job->at) {
        if (!answer_queued(server, job->at, deadline_us)) return false;
        server->figures[command_index(job->at->command)].calls++;
        server->metrics.commands++;
        job->at = job->at->next;
        job->tally = (struct tally){.status = STATUS_OK};
        job->events = 0;
        if (job->at && server_clock(server) >= deadline_us) return false;
    }
    return true;
}

bool exec_step(struct server *server, uint64_t deadline_us) {
    struct job *job = &server->job;
    if (job->phase == JOB_BEGIN) {
        overlay_begin(&job->overlay, server->allocator, server->hash_seed);
        plan_begin(&job->plan, &server->options, engine_state(server->engine),
                   &job->batch, &job->overlay);
        job->at = job->queue.first;
        job->phase = JOB_PLAN;
    }
    if (job->phase == JOB_PLAN) {
        if (!plan_queue(server, deadline_us)) return false;
        job->phase = JOB_SUBMIT;
    }
    if (job->phase == JOB_SUBMIT) {
        enum status status = job->plan.broken;
        if (!status && job->plan.count) status = job_submit(server, deadline_us);
        if (status == STATUS_AGAIN) return false;
        job->phase = JOB_WALK;
        if (!note_submitted(job, status)) return true;
        job->at = job->queue.first;
        reply_array(call_reply(&job->call), job->queue.count);
    }
    return answer_queue(server, deadline_us);
}
