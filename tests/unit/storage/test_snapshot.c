#include "unit/storage/snapshot_trial.h"

#include "base/bytes.h"

static void header_has_the_bytes_of_the_format(void) {
    struct snapshot_facts facts = facts_of(13, 4000);
    uint8_t bytes[SNAPSHOT_HEADER_SIZE], hash[SHA256_SIZE];
    snapshot_header_encode(&facts, bytes);
    EXPECT_BYTES(bytes, "VALORISN", 8);
    EXPECT_EQUAL(load_le32(bytes + 8), 1);
    EXPECT_EQUAL(load_le32(bytes + 12), 4096);
    EXPECT_EQUAL(bytes[16], 0x11);
    EXPECT_EQUAL(load_le64(bytes + 32), 13);
    rfc6962_root(&facts.cover.range, hash);
    EXPECT_BYTES(bytes + 40, hash, SHA256_SIZE);
    EXPECT_EQUAL(bytes[72], 0x22);
    EXPECT_EQUAL(bytes[215], 0x22);
    EXPECT_EQUAL(load_le64(bytes + 216), 77);
    EXPECT_EQUAL(load_le64(bytes + 224), 4000);
    EXPECT_EQUAL(load_le64(bytes + 232), 78);
    EXPECT(bytes_all_zero(bytes + 240, 272));
    EXPECT_EQUAL(bytes[512], 12); /* entry 12 alone */
    EXPECT(bytes_all_zero(bytes + 512 + 32, 32));
    EXPECT_BYTES(bytes + 512 + 3 * 32, facts.cover.range.roots[3], SHA256_SIZE);
    EXPECT(bytes_all_zero(bytes + 2560, 1504));
    sha256(bytes, 4064, hash);
    EXPECT_BYTES(bytes + 4064, hash, SHA256_SIZE);
}

static void header_comes_back_and_every_flipped_bit_spoils_it(void) {
    struct snapshot_facts facts = facts_of(13, 4000), read = facts_of(0, 0);
    uint8_t bytes[SNAPSHOT_HEADER_SIZE];
    snapshot_header_encode(&facts, bytes);
    EXPECT_EQUAL(snapshot_header_decode(bytes, &read), STATUS_OK);
    uint8_t again[SNAPSHOT_HEADER_SIZE];
    snapshot_header_encode(&read, again);
    EXPECT_BYTES(again, bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT_EQUAL(snapshot_header_decode(bytes, &read), STATUS_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    store_le32(bytes + 8, 2);
    sha256(bytes, 4064, bytes + 4064);
    EXPECT_EQUAL(snapshot_header_decode(bytes, &read), STATUS_VERSION);
}

static void trailer_comes_back_and_every_flipped_bit_spoils_it(void) {
    struct snapshot_trailer trailer = {.end = 3 * SNAPSHOT_PIECE + 8, .pieces = 4}, read;
    memset(trailer.root, 0x33, SHA256_SIZE);
    uint64_t size = trailer.end + 4 * SHA256_SIZE + SNAPSHOT_TRAILER_SIZE;
    uint8_t bytes[SNAPSHOT_TRAILER_SIZE];
    snapshot_trailer_encode(&trailer, bytes);
    EXPECT_EQUAL(snapshot_trailer_decode(bytes, size, &read), STATUS_OK);
    EXPECT_EQUAL(read.end, trailer.end);
    EXPECT_EQUAL(read.pieces, 4);
    EXPECT_BYTES(read.root, trailer.root, SHA256_SIZE);
    EXPECT_EQUAL(snapshot_trailer_decode(bytes, size + 1, &read), STATUS_CORRUPT);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT_EQUAL(snapshot_trailer_decode(bytes, size, &read), STATUS_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void names_are_read_as_they_are_written(void) {
    char name[SNAPSHOT_NAME_SIZE];
    uint64_t entries;
    static const uint64_t numbers[] = {1, 1024, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        snapshot_name(numbers[i], name);
        EXPECT(snapshot_name_parse(name, &entries) && entries == numbers[i]);
    }
    EXPECT(strcmp(name, "valori-18446744073709551615.snap") == 0);
    static const char *const others[] = {"valori-18446744073709551616.snap",
                                         "valori-1.snap", "valori-00000001.log",
                                         "valori-00000000000000000001.snap.tmp",
                                         "valori-000000000000000000001.snap"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        EXPECT(!snapshot_name_parse(others[i], &entries));
}

static void newest_are_listed_first(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    const struct os *os = sim_os(f.sim);
    for (uint64_t i = 0; i < SNAPSHOTS_MAX + 9; i++) {
        char name[SNAPSHOT_NAME_SIZE];
        struct file *file;
        snapshot_name(1 + i * 29 % (SNAPSHOTS_MAX + 9), name);
        EXPECT_EQUAL(os->file_open(os, f.directory, name, FILE_CREATE, &file), STATUS_OK);
        os->file_close(os, file);
    }
    uint64_t entries[SNAPSHOTS_MAX];
    size_t count;
    EXPECT_EQUAL(snapshot_list(os, f.directory, entries, &count), STATUS_OK);
    EXPECT_EQUAL(count, SNAPSHOTS_MAX);
    for (size_t i = 0; i < count; i++) EXPECT_EQUAL(entries[i], SNAPSHOTS_MAX + 9 - i);
    fixture_end(&f);
}

int main(void) {
    RUN(header_has_the_bytes_of_the_format);
    RUN(header_comes_back_and_every_flipped_bit_spoils_it);
    RUN(trailer_comes_back_and_every_flipped_bit_spoils_it);
    RUN(names_are_read_as_they_are_written);
    RUN(newest_are_listed_first);
    return test_finish();
}
