#include "engine/save.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "engine/engine_internal.h"

enum {
    TIDY_ROWS = 4096, /* given back in a turn while a save waits for it */
    WAIT_US = 1000,   /* to the next look at what may not wake us */
    TEMPORARY_SUFFIX_SIZE = 4,
};

/* --- What lies in the directory -------------------------------------------------------
 */

enum status save_look(struct engine *engine) {
    struct save *save = &engine->save;
    uint64_t entries[SNAPSHOTS_MAX];
    enum status status =
        snapshot_list(engine->os, engine->directory, entries, &save->known_count);
    for (size_t i = 0; i < save->known_count; i++)
        save->known[i] = (struct snapshot_fact){.entries = entries[i]};
    return status;
}

void save_note_loaded(struct engine *engine, const struct snapshot_fact *fact) {
    struct save *save = &engine->save;
    for (size_t i = 0; i < save->known_count; i++)
        if (save->known[i].entries == fact->entries) save->known[i] = *fact;
}

size_t engine_snapshots(const struct engine *engine, struct snapshot_fact *facts,
                        size_t capacity) {
    const struct save *save = &engine->save;
    size_t count = save->known_count < capacity ? save->known_count : capacity;
    for (size_t i = 0; i < count; i++) facts[i] = save->known[i];
    return count;
}

/* The new one comes first, unless it is one that is there already. */
static void note_saved(struct save *save) {
    const struct snapshot_writer *writer = &save->writer;
    struct snapshot_fact fact = {.entries = writer->facts.cover.range.size,
                                 .bytes = save->history.bytes,
                                 .created_us = writer->facts.created_us,
                                 .verified = true};
    if (save->known_count > 0 && save->known[0].entries == fact.entries) {
        save->known[0] = fact;
        return;
    }
    if (save->known_count == SNAPSHOTS_MAX) save->known_count--;
    memmove(save->known + 1, save->known, save->known_count * sizeof fact);
    save->known[0] = fact;
    save->known_count++;
}

/* How many of the known ones stay, once there is a new one before them: up to
 * SNAPSHOTS_KEPT that are not known to be damaged. */
static size_t count_kept(const struct save *save) {
    size_t good = 1, kept = 0;
    uint64_t fresh = save->writer.facts.cover.range.size;
    for (; kept < save->known_count && good < SNAPSHOTS_KEPT; kept++)
        good += !save->known[kept].damaged && save->known[kept].entries != fresh;
    return kept;
}

/* --- The thread's part ----------------------------------------------------------------
 */

static size_t next_bytes(void *context, uint8_t *bytes, size_t room) {
    return image_write(context, bytes, room);
}

static void say_failed(struct save *save, enum status status) {
    const struct os *os = save->writer.os;
    const char *reason = status == STATUS_CORRUPT  ? "it read back differently"
                         : status == STATUS_MEMORY ? "no memory"
                                                   : os->error_text(os);
    snprintf(save->message, sizeof save->message, "%s: %s", save->writer.doing, reason);
}

/* One piece. */
static enum status write_some(struct save *save) {
    const struct os *os = save->writer.os;
    bool writing = save->writer.phase == SNAPSHOT_WRITE;
    enum status status = snapshot_write_step(&save->writer);
    uint64_t done, total;
    snapshot_write_progress(&save->writer, &done, &total);
    atomic_store(&save->bytes_done, done);
    if (writing && save->writer.phase != SNAPSHOT_WRITE)
        save->write_us = os->monotonic_us(os) - save->started_us;
    if (status && status != STATUS_AGAIN) say_failed(save, status);
    return status;
}

static void write_all(void *context) {
    struct save *save = context;
    enum status status;
    do status = write_some(save);
    while (status == STATUS_AGAIN && !atomic_load(&save->stop));
    save->outcome = status;
    atomic_store(&save->done, true);
}

struct leftovers {
    char names[8][SNAPSHOT_NAME_SIZE];
    size_t count;
};

static bool note_leftover(void *context, const char *name) {
    struct leftovers *leftovers = context;
    char base[SNAPSHOT_NAME_SIZE];
    uint64_t entries;
    size_t size = strlen(name);
    if (size <= TEMPORARY_SUFFIX_SIZE || size >= sizeof base) return true;
    memcpy(base, name, size + 1);
    base[size - TEMPORARY_SUFFIX_SIZE] = 0;
    if (strcmp(name + size - TEMPORARY_SUFFIX_SIZE, ".tmp") != 0) return true;
    if (!snapshot_name_parse(base, &entries)) return true;
    memcpy(leftovers->names[leftovers->count++], name, size + 1);
    return leftovers->count < sizeof leftovers->names / sizeof leftovers->names[0];
}

/* What is not needed any more, and what interrupted writes have left. That a name comes
 * back after a crash does no harm. */
static void remove_old(struct save *save) {
    const struct os *os = save->writer.os;
    struct directory *directory = save->writer.directory;
    for (size_t i = count_kept(save); i < save->known_count; i++) {
        char name[SNAPSHOT_NAME_SIZE];
        if (save->known[i].entries == save->writer.facts.cover.range.size) continue;
        snapshot_name(save->known[i].entries, name);
        (void)os->remove(os, directory, name);
    }
    struct leftovers leftovers = {.count = 0};
    (void)os->directory_list(os, directory, note_leftover, &leftovers);
    for (size_t i = 0; i < leftovers.count; i++)
        (void)os->remove(os, directory, leftovers.names[i]);
}

static void publish(void *context) {
    struct save *save = context;
    enum status status = snapshot_publish(&save->writer);
    if (status) say_failed(save, status);
    else remove_old(save);
    save->outcome = status;
    atomic_store(&save->done, true);
}

/* On a thread, or where there is none, here; pieces then come one a turn. */
static void run(struct engine *engine, void (*work)(void *context)) {
    struct save *save = &engine->save;
    const struct os *os = engine->os;
    atomic_store(&save->done, false);
    save->threaded = os->task_start && os->task_start(os, work, save) == STATUS_OK;
    if (!save->threaded && work == publish) publish(save);
}

/* --- From one phase to the next -------------------------------------------------------
 */

static void thaw(struct engine *engine) {
    struct save *save = &engine->save;
    if (save->view) kernel_release(engine->kernel, save->view);
    save->view = NULL;
}

static void end(struct engine *engine, enum status status, const char *message) {
    struct save *save = &engine->save;
    struct save_history *history = &save->history;
    const struct os *os = engine->os;
    if (save->phase > SAVE_WANTED) {
        const struct snapshot_trailer *trailer = &save->writer.trailer;
        history->bytes =
            trailer->end + trailer->pieces * SHA256_SIZE + SNAPSHOT_TRAILER_SIZE;
        history->write_us = save->write_us;
        history->last_us = os->monotonic_us(os) - save->started_us;
        snapshot_write_end(&save->writer);
    }
    thaw(engine);
    history->last = status;
    snprintf(history->message, sizeof history->message, "%s", message);
    if (status) {
        history->failures++;
    } else {
        history->saves++;
        history->entries = save->writer.facts.cover.range.size;
        history->wall_us = os->wall_us(os);
        history->changes = save->changes;
        save->known_count = count_kept(save);
        note_saved(save);
    }
    save->phase = SAVE_NONE;
}

/* The last entry is a SEAL of this very state: what follows it is not in the snapshot. */
static bool sealed_now(const struct engine *engine) {
    return engine->dirty == 0 && engine->seal_sequence != UINT64_MAX &&
           engine_size(engine) == engine->seal_sequence + 1;
}

static enum status freeze(struct engine *engine) {
    struct save *save = &engine->save;
    const struct os *os = engine->os;
    save->started_us = os->monotonic_us(os);
    struct roots roots;
    kernel_seal(engine->kernel, &roots);
    check(roots_equal(&roots, &engine->sealed));
    enum status status = kernel_freeze(engine->kernel, &save->view);
    if (status) return status;
    log_roll_soon(engine->log);
    uint8_t body[SEAL_SIZE];
    struct snapshot_facts facts = {.time_us = engine->last_time_us,
                                   .image_size = image_size(save->view),
                                   .created_us = os->wall_us(os)};
    seal_encode(engine->seal_sequence, &engine->sealed, body);
    _Static_assert(SEAL_SIZE == 8 + SNAPSHOT_SEAL_SIZE, "all but the sequence");
    memcpy(facts.seal, body + 8, SNAPSHOT_SEAL_SIZE);
    log_cover(engine->log, &facts.cover);
    image_write_begin(&save->image, save->view);
    struct snapshot_source source = {&save->image, next_bytes};
    status = snapshot_write_begin(&save->writer, os, engine->allocator, engine->directory,
                                  &facts, &source);
    save->changes = engine_changes(engine);
    save->history.freeze_us = os->monotonic_us(os) - save->started_us;
    return status;
}

static void begin(struct engine *engine) {
    struct save *save = &engine->save;
    enum status status = freeze(engine);
    if (status) {
        end(engine, status, status == STATUS_MEMORY ? "no memory" : "freezing failed");
        return;
    }
    uint64_t done, total;
    snapshot_write_progress(&save->writer, &done, &total);
    atomic_store(&save->bytes_done, 0);
    atomic_store(&save->bytes_total, total);
    atomic_store(&save->stop, false);
    save->outcome = STATUS_AGAIN;
    save->phase = SAVE_WRITING;
    run(engine, write_all);
}

/* Nothing deleted may be in a snapshot, and nothing half done. */
static bool can_begin(struct engine *engine) {
    if (engine->batch.phase != BATCH_NONE || engine->upkeep.running) return false;
    return !kernel_tidy(engine->kernel, TIDY_ROWS);
}

void save_note_seal(struct engine *engine) {
    if (engine->save.phase == SAVE_WANTED && can_begin(engine)) begin(engine);
}

static void wanted(struct engine *engine, uint64_t now, uint64_t *next_us) {
    if (*next_us > now + WAIT_US) *next_us = now + WAIT_US;
    if (!can_begin(engine)) return;
    if (!sealed_now(engine)) {
        if (engine->following) return; /* until the primary's next one comes */
        enum status status = engine_seal_anew(engine);
        if (status) {
            end(engine, status,
                status == STATUS_NO_SPACE ? "no space for the SEAL in the log"
                                          : "the SEAL could not be appended");
            return;
        }
    }
    begin(engine);
}

static void writing(struct engine *engine, uint64_t now, uint64_t *next_us) {
    struct save *save = &engine->save;
    if (!save->threaded) {
        save->outcome = write_some(save);
        atomic_store(&save->done, save->outcome != STATUS_AGAIN);
        *next_us = now;
    }
    if (!atomic_load(&save->done)) return;
    if (save->threaded) engine->os->task_wait(engine->os, UINT64_MAX);
    thaw(engine);
    if (save->outcome) end(engine, save->outcome, save->message);
    else save->phase = SAVE_WRITTEN;
}

static void written(struct engine *engine) {
    struct save *save = &engine->save;
    if (log_durable(engine->log) < save->writer.facts.cover.range.size) return;
    save->phase = SAVE_PUBLISHING;
    run(engine, publish);
}

static void publishing(struct engine *engine) {
    struct save *save = &engine->save;
    if (!atomic_load(&save->done)) return;
    if (save->threaded) engine->os->task_wait(engine->os, UINT64_MAX);
    end(engine, save->outcome, save->outcome ? save->message : "");
}

void save_turn(struct engine *engine, uint64_t now, uint64_t *next_us) {
    struct save *save = &engine->save;
    if (save->phase == SAVE_WANTED) wanted(engine, now, next_us);
    if (save->phase == SAVE_WRITING) writing(engine, now, next_us);
    if (save->phase == SAVE_WRITTEN) written(engine);
    if (save->phase == SAVE_PUBLISHING) publishing(engine);
}

bool save_waits_for_sync(const struct engine *engine) {
    return engine->save.phase == SAVE_WRITTEN;
}

/* --- For the engine's callers ---------------------------------------------------------
 */

enum status engine_save(struct engine *engine) {
    struct save *save = &engine->save;
    check(engine->phase == PHASE_READY || engine->phase == PHASE_FAILED);
    if (engine->phase == PHASE_FAILED) return STATUS_IO;
    if (!engine->log) return STATUS_INVALID;
    if (save->phase != SAVE_NONE) return STATUS_AGAIN;
    save->phase = SAVE_WANTED;
    return STATUS_OK;
}

void save_cancel(struct engine *engine) {
    struct save *save = &engine->save;
    if (save->phase == SAVE_NONE) return;
    atomic_store(&save->stop, true);
    bool runs = save->phase == SAVE_WRITING || save->phase == SAVE_PUBLISHING;
    if (runs && save->threaded) engine->os->task_wait(engine->os, UINT64_MAX);
    bool done = save->phase == SAVE_PUBLISHING && save->outcome == STATUS_OK;
    end(engine, done ? STATUS_OK : STATUS_AGAIN, done ? "" : "given up");
}

void engine_save_facts(const struct engine *engine, struct save_facts *facts) {
    const struct save *save = &engine->save;
    const struct os *os = engine->os;
    *facts = (struct save_facts){.history = save->history,
                                 .running = save->phase != SAVE_NONE};
    if (save->phase <= SAVE_WANTED) return;
    facts->running_us = os->monotonic_us(os) - save->started_us;
    facts->bytes_done = atomic_load(&save->bytes_done);
    facts->bytes_total = atomic_load(&save->bytes_total);
}
