/* SipHash-2-4 with 64-bit output (Aumasson and Bernstein, 2012): the keyed check of frames.
 * It makes accidents visible and keeps user bytes from imitating a frame; it is no proof
 * against somebody who reads the key out of the segment header. That is the log root's work. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_SIZE 16

/* One shot. */
uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], const void *bytes, size_t size);

/* The same over bytes that come in pieces. */
struct siphash {
    uint64_t v0, v1, v2, v3;
    uint64_t size;
    uint64_t tail; /* size % 8 bytes, little-endian */
};
void siphash_begin(struct siphash *hash, const uint8_t key[SIPHASH_KEY_SIZE]);
void siphash_add(struct siphash *hash, const void *bytes, size_t size);
uint64_t siphash_end(struct siphash *hash);

#endif
