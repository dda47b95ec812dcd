/* CPU features: CPUID and XGETBV on x86-64, identification registers on AArch64. */
#include "base/cpu.h"

#include <stdint.h>

#if defined(__x86_64__)

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf) {
    struct cpuid r = {leaf, 0, 0, 0};
    __asm__("cpuid" : "+a"(r.eax), "=b"(r.ebx), "+c"(r.ecx), "=d"(r.edx));
    return r;
}

/* XCR0: which register files the operating system saves. Only where OSXSAVE is set. */
static uint32_t saved_registers(void) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool bit(uint32_t word, unsigned position) { return word >> position & 1; }

struct cpu_features cpu_features(void) {
    enum { XMM_YMM = 0x06, XMM_YMM_MASK_ZMM = 0xe6 };
    struct cpu_features features = {0};
    uint32_t highest_leaf = cpuid(0).eax;
    struct cpuid basic = cpuid(1);
    features.ssse3 = bit(basic.ecx, 9);
    features.sse41 = bit(basic.ecx, 19);
    if (highest_leaf < 7) return features;

    struct cpuid extended = cpuid(7);
    features.sha = bit(extended.ebx, 29);

    uint32_t saved = bit(basic.ecx, 27) ? saved_registers() : 0;
    bool wide = (saved & XMM_YMM) == XMM_YMM && bit(basic.ecx, 28);
    bool widest = wide && (saved & XMM_YMM_MASK_ZMM) == XMM_YMM_MASK_ZMM;
    features.avx2 = wide && bit(extended.ebx, 5);
    features.avx512f = widest && bit(extended.ebx, 16);
    /* The others mean nothing without the foundation. */
    features.avx512dq = features.avx512f && bit(extended.ebx, 17);
    features.avx512cd = features.avx512f && bit(extended.ebx, 28);
    features.avx512bw = features.avx512f && bit(extended.ebx, 30);
    features.avx512vl = features.avx512f && bit(extended.ebx, 31);
    features.avx512vnni = features.avx512f && bit(extended.ecx, 11);
    return features;
}

#elif defined(__aarch64__)

struct cpu_features cpu_features(void) {
    struct cpu_features features = {.neon = true};
#if defined(__linux__)
    /* Reading this register traps; Linux (since 4.11) answers for user space, with only
     * the bits that hold on every core. Elsewhere the trap would kill us, so we do not
     * ask. */
    uint64_t isar0;
    __asm__("mrs %0, ID_AA64ISAR0_EL1" : "=r"(isar0));
    features.sha2 = (isar0 >> 12 & 0xf) != 0;
    features.dotprod = (isar0 >> 44 & 0xf) != 0;
#endif
    return features;
}

#else

struct cpu_features cpu_features(void) {
    return (struct cpu_features){0};
}

#endif
