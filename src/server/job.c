/* Jobs: reads and writes in slices, one at a time. */
#include "server/job.h"

#include "server/server.h"

/* --- Reads ------------------------------------------------------------------------ */

static bool read_step(struct server *server, uint64_t deadline_us) {
    struct job *job = &server->job;
    if (job->phase == JOB_BEGIN) {
        job->phase = JOB_MORE;
        job->call.command->read(&job->call, engine_state(server->engine));
    }
    return !job->more || job->more(&job->call, deadline_us);
}

/* --- Writes ----------------------------------------------------------------------- */

bool job_walk(struct server *server, uint32_t changes, uint64_t deadline_us) {
    struct job *job = &server->job;
    struct tally *tally = &job->tally;
    struct batch_event event;
    while (job->events < changes) {
        if (engine_batch_next(server->engine, &event)) {
            job->submitted = false;
            return true;
        }
        if (event.applied) {
            if (job->events++ == 0) tally->outcome = event.outcome;
            if (event.outcome.status == STATUS_OK) tally->applied++;
            else if (tally->status == STATUS_OK) tally->status = event.outcome.status;
            tally->added += event.outcome.status == STATUS_OK && event.outcome.added;
        }
        if (server_clock(server) >= deadline_us) return false;
    }
    return true;
}

/* While the helper writes the batch, the loop sleeps: the helper wakes it. */
enum status job_submit(struct server *server, uint64_t deadline_us) {
    struct job *job = &server->job;
    uint64_t sequence;
    enum status status;
    job->wake_us = 0;
    do {
        status = engine_batch_submit(server->engine, &job->batch, &sequence);
        if (status == STATUS_AGAIN && engine_batch_waits(server->engine)) {
            job->wake_us = UINT64_MAX;
            return status;
        }
    } while (status == STATUS_AGAIN && server_clock(server) < deadline_us);
    job->submitted = status == STATUS_OK;
    return status;
}

void job_drain(struct server *server) {
    struct job *job = &server->job;
    struct batch_event event;
    if (job->active && job->phase == JOB_SUBMIT) {
        while (job_submit(server, UINT64_MAX) == STATUS_AGAIN) continue;
        job->phase = JOB_WALK;
    }
    while (job->submitted)
        if (engine_batch_next(server->engine, &event)) job->submitted = false;
    while (job->tally.outcome.more)
        engine_submit_more(server->engine, &job->tally.outcome);
}

/* What was not answered as a refusal of the state, but as a whole. */
static void tally_single(struct tally *tally, enum status status,
                         const struct outcome *outcome) {
    tally->status = status;
    tally->outcome = *outcome;
    tally->applied = status == STATUS_OK;
    tally->added = status == STATUS_OK && outcome->added;
}

/* False: the slice is over, and the batch is not in the log yet. */
static bool submit(struct server *server, uint64_t deadline_us) {
    struct job *job = &server->job;
    uint64_t sequence = 0;
    if (!job->plan.batched) {
        struct outcome outcome = {.status = STATUS_OK};
        tally_single(
            &job->tally,
            engine_submit(server->engine, &job->plan.single, &outcome, &sequence),
            &outcome);
        job->tally.sequence = sequence;
        return true;
    }
    enum status status = job_submit(server, deadline_us);
    if (status == STATUS_AGAIN) return false;
    job->tally.status = status;
    return true;
}

/* Whether the only change of the plan is wholly applied; otherwise the slice is over. */
static bool finish_single(struct server *server, uint64_t deadline_us) {
    struct outcome *outcome = &server->job.tally.outcome;
    while (outcome->more && server_clock(server) < deadline_us)
        engine_submit_more(server->engine, outcome);
    return !outcome->more;
}

/* True: the plan is whole, or was refused. */
static bool plan_step(struct server *server, uint64_t deadline_us) {
    struct job *job = &server->job;
    enum plan_result result;
    do {
        result =
            call_write(&job->call)(&job->call, engine_state(server->engine), &job->plan);
    } while (result == PLAN_MORE && server_clock(server) < deadline_us);
    return result != PLAN_MORE;
}

static bool write_step(struct server *server, uint64_t deadline_us) {
    struct job *job = &server->job;
    if (job->phase == JOB_BEGIN) {
        job->phase = JOB_PLAN;
        plan_begin(&job->plan, &server->options, engine_state(server->engine),
                   &job->batch, NULL);
    }
    if (job->phase == JOB_PLAN) {
        if (!plan_step(server, deadline_us)) return false;
        if (job->call.failed) return true;
        job->tally.asked = job->plan.count;
        job->tally.dim = job->plan.dim;
        if (job->call.command->before)
            job->call.command->before(&job->call, engine_state(server->engine),
                                      &job->tally);
        job->phase = job->plan.count ? JOB_SUBMIT : JOB_WALK;
    }
    if (job->phase == JOB_SUBMIT) {
        if (!submit(server, deadline_us)) return false;
        job->phase = JOB_WALK;
    }
    if (job->submitted && !job_walk(server, job->plan.count, deadline_us)) return false;
    if (!finish_single(server, deadline_us)) return false;
    job_drain(server);
    call_answer (&job->call)(&job->call, engine_state(server->engine), &job->tally);
    return true;
}

/* --- The job ---------------------------------------------------------------------- */

void job_begin(struct server *server, const struct call *call) {
    struct job *job = &server->job;
    job->active = true;
    job->phase = JOB_BEGIN;
    job->step = call->command->read ? read_step
                : call_write(call)  ? write_step
                                    : exec_step;
    job->call = *call;
    job->more = NULL;
    job->wake_us = 0;
    job->used_us = 0;
    job->tally = (struct tally){.status = STATUS_OK};
    job->events = 0;
    job->submitted = false;
    job->refused = STATUS_OK;
}

void job_begin_more(struct server *server, const struct call *call,
                    bool (*more)(struct call *call, uint64_t deadline_us)) {
    job_begin(server, call);
    server->job.phase = JOB_MORE;
    server->job.step = read_step;
    server->job.more = more;
}

/* The batch keeps no memory from one command to the next: it may have been large. */
static void end(struct server *server) {
    struct job *job = &server->job;
    job_drain(server);
    if (job->batch.count || job->batch.elements.capacity || job->batch.payload.capacity) {
        batch_free(&job->batch);
        batch_begin(&job->batch, server->allocator, BATCH_BYTES_MAX);
    }
    queue_free(&job->queue, server->allocator);
    overlay_free(&job->overlay);
    proof_end(server);
    scratch_shrink(&server->scratch);
    job->active = false;
}

/* How many entries the answer tells of. Only proofs tell of a SEAL. */
static uint64_t depends_on(const struct server *server, const struct call *call) {
    bool proves = call->command->run && call->command->run != cmd_exec;
    return proves ? engine_size(server->engine) : engine_changed(server->engine);
}

bool job_run(struct server *server, uint64_t deadline_us) {
    struct job *job = &server->job;
    struct client *client = job->call.client;
    uint64_t start = client ? connection_position(client->connection) : 0;
    bool done = job->step(server, deadline_us);
    client = job->call.client;
#ifdef BUG_25
    if (job->call.command->read) client = NULL; /* reads do not wait for what they saw */
#endif
    if (client) {
        uint64_t size = depends_on(server, &job->call);
        connection_mark(client->connection, start, size);
        if (!job->call.command->read) client->written = size;
    }
    if (done) end(server);
    return done;
}

void job_abandon(struct server *server, struct client *client) {
    struct job *job = &server->job;
    if (!job->active || job->call.client != client) return;
    job->call.client = NULL;
    if (job->submitted || job->phase == JOB_SUBMIT || job->phase == JOB_WALK)
        return; /* it is in the log, or on its way: see it through */
    end(server);
    dispatch_job_done(server);
}
