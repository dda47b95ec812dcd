#include "storage/head.h"

#include "base/bytes.h"
#include "test.h"

static struct head_slot example(void) {
    struct head_slot slot = {.generation = 3, .durable = 500, .segment = 9};
    memset(slot.log_id, 0x11, sizeof slot.log_id);
    memset(slot.root, 0x22, sizeof slot.root);
    return slot;
}

static void slot_has_the_bytes_of_the_format(void) {
    struct head_slot slot = example();
    uint8_t bytes[HEAD_SLOT_SIZE], hash[SHA256_SIZE];
    head_slot_encode(&slot, bytes);
    EXPECT_BYTES(bytes, "VALORIHD", 8);
    EXPECT_EQUAL(load_le32(bytes + 8), 1);
    EXPECT_EQUAL(load_le32(bytes + 12), 0);
    EXPECT_EQUAL(bytes[16], 0x11);
    EXPECT_EQUAL(load_le64(bytes + 32), 3);
    EXPECT_EQUAL(load_le64(bytes + 40), 500);
    EXPECT_EQUAL(bytes[48], 0x22);
    EXPECT_EQUAL(load_le64(bytes + 80), 9);
    EXPECT(bytes_all_zero(bytes + 88, 392));
    sha256(bytes, 480, hash);
    EXPECT_BYTES(bytes + 480, hash, SHA256_SIZE);
}

static void slot_comes_back_and_every_flipped_bit_spoils_it(void) {
    struct head_slot slot = example(), read;
    uint8_t bytes[HEAD_SLOT_SIZE];
    head_slot_encode(&slot, bytes);
    EXPECT_EQUAL(head_slot_decode(bytes, &read), STATUS_OK);
    EXPECT_EQUAL(read.generation, 3);
    EXPECT_EQUAL(read.durable, 500);
    EXPECT_EQUAL(read.segment, 9);
    EXPECT_BYTES(read.root, slot.root, SHA256_SIZE);
    EXPECT_BYTES(read.log_id, slot.log_id, LOG_ID_SIZE);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT_EQUAL(head_slot_decode(bytes, &read), STATUS_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void zeros_are_no_slot(void) {
    static const uint8_t zeros[HEAD_SLOT_SIZE];
    struct head_slot slot;
    EXPECT_EQUAL(head_slot_decode(zeros, &slot), STATUS_CORRUPT);
}

int main(void) {
    RUN(slot_has_the_bytes_of_the_format);
    RUN(slot_comes_back_and_every_flipped_bit_spoils_it);
    RUN(zeros_are_no_slot);
    return test_finish();
}
