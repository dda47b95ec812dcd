/* An HNSW graph of each metric, grown, half deleted and grown again: the state roots, which the
 * index chain enters, and the answers of walks, compared with constants that never change. */
#include "golden/kernel_room.h"

#include "base/bytes.h"
#include "kernel/search.h"
#include "kernel/simd.h"

enum { DIM = 20, NAMES = 700, K = 10 };

static struct kernel *kernel;
static uint64_t sequence, random_state;

static uint32_t draw(uint32_t limit) {
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)((random_state >> 32) * limit >> 32);
}

/* Around one of thirty centres. L2: bytes; the others: of either sign. */
static void draw_values(uint8_t metric, int32_t *values) {
    uint32_t centre = draw(30);
    for (uint32_t i = 0; i < DIM; i++) {
        uint32_t base = (centre * 7919 + i * 104729) % 200;
        uint32_t value = base + draw(50);
        values[i] = metric == METRIC_L2 ? (int32_t)(value << 16) : (int32_t)value * 1000 - 125000;
    }
}

static void submit(uint8_t type, uint8_t metric, uint32_t name) {
    static uint8_t vector[6 + 4 * DIM], element[4];
    int32_t values[DIM];
    struct outcome outcome;
    bool scaled = metric == METRIC_COSINE;
    struct change change = {
        .type = type, .key = slice_of(&metric, 1), .element = slice_of(element, sizeof element)};
    store_le32(element, name);
    if (type == CHANGE_VADD) {
        draw_values(metric, values);
        vector_encode(values, DIM, scaled, 0, vector);
        change.vector = slice_of(vector, vector_bytes_size(scaled, DIM));
        change.flags = CHANGE_VECTOR | CHANGE_CONFIG;
        change.config = (struct config){.metric = metric, .index = INDEX_HNSW, .dim = DIM,
                                        .m = 4, .ef = 24, .origin = ORIGIN_VCREATE};
    }
    change_commit(&change);
    if (kernel_admit(kernel, &change)) return;
    kernel_apply(kernel, sequence++, &change, &outcome);
}

static void hash_answers(uint8_t hash[SHA256_SIZE]) {
    static _Alignas(64) uint8_t bytes[1 << 18];
    static _Alignas(64) int32_t values[32];
    static struct search_room room = {.bytes = bytes, .size = sizeof bytes};
    struct sha256 sum;
    room.clean = 0;
    sha256_begin(&sum);
    for (uint32_t i = 0; i < 90; i++) {
        uint8_t metric = (uint8_t)(METRIC_COSINE + i % 3), number[16];
        const struct state *state = kernel_state(kernel);
        const struct collection *collection =
            state_collection(state, 0, slice_of(&metric, 1));
        struct query query = {.values = values, .k = K, .ef = 16 + i % 5, .room = &room};
        struct search search;
        struct hit hits[K];
        draw_values(metric, values);
        search_begin(&search, state, collection, &query, hits);
        while (!search_step(&search, 100)) {}
        for (uint32_t h = 0; h < search.hit_count; h++) {
            struct record record;
            if (!record_at(state, collection, hits[h].slot, &record)) failed++;
            store_le64(number, metric == METRIC_L2 ? (uint64_t)hits[h].distance
                                                   : (uint64_t)hits[h].product);
            store_le64(number + 8, hits[h].norm);
            sha256_add(&sum, number, sizeof number);
            sha256_add(&sum, record.element.data, record.element.size);
        }
    }
    sha256_end(&sum, hash);
}

static void grow(uint32_t changes) {
    for (uint32_t i = 0; i < changes; i++)
        for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP; metric++)
            submit(CHANGE_VADD, metric, draw(NAMES));
}

static void compare_all(const char *root, const char *answers) {
    struct roots roots;
    uint8_t hash[SHA256_SIZE];
    kernel_seal(kernel, &roots);
    compare("state root", roots.state_root, root);
    hash_answers(hash);
    compare("search results", hash, answers);
}

static void run_at_this_level(void) {
    struct memory_source source = {.take = take_region, .give = give_region};
    sequence = 0;
    random_state = 4;
    if (kernel_create(&source, &kernel)) {
        failed++;
        return;
    }
    grow(600);
    compare_all("a80bd529eaec6a028b902f67ec6d7e5ec8c6abb16197a60b34f3290de4ac5ad0",
                "366bf654fd200ddfe37d82b65058891924000cae988593404e0b772ff1a34145");
    for (uint32_t i = 0; i < 2 * NAMES; i++)
        for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP; metric++)
            submit(CHANGE_VREM, metric, draw(NAMES));
    grow(900);
    compare_all("6cf73b9dc7701dc8fefdd786c97d3c64c90ae892667f255bd38f55c894fa5285",
                "44371ed0de186e586d5242a43394dc1c25bc8aad205ddb5d50b8dc0acdaaf4d7");
    kernel_destroy(kernel);
}

int golden_run(void) {
    static const char *const levels[] = {"portable", "sse4.1", "avx2", "avx512", "neon"};
    failed = 0;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (simd_select(levels[i])) run_at_this_level();
    simd_select("portable");
    return failed;
}
