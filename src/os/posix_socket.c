/* TCP sockets: numeric addresses, non-blocking, close-on-exec. */
#include "os/posix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

/* A peer that has vanished is found after 300 s of silence and three probes 100 s apart.
 */
#define KEEPALIVE_IDLE_S     300
#define KEEPALIVE_INTERVAL_S 100
#define KEEPALIVE_PROBES     3

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* Then the ignored SIGPIPE of os_start() must do. */
#endif

/* Both families in one; `size` is what bind() wants. */
struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
    socklen_t size;
};

static bool parse_address(const char *text, uint16_t port, struct address *address) {
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &address->socket.v4.sin_addr) == 1) {
        address->socket.v4.sin_family = AF_INET;
        address->socket.v4.sin_port = htons(port);
        address->size = sizeof address->socket.v4;
        return true;
    }
    if (inet_pton(AF_INET6, text, &address->socket.v6.sin6_addr) == 1) {
        address->socket.v6.sin6_family = AF_INET6;
        address->socket.v6.sin6_port = htons(port);
        address->size = sizeof address->socket.v6;
        return true;
    }
    return false;
}

static void format_address(const struct address *address, char text[64]) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->socket.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address->socket.v6.sin6_addr, host, sizeof host);
        snprintf(text, 64, "[%s]:%u", host, ntohs(address->socket.v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &address->socket.v4.sin_addr, host, sizeof host);
        snprintf(text, 64, "%s:%u", host, ntohs(address->socket.v4.sin_port));
    }
}

/* Options are refinements: a system that refuses one still gives a working connection. */
static void set_option(int descriptor, int level, int option, int value) {
    (void)setsockopt(descriptor, level, option, &value, sizeof value);
}

static void tune(int descriptor) {
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_KEEPIDLE
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
#endif
#ifdef SO_NOSIGPIPE
    set_option(descriptor, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
}

/* The descriptor becomes the socket's; without memory it is closed. */
static enum status wrap(int descriptor, struct socket **socket) {
    struct socket *made = allocate(os_allocator(), sizeof *made);
    if (!made) {
        close(descriptor);
        return posix_failure(ENOMEM);
    }
    *made = (struct socket){.descriptor = descriptor};
    *socket = made;
    return STATUS_OK;
}

enum status posix_socket_listen(const struct os *os, const char *address, uint16_t port,
                                int backlog, struct socket **socket) {
    (void)os;
    struct address local;
    if (!parse_address(address, port, &local)) {
        posix_failure(EINVAL);
        return STATUS_INVALID;
    }
    int family = local.socket.any.sa_family;
    int descriptor = system_socket(family);
    if (descriptor < 0) return posix_failure(errno);
    set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    if (family == AF_INET6) set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (bind(descriptor, &local.socket.any, local.size) != 0 ||
        listen(descriptor, backlog) != 0) {
        enum status status = posix_failure(errno);
        close(descriptor);
        return status;
    }
    return wrap(descriptor, socket);
}

uint16_t posix_socket_port(const struct os *os, struct socket *socket) {
    (void)os;
    struct address local = {.size = sizeof local.socket};
    if (getsockname(socket->descriptor, &local.socket.any, &local.size) != 0) return 0;
    bool v6 = local.socket.any.sa_family == AF_INET6;
    return ntohs(v6 ? local.socket.v6.sin6_port : local.socket.v4.sin_port);
}

/* A client that left while it was waiting is not the listener's failure: take the next.
 */
static bool is_of_the_lost_client(int error) {
    return error == EINTR || error == ECONNABORTED || error == EPROTO;
}

enum status posix_socket_accept(const struct os *os, struct socket *listener,
                                struct socket **socket, char peer[64]) {
    (void)os;
    struct address remote;
    int descriptor;
    do {
        memset(&remote, 0, sizeof remote);
        remote.size = sizeof remote.socket;
        descriptor =
            system_accept(listener->descriptor, &remote.socket.any, &remote.size);
    } while (descriptor < 0 && is_of_the_lost_client(errno));
    if (descriptor < 0) return posix_failure(errno == EWOULDBLOCK ? EAGAIN : errno);
    tune(descriptor);
    format_address(&remote, peer);
    return wrap(descriptor, socket);
}

void posix_socket_close(const struct os *os, struct socket *socket) {
    (void)os;
    if (!socket) return;
    close(socket->descriptor); /* Which also takes it out of its poller. */
    release(os_allocator(), socket, sizeof *socket);
}

enum status posix_socket_receive(const struct os *os, struct socket *socket, void *bytes,
                                 size_t size, size_t *got) {
    (void)os;
    check(size > 0); /* For 0 bytes the answer would look like the peer's end. */
    ssize_t count;
    do count = recv(socket->descriptor, bytes, size, 0);
    while (count < 0 && errno == EINTR);
    *got = count > 0 ? (size_t)count : 0;
    if (count == 0) return STATUS_END;
    if (count < 0) return posix_failure(errno == EWOULDBLOCK ? EAGAIN : errno);
    return STATUS_OK;
}

enum status posix_socket_send(const struct os *os, struct socket *socket,
                              const void *bytes, size_t size, size_t *sent) {
    (void)os;
    ssize_t count;
    do count = send(socket->descriptor, bytes, size, MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    *sent = count > 0 ? (size_t)count : 0;
    if (count < 0) return posix_failure(errno == EWOULDBLOCK ? EAGAIN : errno);
    return STATUS_OK;
}
