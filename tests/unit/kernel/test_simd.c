/* The levels: one word chooses the loops over vectors and those over codes. */
#include "test.h"

#include "base/cpu.h"
#include "kernel/code_loops.h"
#include "kernel/distance.h"
#include "kernel/simd.h"

static void every_level_of_this_cpu(void) {
    static const char *const levels[] = {"portable", "sse4.1", "avx2", "avx512", "neon"};
    int found = 0;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        const char *name = simd_select(levels[i]);
        if (!name) continue;
        found++;
        EXPECT(strcmp(name, levels[i]) == 0);
        EXPECT(strcmp(distance()->name, levels[i]) == 0);
        const char *codes = code_loops()->name;
        bool same = strcmp(codes, name) == 0;
        bool next = (strcmp(name, "avx512") == 0 && strcmp(codes, "avx2") == 0) ||
                    (strcmp(name, "neon") == 0 && strcmp(codes, "dotprod") == 0);
        EXPECT(same || next);
        EXPECT(simd_self_check());
    }
    EXPECT(found >= 1);
}

static void unknown_levels_change_nothing(void) {
    EXPECT(simd_select("portable") != NULL);
    EXPECT(simd_select("mmx") == NULL);
    EXPECT(simd_select("") == NULL);
    EXPECT(distance() == distance_portable());
    EXPECT(code_loops() == code_loops_portable());
}

static void the_best_is_the_best(void) {
    struct cpu_features cpu = cpu_features();
    const char *best = simd_select(NULL);
    EXPECT(best != NULL);
    if (cpu.avx2) EXPECT(strncmp(best, "avx", 3) == 0);
    if (cpu.neon) EXPECT(strcmp(best, distance_neon() ? "neon" : "portable") == 0);
    if (cpu.dotprod && distance_neon()) EXPECT(code_loops() == code_loops_dotprod());
}

int main(void) {
    RUN(every_level_of_this_cpu);
    RUN(unknown_levels_change_nothing);
    RUN(the_best_is_the_best);
    return test_finish();
}
