/* Drives commands through several connections, each with a window of commands under way,
 * and measures what comes back.
 *
 * What is sent and how a reply is judged is the caller's; this file knows neither vectors
 * nor phases. The loop is closed: a command is sent when the window of its connection has
 * room, and its latency runs from the moment before its write to the moment after its
 * reply was read.
 *
 * Threads share nothing but the number of the next command: each has its own connections
 * and histogram, added up at the end. */
#ifndef TOOLS_BENCHMARK_STREAM_H
#define TOOLS_BENCHMARK_STREAM_H

#include <hiredis/hiredis.h>
#include <stddef.h>

#include "base/allocator.h"
#include "tools/benchmark_histogram.h"
#include "tools/benchmark_text.h"

/* Where a server is and how to be let in. All strings are borrowed. */
struct endpoint {
    const char *host;
    int port;
    const char *socket_path; /* in place of host and port, or NULL */
    const char *user;        /* NULL: the default user */
    const char *password;    /* NULL: none is sent */
};

/* A blocking connection, authenticated; NULL, with a complaint, when there is none. The
 * caller ends it with redisFree(). */
redisContext *endpoint_connect(const struct endpoint *endpoint,
                               struct complaint *complaint);

/* --- One command
 * ------------------------------------------------------------------------ */

/* The words of a command that is being put together. Words given as bytes are borrowed
 * until the callback returns; numbers are printed into the command's own memory. */
struct command;

void command_word(struct command *command, const char *word);
void command_bytes(struct command *command, const void *bytes, size_t size);
void command_integer(struct command *command, uint64_t value);
void command_float(struct command *command, float value); /* as many digits as it takes */

/* --- A stream
 * ----------------------------------------------------------------------------- */

/* The callbacks run on any thread, several at once, each index once. */
struct traffic {
    void *context;
    size_t commands;  /* indices 0 .. commands - 1 */
    size_t words_max; /* words of the longest command */
    void (*compose)(void *context, size_t index, struct command *command);
    /* Called for every reply that is no error. False: not what this command may answer.
     */
    bool (*judge)(void *context, size_t index, const redisReply *reply);
};

struct load_shape {
    size_t connections; /* at least 1 */
    size_t pipeline;    /* commands under way on each; at least 1 */
    size_t threads;     /* 1 .. connections */
};

#define ERROR_KINDS 16

/* Error replies by their first word, with the first of each as an example. */
struct errors {
    uint64_t total; /* also those of kinds that found no row */
    size_t kind_count;
    struct {
        char prefix[24];
        char example[160];
        uint64_t count;
    } kinds[ERROR_KINDS];
};

struct measurement {
    size_t commands;          /* answered */
    double seconds;           /* from the first write to the last reply */
    struct histogram latency; /* nanoseconds */
    struct errors errors;
};

/* Add `other`, a later run of the same traffic. */
void measurement_merge(struct measurement *measurement, const struct measurement *other);

/* Send all of it and wait for every reply. *measurement is overwritten. STATUS_IO when a
 * connection cannot be made or breaks, or nothing comes for a minute; STATUS_MEMORY. */
enum status stream_run(const struct endpoint *endpoint, const struct load_shape *shape,
                       const struct traffic *traffic, const struct allocator *allocator,
                       struct measurement *measurement, struct complaint *complaint);

#endif
