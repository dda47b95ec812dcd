/* Lines and words: what is read, and that nothing is passed over. */
#include "test.h"

#include "base/text_lines.h"

static struct text_lines lines;

static void begin(const char *text) { text_lines_begin(&lines, slice_text(text)); }
static void expect_fault(uint32_t line, size_t offset) {
    EXPECT(lines.fault != NULL);
    EXPECT_EQUAL(lines.line, line);
    EXPECT_EQUAL(lines.offset, offset);
}

static void words_in_order(void) {
    uint64_t number;
    uint8_t bytes[8];
    size_t size;
    struct slice line;
    begin("first 18446744073709551615 Zm9v -\n\nlast\n");
    EXPECT(text_line_of(&lines, slice_text("first")) && text_number(&lines, &number));
    EXPECT(number == UINT64_MAX);
    EXPECT(text_exact_bytes(&lines, bytes, 3) && memcmp(bytes, "foo", 3) == 0);
    EXPECT(text_bytes(&lines, bytes, &size) && size == 0);
    EXPECT(text_whole_line(&lines, &line) && line.size == 0);
    EXPECT(!text_at_end(&lines));
    begin("a\n");
    EXPECT(text_line_of(&lines, slice_text("a")) && text_at_end(&lines));
}

static void faults_say_where(void) {
    uint64_t number;
    begin("a 1\nb 01\n");
    EXPECT(text_line_of(&lines, slice_text("a")) && text_number(&lines, &number));
    EXPECT(text_line_of(&lines, slice_text("b")) && !text_number(&lines, &number));
    expect_fault(2, 4);
    EXPECT(!text_next_line(&lines)); /* it stays at its fault */
    expect_fault(2, 4);
}

static void nothing_is_passed_over(void) {
    static const char *const wrong[] = {"a",  "a b\n", "a \n",   " a\n",   "a\r\n",
                                        "\n", "a\n\n", "a\nb\n", "a  1\n", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin(wrong[i]);
        EXPECT(!(text_line_of(&lines, slice_text("a")) && text_at_end(&lines)));
        EXPECT(lines.fault != NULL);
    }
}

int main(void) {
    RUN(words_in_order);
    RUN(faults_say_where);
    RUN(nothing_is_passed_over);
    return test_finish();
}
