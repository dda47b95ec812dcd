/* The parts of valori-check. Of a data directory: check_log.c verifies it, check_survey.c
 * walks over everything that can still be read in a damaged one, check_repair.c writes a
 * repaired copy. Of what a server handed out: check_note.c and check_record.c. The
 * commands and their words stand in check.c. */
#ifndef TOOLS_CHECK_H
#define TOOLS_CHECK_H

#include "base/note.h"
#include "engine/engine.h"

#define WITNESSES_MAX 16

struct check_options {
    const char *directory;
    const char *path; /* of a proof, note or receipt; "-" is stdin */
    const struct note_key
        *key; /* of the log's origin; NULL: signatures are not looked at */
    struct note_key witnesses[WITNESSES_MAX];
    size_t witness_count;
    const char *second, *third; /* consistency: the newer checkpoint, and the proof */
    const char *receipt;        /* record: of its SEAL */
    const char *record_key,
        *element;            /* record: what it has to be about; NULL: anything */
    const char *out;         /* repair: where the copy goes; NULL: DIRECTORY.repaired */
    bool json;               /* one JSON object on stdout */
    bool accept_loss;        /* repair: acknowledged entries may go ... */
    uint64_t accept_entries; /* ... if exactly so many entries are kept */
};

/* Exit codes, as docs/format.md section 9 has them for directories. */
enum check_code {
    CHECK_RIGHT = 0,
    CHECK_USAGE = 1,
    CHECK_WRONG = 3, /* malformed, or a hash that does not come out */
    CHECK_FOREIGN =
        5, /* sound, but of another key, log or question than the one asked for */
    CHECK_FAULT = 70,
    CHECK_UNREADABLE = 74,
};

/* --- check_print.c ----------------------------------------------------------------- */

void print_hash(const uint8_t hash[SHA256_SIZE]); /* hex */
void print_name(struct slice name);               /* quoted, what is no ASCII as \xNN */
/* One object on stdout, `{"exit_code":N` and then items; the caller closes it. */
void json_begin(int code);
void json_bytes(const char *name, struct slice bytes);
void json_text(const char *name, const char *text);
void json_number(const char *name, uint64_t number);
void json_hash(const char *name, const uint8_t hash[SHA256_SIZE]);

/* --- check_input.c ----------------------------------------------------------------- */

/* Both say what is wrong and give the exit code. The caller frees the buffer on success.
 */
int input_read(const char *path, struct buffer *bytes);
int input_key(const char *word, struct note_key *key);

/* --- check_note.c ------------------------------------------------------------------ */

/* A checkpoint whose signatures were held against the keys of the options. */
struct noted {
    struct note note;
    struct checkpoint checkpoint;
    uint64_t times[WITNESSES_MAX]; /* of the witnesses' cosignatures */
    const char *why;               /* it was refused */
};
/* Gives the exit code; with another one than 0 `why` is set. */
int note_check(struct slice bytes, const struct check_options *options,
               struct noted *noted);
void note_print(const struct check_options *options, const struct noted *noted);
void note_json(const struct check_options *options, const struct noted *noted);

/* --- check_receipt.c --------------------------------------------------------------- */

struct received_entry {
    struct slice entry; /* in the room */
    uint64_t index;
    struct noted noted;
    const char *why; /* it was refused */
    uint32_t line;   /* of the text, or 0 */
    size_t offset;
};
/* `room` is as large as the text. Gives the exit code; with another one than 0 `why` is
 * set. */
int receipt_check(struct slice text, const struct check_options *options, uint8_t *room,
                  struct received_entry *received);
/* "PATH: WRONG: why (line, offset)"; line 0: nowhere in particular. */
void print_wrong(const char *path, const char *why, uint32_t line, size_t offset);

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

/* Each command gives the exit code. */
int check_snapshot(const struct check_options *options); /* check_snapshot.c */
int check_log(const struct check_options *options);
int check_repair(const struct check_options *options);
int check_note(const struct check_options *options);
int check_record(const struct check_options *options);
int check_receipt(const struct check_options *options);
int check_consistency(const struct check_options *options);

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
