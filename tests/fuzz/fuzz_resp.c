/* Fuzz target: the RESP parser, which must give the same requests and the same error wherever
 * its input is cut.
 *
 * The first two bytes choose the limits and the cuts; the rest is what a client sends. It is
 * read twice: at once, and in pieces, with the buffer moved before every call. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "net/resp_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *resize(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context, (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}
static const struct allocator allocator = {NULL, resize};

/* What was read, as one number: requests, their arguments and the error at the end. */
static uint64_t mix(uint64_t sum, const void *bytes, size_t size) {
    const uint8_t *p = bytes;
    for (size_t i = 0; i < size; i++) sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
    return (sum ^ size) * UINT64_C(0x100000001b3);
}

static uint64_t mix_request(uint64_t sum, const struct request *request) {
    for (size_t i = 0; i < request->count; i++)
        sum = mix(sum, request->arguments[i].data, request->arguments[i].size);
    return mix(sum, &request->count, sizeof request->count);
}

/* Read everything that `piece` more bytes at a time give. */
static uint64_t read_all(const uint8_t *data, size_t size, size_t piece,
                         const struct resp_limits *limits) {
    struct resp_reader reader;
    resp_reader_init(&reader, &allocator);
    uint64_t sum = 0;
    size_t consumed = 0, known = 0;
    for (;;) {
        /* A copy of exactly the bytes that are known: reading past them is seen. */
        size_t left = known - consumed;
        uint8_t *copy = malloc(left + 1);
        check(copy != NULL);
        memcpy(copy, data + consumed, left);
        struct request request;
        enum resp_result result = resp_read(&reader, slice_of(copy, left), limits, &request);
        if (result == RESP_REQUEST) sum = mix_request(sum, &request);
        if (result == RESP_REQUEST || result == RESP_EMPTY) {
            check(request.consumed > 0 && request.consumed <= left);
            consumed += request.consumed;
        }
        if (result == RESP_ERROR) {
            const char *error = resp_reader_error(&reader);
            sum = mix(sum, error, strlen(error));
        }
        free(copy);
        if (result == RESP_ERROR || (result == RESP_INCOMPLETE && known == size)) break;
        if (result == RESP_INCOMPLETE) known += piece < size - known ? piece : size - known;
    }
    resp_reader_free(&reader);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    struct resp_limits limits =
        data[0] & 1 ? resp_limits_unauthenticated() : resp_limits_default();
    size_t piece = 1 + data[1] % 64;
    uint64_t whole = read_all(data + 2, size - 2, size, &limits);
    check(whole == read_all(data + 2, size - 2, piece, &limits));
    check(whole == read_all(data + 2, size - 2, 1, &limits));
    return 0;
}
