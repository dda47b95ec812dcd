/* SHA-256: blocks, padding, and the choice of a compression function.
 *
 * Whole blocks go from the caller's bytes straight into the compression function; only
 * what is left over waits in the state. */
#include "base/sha256.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/cpu.h"
#include "base/sha256_compress.h"

/* H(0) of FIPS 180-4, 5.3.3. */
static const uint32_t initial_state[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

struct implementation {
    const char *name;
    sha256_compress *compress;
    sha256_compress_two *compress_two;
    bool (*usable)(const struct cpu_features *cpu);
};

static bool always_usable(const struct cpu_features *cpu) {
    (void)cpu;
    return true;
}
#ifdef SHA256_HAS_X86
static bool x86_usable(const struct cpu_features *cpu) {
    return cpu->sha && cpu->sse41 && cpu->ssse3;
}
#endif
#ifdef SHA256_HAS_ARM
static bool arm_usable(const struct cpu_features *cpu) { return cpu->sha2; }
#endif

/* Where two messages side by side gain nothing, or nobody has looked. */
#define ONE_BY_ONE(name, compress)                                                       \
    static void name(uint32_t states[2][8], const uint8_t *const blocks[2],              \
                     size_t count) {                                                     \
        compress(states[0], blocks[0], count);                                           \
        compress(states[1], blocks[1], count);                                           \
    }
ONE_BY_ONE(two_portable, sha256_compress_portable)
#ifdef SHA256_HAS_ARM
ONE_BY_ONE(two_arm, sha256_compress_arm)
#endif

/* The fastest first; the last works everywhere. */
static const struct implementation implementations[] = {
#ifdef SHA256_HAS_X86
    {"sha-ni", sha256_compress_x86, sha256_compress_two_x86, x86_usable},
#endif
#ifdef SHA256_HAS_ARM
    {"armv8", sha256_compress_arm, two_arm, arm_usable},
#endif
    {"portable", sha256_compress_portable, two_portable, always_usable},
};
#define IMPLEMENTATIONS (sizeof implementations / sizeof implementations[0])

/* Set once by sha256_select(), before there is a second thread. */
static const struct implementation *chosen = &implementations[IMPLEMENTATIONS - 1];

/* strcmp() is not in a freestanding library. */
static bool same_text(const char *a, const char *b) {
    for (; *a && *a == *b; a++) b++;
    return *a == *b;
}

/* Two blocks suffice to show instructions that do not do what they should: every bit of
 * the result depends on every bit of both. */
static bool agrees_with_portable(const struct implementation *candidate) {
    uint8_t blocks[3 * SHA256_BLOCK];
    for (size_t i = 0; i < sizeof blocks; i++) blocks[i] = (uint8_t)(i * 151 + 7);
    const uint8_t *const both[2] = {blocks, blocks + SHA256_BLOCK};
    uint32_t state[8], states[2][8], wanted[2][8];
    for (int i = 0; i < 2; i++) {
        memcpy(states[i], initial_state, sizeof states[i]);
        memcpy(wanted[i], initial_state, sizeof wanted[i]);
        sha256_compress_portable(wanted[i], both[i], 2);
    }
    memcpy(state, initial_state, sizeof state);
    candidate->compress(state, blocks, 2);
    candidate->compress_two(states, both, 2);
    return memcmp(state, wanted[0], sizeof state) == 0 &&
           memcmp(states, wanted, sizeof states) == 0;
}

const char *sha256_select(const char *force) {
    struct cpu_features cpu = cpu_features();
    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        const struct implementation *candidate = &implementations[i];
        if (force && !same_text(force, candidate->name)) continue;
        if (!candidate->usable(&cpu)) continue;
        check(agrees_with_portable(candidate));
        chosen = candidate;
        return candidate->name;
    }
    return NULL;
}

/* The last `size` < 64 bytes of a message, padded. Gives the number of blocks. */
static size_t pad(uint8_t last[2 * SHA256_BLOCK], const uint8_t *rest, size_t size,
                  uint64_t total_bytes) {
    size_t blocks = size + 1 + 8 <= SHA256_BLOCK ? 1 : 2;
    memset(last, 0, blocks * SHA256_BLOCK);
    if (size > 0) memcpy(last, rest, size);
    last[size] = 0x80;
    store_be64(last + blocks * SHA256_BLOCK - 8, total_bytes * 8);
    return blocks;
}

static void write_digest(const uint32_t state[8], uint8_t digest[SHA256_SIZE]) {
    for (size_t i = 0; i < 8; i++) store_be32(digest + 4 * i, state[i]);
}

/* Take what is left of a message, and write the digest. */
static void finish(uint32_t state[8], const uint8_t *rest, size_t size,
                   uint64_t total_bytes, uint8_t digest[SHA256_SIZE]) {
    uint8_t last[2 * SHA256_BLOCK];
    chosen->compress(state, last, pad(last, rest, size, total_bytes));
    write_digest(state, digest);
}

void sha256(const void *bytes, size_t size, uint8_t digest[SHA256_SIZE]) {
    const uint8_t *from = bytes;
    size_t rest = size % SHA256_BLOCK;
    uint32_t state[8];
    memcpy(state, initial_state, sizeof state);
    if (size > rest) {
        chosen->compress(state, from, size / SHA256_BLOCK);
        from += size - rest;
    }
    finish(state, from, rest, size, digest);
}

void sha256_two(const void *const bytes[2], size_t size, uint8_t *const digests[2]) {
    size_t rest = size % SHA256_BLOCK, whole = size - rest;
    const uint8_t *from[2] = {bytes[0], bytes[1]};
    uint8_t last[2][2 * SHA256_BLOCK];
    const uint8_t *const lasts[2] = {last[0], last[1]};
    uint32_t states[2][8];
    size_t blocks = 0;
    for (int i = 0; i < 2; i++) {
        memcpy(states[i], initial_state, sizeof states[i]);
        blocks = pad(last[i], from[i] + whole, rest, size);
    }
    if (whole > 0) chosen->compress_two(states, from, whole / SHA256_BLOCK);
    chosen->compress_two(states, lasts, blocks);
    for (int i = 0; i < 2; i++) write_digest(states[i], digests[i]);
}

void sha256_begin(struct sha256 *hash) {
    memcpy(hash->state, initial_state, sizeof hash->state);
    hash->size = 0;
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t size) {
    if (size == 0) return;
    const uint8_t *from = bytes;
    size_t waiting = hash->size % SHA256_BLOCK;
    hash->size += size;

    if (waiting > 0) {
        size_t room = SHA256_BLOCK - waiting;
        size_t taken = size < room ? size : room;
        memcpy(hash->block + waiting, from, taken);
        if (taken < room) return;
        chosen->compress(hash->state, hash->block, 1);
        from += taken;
        size -= taken;
    }
    size_t blocks = size / SHA256_BLOCK;
    if (blocks > 0) chosen->compress(hash->state, from, blocks);
    memcpy(hash->block, from + blocks * SHA256_BLOCK, size % SHA256_BLOCK);
}

void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_SIZE]) {
    finish(hash->state, hash->block, hash->size % SHA256_BLOCK, hash->size, digest);
}
