/* The portable definition of the loops over code rows, the choice among them, and the
 * start-up check. */
#include "kernel/code_loops.h"

#include <string.h>

#include "base/cpu.h"
#include "base/int128.h"
#include "kernel/rounding.h"
#include "kernel/simd.h"

#include "kernel/pure.h"

/* --- The portable definition -------------------------------------------------------- */

/* In pieces whose bytes are widened first: of the last loop, with a sum of its own,
 * compilers make multiplications of 16-bit pairs, which is three times as fast as
 * anything they make of the whole. Bytes are taken as they lie; what is 128 too much in
 * each comes off at the end. */
enum { PIECE = 64 };

static int32_t piece(const int8_t *query, const uint8_t *row) {
    int16_t ours[PIECE], theirs[PIECE];
    int32_t sum = 0;
    for (int i = 0; i < PIECE; i++) ours[i] = query[i];
    for (int i = 0; i < PIECE; i++) theirs[i] = row[i];
    for (int i = 0; i < PIECE; i++) sum += ours[i] * theirs[i];
    return sum;
}

static void dots(const int8_t *query, int32_t sum, const uint8_t *const *rows,
                 uint32_t count, uint32_t stride, int32_t *sums) {
    for (uint32_t i = 0; i < count; i++) {
        int32_t whole = 0;
        for (uint32_t at = 0; at < stride; at += PIECE)
            whole += piece(query + at, rows[i] + at);
        sums[i] = whole - 128 * sum;
    }
}

static uint32_t square_piece(const int8_t *query, const uint8_t *row) {
    int16_t away[PIECE];
    int32_t sum = 0;
    for (int i = 0; i < PIECE; i++) away[i] = (int16_t)(row[i] - 128 - query[i]);
    for (int i = 0; i < PIECE; i++) sum += away[i] * away[i];
    return (uint32_t)sum;
}

static void squares(const int8_t *query, int32_t sum, uint32_t square,
                    const uint8_t *const *rows, uint32_t count, uint32_t stride,
                    uint32_t *sums) {
    (void)sum, (void)square;
    for (uint32_t i = 0; i < count; i++) {
        sums[i] = 0;
        for (uint32_t at = 0; at < stride; at += PIECE)
            sums[i] += square_piece(query + at, rows[i] + at);
    }
}

/* leading(value * 2^46) of code.c. */
static uint32_t lattice_key(uint32_t value) {
    enum { KEPT = 26 };
    if (value == 0) return 0;
    uint32_t length = (uint32_t)bit_length(value);
    uint32_t kept = length > KEPT ? value >> (length - KEPT) : value << (KEPT - length);
    return ((length + 46 - KEPT) << (KEPT - 1)) + kept;
}

int32_t code_codes(const uint8_t *row, uint32_t stride, int8_t *query) {
    uint32_t sum = 0;
    for (uint32_t at = 0; at < stride; at += PIECE)
        for (uint32_t i = at; i < at + PIECE; i++) sum += row[i];
    for (uint32_t i = 0; i < stride; i++) query[i] = (int8_t)(row[i] ^ 0x80);
    return (int32_t)(sum - 128 * stride);
}

void code_square_keys(uint32_t *sums, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) sums[i] = lattice_key(sums[i]);
}

/* Shifting a negative number rounds it down, on every machine there is. */
void code_cosine_keys(uint32_t scale, const uint32_t *scales, const int32_t *sums,
                      uint32_t count, uint32_t *keys) {
    for (uint32_t i = 0; i < count; i++) {
        int128 cosine = (int128)((int64_t)sums[i] * scales[i]) * scale >> 44;
        keys[i] = (uint32_t)(((int64_t)1 << 30) - (int64_t)cosine);
    }
}

static const struct code_loops portable = {
    .name = "portable",
    .codes = code_codes,
    .dots = dots,
    .squares = squares,
    .square_keys = code_square_keys,
    .cosine_keys = code_cosine_keys,
};

const struct code_loops *code_loops_portable(void) { return &portable; }

/* --- The choice --------------------------------------------------------------------- */

#if !defined(__x86_64__)
const struct code_loops *code_loops_sse41(void) { return NULL; }
const struct code_loops *code_loops_avx2(void) { return NULL; }
const struct code_loops *code_loops_avx512(void) { return NULL; }
#endif
#if !defined(__AARCH64EL__)
const struct code_loops *code_loops_neon(void) { return NULL; }
const struct code_loops *code_loops_dotprod(void) { return NULL; }
#endif

/* Written before there is a second thread, then only read. */
static const struct code_loops *chosen = &portable;

const struct code_loops *code_loops(void) { return chosen; }

const struct code_loops *code_loops_select(const char *force) {
    struct cpu_features cpu = cpu_features();
    bool avx512 =
        cpu.avx512f && cpu.avx512bw && cpu.avx512vl && cpu.avx512cd && cpu.avx512vnni;
    const struct code_loops *const candidates[] = {
        /* the fastest first */
        avx512 ? code_loops_avx512() : NULL,
        cpu.avx2 ? code_loops_avx2() : NULL,
        cpu.sse41 ? code_loops_sse41() : NULL,
        cpu.dotprod ? code_loops_dotprod() : NULL,
        code_loops_neon(),
        &portable,
    };
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (!candidates[i]) continue;
        if (force && !simd_same_name(force, candidates[i]->name)) continue;
        chosen = candidates[i];
        return chosen;
    }
    return NULL;
}

/* --- The start-up check ------------------------------------------------------------- */

enum { CHECK_STRIDE = 320, CHECK_ROWS = 6 };

struct checker {
    uint64_t seed;
    _Alignas(64) int8_t query[CHECK_STRIDE];
    _Alignas(64) uint8_t rows[CHECK_ROWS][CHECK_STRIDE];
};

static uint32_t next_draw(struct checker *checker) {
    checker->seed ^= checker->seed << 13;
    checker->seed ^= checker->seed >> 7;
    checker->seed ^= checker->seed << 17;
    return (uint32_t)(checker->seed >> 32);
}

static uint8_t next_byte(struct checker *checker) {
    static const uint8_t extremes[] = {0, 1, 127, 128, 129, 254, 255, 128};
    uint32_t draw = next_draw(checker);
    return draw & 0x100 ? extremes[draw & 7] : (uint8_t)(draw >> 16);
}

static bool sums_agree(struct checker *checker, const struct code_loops *loops,
                       uint32_t stride) {
    int32_t sum = 0, wanted[CHECK_ROWS], given[CHECK_ROWS];
    uint32_t square = 0, wanted_squares[CHECK_ROWS], given_squares[CHECK_ROWS];
    _Alignas(64) int8_t codes[2][CHECK_STRIDE];
    const uint8_t *rows[CHECK_ROWS];
    for (uint32_t i = 0; i < stride; i++) {
        checker->query[i] = (int8_t)(next_byte(checker) - 128);
        sum += checker->query[i];
        square += (uint32_t)(checker->query[i] * checker->query[i]);
    }
    for (uint32_t i = 0; i < CHECK_ROWS; i++) {
        rows[i] = checker->rows[i];
        for (uint32_t j = 0; j < stride; j++) checker->rows[i][j] = next_byte(checker);
    }
    dots(checker->query, sum, rows, CHECK_ROWS, stride, wanted);
    loops->dots(checker->query, sum, rows, CHECK_ROWS, stride, given);
    squares(checker->query, sum, square, rows, CHECK_ROWS, stride, wanted_squares);
    loops->squares(checker->query, sum, square, rows, CHECK_ROWS, stride, given_squares);
    return code_codes(rows[0], stride, codes[0]) ==
               loops->codes(rows[0], stride, codes[1]) &&
           memcmp(codes[0], codes[1], stride) == 0 &&
           memcmp(wanted, given, sizeof wanted) == 0 &&
           memcmp(wanted_squares, given_squares, sizeof wanted_squares) == 0;
}

/* Of numbers of every length. */
static bool keys_agree(struct checker *checker, const struct code_loops *loops) {
    enum { KEYS = 37 };
    uint32_t wanted[KEYS], given[KEYS], scales[KEYS];
    int32_t products[KEYS];
    for (uint32_t i = 0; i < KEYS; i++) {
        wanted[i] = given[i] = i == 5 ? 0 : next_draw(checker) >> i % 32;
        scales[i] = next_draw(checker) >> (1 + i % 9);
        products[i] = (int32_t)(next_draw(checker) >> 11) - (1 << 20);
    }
    code_square_keys(wanted, KEYS);
    loops->square_keys(given, KEYS);
    if (memcmp(wanted, given, sizeof wanted) != 0) return false;
    uint32_t scale = next_draw(checker) >> 1;
    code_cosine_keys(scale, scales, products, KEYS, wanted);
    loops->cosine_keys(scale, scales, products, KEYS, given);
    return memcmp(wanted, given, sizeof wanted) == 0;
}

bool code_loops_self_check(const struct code_loops *loops) {
    struct checker checker;
    checker.seed = 0x9e3779b97f4a7c15;
    for (uint32_t stride = 64; stride <= CHECK_STRIDE; stride += 64)
        for (int turn = 0; turn < 16; turn++)
            if (!sums_agree(&checker, loops, stride)) return false;
    return keys_agree(&checker, loops);
}
