/* Syncs on the helper, durable marks and head slots, rolling, stopping.
 *
 * One sync runs at a time. What will be durable is noted when it starts: bytes written
 * while it runs belong to the next one. A failed sync is final, and the file is never
 * synced again: the kernel may have thrown the bytes away and would then say that all is
 * well. */
#include "base/check.h"
#include "storage/log_internal.h"

#define ROLL_REST_MAX ((uint64_t)4 * 1024 * 1024) /* synced on the spot when rolling */
#define ROLL_RETRY    ((uint64_t)1024 * 1024)

static bool all_durable(const struct log *log) {
    return log->durable_end == log->written_end && buffer_size(&log->buffer) == 0;
}

static void note_durable(struct log *log, uint64_t entries, uint64_t end) {
    check(entries >= log->durable && end >= log->durable_end);
    check(entries <= log->written);
    log->durable = entries;
    log->durable_end = end;
}

/* --- On the helper ----------------------------------------------------------------- */

static enum status start_sync(struct log *log, struct file *file, enum log_sync what) {
    check(log->sync == LOG_SYNC_NONE);
    if (log->os->sync_start(log->os, file)) return log_fail(log);
    log->sync = what;
    log->sync_entries = log->written;
    log->sync_end = log->written_end;
#ifdef BUG_8
    if (what == LOG_SYNC_FRAMES) note_durable(log, log->sync_entries, log->sync_end);
#endif
    return STATUS_OK;
}

enum status log_sync_start(struct log *log) {
    check(log->phase == LOG_STARTED);
    if (log->failed) return STATUS_IO;
    bool nothing = log->durable_end == log->written_end;
    if (log->sync != LOG_SYNC_NONE || nothing) return STATUS_OK;
    return start_sync(log, log->file, LOG_SYNC_FRAMES);
}

static bool roll_is_due(const struct log *log) {
    if (log->written_end == SEGMENT_HEADER_SIZE) return false;
    return log->roll_wanted || log->written_end >= log->options.segment_size;
}

void log_roll_soon(struct log *log) {
    log->roll_wanted = log->written_end + buffer_size(&log->buffer) > SEGMENT_HEADER_SIZE;
}

/* A sync has ended well. */
static enum status sync_done(struct log *log, enum log_sync what) {
    if (what == LOG_SYNC_HEAD) return STATUS_OK;
    note_durable(log, log->sync_entries, log->sync_end);
    log->roll_synced = roll_is_due(log);
    if (log->head_pending) {
        log->head_pending = false;
        return start_sync(log, log->head_file, LOG_SYNC_HEAD);
    }
    return log_roll_if_due(log);
}

enum status log_sync_poll(struct log *log, bool wait) {
    check(log->phase == LOG_STARTED);
    if (log->failed) return STATUS_IO;
    while (log->sync != LOG_SYNC_NONE) {
        enum status outcome;
        int error;
        if (!log->os->sync_finish(log->os, wait, &outcome, &error)) return STATUS_AGAIN;
        enum log_sync what = log->sync;
        log->sync = LOG_SYNC_NONE;
        if (what == LOG_SYNC_WRITE) {
            log_long_written(log, outcome, error);
            break;
        }
        if (outcome) {
            log->failed = true;
            log->error = error;
            return STATUS_IO;
        }
        enum status status = sync_done(log, what);
        if (status) return status;
    }
    return STATUS_OK;
}

/* --- Marks ------------------------------------------------------------------------- */

/* The slot with the smaller generation is the one to overwrite. */
static enum status write_slot(struct log *log) {
    size_t older = 0;
    uint64_t newest = 0;
    for (size_t i = 0; i < HEAD_SLOTS; i++) {
        if (!log->slot_valid[i]) continue;
        if (log->slots[i].generation > newest) newest = log->slots[i].generation;
    }
    if (log->slot_valid[0] && log->slots[0].generation == newest) older = 1;

    struct head_slot slot = {.generation = newest + 1,
                             .durable = log->durable,
                             .segment = log->segments[log->segment_count - 1].number};
    memcpy(slot.log_id, log_id(log), LOG_ID_SIZE);
    rfc6962_root(&log->tree, slot.root);
    uint8_t bytes[HEAD_SLOT_SIZE];
    head_slot_encode(&slot, bytes);
    const struct os *os = log->os;
    enum status status =
        os->file_write(os, log->head_file, older * HEAD_SLOT_SIZE, bytes, sizeof bytes);
    log->slot_valid[older] = status == STATUS_OK;
    log->slots[older] = slot;
    /* A full disk costs us this slot, not the log: the other one stands. */
    return status && status != STATUS_NO_SPACE ? log_fail(log) : STATUS_OK;
}

/* Write mark and slot. Only when all entries are durable: a slot holds the root of
 * exactly the durable ones, and the tree knows that of all. */
static enum status write_mark(struct log *log) {
    struct frame_header header = {.kind = FRAME_MARK};
    enum status status = log_append_frame(log, &header, NULL);
    if (status == STATUS_IO) return status;
    if (status == STATUS_OK) {
        status = log_write(log);
        if (status) return status;
    }
    log->marked = log->durable;
    return write_slot(log);
}

static bool mark_is_news(const struct log *log) {
    return log->durable == log->tree.size && log->durable > log->marked;
}

enum status log_mark(struct log *log) {
    check(log->phase == LOG_STARTED);
    if (log->failed) return STATUS_IO;
    if (log->sync != LOG_SYNC_NONE || !mark_is_news(log)) return STATUS_OK;
    if (log->long_append.phase != LONG_NONE) return STATUS_OK;
    enum status status = write_mark(log);
    if (status) return status;
    if (log->durable_end == log->written_end)
        return start_sync(log, log->head_file, LOG_SYNC_HEAD);
    log->head_pending = true;
    return start_sync(log, log->file, LOG_SYNC_FRAMES);
}

/* --- Here and now ------------------------------------------------------------------ */

static enum status sync_now(struct log *log) {
    check(log->sync == LOG_SYNC_NONE && buffer_size(&log->buffer) == 0);
    if (log->durable_end == log->written_end) return STATUS_OK;
    if (log->os->file_sync(log->os, log->file)) return log_fail(log);
    note_durable(log, log->written, log->written_end);
    return STATUS_OK;
}

enum status log_sync_here(struct log *log) {
    check(log->phase == LOG_STARTED);
    if (log->failed) return STATUS_IO;
    if (log->sync != LOG_SYNC_NONE || buffer_size(&log->buffer) > 0) return STATUS_OK;
    enum status status = sync_now(log);
    return status ? status : log_roll_if_due(log);
}

/* Under a steady load there is always something that is not durable yet. So a full
 * segment is first synced on the helper; when that is done only what came meanwhile is
 * left, little enough to be synced here. */
enum status log_roll_if_due(struct log *log) {
    if (log->sync != LOG_SYNC_NONE || log->full) return STATUS_OK;
    if (log->long_append.phase != LONG_NONE) return STATUS_OK;
    if (!roll_is_due(log) || log->written_end < log->roll_again) return STATUS_OK;

    bool much = log->written_end - log->durable_end > ROLL_REST_MAX;
    if (much && !log->roll_synced) return start_sync(log, log->file, LOG_SYNC_FRAMES);
    enum status status = log_write(log);
    if (!status) status = log_give_space_back(log);
    if (!status) status = sync_now(log);
    if (status) return status;
    check(all_durable(log));
    status = log_begin_segment(log, log_last_segment(log)->number + 1);
    if (status == STATUS_NO_SPACE || status == STATUS_MEMORY) {
        log->roll_again = log->written_end + ROLL_RETRY; /* go on in this one meanwhile */
        return STATUS_OK;
    }
    return status ? log_fail(log) : STATUS_OK;
}

enum status log_stop(struct log *log) {
    check(log->phase == LOG_STARTED);
    enum status status = log_sync_poll(log, true);
    if (!status) status = log_write(log);
    if (!status) status = sync_now(log);
    if (status) return status;
    bool news = mark_is_news(log);
    if (news) status = write_mark(log);
    if (!status) status = log_give_space_back(log);
    if (!status) status = sync_now(log);
    if (status || !news) return status;
    return log->os->file_sync(log->os, log->head_file) ? log_fail(log) : STATUS_OK;
}
