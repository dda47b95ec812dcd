/* Complaints, numbers and the clock of valori-benchmark. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum status complain(struct complaint *complaint, enum status status, const char *format,
                     ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint->text, sizeof complaint->text, format, arguments);
    va_end(arguments);
    return status;
}

bool text_unsigned(const char *text, uint64_t *value) {
    uint64_t result = 0;
    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        if (__builtin_mul_overflow(result, 10, &result)) return false;
        if (__builtin_add_overflow(result, (unsigned)(*text - '0'), &result))
            return false;
    }
    *value = result;
    return true;
}

uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
