/* The graveyard: deleted objects give their memory back, a little at a time, seen or not.
 *
 * What stays is what all objects share: the chunks of the pools of nodes, of objects and of the
 * heap, whose rows are free for the next. So memory is counted after a first round, and must
 * be the same after every later one. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/kernel.h"

#include "fixture.h"

static struct source source;
static struct kernel *kernel;
static struct made made;
static uint64_t sequence;

static void begin(void) {
    struct memory_source from = source_begin(&source);
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    sequence = 0;
}
static void end(void) {
    kernel_destroy(kernel);
    EXPECT_EQUAL(source.taken, 0);
}

static void fill(int keys, int elements) {
    char key[12], name[12];
    for (int i = 0; i < keys; i++)
        for (int j = 0; j < elements; j++) {
            snprintf(key, sizeof key, "k%d", i);
            snprintf(name, sizeof name, "e%d", j);
            struct change *change = make_vadd(&made, key, name, j);
            change->db = (uint32_t)i % 3;
            change->flags |= CHANGE_ATTRIBUTES;
            change->attributes = slice_text("a few bytes of attributes");
            EXPECT_EQUAL(perform(kernel, ++sequence, change), STATUS_OK);
        }
}

static void delete_by(int way, int keys) {
    char key[12];
    for (uint32_t i = 0; way == 0 && i < (uint32_t)keys; i++) {
        snprintf(key, sizeof key, "k%u", i);
        struct change *change = make(&made, CHANGE_DEL, key, NULL);
        change->db = i % 3;
        EXPECT_EQUAL(perform(kernel, ++sequence, change), STATUS_OK);
    }
    for (uint32_t db = 0; way == 1 && db < 3; db++) {
        struct change flush = {.type = CHANGE_FLUSH, .db = db};
        EXPECT_EQUAL(perform(kernel, ++sequence, &flush), STATUS_OK);
    }
    struct change flush = {.type = CHANGE_FLUSH, .db = FLUSH_ALL};
    if (way == 2) EXPECT_EQUAL(perform(kernel, ++sequence, &flush), STATUS_OK);
    EXPECT_EQUAL(state_key_total(kernel_state(kernel)), 0);
}

static void memory_comes_back(void) {
    begin();
    uint64_t before = 0;
    for (int round = 0; round < 7; round++) {
        fill(20, 100);
        struct roots roots, empty = {0};
        if (round % 2) kernel_seal(kernel, &roots);
        uint64_t full = kernel_memory_used(kernel);
        delete_by(round % 3, 20);
        while (kernel_tidy(kernel, 50)) {}
        EXPECT(!kernel_tidy(kernel, 50));
        uint64_t after = kernel_memory_used(kernel);
        EXPECT(after < full);
        if (round == 0) before = after;
        EXPECT_EQUAL(after, before);
        roots_finish(&empty);
        kernel_seal(kernel, &roots);
        EXPECT_BYTES(roots.state_root, empty.state_root, SHA256_SIZE);
    }
    end();
}

/* Element by element, the collection goes with the last of them, and its memory too. */
static void emptied_collections_go(void) {
    begin();
    uint64_t before = 0;
    for (int round = 0; round < 3; round++) {
        fill(1, 500);
        for (int i = 0; i < 500; i++) {
            char name[12];
            snprintf(name, sizeof name, "e%d", i);
            EXPECT_EQUAL(perform(kernel, ++sequence, make(&made, CHANGE_VREM, "k0", name)),
                         STATUS_OK);
        }
        EXPECT_EQUAL(state_key_total(kernel_state(kernel)), 0);
        while (kernel_tidy(kernel, 1000)) {}
        if (round == 0) before = kernel_memory_used(kernel);
        EXPECT_EQUAL(kernel_memory_used(kernel), before);
    }
    end();
}

/* The budget bounds a step: rows, chunks and nodes one by one. */
static void steps_are_small(void) {
    begin();
    fill(3, 400);
    delete_by(2, 3);
    int steps = 0;
    while (kernel_tidy(kernel, 10)) steps++;
    EXPECT(steps > 1200 / 10 && steps < 1000);
    end();
}

/* New keys under old names, while the old ones are still being taken away. */
static void the_dead_do_not_disturb_the_living(void) {
    begin();
    struct roots sealed, recomputed;
    for (int round = 0; round < 20; round++) {
        fill(5, 60);
        kernel_tidy(kernel, 37);
        kernel_seal(kernel, &sealed);
        EXPECT_EQUAL(recompute_all(kernel_state(kernel), false, &recomputed), STATUS_OK);
        EXPECT_BYTES(sealed.state_root, recomputed.state_root, SHA256_SIZE);
        EXPECT_EQUAL(state_record_total(kernel_state(kernel)), 300);
        delete_by(round % 3, 5);
        kernel_tidy(kernel, 113);
    }
    while (kernel_tidy(kernel, 1000)) {}
    end();
}

static void a_view_keeps_the_dead(void) {
    begin();
    fill(4, 200);
    struct roots sealed, recomputed;
    const struct state *view;
    kernel_seal(kernel, &sealed);
    EXPECT_EQUAL(kernel_freeze(kernel, &view), STATUS_OK);
    delete_by(1, 4);
    while (kernel_tidy(kernel, 64)) {}
    EXPECT_EQUAL(recompute_all(view, false, &recomputed), STATUS_OK);
    EXPECT_BYTES(sealed.state_root, recomputed.state_root, SHA256_SIZE);
    uint64_t held = kernel_memory_used(kernel);
    kernel_release(kernel, view);
    EXPECT(kernel_memory_used(kernel) < held / 2);
    end();
}

int main(void) {
    RUN(memory_comes_back);
    RUN(emptied_collections_go);
    RUN(steps_are_small);
    RUN(the_dead_do_not_disturb_the_living);
    RUN(a_view_keeps_the_dead);
    return test_finish();
}
