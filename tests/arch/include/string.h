/* The four calls that a freestanding C compiler expects, and strlen: where there is no libc,
 * tests/golden/harness_wasm.c has them. */
#ifndef TESTS_ARCH_STRING_H
#define TESTS_ARCH_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *bytes, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);

#endif
