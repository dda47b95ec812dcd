/* Clients: what belongs to a connection but is not bytes. */
#include "server/client.h"

#include "server/server.h"

bool client_is_local(const struct client *client) {
    const char *peer = client->connection->peer;
    return strncmp(peer, "127.", 4) == 0 || strncmp(peer, "[::1]", 5) == 0 ||
           strncmp(peer, "::1", 3) == 0 || strncmp(peer, "::ffff:127.", 11) == 0;
}

void client_discard(struct client *client) {
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
    limits.output_bytes = (size_t)options->client_output_buffer_limit;
    return limits;
}

static void set_authenticated(struct client *client, bool authenticated) {
    struct connection_limits limits = client_limits(client->server, authenticated);
    client->authenticated = authenticated;
    connection_set_limits(client->connection, &limits);
}

void client_authenticate(struct client *client) { set_authenticated(client, true); }

void client_reset(struct client *client) {
    client_discard(client);
    client->db = 0;
    client->name[0] = '\0';
    connection_set_protocol(client->connection, 2);
    set_authenticated(client, client->server->options.requirepass[0] == '\0');
}
