#include "engine/upkeep.h"

#include <stdio.h>

#include "engine/engine_internal.h"
#include "storage/cursor.h"

#define LOCK_NAME "valori.lock"

enum {
    POLL_US = 5000,      /* to the next look at a thread that does not wake us */
    RETRY_US = 10000000, /* after a failure */
};

/* --- What may go ----------------------------------------------------------------------
 */

uint64_t engine_trim_limit(const struct engine *engine) {
    const struct save *save = &engine->save;
    uint64_t newest = 0, second = 0;
    for (size_t i = 0; i < save->known_count; i++) {
        const struct snapshot_fact *fact = &save->known[i];
        if (!fact->verified || fact->damaged || fact->entries <= second) continue;
        if (fact->entries > newest) {
            second = newest;
            newest = fact->entries;
        } else if (fact->entries < newest) {
            second = fact->entries;
        }
    }
#ifdef BUG_60
    return newest;
#endif
    return second;
}

static uint64_t trim_to(const struct engine *engine) {
    uint64_t limit = engine_trim_limit(engine), wanted = engine->upkeep.asked_to;
    if (engine->options.trim) {
        uint64_t place = log_place_keeping(engine->log, engine->options.keep_size);
        if (place > wanted) wanted = place;
    }
    return wanted < limit ? wanted : limit;
}

enum status engine_trim(struct engine *engine, uint64_t to, uint64_t *place) {
    if (!engine->log) return STATUS_INVALID;
    if (to > engine_trim_limit(engine)) return STATUS_RANGE;
    *place = log_trim_place(engine->log, to);
    if (to > engine->upkeep.asked_to) engine->upkeep.asked_to = to;
    engine->upkeep.again_us = 0;
    return STATUS_OK;
}

void engine_set_trim(struct engine *engine, bool automatic, uint64_t keep_size) {
    engine->options.trim = automatic;
    engine->options.keep_size = keep_size;
}

/* --- One job --------------------------------------------------------------------------
 */

static void work(void *context) {
    struct upkeep *upkeep = context;
    log_upkeep_work(&upkeep->job);
    atomic_store(&upkeep->done, true);
}

static const char *why(const struct engine *engine, enum status status) {
    switch (status) {
    case STATUS_CORRUPT:
        return "the segment is damaged, and stays";
    case STATUS_EXISTS:
        return "log-archive-dir holds another file of that name; the segment stays";
    case STATUS_MEMORY:
        return "no memory";
    default:
        return engine->os->error_text(engine->os);
    }
}

static void note_failure(struct engine *engine, uint64_t now, enum status status,
                         uint64_t number) {
    struct upkeep *upkeep = &engine->upkeep;
    upkeep->again_us = now + RETRY_US;
    upkeep->facts.failures++;
    upkeep->facts.last = status;
    snprintf(upkeep->facts.message, sizeof upkeep->facts.message, "valori-%08llu.log: %s",
             (unsigned long long)number, why(engine, status));
}

static void note_end(struct engine *engine, uint64_t now) {
    struct upkeep *upkeep = &engine->upkeep;
    const struct log_upkeep *job = &upkeep->job;
    upkeep->running = false;
    if (upkeep->threaded) engine->os->task_wait(engine->os, UINT64_MAX);
    enum status status = log_upkeep_done(engine->log, job);
    if (status) {
        note_failure(engine, now, status, job->segment.number);
        return;
    }
    upkeep->facts.last = STATUS_OK;
    if (job->kind == UPKEEP_TREE) {
        upkeep->facts.trees++;
        return;
    }
    upkeep->facts.segments++;
    upkeep->facts.bytes += job->size;
    if (job->archive) upkeep->facts.archived++;
}

static void start(struct engine *engine) {
    struct upkeep *upkeep = &engine->upkeep;
    const struct os *os = engine->os;
    atomic_store(&upkeep->done, false);
    upkeep->threaded = false;
    if (os->task_start) {
        if (os->task_start(os, work, upkeep)) return; /* somebody else has the thread */
        upkeep->threaded = true;
    }
    upkeep->running = true;
    if (!upkeep->threaded) work(upkeep);
}

/* --- Turns ----------------------------------------------------------------------------
 */

static void look(struct engine *engine, uint64_t now) {
    struct upkeep *upkeep = &engine->upkeep;
    struct upkeep_wish wish = {.trim_to = trim_to(engine), .archive = upkeep->archive};
    uint64_t segments = log_segment_count(engine->log);
    if (segments == upkeep->idle_segments && wish.trim_to == upkeep->idle_trim_to) return;
    enum status status = log_upkeep_pick(engine->log, &wish, &upkeep->job);
    if (status == STATUS_OK) {
        start(engine);
    } else if (status == STATUS_END) {
        upkeep->idle_segments = segments;
        upkeep->idle_trim_to = wish.trim_to;
    } else {
        note_failure(engine, now, status, upkeep->job.segment.number);
    }
}

void upkeep_turn(struct engine *engine, uint64_t now, uint64_t *next_us) {
    struct upkeep *upkeep = &engine->upkeep;
    if (upkeep->running && atomic_load(&upkeep->done)) note_end(engine, now);
    if (!upkeep->running && engine->save.phase == SAVE_NONE && now >= upkeep->again_us)
        look(engine, now);
    uint64_t next = upkeep->running ? now + POLL_US : upkeep->again_us;
    if (next > now && next < *next_us) *next_us = next;
}

void upkeep_finish(struct engine *engine) {
    if (!engine->upkeep.running) return;
    if (engine->upkeep.threaded) engine->os->task_wait(engine->os, UINT64_MAX);
    note_end(engine, 0);
}

/* --- The archive ----------------------------------------------------------------------
 */

/* A data directory has a lock file. Archiving into our own would remove what it has just
 * found to be there. */
static bool is_data_directory(const struct os *os, struct directory *directory) {
    struct file *file;
    if (os->file_open(os, directory, LOCK_NAME, FILE_READ, &file)) return false;
    os->file_close(os, file);
    return true;
}

enum status upkeep_open(struct engine *engine, struct engine_report *report) {
    const struct os *os = engine->os;
    const char *path = engine->options.archive_directory;
    if (!path || !path[0] || engine->options.read_only) return STATUS_OK;
    struct directory *archive;
    enum status status = os->directory_open(os, path, &archive);
    if (status) {
        snprintf(report->message, sizeof report->message,
                 "FATAL config: cannot open log-archive-dir %s: %s", path,
                 os->error_text(os));
        return STATUS_INVALID;
    }
    if (is_data_directory(os, archive)) {
        os->directory_close(os, archive);
        snprintf(report->message, sizeof report->message,
                 "FATAL config: log-archive-dir %s is a data directory", path);
        return STATUS_INVALID;
    }
    engine->upkeep.archive = archive;
    return STATUS_OK;
}

void upkeep_close(struct engine *engine) {
    upkeep_finish(engine);
    if (engine->upkeep.archive)
        engine->os->directory_close(engine->os, engine->upkeep.archive);
    engine->upkeep.archive = NULL;
}

void engine_upkeep_facts(const struct engine *engine, struct upkeep_facts *facts) {
    *facts = engine->upkeep.facts;
    facts->limit = engine->log ? engine_trim_limit(engine) : 0;
    facts->first =
        engine->log && engine->phase == PHASE_READY ? log_first(engine->log) : 0;
    facts->running = engine->upkeep.running;
}
