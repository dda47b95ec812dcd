/* PROOF.CHECKPOINT, COSIGN, LOG, ENTRY, CONSISTENCY and RECEIPT: the log, to those who
 * only have a key and an older checkpoint. */
#include "base/base64.h"
#include "engine/log_access.h"
#include "server/server.h"
#include "server/words.h"

#define RECEIPT_MAX (1 << 18)

/* --- What all of them refuse ----------------------------------------------------------
 */

static struct log *log_of(struct call *call) {
    struct log *log = engine_log(call->server->engine);
    if (!log) call_error(call, "ERR there is no log: appendonly is no");
    return log;
}

static void refuse(struct call *call, enum status status) {
    if (status == STATUS_RANGE || status == STATUS_INVALID) {
        call_error(call, "ERR no such place in the log, or not of this order");
        return;
    }
    struct tally tally = {.status = status};
    call_refusal(call, engine_state(call->server->engine), &tally);
}

/* Entries may still be in the log's buffer: nothing is read from there. */
static enum status reach(struct log *log, uint64_t size) {
    return size > log_written(log) ? log_flush(log) : STATUS_OK;
}

static bool number(struct call *call, size_t argument, uint64_t *value) {
    if (word_unsigned(call->arguments[argument], value)) return true;
    call_error(call, "ERR value is not an integer or out of range");
    return false;
}

static void reply_proof(struct reply *reply, const struct log_proof *proof) {
    char hex[2 * SHA256_SIZE + 1];
    reply_array(reply, proof->count);
    for (size_t i = 0; i < proof->count; i++) {
        hex_text(proof->hashes[i], SHA256_SIZE, hex);
        reply_text(reply, hex);
    }
}

/* --- Checkpoints ----------------------------------------------------------------------
 */

/* The newest checkpoint; false, and the error is answered, without one. */
static bool checkpoint(struct call *call, struct slice *note, uint64_t *size) {
    const struct signer *signer = call->server->signer;
    if (!signer) {
        call_error(call, "ERR checkpoints are not signed here: see appendonly and "
                         "checkpoint-interval");
        return false;
    }
    if (signer_refusal(signer)) {
        call_error(call, "ERR checkpoints are not signed: %s", signer_refusal(signer));
        return false;
    }
    *note = signer_note(signer, size);
    if (*size > 0) return true;
    call_error(call, "ERR no checkpoint was signed yet");
    return false;
}

/* Keep the caller waiting until everything up to `size` is signed. */
static bool wait_for(struct call *call, uint64_t size) {
    struct signer *signer = call->server->signer;
    uint64_t signed_size;
    signer_note(signer, &signed_size);
    if (signed_size >= size) return false;
    signer_hurry(signer);
    return true;
}

bool proof_checkpoint_waits(struct call *call) {
    struct server *server = call->server;
    struct signer *signer = server->signer;
    if (call->count != 2 || !call_is(call, 1, "sync")) return false;
    if (!signer || signer_refusal(signer)) return false;
    if (call->client->awaits_signed == 0) {
        if (engine_seal(server->engine)) return false;
        call->client->awaits_signed = engine_sealed_size(server->engine);
    }
    return wait_for(call, call->client->awaits_signed);
}

COMMAND(cmd_proof_checkpoint) {
    struct slice note;
    uint64_t size, awaited = call->client->awaits_signed;
    call->client->awaits_signed = 0;
    if (call->count > 2 || (call->count == 2 && !call_is(call, 1, "sync"))) {
        call_error(call, "ERR syntax error");
        return;
    }
    if (!checkpoint(call, &note, &size)) return;
    if (size < awaited || (call->count == 2 && awaited == 0))
        refuse(call, STATUS_NO_SPACE);
    else reply_verbatim(call_reply(call), "txt", note);
}

COMMAND(cmd_proof_cosign) {
    struct note_key witnesses[SIGNING_WITNESSES_MAX];
    struct slice note, line = call->arguments[1];
    uint64_t size;
    char bytes[NOTE_LINE_SIZE + 1];
    if (!checkpoint(call, &note, &size)) return;
    enum status status = STATUS_INVALID;
    if (line.size > 0 && line.size <= NOTE_LINE_SIZE) {
        bool ended = line.data[line.size - 1] == '\n';
        memcpy(bytes, line.data, line.size);
        if (!ended) bytes[line.size] = '\n';
        status = signer_cosign(call->server->signer, witnesses,
                               signing_witnesses(call->server, witnesses),
                               slice_of(bytes, line.size + !ended));
    }
    if (status == STATUS_OK || status == STATUS_EXISTS) reply_ok(call_reply(call));
    else if (status == STATUS_NOT_FOUND)
        call_error(call, "ERR the line is of no key that the option witnesses has");
    else call_error(call, "ERR not a cosignature of the newest checkpoint");
}

/* --- Hashes and proofs of the log -----------------------------------------------------
 */

/* PROOF.LOG [size]. */
COMMAND(cmd_proof_log) {
    struct log *log = log_of(call);
    uint8_t root[SHA256_SIZE];
    uint64_t size = engine_size(call->server->engine);
    if (!log || (call->count > 1 && !number(call, 1, &size))) return;
    enum status status = reach(log, size);
    if (!status) status = log_tree_root(log, size, root);
    if (status) {
        refuse(call, status);
        return;
    }
    struct reply *reply = call_reply(call);
    reply_map(reply, 3);
    proof_reply_number(reply, "log_size", size);
    proof_reply_hash(reply, "log_root", root);
    reply_text(reply, "seal_index");
    uint64_t sealed = engine_sealed_size(call->server->engine);
    if (sealed) reply_unsigned(reply, sealed - 1);
    else reply_null(reply);
}

COMMAND(cmd_proof_consistency) {
    struct log *log = log_of(call);
    struct log_proof proof;
    uint64_t old, new;
    if (!log || !number(call, 1, &old) || !number(call, 2, &new)) return;
    enum status status = reach(log, new);
    if (!status) status = log_tree_consistency(log, old, new, &proof);
    if (status) refuse(call, status);
    else reply_proof(call_reply(call), &proof);
}

/* The entry's frame, in the cursor's buffer. */
static enum status read_entry(struct log_cursor *cursor, uint64_t sequence,
                              struct frame *frame) {
    cursor->written = true;
    enum status status = log_cursor_seek(cursor, sequence);
    if (!status) status = log_cursor_next(cursor, frame);
    return status == STATUS_END ? STATUS_RANGE : status;
}

static void reply_entry(struct call *call, const struct frame *frame, uint64_t size,
                        const struct log_proof *proof) {
    struct reply *reply = call_reply(call);
    reply_map(reply, 6);
    proof_reply_number(reply, "index", frame->sequence);
    reply_text(reply, "entry");
    reply_bulk(reply, frame->entry);
    proof_reply_hash(reply, "leaf", frame->leaf);
    reply_text(reply, "payload");
    reply_bulk(reply, frame->payload);
    proof_reply_number(reply, "log_size", size);
    reply_text(reply, "inclusion");
    reply_proof(reply, proof);
}

/* The size of the log that a proof of this entry is about: that of the newest checkpoint,
 * or of the last SEAL where that does not cover it, or the whole. */
static uint64_t proving_size(const struct server *server, uint64_t sequence) {
    uint64_t size = 0;
    if (server->signer) signer_note(server->signer, &size);
    if (sequence >= size) size = engine_sealed_size(server->engine);
    return sequence >= size ? engine_size(server->engine) : size;
}

static void answer_entry(struct call *call, struct log *log, uint64_t sequence) {
    struct log_cursor cursor;
    struct log_proof proof;
    struct frame frame;
    uint64_t size = proving_size(call->server, sequence);
    enum status status = reach(log, size);
    if (!status) status = log_tree_inclusion(log, sequence, size, &proof);
    log_cursor_begin(&cursor, log);
    if (!status) status = read_entry(&cursor, sequence, &frame);
    if (status) refuse(call, status);
    else reply_entry(call, &frame, size, &proof);
    log_cursor_end(&cursor);
}

COMMAND(cmd_proof_entry) {
    struct log *log = log_of(call);
    uint64_t sequence;
    if (log && number(call, 1, &sequence)) answer_entry(call, log, sequence);
}

/* --- Receipts -------------------------------------------------------------------------
 */

static enum status append_base64(struct buffer *text, struct slice bytes) {
    uint8_t *room;
    enum status status = buffer_reserve(text, base64_size(bytes.size) + 1, &room);
    if (status) return status;
    base64_encode(bytes, (char *)room);
    room[base64_size(bytes.size)] = '\n';
    buffer_commit(text, base64_size(bytes.size) + 1);
    return STATUS_OK;
}

/* The entry itself is the extra data. */
static enum status write_receipt(struct buffer *text, const struct frame *frame,
                                 const struct log_proof *proof, struct slice note) {
    static const char head[] = "c2sp.org/tlog-proof@v1\nextra ";
    uint8_t digits[DECIMAL_SIZE_MAX];
    size_t size = decimal_text((int64_t)frame->sequence, digits);
    enum status status = buffer_append(text, head, sizeof head - 1);
    if (!status) status = append_base64(text, frame->entry);
    if (!status) status = buffer_append(text, "index ", 6);
    if (!status) status = buffer_append(text, digits, size);
    if (!status) status = buffer_append(text, "\n", 1);
    for (size_t i = 0; i < proof->count && !status; i++)
        status = append_base64(text, slice_of(proof->hashes[i], SHA256_SIZE));
    if (!status) status = buffer_append(text, "\n", 1);
    return status ? status : buffer_append(text, note.data, note.size);
}

/* PROOF.RECEIPT index [WAIT]: the entry may not be signed yet. */
bool proof_receipt_waits(struct call *call) {
    struct server *server = call->server;
    struct signer *signer = server->signer;
    uint64_t sequence;
    if (call->count != 3 || !call_is(call, 2, "wait") ||
        !word_unsigned(call->arguments[1], &sequence))
        return false;
    if (!signer || signer_refusal(signer) || sequence >= engine_size(server->engine))
        return false;
    if (sequence >= engine_sealed_size(server->engine) && engine_seal(server->engine))
        return false;
    if (sequence >= engine_sealed_size(server->engine)) return false;
    return wait_for(call, sequence + 1);
}

COMMAND(cmd_proof_receipt) {
    struct log *log = log_of(call);
    struct slice note;
    struct log_proof proof;
    uint64_t sequence, size;
    if (call->count > 3 || (call->count == 3 && !call_is(call, 2, "wait"))) {
        call_error(call, "ERR syntax error");
        return;
    }
    if (!log || !number(call, 1, &sequence) || !checkpoint(call, &note, &size)) return;
    if (sequence >= size && sequence < engine_size(call->server->engine)) {
        call_error(call, "ERR the entry is not signed yet: ask again, or with WAIT");
        return;
    }
    struct buffer text;
    struct log_cursor cursor;
    struct frame frame;
    buffer_init(&text, call->server->allocator, RECEIPT_MAX);
    log_cursor_begin(&cursor, log);
    enum status status = log_tree_inclusion(log, sequence, size, &proof);
    if (!status) status = read_entry(&cursor, sequence, &frame);
    if (!status) status = write_receipt(&text, &frame, &proof, note);
    if (status) refuse(call, status);
    else reply_verbatim(call_reply(call), "txt", buffer_slice(&text));
    log_cursor_end(&cursor);
    buffer_free(&text);
}

/* PROOF.PROVENANCE key element: the record's proof and its last writer's entry. */
COMMAND(cmd_proof_provenance) {
    struct log *log = log_of(call);
    if (!log) return;
    const struct state *state = engine_state(call->server->engine);
    const struct object *object = state_find(state, call->db, call->arguments[1]);
    struct record record;
    if (object && object_type(object) != OBJECT_COLLECTION) {
        call_wrong_type(call);
        return;
    }
    if (!object || !record_find(state, object_collection(state, object),
                                call->arguments[2], &record)) {
        reply_null(call_reply(call));
        return;
    }
    answer_entry(call, log, record.widx);
}
