/* What the commands of valori-check print, as text and as JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "tools/check.h"

void print_hash(const uint8_t hash[SHA256_SIZE]) {
    for (size_t i = 0; i < SHA256_SIZE; i++) printf("%02x", hash[i]);
}

void print_name(struct slice name) {
    putchar('"');
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = name.data[i];
        if (c == '"' || c == '\\') printf("\\%c", c);
        else if (c < 32 || c >= 127) printf("\\x%02x", c);
        else putchar(c);
    }
    putchar('"');
}

/* --- JSON -------------------------------------------------------------------------- */

void json_begin(int code) { printf("{\"exit_code\":%d", code); }

/* Bytes that are no ASCII are shown as the characters of these numbers. */
void json_bytes(const char *name, struct slice bytes) {
    printf(",\"%s\":\"", name);
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char c = bytes.data[i];
        if (c == '"' || c == '\\') printf("\\%c", c);
        else if (c < 32 || c >= 127) printf("\\u%04x", c);
        else putchar(c);
    }
    printf("\"");
}

void json_text(const char *name, const char *text) { json_bytes(name, slice_text(text)); }

void json_number(const char *name, uint64_t number) {
    printf(",\"%s\":%" PRIu64, name, number);
}

void json_hash(const char *name, const uint8_t hash[SHA256_SIZE]) {
    printf(",\"%s\":\"", name);
    print_hash(hash);
    printf("\"");
}
