/* Roots: PROOF.STATE, O(1), and PROOF.CONTENT, over everything, in slices. */
#include "kernel/semantics.h"
#include "server/server.h"
#include "server/words.h"

/* Leaves hashed between two looks at the clock. */
#define LEAVES_PER_STEP 128

void proof_reply_hash(struct reply *reply, const char *name,
                      const uint8_t hash[SHA256_SIZE]) {
    char hex[2 * SHA256_SIZE + 1];
    hex_text(hash, SHA256_SIZE, hex);
    reply_text(reply, name);
    reply_text(reply, hex);
}

void proof_reply_number(struct reply *reply, const char *name, uint64_t value) {
    reply_text(reply, name);
    reply_unsigned(reply, value);
}

static void reply_roots(struct reply *reply, const struct roots *roots) {
    proof_reply_number(reply, "keyspace_count", roots->keyspace.count);
    proof_reply_hash(reply, "keyspace_root", roots->keyspace.root);
    proof_reply_number(reply, "system_count", roots->system.count);
    proof_reply_hash(reply, "system_root", roots->system.root);
    proof_reply_hash(reply, "semantics_id", semantics_id);
}

/* SYNC seals first, unless nothing is unsealed. */
COMMAND(cmd_proof_state) {
    struct engine *engine = call->server->engine;
    struct reply *reply = call_reply(call);
    if (call->count > 2 || (call->count == 2 && !call_is(call, 1, "sync"))) {
        call_error(call, "ERR syntax error");
        return;
    }
    if (call->count == 2) {
        struct tally tally = {.status = engine_seal(engine)};
        if (tally.status) {
            call_refusal(call, engine_state(engine), &tally);
            return;
        }
    }
    struct proof_state proof;
    engine_proof_state(engine, &proof);
    reply_map(reply, 10);
    proof_reply_hash(reply, "state_root", proof.roots.state_root);
    reply_text(reply, "seal_index");
    if (proof.seal_sequence == UINT64_MAX) reply_null(reply);
    else reply_unsigned(reply, proof.seal_sequence);
    proof_reply_number(reply, "log_size", proof.log_size);
    proof_reply_hash(reply, "log_root", proof.log_root);
    proof_reply_number(reply, "dirty_ops", proof.dirty);
    reply_roots(reply, &proof.roots);
}

/* --- Recomputing ------------------------------------------------------------------ */

enum status proof_begin(struct server *server, const struct state *state, bool content) {
    server->recompute_room = allocate(server->allocator, RECOMPUTE_SIZE);
    if (!server->recompute_room) return STATUS_MEMORY;
    server->recompute = recompute_begin(server->recompute_room, state, content);
    return STATUS_OK;
}

void proof_end(struct server *server) {
    release(server->allocator, server->recompute_room, RECOMPUTE_SIZE);
    server->recompute_room = NULL;
    server->recompute = NULL;
}

enum status proof_step(struct server *server, uint64_t deadline_us, struct roots *roots) {
    enum status status;
    do {
        status = recompute_step(server->recompute, LEAVES_PER_STEP, roots);
    } while (status == STATUS_AGAIN && server_clock(server) < deadline_us);
    if (status != STATUS_AGAIN) proof_end(server);
    return status;
}

static bool content_more(struct call *call, uint64_t deadline_us) {
    struct roots roots;
    enum status status = proof_step(call->server, deadline_us, &roots);
    if (status == STATUS_AGAIN) return false;
    if (status) {
        call_error(call, "ERR memory does not hold what its tries say");
        return true;
    }
    reply_map(call_reply(call), 6);
    proof_reply_hash(call_reply(call), "content_root", roots.state_root);
    reply_roots(call_reply(call), &roots);
    return true;
}

READ(cmd_proof_content) {
    if (proof_begin(call->server, state, true)) {
        struct tally tally = {.status = STATUS_MEMORY};
        call_refusal(call, state, &tally);
        return;
    }
    call->server->job.more = content_more;
}
