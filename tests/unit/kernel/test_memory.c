/* Blocks: sizes, zeroes, epochs and views, and what the source gets back. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/memory.h"

#include "fixture.h"

static bool all_zero(const void *bytes, size_t size) {
    const uint8_t *p = bytes;
    for (size_t i = 0; i < size; i++)
        if (p[i]) return false;
    return true;
}

static void classes_are_powers_of_two(void) {
    EXPECT_EQUAL(memory_class(0), 0);
    EXPECT_EQUAL(memory_class(1), 0);
    EXPECT_EQUAL(memory_class(64), 0);
    EXPECT_EQUAL(memory_class(65), 1);
    EXPECT_EQUAL(memory_class(128), 1);
    EXPECT_EQUAL(memory_class((size_t)512 << 10), 13);
    EXPECT_EQUAL(memory_class(((size_t)512 << 10) + 1), 14);
    for (uint32_t i = 0; i < 24; i++) EXPECT_EQUAL(memory_class(block_size(i)), i);
}

static void blocks_are_zero_aligned_and_apart(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    for (uint32_t size_class = 0; size_class < 16; size_class++) {
        enum { COUNT = 20 };
        struct block blocks[COUNT];
        size_t size = block_size(size_class);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < COUNT; i++) {
                blocks[i] = memory_take(&memory, size_class);
                EXPECT((uintptr_t)blocks[i].address % (size < 4096 ? size : 4096) == 0);
                EXPECT(all_zero(blocks[i].address, size));
                memset(blocks[i].address, 0xa0 + i, size);
            }
            for (int i = 0; i < COUNT; i++) {
                const uint8_t *p = blocks[i].address;
                EXPECT(p[0] == 0xa0 + i && p[size - 1] == 0xa0 + i);
            }
            for (int i = 0; i < COUNT; i++) memory_give(&memory, &blocks[(i * 7) % COUNT]);
            EXPECT(blocks[0].address == NULL);
        }
    }
    EXPECT_EQUAL(memory.used, 0);
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

static void empty_regions_go_back(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    enum { COUNT = 5000 };
    static struct block blocks[COUNT];
    for (int i = 0; i < COUNT; i++) blocks[i] = memory_take(&memory, 6); /* 4 KiB: 20 MB */
    uint64_t most = memory.taken;
    EXPECT(most >= COUNT * UINT64_C(4096));
    EXPECT_EQUAL(memory.taken, source.taken);
    for (int i = 0; i < COUNT; i++) memory_give(&memory, &blocks[i]);
    EXPECT_EQUAL(memory.used, 0);
    EXPECT_EQUAL(memory.taken, REGION_SIZE); /* One is kept, so that a block does not thrash. */
    EXPECT_EQUAL(memory.taken, source.taken);
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

static void great_blocks_have_their_own_regions(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    struct block small = memory_take(&memory, 0), great = memory_take(&memory, 16); /* 4 MiB */
    EXPECT((uintptr_t)great.address % REGION_SIZE == 0);
    EXPECT(all_zero(great.address, block_size(16)));
    memset(great.address, 1, block_size(16));
    uint64_t before = source.taken;
    struct block other = memory_take(&memory, 14); /* 1 MiB in a region of its own */
    EXPECT_EQUAL(source.taken, before + REGION_SIZE);
    memory_give(&memory, &great);
    EXPECT_EQUAL(source.taken, before + REGION_SIZE - block_size(16));
    memory_give(&memory, &other);
    memory_give(&memory, &small);
    EXPECT_EQUAL(memory.used, 0);
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

/* Small blocks and great ones come out of the same reserve, from its two ends, round and round. */
static void reserved_regions_are_handed_out_once(void) {
    enum { SMALL = 7, GREAT = 14, BLOCKS = 3000 };
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    static struct block blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        EXPECT_EQUAL(memory_reserve(&memory, 0), STATUS_OK);
        blocks[i] = memory_take(&memory, i % 100 == 99 ? GREAT : SMALL);
        EXPECT(all_zero(blocks[i].address, block_size(SMALL)));
        memset(blocks[i].address, 1 + i % 250, block_size(blocks[i].size_class));
    }
    for (int i = 0; i < BLOCKS; i++) {
        const uint8_t *p = blocks[i].address;
        size_t size = block_size(blocks[i].size_class);
        EXPECT(p[0] == 1 + i % 250 && p[size / 2] == p[0] && p[size - 1] == p[0]);
    }
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

static void reserve_says_when_there_is_none(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    source.allowed = 3;
    EXPECT_EQUAL(memory_reserve(&memory, 0), STATUS_MEMORY);
    EXPECT_EQUAL(memory.used, 0);
    source.allowed = UINT64_MAX;
    EXPECT_EQUAL(memory_reserve(&memory, 8 << 20), STATUS_OK);
    source.allowed = 0; /* What was reserved can be taken, whatever the source says now. */
    enum { COUNT = 8 << 20 >> 12 };
    static struct block blocks[COUNT];
    for (int i = 0; i < COUNT; i++) blocks[i] = memory_take(&memory, 6);
    for (int i = 0; i < COUNT; i++) memory_give(&memory, &blocks[i]);
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

static void own_copies_only_what_a_view_sees(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    struct block block = memory_take(&memory, 2);
    memset(block.address, 1, block_size(2));
    void *old = block.address;
    EXPECT(memory_own(&memory, &block) == old);

    uint32_t view = memory_freeze(&memory);
    EXPECT(view != 0);
    struct block later = memory_take(&memory, 2);
    EXPECT(memory_own(&memory, &later) == later.address);
    uint8_t *copy = memory_own(&memory, &block);
    EXPECT(copy != old && block.address == copy);
    EXPECT_BYTES(copy, old, block_size(2));
    memset(copy, 2, block_size(2));
    EXPECT_EQUAL(*(uint8_t *)old, 1);
    EXPECT(memory_own(&memory, &block) == copy); /* Once is enough. */

    memory_give(&memory, &block);
    memory_thaw(&memory, view);
    EXPECT(all_zero((uint8_t *)old + 8, block_size(2) - 8)); /* Cleared, but for the free list. */
    memory_give(&memory, &later);
    EXPECT_EQUAL(memory.used, 0);
    memory_end(&memory);
}

static void a_given_block_stays_for_its_views(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    struct block first = memory_take(&memory, 16), second;
    uint8_t *bytes = first.address;
    bytes[7] = 7;
    uint32_t a = memory_freeze(&memory);
    second = memory_take(&memory, 16);
    uint8_t *others = second.address;
    others[9] = 9;
    uint32_t b = memory_freeze(&memory);
    memory_give(&memory, &first);
    memory_give(&memory, &second);
    EXPECT(bytes[7] == 7 && others[9] == 9);
    memory_thaw(&memory, a); /* b still sees both. */
    EXPECT(bytes[7] == 7 && others[9] == 9);
    memory_thaw(&memory, b);
    EXPECT_EQUAL(memory.used, 0);
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

static void views_are_numbered_and_bounded(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    uint32_t views[VIEWS_MAX];
    for (int i = 0; i < VIEWS_MAX; i++) EXPECT((views[i] = memory_freeze(&memory)) != 0);
    EXPECT_EQUAL(memory_freeze(&memory), 0);
    memory_thaw(&memory, views[3]);
    EXPECT((views[3] = memory_freeze(&memory)) != 0);
    for (int i = 0; i < VIEWS_MAX; i++) memory_thaw(&memory, views[i]);
    EXPECT_EQUAL(memory.newest_view, 0);
    EXPECT_EQUAL(memory.oldest_view, UINT32_MAX);
    memory_end(&memory);
}

/* Blocks with contents, views that remember what they saw, everything in any order. */
static void views_see_what_they_saw(void) {
    enum { BLOCKS = 40, STEPS = 6000 };
    struct source source;
    struct memory_source from = source_begin(&source);
    struct memory memory;
    memory_begin(&memory, &from);
    static struct block live[BLOCKS];
    static struct {
        uint32_t epoch;
        struct block seen[BLOCKS];
        uint8_t values[BLOCKS];
    } views[VIEWS_MAX];
    uint8_t values[BLOCKS] = {0};
    uint64_t random = 5;
    memset(live, 0, sizeof live);
    memset(views, 0, sizeof views);
    for (int step = 0; step < STEPS; step++) {
        uint32_t i = chance_below(&random, BLOCKS), v = chance_below(&random, VIEWS_MAX);
        uint32_t draw = chance_below(&random, 100);
        if (draw < 4 && !views[v].epoch) {
            views[v].epoch = memory_freeze(&memory);
            memcpy(views[v].seen, live, sizeof live);
            memcpy(views[v].values, values, sizeof values);
        } else if (draw < 8 && views[v].epoch) {
            memory_thaw(&memory, views[v].epoch);
            views[v].epoch = 0;
        } else if (!live[i].address) {
            live[i] = memory_take(&memory, chance_below(&random, 8));
            memset(live[i].address, values[i] = (uint8_t)chance(&random),
                   block_size(live[i].size_class));
        } else if (draw < 25) {
            memory_give(&memory, &live[i]);
        } else {
            uint8_t *bytes = memory_own(&memory, &live[i]);
            EXPECT_EQUAL(bytes[block_size(live[i].size_class) - 1], values[i]);
            memset(bytes, values[i] = (uint8_t)chance(&random), block_size(live[i].size_class));
        }
        for (v = 0; v < VIEWS_MAX; v++)
            for (i = 0; i < BLOCKS && views[v].epoch; i++) {
                const struct block *seen = &views[v].seen[i];
                const uint8_t *bytes = seen->address;
                if (!bytes) continue;
                EXPECT(bytes[0] == views[v].values[i] &&
                       bytes[block_size(seen->size_class) - 1] == views[v].values[i]);
            }
        if (!test_run.ok) break;
    }
    for (int v = 0; v < VIEWS_MAX; v++)
        if (views[v].epoch) memory_thaw(&memory, views[v].epoch);
    for (int i = 0; i < BLOCKS; i++) memory_give(&memory, &live[i]);
    EXPECT_EQUAL(memory.used, 0);
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

int main(void) {
    RUN(classes_are_powers_of_two);
    RUN(blocks_are_zero_aligned_and_apart);
    RUN(empty_regions_go_back);
    RUN(great_blocks_have_their_own_regions);
    RUN(reserved_regions_are_handed_out_once);
    RUN(reserve_says_when_there_is_none);
    RUN(own_copies_only_what_a_view_sees);
    RUN(a_given_block_stays_for_its_views);
    RUN(views_are_numbered_and_bounded);
    RUN(views_see_what_they_saw);
    return test_finish();
}
