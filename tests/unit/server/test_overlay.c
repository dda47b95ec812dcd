#include "server/overlay.h"

#include "os/os.h"
#include "test.h"

static void *take(void *context, size_t size) {
    (void)context;
    return posix_os()->region_take(posix_os(), size);
}
static void give(void *context, void *region, size_t size) {
    (void)context;
    posix_os()->region_give(posix_os(), region, size);
}

/* A kernel with the L2 collection "stored" in database 0. */
static struct kernel *kernel_with_a_key(void) {
    struct memory_source source = {.take = take, .give = give};
    struct kernel *kernel;
    struct change create = {.type = CHANGE_CREATE,
                            .flags = CHANGE_CONFIG,
                            .key = slice_text("stored"),
                            .config = {.metric = METRIC_L2,
                                       .index = INDEX_FLAT,
                                       .quantisation = QUANTISATION_Q8,
                                       .origin = ORIGIN_VCREATE,
                                       .dim = 3,
                                       .m = 16,
                                       .ef = 200}};
    struct outcome outcome;
    if (kernel_create(&source, &kernel)) return NULL;
    change_commit(&create);
    EXPECT_EQUAL(kernel_admit(kernel, &create), STATUS_OK);
    kernel_apply(kernel, 0, &create, &outcome);
    return kernel;
}

static struct change change_of(enum change_type type, uint32_t db, const char *key,
                               enum metric metric) {
    return (struct change){.type = (uint8_t)type,
                           .db = db,
                           .key = slice_text(key),
                           .config = {.metric = (uint8_t)metric}};
}

/* The metric of a key by the forecast; 0: no such key. */
static int metric_of(const struct overlay *overlay, const struct state *state,
                     uint32_t db, const char *key) {
    const struct config *config = overlay_find(overlay, state, db, slice_text(key));
    return config ? config->metric : 0;
}

static void follows_the_queue(void) {
    static const uint8_t seed[16] = {1, 2, 3};
    struct kernel *kernel = kernel_with_a_key();
    const struct state *state = kernel_state(kernel);
    struct overlay overlay;
    overlay_begin(&overlay, os_allocator(), seed);
    EXPECT_EQUAL(metric_of(NULL, state, 0, "stored"), METRIC_L2);
    EXPECT_EQUAL(metric_of(&overlay, state, 0, "stored"), METRIC_L2);
    EXPECT_EQUAL(metric_of(&overlay, state, 1, "stored"), 0);

    struct change vadd = change_of(CHANGE_VADD, 0, "stored", METRIC_COSINE);
    overlay_note(&overlay, state, &vadd); /* it exists: nothing changes */
    EXPECT_EQUAL(metric_of(&overlay, state, 0, "stored"), METRIC_L2);
    struct change del = change_of(CHANGE_DEL, 0, "stored", 0);
    overlay_note(&overlay, state, &del);
    EXPECT_EQUAL(metric_of(&overlay, state, 0, "stored"), 0);
    overlay_note(&overlay, state, &vadd);
    EXPECT_EQUAL(metric_of(&overlay, state, 0, "stored"), METRIC_COSINE);

    struct change create = change_of(CHANGE_CREATE, 2, "", METRIC_IP);
    overlay_note(&overlay, state, &create);
    EXPECT_EQUAL(metric_of(&overlay, state, 2, ""), METRIC_IP);
    struct change flush = change_of(CHANGE_FLUSH, 0, "", 0);
    overlay_note(&overlay, state, &flush);
    EXPECT_EQUAL(metric_of(&overlay, state, 0, "stored"), 0);
    EXPECT_EQUAL(metric_of(&overlay, state, 2, ""), METRIC_IP);
    flush.db = FLUSH_ALL;
    overlay_note(&overlay, state, &flush);
    EXPECT_EQUAL(metric_of(&overlay, state, 2, ""), 0);
    overlay_free(&overlay);
    kernel_destroy(kernel);
}

static void holds_many_keys(void) {
    static const uint8_t seed[16];
    static char names[5000][8];
    struct kernel *kernel = kernel_with_a_key();
    const struct state *state = kernel_state(kernel);
    struct overlay overlay;
    overlay_begin(&overlay, os_allocator(), seed);
    for (int i = 0; i < 5000; i++) {
        snprintf(names[i], sizeof names[i], "k%d", i);
        struct change create = change_of(CHANGE_CREATE, (uint32_t)i % 16, names[i],
                                         i % 2 ? METRIC_L2 : METRIC_IP);
        EXPECT_EQUAL(overlay_note(&overlay, state, &create), STATUS_OK);
    }
    for (int i = 0; i < 5000; i++) {
        EXPECT_EQUAL(metric_of(&overlay, state, (uint32_t)i % 16, names[i]),
                     i % 2 ? METRIC_L2 : METRIC_IP);
        EXPECT_EQUAL(metric_of(&overlay, state, (uint32_t)(i + 1) % 16, names[i]), 0);
    }
    overlay_free(&overlay);
    kernel_destroy(kernel);
}

int main(void) {
    RUN(follows_the_queue);
    RUN(holds_many_keys);
    return test_finish();
}
