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

struct code_loops {
    const char *name;

    /* query[j] = row[j] - 128, for j < stride; gives their sum. `query` may be the row.
     */
    int32_t (*codes)(const uint8_t *row, uint32_t stride, int8_t *query);

    /* sums[i] = sum over j < stride of (rows[i][j] - 128) * query[j], for i < count.
     * `stride` is a multiple of 64, at most 65,536; rows and query are aligned to 64;
     * `sum` is that of the query. */
    void (*dots)(const int8_t *query, int32_t sum, const uint8_t *const *rows,
                 uint32_t count, uint32_t stride, int32_t *sums);

    /* sums[i] = sum over j < stride of (rows[i][j] - 128 - query[j])^2, which the caller
     * knows to fit; `square` is the sum of query[j]^2. Otherwise as dots(). */
    void (*squares)(const int8_t *query, int32_t sum, uint32_t square,
                    const uint8_t *const *rows, uint32_t count, uint32_t stride,
                    uint32_t *sums);

    /* Keys of such sums (code.h: L2, between lattice rows), in their place. */
    void (*square_keys)(uint32_t *sums, uint32_t count);

    /* Keys of cosines: 2^30 - floor(scale * scales[i] * dots[i] / 2^44), where the scales
     * are below 2^31 and the first product is below 2^52. */
    void (*cosine_keys)(uint32_t scale, const uint32_t *scales, const int32_t *dots,
                        uint32_t count, uint32_t *keys);
};

/* Any number of rows from a function for four, which adds `rest` to each sum. Inlined, so
 * that it has no calls; rows that are missing in the last four are the first of them once
 * more. */
typedef void code_four_rows(const int8_t *query, uint32_t rest,
                            const uint8_t *const *rows, uint32_t stride, uint32_t *sums);
static inline __attribute__((always_inline)) void
code_by_fours(code_four_rows *four_rows, const int8_t *query, uint32_t rest,
              const uint8_t *const *rows, uint32_t count, uint32_t stride,
              uint32_t *sums) {
    uint32_t done = 0;
    for (; done + 4 <= count; done += 4)
        four_rows(query, rest, rows + done, stride, sums + done);
    if (done == count) return;
    const uint8_t *four[4];
    uint32_t last[4];
    for (uint32_t i = 0; i < 4; i++) four[i] = rows[done + i < count ? done + i : done];
    four_rows(query, rest, four, stride, last);
    for (uint32_t i = 0; done + i < count; i++) sums[done + i] = last[i];
}

/* The portable forms of what is no loop over many rows. */
int32_t code_codes(const uint8_t *row, uint32_t stride, int8_t *query);
void code_square_keys(uint32_t *sums, uint32_t count);
void code_cosine_keys(uint32_t scale, const uint32_t *scales, const int32_t *dots,
                      uint32_t count, uint32_t *keys);

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
