/* CLIENT: how a connection is treated from now on, and all of them while they are paused.
 */
#include "server/server.h"
#include "server/words.h"

static void too_many(struct call *call) {
    char word[64];
    call_error(call,
               "ERR unknown subcommand or wrong number of arguments for '%s'. Try CLIENT "
               "HELP.",
               call_quote(call->arguments[1], word, sizeof word));
}

/* --- Replies ---------------------------------------------------------------------- */

COMMAND(cmd_client_reply) {
    struct client *client = call->client;
    struct reply *reply = call_reply(call);
    if (call_is(call, 2, "on")) {
        client->reply_off = reply->muted = false;
        reply_ok(reply);
    } else if (call_is(call, 2, "off")) {
        client->reply_off = reply->muted = true;
    } else if (call_is(call, 2, "skip")) {
        client->reply_skip = reply->muted = true;
    } else {
        call_error(call, "ERR syntax error");
    }
}

/* --- Pause ------------------------------------------------------------------------ */

static void end_pause(struct server *server) {
    server->pause.until_us = 0;
    loop_timer_cancel(server->loop, &server->pause.timer);
    dispatch_resume_waiting(server);
}

static void pause_is_over(void *context, struct loop_timer *timer) {
    (void)timer;
    end_pause(context);
}

/* A pause that is under way gets no shorter and no weaker by another one. */
static void begin_pause(struct server *server, uint64_t milliseconds, bool all) {
    uint64_t now = loop_now_us(server->loop), until = now + milliseconds * 1000;
    bool under_way = server->pause.until_us != 0;
    server->pause.all = all || (under_way && server->pause.all);
    if (until > server->pause.until_us) server->pause.until_us = until;
    server->pause.timer.callback = pause_is_over;
    server->pause.timer.context = server;
    loop_timer_add(server->loop, &server->pause.timer, server->pause.until_us);
}

COMMAND(cmd_client_pause) {
    int64_t milliseconds;
    bool all = call->count == 3 || call_is(call, 3, "all");
    if (call->count > 4) {
        too_many(call);
    } else if (!all && !call_is(call, 3, "write")) {
        call_error(call, "ERR CLIENT PAUSE mode must be WRITE or ALL");
    } else if (!word_integer(call->arguments[2], &milliseconds) ||
               milliseconds > INT64_MAX / 2000) {
        call_error(call, "ERR timeout is not an integer or out of range");
    } else if (milliseconds < 0) {
        call_error(call, "ERR timeout is negative");
    } else {
        begin_pause(call->server, (uint64_t)milliseconds, all);
        reply_ok(call_reply(call));
    }
}

COMMAND(cmd_client_unpause) {
    end_pause(call->server);
    reply_ok(call_reply(call));
}

/* --- What there is nothing of ------------------------------------------------------ */

/* Only WAIT and WAITAOF block; who waits for a pause is not woken by this. */
COMMAND(cmd_client_unblock) {
    int64_t id;
    if (call->count > 4) {
        too_many(call);
    } else if (call->count == 4 && !call_is(call, 3, "timeout") &&
               !call_is(call, 3, "error")) {
        call_error(call, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    } else if (!word_integer(call->arguments[2], &id)) {
        call_error(call, "ERR value is not an integer or out of range");
    } else {
        bool woken = wait_unblock(call->server, id, call_is(call, 3, "error"));
        reply_integer(call_reply(call), woken);
    }
}

COMMAND(cmd_client_tracking) {
    if (call_is(call, 2, "on")) call_unavailable(call, "client-side caching");
    else if (call_is(call, 2, "off") && call->count == 3) reply_ok(call_reply(call));
    else call_error(call, "ERR syntax error");
}

COMMAND(cmd_client_trackinginfo) {
    struct reply *reply = call_reply(call);
    reply_map(reply, 3);
    reply_text(reply, "flags");
    reply_set(reply, 1);
    reply_text(reply, "off");
    reply_text(reply, "redirect");
    reply_integer(reply, -1);
    reply_text(reply, "prefixes");
    reply_array(reply, 0);
}

COMMAND(cmd_client_getredir) { reply_integer(call_reply(call), -1); }

COMMAND(cmd_client_caching) {
    call_error(call,
               "ERR CLIENT CACHING can be called only when the client is in tracking "
               "mode with OPTIN or OPTOUT mode enabled");
}

/* --- Switches --------------------------------------------------------------------- */

static void read_switch(struct call *call, bool *on) {
    if (!call_is(call, 2, "on") && !call_is(call, 2, "off")) {
        call_error(call, "ERR syntax error");
        return;
    }
    *on = call_is(call, 2, "on");
    reply_ok(call_reply(call));
}

COMMAND(cmd_client_no_evict) { read_switch(call, &call->client->no_evict); }
COMMAND(cmd_client_no_touch) { read_switch(call, &call->client->no_touch); }
