/* Deadlines as clients set and ask them: EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST TTL
 * PTTL EXPIRETIME PEXPIRETIME GETEX, and the words EX, PX, EXAT and PXAT of SET. */
#include "server/expire.h"
#include "server/plan.h"
#include "server/server.h"
#include "server/words.h"

static const char *const integer_error = "ERR value is not an integer or out of range";

static bool invalid_time(struct call *call) {
    call_error(call, "ERR invalid expire time in '%s' command", call->command->name);
    return false;
}

/* The deadline that a number means. What lies before 1970 is as past as its first
 * millisecond. */
static bool deadline_of(struct call *call, int64_t number, bool seconds, bool relative,
                        uint64_t *deadline) {
    int64_t now = relative ? (int64_t)expire_now(call->server) : 0;
    if (seconds && __builtin_mul_overflow(number, 1000, &number))
        return invalid_time(call);
    if (__builtin_add_overflow(number, now, &number)) return invalid_time(call);
    *deadline = number > 0 ? (uint64_t)number : 1;
    return true;
}

/* The unit that a word of SET and GETEX stands for. */
static bool is_unit(struct slice word, bool *seconds, bool *relative) {
    *seconds = word_is(word, "ex") || word_is(word, "exat");
    *relative = word_is(word, "ex") || word_is(word, "px");
    return *seconds || *relative || word_is(word, "pxat");
}

enum deadline_word call_deadline(struct call *call, size_t *at, uint64_t *deadline) {
    bool seconds, relative;
    int64_t number;
    if (!is_unit(call->arguments[*at], &seconds, &relative)) return DEADLINE_NONE;
    if (*at + 1 >= call->count) return DEADLINE_NONE;
    ++*at;
    if (!call_lifetime(call, *at, seconds, relative, deadline, &number))
        return DEADLINE_WRONG;
    return DEADLINE_GIVEN;
}

bool call_lifetime(struct call *call, size_t at, bool seconds, bool relative,
                   uint64_t *deadline, int64_t *number) {
    if (!word_integer(call->arguments[at], number)) {
        call_error(call, "%s", integer_error);
        return false;
    }
    if (*number <= 0) return invalid_time(call);
    return deadline_of(call, *number, seconds, relative, deadline);
}

/* --- Setting ---------------------------------------------------------------------- */

static enum plan_result add_expire(struct call *call, struct plan *plan,
                                   uint64_t deadline, enum expire_condition condition) {
    struct change change = {.type = CHANGE_EXPIRE,
                            .flags = CHANGE_TAG,
                            .db = call->db,
                            .key = call->arguments[1],
                            .tag = deadline,
                            .delta = condition};
    if (!call_key_fits(call, change.key)) return PLAN_REFUSED;
    enum status status = plan_add(plan, &change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

/* NX, XX, GT and LT, in any order and as often as anybody likes. */
static bool read_condition(struct call *call, enum expire_condition *condition) {
    bool nx = false, xx = false, gt = false, lt = false;
    for (size_t at = 3; at < call->count; at++) {
        char word[129];
        if (call_is(call, at, "nx")) nx = true;
        else if (call_is(call, at, "xx")) xx = true;
        else if (call_is(call, at, "gt")) gt = true;
        else if (call_is(call, at, "lt")) lt = true;
        else {
            call_error(call, "ERR Unsupported option %s",
                       call_quote(call->arguments[at], word, sizeof word));
            return false;
        }
    }
    if (nx && (xx || gt || lt)) {
        call_error(call,
                   "ERR NX and XX, GT or LT options at the same time are not compatible");
        return false;
    }
    if (gt && lt) {
        call_error(call, "ERR GT and LT options at the same time are not compatible");
        return false;
    }
    *condition = nx         ? EXPIRE_NX
                 : gt       ? EXPIRE_GT
                 : xx && lt ? EXPIRE_XX_LT
                 : lt       ? EXPIRE_LT
                 : xx       ? EXPIRE_XX
                            : EXPIRE_ALWAYS;
    return true;
}

/* Alone, a key that is missing needs no entry. */
static enum plan_result plan_expire(struct call *call, const struct state *state,
                                    struct plan *plan, bool seconds, bool relative) {
    int64_t number;
    uint64_t deadline;
    enum expire_condition condition;
    if (!word_integer(call->arguments[2], &number)) {
        call_error(call, "%s", integer_error);
        return PLAN_REFUSED;
    }
    if (!deadline_of(call, number, seconds, relative, &deadline) ||
        !read_condition(call, &condition))
        return PLAN_REFUSED;
    if (!plan->overlay && !state_find(state, call->db, call->arguments[1]))
        return PLAN_DONE;
    return add_expire(call, plan, deadline, condition);
}

WRITE(cmd_expire) { return plan_expire(call, state, plan, true, true); }
WRITE(cmd_pexpire) { return plan_expire(call, state, plan, false, true); }
WRITE(cmd_expireat) { return plan_expire(call, state, plan, true, false); }
WRITE(cmd_pexpireat) { return plan_expire(call, state, plan, false, false); }

WRITE(cmd_persist) {
    const struct object *object = state_find(state, call->db, call->arguments[1]);
    if (!plan->overlay && (!object || !object_deadline(object))) return PLAN_DONE;
    return add_expire(call, plan, 0, EXPIRE_XX);
}

ANSWER(answer_expire) {
    bool answered = !tally->status || tally->status == STATUS_NO_KEY ||
                    tally->status == STATUS_CONDITION;
    if (!answered) call_refusal(call, state, tally);
    else reply_integer(call_reply(call), tally->asked > 0 && !tally->status);
}

/* --- GETEX ------------------------------------------------------------------------ */

WRITE(cmd_getex) {
    const struct object *object = call_object(call, state);
    uint64_t deadline = 0;
    size_t at = 2;
    bool persist = call->count == 3 && call_is(call, 2, "persist");
    if (call->count > 2 && !persist) {
        enum deadline_word word = call_deadline(call, &at, &deadline);
        if (word == DEADLINE_NONE || (word == DEADLINE_GIVEN && at + 1 < call->count))
            call_error(call, "ERR syntax error");
        if (call->failed) return PLAN_REFUSED;
    }
    if (object && object_type(object) != OBJECT_STRING) {
        call_wrong_type(call);
        return PLAN_REFUSED;
    }
    if (!object || call->count == 2) return PLAN_DONE;
    if (persist && !object_deadline(object)) return PLAN_DONE;
    return add_expire(call, plan, deadline, EXPIRE_ALWAYS);
}

/* --- Asking ----------------------------------------------------------------------- */

/* -2 without key, -1 without deadline. */
static void reply_time(struct call *call, const struct state *state, bool seconds,
                       bool relative) {
    const struct object *object = call_object(call, state);
    uint64_t deadline = object ? object_deadline(object) : 0;
    if (!deadline) {
        reply_integer(call_reply(call), object ? -1 : -2);
        return;
    }
    uint64_t now = relative ? expire_now(call->server) : 0;
    uint64_t left = deadline > now ? deadline - now : 0;
    reply_unsigned(call_reply(call), seconds ? (left + 500) / 1000 : left);
}

READ(cmd_ttl) { reply_time(call, state, true, true); }
READ(cmd_pttl) { reply_time(call, state, false, true); }
READ(cmd_expiretime) { reply_time(call, state, true, false); }
READ(cmd_pexpiretime) { reply_time(call, state, false, false); }
