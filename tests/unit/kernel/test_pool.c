/* Pools: rows keep their numbers and contents, freed rows come back zeroed, and a frozen view of
 * a pool keeps every row whatever is written afterwards. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/pool.h"

#include "fixture.h"

static struct source source;
static struct memory memory;

static void begin(void) {
    struct memory_source from = source_begin(&source);
    memory_begin(&memory, &from);
}

static void end(void) {
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

static void chunks_waste_little(void) {
    static const uint32_t sizes[] = {8,    16,    64,    88,     120,   192,
                                     1024, 3072, 12288, 196608, 262144};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct pool pool;
        pool_begin(&pool, sizes[i], 4096, "b");
        size_t size = block_size(pool.chunk_class);
        EXPECT(pool.rows_per_chunk >= 1);
        EXPECT((size_t)pool.rows_per_chunk * sizes[i] <= size);
        EXPECT(size - (size_t)pool.rows_per_chunk * sizes[i] <= size / 8 ||
               size >= 16 * (size_t)sizes[i]);
    }
}

static void a_pool_of_a_few_is_small(void) {
    begin();
    struct pool pool;
    pool_begin(&pool, 64, 8192, "b");
    pool_take(&memory, &pool);
    uint64_t tables = block_size(pool.table.size_class);
    EXPECT_EQUAL(memory.used, tables + 256);
    for (uint32_t rows = 2; rows <= 300; rows++) {
        pool_take(&memory, &pool);
        EXPECT(pool.capacity >= rows);
        /* Never more than twice what is in it, until chunks are whole. */
        if (rows > 4 && rows <= 128) EXPECT(memory.used <= tables + 2 * 64 * (uint64_t)rows);
    }
    tables = block_size(pool.table.size_class);
    EXPECT_EQUAL(memory.used, tables + 3 * 8192);
    end();
}

static void a_view_keeps_the_chunk_that_grew(void) {
    begin();
    struct pool pool;
    pool_begin(&pool, 64, 4096, "b");
    for (uint32_t i = 0; i < 3; i++) pool_take(&memory, &pool);
    memset(pool_own(&memory, &pool, 2), 7, 64);
    uint32_t epoch = memory_freeze(&memory);
    struct pool seen = pool;
    for (uint32_t i = 3; i < 200; i++) pool_take(&memory, &pool);
    memset(pool_own(&memory, &pool, 2), 9, 64);
    EXPECT_EQUAL(*(const uint8_t *)pool_row(&seen, 2), 7);
    EXPECT_EQUAL(*(const uint8_t *)pool_row(&pool, 2), 9);
    memory_thaw(&memory, epoch);
    EXPECT_EQUAL(*(const uint8_t *)pool_row(&pool, 2), 9);
    end();
}

static void rows_come_back_zeroed_last_first(void) {
    begin();
    struct pool pool;
    pool_begin(&pool, 24, 1024, "b");
    enum { COUNT = 1000 };
    for (uint32_t i = 0; i < COUNT; i++) {
        EXPECT_EQUAL(pool_take(&memory, &pool), i);
        memset(pool_own(&memory, &pool, i), (int)(i % 255) + 1, 24);
    }
    pool_give(&memory, &pool, 17);
    pool_give(&memory, &pool, 400);
    EXPECT_EQUAL(pool.free_count, 2);
    EXPECT(memcmp((const uint8_t *)pool_row(&pool, 400) + 4, (uint8_t[20]){0}, 20) == 0);
    EXPECT_EQUAL(pool_take(&memory, &pool), 400);
    EXPECT_BYTES(pool_row(&pool, 400), (uint8_t[24]){0}, 24);
    EXPECT_EQUAL(pool_take(&memory, &pool), 17);
    EXPECT_BYTES(pool_row(&pool, 17), (uint8_t[24]){0}, 24);
    EXPECT_EQUAL(pool_take(&memory, &pool), COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        if (i != 17 && i != 400)
            EXPECT_EQUAL(*(const uint8_t *)pool_row(&pool, i), i % 255 + 1);
    end();
}

static void dissolving_gives_everything_back(void) {
    begin();
    struct pool pool;
    pool_begin(&pool, 64, 4096, "b");
    for (int i = 0; i < 64 * 300; i++) pool_take(&memory, &pool);
    EXPECT(memory.used > 300 * 4096);
    uint32_t budget = 299;
    EXPECT(!pool_dissolve(&memory, &pool, &budget));
    EXPECT_EQUAL(budget, 0);
    budget = 5;
    EXPECT(pool_dissolve(&memory, &pool, &budget));
    EXPECT_EQUAL(budget, 4);
    EXPECT_EQUAL(memory.used, 0);
    end();
}

/* What a view of a pool is: the struct as it was. */
struct frozen {
    uint32_t epoch;
    struct pool pool;
    uint64_t values[3000];
};

static bool view_holds(const struct frozen *view) {
    for (uint32_t i = 0; i < view->pool.limit; i++) {
        uint64_t value;
        memcpy(&value, (const uint8_t *)pool_row(&view->pool, i) + 8, sizeof value);
        if (value != view->values[i]) return false;
    }
    return true;
}

static void frozen_rows_stay(void) {
    begin();
    struct pool pool;
    pool_begin(&pool, 40, 1024, "b");
    static uint64_t values[3000];
    static bool used[3000];
    static struct frozen views[VIEWS_MAX];
    uint64_t random = 99;
    memset(views, 0, sizeof views);
    for (int step = 0; step < 30000; step++) {
        uint32_t draw = chance_below(&random, 1000), v = chance_below(&random, VIEWS_MAX);
        uint32_t row = pool.limit ? chance_below(&random, pool.limit) : 0;
        if (draw < 3 && !views[v].epoch) {
            views[v].epoch = memory_freeze(&memory);
            views[v].pool = pool;
            memcpy(views[v].values, values, sizeof values);
        } else if (draw < 6 && views[v].epoch) {
            EXPECT(view_holds(&views[v]));
            memory_thaw(&memory, views[v].epoch);
            views[v].epoch = 0;
        } else if (draw < 300 && pool.limit < 2900) {
            row = pool_take(&memory, &pool);
            EXPECT(!used[row]);
            used[row] = true;
            values[row] = 0;
        } else if (pool.limit > 0 && used[row]) {
            uint8_t *bytes = pool_own(&memory, &pool, row);
            EXPECT_BYTES(bytes + 8, &values[row], sizeof values[row]);
            if (draw < 500) {
                pool_give(&memory, &pool, row);
                used[row] = false;
                values[row] = 0;
            } else {
                values[row] = chance(&random);
                memcpy(bytes + 8, &values[row], sizeof values[row]);
            }
        }
        if (!test_run.ok) break;
    }
    for (int v = 0; v < VIEWS_MAX; v++) {
        if (!views[v].epoch) continue;
        EXPECT(view_holds(&views[v]));
        memory_thaw(&memory, views[v].epoch);
    }
    uint32_t budget = UINT32_MAX;
    EXPECT(pool_dissolve(&memory, &pool, &budget));
    EXPECT_EQUAL(memory.used, 0);
    end();
}

/* A freeze costs nothing until something is written, and then one chunk (and the table). */
static void a_write_copies_one_chunk(void) {
    begin();
    struct pool pool;
    pool_begin(&pool, 64, 4096, "b");
    for (int i = 0; i < 64 * 100; i++) pool_take(&memory, &pool);
    uint64_t before = memory.used;
    uint32_t epoch = memory_freeze(&memory);
    EXPECT_EQUAL(memory.used, before);
    pool_own(&memory, &pool, 1000);
    uint64_t once = memory.used;
    EXPECT(once > before && once - before <= 4096 + 2048 + 4096); /* and a page of limbo */
    pool_own(&memory, &pool, 1001);
    EXPECT_EQUAL(memory.used, once);
    memory_thaw(&memory, epoch);
    EXPECT_EQUAL(memory.used, before);
    end();
}

int main(void) {
    RUN(chunks_waste_little);
    RUN(a_pool_of_a_few_is_small);
    RUN(a_view_keeps_the_chunk_that_grew);
    RUN(rows_come_back_zeroed_last_first);
    RUN(dissolving_gives_everything_back);
    RUN(frozen_rows_stay);
    RUN(a_write_copies_one_chunk);
    return test_finish();
}
