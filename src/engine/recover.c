/* Recovery: read the log from the disk, apply it, compare the last SEAL, take it into
 * use.
 *
 * The scan decides where the log ends and whether what was acknowledged is whole; the
 * replay applies: close behind it what it hands over, where there are threads
 * (scan_ahead.h), and otherwise in a second pass over the files.
 * Nothing in the directory changes before both have succeeded, and nothing is served. */
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "engine/engine_internal.h"

enum {
    SCAN_STEP = 4 << 20, /* bytes between looks at the clock */
    REPLAY_STEP = 64,    /* entries */
};

static enum status refuse(struct engine *engine, struct engine_report *report,
                          const struct frame *frame, enum status status,
                          const char *why) {
    engine->phase = PHASE_FAILED;
    if (!frame) {
        snprintf(report->message, sizeof report->message, "%s", report->log.message);
        return status;
    }
    snprintf(report->log.bad_file, sizeof report->log.bad_file,
             "valori-%08" PRIu64 ".log", frame->segment);
    report->log.bad_offset = frame->offset;
    report->log.bad_sequence = frame->sequence;
    snprintf(report->message, sizeof report->message,
             "FATAL %s: sequence %" PRIu64 " at %s:%" PRIu64 ": %s; nothing was modified",
             status == STATUS_VERSION ? "version" : "corrupt", frame->sequence,
             report->log.bad_file, frame->offset, why);
    return status;
}

/* --- One entry
 * -------------------------------------------------------------------------- */

static enum status replay_seal(struct engine *engine, const struct entry *entry,
                               const struct frame *frame, const char **why) {
    struct roots recorded = {0}, actual;
    uint64_t sequence;
    enum status status = seal_decode(entry->body, &sequence, &recorded);
    *why = status == STATUS_VERSION ? "it was sealed under another semantics id"
                                    : "malformed SEAL";
    if (status) return status;
    if (frame->list.size > 0 || frame->payload.size > 0) return STATUS_CORRUPT;
    if (sequence != entry->sequence) {
        *why = "a SEAL that names another sequence";
        return STATUS_CORRUPT;
    }
    bool compare =
        engine->options.verify_every_seal || entry->sequence == engine->scan_target;
    if (compare) {
        kernel_seal(engine->kernel, &actual);
        bool equal = roots_equal(&actual, &recorded);
        *why = "the state root recomputed from the entries is not the one sealed";
#ifndef BUG_23
        if (!equal) return STATUS_CORRUPT;
#else
        (void)equal;
#endif
    }
    engine->sealed = recorded;
    engine->seal_sequence = sequence;
    engine->dirty = 0;
    return STATUS_OK;
}

static enum status replay_batch(struct engine *engine, const struct entry *entry,
                                const struct frame *frame, bool holds) {
    struct batch_reader reader;
    enum status status =
        batch_open(&reader, entry->body, frame->list, frame->payload, !holds);
    if (status) return status;
    if (kernel_reserve(engine->kernel, frame->payload.size, reader.count))
        return STATUS_MEMORY;
    batch_start(engine, &reader, entry->sequence, false);
    struct batch_event event;
    while (!(status = batch_step(engine, &event))) {
    }
    engine->batch.phase = BATCH_NONE;
    return status == STATUS_END ? STATUS_OK : status;
}

static enum status replay_change(struct engine *engine, const struct entry *entry,
                                 const struct frame *frame, bool holds) {
    struct change change;
    struct slice payload = frame->payload;
    enum status status =
        change_decode(entry->type, entry->body, &payload, NULL, !holds, &change);
    if (status) return status;
    if (payload.size != 0 || frame->list.size != 0) return STATUS_CORRUPT;
    status = kernel_admit(engine->kernel, &change);
    if (status) return status == STATUS_MEMORY ? status : STATUS_CORRUPT;
    struct outcome outcome;
    kernel_apply(engine->kernel, entry->sequence, &change, &outcome);
    while (outcome.more) kernel_apply_more(engine->kernel, &outcome);
    engine_note_change(engine);
    return STATUS_OK;
}

/* `holds`: the payload was held against the entry already. */
static enum status replay(struct engine *engine, const struct frame *frame, bool holds,
                          const char **why) {
    struct entry entry;
    *why = "malformed entry, or one of a newer format";
    enum status status = entry_decode(frame->entry, &entry);
    if (status) return status;
    *why = "the entry is not the one its frame announces";
    if (entry.sequence != frame->sequence || entry.type != frame->type ||
        entry.time_us < engine->last_time_us)
        return STATUS_CORRUPT;
    engine->last_time_us = entry.time_us;
    engine->facts.entries_replayed++;
    if (entry.type == CHANGE_SEAL) {
        *why = "a SEAL with a payload";
        if (frame->list.size != 0 || frame->payload.size != 0) return STATUS_CORRUPT;
        return replay_seal(engine, &entry, frame, why);
    }
    *why = "its payload does not fit what the entry commits to, or the state refuses it";
    if (entry.type == CHANGE_BATCH) return replay_batch(engine, &entry, frame, holds);
    if (change_stands_alone(entry.type))
        return replay_change(engine, &entry, frame, holds);
    return STATUS_OK; /* Unknown and marked as changing no state: kept and hashed. */
}

/* --- The passes
 * ------------------------------------------------------------------------- */

/* Entries that the loaded snapshot has. */
static uint64_t covered(const struct engine *engine) {
    return engine->load.facts.cover.range.size;
}

/* What the scan has found out, whichever way it was made. */
static void note_scan(struct engine *engine, struct engine_report *report) {
    engine->scan_target = log_last_of_type(engine->log, CHANGE_SEAL);
    report->last_seal = engine->scan_target;
    if (covered(engine) &&
        (report->last_seal == UINT64_MAX || report->last_seal < covered(engine)))
        report->last_seal = covered(engine) - 1;
    engine->bytes_scanned = log_bytes_scanned(engine->log);
}

/* The scan in slices, before the replay: for a system without threads, and for tools. */
static enum status scan_some(struct engine *engine, struct engine_report *report) {
    enum status status = log_scan(engine->log, SCAN_STEP, &report->log);
    engine->bytes_scanned = log_bytes_scanned(engine->log);
    if (status == STATUS_AGAIN) return status;
    if (status) return refuse(engine, report, NULL, status, NULL);
    note_scan(engine, report);
    engine->phase = PHASE_REPLAY;
    return STATUS_AGAIN;
}

/* The scan on a thread of its own, with a second handle to follow it. Both begin behind
 * what a snapshot has. */
static enum status begin_scan(struct engine *engine, struct engine_report *report) {
    const struct log_cover *cover = &engine->load.facts.cover;
    engine->phase = PHASE_SCAN;
    if (covered(engine)) {
        enum status status = log_begin_at(engine->log, cover, &report->log);
        if (status) return refuse(engine, report, NULL, status, NULL);
    }
    if (engine->options.read_only || engine->options.verify_every_seal)
        return STATUS_AGAIN;
    struct log_options options = {.segment_size = engine->options.segment_size,
                                  .read_only = true};
    struct log_report unused;
    struct log *follower;
    if (log_open(engine->os, engine->allocator, engine->directory, &options, &follower,
                 &unused))
        return STATUS_AGAIN; /* What is wrong the scan will say. */
    if (covered(engine) && log_begin_at(follower, cover, &unused)) {
        log_close(follower);
        return STATUS_AGAIN;
    }
    engine->ahead.report = report->log; /* what log_open() has found stays in it */
    if (!scan_ahead_start(&engine->ahead, engine->os, engine->allocator, engine->log)) {
        log_close(follower);
        return STATUS_AGAIN;
    }
    log_follow(follower);
    engine->follower = follower;
    engine->scan_target = UINT64_MAX; /* not known yet; see scan_ahead.h */
    engine->phase = PHASE_REPLAY;
    return STATUS_AGAIN;
}

/* The replay has caught up with the scan: wait a little, or take note of its end. */
static enum status catch_up(struct engine *engine, struct engine_report *report) {
    struct scan_ahead *ahead = &engine->ahead;
    engine->bytes_scanned = atomic_load(&ahead->bytes);
    if (!atomic_load(&ahead->done)) {
        scan_ahead_wait(ahead);
        return STATUS_AGAIN;
    }
    scan_ahead_finish(ahead);
    report->log = ahead->report;
    if (ahead->verdict) return refuse(engine, report, NULL, ahead->verdict, NULL);
    note_scan(engine, report);
    enum status status = log_follow_end(engine->follower, engine->log, &report->log);
    return status ? refuse(engine, report, NULL, status, NULL) : STATUS_AGAIN;
}

/* The next frame that the scan has handed over. STATUS_AGAIN: it is not there yet, or
 * must not be passed yet. */
static enum status next_handed(struct engine *engine, struct frame *frame, bool *holds,
                               struct engine_report *report) {
    struct scan_ahead *ahead = &engine->ahead;
    const struct handed *next = scan_ahead_peek(ahead);
    if (!next) return ahead->running ? STATUS_AGAIN : STATUS_END;
    if (next->frame.type == CHANGE_SEAL && ahead->running) {
        bool compare;
        if (!scan_ahead_may_pass(ahead, next->frame.sequence, &compare))
            return STATUS_AGAIN;
        if (compare) engine->scan_target = next->frame.sequence;
    }
    *frame = next->frame;
    *holds = next->holds;
    scan_ahead_pass(ahead);
    return log_follow_frame(engine->follower, frame, &report->log);
}

static enum status next_frame(struct engine *engine, struct frame *frame, bool *holds,
                              struct engine_report *report) {
    if (engine->follower) return next_handed(engine, frame, holds, report);
    *holds = false;
    return log_next(engine->log, frame, &report->log);
}

/* --- With a snapshot ------------------------------------------------------------------
 */

static enum status load_some(struct engine *engine, struct engine_report *report) {
    enum status status = load_step(engine, report);
    if (status == STATUS_AGAIN) return status;
    if (status) {
        engine->phase = PHASE_FAILED;
        return status;
    }
    return begin_scan(engine, report);
}

/* --- The end --------------------------------------------------------------------------
 */

static enum status begin_service(struct engine *engine, struct engine_report *report) {
    enum status status = STATUS_OK;
    if (engine->follower) {
        status = log_take_replay(engine->log, engine->follower, &report->log);
        if (status) return refuse(engine, report, NULL, status, NULL);
        log_close(engine->follower);
        engine->follower = NULL;
        scan_ahead_stop(&engine->ahead);
    }
    if (!engine->options.read_only) status = log_start(engine->log, &report->log);
    if (status) return refuse(engine, report, NULL, status, NULL);
    engine->acknowledged = engine->changed = log_size(engine->log);
    engine->facts.torn_bytes = report->log.torn_bytes;
    engine->facts.replay_us =
        engine->os->monotonic_us(engine->os) - engine->replay_started_us;
    report->replay_us = engine->facts.replay_us;
    engine->phase = PHASE_READY;
    kernel_set_live(engine->kernel, true);
    snprintf(report->message, sizeof report->message, "%s", report->log.message);
    return STATUS_OK;
}

/* Have the kernel fetch what the next entries will touch: a replay waits for memory
 * otherwise. */
static void fetch_ahead(struct engine *engine) {
    struct slice entries[KERNEL_FETCH_MAX];
    const uint8_t *elements[KERNEL_FETCH_MAX], *object = NULL;
    size_t count = 0;
    size_t found = scan_ahead_entries(&engine->ahead, entries, KERNEL_FETCH_MAX);
    for (size_t i = 0; i < found; i++) {
        const uint8_t *same;
        if (!entry_peek_names(entries[i], &same, &elements[count])) continue;
        if (!object) object = same;
        if (memcmp(object, same, SHA256_SIZE) == 0) count++;
    }
    if (count > 0) kernel_fetch(engine->kernel, object, elements, count);
}

/* An entry cannot be applied. If the scan will refuse too, its word is the one to say, so
 * that the answer does not hang on which of the two was faster. */
static enum status refuse_entry(struct engine *engine, struct engine_report *report,
                                const struct frame *frame, enum status status,
                                const char *why) {
    struct scan_ahead *ahead = &engine->ahead;
    if (ahead->running) {
        scan_ahead_finish(ahead);
        report->log = ahead->report;
        if (ahead->verdict) return refuse(engine, report, NULL, ahead->verdict, NULL);
        note_scan(engine, report);
    }
    return refuse(engine, report, frame, status, why);
}

static enum status replay_some(struct engine *engine, struct engine_report *report) {
    for (int i = 0; i < REPLAY_STEP; i++) {
        if (engine->follower && i % KERNEL_FETCH_MAX == 0) fetch_ahead(engine);
        struct frame frame;
        bool holds;
        enum status status = next_frame(engine, &frame, &holds, report);
        if (status == STATUS_AGAIN) return catch_up(engine, report);
        if (status == STATUS_END) return begin_service(engine, report);
        if (status) return refuse(engine, report, NULL, status, NULL);
        engine->bytes_replayed += frame.entry.size + frame.list.size + frame.payload.size;
        if (frame.sequence < covered(engine)) continue;
        const char *why = "";
        status = replay(engine, &frame, holds, &why);
        if (status == STATUS_MEMORY) why = "no memory to apply it";
        if (status) return refuse_entry(engine, report, &frame, status, why);
    }
    return STATUS_AGAIN;
}

enum status engine_recover(struct engine *engine, uint64_t budget_us,
                           struct engine_report *report) {
    if (engine->phase == PHASE_READY) return STATUS_OK;
    check(engine->phase != PHASE_FAILED);
    uint64_t start = engine->os->monotonic_us(engine->os);
    enum status status = STATUS_AGAIN;
    if (engine->phase == PHASE_OPENED) {
        engine->replay_started_us = start;
        engine->phase = PHASE_LOAD;
    }
    do {
        status = engine->phase == PHASE_LOAD   ? load_some(engine, report)
                 : engine->phase == PHASE_SCAN ? scan_some(engine, report)
                                               : replay_some(engine, report);
    } while (status == STATUS_AGAIN &&
             engine->os->monotonic_us(engine->os) - start < budget_us);
    return status;
}

void engine_progress(const struct engine *engine, uint64_t *done, uint64_t *total) {
    *done = engine->bytes_scanned + engine->bytes_replayed + load_progress(engine);
    *total = engine->bytes_total + engine->load_bytes;
}
