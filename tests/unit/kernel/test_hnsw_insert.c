/* The graph that insertions make: against a slow and plain one by the same rules, on real data,
 * and on vectors that are all the same. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "kernel/fixture.h"
#include "kernel/simd.h"

#include "kernel/hnsw_graph.h"

/* --- The rules once more, slowly --------------------------------------------------------------
 *
 * docs/semantics-hnsw-1.md without pools, bit sets, vectors or heaps: lists, and a sort after
 * every step. Only the key of two points comes from code.h, which has tests of its own. */

enum { PLAIN_POINTS = 1200, PLAIN_LEVELS = 5, PLAIN_DEGREE = 32 };

struct plain {
    uint8_t metric;
    uint32_t dim, m, ef, count, entry, top;
    int32_t values[PLAIN_POINTS][128];
    uint32_t level[PLAIN_POINTS];
    uint32_t links[PLAIN_LEVELS][PLAIN_POINTS][PLAIN_DEGREE + 1]; /* 0 ends a row */
};
struct plain_pool {
    uint64_t items[PLAIN_POINTS]; /* key << 32 | point << 1 | followed */
    uint32_t count;
};

static uint32_t plain_key(const struct plain *plain, uint32_t a, uint32_t b) {
    static _Alignas(64) uint8_t rows[2][128];
    static _Alignas(64) int8_t room[128];
    struct code_facts facts[2];
    struct code_query query;
    code_encode(plain->metric, plain->values[a], plain->dim, rows[0], &facts[0]);
    code_encode(plain->metric, plain->values[b], plain->dim, rows[1], &facts[1]);
    code_query_row(&query, plain->metric, plain->dim, rows[0], &facts[0], room);
    const uint8_t *row = rows[1];
    const struct code_facts *fact = &facts[1];
    uint32_t key;
    code_keys(&query, &row, &fact, 1, &key);
    return key;
}

static uint64_t plain_item(const struct plain *plain, uint32_t from, uint32_t to) {
    return (uint64_t)plain_key(plain, from, to) << 32 | (uint64_t)to << 1;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint32_t plain_count(const uint32_t *row) {
    uint32_t count = 0;
    while (row[count]) count++;
    return count;
}

/* The nearest `ef` that a beam of eight meets in this layer. */
static void plain_walk(const struct plain *plain, uint32_t target, uint32_t layer, uint32_t start,
                       uint32_t ef, struct plain_pool *pool) {
    static bool met[PLAIN_POINTS];
    memset(met, 0, sizeof met);
    pool->items[0] = plain_item(plain, target, start);
    pool->count = 1;
    met[start] = true;
    for (;;) {
        uint32_t picked[8], picks = 0;
        for (uint32_t i = 0; i < pool->count && picks < 8; i++) {
            if (pool->items[i] & 1) continue;
            pool->items[i] |= 1;
            picked[picks++] = (uint32_t)pool->items[i] >> 1;
        }
        if (picks == 0) return;
        for (uint32_t i = 0; i < picks; i++) {
            const uint32_t *row = plain->links[layer][picked[i]];
            for (uint32_t j = 0; row[j]; j++) {
                uint32_t point = row[j] & LINK_POINT;
                if (met[point]) continue;
                met[point] = true;
                pool->items[pool->count++] = plain_item(plain, target, point);
            }
        }
        qsort(pool->items, pool->count, 8, by_number);
        if (pool->count > ef) pool->count = ef;
    }
}

static void plain_choose(const struct plain *plain, const struct plain_pool *pool, uint32_t limit,
                         uint32_t *chosen, uint32_t *count) {
    uint32_t rejected[PLAIN_POINTS], rejects = 0;
    *count = 0;
    for (uint32_t i = 0; i < pool->count && *count < limit; i++) {
        uint32_t point = (uint32_t)pool->items[i] >> 1;
        bool nearer = false;
        for (uint32_t j = 0; j < *count; j++)
            nearer |= plain_key(plain, point, chosen[j]) < pool->items[i] >> 32;
        if (nearer) rejected[rejects++] = point;
        else chosen[(*count)++] = point;
    }
    for (uint32_t i = 0; i < rejects && *count < limit; i++) chosen[(*count)++] = rejected[i];
}

/* The place in the full row of `owner`, or `count` for the newcomer, that gives way. */
static uint32_t plain_gives_way(const struct plain *plain, uint32_t owner, const uint32_t *row,
                                uint32_t count, uint32_t newcomer, bool pin) {
    uint64_t all[PLAIN_DEGREE + 1];
    uint32_t farthest = UINT32_MAX;
    for (uint32_t i = 0; i <= count; i++)
        all[i] = plain_item(plain, owner, i < count ? row[i] & LINK_POINT : newcomer);
    uint64_t below = UINT64_MAX;
    for (;;) {
        uint32_t at = UINT32_MAX;
        for (uint32_t i = 0; i <= count; i++) {
            bool pinned = i < count ? (row[i] & LINK_PIN) != 0 : pin;
            if (!pinned && all[i] < below && (at == UINT32_MAX || all[i] > all[at])) at = i;
        }
        if (at == UINT32_MAX) return farthest;
        if (farthest == UINT32_MAX) farthest = at;
        for (uint32_t i = 0; i <= count; i++)
            if (all[i] < all[at] && plain_key(plain, (uint32_t)all[at] >> 1,
                                              (uint32_t)all[i] >> 1) < all[at] >> 32)
                return at;
        below = all[at];
    }
}

static void plain_add(struct plain *plain, uint32_t layer, uint32_t owner, uint32_t point,
                      uint32_t pin) {
    uint32_t *row = plain->links[layer][owner];
    uint32_t degree = layer == 0 ? 2 * plain->m : plain->m, count = plain_count(row);
    uint32_t at = count;
    if (count == degree) at = plain_gives_way(plain, owner, row, count, point, pin != 0);
    if (at < degree) row[at] = point | pin;
}

static uint32_t plain_adopter(const struct plain *plain, uint32_t near, uint64_t draw) {
    for (uint32_t from = 0, degree = 2 * plain->m;;) {
        const uint32_t *row = plain->links[0][near];
        for (uint32_t i = 0; i < degree; i++)
            if (!(row[i] & LINK_PIN)) return near;
        draw = draw * 6364136223846793005 + 1442695040888963407;
        uint32_t at = (uint32_t)((draw >> 33) % degree);
        if ((row[at] & LINK_POINT) == from) at = (at + 1) % degree;
        from = near;
        near = row[at] & LINK_POINT;
    }
}

static void plain_connect(struct plain *plain, uint32_t point, uint64_t counter, uint32_t layer,
                          const struct plain_pool *pool) {
    uint32_t chosen[PLAIN_DEGREE], count, parent = 0, at = 0;
    plain_choose(plain, pool, plain->m, chosen, &count);
    if (layer == 0) parent = plain_adopter(plain, (uint32_t)pool->items[0] >> 1, counter);
    for (uint32_t i = 0; i < count; i++)
        if (chosen[i] != parent) plain->links[layer][point][at++] = chosen[i];
    if (parent) {
        plain_add(plain, 0, parent, point, LINK_PIN);
        plain_add(plain, 0, point, parent, LINK_PIN);
    }
    for (uint32_t i = 0; i < count; i++)
        if (chosen[i] != parent) plain_add(plain, layer, chosen[i], point, 0);
}

static void plain_insert(struct plain *plain, const int32_t *values) {
    static struct plain_pool pool;
    uint64_t counter = plain->count;
    uint32_t point = ++plain->count, level = hnsw_level(counter);
    memcpy(plain->values[point], values, 4 * (size_t)plain->dim);
    plain->level[point] = level;
    uint32_t start = plain->entry;
    for (uint32_t layer = plain->top; start && layer > level; layer--)
        for (bool moved = true; moved;) {
            uint64_t best = plain_item(plain, point, start);
            moved = false;
            for (const uint32_t *to = plain->links[layer][start]; *to; to++)
                if (plain_item(plain, point, *to) < best)
                    best = plain_item(plain, point, *to), moved = true;
            start = (uint32_t)best >> 1;
        }
    for (int layer = (int)(level < plain->top ? level : plain->top); start && layer >= 0; layer--) {
        plain_walk(plain, point, (uint32_t)layer, start, plain->ef, &pool);
        start = (uint32_t)pool.items[0] >> 1;
        plain_connect(plain, point, counter, (uint32_t)layer, &pool);
    }
    if (plain->entry && level <= plain->top) return;
    plain->entry = point;
    plain->top = level;
}

static void compare_with_plain(uint8_t metric, uint32_t dim, uint32_t m, uint32_t ef,
                               uint32_t count, int32_t (*rows)[128]) {
    static struct plain plain;
    memset(&plain, 0, sizeof plain);
    plain.metric = metric, plain.dim = dim, plain.m = m, plain.ef = ef;
    struct trial trial;
    trial_begin(&trial, metric, dim, m, ef);
    for (uint32_t i = 0; i < count; i++) {
        plain_insert(&plain, rows[i]);
        EXPECT(trial_put(&trial, i, rows[i]) == STATUS_OK);
    }
    const struct hnsw *hnsw = &trial_collection(&trial)->hnsw;
    EXPECT_EQUAL(hnsw->entry, plain.entry);
    EXPECT_EQUAL(hnsw->top, plain.top);
    EXPECT_EQUAL(hnsw->live, count);
    for (uint32_t point = 1; point <= count; point++) {
        EXPECT_EQUAL(level_of_point(hnsw, point), plain.level[point]);
        for (uint32_t layer = 0; layer <= plain.level[point]; layer++)
            EXPECT_BYTES(hnsw_links(hnsw, layer, point), plain.links[layer][point],
                         4 * (size_t)hnsw_degree(hnsw, layer));
        if (!test_run.ok) break;
    }
    kernel_destroy(trial.kernel);
}

static int32_t rows[10000][128];

static void graph_is_that_of_the_plain_rules_on_real_data(void) {
    if (read_descriptors(rows, 1000) < 1000) SKIP("tests/data is not here");
    compare_with_plain(METRIC_L2, 128, 8, 24, emulated() ? 200 : 1000, rows);
}

static void graph_is_that_of_the_plain_rules_with_many_ties(void) {
    for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP; metric++) {
        uint64_t seed = metric;
        for (uint32_t i = 0; i < 600; i++)
            for (uint32_t d = 0; d < 5; d++)
                rows[i][d] = (int32_t)chance_below(&seed, 4 * metric) * 40000 - 60000;
        uint32_t count = emulated() ? 150 : 600;
        compare_with_plain(metric, 5, 2, 16, count, rows);
        compare_with_plain(metric, 5, 5, 30, count, rows);
    }
}

/* --- Properties ------------------------------------------------------------------------------- */

static void real_data_is_found(void) {
    enum { COUNT = 10000, K = 10, QUERIES = 200 };
    if (emulated()) SKIP("slow here; the next test compares the graph");
    uint32_t count = read_descriptors(rows, COUNT);
    if (count < COUNT) SKIP("tests/data is not here");
    struct trial trial;
    trial_begin(&trial, METRIC_L2, 128, 16, 200);
    for (uint32_t i = QUERIES; i < COUNT; i++) trial_put(&trial, i, rows[i]);
    const struct collection *collection = trial_collection(&trial);
    const struct state *state = kernel_state(trial.kernel);
    expect_sound(collection, "10,000 descriptors");
    static const struct { uint32_t ef, least; } wanted[] = {{16, 9700}, {64, 9970}, {500, 10000}};
    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
        uint32_t near = 0;
        for (uint32_t i = 0; i < QUERIES; i++) {
            _Alignas(64) int32_t values[128];
            struct hit hits[K], nearest[K];
            memcpy(values, rows[i], sizeof values);
            struct query query = {.values = values, .k = K, .ef = wanted[w].ef};
            EXPECT_EQUAL(search_all(state, collection, query, hits), K);
            query.exact = true;
            EXPECT_EQUAL(search_all(state, collection, query, nearest), K);
            for (uint32_t h = 0; h < K; h++) near += hits[h].distance <= nearest[K - 1].distance;
        }
        EXPECT(near * 10000 / (K * QUERIES) >= wanted[w].least);
    }
    kernel_destroy(trial.kernel);
}

/* The graph of 5,000 real descriptors and the answers that it gives, the same on every machine:
 * tests/arch/run builds it on others. */
static void real_graph_is_the_same_everywhere(void) {
    enum { COUNT = 5000, K = 10, QUERIES = 50 };
    if (read_descriptors(rows, COUNT + QUERIES) < COUNT + QUERIES) SKIP("tests/data is not here");
    struct trial trial;
    trial_begin(&trial, METRIC_L2, 128, 16, 60);
    for (uint32_t i = 0; i < COUNT; i++) trial_put(&trial, i, rows[i]);
    const struct collection *collection = trial_collection(&trial);
    uint8_t digest[SHA256_SIZE], wanted[SHA256_SIZE];
    graph_hash(&collection->hnsw, digest);
    test_unhex("56933deb9c7eed609c0ee9cbc1e7b1a9a1de278fa7391eeb156ecfa6dc44e52e", wanted);
    EXPECT_BYTES(digest, wanted, sizeof digest);

    struct sha256 answers;
    sha256_begin(&answers);
    for (uint32_t i = 0; i < QUERIES; i++) {
        _Alignas(64) int32_t values[128];
        struct hit hits[K];
        memcpy(values, rows[COUNT + i], sizeof values);
        struct query query = {.values = values, .k = K, .ef = 48};
        EXPECT_EQUAL(search_all(kernel_state(trial.kernel), collection, query, hits), K);
        for (uint32_t h = 0; h < K; h++) {
            uint8_t bytes[12];
            store_le32(bytes, hits[h].slot);
            store_le64(bytes + 4, (uint64_t)hits[h].distance);
            sha256_add(&answers, bytes, sizeof bytes);
        }
    }
    sha256_end(&answers, digest);
    test_unhex("ea74e2f8c35691d26c9c41842916d5835070863cbd426c9f6a7770444dfa42c9", wanted);
    EXPECT_BYTES(digest, wanted, sizeof digest);
    kernel_destroy(trial.kernel);
}

/* Each is reached, and as many as are asked for are found. */
static void equal_vectors_are_an_ordinary_case(void) {
    enum { K = 1000 };
    static struct hit hits[K];
    static const int32_t values[8] = {65536, 0, 5 << 16};
    struct trial trial;
    trial_begin(&trial, METRIC_L2, 8, 16, 40);
    uint32_t count = emulated() ? 2000 : 100000;
    for (uint32_t i = 0; i < count; i++)
        EXPECT(trial_put(&trial, i, values) == STATUS_OK);
    const struct collection *collection = trial_collection(&trial);
    expect_sound(collection, "equal vectors");
    _Alignas(64) int32_t asked[16] = {0};
    struct query query = {.values = asked, .k = 10, .ef = 16};
    EXPECT_EQUAL(search_all(kernel_state(trial.kernel), collection, query, hits), 10);
    query.k = K;
    EXPECT_EQUAL(search_all(kernel_state(trial.kernel), collection, query, hits), K);
    kernel_destroy(trial.kernel);
}

/* Recomputing sees an index that is not its records'. */
static void damaged_index_shows(void) {
    struct trial trial;
    struct roots roots;
    trial_begin(&trial, METRIC_COSINE, 4, 4, 20);
    for (uint32_t i = 0; i < 200; i++) {
        int32_t values[4] = {(int32_t)i * 100, 65536, -(int32_t)i * 7, 5};
        trial_put(&trial, i, values);
    }
    const struct hnsw *hnsw = &trial_collection(&trial)->hnsw;
    const struct state *state = kernel_state(trial.kernel);
    uint32_t high = hnsw->entry;
    EXPECT(hnsw->top > 0);
    kernel_seal(trial.kernel, &roots);
    uint8_t *damaged[] = {
        (uint8_t *)(uintptr_t)pool_row(&hnsw->codes, 7),
        (uint8_t *)(uintptr_t)pool_row(&hnsw->facts, 7),
        (uint8_t *)(uintptr_t)&point_at(hnsw, 7)->slot,
        (uint8_t *)(uintptr_t)(hnsw_links(hnsw, 0, 7) + 1) + 2,
        (uint8_t *)(uintptr_t)(hnsw_links(hnsw, 1, high) + 1) + 2,
    };
    EXPECT(recompute_all(state, false, &roots) == STATUS_OK);
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        *damaged[i] ^= 0x40;
        EXPECT(recompute_all(state, false, &roots) == STATUS_CORRUPT);
        *damaged[i] ^= 0x40;
    }
    EXPECT(recompute_all(state, false, &roots) == STATUS_OK);
    kernel_destroy(trial.kernel);
}

/* Another vector under the same name is another point; the same one is not. */
static void update_moves_the_point_only_if_the_values_change(void) {
    struct trial trial;
    int32_t values[4] = {1 << 16, 2 << 16, 3 << 16, 4 << 16};
    trial_begin(&trial, METRIC_L2, 4, 4, 20);
    for (uint32_t i = 0; i < 50; i++) {
        values[0] = (int32_t)i << 16;
        trial_put(&trial, i, values);
    }
    const struct collection *collection = trial_collection(&trial);
    uint8_t before[SHA256_SIZE], after[SHA256_SIZE], chain[SHA256_SIZE];
    graph_hash(&collection->hnsw, before);
    memcpy(chain, collection->chain, sizeof chain);
    trial_put(&trial, 49, values);
    graph_hash(&collection->hnsw, after);
    EXPECT_BYTES(after, before, sizeof after);
    EXPECT_BYTES(collection->chain, chain, sizeof chain);
    EXPECT_EQUAL(collection->next_slot, 51);

    values[3] = 9 << 16;
    trial_put(&trial, 49, values);
    EXPECT_EQUAL(collection->hnsw.live, 50);
    EXPECT_EQUAL(collection->hnsw.dead, 1);
    expect_sound(collection, "updated");
    EXPECT(memcmp(collection->chain, chain, sizeof chain) != 0);
    kernel_destroy(trial.kernel);
}

int main(void) {
    simd_select(NULL);
    RUN(graph_is_that_of_the_plain_rules_on_real_data);
    RUN(graph_is_that_of_the_plain_rules_with_many_ties);
    RUN(real_data_is_found);
    RUN(real_graph_is_the_same_everywhere);
    RUN(equal_vectors_are_an_ordinary_case);
    RUN(damaged_index_shows);
    RUN(update_moves_the_point_only_if_the_values_change);
    return test_finish();
}
