/* The beam's loops eight candidates and sixteen links at a time. */
#include <immintrin.h>

#include "kernel/beam.h"

#include "kernel/pure.h"

/* From the end towards the front: blocks of candidates beyond the new one move up by one
 * place, until a block has a candidate before it. The zeros in front of the first stop
 * every walk. */
static void insert(uint64_t *candidates, uint32_t count, uint64_t candidate,
                   uint32_t *first) {
    __m512i wanted = _mm512_set1_epi64((long long)candidate);
    uint64_t *at = candidates + count - 8;
    for (;; at -= 8) {
        __m512i block = _mm512_loadu_si512(at);
        __mmask8 beyond = _mm512_cmpgt_epu64_mask(block, wanted);
        if (beyond != 0xff) {
            _mm512_mask_storeu_epi64(at + 1, beyond, block);
            at += 8 - __builtin_popcount(beyond);
            break;
        }
        _mm512_storeu_si512(at + 1, block);
    }
    *at = candidate;
    uint32_t place = (uint32_t)(at - candidates);
    if (place < *first) *first = place;
}

/* One candidate, if it is near enough. */
static inline void take(struct beam *beam, uint64_t candidate) {
    uint32_t kept = beam->count;
    if (kept < beam->capacity) beam->count++;
    else if (candidate > beam->candidates[kept - 1]) return;
    else kept--;
    insert(beam->candidates, kept, candidate, &beam->first);
}

/* Sixteen keys are compared with the worst one at once; most go without another look. */
static void offer(struct beam *beam, const uint32_t *keys, const uint32_t *points,
                  uint32_t count) {
    uint32_t i = 0;
    for (; i < count && beam->count < beam->capacity; i++)
        take(beam, candidate_of(keys[i], points[i]));
    for (; i < count; i += 16) {
        __mmask16 there = count - i < 16 ? (__mmask16)((1u << (count - i)) - 1) : 0xffff;
        __m512i some = _mm512_maskz_loadu_epi32(there, keys + i);
        uint32_t worst = candidate_key(beam->candidates[beam->count - 1]);
        uint32_t hopeful =
            _mm512_mask_cmple_epu32_mask(there, some, _mm512_set1_epi32((int)worst));
        for (; hopeful != 0; hopeful &= hopeful - 1) {
            uint32_t at = i + (uint32_t)__builtin_ctz(hopeful);
            take(beam, candidate_of(keys[at], points[at]));
        }
    }
}

static uint32_t unvisited(const uint32_t *links, uint32_t count, const uint32_t *visited,
                          uint32_t *found) {
    uint32_t number = 0;
    for (uint32_t i = 0; i < count; i += 16) {
        __m512i points = _mm512_and_si512(_mm512_loadu_si512(links + i),
                                          _mm512_set1_epi32(0x7fffffff));
        __m512i words = _mm512_i32gather_epi32(_mm512_srli_epi32(points, 5), visited, 4);
        __m512i bits = _mm512_sllv_epi32(_mm512_set1_epi32(1),
                                         _mm512_and_si512(points, _mm512_set1_epi32(31)));
        __mmask16 fresh = _mm512_testn_epi32_mask(words, bits);
        /* Into a register first: compressing into memory is slow on some processors. */
        _mm512_storeu_si512(found + number, _mm512_maskz_compress_epi32(fresh, points));
        number += (uint32_t)__builtin_popcount(fresh);
    }
    return number;
}

static const struct beam_functions functions = {
    .name = "avx512", .offer = offer, .unvisited = unvisited};

const struct beam_functions *beam_avx512(void) { return &functions; }
