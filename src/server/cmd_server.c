/* The server as a whole: INFO TIME SHUTDOWN, and everybody's HELP. */
#include <stdio.h>

#include "server/server.h"
#include "server/words.h"

COMMAND(cmd_info) {
    struct buffer text;
    buffer_init(&text, call->server->allocator, (size_t)1 << 20);
    info_write(call->server, call->arguments + 1, call->count - 1, &text);
    reply_verbatim(call_reply(call), "txt", buffer_slice(&text));
    buffer_free(&text);
}

COMMAND(cmd_time) {
    const struct os *os = call->server->os;
    uint64_t now = os->wall_us(os);
    char text[32];
    reply_array(call_reply(call), 2);
    snprintf(text, sizeof text, "%llu", (unsigned long long)(now / 1000000));
    reply_text(call_reply(call), text);
    snprintf(text, sizeof text, "%llu", (unsigned long long)(now % 1000000));
    reply_text(call_reply(call), text);
}

/* The log is synced whatever the words are: SAVE and NOSAVE speak of snapshots. A shutdown
 * never waits for anybody, so there is none that ABORT could stop. */
COMMAND(cmd_shutdown) {
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
    notice(&call->server->notices, NOTICE_WARNING, "User requested shutdown...");
    server_stop(call->server, 0);
}

COMMAND(cmd_help) {
    const struct command *command = call->command;
    uint64_t rows = 0;
    for (const struct subcommand *row = command->subcommands; row->name; row++) rows++;
    char line[512], name[32];
    struct reply *reply = call_reply(call);
    reply_array(reply, 1 + 2 * rows);
    snprintf(name, sizeof name, "%s", command->name);
    for (char *c = name; *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 32);
    snprintf(line, sizeof line,
             "%s <subcommand> [<arg> [value] ...]. Subcommands are:", name);
    reply_status(reply, line);
    for (const struct subcommand *row = command->subcommands; row->name; row++) {
        char word[32];
        snprintf(word, sizeof word, "%s", row->name);
        for (char *c = word; *c; c++)
            if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 32);
        snprintf(line, sizeof line, "%s%s%s", word, row->synopsis[0] ? " " : "",
                 row->synopsis);
        reply_status(reply, line);
        snprintf(line, sizeof line, "    %s", row->summary);
        reply_status(reply, line);
    }
}
