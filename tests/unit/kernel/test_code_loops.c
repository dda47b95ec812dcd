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
_Alignas(64) static uint8_t rows[4][STRIDE_MAX];

static void expect_dots(const struct code_loops *loops, uint32_t stride) {
    const uint8_t *four[] = {rows[0], rows[1], rows[2], rows[3]};
    int64_t wanted[4] = {0}, sum = 0;
    int32_t given[4];
    for (uint32_t i = 0; i < stride; i++) {
        sum += query[i];
        for (int row = 0; row < 4; row++)
            wanted[row] += (int64_t)(rows[row][i] - 128) * query[i];
    }
    loops->dots(query, (int32_t)sum, four, stride, given);
    for (int row = 0; row < 4; row++) {
        if (given[row] == wanted[row]) continue;
        printf("    %s, stride %u\n", loops->name, (unsigned)stride);
        EXPECT_EQUAL(given[row], wanted[row]);
        return;
    }
}

static void sums_of_random_bytes(void) {
    FOR_EACH_KIND(loops) {
        for (uint32_t stride = 64; stride <= 1024; stride += 64) {
            for (uint32_t i = 0; i < stride; i++) query[i] = (int8_t)next_random();
            for (int row = 0; row < 4; row++)
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
                expect_dots(loops, strides[s]);
            }
        }
    }
}

/* One byte at each place: a loop that leaves out or doubles a place has another sum. */
static void every_place_counts_once(void) {
    FOR_EACH_KIND(loops) {
        memset(query, 0, sizeof query);
        for (int row = 0; row < 4; row++) memset(rows[row], 3 + row, 320);
        for (uint32_t place = 0; place < 320; place++) {
            query[place] = 5;
            expect_dots(loops, 320);
            query[place] = 0;
        }
    }
}

static void wrong_dots(const int8_t *codes, int32_t sum, const uint8_t *const four[4],
                       uint32_t stride, int32_t sums[4]) {
    code_loops_portable()->dots(codes, sum, four, stride, sums);
    if (stride > 64) sums[3] ^= 1;
}

static void self_check_knows_right_from_wrong(void) {
    FOR_EACH_KIND(loops) EXPECT(code_loops_self_check(loops));
    struct code_loops wrong = *code_loops_portable();
    wrong.dots = wrong_dots;
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
    RUN(self_check_knows_right_from_wrong);
    RUN(the_choice);
    return test_finish();
}
