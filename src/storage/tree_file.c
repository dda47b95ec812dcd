#include "storage/tree_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "storage/segment.h"

#define FORMAT_VERSION 1

enum {
    AT_VERSION = 8,
    AT_LENGTH = 12,
    AT_LOG_ID = 16,
    AT_NUMBER = 32,
    AT_BASE = 40,
    AT_COUNT = 48,
    AT_BEFORE = 56,
    AT_AFTER = 88,
    AT_ROOTS = 120,
    AT_ZEROS = 152,
    AT_HASH = 480,
};

static const char magic[8] = {'V', 'A', 'L', 'O', 'R', 'I', 'T', 'R'};

void tree_header_encode(const struct tree_header *header,
                        uint8_t bytes[TREE_HEADER_SIZE]) {
    memset(bytes, 0, TREE_HEADER_SIZE);
    memcpy(bytes, magic, sizeof magic);
    store_le32(bytes + AT_VERSION, FORMAT_VERSION);
    store_le32(bytes + AT_LENGTH, TREE_HEADER_SIZE);
    memcpy(bytes + AT_LOG_ID, header->log_id, LOG_ID_SIZE);
    store_le64(bytes + AT_NUMBER, header->number);
    store_le64(bytes + AT_BASE, header->base);
    store_le64(bytes + AT_COUNT, header->count);
    memcpy(bytes + AT_BEFORE, header->root_before, SHA256_SIZE);
    memcpy(bytes + AT_AFTER, header->root_after, SHA256_SIZE);
    memcpy(bytes + AT_ROOTS, header->roots_hash, SHA256_SIZE);
    sha256(bytes, AT_HASH, bytes + AT_HASH);
}

enum status tree_header_decode(const uint8_t bytes[TREE_HEADER_SIZE],
                               struct tree_header *header) {
    uint8_t hash[SHA256_SIZE];
    sha256(bytes, AT_HASH, hash);
    if (memcmp(bytes, magic, sizeof magic) != 0) return STATUS_CORRUPT;
    if (memcmp(bytes + AT_HASH, hash, SHA256_SIZE) != 0) return STATUS_CORRUPT;
    if (load_le32(bytes + AT_VERSION) != FORMAT_VERSION) return STATUS_VERSION;
    if (load_le32(bytes + AT_LENGTH) != TREE_HEADER_SIZE) return STATUS_CORRUPT;
    if (!bytes_all_zero(bytes + AT_ZEROS, AT_HASH - AT_ZEROS)) return STATUS_CORRUPT;

    memcpy(header->log_id, bytes + AT_LOG_ID, LOG_ID_SIZE);
    header->number = load_le64(bytes + AT_NUMBER);
    header->base = load_le64(bytes + AT_BASE);
    header->count = load_le64(bytes + AT_COUNT);
    memcpy(header->root_before, bytes + AT_BEFORE, SHA256_SIZE);
    memcpy(header->root_after, bytes + AT_AFTER, SHA256_SIZE);
    memcpy(header->roots_hash, bytes + AT_ROOTS, SHA256_SIZE);
    /* Sizes computed from them must fit. */
    bool small = header->base < UINT64_MAX / 64 && header->count < UINT64_MAX / 64;
    return small && header->number > 0 ? STATUS_OK : STATUS_CORRUPT;
}

void tree_name(uint64_t number, char name[40]) {
    snprintf(name, 40, "valori-%08" PRIu64 ".tree", number);
}

bool tree_name_parse(const char *name, uint64_t *number) {
    return numbered_name_parse(name, ".tree", number);
}

/* --- Places ------------------------------------------------------------------------ */

uint64_t tree_range_count(const struct tree_header *header) {
    uint64_t count = 0;
    for (uint64_t base = header->base; base > 0; base &= base - 1) count++;
    return count;
}

uint64_t tree_first_block(const struct tree_header *header) {
    return header->base / TREE_BLOCK;
}

uint64_t tree_block_count(const struct tree_header *header) {
    return (header->base + header->count) / TREE_BLOCK - tree_first_block(header);
}

uint64_t tree_leaves_at(const struct tree_header *header) {
    uint64_t roots = tree_range_count(header) + tree_block_count(header);
    return TREE_HEADER_SIZE + roots * SHA256_SIZE;
}

uint64_t tree_file_size(const struct tree_header *header) {
    return tree_leaves_at(header) + header->count * SHA256_SIZE;
}

void tree_range_encode(const struct rfc6962_range *range, uint8_t *bytes) {
    for (unsigned level = 64; level-- > 0;) {
        if (!(range->size >> level & 1)) continue;
        memcpy(bytes, range->roots[level], SHA256_SIZE);
        bytes += SHA256_SIZE;
    }
}

void tree_range_decode(uint64_t size, const uint8_t *bytes, struct rfc6962_range *range) {
    rfc6962_begin(range);
    range->size = size;
    for (unsigned level = 64; level-- > 0;) {
        if (!(size >> level & 1)) continue;
        memcpy(range->roots[level], bytes, SHA256_SIZE);
        bytes += SHA256_SIZE;
    }
}
