#include "engine/engine_internal.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/check.h"
#include "kernel/semantics.h"

#define LOCK_NAME "valori.lock"

enum {
    ENTRY_BUFFER_MAX = 1 << 30,
    RESERVE_SIZE = 64 << 20,
};

/* --- Open and close --------------------------------------------------------------------
 */

static void *take_region(void *context, size_t size) {
    const struct os *os = context;
    return os->region_take(os, size);
}
static void give_region(void *context, void *region, size_t size) {
    const struct os *os = context;
    os->region_give(os, region, size);
}
static void warm_region(void *context, void *region, size_t size) {
    const struct os *os = context;
    os->region_warm(os, region, size);
}
static void sparse_region(void *context, void *region, size_t size) {
    const struct os *os = context;
    os->region_sparse(os, region, size);
}

enum status engine_make_kernel(const struct os *os, struct kernel **kernel) {
    /* The table is const for everyone; its functions take it as such. */
    struct memory_source source = {
        .context = (void *)(uintptr_t)os,
        .take = take_region,
        .give = give_region,
        .warm = os->region_warm ? warm_region : NULL,
        .sparse = os->region_sparse ? sparse_region : NULL,
    };
    return kernel_create(&source, kernel);
}

static enum status open_kernel(struct engine *engine) {
    enum status status = engine_make_kernel(engine->os, &engine->kernel);
    if (status) return status;
    kernel_seal(engine->kernel, &engine->sealed); /* The roots of the empty state. */
    return STATUS_OK;
}

static enum status open_directory(struct engine *engine, struct engine_report *report) {
    const struct os *os = engine->os;
    const char *path = engine->options.directory;
    enum status status = os->directory_open(os, path, &engine->directory);
    if (status) {
        snprintf(report->message, sizeof report->message,
                 "FATAL io: cannot open directory %s: %s", path, os->error_text(os));
        return status;
    }
    if (engine->options.read_only) return STATUS_OK;
    status = os->directory_lock(os, engine->directory, LOCK_NAME);
    if (status == STATUS_LOCKED)
        snprintf(report->message, sizeof report->message,
                 "FATAL locked: directory %s is in use by another valori-server (%s)",
                 path, LOCK_NAME);
    else if (status)
        snprintf(report->message, sizeof report->message,
                 "FATAL io: cannot lock %s in %s: %s", LOCK_NAME, path,
                 os->error_text(os));
    return status;
}

static enum status open_log(struct engine *engine, struct engine_report *report) {
    struct log_options options = {.segment_size = engine->options.segment_size,
                                  .reserve_size = RESERVE_SIZE,
                                  .long_frame = engine->options.long_frame,
                                  .read_only = engine->options.read_only};
    enum status status = log_open(engine->os, engine->allocator, engine->directory,
                                  &options, &engine->log, &report->log);
    if (status) {
        snprintf(report->message, sizeof report->message, "%s", report->log.message);
        return status;
    }
    if (engine->options.log_enabled) return STATUS_OK;
    bool exists = log_exists(engine->log);
    log_close(engine->log);
    engine->log = NULL;
    if (!exists) return STATUS_OK;
    snprintf(report->message, sizeof report->message,
             "FATAL config: directory %s holds a log, which appendonly no would pass "
             "over; start with "
             "appendonly yes, or in another directory",
             engine->options.directory);
    return STATUS_INVALID;
}

enum status engine_empty_kernel(struct engine *engine) {
    kernel_destroy(engine->kernel);
    engine->kernel = NULL;
    return open_kernel(engine);
}

/* What an engine is before it has looked at its directory. */
static void begin(struct engine *engine, const struct os *os,
                  const struct allocator *allocator,
                  const struct engine_options *options) {
    memset(engine, 0, sizeof *engine);
    engine->os = os;
    engine->allocator = allocator;
    engine->options = *options;
    engine->phase = PHASE_OPENED;
    engine->seal_sequence = UINT64_MAX;
    buffer_init(&engine->body, allocator, ENTRY_BUFFER_MAX);
    buffer_init(&engine->payload, allocator, ENTRY_BUFFER_MAX);
    rfc6962_begin(&engine->tree);
    hash_principal(slice_text("default"), engine->principal);
}

/* Log and kernel, and the directory if it is not open already. */
static enum status open_state(struct engine *engine, struct engine_report *report) {
    *report = (struct engine_report){.last_seal = UINT64_MAX};
    enum status status = STATUS_OK;
    if (!engine->directory) status = open_directory(engine, report);
    if (!status) status = open_log(engine, report);
    if (!status) status = open_kernel(engine);
    if (status == STATUS_MEMORY)
        snprintf(report->message, sizeof report->message, "FATAL memory: none left");
    if (status) return status;
    if (engine->log) status = save_look(engine);
    if (engine->log && !status) status = upkeep_open(engine, report);
    if (status) return status;
    if (engine->log) engine->bytes_total = 2 * log_bytes_total(engine->log);
    else engine->phase = PHASE_READY;
    kernel_set_live(engine->kernel, engine->phase == PHASE_READY);
    return STATUS_OK;
}

enum status engine_open(const struct os *os, const struct allocator *allocator,
                        const struct engine_options *options, struct engine **out,
                        struct engine_report *report) {
    *out = NULL;
    *report = (struct engine_report){.last_seal = UINT64_MAX};
    struct engine *engine = allocate(allocator, sizeof *engine);
    if (!engine) return STATUS_MEMORY;
    begin(engine, os, allocator, options);
    enum status status = open_state(engine, report);
    if (status) engine_close(engine);
    else *out = engine;
    return status;
}

/* All but the directory. */
static void close_state(struct engine *engine) {
    save_cancel(engine);
    upkeep_close(engine);
    load_end(engine);
    scan_ahead_stop(&engine->ahead);
    if (engine->follower) log_close(engine->follower);
    if (engine->log) log_close(engine->log);
    kernel_destroy(engine->kernel);
    buffer_free(&engine->body);
    buffer_free(&engine->payload);
}

void engine_close(struct engine *engine) {
    if (!engine) return;
    close_state(engine);
    if (engine->directory) engine->os->directory_close(engine->os, engine->directory);
    release(engine->allocator, engine, sizeof *engine);
}

enum status engine_stop(struct engine *engine) {
    if (engine->phase == PHASE_FAILED) return STATUS_IO;
    save_cancel(engine);
    upkeep_finish(engine);
    if (!engine->log || engine->phase != PHASE_READY) return STATUS_OK;
    enum status status = log_stop(engine->log);
    if (!status) engine->acknowledged = log_size(engine->log);
    return status;
}

enum status engine_reopen(struct engine *engine, struct engine_report *report) {
    check(engine->log && engine->phase == PHASE_READY);
    check(engine->batch.phase == BATCH_NONE);
    struct engine_options options = engine->options;
    struct directory *directory = engine->directory;
    close_state(engine);
    struct save_history saves = engine->save.history;
    begin(engine, engine->os, engine->allocator, &options);
    engine->directory = directory;
    engine->save.history = saves;
    enum status status = open_state(engine, report);
    if (status) engine->phase = PHASE_FAILED;
    return status;
}

/* --- Append ----------------------------------------------------------------------------
 */

static uint64_t next_time(struct engine *engine) {
    uint64_t now = engine->os->wall_us(engine->os);
#ifdef BUG_24
    return now;
#endif
    return now > engine->last_time_us ? now : engine->last_time_us;
}

static enum status append_in_memory(struct engine *engine,
                                    const struct log_entry *entry) {
    uint8_t leaf[SHA256_SIZE];
    rfc6962_leaf(entry->head, entry->body, leaf);
    rfc6962_append(&engine->tree, leaf);
    return STATUS_OK;
}

/* A SEAL is kept for proofs: how the log was before it, and its bytes. */
static enum status append_now(struct engine *engine, const struct log_entry *entry) {
    uint8_t leaf[SHA256_SIZE];
    bool seal = entry->type == CHANGE_SEAL;
    if (seal) prove_keep_tail(engine);
    enum status status = engine->log ? log_append(engine->log, entry, leaf)
                                     : append_in_memory(engine, entry);
    if (!status && seal) prove_keep_seal(engine, entry);
    return status;
}

static void note_append(struct engine *engine, uint64_t before) {
    if (engine->log && log_durable(engine->log) == before)
        engine->unsynced_since_us = engine->os->monotonic_us(engine->os);
}

static void make_entry(struct engine *engine, const struct entry_parts *parts,
                       struct appending *appending) {
    struct entry entry = {.type = parts->type,
                          .flags = parts->flags,
                          .sequence = engine_size(engine),
                          .time_us = next_time(engine)};
    uint8_t *head = appending->head;
    memcpy(entry.principal, engine->principal, SHA256_SIZE);
    check(parts->body_head.size <= sizeof appending->head - ENTRY_HEADER_SIZE);
    entry_encode_header(&entry, parts->body_head.size + parts->body.size, head);
    if (parts->body_head.size > 0)
        memcpy(head + ENTRY_HEADER_SIZE, parts->body_head.data, parts->body_head.size);
    appending->time_us = entry.time_us;
    appending->logged = (struct log_entry){
        .type = parts->type,
        .head = slice_of(head, ENTRY_HEADER_SIZE + parts->body_head.size),
        .body = parts->body,
        .list = parts->list,
        .payload = parts->payload,
    };
    check(appending->logged.head.size + parts->body.size <= ENTRY_SIZE_MAX);
}

/* The log has answered. */
static enum status note_answer(struct engine *engine, const struct appending *appending,
                               enum status status, uint64_t *sequence) {
    if (status == STATUS_NO_SPACE) engine->refusing = true;
    if (status == STATUS_IO) engine->phase = PHASE_FAILED;
    if (status) return status;
    engine->last_time_us = appending->time_us;
    *sequence = engine_size(engine) - 1;
    if (appending->logged.type != CHANGE_SEAL) engine->changed = *sequence + 1;
    note_append(engine, *sequence);
    return STATUS_OK;
}

enum status engine_append(struct engine *engine, const struct entry_parts *parts,
                          uint64_t *sequence) {
    struct appending appending = {.time_us = 0};
    make_entry(engine, parts, &appending);
    enum status status = append_now(engine, &appending.logged);
    return note_answer(engine, &appending, status, sequence);
}

enum status engine_append_batch(struct engine *engine, const struct entry_parts *parts,
                                uint64_t *sequence) {
    struct appending *appending = &engine->batch.appending;
    uint8_t leaf[SHA256_SIZE];
    make_entry(engine, parts, appending);
    enum status status = engine->log
                             ? log_append_long(engine->log, &appending->logged, leaf)
                             : append_in_memory(engine, &appending->logged);
    return note_answer(engine, appending, status, sequence);
}

enum status engine_append_step(struct engine *engine, uint64_t *sequence) {
    uint8_t leaf[SHA256_SIZE];
    enum status status = log_append_step(engine->log, leaf);
    return note_answer(engine, &engine->batch.appending, status, sequence);
}

enum status engine_append_given(struct engine *engine, const struct log_entry *entry,
                                uint64_t time_us, uint64_t *sequence) {
    struct appending *appending = &engine->batch.appending;
    uint8_t leaf[SHA256_SIZE];
    *appending = (struct appending){.logged = *entry, .time_us = time_us};
    bool batch = engine->batch.phase == BATCH_APPEND;
    enum status status = batch ? log_append_long(engine->log, &appending->logged, leaf)
                               : append_now(engine, &appending->logged);
    return note_answer(engine, appending, status, sequence);
}

void engine_note_change(struct engine *engine) {
    if (engine->dirty++ == 0)
        engine->dirty_since_us = engine->os->monotonic_us(engine->os);
}

/* --- Submit ----------------------------------------------------------------------------
 */

enum status engine_writable(const struct engine *engine) {
    if (engine->phase == PHASE_FAILED) return STATUS_IO;
    check(engine->phase == PHASE_READY && engine->batch.phase == BATCH_NONE);
    return engine->refusing ? STATUS_NO_SPACE : STATUS_OK;
}

enum status engine_submit(struct engine *engine, struct change *change,
                          struct outcome *outcome, uint64_t *sequence) {
    enum status status = engine_writable(engine);
    if (status) return status;
    check(!engine->following);
    change_commit(change);
    status = kernel_admit(engine->kernel, change);
    if (status) return status;

    buffer_clear(&engine->body);
    buffer_clear(&engine->payload);
    status = change_encode_body(change, &engine->body);
    if (!status) status = change_encode_payload(change, true, &engine->payload);
    if (status) return status;
    struct entry_parts parts = {.type = change->type,
                                .body = buffer_slice(&engine->body),
                                .payload = buffer_slice(&engine->payload)};
#ifdef BUG_20
    kernel_apply(engine->kernel, engine_size(engine), change, outcome);
#endif
    status = engine_append(engine, &parts, sequence);
    if (status) return status;

#ifndef BUG_20
    kernel_apply(engine->kernel, *sequence, change, outcome);
#endif
    check(outcome->status == STATUS_OK);
    if (outcome->more) engine->batch.phase = BATCH_SINGLE;
    engine_note_change(engine);
    return STATUS_OK;
}

void engine_submit_more(struct engine *engine, struct outcome *outcome) {
    check(engine->batch.phase == BATCH_SINGLE);
    kernel_apply_more(engine->kernel, outcome);
    if (!outcome->more) engine->batch.phase = BATCH_NONE;
}

/* --- Seal ------------------------------------------------------------------------------
 */

void seal_encode(uint64_t sequence, const struct roots *roots, uint8_t body[SEAL_SIZE]) {
    store_le64(body, sequence);
    memcpy(body + 8, roots->state_root, SHA256_SIZE);
    memcpy(body + 40, semantics_id, SHA256_SIZE);
    trie_sum_encode(&roots->system, trie_sum_encode(&roots->keyspace, body + 72));
}

enum status seal_decode(struct slice body, uint64_t *sequence, struct roots *roots) {
    if (body.size != SEAL_SIZE) return STATUS_CORRUPT;
    const uint8_t *p = body.data;
    *sequence = load_le64(p);
    memcpy(roots->state_root, p + 8, SHA256_SIZE);
    if (memcmp(p + 40, semantics_id, SHA256_SIZE) != 0) return STATUS_VERSION;
    trie_sum_decode(trie_sum_decode(p + 72, &roots->keyspace), &roots->system);
    return STATUS_OK;
}

bool roots_equal(const struct roots *a, const struct roots *b) {
    return memcmp(a->state_root, b->state_root, SHA256_SIZE) == 0 &&
           memcmp(&a->keyspace, &b->keyspace, sizeof a->keyspace) == 0 &&
           memcmp(&a->system, &b->system, sizeof a->system) == 0;
}

void engine_note_seal(struct engine *engine, uint64_t sequence,
                      const struct roots *roots) {
    engine->sealed = *roots;
    engine->seal_sequence = sequence;
    engine->dirty = 0;
    engine->facts.seals++;
    if (engine->following) save_note_seal(engine);
}

enum status engine_seal(struct engine *engine) {
    enum status status = engine_writable(engine);
    if (status || engine->dirty == 0 || engine->following) return status;
    return engine_seal_anew(engine);
}

enum status engine_seal_anew(struct engine *engine) {
    enum status status = engine_writable(engine);
    if (status) return status;
    struct roots roots;
    kernel_seal(engine->kernel, &roots);
    uint8_t body[SEAL_SIZE];
    seal_encode(engine_size(engine), &roots, body);
    struct entry_parts parts = {.type = CHANGE_SEAL,
                                .flags = ENTRY_NO_STATE,
                                .body = slice_of(body, sizeof body)};
    uint64_t sequence;
    status = engine_append(engine, &parts, &sequence);
    if (!status) engine_note_seal(engine, sequence, &roots);
    return status;
}

/* --- Reading
 * ---------------------------------------------------------------------------- */

const struct state *engine_state(const struct engine *engine) {
    return kernel_state(engine->kernel);
}
struct kernel *engine_kernel(struct engine *engine) {
    return engine->kernel;
}

struct log *engine_log(struct engine *engine) {
    return engine->log;
}

uint64_t engine_size(const struct engine *engine) {
    return engine->log ? log_size(engine->log) : engine->tree.size;
}
uint64_t engine_changed(const struct engine *engine) { return engine->changed; }
uint64_t engine_durable(const struct engine *engine) {
    return engine->log ? log_durable(engine->log) : engine->tree.size;
}
uint64_t engine_acknowledged(const struct engine *engine) {
    return engine->log ? engine->acknowledged : engine->tree.size;
}
uint64_t engine_changes(const struct engine *engine) {
    return kernel_changes(engine->kernel);
}
bool engine_refusing(const struct engine *engine) { return engine->refusing; }
int engine_error(const struct engine *engine) {
    return engine->log ? log_error(engine->log) : 0;
}

void engine_proof_state(const struct engine *engine, struct proof_state *proof) {
    proof->roots = engine->sealed;
    proof->seal_sequence = engine->seal_sequence;
    proof->dirty = engine->dirty;
    proof->log_size = engine_size(engine);
    if (engine->log) log_root(engine->log, proof->log_root);
    else rfc6962_root(&engine->tree, proof->log_root);
}

void engine_facts(const struct engine *engine, struct engine_facts *facts) {
    *facts = engine->facts;
    if (!engine->log) return;
    /* While the scan runs, the log is its thread's alone; the follower knows the same. */
    const struct log *log = engine->follower ? engine->follower : engine->log;
    facts->log_disk_bytes = log_disk_bytes(log);
    facts->log_segments = log_segment_count(log);
    facts->unsynced_bytes = log_unsynced_bytes(log);
    facts->sync_running = log_sync_running(log);
    facts->log_id = log_id(log);
}

int engine_exit_code(enum status status) {
    switch (status) {
    case STATUS_OK:
        return 0;
    case STATUS_LOCKED:
        return 2;
    case STATUS_CORRUPT:
        return 3;
    case STATUS_VERSION:
        return 4;
    case STATUS_FOREIGN:
        return 5;
    case STATUS_MEMORY:
        return 70;
    case STATUS_IO:
    case STATUS_NO_SPACE:
        return 74;
    default:
        return 1;
    }
}
