/* Every option, declared once in option_table.c. The file, the environment, the command
 * line, CONFIG, valori.conf and docs/options.md are loops over the rows.
 *
 *     options.c          values: from words, and back to text
 *     option_sources.c   where words come from: file, stdin, environment, command line
 *     option_rewrite.c   a file that says what is so now, for CONFIG REWRITE
 *     cmd_config.c       CONFIG, and how a change takes effect */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
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

enum option_flag {
    OPTION_MANY = 1,      /* several words in a file; CONFIG shows them in one */
    OPTION_IMMUTABLE = 2, /* CONFIG SET may not change it */
    OPTION_PROTECTED = 4, /* only where enable-protected-configs allows it */
    OPTION_SECRET = 8,    /* never shown in a message */
};

/* For enable-debug-command and enable-protected-configs. */
enum access { ACCESS_NO, ACCESS_LOCAL, ACCESS_YES };

/* The values. Numbers, sizes, modes, yes/no and choices are all int64_t. */
struct options {
    int64_t port, protected_mode, tcp_backlog, timeout, tcp_keepalive, maxclients;
    int64_t databases, loglevel, hz, enable_debug_command, enable_protected_configs;
    int64_t simd, syslog_enabled, syslog_facility, latency_tracking;
    int64_t search_budget;
    int64_t checkpoint_interval;
    int64_t log_trim, log_keep_size;
    int64_t appendonly, appendfsync, log_segment_size, seal_interval_ms, seal_dirty_max;
    int64_t max_nodes, max_edges;
    int64_t maxmemory, maxmemory_policy, proto_max_bulk_len, proto_max_arguments;
    int64_t client_query_buffer_limit, maxmemory_clients, maxmemory_strangers;
    int64_t replica_read_only, replica_serve_stale_data, replica_priority;
    int64_t replica_announce_port, replica_repair, repl_timeout;
    int64_t min_replicas_to_write, min_replicas_max_lag, min_replicas_durable;
    int64_t authentication_timeout, unixsocketperm, max_new_connections_per_cycle;
    int64_t acllog_max_len, http_port, max_records, confine, tls_port, tls_auth_clients,
        tls_replication;
    struct output_limit client_output_buffer_limit[CLASS_COUNT];
    char bind[OPTION_TEXT_SIZE], requirepass[OPTION_TEXT_SIZE], dir[OPTION_TEXT_SIZE];
    char log_archive_dir[OPTION_TEXT_SIZE];
    char logfile[OPTION_TEXT_SIZE], syslog_ident[OPTION_TEXT_SIZE],
        latency_tracking_info_percentiles[OPTION_TEXT_SIZE], unixsocket[OPTION_TEXT_SIZE],
        save[OPTION_TEXT_SIZE], origin[OPTION_TEXT_SIZE], witnesses[OPTION_TEXT_SIZE];
    char aclfile[OPTION_TEXT_SIZE], http_bind[OPTION_TEXT_SIZE],
        tls_cert_file[OPTION_TEXT_SIZE], tls_key_file[OPTION_TEXT_SIZE],
        tls_ca_cert_file[OPTION_TEXT_SIZE], tls_ca_cert_dir[OPTION_TEXT_SIZE],
        tls_protocols[OPTION_TEXT_SIZE], tls_ciphers[OPTION_TEXT_SIZE],
        tls_ciphersuites[OPTION_TEXT_SIZE], replicaof[OPTION_TEXT_SIZE],
        masterauth[OPTION_TEXT_SIZE], masteruser[OPTION_TEXT_SIZE],
        replica_announce_ip[OPTION_TEXT_SIZE];
};

struct option {
    const char *name;
    size_t offset; /* in struct options */
    enum option_type type;
    unsigned flags;
    const char *initial; /* goes through the same parser as everything else */
    const char *choices; /* OPTION_ENUM: words with a blank between, lowest value first */
    int64_t least, most; /* OPTION_INTEGER and OPTION_SIZE */
    const char *unit;    /* of OPTION_INTEGER, or NULL for a plain number */
    /* Why a text will not do, or NULL when it will. */
    const char *(*complaint)(const char *text);
    const char *help; /* whole sentences */
};

size_t option_count(void);
const struct option *option_at(size_t index);
/* NULL when there is none. Letters of either case. */
const struct option *option_find(struct slice name);

#define OPTION_MESSAGE_SIZE 256

/* Give every option its initial value. */
void options_begin(struct options *options);

/* Set one option from the words that follow its name. On STATUS_INVALID `message` says
 * what was wrong, in Redis's words and without the option's name, and nothing changed. */
enum status option_set(struct options *options, const struct option *option,
                       const struct slice *words, size_t count,
                       char message[OPTION_MESSAGE_SIZE]);
/* The same from one text: cut at blanks for an option of many words, whole for others. */
enum status option_set_text(struct options *options, const struct option *option,
                            struct slice text, char message[OPTION_MESSAGE_SIZE]);

/* The value as text that option_set_text() takes back. */
void option_text(const struct options *options, const struct option *option,
                 char text[OPTION_TEXT_SIZE]);
/* Whether both have the same value. */
bool option_equal(const struct options *a, const struct options *b,
                  const struct option *option);

/* Cut the next word off `rest`; false at its end. */
bool option_next_word(struct slice *rest, struct slice *word);
/* A percentile, 0 to 100 with at most four decimals, as millionths of the whole. */
bool option_percentile(struct slice word, uint64_t *millionths);

/* A text of `replicaof` as host and port; false when it is none, or empty. */
#define OPTION_HOST_SIZE 64
bool options_primary(const char *text, char host[OPTION_HOST_SIZE], uint16_t *port);
/* Why these values cannot stand together, or NULL. */
const char *options_conflict(const struct options *options);
/* True when every address of `bind` is of this machine only (127.0.0.0/8 or ::1). */
bool options_loopback_only(const struct options *options);
/* Take the next address of `list` (blanks between) into `address`; false at the end. */
bool options_next_address(const char **list, char address[64]);

/* --- option_sources.c ------------------------------------------------------------- */

#define OPTION_PATH_SIZE 512

struct option_sources {
    const struct allocator *allocator;
    char *const *words; /* `[file] [-] [--name value ...]`, without the program's name */
    int count;
    char *const *environment; /* NAME=value, ends with NULL; NULL: none */
    FILE *complaints;         /* where errors are told */
    bool all;                 /* go on after an error, to tell them all */
};

struct option_origin {
    const char *path;      /* of the configuration file, one of the words; or NULL */
    unsigned strange;      /* variables VALORI_... that name no option */
    char strange_name[64]; /* one of them */
};

/* Set options from the file, stdin (`-`), the environment (VALORI_APPENDFSYNC) and the
 * command line, in this order; later ones win. STATUS_INVALID: something was told. */
enum status options_read(struct options *options, const struct option_sources *sources,
                         struct option_origin *origin);

/* One line of a configuration file: `name word ...`, a comment, `include path`, or
 * nothing. Words may stand in quotes, as in an inline command. */
enum status options_line(struct options *options, const struct option_sources *sources,
                         struct slice line, char message[OPTION_MESSAGE_SIZE]);

/* The first word of a line as it stands there. */
struct slice options_line_name(struct slice line);
/* Cut the first line off `text`; false at its end. */
bool options_next_line(struct slice *text, struct slice *line);

/* --- option_rewrite.c ------------------------------------------------------------- */

/* What the file of this text has to become so that reading it gives `options`: its lines
 * and comments in their order, the changed ones replaced, the missing ones at the end. */
enum status options_rewritten(const struct options *options,
                              const struct option_sources *sources, struct slice text,
                              struct buffer *result);

#endif
