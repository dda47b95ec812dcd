/* What the CPU can do, asked of the CPU itself: base/ has no libc to ask.
 *
 * A field is true only when the instructions exist and the operating system saves the
 * registers that they use. Fields of another architecture are false. The answer never
 * changes while a process runs; asking costs microseconds (less without a hypervisor), so
 * ask once. */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <stdbool.h>

struct cpu_features {
    /* x86-64 */
    bool ssse3, sse41, sha;
    bool avx2;
    bool avx512f, avx512bw, avx512cd, avx512dq, avx512vl, avx512vnni;

    /* AArch64 */
    bool neon; /* always */
    bool sha2, dotprod;
};

struct cpu_features cpu_features(void);

#endif
