/* ACL, as far as it changes users: each change is a system record of the log. */
#include <stdio.h>

#include "server/acl_file.h"
#include "server/plan.h"
#include "server/server.h"
#include "server/words.h"

/* --- SETUSER ----------------------------------------------------------------------- */

static bool name_fits(struct call *call, struct slice name) {
    bool blank = false;
    for (size_t i = 0; i < name.size; i++)
        blank |= name.data[i] == 0 || name.data[i] == ' ' ||
                 (name.data[i] >= '\t' && name.data[i] <= '\r');
    if (blank) call_error(call, "ERR Usernames can't contain spaces or null characters");
    else if (name.size > ACL_NAME_MAX)
        call_error(call, "ERR Usernames can't be longer than 256 bytes");
    return !blank && name.size <= ACL_NAME_MAX;
}

static void refuse_rule(struct call *call, struct slice rule, const char *complaint) {
    char word[256];
    call_error(call, "ERR Error in ACL SETUSER modifier '%s': %s",
               call_quote(rule, word, sizeof word), complaint);
}

/* The rule at `*at`: one argument, or for a selector all that its brackets hold, with
 * blanks between, in `joined`. False, with the error answered, when they are not closed.
 */
static bool next_rule(struct call *call, size_t *at, struct buffer *joined,
                      struct slice *rule) {
    struct slice first = call->arguments[*at];
    *rule = call->arguments[(*at)++];
    if (first.size == 0 || first.data[0] != '(') return true;
    struct slice part = first;
    buffer_clear(joined);
    enum status status = buffer_append(joined, first.data, first.size);
    while (!status && (part.size == 0 || part.data[part.size - 1] != ')')) {
        if (*at == call->count) {
            char word[128];
            call_error(call,
                       "ERR Unmatched parenthesis in acl selector starting at '%s'.",
                       call_quote(first, word, sizeof word));
            return false;
        }
        part = call->arguments[(*at)++];
        status = buffer_append(joined, " ", 1);
        if (!status) status = buffer_append(joined, part.data, part.size);
    }
    *rule = buffer_slice(joined);
    if (status) refuse_rule(call, first, "Rules too long");
    return !status;
}

static bool apply_arguments(struct call *call, struct acl_user *user) {
    struct buffer joined;
    struct slice rule;
    bool good = true;
    buffer_init(&joined, call->server->allocator, ACL_TEXT_MAX);
    for (size_t at = 3; good && at < call->count;) {
        good = next_rule(call, &at, &joined, &rule);
        const char *complaint = good ? acl_user_rule(user, rule) : NULL;
        if (complaint) refuse_rule(call, rule, complaint);
        good &= complaint == NULL;
    }
    buffer_free(&joined);
    return good;
}

/* What the user is now, or a new one. NULL without memory. */
static struct acl_user *copy_of(struct server *server, struct slice name) {
    const struct acl_user *now = acl_find(server, name);
    struct acl_user *copy = acl_user_make(server->allocator, name);
    struct buffer *text = &server->acl.text;
    if (!copy || !now) return copy;
    buffer_clear(text);
    if (acl_user_text(now, text) || acl_user_rules(copy, buffer_slice(text))) {
        acl_user_free(copy);
        return NULL;
    }
    return copy;
}

/* The user's text stays in server->acl.text until the plan is submitted. */
static enum plan_result plan_user(struct call *call, struct plan *plan,
                                  const struct acl_user *user) {
    struct buffer *text = &call->server->acl.text;
    buffer_clear(text);
    if (acl_user_text(user, text)) {
        call_error(call, "ERR The rules of a user can't be longer than 65536 bytes");
        return PLAN_REFUSED;
    }
    struct change change = {.type = CHANGE_SYSTEM,
                            .flags = CHANGE_ATTRIBUTES,
                            .db = SYSTEM_USER,
                            .key = call->arguments[2],
                            .attributes = buffer_slice(text)};
    enum status status = plan_add(plan, &change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

WRITE(cmd_acl_setuser) {
    (void)state;
    struct slice name = call->arguments[2];
    if (!name_fits(call, name)) return PLAN_REFUSED;
    struct acl_user *user = copy_of(call->server, name);
    if (!user) return plan_fail(call, STATUS_MEMORY);
    enum plan_result result =
        apply_arguments(call, user) ? plan_user(call, plan, user) : PLAN_REFUSED;
    acl_user_free(user);
    return result;
}

/* --- DELUSER ----------------------------------------------------------------------- */

WRITE(cmd_acl_deluser) {
    for (size_t i = 2; i < call->count; i++)
        if (slice_equal(call->arguments[i], slice_text("default"))) {
            call_error(call, "ERR The 'default' user cannot be removed");
            return PLAN_REFUSED;
        }
    for (size_t i = 2; i < call->count; i++) {
        struct change change = {
            .type = CHANGE_SYSTEM, .db = SYSTEM_USER, .key = call->arguments[i]};
        struct slice value;
        if (!state_system_find(state, SYSTEM_USER, change.key, &value)) continue;
        enum status status = plan_add(plan, &change);
        if (status) return plan_fail(call, status);
    }
    return PLAN_DONE;
}

/* --- The file ---------------------------------------------------------------------- */

static bool has_file(struct call *call) {
    if (call->server->options.aclfile[0]) return true;
    call_error(call, "ERR This server is not configured to use an ACL file: set aclfile. "
                     "Users that ACL SETUSER makes are kept by the log.");
    return false;
}

WRITE(cmd_acl_load) {
    char why[ACL_FILE_MESSAGE_SIZE];
    struct acl_file file;
    if (!has_file(call)) return PLAN_REFUSED;
    struct server *server = call->server;
    if (!acl_file_read(server->os, server->allocator, server->options.aclfile, &file,
                       why)) {
        call_error(call, "ERR %s", why);
        return PLAN_REFUSED;
    }
    enum status status = acl_file_plan(&file, state, plan);
    acl_file_free(&file);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

COMMAND(cmd_acl_save) {
    struct server *server = call->server;
    if (!has_file(call)) return;
    enum status status = acl_file_write(server->os, server->allocator,
                                        server->options.aclfile, server->acl.users);
    if (!status) reply_ok(call_reply(call));
    else
        call_error(call, "ERR There was an error trying to save the ACLs: %s",
                   server->os->error_text(server->os));
}
