/* The options, one row each. A row's text is the reference: `--print-docs options` and
 * `--print-conf` print it. */
#include "server/options.h"

#include <strings.h>

#define AT(field) offsetof(struct options, field)
#define KIB       (INT64_C(1) << 10)
#define MIB       (INT64_C(1) << 20)
#define GIB       (INT64_C(1) << 30)

/* Rows read better laid out by hand. */
/* clang-format off */
static const struct option option_rows[] = {
    {.name = "port", .offset = AT(port), .type = OPTION_INTEGER, .initial = "8256",
     .least = 0, .most = 65535,
     .help = "TCP port to listen on. 0 takes any free one and prints which."},
    {.name = "bind", .offset = AT(bind), .type = OPTION_TEXT, .initial = "127.0.0.1 ::1",
     .help = "Numeric addresses to listen on, with blanks between. Addresses other than this "
             "machine's own loopback need `requirepass`. `::1` is passed over in silence "
             "where the system has no IPv6."},
    {.name = "protected-mode", .offset = AT(protected_mode), .type = OPTION_BOOL,
     .initial = "yes",
     .help = "Refuse connections from other machines while no password is set."},
    {.name = "tcp-backlog", .offset = AT(tcp_backlog), .type = OPTION_INTEGER,
     .initial = "511", .least = 1, .most = 65535,
     .help = "Connections that may wait to be accepted."},
    {.name = "timeout", .offset = AT(timeout), .type = OPTION_INTEGER, .initial = "0",
     .least = 0, .most = 100000000,
     .help = "Close a connection that was idle for so many seconds. 0: never."},
    {.name = "tcp-keepalive", .offset = AT(tcp_keepalive), .type = OPTION_INTEGER,
     .initial = "300", .least = 0, .most = 100000000,
     .help = "Seconds between probes of a silent connection. Keep-alive is always on; the "
             "value is shown for clients that ask."},
    {.name = "maxclients", .offset = AT(maxclients), .type = OPTION_INTEGER,
     .initial = "10000", .least = 1, .most = 1000000,
     .help = "Connections at a time. One more is told so and closed."},
    {.name = "requirepass", .offset = AT(requirepass), .type = OPTION_TEXT, .initial = "",
     .secret = true,
     .help = "Password that clients must give with AUTH or HELLO. Empty: none."},
    {.name = "databases", .offset = AT(databases), .type = OPTION_INTEGER, .initial = "16",
     .least = 1, .most = 16, .help = "Number of databases that SELECT accepts."},
    {.name = "dir", .offset = AT(dir), .type = OPTION_TEXT, .initial = ".",
     .help = "Directory of the log. It must exist; one server at a time may use it."},
    {.name = "appendonly", .offset = AT(appendonly), .type = OPTION_BOOL, .initial = "yes",
     .help = "Keep the log on disk. With `no` everything is lost at the end, and the server "
             "does not start in a directory that holds a log."},
    {.name = "appendfsync", .offset = AT(appendfsync), .type = OPTION_ENUM,
     .initial = "always", .choices = "always everysec no",
     .help = "When a reply may leave: `always` after its entries are synced to disk, "
             "`everysec` after they are written, with a sync each second, `no` after they "
             "are written, with syncs left to the system."},
    {.name = "log-segment-size", .offset = AT(log_segment_size), .type = OPTION_SIZE,
     .initial = "256mb", .least = 64 * KIB, .most = 64 * GIB,
     .help = "The log goes on in a new file after so many bytes."},
    {.name = "seal-interval-ms", .offset = AT(seal_interval_ms), .type = OPTION_INTEGER,
     .initial = "1000", .least = 1, .most = 3600000,
     .help = "The state root goes into the log at the latest so many milliseconds after the "
             "first change it covers."},
    {.name = "seal-dirty-max", .offset = AT(seal_dirty_max), .type = OPTION_INTEGER,
     .initial = "1024", .least = 1, .most = INT64_C(1000000000),
     .help = "The state root goes into the log at the latest after so many changes."},
    {.name = "proto-max-bulk-len", .offset = AT(proto_max_bulk_len), .type = OPTION_SIZE,
     .initial = "512mb", .least = MIB, .most = 4 * GIB - 1,
     .help = "Longest argument that a client may send."},
    {.name = "proto-max-arguments", .offset = AT(proto_max_arguments),
     .type = OPTION_INTEGER, .initial = "1048576", .least = 1024, .most = INT32_MAX,
     .help = "Most arguments of one command."},
    {.name = "client-query-buffer-limit", .offset = AT(client_query_buffer_limit),
     .type = OPTION_SIZE, .initial = "1gb", .least = MIB, .most = 64 * GIB,
     .help = "A client whose unexecuted input is longer is closed; a longer MULTI is refused."},
    {.name = "client-output-buffer-limit", .offset = AT(client_output_buffer_limit),
     .type = OPTION_SIZE, .initial = "256mb", .least = MIB, .most = 64 * GIB,
     .help = "A client whose unread replies are longer is closed."},
    {.name = "enable-debug-command", .offset = AT(enable_debug_command),
     .type = OPTION_ENUM, .initial = "no", .choices = "no local yes",
     .help = "Who may use DEBUG: nobody, connections from this machine, everybody."},
    {.name = "hz", .offset = AT(hz), .type = OPTION_INTEGER, .initial = "10", .least = 1,
     .most = 500, .help = "How many times a second idle connections are looked for."},
    {.name = "loglevel", .offset = AT(loglevel), .type = OPTION_ENUM, .initial = "notice",
     .choices = "debug verbose notice warning", .help = "Least level of the lines printed."},
    {.name = "logfile", .offset = AT(logfile), .type = OPTION_TEXT, .initial = "",
     .help = "File for those lines. Empty: standard output."},
};

/* clang-format on */

size_t option_count(void) { return sizeof option_rows / sizeof option_rows[0]; }

const struct option *option_at(size_t index) { return &option_rows[index]; }

const struct option *option_find(struct slice name) {
    for (size_t i = 0; i < option_count(); i++) {
        const char *row = option_rows[i].name;
        if (strlen(row) == name.size &&
            strncasecmp(row, (const char *)name.data, name.size) == 0)
            return &option_rows[i];
    }
    return NULL;
}
