#include "server/call.h"
#include "server/client.h"

#include "os/os.h"
#include "test.h"

static void keeps_copies_in_order(void) {
    struct queue queue = {0};
    char word[4][16] = {"vadd", "a\0b", "", "long argument"};
    struct slice arguments[] = {slice_of(word[0], 4), slice_of(word[1], 3),
                                slice_of(word[2], 0), slice_of(word[3], 13)};
    const struct command *command = command_find(slice_text("vadd"));
    for (size_t i = 1; i <= 4; i++)
        EXPECT_EQUAL(queue_add(&queue, os_allocator(), command, arguments, i, 4096),
                     STATUS_OK);
    memset(word, 'x', sizeof word);
    EXPECT_EQUAL(queue.count, 4);
    size_t count = 1;
    for (struct queued *queued = queue.first; queued; queued = queued->next, count++) {
        EXPECT_EQUAL(queued->count, count);
        EXPECT(queued->command == command);
        EXPECT(slice_equal(queued->arguments[0], slice_text("vadd")));
        if (count > 1) EXPECT(slice_equal(queued->arguments[1], slice_of("a\0b", 3)));
        if (count > 2) EXPECT_EQUAL(queued->arguments[2].size, 0);
        if (count > 3)
            EXPECT(slice_equal(queued->arguments[3], slice_text("long argument")));
    }
    EXPECT_EQUAL(count, 5);
    queue_free(&queue, os_allocator());
    EXPECT(queue.first == NULL && queue.count == 0 && queue.bytes == 0);
}

static void stops_at_its_limit(void) {
    struct queue queue = {0};
    uint8_t bytes[1000] = {0};
    struct slice arguments[] = {slice_of(bytes, sizeof bytes)};
    size_t added = 0;
    while (queue_add(&queue, os_allocator(), NULL, arguments, 1, 5000) == STATUS_OK)
        added++;
    EXPECT(added == 4);
    EXPECT(queue.bytes <= 5000);
    arguments[0].size = SIZE_MAX - 8;
    EXPECT_EQUAL(queue_add(&queue, os_allocator(), NULL, arguments, 1, SIZE_MAX),
                 STATUS_TOO_LARGE);
    EXPECT_EQUAL(queue.count, 4);
    queue_free(&queue, os_allocator());
}

int main(void) {
    RUN(keeps_copies_in_order);
    RUN(stops_at_its_limit);
    return test_finish();
}
