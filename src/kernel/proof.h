/* Proofs about the state at a SEAL (docs/format.md, section 10): that a key or a record
 * is there with this value, that it is not, or which one has a given rank.
 *
 *     proof_take()    the server's part: from a sealed state
 *     proof_write()   as text            proof_read()   and back
 *     proof_check()   the verifier's part: needs nothing but the proof
 *
 * The proof of a record leads from the record's value through its object and the keyspace
 * to the state root in a SEAL, and from that entry to the root of the log that ends with
 * it. */
#ifndef KERNEL_PROOF_H
#define KERNEL_PROOF_H

#include "kernel/entry.h"
#include "kernel/kernel.h"
#include "kernel/trie.h"

#define PROOF_CONFIG_MAX 65536
#define PROOF_CONFIG_ROOM 1024 /* for that of any object that there is */
#define PROOF_TAIL_MAX   64

enum proof_question {
    PROOF_OF_RECORD, /* of this element of this key */
    PROOF_OF_KEY,
    PROOF_OF_SAMPLE, /* of the key's element number `rank`, in the order of key hashes */
};

/* What lies at the end of a trie's path. */
enum proof_end {
    PROOF_FOUND, /* what was asked for */
    PROOF_OTHER, /* a leaf of another key, which rules this one out */
    PROOF_NONE,  /* nothing */
};
struct other_leaf {
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE]; /* KH, VH */
};

/* What RV is made of. */
struct record_claim {
    uint64_t widx, tag;
    uint8_t flags;
    uint8_t vector[SHA256_SIZE], attributes[SHA256_SIZE], fp32[SHA256_SIZE]; /* C */
};
void record_claim_hash(const struct record_claim *claim, uint8_t value[SHA256_SIZE]);

/* What OV is made of. */
struct object_claim {
    uint8_t type;
    struct slice config;
    struct trie_sum records, nodes;
    uint8_t chain[SHA256_SIZE];
    uint64_t next_slot;
};
void object_claim_hash(const struct object_claim *claim, uint8_t value[SHA256_SIZE]);
/* Of an object's sum (state.h), which the claim's config then lies in. */
struct object_sum;
void object_claim_of(const struct object_sum *sum, struct object_claim *claim);

struct proof {
    enum proof_question question;
    uint32_t db;
    struct slice key, element; /* SAMPLE: the element that was found */
    uint64_t rank;

    struct slice seal; /* the SEAL's entry */
    uint32_t tail_depth;
    uint8_t tail[PROOF_TAIL_MAX]
                [SHA256_SIZE]; /* inclusion of the SEAL as the last entry */

    struct trie_path keyspace;
    enum proof_end object_end;
    struct other_leaf other_object;
    struct object_claim object; /* FOUND */

    struct trie_path
        records; /* from here on: not of a KEY, and only if the object is there */
    enum proof_end record_end;
    struct other_leaf other_record;
    struct record_claim record;

    struct slice note;                 /* a signed note over that log; may be empty */
    uint8_t config_bytes[PROOF_CONFIG_ROOM]; /* behind `object.config` of proof_take() */
};

/* Answer the question in `proof` from a state whose tries are sealed; SEAL, log and note
 * are the caller's to fill. Slices go into the state. SAMPLE: STATUS_NO_KEY, STATUS_RANGE
 * (not so many elements), STATUS_WRONG_TYPE. */
enum status proof_take(const struct state *state, struct proof *proof);

/* Append the text. STATUS_MEMORY, STATUS_TOO_LARGE. */
enum status proof_write(const struct proof *proof, struct buffer *text);

/* Read a text. `room` gets the bytes behind the proof's slices and has to live as long.
 * On STATUS_INVALID `fault` says what is wrong, and where. STATUS_MEMORY. */
struct proof_fault {
    const char *reason; /* in words */
    uint32_t line;      /* of the text; 0: nowhere in particular */
    size_t offset;
};
enum status proof_read(struct slice text, struct buffer *room, struct proof *proof,
                       struct proof_fault *fault);

/* Does it hold? Gives the size and the root of the log that it is about, for a checkpoint
 * to confirm: nobody's word was taken for them. NULL: yes; otherwise why not. */
struct proof_result {
    uint64_t log_size;
    uint8_t log_root[SHA256_SIZE], state_root[SHA256_SIZE];
    uint64_t time_us; /* of the SEAL, by the server's clock */
};
const char *proof_check(const struct proof *proof, struct proof_result *result);

#endif
