/* SplitMix64, a counter that is mixed: small, and every seed is a good one. */
#include "tools/benchmark_synthetic.h"

#include <stddef.h>
#include <string.h>

#include "tools/benchmark_text.h"

#define CENTRES_SEED UINT64_C(0x5851f42d4c957f2d)

static const struct {
    const char *prefix;
    int kind;
} kinds[] = {{"uniform:", SYNTHETIC_UNIFORM},
             {"random:", SYNTHETIC_UNIFORM},
             {"gauss:", SYNTHETIC_GAUSS},
             {"cluster:", SYNTHETIC_CLUSTER}};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static size_t kind_of(const char *source) {
    size_t kind = 0;
    while (kind < KIND_COUNT &&
           strncmp(source, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0)
        kind++;
    return kind;
}

bool synthetic_is(const char *source) { return kind_of(source) < KIND_COUNT; }

bool synthetic_parse(const char *source, uint64_t seed, struct synthetic *synthetic) {
    size_t kind = kind_of(source);
    if (kind == KIND_COUNT) return false;
    *synthetic =
        (struct synthetic){.kind = kinds[kind].kind, .clusters = 1, .seed = seed};
    uint64_t *values[] = {&synthetic->clusters, &synthetic->rows, &synthetic->dim,
                          &synthetic->seed};
    const char *text = source + strlen(kinds[kind].prefix);
    size_t place = synthetic->kind == SYNTHETIC_CLUSTER ? 0 : 1;
    for (; place < 4; place++) {
        char part[24];
        size_t size = strcspn(text, ":");
        if (size >= sizeof part) return false;
        memcpy(part, text, size);
        part[size] = '\0';
        if (!text_unsigned(part, values[place])) return false;
        text += size;
        if (*text == '\0') break;
        text++;
    }
    return (place == 2 || place == 3) && synthetic->clusters > 0 && synthetic->rows > 0 &&
           synthetic->dim > 0;
}

uint64_t random_at(uint64_t seed, uint64_t index) {
    uint64_t z = seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 24 bits, so that it is exact. */
static float uniform(uint64_t bits) {
    return (float)((int32_t)(bits >> 40) - (1 << 23)) / (1 << 23);
}

/* Twelve uniform values of 21 bits out of four numbers: integers until the end, so that
 * no machine rounds otherwise. Variance 4. */
static float gauss(uint64_t seed, uint64_t index) {
    int32_t sum = 0;
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t bits = random_at(seed, index * 4 + i);
        for (int part = 0; part < 3; part++)
            sum += (int32_t)(bits >> (21 * part) & 0x1fffff) - (1 << 20);
    }
    return (float)sum / (1 << 20);
}

float synthetic_value(const struct synthetic *synthetic, uint64_t row, uint32_t column) {
    uint64_t index = row * synthetic->dim + column;
    if (synthetic->kind == SYNTHETIC_UNIFORM)
        return uniform(random_at(synthetic->seed, index));
    float own = gauss(synthetic->seed, index);
    if (synthetic->kind == SYNTHETIC_GAUSS) return own;
    uint64_t centre = random_at(~synthetic->seed, row) % synthetic->clusters;
    return gauss(CENTRES_SEED, centre * synthetic->dim + column) + own / 4;
}
