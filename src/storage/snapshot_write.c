#include "storage/snapshot_write.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

#define SYNC_EVERY ((uint64_t)8 << 20)

static void temporary_name(const struct snapshot_writer *writer,
                           char name[SNAPSHOT_NAME_SIZE]) {
    snapshot_name(writer->facts.cover.range.size, name);
    size_t size = strlen(name);
    snprintf(name + size, SNAPSHOT_NAME_SIZE - size, ".tmp");
}

enum status snapshot_write_begin(struct snapshot_writer *writer, const struct os *os,
                                 const struct allocator *allocator,
                                 struct directory *directory,
                                 const struct snapshot_facts *facts,
                                 const struct snapshot_source *source) {
    *writer = (struct snapshot_writer){.os = os,
                                       .allocator = allocator,
                                       .directory = directory,
                                       .facts = *facts,
                                       .source = *source,
                                       .synced = true};
    struct snapshot_trailer *trailer = &writer->trailer;
    trailer->end = SNAPSHOT_HEADER_SIZE + facts->image_size;
    trailer->pieces = snapshot_pieces(trailer->end);
    rfc6962_begin(&writer->tree);
    writer->bytes = allocate(allocator, SNAPSHOT_PIECE);
    writer->leaves = allocate(allocator, (size_t)trailer->pieces * SHA256_SIZE);
    if (writer->bytes && writer->leaves) return STATUS_OK;
    snapshot_write_end(writer);
    return STATUS_MEMORY;
}

/* --- Writing ----------------------------------------------------------------------- */

/* A file of this name is what an interrupted write has left. */
static enum status create(struct snapshot_writer *writer) {
    const struct os *os = writer->os;
    char name[SNAPSHOT_NAME_SIZE];
    temporary_name(writer, name);
    writer->doing = "creating it";
    enum status status =
        os->file_open(os, writer->directory, name, FILE_CREATE, &writer->file);
    if (status != STATUS_EXISTS) return status;
    status = os->remove(os, writer->directory, name);
    return status
               ? status
               : os->file_open(os, writer->directory, name, FILE_CREATE, &writer->file);
}

static enum status write_at(struct snapshot_writer *writer, uint64_t offset,
                            const void *bytes, size_t size) {
    const struct os *os = writer->os;
    writer->doing = "writing it";
    enum status status = os->file_write(os, writer->file, offset, bytes, size);
    writer->unsynced += size;
    if (status || writer->unsynced < SYNC_EVERY || !writer->synced) return status;
    writer->unsynced = 0;
    writer->doing = "syncing it";
    return os->file_sync(os, writer->file);
}

/* Fill the piece: the first one begins with the header. */
static void fill(struct snapshot_writer *writer, size_t size) {
    uint8_t *bytes = writer->bytes;
    if (writer->piece == 0) {
        snapshot_header_encode(&writer->facts, bytes);
        bytes += SNAPSHOT_HEADER_SIZE;
        size -= SNAPSHOT_HEADER_SIZE;
    }
    check(writer->source.next(writer->source.context, bytes, size) == size);
}

static enum status write_piece(struct snapshot_writer *writer) {
    size_t size = snapshot_piece_size(writer->trailer.end, writer->piece);
    fill(writer, size);
    uint8_t *leaf = writer->leaves + writer->piece * SHA256_SIZE;
    rfc6962_leaf(slice_of(writer->bytes, size), slice_of(NULL, 0), leaf);
    rfc6962_append(&writer->tree, leaf);
    return write_at(writer, writer->piece++ * SNAPSHOT_PIECE, writer->bytes, size);
}

/* Leaves and trailer; then all of it must be on the disk and out of the cache, so that
 * what is read back comes from there. */
static enum status finish(struct snapshot_writer *writer) {
    const struct os *os = writer->os;
    struct snapshot_trailer *trailer = &writer->trailer;
    uint8_t bytes[SNAPSHOT_TRAILER_SIZE];
    size_t size = (size_t)trailer->pieces * SHA256_SIZE;
    rfc6962_root(&writer->tree, trailer->root);
    snapshot_trailer_encode(trailer, bytes);
    enum status status = write_at(writer, trailer->end, writer->leaves, size);
    if (!status) status = write_at(writer, trailer->end + size, bytes, sizeof bytes);
    writer->phase = SNAPSHOT_VERIFY;
    writer->piece = 0;
    if (status || !writer->synced) return status;
    uint64_t resident;
    writer->doing = "syncing it";
    status = os->file_sync(os, writer->file);
    return status ? status : os->file_drop_cache(os, writer->file, &resident);
}

static enum status write_step(struct snapshot_writer *writer) {
    enum status status = writer->file ? STATUS_OK : create(writer);
    if (!status)
        status =
            writer->piece < writer->trailer.pieces ? write_piece(writer) : finish(writer);
    return status;
}

/* --- Reading back ------------------------------------------------------------------ */

/* `size` bytes at `offset` must hash to `leaf`, as a piece. */
static enum status read_back(struct snapshot_writer *writer, uint64_t offset, size_t size,
                             const uint8_t leaf[SHA256_SIZE]) {
    const struct os *os = writer->os;
    size_t got;
    uint8_t hash[SHA256_SIZE];
    writer->doing = "reading it back";
    enum status status =
        os->file_read(os, writer->file, offset, writer->bytes, size, &got);
    if (status) return status;
    rfc6962_leaf(slice_of(writer->bytes, got), slice_of(NULL, 0), hash);
    return got == size && memcmp(hash, leaf, SHA256_SIZE) == 0 ? STATUS_OK
                                                               : STATUS_CORRUPT;
}

/* Leaves and trailer must be there too; they are compared byte by byte. */
static enum status read_back_end(struct snapshot_writer *writer) {
    const struct os *os = writer->os;
    const struct snapshot_trailer *trailer = &writer->trailer;
    size_t leaves = (size_t)trailer->pieces * SHA256_SIZE;
    for (size_t at = 0; at < leaves; at += SNAPSHOT_PIECE) {
        size_t size = leaves - at < SNAPSHOT_PIECE ? leaves - at : SNAPSHOT_PIECE, got;
        enum status status =
            os->file_read(os, writer->file, trailer->end + at, writer->bytes, size, &got);
        if (status) return status;
        if (got != size || memcmp(writer->bytes, writer->leaves + at, size) != 0)
            return STATUS_CORRUPT;
    }
    uint8_t wanted[SNAPSHOT_TRAILER_SIZE], found[SNAPSHOT_TRAILER_SIZE];
    size_t got;
    snapshot_trailer_encode(trailer, wanted);
    enum status status =
        os->file_read(os, writer->file, trailer->end + leaves, found, sizeof found, &got);
    if (status) return status;
    bool same = got == sizeof found && memcmp(found, wanted, sizeof found) == 0;
    return same ? STATUS_OK : STATUS_CORRUPT;
}

static enum status verify_step(struct snapshot_writer *writer) {
    const struct snapshot_trailer *trailer = &writer->trailer;
    if (writer->piece < trailer->pieces && writer->synced) {
        uint64_t piece = writer->piece++;
        return read_back(writer, piece * SNAPSHOT_PIECE,
                         snapshot_piece_size(trailer->end, piece),
                         writer->leaves + piece * SHA256_SIZE);
    }
    enum status status = read_back_end(writer);
    if (!status) writer->phase = SNAPSHOT_VERIFIED;
    return status;
}

enum status snapshot_write_step(struct snapshot_writer *writer) {
    check(writer->phase != SNAPSHOT_VERIFIED);
    enum status status =
        writer->phase == SNAPSHOT_WRITE ? write_step(writer) : verify_step(writer);
    if (status) return status;
    return writer->phase == SNAPSHOT_VERIFIED ? STATUS_OK : STATUS_AGAIN;
}

void snapshot_write_progress(const struct snapshot_writer *writer, uint64_t *done,
                             uint64_t *total) {
    uint64_t pieces = writer->trailer.pieces;
    *done = (writer->phase == SNAPSHOT_WRITE ? 0 : pieces) * SNAPSHOT_PIECE +
            writer->piece * SNAPSHOT_PIECE;
    *total = 2 * pieces * SNAPSHOT_PIECE;
    if (*done > *total) *done = *total;
}

/* --- The end ----------------------------------------------------------------------- */

enum status snapshot_publish(struct snapshot_writer *writer) {
    check(writer->phase == SNAPSHOT_VERIFIED);
    const struct os *os = writer->os;
    char from[SNAPSHOT_NAME_SIZE], to[SNAPSHOT_NAME_SIZE];
    temporary_name(writer, from);
    snapshot_name(writer->facts.cover.range.size, to);
    writer->doing = "renaming it";
    enum status status = os->rename(os, writer->directory, from, to);
    if (status) return status;
    os->file_close(os, writer->file);
    writer->file = NULL; /* There is nothing to remove any more. */
    writer->doing = "syncing the directory";
    return os->directory_sync(os, writer->directory);
}

void snapshot_write_end(struct snapshot_writer *writer) {
    const struct os *os = writer->os;
    if (writer->file) {
        char name[SNAPSHOT_NAME_SIZE];
        temporary_name(writer, name);
        os->file_close(os, writer->file);
        (void)os->remove(os, writer->directory, name); /* else the next start will */
        writer->file = NULL;
    }
    release(writer->allocator, writer->bytes, SNAPSHOT_PIECE);
    release(writer->allocator, writer->leaves,
            (size_t)writer->trailer.pieces * SHA256_SIZE);
    writer->bytes = writer->leaves = NULL;
}
