/* What must be true of every HNSW graph, and collections to try it on. For the tests of the
 * index; include after fixture.h and test.h. */
#ifndef TESTS_UNIT_KERNEL_HNSW_GRAPH_H
#define TESTS_UNIT_KERNEL_HNSW_GRAPH_H

#include "base/bytes.h"
#include "kernel/search.h"
#include "kernel/state.h"

/* --- A collection that is built by numbers ------------------------------------------------ */

struct trial {
    struct source source;
    struct kernel *kernel;
    struct config config;
    uint64_t sequence;
};

static inline void trial_begin(struct trial *trial, uint8_t metric, uint32_t dim,
                               uint32_t m, uint32_t ef) {
    *trial = (struct trial){.config = {.metric = metric,
                                       .index = INDEX_HNSW,
                                       .dim = dim,
                                       .m = m,
                                       .ef = ef,
                                       .origin = ORIGIN_VCREATE}};
    struct memory_source source = source_begin(&trial->source);
    EXPECT(kernel_create(&source, &trial->kernel) == STATUS_OK);
}

static inline struct collection *trial_collection(const struct trial *trial) {
    const struct state *state = kernel_state(trial->kernel);
    return (struct collection *)(uintptr_t)state_collection(state, 0, slice_text("c"));
}

static inline enum status trial_perform(struct trial *trial, uint8_t type, uint32_t name,
                                        const int32_t *values) {
    static uint8_t vector[6 + 4 * 4096];
    uint8_t element[4];
    store_be32(element, name);
    struct change change = {.type = type,
                            .key = slice_text("c"),
                            .element = slice_of(element, sizeof element),
                            .config = trial->config};
    if (values) {
        uint32_t dim = trial->config.dim;
        bool scaled = trial->config.metric == METRIC_COSINE;
        vector_encode(values, dim, scaled, 0, vector);
        change.vector = slice_of(vector, vector_bytes_size(scaled, dim));
        change.flags = CHANGE_VECTOR | CHANGE_CONFIG;
    }
    return perform(trial->kernel, trial->sequence++, &change);
}
static inline enum status trial_put(struct trial *trial, uint32_t name,
                                    const int32_t *values) {
    return trial_perform(trial, CHANGE_VADD, name, values);
}
static inline enum status trial_drop(struct trial *trial, uint32_t name) {
    return trial_perform(trial, CHANGE_VREM, name, NULL);
}

/* Room for any search. */
static inline struct search_room *roomy(const struct collection *collection,
                                        const struct query *query) {
    static struct search_room room;
    size_t size = search_room_size(collection, query);
    if (size > room.size) {
        free(room.bytes);
        room = (struct search_room){.size = (size + 63) / 64 * 64};
        room.bytes = aligned_alloc(64, room.size);
        memset(room.bytes, 0xa5, room.size);
    }
    return &room;
}

static inline uint32_t search_all(const struct state *state,
                                  const struct collection *collection, struct query query,
                                  struct hit *hits) {
    struct search search;
    query.room = roomy(collection, &query);
    search_begin(&search, state, collection, &query, hits);
    while (!search_step(&search, 500)) {}
    return search.hit_count;
}

/* Under an emulator (tests/arch/run) large cases take minutes. */
static inline bool emulated(void) { return getenv("RUN_WITH") != NULL; }

/* --- Real vectors --------------------------------------------------------------------------- */

/* Rows of tests/data/photosift/base.bvecs as L2 values; gives how many there are. */
static inline uint32_t read_descriptors(int32_t (*rows)[128], uint32_t count) {
    FILE *file = fopen("tests/data/photosift/base.bvecs", "rb");
    uint8_t bytes[4 + 128];
    uint32_t read = 0;
    while (file && read < count && fread(bytes, sizeof bytes, 1, file) == 1) {
        for (int i = 0; i < 128; i++) rows[read][i] = bytes[4 + i] << 16;
        read++;
    }
    if (file) fclose(file);
    return read;
}

/* --- What must be true --------------------------------------------------------------------- */

static inline bool exists(const struct hnsw *hnsw, uint32_t point) {
    return point > 0 && point < hnsw->points.limit && point_at(hnsw, point)->slot != 0;
}

static inline uint32_t level_of_point(const struct hnsw *hnsw, uint32_t point) {
    uint32_t level = 0;
    for (uint32_t row = point_at(hnsw, point)->upper; row; level++) {
        const struct upper_row *upper = pool_row(&hnsw->upper, row);
        EXPECT(upper->point == point);
        row = upper->above;
    }
    return level;
}

static inline bool has_link(const struct hnsw *hnsw, uint32_t layer, uint32_t from, uint32_t to) {
    const uint32_t *links = hnsw_links(hnsw, layer, from);
    for (uint32_t i = 0; i < hnsw_degree(hnsw, layer); i++)
        if (links[i] == to) return true;
    return false;
}

/* The row is in front, in bounds, leads to points of the layer, to none twice nor to itself. */
static inline bool row_sound(const struct hnsw *hnsw, uint32_t layer, uint32_t point) {
    const uint32_t *links = hnsw_links(hnsw, layer, point);
    uint32_t count = links_count(links, hnsw_degree(hnsw, layer));
    for (uint32_t i = count; i < hnsw_width(hnsw, layer); i++)
        if (links[i] != 0) return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t to = links[i] & LINK_POINT;
        if (!exists(hnsw, to) || to == point || level_of_point(hnsw, to) < layer) return false;
        bool pinned = (links[i] & LINK_PIN) != 0;
        if (pinned && (layer > 0 || !has_link(hnsw, 0, to, point | LINK_PIN))) return false;
        for (uint32_t j = 0; j < i; j++)
            if ((links[j] & LINK_POINT) == to) return false;
    }
    return true;
}

/* How many points the pinned links lead to from `from`, and half of their number. */
static inline uint32_t tree_size(const struct hnsw *hnsw, uint32_t from, uint64_t *edges) {
    uint32_t *queue = malloc(4 * (size_t)hnsw->points.limit);
    bool *seen = calloc(hnsw->points.limit, 1);
    uint32_t count = 0;
    uint64_t pins = 0;
    queue[count++] = from;
    seen[from] = true;
    for (uint32_t at = 0; at < count; at++) {
        const uint32_t *links = hnsw_links(hnsw, 0, queue[at]);
        for (uint32_t i = 0; i < hnsw_degree(hnsw, 0); i++) {
            if (!(links[i] & LINK_PIN)) continue;
            uint32_t to = links[i] & LINK_POINT;
            pins++;
            if (!seen[to]) queue[count++] = to;
            seen[to] = true;
        }
    }
    free(queue);
    free(seen);
    *edges = pins / 2;
    return count;
}

/* All of it; the first thing that is wrong is named. */
static inline const char *graph_fault(const struct collection *collection) {
    const struct hnsw *hnsw = &collection->hnsw;
    uint32_t points = 0, live = 0;
    for (uint32_t point = 1; point < hnsw->points.limit; point++) {
        if (!exists(hnsw, point)) continue;
        points++;
        if (point_live(hnsw, point)) {
            uint32_t slot = point_at(hnsw, point)->slot - 1;
            live++;
            if (!slot_live(collection, slot) || meta_at(collection, slot)->point != point)
                return "a live point is its record's";
        }
        for (uint32_t layer = 0; layer <= level_of_point(hnsw, point); layer++)
            if (!row_sound(hnsw, layer, point)) return "a row is sound";
    }
    if (live != hnsw->live || live != collection->live) return "live points are counted";
    if (points != live + hnsw->dead + hnsw->condemned) return "dead points are counted";
    if (points == 0) return hnsw->entry ? "no point, no entry" : NULL;
    if (!exists(hnsw, hnsw->entry)) return "the entry exists";
    if (level_of_point(hnsw, hnsw->entry) != hnsw->top) return "top is the entry's layer";
    uint64_t edges;
    if (tree_size(hnsw, hnsw->entry, &edges) != points) return "the tree reaches every point";
    if (edges != points - 1) return "the tree is a tree";
    return NULL;
}

static inline void expect_sound(const struct collection *collection, const char *when) {
    const char *fault = graph_fault(collection);
    if (!fault) return;
    test_fail(__FILE__, __LINE__, fault);
    printf("    %s\n", when);
}

/* Hash of all links, the entry and the states of points. */
static inline void graph_hash(const struct hnsw *hnsw, uint8_t digest[SHA256_SIZE]) {
    struct sha256 hash;
    sha256_begin(&hash);
    uint8_t bytes[16];
    store_le32(bytes, hnsw->entry);
    store_le32(bytes + 4, hnsw->top);
    store_le32(bytes + 8, hnsw->points.limit);
    store_le32(bytes + 12, hnsw->cursor);
    sha256_add(&hash, bytes, 16);
    for (uint32_t point = 1; point < hnsw->points.limit; point++) {
        if (!exists(hnsw, point)) continue;
        for (uint32_t layer = 0; layer <= level_of_point(hnsw, point); layer++) {
            const uint32_t *links = hnsw_links(hnsw, layer, point);
            for (uint32_t i = 0; i < hnsw_degree(hnsw, layer); i++) {
                store_le32(bytes, links[i]);
                sha256_add(&hash, bytes, 4);
            }
        }
        store_le32(bytes, point_at(hnsw, point)->slot);
        sha256_add(&hash, bytes, 4);
    }
    sha256_end(&hash, digest);
}

#endif
