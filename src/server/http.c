#include "server/http.h"

#include <stdio.h>

#include "server/server.h"
#include "server/words.h"

#define PAGE_MAX     ((size_t)1 << 20)
#define IDLE_MAX_US  UINT64_C(10000000)
#define HTTP_CLIENTS 64 /* at a time */

void http_accepted(struct server *server, struct connection *connection) {
    struct connection_limits limits = connection_limits_unauthenticated();
    limits.input_bytes = HTTP_REQUEST_MAX;
    limits.output_bytes = 2 * PAGE_MAX;
    connection_set_limits(connection, &limits);
    if (++server->http_connections > HTTP_CLIENTS) loop_close(server->loop, connection);
}

void http_look(struct server *server, struct connection *connection) {
    if (loop_now_us(server->loop) > connection->active_us + IDLE_MAX_US)
        loop_close(server->loop, connection);
}

/* --- Answering --------------------------------------------------------------------- */

struct exchange {
    struct server *server;
    struct connection *connection;
    bool head;  /* HEAD: the page's size and not the page */
    bool close; /* after this answer */
};

static void answer(const struct exchange *exchange, const char *status, const char *type,
                   struct slice page) {
    char head[256];
    int size =
        snprintf(head, sizeof head,
                 "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                 "Cache-Control: no-store\r\nConnection: %s\r\n\r\n",
                 status, type, page.size, exchange->close ? "close" : "keep-alive");
    struct buffer *output = &exchange->connection->output;
    enum status failed = buffer_append(output, head, (size_t)size);
    if (!failed && !exchange->head) failed = buffer_append(output, page.data, page.size);
    if (failed) exchange->connection->reply.failed = failed;
    if (exchange->close) connection_close_after_reply(exchange->connection);
}

static void refuse(struct exchange *exchange, const char *status) {
    char page[64];
    int size = snprintf(page, sizeof page, "%s\n", status);
    exchange->close = true;
    answer(exchange, status, "text/plain", slice_of(page, (size_t)size));
}

static void answer_health(const struct exchange *exchange, struct buffer *page) {
    health_write(exchange->server, page);
    bool full = health_of(exchange->server) == HEALTH_FULL;
    answer(exchange,
           full || exchange->server->loading ? "503 Service Unavailable" : "200 OK",
           "application/json", buffer_slice(page));
}

/* Ready: the log is read, and writes are not refused for want of disk space. */
static void answer_ready(const struct exchange *exchange) {
    struct server *server = exchange->server;
    const char *why = NULL;
    if (server->loading) why = "loading\n";
    else if (engine_refusing(server->engine)) why = "no disk space\n";
    else if (server->link.diverged) why = "diverged\n";
    answer(exchange, why ? "503 Service Unavailable" : "200 OK", "text/plain",
           slice_text(why ? why : "ready\n"));
}

static void answer_page(struct exchange *exchange, struct slice path) {
    struct buffer page;
    buffer_init(&page, exchange->server->allocator, PAGE_MAX);
    if (slice_equal(path, slice_text("/health"))) {
        answer_health(exchange, &page);
    } else if (slice_equal(path, slice_text("/metrics"))) {
        exposition_write(exchange->server, &page);
        answer(exchange, "200 OK", "text/plain; version=0.0.4; charset=utf-8",
               buffer_slice(&page));
    } else if (slice_equal(path, slice_text("/ready"))) {
        answer_ready(exchange);
    } else {
        refuse(exchange, "404 Not Found");
    }
    buffer_free(&page);
}

/* --- Requests ---------------------------------------------------------------------- */

static bool next_line(struct slice *text, struct slice *line) {
    const uint8_t *end = text->size ? memchr(text->data, '\n', text->size) : NULL;
    if (!end) return false;
    size_t size = (size_t)(end - text->data);
    *line = slice_of(text->data, size && end[-1] == '\r' ? size - 1 : size);
    *text = slice_of(end + 1, text->size - size - 1);
    return true;
}

/* Cut the word before the next blank off `line`. */
static struct slice next_word(struct slice *line) {
    const uint8_t *blank = line->size ? memchr(line->data, ' ', line->size) : NULL;
    size_t size = blank ? (size_t)(blank - line->data) : line->size;
    struct slice word = slice_of(line->data, size);
    *line = slice_of(line->data + size + (blank != NULL),
                     line->size - size - (blank != NULL));
    return word;
}

/* A header such as `Connection: close`: its value, when the name is this one. */
static bool header_is(struct slice line, const char *name, struct slice *value) {
    size_t size = strlen(name);
    if (line.size <= size || line.data[size] != ':' ||
        !word_is(slice_of(line.data, size), name))
        return false;
    size_t at = size + 1;
    while (at < line.size && line.data[at] == ' ') at++;
    *value = slice_of(line.data + at, line.size - at);
    return true;
}

/* What the headers say that matters here. False: the request has a body. */
static bool read_headers(struct exchange *exchange, struct slice headers) {
    struct slice line, value;
    bool body = false;
    while (next_line(&headers, &line)) {
        if (header_is(line, "connection", &value))
            exchange->close |= word_is(value, "close");
        if (header_is(line, "content-length", &value))
            body |= !slice_equal(value, slice_text("0"));
        body |= header_is(line, "transfer-encoding", &value);
    }
    return !body;
}

/* `text` is a whole request: a line, headers, and the empty line. */
static void answer_request(struct server *server, struct connection *connection,
                           struct slice text) {
    struct exchange exchange = {.server = server, .connection = connection};
    struct slice line, method, path, version;
    (void)next_line(&text, &line);
    method = next_word(&line);
    path = next_word(&line);
    version = next_word(&line);
    bool newer = slice_equal(version, slice_text("HTTP/1.1"));
    exchange.close = !newer;
    exchange.head = slice_equal(method, slice_text("HEAD"));
    const uint8_t *query = path.size ? memchr(path.data, '?', path.size) : NULL;
    if (query) path.size = (size_t)(query - path.data);
    bool sound = read_headers(&exchange, text);
    server->metrics.http_requests++;
    if (!newer && !slice_equal(version, slice_text("HTTP/1.0")))
        refuse(&exchange, "400 Bad Request");
    else if (!sound) refuse(&exchange, "413 Content Too Large");
    else if (!exchange.head && !slice_equal(method, slice_text("GET")))
        refuse(&exchange, "405 Method Not Allowed");
    else answer_page(&exchange, path);
}

/* Bytes of the first request in `text`, its empty line included; 0: it is not whole. */
static size_t request_size(struct slice text) {
    struct slice rest = text, line;
    while (next_line(&rest, &line))
        if (line.size == 0) return text.size - rest.size;
    return 0;
}

void http_received(struct server *server, struct connection *connection) {
    size_t size;
    while (!connection->closing) {
        struct slice text = buffer_slice(&connection->input);
        size = request_size(text);
        if (size == 0) break;
        answer_request(server, connection, slice_of(text.data, size));
        buffer_consume(&connection->input, size);
    }
    if (connection->closing || buffer_size(&connection->input) < HTTP_REQUEST_MAX) return;
    struct exchange exchange = {.server = server, .connection = connection};
    refuse(&exchange, "431 Request Header Fields Too Large");
}
