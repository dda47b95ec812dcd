/* Messages of the replication link, and their checks. The check of the header stands apart
 * from that of the rest, so that a length is believed only when it is the one that was
 * sent. */
#include "server/link_message.h"

#include <string.h>

#include "base/bytes.h"

enum {
    AT_KIND = 4,
    AT_SEQUENCE = 8,
    AT_ENTRY = 16,
    AT_LIST = 20,
    AT_PAYLOAD = 24,
    AT_HEADER_CHECK = 32,
    AT_BODY_CHECK = 40,
};

static const uint8_t magic[4] = {'V', 'L', 'N', 'K'};

static uint64_t body_check(const uint8_t key[SIPHASH_KEY_SIZE], const uint8_t *header,
                           const struct link_message *message) {
    struct siphash hash;
    siphash_begin(&hash, key);
    siphash_add(&hash, header, AT_BODY_CHECK);
    siphash_add(&hash, message->entry.data, message->entry.size);
    siphash_add(&hash, message->list.data, message->list.size);
    siphash_add(&hash, message->payload.data, message->payload.size);
    return siphash_end(&hash);
}

static void put(uint8_t **at, struct slice part) {
    if (part.size > 0) memcpy(*at, part.data, part.size);
    *at += part.size;
}

enum status link_write(const uint8_t key[SIPHASH_KEY_SIZE],
                       const struct link_message *message, struct buffer *output) {
    size_t size = LINK_HEADER_SIZE + message->entry.size + message->list.size +
                  message->payload.size;
    uint8_t *room;
    enum status status = buffer_reserve(output, size, &room);
    if (status) return status;
    memset(room, 0, LINK_HEADER_SIZE);
    memcpy(room, magic, sizeof magic);
    room[AT_KIND] = message->kind;
    store_le64(room + AT_SEQUENCE, message->sequence);
    store_le32(room + AT_ENTRY, (uint32_t)message->entry.size);
    store_le32(room + AT_LIST, (uint32_t)message->list.size);
    store_le64(room + AT_PAYLOAD, message->payload.size);
    store_le64(room + AT_HEADER_CHECK, siphash(key, room, AT_HEADER_CHECK));
    store_le64(room + AT_BODY_CHECK, body_check(key, room, message));
    uint8_t *at = room + LINK_HEADER_SIZE;
    put(&at, message->entry);
    put(&at, message->list);
    put(&at, message->payload);
    buffer_commit(output, size);
    return STATUS_OK;
}

static struct slice take(const uint8_t **at, size_t size) {
    struct slice part = slice_of(*at, size);
    *at += size;
    return part;
}

enum status link_read(const uint8_t key[SIPHASH_KEY_SIZE], struct slice bytes,
                      struct link_message *message, size_t *size) {
    const uint8_t *header = bytes.data;
    *size = LINK_HEADER_SIZE;
    if (bytes.size < LINK_HEADER_SIZE) return STATUS_AGAIN;
    if (memcmp(header, magic, sizeof magic) != 0 ||
        load_le64(header + AT_HEADER_CHECK) != siphash(key, header, AT_HEADER_CHECK))
        return STATUS_CORRUPT;
    uint64_t entry = load_le32(header + AT_ENTRY), list = load_le32(header + AT_LIST);
    uint64_t payload = load_le64(header + AT_PAYLOAD);
    if (payload > SIZE_MAX / 4) return STATUS_CORRUPT;
    *size = (size_t)(LINK_HEADER_SIZE + entry + list + payload);
    if (bytes.size < *size) return STATUS_AGAIN;
    const uint8_t *at = header + LINK_HEADER_SIZE;
    *message = (struct link_message){.kind = header[AT_KIND],
                                     .sequence = load_le64(header + AT_SEQUENCE)};
    message->entry = take(&at, (size_t)entry);
    message->list = take(&at, (size_t)list);
    message->payload = take(&at, (size_t)payload);
    if (load_le64(header + AT_BODY_CHECK) != body_check(key, header, message))
        return STATUS_CORRUPT;
    if (message->kind == LINK_ROOT && message->entry.size != LINK_ROOT_SIZE)
        return STATUS_CORRUPT;
    return STATUS_OK;
}

void link_root_encode(const uint8_t root[SHA256_SIZE], uint64_t size,
                      uint8_t bytes[LINK_ROOT_SIZE]) {
    memcpy(bytes, root, SHA256_SIZE);
    store_le64(bytes + SHA256_SIZE, size);
}
