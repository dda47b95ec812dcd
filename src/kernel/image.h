/* The image of a state: all that a frozen view holds, as one run of bytes that is the
 * same on every machine (docs/format.md, section 10.2), and back.
 *
 * Both ways are streams, in pieces of any size that is a multiple of 8, and neither takes
 * memory of its own: the writer may run on another thread than the kernel that the view
 * belongs to. An image keeps rows and their numbers, so nothing is built anew on loading.
 */
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

#include "kernel/kernel.h"

#define IMAGE_HEAD_SIZE  64  /* of a section */
#define IMAGE_FIELDS_MAX 640 /* bytes of a section that holds fields */
#define IMAGE_NAME_SIZE  24

struct image_pool;
struct image_part;

/* Where a walk over the sections is. */
struct image_cursor {
    uint32_t stage; /* the part */
    bool begun;     /* its table of rows is behind */
    uint32_t row;   /* of it */
    uint32_t step;  /* 0: its fields; then its pools, from 1 on */
    uint32_t index; /* of several pools of one name */
};

/* One section: rows of a pool, or fields of a struct. */
struct image_section {
    const char *name;
    uint32_t index;
    const struct pool *pool;       /* whose rows, free list and size it has */
    const struct image_part *part; /* whose fields, or whose table of rows it has */
    const void *owner;             /* of the fields */
    uint32_t row_size, limit, free_row, free_count;
};

struct image_writer {
    const struct state *state;
    struct image_cursor cursor;
    struct image_section section;
    uint64_t at, size; /* in the section, its head included */
    uint32_t staged;   /* bytes of it that lie here: head and fields */
    uint8_t bytes[IMAGE_HEAD_SIZE + IMAGE_FIELDS_MAX];
};

/* Nothing of `state`, a view that was frozen right after kernel_seal() and without a
 * graveyard (kernel_tidy() said false), may change until the writer is done with. */
void image_write_begin(struct image_writer *writer, const struct state *state);
/* The next bytes, `room` of them but for the end, where 0 says that it is over. */
size_t image_write(struct image_writer *writer, uint8_t *bytes, size_t room);
/* Bytes of the whole image. O(collections). */
uint64_t image_size(const struct state *state);

struct image_reader {
    struct kernel *kernel;
    const struct image_part *part; /* the last one that was begun, and its struct */
    uint32_t part_row;
    uint32_t parts_left; /* of its table that are still to come */
    struct image_section section;
    struct pool *pool; /* that rows go to */
    uint64_t at, size; /* as in the writer */
    uint8_t *run;      /* where the next row bytes go, and how many */
    size_t run_left;
    bool ended;
    uint8_t bytes[IMAGE_HEAD_SIZE + IMAGE_FIELDS_MAX];
};

/* `kernel` is as kernel_create() made it, and stays useless until the end is reached. */
void image_read_begin(struct image_reader *reader, struct kernel *kernel);
/* STATUS_MEMORY; STATUS_VERSION: a section that this release does not know;
 * STATUS_CORRUPT: no image. The kernel can only be destroyed then. */
enum status image_read(struct image_reader *reader, const uint8_t *bytes, size_t size);
/* All bytes were read. STATUS_CORRUPT: some are missing. What the rows say of each other
 * is not looked at: recompute_step() does. */
enum status image_read_end(struct image_reader *reader);

#endif
