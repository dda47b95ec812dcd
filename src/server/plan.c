/* Changes on their way to the engine: alone, or as a batch. */
#include "server/plan.h"

void plan_begin(struct plan *plan, const struct state *state, struct batch *batch,
                struct overlay *overlay) {
    *plan = (struct plan){.batch = batch, .overlay = overlay, .state = state};
}

void plan_copy(struct plan *plan) { plan->batched = true; }

static enum status add_to_batch(struct plan *plan, struct change *change) {
    change_commit(change);
    return batch_add(plan->batch, change);
}

enum status plan_add(struct plan *plan, struct change *change) {
    enum status status = STATUS_OK;
    if (plan->broken) return plan->broken;
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
