/* One connection over a system that exists only as four socket functions: what it
 * receives is written down beforehand, what it sends is collected. */
#include "net/connection.h"

#include "test.h"

/* --- The fake system
 * -------------------------------------------------------------------------- */

static void *resize(void *context, void *block, size_t old_size, size_t new_size) {
    size_t *used = context;
    *used += new_size - old_size;
    if (new_size > 0) return realloc(block, new_size);
    free(block);
    return NULL;
}

struct fake {
    struct os os;
    struct allocator allocator;
    size_t memory_used;
    const uint8_t *incoming; /* what the peer has sent and we have not received */
    size_t incoming_size;
    bool peer_ended;
    size_t largest_receive;
    uint8_t outgoing[1 << 20];
    size_t outgoing_size;
    size_t room; /* bytes the socket takes before it says again */
    size_t sends;
    bool broken; /* sending fails */
    bool closed;
    uint64_t now_us;
};

static enum status fake_receive(const struct os *os, struct socket *socket, void *bytes,
                                size_t size, size_t *got) {
    (void)socket;
    struct fake *fake = os->context;
    if (size > fake->largest_receive) fake->largest_receive = size;
    *got = 0;
    if (fake->incoming_size == 0) return fake->peer_ended ? STATUS_END : STATUS_AGAIN;
    *got = size < fake->incoming_size ? size : fake->incoming_size;
    memcpy(bytes, fake->incoming, *got);
    fake->incoming += *got;
    fake->incoming_size -= *got;
    return STATUS_OK;
}

static enum status fake_send(const struct os *os, struct socket *socket,
                             const void *bytes, size_t size, size_t *sent) {
    (void)socket;
    struct fake *fake = os->context;
    *sent = 0;
    if (fake->broken) return STATUS_IO;
    if (fake->room == 0) return STATUS_AGAIN;
    fake->sends++;
    *sent = size < fake->room ? size : fake->room;
    memcpy(fake->outgoing + fake->outgoing_size, bytes, *sent);
    fake->outgoing_size += *sent;
    fake->room -= *sent;
    return STATUS_OK;
}

static void fake_close(const struct os *os, struct socket *socket) {
    (void)socket;
    struct fake *fake = os->context;
    fake->closed = true;
}

static uint64_t fake_now(const struct os *os) {
    struct fake *fake = os->context;
    return fake->now_us;
}

static struct fake fake;
static struct connection connection;

static void begin(const struct connection_limits *limits) {
    struct connection_limits usual = connection_limits_default();
    memset(&fake, 0, sizeof fake);
    fake.os.context = &fake;
    fake.os.socket_receive = fake_receive;
    fake.os.socket_send = fake_send;
    fake.os.socket_close = fake_close;
    fake.os.monotonic_us = fake_now;
    fake.allocator = (struct allocator){&fake.memory_used, resize};
    fake.room = SIZE_MAX / 2;
    connection_init(&connection, &fake.os, &fake.allocator, NULL, "1.2.3.4:5",
                    limits ? limits : &usual);
}

static void finish(void) {
    connection_free(&connection);
    EXPECT(fake.closed);
    EXPECT_EQUAL(fake.memory_used, 0);
}

static void arrives(const void *bytes, size_t size) {
    fake.incoming = bytes;
    fake.incoming_size = size;
}

static bool sent_is(const char *wanted) {
    bool same =
        slice_equal(slice_of(fake.outgoing, fake.outgoing_size), slice_text(wanted));
    if (!same)
        printf("  sent '%.*s', wanted '%s'\n", (int)fake.outgoing_size,
               (const char *)fake.outgoing, wanted);
    return same;
}

/* Write `text` as a reply that waits for `sequence`. */
static void reply_marked(const char *text, uint64_t sequence) {
    uint64_t start = connection_position(&connection);
    reply_raw(connection_reply(&connection), slice_text(text));
    connection_mark(&connection, start, sequence);
}

/* --- Requests
 * -------------------------------------------------------------------------------------
 */

static void takes_pipelined_requests(void) {
    struct request request;
    begin(NULL);
    fake.now_us = 77;
    const char *text = "PING\r\n\r\n*0\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nPI";
    arrives(text, strlen(text));
    EXPECT_EQUAL(connection_receive(&connection), STATUS_OK);
    EXPECT_EQUAL(connection.active_us, 77);
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_REQUEST);
    EXPECT(slice_equal(request.arguments[0], slice_text("PING")));
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_REQUEST);
    EXPECT_EQUAL(request.count, 2);
    EXPECT(slice_equal(request.arguments[1], slice_text("hi")));
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_INCOMPLETE);
    EXPECT_EQUAL(connection_receive(&connection), STATUS_AGAIN);
    arrives("NG\r\n", 4);
    EXPECT_EQUAL(connection_receive(&connection), STATUS_OK);
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_REQUEST);
    EXPECT(slice_equal(request.arguments[0], slice_text("PING")));
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_INCOMPLETE);
    fake.peer_ended = true;
    EXPECT_EQUAL(connection_receive(&connection), STATUS_END);
    EXPECT(connection.ended);
    finish();
}

/* The commands before the bad one are answered, then the error, then nothing. */
static void answers_a_protocol_error_once(void) {
    struct request request;
    begin(NULL);
    const char *text = "PING\r\n*1\r\n$x\r\nPING\r\n";
    arrives(text, strlen(text));
    EXPECT_EQUAL(connection_receive(&connection), STATUS_OK);
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_REQUEST);
    reply_status(connection_reply(&connection), "PONG");
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_ERROR);
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_INCOMPLETE);
    EXPECT(!connection_is_over(&connection));
    EXPECT_EQUAL(connection_send(&connection), STATUS_OK);
    EXPECT(sent_is("+PONG\r\n-ERR Protocol error: invalid bulk length\r\n"));
    EXPECT(connection_is_over(&connection));
    finish();
}

/* 256 KiB come in one block of just their size, and nothing behind them is taken along.
 */
static void receives_big_arguments_in_place(void) {
    enum { SIZE = 256 << 10 };
    begin(NULL);
    char *text = malloc(SIZE + 64);
    size_t head = (size_t)sprintf(text, "*2\r\n$1\r\nx\r\n$%d\r\n", SIZE);
    memset(text + head, 'v', SIZE);
    memcpy(text + head + SIZE, "\r\nPING\r\n", 8);
    arrives(text, head + SIZE + 8);
    struct request request;
    const uint8_t *argument = NULL;
    enum resp_result result = RESP_INCOMPLETE;
    size_t receives = 0;
    while (result == RESP_INCOMPLETE && receives < 100) {
        EXPECT_EQUAL(connection_receive(&connection), STATUS_OK);
        receives++;
        result = connection_next_request(&connection, &request);
        if (receives == 2) argument = connection.input.data + head;
    }
    EXPECT_EQUAL(receives, 2); /* the first 16 KiB, and all the rest */
    EXPECT_EQUAL(result, RESP_REQUEST);
    EXPECT_EQUAL(request.arguments[1].size, SIZE);
    EXPECT(request.arguments[1].data == argument);
    EXPECT_EQUAL(fake.incoming_size, 6);
    EXPECT_EQUAL(connection.input.capacity, head + SIZE + 2);
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_INCOMPLETE);
    EXPECT_EQUAL(connection_receive(&connection), STATUS_OK);
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_REQUEST);
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_INCOMPLETE);
    connection_shrink(&connection);
    EXPECT_EQUAL(connection.input.capacity, 0);
    free(text);
    finish();
}

/* 512 MB announced and hardly anything sent: the room stays small. */
static void trusts_a_header_for_a_megabyte(void) {
    struct request request;
    begin(NULL);
    const char *text = "*1\r\n$536870912\r\nx";
    arrives(text, strlen(text));
    for (int i = 0; i < 3; i++) {
        connection_receive(&connection);
        EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_INCOMPLETE);
    }
    EXPECT(fake.largest_receive <= 1 << 20);
    EXPECT(connection.input.capacity <= (1 << 20) + 64);
    finish();
}

static void stops_at_the_input_limit(void) {
    struct connection_limits limits = connection_limits_unauthenticated();
    limits.input_bytes = 20000;
    limits.request.inline_bytes = 1 << 20;
    begin(&limits);
    static char text[65536];
    memset(text, 'a', sizeof text);
    arrives(text, sizeof text);
    struct request request;
    enum status status = STATUS_OK;
    size_t received = 0;
    for (int i = 0; i < 10 && !status; i++) {
        status = connection_receive(&connection);
        received = sizeof text - fake.incoming_size;
        EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_INCOMPLETE);
    }
    EXPECT_EQUAL(status, STATUS_TOO_LARGE);
    EXPECT_EQUAL(received, 20000);
    finish();
}

/* Arguments that somebody still works on outlive the care for idle memory. */
static void keeps_a_request_in_hand(void) {
    struct request request;
    begin(NULL);
    const char *text = "*1\r\n$4\r\nPING\r\n";
    arrives(text, strlen(text));
    EXPECT_EQUAL(connection_receive(&connection), STATUS_OK);
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_REQUEST);
    connection_shrink(&connection);
    EXPECT(slice_equal(request.arguments[0], slice_text("PING")));
    finish();
}

/* --- Output
 * ------------------------------------------------------------------------------------------
 */

static void sends_at_most_64_kib_a_turn(void) {
    begin(NULL);
    static char text[200001];
    memset(text, 'x', sizeof text - 1);
    reply_raw(connection_reply(&connection), slice_text(text));
    EXPECT_EQUAL(connection_send(&connection), STATUS_OK);
    EXPECT_EQUAL(fake.outgoing_size, 65536);
    EXPECT_EQUAL(connection_sendable(&connection), 200000 - 65536);
    fake.room = 1000;
    EXPECT_EQUAL(connection_send(&connection), STATUS_OK);
    EXPECT_EQUAL(fake.outgoing_size, 66536);
    EXPECT_EQUAL(connection_send(&connection), STATUS_OK); /* full: not an error */
    fake.room = SIZE_MAX / 2;
    while (connection_sendable(&connection) > 0)
        EXPECT_EQUAL(connection_send(&connection), STATUS_OK);
    EXPECT_EQUAL(fake.outgoing_size, 200000);
    EXPECT_EQUAL(connection_position(&connection), 200000);
    reply_ok(connection_reply(&connection));
    fake.broken = true;
    EXPECT_EQUAL(connection_send(&connection), STATUS_IO);
    finish();
}

/* A stranger that does not read its answers gets no more of them. */
static void fails_at_the_output_limit(void) {
    struct connection_limits limits = connection_limits_unauthenticated();
    begin(&limits);
    for (int i = 0; i < 1000; i++)
        reply_error(connection_reply(&connection), "NOAUTH Authentication required.");
    EXPECT(connection_pending(&connection) <= 1024);
    EXPECT_EQUAL(connection_send(&connection), STATUS_TOO_LARGE);
    EXPECT_EQUAL(fake.outgoing_size, 0);
    finish();
}

static void limits_change_with_auth(void) {
    struct connection_limits limits = connection_limits_unauthenticated();
    struct request request;
    begin(&limits);
    const char *text = "AUTH x\r\n*11\r\n$1\r\na\r\n";
    arrives(text, strlen(text));
    EXPECT_EQUAL(connection_receive(&connection), STATUS_OK);
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_REQUEST);
    limits = connection_limits_default();
    connection_set_limits(&connection, &limits);
    EXPECT_EQUAL(connection_next_request(&connection, &request), RESP_INCOMPLETE);
    /* And back: what is held already is held, and no check fires. */
    limits = connection_limits_unauthenticated();
    limits.input_bytes = limits.output_bytes = 1;
    connection_set_limits(&connection, &limits);
    arrives("b", 1);
    connection_receive(&connection);
    reply_ok(connection_reply(&connection));
    finish();
}

static void close_waits_for_the_output(void) {
    begin(NULL);
    reply_marked("+OK\r\n", 1);
    connection_close_after_reply(&connection);
    EXPECT_EQUAL(connection_send(&connection), STATUS_OK);
    EXPECT(!connection_is_over(&connection));
    EXPECT(connection_release(&connection, 1));
    EXPECT_EQUAL(connection_send(&connection), STATUS_OK);
    EXPECT(connection_is_over(&connection));
    static char text[1 << 20];
    arrives(text, sizeof text);
    connection_drain(&connection);
    EXPECT(fake.incoming_size > 0 && fake.incoming_size < sizeof text); /* bounded */
    finish();
}

/* --- Marks
 * -----------------------------------------------------------------------------------------------
 */

static void nothing_overtakes_the_disk(void) {
    begin(NULL);
    reply_raw(connection_reply(&connection), slice_text("a"));
    reply_marked("b", 7);
    reply_marked("c", 7);
    reply_raw(connection_reply(&connection), slice_text("d"));
    reply_marked("e", 9);
    reply_marked("f", 8); /* a read of an older state: behind 9 anyway */
    EXPECT_EQUAL(connection.mark_count, 2);
    connection_send(&connection);
    EXPECT(sent_is("a"));
    EXPECT(!connection_release(&connection, 6));
    connection_send(&connection);
    EXPECT(sent_is("a"));
    EXPECT(connection_release(&connection, 7));
    connection_send(&connection);
    EXPECT(sent_is("abcd"));
    EXPECT(!connection_release(&connection, 8));
    EXPECT(connection_release(&connection, 100));
    connection_send(&connection);
    EXPECT(sent_is("abcdef"));
    reply_marked("g", 100); /* durable already */
    EXPECT_EQUAL(connection.mark_count, 0);
    connection_send(&connection);
    EXPECT(sent_is("abcdefg"));
    finish();
}

static void a_mark_without_bytes_is_none(void) {
    begin(NULL);
    connection_mark(&connection, connection_position(&connection), 5);
    EXPECT_EQUAL(connection.mark_count, 0);
    reply_marked("a", 5);
    connection_mark(&connection, 0, 6); /* the same bytes wait for more */
    EXPECT_EQUAL(connection.mark_count, 1);
    EXPECT(!connection_release(&connection, 5));
    EXPECT(connection_release(&connection, 6));
    finish();
}

static void a_mark_further_in_front_takes_over(void) {
    begin(NULL);
    reply_marked("a", 3);
    uint64_t start = connection_position(&connection);
    reply_marked("b", 4);
    reply_marked("c", 5);
    connection_mark(&connection, start, 4);
    EXPECT_EQUAL(connection.mark_count, 2);
    connection_release(&connection, 4);
    connection_send(&connection);
    EXPECT(sent_is("a"));
    connection_release(&connection, 5);
    connection_send(&connection);
    EXPECT(sent_is("abc"));
    finish();
}

/* A random run against the definition: a byte may leave when every sequence that it or a
 * byte before it was marked with is durable. As long as the ring was never full, it also
 * does. */
static void agrees_with_the_definition(void) {
    enum { SIZE = 500 };
    uint32_t random = 3;
    for (int round = 0; round < 300; round++) {
        uint64_t needs[SIZE]; /* for each byte */
        size_t size = 0;
        uint64_t sequence = 0, durable = 0;
        uint32_t syncs_above =
            round % 3 == 0 ? 250 : 200; /* seldom, so that it gets full */
        bool was_full = false;
        begin(NULL);
        while (size < SIZE) {
            random = random * 1664525u + 1013904223u;
            uint32_t dice = random >> 24;
            if (dice <= syncs_above) {
                sequence += dice % 3;
                uint64_t needed = dice % 5 == 0 ? 0 : sequence;
                reply_marked("x", needed);
                needs[size] =
                    size > 0 && needs[size - 1] > needed ? needs[size - 1] : needed;
                size++;
                was_full |= connection.mark_count == CONNECTION_MARKS;
                continue;
            }
            if (sequence > durable) durable += 1 + dice % (sequence - durable);
            connection_release(&connection, durable);
            connection_send(&connection);
            size_t allowed = 0;
            while (allowed < size && needs[allowed] <= durable) allowed++;
            EXPECT(fake.outgoing_size <= allowed);
            if (!was_full) EXPECT_EQUAL(fake.outgoing_size, allowed);
        }
        connection_release(&connection, sequence);
        connection_send(&connection);
        EXPECT_EQUAL(fake.outgoing_size, size);
        EXPECT_EQUAL(connection.mark_count, 0);
        finish();
    }
}

/* More marks than there is room for: later, never sooner. */
static void a_full_ring_waits_longer(void) {
    begin(NULL);
    for (uint64_t i = 1; i <= CONNECTION_MARKS + 8; i++) reply_marked("x", i);
    EXPECT_EQUAL(connection.mark_count, CONNECTION_MARKS);
    connection_release(&connection, CONNECTION_MARKS + 7);
    connection_send(&connection);
    EXPECT_EQUAL(fake.outgoing_size, CONNECTION_MARKS - 1);
    connection_release(&connection, CONNECTION_MARKS + 8);
    connection_send(&connection);
    EXPECT_EQUAL(fake.outgoing_size, CONNECTION_MARKS + 8);
    finish();
}

int main(void) {
    RUN(takes_pipelined_requests);
    RUN(answers_a_protocol_error_once);
    RUN(receives_big_arguments_in_place);
    RUN(trusts_a_header_for_a_megabyte);
    RUN(stops_at_the_input_limit);
    RUN(keeps_a_request_in_hand);
    RUN(sends_at_most_64_kib_a_turn);
    RUN(fails_at_the_output_limit);
    RUN(limits_change_with_auth);
    RUN(close_waits_for_the_output);
    RUN(nothing_overtakes_the_disk);
    RUN(a_mark_without_bytes_is_none);
    RUN(a_mark_further_in_front_takes_over);
    RUN(agrees_with_the_definition);
    RUN(a_full_ring_waits_longer);
    return test_finish();
}
