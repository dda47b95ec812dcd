/* Snapshots in the engine's tests: after fixture.h and test.h. */
#ifndef TESTS_UNIT_ENGINE_SAVES_H
#define TESTS_UNIT_ENGINE_SAVES_H

#include "random/history.h"
#include "unit/engine/fixture.h"
#include "unit/kernel/hnsw_graph.h"

/* Take a save that was begun to its end; its outcome. */
static inline enum status finish_save(struct engine *engine) {
    struct save_facts facts;
    do {
        turn(engine);
        engine_save_facts(engine, &facts);
        if (facts.running) usleep(50);
    } while (facts.running);
    return facts.history.last;
}

static inline enum status save_now(struct engine *engine) {
    enum status status = engine_save(engine);
    return status ? status : finish_save(engine);
}

/* The file of the snapshot of so many entries. */
static inline const char *snapshot_path(const char *directory, uint64_t entries) {
    static char name[PATH_SIZE + 64];
    snprintf(name, sizeof name, "%s/valori-%020" PRIu64 ".snap", directory, entries);
    return name;
}

static inline void flip_byte(const char *name, long offset) {
    FILE *file = fopen(name, "r+b");
    fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET);
    int byte = fgetc(file);
    fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET);
    fputc(byte ^ 0x40, file);
    fclose(file);
}

/* What a state is, index included: of an engine that stands still. */
struct portrait {
    struct proof_state proof;
    struct roots state, content;
};

static inline void draw_portrait(struct engine *engine, struct portrait *portrait) {
    engine_proof_state(engine, &portrait->proof);
    EXPECT_EQUAL(recompute_all(engine_state(engine), false, &portrait->state), STATUS_OK);
    EXPECT_EQUAL(recompute_all(engine_state(engine), true, &portrait->content), STATUS_OK);
}

static inline bool portraits_equal(const struct portrait *a, const struct portrait *b) {
    return proofs_equal(&a->proof, &b->proof) &&
           memcmp(&a->state, &b->state, sizeof a->state) == 0 &&
           memcmp(&a->content, &b->content, sizeof a->content) == 0;
}

#endif
