/* Our replicas: those who have asked for the log with PSYNC and are fed from it.
 *
 * Each one has a cursor in the log's files; there is no backlog, and what waits for a slow
 * one is bounded. Only durable entries leave. After each SEAL, and whenever a replica has
 * all there is, the log root goes along, made from what was read. */
#ifndef SERVER_REPLICAS_H
#define SERVER_REPLICAS_H

#include "base/siphash.h"
#include "engine/log_access.h"
#include "server/client.h"

struct replica {
    struct replica *next;
    struct client *client;
    struct log_cursor cursor;
    struct rfc6962_range tree; /* over what was sent, and what it had before */
    uint8_t key[SIPHASH_KEY_SIZE];
    uint64_t acknowledged; /* entries that it has synced */
    uint64_t heard_us;     /* its last REPLCONF ACK */
    uint64_t said_us;      /* our last message */
    bool owes_root;        /* entries were sent since the last root */
};

/* Begin to feed `client` behind the first range->size entries. STATUS_MEMORY, or a failure of
 * log_cursor_seek(). */
enum status replicas_add(struct server *server, struct client *client,
                         const struct rfc6962_range *range);
/* The client goes, and its replica. Does nothing for others. */
void replicas_forget(struct server *server, struct client *client);
/* Close them all: the log is about to be closed, or is another one. */
void replicas_close(struct server *server);

/* Once per turn: give each what it can take. True: there is more to do now. */
bool replicas_feed(struct server *server);
/* Close who has not been heard of for repl-timeout. */
void replicas_look(struct server *server);

/* `client` has synced the first `count` entries. */
void replicas_acknowledge(struct server *server, struct client *client, uint64_t count);
/* How many have synced that many entries. */
uint64_t replicas_synced(const struct server *server, uint64_t count);
uint64_t replicas_count(const struct server *server);
/* How many were heard of within min-replicas-max-lag. */
uint64_t replicas_good(const struct server *server);
/* Whether writes may begin, by min-replicas-to-write and min-replicas-durable. */
bool replicas_suffice(const struct server *server);
/* Entries that clients may be told of: engine_acknowledged(), and as many as
 * min-replicas-durable replicas have. */
uint64_t replicas_released(const struct server *server);

/* Where clients reach it. */
void replica_address(const struct replica *replica, char address[REPLICA_ADDRESS_SIZE]);

#endif
