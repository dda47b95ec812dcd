/* An entry: the bytes that the log tree hashes (docs/format.md, section 5), and batches.
 */
#ifndef KERNEL_ENTRY_H
#define KERNEL_ENTRY_H

#include "base/rfc6962.h"
#include "kernel/change.h"

#define ENTRY_SIZE_MAX    65535
#define ENTRY_HEADER_SIZE 68 /* everything before the body's bytes */
#define ENTRY_SIGNED      1
#define ENTRY_NO_STATE    2

struct entry {
    uint8_t type;
    uint16_t flags;
    uint64_t sequence;
    uint64_t time_us;
    uint8_t principal[SHA256_SIZE];
    uint64_t principal_sequence;
    struct slice body; /* borrowed */
};

/* Write the header for a body of `body_size` bytes; the body's bytes follow it. */
void entry_encode_header(const struct entry *entry, size_t body_size,
                         uint8_t header[ENTRY_HEADER_SIZE]);

/* STATUS_CORRUPT: malformed. STATUS_VERSION: a newer version, flag, or an unknown type
 * that is not marked ENTRY_NO_STATE. */
enum status entry_decode(struct slice bytes, struct entry *entry);

/* Do list and payload hold exactly what the entry commits to? False also for what a
 * replay would find malformed or of a newer format: it will say which. */
bool entry_holds(const struct entry *entry, struct slice list, struct slice payload);

/* Where a VADD's entry names its key and its element; false for other entries. Checks no
 * more than sizes: for hints. The pointers go into `bytes`. */
bool entry_peek_names(struct slice bytes, const uint8_t **object_hash,
                      const uint8_t **element_hash);

/* --- Batches ---------------------------------------------------------------------------
 */

/* Collects changes into a batch entry's body, list and payload. Make it with
 * batch_begin(); the buffers grow with what is added. */
struct batch {
    uint32_t count;
    struct buffer elements; /* u8 type | u32 length | body, one after the other */
    struct buffer payload;
    bool have_previous;
    uint8_t previous_object[SHA256_SIZE];
    struct rfc6962_range range; /* over the elements */
};

void batch_begin(struct batch *batch, const struct allocator *allocator, size_t limit);
void batch_free(struct batch *batch);

/* Append a committed change (or a GROUP). STATUS_TOO_LARGE or STATUS_MEMORY: the batch
 * must be thrown away. */
enum status batch_add(struct batch *batch, const struct change *change);

/* The body of the BATCH entry, and whether the elements go into the frame's list (form
 * 1). In form 0 the body is 5 bytes followed by the elements. `head` needs 5 +
 * SHA256_SIZE bytes. */
bool batch_body(const struct batch *batch, uint8_t *head, size_t *head_size);

/* Walks the elements of a batch entry, from the body (form 0) or the list (form 1). */
struct batch_reader {
    struct slice elements; /* not read yet */
    struct slice payload;
    uint32_t count, next;
    bool verify;
    bool have_previous;
    struct change previous;
};

/* Checks the form and, with `verify`, the root over the list. */
enum status batch_open(struct batch_reader *reader, struct slice body, struct slice list,
                       struct slice payload, bool verify);
/* The next element into *change; STATUS_END after the last, STATUS_CORRUPT when bytes are
 * left over or malformed. */
enum status batch_next(struct batch_reader *reader, struct change *change);

#endif
