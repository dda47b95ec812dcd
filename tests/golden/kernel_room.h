/* What golden programs over the kernel share: memory out of a static array, comparing hashes. */
#ifndef TESTS_GOLDEN_KERNEL_ROOM_H
#define TESTS_GOLDEN_KERNEL_ROOM_H

#include <stdbool.h>
#include <string.h>

#include "base/sha256.h"
#include "golden/golden.h"
#include "kernel/memory_source.h"

/* --- Memory out of a static array ----------------------------------------------------------- */

enum { REGIONS = 48 };

static uint8_t regions[(REGIONS + 1) * REGION_SIZE];
static bool region_used[REGIONS];

static uint8_t *region_at(size_t number) {
    size_t skip = REGION_SIZE - (uintptr_t)regions % REGION_SIZE;
    return regions + skip % REGION_SIZE + number * REGION_SIZE;
}

static void *take_region(void *context, size_t size) {
    (void)context;
    for (size_t i = 0; i < REGIONS && size == REGION_SIZE; i++) {
        if (region_used[i]) continue;
        region_used[i] = true;
        return region_at(i);
    }
    return NULL;
}

static void give_region(void *context, void *region, size_t size) {
    (void)context;
    memset(region, 0, size);
    for (size_t i = 0; i < REGIONS; i++)
        if (region_at(i) == region) region_used[i] = false;
}

/* --- Comparing ------------------------------------------------------------------------------ */

static int failed;

static char *put_hex(char *text, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < 2 * size; i++)
        *text++ = "0123456789abcdef"[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
    *text = '\0';
    return text;
}

static void compare(const char *what, const uint8_t hash[SHA256_SIZE], const char *wanted) {
    char line[200], hex[2 * SHA256_SIZE + 1];
    put_hex(hex, hash, SHA256_SIZE);
    if (memcmp(hex, wanted, sizeof hex - 1) == 0) return;
    failed++;
    size_t size = strlen(what);
    memcpy(line, what, size);
    memcpy(line + size, ": got ", 6);
    put_hex(line + size + 6, hash, SHA256_SIZE);
    golden_line(line);
}

#endif
