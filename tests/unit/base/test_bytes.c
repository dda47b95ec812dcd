/* Byte order and checked sizes: the same bytes on every machine. */
#include "base/bytes.h"

#include "test.h"

static const uint8_t bytes[9] = {0xff, 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88};

static void loads(void) {
    const uint8_t *odd = bytes + 1; /* No alignment is asked for. */
    EXPECT(load_le16(odd) == 0x8201);
    EXPECT(load_le32(odd) == 0x84038201);
    EXPECT(load_le64(odd) == 0x8807860584038201);
    EXPECT(load_be32(odd) == 0x01820384);
}

static void stores(void) {
    uint8_t out[8];
    store_le16(out, 0x8201);
    EXPECT_BYTES(out, bytes + 1, 2);
    store_le32(out, 0x84038201);
    EXPECT_BYTES(out, bytes + 1, 4);
    store_le64(out, 0x8807860584038201);
    EXPECT_BYTES(out, bytes + 1, 8);
    store_be32(out, 0x01820384);
    EXPECT_BYTES(out, bytes + 1, 4);
    store_be64(out, 0x0182038405860788);
    EXPECT_BYTES(out, bytes + 1, 8);
}

static void sizes_do_not_wrap(void) {
    size_t result = 42;
    EXPECT(size_add(SIZE_MAX - 1, 1, &result) && result == SIZE_MAX);
    EXPECT(!size_add(SIZE_MAX, 1, &result) && result == SIZE_MAX);
    EXPECT(size_multiply(SIZE_MAX, 1, &result) && result == SIZE_MAX);
    EXPECT(!size_multiply(SIZE_MAX / 2 + 1, 2, &result) && result == SIZE_MAX);
    EXPECT(size_multiply(0, SIZE_MAX, &result) && result == 0);
}

static void zeros(void) {
    uint8_t run[16] = {0};
    EXPECT(bytes_all_zero(run, sizeof run));
    EXPECT(bytes_all_zero(NULL, 0));
    run[15] = 1;
    EXPECT(!bytes_all_zero(run, sizeof run));
    EXPECT(bytes_all_zero(run, 15));
}

int main(void) {
    RUN(loads);
    RUN(stores);
    RUN(sizes_do_not_wrap);
    RUN(zeros);
    return test_finish();
}
