/* Every kind of loops over codes that this CPU has, against sums written out here. */
#include "test.h"

#include "kernel/code_loops.h"

enum { STRIDE_MAX = 65536 };

static uint64_t random_state = 88172645463325252;
static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1d;
}

static const char *const kinds[] = {"portable", "sse4.1", "avx2",
                                    "avx512",   "neon",   "dotprod"};
#define FOR_EACH_KIND(loops)                                                             \
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)                 \
        for (const struct code_loops *loops = code_loops_select(kinds[kind]); loops;     \
             loops = NULL)

_Alignas(64) static int8_t query[STRIDE_MAX];
enum { ROWS = 7 }; /* four at once, and some that are left over */
_Alignas(64) static uint8_t rows[ROWS][STRIDE_MAX];

static void expect_sum(const struct code_loops *loops, const char *what, uint32_t stride,
                       int64_t given, int64_t wanted) {
    if (given == wanted) return;
    printf("    %s, %s, stride %u\n", loops->name, what, (unsigned)stride);
    EXPECT_EQUAL(given, wanted);
}

/* Sums of the first 1 to ROWS rows, and nothing behind them is written. */
static void expect_dots(const struct code_loops *loops, uint32_t stride) {
    const uint8_t *all[ROWS];
    int64_t dots[ROWS] = {0}, squares[ROWS] = {0}, sum = 0, square = 0;
    for (uint32_t i = 0; i < stride; i++) {
        sum += query[i];
        square += query[i] * query[i];
        for (int row = 0; row < ROWS; row++) {
            int64_t code = rows[row][i] - 128;
            dots[row] += code * query[i];
            squares[row] += (code - query[i]) * (code - query[i]);
        }
    }
    for (int row = 0; row < ROWS; row++) all[row] = rows[row];
    for (uint32_t count = stride > 1024 ? ROWS : 1; count <= ROWS; count++) {
        int32_t given[ROWS + 1];
        uint32_t given_squares[ROWS + 1];
        given[count] = 77, given_squares[count] = 78;
        loops->dots(query, (int32_t)sum, all, count, stride, given);
        loops->squares(query, (int32_t)sum, (uint32_t)square, all, count, stride,
                       given_squares);
        for (uint32_t row = 0; row < count; row++) {
            expect_sum(loops, "dots", stride, given[row], dots[row]);
            expect_sum(loops, "squares", stride, given_squares[row], squares[row]);
        }
        EXPECT_EQUAL(given[count], 77);
        EXPECT_EQUAL(given_squares[count], 78);
    }
}

static void sums_of_random_bytes(void) {
    FOR_EACH_KIND(loops) {
        for (uint32_t stride = 64; stride <= 1024; stride += 64) {
            for (uint32_t i = 0; i < stride; i++) query[i] = (int8_t)next_random();
            for (int row = 0; row < ROWS; row++)
                for (uint32_t i = 0; i < stride; i++)
                    rows[row][i] = (uint8_t)next_random();
            expect_dots(loops, stride);
        }
    }
}

/* Where saturating instructions and sums of 16 bits would show, at the greatest length
 * too. */
static void sums_of_extreme_bytes(void) {
    static const int8_t queries[] = {-128, -127, 127, 1, 0};
    static const uint32_t strides[] = {64, 128, 192, 4096, STRIDE_MAX};
    FOR_EACH_KIND(loops) {
        for (size_t q = 0; q < sizeof queries; q++) {
            for (size_t s = 0; s < sizeof strides / sizeof strides[0]; s++) {
                memset(query, queries[q], strides[s]);
                memset(rows[0], 0, strides[s]);
                memset(rows[1], 255, strides[s]);
                memset(rows[2], 128, strides[s]);
                for (uint32_t i = 0; i < strides[s]; i++) rows[3][i] = i & 1 ? 0 : 255;
                for (int row = 4; row < ROWS; row++) memset(rows[row], row, strides[s]);
                expect_dots(loops, strides[s]);
            }
        }
    }
}

/* One byte at each place: a loop that leaves out or doubles a place has another sum. */
static void every_place_counts_once(void) {
    FOR_EACH_KIND(loops) {
        memset(query, 0, sizeof query);
        for (int row = 0; row < ROWS; row++) memset(rows[row], 3 + row, 320);
        for (uint32_t place = 0; place < 320; place++) {
            query[place] = 5;
            expect_dots(loops, 320);
            query[place] = 0;
        }
    }
}

/* Leading bits of sums, and cosines rounded down whatever their sign, in numbers of which
 * some are left over. */
static void keys_are_those_of_the_portable_form(void) {
    enum { MOST = 40 };
    FOR_EACH_KIND(loops) {
        for (uint32_t count = 1; count <= MOST; count++) {
            uint32_t sums[MOST + 1], wanted[MOST], keys[MOST + 1], scales[MOST];
            int32_t dots[MOST];
            for (uint32_t i = 0; i < count; i++) {
                uint32_t draw = (uint32_t)next_random();
                wanted[i] = sums[i] = i % 5 ? draw >> draw % 32 : i % 2 ? UINT32_MAX : 0;
                scales[i] = i % 7 ? (uint32_t)next_random() >> 1 >> draw % 20 : 0;
                dots[i] = (int32_t)next_random() >> 10 >> draw % 20;
            }
            sums[count] = 77, keys[count] = 78;
            code_square_keys(wanted, count);
            loops->square_keys(sums, count);
            EXPECT_BYTES(sums, wanted, count * sizeof sums[0]);
            uint32_t scale = (uint32_t)next_random() >> 1;
            code_cosine_keys(scale, scales, dots, count, wanted);
            loops->cosine_keys(scale, scales, dots, count, keys);
            EXPECT_BYTES(keys, wanted, count * sizeof keys[0]);
            EXPECT_EQUAL(sums[count], 77);
            EXPECT_EQUAL(keys[count], 78);
        }
    }
}

static void wrong_dots(const int8_t *codes, int32_t sum, const uint8_t *const *some,
                       uint32_t count, uint32_t stride, int32_t *sums) {
    code_loops_portable()->dots(codes, sum, some, count, stride, sums);
    if (stride > 64) sums[count - 1] ^= 1;
}
static void wrong_squares(const int8_t *codes, int32_t sum, uint32_t square,
                          const uint8_t *const *some, uint32_t count, uint32_t stride,
                          uint32_t *sums) {
    code_loops_portable()->squares(codes, sum, square, some, count, stride, sums);
    if (stride > 64) sums[0] ^= 1;
}
static void wrong_square_keys(uint32_t *sums, uint32_t count) {
    code_square_keys(sums, count - 1);
}
static void wrong_cosine_keys(uint32_t scale, const uint32_t *scales, const int32_t *dots,
                              uint32_t count, uint32_t *keys) {
    for (uint32_t i = 0; i < count; i++) { /* not rounded down */
        int64_t product = (int64_t)dots[i] * scales[i] / 65536 * scale / (1 << 28);
        keys[i] = (uint32_t)((1 << 30) - product);
    }
}

static void self_check_knows_right_from_wrong(void) {
    FOR_EACH_KIND(loops) EXPECT(code_loops_self_check(loops));
    struct code_loops wrong = *code_loops_portable();
    wrong.dots = wrong_dots;
    EXPECT(!code_loops_self_check(&wrong));
    wrong = *code_loops_portable();
    wrong.squares = wrong_squares;
    EXPECT(!code_loops_self_check(&wrong));
    wrong = *code_loops_portable();
    wrong.square_keys = wrong_square_keys;
    EXPECT(!code_loops_self_check(&wrong));
    wrong = *code_loops_portable();
    wrong.cosine_keys = wrong_cosine_keys;
    EXPECT(!code_loops_self_check(&wrong));
}

static void the_choice(void) {
    EXPECT(code_loops_select("portable") == code_loops_portable());
    EXPECT(code_loops() == code_loops_portable());
    EXPECT(code_loops_select("abacus") == NULL);
    EXPECT(code_loops() == code_loops_portable());
    EXPECT(code_loops_select(NULL) == code_loops());
}

int main(void) {
    RUN(sums_of_random_bytes);
    RUN(sums_of_extreme_bytes);
    RUN(every_place_counts_once);
    RUN(keys_are_those_of_the_portable_form);
    RUN(self_check_knows_right_from_wrong);
    RUN(the_choice);
    return test_finish();
}
