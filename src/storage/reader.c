/* A window that slides over a file.
 *
 * The window is read in pieces of READ_PIECE: large enough that the disk streams, small
 * enough that what was read is still in the CPU's cache when it is checked. A frame
 * larger than the window makes it grow. */
#include "storage/reader.h"

#include <string.h>

#include "base/bytes.h"
#include "base/check.h"

#define READ_PIECE ((size_t)512 * 1024)
#define SAFE_MODE  0640u

const char *file_unsafe(const struct file_facts *facts) {
    if (!facts->regular) return "is not a regular file";
    if (!facts->owned) return "belongs to another user";
    if ((facts->mode & ~SAFE_MODE) != 0) return "has a mode beyond 0640";
    return facts->links != 1 ? "has more than one hard link" : NULL;
}

void reader_init(struct reader *reader, const struct os *os,
                 const struct allocator *allocator) {
    *reader = (struct reader){.os = os, .allocator = allocator, .piece = READ_PIECE};
}

static void forget(struct reader *reader) {
    reader->start = 0;
    reader->filled = 0;
}

enum status reader_open(struct reader *reader, struct directory *directory,
                        const char *name, struct file_facts *facts) {
    check(reader->file == NULL);
    const struct os *os = reader->os;
    enum status status = os->file_open(os, directory, name, FILE_READ, &reader->file);
    if (status) return status;
    status = os->file_describe(os, reader->file, facts);
    if (status) {
        reader_close(reader);
        return status;
    }
    reader->size = facts->size;
    forget(reader);
    return STATUS_OK;
}

void reader_close(struct reader *reader) {
    if (reader->file) reader->os->file_close(reader->os, reader->file);
    reader->file = NULL;
}

void reader_free(struct reader *reader) {
    reader_close(reader);
    release(reader->allocator, reader->window, reader->capacity);
    reader->window = NULL;
    reader->capacity = reader->filled = 0;
}

static enum status grow(struct reader *reader, size_t wanted) {
    if (wanted <= reader->capacity) return STATUS_OK;
    const struct allocator *allocator = reader->allocator;
    uint8_t *window =
        allocator->resize(allocator->context, reader->window, reader->capacity, wanted);
    if (!window) return STATUS_MEMORY;
    reader->window = window;
    reader->capacity = wanted;
    return STATUS_OK;
}

/* Read on behind the window until it is full or the file ends. */
static enum status fill(struct reader *reader) {
    uint64_t offset = reader->start + reader->filled;
    size_t room = reader->capacity - reader->filled;
    uint64_t left = reader->size - offset;
    size_t wanted = left < room ? (size_t)left : room;
    size_t got = 0;
    const struct os *os = reader->os;
    enum status status = os->file_read(os, reader->file, offset,
                                       reader->window + reader->filled, wanted, &got);
    if (status) return status;
#ifdef BUG_15
    memset(reader->window + reader->filled + got, 0, wanted - got), got = wanted;
#endif
    /* The file was longer a moment ago. That is no end of the log. */
    if (got != wanted) return STATUS_IO;
    reader->filled += got;
    return STATUS_OK;
}

static bool in_window(const struct reader *reader, uint64_t offset, size_t size) {
    return offset >= reader->start && offset + size <= reader->start + reader->filled;
}

enum status reader_bytes(struct reader *reader, uint64_t offset, size_t size,
                         const uint8_t **bytes) {
    check(size <= reader->size && offset <= reader->size - size);
    if (!in_window(reader, offset, size)) {
        enum status status = grow(reader, size > reader->piece ? size : reader->piece);
        if (status) return status;
        uint64_t end = reader->start + reader->filled;
        size_t keep = 0;
        if (offset >= reader->start && offset < end) {
            keep = (size_t)(end - offset);
            memmove(reader->window, reader->window + (offset - reader->start), keep);
        }
        reader->start = offset;
        reader->filled = keep;
        status = fill(reader);
        if (status) return status;
    }
    *bytes = reader->window + (offset - reader->start);
    return STATUS_OK;
}

enum status reader_rest_is_zero(struct reader *reader, uint64_t offset, bool *zero) {
    *zero = true;
    while (*zero && offset < reader->size) {
        uint64_t left = reader->size - offset;
        size_t size = left < READ_PIECE ? (size_t)left : READ_PIECE;
        const uint8_t *bytes;
        enum status status = reader_bytes(reader, offset, size, &bytes);
        if (status) return status;
        *zero = bytes_all_zero(bytes, size);
        offset += size;
    }
    return STATUS_OK;
}
