/* Deleting from an HNSW index. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "kernel/fixture.h"

#include "kernel/hnsw_graph.h"

/* Values on a coarse lattice: many ties, many equal vectors. */
static void draw_values(uint64_t *seed, uint32_t dim, uint32_t spread, int32_t *values) {
    for (uint32_t i = 0; i < dim; i++)
        values[i] = (int32_t)chance_below(seed, spread) << 16;
}

/* Puts and drops at random; after each the graph is sound. */
static void random_changes(uint8_t metric, uint32_t m, uint32_t spread, uint32_t names,
                           uint32_t changes) {
    struct trial trial;
    uint64_t seed = 7 + m + spread + metric;
    trial_begin(&trial, metric, 6, m, 20);
    for (uint32_t i = 0; i < changes; i++) {
        int32_t values[6];
        uint32_t name = chance_below(&seed, names);
        /* Phases of mostly growing and mostly shrinking. */
        bool put = chance_below(&seed, 10) < (i / (2 * names) % 2 ? 3u : 7u);
        draw_values(&seed, 6, spread, values);
        if (put) EXPECT(trial_put(&trial, name, values) == STATUS_OK);
        else trial_drop(&trial, name);
        if (!trial_collection(&trial)) continue;
        char when[80];
        snprintf(when, sizeof when, "metric %u, m %u, spread %u, change %u", metric, m, spread, i);
        expect_sound(trial_collection(&trial), when);
        if (!test_run.ok) break;
    }
    kernel_destroy(trial.kernel);
}

static void graph_stays_sound_whatever_comes(void) {
    for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP; metric++) {
        random_changes(metric, 2, 4, 60, 2000);
        random_changes(metric, 5, 100, 60, 2000);
    }
    if (emulated()) return;
    random_changes(METRIC_L2, 2, 1, 200, 3000);
    random_changes(METRIC_L2, 16, 2, 300, 3000);
}

/* All that a deleted collection's index held comes back; the second round takes no more than the
 * first, whose working memory is kept. */
static void deleted_collection_gives_its_index_back(void) {
    struct trial trial;
    uint64_t seed = 2, used[3];
    trial_begin(&trial, METRIC_L2, 6, 8, 30);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 500; i++) {
            int32_t values[6];
            draw_values(&seed, 6, 90, values);
            trial_put(&trial, i, values);
        }
        struct change del = {.type = CHANGE_DEL, .key = slice_text("c")};
        EXPECT(perform(trial.kernel, trial.sequence++, &del) == STATUS_OK);
        uint32_t slices = 0;
        while (kernel_tidy(trial.kernel, 5)) slices++;
        EXPECT(slices > 100);
        used[round] = kernel_memory_used(trial.kernel);
    }
    EXPECT_EQUAL(used[1], used[0]);
    EXPECT_EQUAL(used[2], used[0]);
    kernel_destroy(trial.kernel);
}

/* --- Real data ------------------------------------------------------------------------------ */

enum { ROWS = 10000, QUERIES = 100, K = 10 };
static int32_t rows[ROWS][128];

/* Share of the ten nearest that a search with this EF gives, in 1/10,000. */
static uint32_t recall(const struct trial *trial, uint32_t ef) {
    const struct collection *collection = trial_collection(trial);
    uint32_t near = 0;
    for (uint32_t i = 0; i < QUERIES; i++) {
        _Alignas(64) int32_t values[128];
        struct hit hits[K], nearest[K];
        /* Between two descriptors. */
        for (uint32_t d = 0; d < 128; d++) values[d] = (rows[i][d] + rows[i + QUERIES][d]) / 2;
        struct query query = {.values = values, .k = K, .ef = ef};
        const struct state *state = kernel_state(trial->kernel);
        EXPECT_EQUAL(search_all(state, collection, query, hits), K);
        query.exact = true;
        EXPECT_EQUAL(search_all(state, collection, query, nearest), K);
        for (uint32_t h = 0; h < K; h++) near += hits[h].distance <= nearest[K - 1].distance;
    }
    return near * 10000 / (QUERIES * K);
}

/* Of the rows 2,000 to 10,000, half is dropped and the rest of the file put in its place: the
 * graph is as good as one that was built of these alone. */
static void half_is_dropped_and_others_come(void) {
    if (emulated()) SKIP("slow here; golden_hnsw has a graph that was half deleted");
    if (read_descriptors(rows, ROWS) < ROWS) SKIP("tests/data is not here");
    struct trial churned, fresh;
    trial_begin(&churned, METRIC_L2, 128, 16, 100);
    trial_begin(&fresh, METRIC_L2, 128, 16, 100);
    uint64_t seed = 3;
    static bool dropped[ROWS];
    for (uint32_t i = 0; i < 6000; i++) trial_put(&churned, i, rows[i]);
    for (uint32_t left = 3000; left > 0;) {
        uint32_t i = chance_below(&seed, 6000);
        if (dropped[i]) continue;
        dropped[i] = true;
        left--;
        EXPECT(trial_drop(&churned, i) == STATUS_OK);
    }
    expect_sound(trial_collection(&churned), "half is dropped");
    for (uint32_t i = 6000; i < ROWS; i++) trial_put(&churned, i, rows[i]);
    const struct hnsw *hnsw = &trial_collection(&churned)->hnsw;
    expect_sound(trial_collection(&churned), "others have come");
    EXPECT(hnsw->rounds == 1 && hnsw->phase == HNSW_QUIET && hnsw->dead == 0);
    EXPECT(hnsw->points.limit < 8500); /* Freed points were used again. */

    for (uint32_t i = 0; i < ROWS; i++)
        if (!dropped[i]) trial_put(&fresh, i, rows[i]);
    for (uint32_t ef = 24; ef <= 96; ef *= 2) {
        uint32_t now = recall(&churned, ef), then = recall(&fresh, ef);
        if (now + 100 < then)
            printf("  ef %u: %u, fresh %u\n", ef, now, then);
        EXPECT(now + 100 >= then);
    }
    kernel_destroy(churned.kernel);
    kernel_destroy(fresh.kernel);
}

int main(void) {
    RUN(deleted_collection_gives_its_index_back);
    RUN(half_is_dropped_and_others_come);
    RUN(graph_stays_sound_whatever_comes);
    return test_finish();
}
