/* COMMAND: the table, told to clients. */
#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "server/server.h"
#include "server/synopsis.h"
#include "server/words.h"

/* --- INFO ------------------------------------------------------------------------- */

static size_t flag_names(const struct command *command, const char *names[8]) {
    size_t count = 0;
    if (command->write) names[count++] = "write";
    if (command->read) names[count++] = "readonly";
    if (command->flags & COMMAND_DENY_OOM) names[count++] = "denyoom";
    if (command->flags & COMMAND_ADMIN) names[count++] = "admin";
    if (command->flags & COMMAND_LOADING) names[count++] = "loading";
    if (command->flags & COMMAND_FAST) names[count++] = "fast";
    if (command->flags & COMMAND_NO_AUTH) names[count++] = "no_auth";
    if (command->flags & COMMAND_NO_MULTI) names[count++] = "no_multi";
    return count;
}

static void reply_flag_set(struct reply *reply, const struct command *command) {
    const char *names[8];
    size_t count = flag_names(command, names);
    reply_set(reply, count);
    for (size_t i = 0; i < count; i++) reply_status(reply, names[i]);
}

static void reply_categories(struct reply *reply, const struct command *command,
                             const struct subcommand *subcommand) {
    size_t count = 0;
    while (command_category(command, subcommand, count)) count++;
    reply_set(reply, count);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "@%s", command_category(command, subcommand, i));
        reply_status(reply, name);
    }
}

/* What a command does to its keys, as its key specifications and GETKEYSANDFLAGS say. */
static void reply_key_flags(struct reply *reply, const struct command *command) {
    reply_set(reply, 2);
    reply_status(reply, command->write ? "RW" : "RO");
    reply_status(reply, command->write ? "update" : "access");
}

static void reply_key_specs(struct reply *reply, const struct command *command) {
    reply_array(reply, command->key_first ? 1 : 0);
    if (!command->key_first) return;
    reply_map(reply, 3);
    reply_text(reply, "flags");
    reply_key_flags(reply, command);
    reply_text(reply, "begin_search");
    reply_map(reply, 2);
    reply_text(reply, "type");
    reply_text(reply, "index");
    reply_text(reply, "spec");
    reply_map(reply, 1);
    reply_text(reply, "index");
    reply_integer(reply, command->key_first);
    reply_text(reply, "find_keys");
    reply_map(reply, 2);
    reply_text(reply, "type");
    reply_text(reply, "range");
    reply_text(reply, "spec");
    reply_map(reply, 3);
    reply_text(reply, "lastkey");
    reply_integer(reply,
                  command->key_last < 0 ? -1 : command->key_last - command->key_first);
    reply_text(reply, "keystep");
    reply_integer(reply, command->key_step);
    reply_text(reply, "limit");
    reply_integer(reply, 0);
}

/* The ten fields of COMMAND INFO; `subcommand` NULL for the command itself. */
static void reply_info(struct reply *reply, const struct command *command,
                       const struct subcommand *subcommand) {
    char name[COMMAND_NAME_SIZE];
    uint64_t rows = 0;
    command_name(command, subcommand, name);
    reply_array(reply, 10);
    reply_text(reply, name);
    reply_integer(reply, subcommand ? subcommand->arity : command->arity);
    reply_flag_set(reply, command);
    reply_integer(reply, subcommand ? 0 : command->key_first);
    reply_integer(reply, subcommand ? 0 : command->key_last);
    reply_integer(reply, subcommand ? 0 : command->key_step);
    reply_categories(reply, command, subcommand);
    reply_array(reply, 0); /* tips */
    reply_key_specs(reply, command);
    const struct subcommand *row = subcommand ? NULL : command->subcommands;
    for (const struct subcommand *r = row; r && r->name; r++) rows++;
    reply_array(reply, rows);
    for (; row && row->name; row++) reply_info(reply, command, row);
}

COMMAND(cmd_command) {
    reply_array(call_reply(call), command_count());
    for (size_t i = 0; i < command_count(); i++)
        reply_info(call_reply(call), command_at(i), NULL);
}

COMMAND(cmd_command_count) { reply_unsigned(call_reply(call), command_count()); }

COMMAND(cmd_command_info) {
    if (call->count == 2) {
        cmd_command(call);
        return;
    }
    reply_array(call_reply(call), call->count - 2);
    for (size_t i = 2; i < call->count; i++) {
        const struct subcommand *subcommand;
        const struct command *command = command_find_row(call->arguments[i], &subcommand);
        if (command) reply_info(call_reply(call), command, subcommand);
        else reply_null_array(call_reply(call));
    }
}

/* --- DOCS ------------------------------------------------------------------------- */

static void reply_docs_fields(struct reply *reply, const struct command *command,
                              const struct subcommand *subcommand) {
    const char *synopsis = subcommand ? subcommand->synopsis : command->synopsis;
    const struct subcommand *rows = subcommand ? NULL : command->subcommands;
    bool has_arguments = !rows && synopsis_count(synopsis) > 0;
    reply_map(reply, 3 + (uint64_t)has_arguments + (rows != NULL));
    reply_text(reply, "summary");
    reply_text(reply, subcommand ? subcommand->summary : command->summary);
    reply_text(reply, "since");
    reply_text(reply, command->since);
    reply_text(reply, "group");
    reply_text(reply, command->group);
    if (has_arguments) {
        reply_text(reply, "arguments");
        synopsis_reply(reply, synopsis);
    }
    if (!rows) return;
    uint64_t count = 0;
    for (const struct subcommand *row = rows; row->name; row++) count++;
    reply_text(reply, "subcommands");
    reply_map(reply, count);
    for (const struct subcommand *row = rows; row->name; row++) {
        char name[COMMAND_NAME_SIZE];
        command_name(command, row, name);
        reply_text(reply, name);
        reply_docs_fields(reply, command, row);
    }
}

static void reply_docs(struct reply *reply, const struct command *command,
                       const struct subcommand *subcommand) {
    char name[COMMAND_NAME_SIZE];
    command_name(command, subcommand, name);
    reply_text(reply, name);
    reply_docs_fields(reply, command, subcommand);
}

COMMAND(cmd_command_docs) {
    struct reply *reply = call_reply(call);
    const struct subcommand *subcommand;
    if (call->count == 2) {
        reply_map(reply, command_count());
        for (size_t i = 0; i < command_count(); i++)
            reply_docs(reply, command_at(i), NULL);
        return;
    }
    uint64_t count = 0;
    for (size_t i = 2; i < call->count; i++)
        count += command_find_row(call->arguments[i], &subcommand) != NULL;
    reply_map(reply, count);
    for (size_t i = 2; i < call->count; i++) {
        const struct command *command = command_find_row(call->arguments[i], &subcommand);
        if (command) reply_docs(reply, command, subcommand);
    }
}

/* --- LIST and GETKEYS ------------------------------------------------------------- */

static bool listed(const struct call *call, const struct command *command) {
    if (call->count == 2) return true;
    struct slice value = call->arguments[4];
    if (call_is(call, 3, "pattern"))
        return glob_match(value, slice_text(command->name), true);
    if (call_is(call, 3, "aclcat")) return command_in_category(command, NULL, value);
    if (word_is(value, "graph")) return strcmp(command->group, "graph") == 0;
    return word_is(value, "vectorset") && strcmp(command->group, "vector_set") == 0;
}

COMMAND(cmd_command_list) {
    bool filtered = call->count == 5 && call_is(call, 2, "filterby") &&
                    (call_is(call, 3, "pattern") || call_is(call, 3, "aclcat") ||
                     call_is(call, 3, "module"));
    if (call->count != 2 && !filtered) {
        call_error(call, "ERR syntax error");
        return;
    }
    if (filtered && !call_pattern(call, 4)) return;
    uint64_t count = 0;
    for (size_t i = 0; i < command_count(); i++) count += listed(call, command_at(i));
    reply_set(call_reply(call), count);
    for (size_t i = 0; i < command_count(); i++)
        if (listed(call, command_at(i)))
            reply_text(call_reply(call), command_at(i)->name);
}

/* The keys of the whole command that follows, each with its flags if asked. */
static void reply_keys(struct call *call, bool with_flags) {
    struct reply *reply = call_reply(call);
    const struct command *command = command_find(call->arguments[2]);
    size_t count = call->count - 2;
    if (!command) {
        call_error(call, "ERR Invalid command specified");
    } else if (!command->key_first) {
        call_error(call, "ERR The command has no key arguments");
    } else if (!arity_fits(command->arity, count)) {
        call_error(call, "ERR Invalid number of arguments specified for command");
    } else {
        const struct slice *arguments = call->arguments + 2;
        struct command_key key;
        uint64_t keys = 0;
        while (command_key(command, arguments, count, keys, &key)) keys++;
        reply_array(reply, keys);
        for (size_t i = 0; command_key(command, arguments, count, i, &key); i++) {
            if (with_flags) reply_array(reply, 2);
            reply_bulk(reply, arguments[key.place]);
            if (with_flags) reply_key_flags(reply, command);
        }
    }
}

COMMAND(cmd_command_getkeys) { reply_keys(call, false); }
COMMAND(cmd_command_getkeysandflags) { reply_keys(call, true); }
