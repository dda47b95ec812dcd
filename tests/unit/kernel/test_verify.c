/* Checking in jobs: whatever is changed in a row is found, and a sound state is sound. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "kernel/state.h"
#include "kernel/verify.h"
#include "random/history.h"
#include "unit/kernel/fixture.h"

static struct source source;
static uint8_t room[VERIFY_ROOM];

static struct kernel *filled(uint64_t seed, int changes) {
    struct kernel *kernel;
    struct memory_source memory = source_begin(&source);
    EXPECT(kernel_create(&memory, &kernel) == STATUS_OK);
    struct history history;
    history_begin_graphs(&history, seed, 300);
    for (int i = 0; i < changes; i++) {
        struct change change;
        history_next(&history, &change);
        perform(kernel, (uint64_t)i, &change);
    }
    struct roots roots;
    kernel_seal(kernel, &roots);
    while (kernel_tidy(kernel, 100)) continue;
    return kernel;
}

static enum status verify_all(const struct state *state) {
    struct verify verify;
    struct verify_job job;
    enum status status = STATUS_OK;
    verify_begin(&verify, state);
    while (verify_next(&verify, &job))
        if (verify_run(state, &job, room)) status = STATUS_CORRUPT;
    return status;
}

static void what_is_sound_is_sound(void) {
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct kernel *kernel = filled(seed, (int)seed * 200);
        EXPECT_EQUAL(verify_all(kernel_state(kernel)), STATUS_OK);
        kernel_destroy(kernel);
    }
}

/* The first collection with enough in it. */
static struct collection *some_collection(struct kernel *kernel) {
    struct state *state = &kernel->state;
    for (uint32_t row = 0; row < state->collections.limit; row++) {
        struct collection *collection =
            pool_own(&kernel->memory, &state->collections, row);
        if (collection->config.dim && collection->live > 20 &&
            collection_indexed(collection))
            return collection;
    }
    EXPECT(false);
    return NULL;
}

static uint32_t some_slot(const struct collection *collection) {
    uint32_t slot = 0;
    while (!slot_live(collection, slot)) slot++;
    return slot;
}

static void what_is_changed_is_found(void) {
    enum { NAME, WIDX, FLAGS, ATTRIBUTES, VALUE, POINT, CODE, LINK, ENTRY, NODE, CHILD, HASH,
           KINDS };
    for (int kind = 0; kind < KINDS; kind++) {
        struct kernel *kernel = filled(3, 2000);
        struct collection *collection = some_collection(kernel);
        struct memory *memory = &kernel->memory;
        struct hnsw *hnsw = &collection->hnsw;
        uint32_t slot = some_slot(collection);
        struct meta *meta = pool_own(memory, &collection->metas, slot);
        int32_t *values = pool_own(memory, &collection->vectors, slot);
        struct trie_node *node =
            pool_own(memory, &kernel->state.nodes, collection->records - 1);
        if (kind == NAME) meta->name += 1000000;
        if (kind == WIDX) meta->widx++;
        if (kind == FLAGS) meta->flags ^= CHANGE_ATTRIBUTES;
        if (kind == ATTRIBUTES) meta->attributes = UINT64_C(99) << 32, meta->attributes_size = 9;
        if (kind == VALUE) values[0] ^= 1;
        if (kind == CODE) *(uint8_t *)pool_own(memory, &hnsw->codes, meta->point) ^= 1;
        if (kind == LINK) *(uint32_t *)pool_own(memory, &hnsw->links, meta->point) = 12345678;
        if (kind == ENTRY) hnsw->entry = hnsw->points.limit + 7;
        if (kind == POINT) meta->point = hnsw->points.limit;
        if (kind == NODE) node->count++;
        if (kind == CHILD) node->child[1] = node->child[0];
        if (kind == HASH) node->hash[31] ^= 1;
        EXPECT_EQUAL(verify_all(kernel_state(kernel)), STATUS_CORRUPT);
        kernel_destroy(kernel);
    }
}

/* A trie that is cut into many jobs. */
static void a_large_trie_is_cut(void) {
    struct kernel *kernel;
    struct memory_source memory = source_begin(&source);
    EXPECT(kernel_create(&memory, &kernel) == STATUS_OK);
    struct made made;
    char name[16];
    for (int i = 0; i < 40000; i++) {
        snprintf(name, sizeof name, "e%d", i);
        EXPECT_EQUAL(perform(kernel, (uint64_t)i, make_vadd(&made, "k", name, i)), STATUS_OK);
    }
    struct roots roots;
    kernel_seal(kernel, &roots);
    struct verify verify;
    struct verify_job job;
    int subtries = 0;
    verify_begin(&verify, kernel_state(kernel));
    while (verify_next(&verify, &job)) {
        EXPECT_EQUAL(verify_run(kernel_state(kernel), &job, room), STATUS_OK);
        subtries += job.kind == VERIFY_SUBTRIE;
    }
    EXPECT_EQUAL(subtries, 64);
    for (uint32_t row = 0; row < 40000; row += 4001) {
        struct trie_node *node = pool_own(&kernel->memory, &kernel->state.nodes, row);
        if (node->count == 0) continue;
        node->hash[0] ^= 1;
        EXPECT_EQUAL(verify_all(kernel_state(kernel)), STATUS_CORRUPT);
        node->hash[0] ^= 1;
    }
    EXPECT_EQUAL(verify_all(kernel_state(kernel)), STATUS_OK);
    kernel_destroy(kernel);
}

int main(void) {
    RUN(what_is_sound_is_sound);
    RUN(what_is_changed_is_found);
    RUN(a_large_trie_is_cut);
    return test_finish();
}
