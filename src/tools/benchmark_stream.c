/* The loops of valori-benchmark: poll() over non-blocking connections. */
#define _GNU_SOURCE /* ppoll: timeouts below a millisecond */
#include "tools/benchmark_stream.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/check.h"

#define SECOND_NS  UINT64_C(1000000000)
#define SILENCE_NS (60 * SECOND_NS)

/* --- Connections and their windows ------------------------------------------------ */

struct pending {
    size_t index;
    uint64_t sent_ns; /* open loop: when it was due */
};

struct connection {
    struct client client;
    struct pending *window; /* a ring of `pipeline` rows */
    size_t first, count;    /* of the commands under way, the oldest first */
};

/* What the threads have in common. */
struct stream {
    const struct endpoint *endpoint;
    const struct traffic *traffic;
    const struct load_shape *shape;
    const struct allocator *allocator;
    uint64_t start_ns, deadline_ns;
    atomic_size_t next;     /* the command to send next */
    atomic_size_t answered; /* for the progress line */
    atomic_bool failed;     /* somebody has given up, so that all do */
};

struct worker {
    struct stream *stream;
    struct connection *connections;
    struct pollfd *polled;
    size_t connection_count;
    size_t active;     /* connections that have commands under way */
    size_t turn;       /* open loop: the connection that is asked first */
    uint64_t due_ns;   /* open loop: of the next command; UINT64_MAX: none */
    uint64_t heard_ns; /* when the last reply came */
    bool is_first;     /* shows the progress */
    struct command command;
    struct measurement measurement;
    enum status status;
    struct complaint complaint;
    pthread_t thread;
};

static enum status connection_open(struct worker *worker, size_t which) {
    const struct stream *stream = worker->stream;
    struct connection *connection = &worker->connections[which];
    enum status status = client_open(&connection->client, stream->endpoint,
                                     stream->allocator, &worker->complaint);
    if (status) return status;
    worker->polled[which] =
        (struct pollfd){.fd = connection->client.descriptor, .events = POLLIN};
    if (!connection->window)
        connection->window = allocate(stream->allocator, stream->shape->pipeline *
                                                             sizeof *connection->window);
    if (connection->window) return STATUS_OK;
    return complain(&worker->complaint, STATUS_MEMORY, "no memory for a connection");
}

static void connection_close(struct connection *connection, const struct stream *stream) {
    client_close(&connection->client);
    release(stream->allocator, connection->window,
            stream->shape->pipeline * sizeof *connection->window);
}

/* Write what is buffered and watch for what is left. */
static enum status connection_flush(struct worker *worker, size_t which) {
    enum status status =
        client_send(&worker->connections[which].client, &worker->complaint);
    bool rest = status == STATUS_AGAIN;
    worker->polled[which].events = (short)(rest ? POLLIN | POLLOUT : POLLIN);
    return rest ? STATUS_OK : status;
}

/* Put one command into the window and the buffer of a connection. */
static enum status connection_push(struct worker *worker, struct connection *connection,
                                   size_t index, uint64_t sent_ns) {
    const struct stream *stream = worker->stream;
    command_clear(&worker->command);
    stream->traffic->compose(stream->traffic->context, index, &worker->command);
    if (command_send(&worker->command, &connection->client.out))
        return complain(&worker->complaint, STATUS_MEMORY, "no memory for a command");
    size_t place = (connection->first + connection->count) % stream->shape->pipeline;
    connection->window[place] = (struct pending){.index = index, .sent_ns = sent_ns};
    if (connection->count++ == 0) worker->active++;
    return STATUS_OK;
}

/* --- Which command is next --------------------------------------------------------- */

/* Take the number of the next command, if one may be sent now. In the open loop *due_ns
 * is its moment, or, when none may be sent, that of the next (UINT64_MAX: no more). */
static bool claim(struct stream *stream, uint64_t now, size_t *index, uint64_t *due_ns) {
    size_t next = atomic_load_explicit(&stream->next, memory_order_relaxed);
    do {
        *due_ns = UINT64_MAX;
        if (next >= stream->traffic->commands || now >= stream->deadline_ns) return false;
        if (stream->shape->rate == 0) continue;
        unsigned __int128 offset = (unsigned __int128)next * SECOND_NS;
        *due_ns = stream->start_ns + (uint64_t)(offset / stream->shape->rate);
        if (*due_ns >= stream->deadline_ns) {
            *due_ns = UINT64_MAX;
            return false;
        }
        if (*due_ns > now) return false;
    } while (!atomic_compare_exchange_weak_explicit(
        &stream->next, &next, next + 1, memory_order_relaxed, memory_order_relaxed));
    *index = next;
    return true;
}

/* Closed loop: fill the window of a connection with the next commands and send them. */
static enum status connection_fill(struct worker *worker, size_t which) {
    struct connection *connection = &worker->connections[which];
    const size_t pipeline = worker->stream->shape->pipeline;
    size_t before = connection->count, index;
    uint64_t due;
    enum status status = STATUS_OK;
    if (before > 0 && worker->stream->shape->reconnect) return STATUS_OK;
    uint64_t now = clock_ns();
    while (connection->count < pipeline && !status &&
           claim(worker->stream, now, &index, &due))
        status = connection_push(worker, connection, index, 0);
    if (status || connection->count == before) return status;
    now = clock_ns();
    for (size_t i = before; i < connection->count; i++)
        connection->window[(connection->first + i) % pipeline].sent_ns = now;
    return connection_flush(worker, which);
}

/* Open loop: send what is due, one command to each connection that has room, around and
 * around. What is due and finds no room waits, and its latency runs. */
static enum status send_due(struct worker *worker) {
    const size_t count = worker->connection_count;
    const size_t pipeline = worker->stream->shape->pipeline;
    size_t full = 0, index = 0;
    uint64_t now = clock_ns();
    enum status status = STATUS_OK;
    worker->due_ns = UINT64_MAX;
    while (full < count && !status) {
        size_t which = worker->turn;
        struct connection *connection = &worker->connections[which];
        if (connection->count < pipeline) {
            uint64_t due;
            if (!claim(worker->stream, now, &index, &due)) {
                worker->due_ns = due;
                return STATUS_OK;
            }
            full = 0;
            status = connection_push(worker, connection, index, due);
            if (!status) status = connection_flush(worker, which);
        } else {
            full++;
        }
        worker->turn = (which + 1) % count;
    }
    return status;
}

/* --- Replies ----------------------------------------------------------------------- */

static void note_reply(struct worker *worker, const struct pending *pending,
                       const struct reply *reply, uint64_t now) {
    const struct traffic *traffic = worker->stream->traffic;
    struct measurement *measurement = &worker->measurement;
    measurement->commands++;
    histogram_record(&measurement->latency, now - pending->sent_ns);
    if (traffic->digests)
        reply_hash(reply, traffic->digests + pending->index * SHA256_SIZE);
    if (reply_is_error(reply)) errors_note(&measurement->errors, reply->items[0].text);
    else if (!traffic->judge(traffic->context, pending->index, reply))
        errors_note(
            &measurement->errors,
            slice_text("UNEXPECTED a reply of another form than the command has"));
}

/* Read what has come and take every whole reply. */
static enum status connection_drain(struct worker *worker, size_t which) {
    struct connection *connection = &worker->connections[which];
    struct client *client = &connection->client;
    struct reply reply;
    size_t taken = 0;
    enum status status = client_receive(client, &worker->complaint);
    uint64_t now = clock_ns();
    while (!status &&
           (status = client_next(client, &reply, &worker->complaint)) == STATUS_OK) {
        if (connection->count == 0)
            return complain(&worker->complaint, STATUS_IO,
                            "a reply that nobody asked for");
        note_reply(worker, &connection->window[connection->first], &reply, now);
        connection->first = (connection->first + 1) % worker->stream->shape->pipeline;
        connection->count--;
        taken++;
    }
    worker->heard_ns = now;
    if (taken > 0) {
        atomic_fetch_add_explicit(&worker->stream->answered, taken, memory_order_relaxed);
        if (connection->count == 0) worker->active--;
    }
    if (status != STATUS_AGAIN) return status;
    if (connection->count > 0 || taken == 0 || !worker->stream->shape->reconnect)
        return STATUS_OK;
    client_close(client);
    return connection_open(worker, which);
}

/* --- A thread ---------------------------------------------------------------------- */

/* Until when poll() may sleep: replies, the next command that is due, the progress. */
static struct timespec patience(const struct worker *worker, uint64_t now) {
    const struct progress *progress = worker->stream->shape->progress;
    uint64_t until = worker->heard_ns + SILENCE_NS;
    if (worker->stream->shape->rate > 0 && worker->due_ns < until) until = worker->due_ns;
    if (worker->is_first && progress && progress->out && progress->next_ns < until)
        until = progress->next_ns;
    uint64_t left = until > now ? until - now : 0;
    return (struct timespec){.tv_sec = (time_t)(left / SECOND_NS),
                             .tv_nsec = (long)(left % SECOND_NS)};
}

static enum status worker_wait(struct worker *worker) {
    const struct stream *stream = worker->stream;
    uint64_t now = clock_ns();
    struct timespec limit = patience(worker, now);
    int ready = ppoll(worker->polled, worker->connection_count, &limit, NULL);
    if (ready < 0 && errno != EINTR)
        return complain(&worker->complaint, STATUS_IO, "poll: %s", strerror(errno));
    if (worker->is_first && stream->shape->progress)
        progress_tick(stream->shape->progress, clock_ns(),
                      atomic_load_explicit(&stream->answered, memory_order_relaxed),
                      stream->traffic->commands, (double)stream->shape->seconds);
    if (ready <= 0 && worker->active == 0) worker->heard_ns = clock_ns();
    if (ready <= 0 && clock_ns() >= worker->heard_ns + SILENCE_NS)
        return complain(&worker->complaint, STATUS_IO, "no reply for a minute");
    enum status status = STATUS_OK;
    for (size_t i = 0; i < worker->connection_count && ready > 0 && !status; i++) {
        short events = worker->polled[i].revents;
        if (events & POLLOUT) status = connection_flush(worker, i);
        if (!status && (events & ~POLLOUT)) {
            status = connection_drain(worker, i);
            if (!status && stream->shape->rate == 0) status = connection_fill(worker, i);
        }
    }
    return status;
}

static void *worker_main(void *argument) {
    struct worker *worker = argument;
    bool open_loop = worker->stream->shape->rate > 0;
    worker->heard_ns = clock_ns();
    for (size_t i = 0; !open_loop && i < worker->connection_count && !worker->status; i++)
        worker->status = connection_fill(worker, i);
    while (!worker->status && !atomic_load(&worker->stream->failed)) {
        if (open_loop) worker->status = send_due(worker);
        bool more = open_loop && worker->due_ns != UINT64_MAX;
        if (worker->status || (worker->active == 0 && !more)) break;
        worker->status = worker_wait(worker);
    }
    if (worker->status) atomic_store(&worker->stream->failed, true);
    return NULL;
}

static enum status worker_open(struct worker *worker, struct stream *stream,
                               size_t connections) {
    const struct allocator *allocator = stream->allocator;
    memset(worker, 0, sizeof *worker);
    worker->stream = stream;
    worker->connection_count = connections;
    worker->connections = allocate(allocator, connections * sizeof *worker->connections);
    worker->polled = allocate(allocator, connections * sizeof *worker->polled);
    if (worker->connections)
        memset(worker->connections, 0, connections * sizeof *worker->connections);
    if (!worker->connections || !worker->polled)
        return complain(&worker->complaint, STATUS_MEMORY, "no memory for a thread");
    command_init(&worker->command, allocator);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < connections && !status; i++)
        status = connection_open(worker, i);
    return status;
}

static void worker_close(struct worker *worker) {
    const struct allocator *allocator = worker->stream->allocator;
    for (size_t i = 0; worker->connections && i < worker->connection_count; i++)
        connection_close(&worker->connections[i], worker->stream);
    release(allocator, worker->connections,
            worker->connection_count * sizeof *worker->connections);
    release(allocator, worker->polled, worker->connection_count * sizeof *worker->polled);
    if (worker->command.body.allocator) command_free(&worker->command);
}

/* --- All of it --------------------------------------------------------------------- */

/* Run the workers, this thread as the first of them. */
static enum status run_workers(struct worker *workers, size_t count) {
    size_t started = 1;
    enum status status = STATUS_OK;
    workers[0].is_first = true;
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

/* Open every connection, then start the clock and the threads. */
static enum status run_opened(struct stream *stream, struct worker *workers,
                              size_t *opened, double *seconds) {
    const struct load_shape *shape = stream->shape;
    enum status status = STATUS_OK;
    while (*opened < shape->threads && !status) {
        size_t share = shape->connections / shape->threads +
                       (*opened < shape->connections % shape->threads ? 1 : 0);
        struct worker *worker = &workers[(*opened)++];
        status = worker_open(worker, stream, share);
        worker->status = status;
    }
    if (status) return status;
    stream->start_ns = clock_ns();
    stream->deadline_ns =
        shape->seconds > 0 ? stream->start_ns + shape->seconds * SECOND_NS : UINT64_MAX;
    if (shape->progress)
        progress_start(shape->progress, shape->progress->label, stream->start_ns);
    status = run_workers(workers, *opened);
    *seconds = (double)(clock_ns() - stream->start_ns) / 1e9;
    if (shape->progress) progress_end(shape->progress);
    return status;
}

enum status stream_run(const struct endpoint *endpoint, const struct load_shape *shape,
                       const struct traffic *traffic, const struct allocator *allocator,
                       struct measurement *measurement, struct complaint *complaint) {
    check(shape->threads >= 1 && shape->threads <= shape->connections);
    check(traffic->commands < SIZE_MAX || shape->seconds > 0);
    check(!traffic->digests || traffic->commands < SIZE_MAX);
    memset(measurement, 0, sizeof *measurement);
    struct stream stream = {
        .endpoint = endpoint, .traffic = traffic, .shape = shape, .allocator = allocator};
    const size_t bytes = shape->threads * sizeof(struct worker);
    struct worker *workers = allocate(allocator, bytes);
    if (!workers) return complain(complaint, STATUS_MEMORY, "no memory for the threads");
    size_t opened = 0;
    double seconds = 0;
    enum status status = run_opened(&stream, workers, &opened, &seconds);
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
