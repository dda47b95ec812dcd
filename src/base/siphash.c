/* SipHash-2-4: two rounds for every eight bytes, four at the end. The last word holds
 * what is left of the message and, in its highest byte, the message's size. */
#include "base/siphash.h"

#include "base/bytes.h"

static inline uint64_t rotate(uint64_t x, unsigned bits) {
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct siphash *hash) {
    hash->v0 += hash->v1;
    hash->v2 += hash->v3;
    hash->v1 = rotate(hash->v1, 13) ^ hash->v0;
    hash->v3 = rotate(hash->v3, 16) ^ hash->v2;
    hash->v0 = rotate(hash->v0, 32);

    hash->v2 += hash->v1;
    hash->v0 += hash->v3;
    hash->v1 = rotate(hash->v1, 17) ^ hash->v2;
    hash->v3 = rotate(hash->v3, 21) ^ hash->v0;
    hash->v2 = rotate(hash->v2, 32);
}

static inline void take_word(struct siphash *hash, uint64_t word) {
    hash->v3 ^= word;
    sip_round(hash);
    sip_round(hash);
    hash->v0 ^= word;
}

void siphash_begin(struct siphash *hash, const uint8_t key[SIPHASH_KEY_SIZE]) {
    uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
    /* The constants of the paper: "somepseudorandomlygeneratedbytes". */
    *hash = (struct siphash){
        .v0 = k0 ^ 0x736f6d6570736575,
        .v1 = k1 ^ 0x646f72616e646f6d,
        .v2 = k0 ^ 0x6c7967656e657261,
        .v3 = k1 ^ 0x7465646279746573,
    };
}

/* Put one byte behind those that wait; the eighth completes a word. */
static inline void add_byte(struct siphash *hash, uint8_t byte) {
    hash->tail |= (uint64_t)byte << (8 * (hash->size % 8));
    hash->size++;
    if (hash->size % 8 != 0) return;
    take_word(hash, hash->tail);
    hash->tail = 0;
}

void siphash_add(struct siphash *hash, const void *bytes, size_t size) {
    const uint8_t *from = bytes;
    for (; size > 0 && hash->size % 8 != 0; size--) add_byte(hash, *from++);

    struct siphash state = *hash; /* A local copy stays in registers. */
    for (; size >= 8; size -= 8, from += 8) {
        take_word(&state, load_le64(from));
        state.size += 8;
    }
    for (; size > 0; size--) add_byte(&state, *from++);
    *hash = state;
}

uint64_t siphash_end(struct siphash *hash) {
    take_word(hash, hash->tail | hash->size << 56);
    hash->v2 ^= 0xff;
    for (int i = 0; i < 4; i++) sip_round(hash);
    return hash->v0 ^ hash->v1 ^ hash->v2 ^ hash->v3;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], const void *bytes, size_t size) {
    struct siphash hash;
    siphash_begin(&hash, key);
    siphash_add(&hash, bytes, size);
    return siphash_end(&hash);
}
