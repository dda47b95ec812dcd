/* Walks over keys and elements: KEYS SCAN RANDOMKEY VSCAN.
 *
 * A cursor is the high half of the next hash, so the server keeps nothing between two
 * calls and a key that is there throughout is never missed. Keys whose hashes begin with
 * the same 64 bits are answered together. KEYS and RANDOMKEY go in slices: the state
 * stands still meanwhile (job.h). */
#include <inttypes.h>
#include <stdio.h>

#include "base/glob.h"
#include "server/server.h"
#include "server/words.h"

/* One call of SCAN or VSCAN looks at no more, whatever COUNT says. */
#define SCAN_COUNT_MAX     4096
#define SCAN_COUNT_DEFAULT 10
/* Keys that are looked at between two looks at the clock. */
#define KEYS_PER_STEP 64

/* --- Words ------------------------------------------------------------------------ */

struct scan_words {
    uint64_t cursor;
    int64_t count;
    bool has_pattern, has_type;
    struct slice pattern;
    struct slice type;
};

/* From the cursor at `at` on; `typed`: TYPE is one of the options. */
static bool read_scan(struct call *call, size_t at, bool typed,
                      struct scan_words *words) {
    *words = (struct scan_words){.count = SCAN_COUNT_DEFAULT};
    if (!word_unsigned(call->arguments[at], &words->cursor)) {
        call_error(call, "ERR invalid cursor");
        return false;
    }
    for (at++; at < call->count; at += 2) {
        bool known = call_is(call, at, "match") || call_is(call, at, "count") ||
                     (typed && call_is(call, at, "type"));
        if (!known || at + 1 >= call->count) {
            call_error(call, "ERR syntax error");
            return false;
        }
        struct slice value = call->arguments[at + 1];
        if (call_is(call, at, "match")) {
            if (!call_pattern(call, at + 1)) return false;
            words->has_pattern = true;
            words->pattern = value;
        } else if (call_is(call, at, "type")) {
            words->has_type = true;
            words->type = value;
        } else if (!word_integer(value, &words->count)) {
            call_error(call, "ERR value is not an integer or out of range");
            return false;
        } else if (words->count < 1) {
            call_error(call, "ERR syntax error");
            return false;
        }
    }
    if (words->count > SCAN_COUNT_MAX) words->count = SCAN_COUNT_MAX;
    return true;
}

/* --- SCAN and VSCAN --------------------------------------------------------------- */

/* The next name of the walk: of a key, or with `collection` of an element. `here`: the
 * database and the words let it through. False at the end. */
static bool next_name(const struct call *call, const struct state *state,
                      const struct collection *collection, const struct scan_words *words,
                      struct scan *scan, struct slice *name, bool *here) {
    if (collection) {
        struct record record;
        if (!scan_record(state, collection, scan, &record)) return false;
        *name = record.element;
        *here = true;
    } else {
        const struct object *found = scan_key(state, scan);
        if (!found) return false;
        *name = object_name(state, found);
        *here = object_database(found) == call->db &&
                (!words->has_type || word_is(words->type, type_name(found)));
    }
    if (words->has_pattern && *here) *here = glob_match(words->pattern, *name, false);
    return true;
}

/* One part of the walk, from the cursor on: counts what matches, or with `reply` writes
 * it. Gives the next cursor. */
static uint64_t scan_part(const struct call *call, const struct state *state,
                          const struct collection *collection,
                          const struct scan_words *words, uint64_t *matches,
                          struct reply *reply) {
    struct scan scan;
    struct slice name;
    bool here;
    uint64_t last = 0;
    scan_begin(&scan, words->cursor);
    *matches = 0;
    for (int64_t seen = 0; next_name(call, state, collection, words, &scan, &name, &here);
         seen++) {
        if (seen >= words->count && scan_prefix(&scan) != last) return scan_prefix(&scan);
        last = scan_prefix(&scan);
        if (!here) continue;
        ++*matches;
        if (reply) reply_bulk(reply, name);
    }
    return 0;
}

static void reply_scan(struct call *call, const struct state *state,
                       const struct collection *collection,
                       const struct scan_words *words) {
    struct reply *reply = call_reply(call);
    uint64_t matches;
    uint64_t next = scan_part(call, state, collection, words, &matches, NULL);
    char cursor[24];
    snprintf(cursor, sizeof cursor, "%" PRIu64, next);
    reply_array(reply, 2);
    reply_text(reply, cursor);
    reply_array(reply, matches);
    scan_part(call, state, collection, words, &matches, reply);
}

static void reply_scan_of_nothing(struct call *call) {
    reply_array(call_reply(call), 2);
    reply_text(call_reply(call), "0");
    reply_array(call_reply(call), 0);
}

READ(cmd_scan) {
    struct scan_words words;
    if (!read_scan(call, 1, true, &words)) return;
    if (state_key_count(state, call->db) == 0) reply_scan_of_nothing(call);
    else reply_scan(call, state, NULL, &words);
}

READ(cmd_vscan) {
    struct scan_words words;
    if (!read_scan(call, 2, false, &words)) return;
    const struct collection *collection = call_collection(call, state);
    if (call->failed) return;
    if (!collection) reply_scan_of_nothing(call);
    else reply_scan(call, state, collection, &words);
}

/* --- KEYS ------------------------------------------------------------------------- */

/* All keys twice: first they are counted, since a reply says first how many there are. */
static bool keys_more(struct call *call, uint64_t deadline_us) {
    struct keys_task *task = &call->server->keys;
    const struct state *state = engine_state(call->server->engine);
    struct reply *reply = call_reply(call);
    for (uint32_t steps = 1;; steps++) {
        const struct object *object = scan_key(state, &task->scan);
        if (!object && task->counted) return true;
        if (!object) {
            reply_array(reply, task->matches);
            *task = (struct keys_task){.counted = true};
            scan_begin(&task->scan, 0);
            continue;
        }
        struct slice name = object_name(state, object);
        if (object_database(object) == call->db &&
            glob_match(call->arguments[1], name, false)) {
            task->matches++;
            if (task->counted) reply_bulk(reply, name);
        }
        if (steps % KEYS_PER_STEP == 0 && server_clock(call->server) >= deadline_us)
            return false;
    }
}

READ(cmd_keys) {
    (void)state;
    if (!call_pattern(call, 1)) return;
    call->server->keys = (struct keys_task){.counted = false};
    scan_begin(&call->server->keys.scan, 0);
    call->server->job.more = keys_more;
}

/* --- RANDOMKEY -------------------------------------------------------------------- */

/* Any key of all databases is as likely as any other; draw until one is of this database.
 */
static bool randomkey_more(struct call *call, uint64_t deadline_us) {
    struct server *server = call->server;
    const struct state *state = engine_state(server->engine);
    for (uint32_t steps = 1;; steps++) {
        uint64_t draw;
        server->os->random(server->os, (uint8_t *)&draw, sizeof draw);
        const struct object *object = state_key_at(state, draw % state_key_total(state));
        if (object_database(object) == call->db) {
            reply_bulk(call_reply(call), object_name(state, object));
            return true;
        }
        if (steps % KEYS_PER_STEP == 0 && server_clock(server) >= deadline_us)
            return false;
    }
}

READ(cmd_randomkey) {
    if (state_key_count(state, call->db) == 0) reply_null(call_reply(call));
    else call->server->job.more = randomkey_more;
}
