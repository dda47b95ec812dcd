/* Changes of graphs as bytes: bodies, payload parts, configs, and their commitments. */
#include "base/bytes.h"
#include "base/check.h"
#include "kernel/change_parts.h"

#include "kernel/pure.h"

/* Flags that a body of each type always has, and those that it may have. */
static const struct flags_of {
    uint8_t required, optional;
} flags_of[] = {
    {CHANGE_CONFIG, 0}, /* GCREATE */
    {0, CHANGE_LINK | CHANGE_ATTRIBUTES | CHANGE_KIND | CHANGE_UNLINK | CHANGE_NX |
            CHANGE_XX | CHANGE_CONFIG},                             /* NODE */
    {0, 0},                                                         /* NODEDEL */
    {0, CHANGE_ATTRIBUTES | CHANGE_WEIGHT | CHANGE_NX | CHANGE_XX}, /* EDGE */
    {0, 0},                                                         /* EDGEDEL */
};

static bool has_node(const struct change *change) {
    return change->type != CHANGE_GCREATE;
}
static bool has_link(const struct change *change) {
    return change->type == CHANGE_NODE && (change->flags & CHANGE_LINK);
}
static bool has_word(const struct change *change) {
    return change_of_edge(change->type) ||
           (change->type == CHANGE_NODE && (change->flags & CHANGE_KIND));
}
static bool has_weight(const struct change *change) {
    return change->type == CHANGE_EDGE && (change->flags & CHANGE_WEIGHT);
}

void graph_commit(struct change *change) {
    hash_object_name(change->db, change->key, change->object_hash);
    if (has_node(change)) hash_node_name(change->element, change->element_hash);
    if (change_of_edge(change->type)) hash_node_name(change->target, change->target_hash);
    if (has_link(change))
        hash_link(change->db, change->link_key, change->link_element, change->link_hash);
    if (change->flags & CHANGE_ATTRIBUTES)
        hash_payload('A', change->attributes, change->attributes_hash);
}

/* --- Encoding --------------------------------------------------------------------------
 */

static uint8_t *put_hash(uint8_t *p, bool present, const uint8_t hash[SHA256_SIZE]) {
    if (!present) return p;
    memcpy(p, hash, SHA256_SIZE);
    return p + SHA256_SIZE;
}

static uint8_t *put_word(uint8_t *p, struct slice word) {
    check(word.size <= WORD_SIZE_MAX);
    store_le64(p, word.size);
    if (word.size) memcpy(p + 8, word.data, word.size);
    return p + 8 + word.size;
}

enum status graph_encode_body(const struct change *change, struct buffer *body) {
    uint8_t bytes[1 + 4 + 4 * SHA256_SIZE + 8 + WORD_SIZE_MAX + 8 + GRAPH_CONFIG_SIZE];
    uint8_t *p = bytes, flags = change->flags;
    bool edge = change_of_edge(change->type);
    *p++ = flags;
    store_le32(p, change->db);
    p = put_hash(p + 4, true, change->object_hash);
    p = put_hash(p, has_node(change), change->element_hash);
    p = put_hash(p, edge, change->target_hash);
    p = put_hash(p, has_link(change), change->link_hash);
    if (edge) p = put_word(p, change->word);
    p = put_hash(p, flags & CHANGE_ATTRIBUTES, change->attributes_hash);
    if (has_word(change) && !edge) p = put_word(p, change->word);
    if (has_weight(change)) store_le32(p, (uint32_t)change->weight), p += 4;
    if (flags & CHANGE_CONFIG) {
        store_le64(p, GRAPH_CONFIG_SIZE);
        graph_config_encode(&change->graph, p + 8);
        p += 8 + GRAPH_CONFIG_SIZE;
    }
    return buffer_append(body, bytes, (size_t)(p - bytes));
}

enum status graph_encode_payload(const struct change *change, bool with_key,
                                 struct buffer *payload) {
    enum status status = STATUS_OK;
    if (with_key) status = put_part(payload, 'K', change->key);
    if (!status && has_node(change)) status = put_part(payload, 'N', change->element);
    if (!status && change_of_edge(change->type))
        status = put_part(payload, 'M', change->target);
    if (!status && has_link(change)) status = put_part(payload, 'L', change->link_key);
    if (!status && has_link(change))
        status = put_part(payload, 'R', change->link_element);
    if (!status && (change->flags & CHANGE_ATTRIBUTES))
        status = put_part(payload, 'A', change->attributes);
    return status;
}

/* --- Decoding --------------------------------------------------------------------------
 */

static enum status check_flags(const struct change *change) {
    const struct flags_of *known = &flags_of[change->type - CHANGE_GCREATE];
    uint8_t flags = change->flags;
    if (flags & (uint8_t) ~(known->required | known->optional)) return STATUS_VERSION;
    if ((flags & known->required) != known->required) return STATUS_CORRUPT;
    bool both =
        change->type == CHANGE_NODE && (flags & CHANGE_LINK) && (flags & CHANGE_UNLINK);
    return both || change->db >= DATABASE_COUNT ? STATUS_CORRUPT : STATUS_OK;
}

static bool take_word(struct slice *body, const struct change *change,
                      struct slice *word) {
    if (!take_sized(body, WORD_SIZE_MAX, word)) return false;
    return word->size > 0 || !change_of_edge(change->type);
}

static enum status take_tail(struct slice *body, struct change *change) {
    const uint8_t *p;
    if (has_weight(change)) {
        p = take(body, 4);
        if (!p) return STATUS_CORRUPT;
        change->weight = (int32_t)load_le32(p);
    }
    if (change->flags & CHANGE_CONFIG) {
        struct slice config;
        if (!take_sized(body, body->size, &config)) return STATUS_CORRUPT;
        enum status status = graph_config_decode(config, &change->graph);
        if (status) return status;
    }
    return body->size == 0 ? STATUS_OK : STATUS_CORRUPT;
}

enum status graph_decode_body(struct slice body, struct change *change) {
    const uint8_t *p = take(&body, 5);
    if (!p) return STATUS_CORRUPT;
    change->flags = p[0];
    change->db = load_le32(p + 1);
    enum status status = check_flags(change);
    if (status) return status;
    bool edge = change_of_edge(change->type);
    if (!take_hash(&body, true, change->object_hash) ||
        !take_hash(&body, has_node(change), change->element_hash) ||
        !take_hash(&body, edge, change->target_hash) ||
        !take_hash(&body, has_link(change), change->link_hash))
        return STATUS_CORRUPT;
    if (edge && !take_word(&body, change, &change->word)) return STATUS_CORRUPT;
    if (!take_hash(&body, change->flags & CHANGE_ATTRIBUTES, change->attributes_hash))
        return STATUS_CORRUPT;
    if (!edge && has_word(change) && !take_word(&body, change, &change->word))
        return STATUS_CORRUPT;
    return take_tail(&body, change);
}

enum status graph_take_parts(const struct change *previous, struct slice *payload,
                             struct change *change) {
    enum status status = take_key(previous, payload, change);
    if (!status && has_node(change))
        status = take_part(payload, 'N', NAME_SIZE_MAX, &change->element);
    if (!status && change_of_edge(change->type))
        status = take_part(payload, 'M', NAME_SIZE_MAX, &change->target);
    if (!status && has_link(change))
        status = take_part(payload, 'L', NAME_SIZE_MAX, &change->link_key);
    if (!status && has_link(change))
        status = take_part(payload, 'R', NAME_SIZE_MAX, &change->link_element);
    if (!status && (change->flags & CHANGE_ATTRIBUTES))
        status = take_part(payload, 'A', ATTRIBUTES_SIZE_MAX, &change->attributes);
    return status;
}

/* --- Configs ---------------------------------------------------------------------------
 */

void graph_config_encode(const struct graph_config *config,
                         uint8_t bytes[GRAPH_CONFIG_SIZE]) {
    bytes[0] = 1;
    store_le64(bytes + 1, config->nodes);
    store_le64(bytes + 9, config->edges);
    bytes[17] = config->origin;
}

enum status graph_config_decode(struct slice bytes, struct graph_config *config) {
    if (bytes.size == 0) return STATUS_CORRUPT;
    if (bytes.data[0] != 1) return STATUS_VERSION;
    if (bytes.size != GRAPH_CONFIG_SIZE) return STATUS_CORRUPT;
    *config = (struct graph_config){.nodes = load_le64(bytes.data + 1),
                                    .edges = load_le64(bytes.data + 9),
                                    .origin = bytes.data[17]};
    return config->origin <= ORIGIN_VCREATE ? STATUS_OK : STATUS_VERSION;
}
