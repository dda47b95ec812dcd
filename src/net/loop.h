/* The event loop: listeners, connections and timers of one thread, turn by turn.
 *
 *     1. sleep until a socket is ready, a sync is finished, a timer is due or a signal
 * came
 *     2. after_wake()              where finished syncs are learned of: loop_release()
 *     3. sockets                   accept a few; receive once a connection, then
 * received()
 *     4. timers
 *     5. before_sleep()            where the log is written and its sync is started
 *     6. send what may be sent; close and free what was closed in this turn
 *
 * Any callback may close any connection, its own included: the connection is deaf at
 * once, and its memory stays until the end of the turn. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "net/connection.h"
#include "net/timers.h"

struct loop;

/* What the loop calls. Every member must be set. */
struct loop_hooks {
    void *context;
    /* A connection came in; it has the limits of a stranger. The place to set its owner
     * and limits, or to refuse it: write the reason and connection_close_after_reply().
     */
    void (*accepted)(void *context, struct connection *connection);
    /* There are new bytes. Take requests until there is none; or stop earlier, answer
     * true, and be called again in the next turn, with or without new bytes. */
    bool (*received)(void *context, struct connection *connection);
    /* The connection goes away for whatever reason; its owner too should. Called at the
     * end of the turn, as the last thing that refers to it. */
    void (*closed)(void *context, struct connection *connection);
    void (*after_wake)(void *context);
    /* True: there is work left (a batch in slices), do not sleep. */
    bool (*before_sleep)(void *context);
};

enum status loop_create(const struct os *os, const struct allocator *allocator,
                        const struct loop_hooks *hooks, struct loop **loop);
/* Closes every connection, with its callback. */
void loop_destroy(struct loop *loop);

/* Listen on a numeric address. `port` 0 asks for any; *bound is the one it became. `kind`
 * is told to the connections that come by it, for the hooks to know them by. */
enum status loop_listen(struct loop *loop, const char *address, uint16_t port, int kind,
                        int backlog, uint16_t *bound);
/* The same on a socket in the file system, made with `mode`. */
enum status loop_listen_path(struct loop *loop, const char *path, uint32_t mode,
                             int backlog);
void loop_stop_listening(struct loop *loop);
/* Accept so many connections of a listener in one turn, 10 at first: a flood of them does
 * not keep those that are there waiting. */
void loop_set_accept_batch(struct loop *loop, uint32_t count);

/* Make a connection of a socket that was not accepted here, as a link to a primary. The
 * loop owns the socket from then on; on failure it is closed. accepted() is not called.
 */
enum status loop_adopt(struct loop *loop, struct socket *socket, const char *peer,
                       struct connection **connection);

/* One turn. */
void loop_step(struct loop *loop);
/* Turns until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Monotonic time at which this turn woke up. */
uint64_t loop_now_us(const struct loop *loop);

/* --- Connections
 * ---------------------------------------------------------------------------- */

/* Close now, without sending what is pending. May be called twice. */
void loop_close(struct loop *loop, struct connection *connection);

/* Replies were written outside received(): send them at the end of this turn. */
void loop_touch(struct loop *loop, struct connection *connection);

/* Receive nothing from it until it is resumed; received() is not called either. Resuming
 * leads to received(), for requests may have been waiting. */
void loop_pause(struct loop *loop, struct connection *connection);
void loop_resume(struct loop *loop, struct connection *connection);

/* Every sequence up to `durable` is on the disk: send the replies that waited for it. */
void loop_release(struct loop *loop, uint64_t durable);

/* Forget what was released beyond `durable`: sequences above it will be given anew. */
void loop_take_back(struct loop *loop, uint64_t durable);

size_t loop_connection_count(const struct loop *loop);
/* The open connections, oldest first; a false answer stops. Closing is allowed inside. */
void loop_each(struct loop *loop,
               bool (*visit)(void *context, struct connection *connection),
               void *visit_context);

/* --- Timers
 * ------------------------------------------------------------------------------------ */

/* Call back once, in the first turn at or after the monotonic time `at_us`; a timer that
 * is set already is moved. The callback may set it again. */
void loop_timer_add(struct loop *loop, struct loop_timer *timer, uint64_t at_us);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

#endif
