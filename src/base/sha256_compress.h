/* The compression function of SHA-256, one implementation a file; only sha256.c chooses.
 *
 * Each takes `count` whole 64-byte blocks into `state`, whose words are in the host's
 * order. */
#ifndef BASE_SHA256_COMPRESS_H
#define BASE_SHA256_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64

#if defined(__x86_64__)
#define SHA256_HAS_X86
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define SHA256_HAS_ARM
#endif

typedef void sha256_compress(uint32_t state[8], const uint8_t *blocks, size_t count);

/* Two messages of as many blocks, side by side: one alone waits for each instruction's
 * result before the next. Every implementation has it; some do one after the other. */
typedef void sha256_compress_two(uint32_t states[2][8], const uint8_t *const blocks[2],
                                 size_t count);

sha256_compress sha256_compress_portable;
sha256_compress sha256_compress_x86; /* where SHA256_HAS_X86 */
sha256_compress_two sha256_compress_two_x86;
sha256_compress sha256_compress_arm; /* where SHA256_HAS_ARM */

/* K of FIPS 180-4, 4.2.2. */
extern const uint32_t sha256_constants[64];

#endif
