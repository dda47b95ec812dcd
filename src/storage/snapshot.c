#include "storage/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define FORMAT_VERSION 1
#define NAME_DIGITS    20

enum {
    AT_VERSION = 8,
    AT_LENGTH = 12,
    AT_LOG_ID = 16,
    AT_ENTRIES = 32,
    AT_ROOT = 40,
    AT_SEAL = 72,
    AT_TIME = AT_SEAL + SNAPSHOT_SEAL_SIZE,
    AT_IMAGE_SIZE = 224,
    AT_CREATED = 232,
    AT_ZEROS = 240,
    AT_TREE = 512,
    AT_MORE_ZEROS = AT_TREE + 64 * SHA256_SIZE,
    AT_HASH = SNAPSHOT_HEADER_SIZE - SHA256_SIZE,

    TRAILER_AT_END = 16,
    TRAILER_AT_PIECES = 24,
    TRAILER_AT_ROOT = 32,
    TRAILER_AT_ZEROS = 64,
    TRAILER_AT_HASH = SNAPSHOT_TRAILER_SIZE - SHA256_SIZE,
};

static const char header_magic[8] = {'V', 'A', 'L', 'O', 'R', 'I', 'S', 'N'};
static const char trailer_magic[8] = {'V', 'A', 'L', 'O', 'R', 'I', 'S', 'E'};

/* Magic, version and length in front, their hash behind: alike in header and trailer. */
static void put_frame(uint8_t *bytes, size_t size, const char magic[8]) {
    memcpy(bytes, magic, 8);
    store_le32(bytes + AT_VERSION, FORMAT_VERSION);
    store_le32(bytes + AT_LENGTH, (uint32_t)size);
    sha256(bytes, size - SHA256_SIZE, bytes + size - SHA256_SIZE);
}

static enum status look_at_frame(const uint8_t *bytes, size_t size, const char magic[8]) {
    uint8_t hash[SHA256_SIZE];
    sha256(bytes, size - SHA256_SIZE, hash);
    if (memcmp(bytes, magic, 8) != 0) return STATUS_CORRUPT;
    if (memcmp(bytes + size - SHA256_SIZE, hash, SHA256_SIZE) != 0) return STATUS_CORRUPT;
    if (load_le32(bytes + AT_VERSION) != FORMAT_VERSION) return STATUS_VERSION;
    return load_le32(bytes + AT_LENGTH) == size ? STATUS_OK : STATUS_CORRUPT;
}

/* --- Header ------------------------------------------------------------------------ */

void snapshot_header_encode(const struct snapshot_facts *facts,
                            uint8_t bytes[SNAPSHOT_HEADER_SIZE]) {
    const struct rfc6962_range *range = &facts->cover.range;
    memset(bytes, 0, SNAPSHOT_HEADER_SIZE);
    memcpy(bytes + AT_LOG_ID, facts->cover.log_id, LOG_ID_SIZE);
    store_le64(bytes + AT_ENTRIES, range->size);
    rfc6962_root(range, bytes + AT_ROOT);
    memcpy(bytes + AT_SEAL, facts->seal, SNAPSHOT_SEAL_SIZE);
    store_le64(bytes + AT_TIME, facts->time_us);
    store_le64(bytes + AT_IMAGE_SIZE, facts->image_size);
    store_le64(bytes + AT_CREATED, facts->created_us);
    for (size_t i = 0; i < 64; i++)
        if (range->size >> i & 1)
            memcpy(bytes + AT_TREE + i * SHA256_SIZE, range->roots[i], SHA256_SIZE);
    put_frame(bytes, SNAPSHOT_HEADER_SIZE, header_magic);
}

enum status snapshot_header_decode(const uint8_t bytes[SNAPSHOT_HEADER_SIZE],
                                   struct snapshot_facts *facts) {
    enum status status = look_at_frame(bytes, SNAPSHOT_HEADER_SIZE, header_magic);
    if (status) return status;
    struct rfc6962_range *range = &facts->cover.range;
    rfc6962_begin(range);
    range->size = load_le64(bytes + AT_ENTRIES);
    for (size_t i = 0; i < 64; i++) {
        const uint8_t *place = bytes + AT_TREE + i * SHA256_SIZE;
        if (range->size >> i & 1) memcpy(range->roots[i], place, SHA256_SIZE);
        else if (!bytes_all_zero(place, SHA256_SIZE)) return STATUS_CORRUPT;
    }
    uint8_t root[SHA256_SIZE];
    rfc6962_root(range, root);
    bool sound = range->size > 0 && memcmp(root, bytes + AT_ROOT, SHA256_SIZE) == 0 &&
                 bytes_all_zero(bytes + AT_ZEROS, AT_TREE - AT_ZEROS) &&
                 bytes_all_zero(bytes + AT_MORE_ZEROS, AT_HASH - AT_MORE_ZEROS);
    if (!sound) return STATUS_CORRUPT;
    memcpy(facts->cover.log_id, bytes + AT_LOG_ID, LOG_ID_SIZE);
    memcpy(facts->seal, bytes + AT_SEAL, SNAPSHOT_SEAL_SIZE);
    facts->time_us = load_le64(bytes + AT_TIME);
    facts->image_size = load_le64(bytes + AT_IMAGE_SIZE);
    facts->created_us = load_le64(bytes + AT_CREATED);
    return facts->image_size % 8 == 0 ? STATUS_OK : STATUS_CORRUPT;
}

/* --- Trailer ----------------------------------------------------------------------- */

void snapshot_trailer_encode(const struct snapshot_trailer *trailer,
                             uint8_t bytes[SNAPSHOT_TRAILER_SIZE]) {
    memset(bytes, 0, SNAPSHOT_TRAILER_SIZE);
    store_le64(bytes + TRAILER_AT_END, trailer->end);
    store_le64(bytes + TRAILER_AT_PIECES, trailer->pieces);
    memcpy(bytes + TRAILER_AT_ROOT, trailer->root, SHA256_SIZE);
    put_frame(bytes, SNAPSHOT_TRAILER_SIZE, trailer_magic);
}

enum status snapshot_trailer_decode(const uint8_t bytes[SNAPSHOT_TRAILER_SIZE],
                                    uint64_t size, struct snapshot_trailer *trailer) {
    enum status status = look_at_frame(bytes, SNAPSHOT_TRAILER_SIZE, trailer_magic);
    if (status) return status;
    uint64_t end = load_le64(bytes + TRAILER_AT_END);
    uint64_t pieces = load_le64(bytes + TRAILER_AT_PIECES);
    bool sound =
        end >= SNAPSHOT_HEADER_SIZE && end < size && pieces == snapshot_pieces(end) &&
        size == end + pieces * SHA256_SIZE + SNAPSHOT_TRAILER_SIZE &&
        bytes_all_zero(bytes + TRAILER_AT_ZEROS, TRAILER_AT_HASH - TRAILER_AT_ZEROS);
    if (!sound) return STATUS_CORRUPT;
    *trailer = (struct snapshot_trailer){.end = end, .pieces = pieces};
    memcpy(trailer->root, bytes + TRAILER_AT_ROOT, SHA256_SIZE);
    return STATUS_OK;
}

/* --- Names ------------------------------------------------------------------------- */

void snapshot_name(uint64_t entries, char name[SNAPSHOT_NAME_SIZE]) {
    snprintf(name, SNAPSHOT_NAME_SIZE, "valori-%020" PRIu64 ".snap", entries);
}

bool snapshot_name_parse(const char *name, uint64_t *entries) {
    static const char prefix[] = "valori-";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0) return false;
    const char *digits = name + sizeof prefix - 1;
    if (strspn(digits, "0123456789") != NAME_DIGITS) return false;
    if (strcmp(digits + NAME_DIGITS, ".snap") != 0) return false;
    *entries = 0;
    for (size_t i = 0; i < NAME_DIGITS; i++)
        *entries = *entries * 10 + (uint64_t)(digits[i] - '0');
    char canonical[SNAPSHOT_NAME_SIZE];
    snapshot_name(*entries, canonical);
    return strcmp(canonical, name) == 0; /* not beyond 64 bits */
}

struct listing {
    uint64_t *entries;
    size_t count;
};

/* Keep the newest ones, sorted. */
static bool visit_name(void *context, const char *name) {
    struct listing *listing = context;
    uint64_t entries;
    if (!snapshot_name_parse(name, &entries)) return true;
    size_t at = listing->count;
    while (at > 0 && listing->entries[at - 1] < entries) at--;
    if (at == SNAPSHOTS_MAX) return true;
    size_t moved = listing->count - at;
    if (listing->count == SNAPSHOTS_MAX) moved--;
    else listing->count++;
    memmove(listing->entries + at + 1, listing->entries + at, moved * sizeof entries);
    listing->entries[at] = entries;
    return true;
}

enum status snapshot_list(const struct os *os, struct directory *directory,
                          uint64_t entries[SNAPSHOTS_MAX], size_t *count) {
    struct listing listing = {.entries = entries};
    enum status status = os->directory_list(os, directory, visit_name, &listing);
    *count = listing.count;
    return status;
}
