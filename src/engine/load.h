/* Loading the newest snapshot that is whole, before the entries after it are replayed.
 *
 * A thread reads the file and holds each piece against its hash, a few pieces ahead; the
 * loop puts them into the kernel's chunks. Then the state root is computed anew and must
 * be the one that was sealed. A snapshot that is damaged is passed over for the next
 * older one, with a warning; where there is none the log is replayed from its beginning.
 */
#ifndef ENGINE_LOAD_H
#define ENGINE_LOAD_H

#include <stdatomic.h>

#include "kernel/image.h"
#include "kernel/verify.h"
#include "storage/snapshot_read.h"

struct engine;
struct engine_report;

#define LOAD_AHEAD 8 /* pieces */

enum load_phase {
    LOAD_CHOOSING,
    LOAD_READING,
    LOAD_CHECKING, /* the collections' rows, on two threads */
    LOAD_SUMMING,  /* and the rest, to the state root */
    LOAD_DONE,
};

struct load {
    enum load_phase phase;
    size_t candidate; /* of engine->save.known */
    struct snapshot_reader reader;
    struct image_reader image;
    uint64_t piece; /* the next one for the kernel */
    struct recompute *recompute;
    void *recompute_room;

    /* Checking: whoever is free takes the next job. */
    atomic_flag taking;
    struct verify verify; /* whose `taking` is set */
    uint8_t *verify_rooms[2];
    _Atomic uint64_t checked; /* jobs */
    atomic_bool contradiction;
    uint64_t started_us, read_us, check_us;

    /* Pieces on their way; whoever is free reads the next one. `ahead` is the thread's
     * own reader. */
    bool threaded;
    struct snapshot_reader ahead;
    _Atomic uint64_t claimed; /* pieces that somebody reads or has read */
    uint8_t *pieces[LOAD_AHEAD];
    size_t sizes[LOAD_AHEAD];
    enum status verdicts[LOAD_AHEAD];
    char messages[LOAD_AHEAD][160];
    _Atomic uint64_t read[LOAD_AHEAD]; /* number + 1 of the piece that is in it */
    _Atomic uint64_t emptied;
    atomic_bool stop;

    struct snapshot_facts
        facts; /* of what was loaded: its cover has size 0 if nothing was */
};

/* Go on for a little. STATUS_AGAIN: there is more to do. STATUS_OK: engine->load.facts
 * say what the state is now; with no entries in their cover it is empty. Anything else:
 * the start is refused, report->message says why. */
enum status load_step(struct engine *engine, struct engine_report *report);
/* Bytes of the way so far; in all it is engine->load_bytes. */
uint64_t load_progress(const struct engine *engine);
/* Stop if it runs, and give the memory back. */
void load_end(struct engine *engine);

#endif
