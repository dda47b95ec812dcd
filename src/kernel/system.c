/* System records: what governs behaviour and is no key (docs/format.md 6.1 and 7).
 *
 * They lie under a trie of their own, beside that of the keys. There are few of them and
 * they change seldom, so that a record is hashed as soon as it is written. */
#include "kernel/state.h"

#include "kernel/pure.h"

static struct system_row *own(struct kernel *kernel, uint32_t row) {
    return pool_own(&kernel->memory, &kernel->state.system_rows, row);
}

uint32_t find_system(const struct state *state, const uint8_t key[SHA256_SIZE]) {
    return trie_find(&state->nodes, &state->system_rows, state->system, key);
}

/* --- Hashing ---------------------------------------------------------------------------
 */

void system_leaf(const struct state *state, uint32_t row, bool content,
                 uint8_t key[SHA256_SIZE], uint8_t value[SHA256_SIZE]) {
    const struct system_row *at = pool_row(&state->system_rows, row);
    struct record record = {.widx = content ? 0 : at->widx, .flags = CHANGE_ATTRIBUTES};
    struct record_hashes hashes = {0};
    hash_system_name((uint8_t)at->kind, heap_get(&state->heap, at->id, at->id_size), key);
    hash_payload('A', heap_get(&state->heap, at->value, at->value_size),
                 hashes.attributes);
    record_value_hash(&record, &hashes, value);
}

/* --- Applying --------------------------------------------------------------------------
 */

static void remove_row(struct kernel *kernel, uint32_t row) {
    struct state *state = &kernel->state;
    trie_remove(&kernel->memory, &state->nodes, &state->system_rows, &state->system, row);
    const struct system_row *gone = own(kernel, row);
    heap_free(&kernel->memory, &state->heap, gone->id);
    heap_free(&kernel->memory, &state->heap, gone->value);
    pool_give(&kernel->memory, &state->system_rows, row);
}

static uint32_t add_row(struct kernel *kernel, const struct change *change) {
    struct state *state = &kernel->state;
    uint32_t row = pool_take(&kernel->memory, &state->system_rows);
    struct system_row *new = own(kernel, row);
    memcpy(new->leaf.key, change->object_hash, SHA256_SIZE);
    new->kind = change->db;
    new->id = heap_put(&kernel->memory, &state->heap, change->key);
    new->id_size = (uint32_t)change->key.size;
    trie_insert(&kernel->memory, &state->nodes, &state->system_rows, &state->system, row);
    return row;
}

void apply_system(struct kernel *kernel, uint64_t sequence, const struct change *change,
                  uint32_t row) {
    struct state *state = &kernel->state;
    kernel->system_version++;
    if (!(change->flags & CHANGE_ATTRIBUTES)) {
        remove_row(kernel, row);
        return;
    }
    if (row == UINT32_MAX) row = add_row(kernel, change);
    struct system_row *written = own(kernel, row);
    heap_free(&kernel->memory, &state->heap, written->value);
    written->value = heap_put(&kernel->memory, &state->heap, change->attributes);
    written->value_size = (uint32_t)change->attributes.size;
    written->widx = sequence;
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE];
    system_leaf(state, row, false, key, value);
    trie_leaf_hash(key, value, written->leaf.hash);
    trie_touch(&kernel->memory, &state->nodes, &state->system_rows, state->system, row);
}

/* --- Reading ---------------------------------------------------------------------------
 */

uint32_t state_system_next(const struct state *state, uint32_t row,
                           struct system_record *record) {
    for (; row < state->system_rows.limit; row++) {
        const struct system_row *at = pool_row(&state->system_rows, row);
        if (at->kind == 0) continue;
        record->kind = at->kind;
        record->id = heap_get(&state->heap, at->id, at->id_size);
        record->value = heap_get(&state->heap, at->value, at->value_size);
        return row;
    }
    return UINT32_MAX;
}

bool state_system_find(const struct state *state, enum system_kind kind, struct slice id,
                       struct slice *value) {
    uint8_t key[SHA256_SIZE];
    hash_system_name((uint8_t)kind, id, key);
    uint32_t row = find_system(state, key);
    if (row == UINT32_MAX) return false;
    const struct system_row *at = pool_row(&state->system_rows, row);
    *value = heap_get(&state->heap, at->value, at->value_size);
    return true;
}

uint64_t kernel_system_version(const struct kernel *kernel) {
    return kernel->system_version;
}
