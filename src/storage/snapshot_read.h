/* Reading a snapshot: the end first, then any piece, each checked before it is looked at.
 */
#ifndef STORAGE_SNAPSHOT_READ_H
#define STORAGE_SNAPSHOT_READ_H

#include "storage/snapshot.h"

struct snapshot_reader {
    const struct os *os;
    const struct allocator *allocator;
    struct file *file;
    uint64_t size; /* of it */
    struct snapshot_facts facts;
    struct snapshot_trailer trailer;
    uint8_t *leaves;
    char message[160]; /* after a failure: what is wrong, without a class */
};

/* Open the snapshot of so many entries and check what frames it: trailer, leaves, header.
 * STATUS_NOT_FOUND, STATUS_CORRUPT, STATUS_VERSION, STATUS_UNSAFE, STATUS_IO,
 * STATUS_MEMORY: nothing is open. */
enum status snapshot_open(struct snapshot_reader *reader, const struct os *os,
                          const struct allocator *allocator, struct directory *directory,
                          uint64_t entries);
/* The same by the file's name, whatever it is. */
enum status snapshot_open_file(struct snapshot_reader *reader, const struct os *os,
                               const struct allocator *allocator,
                               struct directory *directory, const char *name);
/* Read piece `index` into `bytes`, SNAPSHOT_PIECE of them, and hold it against its leaf.
 * *size: what it has. Several threads may do so at a time, one of them with `reader` and
 * the others with copies of it. STATUS_CORRUPT, STATUS_IO. */
enum status snapshot_read_piece(struct snapshot_reader *reader, uint64_t index,
                                uint8_t *bytes, size_t *size);
void snapshot_close(struct snapshot_reader *reader);

#endif
