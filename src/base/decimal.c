#include "base/decimal.h"

#include <string.h>

bool decimal_unsigned(struct slice text, uint64_t *value) {
    if (text.size == 0 || text.size > DECIMAL_SIZE_MAX) return false;
    if (text.data[0] == '0' && text.size > 1) return false;
    uint64_t sum = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (__builtin_mul_overflow(sum, UINT64_C(10), &sum) ||
            __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    *value = sum;
    return true;
}

bool decimal_integer(struct slice text, int64_t *value) {
    bool negative = text.size > 1 && text.data[0] == '-';
    uint64_t size;
    if (!decimal_unsigned(negative ? slice_of(text.data + 1, text.size - 1) : text,
                          &size))
        return false;
    if (negative) {
        if (size == 0 || size > UINT64_C(1) << 63) return false;
        *value = (int64_t)(UINT64_C(0) - size);
        return true;
    }
    if (size > INT64_MAX) return false;
    *value = (int64_t)size;
    return true;
}

size_t decimal_text(int64_t value, uint8_t text[DECIMAL_SIZE_MAX]) {
    uint64_t left = value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value;
    uint8_t digits[DECIMAL_SIZE_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) digits[--at] = '-';
    memcpy(text, digits + at, sizeof digits - at);
    return sizeof digits - at;
}
