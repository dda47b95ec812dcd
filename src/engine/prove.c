/* The last SEAL as proofs need it: its entry, and what stands beside its way to the log's
 * root.
 *
 * Both are kept when it is appended, so that a proof costs no reading; after a start they
 * are read from the log when the first proof wants them. */
#include "base/check.h"
#include "engine/engine_internal.h"
#include "engine/log_access.h"

void prove_keep_tail(struct engine *engine) {
    struct seal_entry *seal = &engine->seal_entry;
    const struct rfc6962_range *range = &engine->tree;
    if (engine->log) range = log_range(engine->log);
    seal->size = 0;
    seal->sequence = range->size;
    seal->tail_size = rfc6962_tail(range, seal->tail);
}

static void keep_bytes(struct seal_entry *seal, struct slice head, struct slice body) {
    check(head.size + body.size <= sizeof seal->bytes);
    memcpy(seal->bytes, head.data, head.size);
    if (body.size > 0) memcpy(seal->bytes + head.size, body.data, body.size);
    seal->size = head.size + body.size;
}

void prove_keep_seal(struct engine *engine, const struct log_entry *entry) {
    keep_bytes(&engine->seal_entry, entry->head, entry->body);
}

static enum status read_bytes(struct engine *engine, struct seal_entry *seal) {
    struct log_cursor cursor;
    struct frame frame;
    log_cursor_begin(&cursor, engine->log);
    cursor.written = true;
    enum status status = log_cursor_seek(&cursor, engine->seal_sequence);
    if (!status) status = log_cursor_next(&cursor, &frame);
    if (!status && (frame.type != CHANGE_SEAL || frame.entry.size > sizeof seal->bytes))
        status = STATUS_CORRUPT;
    if (!status) keep_bytes(seal, frame.entry, slice_of(NULL, 0));
    log_cursor_end(&cursor);
    return status == STATUS_END ? STATUS_RANGE : status;
}

static enum status read_seal(struct engine *engine) {
    struct seal_entry *seal = &engine->seal_entry;
    struct rfc6962_range range;
    seal->size = 0;
    enum status status = log_range_at(engine->log, engine->seal_sequence, &range);
    if (!status) status = read_bytes(engine, seal);
    if (status) return status;
    seal->sequence = engine->seal_sequence;
    seal->tail_size = rfc6962_tail(&range, seal->tail);
    return STATUS_OK;
}

static enum status have_seal(struct engine *engine) {
    const struct seal_entry *seal = &engine->seal_entry;
    if (engine->seal_sequence == UINT64_MAX) return STATUS_NOT_FOUND;
    if (seal->size > 0 && seal->sequence == engine->seal_sequence) return STATUS_OK;
    return engine->log ? read_seal(engine) : STATUS_NOT_FOUND;
}

enum status engine_prove_seal(struct engine *engine, struct proof *proof) {
    const struct seal_entry *seal = &engine->seal_entry;
    enum status status = have_seal(engine);
    if (status) return status;
    proof->seal = slice_of(seal->bytes, seal->size);
    proof->tail_depth = (uint32_t)seal->tail_size;
    memcpy(proof->tail, seal->tail, sizeof proof->tail);
    return STATUS_OK;
}

uint64_t engine_sealed_size(const struct engine *engine) {
    return engine->seal_sequence + 1; /* UINT64_MAX stands for none */
}

enum status engine_sealed_log(struct engine *engine, uint64_t *size,
                              uint8_t root[SHA256_SIZE]) {
    const struct seal_entry *seal = &engine->seal_entry;
    enum status status = have_seal(engine);
    if (status) return status;
    rfc6962_leaf(slice_of(seal->bytes, seal->size), slice_of(NULL, 0), root);
    for (size_t i = 0; i < seal->tail_size; i++) rfc6962_node(seal->tail[i], root, root);
    *size = seal->sequence + 1;
    return STATUS_OK;
}
