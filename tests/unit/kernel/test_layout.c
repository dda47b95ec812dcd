#include "test.h"

#include "kernel/layout.h"

static void a_round_is_counted(void) {
    EXPECT_EQUAL(layout_round("b"), 1);
    EXPECT_EQUAL(layout_round("64b2dw4b4w3d"), 128);
    EXPECT_EQUAL(layout_first("w"), 4);
    EXPECT_EQUAL(layout_first("d4w"), 8);
    EXPECT_EQUAL(layout_first("64b4d"), 1);
}

static void fields_are_turned(void) {
    uint8_t row[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const uint8_t turned[16] = {4, 3, 2, 1, 5, 6, 7, 8, 16, 15, 14, 13, 12, 11, 10, 9};
    layout_turn("w4bd", 0, row, sizeof row);
    EXPECT_BYTES(row, turned, sizeof row);
}

/* A row that is turned in parts is the row turned at once, however it is cut. */
static void parts_make_the_whole(void) {
    static const char *const layouts[] = {"w", "d", "b", "2wd", "8b3d2w4b3w", "d4w"};
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        uint8_t whole[480], parts[480];
        size_t size = layout_round(layouts[i]);
        size *= 480 / size;
        for (size_t at = 0; at < size; at++) whole[at] = parts[at] = (uint8_t)(at * 7);
        layout_turn(layouts[i], 0, whole, size);
        for (size_t at = 0, next; at < size; at = next) {
            next = at + 8 * (1 + at % 5);
            if (next > size) next = size;
            layout_turn(layouts[i], at, parts + at, next - at);
        }
        EXPECT_BYTES(parts, whole, size);
        layout_turn(layouts[i], 0, whole, size);
        for (size_t at = 0; at < size; at++) EXPECT(whole[at] == (uint8_t)(at * 7));
    }
}

int main(void) {
    RUN(a_round_is_counted);
    RUN(fields_are_turned);
    RUN(parts_make_the_whole);
    return test_finish();
}
