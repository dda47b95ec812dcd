/* The link to our primary, while we are a replica: connecting, the handshake, and the
 * entries that come.
 *
 * An entry is checked, appended and applied by engine_follow(); log roots and SEALs are
 * compared with our own. At the first difference the replica keeps the evidence and stops
 * serving data (docs/replication.md). */
#ifndef SERVER_REPLICA_LINK_H
#define SERVER_REPLICA_LINK_H

#include "base/siphash.h"
#include "engine/engine.h"
#include "net/loop.h"
#include "server/options.h"

struct server;

#define LINK_HOST_SIZE    OPTION_HOST_SIZE
#define LINK_TROUBLE_SIZE 256

enum link_state {
    LINK_NONE, /* we are a primary */
    LINK_CONNECT,
    LINK_CONNECTING,
    LINK_HANDSHAKE,
    LINK_CONNECTED,
};

/* Which answer is waited for in the handshake. */
enum link_step {
    STEP_PING,
    STEP_AUTH,
    STEP_VERSION,
    STEP_PORT,
    STEP_ADDRESS,
    STEP_PSYNC,
    STEP_FORK,
};

struct replica_link {
    enum link_state state;
    enum link_step step;
    char host[LINK_HOST_SIZE];
    uint16_t port;
    bool force; /* another history than ours is taken over */
    struct connection *connection;
    struct loop_timer timer;
    uint64_t try_us;   /* when to connect next */
    uint64_t heard_us; /* the last byte */
    uint64_t down_us;  /* since when the link is down; 0: it is up */
    uint8_t key[SIPHASH_KEY_SIZE];
    uint64_t acknowledged, acknowledged_us; /* the last REPLCONF ACK */
    bool following;   /* a large batch is half way in */
    size_t in_hand;   /* bytes of its message */
    bool held;        /* a long command runs: entries wait */
    bool stalled;     /* no room for the next entry: tried again by the timer */
    uint64_t primary_size;    /* entries that the primary has */
    uint64_t behind_since_us; /* 0: we have them too */
    uint64_t compared;        /* entries whose log root was equal; UINT64_MAX: none yet */
    bool diverged;
    uint64_t diverged_at; /* first sequence at which the primary's word is not ours */
    uint64_t fork_low, fork_high, fork_asked; /* where histories part, being looked for */
    uint64_t forks, fork_entries;             /* found so far, and entries set aside */
    char trouble[LINK_TROUBLE_SIZE];          /* why the last try failed */
};

static inline bool link_is_up(const struct replica_link *link) {
    return link->state == LINK_CONNECTED;
}
/* Whether we are a replica: `replicaof` names a primary. */
bool link_is_replica(const struct server *server);

/* The server has its state: follow, if `replicaof` says so. Also after server_reload(). */
void link_begin(struct server *server);
/* Become a replica of another primary, or (`host` NULL) of none. */
void link_set(struct server *server, const char *host, uint16_t port, bool force);
/* Close the link, to be made again by the timer. */
void link_drop(struct server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The loop's hooks, for the link's connection. */
bool link_received(struct server *server, struct connection *connection);
void link_closed(struct server *server, struct connection *connection);

/* Once per turn: go on with a large batch, acknowledge. True: there is more to do now. */
bool link_turn(struct server *server);
/* Close it for good, a batch half way in being seen through first. */
void link_end(struct server *server);

#endif
