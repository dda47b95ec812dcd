/* The crash laboratory: run a workload on a simulated machine, rebuild every disk that a
 * crash may leave, boot each one and hold it against an oracle.
 *
 * The unit is an image: one directory as a crash, a flipped bit or a hand made it, booted
 * twice by the real engine, in this process. Images are counted by their contents. */
#ifndef TESTS_CRASH_LAB_H
#define TESTS_CRASH_LAB_H

#include "engine/engine.h"
#include "sim/sim_crash.h"
#include "sim/sim_os.h"

/* --- The report (crash.c) ---------------------------------------------------------- */

/* A test begins; what fails until the next one is its failure. */
void lab_begin(const char *name);
void lab_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool lab_failed(void); /* the test that runs now */
/* Was this test asked for? Without a name on the command line all are. */
bool lab_wanted(const char *name);

#define LAB_EXPECT(condition, ...)                                                       \
    do {                                                                                 \
        if (!(condition)) lab_fail(__FILE__, __LINE__, __VA_ARGS__);                     \
    } while (0)

extern const struct allocator lab_allocator;

uint64_t lab_random(uint64_t *state);
static inline uint64_t lab_below(uint64_t *state, uint64_t limit) {
    return lab_random(state) % limit;
}

/* --- The oracle (oracle.c) --------------------------------------------------------- */

/* What the log and the state were after each number of entries. */
struct moment {
    bool known;
    uint8_t log_root[SHA256_SIZE];
    uint8_t state_root[SHA256_SIZE];
};
struct oracle {
    struct moment *moments; /* by the number of entries */
    size_t count, capacity;
};

void oracle_free(struct oracle *oracle);
/* Note the engine's present state. */
void oracle_note(struct oracle *oracle, struct engine *engine);
/* Is that the state after `size` entries? */
bool oracle_agrees(const struct oracle *oracle, uint64_t size,
                   const struct moment *moment);
void moment_of(struct engine *engine, struct moment *moment);

/* --- Booting (boot.c) -------------------------------------------------------------- */

struct boot_options {
    uint64_t segment_size;
    enum sync_policy policy;
    bool reserve; /* the disk can */
    bool trim;    /* segments that two snapshots cover go */
    bool archive; /* into the archive */
    uint64_t long_frame; /* batches from this size on go in steps; 0: 1 MiB */
};

struct booted {
    enum status status;
    uint64_t size; /* entries that stand */
    struct moment moment;
    uint64_t torn_bytes;
    char message[LOG_MESSAGE_SIZE];
};

/* Open and recover an engine. NULL: refused, *status and message say why. */
struct engine *boot_engine(struct sim *sim, const struct boot_options *options,
                           struct booted *booted);
/* Boot an image twice on a new machine and look at it. The second boot must find the same
 * and write nothing (G13); a refusal must have written nothing (G8). `record`: leave the
 * record of the first boot behind, in a machine that the caller destroys; else NULL. */
void boot_image(const struct sim_image *image, const struct boot_options *options,
                struct booted *booted, struct sim **record);

/* --- Workloads (workload.c) -------------------------------------------------------- */

struct workload {
    const char *name;
    struct boot_options boot;
    unsigned steps;
    unsigned sync_polls;
    unsigned burst;   /* changes a turn, at most */
    bool big_batches; /* form 1 */
    bool batches;     /* form 0, groups */
    bool full_disk;   /* runs out of space and gets it back */
    bool idle;        /* pauses long enough for marks */
    bool restarts;    /* stops and starts on the way */
    bool torn_start;  /* begins on a disk with a torn tail */
    bool saves;       /* snapshots, now and then */
};

/* Run it with a seed; the machine holds the record. */
struct sim *workload_run(const struct workload *workload, uint64_t seed,
                         struct oracle *oracle);
/* One random change, valid or not, submitted. */
enum status workload_change(struct engine *engine, uint64_t *random);

/* --- Exploring (explore.c) --------------------------------------------------------- */

struct explore_counts {
    uint64_t images;    /* distinct */
    uint64_t repeated;  /* built once more, not booted */
    uint64_t points;    /* operation boundaries */
    uint64_t exhausted; /* of them with every image built */
    uint64_t nested;    /* images of crashes inside recovery */
};

/* Explore a workload's record with about `budget` images. */
void explore(const struct workload *workload, uint64_t seed, uint64_t budget,
             struct explore_counts *counts);

/* --- The other parts --------------------------------------------------------------- */

uint64_t flips_run(void);  /* every bit of a small log; gives the number of images */
void matrix_run(void);     /* the boot matrix */
uint64_t errnos_run(void); /* every call fails once; gives the number of runs */

#endif
