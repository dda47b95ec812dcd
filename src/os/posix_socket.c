/* TCP and file system sockets: numeric addresses, non-blocking, close-on-exec. */
#include "os/posix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"

#define KEEPALIVE_PROBES 3

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* Then the ignored SIGPIPE of os_start() must do. */
#endif

/* All families in one; `size` is what bind() wants. */
struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un path;
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
    if (address->socket.any.sa_family == AF_UNIX) {
        snprintf(text, 64, "%.61s:0", address->socket.path.sun_path);
    } else if (address->socket.any.sa_family == AF_INET6) {
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

static void tune(int descriptor, int family) {
    if (family != AF_UNIX) set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
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

/* A socket that a server has left behind goes; whatever else has the name stays. */
static enum status clear_path(const char *path) {
    struct stat facts;
    if (lstat(path, &facts) != 0) return STATUS_OK;
    if (!S_ISSOCK(facts.st_mode)) {
        posix_failure(EEXIST);
        return STATUS_EXISTS;
    }
    return unlink(path) == 0 ? STATUS_OK : posix_failure(errno);
}

/* The mask is that of the whole process, so it is set for no longer than bind() takes.
 * Set afterwards, the mode would come too late for whoever connects in between. */
static int bind_with_mode(int descriptor, const struct address *local, uint32_t mode) {
    mode_t before = umask((mode_t)(~mode & 0777));
    int result = bind(descriptor, &local->socket.any, local->size);
    int error = errno;
    umask(before);
    errno = error;
    return result;
}

static enum status keep_path(struct socket *socket, const char *path) {
    size_t size = strlen(path) + 1;
    socket->path = allocate(os_allocator(), size);
    if (!socket->path) return posix_failure(ENOMEM);
    memcpy(socket->path, path, size);
    return STATUS_OK;
}

enum status posix_socket_listen_path(const struct os *os, const char *path, uint32_t mode,
                                     int backlog, struct socket **socket) {
    struct address local = {.size = sizeof local.socket.path};
    local.socket.path.sun_family = AF_UNIX;
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof local.socket.path.sun_path) {
        posix_failure(ENAMETOOLONG);
        return STATUS_INVALID;
    }
    memcpy(local.socket.path.sun_path, path, size);
    enum status status = clear_path(path);
    if (status) return status;
    int descriptor = system_socket(AF_UNIX);
    if (descriptor < 0) return posix_failure(errno);
    if (bind_with_mode(descriptor, &local, mode) != 0 ||
        listen(descriptor, backlog) != 0) {
        status = posix_failure(errno);
        close(descriptor);
        return status;
    }
    status = wrap(descriptor, socket);
    if (status) return status;
    status = keep_path(*socket, path);
    if (status) posix_socket_close(os, *socket);
    return status;
}

uint16_t posix_socket_port(const struct os *os, struct socket *socket) {
    (void)os;
    struct address local = {.size = sizeof local.socket};
    if (getsockname(socket->descriptor, &local.socket.any, &local.size) != 0) return 0;
    bool v6 = local.socket.any.sa_family == AF_INET6;
    return ntohs(v6 ? local.socket.v6.sin6_port : local.socket.v4.sin_port);
}

void posix_socket_local(const struct os *os, struct socket *socket, char local[64]) {
    (void)os;
    struct address address;
    memset(&address, 0, sizeof address);
    address.size = sizeof address.socket;
    (void)getsockname(socket->descriptor, &address.socket.any, &address.size);
    format_address(&address, local);
}

int posix_socket_number(const struct os *os, struct socket *socket) {
    (void)os;
    return socket->descriptor;
}

void posix_socket_keepalive(const struct os *os, struct socket *socket,
                            uint32_t seconds) {
    (void)os;
    set_option(socket->descriptor, SOL_SOCKET, SO_KEEPALIVE, seconds > 0);
    if (seconds == 0) return;
#ifdef TCP_KEEPIDLE
    int idle = seconds < 32767 ? (int)seconds : 32767; /* Linux takes no more */
    set_option(socket->descriptor, IPPROTO_TCP, TCP_KEEPIDLE, idle);
    set_option(socket->descriptor, IPPROTO_TCP, TCP_KEEPINTVL, idle / 3 ? idle / 3 : 1);
    set_option(socket->descriptor, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
#endif
}

/* A client that left while it was waiting is not the listener's failure: take the next.
 */
static bool is_of_the_lost_client(int error) {
    return error == EINTR || error == ECONNABORTED || error == EPROTO;
}

enum status posix_socket_accept(const struct os *os, struct socket *listener,
                                struct socket **socket, char peer[64]) {
    struct address remote;
    int descriptor;
    do {
        memset(&remote, 0, sizeof remote);
        remote.size = sizeof remote.socket;
        descriptor =
            system_accept(listener->descriptor, &remote.socket.any, &remote.size);
    } while (descriptor < 0 && is_of_the_lost_client(errno));
    if (descriptor < 0) return posix_failure(errno == EWOULDBLOCK ? EAGAIN : errno);
    tune(descriptor, remote.socket.any.sa_family);
    if (remote.socket.any.sa_family == AF_UNIX) posix_socket_local(os, listener, peer);
    else format_address(&remote, peer);
    return wrap(descriptor, socket);
}

enum status posix_socket_connect(const struct os *os, const char *address, uint16_t port,
                                 struct socket **socket) {
    (void)os;
    struct address remote;
    if (strcmp(address, "localhost") == 0) address = "127.0.0.1";
    if (!parse_address(address, port, &remote)) {
        posix_failure(EINVAL);
        return STATUS_INVALID;
    }
    int family = remote.socket.any.sa_family;
    int descriptor = system_socket(family);
    if (descriptor < 0) return posix_failure(errno);
    tune(descriptor, family);
    int result;
    do result = connect(descriptor, &remote.socket.any, remote.size);
    while (result != 0 && errno == EINTR);
    if (result != 0 && errno != EINPROGRESS) {
        enum status status = posix_failure(errno);
        close(descriptor);
        return status;
    }
    return wrap(descriptor, socket);
}

/* What is sent too early waits, as it does where the system says so itself. */
static bool is_later(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOTCONN;
}

void posix_socket_close(const struct os *os, struct socket *socket) {
    (void)os;
    if (!socket) return;
    close(socket->descriptor); /* Which also takes it out of its poller. */
    if (socket->path) {
        (void)unlink(socket->path);
        release(os_allocator(), socket->path, strlen(socket->path) + 1);
    }
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
    if (count < 0) return posix_failure(is_later(errno) ? EAGAIN : errno);
    return STATUS_OK;
}
