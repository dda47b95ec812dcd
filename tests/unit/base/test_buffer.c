/* The buffer against a plain array, its ceiling, and memory that runs out. */
#include "base/buffer.h"

#include "test.h"

/* An allocator that counts what is held and refuses to hold more than it may. */
struct counted {
    size_t held, allowed;
    int calls;
};

static void *counted_resize(void *context, void *block, size_t old_size,
                            size_t new_size) {
    struct counted *counted = context;
    counted->calls++;
    if (new_size == 0) {
        counted->held -= old_size;
        free(block);
        return NULL;
    }
    if (counted->held - old_size + new_size > counted->allowed) return NULL;
    void *moved = malloc(new_size); /* Always moves, so that stale addresses show. */
    if (old_size > 0) memcpy(moved, block, old_size < new_size ? old_size : new_size);
    free(block);
    counted->held = counted->held - old_size + new_size;
    return moved;
}

static struct allocator counting(struct counted *counted) {
    return (struct allocator){counted, counted_resize};
}

static void empty_buffer_holds_nothing(void) {
    struct counted counted = {.allowed = SIZE_MAX};
    struct allocator allocator = counting(&counted);
    struct buffer buffer;
    buffer_init(&buffer, &allocator, 100);
    EXPECT_EQUAL(buffer_size(&buffer), 0);
    EXPECT_EQUAL(buffer_append(&buffer, NULL, 0), STATUS_OK);
    EXPECT(slice_equal(buffer_slice(&buffer), slice_text("")));
    buffer_consume(&buffer, 0);
    buffer_shrink(&buffer, 0);
    buffer_free(&buffer);
    EXPECT_EQUAL(counted.calls, 0);
}

static void keeps_its_ceiling(void) {
    struct counted counted = {.allowed = SIZE_MAX};
    struct allocator allocator = counting(&counted);
    struct buffer buffer;
    uint8_t bytes[101] = {1, 2, 3}, *room = NULL;
    buffer_init(&buffer, &allocator, 100);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, 101), STATUS_TOO_LARGE);
    EXPECT_EQUAL(buffer_reserve(&buffer, SIZE_MAX, &room), STATUS_TOO_LARGE);
    EXPECT_EQUAL(counted.held, 0);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, 60), STATUS_OK);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, 41), STATUS_TOO_LARGE);
    EXPECT_EQUAL(buffer_reserve(&buffer, SIZE_MAX - 59, &room), STATUS_TOO_LARGE);
    EXPECT_EQUAL(buffer_size(&buffer), 60);
    EXPECT_BYTES(buffer_slice(&buffer).data, bytes, 60);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, 40), STATUS_OK);
    EXPECT(counted.held <= 100);
    /* What is consumed makes room again, without more memory. */
    buffer_consume(&buffer, 1);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, 1), STATUS_OK);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, 1), STATUS_TOO_LARGE);
    EXPECT(counted.held <= 100);
    buffer_free(&buffer);
    EXPECT_EQUAL(counted.held, 0);
}

static void survives_without_memory(void) {
    struct counted counted = {.allowed = 128};
    struct allocator allocator = counting(&counted);
    struct buffer buffer;
    uint8_t bytes[128], *room = NULL;
    for (uint8_t i = 0; i < 128; i++) bytes[i] = i;
    buffer_init(&buffer, &allocator, SIZE_MAX);
    EXPECT_EQUAL(buffer_reserve(&buffer, SIZE_MAX, &room), STATUS_MEMORY);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, 128), STATUS_OK);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, 1), STATUS_MEMORY);
    buffer_consume(&buffer, 5);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, 100), STATUS_MEMORY);
    EXPECT_EQUAL(buffer_size(&buffer), 123);
    EXPECT_BYTES(buffer_slice(&buffer).data, bytes + 5, 123);
    buffer_free(&buffer);
    EXPECT_EQUAL(counted.held, 0);
}

static void reserve_and_commit(void) {
    struct counted counted = {.allowed = SIZE_MAX};
    struct allocator allocator = counting(&counted);
    struct buffer buffer;
    uint8_t *room = NULL;
    buffer_init(&buffer, &allocator, 1000);
    EXPECT_EQUAL(buffer_reserve(&buffer, 10, &room), STATUS_OK);
    memcpy(room, "0123456789", 10);
    EXPECT_EQUAL(buffer_size(&buffer), 0);
    buffer_commit(&buffer, 4);
    EXPECT(slice_equal(buffer_slice(&buffer), slice_text("0123")));
    buffer_consume(&buffer, 3);
    EXPECT(slice_equal(buffer_slice(&buffer), slice_text("3")));
    buffer_clear(&buffer);
    EXPECT_EQUAL(buffer_size(&buffer), 0);
    EXPECT(counted.held > 0);
    buffer_free(&buffer);
}

static void shrinks_only_when_empty_and_large(void) {
    struct counted counted = {.allowed = SIZE_MAX};
    struct allocator allocator = counting(&counted);
    struct buffer buffer;
    static const uint8_t bytes[5000];
    buffer_init(&buffer, &allocator, 10000);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, sizeof bytes), STATUS_OK);
    buffer_shrink(&buffer, 100);
    EXPECT_EQUAL(buffer_size(&buffer), 5000);
    buffer_consume(&buffer, 5000);
    size_t held = counted.held;
    buffer_shrink(&buffer, held);
    EXPECT_EQUAL(counted.held, held);
    buffer_shrink(&buffer, 100);
    EXPECT_EQUAL(counted.held, 0);
    EXPECT_EQUAL(buffer_append(&buffer, bytes, 100), STATUS_OK);
    buffer_free(&buffer);
    EXPECT_EQUAL(counted.held, 0);
}

/* Some 20,000 steps of a queue through a buffer that may hold 1,000 bytes. */
static void random_traffic_equals_a_queue(void) {
    struct counted counted = {.allowed = SIZE_MAX};
    struct allocator allocator = counting(&counted);
    struct buffer buffer;
    uint64_t x = 1;
    uint8_t in = 0, out = 0; /* bytes count upwards on both sides */
    buffer_init(&buffer, &allocator, 1000);
    for (int step = 0; step < 20000; step++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        size_t size = (size_t)(x >> 33) % 200, before = buffer_size(&buffer);
        if (x >> 63) {
            uint8_t bytes[200];
            for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(in + i);
            enum status status = buffer_append(&buffer, bytes, size);
            EXPECT_EQUAL(status, before + size > 1000 ? STATUS_TOO_LARGE : STATUS_OK);
            if (!status) in = (uint8_t)(in + size);
        } else {
            if (size > before) size = before;
            for (size_t i = 0; i < size; i++)
                EXPECT(buffer_slice(&buffer).data[i] == (uint8_t)(out + i));
            buffer_consume(&buffer, size);
            out = (uint8_t)(out + size);
        }
        EXPECT(counted.held <= 1000);
    }
    buffer_free(&buffer);
    EXPECT_EQUAL(counted.held, 0);
}

/* Doubling and moving to the front must not add up to more than a few copies of each
 * byte. */
static void appending_is_cheap(void) {
    struct counted counted = {.allowed = SIZE_MAX};
    struct allocator allocator = counting(&counted);
    struct buffer buffer;
    buffer_init(&buffer, &allocator, SIZE_MAX);
    for (int i = 0; i < 1000000; i++)
        EXPECT_EQUAL(buffer_append(&buffer, "x", 1), STATUS_OK);
    EXPECT(counted.calls <= 20);
    buffer_free(&buffer);
}

int main(void) {
    RUN(empty_buffer_holds_nothing);
    RUN(keeps_its_ceiling);
    RUN(survives_without_memory);
    RUN(reserve_and_commit);
    RUN(shrinks_only_when_empty_and_large);
    RUN(random_traffic_equals_a_queue);
    RUN(appending_is_cheap);
    return test_finish();
}
