/* Messages of the link: what is written is read, and no bit of it may turn over. */
#include "server/link_message.h"

#include "os/os.h"
#include "test.h"

static const uint8_t key[SIPHASH_KEY_SIZE] = "0123456789abcde";
static struct buffer output;

static struct link_message sample(void) {
    return (struct link_message){.kind = LINK_ENTRY,
                                 .sequence = 0x1122334455667788,
                                 .entry = slice_text("the entry"),
                                 .list = slice_text("list"),
                                 .payload = slice_text("and its payload")};
}

static void what_is_written_is_read(void) {
    struct link_message wanted = sample(), got;
    size_t size;
    buffer_init(&output, os_allocator(), 4096);
    EXPECT_EQUAL(link_write(key, &wanted, &output), STATUS_OK);
    struct link_message empty = {.kind = LINK_ENTRY};
    EXPECT_EQUAL(link_write(key, &empty, &output), STATUS_OK);
    struct slice bytes = buffer_slice(&output);
    for (size_t i = 0; i < LINK_HEADER_SIZE + 28; i++) {
        EXPECT_EQUAL(link_read(key, slice_of(bytes.data, i), &got, &size), STATUS_AGAIN);
        EXPECT_EQUAL(size, LINK_HEADER_SIZE + (i < LINK_HEADER_SIZE ? 0 : 28));
    }
    EXPECT_EQUAL(link_read(key, bytes, &got, &size), STATUS_OK);
    EXPECT_EQUAL(got.sequence, wanted.sequence);
    EXPECT(slice_equal(got.entry, wanted.entry));
    EXPECT(slice_equal(got.list, wanted.list));
    EXPECT(slice_equal(got.payload, wanted.payload));
    bytes = slice_of(bytes.data + size, bytes.size - size);
    EXPECT_EQUAL(link_read(key, bytes, &got, &size), STATUS_OK);
    EXPECT_EQUAL(size, LINK_HEADER_SIZE);
    EXPECT_EQUAL(got.payload.size, 0);
    buffer_free(&output);
}

static void G15_every_flipped_bit_is_seen(void) {
    struct link_message wanted = sample(), got;
    size_t size;
    buffer_init(&output, os_allocator(), 4096);
    EXPECT_EQUAL(link_write(key, &wanted, &output), STATUS_OK);
    for (size_t bit = 0; bit < 8 * buffer_size(&output); bit++) {
        output.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT_EQUAL(link_read(key, buffer_slice(&output), &got, &size), STATUS_CORRUPT);
        output.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    uint8_t other[SIPHASH_KEY_SIZE] = "another";
    EXPECT_EQUAL(link_read(other, buffer_slice(&output), &got, &size), STATUS_CORRUPT);
    EXPECT_EQUAL(link_read(key, buffer_slice(&output), &got, &size), STATUS_OK);
    buffer_free(&output);
}

static void a_root_has_its_size(void) {
    uint8_t root[SHA256_SIZE] = {7}, bytes[LINK_ROOT_SIZE];
    struct link_message got, message = {.kind = LINK_ROOT, .sequence = 9};
    size_t size;
    link_root_encode(root, 12, bytes);
    EXPECT_EQUAL(bytes[SHA256_SIZE], 12);
    buffer_init(&output, os_allocator(), 4096);
    message.entry = slice_of(bytes, sizeof bytes);
    EXPECT_EQUAL(link_write(key, &message, &output), STATUS_OK);
    EXPECT_EQUAL(link_read(key, buffer_slice(&output), &got, &size), STATUS_OK);
    EXPECT_BYTES(got.entry.data, bytes, sizeof bytes);
    buffer_clear(&output);
    message.entry.size--;
    EXPECT_EQUAL(link_write(key, &message, &output), STATUS_OK);
    EXPECT_EQUAL(link_read(key, buffer_slice(&output), &got, &size), STATUS_CORRUPT);
    buffer_free(&output);
}

int main(void) {
    RUN(what_is_written_is_read);
    RUN(G15_every_flipped_bit_is_seen);
    RUN(a_root_has_its_size);
    return test_finish();
}
