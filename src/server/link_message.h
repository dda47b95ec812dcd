/* What goes from a primary to its replica once PSYNC was answered (docs/replication.md):
 * entries as they are stored, and the log root after some of them. Pure. */
#ifndef SERVER_LINK_MESSAGE_H
#define SERVER_LINK_MESSAGE_H

#include "base/buffer.h"
#include "base/sha256.h"
#include "base/siphash.h"

#define LINK_VERSION     1
#define LINK_HEADER_SIZE 48
#define LINK_ROOT_SIZE   (SHA256_SIZE + 8)

enum link_kind {
    LINK_ENTRY = 1,
    LINK_ROOT = 2, /* `entry` is the log root of the first `sequence` entries, and how many
                      the sender has */
};

struct link_message {
    uint8_t kind;
    uint64_t sequence;
    struct slice entry, list, payload; /* borrowed */
};

/* Append one message. STATUS_MEMORY, STATUS_TOO_LARGE: nothing was appended. */
enum status link_write(const uint8_t key[SIPHASH_KEY_SIZE],
                       const struct link_message *message, struct buffer *output);

/* Read the message that `bytes` begin with; `message` points into them. STATUS_AGAIN: there
 * is more to come, *size bytes in all as far as is known. STATUS_CORRUPT: these are not
 * the bytes that were sent. */
enum status link_read(const uint8_t key[SIPHASH_KEY_SIZE], struct slice bytes,
                      struct link_message *message, size_t *size);

/* The entry of a LINK_ROOT. */
void link_root_encode(const uint8_t root[SHA256_SIZE], uint64_t size,
                      uint8_t bytes[LINK_ROOT_SIZE]);

#endif
