/* What a trie comes to: enc(trie) of docs/format.md section 7. */
#ifndef KERNEL_TRIE_SUM_H
#define KERNEL_TRIE_SUM_H

#include "base/sha256.h"

struct trie_sum {
    uint64_t count;
    uint8_t root[SHA256_SIZE]; /* zeros when count is 0 */
};

#endif
