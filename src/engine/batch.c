/* Batches: many changes as one entry, applied one at a time so that long ones can be
 * sliced. */
#include "base/check.h"
#include "engine/engine_internal.h"

#define MEMBERS_PER_STEP 64

void batch_start(struct engine *engine, const struct batch_reader *reader,
                 uint64_t sequence, bool admitted) {
    engine->batch = (struct running_batch){.phase = BATCH_APPLY,
                                           .reader = *reader,
                                           .sequence = sequence,
                                           .admitted = admitted};
}

/* --- Groups ------------------------------------------------------------------------- */

/* The members of a group of `count` come next in `reader`. They are looked at through a
 * copy of it, since they are read again when they are applied. */
static void begin_check(struct running_batch *batch, const struct batch_reader *reader,
                        const struct change *group) {
    batch->ahead = *reader;
    batch->group = (struct group){.count = group->group_count,
                                  .all = group->type == CHANGE_ALL};
    batch->unchecked = group->group_count;
}

/* Hold some more members against the state as it is. STATUS_AGAIN: there are others. */
static enum status check_some(struct engine *engine) {
    struct running_batch *batch = &engine->batch;
    for (int i = 0; i < MEMBERS_PER_STEP && batch->unchecked > 0; i++) {
        struct change member;
        enum status status = batch_next(&batch->ahead, &member);
        if (status) return status == STATUS_END ? STATUS_CORRUPT : status;
        if (!group_takes(&batch->group, &member)) return STATUS_CORRUPT;
        kernel_group_check(engine->kernel, &batch->group, &member);
        batch->unchecked--;
    }
    if (batch->unchecked > 0) return STATUS_AGAIN;
    kernel_group_end(engine->kernel);
    return STATUS_OK;
}

/* All members were looked at. */
static void begin_group(struct running_batch *batch, struct batch_event *event) {
    batch->group_refusal = batch->admitted ? STATUS_OK : batch->group.status;
    *event = (struct batch_event){.applied = true, .type = CHANGE_GROUP};
    event->outcome.status = batch->group_refusal;
}

static enum status check_group(struct engine *engine, struct batch_event *event) {
    enum status status = check_some(engine);
    *event = (struct batch_event){.applied = false};
    if (status) return status == STATUS_AGAIN ? STATUS_OK : status;
    begin_group(&engine->batch, event);
    return STATUS_OK;
}

static enum status meet_group(struct engine *engine, const struct change *change,
                              struct batch_event *event) {
    struct running_batch *batch = &engine->batch;
    if (batch->group_left > 0) return STATUS_CORRUPT;
    batch->group_left = change->group_count;
    if (batch->admitted) {
        begin_group(batch, event);
        return STATUS_OK;
    }
    begin_check(batch, &batch->reader, change);
    return check_group(engine, event);
}

/* --- Applying ----------------------------------------------------------------------- */

/* A change was applied, or a step of it. */
static void note_step(struct engine *engine, struct batch_event *event) {
    engine->batch.unfinished = event->outcome;
    event->applied = !event->outcome.more;
    if (event->applied && !event->outcome.status) engine_note_change(engine);
}

static void go_on(struct engine *engine, struct batch_event *event) {
    *event = (struct batch_event){.type = CHANGE_NODEDEL,
                                  .outcome = engine->batch.unfinished};
    kernel_apply_more(engine->kernel, &event->outcome);
    note_step(engine, event);
}

enum status batch_step(struct engine *engine, struct batch_event *event) {
    struct running_batch *batch = &engine->batch;
    check(batch->phase == BATCH_APPLY);
    if (batch->unchecked > 0) return check_group(engine, event);
    if (batch->unfinished.more) {
        go_on(engine, event);
        return STATUS_OK;
    }
    struct change change;
    enum status status = batch_next(&batch->reader, &change);
    if (status == STATUS_END) {
        batch->phase = BATCH_NONE;
        return batch->group_left == 0 ? STATUS_END : STATUS_CORRUPT;
    }
    if (status) return status;
    *event = (struct batch_event){.applied = true, .type = change.type};
    if (change_is_group(change.type)) return meet_group(engine, &change, event);
    bool member = batch->group_left > 0;
    if (member) batch->group_left--;
#ifdef BUG_21
    batch->group_refusal = STATUS_OK;
#endif
    if (member && batch->group_refusal) {
        event->outcome.status = batch->group_refusal;
        return STATUS_OK;
    }
    kernel_apply(engine->kernel, batch->sequence, &change, &event->outcome);
    note_step(engine, event);
    return STATUS_OK;
}

enum status engine_batch_next(struct engine *engine, struct batch_event *event) {
    enum status status = batch_step(engine, event);
    check(status == STATUS_OK || status == STATUS_END); /* We made these bytes. */
    return status;
}

/* --- Submitting --------------------------------------------------------------------- */

/* A batch that is one group (VMADD) is refused before it is logged. */
static void begin_admission(struct running_batch *running, const struct batch *batch) {
    struct change change;
    *running = (struct running_batch){
        .phase = BATCH_ADMIT,
        .reader = {.elements = buffer_slice(&batch->elements),
                   .payload = buffer_slice(&batch->payload),
                   .count = batch->count},
    };
    struct batch_reader reader = running->reader;
    check(batch_next(&reader, &change) == STATUS_OK);
    running->admitted =
        change_is_group(change.type) && change.group_count == batch->count - 1;
    if (running->admitted) begin_check(running, &reader, &change);
}

static enum status begin_append(struct engine *engine, const struct batch *batch) {
    struct running_batch *running = &engine->batch;
    uint8_t head[5 + SHA256_SIZE];
    struct entry_parts parts = {.type = CHANGE_BATCH,
                                .payload = buffer_slice(&batch->payload)};
    size_t head_size;
    bool listed = batch_body(batch, head, &head_size);
    parts.body_head = slice_of(head, head_size);
    if (listed) parts.list = buffer_slice(&batch->elements);
    else parts.body = buffer_slice(&batch->elements);
    enum status status = kernel_reserve(engine->kernel, parts.payload.size, batch->count);
    running->phase = BATCH_APPEND;
    return status ? status : engine_append_batch(engine, &parts, &running->sequence);
}

static enum status admit(struct engine *engine, const struct batch *batch) {
    enum status status = engine->batch.unchecked > 0 ? check_some(engine) : STATUS_OK;
    check(status == STATUS_OK || status == STATUS_AGAIN); /* We made these bytes. */
    if (!status) status = engine->batch.group.status;
    return status ? status : begin_append(engine, batch);
}

enum status engine_batch_submit(struct engine *engine, const struct batch *batch,
                                uint64_t *sequence) {
    struct running_batch *running = &engine->batch;
    if (engine->phase == PHASE_FAILED) return STATUS_IO;
    check(engine->phase == PHASE_READY && running->phase != BATCH_APPLY);
    if (running->phase == BATCH_NONE) {
        check(!engine->following);
        if (engine->refusing) return STATUS_NO_SPACE;
        check(batch->count > 0);
        if (kernel_reserve(engine->kernel, 0, batch->count)) return STATUS_MEMORY;
        begin_admission(running, batch);
    }
    enum status status = running->phase == BATCH_ADMIT
                             ? admit(engine, batch)
                             : engine_append_step(engine, &running->sequence);
    if (status == STATUS_AGAIN) return status;
    running->phase = status ? BATCH_NONE : BATCH_APPLY;
    *sequence = running->sequence;
    return status;
}

bool engine_batch_waits(const struct engine *engine) {
    return engine->batch.phase == BATCH_APPEND && engine->log &&
           log_append_waits(engine->log);
}
