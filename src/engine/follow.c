/* Following: a primary's entries, one by one, into our own log and state.
 *
 * It is what recovery does with a file, but each entry is checked whole before it is
 * appended: its place, its time, its payload against what it commits to, and whether the
 * state would take it. So what is refused has changed nothing, and the log here is the
 * primary's, byte for byte. A SEAL is the primary's word about the state before it; ours
 * is computed and compared first, and a SEAL that differs never enters the log. */
#include "base/check.h"
#include "engine/engine_internal.h"

/* Elements of a batch between two looks of the caller at the clock. */
#define ELEMENTS_PER_STEP 16

void engine_set_following(struct engine *engine, bool following) {
    check(engine->batch.phase == BATCH_NONE);
    check(engine->log || !following);
    engine->following = following;
    if (!following) engine->diverged = false;
}

enum status engine_adopt(struct engine *engine, const uint8_t id[LOG_ID_SIZE]) {
    enum status status = log_adopt(engine->log, id);
    if (status == STATUS_IO) engine->phase = PHASE_FAILED;
    return status;
}

const struct divergence *engine_divergence(const struct engine *engine) {
    return engine->diverged ? &engine->divergence : NULL;
}

static enum status diverge(struct engine *engine, const struct divergence *found) {
    engine->diverged = true;
    engine->divergence = *found;
    engine->divergence.last_equal = engine->seal_sequence;
    return STATUS_DIVERGED;
}

static enum status append(struct engine *engine, const struct entry *entry,
                          const struct received *received) {
    struct log_entry logged = {.type = entry->type,
                               .head = received->entry,
                               .list = received->list,
                               .payload = received->payload};
    uint64_t sequence;
    return engine_append_given(engine, &logged, entry->time_us, &sequence);
}

static enum status follow_seal(struct engine *engine, const struct entry *entry,
                               const struct received *received) {
    struct divergence found = {.sequence = entry->sequence};
    uint64_t sequence;
    if (received->list.size > 0 || received->payload.size > 0) return STATUS_CORRUPT;
    enum status status = seal_decode(entry->body, &sequence, &found.primary);
    if (status) return status;
    if (sequence != entry->sequence) return STATUS_CORRUPT;
    kernel_seal(engine->kernel, &found.own);
#ifndef BUG_90
    if (!roots_equal(&found.own, &found.primary)) return diverge(engine, &found);
#endif
    status = append(engine, entry, received);
    if (!status) engine_note_seal(engine, sequence, &found.own);
    return status;
}

static enum status follow_change(struct engine *engine, const struct entry *entry,
                                 const struct received *received) {
    struct change change;
    struct slice payload = received->payload;
    enum status status =
        change_decode(entry->type, entry->body, &payload, NULL, true, &change);
    if (status) return status;
    if (payload.size > 0 || received->list.size > 0) return STATUS_CORRUPT;
    status = kernel_admit(engine->kernel, &change);
    struct divergence found = {.sequence = entry->sequence, .refused = true};
    if (status) return status == STATUS_MEMORY ? status : diverge(engine, &found);
    status = append(engine, entry, received);
    if (status) return status;
    struct outcome outcome;
    kernel_apply(engine->kernel, entry->sequence, &change, &outcome);
    engine_note_change(engine);
    if (!outcome.more) return STATUS_OK;
    engine->batch.phase = BATCH_SINGLE;
    engine->batch.unfinished = outcome;
    return STATUS_AGAIN;
}

/* Of a change that is applied in steps. */
static enum status apply_more(struct engine *engine) {
    engine_submit_more(engine, &engine->batch.unfinished);
    return engine->batch.unfinished.more ? STATUS_AGAIN : STATUS_OK;
}

/* --- Batches ---------------------------------------------------------------------- */

static enum status apply_some(struct engine *engine) {
    struct batch_event event;
    for (int i = 0; i < ELEMENTS_PER_STEP; i++) {
        enum status status = batch_step(engine, &event);
        if (status == STATUS_OK) continue;
        check(status == STATUS_END); /* The bytes were held against the entry. */
        return STATUS_OK;
    }
    return STATUS_AGAIN;
}

static enum status begin_applying(struct engine *engine) {
    struct running_batch *batch = &engine->batch;
    struct batch_reader reader = batch->reader;
    batch_start(engine, &reader, batch->sequence, false);
    return STATUS_AGAIN;
}

/* What apply_some() relies on: every element and payload is what the entry commits to, and
 * every group covers what it may. */
static enum status check_batch(struct batch_reader reader) {
    struct change change;
    struct group group = {0};
    enum status status;
    while (!(status = batch_next(&reader, &change))) {
        bool inside = group.seen < group.count;
        if (change_is_group(change.type)) {
            if (inside) return STATUS_CORRUPT;
            group = (struct group){.count = change.group_count,
                                   .all = change.type == CHANGE_ALL};
        } else if (inside && !group_takes(&group, &change)) {
            return STATUS_CORRUPT;
        }
    }
    if (status != STATUS_END) return status;
    return group.seen == group.count ? STATUS_OK : STATUS_CORRUPT;
}

static enum status follow_batch(struct engine *engine, const struct entry *entry,
                                const struct received *received) {
    struct running_batch *batch = &engine->batch;
    struct batch_reader reader;
    enum status status =
        batch_open(&reader, entry->body, received->list, received->payload, true);
    if (!status) status = check_batch(reader);
    if (status) return status;
    reader.verify = false;
    if (kernel_reserve(engine->kernel, received->payload.size, reader.count))
        return STATUS_MEMORY;
    *batch = (struct running_batch){
        .phase = BATCH_APPEND, .reader = reader, .sequence = entry->sequence};
    status = append(engine, entry, received);
    if (status == STATUS_OK) return begin_applying(engine);
    if (status != STATUS_AGAIN) batch->phase = BATCH_NONE;
    return status;
}

enum status engine_follow_step(struct engine *engine) {
    struct running_batch *batch = &engine->batch;
    if (batch->phase == BATCH_APPLY) return apply_some(engine);
    if (batch->phase == BATCH_SINGLE) return apply_more(engine);
    check(batch->phase == BATCH_APPEND);
    uint64_t sequence;
    enum status status = engine_append_step(engine, &sequence);
    if (status == STATUS_OK) return begin_applying(engine);
    if (status != STATUS_AGAIN) batch->phase = BATCH_NONE;
    return status;
}

/* --- One entry -------------------------------------------------------------------- */

enum status engine_follow(struct engine *engine, const struct received *received) {
    struct entry entry;
    enum status status = engine_writable(engine);
    check(engine->following);
    if (!status) status = entry_decode(received->entry, &entry);
    if (status) return status;
    if (entry.sequence != engine_size(engine) || entry.time_us < engine->last_time_us)
        return STATUS_CORRUPT;
    if (entry.type == CHANGE_SEAL) return follow_seal(engine, &entry, received);
    if (entry.type == CHANGE_BATCH) return follow_batch(engine, &entry, received);
    if (change_stands_alone(entry.type)) return follow_change(engine, &entry, received);
    return append(engine, &entry, received); /* Unknown, and changes no state. */
}

enum status engine_change_secretly(struct engine *engine, struct change *change) {
    struct outcome outcome;
    change_commit(change);
    enum status status = kernel_admit(engine->kernel, change);
    if (status) return status;
    kernel_apply(engine->kernel, engine_size(engine), change, &outcome);
    while (outcome.more) kernel_apply_more(engine->kernel, &outcome);
    return STATUS_OK;
}

/* --- Other histories -------------------------------------------------------------- */

enum status engine_go_back(struct engine *engine, uint64_t size, const char *name,
                           struct engine_report *report) {
    check(engine->phase == PHASE_READY && engine->batch.phase == BATCH_NONE);
    enum status status = log_may_cut(engine->log, size);
    if (!status) status = log_extract(engine->log, size, name);
    if (!status) status = engine_stop(engine);
    if (!status) status = log_cut(engine->log, size);
    return status ? status : engine_reopen(engine, report);
}

enum status engine_begin_anew(struct engine *engine, const char *prefix,
                              struct engine_report *report) {
    check(engine->phase == PHASE_READY && engine->batch.phase == BATCH_NONE);
    enum status status = engine_stop(engine);
    if (!status) status = log_set_aside(engine->log, prefix);
    return status ? status : engine_reopen(engine, report);
}

enum status engine_keep_evidence(struct engine *engine, const char *name,
                                 struct slice text, uint64_t first,
                                 const char *entries_name) {
    const struct os *os = engine->os;
    struct file *file;
    enum status status = log_extract(engine->log, first, entries_name);
    if (!status) status = os->file_open(os, engine->directory, name, FILE_CREATE, &file);
    if (status) return status;
    status = os->file_write(os, file, 0, text.data, text.size);
    if (!status) status = os->file_sync(os, file);
    os->file_close(os, file);
    return status;
}
