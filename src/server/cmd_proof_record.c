/* PROOF.RECORD, KEY, CARD and SAMPLE: what holds at the last SEAL, with the text that
 * valori-check and utils/verify.py check without a server. */
#include "kernel/proof.h"
#include "server/server.h"
#include "server/words.h"

#define PROOF_TEXT_MAX (1 << 20)

/* A proof on its way to the client, and its text. */
struct asked {
    struct proof proof;
    struct buffer text;
};

/* Seal what is not sealed, and answer from that state. False: the error is answered. */
static bool take(struct call *call, struct proof *proof) {
    struct engine *engine = call->server->engine;
    struct tally tally = {.status = engine_seal(engine)};
    struct proof_state state;
    engine_proof_state(engine, &state);
    if (!tally.status && state.dirty > 0) { /* only where SEALs come from a primary */
        call_error(call, "ERR the primary has not sealed its newest changes yet: ask again");
        return false;
    }
    if (!tally.status) tally.status = engine_prove_seal(engine, proof);
    if (tally.status == STATUS_NOT_FOUND) {
        call_error(call, "ERR nothing was ever written: there is no SEAL to prove from");
        return false;
    }
    if (!tally.status) tally.status = proof_take(engine_state(engine), proof);
    if (tally.status == STATUS_RANGE)
        call_error(call, "ERR the key has not so many elements");
    else if (tally.status) call_refusal(call, engine_state(engine), &tally);
    return !tally.status;
}

static void reply_proof(struct call *call, const struct asked *asked, bool text_only) {
    const struct proof *proof = &asked->proof;
    struct reply *reply = call_reply(call);
    if (text_only) {
        reply_bulk(reply, buffer_slice(&asked->text));
        return;
    }
    bool key = proof->object_end == PROOF_FOUND;
    bool record = key && proof->question != PROOF_OF_KEY;
    bool present = record ? proof->record_end == PROOF_FOUND
                          : key && proof->question == PROOF_OF_KEY;
    struct proof_state state;
    engine_proof_state(call->server->engine, &state);
    reply_map(reply, 6);
    reply_text(reply, "present");
    reply_bool(reply, present);
    reply_text(reply, "count");
    if (key) reply_unsigned(reply, proof->object.records.count);
    else reply_null(reply);
    reply_text(reply, "index");
    if (present && record) reply_unsigned(reply, proof->record.widx);
    else reply_null(reply);
    proof_reply_number(reply, "seal_index", state.seal_sequence);
    proof_reply_hash(reply, "state_root", state.roots.state_root);
    reply_text(reply, "proof");
    reply_verbatim(reply, "txt", buffer_slice(&asked->text));
}

/* The checkpoint that ends in this very SEAL, if it is signed. */
static void add_checkpoint(const struct server *server, struct proof *proof) {
    uint64_t size = 0;
    struct slice note = {0};
    if (server->signer) note = signer_note(server->signer, &size);
    if (size == engine_sealed_size(server->engine)) proof->note = note;
}

/* `words` belong to the question, TEXT may follow. */
static void answer(struct call *call, struct asked *asked, size_t words) {
    bool text_only = call->count == words + 1 && call_is(call, words, "text");
    if (call->count != words + text_only) {
        call_error(call, "ERR syntax error");
        return;
    }
    if (!take(call, &asked->proof)) return;
    add_checkpoint(call->server, &asked->proof);
    struct tally tally = {.status = proof_write(&asked->proof, &asked->text)};
    if (tally.status) call_refusal(call, engine_state(call->server->engine), &tally);
    else reply_proof(call, asked, text_only);
}

static void ask(struct call *call, enum proof_question question, struct slice element,
                uint64_t rank, size_t words) {
    const struct allocator *allocator = call->server->allocator;
    struct slice key = call->arguments[1];
    if (!call_key_fits(call, key)) return;
    struct asked *asked = allocate(allocator, sizeof *asked);
    if (!asked) {
        struct tally tally = {.status = STATUS_MEMORY};
        call_refusal(call, engine_state(call->server->engine), &tally);
        return;
    }
    asked->proof = (struct proof){.question = question,
                                  .db = call->db,
                                  .key = key,
                                  .element = element,
                                  .rank = rank};
    buffer_init(&asked->text, allocator, PROOF_TEXT_MAX);
    answer(call, asked, words);
    buffer_free(&asked->text);
    release(allocator, asked, sizeof *asked);
}

COMMAND(cmd_proof_record) {
    struct slice element = call->arguments[2];
    if (element.size > NAME_SIZE_MAX) {
        call_error(call, "ERR element name exceeds 65536 bytes");
        return;
    }
    ask(call, PROOF_OF_RECORD, element, 0, 3);
}

/* PROOF.CARD as well: the proof of a key is that of its count. */
COMMAND(cmd_proof_key) { ask(call, PROOF_OF_KEY, slice_of(NULL, 0), 0, 2); }

COMMAND(cmd_proof_sample) {
    uint64_t rank;
    if (word_unsigned(call->arguments[2], &rank))
        ask(call, PROOF_OF_SAMPLE, slice_of(NULL, 0), rank, 3);
    else call_error(call, "ERR value is not an integer or out of range");
}
