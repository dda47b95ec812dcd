/* tools/benchmark_truth and _nearest: files, brute force against a plain sort, recall. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_truth.h"

#include <math.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os/os.h"
#include "test.h"
#include "tools/benchmark_tags.h"

static char directory[] = "/tmp/valori-test-XXXXXX";
static char path[128];
static struct complaint complaint;

/* Write `size` bytes to a file of that name; its path is in `path`. */
static void make_file(const char *name, const void *bytes, size_t size) {
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    EXPECT(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void truth_is_read(void) {
    uint8_t bytes[24] = {2};
    struct truth truth;
    bytes[12] = 2;
    store_le32(bytes + 4, 70000);
    store_le32(bytes + 20, 3);
    make_file("t.ivecs", bytes, sizeof bytes);
    EXPECT_EQUAL(truth_read(&truth, os_allocator(), path, &complaint), STATUS_OK);
    EXPECT_EQUAL(truth.queries, 2);
    EXPECT_EQUAL(truth.depth, 2);
    EXPECT_EQUAL(truth_row(&truth, 0)[0], 70000);
    EXPECT_EQUAL(truth_row(&truth, 1)[1], 3);
    truth_free(&truth);

    store_le32(bytes + 20, UINT32_MAX);
    make_file("t.ivecs", bytes, sizeof bytes);
    EXPECT_EQUAL(truth_read(&truth, os_allocator(), path, &complaint), STATUS_INVALID);
    EXPECT(strstr(complaint.text, "row 1 names the neighbour -1"));
    make_file("t.fvecs", bytes, sizeof bytes);
    EXPECT_EQUAL(truth_read(&truth, os_allocator(), path, &complaint), STATUS_INVALID);
    EXPECT(strstr(complaint.text, "int32"));
    remove(path);
    snprintf(path, sizeof path, "%s/t.ivecs", directory);
    remove(path);
    EXPECT_EQUAL(truth_read(&truth, os_allocator(), path, &complaint), STATUS_NOT_FOUND);
    EXPECT_EQUAL(truth_read(&truth, os_allocator(), directory, &complaint),
                 STATUS_INVALID);
}

/* --- Brute force --- */

#define ROWS    700
#define QUERIES 19
#define DEPTH   12

/* Is `row` one of the DEPTH nearest: fewer than DEPTH rows come before it? */
static size_t rank_of(const struct ground *ground, size_t query, size_t row) {
    size_t before = 0;
    double own = ground_distance(ground, query, row);
    for (size_t other = 0; other < ROWS; other++) {
        if (ground->tags && ground->tags[other] != ground->tag) continue;
        double distance = ground_distance(ground, query, other);
        before += distance < own || (distance == own && other < row);
    }
    return before;
}

static void brute_force_is_a_sort(void) {
    static uint32_t tags[ROWS];
    struct dataset base, queries;
    struct truth truth;
    for (size_t i = 0; i < ROWS; i++) tags[i] = i % 100 == 7 ? 2 : 1;
    EXPECT_EQUAL(dataset_read(&base, os_allocator(), "gauss:700:21", 0, 1, &complaint),
                 0);
    EXPECT_EQUAL(dataset_read(&queries, os_allocator(), "gauss:19:21", 0, 2, &complaint),
                 0);
    for (unsigned metric = USE_COSINE; metric <= USE_IP; metric++)
        for (uint32_t tag = 0; tag <= 2; tag++) {
            struct ground ground = {.base = &base,
                                    .queries = &queries,
                                    .metric = metric,
                                    .tags = tag > 0 ? tags : NULL,
                                    .tag = tag};
            EXPECT_EQUAL(truth_compute(&truth, os_allocator(), &ground, DEPTH, 1 + tag,
                                       &complaint),
                         0);
            for (size_t query = 0; query < QUERIES; query++)
                for (size_t i = 0; i < DEPTH; i++) {
                    int32_t row = truth_row(&truth, query)[i];
                    if (tag == 2 && i >= 7) EXPECT_EQUAL(row, -1);
                    else EXPECT_EQUAL(rank_of(&ground, query, (size_t)row), i);
                }
            truth_free(&truth);
        }
    dataset_free(&base);
    dataset_free(&queries);
}

/* --- Recall --- */

static void recall_by_rows_and_by_distance(void) {
    /* On a line: 0 1 2 .. 9, query 5; 4 and 6 are as near. */
    uint8_t bytes[18] = {10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct dataset base, queries;
    int32_t rows[] = {5, 4, -1};
    struct truth truth = {.neighbors = rows, .queries = 1, .depth = 3};
    make_file("a.u8bin", bytes, sizeof bytes);
    char source[160];
    snprintf(source, sizeof source, "%s@5:6", path);
    EXPECT_EQUAL(dataset_read(&base, os_allocator(), path, 0, 1, &complaint), 0);
    EXPECT_EQUAL(dataset_read(&queries, os_allocator(), source, 0, 1, &complaint), 0);
    struct ground ground = {.base = &base, .queries = &queries, .metric = USE_L2};
    static const struct {
        int32_t found[3];
        size_t count;
        double share;
    } cases[] = {{{5, 4, -1}, 2, 1},    {{4, 5, -1}, 2, 1}, {{5, 6, -1}, 2, 1},
                 {{5, 5, 5}, 2, 0.5},   {{7, 3, -1}, 2, 0}, {{-1, -1, -1}, 2, 0},
                 {{5, 99, -1}, 2, 0.5}, {{5, 4, 6}, 3, 1},  {{5, 7, 8}, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double share = recall_of(&truth, &ground, 0, cases[i].found, 3, cases[i].count);
        EXPECT(share == cases[i].share);
    }
    dataset_free(&base);
    dataset_free(&queries);
    remove(path);
}

static void recall_over_queries(void) {
    double shares[20];
    struct recall recall;
    for (size_t i = 0; i < 20; i++) shares[i] = i < 10 ? 1 : 0.5;
    recall_summarise(&recall, shares, 20);
    EXPECT(recall.mean == 0.75 && recall.least == 0.5 && recall.p5 == 0.5);
    EXPECT(fabs(recall.deviation - 0.25) < 1e-12);
    recall_summarise(&recall, shares, 0);
    EXPECT_EQUAL(recall.queries, 0);
}

/* --- Tags --- */

static void tags_have_their_shares(void) {
    static uint32_t tags[20000];
    struct benchmark_options options = {
        .selectivity = {.values = {100000, 10000000, 50000000}, .count = 3}, .seed = 1};
    struct dataset base;
    EXPECT_EQUAL(dataset_read(&base, os_allocator(), "uniform:20000:2", 0, 1, &complaint),
                 0);
    for (unsigned rule = TAGS_RANDOM; rule <= TAGS_CLUSTERED; rule++) {
        size_t counts[4] = {0};
        options.tag_rule = rule;
        EXPECT_EQUAL(tags_assign(&options, &base, os_allocator(), tags), 0);
        for (size_t i = 0; i < 20000; i++) counts[tags[i]]++;
        EXPECT(counts[1] >= 5 && counts[1] <= 40);
        EXPECT(counts[2] > 1850 && counts[2] < 2150);
        EXPECT(counts[3] > 9700 && counts[3] < 10300);
    }
    dataset_free(&base);
}

int main(void) {
    if (!mkdtemp(directory)) return 1;
    RUN(truth_is_read);
    RUN(brute_force_is_a_sort);
    RUN(recall_by_rows_and_by_distance);
    RUN(recall_over_queries);
    RUN(tags_have_their_shares);
    rmdir(directory);
    return test_finish();
}
