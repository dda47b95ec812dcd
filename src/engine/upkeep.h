/* Keeping the log in order: tree files of segments that are complete, and segments that
 * two verified snapshots cover, which go. A thread does it, a segment at a time, while no
 * snapshot is being saved; engine_turn() looks whether there is something to do. */
#ifndef ENGINE_UPKEEP_H
#define ENGINE_UPKEEP_H

#include <stdatomic.h>

#include "engine/engine.h"
#include "storage/log_upkeep.h"

struct upkeep {
    struct directory *archive; /* NULL: segments just go */
    uint64_t asked_to;         /* by engine_trim() */
    struct log_upkeep job;     /* the thread's while it runs and is not done */
    bool running, threaded;
    atomic_bool done;
    uint64_t again_us; /* after a failure: not before then */
    /* There was nothing to do when the log looked like this. */
    uint64_t idle_segments, idle_trim_to;
    struct upkeep_facts facts;
};

/* Open the archive. On failure report->message says why. */
enum status upkeep_open(struct engine *engine, struct engine_report *report);
void upkeep_turn(struct engine *engine, uint64_t now, uint64_t *next_us);
/* Wait until nothing runs any more, and note how it ended. */
void upkeep_finish(struct engine *engine);
void upkeep_close(struct engine *engine);

#endif
