/* Batches: many changes as one entry, applied one at a time so that long ones can be
 * sliced. */
#include "base/check.h"
#include "engine/engine_internal.h"

void batch_start(struct engine *engine, const struct batch_reader *reader,
                 uint64_t sequence, bool admitted) {
    engine->batch = (struct running_batch){
        .reader = *reader, .sequence = sequence, .admitted = admitted, .running = true};
}

/* All members of the group that `reader` stands before, against the state as it is. The
 * reader is a copy: the members are read again when they are applied. */
static enum status check_group(const struct engine *engine, struct batch_reader reader,
                               uint32_t count, enum status *refusal) {
    struct group group = {.count = count};
    struct change first, member;
    for (uint32_t i = 0; i < count; i++) {
        enum status status = batch_next(&reader, &member);
        if (status) return status == STATUS_END ? STATUS_CORRUPT : status;
        if (i == 0) first = member;
        bool fits = member.type == CHANGE_VADD &&
                    memcmp(member.object_hash, first.object_hash, SHA256_SIZE) == 0;
        if (!fits) return STATUS_CORRUPT;
        kernel_group_check(engine->kernel, &group, &member);
    }
    *refusal = group.status;
    return STATUS_OK;
}

static enum status begin_group(struct engine *engine, const struct change *change,
                               struct batch_event *event) {
    struct running_batch *batch = &engine->batch;
    if (batch->group_left > 0) return STATUS_CORRUPT;
    batch->group_left = change->group_count;
    batch->group_refusal = STATUS_OK;
    enum status status = STATUS_OK;
    if (!batch->admitted)
        status = check_group(engine, batch->reader, change->group_count,
                             &batch->group_refusal);
    event->outcome.status = batch->group_refusal;
    return status;
}

enum status batch_step(struct engine *engine, struct batch_event *event) {
    struct running_batch *batch = &engine->batch;
    check(batch->running);
    struct change change;
    enum status status = batch_next(&batch->reader, &change);
    if (status == STATUS_END) {
        batch->running = false;
        return batch->group_left == 0 ? STATUS_END : STATUS_CORRUPT;
    }
    if (status) return status;
    *event = (struct batch_event){.applied = true, .type = change.type};
    if (change.type == CHANGE_GROUP) return begin_group(engine, &change, event);
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
    if (!event->outcome.status) engine_note_change(engine);
    return STATUS_OK;
}

/* A batch that is one group (VMADD) is refused before it is logged. */
static enum status admit(struct engine *engine, const struct batch_reader *whole,
                         bool *admitted) {
    struct batch_reader reader = *whole;
    struct change change;
    check(batch_next(&reader, &change) == STATUS_OK);
    *admitted = change.type == CHANGE_GROUP && change.group_count == whole->count - 1;
    if (!*admitted) return STATUS_OK;
    enum status refusal;
    check(check_group(engine, reader, change.group_count, &refusal) == STATUS_OK);
    return refusal;
}

enum status engine_batch_submit(struct engine *engine, const struct batch *batch,
                                uint64_t *sequence) {
    if (engine->phase == PHASE_FAILED) return STATUS_IO;
    if (engine->refusing) return STATUS_NO_SPACE;
    check(engine->phase == PHASE_READY && !engine->batch.running && batch->count > 0);

    uint8_t head[5 + SHA256_SIZE];
    struct entry_parts parts = {.type = CHANGE_BATCH,
                                .payload = buffer_slice(&batch->payload)};
    size_t head_size;
    bool listed = batch_body(batch, head, &head_size);
    parts.body_head = slice_of(head, head_size);
    if (listed) parts.list = buffer_slice(&batch->elements);
    else parts.body = buffer_slice(&batch->elements);

    struct batch_reader reader = {.elements = buffer_slice(&batch->elements),
                                  .payload = parts.payload,
                                  .count = batch->count};
    bool admitted;
    enum status status = admit(engine, &reader, &admitted);
    if (!status)
        status = kernel_reserve(engine->kernel, parts.payload.size, batch->count);
    if (!status) status = engine_append(engine, &parts, sequence);
    if (status) return status;
    batch_start(engine, &reader, *sequence, admitted);
    return STATUS_OK;
}

enum status engine_batch_next(struct engine *engine, struct batch_event *event) {
    enum status status = batch_step(engine, event);
    check(status == STATUS_OK || status == STATUS_END); /* We made these bytes. */
    return status;
}
