/* What every handler needs: its arguments, its errors, its object. */
#include "server/call.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/glob.h"
#include "server/plan.h"
#include "server/server.h"
#include "server/words.h"

write_handler *call_write(const struct call *call) {
    return call->subcommand ? call->subcommand->write : call->command->write;
}

answer_handler *call_answer(const struct call *call) {
    return call->subcommand ? call->subcommand->answer : call->command->answer;
}

struct reply *call_reply(struct call *call) {
    return call->client ? connection_reply(call->client->connection)
                        : &call->server->nobody;
}

void call_error(struct call *call, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    call->failed = true;
    if (call->refusal) { /* EXEC plans: the error is answered in its turn */
        snprintf(call->refusal, CALL_REFUSAL_SIZE, "%.*s", CALL_REFUSAL_SIZE - 1, text);
        return;
    }
    call->server->metrics.error_replies++;
    errors_count(&call->server->errors, text);
    reply_error(call_reply(call), text);
}

const char *call_quote(struct slice bytes, char *text, size_t size) {
    size_t i = 0;
    for (; i < bytes.size && i + 1 < size; i++) {
        uint8_t byte = bytes.data[i];
        text[i] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
    }
    text[i] = '\0';
    return text;
}

void call_arity_error(struct call *call) {
    const struct command *command = call->command;
    char name[64];
    snprintf(name, sizeof name, "%s", command->name);
    if (command->flags & COMMAND_UPPER_CASE)
        for (char *c = name; *c; c++)
            if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 32);
    const struct subcommand *subcommand =
        call->count > 1 ? subcommand_find(command, call->arguments[1]) : NULL;
    call_error(call, "ERR wrong number of arguments for '%s%s%s' command", name,
               subcommand ? "|" : "", subcommand ? subcommand->name : "");
}

void call_wrong_type(struct call *call) {
    call_error(call, "WRONGTYPE Operation against a key holding the wrong kind of value");
}

bool call_key_fits(struct call *call, struct slice key) {
    if (key.size <= NAME_SIZE_MAX) return true;
    call_error(call, "ERR key exceeds 65536 bytes");
    return false;
}

void call_unavailable(struct call *call, const char *what) {
    call_error(call, "ERR %s is not available in this release", what);
}

/* The two that name the dimension. Equal ones mean that the vector has the wrong form:
 * the forecast of a transaction was wrong (overlay.h). */
static void dimension_error(struct call *call, const struct state *state,
                            const struct tally *tally) {
    const struct collection *collection =
        state_collection(state, call->db, call->arguments[1]);
    uint32_t dim = collection ? collection_config(collection)->dim : 0;
    if (dim == tally->dim)
        call_error(call, "ERR the collection's metric changed inside the transaction");
    else
        call_error(call,
                   "ERR Vector dimension mismatch - got %" PRIu32 " but set has %" PRIu32,
                   tally->dim, dim);
}

void call_refusal(struct call *call, const struct state *state,
                  const struct tally *tally) {
    switch (tally->status) {
    case STATUS_NO_KEY:
        call_error(call, "ERR key does not exist");
        return;
    case STATUS_NO_ELEMENT:
        call_error(call, "ERR element not found in set");
        return;
    case STATUS_EXISTS:
        call_error(call, "ERR key already exists");
        return;
    case STATUS_WRONG_TYPE:
        call_wrong_type(call);
        return;
    case STATUS_DIMENSION:
        dimension_error(call, state, tally);
        return;
    case STATUS_QUANTISATION:
        call_error(call, "ERR asked quantization mismatch with existing vector set");
        return;
    case STATUS_M:
        call_error(call, "ERR asked M value mismatch with existing vector set");
        return;
    case STATUS_CAPACITY:
        if (strcmp(call->command->group, "graph") == 0)
            call_error(call, "ERR the graph's capacity is reached");
        else call_error(call, "ERR the collection's capacity is reached");
        return;
    case STATUS_NO_NODE:
        call_error(call, "ERR no such node");
        return;
    case STATUS_FULL:
        call_error(call, "ERR max-records is reached");
        return;
    case STATUS_MEMORY:
        call_error(call, "OOM command not allowed when used memory > 'maxmemory'.");
        return;
    case STATUS_TOO_LARGE:
        call_error(call, "ERR the command is too large for the log");
        return;
    case STATUS_NO_SPACE:
        call_error(call,
                   "MISCONF command log: No space left on device; writes refused until "
                   "space is available");
        return;
    case STATUS_IO:
        call_error(call,
                   "IOERR log write failed (%s): outcome of this write is unknown; "
                   "server stopping",
                   server_error_text(call->server));
        return;
    default:
        call_error(call, "ERR refused: %s", status_name(tally->status));
        return;
    }
}

struct slice call_argument(const struct call *call, size_t index) {
    return index < call->count ? call->arguments[index] : slice_of(NULL, 0);
}

bool call_is(const struct call *call, size_t index, const char *word) {
    return index < call->count && word_is(call->arguments[index], word);
}

bool call_pattern(struct call *call, size_t index) {
    if (call->arguments[index].size <= GLOB_PATTERN_LIMIT) return true;
    call_error(call, "ERR pattern is too long");
    return false;
}

const struct object *call_object(struct call *call, const struct state *state) {
    const struct object *object = state_find(state, call->db, call->arguments[1]);
    struct metrics *metrics = &call->server->metrics;
    *(object ? &metrics->keyspace_hits : &metrics->keyspace_misses) += 1;
    return object;
}

const struct collection *call_collection(struct call *call, const struct state *state) {
    const struct object *object = call_object(call, state);
    if (!object) return NULL;
    const struct collection *collection = object_collection(state, object);
    if (!collection) call_wrong_type(call);
    return collection;
}

bool call_record(struct call *call, const struct state *state, struct record *record) {
    const struct collection *collection = call_collection(call, state);
    return collection && record_find(state, collection, call->arguments[2], record);
}
