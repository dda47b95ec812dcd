/* What a crash may leave on the disk: the model M1 of the guarantees' fault model.
 *
 * For a prefix of a machine's record, what was synced is certain; of the rest each piece
 * may have reached the disk or not, by itself:
 * - each 512-byte sector that an unsynced write or cut touches holds one of the contents
 * that it has had since the last sync, or zeros or garbage in the bytes that were touched
 * (a disk writes a sector whole or not: bytes of it that were durable and stay what they
 * were are not harmed by the neighbours' rewriting);
 * - each file with an unsynced change of length has one of its lengths since the last
 * sync;
 * - each creation, renaming or removal since the last sync of the directory happened or
 * not.
 *
 * A sync covers what was written before it began, and counts when it has ended.
 *
 * A crash point is walked forward one operation at a time. At each, the pieces still open
 * are its `variables`, each with a number of options; option 0 always means "nothing of
 * it", the last but `extra` the newest. An image follows from one option for each. */
#ifndef TESTS_SIM_SIM_CRASH_H
#define TESTS_SIM_SIM_CRASH_H

#include "sim/sim_os.h"

struct crash_point;

struct crash_variable {
    uint16_t options; /* 0 .. options - 1 */
    uint16_t newest;  /* the option that means "all of it" */
    uint32_t op;      /* the newest operation that it depends on */
};

struct crash_point *crash_begin(const struct sim *sim);
void crash_end(struct crash_point *point);
/* Take one more operation into account; false at the end of the record. */
bool crash_advance(struct crash_point *point);
size_t crash_position(const struct crash_point *point); /* operations taken */
/* The last note taken so far. */
struct sim_bounds crash_bounds(const struct crash_point *point);

/* The variables at this point; good until crash_advance(). */
const struct crash_variable *crash_variables(struct crash_point *point, size_t *count);
/* Build the image for one option each. `garbage` seeds the garbage. */
void crash_image(struct crash_point *point, const uint16_t *choice, uint64_t garbage,
                 struct sim_image *image);

#endif
