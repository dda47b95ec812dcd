/* Sockets and the poller: the server's side through the table, the peer's through the
 * system. */
#define _GNU_SOURCE

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/os.h"
#include "test.h"

static const struct os *os;
static struct socket *listener, *server_side;
static int peer;
static char peer_name[64];

static int dial(int family, uint16_t port) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
    int made = socket(family, SOCK_STREAM, 0);
    int result = family == AF_INET ? connect(made, (struct sockaddr *)&v4, sizeof v4)
                                   : connect(made, (struct sockaddr *)&v6, sizeof v6);
    EXPECT_EQUAL(result, 0);
    return made;
}

static void begin(void) {
    EXPECT_EQUAL(os->socket_listen(os, "127.0.0.1", 0, 8, &listener), STATUS_OK);
    peer = dial(AF_INET, os->socket_port(os, listener));
    EXPECT_EQUAL(os->socket_accept(os, listener, &server_side, peer_name), STATUS_OK);
}

static void finish(void) {
    if (peer >= 0) close(peer);
    os->socket_close(os, server_side);
    os->socket_close(os, listener);
    EXPECT_EQUAL(os_allocator_used(), 0);
}

static void sends_and_receives(void) {
    char bytes[64];
    size_t count;
    begin();
    EXPECT(strncmp(peer_name, "127.0.0.1:", 10) == 0);
    struct socket *nobody;
    EXPECT_EQUAL(os->socket_accept(os, listener, &nobody, bytes), STATUS_AGAIN);
    EXPECT_EQUAL(os->socket_receive(os, server_side, bytes, 8, &count), STATUS_AGAIN);
    EXPECT_EQUAL(count, 0);
    EXPECT_EQUAL(send(peer, "hello", 5, 0), 5);
    EXPECT_EQUAL(os->socket_receive(os, server_side, bytes, 3, &count), STATUS_OK);
    EXPECT_EQUAL(count, 3);
    EXPECT_EQUAL(os->socket_send(os, server_side, "yes", 3, &count), STATUS_OK);
    EXPECT_EQUAL(count, 3);
    EXPECT_EQUAL(recv(peer, bytes, sizeof bytes, 0), 3);
    shutdown(peer, SHUT_WR);
    EXPECT_EQUAL(os->socket_receive(os, server_side, bytes, 8, &count), STATUS_OK);
    EXPECT_EQUAL(os->socket_receive(os, server_side, bytes, 8, &count), STATUS_END);
    finish();
}

/* No signal: the process is still here to see the status. */
static void sending_to_the_gone_is_an_error(void) {
    size_t count;
    enum status status = STATUS_OK;
    begin();
    close(peer);
    peer = -1;
    for (int i = 0; i < 100 && !status; i++) {
        status = os->socket_send(os, server_side, "x", 1, &count);
        usleep(1000);
    }
    EXPECT_EQUAL(status, STATUS_IO);
    finish();
}

static void a_full_socket_says_again(void) {
    static char bytes[1 << 16];
    size_t count, total = 0;
    enum status status = STATUS_OK;
    begin();
    while (!status && total < (size_t)1 << 30) {
        status = os->socket_send(os, server_side, bytes, sizeof bytes, &count);
        total += count;
    }
    EXPECT_EQUAL(status, STATUS_AGAIN);
    EXPECT_EQUAL(count, 0);
    finish();
}

/* The other end of a connection that is made here, and one that nobody takes. */
static void connects_without_waiting(void) {
    struct socket *out, *in;
    char bytes[8], name[64];
    size_t count;
    EXPECT_EQUAL(os->socket_listen(os, "127.0.0.1", 0, 8, &listener), STATUS_OK);
    uint16_t port = os->socket_port(os, listener);
    EXPECT_EQUAL(os->socket_connect(os, "localhost", port, &out), STATUS_OK);
    enum status status;
    do status = os->socket_accept(os, listener, &in, name);
    while (status == STATUS_AGAIN);
    EXPECT_EQUAL(status, STATUS_OK);
    do status = os->socket_send(os, out, "hi", 2, &count);
    while (status == STATUS_AGAIN);
    EXPECT_EQUAL(status, STATUS_OK);
    do status = os->socket_receive(os, in, bytes, sizeof bytes, &count);
    while (status == STATUS_AGAIN);
    EXPECT_EQUAL(count, 2);
    os->socket_close(os, out);
    os->socket_close(os, in);
    os->socket_close(os, listener);
    if (os->socket_connect(os, "127.0.0.1", port, &out) == STATUS_OK) {
        do status = os->socket_receive(os, out, bytes, sizeof bytes, &count);
        while (status == STATUS_AGAIN);
        EXPECT_EQUAL(status, STATUS_IO);
        os->socket_close(os, out);
    }
    EXPECT_EQUAL(os->socket_connect(os, "not.numeric", 1, &out), STATUS_INVALID);
    EXPECT_EQUAL(os_allocator_used(), 0);
}

static void refuses_addresses(void) {
    static const char *const bad[] = {"", "localhost", "1.2.3", "1.2.3.4.5", "::g", "*"};
    struct socket *none = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQUAL(os->socket_listen(os, bad[i], 0, 1, &none), STATUS_INVALID);
    EXPECT_EQUAL(os->socket_listen(os, "203.0.113.7", 0, 1, &none), STATUS_IO);
    EXPECT(none == NULL);
}

static void speaks_ipv6(void) {
    struct socket *v6;
    if (os->socket_listen(os, "::1", 0, 1, &v6)) SKIP("no IPv6 here");
    peer = dial(AF_INET6, os->socket_port(os, v6));
    EXPECT_EQUAL(os->socket_accept(os, v6, &server_side, peer_name), STATUS_OK);
    EXPECT(strncmp(peer_name, "[::1]:", 6) == 0);
    listener = v6;
    finish();
}

static int option_of(int level, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(os->socket_number(os, server_side), level, option, &value, &size);
    return value;
}

static void probes_silent_peers(void) {
    begin();
    os->socket_keepalive(os, server_side, 300);
    EXPECT_EQUAL(option_of(SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQUAL(option_of(IPPROTO_TCP, TCP_KEEPIDLE), 300);
    EXPECT_EQUAL(option_of(IPPROTO_TCP, TCP_KEEPINTVL), 100);
    EXPECT_EQUAL(option_of(IPPROTO_TCP, TCP_KEEPCNT), 3);
    os->socket_keepalive(os, server_side, 1);
    EXPECT_EQUAL(option_of(IPPROTO_TCP, TCP_KEEPINTVL), 1);
    os->socket_keepalive(os, server_side, UINT32_MAX);
    EXPECT_EQUAL(option_of(IPPROTO_TCP, TCP_KEEPIDLE), 32767);
    os->socket_keepalive(os, server_side, 0);
    EXPECT_EQUAL(option_of(SOL_SOCKET, SO_KEEPALIVE), 0);
    EXPECT_EQUAL(option_of(IPPROTO_TCP, TCP_NODELAY), 1);
    finish();
}

static void knows_its_own_end(void) {
    char local[64], wanted[64];
    begin();
    os->socket_local(os, server_side, local);
    snprintf(wanted, sizeof wanted, "127.0.0.1:%u", os->socket_port(os, listener));
    EXPECT(strcmp(local, wanted) == 0);
    finish();
}

static void listens_in_the_file_system(void) {
    char directory[] = "/tmp/valori-socket-XXXXXX", local[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat facts;
    EXPECT(mkdtemp(directory) != NULL);
    char *path = address.sun_path;
    snprintf(path, sizeof address.sun_path, "%s/s", directory);
    int left_behind = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQUAL(bind(left_behind, (struct sockaddr *)&address, sizeof address), 0);
    close(left_behind);
    EXPECT_EQUAL(os->socket_listen_path(os, path, 0600, 4, &listener), STATUS_OK);
    EXPECT(stat(path, &facts) == 0 && S_ISSOCK(facts.st_mode));
    EXPECT_EQUAL(facts.st_mode & 0777, 0600);
    peer = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQUAL(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    EXPECT_EQUAL(os->socket_accept(os, listener, &server_side, peer_name), STATUS_OK);
    EXPECT(strncmp(peer_name, path, strlen(path)) == 0);
    EXPECT(strcmp(peer_name + strlen(path), ":0") == 0);
    os->socket_local(os, server_side, local);
    EXPECT(strcmp(local, peer_name) == 0);
    os->socket_keepalive(os, server_side, 300);
    close(peer);
    os->socket_close(os, server_side);
    os->socket_close(os, listener);
    EXPECT(stat(path, &facts) != 0);
    rmdir(directory);
}

static void does_not_replace_other_files(void) {
    char path[] = "/tmp/valori-file-XXXXXX", endless[200];
    int file = mkstemp(path);
    struct socket *none;
    EXPECT_EQUAL(os->socket_listen_path(os, path, 0600, 4, &none), STATUS_EXISTS);
    EXPECT(access(path, F_OK) == 0);
    close(file);
    unlink(path);
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    EXPECT_EQUAL(os->socket_listen_path(os, endless, 0600, 4, &none), STATUS_INVALID);
    EXPECT_EQUAL(os->socket_listen_path(os, "/none/s", 0600, 4, &none), STATUS_NOT_FOUND);
}

/* Wait for one event and compare it; `context` NULL: none comes. */
static void expect_event(struct poller *poller, void *context, bool readable,
                         bool writable) {
    struct poll_event events[4];
    size_t count = os->poller_wait(os, poller, events, 4, 20000);
    if (count == 0) count = os->poller_wait(os, poller, events, 4, 20000);
    EXPECT_EQUAL(count, context ? 1 : 0);
    if (count != 1 || !context) return;
    EXPECT(events[0].context == context);
    EXPECT_EQUAL(events[0].readable, readable);
    EXPECT_EQUAL(events[0].writable, writable);
}

static void polls_what_is_asked(void) {
    struct poller *poller;
    char bytes[8];
    size_t count;
    int a, b;
    begin();
    EXPECT_EQUAL(os->poller_create(os, &poller), STATUS_OK);
    expect_event(poller, NULL, false, false);
    EXPECT_EQUAL(os->poller_set(os, poller, server_side, true, false, &a), STATUS_OK);
    expect_event(poller, NULL, false, false);
    EXPECT_EQUAL(send(peer, "x", 1, 0), 1);
    expect_event(poller, &a, true, false);
    expect_event(poller, &a, true, false); /* level-triggered */
    EXPECT_EQUAL(os->poller_set(os, poller, server_side, true, false, &b), STATUS_OK);
    expect_event(poller, &b, true, false); /* only the context has changed */
    EXPECT_EQUAL(os->poller_set(os, poller, server_side, false, true, &b), STATUS_OK);
    expect_event(poller, &b, false, true);
    EXPECT_EQUAL(os->poller_set(os, poller, server_side, false, false, &b), STATUS_OK);
    EXPECT_EQUAL(os->poller_set(os, poller, server_side, false, false, NULL), STATUS_OK);
    expect_event(poller, NULL, false, false);
    EXPECT_EQUAL(os->poller_set(os, poller, server_side, true, false, &a), STATUS_OK);
    EXPECT_EQUAL(os->socket_receive(os, server_side, bytes, 8, &count), STATUS_OK);
    expect_event(poller, NULL, false, false);
    shutdown(peer, SHUT_WR);
    expect_event(poller, &a, true, false); /* the end is readable */
    os->poller_destroy(os, poller);
    finish();
}

int main(void) {
    os = posix_os();
    RUN(sends_and_receives);
    RUN(sending_to_the_gone_is_an_error);
    RUN(a_full_socket_says_again);
    RUN(connects_without_waiting);
    RUN(refuses_addresses);
    RUN(speaks_ipv6);
    RUN(probes_silent_peers);
    RUN(knows_its_own_end);
    RUN(listens_in_the_file_system);
    RUN(does_not_replace_other_files);
    RUN(polls_what_is_asked);
    return test_finish();
}
