/* SAVE BGSAVE LASTSAVE, and SHUTDOWN with or without. */
#include "server/saves.h"
#include "server/server.h"

#define LOOK_US 1000 /* while a save runs that a client waits for */

/* Begin one; false, and the error is answered, where none can be begun. */
static bool begin(struct call *call) {
    struct server *server = call->server;
    enum status status = engine_save(server->engine);
    server->save_tried_us = server_clock(server);
    if (status == STATUS_AGAIN) call_error(call, "ERR Background save already in progress");
    else if (status == STATUS_INVALID) call_error(call, "ERR snapshots need appendonly yes");
    else if (status)
        call_error(call, "ERR snapshot failed: %s", server_error_text(server));
    return status == STATUS_OK;
}

/* Wait for the one that was begun; false: go on waiting. */
static bool ended(struct call *call, bool *good) {
    struct server *server = call->server;
    struct save_facts facts;
    engine_save_facts(server->engine, &facts);
    server->job.wake_us = server_clock(server) + LOOK_US;
    if (facts.running) return false;
    *good = facts.history.last == STATUS_OK;
    if (!*good) call_error(call, "ERR snapshot failed: %s", facts.history.message);
    return true;
}

static bool save_more(struct call *call, uint64_t deadline_us) {
    bool good;
    (void)deadline_us;
    if (!ended(call, &good)) return false;
    if (good) reply_ok(call_reply(call));
    return true;
}

COMMAND(cmd_save) {
    if (begin(call)) job_begin_more(call->server, call, save_more);
}

/* SCHEDULE is for a server whose saves get in the way of one another: ours do not. */
COMMAND(cmd_bgsave) {
    if (call->count > 2 || (call->count == 2 && !call_is(call, 1, "schedule"))) {
        call_error(call, "ERR syntax error");
        return;
    }
    if (!begin(call)) return;
    notice(&call->server->notices, NOTICE_NORMAL, "Background saving started");
    reply_status(call_reply(call), "Background saving started");
}

COMMAND(cmd_lastsave) {
    reply_integer(call_reply(call), (int64_t)saves_last(call->server));
}

/* --- SHUTDOWN --------------------------------------------------------------------- */

static bool shutdown_more(struct call *call, uint64_t deadline_us) {
    bool good;
    (void)deadline_us;
    if (!ended(call, &good)) return false;
    if (good) server_stop(call->server, 0);
    return true;
}

/* The log is synced in any case, so that only SAVE need wait for anything; and what it waits
 * for costs a later start time and no data. */
COMMAND(cmd_shutdown) {
    struct server *server = call->server;
    bool save = false, nosave = false, abort = false, known = true;
    for (size_t i = 1; i < call->count; i++) {
        if (call_is(call, i, "save")) save = true;
        else if (call_is(call, i, "nosave")) nosave = true;
        else if (call_is(call, i, "abort")) abort = true;
        else if (!call_is(call, i, "now") && !call_is(call, i, "force")) known = false;
    }
    if (!known || (save && nosave) || (abort && call->count > 2)) {
        call_error(call, "ERR syntax error");
        return;
    }
    if (abort) {
        call_error(call, "ERR No shutdown in progress.");
        return;
    }
    notice(&server->notices, NOTICE_WARNING, "User requested shutdown...");
    if (save && !server->loading && server->options.appendonly) {
        if (begin(call)) job_begin_more(server, call, shutdown_more);
        return;
    }
    server_stop(server, 0);
}
