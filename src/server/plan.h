/* What a command would write: the changes it asks for, before the engine decides.
 *
 * A write handler adds changes and never sees the engine. One change alone becomes an
 * entry of its own; several, a GROUP, or anything inside EXEC become one batch entry. */
#ifndef SERVER_PLAN_H
#define SERVER_PLAN_H

#include "kernel/entry.h"
#include "server/call.h"
#include "server/options.h"
#include "server/overlay.h"

struct plan {
    struct batch *batch; /* used from the second change on */
    struct overlay
        *overlay; /* EXEC: keys as the queued writes would leave them; else NULL */
    const struct state *state;
    int64_t max_records; /* elements that there may be, -1: any number */
    uint64_t newcomers;  /* elements of VADDs so far that are not there yet */
    bool batched;       /* the changes are in `batch`, not in `single` */
    uint32_t count;     /* changes so far */
    enum status broken; /* why plan_add() failed: nothing of the plan may be submitted */
    struct change single;
    /* Of the command that is planned now: */
    uint64_t next; /* a handler that answers PLAN_MORE keeps its place here */
    uint32_t dim;  /* of the vector given, for the message about a wrong one */
    uint32_t members; /* of the group that it makes, counted first */
};

/* What became of one command's changes. */
struct tally {
    enum status status;     /* the first refusal, or STATUS_OK */
    uint32_t applied;       /* changes that were not refused */
    uint32_t added;         /* elements that were new */
    struct outcome outcome; /* of the first change */
    uint64_t sequence;      /* of its entry, when it is one of its own and was applied */
    struct slice before;    /* what the command's `before` has kept */
    uint32_t asked;         /* changes that the plan held for it */
    uint32_t dim;
};

/* `batch` is the server's, empty. */
void plan_begin(struct plan *plan, const struct options *options,
                const struct state *state, struct batch *batch, struct overlay *overlay);

/* From now on keep copies: the slices of a change need not outlive plan_add(). */
void plan_copy(struct plan *plan);

/* Ask for `change`. Its slices must stay good until the plan is submitted, unless the
 * plan is already batched. STATUS_TOO_LARGE, STATUS_MEMORY,
 * STATUS_FULL: give the plan up. */
enum status plan_add(struct plan *plan, struct change *change);

/* Answer with the error of a failed plan_add() and give PLAN_REFUSED. */
enum plan_result plan_fail(struct call *call, enum status status);

#endif
