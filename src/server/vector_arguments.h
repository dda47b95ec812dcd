/* A vector as clients write it: FP32 blob, VALUES n v..., and as the kernel wants it. */
#ifndef SERVER_VECTOR_ARGUMENTS_H
#define SERVER_VECTOR_ARGUMENTS_H

#include "kernel/change.h"
#include "server/call.h"

/* Redis's defaults for a new collection. */
#define M_DEFAULT  16
#define EF_DEFAULT 200

struct vector_words {
    uint32_t dim;
    struct slice blob;         /* FP32: 4 * dim bytes */
    const struct slice *texts; /* VALUES: dim numbers; NULL for FP32 */
    size_t next;               /* the first argument after the vector */
    uint32_t reduce;           /* REDUCE: values that are to remain; 0: all */
};

/* Find the vector that begins at argument `at`. False, and the error is answered, when it
 * is malformed; the numbers themselves are not read yet. */
bool vector_words_read(struct call *call, size_t at, struct vector_words *words);
/* The same, where REDUCE n may stand before it. */
bool vector_words_read_reduced(struct call *call, size_t at, struct vector_words *words);

/* Convert to `values` (room for dim), scaled in COSINE collections. False, and the error
 * is answered, for NaN, infinities, what does not fit, and what would become zero. */
bool vector_convert(struct call *call, const struct vector_words *words,
                    enum metric metric, int32_t *values, int8_t *exponent);

/* The same from a blob that lies anywhere. */
bool vector_convert_blob(struct call *call, const uint8_t *blob, uint32_t dim,
                         enum metric metric, int32_t *values, int8_t *exponent);

/* Put in the place of a vector that vector_convert() has converted for a COSINE
 * collection its projection to `dim` values, as a blob in scratch (fp32), and convert
 * that. The projection is that of REDUCE in Redis: value i is the sum over j of +-x[j] /
 * sqrt(input dimension), negative where i & j has an odd number of bits. */
bool vector_project(struct call *call, struct vector_words *words, uint32_t dim,
                    int32_t *values, int8_t *exponent);

/* Answer that the vector does not fit the collection's projection. */
void vector_input_error(struct call *call, uint32_t dim, uint32_t wanted);

/* Keep of a vector that was converted its signs alone, as BIN does: 1 where the number,
 * as binary32, is above zero, -1 elsewhere. */
void vector_binarise(const struct vector_words *words, int32_t *values, int8_t *exponent);

/* The exact binary32 bits, if `values` do not give them back: into `kept`, empty
 * otherwise. `room` has 4 * dim bytes and is used for VALUES. */
bool vector_keep_fp32(struct call *call, const struct vector_words *words,
                      const int32_t *values, int8_t exponent, uint8_t *room,
                      struct slice *kept);

#endif
