#include "engine/load.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/engine_internal.h"
#include "storage/cursor.h"

enum {
    LEAVES_PER_STEP = 512,
    PATIENCE_US = 100, /* for a piece that is on its way */
};

static enum status refuse(struct engine *engine, struct engine_report *report,
                          enum status status, const char *class, const char *why) {
    char name[SNAPSHOT_NAME_SIZE];
    snapshot_name(engine->save.known[engine->load.candidate].entries, name);
    snprintf(report->message, sizeof report->message,
             "FATAL %s: %s: %s; nothing was modified", class, name, why);
    return status;
}

/* --- The pieces -----------------------------------------------------------------------
 */

/* Read piece `index` into its place. A failure is told with the piece. */
static void read_piece(struct load *load, struct snapshot_reader *reader,
                       uint64_t index) {
    size_t slot = (size_t)(index % LOAD_AHEAD);
    load->verdicts[slot] =
        snapshot_read_piece(reader, index, load->pieces[slot], &load->sizes[slot]);
    if (load->verdicts[slot])
        memcpy(load->messages[slot], reader->message, sizeof load->messages[slot]);
    atomic_store(&load->read[slot], index + 1);
}

/* Claim the next piece that nobody reads; false: there is no room for it, or none left.
 */
static bool claim_piece(struct load *load, uint64_t *index) {
    *index = atomic_load(&load->claimed);
    do {
        if (*index == load->reader.trailer.pieces) return false;
        if (*index - atomic_load(&load->emptied) == LOAD_AHEAD) return false;
    } while (!atomic_compare_exchange_weak(&load->claimed, index, *index + 1));
    return true;
}

static void read_ahead(void *context) {
    struct load *load = context;
    const struct os *os = load->ahead.os;
    uint64_t index;
    while (!atomic_load(&load->stop) &&
           atomic_load(&load->claimed) < load->reader.trailer.pieces) {
        if (claim_piece(load, &index)) read_piece(load, &load->ahead, index);
        else os->task_sleep(os, PATIENCE_US);
    }
}

static bool take_room(struct engine *engine) {
    struct load *load = &engine->load;
    for (size_t i = 0; i < LOAD_AHEAD; i++) {
        if (!load->pieces[i])
            load->pieces[i] = allocate(engine->allocator, SNAPSHOT_PIECE);
        if (!load->pieces[i]) return false;
    }
    for (size_t i = 0; i < 2; i++)
        if (!load->verify_rooms[i])
            load->verify_rooms[i] = allocate(engine->allocator, VERIFY_ROOM);
    if (!load->recompute_room)
        load->recompute_room = allocate(engine->allocator, RECOMPUTE_SIZE);
    return load->recompute_room && load->verify_rooms[0] && load->verify_rooms[1];
}

static void begin_reading(struct engine *engine) {
    struct load *load = &engine->load;
    const struct os *os = engine->os;
    load->started_us = os->monotonic_us(os);
    load->piece = 0;
    atomic_store(&load->claimed, 0);
    atomic_store(&load->emptied, 0);
    for (size_t i = 0; i < LOAD_AHEAD; i++) atomic_store(&load->read[i], 0);
    atomic_store(&load->stop, false);
    image_read_begin(&load->image, engine->kernel);
    load->ahead = load->reader;
    load->threaded = os->task_start && os->task_start(os, read_ahead, load) == STATUS_OK;
    load->phase = LOAD_READING;
}

static void stop_reading(struct engine *engine) {
    struct load *load = &engine->load;
    atomic_store(&load->stop, true);
    if (load->threaded) engine->os->task_wait(engine->os, UINT64_MAX);
    load->threaded = false;
}

/* --- Choosing -------------------------------------------------------------------------
 */

/* Something is wrong with this one: say so, and go on to the next. The state is empty
 * again. */
static enum status pass_over(struct engine *engine, struct engine_report *report,
                             const char *why) {
    struct load *load = &engine->load;
    struct snapshot_fact *fact = &engine->save.known[load->candidate];
    char name[SNAPSHOT_NAME_SIZE];
    snapshot_name(fact->entries, name);
    size_t used = strlen(report->warning);
    snprintf(report->warning + used, sizeof report->warning - used,
             "%s%s is passed over: %s", used ? "; " : "", name, why);
    fact->damaged = true;
    stop_reading(engine);
    snapshot_close(&load->reader);
    load->phase = LOAD_CHOOSING;
    load->candidate++;
    return engine_empty_kernel(engine) ? STATUS_MEMORY : STATUS_AGAIN;
}

/* There is none that could be loaded: the log alone must tell everything. */
static enum status do_without(struct engine *engine, struct engine_report *report) {
    engine->load.phase = LOAD_DONE;
    if (log_first(engine->log) == 0 || !report->warning[0]) return STATUS_OK;
    snprintf(
        report->message, sizeof report->message,
        "FATAL corrupt: the log begins at sequence %" PRIu64
        ", and no snapshot that is whole covers what was before: %.400s; nothing was "
        "modified",
        log_first(engine->log), report->warning);
    return STATUS_CORRUPT;
}

static enum status choose(struct engine *engine, struct engine_report *report) {
    struct load *load = &engine->load;
    bool complete = log_first(engine->log) == 0;
    if (load->candidate == engine->save.known_count ||
        (engine->options.no_snapshots && complete))
        return do_without(engine, report);
    if (!take_room(engine))
        return refuse(engine, report, STATUS_MEMORY, "memory", "none left");
    uint64_t entries = engine->save.known[load->candidate].entries;
    if (entries < log_first(engine->log)) {
        load->candidate++; /* What comes after it is gone. */
        return STATUS_AGAIN;
    }
    struct snapshot_reader *reader = &load->reader;
    enum status status =
        snapshot_open(reader, engine->os, engine->allocator, engine->directory, entries);
    switch (status) {
    case STATUS_OK:
        break;
    case STATUS_CORRUPT:
        return pass_over(engine, report, reader->message);
    case STATUS_VERSION:
        return refuse(engine, report, status, "version", reader->message);
    case STATUS_UNSAFE:
        return refuse(engine, report, status, "unsafe", reader->message);
    default:
        return refuse(engine, report, status, "io", reader->message);
    }
    const struct log_cover *cover = &reader->facts.cover;
    if (memcmp(cover->log_id, log_id(engine->log), LOG_ID_SIZE) != 0)
        return refuse(engine, report, STATUS_FOREIGN, "foreign",
                      log_segment_count(engine->log) > 0
                          ? "it belongs to another log"
                          : "the log that it belongs to is missing");
    engine->load_bytes = 2 * reader->trailer.end;
    begin_reading(engine);
    return STATUS_AGAIN;
}

/* --- The rows -------------------------------------------------------------------------
 */

/* Do the next job of checking; false: there are no more. */
static bool check_job(struct load *load, uint8_t *room) {
    struct verify_job job;
    while (atomic_flag_test_and_set(&load->taking)) continue;
    bool more = verify_next(&load->verify, &job);
    atomic_flag_clear(&load->taking);
    if (!more) return false;
    if (verify_run(load->verify.state, &job, room))
        atomic_store(&load->contradiction, true);
    atomic_fetch_add(&load->checked, 1);
    return true;
}

static void check_beside(void *context) {
    struct load *load = context;
    while (!atomic_load(&load->stop) && !atomic_load(&load->contradiction) &&
           check_job(load, load->verify_rooms[1]))
        continue;
}

/* Nobody writes to the state before all of it is checked. */
static void begin_checking(struct engine *engine) {
    struct load *load = &engine->load;
    const struct os *os = engine->os;
    verify_begin(&load->verify, kernel_state(engine->kernel));
    atomic_flag_clear(&load->taking);
    atomic_store(&load->checked, 0);
    atomic_store(&load->contradiction, false);
    atomic_store(&load->stop, false);
    load->threaded =
        os->task_start && os->task_start(os, check_beside, load) == STATUS_OK;
    load->phase = LOAD_CHECKING;
}

static enum status check_some(struct engine *engine, struct engine_report *report) {
    struct load *load = &engine->load;
    if (!atomic_load(&load->contradiction) && check_job(load, load->verify_rooms[0]))
        return STATUS_AGAIN;
    if (load->threaded && !engine->os->task_wait(engine->os, PATIENCE_US))
        return STATUS_AGAIN;
    load->threaded = false;
    if (atomic_load(&load->contradiction))
        return pass_over(engine, report, "its rows contradict each other");
    load->recompute = recompute_begin_trusting(load->recompute_room, load->verify.state);
    load->phase = LOAD_SUMMING;
    return STATUS_AGAIN;
}

/* --- Into the kernel ------------------------------------------------------------------
 */

static enum status take_piece(struct engine *engine, struct engine_report *report) {
    struct load *load = &engine->load;
    size_t slot = (size_t)(load->piece % LOAD_AHEAD);
    if (load->verdicts[slot] == STATUS_IO)
        return refuse(engine, report, STATUS_IO, "io", load->messages[slot]);
    if (load->verdicts[slot]) return pass_over(engine, report, load->messages[slot]);
    size_t header = load->piece == 0 ? SNAPSHOT_HEADER_SIZE : 0;
    enum status status =
        image_read(&load->image, load->pieces[slot] + header, load->sizes[slot] - header);
    if (status == STATUS_MEMORY)
        return refuse(engine, report, status, "memory", "not enough to load it");
    if (status == STATUS_VERSION)
        return refuse(engine, report, status, "version",
                      "it holds what this release does not know");
    if (status) return pass_over(engine, report, "its image is malformed");
    load->piece++;
    atomic_store(&load->emptied, load->piece);
    return STATUS_AGAIN;
}

static enum status end_reading(struct engine *engine, struct engine_report *report) {
    struct load *load = &engine->load;
    const struct os *os = engine->os;
    stop_reading(engine);
    if (image_read_end(&load->image))
        return pass_over(engine, report, "its image is not whole");
    load->read_us = os->monotonic_us(os) - load->started_us;
    begin_checking(engine);
    return STATUS_AGAIN;
}

static enum status read_some(struct engine *engine, struct engine_report *report) {
    struct load *load = &engine->load;
    if (load->piece == load->reader.trailer.pieces) return end_reading(engine, report);
    if (atomic_load(&load->read[load->piece % LOAD_AHEAD]) == load->piece + 1)
        return take_piece(engine, report);
    uint64_t index;
    if (claim_piece(load, &index)) read_piece(load, &load->reader, index);
    else engine->os->task_wait(engine->os, PATIENCE_US);
    return STATUS_AGAIN;
}

/* --- The root -------------------------------------------------------------------------
 */

static enum status adopt(struct engine *engine, struct engine_report *report,
                         const struct roots *roots) {
    struct load *load = &engine->load;
    const struct os *os = engine->os;
    const struct snapshot_facts *facts = &load->reader.facts;
    uint8_t body[SEAL_SIZE];
    uint64_t entries = facts->cover.range.size, sequence;
    struct roots sealed = {0};
    store_le64(body, entries - 1);
    memcpy(body + 8, facts->seal, SNAPSHOT_SEAL_SIZE);
    if (seal_decode(slice_of(body, sizeof body), &sequence, &sealed))
        return refuse(engine, report, STATUS_VERSION, "version",
                      "it was sealed under another semantics id");
    if (!roots_equal(roots, &sealed))
        return pass_over(engine, report,
                         "the state root computed from it is not the one sealed");
    load->check_us = os->monotonic_us(os) - load->started_us - load->read_us;
    load->facts = *facts;
    engine->sealed = sealed;
    engine->seal_sequence = sequence;
    engine->last_time_us = facts->time_us;
    engine->save.history.changes = engine_changes(engine);
    report->snapshot_entries = entries;
    report->snapshot_bytes = load->reader.size;
    report->snapshot_read_us = load->read_us;
    report->snapshot_check_us = load->check_us;
    save_note_loaded(engine, &(struct snapshot_fact){.entries = entries,
                                                     .bytes = load->reader.size,
                                                     .created_us = facts->created_us,
                                                     .verified = true});
    load->phase = LOAD_DONE;
    load_end(engine);
    return STATUS_OK;
}

static enum status sum_some(struct engine *engine, struct engine_report *report) {
    struct load *load = &engine->load;
    struct roots roots;
    enum status status = recompute_step(load->recompute, LEAVES_PER_STEP, &roots);
    if (status == STATUS_AGAIN) return status;
    if (status) return pass_over(engine, report, "its rows contradict each other");
    return adopt(engine, report, &roots);
}

enum status load_step(struct engine *engine, struct engine_report *report) {
    switch (engine->load.phase) {
    case LOAD_CHOOSING:
        return choose(engine, report);
    case LOAD_READING:
        return read_some(engine, report);
    case LOAD_CHECKING:
        return check_some(engine, report);
    case LOAD_SUMMING:
        return sum_some(engine, report);
    default:
        return STATUS_OK;
    }
}

/* Reading is one half of the way, and checking the other. */
uint64_t load_progress(const struct engine *engine) {
    const struct load *load = &engine->load;
    uint64_t half = engine->load_bytes / 2, jobs, done;
    switch (load->phase) {
    case LOAD_READING:
        return load->piece * SNAPSHOT_PIECE < half ? load->piece * SNAPSHOT_PIECE : half;
    case LOAD_CHECKING:
        jobs = state_record_total(kernel_state(engine->kernel)) / 512 + 1;
        done = atomic_load(&load->checked);
        return half + (done < jobs ? half / jobs * done : half);
    default:
        return engine->load_bytes;
    }
}

void load_end(struct engine *engine) {
    struct load *load = &engine->load;
    if (!engine->allocator) return;
    stop_reading(engine);
    if (load->reader.os) snapshot_close(&load->reader);
    for (size_t i = 0; i < LOAD_AHEAD; i++) {
        release(engine->allocator, load->pieces[i], SNAPSHOT_PIECE);
        load->pieces[i] = NULL;
    }
    for (size_t i = 0; i < 2; i++) {
        release(engine->allocator, load->verify_rooms[i], VERIFY_ROOM);
        load->verify_rooms[i] = NULL;
    }
    release(engine->allocator, load->recompute_room, RECOMPUTE_SIZE);
    load->recompute_room = NULL;
}
