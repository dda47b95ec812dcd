/* Who may do what: the users of this server, and what they were denied.
 *
 * Users are system records of the state (docs/format.md 7), so that the log, replicas and
 * backups have them; this is what the server makes of them. `default` is there without a
 * record too, and then has the password of `requirepass`. Until the log is read nobody
 * else is known. */
#ifndef SERVER_ACL_H
#define SERVER_ACL_H

#include "server/acl_user.h"

struct client;
struct server;

/* One thing that was denied, for ACL LOG; the same again within a minute is counted. */
struct acl_event {
    struct acl_event *next; /* the one before */
    const char *reason, *context;
    char object[128], user[ACL_NAME_MAX + 1], client[1280];
    uint64_t id, count, created_ms, updated_ms;
};

struct acl {
    struct acl_user *users;    /* by name */
    struct acl_user *standard; /* of them, `default` */
    uint64_t version;          /* kernel_system_version() that they were made of, + 1 */
    struct buffer text;        /* of the user whose record is being written */
    bool loaded;               /* they were made of a state that was whole */
    struct acl_event *events;  /* the newest first */
    uint64_t event_count, next_event;
};

/* Bring the users up to date with state and options: before they are asked. Cheap when
 * nothing has changed. Connections of users that are gone are closed. */
void acl_refresh(struct server *server);
/* Options that users follow from have changed. */
void acl_forget(struct server *server);
void acl_begin(struct server *server);
void acl_free(struct server *server);
/* The state is whole: make its users those of `aclfile`, if there is one. False, and a
 * line on stderr says why, when the file will not do. */
bool acl_apply_file(struct server *server);

/* NULL when there is none. */
struct acl_user *acl_find(const struct server *server, struct slice name);
/* Whether `default` needs no password. */
bool acl_is_open(const struct server *server);
/* The user with this name and password, if enabled; otherwise NULL. It takes as long for
 * a name that nobody has. */
struct acl_user *acl_login(const struct server *server, struct slice name,
                           struct slice password);

/* May the client run this now? With ACL_NO_KEY and ACL_NO_CHANNEL *place is the argument.
 */
enum acl_verdict acl_check(const struct client *client, const struct command *command,
                           const struct subcommand *subcommand,
                           const struct slice *arguments, size_t count, size_t *place);

/* --- acl_log.c -------------------------------------------------------------------- */

/* Note a denial: `reason` is command, key, channel or auth; `user` is whose it would have
 * been. */
void acl_log_note(struct server *server, const struct client *client, const char *reason,
                  struct slice object, struct slice user);
void acl_log_reset(struct server *server);

#endif
