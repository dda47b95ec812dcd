/* Sockets of valori-benchmark. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/benchmark_command.h"

#define CONNECT_LIMIT_MS 5000
#define REPLY_LIMIT_MS   60000
#define READ_SIZE        65536

/* --- Connecting ------------------------------------------------------------------- */

/* Poll for one kind of event; 0, or the errno. */
static int wait_for(int descriptor, short events, int limit_ms) {
    struct pollfd polled = {.fd = descriptor, .events = events};
    int ready;
    do ready = poll(&polled, 1, limit_ms);
    while (ready < 0 && errno == EINTR);
    return ready < 0 ? errno : ready == 0 ? ETIMEDOUT : 0;
}

/* Connect without blocking for ever. Gives the socket, or -1 with *error. */
static int connect_to(int family, const struct sockaddr *address, socklen_t size,
                      int *error) {
    int descriptor = socket(family, SOCK_STREAM, 0);
    if (descriptor < 0) {
        *error = errno;
        return -1;
    }
    *error = 0;
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0)
        *error = errno;
    else if (connect(descriptor, address, size) != 0) *error = errno;
    if (*error == EINPROGRESS) {
        socklen_t length = sizeof *error;
        *error = wait_for(descriptor, POLLOUT, CONNECT_LIMIT_MS);
        if (*error == 0 &&
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, error, &length) != 0)
            *error = errno;
    }
    if (*error == 0) return descriptor;
    close(descriptor);
    return -1;
}

static enum status connect_path(struct client *client, const char *path,
                                struct complaint *complaint) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int error = ENAMETOOLONG;
    if (strlen(path) < sizeof address.sun_path) {
        memcpy(address.sun_path, path, strlen(path) + 1);
        client->descriptor = connect_to(AF_UNIX, (const struct sockaddr *)&address,
                                        sizeof address, &error);
    }
    if (client->descriptor >= 0) return STATUS_OK;
    return complain(complaint, STATUS_IO, "%s: %s", path, strerror(error));
}

static enum status connect_host(struct client *client, const struct endpoint *endpoint,
                                struct complaint *complaint) {
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[8];
    snprintf(port, sizeof port, "%d", endpoint->port);
    int failed = getaddrinfo(endpoint->host, port, &wanted, &found);
    if (failed)
        return complain(complaint, STATUS_IO, "%s: %s", endpoint->host,
                        gai_strerror(failed));
    int error = 0;
    for (const struct addrinfo *at = found; at && client->descriptor < 0;
         at = at->ai_next)
        client->descriptor =
            connect_to(at->ai_family, at->ai_addr, at->ai_addrlen, &error);
    freeaddrinfo(found);
    if (client->descriptor < 0)
        return complain(complaint, STATUS_IO, "%s:%d: %s", endpoint->host, endpoint->port,
                        strerror(error));
    int on = 1;
    setsockopt(client->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return STATUS_OK;
}

/* HELLO or AUTH, and SELECT, as far as they are wanted. */
static enum status introduce(struct client *client, const struct endpoint *endpoint,
                             struct complaint *complaint) {
    const char *user = endpoint->user ? endpoint->user : "default";
    enum status status = STATUS_OK;
    if (endpoint->resp3 && endpoint->password)
        status = client_order(
            client, 5, (const char *[]){"HELLO", "3", "AUTH", user, endpoint->password},
            complaint);
    else if (endpoint->resp3)
        status = client_order(client, 2, (const char *[]){"HELLO", "3"}, complaint);
    else if (endpoint->password && endpoint->user)
        status = client_order(
            client, 3, (const char *[]){"AUTH", user, endpoint->password}, complaint);
    else if (endpoint->password)
        status = client_order(client, 2, (const char *[]){"AUTH", endpoint->password},
                              complaint);
    if (!status && endpoint->database > 0) {
        char database[24];
        snprintf(database, sizeof database, "%llu",
                 (unsigned long long)endpoint->database);
        status = client_order(client, 2, (const char *[]){"SELECT", database}, complaint);
    }
    return status ? STATUS_IO : STATUS_OK;
}

enum status client_open(struct client *client, const struct endpoint *endpoint,
                        const struct allocator *allocator, struct complaint *complaint) {
    *client = (struct client){.descriptor = -1};
    buffer_init(&client->out, allocator, SIZE_MAX / 2);
    buffer_init(&client->in, allocator, SIZE_MAX / 2);
    reply_reader_init(&client->reader, allocator);
    enum status status = endpoint->socket_path
                             ? connect_path(client, endpoint->socket_path, complaint)
                             : connect_host(client, endpoint, complaint);
    if (!status) status = introduce(client, endpoint, complaint);
    if (status) client_close(client);
    return status;
}

void client_close(struct client *client) {
    if (!client->in.allocator) return;
    if (client->descriptor >= 0) close(client->descriptor);
    buffer_free(&client->out);
    buffer_free(&client->in);
    reply_reader_free(&client->reader);
    *client = (struct client){.descriptor = -1};
}

/* --- Bytes out and in ------------------------------------------------------------- */

static enum status lost(struct complaint *complaint, const char *why) {
    return complain(complaint, STATUS_IO, "connection lost: %s", why);
}

enum status client_send(struct client *client, struct complaint *complaint) {
    while (buffer_size(&client->out) > 0) {
        struct slice rest = buffer_slice(&client->out);
        ssize_t sent = send(client->descriptor, rest.data, rest.size, 0);
        if (sent > 0) buffer_consume(&client->out, (size_t)sent);
        else if (errno == EAGAIN || errno == EWOULDBLOCK) return STATUS_AGAIN;
        else if (errno != EINTR) return lost(complaint, strerror(errno));
    }
    return STATUS_OK;
}

enum status client_receive(struct client *client, struct complaint *complaint) {
    uint8_t *room;
    enum status status = buffer_reserve(&client->in, READ_SIZE, &room);
    if (status) return complain(complaint, status, "no memory for replies");
    ssize_t got = recv(client->descriptor, room, READ_SIZE, 0);
    if (got > 0) buffer_commit(&client->in, (size_t)got);
    else if (got == 0) return lost(complaint, "the server has closed it");
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        return lost(complaint, strerror(errno));
    return STATUS_OK;
}

enum status client_next(struct client *client, struct reply *reply,
                        struct complaint *complaint) {
    enum status status;
    do {
        size_t size;
        status = reply_read(&client->reader, buffer_slice(&client->in), reply, &size);
        if (!status) buffer_consume(&client->in, size);
    } while (!status && reply->items[0].type == '>');
    if (status == STATUS_INVALID) return lost(complaint, "what it sent is no RESP");
    if (status == STATUS_MEMORY)
        return complain(complaint, status, "no memory for replies");
    return status;
}

enum status client_call(struct client *client, size_t count, const char *const *words,
                        struct reply *reply, struct complaint *complaint) {
    struct command command;
    command_init(&command, client->out.allocator);
    for (size_t i = 0; i < count; i++) command_word(&command, words[i]);
    enum status status = command_send(&command, &client->out);
    command_free(&command);
    if (status) return complain(complaint, status, "no memory for a command");
    while ((status = client_send(client, complaint)) == STATUS_AGAIN)
        if (wait_for(client->descriptor, POLLOUT, REPLY_LIMIT_MS))
            return lost(complaint, "it takes nothing");
    while (!status && (status = client_next(client, reply, complaint)) == STATUS_AGAIN) {
        int error = wait_for(client->descriptor, POLLIN, REPLY_LIMIT_MS);
        if (error) return lost(complaint, strerror(error));
        status = client_receive(client, complaint);
    }
    return status;
}

enum status client_order(struct client *client, size_t count, const char *const *words,
                         struct complaint *complaint) {
    struct reply reply;
    enum status status = client_call(client, count, words, &reply, complaint);
    if (status || !reply_is_error(&reply)) return status;
    bool has_key = count > 1 && strcmp(words[0], "AUTH") != 0;
    return complain(complaint, STATUS_INVALID, "%s%s%s: %.*s", words[0],
                    has_key ? " " : "", has_key ? words[1] : "",
                    (int)reply.items[0].text.size,
                    (const char *)reply.items[0].text.data);
}
