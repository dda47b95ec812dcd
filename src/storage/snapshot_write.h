/* Writing a snapshot, in steps of one piece.
 *
 * The steps may run on another thread than the rest: they see the files and what `source`
 * gives. The file has a name of its own until it was read back from the disk, piece by
 * piece, and snapshot_publish() renames it. */
#ifndef STORAGE_SNAPSHOT_WRITE_H
#define STORAGE_SNAPSHOT_WRITE_H

#include "storage/snapshot.h"

/* The next bytes of the image, `room` of them but for its end. */
struct snapshot_source {
    void *context;
    size_t (*next)(void *context, uint8_t *bytes, size_t room);
};

enum snapshot_phase { SNAPSHOT_WRITE, SNAPSHOT_VERIFY, SNAPSHOT_VERIFIED };

struct snapshot_writer {
    const struct os *os;
    const struct allocator *allocator;
    struct directory *directory; /* borrowed */
    struct snapshot_facts facts;
    struct snapshot_source source;
    bool synced; /* sync and read back (always, but for measuring) */
    enum snapshot_phase phase;
    struct file *file;
    struct snapshot_trailer trailer;
    uint64_t piece;    /* the next one */
    uint64_t unsynced; /* bytes */
    uint8_t *bytes;    /* of a piece */
    uint8_t *leaves;   /* of all pieces */
    struct rfc6962_range tree;
    const char *doing; /* what failed */
};

/* Nothing touches the disk yet. `facts` say how long the image is. STATUS_MEMORY. */
enum status snapshot_write_begin(struct snapshot_writer *writer, const struct os *os,
                                 const struct allocator *allocator,
                                 struct directory *directory,
                                 const struct snapshot_facts *facts,
                                 const struct snapshot_source *source);
/* STATUS_AGAIN: there is more. STATUS_OK: the file is on the disk and whole, under
 * another name. STATUS_IO, STATUS_NO_SPACE; STATUS_CORRUPT: it did not read back as it
 * was written. */
enum status snapshot_write_step(struct snapshot_writer *writer);
/* Bytes of the way so far and in all: each byte is written and read. */
void snapshot_write_progress(const struct snapshot_writer *writer, uint64_t *done,
                             uint64_t *total);
/* After STATUS_OK and once the log is durable to where the snapshot begins: give it its
 * name and sync the directory. */
enum status snapshot_publish(struct snapshot_writer *writer);
/* Give back what the writer has, and, unless it was published, remove its file. */
void snapshot_write_end(struct snapshot_writer *writer);

#endif
