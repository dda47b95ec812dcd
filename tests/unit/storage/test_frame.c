#include "storage/frame.h"

#include "base/bytes.h"
#include "test.h"

static const uint8_t key[SIPHASH_KEY_SIZE] = {1, 2,  3,  4,  5,  6,  7,  8,
                                              9, 10, 11, 12, 13, 14, 15, 16};

struct built {
    struct frame_header header;
    uint64_t size;
    uint8_t bytes[512];
};

static void build(struct built *built, size_t head, size_t body, size_t list,
                  size_t payload) {
    static uint8_t parts[256];
    memset(parts, 0x5A, sizeof parts);
    struct log_entry entry = {
        .type = 4,
        .head = slice_of(parts, head),
        .body = slice_of(parts, body),
        .list = slice_of(parts, list),
        .payload = slice_of(parts, payload),
    };
    built->header = (struct frame_header){
        .kind = FRAME_ENTRY,
        .type = 4,
        .sequence = 10,
        .durable = 8,
        .entry_size = (uint32_t)(head + body),
        .list_size = (uint32_t)list,
        .payload_size = payload,
    };
    memset(built->bytes, 0xFF, sizeof built->bytes);
    EXPECT(frame_size(&built->header, &built->size));
    frame_encode(key, &built->header, &entry, built->bytes);
}

static bool self_valid(const struct built *built) {
    struct frame_header header;
    uint64_t size;
    return frame_header_decode(key, built->bytes, &header) == STATUS_OK &&
           frame_size(&header, &size) && size <= sizeof built->bytes &&
           frame_body_valid(key, &header, built->bytes) &&
           frame_payload_valid(key, &header, built->bytes);
}

static void frame_has_the_bytes_of_the_format(void) {
    struct built built;
    build(&built, 3, 2, 4, 9);
    /* 64 + 5 + 4 = 73, to 80; 9 to 16. */
    EXPECT_EQUAL(built.size, 96);
    const uint8_t *bytes = built.bytes;
    EXPECT_BYTES(bytes, "VFRM", 4);
    EXPECT_EQUAL(bytes[4], 1);
    EXPECT_EQUAL(bytes[5], 4);
    EXPECT_EQUAL(load_le16(bytes + 6), 0);
    EXPECT_EQUAL(load_le64(bytes + 8), 10);
    EXPECT_EQUAL(load_le64(bytes + 16), 8);
    EXPECT_EQUAL(load_le32(bytes + 24), 5);
    EXPECT_EQUAL(load_le32(bytes + 28), 4);
    EXPECT_EQUAL(load_le64(bytes + 32), 9);
    EXPECT(load_le64(bytes + 40) == siphash(key, bytes + 80, 16));
    EXPECT(load_le64(bytes + 48) == siphash(key, bytes, 48));
    uint8_t covered[56 + 16];
    memcpy(covered, bytes, 56);
    memcpy(covered + 56, bytes + 64, 16);
    EXPECT(load_le64(bytes + 56) == siphash(key, covered, sizeof covered));
    EXPECT_EQUAL(bytes[64], 0x5A);
    EXPECT_EQUAL(bytes[72], 0x5A);
    EXPECT(bytes_all_zero(bytes + 73, 7));
    EXPECT_EQUAL(bytes[88], 0x5A);
    EXPECT(bytes_all_zero(bytes + 89, 7));
    EXPECT_EQUAL(bytes[96], 0xFF);
}

static void parts_come_back_whatever_their_sizes(void) {
    for (size_t body = 0; body < 10; body++)
        for (size_t list = 0; list < 10; list++)
            for (size_t payload = 0; payload < 10; payload++) {
                struct built built;
                build(&built, 1, body, list, payload);
                EXPECT(self_valid(&built));
                EXPECT_EQUAL(built.size % 8, 0);
                EXPECT_EQUAL(frame_entry(&built.header, built.bytes).size, 1 + body);
                EXPECT_EQUAL(frame_list(&built.header, built.bytes).size, list);
                EXPECT_EQUAL(frame_payload(&built.header, built.bytes).size, payload);
            }
}

static void every_flipped_bit_of_a_frame_is_seen(void) {
    struct built built;
    build(&built, 20, 30, 11, 43);
    for (size_t bit = 0; bit < 8 * built.size; bit++) {
        built.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT(!self_valid(&built));
        built.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    EXPECT(self_valid(&built));
}

static void another_segments_key_sees_no_frame(void) {
    struct built built;
    build(&built, 20, 30, 0, 0);
    uint8_t other[SIPHASH_KEY_SIZE] = {0};
    struct frame_header header;
    EXPECT_EQUAL(frame_header_decode(other, built.bytes, &header), STATUS_CORRUPT);
}

/* Re-check a frame by hand after changing its header. */
static void sign_again(struct built *built) {
    uint8_t covered[512];
    size_t body = (size_t)frame_body_size(&built->header);
    store_le64(built->bytes + 48, siphash(key, built->bytes, 48));
    memcpy(covered, built->bytes, 56);
    memcpy(covered + 56, built->bytes + 64, body - 64);
    store_le64(built->bytes + 56, siphash(key, covered, body - 8));
}

static void G9_unknown_kinds_and_flags_are_a_newer_format(void) {
    struct built built;
    struct frame_header header;
    build(&built, 20, 0, 0, 0);
    built.bytes[4] = 3;
    sign_again(&built);
    EXPECT_EQUAL(frame_header_decode(key, built.bytes, &header), STATUS_VERSION);
    build(&built, 20, 0, 0, 0);
    built.bytes[6] = 2;
    sign_again(&built);
    EXPECT_EQUAL(frame_header_decode(key, built.bytes, &header), STATUS_VERSION);
    built.bytes[6] = FRAME_ERASED;
    sign_again(&built);
    EXPECT_EQUAL(frame_header_decode(key, built.bytes, &header), STATUS_OK);
}

static void durable_above_sequence_is_no_frame(void) {
    struct built built;
    struct frame_header header;
    build(&built, 20, 0, 0, 0);
    built.bytes[16] = 11; /* of a frame with sequence 10 */
    sign_again(&built);
    EXPECT_EQUAL(frame_header_decode(key, built.bytes, &header), STATUS_CORRUPT);
}

static void marks_are_bare(void) {
    struct built built = {.header = {.kind = FRAME_MARK, .sequence = 5, .durable = 5}};
    frame_encode(key, &built.header, NULL, built.bytes);
    EXPECT(self_valid(&built));
    EXPECT(frame_size(&built.header, &built.size));
    EXPECT_EQUAL(built.size, 64);
    built.bytes[24] = 8; /* a mark with an entry */
    sign_again(&built);
    EXPECT(!self_valid(&built));
}

static void zeros_must_be_zeros(void) {
    struct built built;
    build(&built, 3, 2, 4, 9);
    built.bytes[79] = 1;
    sign_again(&built);
    EXPECT(!self_valid(&built));
    build(&built, 3, 2, 4, 9);
    built.bytes[95] = 1;
    store_le64(built.bytes + 40, siphash(key, built.bytes + 80, 16));
    sign_again(&built);
    EXPECT(!self_valid(&built));
}

static void absurd_lengths_have_no_size(void) {
    struct frame_header header = {.kind = FRAME_ENTRY, .payload_size = UINT64_MAX - 7};
    uint64_t size;
    EXPECT(!frame_size(&header, &size));
    header.payload_size = (uint64_t)1 << 62;
    EXPECT(!frame_size(&header, &size));
    header = (struct frame_header){.entry_size = UINT32_MAX, .list_size = UINT32_MAX};
    EXPECT(frame_size(&header, &size));
    EXPECT(size == UINT64_C(0x200000040)); /* 64 + 2 * (2^32 - 1), to a multiple of 8 */
}

int main(void) {
    RUN(frame_has_the_bytes_of_the_format);
    RUN(parts_come_back_whatever_their_sizes);
    RUN(every_flipped_bit_of_a_frame_is_seen);
    RUN(another_segments_key_sees_no_frame);
    RUN(G9_unknown_kinds_and_flags_are_a_newer_format);
    RUN(durable_above_sequence_is_no_frame);
    RUN(marks_are_bare);
    RUN(zeros_must_be_zeros);
    RUN(absurd_lengths_have_no_size);
    return test_finish();
}
