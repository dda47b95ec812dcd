/* The index chain, computed again from what the rows were before and after. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "base/buffer.h"
#include "kernel/fixture.h"

#include "kernel/hnsw_graph.h"

enum { POINTS_MAX = 400, LAYERS = 6, DEGREE = 10 };
struct rows {
    uint32_t level1[POINTS_MAX]; /* level + 1; 0: there is no such point */
    uint32_t links[LAYERS][POINTS_MAX][DEGREE];
};

static void read_rows(const struct collection *collection, struct rows *rows) {
    memset(rows, 0, sizeof *rows);
    if (!collection) return;
    const struct hnsw *hnsw = &collection->hnsw;
    for (uint32_t point = 1; point < hnsw->points.limit; point++) {
        if (!exists(hnsw, point)) continue;
        uint32_t level = level_of_point(hnsw, point);
        rows->level1[point] = level + 1;
        for (uint32_t layer = 0; layer <= level; layer++)
            memcpy(rows->links[layer][point], hnsw_links(hnsw, layer, point),
                   4 * (size_t)hnsw_degree(hnsw, layer));
    }
}

static bool row_changed(const struct rows *before, const struct rows *after, uint32_t layer,
                        uint32_t point) {
    bool was = layer < before->level1[point], is = layer < after->level1[point];
    return was != is ||
           memcmp(before->links[layer][point], after->links[layer][point], 4 * DEGREE) != 0;
}

static void put32(struct buffer *buffer, uint32_t number) {
    uint8_t bytes[4];
    store_le32(bytes, number);
    buffer_append(buffer, bytes, 4);
}

/* The step as docs/semantics-hnsw-1.md has it, from the rows that differ. */
static bool expected_step(const struct rows *before, const struct rows *after,
                          const struct hnsw *hnsw, uint64_t sequence, uint8_t chain[SHA256_SIZE]) {
    struct buffer delta;
    uint32_t count = 0;
    buffer_init(&delta, &libc_allocator, 1 << 20);
    for (uint32_t layer = 0; layer < LAYERS; layer++)
        for (uint32_t point = 1; point < POINTS_MAX; point++) {
            if (!row_changed(before, after, layer, point)) continue;
            const uint32_t *links = after->links[layer][point];
            uint32_t number = links_count(links, DEGREE);
            count++;
            put32(&delta, layer);
            put32(&delta, point);
            put32(&delta, number);
            for (uint32_t i = 0; i < number; i++) put32(&delta, links[i]);
        }
    struct slice rows = buffer_slice(&delta);
    uint8_t bytes[1 + 32 + 8 + 8 + 12] = {0x19};
    memcpy(bytes + 1, chain, 32);
    store_le64(bytes + 33, sequence);
    store_le64(bytes + 41, 12 + rows.size);
    store_le32(bytes + 49, hnsw->entry);
    store_le32(bytes + 53, hnsw->top);
    store_le32(bytes + 57, count);
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, bytes, sizeof bytes);
    sha256_add(&hash, rows.data, rows.size);
    if (count > 0) sha256_end(&hash, chain);
    buffer_free(&delta);
    return count > 0;
}

static void chain_covers_every_change_of_a_row(void) {
    static struct rows before, after;
    struct trial trial;
    uint8_t chain[SHA256_SIZE] = {0};
    uint64_t seed = 4;
    uint32_t steps = 0, changes = 0;
    trial_begin(&trial, METRIC_L2, 6, 5, 20);
    for (int i = 0; i < 2500 && test_run.ok; i++) {
        int32_t values[6];
        uint32_t name = chance_below(&seed, 120);
        for (int d = 0; d < 6; d++) values[d] = (int32_t)chance_below(&seed, 30) << 16;
        read_rows(trial_collection(&trial), &before);
        uint64_t sequence = trial.sequence;
        bool put = chance_below(&seed, 10) < (i / 300 % 2 ? 3u : 7u);
        enum status status =
            put ? trial_put(&trial, name, values) : trial_drop(&trial, name);
        if (status) continue;
        const struct collection *collection = trial_collection(&trial);
        read_rows(collection, &after);
        EXPECT(collection->hnsw.points.limit <= POINTS_MAX);
        changes++;
        steps += expected_step(&before, &after, &collection->hnsw, sequence, chain);
        EXPECT_BYTES(collection->chain, chain, sizeof chain);
    }
    EXPECT(steps > 1000 && steps < changes);
    kernel_destroy(trial.kernel);
}

/* Equal entries: equal roots, chain included. The same contents otherwise: another chain, and the
 * same content root. */
static void chain_is_part_of_the_state_root_and_not_of_the_content_root(void) {
    struct trial a, b;
    struct roots sealed[2], content[2];
    uint8_t chains[2][SHA256_SIZE];
    for (int i = 0; i < 2; i++) {
        struct trial *trial = i == 0 ? &a : &b;
        trial_begin(trial, METRIC_L2, 4, 4, 20);
        trial->sequence = i == 0 ? 0 : 1000;
        for (uint32_t name = 0; name < 40; name++) {
            int32_t values[4] = {(int32_t)(name * name % 17) << 16, (int32_t)name << 12, 0, 7};
            trial_put(trial, name, values);
        }
        const struct collection *collection = trial_collection(trial);
        memcpy(chains[i], collection->chain, SHA256_SIZE);
        kernel_seal(trial->kernel, &sealed[i]);
        EXPECT(recompute_all(kernel_state(trial->kernel), true, &content[i]) ==
               STATUS_OK);
        struct roots again;
        EXPECT(recompute_all(kernel_state(trial->kernel), false, &again) == STATUS_OK);
        EXPECT_BYTES(again.state_root, sealed[i].state_root, SHA256_SIZE);
    }
    EXPECT(memcmp(chains[0], chains[1], SHA256_SIZE) != 0);
    EXPECT(memcmp(sealed[0].state_root, sealed[1].state_root, SHA256_SIZE) != 0);
    EXPECT_BYTES(content[0].state_root, content[1].state_root, SHA256_SIZE);
    kernel_destroy(a.kernel);
    kernel_destroy(b.kernel);
}

int main(void) {
    RUN(chain_covers_every_change_of_a_row);
    RUN(chain_is_part_of_the_state_root_and_not_of_the_content_root);
    return test_finish();
}
