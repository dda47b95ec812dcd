/* Strings: SET GET and their relatives, as far as tools and counters need them.
 *
 * SET and REPLACE differ in what they may take the place of: the forms that answer with
 * the old value must not remove a collection. */
#include "base/decimal.h"
#include "server/plan.h"
#include "server/server.h"
#include "server/words.h"

#define KEYS_PER_STEP 256

static const char *const integer_error = "ERR value is not an integer or out of range";

/* --- Reading ---------------------------------------------------------------------- */

/* The string in argument 1: false when there is none, or, with an error answered, when
 * the key holds something else. */
static bool find_string(struct call *call, const struct state *state,
                        struct slice *value) {
    const struct object *object = call_object(call, state);
    if (!object) return false;
    if (object_type(object) != OBJECT_STRING) {
        call_wrong_type(call);
        return false;
    }
    *value = object_string(state, object);
    return true;
}

READ(cmd_get) {
    struct slice value;
    if (find_string(call, state, &value)) reply_bulk(call_reply(call), value);
    else if (!call->failed) reply_null(call_reply(call));
}

READ(cmd_strlen) {
    struct slice value = slice_of(NULL, 0);
    if (find_string(call, state, &value) || !call->failed)
        reply_unsigned(call_reply(call), value.size);
}

READ(cmd_mget) {
    struct reply *reply = call_reply(call);
    struct metrics *metrics = &call->server->metrics;
    reply_array(reply, call->count - 1);
    for (size_t i = 1; i < call->count; i++) {
        const struct object *object = state_find(state, call->db, call->arguments[i]);
        *(object ? &metrics->keyspace_hits : &metrics->keyspace_misses) += 1;
        if (object && object_type(object) == OBJECT_STRING)
            reply_bulk(reply, object_string(state, object));
        else reply_null(reply);
    }
}

/* --- The old value, kept for the answer -------------------------------------------- */

BEFORE(before_getset) {
    const struct object *object = state_find(state, call->db, call->arguments[1]);
    if (!object || object_type(object) != OBJECT_STRING) return;
    struct slice value = object_string(state, object);
    if (value.size) memcpy(call->server->scratch.vector, value.data, value.size);
    tally->before = slice_of(call->server->scratch.vector, value.size);
}

static bool has_word_get(const struct call *call) {
    for (size_t at = 3; at < call->count; at++)
        if (call_is(call, at, "get")) return true;
    return false;
}

BEFORE(before_set) {
    if (has_word_get(call)) before_getset(call, state, tally);
}

ANSWER(answer_getset) {
    bool answered = !tally->status || tally->status == STATUS_CONDITION;
    if (!answered) call_refusal(call, state, tally);
    else if (tally->before.data) reply_bulk(call_reply(call), tally->before);
    else reply_null(call_reply(call));
}

/* --- Writing ---------------------------------------------------------------------- */

static bool value_fits(struct call *call, size_t size) {
    if (size <= STRING_SIZE_MAX) return true;
    call_error(call, "ERR string exceeds 262144 bytes");
    return false;
}

/* Plan a SET or REPLACE of `key` with its conditions and its deadline, or 0. */
static enum plan_result add_set(struct call *call, struct plan *plan,
                                enum change_type type, uint8_t conditions,
                                uint64_t deadline, struct slice key, struct slice value) {
    if (deadline) conditions |= CHANGE_TAG;
    struct change change = {.type = (uint8_t)type,
                            .flags = (uint8_t)(CHANGE_ATTRIBUTES | conditions),
                            .db = call->db,
                            .tag = deadline,
                            .key = key,
                            .attributes = value};
    if (!call_key_fits(call, key) || !value_fits(call, value.size)) return PLAN_REFUSED;
    enum status status = plan_add(plan, &change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

/* The words after SET's value; false, and the error is answered. */
static bool set_options(struct call *call, enum change_type *type, uint8_t *conditions,
                        uint64_t *deadline) {
    for (size_t at = 3; at < call->count; at++) {
        if (call_is(call, at, "nx")) *conditions |= CHANGE_NX;
        else if (call_is(call, at, "xx")) *conditions |= CHANGE_XX;
        else if (call_is(call, at, "get")) *type = CHANGE_REPLACE;
        else if (call_is(call, at, "keepttl") && !*deadline) *deadline = DEADLINE_KEPT;
        else if (*deadline) *conditions = CHANGE_NX | CHANGE_XX; /* one is enough */
        else {
            enum deadline_word word = call_deadline(call, &at, deadline);
            if (word == DEADLINE_WRONG) return false;
            if (word == DEADLINE_NONE) *conditions = CHANGE_NX | CHANGE_XX;
        }
        if (*conditions != (CHANGE_NX | CHANGE_XX)) continue;
        call_error(call, "ERR syntax error");
        return false;
    }
    return true;
}

WRITE(cmd_set) {
    (void)state;
    enum change_type type = CHANGE_SET;
    uint8_t conditions = 0;
    uint64_t deadline = 0;
    if (call->count > 3 && !set_options(call, &type, &conditions, &deadline))
        return PLAN_REFUSED;
    return add_set(call, plan, type, conditions, deadline, call->arguments[1],
                   call->arguments[2]);
}

ANSWER(answer_set) {
    if (call->count > 3 && has_word_get(call)) answer_getset(call, state, tally);
    else if (!tally->status) reply_ok(call_reply(call));
    else if (tally->status == STATUS_CONDITION) reply_null(call_reply(call));
    else call_refusal(call, state, tally);
}

WRITE(cmd_setnx) {
    (void)state;
    return add_set(call, plan, CHANGE_SET, CHANGE_NX, 0, call->arguments[1],
                   call->arguments[2]);
}

static enum plan_result set_for(struct call *call, struct plan *plan, bool seconds) {
    int64_t number;
    uint64_t deadline;
    if (!call_lifetime(call, 2, seconds, true, &deadline, &number)) return PLAN_REFUSED;
    return add_set(call, plan, CHANGE_SET, 0, deadline, call->arguments[1],
                   call->arguments[3]);
}

WRITE(cmd_setex) {
    (void)state;
    return set_for(call, plan, true);
}

WRITE(cmd_psetex) {
    (void)state;
    return set_for(call, plan, false);
}

ANSWER(answer_setnx) {
    if (tally->status && tally->status != STATUS_CONDITION)
        call_refusal(call, state, tally);
    else reply_integer(call_reply(call), tally->status == STATUS_OK);
}

WRITE(cmd_getset) {
    (void)state;
    return add_set(call, plan, CHANGE_REPLACE, 0, 0, call->arguments[1],
                   call->arguments[2]);
}

WRITE(cmd_getdel) {
    struct slice value;
    if (!find_string(call, state, &value)) return call->failed ? PLAN_REFUSED : PLAN_DONE;
    struct change change = {
        .type = CHANGE_DEL, .db = call->db, .key = call->arguments[1]};
    enum status status = plan_add(plan, &change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

/* In steps; everything is looked at before the first change is added, since a plan cannot
 * take one back. */
WRITE(cmd_mset) {
    (void)state;
    size_t pairs = call->count / 2;
    if (call->count % 2 == 0) {
        call_arity_error(call);
        return PLAN_REFUSED;
    }
    for (size_t i = 1; plan->next == 0 && i < call->count; i += 2)
        if (!call_key_fits(call, call->arguments[i]) ||
            !value_fits(call, call->arguments[i + 1].size))
            return PLAN_REFUSED;
    for (uint64_t end = plan->next + KEYS_PER_STEP;
         plan->next < end && plan->next < pairs; plan->next++) {
        const struct slice *pair = call->arguments + 1 + 2 * plan->next;
        enum plan_result result = add_set(call, plan, CHANGE_SET, 0, 0, pair[0], pair[1]);
        if (result != PLAN_DONE) return result;
    }
    return plan->next < pairs ? PLAN_MORE : PLAN_DONE;
}

/* The result is put into the log as a SET: so an entry says how much memory it needs. */
WRITE(cmd_append) {
    struct slice old = slice_of(NULL, 0), more = call->arguments[2];
    uint8_t *joined = call->server->scratch.vector;
    if (!find_string(call, state, &old) && call->failed) return PLAN_REFUSED;
    if (!value_fits(call, more.size) || !value_fits(call, old.size + more.size))
        return PLAN_REFUSED;
    if (old.size) memcpy(joined, old.data, old.size);
    if (more.size) memcpy(joined + old.size, more.data, more.size);
    const struct object *object = state_find(state, call->db, call->arguments[1]);
    bool keeps = object && object_deadline(object);
    return add_set(call, plan, CHANGE_SET, 0, keeps ? DEADLINE_KEPT : 0,
                   call->arguments[1], slice_of(joined, old.size + more.size));
}

ANSWER(answer_append) {
    if (tally->status) call_refusal(call, state, tally);
    else cmd_strlen(call, state);
}

/* --- COPY ------------------------------------------------------------------------- */

/* DB and REPLACE; false, and the error is answered. */
static bool copy_options(struct call *call, uint32_t *db, bool *replace) {
    int64_t number;
    for (size_t at = 3; at < call->count; at++) {
        if (call_is(call, at, "replace")) {
            *replace = true;
        } else if (call_is(call, at, "db") && at + 1 < call->count) {
            if (!word_integer(call->arguments[++at], &number)) {
                call_error(call, "%s", integer_error);
                return false;
            }
            if (number < 0 || number >= call->server->options.databases) {
                call_error(call, "ERR DB index is out of range");
                return false;
            }
            *db = (uint32_t)number;
        } else {
            call_error(call, "ERR syntax error");
            return false;
        }
    }
    return true;
}

/* Of strings: the copy is put into the log as a SET, with the deadline of the original.
 */
WRITE(cmd_copy) {
    struct slice key = call->arguments[1], target = call->arguments[2];
    uint32_t db = call->db;
    bool replace = false;
    if (!copy_options(call, &db, &replace)) return PLAN_REFUSED;
    if (db == call->db && slice_equal(key, target)) {
        call_error(call, "ERR source and destination objects are the same");
        return PLAN_REFUSED;
    }
    const struct object *object = call_object(call, state);
    if (!object || (!replace && state_find(state, db, target))) return PLAN_DONE;
    if (object_type(object) != OBJECT_STRING) {
        call_unavailable(call, "copying what is no string");
        return PLAN_REFUSED;
    }
    struct slice value = object_string(state, object);
    uint64_t deadline = object_deadline(object);
    uint8_t *copy = call->server->scratch.vector;
    if (value.size) memcpy(copy, value.data, value.size);
    call->db = db;
    return add_set(call, plan, CHANGE_SET, 0, deadline, target,
                   slice_of(copy, value.size));
}

ANSWER(answer_copy) {
    if (tally->status) call_refusal(call, state, tally);
    else reply_integer(call_reply(call), tally->applied);
}

/* --- Counting --------------------------------------------------------------------- */

static enum plan_result add_incr(struct call *call, struct plan *plan, int64_t delta) {
    struct change change = {
        .type = CHANGE_INCR, .db = call->db, .key = call->arguments[1], .delta = delta};
    if (!call_key_fits(call, change.key)) return PLAN_REFUSED;
    enum status status = plan_add(plan, &change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

WRITE(cmd_incr) {
    (void)state;
    return add_incr(call, plan, 1);
}

WRITE(cmd_decr) {
    (void)state;
    return add_incr(call, plan, -1);
}

WRITE(cmd_incrby) {
    (void)state;
    int64_t delta;
    if (word_integer(call->arguments[2], &delta)) return add_incr(call, plan, delta);
    call_error(call, "%s", integer_error);
    return PLAN_REFUSED;
}

WRITE(cmd_decrby) {
    (void)state;
    int64_t delta;
    if (!word_integer(call->arguments[2], &delta)) call_error(call, "%s", integer_error);
    else if (delta == INT64_MIN) call_error(call, "ERR decrement would overflow");
    else return add_incr(call, plan, -delta);
    return PLAN_REFUSED;
}

ANSWER(answer_incr) {
    int64_t value = 0;
    if (tally->status == STATUS_INVALID) call_error(call, "%s", integer_error);
    else if (tally->status == STATUS_RANGE)
        call_error(call, "ERR increment or decrement would overflow");
    else if (tally->status) call_refusal(call, state, tally);
    else {
        const struct object *object = state_find(state, call->db, call->arguments[1]);
        decimal_integer(object_string(state, object), &value);
        reply_integer(call_reply(call), value);
    }
}
