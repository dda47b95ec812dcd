/* Walks in hash order: each key is met once, from every cursor, also while others come and go,
 * and where hashes have the same beginning. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/kernel.h"
#include "kernel/trie.h"

#include "fixture.h"

static struct source source;
static struct kernel *kernel;
static const struct state *state;
static uint64_t sequence;

static void begin(void) {
    struct memory_source from = source_begin(&source);
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    state = kernel_state(kernel);
    sequence = 0;
}
static void end(void) {
    kernel_destroy(kernel);
    EXPECT_EQUAL(source.taken, 0);
}

static void change_string(uint8_t type, uint32_t number) {
    struct made made;
    char name[16];
    snprintf(name, sizeof name, "k%u", number);
    struct change *change = make(&made, type, name, NULL);
    change->db = number % 3;
    if (type == CHANGE_SET) change->flags = CHANGE_ATTRIBUTES;
    EXPECT_EQUAL(perform(kernel, ++sequence, change), STATUS_OK);
}

enum { KEYS = 500 };

/* Marks what a whole walk meets, in steps of a cursor each. */
static void walk(uint8_t met[2 * KEYS], void (*between)(uint32_t step)) {
    uint64_t cursor = 0;
    uint32_t step = 0;
    memset(met, 0, 2 * KEYS);
    do {
        struct scan scan;
        const struct object *object;
        uint64_t last = 0, count = 0, next = 0;
        scan_begin(&scan, cursor);
        while ((object = scan_key(state, &scan)) != NULL) {
            if (count++ >= 3 && scan_prefix(&scan) != last) {
                next = scan_prefix(&scan);
                break;
            }
            EXPECT(scan_prefix(&scan) >= last);
            last = scan_prefix(&scan);
            struct slice name = object_name(state, object);
            uint32_t number = 0;
            for (size_t i = 1; i < name.size; i++)
                number = number * 10 + (uint32_t)(name.data[i] - '0');
            met[number]++;
            EXPECT_EQUAL(object_database(object), number % 3);
        }
        EXPECT(next == 0 || next > cursor);
        cursor = next;
        if (between) between(step++);
    } while (cursor != 0);
}

static void meets_each_key_once(void) {
    uint8_t met[2 * KEYS];
    begin();
    walk(met, NULL); /* nothing there */
    for (uint32_t i = 0; i < KEYS; i++) {
        change_string(CHANGE_SET, i);
        if (i > 5 && i < KEYS - 1) continue;
        walk(met, NULL);
        for (uint32_t j = 0; j < KEYS; j++) EXPECT_EQUAL(met[j], j <= i);
    }
    end();
}

/* Keys of the upper half come and go between the steps. */
static void come_and_go(uint32_t step) {
    change_string(step % 2 ? CHANGE_DEL : CHANGE_SET, KEYS + step / 2);
    change_string(CHANGE_SET, KEYS + step);
}

static void misses_nothing_that_stays(void) {
    uint8_t met[2 * KEYS];
    begin();
    for (uint32_t i = 0; i < KEYS; i++) change_string(CHANGE_SET, i);
    walk(met, come_and_go);
    for (uint32_t j = 0; j < KEYS; j++) EXPECT_EQUAL(met[j], 1);
    for (uint32_t j = KEYS; j < 2 * KEYS; j++) EXPECT(met[j] <= 1);
    end();
}

static void numbers_every_key(void) {
    begin();
    for (uint32_t i = 0; i < KEYS; i++) change_string(CHANGE_SET, i);
    struct scan scan;
    scan_begin(&scan, 0);
    for (uint32_t i = 0; i < KEYS; i++)
        EXPECT(state_key_at(state, i) == scan_key(state, &scan));
    EXPECT(scan_key(state, &scan) == NULL);
    end();
}

static void walks_elements(void) {
    begin();
    struct made made;
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "e%d", i);
        EXPECT_EQUAL(perform(kernel, ++sequence, make_vadd(&made, "c", name, i)), STATUS_OK);
    }
    const struct collection *collection = state_collection(state, 0, slice_text("c"));
    struct scan scan;
    struct record record;
    int count = 0;
    bool met[200] = {false};
    scan_begin(&scan, 0);
    for (; scan_record(state, collection, &scan, &record); count++)
        met[record.values[0]] = true;
    EXPECT_EQUAL(count, 200);
    for (int i = 0; i < 200; i++) EXPECT(met[i]);
    end();
}

/* Leaves whose keys are equal in their first 64 bits and more, next to each other and alone:
 * nobody can make such names, but the walk must not hang on that. */
static void hashes_with_one_beginning(void) {
    struct memory memory;
    struct memory_source from = source_begin(&source);
    struct pool nodes, leaves;
    uint32_t root = 0, rows[40];
    memory_begin(&memory, &from);
    EXPECT_EQUAL(memory_reserve(&memory, 1 << 20), STATUS_OK);
    pool_begin(&nodes, sizeof(struct trie_node), 4096, "b");
    pool_begin(&leaves, sizeof(struct trie_leaf), 4096, "b");
    for (uint32_t i = 0; i < 40; i++) {
        rows[i] = pool_take(&memory, &leaves);
        struct trie_leaf *leaf = pool_own(&memory, &leaves, rows[i]);
        memset(leaf->key, i < 20 ? 0 : 255, 31);
        leaf->key[31] = (uint8_t)(6 * i);
        trie_insert(&memory, &nodes, &leaves, &root, rows[i]);
    }
    uint8_t key[SHA256_SIZE] = {0};
    bool above = false;
    for (uint32_t i = 0; i < 40; i++) {
        EXPECT_EQUAL(trie_at(&nodes, root, i), rows[i]);
        uint32_t row = trie_next(&nodes, &leaves, root, key, above);
        EXPECT_EQUAL(row, rows[i]);
        memcpy(key, ((const struct trie_leaf *)pool_row(&leaves, row))->key, SHA256_SIZE);
        EXPECT_EQUAL(trie_next(&nodes, &leaves, root, key, false), rows[i]);
        above = true;
    }
    EXPECT_EQUAL(trie_next(&nodes, &leaves, root, key, true), UINT32_MAX);
    memset(key, 1, SHA256_SIZE);
    EXPECT_EQUAL(trie_next(&nodes, &leaves, root, key, true), rows[20]);
    memory_end(&memory);
}

int main(void) {
    RUN(meets_each_key_once);
    RUN(misses_nothing_that_stays);
    RUN(numbers_every_key);
    RUN(walks_elements);
    RUN(hashes_with_one_beginning);
    return test_finish();
}
