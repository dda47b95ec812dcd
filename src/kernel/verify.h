/* Checking a state that was read from outside, on as many threads as there are.
 *
 * recompute.h's walk does everything in one order; here the collections' part of it,
 * which is nearly all, is cut into jobs that can be done in any order and at the same
 * time: what each record hashes to, where the points of an index lead, and what the tries
 * make of the records' hashes. When all of them are done well, recompute_begin_trusting()
 * does the rest. Nothing of the rows is believed before it was compared with what there
 * is. */
#ifndef KERNEL_VERIFY_H
#define KERNEL_VERIFY_H

#include "kernel/kernel.h"

enum verify_kind { VERIFY_RECORDS, VERIFY_POINTS, VERIFY_SUBTRIE, VERIFY_TOP };

struct verify_job {
    enum verify_kind kind;
    uint32_t row;      /* of the collection */
    uint32_t from, to; /* slots or points; of a subtrie, `from` is its path */
    uint32_t depth;    /* of the cut */
};

/* Where the list of jobs is. */
struct verify {
    const struct state *state;
    uint32_t row, stage, next;
};

void verify_begin(struct verify *verify, const struct state *state);
/* The next job; false: there are no more. By one thread at a time. */
bool verify_next(struct verify *verify, struct verify_job *job);

/* Do a job. `room` is VERIFY_ROOM bytes of the thread's own. STATUS_CORRUPT: the rows
 * contradict each other. */
#define VERIFY_ROOM 65536
enum status verify_run(const struct state *state, const struct verify_job *job,
                       uint8_t *room);

#endif
