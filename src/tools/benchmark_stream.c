/* The closed loop of valori-benchmark: poll() over non-blocking connections of hiredis.
 */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "base/check.h"

#define CONNECT_TIMEOUT_S 5
#define SILENCE_LIMIT_MS  60000
#define NUMBER_TEXT_SIZE  24 /* of a u64, or of a float in nine digits */

/* --- Commands
 * ------------------------------------------------------------------------------ */

struct command {
    size_t count, capacity;
    const char **words;
    size_t *sizes;
    char *numbers; /* NUMBER_TEXT_SIZE for each word */
};

void command_bytes(struct command *command, const void *bytes, size_t size) {
    check(command->count < command->capacity);
    command->words[command->count] = (const char *)bytes;
    command->sizes[command->count] = size;
    command->count++;
}

void command_word(struct command *command, const char *word) {
    command_bytes(command, word, strlen(word));
}

/* Where the text of the next word goes, if it is a number. */
static char *next_number(const struct command *command) {
    check(command->count < command->capacity);
    return command->numbers + command->count * NUMBER_TEXT_SIZE;
}

void command_integer(struct command *command, uint64_t value) {
    char *end = next_number(command) + NUMBER_TEXT_SIZE;
    char *start = end;
    do {
        *--start = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    command_bytes(command, start, (size_t)(end - start));
}

void command_float(struct command *command, float value) {
    char *text = next_number(command);
    int size = snprintf(text, NUMBER_TEXT_SIZE, "%.9g", (double)value);
    command_bytes(command, text, (size_t)size);
}

static bool command_init(struct command *command, const struct allocator *allocator,
                         size_t capacity) {
    *command = (struct command){.capacity = capacity};
    command->words = allocate(allocator, capacity * sizeof *command->words);
    command->sizes = allocate(allocator, capacity * sizeof *command->sizes);
    command->numbers = allocate(allocator, capacity * NUMBER_TEXT_SIZE);
    return command->words && command->sizes && command->numbers;
}

static void command_free(struct command *command, const struct allocator *allocator) {
    /* The words themselves are constant; the array of pointers to them is ours. */
    release(allocator, command->words, command->capacity * sizeof *command->words);
    release(allocator, command->sizes, command->capacity * sizeof *command->sizes);
    release(allocator, command->numbers, command->capacity * NUMBER_TEXT_SIZE);
}

/* --- Errors and sums
 * ------------------------------------------------------------------------ */

/* An error may quote bytes of ours; in a report they must not act on a terminal or break
 * JSON. */
static void copy_printable(char *to, size_t size, const char *from) {
    size_t i = 0;
    for (; i < size - 1 && from[i] != '\0'; i++)
        to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
    to[i] = '\0';
}

static void errors_add(struct errors *errors, const char *prefix, size_t prefix_size,
                       const char *example, uint64_t count) {
    errors->total += count;
    if (prefix_size >= sizeof errors->kinds[0].prefix)
        prefix_size = sizeof errors->kinds[0].prefix - 1;
    for (size_t i = 0; i < errors->kind_count; i++)
        if (strlen(errors->kinds[i].prefix) == prefix_size &&
            memcmp(errors->kinds[i].prefix, prefix, prefix_size) == 0) {
            errors->kinds[i].count += count;
            return;
        }
    if (errors->kind_count == ERROR_KINDS) return;
    size_t row = errors->kind_count++;
    copy_printable(errors->kinds[row].prefix, prefix_size + 1, prefix);
    copy_printable(errors->kinds[row].example, sizeof errors->kinds[row].example,
                   example);
    errors->kinds[row].count = count;
}

void measurement_merge(struct measurement *measurement, const struct measurement *other) {
    measurement->commands += other->commands;
    measurement->seconds += other->seconds;
    histogram_merge(&measurement->latency, &other->latency);
    uint64_t known = 0;
    for (size_t i = 0; i < other->errors.kind_count; i++) {
        const char *prefix = other->errors.kinds[i].prefix;
        errors_add(&measurement->errors, prefix, strlen(prefix),
                   other->errors.kinds[i].example, other->errors.kinds[i].count);
        known += other->errors.kinds[i].count;
    }
    measurement->errors.total += other->errors.total - known;
}

/* --- Connecting
 * ------------------------------------------------------------------------------ */

static bool authenticate(redisContext *context, const struct endpoint *endpoint,
                         struct complaint *complaint) {
    if (!endpoint->password) return true;
    redisReply *reply =
        endpoint->user
            ? redisCommand(context, "AUTH %s %s", endpoint->user, endpoint->password)
            : redisCommand(context, "AUTH %s", endpoint->password);
    bool good = reply && reply->type != REDIS_REPLY_ERROR;
    if (!good)
        complain(complaint, STATUS_IO, "AUTH: %s", reply ? reply->str : context->errstr);
    if (reply) freeReplyObject(reply);
    return good;
}

redisContext *endpoint_connect(const struct endpoint *endpoint,
                               struct complaint *complaint) {
    const struct timeval limit = {.tv_sec = CONNECT_TIMEOUT_S};
    redisContext *context =
        endpoint->socket_path
            ? redisConnectUnixWithTimeout(endpoint->socket_path, limit)
            : redisConnectWithTimeout(endpoint->host, endpoint->port, limit);
    if (!context) {
        complain(complaint, STATUS_MEMORY, "no memory for a connection");
        return NULL;
    }
    if (context->err && endpoint->socket_path)
        complain(complaint, STATUS_IO, "%s: %s", endpoint->socket_path, context->errstr);
    else if (context->err)
        complain(complaint, STATUS_IO, "%s:%d: %s", endpoint->host, endpoint->port,
                 context->errstr);
    else if (authenticate(context, endpoint, complaint)) return context;
    redisFree(context);
    return NULL;
}

/* --- A connection and its window
 * -------------------------------------------------------------- */

struct pending {
    size_t index;
    uint64_t sent_ns;
};

struct connection {
    redisContext *context;
    struct pending *window; /* a ring of `pipeline` rows */
    size_t first, count;    /* of the commands under way, the oldest first */
};

/* What the threads have in common. */
struct stream {
    const struct traffic *traffic;
    const struct load_shape *shape;
    const struct allocator *allocator;
    atomic_size_t next; /* the command to send next; goes on rising past the last */
    atomic_bool failed; /* somebody has given up, so that all do */
};

struct worker {
    struct stream *stream;
    struct connection *connections;
    struct pollfd *polled;
    size_t connection_count;
    size_t active; /* connections that have commands under way */
    struct command command;
    struct measurement measurement;
    enum status status;
    struct complaint complaint;
    pthread_t thread;
};

static bool connection_open(struct connection *connection,
                            const struct endpoint *endpoint, const struct stream *stream,
                            struct complaint *complaint) {
    connection->context = endpoint_connect(endpoint, complaint);
    if (!connection->context) return false;
    int descriptor = connection->context->fd;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) {
        complain(complaint, STATUS_IO, "a socket cannot be made non-blocking");
        return false;
    }
    connection->context->flags &= ~REDIS_BLOCK;
    connection->window =
        allocate(stream->allocator, stream->shape->pipeline * sizeof *connection->window);
    if (connection->window) return true;
    complain(complaint, STATUS_MEMORY, "no memory for a connection");
    return false;
}

static void connection_close(struct connection *connection, const struct stream *stream) {
    if (connection->context) redisFree(connection->context);
    release(stream->allocator, connection->window,
            stream->shape->pipeline * sizeof *connection->window);
}

static enum status connection_broken(struct worker *worker,
                                     const struct connection *connection) {
    return complain(&worker->complaint, STATUS_IO,
                    "connection lost after %zu replies: %s", worker->measurement.commands,
                    connection->context->errstr);
}

/* Write what is buffered and watch for what is left. */
static enum status connection_flush(struct worker *worker, size_t which) {
    struct connection *connection = &worker->connections[which];
    int done = 0;
    if (redisBufferWrite(connection->context, &done) != REDIS_OK)
        return connection_broken(worker, connection);
    worker->polled[which].events = (short)(done ? POLLIN : POLLIN | POLLOUT);
    return STATUS_OK;
}

/* Fill the window of a connection with the next commands and send them. */
static enum status connection_fill(struct worker *worker, size_t which) {
    struct stream *stream = worker->stream;
    struct connection *connection = &worker->connections[which];
    const size_t pipeline = stream->shape->pipeline;
    size_t before = connection->count;
    while (connection->count < pipeline) {
        size_t index = atomic_fetch_add_explicit(&stream->next, 1, memory_order_relaxed);
        if (index >= stream->traffic->commands) break;
        struct command *command = &worker->command;
        command->count = 0;
        stream->traffic->compose(stream->traffic->context, index, command);
        if (redisAppendCommandArgv(connection->context, (int)command->count,
                                   command->words, command->sizes) != REDIS_OK)
            return connection_broken(worker, connection);
        size_t place = (connection->first + connection->count) % pipeline;
        connection->window[place].index = index;
        connection->count++;
    }
    if (connection->count == before) return STATUS_OK;
    if (before == 0) worker->active++;
    uint64_t now = clock_ns();
    for (size_t i = before; i < connection->count; i++)
        connection->window[(connection->first + i) % pipeline].sent_ns = now;
    return connection_flush(worker, which);
}

static void note_reply(struct worker *worker, const struct pending *pending,
                       const redisReply *reply, uint64_t now) {
    const struct traffic *traffic = worker->stream->traffic;
    struct measurement *measurement = &worker->measurement;
    measurement->commands++;
    histogram_record(&measurement->latency, now - pending->sent_ns);
    if (reply->type == REDIS_REPLY_ERROR)
        errors_add(&measurement->errors, reply->str, strcspn(reply->str, " "), reply->str,
                   1);
    else if (!traffic->judge(traffic->context, pending->index, reply))
        errors_add(&measurement->errors, "UNEXPECTED", strlen("UNEXPECTED"),
                   "a reply of another form than the command has", 1);
}

/* Read what has come and take every whole reply. */
static enum status connection_drain(struct worker *worker, size_t which) {
    struct connection *connection = &worker->connections[which];
    if (redisBufferRead(connection->context) != REDIS_OK)
        return connection_broken(worker, connection);
    uint64_t now = clock_ns();
    for (;;) {
        void *reply = NULL;
        if (redisGetReplyFromReader(connection->context, &reply) != REDIS_OK)
            return connection_broken(worker, connection);
        if (!reply) return STATUS_OK;
        if (connection->count == 0) {
            freeReplyObject(reply);
            return complain(&worker->complaint, STATUS_IO,
                            "a reply that nobody asked for");
        }
        note_reply(worker, &connection->window[connection->first], reply, now);
        freeReplyObject(reply);
        connection->first = (connection->first + 1) % worker->stream->shape->pipeline;
        connection->count--;
        if (connection->count == 0) worker->active--;
    }
}

/* --- A thread
 * ---------------------------------------------------------------------------------- */

static enum status worker_turn(struct worker *worker) {
    int ready = poll(worker->polled, worker->connection_count, SILENCE_LIMIT_MS);
    if (ready < 0 && errno == EINTR) return STATUS_OK;
    if (ready <= 0)
        return complain(&worker->complaint, STATUS_IO, "no reply for %d seconds",
                        SILENCE_LIMIT_MS / 1000);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < worker->connection_count && !status; i++) {
        short events = worker->polled[i].revents;
        if (events & POLLOUT) status = connection_flush(worker, i);
        if (!status && (events & ~POLLOUT)) {
            status = connection_drain(worker, i);
            if (!status) status = connection_fill(worker, i);
        }
    }
    return status;
}

static void *worker_main(void *argument) {
    struct worker *worker = argument;
    for (size_t i = 0; i < worker->connection_count && !worker->status; i++)
        worker->status = connection_fill(worker, i);
    while (worker->active > 0 && !worker->status && !atomic_load(&worker->stream->failed))
        worker->status = worker_turn(worker);
    if (worker->status) atomic_store(&worker->stream->failed, true);
    return NULL;
}

static enum status worker_open(struct worker *worker, struct stream *stream,
                               const struct endpoint *endpoint, size_t connections) {
    const struct allocator *allocator = stream->allocator;
    *worker = (struct worker){.stream = stream, .connection_count = connections};
    worker->connections = allocate(allocator, connections * sizeof *worker->connections);
    worker->polled = allocate(allocator, connections * sizeof *worker->polled);
    if (worker->connections)
        memset(worker->connections, 0, connections * sizeof *worker->connections);
    if (!worker->connections || !worker->polled ||
        !command_init(&worker->command, allocator, stream->traffic->words_max))
        return complain(&worker->complaint, STATUS_MEMORY, "no memory for a thread");
    for (size_t i = 0; i < connections; i++) {
        if (!connection_open(&worker->connections[i], endpoint, stream,
                             &worker->complaint))
            return STATUS_IO;
        worker->polled[i] =
            (struct pollfd){.fd = worker->connections[i].context->fd, .events = POLLIN};
    }
    return STATUS_OK;
}

static void worker_close(struct worker *worker) {
    const struct allocator *allocator = worker->stream->allocator;
    for (size_t i = 0; worker->connections && i < worker->connection_count; i++)
        connection_close(&worker->connections[i], worker->stream);
    release(allocator, worker->connections,
            worker->connection_count * sizeof *worker->connections);
    release(allocator, worker->polled, worker->connection_count * sizeof *worker->polled);
    command_free(&worker->command, allocator);
}

/* --- All of it
 * --------------------------------------------------------------------------------- */

/* Run the workers, this thread as the first of them. */
static enum status run_workers(struct worker *workers, size_t count) {
    size_t started = 1;
    enum status status = STATUS_OK;
    while (started < count && !status) {
        struct worker *worker = &workers[started];
        if (pthread_create(&worker->thread, NULL, worker_main, worker) == 0) started++;
        else
            status = complain(&workers[0].complaint, STATUS_MEMORY,
                              "no thread number %zu to be had", started);
    }
    if (status) atomic_store(&workers[0].stream->failed, true);
    else worker_main(&workers[0]);
    for (size_t i = 1; i < started; i++) pthread_join(workers[i].thread, NULL);
    if (status) workers[0].status = status;
    return status;
}

enum status stream_run(const struct endpoint *endpoint, const struct load_shape *shape,
                       const struct traffic *traffic, const struct allocator *allocator,
                       struct measurement *measurement, struct complaint *complaint) {
    check(shape->threads >= 1 && shape->threads <= shape->connections);
    memset(measurement, 0, sizeof *measurement);
    struct stream stream = {.traffic = traffic, .shape = shape, .allocator = allocator};
    const size_t bytes = shape->threads * sizeof(struct worker);
    struct worker *workers = allocate(allocator, bytes);
    if (!workers) return complain(complaint, STATUS_MEMORY, "no memory for the threads");

    size_t opened = 0;
    enum status status = STATUS_OK;
    while (opened < shape->threads && !status) {
        size_t share = shape->connections / shape->threads +
                       (opened < shape->connections % shape->threads ? 1 : 0);
        struct worker *worker = &workers[opened++];
        worker->status = status = worker_open(worker, &stream, endpoint, share);
    }
    uint64_t start = clock_ns();
    if (!status) status = run_workers(workers, opened);
    double seconds = (double)(clock_ns() - start) / 1e9;

    for (size_t i = 0; i < opened; i++) {
        if (workers[i].status) {
            status = workers[i].status;
            *complaint = workers[i].complaint;
        }
        measurement_merge(measurement, &workers[i].measurement);
        worker_close(&workers[i]);
    }
    measurement->seconds = seconds;
    release(allocator, workers, bytes);
    return status;
}
