/* A vector as clients write it, checked in the order in which Redis checks it. */
#include "server/vector_arguments.h"

#include <math.h>

#include "base/bytes.h"
#include "kernel/fixed.h"
#include "server/server.h"
#include "server/words.h"

#define FP32_SIGN UINT32_C(0x80000000)

static bool invalid(struct call *call) {
    call_error(call, "ERR invalid vector specification");
    return false;
}

static bool read_blob(struct call *call, size_t at, struct vector_words *words) {
    if (at + 1 >= call->count) return invalid(call);
    struct slice blob = call->arguments[at + 1];
    if (blob.size == 0 || blob.size % 4 != 0 || blob.size / 4 > VECTOR_DIM_MAX)
        return invalid(call);
    *words = (struct vector_words){
        .dim = (uint32_t)(blob.size / 4), .blob = blob, .next = at + 2};
    return true;
}

static bool read_values(struct call *call, size_t at, struct vector_words *words) {
    int64_t dim;
    if (at + 1 >= call->count || !word_integer(call->arguments[at + 1], &dim) ||
        dim < 1 || dim > VECTOR_DIM_MAX || (uint64_t)dim > call->count - (at + 2))
        return invalid(call);
    *words = (struct vector_words){.dim = (uint32_t)dim,
                                   .texts = call->arguments + at + 2,
                                   .next = at + 2 + (size_t)dim};
    return true;
}

bool vector_words_read(struct call *call, size_t at, struct vector_words *words) {
    if (call_is(call, at, "fp32")) return read_blob(call, at, words);
    if (call_is(call, at, "values")) return read_values(call, at, words);
    return invalid(call);
}

bool vector_words_read_reduced(struct call *call, size_t at, struct vector_words *words) {
    int64_t reduce = 0;
    if (call_is(call, at, "reduce")) {
        if (!word_integer(call_argument(call, at + 1), &reduce) || reduce < 1)
            return invalid(call);
        at += 2;
    }
    if (!vector_words_read(call, at, words)) return false;
    if (reduce > words->dim) return invalid(call);
    words->reduce = (uint32_t)reduce;
    return true;
}

/* What Redis would not take either is answered as Redis does; what only our fixed point
 * cannot hold has texts of its own. */
static bool converted(struct call *call, enum metric metric, enum status status) {
    switch (status) {
    case STATUS_OK:
        return true;
    case STATUS_RANGE:
        if (metric == METRIC_COSINE) return invalid(call);
        call_error(call, "ERR vector component out of range");
        return false;
    case STATUS_ROUNDS_TO_ZERO:
        call_error(call, "ERR vector rounds to zero");
        return false;
    default:
        return invalid(call);
    }
}

bool vector_convert_blob(struct call *call, const uint8_t *blob, uint32_t dim,
                         enum metric metric, int32_t *values, int8_t *exponent) {
    *exponent = 0;
    if (metric == METRIC_COSINE)
        return converted(call, metric,
                         fixed_from_fp32_scaled(blob, dim, values, exponent));
    return converted(call, metric, fixed_from_fp32(blob, dim, values));
}

bool vector_convert(struct call *call, const struct vector_words *words,
                    enum metric metric, int32_t *values, int8_t *exponent) {
    if (!words->texts)
        return vector_convert_blob(call, words->blob.data, words->dim, metric, values,
                                   exponent);
    return converted(call, metric,
                     fixed_from_text(words->texts, words->dim, metric == METRIC_COSINE,
                                     values, exponent));
}

void vector_input_error(struct call *call, uint32_t dim, uint32_t wanted) {
    call_error(
        call,
        "ERR Input dimension mismatch for projection - got %u but projection expects %u",
        dim, wanted);
}

/* The sums over all signs at once: Fast Walsh-Hadamard transform of 2^n numbers. */
static void transform(int64_t *sums, uint32_t count) {
    for (uint32_t half = 1; half < count; half *= 2)
        for (uint32_t first = 0; first < count; first += 2 * half)
            for (uint32_t i = first; i < first + half; i++) {
                int64_t a = sums[i], b = sums[i + half];
                sums[i] = a + b;
                sums[i + half] = a - b;
            }
}

bool vector_project(struct call *call, struct vector_words *words, uint32_t dim,
                    int32_t *values, int8_t *exponent) {
    struct scratch *scratch = &call->server->scratch;
    int64_t *sums = scratch_sums(scratch);
    if (!sums) {
        call_error(call, "OOM command not allowed when used memory > 'maxmemory'.");
        return false;
    }
    uint32_t count = 1;
    while (count < words->dim) count *= 2;
    for (uint32_t i = 0; i < count; i++) sums[i] = i < words->dim ? values[i] : 0;
    transform(sums, count); /* below 2^17 * 2^16 */
    double scale = ldexp(1.0, *exponent - 16) / sqrt((double)words->dim);
    for (uint32_t i = 0; i < dim; i++) {
        float value = (float)((double)sums[i] * scale);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        store_le32(scratch->fp32 + 4 * (size_t)i, bits);
    }
    *words = (struct vector_words){.dim = dim,
                                   .blob = slice_of(scratch->fp32, 4 * (size_t)dim),
                                   .next = words->next,
                                   .reduce = words->reduce};
    return vector_convert(call, words, METRIC_COSINE, values, exponent);
}

void vector_binarise(const struct vector_words *words, int32_t *values,
                     int8_t *exponent) {
    *exponent = 0;
    for (uint32_t i = 0; i < words->dim; i++) {
        uint32_t bits = 0;
        if (words->texts) fp32_from_text(words->texts[i], &bits);
        else bits = load_le32(words->blob.data + 4 * (size_t)i);
        bool positive = bits > 0 && bits < FP32_SIGN;
        values[i] = positive ? 1 << 16 : -(1 << 16);
    }
}

bool vector_keep_fp32(struct call *call, const struct vector_words *words,
                      const int32_t *values, int8_t exponent, uint8_t *room,
                      struct slice *kept) {
    const uint8_t *blob = words->blob.data;
    if (words->texts) {
        for (uint32_t i = 0; i < words->dim; i++) {
            uint32_t bits;
            if (fp32_from_text(words->texts[i], &bits)) return invalid(call);
            store_le32(room + 4 * (size_t)i, bits);
        }
        blob = room;
    }
    bool exact = fixed_gives_fp32(values, words->dim, exponent, blob);
    *kept = exact ? slice_of(NULL, 0) : slice_of(blob, 4 * (size_t)words->dim);
    return true;
}
