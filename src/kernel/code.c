/* Codes: how they are made, and what a key is.
 *
 * Bounds for D <= 65,536, beside those of code.h: scale <= (128 * 2^31 + 63) / 127 <
 * 2^32; |c| / 128 * scale, what one code stands for, is at most 2^31 + 1; so the squared
 * distance in units of 2^-14 (two factors 1/128), is below (2^33 * 128)^2 / 4 * D < 2^95,
 * and a product below 2^94. All sums that reach 2^63 are made in 128 bits. */
#include "kernel/code.h"

#include <string.h>

#include "base/check.h"
#include "kernel/code_loops.h"
#include "kernel/distance.h"
#include "kernel/root.h"
#include "kernel/rounding.h"

#include "kernel/pure.h"

enum {
    CENTRE = 128,      /* of lattice rows; also what a byte is more than its code */
    LATTICE_UNIT = 16, /* log2 of a lattice row's unit in Q16.16 */
    GREATEST = 127,    /* |c| of all other rows */
    EXACT_POWER_MAX = 24,
    KEYS_AT_ONCE = 32,
};
#define LATTICE_MASK  0x00ff0000u
#define LATTICE_SCALE ((uint32_t)1 << (LATTICE_UNIT + 7))
#define LATTICE_BIAS  ((int32_t)1 << 23)
#define SQUARES       (CODE_EXACT - 1) /* 127^2 * D < 2^30 */

uint32_t code_stride(uint32_t dim) {
    return (dim + CODE_ALIGNMENT - 1) / CODE_ALIGNMENT * CODE_ALIGNMENT;
}

/* --- Making codes ------------------------------------------------------------------- */

static uint32_t magnitude(int32_t value) {
    return value < 0 ? 0 - (uint32_t)value : (uint32_t)value;
}

static uint8_t byte_of(int32_t value, uint32_t code) {
    return (uint8_t)(value < 0 ? CENTRE - code : CENTRE + code);
}

struct sums {
    int32_t codes;
    uint32_t squares;
};

static struct sums sums_of(const uint8_t *row, uint32_t dim) {
    struct sums sums = {0, 0};
    for (uint32_t i = 0; i < dim; i++) {
        int32_t c = row[i] - CENTRE;
        sums.codes += c;
        sums.squares += (uint32_t)(c * c);
    }
    return sums;
}

/* 2^37 / |c|, rounded down twice so that a cosine is never above 1. |c| >= 127. */
static uint32_t inverse_length(uint32_t squares) {
    if (squares == 0) return 0;
    uint64_t length = (uint64_t)root_floor((uint64_t)squares << 32) + 1; /* times 2^16 */
    return (uint32_t)(((uint64_t)1 << 53) / length);
}

/* An upper bound of the chord between the directions of the vector and of its code, in
 * units of 2^-30. With s = sin^2 of the angle between, an exact ratio of integers, and
 * the angle below 90 degrees, chord^2 = 2 - 2 cos = 2 s / (1 + cos) <= 2 s / (2 - s),
 * since cos >= cos^2 = 1 - s. Sizes: |x|^2 <= 2^78, |c|^2 < 2^30, <x, c> < 2^55. */
static uint32_t chord_bound(const int32_t *values, uint32_t dim, const uint8_t *row,
                            uint32_t squares) {
    int128 norm;
    distance()->dot_wide(values, values, dim, &norm);
    int64_t dot = 0;
    for (uint32_t i = 0; i < dim; i++) dot += (int64_t)values[i] * (row[i] - CENTRE);
    uint128 whole = (uint128)norm * squares;
    if (whole == 0) return 0;
    uint128 sine = whole - (uint128)((int128)dot * dot); /* s * whole */
    uint128 numerator = 2 * sine, denominator = 2 * whole - sine;
    while (denominator >> 63 != 0) {
        denominator >>= 1;
        numerator = (numerator + 1) >> 1;
    }
    uint128 square = ((numerator << 60) + denominator - 1) / denominator;
    return (uint32_t)root_ceiling((uint64_t)square); /* at most about sqrt(2) * 2^30 */
}

/* c = |x| * 127 / greatest, rounded: by one division, and a multiplication a value. With
 * L the bit length of `greatest`, the quotient lies in 127 * 2^24 .. 127 * 2^25 and
 * products stay below 2^63. */
static void encode_scaled(const int32_t *values, uint32_t dim, uint32_t greatest,
                          uint8_t *row) {
    uint32_t shift = (uint32_t)bit_length(greatest) + 24;
    uint64_t quotient = ((uint64_t)GREATEST << shift) / greatest;
    uint64_t half = (uint64_t)1 << (shift - 1);
    for (uint32_t i = 0; i < dim; i++) {
        uint64_t product = (uint64_t)magnitude(values[i]) * (uint32_t)quotient;
        row[i] = byte_of(values[i], (uint32_t)((product + half) >> shift));
    }
}

/* Values that are small multiples of a power of two keep it as their scale. */
static bool encode_exactly(const int32_t *values, uint32_t dim, uint32_t greatest,
                           uint32_t power, uint8_t *row) {
    if (greatest >> power > GREATEST) return false;
    for (uint32_t i = 0; i < dim; i++)
        row[i] = byte_of(values[i], magnitude(values[i]) >> power);
    return true;
}

static void encode_direction(const int32_t *values, uint32_t dim, uint32_t greatest,
                             uint8_t *row, struct code_facts *facts) {
    if (greatest == 0) {
        *facts = (struct code_facts){0, 0};
        return;
    }
    encode_scaled(values, dim, greatest, row);
    uint32_t squares = sums_of(row, dim).squares;
    facts->a = inverse_length(squares);
    facts->b = chord_bound(values, dim, row, squares);
}

void code_encode(uint8_t metric, const int32_t *values, uint32_t dim, uint8_t *row,
                 struct code_facts *facts) {
    uint32_t all = 0, greatest = 0;
    for (uint32_t i = 0; i < dim; i++) {
        uint32_t size = magnitude(values[i]);
        all |= (uint32_t)values[i];
        greatest = size > greatest ? size : greatest;
    }
    memset(row, CENTRE, code_stride(dim));
    if (metric == METRIC_COSINE) {
        encode_direction(values, dim, greatest, row, facts);
        return;
    }
    if ((all & ~LATTICE_MASK) == 0) {
        for (uint32_t i = 0; i < dim; i++) row[i] = (uint8_t)(values[i] >> LATTICE_UNIT);
        struct sums sums = sums_of(row, dim);
        *facts = (struct code_facts){sums.squares, (uint32_t)(sums.codes + LATTICE_BIAS)};
        return;
    }
    uint32_t power = (uint32_t)__builtin_ctz(all);
    if (power > EXACT_POWER_MAX) power = EXACT_POWER_MAX; /* 2^(t + 7) must fit */
    if (encode_exactly(values, dim, greatest, power, row)) {
        *facts =
            (struct code_facts){(uint32_t)1 << (power + 7), CODE_SCALED | CODE_EXACT};
    } else {
        encode_scaled(values, dim, greatest, row);
        uint64_t scale = ((uint64_t)greatest * 128 + 63) / GREATEST;
        *facts = (struct code_facts){(uint32_t)scale, CODE_SCALED};
    }
    facts->b |= sums_of(row, dim).squares;
}

/* --- Queries ------------------------------------------------------------------------ */

/* Sum of (c + 128)^2. */
static uint32_t lattice_norm(uint32_t squares, int32_t sum, uint32_t dim) {
    return squares + 256 * (uint32_t)sum + 16384 * dim;
}

void code_query_row(struct code_query *query, uint8_t metric, uint32_t dim,
                    const uint8_t *row, const struct code_facts *facts, int8_t *room) {
    uint32_t stride = code_stride(dim);
    bool lattice = code_lattice(metric, facts);
    uint32_t squares = metric == METRIC_COSINE ? 0
                       : lattice               ? facts->a
                                               : facts->b & SQUARES;
    *query = (struct code_query){
        .codes = room,
        .metric = metric,
        .lattice = lattice,
        .dim = dim,
        .stride = stride,
        .sum = code_loops()->codes(row, stride, room),
        .scale = facts->a,
        .chord = metric == METRIC_COSINE ? facts->b : 0,
        .norm = squares,
        .square = squares,
    };
    if (!query->lattice) return;
    query->scale = LATTICE_SCALE;
    query->norm = lattice_norm(squares, query->sum, dim);
}

void code_query_begin(struct code_query *query, uint8_t metric, const int32_t *values,
                      uint32_t dim, int8_t *room) {
    struct code_facts facts;
    uint8_t *row = (uint8_t *)room;
    code_encode(metric, values, dim, row, &facts);
    code_query_row(query, metric, dim, row, &facts, room);
}

/* --- Keys --------------------------------------------------------------------------- */

/* The leading `kept` bits of a number and how many there were behind them, as one integer
 * that grows with the number; numbers below 2^kept are themselves. */
static uint32_t leading(uint128 value, int kept) {
    uint64_t high = (uint64_t)(value >> 64);
    int length = high ? 64 + bit_length(high) : bit_length((uint64_t)value);
    int shift = length > kept ? length - kept : 0;
    return ((uint32_t)shift << (kept - 1)) + (uint32_t)(value >> shift);
}

enum { L2_KEPT = 26, IP_KEPT = 25 };

uint32_t code_key_of_distance(uint128 distance) { return leading(distance, L2_KEPT); }

/* 2^31 is a product of 0. */
uint32_t code_key_of_product(int128 product) {
    const uint32_t zero = (uint32_t)1 << 31;
    if (product > 0) return zero - leading((uint128)product, IP_KEPT);
    return zero + leading(0 - (uint128)product, IP_KEPT);
}

/* A row as one side of a pair. */
struct side {
    uint32_t scale, norm;
    int64_t product; /* sum of (c + centre) of both */
};

static struct side side_of(const struct code_query *query, const uint8_t *row,
                           const struct code_facts *facts, int32_t dot) {
    uint32_t dim = query->dim;
    if (facts->b & CODE_SCALED) {
        int64_t product = dot;
        if (query->lattice) product += CENTRE * (int64_t)sums_of(row, dim).codes;
        return (struct side){facts->a, facts->b & SQUARES, product};
    }
    int32_t sum = (int32_t)facts->b - LATTICE_BIAS;
    int64_t product = dot + CENTRE * (int64_t)query->sum;
    if (query->lattice) product += CENTRE * ((int64_t)sum + CENTRE * (int64_t)dim);
    return (struct side){LATTICE_SCALE, lattice_norm(facts->a, sum, dim), product};
}

static uint32_t l2_key(const struct code_query *query, const uint8_t *row,
                       const struct code_facts *facts, int32_t dot) {
    struct side side = side_of(query, row, facts, dot);
    uint64_t ours = (uint64_t)query->scale * query->norm;
    uint64_t theirs = (uint64_t)side.scale * side.norm;
    int128 cross = (int128)((int64_t)query->scale * side.product) * side.scale;
    uint128 squares = (uint128)ours * query->scale + (uint128)theirs * side.scale;
    return code_key_of_distance(squares - (uint128)(2 * cross));
}

static uint32_t ip_key(const struct code_query *query, const uint8_t *row,
                       const struct code_facts *facts, int32_t dot) {
    struct side side = side_of(query, row, facts, dot);
    return code_key_of_product((int128)(side.product * query->scale) * side.scale);
}

void code_dots(const struct code_query *query, const uint8_t *const *rows, uint32_t count,
               int32_t *dots) {
    code_loops()->dots(query->codes, query->sum, rows, count, query->stride, dots);
}

uint32_t code_key(const struct code_query *query, const uint8_t *row,
                  const struct code_facts *facts, int32_t dot) {
    uint32_t key;
    if (query->metric == METRIC_IP) return ip_key(query, row, facts, dot);
    if (query->metric == METRIC_COSINE)
        code_cosine_keys(query->scale, &facts->a, &dot, 1, &key);
    else if (query->lattice && code_lattice(METRIC_L2, facts))
        key = query->square + facts->a - 2 * (uint32_t)dot, code_square_keys(&key, 1);
    else return l2_key(query, row, facts, dot);
    return key;
}

/* Keys of one kind at once, where all are of one. */
static void keys_of_dots(const struct code_query *query, const uint8_t *const *rows,
                         const struct code_facts *const *facts, const int32_t *dots,
                         uint32_t count, uint32_t *keys) {
    uint32_t first[KEYS_AT_ONCE], scaled = 0;
    for (uint32_t i = 0; i < count; i++) {
        first[i] = facts[i]->a;
        scaled |= facts[i]->b;
    }
    if (query->metric == METRIC_COSINE)
        code_loops()->cosine_keys(query->scale, first, dots, count, keys);
    else if (query->metric == METRIC_L2 && query->lattice && !(scaled & CODE_SCALED)) {
        for (uint32_t i = 0; i < count; i++)
            keys[i] = query->square + first[i] - 2 * (uint32_t)dots[i];
        code_loops()->square_keys(keys, count);
    } else {
        for (uint32_t i = 0; i < count; i++)
            keys[i] = code_key(query, rows[i], facts[i], dots[i]);
    }
}

void code_squares(const struct code_query *query, const uint8_t *const *rows,
                  uint32_t count, uint32_t *squares) {
    code_loops()->squares(query->codes, query->sum, query->square, rows, count,
                          query->stride, squares);
}

void code_lattice_keys(const struct code_query *query, const uint8_t *const *rows,
                       uint32_t count, uint32_t *keys) {
    code_squares(query, rows, count, keys);
    code_loops()->square_keys(keys, count);
}

void code_keys(const struct code_query *query, const uint8_t *const *rows,
               const struct code_facts *const *facts, uint32_t count, uint32_t *keys) {
    int32_t dots[KEYS_AT_ONCE];
    for (uint32_t done = 0; done < count; done += KEYS_AT_ONCE) {
        uint32_t some = count - done < KEYS_AT_ONCE ? count - done : KEYS_AT_ONCE;
        code_dots(query, rows + done, some, dots);
        keys_of_dots(query, rows + done, facts + done, dots, some, keys + done);
    }
}
