/* A change: one decoded entry body (docs/format.md, section 6), the form in which the
 * kernel is asked and told, and its bytes.
 *
 * All slices are borrowed: from the request, from the frame being replayed, or from
 * scratch of the caller. Nothing in a change outlives the call it is given to. */
#ifndef KERNEL_CHANGE_H
#define KERNEL_CHANGE_H

#include "base/buffer.h"
#include "base/sha256.h"
#include "base/slice.h"
#include "base/status.h"

enum change_type {
    CHANGE_SEAL = 1,
    CHANGE_BATCH = 2,
    CHANGE_CREATE = 3,
    CHANGE_VADD = 4,
    CHANGE_VREM = 5,
    CHANGE_SETATTR = 6,
    CHANGE_SETTAG = 7,
    CHANGE_DEL = 8,
    CHANGE_FLUSH = 9,
    CHANGE_GROUP = 10,
    CHANGE_RENAME = 11,
    CHANGE_SET = 12,
    CHANGE_REPLACE = 13, /* SET, but only over a string or nothing */
    CHANGE_INCR = 14,
    CHANGE_EXPIRE = 15,
    CHANGE_GCREATE = 20, /* 20 to 24: of graphs */
    CHANGE_NODE = 21,
    CHANGE_NODEDEL = 22,
    CHANGE_EDGE = 23,
    CHANGE_EDGEDEL = 24,
    CHANGE_ALL = 25, /* a group of changes of one graph and one collection */
    CHANGE_SYSTEM = 40, /* set or remove a system record */
};

static inline bool change_of_graph(uint8_t type) {
    return type >= CHANGE_GCREATE && type <= CHANGE_EDGEDEL;
}
/* GROUP or ALL: how many of a batch's elements come together, and nothing else. */
static inline bool change_is_group(uint8_t type) {
    return type == CHANGE_GROUP || type == CHANGE_ALL;
}
static inline bool change_of_edge(uint8_t type) {
    return type == CHANGE_EDGE || type == CHANGE_EDGEDEL;
}

/* Whether a change of this type may be an entry of its own, and not only in a batch. */
static inline bool change_stands_alone(uint8_t type) {
    return (type >= CHANGE_CREATE && type <= CHANGE_EXPIRE && type != CHANGE_GROUP) ||
           change_of_graph(type) || type == CHANGE_SYSTEM;
}

enum change_flag {
    CHANGE_VECTOR = 1,
    CHANGE_ATTRIBUTES = 2,
    CHANGE_ERASABLE = 4,
    CHANGE_TAG = 8,
    CHANGE_FP32 = 16,
    CHANGE_NX = 32,
    CHANGE_XX = 64,
    CHANGE_CONFIG = 128,
    /* Of nodes and edges, in the place of those that they cannot have: */
    CHANGE_LINK = 1,
    CHANGE_KIND = 8,
    CHANGE_WEIGHT = 8,
    CHANGE_UNLINK = 16,
};

enum metric { METRIC_COSINE = 1, METRIC_L2 = 2, METRIC_IP = 3 };
enum index_kind { INDEX_FLAT = 1, INDEX_HNSW = 2 };
enum quantisation { QUANTISATION_NONE = 0, QUANTISATION_Q8 = 1, QUANTISATION_BIN = 2 };
enum origin { ORIGIN_VADD = 0, ORIGIN_VCREATE = 1 };

/* Records that govern behaviour and are no keys. */
enum system_kind { SYSTEM_USER = 1 /* of ACL: the value is its rules */ };

#define DATABASE_COUNT      16
#define FLUSH_ALL           UINT32_MAX
#define NAME_SIZE_MAX       65536
#define ATTRIBUTES_SIZE_MAX 65536
#define STRING_SIZE_MAX     262144
#define BATCH_INLINE_MAX    65403 /* a longer batch body takes form 1 */
#define CONFIG_SIZE         29   /* of form 1 */
#define CONFIG_SIZE_MAX     286   /* of form 2 */
#define SCHEMA_FIELDS_MAX   8
#define SCHEMA_NAME_MAX     30
#define DEADLINE_MARK       0x80 /* ends a config: a deadline follows */
#define DEADLINE_SIZE       9
#define DEADLINE_KEPT       UINT64_MAX /* SET: that of the key stays */
#define GRAPH_CONFIG_SIZE   18
#define WORD_SIZE_MAX       255 /* kinds and types */

/* Fields of the attributes that are indexed (schema.h). */
enum schema_type { SCHEMA_NUMBER = 1, SCHEMA_STRING = 2 };
struct schema {
    uint8_t count;
    uint8_t types[SCHEMA_FIELDS_MAX]; /* enum schema_type */
    uint8_t sizes[SCHEMA_FIELDS_MAX]; /* of their names, in bytes */
    uint8_t names[SCHEMA_FIELDS_MAX][SCHEMA_NAME_MAX];
};

/* When EXPIRE does nothing. A key without a deadline lives for ever. */
enum expire_condition {
    EXPIRE_ALWAYS,
    EXPIRE_NX,    /* unless it has none */
    EXPIRE_XX,    /* unless it has one */
    EXPIRE_GT,    /* unless the new one is later */
    EXPIRE_LT,    /* unless it is earlier */
    EXPIRE_XX_LT, /* both */
    EXPIRE_CONDITIONS,
};

/* What a collection is made with; every field resolved (DESIGN.md 13.2). */
struct config {
    uint8_t metric, index, quantisation, origin;
    uint32_t dim;
    uint32_t m;
    uint32_t ef;
    uint64_t capacity;   /* elements; 0: no limit */
    uint32_t reduce_dim; /* 0: no projection */
    struct schema schema;
};

/* The same of a graph. */
struct graph_config {
    uint64_t nodes, edges; /* capacities; 0: no limit */
    uint8_t origin;        /* ORIGIN_VADD: made by its first node */
};

struct change {
    uint8_t type;         /* enum change_type */
    uint8_t flags;        /* enum change_flag */
    uint32_t db;          /* FLUSH: or FLUSH_ALL; SYSTEM: enum system_kind */
    uint32_t group_count; /* GROUP and ALL only */
    uint64_t tag;   /* EXPIRE, SET, REPLACE: the deadline, in ms since 1970; 0: none */
    int64_t delta;  /* INCR; EXPIRE: enum expire_condition */
    int32_t weight; /* EDGE: Q16.16 */
    struct slice key, element;     /* `element`: of a graph the node, or an edge's source.
                                      SYSTEM: the record's name is in `key` */
    struct slice target;           /* RENAME: the new name. Of an edge its destination */
    struct slice vector;           /* vector bytes as docs/format.md section 6 has them */
    struct slice attributes, fp32; /* SET, REPLACE, SYSTEM: the value is in `attributes` */
    struct slice word;                   /* a node's kind, an edge's type */
    struct slice link_key, link_element; /* NODE */
    union {
        struct config config;
        struct graph_config graph; /* GCREATE and NODE */
    };
    /* What the entry says in their place. change_commit() computes them. */
    uint8_t object_hash[SHA256_SIZE], element_hash[SHA256_SIZE], target_hash[SHA256_SIZE];
    uint8_t vector_hash[SHA256_SIZE], attributes_hash[SHA256_SIZE],
        fp32_hash[SHA256_SIZE], link_hash[SHA256_SIZE];
};

/* Compute the hashes of all parts that the change's type and flags call for. */
void change_commit(struct change *change);

/* Append the body. */
enum status change_encode_body(const struct change *change, struct buffer *body);
/* Append the payload parts; `with_key` is false where a batch leaves the key out. */
enum status change_encode_payload(const struct change *change, bool with_key,
                                  struct buffer *payload);

/* Read a body of `type`, and its parts off the front of *payload. `previous` is the
 * element before it in the batch, or NULL: its key is taken when the part was left out.
 * STATUS_CORRUPT: malformed, or a commitment does not fit its part. STATUS_VERSION: a
 * flag that this release does not know. `verify` false skips the hashing (for bytes that
 * this process has just encoded). */
enum status change_decode(uint8_t type, struct slice body, struct slice *payload,
                          const struct change *previous, bool verify,
                          struct change *change);

/* The size of a config in bytes: CONFIG_SIZE without a schema. */
uint32_t config_size(const struct config *config);
/* config_size() bytes each way. Decoding answers STATUS_VERSION for an unknown form and
 * STATUS_CORRUPT for values out of range. */
void config_encode(const struct config *config, uint8_t *bytes);
enum status config_decode(struct slice bytes, struct config *config);
void graph_config_encode(const struct graph_config *config,
                         uint8_t bytes[GRAPH_CONFIG_SIZE]);
enum status graph_config_decode(struct slice bytes, struct graph_config *config);

/* Vector bytes. Sizes: 5 + 4 * dim, and 6 + 4 * dim when scaled. */
size_t vector_bytes_size(bool scaled, uint32_t dim);
void vector_encode(const int32_t *values, uint32_t dim, bool scaled, int8_t exponent,
                   uint8_t *bytes);
struct vector_facts {
    bool scaled;
    uint32_t dim;
    int8_t exponent;
    const uint8_t *values; /* dim little-endian i32 inside the bytes */
};
enum status vector_decode(struct slice bytes, struct vector_facts *facts);

/* KH and C of docs/format.md section 7. */
void hash_object_name(uint32_t db, struct slice key, uint8_t hash[SHA256_SIZE]);
void hash_element_name(struct slice element, uint8_t hash[SHA256_SIZE]);
void hash_node_name(struct slice node, uint8_t hash[SHA256_SIZE]);
/* 'E' of an edge's type and destination, 'I' of its type and source. */
void hash_edge_name(char kind, struct slice type, struct slice node,
                    uint8_t hash[SHA256_SIZE]);
void hash_link(uint32_t db, struct slice key, struct slice element,
               uint8_t hash[SHA256_SIZE]);
void hash_principal(struct slice user, uint8_t hash[SHA256_SIZE]);
void hash_system_name(uint8_t kind, struct slice id, uint8_t hash[SHA256_SIZE]);
void hash_payload(char kind, struct slice bytes, uint8_t hash[SHA256_SIZE]);

#endif
