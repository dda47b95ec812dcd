/* Base64: the vectors of RFC 4648, every length both ways, and that each run of bytes has
 * one text only. */
#include "test.h"

#include "base/base64.h"

static void vectors_of_rfc_4648(void) {
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[16];
        uint8_t bytes[16];
        size_t size;
        struct slice wanted = slice_text(rows[i][0]), encoded = slice_text(rows[i][1]);
        base64_encode(wanted, text);
        EXPECT(slice_equal(slice_of(text, base64_size(wanted.size)), encoded));
        EXPECT(base64_decode(encoded, bytes, &size));
        EXPECT(slice_equal(slice_of(bytes, size), wanted));
    }
}

static void every_length_both_ways(void) {
    uint8_t bytes[300], back[300];
    char text[400];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 151 + 7);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct slice encoded = slice_of(text, base64_size(size));
        base64_encode(slice_of(bytes, size), text);
        EXPECT(base64_decode_exactly(encoded, back, size));
        EXPECT_BYTES(back, bytes, size);
        EXPECT(!base64_decode_exactly(encoded, back, size + 1));
        EXPECT(size == 0 || !base64_decode_exactly(encoded, back, size - 1));
    }
}

/* Of all texts of four characters that decode, each is what its bytes encode to. */
static void one_text_for_the_same_bytes(void) {
    static const char some[] = "AQgwZ9+/=\n -_";
    const size_t count = sizeof some; /* the NUL too */
    for (size_t n = 0; n < count * count * count * count; n++) {
        char text[4] = {some[n % count], some[n / count % count],
                        some[n / count / count % count], some[n / count / count / count]};
        char again[4];
        uint8_t bytes[3];
        size_t size;
        if (!base64_decode(slice_of(text, 4), bytes, &size)) continue;
        base64_encode(slice_of(bytes, size), again);
        EXPECT_BYTES(again, text, 4);
    }
    uint8_t bytes[8];
    size_t size;
    EXPECT(!base64_decode(slice_text("Zg==Zg=="), bytes, &size));
    EXPECT(!base64_decode(slice_text("Zg="), bytes, &size));
}

int main(void) {
    RUN(vectors_of_rfc_4648);
    RUN(every_length_both_ways);
    RUN(one_text_for_the_same_bytes);
    return test_finish();
}
