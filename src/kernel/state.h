/* What the kernel's chunks hold, for the kernel's own files. Everyone else asks kernel.h.
 *
 * struct state is copied as a whole to make a view; all it reaches lies in blocks that
 * are copied on first write. An object (one key) is a row of `objects`, which is small;
 * what its type needs beside a string's value is its part, a row in the pool of that
 * type. A collection's records are rows with one number, the slot, in three pools side by
 * side: vectors (what distances read), facts (what scans filter by) and metas (what the
 * commitment and replies need).
 */
#ifndef KERNEL_STATE_H
#define KERNEL_STATE_H

#include "kernel/heap.h"
#include "kernel/hnsw_write.h"
#include "kernel/kernel.h"
#include "kernel/schema.h"
#include "kernel/tags.h"
#include "kernel/trie.h"

/* facts.word: the flags in the top bits, and in a cosine collection |b|^2 (at most 2^50)
 * below. */
#define FACT_LIVE   (UINT64_C(1) << 63)
#define FACT_TAGGED (UINT64_C(1) << 62)
#define FACT_NORM   (FACT_TAGGED - 1)

struct facts {
    uint64_t
        tag; /* First: the link of a free row lies here and must not look like a flag. */
    uint64_t word;
};

struct meta {
    struct trie_leaf leaf;
    uint64_t widx;
    uint64_t name, attributes, fp32; /* heap handles */
    uint32_t name_size, attributes_size;
    uint8_t flags; /* of the record, as RV has them */
    int8_t exponent;
    uint8_t unused[2];
    uint32_t tag_place; /* tags.h; of a record with a tag */
    uint32_t point;     /* in the collection's HNSW index; 0: it has none */
    uint32_t unused_too;
};
#define META_LAYOUT "64b4d2w4b3w"

/* A key. The first line in the cache finds it, the second is all that a write of a string
 * needs. A string's leaf is hashed when it is asked for: what is written often is sealed
 * seldom. */
struct object {
    struct trie_leaf leaf;
    uint64_t changed; /* state.applied at the last change; for WATCH */
    uint64_t name;    /* heap handle */
    uint32_t name_size;
    uint8_t db;
    uint8_t type; /* enum object_type; 0: the row is free */
    bool dirty;   /* is in the list of objects to hash at the next seal */
    uint8_t unused;
    uint32_t list_next, list_previous; /* object + 1: dirty list, or graveyard */
    uint32_t part;       /* row in the pool of its type; a string has none but these: */
    uint32_t value_size; /* in bytes */
    uint64_t value;      /* heap handle */
    uint64_t widx;
    uint64_t deadline; /* in ms since 1970; 0: none */
};
#define OBJECT_LAYOUT "64b2dw4b4w3d"

struct collection {
    uint32_t stride; /* int32 values in a row of vectors: dim rounded up to 16 */
    struct config config;
    uint64_t next_slot;        /* insertions so far; enters the commitment */
    uint64_t attributes_count; /* records with attributes */
    uint64_t live;             /* records */
    uint64_t heap_bytes;       /* that its records have in the heap */
    uint32_t records;          /* trie over metas */
    uint32_t tags;             /* tags.h: the tree of its tags */
    uint32_t max_bits;    /* bit length of the greatest |value| ever stored; only grows */
    uint32_t buried_slot; /* graveyard: slots below are freed */
    struct pool vectors, facts, metas;
    struct hnsw hnsw;           /* used where config.index says so */
    struct schema_index schema; /* used where config.schema says so */
    uint8_t chain[SHA256_SIZE]; /* X: zeros for FLAT */
};

/* What governs behaviour and is no key: users and their rights. */
struct system_row {
    struct trie_leaf leaf;
    uint64_t widx;
    uint64_t id, value; /* heap handles */
    uint32_t id_size, value_size;
    uint32_t kind; /* enum system_kind; 0: the row is free */
    uint32_t unused;
};
#define SYSTEM_LAYOUT "64b3d4w"

struct state {
    struct pool nodes; /* of all tries */
    struct pool objects;
    struct pool collections;
    struct pool graphs; /* struct graph: graph_rows.h */
    struct heap heap;
    struct tags tags;
    struct pool system_rows;
    uint32_t keyspace; /* trie over objects */
    uint32_t system;   /* trie over system_rows */
    uint64_t keys[DATABASE_COUNT];
    uint64_t records; /* in all objects */
    uint64_t graph_nodes, graph_edges; /* of all graphs */
    uint64_t applied; /* changes so far */
    uint64_t expires[DATABASE_COUNT]; /* keys with a deadline */
};

struct view {
    struct state state;
    uint32_t epoch; /* 0: not in use */
};

/* Rows of an object and of its record; UINT32_MAX: there is none. */
struct place {
    uint32_t row, slot;         /* of a graph: `slot` is the node, or the edge's source */
    uint32_t destination, edge; /* of a change of an edge, and its key */
    uint8_t edge_key[SHA256_SIZE];
};

/* What kernel_admit() found, for kernel_apply() of the same change next. */
struct admitted {
    const struct change *change;
    uint64_t applied; /* state.applied then */
    struct place place;
};

#define KEY_SLOTS 4096

struct kernel {
    struct state state;
    struct memory memory;
    struct admitted admitted;
    uint64_t made[KEY_SLOTS]; /* `applied` when a key was made, by a part of its hash */
    uint64_t system_version;  /* changes of system records so far */
    bool live;                /* changes hash their own path */
    uint32_t dirty_objects;   /* head of the list, object + 1 */
    uint64_t dirty;           /* changes since the last seal */
    uint32_t buried_nodes;    /* graveyard: trie nodes, by reference */
    uint32_t
        buried_keys; /* graveyard: nodes of keyspace tries, whose leaves are objects */
    uint32_t buried_objects; /* graveyard: object + 1 */
    struct pool fresh, fresh_nodes; /* nodes that members of an ALL make: graph_group.c */
    uint32_t fresh_root;
    struct place doomed;     /* the node that kernel_apply_more() takes away */
    struct hnsw_work work;   /* no state */
    uint32_t links_size;     /* of the widest row of links so far */
    uint32_t schema_fields;  /* of the largest schema so far */
    struct view views[VIEWS_MAX];
};

static inline const struct object *object_at(const struct state *state, uint32_t row) {
    return pool_row(&state->objects, row);
}
static inline const struct meta *meta_at(const struct collection *collection,
                                         uint32_t slot) {
    return pool_row(&collection->metas, slot);
}
static inline const struct facts *facts_at(const struct collection *collection,
                                           uint32_t slot) {
    return pool_row(&collection->facts, slot);
}
static inline bool collection_indexed(const struct collection *collection) {
    return collection->config.index == INDEX_HNSW;
}
static inline bool slot_live(const struct collection *collection, uint32_t slot) {
    return (facts_at(collection, slot)->word & FACT_LIVE) != 0;
}

/* --- record.c: one record's bytes and hashes
 * --------------------------------------------- */

/* RV of docs/format.md section 7. */
struct record_hashes {
    uint8_t vector[SHA256_SIZE], attributes[SHA256_SIZE], fp32[SHA256_SIZE];
};
void record_value_hash(const struct record *record, const struct record_hashes *hashes,
                       uint8_t value[SHA256_SIZE]);
/* C of the vector as it is stored, and of what lies beside it. */
void record_hashes(const struct collection *collection, const struct record *record,
                   struct record_hashes *hashes);
/* Everything about the live record in `slot`. */
void record_read(const struct state *state, const struct collection *collection,
                 uint32_t slot, struct record *record);

/* OV of docs/format.md section 7: what an object of any type comes to. */
struct object_sum {
    enum object_type type;
    uint32_t config_size;
    uint8_t config[CONFIG_SIZE_MAX + DEADLINE_SIZE];
    struct trie_sum records, nodes;
    uint8_t chain[SHA256_SIZE];
    uint64_t next_slot;
};
void object_value_hash(const struct object_sum *sum, uint8_t value[SHA256_SIZE]);

/* --- record_tag.c: a record's tag, in its facts and in the lists of tags
 * ------------------- */

/* Set or replace it; take it away, if there is one. What is hashed of the record is the
 * caller's to bring up to date. */
void record_tag(struct memory *memory, struct state *state, struct collection *collection,
                uint32_t slot, uint64_t tag);
void record_untag(struct memory *memory, struct state *state,
                  struct collection *collection, uint32_t slot);

/* --- kernel.c: objects as such
 * ----------------------------------------------------------- */

uint32_t find_row(const struct state *state, const uint8_t key[SHA256_SIZE]);
struct object *own_object(struct kernel *kernel, uint32_t row);
/* Its leaf, which is in the trie, must be hashed again at the next seal. */
void touch_object(struct kernel *kernel, uint32_t row);
/* A key of this hash exists from now on. */
void note_made(struct kernel *kernel, const uint8_t key[SHA256_SIZE]);
/* A new object under the change's key, of that type; its part is the caller's. */
uint32_t add_object(struct kernel *kernel, const struct change *change,
                    enum object_type type);
void delete_object(struct kernel *kernel, uint32_t row);

/* --- string.c: strings; and RENAME, of anything
 * ------------------------------------------ */

/* Refusals of docs/format.md 6.1. `object` is NULL for no such key. */
enum status string_refused(const struct state *state, const struct object *object,
                           const struct change *change);
void apply_set(struct kernel *kernel, uint64_t sequence, const struct change *change,
               uint32_t row);
void apply_incr(struct kernel *kernel, uint64_t sequence, const struct change *change,
                uint32_t row);
void apply_rename(struct kernel *kernel, const struct change *change, uint32_t row);
/* --- deadline.c: EXPIRE
 * ---------------------------------------------------------------- */

/* `object` is NULL for no such key. */
enum status expire_refused(const struct object *object, const struct change *change);
void apply_expire(struct kernel *kernel, const struct change *change, uint32_t row);
/* 0: none. The object is touched already. */
void set_deadline(struct kernel *kernel, uint32_t row, uint64_t deadline);
/* What the deadline adds to a sum. */
void deadline_sum(const struct object *object, struct object_sum *sum);

/* What OV says of a string; `content` takes its widx as 0. */
void string_sum(const struct state *state, const struct object *object, bool content,
                struct object_sum *sum);

/* --- system.c: system records
 * ------------------------------------------------------------ */

/* UINT32_MAX: there is none. */
uint32_t find_system(const struct state *state, const uint8_t key[SHA256_SIZE]);
void apply_system(struct kernel *kernel, uint64_t sequence, const struct change *change,
                  uint32_t row);
/* SKH and RV of the record in `row`, from its bytes; `content` takes its widx as 0. */
void system_leaf(const struct state *state, uint32_t row, bool content,
                 uint8_t key[SHA256_SIZE], uint8_t value[SHA256_SIZE]);

/* --- collection.c: collections and their elements
 * --------------------------------------- */

/* Refusals of docs/format.md 6.1. `object` is NULL for no such key; `exists`: it has the
 * element; `group` is NULL for a change on its own. */
enum status collection_refused(const struct state *state, const struct object *object,
                               const struct change *change, bool exists,
                               const struct group *group);
/* Pools and index of one that has its config and nothing else. */
void collection_begin(struct kernel *kernel, struct collection *collection);
/* An empty one under the change's key, by the change's config. Gives the object's row. */
uint32_t create_collection(struct kernel *kernel, const struct change *change);
void apply_vadd(struct kernel *kernel, uint64_t sequence, const struct change *change,
                struct place place, struct outcome *outcome);
void apply_vrem(struct kernel *kernel, uint64_t sequence, const struct change *change,
                struct place place, struct outcome *outcome);
/* SETATTR and SETTAG. */
void apply_to_record(struct kernel *kernel, uint64_t sequence,
                     const struct change *change, struct place place);
/* What OV says of one whose records trie comes to `records`; `content` takes X as 0. */
void collection_sum(const struct collection *collection, const struct trie_sum *records,
                    bool content, struct object_sum *sum);
/* The same of the collection of object `row`, hashing what is marked in its trie. */
void seal_collection(struct kernel *kernel, uint32_t row, struct object_sum *sum);
/* Bytes that it has in memory, its records included. O(chunks). */
uint64_t collection_memory(const struct collection *collection);

/* --- scan.c: walks in the order of key hashes
 * -------------------------------------------- */

/* The next leaf of a trie; UINT32_MAX at the end. */
uint32_t scan_leaf(const struct state *state, const struct pool *leaves, uint32_t root,
                   struct scan *scan);

/* --- bury.c: deleted objects
 * ------------------------------------------------------------- */

/* Put what is no longer reachable into the graveyard; kernel_tidy() frees it. */
void bury_object(struct kernel *kernel, uint32_t row);
/* The trie nodes of what hangs on `root`, unless it is none; their leaves are not looked at. */
void bury_nodes(struct kernel *kernel, uint32_t root);
void bury_keyspace(struct kernel *kernel, uint32_t root);

#endif
