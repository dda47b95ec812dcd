/* The server's life: open the directory, listen, recover while answering PING, serve,
 * stop.
 *
 * One turn of the loop:
 *
 *     after_wake     take note of a finished sync; release the replies that waited for it
 *     received       run the commands that came in, 2 ms of them at most
 *     before_sleep   a slice of recovery or of a long command; write the log, start its
 * sync */
#include "server/server.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "server/expire.h"
#include "server/saves.h"
#include "server/words.h"

/* Commands of one turn (DESIGN.md 13.11); what is left is for the next. */
#define TURN_US 1000
/* A slice of recovery. */
#define RECOVER_US 4000
/* Rows of deleted objects whose memory is given back in one turn. */
#define TIDY_ROWS 512
#define SECOND_US UINT64_C(1000000)
#define EXIT_IO   74

uint64_t server_clock(const struct server *server) {
    return server->os->monotonic_us(server->os);
}

const char *server_error_text(const struct server *server) {
    (void)server;
    return strerror(engine_error(server->engine));
}

void server_stop(struct server *server, int exit_code) {
    server->stopping = true;
    server->exit_code = exit_code;
    loop_stop(server->loop);
}

/* --- Recovery --------------------------------------------------------------------- */

/* What the log gave, and where it led. */
static void say_state(struct server *server) {
    struct notices *notices = &server->notices;
    struct engine_facts facts;
    struct proof_state proof;
    char root[2 * SHA256_SIZE + 1];
    engine_facts(server->engine, &facts);
    engine_proof_state(server->engine, &proof);
    hex_text(proof.roots.state_root, SHA256_SIZE, root);
    if (facts.torn_bytes)
        notice(notices, NOTICE_WARNING,
               "The log ended in %" PRIu64
               " bytes that were never acknowledged: they were cut off",
               facts.torn_bytes);
    notice(notices, NOTICE_NORMAL,
           "DB loaded from the log: %.3f seconds, %" PRIu64 " entries, %" PRIu64
           " bytes read, %" PRIu64 " bytes torn",
           (double)(server->ready_us - server->recovery_started_us) / 1e6,
           engine_size(server->engine), server->report.log.bytes, facts.torn_bytes);
    if (proof.seal_sequence != UINT64_MAX)
        notice(notices, NOTICE_NORMAL,
               "State root %s, sealed at entry %" PRIu64 ", %" PRIu64 " changes since",
               root, proof.seal_sequence, proof.dirty);
}

static void say_recovered(struct server *server) {
    struct notices *notices = &server->notices;
    if (server->report.message[0])
        notice(notices, NOTICE_NORMAL, "%s", server->report.message);
    if (server->report.warning[0])
        notice(notices, NOTICE_WARNING, "%s", server->report.warning);
    if (server->report.snapshot_entries)
        notice(notices, NOTICE_NORMAL,
               "Snapshot of %" PRIu64 " entries: %" PRIu64
               " bytes loaded in %.3f seconds, its root computed in %.3f",
               server->report.snapshot_entries, server->report.snapshot_bytes,
               (double)server->report.snapshot_read_us / 1e6,
               (double)server->report.snapshot_check_us / 1e6);
    if (server->reloading) {
        say_state(server);
        notice(notices, NOTICE_NORMAL, "DB reloaded by DEBUG RELOAD");
        return;
    }
    if (server->report.log.ignored_files)
        notice(notices, NOTICE_NORMAL,
               "%" PRIu64 " file(s) in the directory are not ours",
               server->report.log.ignored_files);
    if (!server->options.appendonly)
        notice(notices, NOTICE_WARNING,
               "appendonly is no: nothing is kept on disk, all data is lost at the end");
    say_state(server);
    notice(notices, NOTICE_NORMAL, "Ready to accept connections on port %u",
           (unsigned)server->port);
}

/* What stands in the way, on stderr, and for damage the commands that help. */
static int say_why_not(const struct server *server, enum status status) {
    int code = engine_exit_code(status);
    fprintf(stderr, "%s\n", server->report.message);
    if (code == 3 || code == 5)
        fprintf(stderr,
                "To see it whole: valori-check log %s\n"
                "To write a repaired copy elsewhere: valori-check repair %s\n",
                server->options.dir, server->options.dir);
    return code;
}

static void refuse_to_start(struct server *server, enum status status) {
    notice(&server->notices, NOTICE_WARNING, "%s", server->report.message);
    server_stop(server, say_why_not(server, status));
}

static void recover(struct server *server) {
    enum status status = engine_recover(server->engine, RECOVER_US, &server->report);
    if (status == STATUS_AGAIN) return;
    if (status) {
        refuse_to_start(server, status);
        return;
    }
    server->loading = false;
    bool file = !server->reloading && !link_is_replica(server);
    if (file && !acl_apply_file(server)) {
        server_stop(server, 1);
        return;
    }
    acl_refresh(server);
    server->ready_us = server_clock(server);
    if (server->reloading)
        loop_take_back(server->loop, engine_acknowledged(server->engine));
    say_recovered(server);
    signing_recovered(server);
    link_begin(server);
}

/* --- The turn --------------------------------------------------------------------- */

/* The log is lost: nobody may be told what was not synced. Whoever waits gets one error
 * in the place of the replies that were held back. */
static bool tell_failure(void *context, struct connection *connection) {
    struct server *server = context;
    if (connection->mark_count == 0) return true;
    struct buffer *output = &connection->output;
    output->end = output->start + connection_sendable(connection);
    connection->mark_count = 0;
    reply_error_format(
        connection_reply(connection),
        "IOERR log fsync failed (%s): outcome of this write is unknown; server "
        "stopping",
        server_error_text(server));
    (void)connection_send(connection);
    return true;
}

static void fail(struct server *server) {
    notice(&server->notices, NOTICE_WARNING,
           "FATAL log fsync failed (%s): stopping; what is not on disk is unknown",
           server_error_text(server));
    fprintf(stderr, "FATAL log fsync failed (%s): stopping\n", server_error_text(server));
    loop_each(server->loop, tell_failure, server);
    server_stop(server, EXIT_IO);
}

static void say_refusing(struct server *server) {
    bool refusing = engine_refusing(server->engine);
    if (refusing != server->refusing)
        notice(&server->notices, NOTICE_WARNING, "%s",
               refusing
                   ? "No space left on device: writes are refused until there is some"
                   : "There is disk space again: writes go on");
    server->refusing = refusing;
}

static bool touch_watched(void *context, struct connection *connection) {
    struct client *client = connection->owner;
    (void)context;
    if (client) client_touch_watched(client);
    return true;
}

/* The state is about to be thrown away and recovered. */
static void begin_loading(struct server *server) {
    loop_each(server->loop, touch_watched, NULL);
    loop_timer_cancel(server->loop, &server->engine_timer);
    server->loading = server->reloading = true;
    server->tidying = false;
    server->recovery_started_us = server_clock(server);
}

/* The SEAL makes the recovery compare all of it. What is synced is answered before. */
enum status server_reload(struct server *server) {
    enum status status = engine_seal(server->engine);
    if (status) return status;
    link_end(server);
    replicas_close(server);
    if (engine_stop(server->engine)) {
        fail(server);
        return STATUS_IO;
    }
    loop_release(server->loop, replicas_released(server));
    begin_loading(server);
    status = engine_reopen(server->engine, &server->report);
    if (status) refuse_to_start(server, status);
    return STATUS_OK;
}

/* The engine has left its log, or could not. */
static enum status recover_anew(struct server *server, enum status status) {
    if (status == STATUS_OK) begin_loading(server);
    else if (status == STATUS_IO || server->report.message[0])
        refuse_to_start(server, status);
    return status;
}

enum status server_go_back(struct server *server, uint64_t size, const char *name) {
    replicas_close(server);
    server->report.message[0] = '\0';
    return recover_anew(
        server, engine_go_back(server->engine, size, name, &server->report));
}

enum status server_begin_anew(struct server *server, const char *prefix) {
    replicas_close(server);
    server->report.message[0] = '\0';
    return recover_anew(server,
                        engine_begin_anew(server->engine, prefix, &server->report));
}

static void run_engine(struct server *server) {
    if (server->loading || server->stopping) return;
    uint64_t next_us;
    if (engine_turn(server->engine, &next_us)) {
        fail(server);
        return;
    }
    say_refusing(server);
    signing_turn(server, &next_us);
    if (next_us != UINT64_MAX)
        loop_timer_add(server->loop, &server->engine_timer, next_us);
    else loop_timer_cancel(server->loop, &server->engine_timer);
    loop_release(server->loop, replicas_released(server));
    if (server->waiting) waits_look(server);
}

static void after_wake(void *context) {
    struct server *server = context;
    if (server->os->stop_requested(server->os) && !server->stopping) {
        notice(&server->notices, NOTICE_WARNING, "Received a signal, stopping...");
        server_stop(server, 0);
    }
    if (server->os->reopen_requested(server->os)) {
        notices_reopen(&server->notices);
        tls_port_reload(server);
    }
    run_engine(server);
    server->now_us = loop_now_us(server->loop);
    server->turn_deadline_us = server->now_us + TURN_US;
}

static void run_job(struct server *server) {
    struct client *client = server->job.call.client;
    uint64_t start = server_clock(server);
    bool done = job_run(server, start + JOB_SLICE_US);
    server->job.used_us += server_clock(server) - start;
    if (client) loop_touch(server->loop, client->connection);
    if (done) dispatch_job_done(server);
}

static bool before_sleep(void *context) {
    struct server *server = context;
    if (server->stopping) return false;
    if (server->loading) recover(server);
    if (server->job.active && !server->loading) run_job(server);
    else if (!server->loading)
        server->tidying = kernel_tidy(engine_kernel(server->engine), TIDY_ROWS);
    acl_refresh(server); /* who has no user any more is closed now */
    bool alone = loop_connection_count(server->loop) == 1;
    /* A replica that catches up has the next entries at hand while these are synced. */
    engine_set_alone(server->engine, alone && !server->link.connection);
    bool linked = link_turn(server);
    run_engine(server);
    saves_turn(server);
    bool feeding = !server->loading && !server->stopping && replicas_feed(server);
    bool sleeps = server->job.active && server->job.wake_us > loop_now_us(server->loop);
    if (sleeps && server->job.wake_us < UINT64_MAX)
        loop_timer_add(server->loop, &server->wake_timer, server->job.wake_us);
    return !server->stopping &&
           (server->loading || (server->job.active && !sleeps) || server->tidying ||
            linked || feeding);
}

/* --- Timers ----------------------------------------------------------------------- */

/* It wakes the loop; the turn does the rest. */
static void is_due(void *context, struct loop_timer *timer) {
    (void)context;
    (void)timer;
}

/* An address may try another password. */
static void resume_guesses(void *context, struct loop_timer *timer) {
    (void)timer;
    dispatch_resume_waiting(context);
}

/* What has happened in the last second. */
static void sample(struct server *server, uint64_t now) {
    struct metrics *metrics = &server->metrics;
    struct sample *before = &server->sampled;
    uint64_t passed = now - before->at_us;
    struct sample this = {.at_us = now,
                          .commands = metrics->commands,
                          .input_bytes = metrics->input_bytes,
                          .output_bytes =
                              server->closed_output_bytes + server->live_output_bytes};
    metrics->commands_per_second =
        (this.commands - before->commands) * SECOND_US / passed;
    server->input_rate = (this.input_bytes - before->input_bytes) * SECOND_US / passed;
    server->output_rate = (this.output_bytes - before->output_bytes) * SECOND_US / passed;
    *before = this;
    uint64_t used = server_used_memory(server);
    if (used > server->peak_memory) server->peak_memory = used;
}

static void cron(void *context, struct loop_timer *timer) {
    struct server *server = context;
    uint64_t now = loop_now_us(server->loop);
    clients_look(server);
    saves_look(server);
    replicas_look(server);
    expire_look(server);
    if (now - server->sampled.at_us >= SECOND_US) sample(server, now);
    loop_timer_add(server->loop, timer, now + SECOND_US / (uint64_t)server->options.hz);
}

/* --- Beginning and end ------------------------------------------------------------ */

static int begin_engine(struct server *server) {
    static const enum sync_policy policies[] = {SYNC_ALWAYS, SYNC_EVERY_SECOND, SYNC_NO};
    const struct options *options = &server->options;
    struct engine_options engine_options = {
        .directory = options->dir,
        .log_enabled = options->appendonly,
        .sync_policy = policies[options->appendfsync],
        .seal_interval_us = (uint64_t)options->seal_interval_ms * 1000,
        .seal_dirty_max = (uint64_t)options->seal_dirty_max,
        .segment_size = (uint64_t)options->log_segment_size,
        .trim = options->log_trim,
        .keep_size = (uint64_t)options->log_keep_size,
        .archive_directory = options->log_archive_dir};
    enum status status = engine_open(server->os, server->allocator, &engine_options,
                                     &server->engine, &server->report);
    if (!status) status = signing_begin(server);
    if (!status) return 0;
    return say_why_not(server, status);
}

/* Fewer clients rather than a server that cannot open its own files. */
static void fit_maxclients(struct server *server) {
    uint64_t wanted = (uint64_t)server->options.maxclients + RESERVED_DESCRIPTORS;
    uint64_t allowed = os_allow_descriptors(wanted);
    if (allowed >= wanted) return;
    uint64_t clients =
        allowed > RESERVED_DESCRIPTORS ? allowed - RESERVED_DESCRIPTORS : 1;
    notice(&server->notices, NOTICE_WARNING,
           "maxclients lowered from %" PRId64 " to %" PRIu64
           ": the system allows %" PRIu64 " open descriptors (ulimit -n)",
           server->options.maxclients, clients, allowed);
    server->options.maxclients = (int64_t)clients;
}

/* The socket in the file system, when one is asked for. */
static int listen_path(struct server *server) {
    const struct options *options = &server->options;
    if (options->unixsocket[0] == '\0' ||
        !loop_listen_path(server->loop, options->unixsocket,
                          (uint32_t)options->unixsocketperm, (int)options->tcp_backlog))
        return 0;
    fprintf(stderr, "Failed listening on %s: %s\n", options->unixsocket,
            server->os->error_text(server->os));
    return 1;
}

static bool received(void *context, struct connection *connection) {
    struct server *server = context;
    return connection == server->link.connection ? link_received(server, connection)
                                                 : clients_received(server, connection);
}

static void closed(void *context, struct connection *connection) {
    struct server *server = context;
    link_closed(server, connection);
    clients_closed(server, connection);
}

/* Listen on every address of `list`. *port is what it became. */
static int listen_on(struct server *server, const char *list, uint16_t *port,
                     enum listener_kind kind) {
    char address[64];
    unsigned listening = 0;
    while (options_next_address(&list, address)) {
        uint16_t bound;
        if (!loop_listen(server->loop, address, *port, (int)kind,
                         (int)server->options.tcp_backlog, &bound)) {
            *port = bound;
            listening++;
        } else if (strcmp(address, "::1") != 0) {
            fprintf(stderr, "Failed listening on %s port %u: %s\n", address,
                    (unsigned)*port, server->os->error_text(server->os));
            return 1;
        }
    }
    if (listening > 0) return 0;
    fprintf(stderr, "Failed listening on port %u\n", (unsigned)*port);
    return 1;
}

static int begin_loop(struct server *server) {
    struct loop_hooks hooks = {.context = server,
                               .accepted = clients_accepted,
                               .received = received,
                               .closed = closed,
                               .after_wake = after_wake,
                               .before_sleep = before_sleep};
    if (loop_create(server->os, server->allocator, &hooks, &server->loop)) {
        fprintf(stderr, "cannot make an event loop: %s\n",
                server->os->error_text(server->os));
        return EXIT_IO;
    }
    fit_maxclients(server);
    clients_apply_options(server);
    server->port = (uint16_t)server->options.port;
    server->http_port = (uint16_t)server->options.http_port;
    server->tls_port = (uint16_t)server->options.tls_port;
    if (!tls_port_begin(server)) return 1;
    int code = listen_on(server, server->options.bind, &server->port, LISTENER_CLIENTS);
    if (!code && server->http_port)
        code = listen_on(server, server->options.http_bind, &server->http_port,
                         LISTENER_HTTP);
    if (!code && server->tls_port)
        code = listen_on(server, server->options.bind, &server->tls_port, LISTENER_TLS);
    return code ? code : listen_path(server);
}

static void set_timers(struct server *server) {
    server->engine_timer = (struct loop_timer){.callback = is_due, .context = server};
    server->wake_timer = server->wait_timer = server->engine_timer;
    server->guess_timer =
        (struct loop_timer){.callback = resume_guesses, .context = server};
    server->cron_timer = (struct loop_timer){.callback = cron, .context = server};
    loop_timer_add(server->loop, &server->cron_timer, server->started_us);
}

int server_begin(struct server *server) {
    uint8_t id[RUN_ID_SIZE / 2];
    check(command_count() <= COMMAND_ROWS_MAX);
    server->started_us = server->saved_us = server->recovery_started_us = server_clock(server);
    server->nobody = (struct reply){.protocol = 2, .failed = STATUS_TOO_LARGE};
    server->os->random(server->os, id, sizeof id);
    server->os->random(server->os, server->hash_seed, sizeof server->hash_seed);
    hex_text(id, sizeof id, server->run_id);
    acl_begin(server);
    batch_begin(&server->job.batch, server->allocator, BATCH_BYTES_MAX);
    if (scratch_begin(&server->scratch, server->allocator)) {
        fprintf(stderr, "out of memory\n");
        return 70;
    }
    int code = begin_engine(server);
    if (!code) code = begin_loop(server);
    if (code) return code;
    set_timers(server);
    server->loading = true;
    notice(&server->notices, NOTICE_NORMAL,
           "valori %s starting, PID %" PRIu32 ", port %u", VALORI_VERSION,
           os_process_id(), (unsigned)server->port);
    return 0;
}

/* The last replies: what the final sync has made true, and nothing else. */
static bool send_rest(void *context, struct connection *connection) {
    connection_release(connection, *(const uint64_t *)context);
    while (connection_sendable(connection) > 0) {
        size_t before = connection_sendable(connection);
        if (connection_send(connection) || connection_sendable(connection) == before)
            break;
    }
    return true;
}

static int stop_clean(struct server *server) {
    if (server->loading || server->exit_code) return server->exit_code;
    job_drain(server); /* a batch that is in the log is applied to its end */
    link_end(server);
    if (engine_stop(server->engine)) {
        fail(server);
        return EXIT_IO;
    }
    uint64_t acknowledged = replicas_released(server);
    loop_each(server->loop, send_rest, &acknowledged);
    notice(&server->notices, NOTICE_NORMAL, "The log is synced, bye bye...");
    return 0;
}

int server_run(struct server *server) {
    loop_run(server->loop);
    loop_stop_listening(server->loop);
    return stop_clean(server);
}

void server_free(struct server *server) {
    if (server->loop) loop_destroy(server->loop); /* counts the job that it gives up */
    info_free(server);
    acl_free(server);
    tls_port_end(server);
    proof_end(server);
    if (server->frozen) kernel_release(engine_kernel(server->engine), server->frozen);
    queue_free(&server->job.queue, server->allocator);
    overlay_free(&server->job.overlay);
    scratch_free(&server->scratch);
    signer_close(server->signer);
    if (server->engine) engine_close(server->engine); /* its helper may write the batch */
    batch_free(&server->job.batch);
    notices_close(&server->notices);
}
