/* Every option, declared once in option_table.c. The command line, the file, CONFIG GET,
 * valori.conf and docs/options.md are loops over the rows. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"
#include "server/output_limits.h"

#define OPTION_TEXT_SIZE 1024 /* with the NUL */

enum option_type {
    OPTION_TEXT,
    OPTION_INTEGER,
    OPTION_SIZE,          /* bytes; k, kb, m, mb, g and gb may follow the number */
    OPTION_MODE,          /* permissions of a file, in octal */
    OPTION_OUTPUT_LIMITS, /* of each class of clients; see output_limits.h */
    OPTION_BOOL,          /* yes or no */
    OPTION_ENUM, /* one of the row's choices; the value is its place among them */
};

enum debug_access { DEBUG_NO, DEBUG_LOCAL, DEBUG_YES };

/* The values. Numbers, sizes, modes, yes/no and choices are all int64_t. */
struct options {
    int64_t port, protected_mode, tcp_backlog, timeout, tcp_keepalive, maxclients;
    int64_t databases, loglevel, hz, enable_debug_command, simd;
    int64_t appendonly, appendfsync, log_segment_size, seal_interval_ms, seal_dirty_max;
    int64_t proto_max_bulk_len, proto_max_arguments;
    int64_t client_query_buffer_limit, maxmemory_clients, maxmemory_strangers;
    int64_t authentication_timeout, unixsocketperm, max_new_connections_per_cycle;
    struct output_limit client_output_buffer_limit[CLASS_COUNT];
    char bind[OPTION_TEXT_SIZE], requirepass[OPTION_TEXT_SIZE], dir[OPTION_TEXT_SIZE];
    char logfile[OPTION_TEXT_SIZE], unixsocket[OPTION_TEXT_SIZE];
};

struct option {
    const char *name;
    size_t offset; /* in struct options */
    enum option_type type;
    const char *initial; /* goes through the same parser as everything else */
    const char *choices; /* OPTION_ENUM: words with a blank between, lowest value first */
    int64_t least, most; /* OPTION_INTEGER and OPTION_SIZE */
    const char *help;    /* whole sentences */
    bool secret;         /* never shown in a message */
};

size_t option_count(void);
const struct option *option_at(size_t index);
/* NULL when there is none. Letters of either case. */
const struct option *option_find(struct slice name);

#define OPTION_MESSAGE_SIZE 256

/* Give every option its initial value. */
void options_begin(struct options *options);

/* Set one option from text. On STATUS_INVALID `message` says what was wrong, and nothing
 * changed. */
enum status option_set(struct options *options, const struct option *option,
                       struct slice value, char message[OPTION_MESSAGE_SIZE]);

/* The value as text that option_set() takes back. */
void option_text(const struct options *options, const struct option *option,
                 char text[OPTION_TEXT_SIZE]);

/* One line of a configuration file or its equal: `name value`, a comment, or nothing.
 * Values may stand in single or double quotes. */
enum status options_line(struct options *options, struct slice line,
                         char message[OPTION_MESSAGE_SIZE]);
/* `[file] [--name value ...]`, without the program's name. *path gets the file or NULL.
 */
enum status options_command_line(struct options *options, int count, char *const *words,
                                 const char **path, char message[OPTION_MESSAGE_SIZE]);

/* True when every address of `bind` is of this machine only (127.0.0.0/8 or ::1). */
bool options_loopback_only(const struct options *options);
/* Take the next address of `list` (blanks between) into `address`; false at the end. */
bool options_next_address(const char **list, char address[64]);

#endif
