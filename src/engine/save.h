/* Saving a snapshot while the server goes on.
 *
 *     WANTED      wait until nothing is being deleted or submitted, append a SEAL (or,
 * where the entries are a primary's, wait for one), freeze WRITING     a thread writes
 * what is frozen, syncs it and reads it back WRITTEN     wait until the log is durable to
 * the SEAL PUBLISHING  a thread gives the file its name and removes the oldest ones
 *
 * engine_turn() takes it from one to the next. Where there are no threads it does a piece
 * of the file itself each time. A failure costs the new file and nothing else. */
#ifndef ENGINE_SAVE_H
#define ENGINE_SAVE_H

#include <stdatomic.h>

#include "engine/engine.h"
#include "kernel/image.h"
#include "storage/snapshot_write.h"

#define SNAPSHOTS_KEPT 2

enum save_phase { SAVE_NONE, SAVE_WANTED, SAVE_WRITING, SAVE_WRITTEN, SAVE_PUBLISHING };

struct save {
    enum save_phase phase;
    const struct state *view; /* frozen; NULL: none */
    struct image_writer image;
    struct snapshot_writer writer;
    bool threaded;
    uint64_t started_us; /* monotonic: frozen then */
    uint64_t changes;    /* of the state that is frozen */

    /* The thread's until `done`. */
    atomic_bool done, stop;
    enum status outcome;
    char message[160];
    uint64_t write_us; /* as in struct save_history */
    _Atomic uint64_t bytes_done, bytes_total;

    struct snapshot_fact known[SNAPSHOTS_MAX]; /* newest first */
    size_t known_count;

    struct save_history history;
};

/* What lies in the directory. STATUS_IO. */
enum status save_look(struct engine *engine);
/* Take it further. *next_us: as engine_turn() has it. */
void save_turn(struct engine *engine, uint64_t now, uint64_t *next_us);
/* A SEAL was appended that came from a primary. */
void save_note_seal(struct engine *engine);
/* It waits for the log to be durable. */
bool save_waits_for_sync(const struct engine *engine);
/* Give up what is under way, and wait until nothing of it runs any more. */
void save_cancel(struct engine *engine);
/* Note what became of the snapshot of so many entries when it was loaded. */
void save_note_loaded(struct engine *engine, const struct snapshot_fact *fact);

#endif
