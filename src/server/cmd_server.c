/* The server as a whole: INFO TIME SHUTDOWN CONFIG GET, and everybody's HELP. */
#include <stdio.h>

#include "base/glob.h"
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

/* The log is synced whatever the words are: SAVE and NOSAVE speak of snapshots. */
COMMAND(cmd_shutdown) {
    for (size_t i = 1; i < call->count; i++) {
        if (call_is(call, i, "nosave") || call_is(call, i, "save") ||
            call_is(call, i, "now") || call_is(call, i, "force"))
            continue;
        call_error(call, "ERR syntax error");
        return;
    }
    notice(&call->server->notices, NOTICE_WARNING, "User requested shutdown...");
    server_stop(call->server, 0);
}

static bool asked_for(const struct call *call, const char *name) {
    for (size_t i = 2; i < call->count; i++)
        if (glob_match(call->arguments[i], slice_text(name), true)) return true;
    return false;
}

COMMAND(cmd_config_get) {
    size_t found = 0;
    for (size_t i = 2; i < call->count; i++)
        if (call->arguments[i].size > GLOB_PATTERN_LIMIT) {
            call_error(call, "ERR pattern is too long");
            return;
        }
    for (size_t i = 0; i < option_count(); i++)
        found += asked_for(call, option_at(i)->name);
    reply_map(call_reply(call), found);
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *option = option_at(i);
        if (!asked_for(call, option->name)) continue;
        char text[OPTION_TEXT_SIZE];
        option_text(&call->server->options, option, text);
        reply_text(call_reply(call), option->name);
        reply_text(call_reply(call), text);
    }
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
