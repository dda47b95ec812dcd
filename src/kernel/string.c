/* Strings, and RENAME of any object.
 *
 * To the commitment a string is an object with one record (docs/format.md 6.1); in memory
 * it is one row and its bytes. Its hashes are made when they are asked for: a counter
 * that is raised a thousand times between two seals is hashed once. */
#include "base/check.h"
#include "base/decimal.h"
#include "kernel/state.h"

#include "kernel/pure.h"

struct slice object_string(const struct state *state, const struct object *object) {
    return heap_get(&state->heap, object->value, object->value_size);
}

/* --- Refusals --------------------------------------------------------------------------
 */

/* The value after an INCR. */
static enum status sum_of(const struct state *state, const struct object *object,
                          int64_t delta, int64_t *sum) {
    int64_t value = 0;
    if (object && !decimal_integer(object_string(state, object), &value))
        return STATUS_INVALID;
    return __builtin_add_overflow(value, delta, sum) ? STATUS_RANGE : STATUS_OK;
}

enum status string_refused(const struct state *state, const struct object *object,
                           const struct change *change) {
    bool fits = !object || object->type == OBJECT_STRING;
    int64_t sum;
    if (change->type == CHANGE_RENAME) {
        if (!object) return STATUS_NO_KEY;
        bool taken = find_row(state, change->target_hash) != UINT32_MAX;
        return (change->flags & CHANGE_NX) && taken ? STATUS_EXISTS : STATUS_OK;
    }
    if (change->type != CHANGE_SET && !fits) return STATUS_WRONG_TYPE;
    if (change->type == CHANGE_INCR) return sum_of(state, object, change->delta, &sum);
    if ((change->flags & CHANGE_NX) && object) return STATUS_CONDITION;
    if ((change->flags & CHANGE_XX) && !object) return STATUS_CONDITION;
    return STATUS_OK;
}

/* --- Applying --------------------------------------------------------------------------
 */

static void store_value(struct kernel *kernel, uint64_t sequence, uint32_t row,
                        struct slice bytes) {
    struct heap *heap = &kernel->state.heap;
    touch_object(kernel, row);
    struct object *object = own_object(kernel, row);
    heap_free(&kernel->memory, heap, object->value);
    object->value = heap_put(&kernel->memory, heap, bytes);
    object->value_size = (uint32_t)bytes.size;
    object->widx = sequence;
}

void apply_set(struct kernel *kernel, uint64_t sequence, const struct change *change,
               uint32_t row) {
    const struct object *old = row == UINT32_MAX ? NULL : object_at(&kernel->state, row);
    bool other = old && old->type != OBJECT_STRING;
    uint64_t deadline = change->tag;
    if (deadline == DEADLINE_KEPT) deadline = old ? old->deadline : 0;
    if (other) delete_object(kernel, row);
    if (other || !old) row = add_object(kernel, change, OBJECT_STRING);
    store_value(kernel, sequence, row, change->attributes);
    set_deadline(kernel, row, deadline);
}

void apply_incr(struct kernel *kernel, uint64_t sequence, const struct change *change,
                uint32_t row) {
    const struct object *object =
        row == UINT32_MAX ? NULL : object_at(&kernel->state, row);
    int64_t sum;
    uint8_t text[DECIMAL_SIZE_MAX];
    check(sum_of(&kernel->state, object, change->delta, &sum) == STATUS_OK);
    if (!object) row = add_object(kernel, change, OBJECT_STRING);
    store_value(kernel, sequence, row, slice_of(text, decimal_text(sum, text)));
}

void apply_rename(struct kernel *kernel, const struct change *change, uint32_t row) {
    struct state *state = &kernel->state;
    uint32_t target = find_row(state, change->target_hash);
    if (target == row) return;
    if (target != UINT32_MAX) delete_object(kernel, target);
    trie_remove(&kernel->memory, &state->nodes, &state->objects, &state->keyspace, row);
    struct object *object = own_object(kernel, row);
    memcpy(object->leaf.key, change->target_hash, SHA256_SIZE);
    heap_free(&kernel->memory, &state->heap, object->name);
    object->name = heap_put(&kernel->memory, &state->heap, change->target);
    object->name_size = (uint32_t)change->target.size;
    note_made(kernel, change->target_hash);
    trie_insert(&kernel->memory, &state->nodes, &state->objects, &state->keyspace, row);
    touch_object(kernel, row);
}

/* --- Commitment ------------------------------------------------------------------------
 */

/* KH of the empty name, which a string's one record has: hash_element_name(). */
static const uint8_t no_name_hash[SHA256_SIZE] = {
    0x8a, 0x0c, 0xc6, 0x3e, 0x45, 0x00, 0x72, 0xaf, 0xad, 0xa0, 0xa7,
    0x1f, 0xb2, 0xbc, 0xf0, 0x18, 0x32, 0xc2, 0x35, 0x55, 0x5f, 0x58,
    0xea, 0x9b, 0x03, 0xa1, 0xdf, 0xc4, 0xdb, 0x0f, 0x91, 0xd5,
};

void string_sum(const struct state *state, const struct object *object, bool content,
                struct object_sum *sum) {
    struct record record = {.widx = content ? 0 : object->widx,
                            .flags = CHANGE_ATTRIBUTES};
    struct record_hashes hashes = {0};
    uint8_t value[SHA256_SIZE];
    hash_payload('A', object_string(state, object), hashes.attributes);
    record_value_hash(&record, &hashes, value);
    *sum = (struct object_sum){.type = OBJECT_STRING, .records.count = 1};
    trie_leaf_hash(no_name_hash, value, sum->records.root);
}
