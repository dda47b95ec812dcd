/* Drives commands through several connections, each with a window of commands under way,
 * and measures what comes back.
 *
 * What is sent and how a reply is judged is the caller's; this file knows neither vectors
 * nor phases.
 *
 * Closed loop: a command is sent when the window of its connection has room, and its
 * latency runs from the moment before its write to the moment after its reply was read.
 * Open loop (`rate`): command i is due at start + i / rate, whatever the server does, and
 * its latency runs from then, so that a server that stalls is charged for every command
 * that had to wait (no coordinated omission).
 *
 * Threads share nothing but the number of the next command: each has its own connections
 * and histogram, added up at the end. */
#ifndef TOOLS_BENCHMARK_STREAM_H
#define TOOLS_BENCHMARK_STREAM_H

#include "tools/benchmark_client.h"
#include "tools/benchmark_command.h"
#include "tools/benchmark_measurement.h"
#include "tools/benchmark_progress.h"

/* The callbacks run on any thread, several at once, each index once. */
struct traffic {
    void *context;
    size_t commands; /* indices 0 .. commands - 1; SIZE_MAX: until `seconds` are over */
    void (*compose)(void *context, size_t index, struct command *command);
    /* Called for every reply that is no error. False: not what this command may answer.
     */
    bool (*judge)(void *context, size_t index, const struct reply *reply);
    uint8_t *digests; /* SHA256_SIZE for each command, written by reply_hash(); or NULL */
};

struct load_shape {
    size_t connections;        /* at least 1 */
    size_t pipeline;           /* commands under way on each; at least 1 */
    size_t threads;            /* 1 .. connections */
    uint64_t rate;             /* commands a second; 0: closed loop */
    uint64_t seconds;          /* send for so long at most; 0: no limit */
    bool reconnect;            /* a new connection whenever a window has been answered */
    struct progress *progress; /* or NULL */
};

/* Send all of it and wait for every reply. *measurement is overwritten. STATUS_IO when a
 * connection cannot be made or breaks, or nothing comes for a minute; STATUS_MEMORY. */
enum status stream_run(const struct endpoint *endpoint, const struct load_shape *shape,
                       const struct traffic *traffic, const struct allocator *allocator,
                       struct measurement *measurement, struct complaint *complaint);

#endif
