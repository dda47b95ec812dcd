/* Clients: what belongs to a connection but is not bytes. */
#include "server/client.h"

#include "server/server.h"

struct slice client_user_name(const struct client *client) {
    const struct acl_user *user = client->user;
    return user ? slice_of(user->name, user->name_size) : slice_text("default");
}

bool client_is_local(const struct client *client) {
    const char *peer = client->connection->peer;
    size_t size = strlen(peer);
    if (size > 2 && strcmp(peer + size - 2, ":0") == 0) return true; /* a path, no port */
    return strncmp(peer, "127.", 4) == 0 || strncmp(peer, "[::1]", 5) == 0 ||
           strncmp(peer, "::1", 3) == 0 ||
           strncmp(peer, "::ffff:127.", 11) == 0;
}

/* No key ever has this version. */
void client_touch_watched(struct client *client) {
    for (size_t i = 0; i < client->watch_count; i++)
        client->watches[i].version = UINT64_MAX;
}

void client_unwatch(struct client *client) {
    release(client->server->allocator, client->watches,
            client->watch_capacity * sizeof *client->watches);
    client->watches = NULL;
    client->watch_count = client->watch_capacity = 0;
}

void client_discard(struct client *client) {
    client_unwatch(client);
    queue_free(&client->queue, client->server->allocator);
    client->in_multi = client->multi_dirty = false;
}

static struct connection_limits client_limits(const struct server *server,
                                              bool authenticated) {
    const struct options *options = &server->options;
    struct connection_limits limits =
        authenticated ? connection_limits_default() : connection_limits_unauthenticated();
    if (!authenticated) return limits;
    limits.request.arguments = (size_t)options->proto_max_arguments;
    limits.request.bulk_bytes = (size_t)options->proto_max_bulk_len;
    limits.input_bytes = (size_t)options->client_query_buffer_limit;
    return limits;
}

enum client_class client_class(const struct client *client) {
    if (client->replica) return CLASS_REPLICA;
    return client->subscriptions ? CLASS_PUBSUB : CLASS_NORMAL;
}

void client_apply_limits(struct client *client) {
    struct connection_limits limits =
        client_limits(client->server, client->authenticated);
    /* To a replica an entry may be large; no more than it needs is ever written. */
    int64_t hard =
        client->server->options.client_output_buffer_limit[client_class(client)].hard;
    if (hard && client->authenticated && !client->replica)
        limits.output_bytes = (size_t)hard;
    connection_set_limits(client->connection, &limits);
}

void client_authenticate(struct client *client, struct acl_user *user) {
    client->user = user;
    client->authenticated = user != NULL;
    client_apply_limits(client);
}

void client_next_reply(struct client *client) {
    client->connection->reply.muted = client->reply_off || client->reply_skip;
    client->reply_skip = false;
}

void client_reset(struct client *client) {
    client_discard(client);
    pubsub_forget(client->server, client);
    client->db = 0;
    client->name[0] = '\0';
    client->no_evict = client->no_touch = false;
    client->reply_off = client->reply_skip = false;
    client_next_reply(client);
    connection_set_protocol(client->connection, 2);
    struct server *server = client->server;
    client_authenticate(client, acl_is_open(server) ? server->acl.standard : NULL);
}
