/* ACL, as far as it only looks. */
#include <stdio.h>

#include "server/server.h"
#include "server/words.h"

#define GENPASS_BITS     256
#define GENPASS_BITS_MAX 4096
#define LOG_SHOWN        10

static struct slice name_of(const struct acl_user *user) {
    return slice_of(user->name, user->name_size);
}

static uint64_t count_users(const struct server *server) {
    uint64_t count = 0;
    for (const struct acl_user *user = server->acl.users; user; user = user->next)
        count++;
    return count;
}

COMMAND(cmd_acl_whoami) { reply_bulk(call_reply(call), client_user_name(call->client)); }

COMMAND(cmd_acl_users) {
    reply_array(call_reply(call), count_users(call->server));
    for (const struct acl_user *user = call->server->acl.users; user; user = user->next)
        reply_bulk(call_reply(call), name_of(user));
}

COMMAND(cmd_acl_list) {
    struct buffer line;
    buffer_init(&line, call->server->allocator, 2 * (size_t)ACL_TEXT_MAX);
    reply_array(call_reply(call), count_users(call->server));
    for (const struct acl_user *user = call->server->acl.users; user; user = user->next) {
        buffer_clear(&line);
        enum status status = acl_user_line(user, &line);
        if (status) (void)buffer_append(&line, "?", 1);
        reply_bulk(call_reply(call), buffer_slice(&line));
    }
    buffer_free(&line);
}

/* --- GETUSER ----------------------------------------------------------------------- */

static void reply_rules(struct reply *reply, const struct acl_selector *selector) {
    struct slice rules = buffer_slice(&selector->rules);
    bool whole = rules.size && (memcmp(rules.data, "+@all", 5) == 0 ||
                                memcmp(rules.data, "-@all", 5) == 0);
    struct buffer text;
    buffer_init(&text, selector->rules.allocator, ACL_TEXT_MAX + 8);
    if (!whole) (void)buffer_append(&text, "-@all", 5);
    if (!whole && rules.size) (void)buffer_append(&text, " ", 1);
    if (rules.size) (void)buffer_append(&text, rules.data, rules.size);
    reply_text(reply, "commands");
    reply_bulk(reply, buffer_slice(&text));
    reply_text(reply, "keys");
    reply_bulk(reply, buffer_slice(&selector->keys));
    reply_text(reply, "channels");
    reply_bulk(reply, buffer_slice(&selector->channels));
    buffer_free(&text);
}

COMMAND(cmd_acl_getuser) {
    struct reply *reply = call_reply(call);
    const struct acl_user *user = acl_find(call->server, call->arguments[2]);
    if (!user) {
        reply_null(reply);
        return;
    }
    reply_map(reply, 6);
    reply_text(reply, "flags");
    reply_set(reply, 2 + (uint64_t)user->without_password);
    reply_text(reply, user->enabled ? "on" : "off");
    if (user->without_password) reply_text(reply, "nopass");
    reply_text(reply, "sanitize-payload");
    reply_text(reply, "passwords");
    struct slice all = buffer_slice(&user->passwords);
    reply_array(reply, all.size / SHA256_SIZE);
    for (size_t at = 0; at < all.size; at += SHA256_SIZE) {
        char hex[2 * SHA256_SIZE + 1];
        hex_text(all.data + at, SHA256_SIZE, hex);
        reply_text(reply, hex);
    }
    reply_rules(reply, &user->root);
    uint64_t count = 0;
    const struct acl_selector *selector;
    for (selector = user->selectors; selector; selector = selector->next) count++;
    reply_text(reply, "selectors");
    reply_array(reply, count);
    for (selector = user->selectors; selector; selector = selector->next) {
        reply_map(reply, 3);
        reply_rules(reply, selector);
    }
}

/* --- CAT --------------------------------------------------------------------------- */

/* Name, or count, every command of a category. */
static uint64_t walk_category(struct reply *reply, struct slice category) {
    uint64_t count = 0;
    char name[COMMAND_NAME_SIZE];
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *command = command_at(i);
        const struct subcommand *row = command->subcommands;
        bool whole = command->run || command->read || command->write;
        if (whole && command_in_category(command, NULL, category)) {
            count++;
            if (reply) reply_text(reply, command->name);
        }
        for (; row && row->name; row++) {
            if (!command_in_category(command, row, category)) continue;
            count++;
            command_name(command, row, name);
            if (reply) reply_text(reply, name);
        }
    }
    return count;
}

COMMAND(cmd_acl_cat) {
    struct reply *reply = call_reply(call);
    const char *name;
    uint64_t count = 0;
    if (call->count == 2) {
        while (command_category_name(count)) count++;
        reply_array(reply, count);
        for (size_t i = 0; (name = command_category_name(i)); i++)
            reply_text(reply, name);
        return;
    }
    for (size_t i = 0; (name = command_category_name(i)); i++)
        if (word_is(call->arguments[2], name)) break;
    if (!name) {
        char word[64];
        call_error(call, "ERR Unknown category '%s'",
                   call_quote(call->arguments[2], word, sizeof word));
        return;
    }
    reply_array(reply, walk_category(NULL, slice_text(name)));
    (void)walk_category(reply, slice_text(name));
}

/* --- GENPASS and DRYRUN ------------------------------------------------------------ */

COMMAND(cmd_acl_genpass) {
    int64_t bits = GENPASS_BITS;
    uint8_t bytes[GENPASS_BITS_MAX / 8];
    char hex[GENPASS_BITS_MAX / 4 + 1];
    if (call->count == 3 && !word_integer(call->arguments[2], &bits)) {
        call_error(call, "ERR value is not an integer or out of range");
        return;
    }
    if (bits <= 0 || bits > GENPASS_BITS_MAX) {
        call_error(call,
                   "ERR ACL GENPASS argument must be the number of bits for the output "
                   "password, a positive number up to 4096");
        return;
    }
    size_t digits = ((size_t)bits + 3) / 4;
    call->server->os->random(call->server->os, bytes, sizeof bytes);
    hex_text(bytes, sizeof bytes, hex);
    reply_bulk(call_reply(call), slice_of(hex, digits));
}

static void reply_verdict(struct call *call, enum acl_verdict verdict, struct slice user,
                          const char *command, struct slice object) {
    char name[ACL_NAME_MAX + 1], word[128], text[600];
    call_quote(user, name, sizeof name);
    call_quote(object, word, sizeof word);
    if (verdict == ACL_ALLOWED) {
        reply_ok(call_reply(call));
        return;
    }
    if (verdict == ACL_NO_COMMAND)
        snprintf(text, sizeof text, "User %s has no permissions to run the '%s' command",
                 name, command);
    else
        snprintf(text, sizeof text, "User %s has no permissions to access the '%s' %s",
                 name, word, verdict == ACL_NO_KEY ? "key" : "channel");
    reply_text(call_reply(call), text);
}

COMMAND(cmd_acl_dryrun) {
    char word[128], name[COMMAND_NAME_SIZE];
    struct slice user_name = call->arguments[2];
    const struct acl_user *user = acl_find(call->server, user_name);
    if (!user) {
        call_error(call, "ERR User '%s' not found",
                   call_quote(user_name, word, sizeof word));
        return;
    }
    const struct slice *arguments = call->arguments + 3;
    size_t count = call->count - 3, place = 0;
    const struct command *command = command_find(arguments[0]);
    const struct subcommand *subcommand = NULL;
    if (command && command->subcommands && count > 1)
        subcommand = subcommand_find(command, arguments[1]);
    if (!command || (command->subcommands && count > 1 && !subcommand)) {
        call_error(call, "ERR Command '%s' not found",
                   call_quote(arguments[0], word, sizeof word));
        return;
    }
    command_name(command, subcommand, name);
    if (!arity_fits(subcommand ? subcommand->arity : command->arity, count)) {
        call_error(call, "ERR wrong number of arguments for '%s' command", name);
        return;
    }
    enum acl_verdict verdict =
        acl_user_check(user, command, subcommand, arguments, count, &place);
    reply_verdict(call, verdict, user_name, name, arguments[place]);
}

/* --- LOG --------------------------------------------------------------------------- */

static void reply_event(struct reply *reply, const struct acl_event *event,
                        uint64_t now_ms) {
    reply_map(reply, 10);
    reply_text(reply, "count");
    reply_unsigned(reply, event->count);
    reply_text(reply, "reason");
    reply_text(reply, event->reason);
    reply_text(reply, "context");
    reply_text(reply, event->context);
    reply_text(reply, "object");
    reply_text(reply, event->object);
    reply_text(reply, "username");
    reply_text(reply, event->user);
    reply_text(reply, "age-seconds");
    uint64_t age = now_ms > event->created_ms ? now_ms - event->created_ms : 0;
    reply_double(reply, (double)age / 1000);
    reply_text(reply, "client-info");
    reply_text(reply, event->client);
    reply_text(reply, "entry-id");
    reply_unsigned(reply, event->id);
    reply_text(reply, "timestamp-created");
    reply_unsigned(reply, event->created_ms);
    reply_text(reply, "timestamp-last-updated");
    reply_unsigned(reply, event->updated_ms);
}

COMMAND(cmd_acl_log) {
    struct server *server = call->server;
    int64_t wanted = LOG_SHOWN;
    if (call->count == 3 && call_is(call, 2, "reset")) {
        acl_log_reset(server);
        reply_ok(call_reply(call));
        return;
    }
    if (call->count == 3 && !word_integer(call->arguments[2], &wanted)) {
        call_error(call, "ERR value is not an integer or out of range");
        return;
    }
    uint64_t count = wanted > 0 ? (uint64_t)wanted : 0;
    if (count > server->acl.event_count) count = server->acl.event_count;
    uint64_t now_ms = server->os->wall_us(server->os) / 1000;
    reply_array(call_reply(call), count);
    const struct acl_event *event = server->acl.events;
    for (; count > 0; count--, event = event->next)
        reply_event(call_reply(call), event, now_ms);
}
