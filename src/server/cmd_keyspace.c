/* Keys whatever they hold: DEL UNLINK EXISTS TYPE DBSIZE FLUSHALL FLUSHDB RENAME
 * RENAMENX. */
#include "server/plan.h"
#include "server/server.h"
#include "server/words.h"

/* Keys that are looked at between two looks at the clock. */
#define KEYS_PER_STEP 256

READ(cmd_dbsize) { reply_unsigned(call_reply(call), state_key_count(state, call->db)); }

READ(cmd_exists) {
    int64_t found = 0;
    for (size_t i = 1; i < call->count; i++)
        found += state_find(state, call->db, call->arguments[i]) != NULL;
    reply_integer(call_reply(call), found);
}

const char *type_name(const struct object *object) {
    static const char *const names[] = {[OBJECT_COLLECTION] = "vectorset",
                                        [OBJECT_STRING] = "string",
                                        [OBJECT_GRAPH] = "graph"};
    return names[object_type(object)];
}

READ(cmd_type) {
    const struct object *object = state_find(state, call->db, call->arguments[1]);
    reply_status(call_reply(call), object ? type_name(object) : "none");
}

/* Alone, keys that are missing are passed over: a DEL that removes nothing is no change.
 * In a transaction only the kernel can tell what is missing by then. */
WRITE(cmd_del) {
    uint64_t end = plan->next + KEYS_PER_STEP;
    for (; plan->next < end && plan->next + 1 < call->count; plan->next++) {
        struct change change = {
            .type = CHANGE_DEL, .db = call->db, .key = call->arguments[plan->next + 1]};
        if (change.key.size > NAME_SIZE_MAX) continue; /* no such key can exist */
        if (!plan->overlay && !state_find(state, call->db, change.key)) continue;
        enum status status = plan_add(plan, &change);
        if (status) return plan_fail(call, status);
    }
    return plan->next + 1 < call->count ? PLAN_MORE : PLAN_DONE;
}

ANSWER(answer_count) {
    if (tally->status && tally->status != STATUS_NO_KEY) call_refusal(call, state, tally);
    else reply_integer(call_reply(call), tally->applied);
}

static enum plan_result flush(struct call *call, struct plan *plan, uint32_t db) {
    if (call->count > 2 ||
        (call->count == 2 && !call_is(call, 1, "async") && !call_is(call, 1, "sync"))) {
        call_error(call, "ERR syntax error");
        return PLAN_REFUSED;
    }
    struct change change = {.type = CHANGE_FLUSH, .db = db};
    enum status status = plan_add(plan, &change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

WRITE(cmd_flushall) {
    (void)state;
    return flush(call, plan, FLUSH_ALL);
}

WRITE(cmd_flushdb) {
    (void)state;
    return flush(call, plan, call->db);
}

ANSWER(answer_ok) {
    if (tally->status) call_refusal(call, state, tally);
    else reply_ok(call_reply(call));
}

/* --- RENAME and RENAMENX ---------------------------------------------------------- */

/* Alone, a key that is missing is refused here, and one renamed to itself is no change.
 */
WRITE(cmd_rename) {
    struct change change = {.type = CHANGE_RENAME,
                            .db = call->db,
                            .key = call->arguments[1],
                            .target = call->arguments[2]};
    if (call->command->answer == answer_renamenx) change.flags |= CHANGE_NX;
    if (!call_key_fits(call, change.key) || !call_key_fits(call, change.target))
        return PLAN_REFUSED;
    if (!plan->overlay && !state_find(state, call->db, change.key)) {
        call_error(call, "ERR no such key");
        return PLAN_REFUSED;
    }
    if (!plan->overlay && slice_equal(change.key, change.target)) return PLAN_DONE;
    enum status status = plan_add(plan, &change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

ANSWER(answer_rename) {
    if (tally->status == STATUS_NO_KEY) call_error(call, "ERR no such key");
    else if (tally->status) call_refusal(call, state, tally);
    else reply_ok(call_reply(call));
}

ANSWER(answer_renamenx) {
    bool moved = tally->status == STATUS_OK && tally->asked > 0;
    if (tally->status && tally->status != STATUS_EXISTS)
        answer_rename(call, state, tally);
    else reply_integer(call_reply(call), moved);
}

/* --- MEMORY USAGE ----------------------------------------------------------------- */

/* SAMPLES is taken and not needed: nothing is estimated. */
COMMAND(cmd_memory_usage) {
    const struct state *state = engine_state(call->server->engine);
    int64_t samples = 0;
    bool good = call->count == 3 || (call->count == 5 && call_is(call, 3, "samples"));
    if (good && call->count == 5 && !word_integer(call->arguments[4], &samples)) {
        call_error(call, "ERR value is not an integer or out of range");
        return;
    }
    if (!good || samples < 0) {
        call_error(call, "ERR syntax error");
        return;
    }
    const struct object *object = state_find(state, call->db, call->arguments[2]);
    if (object) reply_unsigned(call_reply(call), object_memory(state, object));
    else reply_null(call_reply(call));
}
