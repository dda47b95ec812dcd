#include "kernel/layout.h"

#include "base/check.h"

#include "kernel/pure.h"

/* One group of equal fields of a layout. */
struct group {
    uint32_t count, width;
};

static uint32_t width_of(char letter) {
    switch (letter) {
    case 'b':
        return 1;
    case 'w':
        return 4;
    default:
        check(letter == 'd');
        return 8;
    }
}

/* The group at *layout, which moves behind it. */
static struct group next_group(const char **layout) {
    struct group group = {0};
    for (; **layout >= '0' && **layout <= '9'; ++*layout)
        group.count = group.count * 10 + (uint32_t)(**layout - '0');
    if (group.count == 0) group.count = 1;
    group.width = width_of(*(*layout)++);
    return group;
}

uint32_t layout_round(const char *layout) {
    uint32_t size = 0;
    while (*layout) {
        struct group group = next_group(&layout);
        size += group.count * group.width;
    }
    return size;
}

uint32_t layout_first(const char *layout) { return next_group(&layout).width; }

static void turn(uint8_t *bytes, size_t count, uint32_t width) {
    for (; count > 0; count--, bytes += width)
        for (uint32_t i = 0; i < width / 2; i++) {
            uint8_t byte = bytes[i];
            bytes[i] = bytes[width - 1 - i];
            bytes[width - 1 - i] = byte;
        }
}

void layout_turn(const char *layout, size_t offset, uint8_t *bytes, size_t size) {
    size_t skipped = offset % layout_round(layout);
    const char *at = layout;
    while (size > 0) {
        if (*at == 0) at = layout;
        struct group group = next_group(&at);
        size_t whole = (size_t)group.count * group.width;
        size_t before = skipped < whole ? skipped : whole;
        size_t here = whole - before < size ? whole - before : size;
        check(before % group.width == 0 && here % group.width == 0);
        turn(bytes, here / group.width, group.width);
        skipped -= before;
        bytes += here;
        size -= here;
    }
}
