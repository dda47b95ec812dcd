/* Every command, declared once. Dispatch, arity, key extraction, COMMAND, COMMAND DOCS,
 * ACL categories and docs/commands.md are loops over these rows.
 *
 * A row has one of three handlers, and the type of the handler says what it may do:
 *
 *     read    is handed the const state: it cannot write;
 *     write   says what it would write (plan.h) and cannot do it itself; `answer` then
 * turns what happened into a reply. Alone, in MULTI and in slices it is the same code;
 *     run     touches neither: the connection, the server, and the log's own affairs. */
#ifndef SERVER_COMMAND_TABLE_H
#define SERVER_COMMAND_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct call;
struct plan;
struct state;
struct tally;

enum command_flag {
    COMMAND_FAST = 1,        /* time does not grow with the data */
    COMMAND_DENY_OOM = 2,    /* may need memory */
    COMMAND_ADMIN = 4,       /* category @admin, @dangerous */
    COMMAND_NO_AUTH = 8,     /* allowed before AUTH */
    COMMAND_LOADING = 16,    /* answered while the log is read */
    COMMAND_ALWAYS = 32,     /* answered while another client's long command runs */
    COMMAND_NOT_QUEUED = 64, /* acts at once inside MULTI (EXEC, DISCARD, ...) */
    COMMAND_NO_MULTI = 128,  /* refused inside MULTI */
    COMMAND_SEES_STATE =
        256, /* `run` rows whose reply tells of the state and waits for it */
    COMMAND_UPPER_CASE =
        512, /* shown in capitals in arity errors, as Redis shows its modules */
    COMMAND_DEBUG = 1024,     /* for those whom enable-debug-command names */
    COMMAND_DANGEROUS = 2048, /* category @dangerous, without @admin */
    COMMAND_BLIND = 4096,     /* writes its keys and tells nothing of what they held */
    COMMAND_PATTERNS = 8192,  /* its channels are patterns */
    COMMAND_SUBSCRIBER = 16384, /* allowed to a subscriber in RESP2 */
};

enum plan_result {
    PLAN_DONE,
    PLAN_MORE,    /* call again: the work is cut into slices */
    PLAN_REFUSED, /* an error was answered */
};

typedef enum plan_result write_handler(struct call *call, const struct state *state,
                                       struct plan *plan);
typedef void answer_handler(struct call *call, const struct state *state,
                            const struct tally *tally);

struct command {
    const char *name; /* lower case */
    void (*read)(struct call *call, const struct state *state);
    write_handler *write;
    answer_handler *answer;
    /* Some writes answer with what was there before: this keeps it, in the moment before
     * the changes of `write` are applied. */
    void (*before)(struct call *call, const struct state *state, struct tally *tally);
    void (*run)(struct call *call);
    /* A `run` row's: true while the command has to wait for a checkpoint; asked before it runs,
     * and again whenever one is out. */
    bool (*waits)(struct call *call);
    const struct subcommand *subcommands; /* ends with a row without a name */
    int arity;                         /* the name included; negative: at least so many */
    int key_first, key_last, key_step; /* 0: no keys; key_last -1: the last argument */
    const char *blind_unless;          /* COMMAND_BLIND holds without this word */
    size_t channel_first, channel_last; /* 0: no channels; channel_last SIZE_MAX: all */
    unsigned flags;
    const char *group; /* as COMMAND DOCS groups: connection, generic, server, ... */
    const char *since;
    const char
        *synopsis;       /* after the name: TOKEN value [optional] <a | b> repeated ... */
    const char *summary; /* one sentence */
};

/* A second word with its own arity, counted with both words. */
struct subcommand {
    const char *name;
    void (*run)(struct call *call);
    /* As in struct command, in the place of `run`. */
    write_handler *write;
    answer_handler *answer;
    int arity;
    unsigned flags; /* besides the command's */
    const char *synopsis;
    const char *summary;
};

size_t command_count(void);
const struct command *command_at(size_t index);
size_t command_index(const struct command *command);

/* Letters of either case; NULL when there is none. */
const struct command *command_find(struct slice name);
const struct subcommand *subcommand_find(const struct command *command,
                                         struct slice name);

/* Whether `count` arguments fit an arity. */
bool arity_fits(int arity, size_t count);

/* The row of a name such as `get` or `client|list`; NULL when there is none. *subcommand
 * is NULL for a command as a whole. */
const struct command *command_find_row(struct slice name,
                                       const struct subcommand **subcommand);
/* That name: `get`, `client|list`. */
#define COMMAND_NAME_SIZE 64 /* with the NUL */
void command_name(const struct command *command, const struct subcommand *subcommand,
                  char name[COMMAND_NAME_SIZE]);

/* An argument that is a key, and what the command does with it. */
struct command_key {
    size_t place;
    bool reads, writes;
};
/* The key number `index` of a command with these arguments, whose arity fits; false after
 * the last. */
bool command_key(const struct command *command, const struct slice *arguments,
                 size_t count, size_t index, struct command_key *key);

/* Category names of a row (without '@'), one at a time: NULL after the last. `subcommand`
 * may be NULL. */
const char *command_category(const struct command *command,
                             const struct subcommand *subcommand, size_t index);
bool command_in_category(const struct command *command,
                         const struct subcommand *subcommand, struct slice category);
/* All names that categories have, those of Redis that no command here is in included, so
 * that rules written for it are understood. NULL after the last. */
const char *command_category_name(size_t index);

#endif
