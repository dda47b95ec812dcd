/* The beam's loops eight candidates and sixteen links at a time. */
#include <immintrin.h>

#include "kernel/beam.h"

#include "kernel/pure.h"

enum { SOME = 16 };

/* `count` numbers in ascending order into `sorted`: each goes where as many are less. */
static inline void sort_some(__m512i low, __m512i high, uint32_t count,
                             uint64_t *sorted) {
    _Alignas(64) uint64_t some[SOME];
    _mm512_store_si512(some, low);
    _mm512_store_si512(some + 8, high);
    for (uint32_t i = 0; i < count; i++) {
        __m512i one = _mm512_set1_epi64((long long)some[i]);
        uint32_t less = _mm512_cmplt_epu64_mask(low, one);
        if (count > 8) less |= (uint32_t)_mm512_cmplt_epu64_mask(high, one) << 8;
        sorted[__builtin_popcount(less)] = some[i];
    }
}

/* One pass from the end towards the front: blocks of candidates beyond a new one move up
 * by as many places as there are new ones still to come, until a block has a candidate
 * before it. What a pass reads it has not written. The zeros in front of the first stop
 * it. */
static void merge(struct beam *beam, const uint64_t *sorted, uint32_t count) {
    uint64_t *at = beam->candidates + beam->count;
    for (uint32_t left = count; left > 0; left--) {
        __m512i wanted = _mm512_set1_epi64((long long)sorted[left - 1]);
        for (;; at -= 8) {
            __m512i block = _mm512_loadu_si512(at - 8);
            __mmask8 beyond = _mm512_cmpgt_epu64_mask(block, wanted);
            if (beyond != 0xff) {
                _mm512_mask_storeu_epi64(at - 8 + left, beyond, block);
                at -= __builtin_popcount(beyond);
                break;
            }
            _mm512_storeu_si512(at - 8 + left, block);
        }
        at[left - 1] = sorted[left - 1];
    }
    uint32_t place = (uint32_t)(at - beam->candidates);
    if (place < beam->first) beam->first = place;
    beam->count += count;
    if (beam->count > beam->capacity) beam->count = beam->capacity;
}

/* Sixteen keys are compared with the worst one at once; most go without another look. */
static void offer(struct beam *beam, const uint32_t *keys, const uint32_t *points,
                  uint32_t count) {
    for (uint32_t i = 0; i < count; i += SOME) {
        bool full = beam->count == beam->capacity;
        uint32_t worst =
            full ? candidate_key(beam->candidates[beam->count - 1]) : UINT32_MAX;
        uint32_t left = count - i;
        __mmask16 there = left < SOME ? (__mmask16)((1u << left) - 1) : 0xffff;
        __m512i some = _mm512_maskz_loadu_epi32(there, keys + i);
        __mmask16 hopeful =
            _mm512_mask_cmple_epu32_mask(there, some, _mm512_set1_epi32((int)worst));
        if (hopeful == 0) continue;
        uint32_t number = (uint32_t)__builtin_popcount(hopeful);
        __m512i theirs = _mm512_maskz_compress_epi32(
            hopeful, _mm512_slli_epi32(_mm512_maskz_loadu_epi32(there, points + i), 1));
        some = _mm512_maskz_compress_epi32(hopeful, some);
        __m512i none = _mm512_set1_epi64(-1), candidates[2];
        for (int half = 0; half < 2; half++) {
            __m256i key =
                half ? _mm512_extracti64x4_epi64(some, 1) : _mm512_castsi512_si256(some);
            __m256i point = half ? _mm512_extracti64x4_epi64(theirs, 1)
                                 : _mm512_castsi512_si256(theirs);
            candidates[half] =
                _mm512_mask_or_epi64(none, (__mmask8)(((1u << number) - 1) >> (8 * half)),
                                     _mm512_slli_epi64(_mm512_cvtepu32_epi64(key), 32),
                                     _mm512_cvtepu32_epi64(point));
        }
        uint64_t sorted[SOME];
        sort_some(candidates[0], candidates[1], number, sorted);
        merge(beam, sorted, number);
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
