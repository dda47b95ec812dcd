/* The log itself, for auditors and operators: LOG.INFO, LOG.RANGE and LOG.TRIM.
 *
 * LOG.RANGE reads from the files, in slices; between them nothing is held but numbers, so
 * that a client may leave, and a segment go, at any time. */
#include <stdio.h>

#include "engine/describe.h"
#include "engine/log_access.h"
#include "server/server.h"
#include "server/words.h"

enum {
    DEFAULT_COUNT = 100,
    TEXTS_PER_LOOK = 16, /* between looks at the clock */
};

/* The log, or NULL, and the error is answered. */
static struct log *log_of(struct call *call) {
    struct log *log = engine_log(call->server->engine);
    if (!log) call_error(call, "ERR there is no log with appendonly no");
    return log;
}

/* --- LOG.INFO --------------------------------------------------------------------- */

static void reply_field(struct reply *reply, const char *name, uint64_t value) {
    reply_text(reply, name);
    reply_unsigned(reply, value);
}

COMMAND(cmd_log_info) {
    struct log *log = log_of(call);
    if (!log) return;
    struct server *server = call->server;
    struct reply *reply = call_reply(call);
    struct upkeep_facts upkeep;
    char hex[2 * SHA256_SIZE + 1];
    uint8_t root[SHA256_SIZE];
    engine_upkeep_facts(server->engine, &upkeep);
    log_root(log, root);

    reply_map(reply, 12);
    reply_text(reply, "log_id");
    hex_text(log_id(log), LOG_ID_SIZE, hex);
    reply_text(reply, hex);
    reply_field(reply, "first_sequence", upkeep.first);
    reply_field(reply, "next_sequence", log_size(log));
    reply_field(reply, "durable", log_durable(log));
    reply_text(reply, "log_root");
    hex_text(root, SHA256_SIZE, hex);
    reply_text(reply, hex);
    reply_field(reply, "segments", log_segment_count(log));
    reply_field(reply, "bytes", log_disk_bytes(log));
    reply_field(reply, "trim_limit", upkeep.limit);
    reply_text(reply, "trim");
    reply_text(reply, server->options.log_trim ? "yes" : "no");
    reply_text(reply, "archive");
    reply_text(reply, server->options.log_archive_dir);
    reply_field(reply, "trimmed_segments", upkeep.segments);
    reply_text(reply, "last_error");
    reply_text(reply, upkeep.last ? upkeep.message : "");
}

/* --- LOG.TRIM --------------------------------------------------------------------- */

COMMAND(cmd_log_trim) {
    if (!log_of(call)) return;
    struct engine *engine = call->server->engine;
    uint64_t to = engine_trim_limit(engine), limit = to, place;
    if (call->count != 1 && (call->count != 3 || !call_is(call, 1, "to"))) {
        call_error(call, "ERR syntax error");
    } else if (call->count == 3 && !word_unsigned(call->arguments[2], &to)) {
        call_error(call, "ERR value is not an integer or out of range");
    } else if (limit == 0) {
        call_error(call, "ERR nothing may go before two verified snapshots cover it");
    } else if (engine_trim(engine, to, &place)) {
        call_error(call, "ERR two verified snapshots cover only the entries below %llu",
                   (unsigned long long)limit);
    } else {
        reply_unsigned(call_reply(call), place);
    }
}

/* --- LOG.RANGE: entries ----------------------------------------------------------- */

/* A user's name, where it is one that is known here; otherwise the hash that the entry
 * has. */
static void reply_user(struct call *call, const uint8_t principal[SHA256_SIZE]) {
    char hex[2 * SHA256_SIZE + 1];
    uint8_t hash[SHA256_SIZE];
    hash_principal(slice_text("default"), hash);
    bool is_default = memcmp(hash, principal, SHA256_SIZE) == 0;
    hex_text(principal, SHA256_SIZE, hex);
    reply_text(call_reply(call), is_default ? "default" : hex);
}

/* Texts of the entry from number `task->text` on; false when the slice is over. */
static bool reply_texts(struct call *call, const struct frame *frame,
                        uint64_t deadline_us) {
    struct log_range_task *task = &call->server->log_range;
    struct reply *reply = call_reply(call);
    struct description description;
    struct buffer text;
    enum status status = describe_begin(&description, frame);
    if (task->text == 0) {
        reply_array(reply, 4);
        reply_unsigned(reply, frame->sequence);
        reply_unsigned(reply, description.entry.time_us);
        reply_user(call, description.entry.principal);
        reply_array(reply, description.count);
    }
    buffer_init(&text, call->server->allocator, (size_t)1 << 30);
    bool more = true;
    for (uint64_t i = 0; i < description.count && more; i++) {
        buffer_clear(&text);
        if (!status) status = describe_next(&description, &text);
        if (i < task->text) continue; /* told in an earlier slice */
        if (status) reply_error(reply, "ERR the entry cannot be read");
        else reply_bulk(reply, buffer_slice(&text));
        task->text = i + 1;
        more = task->text % TEXTS_PER_LOOK != 0 ||
               server_clock(call->server) < deadline_us || reply->failed;
    }
    buffer_free(&text);
    if (task->text < description.count) return false;
    task->text = 0;
    return true;
}

/* The entries that are left, or as many as the slice allows. What cannot be read is
 * answered as an error in its place. */
static bool range_more(struct call *call, uint64_t deadline_us) {
    struct log_range_task *task = &call->server->log_range;
    struct log_cursor cursor;
    struct frame frame;
    bool done = true;
    log_cursor_begin(&cursor, engine_log(call->server->engine));
    cursor.written = true;
    enum status status = log_cursor_seek(&cursor, task->next);
    while (task->next < task->end && done) {
        if (!status) status = log_cursor_next(&cursor, &frame);
        if (status) {
            reply_error(call_reply(call), "ERR the entry cannot be read");
        } else if (!reply_texts(call, &frame, deadline_us)) {
            done = false;
            break;
        }
        task->next++;
        done = server_clock(call->server) < deadline_us || task->next == task->end;
    }
    log_cursor_end(&cursor);
    return done;
}

static void begin_range(struct call *call, uint64_t from, uint64_t end) {
    struct server *server = call->server;
    server->log_range = (struct log_range_task){.next = from, .end = end};
    reply_array(call_reply(call), end - from);
    job_begin_more(server, call, range_more);
    if (!job_run(server, server->now_us + JOB_SLICE_US)) server->metrics.long_commands++;
}

/* --- LOG.RANGE: by sequence ------------------------------------------------------- */

static void range_by_sequence(struct call *call, struct log *log) {
    int64_t from, count = DEFAULT_COUNT;
    uint64_t end = log_written(log), first = log_first(log);
    if (!word_integer(call->arguments[1], &from) ||
        (call->count == 3 && (!word_integer(call->arguments[2], &count) || count < 0))) {
        call_error(call, "ERR value is not an integer or out of range");
        return;
    }
    uint64_t begin = from >= 0               ? (uint64_t)from
                     : end > (uint64_t)-from ? end - (uint64_t)-from
                                             : 0;
    if (from < 0 && begin < first) begin = first;
    if (begin < first) {
        call_error(call,
                   "ERR the log begins at sequence %llu: what came before was trimmed",
                   (unsigned long long)first);
        return;
    }
    if (begin > end) begin = end;
    if (end - begin > (uint64_t)count) end = begin + (uint64_t)count;
    begin_range(call, begin, end);
}

/* --- LOG.RANGE: by time ----------------------------------------------------------- */

/* Times never fall: the first entry that is not before `time_us`, by halving. */
static enum status find_time(struct log_cursor *cursor, uint64_t low, uint64_t high,
                             uint64_t time_us, uint64_t *sequence) {
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct frame frame;
        struct entry entry;
        enum status status = log_cursor_seek(cursor, middle);
        if (!status) status = log_cursor_next(cursor, &frame);
        if (!status) status = entry_decode(frame.entry, &entry);
        if (status) return status;
        if (entry.time_us < time_us) low = middle + 1;
        else high = middle;
    }
    *sequence = low;
    return STATUS_OK;
}

static bool parse_time(struct slice word, uint64_t *time_us) {
    if (word_is(word, "-")) *time_us = 0;
    else if (word_is(word, "+")) *time_us = UINT64_MAX - 1;
    else return word_unsigned(word, time_us) && *time_us < UINT64_MAX;
    return true;
}

static void range_by_time(struct call *call, struct log *log) {
    uint64_t from, to, count = DEFAULT_COUNT;
    bool counted = call->count == 6 && call_is(call, 4, "count");
    if (call->count != 4 && !counted) {
        call_error(call, "ERR syntax error");
        return;
    }
    if (!parse_time(call->arguments[2], &from) || !parse_time(call->arguments[3], &to) ||
        (counted && !word_unsigned(call->arguments[5], &count))) {
        call_error(call, "ERR value is not an integer or out of range");
        return;
    }
    uint64_t begin = 0, end = log_written(log), first = log_first(log);
    struct log_cursor cursor;
    log_cursor_begin(&cursor, log);
    cursor.written = cursor.entries_only = true;
    enum status status = find_time(&cursor, first, end, from, &begin);
    if (!status) status = find_time(&cursor, begin, end, to + 1, &end);
    log_cursor_end(&cursor);
    if (status) {
        call_error(call, "ERR the entry cannot be read");
        return;
    }
    if (end - begin > count) end = begin + count;
    begin_range(call, begin, end);
}

COMMAND(cmd_log_range) {
    struct log *log = log_of(call);
    if (!log) return;
    if (call_is(call, 1, "time")) range_by_time(call, log);
    else if (call->count > 3) call_error(call, "ERR syntax error");
    else range_by_sequence(call, log);
}
