/* Subscriptions and messages. */
#include "server/pubsub.h"

#include <string.h>

#include "base/glob.h"
#include "base/siphash.h"
#include "server/server.h"

static struct channel **bucket_of(struct server *server, struct slice name,
                                  bool is_pattern) {
    if (is_pattern) return &server->pubsub.patterns;
    uint64_t hash = siphash(server->hash_seed, name.data, name.size);
    return &server->pubsub.buckets[hash % PUBSUB_BUCKETS];
}

/* Where the pointer to it is, or would be. */
static struct channel **find(struct server *server, struct slice name, bool is_pattern) {
    struct channel **at = bucket_of(server, name, is_pattern);
    while (*at && !slice_equal((*at)->name, name)) at = &(*at)->next;
    return at;
}

const struct channel *pubsub_find(const struct server *server, struct slice name) {
    /* Looking changes nothing. */
    return *find((struct server *)(uintptr_t)server, name, false);
}

/* --- Subscribing ------------------------------------------------------------------ */

static uint64_t *count_of(struct server *server, bool is_pattern) {
    return is_pattern ? &server->pubsub.pattern_count : &server->pubsub.channel_count;
}

static struct channel *make_channel(struct server *server, struct channel **at,
                                    struct slice name, bool is_pattern) {
    size_t size = sizeof(struct channel) + name.size;
    struct channel *channel = allocate(server->allocator, size);
    if (!channel) return NULL;
    uint8_t *bytes = (uint8_t *)(channel + 1);
    if (name.size) memcpy(bytes, name.data, name.size);
    *channel = (struct channel){
        .is_pattern = is_pattern, .size = size, .name = slice_of(bytes, name.size)};
    *at = channel;
    ++*count_of(server, is_pattern);
    return channel;
}

static void drop_channel(struct server *server, struct channel **at) {
    struct channel *channel = *at;
    *at = channel->next;
    --*count_of(server, channel->is_pattern);
    release(server->allocator, channel, channel->size);
}

static struct subscription **of_client(struct client *client, struct slice name,
                                       bool is_pattern) {
    struct subscription **at = &client->subscriptions;
    while (*at && ((*at)->channel->is_pattern != is_pattern ||
                   !slice_equal((*at)->channel->name, name)))
        at = &(*at)->next_of_client;
    return at;
}

enum status pubsub_subscribe(struct server *server, struct client *client,
                             struct slice name, bool is_pattern) {
    if (*of_client(client, name, is_pattern)) return STATUS_EXISTS;
    struct subscription *subscription =
        allocate(server->allocator, sizeof *subscription);
    if (!subscription) return STATUS_MEMORY;
    struct channel **at = find(server, name, is_pattern);
    struct channel *channel = *at ? *at : make_channel(server, at, name, is_pattern);
    if (!channel) {
        release(server->allocator, subscription, sizeof *subscription);
        return STATUS_MEMORY;
    }
    *subscription = (struct subscription){.next_of_channel = channel->first,
                                          .next_of_client = client->subscriptions,
                                          .channel = channel,
                                          .client = client};
    channel->first = client->subscriptions = subscription;
    channel->count++;
    client->channels += !is_pattern;
    client->patterns += is_pattern;
    client_apply_limits(client);
    return STATUS_OK;
}

/* Take the subscription at `at` of its client's list away. */
static void cancel(struct server *server, struct subscription **at) {
    struct subscription *subscription = *at;
    struct client *client = subscription->client;
    struct channel *channel = subscription->channel;
    *at = subscription->next_of_client;
    struct subscription **link = &channel->first;
    while (*link != subscription) link = &(*link)->next_of_channel;
    *link = subscription->next_of_channel;
    client->channels -= !channel->is_pattern;
    client->patterns -= channel->is_pattern;
    if (--channel->count == 0)
        drop_channel(server, find(server, channel->name, channel->is_pattern));
    release(server->allocator, subscription, sizeof *subscription);
}

bool pubsub_unsubscribe(struct server *server, struct client *client, struct slice name,
                        bool is_pattern) {
    struct subscription **at = of_client(client, name, is_pattern);
    if (!*at) return false;
    cancel(server, at);
    client_apply_limits(client);
    return true;
}

const struct channel *pubsub_any(const struct client *client, bool is_pattern) {
    for (const struct subscription *s = client->subscriptions; s; s = s->next_of_client)
        if (s->channel->is_pattern == is_pattern) return s->channel;
    return NULL;
}

void pubsub_forget(struct server *server, struct client *client) {
    while (client->subscriptions) cancel(server, &client->subscriptions);
    buffer_free(&client->pushes);
}

/* --- Publishing ------------------------------------------------------------------- */

/* Not into the middle of a reply that is being made in slices: such a one gets its messages
 * when that is done. */
static void deliver(struct server *server, const struct channel *channel,
                    struct client *client, struct slice name, struct slice message) {
    struct reply *reply = &client->connection->reply, later;
    const struct job *job = &server->job;
    bool waits = client->busy || (job->active && job->call.client == client);
    if (waits) {
        if (!client->pushes.allocator)
            buffer_init(&client->pushes, server->allocator, client->connection->output.limit);
        reply_init(&later, &client->pushes, reply->protocol);
    }
    struct reply *to = waits ? &later : reply;
    reply_push(to, channel->is_pattern ? 4 : 3);
    reply_text(to, channel->is_pattern ? "pmessage" : "message");
    if (channel->is_pattern) reply_bulk(to, channel->name);
    reply_bulk(to, name);
    reply_bulk(to, message);
    if (waits && later.failed) reply->failed = later.failed;
    loop_touch(server->loop, client->connection);
}

void pubsub_catch_up(struct client *client) {
    reply_raw(&client->connection->reply, buffer_slice(&client->pushes));
    buffer_free(&client->pushes);
    loop_touch(client->server->loop, client->connection);
}

static uint64_t deliver_all(struct server *server, const struct channel *channel,
                            struct slice name, struct slice message) {
    uint64_t count = 0;
    for (const struct subscription *s = channel->first; s; s = s->next_of_channel) {
        deliver(server, channel, s->client, name, message);
        count++;
    }
    return count;
}

uint64_t pubsub_publish(struct server *server, struct slice name, struct slice message) {
    const struct channel *channel = pubsub_find(server, name);
    uint64_t count = channel ? deliver_all(server, channel, name, message) : 0;
    for (const struct channel *p = server->pubsub.patterns; p; p = p->next)
        if (glob_match(p->name, name, false))
            count += deliver_all(server, p, name, message);
    return count;
}
