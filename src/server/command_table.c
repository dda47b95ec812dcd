/* The commands, one row each, by family. A unit test holds every arity against its
 * synopsis. */
#include "server/command_table.h"

#include <stdio.h>
#include <string.h>

#include "server/call.h"
#include "server/words.h"

/* What most connection commands share: they look at nothing that could be unsynced or
 * loading. */
#define ANYTIME      (COMMAND_FAST | COMMAND_LOADING | COMMAND_ALWAYS)
#define ONE_KEY      .key_first = 1, .key_last = 1, .key_step = 1
#define PROVES       COMMAND_FAST | COMMAND_SEES_STATE | COMMAND_NO_MULTI
#define VECTOR_GROUP .group = "vector_set"
/* A command for graphs, of one key. */
#define OF_GRAPH     .group = "graph", .since = "0.1", ONE_KEY
#define CHOICE       "[<IN | OUT | BOTH>] [TYPE type...] [KIND kind...] "
#define HELP_ROW                                                                         \
    {                                                                                    \
        .name = "help", .run = cmd_help, .arity = 2, .synopsis = "",                     \
        .summary = "List the subcommands."                                               \
    }

/* Rows read better laid out by hand. */
/* clang-format off */
static const struct subcommand acl_subcommands[] = {
    {.name = "whoami", .run = cmd_acl_whoami, .arity = 2, .synopsis = "",
     .summary = "The name of this connection's user."},
    {.name = "users", .run = cmd_acl_users, .arity = 2, .flags = COMMAND_ADMIN, .synopsis = "",
     .summary = "The names of all users."},
    {.name = "list", .run = cmd_acl_list, .arity = 2, .flags = COMMAND_ADMIN, .synopsis = "",
     .summary = "All users with their rules, as ACL SETUSER takes them."},
    {.name = "getuser", .run = cmd_acl_getuser, .arity = 3, .flags = COMMAND_ADMIN,
     .synopsis = "username", .summary = "One user, part by part."},
    {.name = "setuser", .write = cmd_acl_setuser, .answer = answer_ok, .arity = -3,
     .flags = COMMAND_ADMIN, .synopsis = "username [rule...]",
     .summary = "Make or change a user: the rules apply one after the other."},
    {.name = "deluser", .write = cmd_acl_deluser, .answer = answer_count, .arity = -3,
     .flags = COMMAND_ADMIN, .synopsis = "username...",
     .summary = "Remove users, and close their connections."},
    {.name = "cat", .run = cmd_acl_cat, .arity = -2, .synopsis = "[category]",
     .summary = "The categories, or the commands of one."},
    {.name = "genpass", .run = cmd_acl_genpass, .arity = -2, .synopsis = "[bits]",
     .summary = "A random password, in hexadecimal digits."},
    {.name = "dryrun", .run = cmd_acl_dryrun, .arity = -4, .flags = COMMAND_ADMIN,
     .synopsis = "username command [argument...]",
     .summary = "Whether a user may run a command."},
    {.name = "log", .run = cmd_acl_log, .arity = -2, .flags = COMMAND_ADMIN,
     .synopsis = "[<count | RESET>]", .summary = "What was denied of late, the newest first."},
    {.name = "load", .write = cmd_acl_load, .answer = answer_ok, .arity = 2,
     .flags = COMMAND_ADMIN, .synopsis = "",
     .summary = "Make the users those of the file of `aclfile`."},
    {.name = "save", .run = cmd_acl_save, .arity = 2, .flags = COMMAND_ADMIN, .synopsis = "",
     .summary = "Write the users into that file."},
    HELP_ROW,
    {.name = NULL},
};

static const struct subcommand client_subcommands[] = {
    {.name = "id", .run = cmd_client_id, .arity = 2, .synopsis = "",
     .summary = "The number of this connection."},
    {.name = "getname", .run = cmd_client_getname, .arity = 2, .synopsis = "",
     .summary = "The name that CLIENT SETNAME gave."},
    {.name = "setname", .run = cmd_client_setname, .arity = 3, .synopsis = "connection-name",
     .summary = "Name this connection."},
    {.name = "setinfo", .run = cmd_client_setinfo, .arity = 4,
     .synopsis = "<LIB-NAME libname | LIB-VER libver>",
     .summary = "Say which client library speaks."},
    {.name = "info", .run = cmd_client_info, .arity = 2, .synopsis = "",
     .summary = "This connection's line of CLIENT LIST."},
    {.name = "list", .run = cmd_client_list, .arity = -2, .flags = COMMAND_ADMIN,
     .synopsis = "[TYPE client-type] [ID client-id...]",
     .summary = "All connections, one a line."},
    {.name = "kill", .run = cmd_client_kill, .arity = -3, .flags = COMMAND_ADMIN,
     .synopsis = "<ip-port | <ID client-id | ADDR ip-port | LADDR ip-port | TYPE client-type "
                 "| USER username | SKIPME yes-or-no | MAXAGE seconds>>",
     .summary = "Close connections."},
    {.name = "reply", .run = cmd_client_reply, .arity = 3, .synopsis = "<ON | OFF | SKIP>",
     .summary = "Whether commands are answered; SKIP: the next one is not."},
    {.name = "pause", .run = cmd_client_pause, .arity = -3, .flags = COMMAND_ADMIN,
     .synopsis = "milliseconds [<WRITE | ALL>]",
     .summary = "Let the commands of all connections wait."},
    {.name = "unpause", .run = cmd_client_unpause, .arity = 2,
     .flags = COMMAND_ADMIN, .synopsis = "", .summary = "End the pause."},
    {.name = "unblock", .run = cmd_client_unblock, .arity = -3, .flags = COMMAND_ADMIN,
     .synopsis = "client-id [<TIMEOUT | ERROR>]",
     .summary = "Wake a connection that waits in WAIT or WAITAOF."},
    {.name = "tracking", .run = cmd_client_tracking, .arity = -3,
     .synopsis = "<ON | OFF> [REDIRECT client] [PREFIX prefix...] [BCAST] [OPTIN] [OPTOUT] "
                 "[NOLOOP]",
     .summary = "Client-side caching: only OFF is accepted."},
    {.name = "trackinginfo", .run = cmd_client_trackinginfo, .arity = 2, .synopsis = "",
     .summary = "That nothing is tracked."},
    {.name = "getredir", .run = cmd_client_getredir, .arity = 2, .synopsis = "",
     .summary = "-1, for nothing is tracked."},
    {.name = "caching", .run = cmd_client_caching, .arity = 3, .synopsis = "<YES | NO>",
     .summary = "An error, for nothing is tracked."},
    {.name = "no-evict", .run = cmd_client_no_evict, .arity = 3,
     .flags = COMMAND_ADMIN, .synopsis = "<ON | OFF>",
     .summary = "Whether maxmemory-clients may close this connection."},
    {.name = "no-touch", .run = cmd_client_no_touch, .arity = 3, .synopsis = "<ON | OFF>",
     .summary = "Accepted; no access times are kept."},
    HELP_ROW,
    {.name = NULL},
};

static const struct subcommand command_subcommands[] = {
    {.name = "count", .run = cmd_command_count, .arity = 2, .synopsis = "",
     .summary = "How many commands there are."},
    {.name = "info", .run = cmd_command_info, .arity = -2, .synopsis = "[command-name...]",
     .summary = "Arity, flags and keys of commands."},
    {.name = "docs", .run = cmd_command_docs, .arity = -2, .synopsis = "[command-name...]",
     .summary = "Summary and arguments of commands."},
    {.name = "list", .run = cmd_command_list, .arity = -2,
     .synopsis = "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
     .summary = "The names of commands."},
    {.name = "getkeys", .run = cmd_command_getkeys, .arity = -3,
     .synopsis = "command [argument...]", .summary = "The keys of a whole command."},
    {.name = "getkeysandflags", .run = cmd_command_getkeysandflags, .arity = -3,
     .synopsis = "command [argument...]",
     .summary = "The same with what becomes of each key."},
    HELP_ROW,
    {.name = NULL},
};

static const struct subcommand config_subcommands[] = {
    {.name = "get", .run = cmd_config_get, .arity = -3, .synopsis = "pattern...",
     .summary = "The values of options."},
    {.name = "set", .run = cmd_config_set, .arity = -4,
     .synopsis = "(parameter value)...",
     .summary = "Change options at run time: all of the pairs or none."},
    {.name = "resetstat", .run = cmd_config_resetstat, .arity = 2, .synopsis = "",
     .summary = "Set the counters of INFO back to zero."},
    {.name = "rewrite", .run = cmd_config_rewrite, .arity = 2, .synopsis = "",
     .summary = "Write what is set now into the configuration file."},
    HELP_ROW,
    {.name = NULL},
};

static const struct subcommand debug_subcommands[] = {
    {.name = "sleep", .run = cmd_debug_sleep, .arity = 3, .synopsis = "seconds",
     .summary = "Keep data commands waiting."},
    {.name = "digest", .run = cmd_debug_digest, .arity = 2, .flags = COMMAND_SEES_STATE,
     .synopsis = "", .summary = "40 hex digits of the content root."},
    {.name = "digest-value", .run = cmd_debug_digest_value, .arity = -3,
     .flags = COMMAND_SEES_STATE, .synopsis = "key...",
     .summary = "A digest of each key's contents."},
    {.name = "reload", .run = cmd_debug_reload, .arity = 2, .synopsis = "",
     .summary = "Stop the log, drop the state, and recover it as a start does."},
    {.name = "diverge", .run = cmd_debug_diverge, .arity = 3, .synopsis = "key",
     .summary = "Set a key without an entry, as a fault might: a replica must notice."},
    {.name = "panic", .run = cmd_debug_panic, .arity = 2, .synopsis = "",
     .summary = "Stop as a failed check does."},
    {.name = "verify", .run = cmd_debug_verify, .arity = 2, .flags = COMMAND_SEES_STATE,
     .synopsis = "", .summary = "Recompute the roots from memory and compare."},
    {.name = "freeze", .run = cmd_debug_freeze, .arity = 2, .flags = COMMAND_SEES_STATE,
     .synopsis = "", .summary = "Hold a constant view of this moment."},
    {.name = "unfreeze", .run = cmd_debug_unfreeze, .arity = 2, .flags = COMMAND_SEES_STATE,
     .synopsis = "", .summary = "Recompute the held view's root, compare, release it."},
    HELP_ROW,
    {.name = NULL},
};

static const struct subcommand memory_subcommands[] = {
    {.name = "usage", .run = cmd_memory_usage, .arity = -3, .flags = COMMAND_SEES_STATE,
     .synopsis = "key [SAMPLES count]", .summary = "Bytes that a key has in memory."},
    HELP_ROW,
    {.name = NULL},
};

static const struct subcommand pubsub_subcommands[] = {
    {.name = "channels", .run = cmd_pubsub_channels, .arity = -2, .synopsis = "[pattern]",
     .summary = "Channels that somebody has subscribed to."},
    {.name = "numsub", .run = cmd_pubsub_numsub, .arity = -2, .synopsis = "[channel...]",
     .summary = "How many have subscribed to each."},
    {.name = "numpat", .run = cmd_pubsub_numpat, .arity = 2, .synopsis = "",
     .summary = "How many patterns there are subscriptions to."},
    HELP_ROW,
    {.name = NULL},
};

static const struct command command_rows[] = {
    /* --- Connection ------------------------------------------------------------------- */
    {.name = "auth", .run = cmd_auth, .arity = -2, .group = "connection", .since = "0.1",
     .flags = ANYTIME | COMMAND_NO_AUTH | COMMAND_NO_MULTI, .synopsis = "[username] password",
     .summary = "Show the password."},
    {.name = "client", .subcommands = client_subcommands, .arity = -2, .group = "connection",
     .since = "0.1", .flags = ANYTIME, .synopsis = "subcommand [argument...]",
     .summary = "Look at and act on connections."},
    {.name = "echo", .run = cmd_echo, .arity = 2, .group = "connection", .since = "0.1",
     .flags = ANYTIME, .synopsis = "message", .summary = "The message."},
    {.name = "hello", .run = cmd_hello, .arity = -1, .group = "connection", .since = "0.1",
     .flags = ANYTIME | COMMAND_NO_AUTH | COMMAND_NO_MULTI,
     .synopsis = "[protover [AUTH username password] [SETNAME clientname]]",
     .summary = "Choose the protocol, and say who the server is."},
    {.name = "ping", .run = cmd_ping, .arity = -1, .group = "connection", .since = "0.1",
     .flags = ANYTIME | COMMAND_SUBSCRIBER, .synopsis = "[message]",
     .summary = "PONG, or the message."},
    {.name = "quit", .run = cmd_quit, .arity = -1, .group = "connection", .since = "0.1",
     .flags = ANYTIME | COMMAND_NO_AUTH | COMMAND_NOT_QUEUED | COMMAND_SUBSCRIBER,
     .synopsis = "", .summary = "Close the connection."},
    {.name = "reset", .run = cmd_reset, .arity = 1, .group = "connection", .since = "0.1",
     .flags = ANYTIME | COMMAND_NO_AUTH | COMMAND_NOT_QUEUED | COMMAND_SUBSCRIBER,
     .synopsis = "", .summary = "Make the connection as new."},
    {.name = "select", .run = cmd_select, .arity = 2, .group = "connection", .since = "0.1",
     .flags = ANYTIME, .synopsis = "index", .summary = "Choose the database."},

    /* --- Server ----------------------------------------------------------------------- */
    {.name = "acl", .subcommands = acl_subcommands, .arity = -2, .group = "server",
     .since = "0.1", .flags = COMMAND_NO_MULTI, .synopsis = "subcommand [argument...]",
     .summary = "Users, and what each may do."},
    {.name = "bgsave", .run = cmd_bgsave, .arity = -1, .group = "server", .since = "0.1",
     .flags = COMMAND_ADMIN | COMMAND_NO_MULTI, .synopsis = "[SCHEDULE]",
     .summary = "Begin to save a snapshot beside everything else."},
    {.name = "command", .run = cmd_command, .subcommands = command_subcommands, .arity = -1,
     .group = "server", .since = "0.1", .flags = COMMAND_LOADING | COMMAND_ALWAYS,
     .synopsis = "[subcommand [argument...]]", .summary = "The commands of this server."},
    {.name = "config", .subcommands = config_subcommands, .arity = -2, .group = "server",
     .since = "0.1", .flags = COMMAND_LOADING | COMMAND_ALWAYS | COMMAND_ADMIN,
     .synopsis = "subcommand [argument...]", .summary = "The options of this server."},
    {.name = "dbsize", .read = cmd_dbsize, .arity = 1, .group = "server", .since = "0.1",
     .flags = COMMAND_FAST, .synopsis = "", .summary = "Number of keys in the database."},
    {.name = "debug", .subcommands = debug_subcommands, .arity = -2, .group = "server",
     .since = "0.1", .flags = COMMAND_ADMIN | COMMAND_NO_MULTI | COMMAND_DEBUG,
     .synopsis = "subcommand [argument...]",
     .summary = "Tools for tests; see the option enable-debug-command."},
    {.name = "flushall", .write = cmd_flushall, .answer = answer_ok, .arity = -1,
     .group = "generic", .since = "0.1", .flags = COMMAND_DANGEROUS, .synopsis = "[<ASYNC | SYNC>]",
     .summary = "Remove all keys of all databases."},
    {.name = "flushdb", .write = cmd_flushdb, .answer = answer_ok, .arity = -1,
     .group = "generic", .since = "0.1", .flags = COMMAND_DANGEROUS, .synopsis = "[<ASYNC | SYNC>]",
     .summary = "Remove all keys of the database."},
    {.name = "info", .run = cmd_info, .arity = -1, .group = "server", .since = "0.1",
     .flags = COMMAND_LOADING | COMMAND_ALWAYS, .synopsis = "[section...]",
     .summary = "Figures about the server."},
    {.name = "lastsave", .run = cmd_lastsave, .arity = 1, .group = "server", .since = "0.1",
     .flags = COMMAND_ADMIN | COMMAND_FAST, .synopsis = "",
     .summary = "Unix time of the last snapshot, or of the start."},
    {.name = "log.info", .run = cmd_log_info, .arity = 1, .group = "server", .since = "0.1",
     .flags = COMMAND_ADMIN | COMMAND_FAST | COMMAND_UPPER_CASE | COMMAND_NO_MULTI,
     .synopsis = "", .summary = "What the log holds: sequences, bytes, root, what may go."},
    {.name = "log.range", .run = cmd_log_range, .arity = -2, .group = "server",
     .since = "0.1",
     .flags = COMMAND_ADMIN | COMMAND_SEES_STATE | COMMAND_UPPER_CASE | COMMAND_NO_MULTI,
     .synopsis = "<from [count] | TIME from-us to-us [COUNT count]>",
     .summary = "Entries of the log, decoded: sequence, time, user, commands."},
    {.name = "log.trim", .run = cmd_log_trim, .arity = -1, .group = "server", .since = "0.1",
     .flags = COMMAND_ADMIN | COMMAND_FAST | COMMAND_UPPER_CASE | COMMAND_NO_MULTI,
     .synopsis = "[TO sequence]",
     .summary = "Let files of the log go that two verified snapshots cover; where it will "
                "begin."},
    {.name = "memory", .subcommands = memory_subcommands, .arity = -2, .group = "server",
     .since = "0.1", .key_first = 2, .key_last = 2, .key_step = 1,
     .synopsis = "subcommand [argument...]", .summary = "What memory is used for."},
    {.name = "psync", .run = cmd_psync, .arity = -3, .group = "server", .since = "0.1",
     .flags = COMMAND_ADMIN | COMMAND_NO_MULTI, .synopsis = "replicationid offset [root]",
     .summary = "What a replica asks of its primary: to be fed from the log."},
    {.name = "replconf", .run = cmd_replconf, .arity = -1, .group = "server", .since = "0.1",
     .flags = ANYTIME | COMMAND_ADMIN | COMMAND_NO_MULTI, .synopsis = "[option...]",
     .summary = "What a replica tells its primary."},
    {.name = "replicaof", .run = cmd_replicaof, .arity = -3, .group = "server",
     .since = "0.1", .flags = COMMAND_ADMIN,
     .synopsis = "<host port [FORCE] | NO ONE>",
     .summary = "Follow a primary, or be one. FORCE sets another history aside."},
    {.name = "role", .run = cmd_role, .arity = 1, .group = "server", .since = "0.1",
     .flags = ANYTIME, .synopsis = "", .summary = "Primary or replica, and of whom."},
    {.name = "slaveof", .run = cmd_replicaof, .arity = -3, .group = "server",
     .since = "0.1", .flags = COMMAND_ADMIN,
     .synopsis = "<host port [FORCE] | NO ONE>",
     .summary = "The same as REPLICAOF."},
    {.name = "save", .run = cmd_save, .arity = 1, .group = "server", .since = "0.1",
     .flags = COMMAND_ADMIN | COMMAND_NO_MULTI, .synopsis = "",
     .summary = "Save a snapshot; answered when it is on the disk and was read back."},
    {.name = "shutdown", .run = cmd_shutdown, .arity = -1, .group = "server", .since = "0.1",
     .flags = COMMAND_LOADING | COMMAND_ADMIN | COMMAND_NO_MULTI,
     .synopsis = "[<NOSAVE | SAVE>] [NOW] [FORCE] [ABORT]",
     .summary = "Sync the log and end the process; with SAVE, after saving a snapshot."},
    {.name = "time", .run = cmd_time, .arity = 1, .group = "server", .since = "0.1",
     .flags = ANYTIME, .synopsis = "", .summary = "Unix time: seconds and microseconds."},

    /* --- Keys ------------------------------------------------------------------------- */
    {.name = "del", .write = cmd_del, .answer = answer_count, .arity = -2, .group = "generic",
     .since = "0.1", .key_first = 1, .key_last = -1, .key_step = 1,
     .flags = COMMAND_BLIND, .synopsis = "key...",
     .summary = "Remove keys."},
    {.name = "copy", .write = cmd_copy, .answer = answer_copy, .arity = -3,
     .group = "generic", .since = "0.1", .key_first = 1, .key_last = 2, .key_step = 1,
     .flags = COMMAND_DENY_OOM | COMMAND_NO_MULTI,
     .synopsis = "source destination [DB destination-db] [REPLACE]",
     .summary = "Copy a string under another name; not in a transaction."},
    {.name = "exists", .read = cmd_exists, .arity = -2, .group = "generic", .since = "0.1",
     .key_first = 1, .key_last = -1, .key_step = 1, .flags = COMMAND_FAST,
     .synopsis = "key...", .summary = "How many of the keys exist."},
    {.name = "expire", .write = cmd_expire, .answer = answer_expire, .arity = -3, ONE_KEY,
     .group = "generic", .since = "0.1", .flags = COMMAND_FAST,
     .synopsis = "key seconds [<NX | XX | GT | LT>]",
     .summary = "Let a key go after so many seconds."},
    {.name = "expireat", .write = cmd_expireat, .answer = answer_expire, .arity = -3, ONE_KEY,
     .group = "generic", .since = "0.1", .flags = COMMAND_FAST,
     .synopsis = "key unix-time-seconds [<NX | XX | GT | LT>]",
     .summary = "Let a key go at a time, in seconds since 1970."},
    {.name = "expiretime", .read = cmd_expiretime, .arity = 2, ONE_KEY, .group = "generic",
     .since = "0.1", .flags = COMMAND_FAST, .synopsis = "key",
     .summary = "When a key goes, in seconds since 1970; -1: never, -2: there is none."},
    {.name = "keys", .read = cmd_keys, .arity = 2, .group = "generic", .since = "0.1",
     .flags = COMMAND_DANGEROUS, .synopsis = "pattern",
     .summary = "The names of all keys that match."},
    {.name = "persist", .write = cmd_persist, .answer = answer_expire, .arity = 2, ONE_KEY,
     .group = "generic", .since = "0.1", .flags = COMMAND_FAST, .synopsis = "key",
     .summary = "Let a key stay for ever."},
    {.name = "pexpire", .write = cmd_pexpire, .answer = answer_expire, .arity = -3, ONE_KEY,
     .group = "generic", .since = "0.1", .flags = COMMAND_FAST,
     .synopsis = "key milliseconds [<NX | XX | GT | LT>]",
     .summary = "Let a key go after so many milliseconds."},
    {.name = "pexpireat", .write = cmd_pexpireat, .answer = answer_expire, .arity = -3,
     ONE_KEY, .group = "generic", .since = "0.1", .flags = COMMAND_FAST,
     .synopsis = "key unix-time-milliseconds [<NX | XX | GT | LT>]",
     .summary = "Let a key go at a time, in milliseconds since 1970."},
    {.name = "pexpiretime", .read = cmd_pexpiretime, .arity = 2, ONE_KEY,
     .group = "generic", .since = "0.1", .flags = COMMAND_FAST, .synopsis = "key",
     .summary = "When a key goes, in milliseconds since 1970; -1: never, -2: there is none."},
    {.name = "pttl", .read = cmd_pttl, .arity = 2, ONE_KEY, .group = "generic",
     .since = "0.1", .flags = COMMAND_FAST, .synopsis = "key",
     .summary = "Milliseconds until a key goes; -1: never, -2: there is none."},
    {.name = "randomkey", .read = cmd_randomkey, .arity = 1, .group = "generic",
     .since = "0.1", .synopsis = "", .summary = "The name of any key."},
    {.name = "rename", .write = cmd_rename, .answer = answer_rename, .arity = 3,
     .group = "generic", .since = "0.1", .key_first = 1, .key_last = 2, .key_step = 1,
     .synopsis = "key newkey", .summary = "Give a key another name, in the place of what has it."},
    {.name = "renamenx", .write = cmd_rename, .answer = answer_renamenx, .arity = 3,
     .group = "generic", .since = "0.1", .key_first = 1, .key_last = 2, .key_step = 1,
     .flags = COMMAND_FAST, .synopsis = "key newkey",
     .summary = "Give a key another name, if nothing has it."},
    {.name = "scan", .read = cmd_scan, .arity = -2, .group = "generic", .since = "0.1",
     .synopsis = "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     .summary = "Some names of keys, and where to go on."},
    {.name = "touch", .read = cmd_exists, .arity = -2, .group = "generic", .since = "0.1",
     .key_first = 1, .key_last = -1, .key_step = 1, .flags = COMMAND_FAST,
     .synopsis = "key...", .summary = "How many of the keys exist; no access times are kept."},
    {.name = "ttl", .read = cmd_ttl, .arity = 2, ONE_KEY, .group = "generic",
     .since = "0.1", .flags = COMMAND_FAST, .synopsis = "key",
     .summary = "Seconds until a key goes; -1: never, -2: there is none."},
    {.name = "type", .read = cmd_type, .arity = 2, .group = "generic", .since = "0.1", ONE_KEY,
     .flags = COMMAND_FAST, .synopsis = "key", .summary = "What kind of value a key holds."},
    {.name = "unlink", .write = cmd_del, .answer = answer_count, .arity = -2,
     .group = "generic", .since = "0.1", .key_first = 1, .key_last = -1, .key_step = 1,
     .flags = COMMAND_BLIND | COMMAND_FAST, .synopsis = "key...",
     .summary = "Remove keys; the same as DEL."},

    {.name = "wait", .run = cmd_wait, .arity = 3, .group = "generic", .since = "0.1",
     .synopsis = "numreplicas timeout",
     .summary = "Wait until so many replicas have this client's writes on their disks."},
    {.name = "waitaof", .run = cmd_waitaof, .arity = 4, .group = "generic", .since = "0.1",
     .synopsis = "numlocal numreplicas timeout",
     .summary = "The same, and for the disk here."},

    /* --- Strings ---------------------------------------------------------------------- */
    {.name = "append", .write = cmd_append, .answer = answer_append, .arity = 3, ONE_KEY,
     .group = "string", .since = "0.1",
     .flags = COMMAND_BLIND | COMMAND_FAST | COMMAND_DENY_OOM | COMMAND_NO_MULTI,
     .synopsis = "key value",
     .summary = "Add bytes to the end of a string; not in a transaction."},
    {.name = "decr", .write = cmd_decr, .answer = answer_incr, .arity = 2, ONE_KEY,
     .group = "string", .since = "0.1", .flags = COMMAND_FAST | COMMAND_DENY_OOM,
     .synopsis = "key", .summary = "Take one from a number."},
    {.name = "decrby", .write = cmd_decrby, .answer = answer_incr, .arity = 3, ONE_KEY,
     .group = "string", .since = "0.1", .flags = COMMAND_FAST | COMMAND_DENY_OOM,
     .synopsis = "key decrement", .summary = "Subtract from a number."},
    {.name = "get", .read = cmd_get, .arity = 2, ONE_KEY, .group = "string", .since = "0.1",
     .flags = COMMAND_FAST, .synopsis = "key", .summary = "A string's value."},
    {.name = "getdel", .write = cmd_getdel, .before = before_getset, .answer = answer_getset,
     .arity = 2, ONE_KEY, .group = "string", .since = "0.1",
     .flags = COMMAND_FAST | COMMAND_NO_MULTI, .synopsis = "key",
     .summary = "A string's value, and remove the key; not in a transaction."},
    {.name = "getex", .write = cmd_getex, .before = before_getset, .answer = answer_getset,
     .arity = -2, ONE_KEY, .group = "string", .since = "0.1",
     .flags = COMMAND_FAST | COMMAND_NO_MULTI,
     .synopsis = "key [<EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
                 "unix-time-milliseconds | PERSIST>]",
     .summary = "A string's value, and change when its key goes; not in a transaction."},
    {.name = "getset", .write = cmd_getset, .before = before_getset, .answer = answer_getset,
     .arity = 3, ONE_KEY, .group = "string", .since = "0.1",
     .flags = COMMAND_FAST | COMMAND_DENY_OOM, .synopsis = "key value",
     .summary = "Set a string and answer with its old value."},
    {.name = "incr", .write = cmd_incr, .answer = answer_incr, .arity = 2, ONE_KEY,
     .group = "string", .since = "0.1", .flags = COMMAND_FAST | COMMAND_DENY_OOM,
     .synopsis = "key", .summary = "Add one to a number."},
    {.name = "incrby", .write = cmd_incrby, .answer = answer_incr, .arity = 3, ONE_KEY,
     .group = "string", .since = "0.1", .flags = COMMAND_FAST | COMMAND_DENY_OOM,
     .synopsis = "key increment", .summary = "Add to a number."},
    {.name = "mget", .read = cmd_mget, .arity = -2, .group = "string", .since = "0.1",
     .key_first = 1, .key_last = -1, .key_step = 1, .flags = COMMAND_FAST,
     .synopsis = "key...", .summary = "The values of strings."},
    {.name = "mset", .write = cmd_mset, .answer = answer_ok, .arity = -3, .group = "string",
     .since = "0.1", .key_first = 1, .key_last = -1, .key_step = 2,
     .flags = COMMAND_BLIND | COMMAND_DENY_OOM, .synopsis = "(key value)...",
     .summary = "Set strings, all of them as one log entry."},
    {.name = "psetex", .write = cmd_psetex, .answer = answer_ok, .arity = 4, ONE_KEY,
     .group = "string", .since = "0.1", .flags = COMMAND_DENY_OOM,
     .synopsis = "key milliseconds value",
     .summary = "Set a string that goes after some milliseconds."},
    {.name = "set", .write = cmd_set, .before = before_set, .answer = answer_set, .arity = -3,
     ONE_KEY, .group = "string", .since = "0.1", .flags = COMMAND_BLIND | COMMAND_DENY_OOM,
     .blind_unless = "GET",
     .synopsis = "key value [<NX | XX>] [GET] "
                 "[<EX seconds | PX milliseconds | EXAT unix-time-seconds | "
                 "PXAT unix-time-milliseconds | KEEPTTL>]",
     .summary = "Set a string, whatever the key held."},
    {.name = "setex", .write = cmd_setex, .answer = answer_ok, .arity = 4, ONE_KEY,
     .group = "string", .since = "0.1", .flags = COMMAND_DENY_OOM,
     .synopsis = "key seconds value", .summary = "Set a string that goes after some seconds."},
    {.name = "setnx", .write = cmd_setnx, .answer = answer_setnx, .arity = 3, ONE_KEY,
     .group = "string", .since = "0.1", .flags = COMMAND_BLIND | COMMAND_FAST | COMMAND_DENY_OOM,
     .synopsis = "key value", .summary = "Set a string if the key does not exist."},
    {.name = "strlen", .read = cmd_strlen, .arity = 2, ONE_KEY, .group = "string",
     .since = "0.1", .flags = COMMAND_FAST, .synopsis = "key",
     .summary = "Size of a string in bytes."},

    /* --- Transactions ----------------------------------------------------------------- */
    {.name = "discard", .run = cmd_discard, .arity = 1, .group = "transactions",
     .since = "0.1", .flags = ANYTIME | COMMAND_NOT_QUEUED, .synopsis = "",
     .summary = "Forget the queued commands."},
    {.name = "exec", .run = cmd_exec, .arity = 1, .group = "transactions", .since = "0.1",
     .flags = COMMAND_NOT_QUEUED | COMMAND_SEES_STATE, .synopsis = "",
     .summary = "Run the queued commands; their writes are one log entry."},
    {.name = "multi", .run = cmd_multi, .arity = 1, .group = "transactions", .since = "0.1",
     .flags = ANYTIME | COMMAND_NOT_QUEUED, .synopsis = "",
     .summary = "Queue what follows until EXEC."},
    {.name = "unwatch", .run = cmd_unwatch, .arity = 1, .group = "transactions",
     .since = "0.1", .flags = ANYTIME, .synopsis = "",
     .summary = "Forget the watched keys."},
    {.name = "watch", .run = cmd_watch, .arity = -2, .group = "transactions", .since = "0.1",
     .key_first = 1, .key_last = -1, .key_step = 1,
     .flags = COMMAND_FAST | COMMAND_NOT_QUEUED, .synopsis = "key...",
     .summary = "Let the next EXEC do nothing if one of the keys changes before it."},

    /* --- Messages --------------------------------------------------------------------- */
    {.name = "psubscribe", .run = cmd_psubscribe, .arity = -2, .group = "pubsub",
     .since = "0.1", .channel_first = 1, .channel_last = SIZE_MAX,
     .flags = ANYTIME | COMMAND_SUBSCRIBER | COMMAND_NO_MULTI | COMMAND_PATTERNS,
     .synopsis = "pattern...", .summary = "Get the messages of channels that match."},
    {.name = "publish", .run = cmd_publish, .arity = 3, .group = "pubsub", .since = "0.1",
     .channel_first = 1, .channel_last = 1, .flags = ANYTIME,
     .synopsis = "channel message",
     .summary = "Send a message to who has subscribed to the channel here."},
    {.name = "pubsub", .subcommands = pubsub_subcommands, .arity = -2, .group = "pubsub",
     .since = "0.1", .flags = ANYTIME, .synopsis = "subcommand [argument...]",
     .summary = "Who has subscribed to what."},
    {.name = "punsubscribe", .run = cmd_punsubscribe, .arity = -1, .group = "pubsub",
     .since = "0.1", .flags = ANYTIME | COMMAND_SUBSCRIBER | COMMAND_NO_MULTI,
     .synopsis = "[pattern...]", .summary = "Stop that; without a pattern, all of them."},
    {.name = "subscribe", .run = cmd_subscribe, .arity = -2, .group = "pubsub",
     .since = "0.1", .channel_first = 1, .channel_last = SIZE_MAX,
     .flags = ANYTIME | COMMAND_SUBSCRIBER | COMMAND_NO_MULTI,
     .synopsis = "channel...", .summary = "Get the messages of channels."},
    {.name = "unsubscribe", .run = cmd_unsubscribe, .arity = -1, .group = "pubsub",
     .since = "0.1", .flags = ANYTIME | COMMAND_SUBSCRIBER | COMMAND_NO_MULTI,
     .synopsis = "[channel...]", .summary = "Stop that; without a channel, all of them."},

    /* --- Proofs ----------------------------------------------------------------------- */
    {.name = "proof.card", .run = cmd_proof_key, .arity = -2, .group = "proof", .since = "0.1",
     ONE_KEY, .flags = PROVES, .synopsis = "key [TEXT]",
     .summary = "Proof of how many elements a key has."},
    {.name = "proof.checkpoint", .run = cmd_proof_checkpoint, .waits = proof_checkpoint_waits,
     .arity = -1, .group = "proof", .since = "0.1", .flags = PROVES, .synopsis = "[SYNC]",
     .summary = "The newest signed checkpoint; with SYNC one that covers all there is now."},
    {.name = "proof.consistency", .run = cmd_proof_consistency, .arity = 3, .group = "proof",
     .since = "0.1", .flags = PROVES, .synopsis = "old-size new-size",
     .summary = "Proof that the log of one size is the beginning of that of another."},
    {.name = "proof.content", .read = cmd_proof_content, .arity = 1, .group = "proof",
     .since = "0.1", .flags = COMMAND_NO_MULTI, .synopsis = "",
     .summary = "A root over the contents alone, equal wherever they are equal."},
    {.name = "proof.cosign", .run = cmd_proof_cosign, .arity = 2, .group = "proof",
     .since = "0.1", .flags = COMMAND_FAST | COMMAND_NO_MULTI, .synopsis = "signature-line",
     .summary = "Add a witness's signature to the newest checkpoint."},
    {.name = "proof.entry", .run = cmd_proof_entry, .arity = 2, .group = "proof",
     .since = "0.1", .flags = PROVES, .synopsis = "index",
     .summary = "An entry of the log, and the proof that it is in the log."},
    {.name = "proof.key", .run = cmd_proof_key, .arity = -2, .group = "proof", .since = "0.1",
     ONE_KEY, .flags = PROVES, .synopsis = "key [TEXT]",
     .summary = "Proof of a key's settings and roots, or that there is none."},
    {.name = "proof.log", .run = cmd_proof_log, .arity = -1, .group = "proof",
     .since = "0.1", .flags = PROVES, .synopsis = "[size]",
     .summary = "The log's root, now or at an earlier size."},
    {.name = "proof.provenance", .run = cmd_proof_provenance, .arity = 3, .group = "proof",
     .since = "0.1", ONE_KEY, .flags = PROVES, .synopsis = "key element",
     .summary = "The entry that wrote an element last, with the proof that it is in the log."},
    {.name = "proof.receipt", .run = cmd_proof_receipt, .waits = proof_receipt_waits,
     .arity = -2, .group = "proof", .since = "0.1", .flags = PROVES, .synopsis = "index [WAIT]",
     .summary = "A signed proof that an entry is in the log, for keeping."},
    {.name = "proof.record", .run = cmd_proof_record, .arity = -3, .group = "proof",
     .since = "0.1", ONE_KEY, .flags = PROVES, .synopsis = "key element [TEXT]",
     .summary = "Proof of an element's value and last writer, or that there is none."},
    {.name = "proof.sample", .run = cmd_proof_sample, .arity = -3, .group = "proof",
     .since = "0.1", ONE_KEY, .flags = PROVES, .synopsis = "key rank [TEXT]",
     .summary = "Proof of the element with that rank in the order of key hashes."},
    {.name = "proof.state", .run = cmd_proof_state, .arity = -1, .group = "proof",
     .since = "0.1", .flags = COMMAND_FAST | COMMAND_SEES_STATE | COMMAND_NO_MULTI,
     .synopsis = "[SYNC]", .summary = "The state root of the last SEAL, and the log's root."},

    /* --- Graphs ----------------------------------------------------------------------- */
    {.name = "graph.card", .read = cmd_graph_card, .arity = -2, OF_GRAPH,
     .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key [<NODES | EDGES>]",
     .summary = "Number of nodes, or of edges."},
    {.name = "graph.create", .write = cmd_graph_create, .answer = answer_vcreate, .arity = -2,
     OF_GRAPH, .flags = COMMAND_DENY_OOM | COMMAND_UPPER_CASE,
     .synopsis = "key [CAPACITY nodes] [EDGES edges]",
     .summary = "Make an empty graph, which stays when it is emptied."},
    {.name = "graph.del", .write = cmd_graph_del, .answer = answer_graph_del, .arity = -3,
     OF_GRAPH, .flags = COMMAND_UPPER_CASE, .synopsis = "key node [type destination]",
     .summary = "Delete a node with all its edges, or an edge."},
    {.name = "graph.edge", .write = cmd_graph_edge, .answer = answer_graph_set, .arity = -5,
     OF_GRAPH, .flags = COMMAND_DENY_OOM | COMMAND_UPPER_CASE,
     .synopsis = "key source type destination [WEIGHT weight] [PROPS json] [<NX | XX>]",
     .summary = "Set an edge between two nodes; 1 if it is new."},
    {.name = "graph.exists", .read = cmd_graph_exists, .arity = -3, OF_GRAPH,
     .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key node [type destination]",
     .summary = "Whether there is a node, or an edge."},
    {.name = "graph.get", .read = cmd_graph_get, .arity = -3, OF_GRAPH,
     .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key node [type destination]",
     .summary = "All about a node, or an edge."},
    {.name = "graph.info", .read = cmd_graph_info, .arity = 2, OF_GRAPH,
     .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key",
     .summary = "Counts, capacities, kinds and types of a graph."},
    {.name = "graph.madd", .write = cmd_graph_madd, .answer = answer_graph_madd, .arity = -4,
     OF_GRAPH, .flags = COMMAND_DENY_OOM | COMMAND_UPPER_CASE,
     .synopsis = "key <NODE node | EDGE source type destination> [argument...]",
     .summary = "Set many nodes and edges, all of them or none; how many are new. Each is NODE or "
                "EDGE and what GRAPH.NODE and GRAPH.EDGE take."},
    {.name = "graph.neighbors", .read = cmd_graph_neighbors, .arity = -3, OF_GRAPH,
     .flags = COMMAND_UPPER_CASE,
     .synopsis = "key node " CHOICE "[COUNT count] [CURSOR cursor] [WITHEDGES]",
     .summary = "The nodes at the other ends of a node's edges."},
    {.name = "graph.node", .write = cmd_graph_node, .answer = answer_graph_set, .arity = -3,
     OF_GRAPH, .flags = COMMAND_DENY_OOM | COMMAND_UPPER_CASE,
     .synopsis = "key node [KIND kind] [PROPS json] [<ELEMENT vkey element | NOELEMENT>] "
                 "[<NX | XX>]",
     .summary = "Set a node; 1 if it is new."},
    {.name = "graph.path", .read = cmd_graph_path, .arity = -4, OF_GRAPH,
     .flags = COMMAND_UPPER_CASE,
     .synopsis = "key source destination [BY <HOPS | WEIGHT>] " CHOICE
                 "[DEPTH depth] [LIMIT nodes] [FANOUT edges] [WITHEDGES]",
     .summary = "The shortest way between two nodes."},
    {.name = "graph.scan", .read = cmd_graph_scan, .arity = -3, OF_GRAPH,
     .flags = COMMAND_UPPER_CASE,
     .synopsis = "key cursor [MATCH pattern] [COUNT count] [KIND kind...]",
     .summary = "Some nodes, and the cursor of the next ones."},
    {.name = "graph.walk", .read = cmd_graph_walk, .arity = -5, OF_GRAPH,
     .flags = COMMAND_UPPER_CASE,
     .synopsis = "key node DEPTH depth " CHOICE "[LIMIT nodes] [FANOUT edges] [WITHEDGES]",
     .summary = "What can be reached from a node, the nearest first."},
    /* --- Vectors ---------------------------------------------------------------------- */
    {.name = "vadd", .write = cmd_vadd, .answer = answer_vadd, .arity = -5, VECTOR_GROUP,
     .since = "0.1", ONE_KEY, .flags = COMMAND_DENY_OOM | COMMAND_UPPER_CASE,
     .synopsis = "key [REDUCE dim] <FP32 blob | VALUES num value...> element [SETATTR json] "
                 "[TAG tag] [<NX | XX>] [CAS] [<NOQUANT | Q8 | BIN>] [EF ef] [M m] [RECEIPT]",
     .summary = "Add an element, or replace its vector."},
    {.name = "vcard", .read = cmd_vcard, .arity = 2, VECTOR_GROUP, .since = "0.1", ONE_KEY,
     .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key",
     .summary = "Number of elements."},
    {.name = "vcreate", .write = cmd_vcreate, .answer = answer_vcreate, .arity = -4,
     VECTOR_GROUP, .since = "0.1", ONE_KEY, .flags = COMMAND_DENY_OOM | COMMAND_UPPER_CASE,
     .synopsis = "key DIM dim [METRIC <COSINE | L2 | IP>] [INDEX <FLAT | HNSW>] [M m] [EF ef] "
                 "[CAPACITY elements] [SCHEMA (field <NUMBER | STRING>)...]",
     .summary = "Make a collection with parameters of its own."},
    {.name = "vdim", .read = cmd_vdim, .arity = 2, VECTOR_GROUP, .since = "0.1", ONE_KEY,
     .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key",
     .summary = "Dimension of the vectors."},
    {.name = "vemb", .read = cmd_vemb, .arity = -3, VECTOR_GROUP, .since = "0.1", ONE_KEY,
     .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key element [RAW]",
     .summary = "An element's vector."},
    {.name = "vget", .read = cmd_vget, .arity = 3, VECTOR_GROUP, .since = "0.1", ONE_KEY,
     .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key element",
     .summary = "All that is stored of an element."},
    {.name = "vgetattr", .read = cmd_vgetattr, .arity = 3, VECTOR_GROUP, .since = "0.1",
     ONE_KEY, .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key element",
     .summary = "An element's attributes."},
    {.name = "vinfo", .read = cmd_vinfo, .arity = 2, VECTOR_GROUP, .since = "0.1", ONE_KEY,
     .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key",
     .summary = "Parameters and figures of a collection."},
    {.name = "vismember", .read = cmd_vismember, .arity = 3, VECTOR_GROUP, .since = "0.1",
     ONE_KEY, .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key element",
     .summary = "Whether the element is there."},
    {.name = "vlinks", .read = cmd_vlinks, .arity = -3, VECTOR_GROUP, .since = "0.1", ONE_KEY,
     .flags = COMMAND_FAST | COMMAND_UPPER_CASE, .synopsis = "key element [WITHSCORES]",
     .summary = "Neighbours of an element in the index, layer by layer, the nearest first."},
    {.name = "vmadd", .write = cmd_vmadd, .answer = answer_vmadd, .arity = -7, VECTOR_GROUP,
     .since = "0.1", ONE_KEY, .flags = COMMAND_DENY_OOM | COMMAND_UPPER_CASE,
     .synopsis = "key FP32 blob ELEMENTS num element... [TAGS tag...] [ATTRS json...]",
     .summary = "Add many elements, all or none, as one log entry."},
    {.name = "vrandmember", .read = cmd_vrandmember, .arity = -2, VECTOR_GROUP, .since = "0.1",
     ONE_KEY, .flags = COMMAND_UPPER_CASE, .synopsis = "key [count]",
     .summary = "Elements by chance; below 0 they may come twice."},
    {.name = "vrange", .read = cmd_vrange, .arity = -4, VECTOR_GROUP, .since = "0.1", ONE_KEY,
     .flags = COMMAND_UPPER_CASE, .synopsis = "key start end [count]",
     .summary = "Elements in the order of their names."},
    {.name = "vrem", .write = cmd_vrem, .answer = answer_bool, .arity = 3, VECTOR_GROUP,
     .since = "0.1", ONE_KEY, .flags = COMMAND_UPPER_CASE, .synopsis = "key element",
     .summary = "Remove an element."},
    {.name = "vscan", .read = cmd_vscan, .arity = -3, VECTOR_GROUP, .since = "0.1", ONE_KEY,
     .flags = COMMAND_UPPER_CASE, .synopsis = "key cursor [MATCH pattern] [COUNT count]",
     .summary = "Some names of elements, and where to go on."},
    {.name = "vsearch", .read = cmd_vsearch, .arity = -6, VECTOR_GROUP, .since = "0.1",
     ONE_KEY, .flags = COMMAND_UPPER_CASE,
     .synopsis = "key K k <ELE element | FP32 blob | VALUES num value...> [TAG tag...] "
                 "[FILTER expression] [FILTER-EF max-candidates] [EF ef] [EXACT] [WITHSCORES] "
                 "[WITHATTRIBS] [WITHTAGS]",
     .summary = "The nearest elements, ties by name."},
    {.name = "vsetattr", .write = cmd_vsetattr, .answer = answer_bool, .arity = 4,
     VECTOR_GROUP, .since = "0.1", ONE_KEY, .flags = COMMAND_FAST | COMMAND_UPPER_CASE,
     .synopsis = "key element json", .summary = "Replace an element's attributes."},
    {.name = "vsim", .read = cmd_vsim, .arity = -4, VECTOR_GROUP, .since = "0.1", ONE_KEY,
     .flags = COMMAND_UPPER_CASE,
     .synopsis = "key <ELE element | FP32 blob | VALUES num value...> [WITHSCORES] "
                 "[WITHATTRIBS] [COUNT num] [EPSILON max-distance] [EF ef] [FILTER expression] "
                 "[FILTER-EF max-candidates] [TRUTH] [NOTHREAD]",
     .summary = "The nearest elements, in the words of Redis."},
    {.name = "vtag", .write = cmd_vtag, .answer = answer_vtag, .arity = -3, VECTOR_GROUP,
     .since = "0.1", ONE_KEY, .flags = COMMAND_FAST | COMMAND_UPPER_CASE,
     .synopsis = "key element [tag]", .summary = "An element's tag, or set it."},
};

/* clang-format on */

size_t command_count(void) { return sizeof command_rows / sizeof command_rows[0]; }

const struct command *command_at(size_t index) { return &command_rows[index]; }

size_t command_index(const struct command *command) {
    return (size_t)(command - command_rows);
}

/* A few dozen rows: their first letters and sizes differ so much that a loop is fast. */
const struct command *command_find(struct slice name) {
    if (name.size == 0) return NULL;
    uint8_t first = name.data[0] | 0x20;
    for (size_t i = 0; i < command_count(); i++)
        if ((uint8_t)command_rows[i].name[0] == first &&
            word_is(name, command_rows[i].name))
            return &command_rows[i];
    return NULL;
}

const struct subcommand *subcommand_find(const struct command *command,
                                         struct slice name) {
    for (const struct subcommand *row = command->subcommands; row && row->name; row++)
        if (word_is(name, row->name)) return row;
    return NULL;
}

bool arity_fits(int arity, size_t count) {
    return arity >= 0 ? count == (size_t)arity : count >= (size_t)-arity;
}

const struct command *command_find_row(struct slice name,
                                       const struct subcommand **subcommand) {
    const uint8_t *bar = name.size ? memchr(name.data, '|', name.size) : NULL;
    size_t first = bar ? (size_t)(bar - name.data) : name.size;
    const struct command *command = command_find(slice_of(name.data, first));
    *subcommand = NULL;
    if (!command || !bar) return command;
    *subcommand = subcommand_find(command, slice_of(bar + 1, name.size - first - 1));
    return *subcommand ? command : NULL;
}

void command_name(const struct command *command, const struct subcommand *subcommand,
                  char name[COMMAND_NAME_SIZE]) {
    snprintf(name, COMMAND_NAME_SIZE, "%s%s%s", command->name, subcommand ? "|" : "",
             subcommand ? subcommand->name : "");
}

/* --- Keys ------------------------------------------------------------------------- */

static bool has_word(const struct slice *arguments, size_t count, const char *word) {
    for (size_t i = 1; i < count; i++)
        if (word_is(arguments[i], word)) return true;
    return false;
}

bool command_key(const struct command *command, const struct slice *arguments,
                 size_t count, size_t index, struct command_key *key) {
    if (!command->key_first) return false;
    size_t last = command->key_last < 0 ? count - 1 : (size_t)command->key_last;
    key->place = (size_t)command->key_first + index * (size_t)command->key_step;
    if (key->place > last || key->place >= count) return false;
    bool blind =
        command->flags & COMMAND_BLIND &&
        !(command->blind_unless && has_word(arguments, count, command->blind_unless));
    key->writes = command->write != NULL;
    key->reads = !blind;
    return true;
}

/* --- Categories ------------------------------------------------------------------- */

/* Groups of commands that are a category. */
static const struct {
    const char *group, *category;
} group_categories[] = {
    {"vector_set", "vector"}, {"connection", "connection"},
    {"string", "string"},     {"generic", "keyspace"},
    {"graph", "graph"},       {"transactions", "transaction"},
    {"proof", "proof"},       {"pubsub", "pubsub"},
};

const char *command_category(const struct command *command,
                             const struct subcommand *subcommand, size_t index) {
    const char *names[8];
    size_t count = 0;
    unsigned flags = command->flags | (subcommand ? subcommand->flags : 0);
    if (command->write || (subcommand && subcommand->write)) names[count++] = "write";
    if (command->read) names[count++] = "read";
    for (size_t i = 0; i < sizeof group_categories / sizeof group_categories[0]; i++)
        if (strcmp(command->group, group_categories[i].group) == 0)
            names[count++] = group_categories[i].category;
    if (flags & COMMAND_ADMIN) names[count++] = "admin";
    if (flags & (COMMAND_ADMIN | COMMAND_DANGEROUS)) names[count++] = "dangerous";
    names[count++] = flags & COMMAND_FAST ? "fast" : "slow";
    return index < count ? names[index] : NULL;
}

bool command_in_category(const struct command *command,
                         const struct subcommand *subcommand, struct slice category) {
    const char *name;
    for (size_t i = 0; (name = command_category(command, subcommand, i)); i++)
        if (word_is(category, name)) return true;
    return false;
}

const char *command_category_name(size_t index) {
    static const char *const names[] = {
        "keyspace",    "read",      "write",     "string",     "vector",
        "graph",       "proof",     "pubsub",    "admin",      "fast",
        "slow",        "blocking",  "dangerous", "connection", "transaction",
        "set",         "sortedset", "list",      "hash",       "bitmap",
        "hyperloglog", "geo",       "stream",    "array",      "scripting",
    };
    return index < sizeof names / sizeof names[0] ? names[index] : NULL;
}
