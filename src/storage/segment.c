/* Segment names and headers.
 *
 * The header has a check of its own that needs no key, and it holds the key of all other
 * checks twice: with a damaged header the frames can still be told from noise by a repair
 * tool. */
#include "storage/segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define FORMAT_VERSION  1
#define NAME_DIGITS_MIN 8
#define NAME_DIGITS_MAX 19 /* always fits 64 bits */

enum {
    AT_VERSION = 8,
    AT_LENGTH = 12,
    AT_LOG_ID = 16,
    AT_NUMBER = 32,
    AT_BASE = 40,
    AT_ROOT = 48,
    AT_KEY = 80,
    AT_KEY_AGAIN = 96,
    AT_CREATED = 112,
    AT_ZEROS = 120,
    AT_HASH = 480,
};

static const char magic[8] = {'V', 'A', 'L', 'O', 'R', 'I', 'L', 'G'};

void segment_header_encode(const struct segment_header *header,
                           uint8_t bytes[SEGMENT_HEADER_SIZE]) {
    memset(bytes, 0, SEGMENT_HEADER_SIZE);
    memcpy(bytes, magic, sizeof magic);
    store_le32(bytes + AT_VERSION, FORMAT_VERSION);
    store_le32(bytes + AT_LENGTH, SEGMENT_HEADER_SIZE);
    memcpy(bytes + AT_LOG_ID, header->log_id, LOG_ID_SIZE);
    store_le64(bytes + AT_NUMBER, header->number);
    store_le64(bytes + AT_BASE, header->base);
    memcpy(bytes + AT_ROOT, header->root, SHA256_SIZE);
    memcpy(bytes + AT_KEY, header->key, SIPHASH_KEY_SIZE);
    memcpy(bytes + AT_KEY_AGAIN, header->key, SIPHASH_KEY_SIZE);
    store_le64(bytes + AT_CREATED, header->created_us);
    sha256(bytes, AT_HASH, bytes + AT_HASH);
}

enum status segment_header_decode(const uint8_t bytes[SEGMENT_HEADER_SIZE],
                                  struct segment_header *header) {
    uint8_t hash[SHA256_SIZE];
    sha256(bytes, AT_HASH, hash);
    if (memcmp(bytes, magic, sizeof magic) != 0) return STATUS_CORRUPT;
    if (memcmp(bytes + AT_HASH, hash, SHA256_SIZE) != 0) return STATUS_CORRUPT;
    /* Only after the hash: a flipped bit in the version is damage, not a newer format. */
    if (load_le32(bytes + AT_VERSION) != FORMAT_VERSION) return STATUS_VERSION;
    if (load_le32(bytes + AT_LENGTH) != SEGMENT_HEADER_SIZE) return STATUS_CORRUPT;
    if (memcmp(bytes + AT_KEY, bytes + AT_KEY_AGAIN, SIPHASH_KEY_SIZE) != 0)
        return STATUS_CORRUPT;
    if (!bytes_all_zero(bytes + AT_ZEROS, AT_HASH - AT_ZEROS)) return STATUS_CORRUPT;

    memcpy(header->log_id, bytes + AT_LOG_ID, LOG_ID_SIZE);
    header->number = load_le64(bytes + AT_NUMBER);
    header->base = load_le64(bytes + AT_BASE);
    memcpy(header->root, bytes + AT_ROOT, SHA256_SIZE);
    memcpy(header->key, bytes + AT_KEY, SIPHASH_KEY_SIZE);
    header->created_us = load_le64(bytes + AT_CREATED);
    return STATUS_OK;
}

void segment_name(uint64_t number, char name[SEGMENT_NAME_SIZE]) {
    snprintf(name, SEGMENT_NAME_SIZE, "valori-%08" PRIu64 ".log", number);
}

bool numbered_name_parse(const char *name, const char *ending, uint64_t *number) {
    static const char prefix[] = "valori-";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0) return false;
    const char *digits = name + sizeof prefix - 1;
    size_t count = strspn(digits, "0123456789");
    if (count < NAME_DIGITS_MIN || strcmp(digits + count, ending) != 0) return false;

    *number = 0;
    if (count > NAME_DIGITS_MAX) return true;
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) value = value * 10 + (uint64_t)(digits[i] - '0');
    bool canonical = count == NAME_DIGITS_MIN || digits[0] != '0';
    if (canonical) *number = value;
    return true;
}

bool segment_name_parse(const char *name, uint64_t *number) {
    return numbered_name_parse(name, ".log", number);
}
