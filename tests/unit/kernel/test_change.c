/* Changes as bytes: golden hashes, round trips of every type and flag, and what truncation and
 * every single flipped bit come to. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "base/bytes.h"
#include "kernel/change.h"

#include "fixture.h"

static void expect_hash(const uint8_t hash[SHA256_SIZE], const char *hex) {
    uint8_t wanted[SHA256_SIZE];
    test_unhex(hex, wanted);
    EXPECT_BYTES(hash, wanted, SHA256_SIZE);
}

static void golden_hashes(void) {
    uint8_t hash[SHA256_SIZE], vector[21];
    hash_element_name(slice_text("a"), hash);
    expect_hash(hash, "4430dfde818bb7119724bf6936e4fbace9fe9775fc041c29fbbd69ccc43bceb6");
    static const int32_t values[] = {65536, -65536, 0, 32768};
    vector_encode(values, 4, false, 0, vector);
    hash_payload('V', slice_of(vector, sizeof vector), hash);
    expect_hash(hash, "eb5590692e526406d2bb553d0b20514158b10ec64e94d112bf7e16bb0b39f829");
    hash_payload('A', slice_text("{\"y\":1}"), hash);
    expect_hash(hash, "a00fdd8c96fb38c7c7857deea591a7e34292a1ab87f98793e0df0c3de9169b02");
    hash_object_name(3, slice_text("vs"), hash);
    expect_hash(hash, "277e5dcec683490eaa3b2ccedda8072854a60cb1191c9db952d7c2e9158b5c10");
    hash_principal(slice_text("default"), hash);
    expect_hash(hash, "94da5f6c728b62b42b44124c95b6ca70b22ba1595587c3deb44507a66d0f85bd");
}

static void vectors_round_trip(void) {
    static const int32_t values[] = {INT32_MIN, INT32_MAX, 0, -1, 1, 0x12345678, 7};
    uint8_t bytes[6 + 4 * 7];
    for (uint32_t dim = 1; dim <= 7; dim++)
        for (int scaled = 0; scaled < 2; scaled++)
            for (int exponent = -128; exponent <= 127; exponent += 51) {
                struct vector_facts facts;
                size_t size = vector_bytes_size(scaled, dim);
                vector_encode(values, dim, scaled, (int8_t)exponent, bytes);
                EXPECT_EQUAL(vector_decode(slice_of(bytes, size), &facts), STATUS_OK);
                EXPECT(facts.scaled == scaled && facts.dim == dim);
                EXPECT_EQUAL(facts.exponent, scaled ? exponent : 0);
                for (uint32_t i = 0; i < dim; i++)
                    EXPECT_EQUAL((int32_t)load_le32(facts.values + 4 * i), values[i]);
                for (size_t cut = 0; cut < size; cut++)
                    EXPECT_EQUAL(vector_decode(slice_of(bytes, cut), &facts), STATUS_CORRUPT);
            }
    struct vector_facts facts;
    vector_encode(values, 1, false, 0, bytes);
    bytes[0] = 2;
    EXPECT_EQUAL(vector_decode(slice_of(bytes, 9), &facts), STATUS_VERSION);
    bytes[0] = 1;
    store_le32(bytes + 1, 0);
    EXPECT_EQUAL(vector_decode(slice_of(bytes, 5), &facts), STATUS_CORRUPT);
    static uint8_t great[6 + 4 * 65537];
    great[0] = 1;
    store_le32(great + 1, 65537);
    EXPECT_EQUAL(vector_decode(slice_of(great, 5 + 4 * 65537), &facts), STATUS_CORRUPT);
    store_le32(great + 1, 65536);
    EXPECT_EQUAL(vector_decode(slice_of(great, 5 + 4 * 65536), &facts), STATUS_OK);
}

static void configs_round_trip(void) {
    struct config config = {.metric = METRIC_IP, .index = INDEX_FLAT,
                            .quantisation = QUANTISATION_BIN, .origin = ORIGIN_VCREATE,
                            .dim = 65536, .m = 0x01020304, .ef = 0xfffffffe,
                            .capacity = UINT64_MAX - 1, .reduce_dim = 77};
    uint8_t bytes[CONFIG_SIZE + 1], again[CONFIG_SIZE];
    config_encode(&config, bytes);
    static const uint8_t wanted[CONFIG_SIZE] = {
        1, 3, 1, 2, 0,    0,    1,    0,    4,    3,    2,    1, 0xfe, 0xff, 0xff, 0xff,
        0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 77, 0, 0, 0, 1};
    EXPECT_BYTES(bytes, wanted, CONFIG_SIZE);
    struct config decoded;
    EXPECT_EQUAL(config_decode(slice_of(bytes, CONFIG_SIZE), &decoded), STATUS_OK);
    config_encode(&decoded, again);
    EXPECT_BYTES(again, bytes, CONFIG_SIZE);
    for (size_t size = 0; size <= CONFIG_SIZE + 1; size++)
        if (size != CONFIG_SIZE)
            EXPECT_EQUAL(config_decode(slice_of(bytes, size), &decoded), STATUS_CORRUPT);

    static const struct {
        size_t at;
        uint8_t value;
        enum status status;
    } bad[] = {{0, 0, STATUS_VERSION},  {0, 3, STATUS_VERSION},
               {0, 2, STATUS_CORRUPT}, {1, 0, STATUS_VERSION},
               {1, 4, STATUS_VERSION},  {2, 0, STATUS_VERSION}, {2, 3, STATUS_VERSION},
               {3, 3, STATUS_VERSION},  {28, 2, STATUS_VERSION}, {4, 1, STATUS_CORRUPT},
               {6, 0, STATUS_CORRUPT}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memcpy(again, bytes, CONFIG_SIZE);
        again[bad[i].at] = bad[i].value;
        EXPECT_EQUAL(config_decode(slice_of(again, CONFIG_SIZE), &decoded), bad[i].status);
    }
}

/* Form 2: fields of the attributes that are indexed. */
static void configs_with_a_schema(void) {
    struct config config = {.metric = METRIC_COSINE, .index = INDEX_HNSW, .dim = 3,
                            .schema = {.count = 2, .types = {SCHEMA_NUMBER, SCHEMA_STRING},
                                       .sizes = {4, 1}, .names = {"year", "s"}}};
    static const uint8_t tail[] = {2, 1, 4, 'y', 'e', 'a', 'r', 2, 1, 's'};
    uint8_t bytes[CONFIG_SIZE_MAX], again[CONFIG_SIZE_MAX];
    uint32_t size = config_size(&config);
    struct config decoded;
    EXPECT_EQUAL(size, CONFIG_SIZE + sizeof tail);
    config_encode(&config, bytes);
    EXPECT_EQUAL(bytes[0], 2);
    EXPECT_BYTES(bytes + CONFIG_SIZE, tail, sizeof tail);
    EXPECT_EQUAL(config_decode(slice_of(bytes, size), &decoded), STATUS_OK);
    config_encode(&decoded, again);
    EXPECT_BYTES(again, bytes, size);
    for (uint32_t cut = 1; cut <= sizeof tail; cut++)
        EXPECT_EQUAL(config_decode(slice_of(bytes, size - cut), &decoded), STATUS_CORRUPT);
    EXPECT_EQUAL(config_decode(slice_of(bytes, size + 1), &decoded), STATUS_CORRUPT);
    static const struct {
        size_t at;
        uint8_t value;
        enum status status;
    } bad[] = {{0, 0, STATUS_CORRUPT}, {0, 9, STATUS_VERSION}, {1, 0, STATUS_VERSION},
               {1, 3, STATUS_VERSION}, {2, 0, STATUS_CORRUPT}, {2, 31, STATUS_CORRUPT},
               {2, 5, STATUS_CORRUPT}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memcpy(again, bytes, size);
        again[CONFIG_SIZE + bad[i].at] = bad[i].value;
        EXPECT_EQUAL(config_decode(slice_of(again, size), &decoded), bad[i].status);
    }
}

/* --- Bodies and payloads ------------------------------------------------------------------- */

struct encoded {
    struct buffer body, payload;
};

static void encode(const struct change *change, struct encoded *out) {
    buffer_init(&out->body, &libc_allocator, 1 << 20);
    buffer_init(&out->payload, &libc_allocator, 1 << 20);
    EXPECT_EQUAL(change_encode_body(change, &out->body), STATUS_OK);
    EXPECT_EQUAL(change_encode_payload(change, true, &out->payload), STATUS_OK);
}
static void encoded_free(struct encoded *encoded) {
    buffer_free(&encoded->body);
    buffer_free(&encoded->payload);
}

static enum status decode(uint8_t type, struct slice body, struct slice payload,
                          struct change *change) {
    enum status status = change_decode(type, body, &payload, NULL, true, change);
    return status == STATUS_OK && payload.size > 0 ? STATUS_CORRUPT : status;
}

static bool same_change(const struct change *a, const struct change *b) {
    uint8_t config_a[CONFIG_SIZE], config_b[CONFIG_SIZE];
    config_encode(&a->config, config_a);
    config_encode(&b->config, config_b);
    return a->type == b->type && a->flags == b->flags && a->db == b->db && a->tag == b->tag &&
           a->group_count == b->group_count && slice_equal(a->key, b->key) &&
           slice_equal(a->element, b->element) && slice_equal(a->vector, b->vector) &&
           slice_equal(a->attributes, b->attributes) && slice_equal(a->fp32, b->fp32) &&
           memcmp(config_a, config_b, CONFIG_SIZE) == 0 &&
           a->delta == b->delta && slice_equal(a->target, b->target) &&
           memcmp(a->target_hash, b->target_hash, SHA256_SIZE) == 0 &&
           memcmp(a->object_hash, b->object_hash, SHA256_SIZE) == 0 &&
           memcmp(a->element_hash, b->element_hash, SHA256_SIZE) == 0;
}

/* The flags of a VADD in all combinations, and one of every other type. */
enum { VADDS = 64, CASES = VADDS + 13 };

static void make_case(int number, struct made *made) {
    static const uint8_t optional[] = {CHANGE_ATTRIBUTES, CHANGE_TAG, CHANGE_FP32,
                                       CHANGE_NX,         CHANGE_XX,  CHANGE_CONFIG};
    static const uint8_t others[] = {
        CHANGE_CREATE, CHANGE_VREM,   CHANGE_SETATTR, CHANGE_SETTAG, CHANGE_DEL,
        CHANGE_FLUSH,  CHANGE_GROUP,  CHANGE_RENAME,  CHANGE_SET,    CHANGE_REPLACE,
        CHANGE_INCR,   CHANGE_EXPIRE, CHANGE_SYSTEM,  CHANGE_SYSTEM};
    uint8_t flags = 0, type = number < VADDS ? CHANGE_VADD : others[number - VADDS];
    for (int i = 0; i < 6 && type == CHANGE_VADD; i++)
        if (number >> i & 1) flags |= optional[i];
    if (type == CHANGE_CREATE) flags = CHANGE_CONFIG;
    if (type == CHANGE_SETATTR) flags = CHANGE_ATTRIBUTES;
    if (type == CHANGE_SET || type == CHANGE_REPLACE)
        flags = CHANGE_ATTRIBUTES | CHANGE_TAG | CHANGE_NX | CHANGE_XX;
    if (type == CHANGE_EXPIRE) flags = CHANGE_TAG;
    if (type == CHANGE_SYSTEM && number % 2) flags = CHANGE_ATTRIBUTES;
    if (type == CHANGE_RENAME) flags = CHANGE_NX;
    if (type == CHANGE_SETTAG) flags = CHANGE_TAG;
    bool element = type >= CHANGE_VADD && type <= CHANGE_SETTAG;
    struct change *change = make(made, type, "a key", element ? "the element" : NULL);
    change->flags = flags;
    change->db = (uint32_t)number % DATABASE_COUNT;
    if (type == CHANGE_SYSTEM) change->db = SYSTEM_USER;
    if (type == CHANGE_FLUSH) change->db = FLUSH_ALL, change->key = slice_of(NULL, 0);
    if (type == CHANGE_VADD) make_vector(made, number % 2, 3, 12345);
    if (type == CHANGE_RENAME) change->target = slice_text("the new name");
    if (type == CHANGE_INCR) change->delta = -0x1122334455667788;
    if (type == CHANGE_EXPIRE) change->delta = EXPIRE_XX_LT;
    if (flags & CHANGE_ATTRIBUTES) change->attributes = slice_text("{\"a\": [1, 2]}");
    if (flags & CHANGE_TAG) change->tag = 0x1122334455667788;
    if (flags & CHANGE_FP32) change->fp32 = slice_of(made->fp32, 12);
    if (flags & CHANGE_CONFIG) change->config = config_of(METRIC_COSINE, 3);
    if (type == CHANGE_GROUP)
        *change = (struct change){.type = type, .group_count = 0x01020304};
    change_commit(change);
}

static void every_change_round_trips(void) {
    for (int number = 0; number < CASES; number++) {
        struct made made;
        struct encoded encoded;
        struct change decoded;
        make_case(number, &made);
        encode(&made.change, &encoded);
        EXPECT_EQUAL(decode(made.change.type, buffer_slice(&encoded.body),
                            buffer_slice(&encoded.payload), &decoded),
                     STATUS_OK);
        EXPECT(same_change(&made.change, &decoded));
        encoded_free(&encoded);
    }
}

static void truncated_bytes_are_refused(void) {
    for (int number = 0; number < CASES; number++) {
        struct made made;
        struct encoded encoded;
        struct change decoded;
        make_case(number, &made);
        encode(&made.change, &encoded);
        struct slice body = buffer_slice(&encoded.body), payload = buffer_slice(&encoded.payload);
        for (size_t size = 0; size < body.size; size++)
            EXPECT_EQUAL(decode(made.change.type, slice_of(body.data, size), payload, &decoded),
                         STATUS_CORRUPT);
        for (size_t size = 0; size < payload.size; size++)
            EXPECT_EQUAL(decode(made.change.type, body, slice_of(payload.data, size), &decoded),
                         STATUS_CORRUPT);
        uint8_t longer[2048];
        memcpy(longer, body.data, body.size);
        longer[body.size] = 0;
        EXPECT_EQUAL(decode(made.change.type, slice_of(longer, body.size + 1), payload, &decoded),
                     STATUS_CORRUPT);
        if (payload.size > 0) memcpy(longer, payload.data, payload.size);
        longer[payload.size] = 0;
        EXPECT_EQUAL(decode(made.change.type, body, slice_of(longer, payload.size + 1), &decoded),
                     STATUS_CORRUPT);
        encoded_free(&encoded);
    }
}

/* A flipped bit of the payload never passes. One of the body passes only as another change:
 * NX, XX, another tag, config or count; never as the same. */
static void flipped_bits_are_refused_or_mean_something_else(void) {
    for (int number = 0; number < CASES; number++) {
        struct made made;
        struct encoded encoded;
        struct change decoded;
        make_case(number, &made);
        encode(&made.change, &encoded);
        struct slice body = buffer_slice(&encoded.body), payload = buffer_slice(&encoded.payload);
        for (size_t bit = 0; bit < 8 * payload.size; bit++) {
            uint8_t *byte = encoded.payload.data + encoded.payload.start + bit / 8;
            *byte ^= (uint8_t)(1 << bit % 8);
            EXPECT(decode(made.change.type, body, payload, &decoded) != STATUS_OK);
            *byte ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t bit = 0; bit < 8 * body.size; bit++) {
            uint8_t *byte = encoded.body.data + encoded.body.start + bit / 8;
            *byte ^= (uint8_t)(1 << bit % 8);
            if (decode(made.change.type, body, payload, &decoded) == STATUS_OK)
                EXPECT(!same_change(&made.change, &decoded));
            *byte ^= (uint8_t)(1 << bit % 8);
        }
        encoded_free(&encoded);
    }
}

static void every_type_has_its_flags(void) {
    for (int number = VADDS - 1; number < CASES; number++) {
        struct made made;
        struct encoded encoded;
        struct change decoded;
        make_case(number, &made);
        if (made.change.type == CHANGE_GROUP) continue; /* It has no flags. */
        encode(&made.change, &encoded);
        uint8_t *flags = encoded.body.data + encoded.body.start, own = *flags;
        for (int bit = 0; bit < 8; bit++) {
            if (own >> bit & 1) continue;
            *flags = (uint8_t)(own | 1 << bit);
            enum status status = decode(made.change.type, buffer_slice(&encoded.body),
                                        buffer_slice(&encoded.payload), &decoded);
            /* A newer release may know it; a removal that sets lacks its value. */
            bool removal =
                made.change.type == CHANGE_SYSTEM && 1 << bit == CHANGE_ATTRIBUTES;
            EXPECT_EQUAL(status, removal ? STATUS_CORRUPT : STATUS_VERSION);
        }
        encoded_free(&encoded);
    }
}

static void limits_are_kept(void) {
    static uint8_t great[65537];
    struct change decoded;
    for (int over = 0; over < 2; over++) {
        struct made made;
        struct encoded encoded;
        struct change *change = make_setattr(&made, "k", "e", "");
        change->key = change->element = change->attributes =
            slice_of(great, NAME_SIZE_MAX + (size_t)over);
        for (int part = 0; part < 3; part++) {
            struct change one = *change;
            if (part != 0) one.key = slice_text("k");
            if (part != 1) one.element = slice_text("e");
            if (part != 2) one.attributes = slice_text("a");
            change_commit(&one);
            encode(&one, &encoded);
            EXPECT_EQUAL(decode(CHANGE_SETATTR, buffer_slice(&encoded.body),
                                buffer_slice(&encoded.payload), &decoded),
                         over ? STATUS_CORRUPT : STATUS_OK);
            encoded_free(&encoded);
        }
    }
    struct made made;
    struct encoded encoded;
    struct change *change = make(&made, CHANGE_DEL, "k", NULL);
    change->db = DATABASE_COUNT;
    change_commit(change);
    encode(change, &encoded);
    EXPECT_EQUAL(decode(CHANGE_DEL, buffer_slice(&encoded.body), buffer_slice(&encoded.payload),
                        &decoded),
                 STATUS_CORRUPT);
    encoded_free(&encoded);
}

static void odd_parts_are_refused(void) {
    struct made made;
    struct encoded encoded;
    struct change decoded;
    change_commit(make(&made, CHANGE_DEL, "k", NULL));
    encode(&made.change, &encoded);
    uint8_t *part = encoded.payload.data + encoded.payload.start;
    part[1] = 1; /* Salted: of a later release. */
    EXPECT_EQUAL(decode(CHANGE_DEL, buffer_slice(&encoded.body), buffer_slice(&encoded.payload),
                        &decoded),
                 STATUS_VERSION);
    part[1] = 0;
    part[2] = 1;
    EXPECT_EQUAL(decode(CHANGE_DEL, buffer_slice(&encoded.body), buffer_slice(&encoded.payload),
                        &decoded),
                 STATUS_CORRUPT);
    encoded_free(&encoded);

    /* FP32 bits of another dimension than the vector's. */
    make(&made, CHANGE_VADD, "k", "e");
    make_vector(&made, false, 3, 1);
    made.change.flags |= CHANGE_FP32;
    made.change.fp32 = slice_of(made.fp32, 16);
    change_commit(&made.change);
    encode(&made.change, &encoded);
    EXPECT_EQUAL(decode(CHANGE_VADD, buffer_slice(&encoded.body), buffer_slice(&encoded.payload),
                        &decoded),
                 STATUS_CORRUPT);
    encoded_free(&encoded);

    EXPECT_EQUAL(decode(19, slice_of("", 1), slice_of(NULL, 0), &decoded),
                 STATUS_VERSION);
    EXPECT_EQUAL(decode(CHANGE_SEAL, slice_of("", 1), slice_of(NULL, 0), &decoded),
                 STATUS_CORRUPT);
    EXPECT_EQUAL(decode(CHANGE_GROUP, slice_of("\0\0\0\0", 4), slice_of(NULL, 0), &decoded),
                 STATUS_CORRUPT);
}

/* |x| of a scaled vector is at most 2^17; greater numbers would not fit what is kept of them. */
static void scaled_values_are_bounded(void) {
    static const int32_t values[] = {131072, -131072, 131073, -131073, INT32_MIN};
    for (int i = 0; i < 5; i++) {
        struct made made;
        struct encoded encoded;
        struct change decoded;
        make(&made, CHANGE_VADD, "k", "e");
        make_vector(&made, true, 2, values[i]);
        change_commit(&made.change);
        encode(&made.change, &encoded);
        EXPECT_EQUAL(decode(CHANGE_VADD, buffer_slice(&encoded.body),
                            buffer_slice(&encoded.payload), &decoded),
                     i < 2 ? STATUS_OK : STATUS_CORRUPT);
        encoded_free(&encoded);
    }
}

int main(void) {
    RUN(golden_hashes);
    RUN(vectors_round_trip);
    RUN(configs_round_trip);
    RUN(configs_with_a_schema);
    RUN(every_change_round_trips);
    RUN(truncated_bytes_are_refused);
    RUN(flipped_bits_are_refused_or_mean_something_else);
    RUN(every_type_has_its_flags);
    RUN(limits_are_kept);
    RUN(odd_parts_are_refused);
    RUN(scaled_values_are_bounded);
    return test_finish();
}
