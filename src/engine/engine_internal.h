/* The engine's own parts, shared by its files. */
#ifndef ENGINE_ENGINE_INTERNAL_H
#define ENGINE_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "engine/load.h"
#include "engine/save.h"
#include "engine/scan_ahead.h"
#include "engine/upkeep.h"
#include "kernel/proof.h"

enum engine_phase {
    PHASE_OPENED, /* nothing of the log was read but headers */
    PHASE_LOAD,   /* a snapshot is being loaded */
    PHASE_SCAN,   /* frames are being read and checked */
    PHASE_REPLAY, /* entries are being applied */
    PHASE_READY,
    PHASE_FAILED, /* final: only engine_close() */
};

enum batch_phase {
    BATCH_NONE,
    BATCH_ADMIT,  /* it is a group, whose members are looked at */
    BATCH_APPEND, /* its long frame goes into the log */
    BATCH_APPLY,  /* it is in the log */
    BATCH_SINGLE, /* no batch: a change that is applied in steps */
};

/* An entry on its way into the log. */
struct appending {
    uint8_t head[ENTRY_HEADER_SIZE + 64];
    struct log_entry logged;
    uint64_t time_us;
};

/* A batch under way: its elements and, inside a group, what became of the group. */
struct running_batch {
    enum batch_phase phase;
    struct batch_reader reader;
    uint64_t sequence;
    uint32_t group_left;       /* members still to come */
    enum status group_refusal; /* of the group they belong to */
    bool admitted;             /* its group was checked before it was logged */
    /* The members of a group that are looked at before one of them is applied. */
    struct batch_reader ahead;
    struct group group;
    uint32_t unchecked; /* of them */
    struct appending appending;
    struct outcome unfinished; /* of an element that is applied in steps: `more` is set */
};

#define SEAL_SIZE (8 + 2 * SHA256_SIZE + 2 * (8 + SHA256_SIZE)) /* of a SEAL's body */

/* The last SEAL as proofs need it. */
struct seal_entry {
    uint64_t sequence; /* which one it is */
    size_t size;       /* of `bytes`; 0: there is none */
    uint8_t bytes[ENTRY_HEADER_SIZE + SEAL_SIZE];
    size_t tail_size; /* hashes beside its way to the log's root */
    uint8_t tail[PROOF_TAIL_MAX][SHA256_SIZE];
};

struct engine {
    const struct os *os;
    const struct allocator *allocator;
    struct engine_options options;
    enum engine_phase phase;

    struct directory *directory;
    struct log *log; /* NULL without appendonly */
    struct kernel *kernel;

    /* The log that is not on a disk, without appendonly. */
    struct rfc6962_range tree;

    uint8_t principal[SHA256_SIZE];
    uint64_t last_time_us; /* of the last entry; entries never go back */
    struct buffer body,
        payload; /* of the entry being submitted; kept to save allocations */
    struct running_batch batch;

    struct roots sealed; /* by the last SEAL */
    struct seal_entry seal_entry;
    uint64_t seal_sequence;
    uint64_t dirty;          /* changes since */
    uint64_t dirty_since_us; /* monotonic time of the first of them */

    uint64_t changed; /* see engine_changed() */
    bool following;
    bool diverged;
    struct divergence divergence;

    uint64_t acknowledged;
    uint64_t unsynced_since_us; /* how long the oldest unsynced entry has waited */
    uint64_t sync_started_us, sync_ended_us;
    bool syncing;
    bool alone;    /* nobody but the one who waits: sync in place */
    bool refusing; /* the disk is full */
    uint64_t space_checked_us;

    struct save save;
    struct upkeep upkeep;
    struct load load;
    uint64_t load_bytes; /* to read and to check */
    struct scan_ahead ahead; /* recovery's scan, where it runs beside the replay */
    struct log *follower;    /* and the handle that replays meanwhile */
    uint64_t bytes_replayed, bytes_scanned, bytes_total; /* recovery's progress */
    uint64_t scan_target;                                /* last SEAL found by the scan */
    uint64_t replay_started_us;
    struct engine_facts facts;
};

/* Give an entry its header and put it into the log. */
struct entry_parts {
    uint8_t type;
    uint16_t flags;
    struct slice body_head, body; /* one after the other */
    struct slice list, payload;
};
enum status engine_append(struct engine *engine, const struct entry_parts *parts,
                          uint64_t *sequence);
/* The same for the running batch. STATUS_AGAIN: its frame is a long one, and
 * engine_append_step() goes on until that answers anything else. */
enum status engine_append_batch(struct engine *engine, const struct entry_parts *parts,
                                uint64_t *sequence);
enum status engine_append_step(struct engine *engine, uint64_t *sequence);

/* The same for an entry that has its header already. STATUS_AGAIN only for the running
 * batch. */
enum status engine_append_given(struct engine *engine, const struct log_entry *entry,
                                uint64_t time_us, uint64_t *sequence);

/* What any write is asked first. */
enum status engine_writable(const struct engine *engine);

/* An empty kernel in memory of the system. STATUS_MEMORY. */
enum status engine_make_kernel(const struct os *os, struct kernel **kernel);
/* Throw the state away. STATUS_MEMORY. */
enum status engine_empty_kernel(struct engine *engine);

/* Append a SEAL, whether anything has changed or not. Failures as engine_seal(). */
enum status engine_seal_anew(struct engine *engine);

/* A SEAL with these roots is in the log. */
void engine_note_seal(struct engine *engine, uint64_t sequence,
                      const struct roots *roots);

/* Note that a change was applied. */
void engine_note_change(struct engine *engine);

/* Walk a batch: see engine_batch_next(). */
void batch_start(struct engine *engine, const struct batch_reader *reader,
                 uint64_t sequence, bool admitted);
enum status batch_step(struct engine *engine, struct batch_event *event);

/* --- prove.c: the last SEAL, kept for proofs. First how the log is before it, then itself. */
void prove_keep_tail(struct engine *engine);
void prove_keep_seal(struct engine *engine, const struct log_entry *entry);

/* SEAL bodies. */
void seal_encode(uint64_t sequence, const struct roots *roots, uint8_t body[SEAL_SIZE]);
/* STATUS_VERSION for another semantics id. */
enum status seal_decode(struct slice body, uint64_t *sequence, struct roots *roots);
bool roots_equal(const struct roots *a, const struct roots *b);

#endif
