/* The loops over code rows, in the form that is best for this CPU.
 *
 * As with distance.h: code_loops.c has the portable definition and the choice, simd/ the
 * same functions for one instruction set each, equal bit for bit
 * (tests/unit/kernel/test_code_loops.c, and code_loops_self_check() at start-up).
 * Everything that is not a loop over a row is in code.c, once for all. */
#ifndef KERNEL_CODE_LOOPS_H
#define KERNEL_CODE_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

#define CODE_ROWS_AT_ONCE 4

struct code_loops {
    const char *name;

    /* sums[i] = sum over j < stride of (rows[i][j] - 128) * query[j]. `stride` is a
     * multiple of 64, at most 65,536; rows and query are aligned to 64; `sum` is that of
     * the query. */
    void (*dots)(const int8_t *query, int32_t sum, const uint8_t *const rows[4],
                 uint32_t stride, int32_t sums[4]);
};

/* The loops of one kind; NULL where this build has none. The CPU is not asked. */
const struct code_loops *code_loops_portable(void);
const struct code_loops *code_loops_sse41(void);
const struct code_loops *code_loops_avx2(void);
const struct code_loops *code_loops_avx512(void); /* with VNNI */
const struct code_loops *code_loops_neon(void);
const struct code_loops *code_loops_dotprod(void); /* NEON with dot products */

/* As distance_select(): the fastest that this CPU has, or the one named `force`
 * ("portable", "sse4.1", "avx2", "avx512", "neon", "dotprod"). kernel/simd.h calls both.
 */
const struct code_loops *code_loops_select(const char *force);

/* What was chosen; the portable ones until then. */
const struct code_loops *code_loops(void);

/* True if `loops` agree with the portable ones on inputs made to find the faults of
 * vector code. Under a millisecond. */
bool code_loops_self_check(const struct code_loops *loops);

#endif
