/* Deadlines of keys: EXPIRE and what goes with it.
 *
 * A deadline is a number that an entry sets and the commitment covers; nothing here asks
 * what time it is. Whoever has a clock finds the keys that are due and removes them by
 * entries. */
#include "kernel/state.h"

#include "kernel/pure.h"

void set_deadline(struct kernel *kernel, uint32_t row, uint64_t deadline) {
    struct object *object = own_object(kernel, row);
    uint64_t *count = &kernel->state.expires[object->db];
    *count += (deadline != 0) - (uint64_t)(object->deadline != 0);
    object->deadline = deadline;
}

enum status expire_refused(const struct object *object, const struct change *change) {
    if (!object) return STATUS_NO_KEY;
    uint64_t old = object->deadline, new = change->tag;
    bool refused = false; /* A key without a deadline lives for ever. */
    switch (change->delta) {
    case EXPIRE_NX:
        refused = old != 0;
        break;
    case EXPIRE_XX:
        refused = old == 0;
        break;
    case EXPIRE_GT:
        refused = old == 0 || new <= old;
        break;
    case EXPIRE_LT:
        refused = old != 0 && new >= old;
        break;
    case EXPIRE_XX_LT:
        refused = old == 0 || new >= old;
        break;
    default:
        break;
    }
    return refused ? STATUS_CONDITION : STATUS_OK;
}

void apply_expire(struct kernel *kernel, const struct change *change, uint32_t row) {
    touch_object(kernel, row);
    set_deadline(kernel, row, change->tag);
}

void deadline_sum(const struct object *object, struct object_sum *sum) {
    if (object->deadline == 0) return;
    sum->config[sum->config_size++] = DEADLINE_MARK;
    store_le64(sum->config + sum->config_size, object->deadline);
    sum->config_size += 8;
}

uint64_t object_deadline(const struct object *object) { return object->deadline; }

uint64_t state_expires(const struct state *state, uint32_t db) {
    return state->expires[db];
}

const struct object *state_find_due(const struct state *state, uint64_t now,
                                    uint32_t *row, uint32_t budget) {
    if (*row >= state->objects.limit) *row = 0;
    for (; budget > 0 && *row < state->objects.limit; --budget) {
        const struct object *object = object_at(state, (*row)++);
        bool due = object->type != 0 && object->deadline != 0 && object->deadline <= now;
        /* The deleted keep their rows until they are tidied away. */
        if (due && find_row(state, object->leaf.key) == *row - 1) return object;
    }
    return NULL;
}
