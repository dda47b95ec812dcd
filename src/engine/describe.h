/* Entries as people read them: each change as the command that redis-cli would be given
 * for it. What a command does not say is not in the text either: an entry has its options
 * resolved, a change that a client's one command made of many is many, and a VADD has the
 * options of its key only where it may have made it.
 *
 *     SET greeting "hello world"
 *     [3] VADD photos VALUES 3 0.5 -1 2.25 img-7 TAG 3       in database 3
 *     SEAL 65cdd9bda74938ce...                               no command: a state root */
#ifndef ENGINE_DESCRIBE_H
#define ENGINE_DESCRIBE_H

#include "base/buffer.h"
#include "kernel/entry.h"
#include "storage/log.h"

struct description {
    struct entry entry; /* of the frame */
    uint64_t count;     /* texts that follow */
    uint64_t next;      /* of them */
    struct batch_reader reader;
    struct slice payload;
};

/* The frame's slices are borrowed until the last text. STATUS_CORRUPT, STATUS_VERSION: it
 * is none that this release can read. */
enum status describe_begin(struct description *description, const struct frame *frame);
/* Append one text to `text`. STATUS_END after the last; STATUS_CORRUPT, STATUS_VERSION as
 * above; STATUS_MEMORY, STATUS_TOO_LARGE: `text` does not hold it. */
enum status describe_next(struct description *description, struct buffer *text);

/* Append a word as redis-cli writes it: as it is, or in quotes with escapes. */
enum status describe_word(struct slice word, struct buffer *text);

#endif
