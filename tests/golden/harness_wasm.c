/* Carries a golden program where there is nothing: WebAssembly without a single import.
 *
 * Lines gather in a static text, which the host reads out of the module's memory afterwards
 * (tests/arch/wasm.mjs). The mem* calls that the compiler and base/ expect are here, plain. */
#include "golden/golden.h"

#include <stdint.h>
#include <string.h>

/* Exported to the host. */
const char *golden_text(void);
size_t golden_text_size(void);

static char text[65536];
static size_t text_size;

const char *golden_text(void) { return text; }
size_t golden_text_size(void) { return text_size; }

void golden_line(const char *line) {
    size_t size = strlen(line);
    if (size + 3 > sizeof text - text_size) return; /* The first lines are the ones that matter. */
    memcpy(text + text_size, "  ", 2);
    memcpy(text + text_size + 2, line, size);
    text_size += size + 3;
    text[text_size - 1] = '\n';
}

void *memcpy(void *to, const void *from, size_t size) { return memmove(to, from, size); }

void *memmove(void *to, const void *from, size_t size) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)t <= (uintptr_t)f)
        for (size_t i = 0; i < size; i++) t[i] = f[i];
    else
        for (size_t i = size; i > 0; i--) t[i - 1] = f[i - 1];
    return to;
}

void *memset(void *bytes, int value, size_t size) {
    for (size_t i = 0; i < size; i++) ((uint8_t *)bytes)[i] = (uint8_t)value;
    return bytes;
}

int memcmp(const void *a, const void *b, size_t size) {
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < size; i++)
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    return 0;
}

size_t strlen(const char *string) {
    size_t size = 0;
    while (string[size]) size++;
    return size;
}
