/* CONFIG: what is set, setting it, and writing it down.
 *
 * CONFIG SET works on a copy of all options: the copy takes every pair or is thrown away,
 * so that half of a command never takes effect. */
#include <inttypes.h>
#include <stdio.h>

#include "base/glob.h"
#include "server/files.h"
#include "server/server.h"
#include "server/words.h"

/* --- GET -------------------------------------------------------------------------- */

static bool asked_for(const struct call *call, const char *name) {
    for (size_t i = 2; i < call->count; i++)
        if (glob_match(call->arguments[i], slice_text(name), true)) return true;
    return false;
}

COMMAND(cmd_config_get) {
    size_t found = 0;
    for (size_t i = 2; i < call->count; i++)
        if (!call_pattern(call, i)) return;
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

/* --- SET -------------------------------------------------------------------------- */

static void set_failed(struct call *call, struct slice name, const char *why) {
    char quoted[128];
    call_error(call, "ERR CONFIG SET failed (possibly related to argument '%s') - %s",
               call_quote(name, quoted, sizeof quoted), why);
}

static bool may_change_protected(const struct call *call) {
    int64_t access = call->server->options.enable_protected_configs;
    return access == ACCESS_YES ||
           (access == ACCESS_LOCAL && call->client && client_is_local(call->client));
}

static bool is_repeated(const struct call *call, size_t index) {
    for (size_t i = 2; i < index; i += 2)
        if (option_find(call->arguments[i]) == option_find(call->arguments[index]))
            return true;
    return false;
}

/* Look at the pair at `index`, without its value. */
static const char *pair_complaint(const struct call *call, size_t index,
                                  const struct option *option) {
    if (option->flags & OPTION_IMMUTABLE) return "can't set immutable config";
    if (option->flags & OPTION_PROTECTED && !may_change_protected(call))
        return "can't set protected config";
    return is_repeated(call, index) ? "duplicate parameter" : NULL;
}

static bool set_pairs(struct call *call, struct options *options) {
    for (size_t i = 2; i < call->count; i += 2) {
        struct slice name = call->arguments[i];
        const struct option *option = option_find(name);
        if (!option) {
            char quoted[128];
            call_error(call,
                       "ERR Unknown option or number of arguments for CONFIG SET - '%s'",
                       call_quote(name, quoted, sizeof quoted));
            return false;
        }
        char why[OPTION_MESSAGE_SIZE];
        const char *complaint = pair_complaint(call, i, option);
        if (!complaint && option_set_text(options, option, call->arguments[i + 1], why))
            complaint = why;
        if (complaint) {
            set_failed(call, name, complaint);
            return false;
        }
    }
    const char *conflict = options_conflict(options);
    if (conflict) set_failed(call, call->arguments[2], conflict);
    return conflict == NULL;
}

/* Everything that holds a copy of an option; the rest reads server->options. */
static void take_effect(struct server *server) {
    const struct options *options = &server->options;
    engine_set_sync_policy(server->engine, (enum sync_policy)options->appendfsync);
    engine_set_seal_limits(server->engine, (uint64_t)options->seal_interval_ms * 1000,
                           (uint64_t)options->seal_dirty_max);
    engine_set_trim(server->engine, options->log_trim, (uint64_t)options->log_keep_size);
    server->notices.level = (enum notice_level)options->loglevel;
    acl_forget(server);
    clients_apply_options(server);
}

/* More clients than the system has descriptors for are refused while somebody listens. */
static bool clients_fit(struct call *call, const struct options *options) {
    char why[OPTION_MESSAGE_SIZE];
    if (options->maxclients <= call->server->options.maxclients) return true;
    uint64_t wanted = (uint64_t)options->maxclients + RESERVED_DESCRIPTORS;
    uint64_t allowed = os_allow_descriptors(wanted);
    if (allowed >= wanted) return true;
    snprintf(
        why, sizeof why,
        "The operating system is not able to handle the specified number of clients, "
        "try with %" PRIu64,
        allowed > RESERVED_DESCRIPTORS ? allowed - RESERVED_DESCRIPTORS : 1);
    set_failed(call, slice_text("maxclients"), why);
    return false;
}

COMMAND(cmd_config_set) {
    struct options options = call->server->options;
    if (call->count % 2 != 0) {
        call_error(call, "ERR syntax error");
        return;
    }
    if (!set_pairs(call, &options) || !clients_fit(call, &options)) return;
    call->server->options = options;
    take_effect(call->server);
    reply_ok(call_reply(call));
}

/* --- RESETSTAT -------------------------------------------------------------------- */

COMMAND(cmd_config_resetstat) {
    info_reset(call->server);
    reply_ok(call_reply(call));
}

/* --- REWRITE ---------------------------------------------------------------------- */

/* A file that is gone counts as empty. */
static enum status rewrite(struct server *server) {
    const struct os *os = server->os;
    const char *path = server->options_path;
    struct option_sources sources = {.allocator = server->allocator,
                                     .complaints = stderr};
    struct buffer before, after;
    uint32_t mode = 0600;
    buffer_init(&before, server->allocator, FILES_SIZE_MAX);
    buffer_init(&after, server->allocator, FILES_SIZE_MAX);
    enum status status = file_text(os, path, &mode, &before);
    if (status == STATUS_NOT_FOUND) status = STATUS_OK;
    if (!status)
        status =
            options_rewritten(&server->options, &sources, buffer_slice(&before), &after);
    if (!status) status = file_replace(os, path, mode, buffer_slice(&after));
    buffer_free(&before);
    buffer_free(&after);
    return status;
}

COMMAND(cmd_config_rewrite) {
    struct server *server = call->server;
    if (!server->options_path) {
        call_error(call, "ERR The server is running without a config file");
        return;
    }
    enum status status = rewrite(server);
    if (status) {
        const char *why = status == STATUS_IO || status == STATUS_NO_SPACE
                              ? server->os->error_text(server->os)
                              : status_name(status);
        notice(&server->notices, NOTICE_WARNING, "CONFIG REWRITE failed: %s", why);
        call_error(call, "ERR Rewriting config file: %s", why);
        return;
    }
    notice(&server->notices, NOTICE_NORMAL, "CONFIG REWRITE executed with success.");
    reply_ok(call_reply(call));
}
