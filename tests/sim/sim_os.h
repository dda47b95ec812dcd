/* A simulated machine behind struct os: a disk in memory, a clock that stands still until
 * it is told to move, chance from a seed, and faults where a test wants them.
 *
 * Everything that a program does to the disk is recorded as a list of operations, with
 * its bytes. From any prefix of that list sim_crash.h builds what a crash may leave on
 * the disk.
 *
 * There are two directories, which share the disk: "archive", whose files an image has as
 * "archive/NAME", and the one that any other path means.
 *
 * One program at a time uses a machine; a restart is a new machine made from an image. */
#ifndef TESTS_SIM_SIM_OS_H
#define TESTS_SIM_SIM_OS_H

#include "os/os.h"

struct sim;

#define SIM_NAME_SIZE 64

/* What lies on a disk: files by name, in the order of their names. */
struct sim_file_image {
    char name[SIM_NAME_SIZE];
    uint8_t *data; /* owned by the image */
    size_t size;
};
struct sim_image {
    struct sim_file_image *files;
    size_t count, capacity;
};

void sim_image_init(struct sim_image *image);
void sim_image_free(struct sim_image *image);
void sim_image_copy(const struct sim_image *from, struct sim_image *to);
/* Add a file; its bytes are copied. */
struct sim_file_image *sim_image_add(struct sim_image *image, const char *name,
                                     const void *data, size_t size);
struct sim_file_image *sim_image_find(const struct sim_image *image, const char *name);
void sim_image_remove(struct sim_image *image, const char *name);
uint64_t sim_image_hash(const struct sim_image *image);

/* A machine whose disk holds `image` (NULL: nothing), all of it durable. */
struct sim *sim_create(uint64_t seed, const struct sim_image *image);
void sim_destroy(struct sim *sim);
const struct os *sim_os(struct sim *sim);

/* The disk as the program sees it, which is what a killed process leaves behind. */
void sim_snapshot(const struct sim *sim, struct sim_image *image);

/* --- What the machine is like ------------------------------------------------------ */

void sim_set_capacity(struct sim *sim,
                      uint64_t bytes); /* of the disk; UINT64_MAX: no end */
void sim_set_reserve(struct sim *sim, bool supported);
void sim_set_unsafe(struct sim *sim, const char *name, const struct file_facts *facts);

/* The helper: a sync ends when somebody asks for the `polls`-th time whether it has, or
 * waits. */
void sim_set_sync_polls(struct sim *sim, unsigned polls);

/* --- Faults ------------------------------------------------------------------------ */

enum sim_fault {
    SIM_FAULT_NONE,
    SIM_FAULT_FAIL,       /* nothing is done, the errno comes back */
    SIM_FAULT_HALF,       /* a write does half of it first; others as FAIL */
    SIM_FAULT_SHORT_READ, /* a read gives half of it and says that all is well */
};

/* Fail the call with this number, counted from 0 over all calls that can fail; with
 * `for_ever` also every later one. One fault at a time. */
void sim_set_fault(struct sim *sim, uint64_t call, enum sim_fault fault, int error,
                   bool for_ever);
uint64_t sim_calls(const struct sim *sim);
/* Has the fault happened? */
bool sim_fault_hit(const struct sim *sim);

/* --- Time -------------------------------------------------------------------------- */

void sim_advance(struct sim *sim, uint64_t microseconds);
void sim_set_wall(struct sim *sim, uint64_t microseconds);
void sim_request_stop(struct sim *sim);

/* --- The record -------------------------------------------------------------------- */

/* What a crash must leave, in entries of the log. */
struct sim_bounds {
    uint64_t promised; /* at least so many, whatever the disk loses */
    uint64_t written;  /* at least so many, when only the process dies */
    uint64_t possible; /* at most so many */
};

enum sim_op_kind {
    SIM_WRITE,      /* file, offset, bytes */
    SIM_TRUNCATE,   /* file, size */
    SIM_SYNC_BEGIN, /* file */
    SIM_SYNC_END,   /* file; begin: the op that began it; ok */
    SIM_CREATE,     /* file, name */
    SIM_RENAME,     /* file, name (from), to */
    SIM_REMOVE,     /* name */
    SIM_DIRECTORY_SYNC,
    SIM_NOTE, /* bounds */
};

struct sim_op {
    enum sim_op_kind kind;
    uint32_t file; /* identity that outlives names */
    uint64_t offset, size;
    const uint8_t *bytes;
    size_t begin;
    bool ok;
    char name[SIM_NAME_SIZE], to[SIM_NAME_SIZE];
    struct sim_bounds bounds;
};

/* Recording is off until this is called; the disk at that moment is the base of the
 * record. */
void sim_record(struct sim *sim);
size_t sim_op_count(const struct sim *sim);
const struct sim_op *sim_op(const struct sim *sim, size_t index);
const struct sim_image *sim_base(const struct sim *sim);
/* Put into the record what a crash from here on must leave. */
void sim_note(struct sim *sim, const struct sim_bounds *bounds);

/* Calls that changed a file or a name (syncs are none), recorded or not. */
uint64_t sim_changes(const struct sim *sim);

#endif
