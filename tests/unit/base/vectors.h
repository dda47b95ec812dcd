/* Reading the public test vectors: whole files, and JSON as a run of tokens.
 *
 * The reader knows what the vector files use: no escapes inside strings, no nesting to
 * follow. A test asks for the next key and takes the values it knows by name. */
#ifndef TESTS_UNIT_BASE_VECTORS_H
#define TESTS_UNIT_BASE_VECTORS_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

/* The path of `name` in the shared folder, which may not exist. */
static inline void vectors_path(char *path, size_t size, const char *name) {
    const char *shared = getenv("VALORI_SHARED");
    snprintf(path, size, "%s/vectors/%s", shared ? shared : "../shared", name);
}

/* The whole file with a NUL behind it, for the caller to free; NULL when it cannot be
 * read. */
static inline char *vectors_read(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    enum { LARGEST = 1 << 20 };
    char *text = malloc(LARGEST + 1);
    size_t size = text ? fread(text, 1, LARGEST, file) : 0;
    fclose(file);
    if (text) text[size] = 0;
    return text;
}

/* A string without its quotes, a number, a word or a mark; NULL text at the end. */
struct token {
    const char *text;
    size_t size;
    bool string;
};

static inline struct token next_token(const char **at) {
    const char *p = *at;
    while (*p && (isspace((unsigned char)*p) || *p == ',' || *p == ':')) p++;
    struct token token = {.string = *p == '"'};
    if (*p == 0) return token;
    const char *end = p + 1;
    if (token.string) {
        p++;
        end = p + strcspn(p, "\"");
    } else if (isalnum((unsigned char)*p) || *p == '-') {
        end = p + strcspn(p, ",:]} \t\r\n");
    }
    token.text = p;
    token.size = (size_t)(end - p);
    *at = token.string && *end ? end + 1 : end;
    return token;
}

static inline bool token_is(struct token token, const char *text) {
    return token.text && slice_equal(slice_of(token.text, token.size), slice_text(text));
}

/* Bytes of a hex token; `capacity` bounds them. */
static inline size_t token_hex(struct token token, uint8_t *bytes, size_t capacity) {
    size_t size = token.size / 2;
    if (size > capacity) size = capacity;
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        sscanf(token.text + 2 * i, "%2x", &byte);
        bytes[i] = (uint8_t)byte;
    }
    return size;
}

/* Bytes of a base64 token; `capacity` bounds them. */
static inline size_t token_base64(struct token token, uint8_t *bytes, size_t capacity) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < token.size && token.text[i] != '='; i++) {
        const char *digit = strchr(alphabet, token.text[i]);
        bits = bits << 6 | (uint32_t)(digit ? digit - alphabet : 0);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        if (size < capacity) bytes[size++] = (uint8_t)(bits >> held);
    }
    return size;
}

#endif
