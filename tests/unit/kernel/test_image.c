/* An image holds all of a state: a kernel that is made from one goes on exactly as the one that it
 * was taken from, row by row, and bytes that are no image make none. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "kernel/image.h"
#include "kernel/state.h"
#include "random/history.h"
#include "unit/kernel/fixture.h"

struct image {
    uint8_t *bytes;
    size_t size;
};

/* Pieces of changing sizes, as a file may be cut. */
static size_t piece(uint64_t *random, size_t left) {
    size_t size = 8 * (size_t)(1 + chance_below(random, 200));
    return size < left ? size : left;
}

static struct image image_of(const struct state *state, uint64_t random) {
    struct image image = {.size = (size_t)image_size(state)};
    image.bytes = malloc(image.size + 4096);
    struct image_writer writer;
    image_write_begin(&writer, state);
    size_t at = 0;
    while (at < image.size) {
        size_t room = piece(&random, image.size + 2048 - at);
        size_t got = image_write(&writer, image.bytes + at, room);
        EXPECT(got == room || at + got == image.size);
        at += got;
    }
    EXPECT_EQUAL(at, image.size);
    EXPECT_EQUAL(image_write(&writer, image.bytes + at, 64), 0);
    return image;
}

static enum status read_image(struct kernel *kernel, struct image image, uint64_t random) {
    struct image_reader reader;
    image_read_begin(&reader, kernel);
    for (size_t at = 0; at < image.size;) {
        size_t size = piece(&random, image.size - at);
        enum status status = image_read(&reader, image.bytes + at, size);
        if (status) return status;
        at += size;
    }
    return image_read_end(&reader);
}

/* --- Twins -------------------------------------------------------------------------------- */

static struct source sources[2];

static struct kernel *new_kernel(int number) {
    struct kernel *kernel;
    struct memory_source source = source_begin(&sources[number]);
    EXPECT(kernel_create(&source, &kernel) == STATUS_OK);
    return kernel;
}

/* The image of this moment. */
static struct image take(struct kernel *kernel, struct roots *roots, uint64_t random) {
    const struct state *view;
    kernel_seal(kernel, roots);
    while (kernel_tidy(kernel, 100)) continue;
    EXPECT_EQUAL(kernel_freeze(kernel, &view), STATUS_OK);
    struct image image = image_of(view, random);
    kernel_release(kernel, view);
    return image;
}

static bool same(struct image a, struct image b) {
    return a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0;
}

/* Changes on both; they answer alike. */
static void both(struct kernel *first, struct kernel *second, struct history *history,
                 uint64_t *sequence, int count) {
    for (int i = 0; i < count; i++) {
        struct change change;
        history_next(history, &change);
        struct change copy = change;
        enum status status = perform(first, *sequence, &change);
        EXPECT_EQUAL(perform(second, *sequence, &copy), status);
        ++*sequence;
    }
}

static void twins(uint64_t seed, bool graphs, int before, int after) {
    struct history history;
    if (graphs) history_begin_graphs(&history, seed, 300);
    else history_begin(&history, seed, 60);
    struct kernel *first = new_kernel(0), *second = new_kernel(1);
    kernel_set_live(first, seed % 2);
    uint64_t sequence = 0;
    for (int i = 0; i < before; i++) {
        struct change change;
        history_next(&history, &change);
        perform(first, sequence++, &change);
    }
    struct roots roots, again;
    struct image image = take(first, &roots, seed);
    EXPECT_EQUAL(read_image(second, image, seed + 1), STATUS_OK);
    EXPECT_EQUAL(recompute_all(kernel_state(second), false, &again), STATUS_OK);
    EXPECT_BYTES(&again, &roots, sizeof roots);
    kernel_seal(second, &again);
    EXPECT_BYTES(&again, &roots, sizeof roots);
    struct image copy = take(second, &again, seed + 2);
    EXPECT(same(image, copy));
    free(copy.bytes);
    free(image.bytes);

    both(first, second, &history, &sequence, after);
    image = take(first, &roots, seed + 3);
    copy = take(second, &again, seed + 4);
    EXPECT(same(image, copy));
    EXPECT_BYTES(&again, &roots, sizeof roots);
    free(copy.bytes);
    free(image.bytes);
    kernel_destroy(first);
    kernel_destroy(second);
    EXPECT_EQUAL(sources[0].taken + sources[1].taken, 0);
}

static void a_copy_goes_on_like_the_original(void) {
    for (uint64_t seed = 1; seed <= 40; seed++)
        twins(seed, false, (int)(seed * 20), 300);
}

static void an_index_goes_on_like_the_original(void) {
    for (uint64_t seed = 1; seed <= 12; seed++)
        twins(seed, true, (int)(seed * 250), 600);
}

static void an_empty_state_has_an_image(void) {
    twins(7, false, 0, 50);
}

/* What is no image makes no kernel, whatever byte of a head or of fields is another. */
static void what_is_no_image_is_refused(void) {
    struct history history;
    history_begin_graphs(&history, 5, 40);
    struct kernel *kernel = new_kernel(0);
    struct change change;
    for (uint64_t sequence = 0; sequence < 120; sequence++) {
        history_next(&history, &change);
        perform(kernel, sequence, &change);
    }
    struct roots roots;
    struct image image = take(kernel, &roots, 1);
    kernel_destroy(kernel);
    int refused = 0, cut = 0;
    for (size_t at = 0; at < image.size && at < 16384; at += 3) {
        image.bytes[at] ^= (uint8_t)(1 + at % 255);
        kernel = new_kernel(1);
        refused += read_image(kernel, image, at) != STATUS_OK;
        kernel_destroy(kernel);
        image.bytes[at] ^= (uint8_t)(1 + at % 255);
    }
    EXPECT(refused > 200);
    for (size_t size = 0; size < image.size; size += 8 + size / 40 * 8) {
        kernel = new_kernel(1);
        enum status status = read_image(kernel, (struct image){image.bytes, size}, size);
        EXPECT_EQUAL(status, STATUS_CORRUPT);
        cut += status == STATUS_CORRUPT;
        kernel_destroy(kernel);
    }
    EXPECT(cut > 20);
    free(image.bytes);
}

int main(void) {
    RUN(an_empty_state_has_an_image);
    RUN(a_copy_goes_on_like_the_original);
    RUN(an_index_goes_on_like_the_original);
    RUN(what_is_no_image_is_refused);
    return test_finish();
}
