#include "storage/snapshot_read.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "storage/reader.h"

static enum status say(struct snapshot_reader *reader, enum status status,
                       const char *format, ...) __attribute__((format(printf, 3, 4)));
static enum status say(struct snapshot_reader *reader, enum status status,
                       const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->message, sizeof reader->message, format, arguments);
    va_end(arguments);
    return status;
}

/* Read exactly that. */
static enum status read_at(struct snapshot_reader *reader, uint64_t offset, void *bytes,
                           size_t size) {
    const struct os *os = reader->os;
    size_t got;
    enum status status = os->file_read(os, reader->file, offset, bytes, size, &got);
    if (status) return say(reader, status, "%s", os->error_text(os));
    if (got != size) return say(reader, STATUS_CORRUPT, "it ends too early");
    return STATUS_OK;
}

static enum status read_trailer(struct snapshot_reader *reader) {
    uint8_t bytes[SNAPSHOT_TRAILER_SIZE];
    if (reader->size < SNAPSHOT_HEADER_SIZE + SNAPSHOT_TRAILER_SIZE)
        return say(reader, STATUS_CORRUPT, "it is too short");
    enum status status =
        read_at(reader, reader->size - sizeof bytes, bytes, sizeof bytes);
    if (status) return status;
    status = snapshot_trailer_decode(bytes, reader->size, &reader->trailer);
    if (status == STATUS_VERSION) return say(reader, status, "it is of a newer format");
    return status ? say(reader, status, "its trailer is damaged, or it was cut")
                  : STATUS_OK;
}

static enum status read_leaves(struct snapshot_reader *reader) {
    const struct snapshot_trailer *trailer = &reader->trailer;
    size_t size = (size_t)trailer->pieces * SHA256_SIZE;
    reader->leaves = allocate(reader->allocator, size);
    if (!reader->leaves) return say(reader, STATUS_MEMORY, "no memory to read it");
    enum status status = read_at(reader, trailer->end, reader->leaves, size);
    if (status) return status;
    struct rfc6962_range tree;
    uint8_t root[SHA256_SIZE];
    rfc6962_begin(&tree);
    for (size_t i = 0; i < trailer->pieces; i++)
        rfc6962_append(&tree, reader->leaves + i * SHA256_SIZE);
    rfc6962_root(&tree, root);
    if (memcmp(root, trailer->root, SHA256_SIZE) == 0) return STATUS_OK;
    return say(reader, STATUS_CORRUPT, "the hashes of its pieces are damaged");
}

static enum status read_header(struct snapshot_reader *reader) {
    uint8_t bytes[SNAPSHOT_HEADER_SIZE];
    enum status status = read_at(reader, 0, bytes, sizeof bytes);
    if (status) return status;
    status = snapshot_header_decode(bytes, &reader->facts);
    if (status == STATUS_VERSION) return say(reader, status, "it is of a newer format");
    bool fits =
        !status && SNAPSHOT_HEADER_SIZE + reader->facts.image_size == reader->trailer.end;
    return fits ? STATUS_OK : say(reader, STATUS_CORRUPT, "its header is damaged");
}

static enum status open_safely(struct snapshot_reader *reader,
                               struct directory *directory, const char *name) {
    const struct os *os = reader->os;
    struct file_facts facts;
    enum status status = os->file_open(os, directory, name, FILE_READ, &reader->file);
    if (!status) status = os->file_describe(os, reader->file, &facts);
    if (status == STATUS_UNSAFE) return say(reader, status, "is not a regular file");
    if (status) return say(reader, status, "%s", os->error_text(os));
    reader->size = facts.size;
    const char *reason = file_unsafe(&facts);
    return reason ? say(reader, STATUS_UNSAFE, "%s", reason) : STATUS_OK;
}

enum status snapshot_open_file(struct snapshot_reader *reader, const struct os *os,
                               const struct allocator *allocator,
                               struct directory *directory, const char *name) {
    *reader = (struct snapshot_reader){.os = os, .allocator = allocator};
    enum status status = open_safely(reader, directory, name);
    if (!status) status = read_trailer(reader);
    if (!status) status = read_leaves(reader);
    if (!status) status = read_header(reader);
    if (status) snapshot_close(reader);
    return status;
}

enum status snapshot_open(struct snapshot_reader *reader, const struct os *os,
                          const struct allocator *allocator, struct directory *directory,
                          uint64_t entries) {
    char name[SNAPSHOT_NAME_SIZE];
    snapshot_name(entries, name);
    enum status status = snapshot_open_file(reader, os, allocator, directory, name);
    if (status || reader->facts.cover.range.size == entries) return status;
    snapshot_close(reader);
    return say(reader, STATUS_CORRUPT, "it has %" PRIu64 " entries by its header",
               reader->facts.cover.range.size);
}

enum status snapshot_read_piece(struct snapshot_reader *reader, uint64_t index,
                                uint8_t *bytes, size_t *size) {
    check(index < reader->trailer.pieces);
    uint8_t leaf[SHA256_SIZE];
    *size = snapshot_piece_size(reader->trailer.end, index);
    enum status status = read_at(reader, index * SNAPSHOT_PIECE, bytes, *size);
    if (status) return status;
    rfc6962_leaf(slice_of(bytes, *size), slice_of(NULL, 0), leaf);
    if (memcmp(leaf, reader->leaves + index * SHA256_SIZE, SHA256_SIZE) == 0)
        return STATUS_OK;
    return say(reader, STATUS_CORRUPT,
               "it is damaged between offset %" PRIu64 " and %" PRIu64,
               index * SNAPSHOT_PIECE, index * SNAPSHOT_PIECE + *size);
}

void snapshot_close(struct snapshot_reader *reader) {
    if (reader->file) reader->os->file_close(reader->os, reader->file);
    reader->file = NULL;
    release(reader->allocator, reader->leaves,
            (size_t)reader->trailer.pieces * SHA256_SIZE);
    reader->leaves = NULL;
}
