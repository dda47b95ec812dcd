/* client-output-buffer-limit: Redis's syntax, and all or nothing. */
#include "server/output_limits.h"

#include "test.h"

static struct output_limit limits[CLASS_COUNT];

static const char *read_text(const char *text) {
    return output_limits_read(limits, slice_text(text));
}

static bool text_is(const char *wanted) {
    char text[256];
    output_limits_text(limits, text, sizeof text);
    return strcmp(text, wanted) == 0;
}

static void reads_classes_that_are_named(void) {
    EXPECT(!read_text("normal 0 0 0 replica 256mb 64mb 60 pubsub 32mb 8mb 60"));
    EXPECT(text_is("normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"));
    EXPECT(!read_text("  NORMAL 1k  2kb 3 "));
    EXPECT(text_is("normal 1000 2048 3 slave 268435456 67108864 60 pubsub 33554432 "
                   "8388608 60"));
    EXPECT(!read_text("slave 1 2 3 slave 4 5 6"));
    EXPECT_EQUAL(limits[CLASS_REPLICA].hard, 4);
}

static void reads_its_own_text(void) {
    struct output_limit before[CLASS_COUNT];
    char text[256];
    memcpy(before, limits, sizeof before);
    output_limits_text(limits, text, sizeof text);
    memset(limits, 0, sizeof limits);
    EXPECT(!read_text(text));
    EXPECT_BYTES(limits, before, sizeof before);
}

static void refuses_the_rest_and_changes_nothing(void) {
    static const char *const rows[][2] = {
        {"", "Wrong number"},
        {"normal", "Wrong number"},
        {"normal 0 0", "Wrong number"},
        {"normal 0 0 0 pubsub", "Wrong number"},
        {"foo 0 0 0", "Invalid client class"},
        {"master 0 0 0", "Invalid client class"},
        {"normal 7 7 7 foo 0 0 0", "Invalid client class"},
        {"normal x 0 0", "Error in hard"},
        {"normal -1 0 0", "Error in hard"},
        {"normal 0 1tb 0", "Error in hard"},
        {"normal 0 0 -1", "Error in hard"},
        {"normal 0 0 1mb", "Error in hard"},
        {"normal 9223372036854775807gb 0 0", "Error in hard"},
    };
    struct output_limit before[CLASS_COUNT];
    memcpy(before, limits, sizeof before);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *why = read_text(rows[i][0]);
        EXPECT(why && strncmp(why, rows[i][1], strlen(rows[i][1])) == 0);
        EXPECT_BYTES(limits, before, sizeof before);
    }
}

int main(void) {
    RUN(reads_classes_that_are_named);
    RUN(reads_its_own_text);
    RUN(refuses_the_rest_and_changes_nothing);
    return test_finish();
}
