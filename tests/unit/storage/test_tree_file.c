/* Tree files: header, names, and where things lie in one. */
#include "storage/tree_file.h"

#include "base/bytes.h"
#include "test.h"

static void make_header(struct tree_header *header) {
    *header = (struct tree_header){.number = 7, .base = 1000, .count = 600};
    memset(header->log_id, 1, sizeof header->log_id);
    memset(header->root_before, 2, SHA256_SIZE);
    memset(header->root_after, 3, SHA256_SIZE);
    memset(header->roots_hash, 4, SHA256_SIZE);
}

static void the_header_is_as_the_format_says(void) {
    struct tree_header header, back;
    uint8_t bytes[TREE_HEADER_SIZE];
    make_header(&header);
    tree_header_encode(&header, bytes);
    EXPECT_BYTES(bytes, "VALORITR", 8);
    EXPECT_EQUAL(load_le32(bytes + 8), 1);
    EXPECT_EQUAL(load_le32(bytes + 12), 512);
    EXPECT_EQUAL(load_le64(bytes + 32), 7);
    EXPECT_EQUAL(load_le64(bytes + 40), 1000);
    EXPECT_EQUAL(load_le64(bytes + 48), 600);
    EXPECT_EQUAL(bytes[56], 2);
    EXPECT_EQUAL(bytes[88], 3);
    EXPECT_EQUAL(bytes[120], 4);
    EXPECT(bytes_all_zero(bytes + 152, 480 - 152));
    EXPECT_EQUAL(tree_header_decode(bytes, &back), STATUS_OK);
    EXPECT_BYTES(&back, &header, sizeof header);
}

static void every_flipped_bit_is_found(void) {
    struct tree_header header, back;
    uint8_t bytes[TREE_HEADER_SIZE];
    make_header(&header);
    tree_header_encode(&header, bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT_EQUAL(tree_header_decode(bytes, &back), STATUS_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    store_le32(bytes + 8, 2);
    sha256(bytes, 480, bytes + 480);
    EXPECT_EQUAL(tree_header_decode(bytes, &back), STATUS_VERSION);
}

static void sizes_that_do_not_fit_are_refused(void) {
    struct tree_header header, back;
    uint8_t bytes[TREE_HEADER_SIZE];
    make_header(&header);
    header.count = UINT64_MAX / 32;
    tree_header_encode(&header, bytes);
    EXPECT_EQUAL(tree_header_decode(bytes, &back), STATUS_CORRUPT);
    make_header(&header);
    header.number = 0;
    tree_header_encode(&header, bytes);
    EXPECT_EQUAL(tree_header_decode(bytes, &back), STATUS_CORRUPT);
}

static void places_follow_from_base_and_count(void) {
    struct tree_header header;
    make_header(&header); /* 1000 is 11 1110 1000; the blocks 3, 4 and 5 end in it */
    EXPECT_EQUAL(tree_range_count(&header), 6);
    EXPECT_EQUAL(tree_first_block(&header), 3);
    EXPECT_EQUAL(tree_block_count(&header), 3);
    EXPECT_EQUAL(tree_leaves_at(&header), 512 + 9 * 32);
    EXPECT_EQUAL(tree_file_size(&header), 512 + 609 * 32);
    header.base = 0;
    header.count = 255;
    EXPECT_EQUAL(tree_range_count(&header), 0);
    EXPECT_EQUAL(tree_block_count(&header), 0);
    header.count = 256;
    EXPECT_EQUAL(tree_block_count(&header), 1);
}

static void ranges_go_and_come_back(void) {
    struct rfc6962_range range, back;
    uint8_t bytes[64 * SHA256_SIZE], root[SHA256_SIZE], again[SHA256_SIZE];
    rfc6962_begin(&range);
    for (int i = 0; i < 1000; i++) {
        uint8_t leaf[SHA256_SIZE] = {(uint8_t)i, (uint8_t)(i >> 8)};
        rfc6962_append(&range, leaf);
    }
    tree_range_encode(&range, bytes);
    EXPECT_BYTES(bytes, range.roots[9], SHA256_SIZE); /* the largest first */
    tree_range_decode(1000, bytes, &back);
    rfc6962_root(&range, root);
    rfc6962_root(&back, again);
    EXPECT_BYTES(root, again, SHA256_SIZE);
}

static void names(void) {
    char name[40];
    uint64_t number;
    tree_name(12, name);
    EXPECT(strcmp(name, "valori-00000012.tree") == 0);
    EXPECT(tree_name_parse(name, &number));
    EXPECT_EQUAL(number, 12);
    EXPECT(tree_name_parse("valori-123456789.tree", &number));
    EXPECT_EQUAL(number, 123456789);
    EXPECT(tree_name_parse("valori-000000012.tree", &number));
    EXPECT_EQUAL(number, 0);
    EXPECT(!tree_name_parse("valori-00000012.log", &number));
    EXPECT(!tree_name_parse("valori-00000012.tree.tmp", &number));
}

int main(void) {
    RUN(the_header_is_as_the_format_says);
    RUN(every_flipped_bit_is_found);
    RUN(sizes_that_do_not_fit_are_refused);
    RUN(places_follow_from_base_and_count);
    RUN(ranges_go_and_come_back);
    RUN(names);
    return test_finish();
}
