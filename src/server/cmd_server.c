/* The server as a whole: INFO TIME, and everybody's HELP. */
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
