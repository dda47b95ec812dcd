/* SHA-256 (FIPS 180-4), the one hash of the commitment.
 *
 * sha256_portable.c is the definition; sha256_x86.c (SHA-NI) and sha256_arm.c (ARMv8 crypto)
 * compute the same with one compression function each. sha256_select() picks once, from what
 * the CPU says, before any other thread starts; without the call the portable one is used. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

struct sha256 {
    uint32_t state[8];
    uint64_t size;      /* bytes taken so far */
    uint8_t block[64];  /* size % 64 of them wait here */
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t size);
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_SIZE]);

/* All three in one. */
void sha256(const void *bytes, size_t size, uint8_t digest[SHA256_SIZE]);
/* Two messages of one size, in hardly more time than one takes where the CPU has
 * instructions for it. */
void sha256_two(const void *const bytes[2], size_t size, uint8_t *const digests[2]);

/* Use the fastest implementation that this CPU has and give its name: "sha-ni", "armv8" or
 * "portable". `force` NULL, or one of those names; an unusable one gives NULL and changes
 * nothing. */
const char *sha256_select(const char *force);

#endif
