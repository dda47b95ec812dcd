#include "server/acl.h"

#include <stdio.h>

#include "server/acl_file.h"
#include "server/server.h"
#include "server/words.h"

/* --- The set of users -------------------------------------------------------------- */

static void free_users(struct acl_user *user) {
    while (user) {
        struct acl_user *next = user->next;
        acl_user_free(user);
        user = next;
    }
}

static struct slice name_of(const struct acl_user *user) {
    return slice_of(user->name, user->name_size);
}

static struct acl_user *find(struct acl_user *users, struct slice name) {
    for (struct acl_user *user = users; user; user = user->next)
        if (slice_equal(name_of(user), name)) return user;
    return NULL;
}

/* Add a user whose rules are `text`. False: they are not rules of this release, or there
 * is no memory; the user then has no right at all. */
static bool add(struct server *server, struct acl_user **users, struct slice name,
                struct slice text) {
    struct acl_user *user = acl_user_make(server->allocator, name);
    if (!user) return false;
    bool good = !acl_user_rules(user, text);
    if (!good) (void)acl_user_rule(user, slice_text("reset"));
    while (*users && slice_compare(name_of(*users), name) < 0) users = &(*users)->next;
    user->next = *users;
    *users = user;
    return good;
}

static bool add_standard(struct server *server, struct acl_user **users) {
    char text[32 + 2 * SHA256_SIZE];
    const char *password = server->options.requirepass;
    if (password[0]) {
        uint8_t digest[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        sha256(password, strlen(password), digest);
        hex_text(digest, sizeof digest, hex);
        snprintf(text, sizeof text, "on #%s ~* &* +@all", hex);
    } else {
        snprintf(text, sizeof text, "on nopass ~* &* +@all");
    }
    return add(server, users, slice_text("default"), slice_text(text));
}

/* All users, from the state's records; from the options alone while the log is read. */
static struct acl_user *make_users(struct server *server) {
    const struct state *state = engine_state(server->engine);
    struct acl_user *users = NULL;
    struct system_record record;
    bool good = true;
    uint32_t row = server->loading ? UINT32_MAX : state_system_next(state, 0, &record);
    for (; row != UINT32_MAX; row = state_system_next(state, row + 1, &record))
        if (record.kind == SYSTEM_USER && record.id.size <= ACL_NAME_MAX)
            good &= add(server, &users, record.id, record.value);
    if (!find(users, slice_text("default"))) good &= add_standard(server, &users);
    if (!good)
        notice(&server->notices, NOTICE_WARNING,
               "ACL: a user's rules could not be used whole; the user has no rights");
    return users;
}

/* --- Keeping it up to date --------------------------------------------------------- */

struct change_of_users {
    struct server *server;
    struct acl_user *users;
    bool loaded; /* for the first time: who came meanwhile was taken for `default` */
};

static bool follow(void *context, struct connection *connection) {
    const struct change_of_users *change = context;
    struct client *client = connection->owner;
    if (!client) return true;
    if (!client->user) { /* without a password everybody is known, also who came before */
        if (acl_is_open(change->server))
            client_authenticate(client, change->server->acl.standard);
        return true;
    }
    struct slice name = name_of(client->user);
    bool was_standard = slice_equal(name, slice_text("default"));
    client->user = find(change->users, name);
    if (!client->user) loop_close(change->server->loop, connection);
    else if (change->loaded && was_standard &&
             !(client->user->enabled && client->user->without_password))
        client_reset(client);
    return true;
}

void acl_refresh(struct server *server) {
    struct acl *acl = &server->acl;
    uint64_t version =
        server->loading ? 1 : kernel_system_version(engine_kernel(server->engine)) + 2;
    if (acl->version == version) return;
    struct change_of_users change = {.server = server, .users = make_users(server)};
    change.loaded = !server->loading && !acl->loaded;
    acl->standard = find(change.users, slice_text("default"));
    acl->version = version;
    acl->loaded = !server->loading;
    struct acl_user *before = acl->users;
    acl->users = change.users;
    loop_each(server->loop, follow, &change);
    free_users(before);
}

void acl_forget(struct server *server) { server->acl.version = 0; }

void acl_begin(struct server *server) {
    buffer_init(&server->acl.text, server->allocator, ACL_TEXT_MAX);
}

void acl_free(struct server *server) {
    buffer_free(&server->acl.text);
    acl_log_reset(server);
    free_users(server->acl.users);
    server->acl.users = server->acl.standard = NULL;
}

/* --- The file ---------------------------------------------------------------------- */

/* Log and apply the planned changes, in one go: nobody is served yet. */
static enum status submit_now(struct server *server, struct plan *plan) {
    uint64_t sequence;
    struct batch_event event;
    enum status status = STATUS_OK;
    if (plan->count == 0) return STATUS_OK;
    do {
        status = engine_batch_submit(server->engine, plan->batch, &sequence);
    } while (status == STATUS_AGAIN);
    while (!status && !engine_batch_next(server->engine, &event)) continue;
    return status;
}

bool acl_apply_file(struct server *server) {
    char why[ACL_FILE_MESSAGE_SIZE];
    struct acl_file file;
    struct batch batch;
    struct plan plan;
    if (!server->options.aclfile[0]) return true;
    if (!acl_file_read(server->os, server->allocator, server->options.aclfile, &file,
                       why)) {
        notice(&server->notices, NOTICE_WARNING, "%s", why);
        fprintf(stderr, "%s\n", why);
        return false;
    }
    const struct state *state = engine_state(server->engine);
    batch_begin(&batch, server->allocator, BATCH_BYTES_MAX);
    plan_begin(&plan, &server->options, state, &batch, NULL);
    enum status status = acl_file_plan(&file, state, &plan);
    if (!status) status = submit_now(server, &plan);
    batch_free(&batch);
    acl_file_free(&file);
    if (status) fprintf(stderr, "cannot apply aclfile: %s\n", status_name(status));
    return !status;
}

/* --- Asking ------------------------------------------------------------------------ */

struct acl_user *acl_find(const struct server *server, struct slice name) {
    return find(server->acl.users, name);
}

bool acl_is_open(const struct server *server) {
    const struct acl_user *user = server->acl.standard;
    return user && user->enabled && user->without_password;
}

struct acl_user *acl_login(const struct server *server, struct slice name,
                           struct slice password) {
    uint8_t digest[SHA256_SIZE];
    sha256(password.data, password.size, digest);
    struct acl_user *user = acl_find(server, name);
    const struct acl_user *asked = user ? user : server->acl.standard;
    bool right = asked && acl_user_password(asked, digest);
    if (!user || !user->enabled) return NULL;
    return right || user->without_password ? user : NULL;
}

enum acl_verdict acl_check(const struct client *client, const struct command *command,
                           const struct subcommand *subcommand,
                           const struct slice *arguments, size_t count, size_t *place) {
    if (!client->user) return ACL_ALLOWED; /* a stranger: only what needs no password */
    if (acl_user_allows_all(client->user)) return ACL_ALLOWED;
    return acl_user_check(client->user, command, subcommand, arguments, count, place);
}
