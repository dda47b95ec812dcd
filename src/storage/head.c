/* Head slot bytes. */
#include "storage/head.h"

#include <string.h>

#include "base/bytes.h"

#define FORMAT_VERSION 1

enum {
    AT_VERSION = 8,
    AT_LOG_ID = 16,
    AT_GENERATION = 32,
    AT_DURABLE = 40,
    AT_ROOT = 48,
    AT_SEGMENT = 80,
    AT_ZEROS = 88,
    AT_HASH = 480,
};

static const char magic[8] = {'V', 'A', 'L', 'O', 'R', 'I', 'H', 'D'};

void head_slot_encode(const struct head_slot *slot, uint8_t bytes[HEAD_SLOT_SIZE]) {
    memset(bytes, 0, HEAD_SLOT_SIZE);
    memcpy(bytes, magic, sizeof magic);
    store_le32(bytes + AT_VERSION, FORMAT_VERSION);
    memcpy(bytes + AT_LOG_ID, slot->log_id, LOG_ID_SIZE);
    store_le64(bytes + AT_GENERATION, slot->generation);
    store_le64(bytes + AT_DURABLE, slot->durable);
    memcpy(bytes + AT_ROOT, slot->root, SHA256_SIZE);
    store_le64(bytes + AT_SEGMENT, slot->segment);
    sha256(bytes, AT_HASH, bytes + AT_HASH);
}

enum status head_slot_decode(const uint8_t bytes[HEAD_SLOT_SIZE],
                             struct head_slot *slot) {
    uint8_t hash[SHA256_SIZE];
    sha256(bytes, AT_HASH, hash);
    if (memcmp(bytes, magic, sizeof magic) != 0) return STATUS_CORRUPT;
    if (memcmp(bytes + AT_HASH, hash, SHA256_SIZE) != 0) return STATUS_CORRUPT;
    if (load_le32(bytes + AT_VERSION) != FORMAT_VERSION) return STATUS_VERSION;
    if (!bytes_all_zero(bytes + AT_VERSION + 4, 4)) return STATUS_CORRUPT;
    if (!bytes_all_zero(bytes + AT_ZEROS, AT_HASH - AT_ZEROS)) return STATUS_CORRUPT;
    memcpy(slot->log_id, bytes + AT_LOG_ID, LOG_ID_SIZE);
    slot->generation = load_le64(bytes + AT_GENERATION);
    slot->durable = load_le64(bytes + AT_DURABLE);
    memcpy(slot->root, bytes + AT_ROOT, SHA256_SIZE);
    slot->segment = load_le64(bytes + AT_SEGMENT);
    return STATUS_OK;
}
