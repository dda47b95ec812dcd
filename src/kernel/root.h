/* Square roots of integers. */
#ifndef KERNEL_ROOT_H
#define KERNEL_ROOT_H

#include <stdint.h>

/* The greatest r with r^2 <= value: a bit at a time, so that nothing has to be shown
 * about the rounding of a first guess. */
static inline uint32_t root_floor(uint64_t value) {
    uint64_t rest = value, root = 0;
    uint64_t bit = (uint64_t)1 << 62;
    while (bit > value) bit >>= 2;
    for (; bit != 0; bit >>= 2) {
        if (rest >= root + bit) {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

/* The least r with r^2 >= value. */
static inline uint64_t root_ceiling(uint64_t value) {
    uint64_t root = root_floor(value);
    return root + (root * root < value);
}

#endif
