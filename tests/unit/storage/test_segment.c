#include "storage/segment.h"

#include "base/bytes.h"
#include "test.h"

static struct segment_header example(void) {
    struct segment_header header = {.number = 7, .base = 1234, .created_us = 99};
    memset(header.log_id, 0xA1, sizeof header.log_id);
    memset(header.root, 0xB2, sizeof header.root);
    memset(header.key, 0xC3, sizeof header.key);
    return header;
}

static void header_has_the_bytes_of_the_format(void) {
    struct segment_header header = example();
    uint8_t bytes[SEGMENT_HEADER_SIZE], hash[SHA256_SIZE];
    segment_header_encode(&header, bytes);
    EXPECT_BYTES(bytes, "VALORILG", 8);
    EXPECT_EQUAL(load_le32(bytes + 8), 1);
    EXPECT_EQUAL(load_le32(bytes + 12), 512);
    EXPECT_EQUAL(bytes[16], 0xA1);
    EXPECT_EQUAL(load_le64(bytes + 32), 7);
    EXPECT_EQUAL(load_le64(bytes + 40), 1234);
    EXPECT_EQUAL(bytes[48], 0xB2);
    EXPECT_EQUAL(bytes[80], 0xC3);
    EXPECT_EQUAL(bytes[111], 0xC3);
    EXPECT_EQUAL(load_le64(bytes + 112), 99);
    EXPECT(bytes_all_zero(bytes + 120, 360));
    sha256(bytes, 480, hash);
    EXPECT_BYTES(bytes + 480, hash, SHA256_SIZE);
}

static void header_comes_back(void) {
    struct segment_header header = example(), read;
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    segment_header_encode(&header, bytes);
    EXPECT_EQUAL(segment_header_decode(bytes, &read), STATUS_OK);
    EXPECT_EQUAL(read.number, header.number);
    EXPECT_EQUAL(read.base, header.base);
    EXPECT_EQUAL(read.created_us, header.created_us);
    EXPECT_BYTES(read.log_id, header.log_id, LOG_ID_SIZE);
    EXPECT_BYTES(read.root, header.root, SHA256_SIZE);
    EXPECT_BYTES(read.key, header.key, SIPHASH_KEY_SIZE);
}

static void every_flipped_bit_of_a_header_is_damage(void) {
    struct segment_header header = example(), read;
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    segment_header_encode(&header, bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT_EQUAL(segment_header_decode(bytes, &read), STATUS_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void G9_newer_header_is_a_version_not_damage(void) {
    struct segment_header header = example(), read;
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    segment_header_encode(&header, bytes);
    store_le32(bytes + 8, 2);
    sha256(bytes, 480, bytes + 480);
    EXPECT_EQUAL(segment_header_decode(bytes, &read), STATUS_VERSION);
}

static void names(void) {
    static const struct {
        const char *name;
        bool segment;
        uint64_t number;
    } rows[] = {
        {"valori-00000001.log", true, 1},
        {"valori-99999999.log", true, 99999999},
        {"valori-100000000.log", true, 100000000},
        {"valori-000000001.log", true,
         0}, /* a segment's name as valori never writes it */
        {"valori-00000000.log", true, 0},
        {"valori-99999999999999999999.log", true, 0},
        {"valori-0000001.log", false, 0},
        {"valori-00000001.log.torn", false, 0},
        {"valori-00000001.log.tmp", false, 0},
        {"valori-0000000x.log", false, 0},
        {"valori.head", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t number = 0;
        EXPECT_EQUAL(segment_name_parse(rows[i].name, &number), rows[i].segment);
        EXPECT_EQUAL(number, rows[i].number);
    }
    char name[SEGMENT_NAME_SIZE];
    segment_name(42, name);
    EXPECT(strcmp(name, "valori-00000042.log") == 0);
    segment_name(123456789, name);
    EXPECT(strcmp(name, "valori-123456789.log") == 0);
}

int main(void) {
    RUN(header_has_the_bytes_of_the_format);
    RUN(header_comes_back);
    RUN(every_flipped_bit_of_a_header_is_damage);
    RUN(G9_newer_header_is_a_version_not_damage);
    RUN(names);
    return test_finish();
}
