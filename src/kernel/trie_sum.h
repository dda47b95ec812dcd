/* What a trie comes to: enc(trie) of docs/format.md section 7. */
#ifndef KERNEL_TRIE_SUM_H
#define KERNEL_TRIE_SUM_H

#include <string.h>

#include "base/bytes.h"
#include "base/sha256.h"

struct trie_sum {
    uint64_t count;
    uint8_t root[SHA256_SIZE]; /* zeros when count is 0 */
};

#define TRIE_SUM_SIZE (8 + SHA256_SIZE)

/* Both ways; each gives what follows the bytes. */
static inline uint8_t *trie_sum_encode(const struct trie_sum *sum, uint8_t *bytes) {
    store_le64(bytes, sum->count);
    memcpy(bytes + 8, sum->root, SHA256_SIZE);
    return bytes + TRIE_SUM_SIZE;
}
static inline const uint8_t *trie_sum_decode(const uint8_t *bytes, struct trie_sum *sum) {
    sum->count = load_le64(bytes);
    memcpy(sum->root, bytes + 8, SHA256_SIZE);
    return bytes + TRIE_SUM_SIZE;
}

#endif
