/* Frame bytes and their three keyed checks.
 *
 * The header check comes first, so that lengths are believed only when they are known to
 * be ours. It lies inside what the body check covers; the body check covers the payload's
 * check; so a frame cannot be put together from the parts of two. */
#include "storage/frame.h"

#include <string.h>

#include "base/bytes.h"
#include "base/check.h"

enum {
    AT_KIND = 4,
    AT_TYPE = 5,
    AT_FLAGS = 6,
    AT_SEQUENCE = 8,
    AT_DURABLE = 16,
    AT_ENTRY_SIZE = 24,
    AT_LIST_SIZE = 28,
    AT_PAYLOAD_SIZE = 32,
    AT_PAYLOAD_CHECK = 40,
    AT_HEADER_CHECK = 48,
    AT_BODY_CHECK = 56,
};

static const uint8_t magic[4] = {'V', 'F', 'R', 'M'};

static uint64_t padded(uint64_t size) {
    return (size + FRAME_ALIGNMENT - 1) / FRAME_ALIGNMENT * FRAME_ALIGNMENT;
}

uint64_t frame_body_size(const struct frame_header *header) {
    return padded((uint64_t)FRAME_HEADER_SIZE + header->entry_size + header->list_size);
}

bool frame_size(const struct frame_header *header, uint64_t *size) {
    if (header->payload_size > (uint64_t)INT64_MAX / 2) return false;
    *size = frame_body_size(header) + padded(header->payload_size);
    return true;
}

bool frame_magic(const uint8_t *bytes) { return memcmp(bytes, magic, sizeof magic) == 0; }

enum status frame_header_decode(const uint8_t key[SIPHASH_KEY_SIZE], const uint8_t *bytes,
                                struct frame_header *header) {
    if (!frame_magic(bytes)) return STATUS_CORRUPT;
    if (load_le64(bytes + AT_HEADER_CHECK) != siphash(key, bytes, AT_HEADER_CHECK))
        return STATUS_CORRUPT;
    *header = (struct frame_header){
        .kind = bytes[AT_KIND],
        .type = bytes[AT_TYPE],
        .flags = load_le16(bytes + AT_FLAGS),
        .sequence = load_le64(bytes + AT_SEQUENCE),
        .durable = load_le64(bytes + AT_DURABLE),
        .entry_size = load_le32(bytes + AT_ENTRY_SIZE),
        .list_size = load_le32(bytes + AT_LIST_SIZE),
        .payload_size = load_le64(bytes + AT_PAYLOAD_SIZE),
    };
    bool known = header->kind == FRAME_ENTRY || header->kind == FRAME_MARK;
    if (!known || (header->flags & ~FRAME_ERASED) != 0) return STATUS_VERSION;
    if (header->durable > header->sequence) return STATUS_CORRUPT;
    if (header->kind == FRAME_MARK) {
        bool bare = header->type == 0 && header->flags == 0 && header->entry_size == 0 &&
                    header->list_size == 0 && header->payload_size == 0;
        if (!bare) return STATUS_CORRUPT;
    }
    return header->entry_size <= FRAME_ENTRY_MAX ? STATUS_OK : STATUS_CORRUPT;
}

/* The body check leaves out its own eight bytes, which lie between the header and the
 * entry. */
static uint64_t body_check(const uint8_t key[SIPHASH_KEY_SIZE], const uint8_t *bytes,
                           size_t body_size) {
    struct siphash hash;
    siphash_begin(&hash, key);
    siphash_add(&hash, bytes, AT_BODY_CHECK);
    siphash_add(&hash, bytes + FRAME_HEADER_SIZE, body_size - FRAME_HEADER_SIZE);
    return siphash_end(&hash);
}

bool frame_body_valid(const uint8_t key[SIPHASH_KEY_SIZE],
                      const struct frame_header *header, const uint8_t *bytes) {
    size_t size = (size_t)frame_body_size(header);
    if (load_le64(bytes + AT_BODY_CHECK) != body_check(key, bytes, size)) return false;
    size_t used = (size_t)FRAME_HEADER_SIZE + header->entry_size + header->list_size;
    return bytes_all_zero(bytes + used, size - used);
}

bool frame_payload_valid(const uint8_t key[SIPHASH_KEY_SIZE],
                         const struct frame_header *header, const uint8_t *bytes) {
    const uint8_t *payload = bytes + frame_body_size(header);
    size_t size = (size_t)padded(header->payload_size);
    if (load_le64(bytes + AT_PAYLOAD_CHECK) != siphash(key, payload, size)) return false;
    return bytes_all_zero(payload + header->payload_size,
                          size - (size_t)header->payload_size);
}

struct slice frame_entry(const struct frame_header *header, const uint8_t *bytes) {
    return slice_of(bytes + FRAME_HEADER_SIZE, header->entry_size);
}

struct slice frame_list(const struct frame_header *header, const uint8_t *bytes) {
    return slice_of(bytes + FRAME_HEADER_SIZE + header->entry_size, header->list_size);
}

struct slice frame_payload(const struct frame_header *header, const uint8_t *bytes) {
    return slice_of(bytes + frame_body_size(header), (size_t)header->payload_size);
}

static uint8_t *put(uint8_t *at, struct slice part) {
    if (part.size != 0) memcpy(at, part.data, part.size);
    return at + part.size;
}

static uint8_t *put_zeros(uint8_t *at, const uint8_t *until) {
    memset(at, 0, (size_t)(until - at));
    return at + (until - at);
}

/* Everything but the body's check. */
static void encode_header(const uint8_t key[SIPHASH_KEY_SIZE],
                          const struct frame_header *header, uint64_t payload_check,
                          uint8_t *bytes) {
    memcpy(bytes, magic, sizeof magic);
    bytes[AT_KIND] = header->kind;
    bytes[AT_TYPE] = header->type;
    store_le16(bytes + AT_FLAGS, header->flags);
    store_le64(bytes + AT_SEQUENCE, header->sequence);
    store_le64(bytes + AT_DURABLE, header->durable);
    store_le32(bytes + AT_ENTRY_SIZE, header->entry_size);
    store_le32(bytes + AT_LIST_SIZE, header->list_size);
    store_le64(bytes + AT_PAYLOAD_SIZE, header->payload_size);
    store_le64(bytes + AT_PAYLOAD_CHECK, payload_check);
    store_le64(bytes + AT_HEADER_CHECK, siphash(key, bytes, AT_HEADER_CHECK));
}

static void check_sizes(const struct frame_header *header,
                        const struct log_entry *entry) {
    check(entry->head.size + entry->body.size == header->entry_size);
    check(entry->list.size == header->list_size);
    check(entry->payload.size == header->payload_size);
}

void frame_encode(const uint8_t key[SIPHASH_KEY_SIZE], const struct frame_header *header,
                  const struct log_entry *entry, uint8_t *bytes) {
    static const struct log_entry nothing;
    if (!entry) entry = &nothing;
    uint64_t size;
    check(frame_size(header, &size));
    check_sizes(header, entry);
    size_t body_size = (size_t)frame_body_size(header);

    uint8_t *at = bytes + FRAME_HEADER_SIZE;
    at = put(at, entry->head);
    at = put(at, entry->body);
    at = put(at, entry->list);
    at = put_zeros(at, bytes + body_size);
    at = put(at, entry->payload);
    put_zeros(at, bytes + size);

    uint64_t payload_check = siphash(key, bytes + body_size, (size_t)size - body_size);
    encode_header(key, header, payload_check, bytes);
    store_le64(bytes + AT_BODY_CHECK, body_check(key, bytes, body_size));
}

/* --- In steps ---------------------------------------------------------------------- */

void frame_long_begin(struct frame_long *frame, const uint8_t key[SIPHASH_KEY_SIZE],
                      const struct frame_header *header, const struct log_entry *entry) {
    check_sizes(header, entry);
    *frame = (struct frame_long){.header = *header, .entry = *entry};
    memcpy(frame->key, key, SIPHASH_KEY_SIZE);
    siphash_begin(&frame->check, key);
}

static struct slice zeros_after(uint64_t size) {
    static const uint8_t zeros[FRAME_ALIGNMENT];
    return slice_of(zeros, (size_t)(padded(size) - size));
}

static void check_slice(struct siphash *check, struct slice part) {
    siphash_add(check, part.data, part.size);
}

/* Take the next bytes of `part` into the check; true when it is all there. */
static bool check_some(struct frame_long *frame, struct slice part, size_t budget) {
    size_t left = part.size - frame->checked, size = left < budget ? left : budget;
    if (size > 0) siphash_add(&frame->check, part.data + frame->checked, size);
    frame->checked += size;
    return size == left;
}

bool frame_long_step(struct frame_long *frame, size_t budget) {
    const struct log_entry *entry = &frame->entry;
    const struct frame_header *header = &frame->header;
    if (!frame->payload_checked) {
        if (!check_some(frame, entry->payload, budget)) return false;
        check_slice(&frame->check, zeros_after(entry->payload.size));
        encode_header(frame->key, header, siphash_end(&frame->check), frame->bytes);
        siphash_begin(&frame->check, frame->key);
        siphash_add(&frame->check, frame->bytes, AT_BODY_CHECK);
        check_slice(&frame->check, entry->head);
        check_slice(&frame->check, entry->body);
        frame->checked = 0;
        frame->payload_checked = true;
        return false;
    }
    if (!check_some(frame, entry->list, budget)) return false;
    check_slice(&frame->check,
                zeros_after((uint64_t)header->entry_size + header->list_size));
    store_le64(frame->bytes + AT_BODY_CHECK, siphash_end(&frame->check));
    return true;
}

void frame_long_parts(const struct frame_long *frame,
                      struct slice parts[FRAME_LONG_PARTS]) {
    const struct log_entry *entry = &frame->entry;
    uint64_t body = (uint64_t)frame->header.entry_size + frame->header.list_size;
    parts[0] = slice_of(frame->bytes, FRAME_HEADER_SIZE);
    parts[1] = entry->head;
    parts[2] = entry->body;
    parts[3] = entry->list;
    parts[4] = zeros_after(body);
    parts[5] = entry->payload;
    parts[6] = zeros_after(entry->payload.size);
}
