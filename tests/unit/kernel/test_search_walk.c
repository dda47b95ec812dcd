/* Searches through the index: when they walk, what they answer, from a view as well. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "kernel/fixture.h"
#include "kernel/simd.h"

#include "kernel/hnsw_graph.h"

enum { DIM = 12, COUNT = 3000, K = 10 };
static int32_t values[COUNT][DIM];
static _Alignas(64) int32_t asked[16];

static void draw_all(uint64_t seed) {
    for (uint32_t i = 0; i < COUNT; i++)
        for (uint32_t d = 0; d < DIM; d++)
            values[i][d] = (int32_t)chance_below(&seed, 131073) - 65536;
}

static void build(struct trial *trial, uint8_t metric, uint32_t count) {
    trial_begin(trial, metric, DIM, 6, 30);
    for (uint32_t i = 0; i < count; i++) trial_put(trial, i, values[i]);
}

static void ask(uint32_t which) { memcpy(asked, values[which], sizeof values[which]); }

static void few_records_are_scanned_and_many_are_walked(void) {
    struct trial trial;
    draw_all(1);
    build(&trial, METRIC_L2, 17 * 16);
    const struct collection *collection = trial_collection(&trial);
    struct query query = {.values = asked, .k = 3, .ef = 17};
    EXPECT_EQUAL(search_room_size(collection, &query), 0);
    query.ef = 16;
    EXPECT(search_room_size(collection, &query) > 0);
    query.ef = 5; /* counts as 16 */
    EXPECT(search_room_size(collection, &query) > 0);
    query.k = 17; /* EF is at least k */
    EXPECT_EQUAL(search_room_size(collection, &query), 0);
    query.k = 3;
    query.exact = true;
    EXPECT_EQUAL(search_room_size(collection, &query), 0);
    query.exact = false;
    kernel_destroy(trial.kernel);
}

static bool same_hits(const struct hit *a, const struct hit *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (a[i].slot != b[i].slot || a[i].distance != b[i].distance ||
            a[i].product != b[i].product || a[i].norm != b[i].norm)
            return false;
    return true;
}

/* A wide beam finds what the scan finds, hit for hit; in slices or at once. */
static void walk_and_scan_agree(void) {
    for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP; metric++) {
        struct trial trial;
        draw_all(metric);
        build(&trial, metric, COUNT);
        const struct state *state = kernel_state(trial.kernel);
        const struct collection *collection = trial_collection(&trial);
        expect_sound(collection, "random values");
        uint32_t equal = 0;
        for (uint32_t i = 0; i < 100; i++) {
            struct hit hits[K], nearest[K], sliced[K];
            ask(i);
            struct query query = {.values = asked, .k = K, .ef = 180};
            EXPECT_EQUAL(search_all(state, collection, query, hits), K);
            struct search search;
            query.room = roomy(collection, &query);
            search_begin(&search, state, collection, &query, sliced);
            uint32_t steps = 1;
            while (!search_step(&search, 1)) steps++;
            EXPECT(steps > 20);
            EXPECT(same_hits(hits, sliced, K));
            query.exact = true;
            EXPECT_EQUAL(search_all(state, collection, query, nearest), K);
            equal += same_hits(hits, nearest, K);
        }
        EXPECT(equal >= (metric == METRIC_IP ? 60 : 97));
        kernel_destroy(trial.kernel);
    }
}

/* Answers and graph at every level that this CPU has. */
static void levels_of_instructions_agree(void) {
    static const char *const levels[] = {"portable", "sse4.1", "avx2", "avx512", "neon"};
    uint8_t wanted[SHA256_SIZE], given[SHA256_SIZE];
    static struct hit first[100][K];
    bool have = false;
    draw_all(9);
    for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++) {
        if (!simd_select(levels[l])) continue;
        struct trial trial;
        build(&trial, METRIC_COSINE, 1500);
        const struct collection *collection = trial_collection(&trial);
        graph_hash(&collection->hnsw, given);
        if (!have) memcpy(wanted, given, sizeof given);
        EXPECT_BYTES(given, wanted, sizeof given);
        for (uint32_t i = 0; i < 100; i++) {
            struct hit hits[K];
            ask(i);
            struct query query = {.values = asked, .k = K, .ef = 20};
            search_all(kernel_state(trial.kernel), collection, query, hits);
            if (!have) memcpy(first[i], hits, sizeof hits);
            EXPECT(same_hits(first[i], hits, K));
        }
        have = true;
        kernel_destroy(trial.kernel);
    }
    simd_select(NULL);
}

/* A view answers as it did when it was made, while the graph changes; and the changes are those
 * that they would have been without it. */
static void view_is_searched_while_the_state_changes(void) {
    struct trial frozen, free_one;
    uint8_t a[SHA256_SIZE], b[SHA256_SIZE], before[SHA256_SIZE], after[SHA256_SIZE];
    draw_all(5);
    build(&frozen, METRIC_L2, 1000);
    build(&free_one, METRIC_L2, 1000);
    const struct state *view;
    EXPECT(kernel_freeze(frozen.kernel, &view) == STATUS_OK);
    const struct collection *seen = state_collection(view, 0, slice_text("c"));
    graph_hash(&seen->hnsw, before);
    static struct hit first[50][K];
    struct query query = {.values = asked, .k = K, .ef = 24};
    for (uint32_t i = 0; i < 50; i++) {
        ask(i);
        EXPECT_EQUAL(search_all(view, seen, query, first[i]), K);
    }
    uint64_t seed = 8;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t name = chance_below(&seed, 1200);
        bool drop = chance_below(&seed, 10) < (i < 1200 ? 9u : 3u);
        for (int both = 0; both < 2; both++) {
            struct trial *trial = both ? &free_one : &frozen;
            if (drop) trial_drop(trial, name);
            else trial_put(trial, name, values[name]);
        }
        if (i % 60 > 0) continue;
        struct hit hits[K];
        ask(i / 60);
        EXPECT_EQUAL(search_all(view, seen, query, hits), K);
        EXPECT(same_hits(hits, first[i / 60], K));
    }
    graph_hash(&seen->hnsw, after);
    EXPECT_BYTES(after, before, sizeof after);
    expect_sound(seen, "in the view");
    expect_sound(trial_collection(&frozen), "beside the view");
    graph_hash(&trial_collection(&frozen)->hnsw, a);
    graph_hash(&trial_collection(&free_one)->hnsw, b);
    EXPECT_BYTES(a, b, sizeof a);
    EXPECT(trial_collection(&frozen)->hnsw.rounds > 0);
    kernel_release(frozen.kernel, view);
    kernel_destroy(frozen.kernel);
    kernel_destroy(free_one.kernel);
}

/* Where the walk meets nothing but what was deleted, all that is asked for is found. */
static void deleted_neighbourhood_hides_nothing(void) {
    enum { CROWD = 500, REST = 600 };
    struct trial trial;
    struct hit hits[K], nearest[K];
    draw_all(3);
    trial_begin(&trial, METRIC_L2, DIM, 4, 20);
    for (uint32_t i = 0; i < CROWD; i++) { /* close together, far from the others */
        for (uint32_t d = 0; d < DIM; d++) values[i][d] = (100 << 16) + values[i][d] / 64;
        trial_put(&trial, i, values[i]);
    }
    for (uint32_t i = CROWD; i < CROWD + REST; i++) trial_put(&trial, i, values[i]);
    for (uint32_t i = 0; i < CROWD; i++) trial_drop(&trial, i);
    const struct collection *collection = trial_collection(&trial);
    EXPECT_EQUAL(collection->hnsw.dead, CROWD);
    ask(0);
    struct query query = {.values = asked, .k = K, .ef = 30};
    EXPECT_EQUAL(search_all(kernel_state(trial.kernel), collection, query, hits), K);
    query.exact = true;
    EXPECT_EQUAL(search_all(kernel_state(trial.kernel), collection, query, nearest), K);
    EXPECT(same_hits(hits, nearest, K));
    /* Who comes there now is linked, and found. */
    trial_put(&trial, 7000, values[0]);
    expect_sound(collection, "an element among the dead");
    query.exact = false;
    EXPECT_EQUAL(search_all(kernel_state(trial.kernel), collection, query, hits), K);
    EXPECT_EQUAL(hits[0].distance, 0);
    kernel_destroy(trial.kernel);
}

int main(void) {
    simd_select(NULL);
    RUN(few_records_are_scanned_and_many_are_walked);
    RUN(walk_and_scan_agree);
    RUN(levels_of_instructions_agree);
    RUN(view_is_searched_while_the_state_changes);
    RUN(deleted_neighbourhood_hides_nothing);
    return test_finish();
}
