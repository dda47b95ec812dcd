/* Changes on their way to the engine: alone, or as a batch. */
#include "server/plan.h"

void plan_begin(struct plan *plan, const struct options *options,
                const struct state *state, struct batch *batch, struct overlay *overlay) {
    *plan = (struct plan){.batch = batch,
                          .overlay = overlay,
                          .state = state,
                          .max_records = options->max_records};
}

static bool is_new(const struct state *state, const struct change *change) {
    const struct object *object = state_find(state, change->db, change->key);
    const struct collection *collection =
        object ? object_collection(state, object) : NULL;
    struct record record;
    return !collection || !record_find(state, collection, change->element, &record);
}

/* Would the element be one more than max-records? Asked here and never again: what is in
 * the log is applied whatever the limit is then. */
static bool is_full(struct plan *plan, const struct change *change) {
    if (plan->max_records < 0 || change->type != CHANGE_VADD) return false;
    if (!is_new(plan->state, change)) return false;
    plan->newcomers++;
    return state_record_total(plan->state) + plan->newcomers >
           (uint64_t)plan->max_records;
}

void plan_copy(struct plan *plan) { plan->batched = true; }

static enum status add_to_batch(struct plan *plan, struct change *change) {
    change_commit(change);
    return batch_add(plan->batch, change);
}

enum status plan_add(struct plan *plan, struct change *change) {
    enum status status = STATUS_OK;
    if (plan->broken) return plan->broken;
    if (is_full(plan, change)) {
        plan->broken = STATUS_FULL;
        return STATUS_FULL;
    }
    if (plan->overlay) {
        plan->batched = true;
        status = overlay_note(plan->overlay, plan->state, change);
    } else if (plan->count == 0 && !plan->batched) {
        plan->single = *change;
        plan->count = 1;
        return STATUS_OK;
    } else if (!plan->batched) {
        plan->batched = true;
        status = add_to_batch(plan, &plan->single);
    }
    if (!status) status = add_to_batch(plan, change);
    if (!status) plan->count++;
    plan->broken = status;
    return status;
}

enum plan_result plan_fail(struct call *call, enum status status) {
    struct tally tally = {.status = status};
    call_refusal(call, NULL, &tally);
    return PLAN_REFUSED;
}
