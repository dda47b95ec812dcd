/* Entries and batches as bytes (docs/format.md, sections 5 and 6). */
#include "kernel/entry.h"

#include "base/bytes.h"
#include "base/check.h"

#include "kernel/pure.h"

enum {
    ENTRY_VERSION = 1,
    ELEMENT_HEADER_SIZE = 5, /* u8 type, u32 length */
    FORM_INLINE = 0,
    FORM_LISTED = 1,
    SIGNATURE_SIZE = 64,
};

void entry_encode_header(const struct entry *entry, size_t body_size,
                         uint8_t header[ENTRY_HEADER_SIZE]) {
    header[0] = ENTRY_VERSION;
    header[1] = entry->type;
    store_le16(header + 2, entry->flags);
    store_le64(header + 4, entry->sequence);
    store_le64(header + 12, entry->time_us);
    memcpy(header + 20, entry->principal, SHA256_SIZE);
    store_le64(header + 52, entry->principal_sequence);
    store_le64(header + 60, body_size);
}

enum status entry_decode(struct slice bytes, struct entry *entry) {
    if (bytes.size < ENTRY_HEADER_SIZE || bytes.size > ENTRY_SIZE_MAX)
        return STATUS_CORRUPT;
    const uint8_t *p = bytes.data;
    if (p[0] != ENTRY_VERSION) return STATUS_VERSION;
    entry->type = p[1];
    entry->flags = load_le16(p + 2);
    entry->sequence = load_le64(p + 4);
    entry->time_us = load_le64(p + 12);
    memcpy(entry->principal, p + 20, SHA256_SIZE);
    entry->principal_sequence = load_le64(p + 52);
    if (entry->flags & (uint16_t) ~(ENTRY_SIGNED | ENTRY_NO_STATE)) return STATUS_VERSION;
    bool known = entry->type == CHANGE_SEAL || entry->type == CHANGE_BATCH ||
                 change_stands_alone(entry->type);
    bool stateless = (entry->flags & ENTRY_NO_STATE) != 0;
    if (!known && !stateless) return STATUS_VERSION;
    if (known && stateless != (entry->type == CHANGE_SEAL)) return STATUS_CORRUPT;
    uint64_t body_size = load_le64(p + 60);
    size_t tail = (entry->flags & ENTRY_SIGNED) ? SIGNATURE_SIZE : 0;
    if (body_size > ENTRY_SIZE_MAX || bytes.size != ENTRY_HEADER_SIZE + body_size + tail)
        return STATUS_CORRUPT;
    if (tail == 0 && entry->principal_sequence != 0) return STATUS_CORRUPT;
    entry->body = slice_of(p + ENTRY_HEADER_SIZE, (size_t)body_size);
    return STATUS_OK;
}

bool entry_peek_names(struct slice bytes, const uint8_t **object_hash,
                      const uint8_t **element_hash) {
    enum { AT_OBJECT = ENTRY_HEADER_SIZE + 1 + 4, AT_ELEMENT = AT_OBJECT + SHA256_SIZE };
    if (bytes.size < AT_ELEMENT + SHA256_SIZE || bytes.data[1] != CHANGE_VADD)
        return false;
    *object_hash = bytes.data + AT_OBJECT;
    *element_hash = bytes.data + AT_ELEMENT;
    return true;
}

/* --- Writing a batch -------------------------------------------------------------------
 */

void batch_begin(struct batch *batch, const struct allocator *allocator, size_t limit) {
    batch->count = 0;
    batch->have_previous = false;
    buffer_init(&batch->elements, allocator, limit);
    buffer_init(&batch->payload, allocator, limit);
    rfc6962_begin(&batch->range);
}

void batch_free(struct batch *batch) {
    buffer_free(&batch->elements);
    buffer_free(&batch->payload);
}

/* Only changes that name an object can lend their key to the next one. */
static bool names_object(const struct change *change) {
    return !change_is_group(change->type) && change->type != CHANGE_FLUSH;
}

enum status batch_add(struct batch *batch, const struct change *change) {
    uint8_t header[ELEMENT_HEADER_SIZE] = {change->type};
    size_t before = buffer_size(&batch->elements);
    enum status status = buffer_append(&batch->elements, header, sizeof header);
    if (!status) status = change_encode_body(change, &batch->elements);
    if (status) return status;

    uint8_t *element = batch->elements.data + batch->elements.start + before;
    size_t body_size = buffer_size(&batch->elements) - before - ELEMENT_HEADER_SIZE;
    store_le32(element + 1, (uint32_t)body_size);
    uint8_t leaf[SHA256_SIZE];
    rfc6962_leaf(slice_of(element, 1), slice_of(element + ELEMENT_HEADER_SIZE, body_size),
                 leaf);
    rfc6962_append(&batch->range, leaf);
    batch->count++;

    if (!names_object(change))
        return change_encode_payload(change, false, &batch->payload);
    bool same = batch->have_previous &&
                memcmp(batch->previous_object, change->object_hash, SHA256_SIZE) == 0;
    memcpy(batch->previous_object, change->object_hash, SHA256_SIZE);
    batch->have_previous = true;
    return change_encode_payload(change, !same, &batch->payload);
}

bool batch_body(const struct batch *batch, uint8_t *head, size_t *head_size) {
    bool listed = 5 + buffer_size(&batch->elements) > BATCH_INLINE_MAX;
    head[0] = listed ? FORM_LISTED : FORM_INLINE;
    store_le32(head + 1, batch->count);
    if (listed) rfc6962_root(&batch->range, head + 5);
    *head_size = listed ? 5 + SHA256_SIZE : 5;
    return listed;
}

/* --- Reading one -----------------------------------------------------------------------
 */

/* The next `u8 type | u32 length | body` off the front of *elements. */
static bool take_element(struct slice *elements, uint8_t *type, struct slice *body) {
    if (elements->size < ELEMENT_HEADER_SIZE) return false;
    *type = elements->data[0];
    size_t size = load_le32(elements->data + 1);
    if (size > elements->size - ELEMENT_HEADER_SIZE) return false;
    *body = slice_of(elements->data + ELEMENT_HEADER_SIZE, size);
    elements->data += ELEMENT_HEADER_SIZE + size;
    elements->size -= ELEMENT_HEADER_SIZE + size;
    return true;
}

static bool list_has_root(struct slice list, const uint8_t root[SHA256_SIZE]) {
    struct rfc6962_range range;
    rfc6962_begin(&range);
    while (list.size > 0) {
        uint8_t type, leaf[SHA256_SIZE];
        struct slice body;
        if (!take_element(&list, &type, &body)) return false;
        rfc6962_leaf(slice_of(&type, 1), body, leaf);
        rfc6962_append(&range, leaf);
    }
    uint8_t actual[SHA256_SIZE];
    rfc6962_root(&range, actual);
    return memcmp(actual, root, SHA256_SIZE) == 0;
}

enum status batch_open(struct batch_reader *reader, struct slice body, struct slice list,
                       struct slice payload, bool verify) {
    if (body.size < 5) return STATUS_CORRUPT;
    *reader = (struct batch_reader){
        .payload = payload, .count = load_le32(body.data + 1), .verify = verify};
    if (reader->count == 0) return STATUS_CORRUPT;
    if (body.data[0] == FORM_INLINE) {
        if (list.size != 0 || body.size > BATCH_INLINE_MAX) return STATUS_CORRUPT;
        reader->elements = slice_of(body.data + 5, body.size - 5);
        return STATUS_OK;
    }
    if (body.data[0] != FORM_LISTED) return STATUS_VERSION;
    if (body.size != 5 + SHA256_SIZE || list.size + 5 <= BATCH_INLINE_MAX)
        return STATUS_CORRUPT;
#ifndef BUG_22
    if (verify && !list_has_root(list, body.data + 5)) return STATUS_CORRUPT;
#endif
    reader->elements = list;
    return STATUS_OK;
}

enum status batch_next(struct batch_reader *reader, struct change *change) {
    if (reader->next == reader->count) {
        bool whole = reader->elements.size == 0 && reader->payload.size == 0;
        return whole ? STATUS_END : STATUS_CORRUPT;
    }
    uint8_t type;
    struct slice body;
    if (!take_element(&reader->elements, &type, &body)) return STATUS_CORRUPT;
    enum status status = change_decode(type, body, &reader->payload,
                                       reader->have_previous ? &reader->previous : NULL,
                                       reader->verify, change);
    if (status) return status;
    reader->next++;
    if (names_object(change)) {
        reader->previous = *change;
        reader->have_previous = true;
    }
    return STATUS_OK;
}

/* --- Against its payload
 * -----------------------------------------------------------------
 */

static bool batch_holds(struct slice body, struct slice list, struct slice payload) {
    struct batch_reader reader;
    struct change change;
    enum status status = batch_open(&reader, body, list, payload, true);
    while (!status) status = batch_next(&reader, &change);
    return status == STATUS_END;
}

bool entry_holds(const struct entry *entry, struct slice list, struct slice payload) {
    if (entry->type == CHANGE_BATCH) return batch_holds(entry->body, list, payload);
    if (entry->type == CHANGE_SEAL || (entry->flags & ENTRY_NO_STATE)) return false;
    struct change change;
    enum status status =
        change_decode(entry->type, entry->body, &payload, NULL, true, &change);
    return status == STATUS_OK && payload.size == 0 && list.size == 0;
}
