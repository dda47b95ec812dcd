/* Words of a command: comparing, reading numbers, printing hex. */
#include "server/words.h"

#include <math.h>
#include <stdlib.h>

static uint8_t lower(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

bool word_is(struct slice word, const char *text) {
    for (size_t i = 0; i < word.size; i++) {
        if (text[i] == '\0') return false;
        if (lower(word.data[i]) != lower((uint8_t)text[i])) return false;
    }
    return text[word.size] == '\0';
}

/* The value of a unit, or 0 for a word that is none. */
static int64_t unit_value(struct slice unit) {
    static const struct {
        const char *name;
        int64_t value;
    } units[] = {{"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1024},
                 {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (word_is(unit, units[i].name)) return units[i].value;
    return 0;
}

bool word_size(struct slice word, int64_t *value) {
    size_t digits = 0;
    while (digits < word.size && word.data[digits] >= '0' && word.data[digits] <= '9')
        digits++;
    int64_t number;
    if (!word_integer(slice_of(word.data, digits), &number)) return false;
    int64_t unit = unit_value(slice_of(word.data + digits, word.size - digits));
    return unit != 0 && !__builtin_mul_overflow(number, unit, value);
}

bool word_double(struct slice word, double *value) {
    char text[128];
    if (word.size == 0 || word.size >= sizeof text) return false;
    memcpy(text, word.data, word.size);
    text[word.size] = '\0';
    if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return false;
    char *end;
    *value = strtod(text, &end);
    return end == text + word.size && !isnan(*value);
}

void hex_text(const uint8_t *bytes, size_t size, char *text) {
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    text[2 * size] = '\0';
}

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_bytes(struct slice text, uint8_t *bytes, size_t size) {
    if (text.size != 2 * size) return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text.data[2 * i]), low = hex_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool secret_equal(struct slice a, struct slice b) {
    unsigned difference = a.size != b.size;
    for (size_t i = 0; i < a.size; i++)
        difference |= (unsigned)(a.data[i] ^ (b.size ? b.data[i % b.size] : 0));
    return difference == 0;
}
