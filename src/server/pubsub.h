/* Channels: who has subscribed to what, and messages to them. Outside state and log: nothing
 * of it is kept, and a message reaches whoever is there when it is published. */
#ifndef SERVER_PUBSUB_H
#define SERVER_PUBSUB_H

#include "base/slice.h"
#include "base/status.h"

struct client;
struct server;

/* A channel or a pattern that somebody has subscribed to. */
struct channel {
    struct channel *next; /* in its bucket, or of all patterns */
    bool is_pattern;
    uint32_t count;
    struct subscription *first;
    size_t size; /* of the block */
    struct slice name;
};

struct subscription {
    struct subscription *next_of_channel, *next_of_client;
    struct channel *channel;
    struct client *client;
};

#define PUBSUB_BUCKETS 1024

struct pubsub {
    struct channel *buckets[PUBSUB_BUCKETS];
    struct channel *patterns;
    uint64_t channel_count, pattern_count;
};

/* STATUS_EXISTS: it had done so already. STATUS_MEMORY. */
enum status pubsub_subscribe(struct server *server, struct client *client,
                             struct slice name, bool is_pattern);
/* False when it had not. */
bool pubsub_unsubscribe(struct server *server, struct client *client, struct slice name,
                        bool is_pattern);
/* Any of its channels (or patterns); NULL when there is none. */
const struct channel *pubsub_any(const struct client *client, bool is_pattern);
/* The client goes, or is reset. */
void pubsub_forget(struct server *server, struct client *client);

/* Gives the number of deliveries. */
uint64_t pubsub_publish(struct server *server, struct slice name, struct slice message);

/* Its reply is whole: what came meanwhile follows. */
void pubsub_catch_up(struct client *client);

/* NULL when nobody has subscribed to it. */
const struct channel *pubsub_find(const struct server *server, struct slice name);

#endif
