/* The loop over real sockets on the loopback address. The peers are sockets of this same
 * thread, non-blocking, which are served between turns. */
#define _GNU_SOURCE

#include "net/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

/* --- A server that echoes
 * ------------------------------------------------------------------------ */

/* ECHO x: x. MARK n: OK, when n is durable. QUIT: OK and close. DROP: close at once,
 * itself and everybody else. LATER: nothing, but leaves the rest for the next turn. HOLD:
 * pauses itself. STOP: stops listening. */
struct server {
    struct loop *loop;
    uint16_t port;
    size_t accepted, closed, turns;
    size_t busy;      /* turns that must not sleep */
    uint64_t release; /* what to release in the next turn */
    struct connection *held;
};

static bool drop(void *context, struct connection *connection) {
    loop_close(((struct server *)context)->loop, connection);
    return true;
}

static void on_accepted(void *context, struct connection *connection) {
    struct server *server = context;
    struct connection_limits limits = connection_limits_default();
    connection_set_limits(connection, &limits);
    connection->owner = server;
    server->accepted++;
}

/* False: no more of this connection in this turn. */
static bool execute(struct server *server, struct connection *connection,
                    const struct request *request) {
    struct reply *reply = connection_reply(connection);
    struct slice name = request->arguments[0];
    if (slice_equal(name, slice_text("ECHO"))) {
        reply_bulk(reply, request->arguments[1]);
    } else if (slice_equal(name, slice_text("MARK"))) {
        uint64_t start = connection_position(connection);
        reply_ok(reply);
        connection_mark(connection, start,
                        (uint64_t)(request->arguments[1].data[0] - '0'));
    } else if (slice_equal(name, slice_text("QUIT"))) {
        reply_ok(reply);
        connection_close_after_reply(connection);
    } else if (slice_equal(name, slice_text("DROP"))) {
        loop_each(server->loop, drop, server);
        return false;
    } else if (slice_equal(name, slice_text("HOLD"))) {
        server->held = connection;
        loop_pause(server->loop, connection);
        return false;
    } else if (slice_equal(name, slice_text("STOP"))) {
        loop_stop_listening(server->loop);
        reply_ok(reply);
    } else {
        return !slice_equal(name, slice_text("LATER"));
    }
    return true;
}

static bool on_received(void *context, struct connection *connection) {
    struct request request;
    while (connection_next_request(connection, &request) == RESP_REQUEST)
        if (!execute(context, connection, &request)) return true;
    return false;
}

static void on_closed(void *context, struct connection *connection) {
    struct server *server = context;
    EXPECT(connection->owner == server);
    server->closed++;
}

static void on_wake(void *context) {
    struct server *server = context;
    server->turns++;
    if (server->release > 0) loop_release(server->loop, server->release);
    server->release = 0;
}

static bool on_sleep(void *context) {
    struct server *server = context;
    return server->busy > 0 && server->busy-- > 0;
}

static void start_with(struct server *server, const struct os *os) {
    struct loop_hooks hooks = {
        .context = server,
        .accepted = on_accepted,
        .received = on_received,
        .closed = on_closed,
        .after_wake = on_wake,
        .before_sleep = on_sleep,
    };
    *server = (struct server){0};
    EXPECT_EQUAL(loop_create(os, os_allocator(), &hooks, &server->loop), STATUS_OK);
    EXPECT_EQUAL(loop_listen(server->loop, "127.0.0.1", 0, 0, 64, &server->port),
                 STATUS_OK);
    EXPECT(server->port != 0);
}

static void start(struct server *server) { start_with(server, posix_os()); }

static void stop(struct server *server) {
    loop_destroy(server->loop);
    EXPECT_EQUAL(server->closed, server->accepted);
    EXPECT_EQUAL(os_allocator_used(), 0);
}

/* --- Peers
 * ---------------------------------------------------------------------------------------------
 */

static int dial(const struct server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server->port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQUAL(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    EXPECT_EQUAL(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
    return peer;
}

static void say(int peer, const char *text) {
    EXPECT_EQUAL(send(peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void nudge(void *context, struct loop_timer *timer) {
    (void)context;
    (void)timer;
}

/* A turn that sleeps for a millisecond at most. */
static void turn(struct server *server) {
    struct loop_timer timer = {.callback = nudge};
    loop_timer_add(server->loop, &timer, posix_os()->monotonic_us(posix_os()) + 1000);
    loop_step(server->loop);
    loop_timer_cancel(server->loop, &timer);
}

/* Turns until the peer has `wanted`, then two more to see that nothing else comes. */
static void hears(struct server *server, int peer, const char *wanted) {
    char text[4096];
    size_t size = 0;
    int rest = 2;
    for (int i = 0; i < 1000 && rest > 0; i++) {
        turn(server);
        ssize_t got = recv(peer, text + size, sizeof text - 1 - size, 0);
        if (got > 0) size += (size_t)got;
        if (size >= strlen(wanted)) rest--;
    }
    text[size] = '\0';
    if (strcmp(text, wanted) != 0) printf("  heard '%s', wanted '%s'\n", text, wanted);
    EXPECT(strcmp(text, wanted) == 0);
}

static bool is_cut_off(struct server *server, int peer) {
    char byte;
    for (int i = 0; i < 100; i++) {
        turn(server);
        ssize_t got = recv(peer, &byte, 1, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) return true;
    }
    return false;
}

/* --- Tests
 * ------------------------------------------------------------------------------------------------
 */

static void echoes(void) {
    struct server server;
    start(&server);
    int peer = dial(&server);
    say(peer, "ECHO a\r\nECHO b\r\nECHO ");
    hears(&server, peer, "$1\r\na\r\n$1\r\nb\r\n");
    say(peer, "c\r\n");
    hears(&server, peer, "$1\r\nc\r\n");
    EXPECT_EQUAL(loop_connection_count(server.loop), 1);
    say(peer, "ECHO d\r\nQUIT\r\nECHO e\r\n");
    hears(&server, peer, "$1\r\nd\r\n+OK\r\n");
    EXPECT(is_cut_off(&server, peer));
    EXPECT_EQUAL(server.closed, 1);
    close(peer);
    stop(&server);
}

static void accepts_many(void) {
    enum { PEERS = 60 };
    struct server server;
    int peers[PEERS];
    start(&server);
    for (int i = 0; i < PEERS; i++) peers[i] = dial(&server);
    turn(&server);
    EXPECT(server.accepted <= 10); /* in batches */
    for (int i = 0; i < PEERS; i++) say(peers[i], "ECHO x\r\n");
    for (int i = 0; i < PEERS; i++) hears(&server, peers[i], "$1\r\nx\r\n");
    EXPECT_EQUAL(server.accepted, PEERS);
    for (int i = 0; i < PEERS; i += 2) close(peers[i]);
    for (int i = 0; i < 100 && loop_connection_count(server.loop) > PEERS / 2; i++)
        turn(&server);
    EXPECT_EQUAL(loop_connection_count(server.loop), PEERS / 2);
    for (int i = 1; i < PEERS; i += 2) close(peers[i]);
    stop(&server);
}

/* Eight megabytes there and back, with both directions full most of the time. */
static void carries_big_arguments(void) {
    enum { SIZE = 8 << 20 };
    struct server server;
    start(&server);
    int peer = dial(&server);
    char *out = malloc(SIZE + 64), *in = malloc(SIZE + 64);
    size_t head = (size_t)sprintf(out, "*2\r\n$4\r\nECHO\r\n$%d\r\n", SIZE);
    for (size_t i = 0; i < SIZE; i++) out[head + i] = (char)(i * 7 + i / 251);
    memcpy(out + head + SIZE, "\r\n", 2);
    size_t out_size = head + SIZE + 2, in_size = SIZE + 12, sent = 0, got = 0;
    for (int i = 0; i < 100000 && got < in_size; i++) {
        ssize_t count = sent < out_size ? send(peer, out + sent, out_size - sent, 0) : 0;
        if (count > 0) sent += (size_t)count;
        turn(&server);
        count = recv(peer, in + got, SIZE + 64 - got, 0);
        if (count > 0) got += (size_t)count;
    }
    EXPECT_EQUAL(got, in_size);
    EXPECT_BYTES(in, "$8388608\r\n", 10);
    EXPECT_BYTES(in + 10, out + head, SIZE);
    close(peer);
    free(out);
    free(in);
    stop(&server);
}

static void replies_wait_for_the_disk(void) {
    struct server server;
    start(&server);
    int writer = dial(&server), reader = dial(&server);
    say(writer, "ECHO a\r\nMARK 3\r\nECHO b\r\n");
    hears(&server, writer, "$1\r\na\r\n");
    say(reader, "ECHO r\r\n");
    hears(&server, reader, "$1\r\nr\r\n"); /* who does not depend on it goes on */
    server.release = 2;
    hears(&server, writer, "");
    server.release = 3;
    hears(&server, writer, "+OK\r\n$1\r\nb\r\n");
    say(writer, "MARK 3\r\n"); /* the loop remembers what is durable */
    hears(&server, writer, "+OK\r\n");
    close(writer);
    close(reader);
    stop(&server);
}

/* A peer that shut its side still gets the answers that wait for the disk. */
static void half_closed_peers_get_their_answers(void) {
    struct server server;
    start(&server);
    int peer = dial(&server);
    say(peer, "MARK 1\r\n");
    shutdown(peer, SHUT_WR);
    hears(&server, peer, "");
    EXPECT_EQUAL(loop_connection_count(server.loop), 1);
    server.release = 1;
    hears(&server, peer, "+OK\r\n");
    EXPECT(is_cut_off(&server, peer));
    close(peer);
    stop(&server);
}

/* One closes all from inside its own callback, with events of the same turn still to
 * come. */
static void survives_closing_inside_callbacks(void) {
    struct server server;
    start(&server);
    int peers[8];
    for (int i = 0; i < 8; i++) peers[i] = dial(&server);
    while (server.accepted < 8) turn(&server);
    for (int i = 0; i < 8; i++) say(peers[i], "ECHO x\r\nDROP\r\nECHO y\r\n");
    for (int i = 0; i < 8; i++) EXPECT(is_cut_off(&server, peers[i]));
    EXPECT_EQUAL(server.closed, 8);
    for (int i = 0; i < 8; i++) close(peers[i]);
    stop(&server);
}

/* Requests that were left are taken in the next turns, without a byte more arriving. */
static void comes_back_for_the_rest(void) {
    struct server server;
    start(&server);
    int peer = dial(&server);
    say(peer, "LATER\r\nLATER\r\nECHO a\r\nLATER\r\nECHO b\r\n");
    hears(&server, peer, "$1\r\na\r\n$1\r\nb\r\n");
    close(peer);
    stop(&server);
}

static void pauses_and_resumes(void) {
    struct server server;
    start(&server);
    int peer = dial(&server);
    say(peer, "ECHO a\r\nHOLD\r\nECHO b\r\n");
    hears(&server, peer, "$1\r\na\r\n");
    say(peer, "ECHO c\r\n");
    hears(&server, peer, "");
    loop_resume(server.loop, server.held);
    hears(&server, peer, "$1\r\nb\r\n$1\r\nc\r\n");
    close(peer);
    stop(&server);
}

static void stops_listening_inside_a_callback(void) {
    struct server server;
    start(&server);
    int peer = dial(&server);
    while (server.accepted < 1) turn(&server);
    int late = dial(&server);
    say(peer, "STOP\r\n");
    hears(&server, peer, "+OK\r\n");
    say(peer, "ECHO x\r\n"); /* those who are in stay */
    hears(&server, peer, "$1\r\nx\r\n");
    close(peer);
    close(late);
    stop(&server);
}

static void refuses_what_is_no_address(void) {
    struct server server;
    uint16_t port;
    start(&server);
    EXPECT_EQUAL(loop_listen(server.loop, "localhost", 0, 0, 1, &port), STATUS_INVALID);
    EXPECT_EQUAL(loop_listen(server.loop, "127.0.0.1", server.port, 0, 1, &port),
                 STATUS_IO);
    EXPECT_EQUAL(posix_os()->error(posix_os()), EADDRINUSE);
    stop(&server);
}

/* --- Timers
 * -------------------------------------------------------------------------------------------------
 */

struct tick {
    struct server *server;
    struct loop_timer *cancels;
    int number, runs, again;
};
static int tick_order[16], tick_count;

static void on_tick(void *context, struct loop_timer *timer) {
    struct tick *tick = context;
    tick->runs++;
    if (tick_count < 16) tick_order[tick_count++] = tick->number;
    if (tick->cancels) loop_timer_cancel(tick->server->loop, tick->cancels);
    if (tick->again-- > 0) loop_timer_add(tick->server->loop, timer, 0);
}

static void timers_run_in_order(void) {
    struct server server;
    start(&server);
    struct tick ticks[4];
    struct loop_timer timers[4];
    uint64_t now = posix_os()->monotonic_us(posix_os());
    static const uint64_t delays[4] = {3000, 1000, 2000, 2500};
    tick_count = 0;
    for (int i = 0; i < 4; i++) {
        ticks[i] = (struct tick){.server = &server, .number = i};
        timers[i] = (struct loop_timer){.callback = on_tick, .context = &ticks[i]};
        loop_timer_add(server.loop, &timers[i], now + 1000000);
        loop_timer_add(server.loop, &timers[i], now + delays[i]); /* moved */
    }
    ticks[2].cancels = &timers[3];
    while (ticks[0].runs == 0) loop_step(server.loop);
    EXPECT(posix_os()->monotonic_us(posix_os()) >= now + 3000);
    EXPECT_EQUAL(tick_count, 3);
    EXPECT_EQUAL(tick_order[0], 1);
    EXPECT_EQUAL(tick_order[1], 2);
    EXPECT_EQUAL(tick_order[2], 0);
    EXPECT(!timers[3].set);
    stop(&server);
}

/* A timer that sets itself to the past runs once a turn and does not hold the loop. */
static void timers_cannot_starve_the_loop(void) {
    struct server server;
    start(&server);
    struct tick tick = {.server = &server, .again = 5};
    struct loop_timer timer = {.callback = on_tick, .context = &tick};
    loop_timer_add(server.loop, &timer, 0);
    loop_step(server.loop);
    EXPECT_EQUAL(tick.runs, 1);
    loop_step(server.loop);
    EXPECT_EQUAL(tick.runs, 2);
    loop_timer_cancel(server.loop, &timer);
    stop(&server);
}

static void busy_work_does_not_sleep(void) {
    struct server server;
    start(&server);
    loop_step(server.loop); /* the first turn never sleeps */
    server.busy = 100;
    struct loop_timer timer = {.callback = nudge};
    loop_timer_add(server.loop, &timer, 0);
    loop_step(server.loop);
    for (int i = 0; i < 100; i++) loop_step(server.loop); /* would sleep for ever */
    EXPECT_EQUAL(server.busy, 0);
    stop(&server);
}

static void stop_loop(void *context, struct loop_timer *timer) {
    (void)timer;
    loop_stop(context);
}

static void runs_until_stopped(void) {
    struct server server;
    start(&server);
    struct loop_timer timer = {.callback = stop_loop, .context = server.loop};
    loop_timer_add(server.loop, &timer, posix_os()->monotonic_us(posix_os()) + 2000);
    loop_run(server.loop);
    EXPECT(server.turns > 0);
    stop(&server);
}

/* The real system with a clock that can be moved. */
static uint64_t clock_advance_us;

static uint64_t moved_clock(const struct os *os) {
    return posix_os()->monotonic_us(os) + clock_advance_us;
}

/* After two silent seconds the memory of a burst is given back. */
static void idle_connections_shrink(void) {
    struct server server;
    struct os os = *posix_os();
    os.monotonic_us = moved_clock;
    start_with(&server, &os);
    int peer = dial(&server);
    size_t fresh = os_allocator_used();
    char blanks[5001];
    memset(blanks, ' ', sizeof blanks - 1);
    blanks[sizeof blanks - 1] = '\0';
    say(peer, blanks);
    say(peer, "ECHO x\r\n");
    hears(&server, peer, "$1\r\nx\r\n");
    size_t busy = os_allocator_used();
    EXPECT(busy > fresh + 5000);
    EXPECT(busy < fresh + 20000); /* it pays for what it has sent, not for a whole read */
    clock_advance_us = 1500000;
    turn(&server);
    EXPECT_EQUAL(os_allocator_used(), busy);
    clock_advance_us = 4000000;
    turn(&server);
    EXPECT(os_allocator_used() < fresh + 4000);
    say(peer, "ECHO y\r\n");
    hears(&server, peer, "$1\r\ny\r\n");
    close(peer);
    stop(&server);
}

int main(void) {
    RUN(echoes);
    RUN(accepts_many);
    RUN(carries_big_arguments);
    RUN(replies_wait_for_the_disk);
    RUN(half_closed_peers_get_their_answers);
    RUN(survives_closing_inside_callbacks);
    RUN(comes_back_for_the_rest);
    RUN(pauses_and_resumes);
    RUN(stops_listening_inside_a_callback);
    RUN(refuses_what_is_no_address);
    RUN(timers_run_in_order);
    RUN(timers_cannot_starve_the_loop);
    RUN(busy_work_does_not_sleep);
    RUN(runs_until_stopped);
    RUN(idle_connections_shrink);
    return test_finish();
}
