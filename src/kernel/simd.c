#include "kernel/simd.h"

#include "kernel/beam.h"
#include "kernel/code_loops.h"
#include "kernel/distance.h"

#include "kernel/pure.h"

/* The loops over codes that go with a level, the best first. */
static const struct {
    const char *level, *best, *next;
} codes[] = {
    {"portable", "portable", "portable"}, {"sse4.1", "sse4.1", "portable"},
    {"avx2", "avx2", "portable"},         {"avx512", "avx512", "avx2"},
    {"neon", "dotprod", "neon"},
};

const char *simd_select(const char *force) {
    const struct distance_functions *functions = distance_select(force);
    if (!functions) return NULL;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (!simd_same_name(codes[i].level, functions->name)) continue;
        if (!code_loops_select(codes[i].best)) code_loops_select(codes[i].next);
    }
    beam_select(functions->name);
    return functions->name;
}

bool simd_self_check(void) {
    return distance_self_check(distance()) && code_loops_self_check(code_loops()) &&
           beam_self_check(beam_functions());
}
