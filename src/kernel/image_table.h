/* The table of everything that an image holds: a pool that is added to the state has its
 * row here, and nothing else knows them all. */
#ifndef KERNEL_IMAGE_TABLE_H
#define KERNEL_IMAGE_TABLE_H

#include "kernel/image.h"
#include "kernel/state.h"

/* `count` integers of `width` bytes side by side at `offset` of a struct. */
struct image_field {
    uint16_t offset, width, count;
};

/* `count` pools of one name side by side. */
struct image_pool {
    const char *name;
    uint16_t offset, count;
};

/* A struct with fields and pools: the state itself, and what objects of a type have
 * beside their row, in a pool of their own. */
struct image_part {
    const char *name;
    const char *rows; /* the section that says which rows are in use; NULL: the state */
    uint16_t offset;  /* of that pool in the state */
    const struct image_field *fields;
    size_t field_count;
    const struct image_pool *pools;
    size_t pool_count;
    /* Is this row in use? */
    bool (*used)(const void *owner);
    /* The fields are read: are they sound, and if so, make the pools for them. */
    enum status (*begin)(struct kernel *kernel, void *owner);
    /* False: this one has no pool of that name. */
    bool (*has)(const void *owner, const char *pool);
};

#define IMAGE_PARTS 3
extern const struct image_part image_parts[IMAGE_PARTS];

/* Bytes of a part's fields, a multiple of 8. */
uint32_t image_fields_size(const struct image_part *part);
void image_fields_encode(const struct image_part *part, const void *owner,
                         uint8_t *bytes);
void image_fields_decode(const struct image_part *part, void *owner,
                         const uint8_t *bytes);

/* The next section; false after the last, which is called "end". */
bool image_next(const struct state *state, struct image_cursor *cursor,
                struct image_section *section);

static inline const struct pool *
image_pool_at(const void *owner, const struct image_pool *row, uint32_t index) {
    return (const struct pool *)(const void *)((const uint8_t *)owner + row->offset) +
           index;
}

/* Of a part's row in its table: it is in use. (Any other number is the link of a free
 * one.) */
#define IMAGE_ROW_USED UINT32_MAX

#endif
