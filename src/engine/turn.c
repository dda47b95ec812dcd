/* What the engine does once per loop turn: seal, flush, sync, mark, look for space. */
#include "base/check.h"
#include "engine/engine_internal.h"

#define SECOND         UINT64_C(1000000)
#define MARK_IDLE_US   (SECOND / 10) /* a durable mark this long after the last sync */
#define SPACE_CHECK_US (SECOND / 10) /* look for disk space this often */
#define WINDOW_US      (2 * SECOND) /* everysec: older unsynced entries hold answers back */
#define IN_PLACE_BYTES (UINT64_C(64) << 10) /* more than this goes to the helper */
#define WINDOW_BYTES   (UINT64_C(64) << 20)

static uint64_t sooner(uint64_t a, uint64_t b) { return a < b ? a : b; }

static enum status seal_if_due(struct engine *engine, uint64_t now, uint64_t *next_us) {
    bool may = !engine->refusing && !engine->following;
    if (engine->dirty == 0 || !may || engine->batch.phase != BATCH_NONE) return STATUS_OK;
    uint64_t due = engine->dirty_since_us + engine->options.seal_interval_us;
    if (now < due && engine->dirty < engine->options.seal_dirty_max) {
        *next_us = sooner(*next_us, due);
        return STATUS_OK;
    }
    enum status status = engine_seal(engine);
    return status == STATUS_IO ? status
                               : STATUS_OK; /* A full disk is refusing's business. */
}

static void look_for_space(struct engine *engine, uint64_t now, uint64_t *next_us) {
    if (!engine->refusing) return;
    if (now - engine->space_checked_us >= SPACE_CHECK_US) {
        engine->space_checked_us = now;
        engine->refusing = !log_has_space(engine->log);
    }
    if (engine->refusing)
        *next_us = sooner(*next_us, engine->space_checked_us + SPACE_CHECK_US);
}

/* Take note of a sync that has ended. */
static enum status note_sync(struct engine *engine, uint64_t now) {
    enum status status = log_sync_poll(engine->log, false);
    if (status == STATUS_AGAIN) return STATUS_OK;
    if (status) return status;
    if (engine->syncing) {
        engine->syncing = false;
        engine->sync_ended_us = now;
        engine->facts.syncs++;
        engine->facts.last_sync_us = now - engine->sync_started_us;
        /* What is still unsynced was appended after that sync had begun. */
        engine->unsynced_since_us = engine->sync_started_us;
    }
    return STATUS_OK;
}

void engine_set_alone(struct engine *engine, bool alone) { engine->alone = alone; }

static enum status sync_in_place(struct engine *engine, uint64_t now) {
    enum status status = log_sync_here(engine->log);
    engine->sync_started_us = now;
    engine->sync_ended_us = engine->os->monotonic_us(engine->os);
    engine->facts.last_sync_us = engine->sync_ended_us - now;
    engine->facts.syncs++;
    return status;
}

static enum status start_sync(struct engine *engine, uint64_t now) {
    if (engine->alone && engine->options.sync_policy == SYNC_ALWAYS &&
        log_unsynced_bytes(engine->log) <= IN_PLACE_BYTES)
        return sync_in_place(engine, now);
    enum status status = log_sync_start(engine->log);
    if (status) return status;
    engine->syncing = true;
    engine->sync_started_us = now;
    return STATUS_OK;
}

/* A write waits inside the system while the same file is being synced, and the loop with
 * it. So frames stay in the buffer until the sync has ended; if they become many the log
 * writes them by itself, and long ones are the helper's anyway. */
static enum status flush(struct engine *engine) {
    return log_sync_running(engine->log) ? STATUS_OK : log_flush(engine->log);
}

static enum status sync_by_policy(struct engine *engine, uint64_t now,
                                  uint64_t *next_us) {
    struct log *log = engine->log;
    if (log_sync_running(log) || log_durable(log) == log_size(log)) return STATUS_OK;
    uint64_t due = UINT64_MAX;
    switch (engine->options.sync_policy) {
    case SYNC_ALWAYS:
        due = now;
        break;
    case SYNC_EVERY_SECOND:
        due = engine->sync_started_us + SECOND;
        break;
    case SYNC_NO:
        break;
    }
    /* Without a policy too: a segment can only be followed by another when it is durable.
     */
    if (log_unsynced_bytes(log) >= WINDOW_BYTES || save_waits_for_sync(engine)) due = now;
    if (now >= due) return start_sync(engine, now);
    *next_us = sooner(*next_us, due);
    return STATUS_OK;
}

/* On an idle server, say on the disk that everything before is on it. */
static enum status mark_if_idle(struct engine *engine, uint64_t now, uint64_t *next_us) {
    struct log *log = engine->log;
    if (log_sync_running(log) || log_durable(log) != log_size(log)) return STATUS_OK;
    uint64_t due = engine->sync_ended_us + MARK_IDLE_US;
    if (now >= due) return log_mark(log);
    *next_us = sooner(*next_us, due);
    return STATUS_OK;
}

static void acknowledge(struct engine *engine, uint64_t now) {
    const struct log *log = engine->log;
    uint64_t durable = log_durable(log);
    bool waits = engine->options.sync_policy == SYNC_ALWAYS;
    if (engine->options.sync_policy == SYNC_EVERY_SECOND && durable < log_size(log))
        waits = log_unsynced_bytes(log) > WINDOW_BYTES ||
                now - engine->unsynced_since_us > WINDOW_US;
    uint64_t reached = waits ? durable : log_written(log);
    if (reached > engine->acknowledged) engine->acknowledged = reached;
}

enum status engine_turn(struct engine *engine, uint64_t *next_us) {
    *next_us = UINT64_MAX;
    if (engine->phase == PHASE_FAILED) return STATUS_IO;
    check(engine->phase == PHASE_READY);
    uint64_t now = engine->os->monotonic_us(engine->os);
    enum status status = seal_if_due(engine, now, next_us);
    if (!status && engine->log) {
        save_turn(engine, now, next_us);
        upkeep_turn(engine, now, next_us);
    }
    if (engine->phase == PHASE_FAILED) status = STATUS_IO;
    if (!status && engine->log) {
        look_for_space(engine, now, next_us);
        status = note_sync(engine, now);
        if (!status) status = flush(engine);
        if (!status) status = sync_by_policy(engine, now, next_us);
        if (!status) status = mark_if_idle(engine, now, next_us);
        acknowledge(engine, now);
    }
    if (status) engine->phase = PHASE_FAILED;
    return status;
}

void engine_set_seal_limits(struct engine *engine, uint64_t interval_us,
                            uint64_t dirty_max) {
    engine->options.seal_interval_us = interval_us;
    engine->options.seal_dirty_max = dirty_max;
}

void engine_set_sync_policy(struct engine *engine, enum sync_policy policy) {
    engine->options.sync_policy = policy;
}
