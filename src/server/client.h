/* One connection's side of the conversation: who it is, and what it has queued. */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

#include "base/sha256.h"
#include "net/connection.h"
#include "server/acl_user.h"
#include "server/output_limits.h"

#define CLIENT_NAME_SIZE 128 /* with the NUL */

/* One queued command: itself, its arguments and their bytes in one block of `size` bytes.
 */
struct queued {
    struct queued *next;
    size_t size;
    const struct command *command;
    const struct slice *arguments;
    size_t count;
    /* Filled while EXEC plans: */
    uint32_t db;
    uint32_t changes; /* that it added to the batch */
    uint32_t dim;
    char *refusal; /* its error, CALL_REFUSAL_SIZE bytes, or NULL */
};

struct server;

struct queue {
    struct queued *first, *last;
    size_t count, bytes;
};

/* A key as WATCH found it. */
struct watch {
    uint8_t key[SHA256_SIZE];
    uint64_t version; /* kernel_key_version() */
};

/* WAIT or WAITAOF under way. */
struct wait {
    bool active;
    bool both;  /* WAITAOF: answer with what is synced here as well, */
    bool local; /* and wait for that */
    uint64_t sequence, replicas;
    uint64_t deadline_us; /* UINT64_MAX: none */
    struct client *next;
};

/* What it has said with REPLCONF. */
#define REPLICA_ADDRESS_SIZE 64
struct replica_words {
    uint32_t version; /* of the link that it speaks; 0: it has not said so */
    uint16_t port;
    char address[REPLICA_ADDRESS_SIZE]; /* empty: where it comes from */
};

struct client {
    struct server *server;
    struct connection *connection; /* the loop's; its owner is this client */
    uint64_t id;
    uint32_t db;
    bool authenticated;
    struct acl_user *user; /* whom it has shown to be; NULL: a stranger */
    bool waiting; /* `request` is in hand and must wait for another client's job */
    bool busy;    /* `request` is the running job */
    uint64_t awaits_signed; /* it waits until a log of this size is signed; or 0 */
    struct request request;
    bool in_multi, multi_dirty;
    struct watch *watches; /* keys of WATCH */
    size_t watch_count, watch_capacity;
    struct queue queue;
    struct replica_words words;
    struct replica *replica; /* it is fed from the log, or NULL */
    struct wait wait;
    struct subscription *subscriptions;
    uint32_t channels, patterns; /* of them */
    struct buffer pushes;        /* messages that wait for the end of a reply */
    uint64_t written; /* entries that its last write needs */
    uint64_t created_us; /* monotonic */
    uint64_t commands;
    enum acquaintance { STRANGER, KNOWN } counted_as;
    size_t counted;         /* bytes that the account has for it */
    uint64_t slow_since_us; /* over the soft output limit since then, or 0 */
    uint64_t input_bytes;   /* of its requests */
    size_t largest_output;  /* that waited, when it was looked at */
    bool no_evict, no_touch;
    bool reply_off;  /* CLIENT REPLY OFF */
    bool reply_skip; /* CLIENT REPLY SKIP was the last command */
    const struct command *last_command;
    const struct subcommand *last_subcommand;
    char name[CLIENT_NAME_SIZE], library[CLIENT_NAME_SIZE],
        library_version[CLIENT_NAME_SIZE];
};

/* Whom it has shown to be; a stranger counts as `default`, as in Redis. */
struct slice client_user_name(const struct client *client);

/* Whether the peer is on this machine. */
bool client_is_local(const struct client *client);

/* Have the next EXEC find every key of WATCH changed. */
void client_touch_watched(struct client *client);

/* Forget the keys of WATCH. */
void client_unwatch(struct client *client);

/* Leave MULTI and forget what was queued, and the keys of WATCH. */
void client_discard(struct client *client);

/* Database 0, RESP2, no name, no MULTI; authentication as for a new connection. */
void client_reset(struct client *client);

/* It has shown that it is `user`, or needs not: it gets its full limits. */
void client_authenticate(struct client *client, struct acl_user *user);
/* What it is for client-output-buffer-limit and CLIENT LIST TYPE. */
enum client_class client_class(const struct client *client);
/* Take the limits anew from the options. */
void client_apply_limits(struct client *client);

/* Bytes that it holds, its connection and its queue included. */
size_t client_memory(const struct client *client);

/* Its command is answered: decide whether the next one will be (CLIENT REPLY). */
void client_next_reply(struct client *client);

/* Append a copy of a command. STATUS_TOO_LARGE over `limit` bytes, STATUS_MEMORY. */
enum status queue_add(struct queue *queue, const struct allocator *allocator,
                      const struct command *command, const struct slice *arguments,
                      size_t count, size_t limit);
void queue_free(struct queue *queue, const struct allocator *allocator);

#endif
