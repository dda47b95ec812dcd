/* Reading a file from front to back in big pieces, with any run of bytes in it
 * contiguous. */
#ifndef STORAGE_READER_H
#define STORAGE_READER_H

#include "os/os.h"

struct reader {
    const struct os *os;
    const struct allocator *allocator;
    struct file *file; /* NULL: none is open */
    uint64_t size;     /* of the file when it was opened */
    size_t piece;      /* read at least so much at a time */
    uint8_t *window;   /* bytes [start, start + filled) of the file */
    uint64_t start;
    size_t filled, capacity;
};

void reader_init(struct reader *reader, const struct os *os,
                 const struct allocator *allocator);

/* Open `name` for reading; the size is what it is now. Failures are those of file_open()
 * and file_describe(). */
enum status reader_open(struct reader *reader, struct directory *directory,
                        const char *name, struct file_facts *facts);
void reader_close(struct reader *reader);
void reader_free(struct reader *reader);

/* Give the address of `size` bytes at `offset`, which must lie inside the file. Good
 * until the next call. STATUS_IO also when the file turns out shorter than it was;
 * STATUS_MEMORY. */
enum status reader_bytes(struct reader *reader, uint64_t offset, size_t size,
                         const uint8_t **bytes);

/* Why a data file with these facts is not to be trusted; NULL: it is. */
const char *file_unsafe(const struct file_facts *facts);

/* *zero: are all bytes from `offset` to the end of the file zero? */
enum status reader_rest_is_zero(struct reader *reader, uint64_t offset, bool *zero);

#endif
