/* Entries and batches as bytes: round trips, truncation, flipped bits, and both forms of a batch
 * around the limit between them. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "base/bytes.h"
#include "kernel/entry.h"

#include "fixture.h"

static size_t write_entry(const struct entry *entry, uint8_t *bytes) {
    entry_encode_header(entry, entry->body.size, bytes);
    memcpy(bytes + ENTRY_HEADER_SIZE, entry->body.data, entry->body.size);
    return ENTRY_HEADER_SIZE + entry->body.size;
}

static struct entry an_entry(void) {
    struct entry entry = {.type = CHANGE_DEL,
                          .sequence = 0x0102030405060708,
                          .time_us = 0x1112131415161718,
                          .body = slice_text("the body of an entry")};
    hash_principal(slice_text("default"), entry.principal);
    return entry;
}

static void entries_round_trip(void) {
    struct entry entry = an_entry(), decoded;
    uint8_t bytes[256];
    size_t size = write_entry(&entry, bytes);
    static const uint8_t head[20] = {1, 8, 0, 0,
                                     8, 7, 6, 5, 4, 3, 2, 1,
                                     0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11};
    EXPECT_BYTES(bytes, head, sizeof head);
    EXPECT_BYTES(bytes + 20, entry.principal, SHA256_SIZE);
    EXPECT_EQUAL(entry_decode(slice_of(bytes, size), &decoded), STATUS_OK);
    EXPECT(decoded.type == entry.type && decoded.flags == 0);
    EXPECT(decoded.sequence == entry.sequence && decoded.time_us == entry.time_us);
    EXPECT_BYTES(decoded.principal, entry.principal, SHA256_SIZE);
    EXPECT(slice_equal(decoded.body, entry.body));
    for (size_t cut = 0; cut < size; cut++)
        EXPECT_EQUAL(entry_decode(slice_of(bytes, cut), &decoded), STATUS_CORRUPT);
    bytes[size] = 0;
    EXPECT_EQUAL(entry_decode(slice_of(bytes, size + 1), &decoded), STATUS_CORRUPT);
}

static enum status decode_as(uint8_t version, uint8_t type, uint16_t flags, uint64_t pseq,
                             size_t tail) {
    struct entry entry = an_entry(), decoded;
    uint8_t bytes[256] = {0};
    entry.type = type;
    entry.flags = flags;
    entry.principal_sequence = pseq;
    size_t size = write_entry(&entry, bytes);
    bytes[0] = version;
    return entry_decode(slice_of(bytes, size + tail), &decoded);
}

static void versions_types_and_flags(void) {
    EXPECT_EQUAL(decode_as(1, CHANGE_DEL, 0, 0, 0), STATUS_OK);
    EXPECT_EQUAL(decode_as(0, CHANGE_DEL, 0, 0, 0), STATUS_VERSION);
    EXPECT_EQUAL(decode_as(2, CHANGE_DEL, 0, 0, 0), STATUS_VERSION);
    EXPECT_EQUAL(decode_as(1, CHANGE_DEL, ENTRY_SIGNED, 9, 64), STATUS_OK);
    EXPECT_EQUAL(decode_as(1, CHANGE_DEL, ENTRY_SIGNED, 0, 0), STATUS_CORRUPT);
    EXPECT_EQUAL(decode_as(1, CHANGE_DEL, 0, 0, 64), STATUS_CORRUPT);
    EXPECT_EQUAL(decode_as(1, CHANGE_DEL, 0, 1, 0), STATUS_CORRUPT); /* Unsigned: no sequence. */
    for (int bit = 2; bit < 16; bit++)
        EXPECT_EQUAL(decode_as(1, CHANGE_DEL, (uint16_t)(1 << bit), 0, 0), STATUS_VERSION);
    /* Which types change no state, and what of unknown ones. */
    for (uint8_t type = CHANGE_SEAL; type <= CHANGE_FLUSH; type++) {
        bool seal = type == CHANGE_SEAL;
        EXPECT_EQUAL(decode_as(1, type, 0, 0, 0), seal ? STATUS_CORRUPT : STATUS_OK);
        EXPECT_EQUAL(decode_as(1, type, ENTRY_NO_STATE, 0, 0),
                     seal ? STATUS_OK : STATUS_CORRUPT);
    }
    static const uint8_t unknown[] = {0, CHANGE_GROUP, 19, 200, 255};
    for (size_t i = 0; i < sizeof unknown; i++) {
        EXPECT_EQUAL(decode_as(1, unknown[i], 0, 0, 0), STATUS_VERSION);
        EXPECT_EQUAL(decode_as(1, unknown[i], ENTRY_NO_STATE, 0, 0), STATUS_OK);
    }
}

static void longest_entry(void) {
    static uint8_t bytes[ENTRY_SIZE_MAX + 1];
    struct entry entry = an_entry(), decoded;
    for (size_t over = 0; over < 2; over++) {
        size_t body = ENTRY_SIZE_MAX - ENTRY_HEADER_SIZE + over;
        entry_encode_header(&entry, body, bytes);
        EXPECT_EQUAL(entry_decode(slice_of(bytes, ENTRY_HEADER_SIZE + body), &decoded),
                     over ? STATUS_CORRUPT : STATUS_OK);
    }
    entry_encode_header(&entry, SIZE_MAX, bytes); /* Sums that wrap. */
    EXPECT_EQUAL(entry_decode(slice_of(bytes, 100), &decoded), STATUS_CORRUPT);
}

/* A flipped bit of an entry is refused or gives other fields: what the tree hashes is all that
 * there is. */
static void flipped_bits_of_an_entry(void) {
    struct entry entry = an_entry(), a, b;
    uint8_t bytes[256];
    size_t size = write_entry(&entry, bytes);
    EXPECT_EQUAL(entry_decode(slice_of(bytes, size), &a), STATUS_OK);
    uint8_t body[64];
    memcpy(body, a.body.data, a.body.size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (entry_decode(slice_of(bytes, size), &b) == STATUS_OK)
            EXPECT(b.type != a.type || b.sequence != a.sequence || b.time_us != a.time_us ||
                   memcmp(b.principal, a.principal, SHA256_SIZE) != 0 ||
                   !slice_equal(b.body, slice_of(body, a.body.size)));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* --- Batches ------------------------------------------------------------------------------ */

/* Body and list as the log would hold them. */
struct written {
    struct batch batch;
    uint8_t *body;
    size_t body_size;
    struct slice list;
};

static void write_batch(struct written *written) {
    uint8_t head[5 + SHA256_SIZE];
    size_t head_size;
    bool listed = batch_body(&written->batch, head, &head_size);
    struct slice elements = buffer_slice(&written->batch.elements);
    size_t inside = listed ? 0 : elements.size;
    written->body = malloc(head_size + inside);
    memcpy(written->body, head, head_size);
    if (inside) memcpy(written->body + head_size, elements.data, inside);
    written->body_size = head_size + inside;
    written->list = listed ? elements : slice_of(NULL, 0);
}
static void written_free(struct written *written) {
    batch_free(&written->batch);
    free(written->body);
}

static struct slice body_of(const struct written *written) {
    return slice_of(written->body, written->body_size);
}

/* How many changes come out before the end; -1 - status where reading fails. */
static int read_all(struct slice body, struct slice list, struct slice payload) {
    struct batch_reader reader;
    struct change change;
    struct entry entry = {.type = CHANGE_BATCH, .body = body};
    bool holds = entry_holds(&entry, list, payload);
    enum status status = batch_open(&reader, body, list, payload, true);
    if (status) EXPECT(!holds);
    if (status) return -1 - (int)status;
    int count = 0;
    while (!(status = batch_next(&reader, &change))) count++;
    EXPECT_EQUAL(holds, status == STATUS_END);
    return status == STATUS_END ? count : -1 - (int)status;
}

static void add(struct batch *batch, struct change *change) {
    if (change->type != CHANGE_GROUP) change_commit(change);
    EXPECT_EQUAL(batch_add(batch, change), STATUS_OK);
}

static void mixed_batch(struct written *written) {
    struct made made;
    struct batch *batch = &written->batch;
    batch_begin(batch, &libc_allocator, 1 << 20);
    add(batch, make_vadd(&made, "k", "a", 1));
    add(batch, make_vadd(&made, "k", "b", 2)); /* The key is left out from here, */
    add(batch, make(&made, CHANGE_VREM, "k", "a"));
    struct change group = {.type = CHANGE_GROUP, .group_count = 2};
    add(batch, &group);
    add(batch, make_vadd(&made, "k", "c", 3)); /* also after a GROUP */
    add(batch, make_vadd(&made, "k", "d", 4));
    struct change flush = {.type = CHANGE_FLUSH, .db = FLUSH_ALL};
    add(batch, &flush);
    add(batch, make_settag(&made, "k", "c", 9)); /* and after a FLUSH, */
    add(batch, make_setattr(&made, "other", "c", "{}"));
    add(batch, make(&made, CHANGE_DEL, "k", NULL)); /* but not after another one. */
    write_batch(written);
}

static void a_mixed_batch_round_trips(void) {
    static const struct {
        uint8_t type;
        const char *key, *element;
    } wanted[] = {{CHANGE_VADD, "k", "a"},     {CHANGE_VADD, "k", "b"},
                  {CHANGE_VREM, "k", "a"},     {CHANGE_GROUP, "", ""},
                  {CHANGE_VADD, "k", "c"},     {CHANGE_VADD, "k", "d"},
                  {CHANGE_FLUSH, "", ""},      {CHANGE_SETTAG, "k", "c"},
                  {CHANGE_SETATTR, "other", "c"}, {CHANGE_DEL, "k", ""}};
    enum { COUNT = sizeof wanted / sizeof wanted[0] };
    struct written written;
    mixed_batch(&written);
    struct batch_reader reader;
    struct change change;
    EXPECT_EQUAL(batch_open(&reader, body_of(&written), written.list,
                            buffer_slice(&written.batch.payload), true),
                 STATUS_OK);
    EXPECT_EQUAL(reader.count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        EXPECT_EQUAL(batch_next(&reader, &change), STATUS_OK);
        EXPECT_EQUAL(change.type, wanted[i].type);
        EXPECT(slice_equal(change.key, slice_text(wanted[i].key)));
        EXPECT(slice_equal(change.element, slice_text(wanted[i].element)));
    }
    EXPECT_EQUAL(batch_next(&reader, &change), STATUS_END);
    written_free(&written);
}

static void truncated_and_flipped_batches(void) {
    struct written written;
    mixed_batch(&written);
    struct slice body = body_of(&written), payload = buffer_slice(&written.batch.payload);
    int whole = read_all(body, written.list, payload);
    EXPECT_EQUAL(whole, 10);
    for (size_t size = 0; size < body.size; size++)
        EXPECT(read_all(slice_of(body.data, size), written.list, payload) < 0);
    for (size_t size = 0; size < payload.size; size++)
        EXPECT(read_all(body, written.list, slice_of(payload.data, size)) < 0);
    EXPECT(read_all(body, slice_of("", 1), payload) < 0); /* Form 0 has no list. */
    for (size_t bit = 0; bit < 8 * payload.size; bit++) {
        uint8_t *byte = written.batch.payload.data + written.batch.payload.start + bit / 8;
        *byte ^= (uint8_t)(1 << bit % 8);
        EXPECT(read_all(body, written.list, payload) < 0);
        *byte ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * body.size; bit++) { /* Some may pass; none may crash. */
        written.body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        read_all(body, written.list, payload);
        written.body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    written_free(&written);
}

/* FLUSHes are the smallest elements: 10 bytes each. */
static void fill_with_flushes(struct batch *batch, size_t elements_size) {
    struct change flush = {.type = CHANGE_FLUSH, .db = 3};
    while (buffer_size(&batch->elements) + 10 <= elements_size) add(batch, &flush);
}

static void forms_meet_at_the_limit(void) {
    /* 5 + n * 10 bytes in form 0, with other elements to hit every size near 65,403. */
    struct made made;
    for (size_t settags = 0; settags < 20; settags++) {
        struct written written;
        batch_begin(&written.batch, &libc_allocator, 1 << 20);
        for (size_t i = 0; i < settags; i++) /* 82 and 74 bytes: sums of every residue but odd. */
            add(&written.batch, i % 2 ? make_settag(&made, "k", "e", i)
                                      : make(&made, CHANGE_VREM, "k", "e"));
        fill_with_flushes(&written.batch, BATCH_INLINE_MAX - 5 + (settags > 9 ? 10 : 0));
        write_batch(&written);
        size_t inside = 5 + buffer_size(&written.batch.elements);
        bool listed = written.list.size > 0;
        EXPECT_EQUAL(listed, inside > BATCH_INLINE_MAX);
        EXPECT(inside > BATCH_INLINE_MAX - 11 && inside < BATCH_INLINE_MAX + 11);
        EXPECT_EQUAL(written.body[0], listed);
        EXPECT_EQUAL(written.body_size, listed ? 37 : inside);
        EXPECT_EQUAL(read_all(body_of(&written), written.list,
                              buffer_slice(&written.batch.payload)),
                     written.batch.count);
        written_free(&written);
    }
}

/* The same elements in the form that is not theirs are refused. */
static void each_size_has_one_form(void) {
    struct written written;
    static uint8_t other[70000];
    for (int listed = 0; listed < 2; listed++) {
        batch_begin(&written.batch, &libc_allocator, 1 << 20);
        fill_with_flushes(&written.batch, listed ? BATCH_INLINE_MAX + 5 : BATCH_INLINE_MAX - 5);
        write_batch(&written);
        struct slice elements = buffer_slice(&written.batch.elements);
        EXPECT_EQUAL(written.body[0], listed);
        other[0] = !listed;
        store_le32(other + 1, written.batch.count);
        if (listed) {
            memcpy(other + 5, elements.data, elements.size);
            EXPECT(read_all(slice_of(other, 5 + elements.size), slice_of(NULL, 0),
                            slice_of(NULL, 0)) < 0);
        } else {
            rfc6962_root(&written.batch.range, other + 5);
            EXPECT(read_all(slice_of(other, 37), elements, slice_of(NULL, 0)) < 0);
        }
        written_free(&written);
    }
}

static void a_list_is_what_its_root_says(void) {
    struct written written;
    batch_begin(&written.batch, &libc_allocator, 1 << 20);
    fill_with_flushes(&written.batch, BATCH_INLINE_MAX + 100);
    write_batch(&written);
    uint8_t *elements = written.batch.elements.data + written.batch.elements.start;
    EXPECT_EQUAL(read_all(body_of(&written), written.list, slice_of(NULL, 0)),
                 written.batch.count);
    /* Another database in one FLUSH: well-formed, and not what was committed to. */
    elements[10 * 1000 + 6] = 4;
    EXPECT_EQUAL(read_all(body_of(&written), written.list, slice_of(NULL, 0)),
                 -1 - STATUS_CORRUPT);
    elements[10 * 1000 + 6] = 3;
    for (size_t bit = 0; bit < 8 * written.body_size; bit += 3) {
        written.body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT(read_all(body_of(&written), written.list, slice_of(NULL, 0)) < 0);
        written.body[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < written.list.size; size += 997)
        EXPECT(read_all(body_of(&written), slice_of(elements, size), slice_of(NULL, 0)) < 0);
    written_free(&written);
}

static void empty_and_odd_batches_are_refused(void) {
    EXPECT(read_all(slice_of("\0\0\0\0\0", 5), slice_of(NULL, 0), slice_of(NULL, 0)) < 0);
    EXPECT_EQUAL(read_all(slice_of("\2\1\0\0\0", 5), slice_of(NULL, 0), slice_of(NULL, 0)),
                 -1 - STATUS_VERSION);
    /* An element of type 19 is newer; a BATCH or SEAL is none. */
    EXPECT_EQUAL(read_all(slice_of("\0\1\0\0\0\23\0\0\0\0", 10), slice_of(NULL, 0),
                          slice_of(NULL, 0)),
                 -1 - STATUS_VERSION);
    EXPECT_EQUAL(read_all(slice_of("\0\1\0\0\0\2\0\0\0\0", 10), slice_of(NULL, 0),
                          slice_of(NULL, 0)),
                 -1 - STATUS_CORRUPT);
    /* An announced length far past the end. */
    EXPECT_EQUAL(read_all(slice_of("\0\1\0\0\0\11\377\377\377\377", 10), slice_of(NULL, 0),
                          slice_of(NULL, 0)),
                 -1 - STATUS_CORRUPT);
}

static void a_full_batch_says_so(void) {
    struct batch batch;
    struct made made;
    batch_begin(&batch, &libc_allocator, 300);
    add(&batch, make_vadd(&made, "k", "a", 1));
    enum status status = STATUS_OK;
    for (int i = 0; i < 10 && !status; i++) {
        change_commit(make_vadd(&made, "k", "b", 1));
        status = batch_add(&batch, &made.change);
    }
    EXPECT_EQUAL(status, STATUS_TOO_LARGE);
    batch_free(&batch);
}

static void a_payload_holds_or_not(void) {
    struct made made;
    struct change *change = make_vadd(&made, "k", "a", 1);
    struct buffer body, payload;
    buffer_init(&body, &libc_allocator, 1 << 20);
    buffer_init(&payload, &libc_allocator, 1 << 20);
    change_commit(change);
    EXPECT_EQUAL(change_encode_body(change, &body), STATUS_OK);
    EXPECT_EQUAL(change_encode_payload(change, true, &payload), STATUS_OK);
    struct entry entry = {.type = CHANGE_VADD, .body = buffer_slice(&body)};
    struct slice parts = buffer_slice(&payload), nothing = slice_of(NULL, 0);
    EXPECT(entry_holds(&entry, nothing, parts));
    EXPECT(!entry_holds(&entry, parts, parts)); /* Only a batch has a list. */
    EXPECT(!entry_holds(&entry, nothing, nothing));
    for (size_t i = 0; i < parts.size; i++) {
        payload.data[payload.start + i] ^= 1;
        EXPECT(!entry_holds(&entry, nothing, parts));
        payload.data[payload.start + i] ^= 1;
        EXPECT(!entry_holds(&entry, nothing, slice_of(parts.data, i)));
    }
    EXPECT_EQUAL(buffer_append(&payload, "", 1), STATUS_OK);
    EXPECT(!entry_holds(&entry, nothing, buffer_slice(&payload)));
    entry.type = CHANGE_VREM; /* a body of another type */
    EXPECT(!entry_holds(&entry, nothing, parts));
    buffer_free(&body);
    buffer_free(&payload);
}

int main(void) {
    RUN(entries_round_trip);
    RUN(versions_types_and_flags);
    RUN(longest_entry);
    RUN(flipped_bits_of_an_entry);
    RUN(a_mixed_batch_round_trips);
    RUN(truncated_and_flipped_batches);
    RUN(forms_meet_at_the_limit);
    RUN(each_size_has_one_form);
    RUN(a_list_is_what_its_root_says);
    RUN(empty_and_odd_batches_are_refused);
    RUN(a_full_batch_says_so);
    RUN(a_payload_holds_or_not);
    return test_finish();
}
