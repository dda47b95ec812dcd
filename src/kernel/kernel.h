/* The state machine: a pure function of the entries applied to it.
 *
 * A write is three steps. kernel_admit() decides and reserves, and changes nothing; the
 * caller appends the entry to the log; kernel_apply() changes the state and cannot fail.
 * Reads take the const state, be it the live one or a frozen view. Nothing here reads a
 * clock, draws a random number, uses a float or depends on an address: equal entries give
 * equal roots. */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include "kernel/change.h"
#include "kernel/memory_source.h"
#include "kernel/trie_sum.h"

struct state;  /* what is true: databases, collections, records, tries (state.h) */
struct object; /* one key, and a string's value */
struct collection; /* the part of a key that holds vectors */

/* A live kernel: its state, and what only writing needs. */
struct kernel;

/* An empty kernel, which lies in memory of `source` itself. STATUS_MEMORY. */
enum status kernel_create(const struct memory_source *source, struct kernel **kernel);
void kernel_destroy(struct kernel *kernel);
const struct state *kernel_state(const struct kernel *kernel);

/* What a change did, or why it did nothing. */
struct outcome {
    enum status status; /* STATUS_OK, or the refusal of a batch's element */
    bool created_key;
    bool added;       /* VADD: the element is new */
    bool removed_key; /* VREM took the last element of a collection that VADD had made */
    bool more; /* NODEDEL: there are edges left, kernel_apply_more() goes on */
};

/* What governs behaviour and is no key: system records, by kind and name. */
struct system_record {
    uint32_t kind;
    struct slice id, value; /* good until the next change */
};
/* The record in the first row from `row` on; UINT32_MAX after the last. The order means
 * nothing. */
uint32_t state_system_next(const struct state *state, uint32_t row,
                           struct system_record *record);
bool state_system_find(const struct state *state, enum system_kind kind, struct slice id,
                       struct slice *value);
/* Grows with every change of a system record. Enters no hash. */
uint64_t kernel_system_version(const struct kernel *kernel);

/* Would `change`, committed by change_commit(), be refused now (docs/format.md 6.1)? On
 * STATUS_OK memory for applying it is reserved, and a config that it carries for a key
 * that exists is dropped; the yes holds for kernel_apply() with the same struct, if
 * nothing is applied in between. STATUS_MEMORY when there is none. The state does not
 * change. Groups: kernel_group_check(). */
enum status kernel_admit(struct kernel *kernel, struct change *change);
/* Reserve memory for `bytes` of payload in `count` changes that the state decides about
 * later (the elements of a batch). */
enum status kernel_reserve(struct kernel *kernel, uint64_t bytes, uint64_t count);

/* Apply one change of the entry `sequence`. Alone it must have been admitted (a refusal
 * gives its status and changes nothing; the caller then knows that the log is damaged);
 * in a batch a refusal is an outcome. SEAL, BATCH and GROUP are not for this call. */
void kernel_apply(struct kernel *kernel, uint64_t sequence, const struct change *change,
                  struct outcome *outcome);

/* After `more`: take away some more edges, and at last the node. Nothing else may be applied,
 * sealed or frozen before `outcome->more` is false. */
void kernel_apply_more(struct kernel *kernel, struct outcome *outcome);

/* All-or-nothing check of a group before its elements are applied: begin with the number
 * of elements and STATUS_OK, show it each of them, and apply them only if it is still OK.
 */
struct group {
    uint32_t count;
    bool all; /* ALL, not GROUP */
    enum status status;
    /* group_takes(): */
    uint32_t seen, vadds, vrems;
    bool has_object, has_graph;
    uint8_t object[SHA256_SIZE], graph[SHA256_SIZE]; /* OKH that its members name */
    /* ALL, so far: new nodes and edges, and the graph that a NODE makes. */
    uint64_t new_nodes, new_edges;
    bool makes_graph;
    struct graph_config graph_config;
    bool has_config; /* the first member carried one: it serves the others of a missing
                        key */
    struct config config;
};
void kernel_group_check(struct kernel *kernel, struct group *group,
                        const struct change *change);
/* Every member of an ALL was shown, or will not be: forget what was noted of them. */
void kernel_group_end(struct kernel *kernel);
/* Is this the next member of a group that docs/format.md 6 allows? */
bool group_takes(struct group *group, const struct change *member);

/* A hint that VADDs of these elements, all of one key, are about to come. The hashes are
 * those of the names; at most KERNEL_FETCH_MAX. */
#define KERNEL_FETCH_MAX 32
void kernel_fetch(const struct kernel *kernel, const uint8_t object_hash[SHA256_SIZE],
                  const uint8_t *const *element_hashes, size_t count);

/* A number that differs before and after every change of the key, its making and its removal
 * included; while the process lives, equal numbers mean that nothing was done to it. Of a key
 * that does not exist it may also change for nothing, when another key is made: one in 4,096 is
 * confused with it. Enters no hash and no answer but EXEC's. */
uint64_t kernel_key_version(const struct kernel *kernel, const uint8_t key[SHA256_SIZE]);

/* --- Roots ---------------------------------------------------------------------------
 */

struct roots {
    uint8_t state_root[SHA256_SIZE];
    struct trie_sum keyspace, system;
};

/* While `live`, a change hashes its own path at once, so that kernel_seal() is short. Off
 * (as at first) it is left to kernel_seal(), which is less work in all for a replay. The
 * roots are the same. */
void kernel_set_live(struct kernel *kernel, bool live);

/* Bring the trie up to date and give its roots. O(mutations since the last call). */
void kernel_seal(struct kernel *kernel, struct roots *roots);
/* Leaves changed since then. */
uint64_t kernel_dirty(const struct kernel *kernel);
/* Changes that were ever applied. */
uint64_t kernel_changes(const struct kernel *kernel);
/* State root from roots of the two tries. */
void roots_finish(struct roots *roots);

/* Recompute everything from raw memory, in slices: names, vectors and attributes are
 * hashed again, and every trie is walked and checked against them. `content` takes every
 * widx and index chain as 0, which gives the content root: equal for equal contents,
 * however they came about. The state must not change between steps (a frozen view does
 * not). */
struct recompute;
#define RECOMPUTE_SIZE 131072
/* `room` is RECOMPUTE_SIZE bytes aligned to 16, borrowed until the end. */
struct recompute *recompute_begin(void *room, const struct state *state, bool content);
/* The same, but what collections' tries say is believed: verify.h has looked. */
struct recompute *recompute_begin_trusting(void *room, const struct state *state);
/* Look at about `leaves` more leaves. STATUS_AGAIN: there is more. STATUS_OK: *roots is
 * complete. STATUS_CORRUPT: the tries do not hold what the pools hold. */
enum status recompute_step(struct recompute *recompute, uint32_t leaves,
                           struct roots *roots);

/* --- Views ---------------------------------------------------------------------------
 */

/* Freeze: a constant view of this moment, O(1). Writes copy what the view can see. At
 * most KERNEL_VIEWS_MAX at a time; STATUS_MEMORY beyond. Release every view. */
#define KERNEL_VIEWS_MAX 8
enum status kernel_freeze(struct kernel *kernel, const struct state **view);
void kernel_release(struct kernel *kernel, const struct state *view);

/* Give back memory of deleted objects for about `budget` rows; true while there is more.
 * The state that anyone can see does not change. */
bool kernel_tidy(struct kernel *kernel, uint32_t budget);

/* --- Reads ---------------------------------------------------------------------------
 */

uint64_t state_key_count(const struct state *state, uint32_t db);
uint64_t state_key_total(const struct state *state);
uint64_t state_record_total(const struct state *state);
/* Of all graphs together. */
uint64_t state_graph_nodes(const struct state *state);
uint64_t state_graph_edges(const struct state *state);

struct record;
enum object_type { OBJECT_COLLECTION = 1, OBJECT_STRING = 2, OBJECT_GRAPH = 3 };

/* NULL when there is no such key. The object is good until the next change. */
const struct object *state_find(const struct state *state, uint32_t db, struct slice key);
/* A hint that these keys are about to be looked up, or made. At most STATE_FETCH_MAX. */
#define STATE_FETCH_MAX 32
void state_fetch(const struct state *state, uint32_t db, const struct slice *keys,
                 size_t count);
enum object_type object_type(const struct object *object);
/* A string's value, good until the next change. */
struct slice object_string(const struct state *state, const struct object *object);

/* The collection that the key holds; NULL when it holds something else. Good as long as
 * the object. */
/* A graph's part, or NULL (graph.h). */
struct graph;
const struct graph *object_graph(const struct state *state, const struct object *object);
const struct collection *object_collection(const struct state *state,
                                           const struct object *object);
/* Both at once: NULL when there is no such key or it holds something else. */
const struct collection *state_collection(const struct state *state, uint32_t db,
                                          struct slice key);

/* When the key is due to go, in ms since 1970; 0: never. That it is due changes nothing
 * by itself. */
uint64_t object_deadline(const struct object *object);
/* Keys of the database with a deadline. */
uint64_t state_expires(const struct state *state, uint32_t db);
/* Look at `budget` places of keys from *row on, for one whose deadline is not after
 * `now`; NULL: none of these. *row is where to go on: at the end it begins again. */
const struct object *state_find_due(const struct state *state, uint64_t now,
                                    uint32_t *row, uint32_t budget);

/* Bytes that the key has in memory, its records included. The nodes of tries are shared by all
 * and counted as one for each leaf. O(chunks). */
uint64_t object_memory(const struct state *state, const struct object *object);
/* The key's name, and its database. */
struct slice object_name(const struct state *state, const struct object *object);
uint32_t object_database(const struct object *object);
/* Key number `index` of all databases together, in the order of key hashes. */
const struct object *state_key_at(const struct state *state, uint64_t index);

/* A walk in the order of key hashes (KH of docs/format.md), of keys or of a collection's
 * elements. It holds no row: what is there throughout is met exactly once, whatever else is
 * changed between two steps. */
struct scan {
    uint8_t hash[SHA256_SIZE];
    bool above; /* `hash` was met */
};
/* From the first hash whose high 64 bits are not below `prefix`. */
void scan_begin(struct scan *scan, uint64_t prefix);
/* The high 64 bits of the hash met last. */
uint64_t scan_prefix(const struct scan *scan);
/* The next key, of any database; NULL at the end. */
const struct object *scan_key(const struct state *state, struct scan *scan);
/* The next element; false at the end. */
bool scan_record(const struct state *state, const struct collection *collection,
                 struct scan *scan, struct record *record);

const struct config *collection_config(const struct collection *collection);
uint64_t collection_count(const struct collection *collection); /* live elements */
uint64_t
collection_next_slot(const struct collection *collection); /* insertions so far */
uint64_t collection_attributes_count(const struct collection *collection);

/* One record, with slices into kernel chunks, good until the next change. `values` are
 * dim native integers. */
struct record {
    uint32_t slot;
    uint64_t widx;
    uint8_t flags; /* as in the record's hash: CHANGE_VECTOR, _ATTRIBUTES, _TAG, _FP32 */
    int8_t exponent;
    uint64_t tag;
    struct slice element, attributes, fp32;
    const int32_t *values;
};
/* False when there is no such element. */
bool record_find(const struct state *state, const struct collection *collection,
                 struct slice element, struct record *record);
/* Number `index` of the live ones, in the order of their names' hashes. */
void collection_record_at(const struct state *state, const struct collection *collection,
                          uint64_t index, struct record *record);
/* By slot; false when the slot holds none. */
bool record_at(const struct state *state, const struct collection *collection,
               uint32_t slot, struct record *record);
/* One past the last slot ever used. */
uint32_t collection_slot_limit(const struct collection *collection);

/* Bytes of chunks in use, and taken from the source. */
uint64_t kernel_memory_used(const struct kernel *kernel);
uint64_t kernel_memory_taken(const struct kernel *kernel);

#endif
