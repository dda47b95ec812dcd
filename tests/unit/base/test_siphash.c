/* SipHash-2-4 against the vectors of its reference implementation and paper. */
#include "base/siphash.h"

#include "test.h"

static void key_of_the_paper(uint8_t key[SIPHASH_KEY_SIZE]) {
    for (uint8_t i = 0; i < SIPHASH_KEY_SIZE; i++) key[i] = i;
}

/* Row i is the hash of the bytes 0, 1, ..., i - 1; row 15 is the example of the paper. */
static const uint64_t wanted[] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
};

static void matches_the_reference(void) {
    uint8_t key[SIPHASH_KEY_SIZE], message[16];
    key_of_the_paper(key);
    for (uint8_t i = 0; i < 16; i++) message[i] = i;
    for (size_t size = 0; size < 16; size++)
        EXPECT(siphash(key, message, size) == wanted[size]);
}

static void every_split_equals_one_shot(void) {
    uint8_t key[SIPHASH_KEY_SIZE], message[70];
    key_of_the_paper(key);
    for (size_t i = 0; i < sizeof message; i++) message[i] = (uint8_t)(i * 37 + 200);
    for (size_t size = 0; size <= sizeof message; size++) {
        uint64_t whole = siphash(key, message, size);
        for (size_t first = 0; first <= size; first++) {
            for (size_t second = first; second <= size; second++) {
                struct siphash hash;
                siphash_begin(&hash, key);
                siphash_add(&hash, message, first);
                siphash_add(&hash, message + first, second - first);
                siphash_add(&hash, message + second, size - second);
                EXPECT(siphash_end(&hash) == whole);
            }
        }
    }
}

/* The size's lowest byte is in the last word: 256 bytes more must still tell. */
static void size_and_key_matter(void) {
    uint8_t key[SIPHASH_KEY_SIZE], zeros[512] = {0};
    key_of_the_paper(key);
    uint64_t hash = siphash(key, zeros, 256);
    EXPECT(hash != siphash(key, zeros, 512));
    EXPECT(hash != siphash(key, zeros, 255));
    key[15] ^= 0x80;
    EXPECT(hash != siphash(key, zeros, 256));
    EXPECT(siphash(key, NULL, 0) == siphash(key, zeros, 0));
}

int main(void) {
    RUN(matches_the_reference);
    RUN(every_split_equals_one_shot);
    RUN(size_and_key_matter);
    return test_finish();
}
