/* The parts of valori-check: check_log.c verifies a data directory, check_survey.c walks
 * over everything that can still be read in a damaged one, check_repair.c writes a
 * repaired copy. */
#ifndef TOOLS_CHECK_H
#define TOOLS_CHECK_H

#include "engine/engine.h"

struct check_options {
    const char *directory;
    const char *out;         /* repair: where the copy goes; NULL: DIRECTORY.repaired */
    bool json;               /* log: one JSON object on stdout */
    bool accept_loss;        /* repair: acknowledged entries may go ... */
    uint64_t accept_entries; /* ... if exactly so many entries are kept */
};

/* --- check_log.c ------------------------------------------------------------------- */

/* What verifying has found. */
struct verdict {
    enum status status;
    struct engine_report report;
    struct proof_state proof; /* STATUS_OK */
    struct roots roots;       /* STATUS_OK: recomputed from all entries */
    uint64_t graphs;          /* STATUS_OK: collections with an HNSW index */
};

/* Recover `directory` without changing a byte, comparing every SEAL. */
void check_verify(const char *directory, struct verdict *verdict);

/* Both give the exit code. */
int check_log(const struct check_options *options);
int check_repair(const struct check_options *options);

/* --- check_survey.c ---------------------------------------------------------------- */

/* One segment file as it can be read. */
struct surveyed {
    uint64_t number, size;
    bool header;  /* whole, and it belongs where it is */
    uint64_t end; /* one past the last frame in the unbroken row from its start */
    uint64_t entries_before, entries; /* in the log; in the row */
};

/* What stands of the log, and what lies behind the first bad place. */
struct survey {
    struct surveyed *segments; /* in the order of their numbers */
    size_t count, capacity;
    bool failed;      /* no memory for the list */
    uint64_t entries; /* in the unbroken row from the very beginning */
    size_t last;      /* index of the segment where it ends; count when there is none */
    uint64_t end;     /* offset in it */
    uint64_t later_frames; /* self-valid entries behind that place */
    uint64_t later_bytes;  /* all bytes behind it */
    uint64_t acknowledged; /* at least so many entries were durable, by all evidence */
};

/* Walk over the directory; the row stops at the latest before entry `limit`. STATUS_IO
 * and STATUS_MEMORY are the only failures. The caller frees with survey_free(). */
enum status survey_take(struct directory *directory, uint64_t limit,
                        struct survey *survey);
void survey_free(struct survey *survey);

#endif
