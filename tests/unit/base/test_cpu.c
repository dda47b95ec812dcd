/* CPU features: nothing from another architecture, nothing without its foundation, and on
 * Linux the same as the kernel says. */
#include "base/cpu.h"

#include "test.h"

static void features_are_plausible(void) {
    struct cpu_features cpu = cpu_features();
#if !defined(__x86_64__)
    EXPECT(!cpu.ssse3 && !cpu.sse41 && !cpu.sha && !cpu.avx2 && !cpu.avx512f);
#endif
#if defined(__aarch64__)
    EXPECT(cpu.neon);
#else
    EXPECT(!cpu.neon && !cpu.sha2 && !cpu.dotprod);
#endif
    EXPECT(!cpu.avx512f || cpu.avx2);
    EXPECT(cpu.avx512f ||
           !(cpu.avx512bw || cpu.avx512dq || cpu.avx512vl || cpu.avx512vnni));
    struct cpu_features again = cpu_features();
    EXPECT_BYTES(&again, &cpu, sizeof cpu);
}

#if defined(__x86_64__)
/* True when `flag` is a word of the first "flags" line. */
static bool listed(const char *flags, const char *flag) {
    size_t size = strlen(flag);
    for (const char *at = flags; (at = strstr(at, flag)); at += size)
        if (at[-1] == ' ' && (at[size] == ' ' || at[size] == '\n')) return true;
    return false;
}

static void linux_agrees(void) {
    static char text[1 << 16];
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file) SKIP("no /proc/cpuinfo");
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    char *flags = strstr(text, "\nflags"), *end = flags ? strchr(flags + 1, '\n') : NULL;
    if (!end) SKIP("no flags in /proc/cpuinfo");
    end[1] = 0;

    struct cpu_features cpu = cpu_features();
    EXPECT_EQUAL(cpu.ssse3, listed(flags, "ssse3"));
    EXPECT_EQUAL(cpu.sse41, listed(flags, "sse4_1"));
    EXPECT_EQUAL(cpu.sha, listed(flags, "sha_ni"));
    EXPECT_EQUAL(cpu.avx2, listed(flags, "avx2"));
    EXPECT_EQUAL(cpu.avx512f, listed(flags, "avx512f"));
    EXPECT_EQUAL(cpu.avx512bw, listed(flags, "avx512bw"));
    EXPECT_EQUAL(cpu.avx512dq, listed(flags, "avx512dq"));
    EXPECT_EQUAL(cpu.avx512vl, listed(flags, "avx512vl"));
    EXPECT_EQUAL(cpu.avx512vnni, listed(flags, "avx512_vnni"));
}
#else
static void linux_agrees(void) {
    SKIP("the names in /proc/cpuinfo are known for x86-64");
}
#endif

int main(void) {
    RUN(features_are_plausible);
    RUN(linux_agrees);
    return test_finish();
}
