#include "base/base64.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct slice bytes, char *text) {
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t three = (uint32_t)bytes.data[i] << 16;
        if (left > 1) three |= (uint32_t)bytes.data[i + 1] << 8;
        if (left > 2) three |= bytes.data[i + 2];
        *text++ = digits[three >> 18];
        *text++ = digits[three >> 12 & 63];
        *text++ = left > 1 ? digits[three >> 6 & 63] : '=';
        *text++ = left > 2 ? digits[three & 63] : '=';
    }
}

/* 64: no digit. */
static uint32_t digit_value(uint8_t c) {
    if (c >= 'A' && c <= 'Z') return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z') return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9') return (uint32_t)(c - '0') + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : 64;
}

bool base64_decode(struct slice text, uint8_t *bytes, size_t *size) {
    *size = 0;
    if (text.size % 4 != 0) return false;
    for (size_t i = 0; i < text.size; i += 4) {
        const uint8_t *four = text.data + i;
        size_t padding = 0;
        if (i + 4 == text.size) padding = four[3] != '=' ? 0 : four[2] != '=' ? 1 : 2;
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            uint32_t value = j < 4 - padding ? digit_value(four[j]) : 0;
            if (value > 63) return false;
            bits = bits << 6 | value;
        }
        if (bits & ((1u << 8 * padding) - 1)) return false;
        for (size_t j = 0; j < 3 - padding; j++)
            bytes[(*size)++] = (uint8_t)(bits >> (16 - 8 * j));
    }
    return true;
}

bool base64_decode_exactly(struct slice text, uint8_t *bytes, size_t size) {
    size_t got;
    size_t padding = (3 - size % 3) % 3;
    if (text.size != base64_size(size)) return false;
    if (padding > 0 && text.data[text.size - padding] != '=') return false;
    if (padding == 1 && text.data[text.size - 2] == '=') return false;
    if (padding == 0 && size > 0 && text.data[text.size - 1] == '=') return false;
    return base64_decode(text, bytes, &got) && got == size;
}
