/* Head slots: what was durable, and its root, in a file beside the segments
 * (docs/format.md, section 4). The two slots are written in turn, so that one always
 * stands. */
#ifndef STORAGE_HEAD_H
#define STORAGE_HEAD_H

#include "base/sha256.h"
#include "base/status.h"
#include "storage/log.h"

#define HEAD_NAME      "valori.head"
#define HEAD_SLOT_SIZE 512
#define HEAD_SLOTS     2

struct head_slot {
    uint8_t log_id[LOG_ID_SIZE];
    uint64_t generation;
    uint64_t durable;
    uint8_t root[SHA256_SIZE]; /* MTH of the first `durable` entries */
    uint64_t segment;          /* number of the newest one */
};

void head_slot_encode(const struct head_slot *slot, uint8_t bytes[HEAD_SLOT_SIZE]);

/* STATUS_CORRUPT: no slot, to be ignored. STATUS_VERSION: one of a newer format. */
enum status head_slot_decode(const uint8_t bytes[HEAD_SLOT_SIZE], struct head_slot *slot);

#endif
