/* Slices: equality, and the order of names. */
#include "base/slice.h"

#include "test.h"

static void equality(void) {
    EXPECT(slice_equal(slice_of(NULL, 0), slice_text("")));
    EXPECT(slice_equal(slice_text("name"), slice_of("names", 4)));
    EXPECT(!slice_equal(slice_text("name"), slice_text("names")));
    EXPECT(!slice_equal(slice_of("a\0b", 3), slice_of("a\0c", 3)));
}

static void order(void) {
    /* Ascending. Bytes are unsigned, and a prefix comes before what it begins. */
    const struct slice names[] = {
        slice_of(NULL, 0),  slice_of("\0", 1),  slice_of("\0\0", 2), slice_text("a"),
        slice_of("a\0", 2), slice_text("ab"),   slice_text("b"),     slice_text("\x7f"),
        slice_text("\x80"), slice_text("\xff"),
    };
    enum { COUNT = sizeof names / sizeof names[0] };
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++) {
            int sign = slice_compare(names[i], names[j]);
            EXPECT_EQUAL((sign > 0) - (sign < 0), (i > j) - (i < j));
        }
}

int main(void) {
    RUN(equality);
    RUN(order);
    return test_finish();
}
