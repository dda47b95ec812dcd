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

COMMAND(cmd_debug_panic) {
    (void)call;
    panic("DEBUG PANIC was asked for", __FILE__, __LINE__);
}

/* --- Digests ---------------------------------------------------------------------- */

static void reply_digest(struct call *call, const uint8_t hash[SHA256_SIZE]) {
    char hex[2 * DIGEST_SIZE + 1];
    hex_text(hash, DIGEST_SIZE, hex);
    reply_status(call_reply(call), hex);
}

COMMAND(cmd_debug_digest) {
    struct server *server = call->server;
    struct roots roots;
    if (proof_recompute(server, engine_state(server->engine), true, &roots))
        call_error(call, "ERR memory does not hold what its tries say");
    else reply_digest(call, roots.state_root);
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

/* The records' digests, added bytewise so that their order does not count, and the count.
 */
static void digest_object(const struct state *state, const struct object *object,
                          uint8_t digest[SHA256_SIZE]) {
    uint32_t limit = object_slot_limit(object), dim = object_config(object)->dim;
    uint8_t sum[SHA256_SIZE + 8] = {0}, one[SHA256_SIZE];
    for (uint32_t slot = 0; slot < limit; slot++) {
        struct record record;
        if (!record_at(state, object, slot, &record)) continue;
        digest_record(&record, dim, one);
        for (size_t i = 0; i < SHA256_SIZE; i++) sum[i] = (uint8_t)(sum[i] + one[i]);
    }
    store_le64(sum + SHA256_SIZE, object_count(object));
    sha256(sum, sizeof sum, digest);
}

COMMAND(cmd_debug_digest_value) {
    const struct state *state = engine_state(call->server->engine);
    reply_array(call_reply(call), call->count - 2);
    for (size_t i = 2; i < call->count; i++) {
        uint8_t digest[SHA256_SIZE] = {0};
        const struct object *object = state_find(state, call->db, call->arguments[i]);
        if (object) digest_object(state, object, digest);
        reply_digest(call, digest);
    }
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

COMMAND(cmd_debug_verify) {
    struct server *server = call->server;
    struct roots roots;
    struct proof_state proof;
    if (engine_seal(server->engine)) {
        call_error(call, "ERR cannot seal");
        return;
    }
    engine_proof_state(server->engine, &proof);
    enum status status =
        proof_recompute(server, engine_state(server->engine), false, &roots);
    reply_comparison(call, status, &roots, &proof.roots);
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

COMMAND(cmd_debug_unfreeze) {
    struct server *server = call->server;
    struct roots roots;
    if (!server->frozen) {
        call_error(call, "ERR no view is held");
        return;
    }
    enum status status = proof_recompute(server, server->frozen, false, &roots);
    kernel_release(engine_kernel(server->engine), server->frozen);
    server->frozen = NULL;
    reply_comparison(call, status, &roots, &server->frozen_roots);
}
