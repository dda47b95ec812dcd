/* The event loop.
 *
 * Every connection is a `struct member`: the connection, and where it stands with the
 * loop. Its address is the poller's context, so an event leads to it without a look-up.
 * That is safe because a closed member is only flagged, and freed when the turn is over
 * and no event of this turn can name it any more.
 *
 * Members stand in queues, once in each at most; a queue is always taken as a whole, and
 * who belongs there again is put back. When requests are left over, the first of that
 * queue goes to its end before it is served: received() may work only for the first few
 * before it has used up its turn, and so each of them becomes one of the first. For the
 * same reason they come before those who have just sent something. */
#include "net/loop.h"

#include "base/check.h"

#define EVENT_BATCH  128
#define ACCEPT_BATCH 10
/* After accept() has failed for lack of descriptors or memory, leave the listener alone.
 */
#define ACCEPT_PAUSE_US 100000
/* Memory of a connection that was silent for so long is given back. */
#define IDLE_US       2000000
#define IDLE_CHECK_US 1000000

enum queue_name {
    QUEUE_TOUCHED, /* replies may have been written: to flush at the end of the turn */
    QUEUE_AGAIN, /* received() left requests behind: to call once more in the next turn */
    QUEUE_WAITING, /* has marks: to flush when the disk has caught up */
    QUEUE_COUNT,
};

enum watch_kind { WATCH_LISTENER, WATCH_MEMBER };

/* What the poller's context points to: the first field of both of the following. */
struct watch {
    enum watch_kind kind;
};

struct listener {
    struct watch watch;
    struct socket *socket; /* NULL: stopped, to be freed at the end of the turn */
    int kind;
    struct listener *next;
};

struct member {
    struct watch watch;
    struct connection connection;
    struct member *older, *newer; /* all that are open */
    struct member *next_in[QUEUE_COUNT];
    bool is_in[QUEUE_COUNT];
    bool paused;
    bool shrunk; /* nothing to give back since it was last active */
    bool closed;
    struct member *next_closed;
};

struct queue {
    struct member *first, *last;
};

struct loop {
    const struct os *os;
    const struct allocator *allocator;
    struct loop_hooks hooks;
    struct poller *poller;
    struct listener *listeners, *stopped_listeners;
    struct member *oldest, *newest;
    size_t count;
    struct queue queues[QUEUE_COUNT];
    struct member *closed;
    struct timers timers;
    uint32_t accept_batch;
    struct loop_timer idle_timer, accept_timer;
    uint64_t now_us;
    uint64_t durable;
    bool sleepless; /* the next turn must not sleep */
    bool stopping;
};

static struct member *member_of(struct connection *connection) {
    size_t offset = offsetof(struct member, connection);
    return (struct member *)(void *)((uint8_t *)connection - offset);
}

/* --- Timers
 * ----------------------------------------------------------------------------------- */

void loop_timer_add(struct loop *loop, struct loop_timer *timer, uint64_t at_us) {
    timers_add(&loop->timers, timer, at_us);
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer) {
    timers_cancel(&loop->timers, timer);
}

/* --- Members
 * ------------------------------------------------------------------------------------ */

static void enqueue(struct loop *loop, enum queue_name name, struct member *member) {
    if (member->is_in[name] || member->closed) return;
    struct queue *queue = &loop->queues[name];
    member->is_in[name] = true;
    member->next_in[name] = NULL;
    if (queue->last) queue->last->next_in[name] = member;
    else queue->first = member;
    queue->last = member;
}

/* The whole queue, which is empty then. Its members leave it with next_of(). */
static struct member *take_queue(struct loop *loop, enum queue_name name) {
    struct member *first = loop->queues[name].first;
    loop->queues[name] = (struct queue){NULL, NULL};
    return first;
}

/* Let `member` leave the taken queue, and give the one behind it. */
static struct member *next_of(struct member *member, enum queue_name name) {
    member->is_in[name] = false;
    return member->next_in[name];
}

static void forget_closed(struct loop *loop, enum queue_name name) {
    struct member *member = take_queue(loop, name);
    while (member) {
        struct member *next = next_of(member, name);
        enqueue(loop, name, member); /* Which refuses the closed ones. */
        member = next;
    }
}

/* Tell the poller what this connection can use now. */
static void watch_member(struct loop *loop, struct member *member) {
    struct connection *connection = &member->connection;
    bool deaf = connection->closing && !connection_is_greeting(connection);
    bool readable = !member->paused && !deaf && !connection->ended;
    bool writable = connection_wants_to_send(connection);
    if (loop->os->poller_set(loop->os, loop->poller, connection->socket, readable,
                             writable, &member->watch))
        loop_close(loop, connection);
}

enum status loop_adopt(struct loop *loop, struct socket *socket, const char *peer,
                       struct connection **connection) {
    const struct os *os = loop->os;
    struct member *member = allocate(loop->allocator, sizeof *member);
    if (!member) {
        os->socket_close(os, socket);
        return STATUS_MEMORY;
    }
    *member = (struct member){.watch = {WATCH_MEMBER}, .older = loop->newest};
    enum status status =
        os->poller_set(os, loop->poller, socket, true, false, &member->watch);
    if (status) {
        os->socket_close(os, socket);
        release(loop->allocator, member, sizeof *member);
        return status;
    }
    struct connection_limits limits = connection_limits_unauthenticated();
    connection_init(&member->connection, os, loop->allocator, socket, peer, &limits);
    if (loop->newest) loop->newest->newer = member;
    else loop->oldest = member;
    loop->newest = member;
    loop->count++;
    if (!loop->idle_timer.set)
        loop_timer_add(loop, &loop->idle_timer, loop->now_us + IDLE_CHECK_US);
    *connection = &member->connection;
    return STATUS_OK;
}

void loop_close(struct loop *loop, struct connection *connection) {
    struct member *member = member_of(connection);
    if (member->closed) return;
    member->closed = true;
    (void)loop->os->poller_set(loop->os, loop->poller, connection->socket, false, false,
                               NULL);
    if (member->older) member->older->newer = member->newer;
    else loop->oldest = member->newer;
    if (member->newer) member->newer->older = member->older;
    else loop->newest = member->older;
    loop->count--;
    member->next_closed = loop->closed;
    loop->closed = member;
}

/* Free what was closed in this turn. closed() may close others, which then go along. */
static void bury(struct loop *loop) {
    struct member *buried = NULL;
    while (loop->closed) {
        struct member *member = loop->closed;
        loop->closed = member->next_closed;
        loop->hooks.closed(loop->hooks.context, &member->connection);
        member->next_closed = buried;
        buried = member;
    }
    if (buried)
        for (int name = 0; name < QUEUE_COUNT; name++)
            forget_closed(loop, (enum queue_name)name);
    while (buried) {
        struct member *member = buried;
        buried = member->next_closed;
        connection_free(&member->connection);
        release(loop->allocator, member, sizeof *member);
    }
}

void loop_touch(struct loop *loop, struct connection *connection) {
    enqueue(loop, QUEUE_TOUCHED, member_of(connection));
}

void loop_pause(struct loop *loop, struct connection *connection) {
    struct member *member = member_of(connection);
    member->paused = true;
    enqueue(loop, QUEUE_TOUCHED, member);
}

void loop_resume(struct loop *loop, struct connection *connection) {
    struct member *member = member_of(connection);
    if (!member->paused) return;
    member->paused = false;
    enqueue(loop, QUEUE_TOUCHED, member);
    enqueue(loop, QUEUE_AGAIN, member);
}

size_t loop_connection_count(const struct loop *loop) { return loop->count; }

/* A member that is closed meanwhile keeps its links until the turn ends. */
void loop_each(struct loop *loop,
               bool (*visit)(void *context, struct connection *connection),
               void *visit_context) {
    for (struct member *m = loop->oldest; m; m = m->newer)
        if (!m->closed && !visit(visit_context, &m->connection)) return;
}

static void check_idle(void *context, struct loop_timer *timer) {
    struct loop *loop = context;
    for (struct member *m = loop->oldest; m; m = m->newer) {
        if (m->shrunk || m->paused || m->connection.active_us + IDLE_US > loop->now_us)
            continue;
        connection_shrink(&m->connection);
        m->shrunk = true;
    }
    if (loop->count > 0) loop_timer_add(loop, timer, loop->now_us + IDLE_CHECK_US);
}

/* --- Sending
 * ---------------------------------------------------------------------------------------
 */

static void flush(struct loop *loop, struct member *member) {
    struct connection *connection = &member->connection;
    connection_release(connection, loop->durable);
    enum status status = connection_send(connection);
    if (status) {
        loop_close(loop, connection);
    } else if (connection_is_over(connection)) {
        connection_drain(connection);
        loop_close(loop, connection);
    } else {
        if (connection->mark_count > 0) enqueue(loop, QUEUE_WAITING, member);
        watch_member(loop, member);
    }
}

static void flush_queue(struct loop *loop, enum queue_name name) {
    struct member *member = take_queue(loop, name);
    while (member) {
        struct member *next = next_of(member, name);
        if (!member->closed) flush(loop, member);
        member = next;
    }
}

/* Sent here and not at the end of the turn: who waited for the disk has waited enough. */
void loop_release(struct loop *loop, uint64_t durable) {
    if (durable > loop->durable) loop->durable = durable;
    flush_queue(loop, QUEUE_WAITING);
}

void loop_take_back(struct loop *loop, uint64_t durable) {
    if (durable < loop->durable) loop->durable = durable;
    for (struct member *m = loop->oldest; m; m = m->newer)
        if (durable < m->connection.durable) m->connection.durable = durable;
}

/* --- Receiving
 * --------------------------------------------------------------------------------------
 */

static void serve(struct loop *loop, struct member *member) {
    if (member->closed || member->paused || member->connection.closing) return;
    enqueue(loop, QUEUE_TOUCHED, member);
    if (loop->hooks.received(loop->hooks.context, &member->connection))
        enqueue(loop, QUEUE_AGAIN, member);
}

/* A peer that will send no more may still wait for answers: `printf ... | nc` does. */
static void receive(struct loop *loop, struct member *member) {
    struct connection *connection = &member->connection;
    bool deaf = connection->closing && !connection_is_greeting(connection);
    if (member->is_in[QUEUE_AGAIN] || member->paused || deaf) return;
    enum status status = connection_receive(connection);
    member->shrunk = false;
    if (connection->tls) enqueue(loop, QUEUE_TOUCHED, member); /* it may have to answer */
    if (status == STATUS_OK) {
        serve(loop, member);
    } else if (status == STATUS_END && connection_pending(connection) > 0) {
        connection_close_after_reply(connection);
        enqueue(loop, QUEUE_TOUCHED, member);
    } else if (status != STATUS_AGAIN) {
        loop_close(loop, connection);
    }
}

/* Those with requests left from the last turn, beginning with the second of them. */
static void serve_again(struct loop *loop) {
    struct member *first = take_queue(loop, QUEUE_AGAIN);
    if (!first) return;
    struct member *member = next_of(first, QUEUE_AGAIN);
    while (member) {
        struct member *next = next_of(member, QUEUE_AGAIN);
        serve(loop, member);
        member = next;
    }
    serve(loop, first);
}

/* --- Listening
 * -------------------------------------------------------------------------------------------
 */

static void watch_listeners(struct loop *loop, bool watched) {
    for (struct listener *l = loop->listeners; l; l = l->next)
        (void)loop->os->poller_set(loop->os, loop->poller, l->socket, watched, false,
                                   &l->watch);
}

static void end_accept_pause(void *context, struct loop_timer *timer) {
    (void)timer;
    watch_listeners(context, true);
}

static void accept_batch(struct loop *loop, struct listener *listener) {
    for (uint32_t i = 0; i < loop->accept_batch && listener->socket; i++) {
        struct socket *socket;
        char peer[64];
        enum status status =
            loop->os->socket_accept(loop->os, listener->socket, &socket, peer);
        if (status == STATUS_AGAIN) return;
        struct connection *connection;
        if (!status) status = loop_adopt(loop, socket, peer, &connection);
        if (status) {
            watch_listeners(loop, false);
            loop_timer_add(loop, &loop->accept_timer, loop->now_us + ACCEPT_PAUSE_US);
            return;
        }
        connection->kind = listener->kind;
        loop->hooks.accepted(loop->hooks.context, connection);
        loop_touch(loop, connection);
    }
}

/* Watch a listening socket, which is closed when that fails. */
static enum status add_listener(struct loop *loop, struct socket *socket, int kind) {
    struct listener *listener = allocate(loop->allocator, sizeof *listener);
    if (!listener) {
        loop->os->socket_close(loop->os, socket);
        return STATUS_MEMORY;
    }
    *listener = (struct listener){.watch = {WATCH_LISTENER},
                                  .socket = socket,
                                  .kind = kind,
                                  .next = loop->listeners};
    enum status status = loop->os->poller_set(loop->os, loop->poller, socket, true, false,
                                              &listener->watch);
    if (status) {
        loop->os->socket_close(loop->os, socket);
        release(loop->allocator, listener, sizeof *listener);
        return status;
    }
    loop->listeners = listener;
    return STATUS_OK;
}

enum status loop_listen(struct loop *loop, const char *address, uint16_t port, int kind,
                        int backlog, uint16_t *bound) {
    struct socket *socket;
    enum status status =
        loop->os->socket_listen(loop->os, address, port, backlog, &socket);
    if (status) return status;
    uint16_t became = loop->os->socket_port(loop->os, socket);
    status = add_listener(loop, socket, kind);
    if (!status) *bound = became;
    return status;
}

enum status loop_listen_path(struct loop *loop, const char *path, uint32_t mode,
                             int backlog) {
    struct socket *socket;
    enum status status =
        loop->os->socket_listen_path(loop->os, path, mode, backlog, &socket);
    return status ? status : add_listener(loop, socket, 0);
}

/* An event of this turn may still name a listener, so only its socket goes at once. */
void loop_stop_listening(struct loop *loop) {
    loop_timer_cancel(loop, &loop->accept_timer);
    watch_listeners(loop, false);
    while (loop->listeners) {
        struct listener *listener = loop->listeners;
        loop->listeners = listener->next;
        loop->os->socket_close(loop->os, listener->socket);
        listener->socket = NULL;
        listener->next = loop->stopped_listeners;
        loop->stopped_listeners = listener;
    }
}

static void free_stopped_listeners(struct loop *loop) {
    while (loop->stopped_listeners) {
        struct listener *listener = loop->stopped_listeners;
        loop->stopped_listeners = listener->next;
        release(loop->allocator, listener, sizeof *listener);
    }
}

/* --- The loop itself
 * -------------------------------------------------------------------------------------
 */

enum status loop_create(const struct os *os, const struct allocator *allocator,
                        const struct loop_hooks *hooks, struct loop **loop) {
    struct loop *made = allocate(allocator, sizeof *made);
    if (!made) return STATUS_MEMORY;
    *made = (struct loop){
        .os = os,
        .allocator = allocator,
        .hooks = *hooks,
        .accept_batch = ACCEPT_BATCH,
        .idle_timer = {.callback = check_idle, .context = made},
        .accept_timer = {.callback = end_accept_pause, .context = made},
        .now_us = os->monotonic_us(os),
        /* A signal that came before the poller was there has woken nobody. */
        .sleepless = true,
    };
    enum status status = os->poller_create(os, &made->poller);
    if (status) release(allocator, made, sizeof *made);
    else *loop = made;
    return status;
}

void loop_destroy(struct loop *loop) {
    loop_stop_listening(loop);
    while (loop->oldest) loop_close(loop, &loop->oldest->connection);
    bury(loop);
    free_stopped_listeners(loop);
    loop->os->poller_destroy(loop->os, loop->poller);
    release(loop->allocator, loop, sizeof *loop);
}

uint64_t loop_now_us(const struct loop *loop) { return loop->now_us; }

static uint64_t sleep_us(const struct loop *loop) {
    if (loop->sleepless || loop->queues[QUEUE_AGAIN].first) return 0;
    if (!loop->timers.first) return UINT64_MAX;
    uint64_t now = loop->os->monotonic_us(loop->os);
    uint64_t at = loop->timers.first->at_us;
    return at > now ? at - now : 0;
}

static void handle_event(struct loop *loop, const struct poll_event *event) {
    struct watch *watch = event->context;
    if (watch->kind == WATCH_LISTENER) {
        accept_batch(loop, (struct listener *)(void *)watch);
        return;
    }
    struct member *member = (struct member *)(void *)watch;
    if (member->closed) return;
    if (event->writable) enqueue(loop, QUEUE_TOUCHED, member);
    if (event->readable) receive(loop, member);
}

void loop_step(struct loop *loop) {
    struct poll_event events[EVENT_BATCH];
    size_t count = loop->os->poller_wait(loop->os, loop->poller, events, EVENT_BATCH,
                                         sleep_us(loop));
    loop->now_us = loop->os->monotonic_us(loop->os);
    loop->hooks.after_wake(loop->hooks.context);

    serve_again(loop);
    for (size_t i = 0; i < count; i++) handle_event(loop, &events[i]);
    timers_run(&loop->timers, loop->now_us);

    loop->sleepless = loop->hooks.before_sleep(loop->hooks.context);
    flush_queue(loop, QUEUE_TOUCHED);
    bury(loop);
    free_stopped_listeners(loop);
}

void loop_run(struct loop *loop) {
    loop->stopping = false;
    while (!loop->stopping) loop_step(loop);
}

void loop_stop(struct loop *loop) { loop->stopping = true; }

void loop_set_accept_batch(struct loop *loop, uint32_t count) {
    loop->accept_batch = count;
}
