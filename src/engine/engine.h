/* The durable database, without a network: a directory, a kernel and a log.
 *
 * A write goes admit -> append -> apply inside engine_submit(). It is durable once
 * engine_durable() has passed its sequence; whoever answers a client waits until
 * engine_acknowledged() has, which follows the sync policy. Reads go through
 * engine_state(). engine_turn() is called once per loop turn, before sleeping. The engine
 * does not block on a sync (the os table's helper does) unless it was told that nobody
 * else is there. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "kernel/entry.h"
#include "kernel/kernel.h"
#include "os/os.h"
#include "storage/log.h"

struct engine;

enum sync_policy { SYNC_ALWAYS, SYNC_EVERY_SECOND, SYNC_NO };

struct engine_options {
    const char *directory;
    bool log_enabled; /* appendonly; without it nothing is kept on disk */
    enum sync_policy sync_policy;
    uint64_t seal_interval_us; /* seal this long after the first unsealed change; 1 s */
    uint64_t seal_dirty_max;   /* or when this many leaves have changed; 1,024 */
    uint64_t segment_size;     /* of the log */
    uint64_t long_frame;       /* as in struct log_options */
    bool verify_every_seal;    /* recovery compares all of them, not only the last */
    bool read_only;    /* recover and change nothing: for tools; no writes after */
    bool no_snapshots; /* replay the log from its beginning, where it is there */
    /* Segments that two verified snapshots cover go by themselves, but for the newest
     * ones of so many bytes; into the archive, if there is one ("" or NULL: there is
     * none). */
    bool trim;
    uint64_t keep_size;
    const char *archive_directory;
};

struct engine_report {
    struct log_report log;
    uint64_t replay_us;
    uint64_t last_seal;        /* sequence, UINT64_MAX: none */
    uint64_t snapshot_entries; /* of the snapshot that was loaded; 0: none */
    uint64_t snapshot_bytes, snapshot_read_us, snapshot_check_us;
    char warning[LOG_MESSAGE_SIZE]; /* of damaged snapshots */
    char message[LOG_MESSAGE_SIZE]; /* why it refused, or what was recovered */
};

/* Open `options->directory`: lock it, look at its files. On any failure *engine is NULL,
 * report->message says why, and nothing was changed. */
enum status engine_open(const struct os *os, const struct allocator *allocator,
                        const struct engine_options *options, struct engine **engine,
                        struct engine_report *report);

/* Recover for about `budget_us`. STATUS_AGAIN: call again; STATUS_OK: ready, the last
 * SEAL's root was recomputed and is equal. Anything else: refused, as in engine_open().
 */
enum status engine_recover(struct engine *engine, uint64_t budget_us,
                           struct engine_report *report);
/* Bytes read so far and in all, for LOADING's progress. */
void engine_progress(const struct engine *engine, uint64_t *done, uint64_t *total);

/* Close without syncing; after engine_stop() for a clean end. */
void engine_close(struct engine *engine);
/* Flush, seal nothing, sync, mark. Blocks until the helper is done. */
enum status engine_stop(struct engine *engine);
/* After engine_stop(): throw the state away and open the log anew, as engine_open() does;
 * the directory stays locked. Nobody may hold on to the state. engine_recover() goes on
 * from here. A failure is final. */
enum status engine_reopen(struct engine *engine, struct engine_report *report);

const struct state *engine_state(const struct engine *engine);
struct kernel *
engine_kernel(struct engine *engine); /* for freeze and memory figures only */

/* Decide about `change`, and if the answer is yes, log and apply it.
 *
 * The change is borrowed and gets its hashes (change_commit) here. On STATUS_OK,
 * *sequence is its place. On any other status nothing changed, in kernel or log:
 * a refusal of the state, STATUS_MEMORY, STATUS_NO_SPACE (writes are refused until space
 * returns; engine_turn() looks every 100 ms), or STATUS_IO (final). */
enum status engine_submit(struct engine *engine, struct change *change,
                          struct outcome *outcome, uint64_t *sequence);

/* After `outcome->more`: one more small step. Submit and seal nothing else before it is false. */
void engine_submit_more(struct engine *engine, struct outcome *outcome);

/* The same for many at once, as one entry. The batch was filled by batch_add() with
 * committed changes; it is borrowed until engine_batch_next() has said STATUS_END, and
 * nothing else may be submitted before. A batch that holds a single GROUP is admitted as
 * a whole (VMADD): its refusal comes back here. STATUS_AGAIN: that was a small step of a
 * large batch; call again with the same one, and submit and seal nothing else. While
 * engine_batch_waits() for the disk's helper, which wakes the poller, calls do nothing.
 */
enum status engine_batch_submit(struct engine *engine, const struct batch *batch,
                                uint64_t *sequence);
bool engine_batch_waits(const struct engine *engine);
struct batch_event {
    bool applied; /* false: only progress (a group's elements were looked at) */
    uint8_t type; /* of the element, when applied. A GROUP comes before its members */
    struct outcome outcome; /* its members repeat the group's refusal */
};
/* One small step: STATUS_OK with an event, STATUS_END when the batch is done. */
enum status engine_batch_next(struct engine *engine, struct batch_event *event);

/* Seal now if anything is unsealed. Same failures as engine_submit(). Does nothing while
 * the engine follows. */
enum status engine_seal(struct engine *engine);

/* Once per loop turn: flush, note and start syncs, seal and mark when due. STATUS_IO is
 * final: the server must stop (exit 74). *next_us: monotonic time when it wants to be
 * called again at the latest, UINT64_MAX for never. */
enum status engine_turn(struct engine *engine, uint64_t *next_us);

/* Tell the engine whether whoever waits for a sync is the only one there is. Then
 * engine_turn() syncs in place: nobody could use the time, and the hand-off to the helper
 * and back costs some 20 microseconds. */
void engine_set_alone(struct engine *engine, bool alone);

uint64_t engine_size(const struct engine *engine);    /* entries in the log */
uint64_t engine_durable(const struct engine *engine); /* of them on disk */
/* Up to the last that is no SEAL: what an answer about the state depends on. */
uint64_t engine_changed(const struct engine *engine);
uint64_t
engine_acknowledged(const struct engine *engine);  /* of them answerable by policy */
bool engine_refusing(const struct engine *engine); /* no disk space at present */
int engine_error(const struct engine *engine);     /* errno of a final failure */
/* As in struct engine_options, from the next engine_turn() on. */
void engine_set_seal_limits(struct engine *engine, uint64_t interval_us,
                            uint64_t dirty_max);
void engine_set_sync_policy(struct engine *engine, enum sync_policy policy);

/* PROOF.STATE, O(1). */
struct proof_state {
    struct roots roots;     /* of the last SEAL; of the empty state before the first */
    uint64_t seal_sequence; /* UINT64_MAX: none yet */
    uint64_t dirty;         /* changes since */
    uint64_t log_size;
    uint8_t log_root[SHA256_SIZE];
};
void engine_proof_state(const struct engine *engine, struct proof_state *proof);

/* Have `proof` (kernel/proof.h) end in the last SEAL: its entry, and the way from there to the
 * root of the log that ends with it. The slices are good until the next SEAL. STATUS_NOT_FOUND:
 * nothing was ever sealed; the first one after a start is read from the log, with the failures
 * of storage/log_tree.h. */
struct proof;
enum status engine_prove_seal(struct engine *engine, struct proof *proof);
/* The size of the log that ends with the last SEAL, 0 before the first; and its root as well, with
 * the failures above. */
uint64_t engine_sealed_size(const struct engine *engine);
enum status engine_sealed_log(struct engine *engine, uint64_t *size,
                              uint8_t root[SHA256_SIZE]);

/* --- Snapshots --------------------------------------------------------------------- */

/* Begin to save a snapshot of this moment; engine_turn() goes on with it. STATUS_AGAIN:
 * one is being saved. STATUS_INVALID: there is no log to bind it to. */
enum status engine_save(struct engine *engine);

/* What became of the saves until now. */
struct save_history {
    uint64_t saves, failures;
    enum status last;   /* of the last one that ended */
    char message[160];  /* why it failed */
    uint64_t last_us;   /* how long it took, from freezing to its name */
    uint64_t freeze_us; /* of that, the loop stood still */
    uint64_t write_us;  /* of that, until all was written, but not yet read back */
    uint64_t bytes;     /* of the file */
    uint64_t entries;   /* of the last good one; 0: none */
    uint64_t wall_us;   /* when it was saved, 0: never */
    uint64_t changes;   /* engine_changes() then */
};
struct save_facts {
    struct save_history history;
    bool running;
    uint64_t running_us, bytes_done, bytes_total; /* written and read back */
};
void engine_save_facts(const struct engine *engine, struct save_facts *facts);
/* Changes of the state so far. */
uint64_t engine_changes(const struct engine *engine);

/* Read a snapshot by itself, check every piece, and compute its state root anew; `name` is in
 * `directory`. STATUS_CORRUPT, STATUS_VERSION, STATUS_UNSAFE, STATUS_IO, STATUS_MEMORY: the
 * message says why. */
struct snapshot_verdict {
    uint64_t bytes, entries, keys, records;
    uint8_t log_root[SHA256_SIZE], state_root[SHA256_SIZE];
    char message[160];
};
enum status engine_verify_snapshot(const struct os *os, const struct allocator *allocator,
                                   const char *directory, const char *name,
                                   struct snapshot_verdict *verdict);

/* A snapshot in the directory, as far as this process knows it. */
struct snapshot_fact {
    uint64_t entries;
    uint64_t bytes;      /* of the file; 0: not known */
    uint64_t created_us; /* 0: not known */
    bool verified;       /* read back from the disk, or loaded and its root computed */
    bool damaged;
};
/* The newest first; gives how many. */
size_t engine_snapshots(const struct engine *engine, struct snapshot_fact *facts,
                        size_t capacity);

/* --- Upkeep of the log ------------------------------------------------------------- */

/* Entries that two verified snapshots cover; 0: none. */
uint64_t engine_trim_limit(const struct engine *engine);
/* Let the segments go that hold nothing but entries below `to`; engine_turn() does it.
 * *place: where the log will begin then. STATUS_RANGE: that is above the limit.
 * STATUS_INVALID: there is no log. */
enum status engine_trim(struct engine *engine, uint64_t to, uint64_t *place);
/* As in struct engine_options. */
void engine_set_trim(struct engine *engine, bool automatic, uint64_t keep_size);

struct upkeep_facts {
    uint64_t first;                     /* sequence of the first entry that is here */
    uint64_t limit;                     /* engine_trim_limit() */
    uint64_t segments, bytes, archived; /* that went since the start; of them archived */
    uint64_t trees;                     /* tree files made */
    uint64_t failures;
    enum status last;  /* of the last job */
    char message[160]; /* why it failed */
    bool running;
};
void engine_upkeep_facts(const struct engine *engine, struct upkeep_facts *facts);

/* The log, to read old entries and hashes from (engine/log_access.h); NULL without one.
 */
struct log *engine_log(struct engine *engine);

/* --- Following a primary ---------------------------------------------------------- */

/* While it follows, all entries come from engine_follow(), SEALs included; nothing may be
 * submitted. Not inside a batch. Needs a log. */
void engine_set_following(struct engine *engine, bool following);

/* An engine without entries takes the id of its primary's log. STATUS_INVALID: it has
 * entries. STATUS_IO: final. */
enum status engine_adopt(struct engine *engine, const uint8_t id[LOG_ID_SIZE]);

/* An entry as the primary's log has it. */
struct received {
    struct slice entry, list, payload;
};

/* Check one entry, append it exactly as it is given, and apply it. A SEAL's root is
 * computed here too, and must be the same.
 *
 * STATUS_AGAIN: that was the first step of a large batch; the bytes stay borrowed, and
 * engine_follow_step() goes on until it answers anything else. Other answers change
 * nothing: STATUS_CORRUPT (it is not the entry that is due, or its payload is not what it
 * commits to), STATUS_VERSION, STATUS_MEMORY, STATUS_NO_SPACE, and STATUS_DIVERGED: the
 * state here is not the primary's, as engine_divergence() tells. STATUS_IO is final. */
enum status engine_follow(struct engine *engine, const struct received *received);
enum status engine_follow_step(struct engine *engine);

struct divergence {
    uint64_t sequence; /* of the SEAL whose root differs, or of an entry refused here */
    bool refused;      /* the latter: there is no root to compare */
    struct roots own, primary;
    uint64_t last_equal; /* the SEAL before, UINT64_MAX: none */
};
/* NULL while none was found. */
const struct divergence *engine_divergence(const struct engine *engine);

/* Go back to the first `size` entries; what comes after them is kept in the new file `name`.
 * Then the log is opened anew, as by engine_reopen(): engine_recover() goes on from here.
 * STATUS_EXISTS, STATUS_RANGE (what came before is not here any more) or another failure
 * before anything was changed; STATUS_IO: final. */
enum status engine_go_back(struct engine *engine, uint64_t size, const char *name,
                           struct engine_report *report);
/* Begin anew, without entries, as engine_go_back() does; the old log's files stay, with
 * `prefix` before their names. */
enum status engine_begin_anew(struct engine *engine, const char *prefix,
                              struct engine_report *report);
/* Keep `text` in the new file `name`, and the entries from `first` on in `entries_name`. */
enum status engine_keep_evidence(struct engine *engine, const char *name,
                                 struct slice text, uint64_t first,
                                 const char *entries_name);

/* For tests of the above: apply a change that no log knows of. */
enum status engine_change_secretly(struct engine *engine, struct change *change);

/* Figures for INFO. */
struct engine_facts {
    uint64_t log_disk_bytes, log_segments, unsynced_bytes, syncs, seals, last_sync_us;
    uint64_t entries_replayed, replay_us, torn_bytes;
    bool sync_running;
    const uint8_t *log_id; /* LOG_ID_SIZE bytes, NULL without a log */
};
void engine_facts(const struct engine *engine, struct engine_facts *facts);

/* The exit code of docs/format.md section 9 for a refusal. */
int engine_exit_code(enum status status);

#endif
