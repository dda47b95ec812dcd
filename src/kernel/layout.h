/* What a row of a pool is made of, so that it can be written little-endian on any
 * machine.
 *
 * A layout is a text of counts and widths: "64b4d2w" is 64 bytes, four u64, two u32; a
 * count of one is left out. A row is one round of it or several ("w": all u32). It is
 * written into snapshots (docs/format.md, 10.2) and never changes for a pool. */
#ifndef KERNEL_LAYOUT_H
#define KERNEL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAYOUT_SIZE 16 /* the longest, without its NUL */

/* Integers lie in memory as they do in a snapshot. */
#define MEMORY_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/* Bytes of one round. */
uint32_t layout_round(const char *layout);
/* Width of the first field: 1, 4 or 8. */
uint32_t layout_first(const char *layout);
/* Turn the bytes of each field round. `bytes` begin `offset` bytes into a row, at the
 * beginning of a field, and end at the end of one. */
void layout_turn(const char *layout, size_t offset, uint8_t *bytes, size_t size);

#endif
