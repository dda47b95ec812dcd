/* Changes as bytes: bodies, payload parts, configs and vectors, and their commitments.
 *
 * The layout is docs/format.md section 6. One table says which fields a type has;
 * encoding, decoding and committing are three walks over it, so that they cannot drift
 * apart. */
#include "kernel/change_parts.h"

#include "base/bytes.h"
#include "base/check.h"
#include "kernel/fixed.h"

#include "kernel/pure.h"

enum { PART_HEADER_SIZE = 8 }; /* u8 kind, u8 salted, u16 zero, u32 length */
#define SCALED_MAX (UINT32_C(1) << 17)

/* What a body of each type holds after its flags and db. */
static const struct body_shape {
    bool has_db, has_object, has_element, has_target, has_delta;
    uint8_t required; /* flags that are always set */
    uint8_t optional; /* flags that may be */
} body_shapes[] = {
    [CHANGE_CREATE] = {true, true, false, false, false, CHANGE_CONFIG, 0},
    [CHANGE_VADD] = {true, true, true, false, false, CHANGE_VECTOR,
                     CHANGE_ATTRIBUTES | CHANGE_TAG | CHANGE_FP32 | CHANGE_NX |
                         CHANGE_XX | CHANGE_CONFIG},
    [CHANGE_VREM] = {true, true, true, false, false, 0, 0},
    [CHANGE_SETATTR] = {true, true, true, false, false, CHANGE_ATTRIBUTES, 0},
    [CHANGE_SETTAG] = {true, true, true, false, false, CHANGE_TAG, 0},
    [CHANGE_DEL] = {true, true, false, false, false, 0, 0},
    [CHANGE_FLUSH] = {true, false, false, false, false, 0, 0},
    [CHANGE_GROUP] = {false, false, false, false, false, 0, 0},
    [CHANGE_RENAME] = {true, true, false, true, false, 0, CHANGE_NX},
    [CHANGE_SET] = {true, true, false, false, false, CHANGE_ATTRIBUTES,
                    CHANGE_TAG | CHANGE_NX | CHANGE_XX},
    [CHANGE_REPLACE] = {true, true, false, false, false, CHANGE_ATTRIBUTES,
                        CHANGE_TAG | CHANGE_NX | CHANGE_XX},
    [CHANGE_INCR] = {true, true, false, false, true, 0, 0},
    [CHANGE_EXPIRE] = {true, true, false, false, true, CHANGE_TAG, 0},
    [CHANGE_ALL] = {false, false, false, false, false, 0, 0},
    [CHANGE_SYSTEM] = {true, true, false, false, false, 0, CHANGE_ATTRIBUTES},
};

static const struct body_shape *shape_of(uint8_t type) {
    if (type >= sizeof body_shapes / sizeof body_shapes[0]) return NULL;
    bool known = body_shapes[type].has_db || change_is_group(type);
    return known ? &body_shapes[type] : NULL;
}

/* --- Commitments -----------------------------------------------------------------------
 */

static const uint8_t no_salt[32];

static void add_sized(struct sha256 *hash, struct slice part) {
    uint8_t size[8];
    store_le64(size, part.size);
    sha256_add(hash, size, sizeof size);
    sha256_add(hash, part.data, part.size);
}

static uint8_t *put_sized(uint8_t *p, struct slice part) {
    store_le64(p, part.size);
    if (part.size) memcpy(p + 8, part.data, part.size);
    return p + 8 + part.size;
}

/* KH(kind, 0^32, first, second); the second part is left out when it has no data pointer.
 */
static void hash_key(char kind, const struct slice *first, struct slice last,
                     uint8_t out[SHA256_SIZE]) {
    struct sha256 hash;
    uint8_t head[2] = {0x12, (uint8_t)kind}, short_text[256] = {0x12, (uint8_t)kind};
    size_t size =
        sizeof head + sizeof no_salt + 16 + (first ? first->size : 0) + last.size;
    if (size <= sizeof short_text) {
        uint8_t *p = short_text + sizeof head + sizeof no_salt;
        if (first) p = put_sized(p, *first);
        p = put_sized(p, last);
        sha256(short_text, (size_t)(p - short_text), out);
        return;
    }
    sha256_begin(&hash);
    sha256_add(&hash, head, sizeof head);
    sha256_add(&hash, no_salt, sizeof no_salt);
    if (first) add_sized(&hash, *first);
    add_sized(&hash, last);
    sha256_end(&hash, out);
}

void hash_object_name(uint32_t db, struct slice key, uint8_t out[SHA256_SIZE]) {
    uint8_t number[4];
    store_le32(number, db);
    struct slice first = slice_of(number, sizeof number);
    hash_key('K', &first, key, out);
}

void hash_element_name(struct slice element, uint8_t out[SHA256_SIZE]) {
    hash_key('R', NULL, element, out);
}

void hash_node_name(struct slice node, uint8_t out[SHA256_SIZE]) {
    hash_key('N', NULL, node, out);
}

void hash_edge_name(char kind, struct slice type, struct slice node,
                    uint8_t out[SHA256_SIZE]) {
    hash_key(kind, &type, node, out);
}

void hash_link(uint32_t db, struct slice key, struct slice element,
               uint8_t out[SHA256_SIZE]) {
    struct sha256 hash;
    uint8_t head[2] = {0x12, 'L'}, number[4];
    store_le32(number, db);
    sha256_begin(&hash);
    sha256_add(&hash, head, sizeof head);
    sha256_add(&hash, no_salt, sizeof no_salt);
    add_sized(&hash, slice_of(number, sizeof number));
    add_sized(&hash, key);
    add_sized(&hash, element);
    sha256_end(&hash, out);
}

void hash_principal(struct slice user, uint8_t out[SHA256_SIZE]) {
    hash_key('P', NULL, user, out);
}

void hash_system_name(uint8_t kind, struct slice id, uint8_t out[SHA256_SIZE]) {
    struct slice first = slice_of(&kind, 1);
    hash_key('S', &first, id, out);
}

void hash_payload(char kind, struct slice bytes, uint8_t out[SHA256_SIZE]) {
    struct sha256 hash;
    uint8_t head[2] = {0x14, (uint8_t)kind};
    sha256_begin(&hash);
    sha256_add(&hash, head, sizeof head);
    sha256_add(&hash, no_salt, sizeof no_salt);
    sha256_add(&hash, bytes.data, bytes.size);
    sha256_end(&hash, out);
}

void change_commit(struct change *change) {
    if (change_of_graph(change->type)) {
        graph_commit(change);
        return;
    }
    const struct body_shape *shape = shape_of(change->type);
    check(shape != NULL);
    if (change->type == CHANGE_SYSTEM)
        hash_system_name((uint8_t)change->db, change->key, change->object_hash);
    else if (shape->has_object)
        hash_object_name(change->db, change->key, change->object_hash);
    if (shape->has_element) hash_element_name(change->element, change->element_hash);
    if (shape->has_target)
        hash_object_name(change->db, change->target, change->target_hash);
    if (change->flags & CHANGE_VECTOR)
        hash_payload('V', change->vector, change->vector_hash);
    if (change->flags & CHANGE_ATTRIBUTES)
        hash_payload('A', change->attributes, change->attributes_hash);
    if (change->flags & CHANGE_FP32) hash_payload('F', change->fp32, change->fp32_hash);
}

/* --- Encoding --------------------------------------------------------------------------
 */

enum status change_encode_body(const struct change *change, struct buffer *body) {
    if (change_of_graph(change->type)) return graph_encode_body(change, body);
    const struct body_shape *shape = shape_of(change->type);
    check(shape != NULL);
    uint8_t bytes[1 + 4 + 6 * SHA256_SIZE + 8 + 8 + CONFIG_SIZE_MAX + 8], *p = bytes;
    if (change_is_group(change->type)) {
        store_le32(p, change->group_count);
        return buffer_append(body, bytes, 4);
    }
    *p++ = change->flags;
    store_le32(p, change->db);
    p += 4;
    if (shape->has_object) memcpy(p, change->object_hash, SHA256_SIZE), p += SHA256_SIZE;
    if (shape->has_element)
        memcpy(p, change->element_hash, SHA256_SIZE), p += SHA256_SIZE;
    if (shape->has_target) memcpy(p, change->target_hash, SHA256_SIZE), p += SHA256_SIZE;
    if (change->flags & CHANGE_VECTOR)
        memcpy(p, change->vector_hash, SHA256_SIZE), p += SHA256_SIZE;
    if (change->flags & CHANGE_ATTRIBUTES)
        memcpy(p, change->attributes_hash, SHA256_SIZE), p += SHA256_SIZE;
    if (change->flags & CHANGE_TAG) store_le64(p, change->tag), p += 8;
    if (change->flags & CHANGE_FP32)
        memcpy(p, change->fp32_hash, SHA256_SIZE), p += SHA256_SIZE;
    if (change->flags & CHANGE_CONFIG) {
        store_le64(p, config_size(&change->config));
        config_encode(&change->config, p + 8);
        p += 8 + config_size(&change->config);
    }
    if (shape->has_delta) store_le64(p, (uint64_t)change->delta), p += 8;
    return buffer_append(body, bytes, (size_t)(p - bytes));
}

enum status put_part(struct buffer *payload, char kind, struct slice bytes) {
    uint8_t header[PART_HEADER_SIZE] = {(uint8_t)kind};
    check(bytes.size <= UINT32_MAX);
    store_le32(header + 4, (uint32_t)bytes.size);
    enum status status = buffer_append(payload, header, sizeof header);
    if (status) return status;
    return buffer_append(payload, bytes.data, bytes.size);
}

enum status change_encode_payload(const struct change *change, bool with_key,
                                  struct buffer *payload) {
    if (change_of_graph(change->type))
        return graph_encode_payload(change, with_key, payload);
    const struct body_shape *shape = shape_of(change->type);
    check(shape != NULL);
    enum status status = STATUS_OK;
    if (shape->has_object && with_key) status = put_part(payload, 'K', change->key);
    if (!status && shape->has_target) status = put_part(payload, 'D', change->target);
    if (!status && shape->has_element) status = put_part(payload, 'R', change->element);
    if (!status && (change->flags & CHANGE_VECTOR))
        status = put_part(payload, 'V', change->vector);
    if (!status && (change->flags & CHANGE_ATTRIBUTES))
        status = put_part(payload, 'A', change->attributes);
    if (!status && (change->flags & CHANGE_FP32))
        status = put_part(payload, 'F', change->fp32);
    return status;
}

/* --- Decoding --------------------------------------------------------------------------
 */

const uint8_t *take(struct slice *from, size_t size) {
    if (from->size < size) return NULL;
    const uint8_t *p = from->data;
    from->data += size;
    from->size -= size;
    return p;
}

bool take_hash(struct slice *from, bool present, uint8_t hash[SHA256_SIZE]) {
    if (!present) return true;
    const uint8_t *p = take(from, SHA256_SIZE);
    if (p) memcpy(hash, p, SHA256_SIZE);
    return p != NULL;
}

bool take_sized(struct slice *from, size_t limit, struct slice *bytes) {
    const uint8_t *size = take(from, 8);
    if (!size || load_le64(size) > from->size || load_le64(size) > limit) return false;
    size_t length = (size_t)load_le64(size);
    *bytes = slice_of(take(from, length), length);
    return true;
}

static enum status take_config(struct slice *body, struct config *config) {
    struct slice bytes;
    if (!take_sized(body, body->size, &bytes)) return STATUS_CORRUPT;
    return config_decode(bytes, config);
}

static enum status decode_body(uint8_t type, const struct body_shape *shape,
                               struct slice body, struct change *change) {
    const uint8_t *p = take(&body, change_is_group(type) ? 4 : 5);
    if (!p) return STATUS_CORRUPT;
    if (change_is_group(type)) {
        change->group_count = load_le32(p);
        return body.size == 0 && change->group_count > 0 ? STATUS_OK : STATUS_CORRUPT;
    }
    change->flags = p[0];
    change->db = load_le32(p + 1);
    if (change->flags & (uint8_t) ~(shape->required | shape->optional))
        return STATUS_VERSION;
    if ((change->flags & shape->required) != shape->required) return STATUS_CORRUPT;
    bool everywhere = type == CHANGE_FLUSH && change->db == FLUSH_ALL;
    if (type == CHANGE_SYSTEM && change->db != SYSTEM_USER) return STATUS_VERSION;
    if (change->db >= DATABASE_COUNT && !everywhere) return STATUS_CORRUPT;

    uint8_t flags = change->flags;
    if (!take_hash(&body, shape->has_object, change->object_hash) ||
        !take_hash(&body, shape->has_element, change->element_hash) ||
        !take_hash(&body, shape->has_target, change->target_hash) ||
        !take_hash(&body, flags & CHANGE_VECTOR, change->vector_hash) ||
        !take_hash(&body, flags & CHANGE_ATTRIBUTES, change->attributes_hash))
        return STATUS_CORRUPT;
    if (flags & CHANGE_TAG) {
        p = take(&body, 8);
        if (!p) return STATUS_CORRUPT;
        change->tag = load_le64(p);
    }
    if (!take_hash(&body, flags & CHANGE_FP32, change->fp32_hash)) return STATUS_CORRUPT;
    if (flags & CHANGE_CONFIG) {
        enum status status = take_config(&body, &change->config);
        if (status) return status;
    }
    if (shape->has_delta) {
        p = take(&body, 8);
        if (!p) return STATUS_CORRUPT;
        change->delta = (int64_t)load_le64(p);
        bool known = change->delta >= 0 && change->delta < EXPIRE_CONDITIONS;
        if (type == CHANGE_EXPIRE && !known) return STATUS_VERSION;
    }
    return body.size == 0 ? STATUS_OK : STATUS_CORRUPT;
}

enum status take_part(struct slice *payload, char kind, size_t limit,
                      struct slice *part) {
    const uint8_t *header = take(payload, PART_HEADER_SIZE);
    if (!header || header[0] != (uint8_t)kind) return STATUS_CORRUPT;
    if (header[2] || header[3]) return STATUS_CORRUPT;
    if (header[1]) return STATUS_VERSION; /* Salted: a later release writes these. */
    size_t size = load_le32(header + 4);
    if (size > limit || size > payload->size) return STATUS_CORRUPT;
    *part = slice_of(take(payload, size), size);
    return STATUS_OK;
}

enum status take_key(const struct change *previous, struct slice *payload,
                     struct change *change) {
    bool same =
        previous && memcmp(previous->object_hash, change->object_hash, SHA256_SIZE) == 0;
    if (!same) return take_part(payload, 'K', NAME_SIZE_MAX, &change->key);
    change->key = previous->key;
    return STATUS_OK;
}

/* Attributes of an element, or a string's value. */
static size_t attributes_limit(const struct change *change) {
    bool string = change->type == CHANGE_SET || change->type == CHANGE_REPLACE;
    return string ? STRING_SIZE_MAX : ATTRIBUTES_SIZE_MAX;
}

static enum status take_parts(const struct body_shape *shape,
                              const struct change *previous, struct slice *payload,
                              struct change *change) {
    enum status status = STATUS_OK;
    if (shape->has_object) status = take_key(previous, payload, change);
    if (!status && shape->has_target)
        status = take_part(payload, 'D', NAME_SIZE_MAX, &change->target);
    if (!status && shape->has_element)
        status = take_part(payload, 'R', NAME_SIZE_MAX, &change->element);
    if (!status && (change->flags & CHANGE_VECTOR))
        status = take_part(payload, 'V', vector_bytes_size(true, VECTOR_DIM_MAX),
                           &change->vector);
    if (!status && (change->flags & CHANGE_ATTRIBUTES))
        status = take_part(payload, 'A', attributes_limit(change), &change->attributes);
    if (!status && (change->flags & CHANGE_FP32))
        status = take_part(payload, 'F', 4 * (size_t)VECTOR_DIM_MAX, &change->fp32);
    return status;
}

/* Are the parts what the body committed to? */
static bool commitments_hold(const struct change *change) {
    struct change again =
        *change; /* The hashes that its type does not have stay as they are. */
    change_commit(&again);
    return memcmp(again.object_hash, change->object_hash, SHA256_SIZE) == 0 &&
           memcmp(again.element_hash, change->element_hash, SHA256_SIZE) == 0 &&
           memcmp(again.target_hash, change->target_hash, SHA256_SIZE) == 0 &&
           memcmp(again.vector_hash, change->vector_hash, SHA256_SIZE) == 0 &&
           memcmp(again.attributes_hash, change->attributes_hash, SHA256_SIZE) == 0 &&
           memcmp(again.fp32_hash, change->fp32_hash, SHA256_SIZE) == 0 &&
           memcmp(again.link_hash, change->link_hash, SHA256_SIZE) == 0;
}

/* What is kept of a scaled vector has room for values up to 2^17 (fixed.h) and no
 * greater. */
static bool scaled_values_fit(const struct vector_facts *facts) {
    uint32_t over = 0;
    for (uint32_t i = 0; i < facts->dim; i++)
        over |= load_le32(facts->values + 4 * (size_t)i) + SCALED_MAX > 2 * SCALED_MAX;
    return !over;
}

static enum status check_vector(const struct change *change) {
    struct vector_facts facts;
    enum status status = vector_decode(change->vector, &facts);
    if (status) return status;
    if (facts.scaled && !scaled_values_fit(&facts)) return STATUS_CORRUPT;
    bool fp32_fits =
        !(change->flags & CHANGE_FP32) || change->fp32.size == 4 * (size_t)facts.dim;
    return fp32_fits ? STATUS_OK : STATUS_CORRUPT;
}

enum status change_decode(uint8_t type, struct slice body, struct slice *payload,
                          const struct change *previous, bool verify,
                          struct change *change) {
    const struct body_shape *shape = shape_of(type);
    if (type == CHANGE_SEAL || type == CHANGE_BATCH)
        return STATUS_CORRUPT; /* No elements. */
    bool graph = change_of_graph(type);
    if (!shape && !graph) return STATUS_VERSION;
    *change = (struct change){.type = type};
    enum status status =
        graph ? graph_decode_body(body, change) : decode_body(type, shape, body, change);
    if (!status)
        status = graph ? graph_take_parts(previous, payload, change)
                       : take_parts(shape, previous, payload, change);
    if (!status && verify && !commitments_hold(change)) status = STATUS_CORRUPT;
    if (!status && !graph && (change->flags & CHANGE_VECTOR))
        status = check_vector(change);
    return status;
}

/* --- Configs and vectors ---------------------------------------------------------------
 */

uint32_t config_size(const struct config *config) {
    uint32_t size = CONFIG_SIZE;
    for (uint32_t i = 0; i < config->schema.count; i++)
        size += 2 + config->schema.sizes[i];
    return size + (config->schema.count > 0);
}

/* count | count times (type | size of the name | name) */
static void schema_encode(const struct schema *schema, uint8_t *p) {
    *p++ = schema->count;
    for (uint32_t i = 0; i < schema->count; i++) {
        *p++ = schema->types[i];
        *p++ = schema->sizes[i];
        memcpy(p, schema->names[i], schema->sizes[i]);
        p += schema->sizes[i];
    }
}

static enum status schema_decode(struct slice bytes, struct schema *schema) {
    const uint8_t *p = take(&bytes, 1);
    if (!p || *p == 0) return STATUS_CORRUPT;
    if (*p > SCHEMA_FIELDS_MAX) return STATUS_VERSION;
    uint8_t count = *p;
    for (uint32_t i = 0; i < count; i++) {
        p = take(&bytes, 2);
        if (!p) return STATUS_CORRUPT;
        if (p[0] < SCHEMA_NUMBER || p[0] > SCHEMA_STRING) return STATUS_VERSION;
        if (p[1] < 1 || p[1] > SCHEMA_NAME_MAX) return STATUS_CORRUPT;
        schema->types[i] = p[0];
        schema->sizes[i] = p[1];
        p = take(&bytes, p[1]);
        if (!p) return STATUS_CORRUPT;
        memcpy(schema->names[i], p, schema->sizes[i]);
    }
    schema->count = count;
    return bytes.size == 0 ? STATUS_OK : STATUS_CORRUPT;
}

void config_encode(const struct config *config, uint8_t *bytes) {
    bytes[0] = config->schema.count > 0 ? 2 : 1;
    bytes[1] = config->metric;
    bytes[2] = config->index;
    bytes[3] = config->quantisation;
    store_le32(bytes + 4, config->dim);
    store_le32(bytes + 8, config->m);
    store_le32(bytes + 12, config->ef);
    store_le64(bytes + 16, config->capacity);
    store_le32(bytes + 24, config->reduce_dim);
    bytes[28] = config->origin;
    if (bytes[0] == 2) schema_encode(&config->schema, bytes + CONFIG_SIZE);
}

enum status config_decode(struct slice bytes, struct config *config) {
    if (bytes.size == 0) return STATUS_CORRUPT;
    uint8_t form = bytes.data[0];
    if (form < 1 || form > 2) return STATUS_VERSION;
    if (form == 1 ? bytes.size != CONFIG_SIZE : bytes.size <= CONFIG_SIZE)
        return STATUS_CORRUPT;
    const uint8_t *p = bytes.data;
    *config = (struct config){
        .metric = p[1],
        .index = p[2],
        .quantisation = p[3],
        .dim = load_le32(p + 4),
        .m = load_le32(p + 8),
        .ef = load_le32(p + 12),
        .capacity = load_le64(p + 16),
        .reduce_dim = load_le32(p + 24),
        .origin = p[28],
    };
    bool known = config->metric >= METRIC_COSINE && config->metric <= METRIC_IP &&
                 config->index >= INDEX_FLAT && config->index <= INDEX_HNSW &&
                 config->quantisation <= QUANTISATION_BIN &&
                 config->origin <= ORIGIN_VCREATE;
    if (!known) return STATUS_VERSION;
    bool sound = config->dim >= 1 && config->dim <= VECTOR_DIM_MAX;
    if (!sound || form == 1) return sound ? STATUS_OK : STATUS_CORRUPT;
    return schema_decode(slice_of(p + CONFIG_SIZE, bytes.size - CONFIG_SIZE),
                         &config->schema);
}

size_t vector_bytes_size(bool scaled, uint32_t dim) {
    return (scaled ? 6 : 5) + 4 * (size_t)dim;
}

void vector_encode(const int32_t *values, uint32_t dim, bool scaled, int8_t exponent,
                   uint8_t *bytes) {
    bytes[0] = scaled ? 3 : 1;
    store_le32(bytes + 1, dim);
    if (scaled) bytes[5] = (uint8_t)exponent;
    uint8_t *p = bytes + (scaled ? 6 : 5);
    for (uint32_t i = 0; i < dim; i++) store_le32(p + 4 * (size_t)i, (uint32_t)values[i]);
}

enum status vector_decode(struct slice bytes, struct vector_facts *facts) {
    if (bytes.size < 5) return STATUS_CORRUPT;
    if (bytes.data[0] != 1 && bytes.data[0] != 3) return STATUS_VERSION;
    facts->scaled = bytes.data[0] == 3;
    facts->dim = load_le32(bytes.data + 1);
    if (facts->dim < 1 || facts->dim > VECTOR_DIM_MAX ||
        bytes.size != vector_bytes_size(facts->scaled, facts->dim))
        return STATUS_CORRUPT;
    facts->exponent = facts->scaled ? (int8_t)bytes.data[5] : 0;
    facts->values = bytes.data + (facts->scaled ? 6 : 5);
    return STATUS_OK;
}
