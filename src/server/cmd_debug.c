/* DEBUG: what tests need, and nobody else gets unless enable-debug-command says so. */
#include <stdio.h>

#include "base/bytes.h"
#include "base/check.h"
#include "server/server.h"
#include "server/words.h"

#define DIGEST_SIZE 20 /* bytes shown, as 40 hex digits, as Redis has it */

/* --- SLEEP: a long command that does nothing -------------------------------------- */

static bool sleep_more(struct call *call, uint64_t deadline_us) {
    struct server *server = call->server;
    (void)deadline_us;
    if (server_clock(server) < server->job.wake_us) return false;
    server->job.wake_us = 0;
    reply_ok(call_reply(call));
    return true;
}

COMMAND(cmd_debug_sleep) {
    double seconds;
    if (!word_double(call->arguments[2], &seconds) || seconds < 0.0 || seconds > 3600.0) {
        call_error(call, "ERR value is not a valid float");
        return;
    }
    job_begin_more(call->server, call, sleep_more);
    call->server->job.wake_us = server_clock(call->server) + (uint64_t)(seconds * 1e6);
    job_run(call->server, call->server->now_us);
}

/* The same for one that has work to do. */
static void run_in_slices(struct call *call,
                          bool (*more)(struct call *call, uint64_t deadline_us)) {
    struct server *server = call->server;
    job_begin_more(server, call, more);
    if (!job_run(server, server->now_us + JOB_SLICE_US)) server->metrics.long_commands++;
}

/* A replica whose state is not its primary's: a key that no entry has made. */
COMMAND(cmd_debug_diverge) {
    struct change change = {.type = CHANGE_SET,
                            .flags = CHANGE_ATTRIBUTES,
                            .key = call->arguments[2],
                            .attributes = slice_text("diverged")};
    if (!call_key_fits(call, change.key)) return;
    struct tally tally = {.status = engine_change_secretly(call->server->engine, &change)};
    if (tally.status) call_refusal(call, engine_state(call->server->engine), &tally);
    else reply_ok(call_reply(call));
}

COMMAND(cmd_debug_panic) {
    (void)call;
    panic("DEBUG PANIC was asked for", __FILE__, __LINE__);
}

/* --- RELOAD: what a restart does, with the connections left ----------------------- */

/* Not called while the log is read: then it is back. */
static bool reload_more(struct call *call, uint64_t deadline_us) {
    struct server *server = call->server;
    (void)deadline_us;
    if (server->reloading) {
        server->reloading = false;
        reply_ok(call_reply(call));
        return true;
    }
    struct tally tally = {.status = server_reload(server)};
    if (tally.status) call_refusal(call, NULL, &tally);
    return tally.status != STATUS_OK;
}

/* Redis's options are for a file beside the memory. Our log is never behind, so there is
 * nothing that could be left unsaved or merged. */
COMMAND(cmd_debug_reload) {
    struct server *server = call->server;
    if (!server->options.appendonly) {
        call_error(call, "ERR DEBUG RELOAD needs appendonly yes");
    } else if (server->frozen) {
        call_error(call, "ERR DEBUG RELOAD cannot drop the view that is held");
    } else {
        server->reloading = false;
        job_begin_more(server, call, reload_more); /* begins at the end of the turn */
    }
}

/* --- Digests ---------------------------------------------------------------------- */

static void reply_digest(struct call *call, const uint8_t hash[SHA256_SIZE]) {
    char hex[2 * DIGEST_SIZE + 1];
    hex_text(hash, DIGEST_SIZE, hex);
    reply_status(call_reply(call), hex);
}

static bool digest_more(struct call *call, uint64_t deadline_us) {
    struct roots roots;
    enum status status = proof_step(call->server, deadline_us, &roots);
    if (status == STATUS_AGAIN) return false;
    if (status) call_error(call, "ERR memory does not hold what its tries say");
    else reply_digest(call, roots.state_root);
    return true;
}

COMMAND(cmd_debug_digest) {
    struct server *server = call->server;
    if (proof_begin(server, engine_state(server->engine), true))
        call_error(call, "OOM no memory to recompute");
    else run_in_slices(call, digest_more);
}

static void add_part(struct sha256 *hash, struct slice part) {
    uint8_t size[8];
    store_le64(size, part.size);
    sha256_add(hash, size, sizeof size);
    sha256_add(hash, part.data, part.size);
}

/* Everything a client can see of a record. */
static void digest_record(const struct record *record, uint32_t dim,
                          uint8_t digest[SHA256_SIZE]) {
    struct sha256 hash;
    uint8_t number[8];
    sha256_begin(&hash);
    add_part(&hash, record->element);
    add_part(&hash, record->attributes);
    add_part(&hash, record->fp32);
    store_le64(number, record->tag);
    add_part(&hash, slice_of(number, sizeof number));
    number[0] = record->flags;
    number[1] = (uint8_t)record->exponent;
    add_part(&hash, slice_of(number, 2));
    for (uint32_t i = 0; i < dim; i++) {
        store_le32(number, (uint32_t)record->values[i]);
        sha256_add(&hash, number, 4);
    }
    sha256_end(&hash, digest);
}

/* How many records are looked at between two looks at the clock. */
#define RECORDS_PER_STEP 64

/* Add the digests of some more records, bytewise so that their order does not count.
 * False: there are others. */
static bool digest_some(struct digest_task *task, const struct state *state,
                        const struct object *object) {
    const struct collection *collection = object_collection(state, object);
    if (!collection) {
        struct slice value = object_string(state, object);
        sha256(value.data, value.size, task->sum);
        return true;
    }
    uint32_t limit = collection_slot_limit(collection);
    uint32_t dim = collection_config(collection)->dim;
    uint8_t one[SHA256_SIZE];
    for (int i = 0; i < RECORDS_PER_STEP && task->slot < limit; i++, task->slot++) {
        struct record record;
        if (!record_at(state, collection, task->slot, &record)) continue;
        digest_record(&record, dim, one);
        for (size_t j = 0; j < SHA256_SIZE; j++)
            task->sum[j] = (uint8_t)(task->sum[j] + one[j]);
    }
    return task->slot == limit;
}

static bool digest_value_more(struct call *call, uint64_t deadline_us) {
    struct digest_task *task = &call->server->digest;
    const struct state *state = engine_state(call->server->engine);
    while (task->argument < call->count) {
        struct slice key = call->arguments[task->argument];
        const struct object *object = state_find(state, call->db, key);
        uint8_t digest[SHA256_SIZE] = {0};
        while (object && !digest_some(task, state, object))
            if (server_clock(call->server) >= deadline_us) return false;
        if (object) {
            const struct collection *collection = object_collection(state, object);
            store_le64(task->sum + SHA256_SIZE,
                       collection ? collection_count(collection) : 0);
            sha256(task->sum, sizeof task->sum, digest);
        }
        reply_digest(call, digest);
        *task = (struct digest_task){.argument = task->argument + 1};
    }
    return true;
}

COMMAND(cmd_debug_digest_value) {
    call->server->digest = (struct digest_task){.argument = 2};
    reply_array(call_reply(call), call->count - 2);
    run_in_slices(call, digest_value_more);
}

/* --- Roots against memory --------------------------------------------------------- */

static void reply_comparison(struct call *call, enum status status,
                             const struct roots *is, const struct roots *should) {
    if (status == STATUS_MEMORY) call_error(call, "OOM no memory to recompute");
    else if (status) call_error(call, "ERR memory does not hold what its tries say");
    else if (memcmp(is->state_root, should->state_root, SHA256_SIZE) != 0)
        call_error(call, "ERR the recomputed root differs");
    else reply_ok(call_reply(call));
}

static bool verify_more(struct call *call, uint64_t deadline_us) {
    struct roots roots;
    struct proof_state proof;
    enum status status = proof_step(call->server, deadline_us, &roots);
    if (status == STATUS_AGAIN) return false;
    engine_proof_state(call->server->engine, &proof); /* Nobody has written meanwhile. */
    reply_comparison(call, status, &roots, &proof.roots);
    return true;
}

COMMAND(cmd_debug_verify) {
    struct server *server = call->server;
    struct proof_state proof = {.dirty = 0};
    enum status status = engine_seal(server->engine);
    engine_proof_state(server->engine, &proof);
    if (status) call_error(call, "ERR cannot seal");
    else if (proof.dirty) /* a replica cannot seal by itself */
        call_error(call, "ERR there are changes that the primary has not sealed yet");
    else if (proof_begin(server, engine_state(server->engine), false))
        reply_comparison(call, STATUS_MEMORY, NULL, NULL);
    else run_in_slices(call, verify_more);
}

COMMAND(cmd_debug_freeze) {
    struct server *server = call->server;
    struct kernel *kernel = engine_kernel(server->engine);
    if (server->frozen) {
        call_error(call, "ERR a view is held already");
        return;
    }
    if (engine_seal(server->engine) || kernel_freeze(kernel, &server->frozen)) {
        server->frozen = NULL;
        call_error(call, "ERR cannot freeze");
        return;
    }
    struct proof_state proof;
    engine_proof_state(server->engine, &proof);
    server->frozen_roots = proof.roots;
    reply_ok(call_reply(call));
}

static bool unfreeze_more(struct call *call, uint64_t deadline_us) {
    struct server *server = call->server;
    struct roots roots;
    enum status status = proof_step(server, deadline_us, &roots);
    if (status == STATUS_AGAIN) return false;
    kernel_release(engine_kernel(server->engine), server->frozen);
    server->frozen = NULL;
    reply_comparison(call, status, &roots, &server->frozen_roots);
    return true;
}

COMMAND(cmd_debug_unfreeze) {
    struct server *server = call->server;
    if (!server->frozen) call_error(call, "ERR no view is held");
    else if (proof_begin(server, server->frozen, false))
        reply_comparison(call, STATUS_MEMORY, NULL, NULL);
    else run_in_slices(call, unfreeze_more);
}
