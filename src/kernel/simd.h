/* The instruction sets that the loops over vectors and codes are written for. */
#ifndef KERNEL_SIMD_H
#define KERNEL_SIMD_H

#include <stdbool.h>

/* Choose for this process, once, before any work and any thread: the best level that this
 * CPU has, or `force`: "portable", "sse4.1", "avx2", "avx512" or "neon". Gives its name;
 * NULL, and nothing changes, for another word or a level that this CPU lacks. AVX-512
 * without VNNI takes AVX2's loops over codes; NEON takes dot products where the CPU has
 * them.
 *
 * Every level gives the same answers. Until then the portable loops are used. */
const char *simd_select(const char *force);

/* A look whether what was chosen computes what it should. A few milliseconds. */
bool simd_self_check(void);

/* Are two names the same? */
static inline bool simd_same_name(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

#endif
