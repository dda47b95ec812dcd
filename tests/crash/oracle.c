/* The oracle: roots by the number of entries, noted while the workload ran. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crash/lab.h"

void oracle_free(struct oracle *oracle) {
    free(oracle->moments);
    *oracle = (struct oracle){0};
}

/* The state root comes from recomputing everything, not from the trie that the engine
 * keeps. */
void moment_of(struct engine *engine, struct moment *moment) {
    struct proof_state proof;
    engine_proof_state(engine, &proof);
    memcpy(moment->log_root, proof.log_root, SHA256_SIZE);
    static _Alignas(16) uint8_t room[RECOMPUTE_SIZE];
    struct roots roots;
    kernel_seal(engine_kernel(engine), &roots); /* the tries, brought up to date */
    struct recompute *recompute = recompute_begin(room, engine_state(engine), false);
    enum status status;
    do status = recompute_step(recompute, UINT32_MAX, &roots);
    while (status == STATUS_AGAIN);
    LAB_EXPECT(status == STATUS_OK, "the tries do not hold what the pools hold");
    memcpy(moment->state_root, roots.state_root, SHA256_SIZE);
    moment->known = true;
}

void oracle_note(struct oracle *oracle, struct engine *engine) {
    size_t size = (size_t)engine_size(engine);
    if (size >= oracle->capacity) {
        size_t capacity = 2 * size + 64;
        oracle->moments = realloc(oracle->moments, capacity * sizeof *oracle->moments);
        check(oracle->moments);
        memset(oracle->moments + oracle->capacity, 0,
               (capacity - oracle->capacity) * sizeof *oracle->moments);
        oracle->capacity = capacity;
    }
    if (size >= oracle->count) oracle->count = size + 1;
    moment_of(engine, &oracle->moments[size]);
}

bool oracle_agrees(const struct oracle *oracle, uint64_t size,
                   const struct moment *moment) {
    if (size >= oracle->count || !oracle->moments[size].known) return false;
    const struct moment *noted = &oracle->moments[size];
    return memcmp(noted->log_root, moment->log_root, SHA256_SIZE) == 0 &&
           memcmp(noted->state_root, moment->state_root, SHA256_SIZE) == 0;
}
