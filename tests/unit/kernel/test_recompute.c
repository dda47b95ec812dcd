/* Recomputing the roots: the same for every size of slice, and it believes no stored hash. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "base/bytes.h"
#include "kernel/state.h"

#include "fixture.h"

static struct source source;
static struct kernel *kernel;
static struct made made;
static struct roots sealed;

/* Two collections; in the greater one every kind of record. */
static void begin(void) {
    struct memory_source from = source_begin(&source);
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    for (int i = 0; i < 300; i++) {
        char name[12];
        snprintf(name, sizeof name, "e%d", i);
        struct change *change = make_vadd(&made, i % 10 ? "k" : "l", name, i);
        change->flags |= i % 2 ? CHANGE_FP32 : 0;
        change->fp32 = slice_of(made.fp32, 16);
        change->flags |= i % 3 ? CHANGE_ATTRIBUTES : 0;
        change->attributes = slice_text("some");
        EXPECT_EQUAL(perform(kernel, (uint64_t)i, change), STATUS_OK);
    }
    kernel_seal(kernel, &sealed);
}
static void end(void) {
    kernel_destroy(kernel);
    EXPECT_EQUAL(source.taken, 0);
}

static enum status recompute_in(uint32_t leaves, struct roots *roots, int *steps) {
    static _Alignas(16) uint8_t room[RECOMPUTE_SIZE];
    struct recompute *recompute = recompute_begin(room, kernel_state(kernel), false);
    enum status status;
    *steps = 0;
    do {
        status = recompute_step(recompute, leaves, roots);
        ++*steps;
    } while (status == STATUS_AGAIN);
    return status;
}

static void slices_of_any_size(void) {
    begin();
    static const uint32_t sizes[] = {1, 2, 3, 7, 100, 299, 300, 301, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct roots roots;
        int steps;
        EXPECT_EQUAL(recompute_in(sizes[i], &roots, &steps), STATUS_OK);
        EXPECT_BYTES(roots.state_root, sealed.state_root, SHA256_SIZE);
        if (sizes[i] == 1) EXPECT(steps >= 300);
        if (sizes[i] == UINT32_MAX) EXPECT_EQUAL(steps, 1);
    }
    end();
}

static void the_empty_state(void) {
    struct memory_source from = source_begin(&source);
    struct roots roots, again;
    int steps;
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    kernel_seal(kernel, &roots);
    EXPECT_EQUAL(recompute_in(1, &again, &steps), STATUS_OK);
    EXPECT_BYTES(roots.state_root, again.state_root, SHA256_SIZE);
    EXPECT_EQUAL(again.keyspace.count, 0);
    end();
}

/* A bit that flips in memory shows: as another root, or as a trie that does not fit its pools. */
enum damage { VECTOR, ATTRIBUTES, NAME, TAG, WIDX, COUNT, LIVE, SLOT, KEY_NAME, CASES };

static uint8_t *heap_byte(uint64_t handle) {
    struct pool *pool = &kernel->state.heap.pools[(handle >> 32) - 1];
    return pool_own(&kernel->memory, pool, (uint32_t)handle);
}

static void damage(enum damage what) {
    struct state *state = &kernel->state;
    uint32_t row = trie_find(&state->nodes, &state->objects, state->keyspace,
                             state_find(state, 0, slice_text("k"))->leaf.key);
    const struct object *object = object_at(state, row);
    struct collection *collection =
        pool_own(&kernel->memory, &state->collections, object->part);
    struct record record;
    EXPECT(record_find(state, collection, slice_text("e1"), &record));
    struct meta *meta = pool_own(&kernel->memory, &collection->metas, record.slot);
    struct facts *facts = pool_own(&kernel->memory, &collection->facts, record.slot);
    int32_t *values = pool_own(&kernel->memory, &collection->vectors, record.slot);
    struct trie_node *node =
        pool_own(&kernel->memory, &state->nodes, collection->records - 1);
    switch (what) {
    case VECTOR: values[2] ^= 1 << 30; break;
    case ATTRIBUTES: *heap_byte(meta->attributes) ^= 1; break;
    case NAME: *heap_byte(meta->name) ^= 1; break;
    case TAG: meta->flags |= CHANGE_TAG; break;
    case WIDX: meta->widx ^= 1; break;
    case COUNT: node->count++; break;
    case LIVE:
        collection->live--;
        break;
    case SLOT: facts->word &= ~FACT_LIVE; break;
    default: *heap_byte(object->name) ^= 1; break;
    }
}

static void damaged_memory_shows(void) {
    for (int what = 0; what < CASES; what++) {
        begin();
        damage((enum damage)what);
        struct roots roots;
        int steps;
        enum status status = recompute_in(50, &roots, &steps);
        bool another = status == STATUS_OK &&
                       memcmp(roots.state_root, sealed.state_root, SHA256_SIZE) != 0;
        EXPECT(another || status == STATUS_CORRUPT);
        if (what == COUNT || what == LIVE || what == SLOT) EXPECT_EQUAL(status, STATUS_CORRUPT);
        end();
    }
}

int main(void) {
    RUN(slices_of_any_size);
    RUN(the_empty_state);
    RUN(damaged_memory_shows);
    return test_finish();
}
