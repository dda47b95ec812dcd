/* The options, one row each. A row's text is the reference: `--print-docs options` and
 * `--print-docs conf` print it. */
#include "server/options.h"
#include "server/saves.h"
#include "server/signing.h"

#include <strings.h>

#define AT(field) offsetof(struct options, field)
#define KIB       (INT64_C(1) << 10)
#define MIB       (INT64_C(1) << 20)
#define GIB       (INT64_C(1) << 30)

static const char *percentiles_complaint(const char *text) {
    uint64_t millionths;
    struct slice word;
    for (struct slice rest = slice_text(text); option_next_word(&rest, &word);)
        if (!option_percentile(word, &millionths))
            return "latency-tracking-info-percentiles must hold numbers from 0 to 100";
    return NULL;
}

static const char *replicaof_complaint(const char *text) {
    char host[OPTION_HOST_SIZE];
    uint16_t port;
    bool fits = text[0] == '\0' || options_primary(text, host, &port);
    return fits ? NULL : "replicaof wants a host and a port";
}

/* Rows read better laid out by hand. */
/* clang-format off */
static const struct option option_rows[] = {
    {.name = "port", .offset = AT(port), .type = OPTION_INTEGER, .initial = "8256",
     .least = 0, .most = 65535, .flags = OPTION_IMMUTABLE,
     .help = "TCP port to listen on. 0 takes any free one and prints which."},
    {.name = "bind", .offset = AT(bind), .type = OPTION_TEXT, .initial = "127.0.0.1 ::1",
     .flags = OPTION_MANY | OPTION_IMMUTABLE,
     .help = "Numeric addresses to listen on, with blanks between. Addresses other than "
             "this machine's own loopback need `requirepass`. `::1` is passed over in "
             "silence where the system has no IPv6."},
    {.name = "http-port", .offset = AT(http_port), .type = OPTION_INTEGER, .initial = "0",
     .least = 0, .most = 65535, .flags = OPTION_IMMUTABLE,
     .help = "TCP port for /health, /ready and /metrics over HTTP, without a password. 0: "
             "none."},
    {.name = "http-bind", .offset = AT(http_bind), .type = OPTION_TEXT,
     .initial = "127.0.0.1 ::1", .flags = OPTION_MANY | OPTION_IMMUTABLE,
     .help = "Addresses of that port, as `bind` has them."},
    {.name = "tls-port", .offset = AT(tls_port), .type = OPTION_INTEGER, .initial = "0",
     .least = 0, .most = 65535, .flags = OPTION_IMMUTABLE,
     .help = "TCP port for clients that speak TLS, on the addresses of `bind`. 0: none."},
    {.name = "tls-cert-file", .offset = AT(tls_cert_file), .type = OPTION_TEXT, .initial = "",
     .flags = OPTION_IMMUTABLE,
     .help = "Certificate of the server with its chain, in PEM. This file, the key and the "
             "authorities are read again at SIGHUP."},
    {.name = "tls-key-file", .offset = AT(tls_key_file), .type = OPTION_TEXT, .initial = "",
     .flags = OPTION_IMMUTABLE, .help = "Its key, in PEM, without a password."},
    {.name = "tls-ca-cert-file", .offset = AT(tls_ca_cert_file), .type = OPTION_TEXT,
     .initial = "", .flags = OPTION_IMMUTABLE,
     .help = "Authorities that sign the certificates of clients and primaries, in PEM."},
    {.name = "tls-ca-cert-dir", .offset = AT(tls_ca_cert_dir), .type = OPTION_TEXT,
     .initial = "", .flags = OPTION_IMMUTABLE,
     .help = "The same as a folder of files named by hash, as OpenSSL's rehash makes it."},
    {.name = "tls-auth-clients", .offset = AT(tls_auth_clients), .type = OPTION_ENUM,
     .initial = "yes", .choices = "no optional yes", .flags = OPTION_IMMUTABLE,
     .help = "Whether clients must show a certificate; `optional` checks one that is shown."},
    {.name = "tls-replication", .offset = AT(tls_replication), .type = OPTION_BOOL,
     .initial = "no", .flags = OPTION_IMMUTABLE,
     .help = "Speak TLS to the primary, and check its certificate."},
    {.name = "tls-protocols", .offset = AT(tls_protocols), .type = OPTION_TEXT, .initial = "",
     .flags = OPTION_MANY | OPTION_IMMUTABLE,
     .help = "`TLSv1.2`, `TLSv1.3` or both, which is what empty means."},
    {.name = "tls-ciphers", .offset = AT(tls_ciphers), .type = OPTION_TEXT, .initial = "",
     .flags = OPTION_IMMUTABLE, .help = "Ciphers of TLS 1.2, as OpenSSL lists them."},
    {.name = "tls-ciphersuites", .offset = AT(tls_ciphersuites), .type = OPTION_TEXT,
     .initial = "", .flags = OPTION_IMMUTABLE,
     .help = "Suites of TLS 1.3, as OpenSSL lists them."},
    {.name = "protected-mode", .offset = AT(protected_mode), .type = OPTION_BOOL,
     .initial = "yes",
     .help = "Refuse connections from other machines while no password is set."},
    {.name = "tcp-backlog", .offset = AT(tcp_backlog), .type = OPTION_INTEGER,
     .initial = "511", .least = 1, .most = 65535, .flags = OPTION_IMMUTABLE,
     .help = "Connections that may wait to be accepted."},
    {.name = "unixsocket", .offset = AT(unixsocket), .type = OPTION_TEXT, .initial = "",
     .flags = OPTION_IMMUTABLE,
     .help = "Path of a socket in the file system to listen on besides. Empty: none."},
    {.name = "unixsocketperm", .offset = AT(unixsocketperm), .type = OPTION_MODE,
     .initial = "700", .flags = OPTION_IMMUTABLE,
     .help = "Permissions that socket is made with."},
    {.name = "max-new-connections-per-cycle", .offset = AT(max_new_connections_per_cycle),
     .type = OPTION_INTEGER, .initial = "10", .least = 1, .most = 1000,
     .help = "Connections accepted in one turn of the loop; more wait for the next."},
    {.name = "timeout", .offset = AT(timeout), .type = OPTION_INTEGER, .initial = "0",
     .least = 0, .most = 100000000, .unit = "seconds",
     .help = "Close a connection that was idle for so many seconds. 0: never."},
    {.name = "tcp-keepalive", .offset = AT(tcp_keepalive), .type = OPTION_INTEGER,
     .initial = "300", .least = 0, .most = 100000000, .unit = "seconds",
     .help = "A connection that was silent for so many seconds is probed, three times at "
             "a third of that; if no probe is answered it is closed. 0: never."},
    {.name = "maxclients", .offset = AT(maxclients), .type = OPTION_INTEGER,
     .initial = "10000", .least = 1, .most = 1000000,
     .help = "Connections at a time. One more is told so and closed. Lowered at the start "
             "when the system allows fewer descriptors than these and 32 more."},
    {.name = "requirepass", .offset = AT(requirepass), .type = OPTION_TEXT, .initial = "",
     .flags = OPTION_SECRET,
     .help = "Password that clients must give with AUTH or HELLO. Empty: none."},
    {.name = "aclfile", .offset = AT(aclfile), .type = OPTION_TEXT, .initial = "",
     .flags = OPTION_IMMUTABLE,
     .help = "File that ACL LOAD takes users from and ACL SAVE writes them to. The log keeps "
             "users without it. Empty: none."},
    {.name = "acllog-max-len", .offset = AT(acllog_max_len), .type = OPTION_INTEGER,
     .initial = "128", .least = 0, .most = 100000,
     .help = "Denials that ACL LOG keeps."},
    {.name = "authentication-timeout", .offset = AT(authentication_timeout),
     .type = OPTION_INTEGER, .initial = "10", .least = 0, .most = 100000000,
     .unit = "seconds",
     .help = "Close a connection that has not shown the password after so many seconds. "
             "0: never."},
    {.name = "databases", .offset = AT(databases), .type = OPTION_INTEGER,
     .initial = "16", .least = 1, .most = 16, .flags = OPTION_IMMUTABLE,
     .help = "Number of databases that SELECT accepts."},
    {.name = "dir", .offset = AT(dir), .type = OPTION_TEXT, .initial = ".",
     .flags = OPTION_IMMUTABLE,
     .help = "Directory of the log. It must exist; one server at a time may use it."},
    {.name = "appendonly", .offset = AT(appendonly), .type = OPTION_BOOL,
     .initial = "yes", .flags = OPTION_IMMUTABLE,
     .help = "Keep the log on disk. With `no` everything is lost at the end, and the "
             "server does not start in a directory that holds a log."},
    {.name = "appendfsync", .offset = AT(appendfsync), .type = OPTION_ENUM,
     .initial = "always", .choices = "always everysec no",
     .help = "When a reply may leave: `always` after its entries are synced to disk, "
             "`everysec` after they are written, with a sync each second, `no` after they "
             "are written, with syncs left to the system."},
    {.name = "log-segment-size", .offset = AT(log_segment_size), .type = OPTION_SIZE,
     .initial = "256mb", .least = 64 * KIB, .most = 64 * GIB, .flags = OPTION_IMMUTABLE,
     .help = "The log goes on in a new file after so many bytes."},
    {.name = "log-trim", .offset = AT(log_trim), .type = OPTION_BOOL, .initial = "yes",
     .help = "Files of the log go by themselves when two verified snapshots cover them and "
             "newer ones of `log-keep-size` are there. What proves old entries stays. With "
             "`no` they go by LOG.TRIM alone."},
    {.name = "log-keep-size", .offset = AT(log_keep_size), .type = OPTION_SIZE,
     .initial = "1gb", .least = 0, .most = INT64_MAX,
     .help = "So much of the newest log is kept by `log-trim yes`: for LOG.RANGE, for "
             "replicas that come back, and for going back to a point in time."},
    {.name = "log-archive-dir", .offset = AT(log_archive_dir), .type = OPTION_TEXT,
     .initial = "", .flags = OPTION_IMMUTABLE,
     .help = "Directory into which files of the log are copied before they go. It must exist "
             "and be no data directory. Empty: they just go."},
    {.name = "seal-interval-ms", .offset = AT(seal_interval_ms), .type = OPTION_INTEGER,
     .initial = "1000", .least = 1, .most = 3600000, .unit = "milliseconds",
     .help = "The state root goes into the log at the latest so many milliseconds after "
             "the first change it covers."},
    {.name = "seal-dirty-max", .offset = AT(seal_dirty_max), .type = OPTION_INTEGER,
     .initial = "1024", .least = 1, .most = INT64_C(1000000000),
     .help = "The state root goes into the log at the latest after so many changes."},
    {.name = "checkpoint-interval", .offset = AT(checkpoint_interval), .type = OPTION_INTEGER,
     .initial = "1000", .least = 0, .most = 3600000, .unit = "milliseconds",
     .help = "A checkpoint of the log is signed at most so often. With 0 at the start nothing is "
             "signed and no key is made."},
    {.name = "origin", .offset = AT(origin), .type = OPTION_TEXT, .flags = OPTION_IMMUTABLE,
     .initial = "", .complaint = signing_origin_complaint,
     .help = "The name that the log is signed under, for example example.com/log. It belongs to "
             "the key and cannot be changed with it. Empty: a name made from the key."},
    {.name = "witnesses", .offset = AT(witnesses), .type = OPTION_TEXT, .flags = OPTION_MANY,
     .initial = "", .complaint = signing_witnesses_complaint,
     .help = "Verifier keys (name+id+base64) whose signatures PROOF.COSIGN takes."},
    {.name = "proto-max-bulk-len", .offset = AT(proto_max_bulk_len), .type = OPTION_SIZE,
     .initial = "512mb", .least = MIB, .most = 4 * GIB - 1,
     .help = "Longest argument that a client may send."},
    {.name = "proto-max-arguments", .offset = AT(proto_max_arguments),
     .type = OPTION_INTEGER, .initial = "1048576", .least = 1024, .most = INT32_MAX,
     .help = "Most arguments of one command."},
    {.name = "client-query-buffer-limit", .offset = AT(client_query_buffer_limit),
     .type = OPTION_SIZE, .initial = "1gb", .least = MIB, .most = 64 * GIB,
     .help = "A client whose unexecuted input is longer is closed; a longer MULTI is "
             "refused."},
    {.name = "client-output-buffer-limit", .offset = AT(client_output_buffer_limit),
     .type = OPTION_OUTPUT_LIMITS,
     .initial = "normal 0 0 0 slave 256mb 64mb 60 pubsub 32mb 8mb 60",
     .flags = OPTION_MANY,
     .help = "For each class of clients, `normal`, `replica` (also `slave`) and `pubsub`: "
             "a client is closed when its unread replies are longer than the first "
             "number, or at least as long as the second for so many seconds as the third. "
             "0: no such limit. Classes that are not named keep theirs."},
    {.name = "maxmemory", .offset = AT(maxmemory), .type = OPTION_SIZE, .initial = "0",
     .least = 0, .most = INT64_MAX,
     .help = "Commands that may need memory are refused while used_memory of INFO is "
             "above so many bytes. 0: no limit."},
    {.name = "max-nodes", .offset = AT(max_nodes), .type = OPTION_INTEGER, .initial = "-1",
     .least = -1, .most = INT64_MAX,
     .help = "New nodes are refused while all graphs together have so many; 0 turns graphs "
             "off. -1: no limit."},
    {.name = "max-edges", .offset = AT(max_edges), .type = OPTION_INTEGER, .initial = "-1",
     .least = -1, .most = INT64_MAX,
     .help = "New edges are refused while all graphs together have so many. -1: no limit."},
    {.name = "maxmemory-policy", .offset = AT(maxmemory_policy), .type = OPTION_ENUM,
     .initial = "noeviction", .choices = "noeviction",
     .help = "What to do above maxmemory. Nothing is ever evicted."},
    {.name = "max-records", .offset = AT(max_records), .type = OPTION_INTEGER,
     .initial = "-1", .least = -1, .most = INT64_MAX,
     .help = "Elements that all vector collections together may have: one more is refused, "
             "and what is there stays. -1: no limit."},
    {.name = "save", .offset = AT(save), .type = OPTION_TEXT, .flags = OPTION_MANY,
     .initial = "300 1", .complaint = saves_complaint,
     .help = "When to save a snapshot: pairs of numbers, a pair meaning after so many seconds "
             "if there were at least so many changes. A start loads the newest one and reads "
             "only the log behind it; nothing is lost without. Empty: never."},
    {.name = "maxmemory-clients", .offset = AT(maxmemory_clients), .type = OPTION_SIZE,
     .initial = "0", .least = 0, .most = 1024 * GIB,
     .help = "While all connections together hold more memory than this, the largest is "
             "closed, except for those that asked CLIENT NO-EVICT ON. 0: no limit."},
    {.name = "maxmemory-strangers", .offset = AT(maxmemory_strangers),
     .type = OPTION_SIZE, .initial = "16mb", .least = MIB, .most = 64 * GIB,
     .help = "Memory of all connections together that have not shown the password. Beyond "
             "it, one of them that needs more than 4 kb is closed."},
    {.name = "replicaof", .offset = AT(replicaof), .type = OPTION_TEXT,
     .flags = OPTION_MANY | OPTION_IMMUTABLE, .initial = "",
     .complaint = replicaof_complaint,
     .help = "Host and port of the primary to follow: a numeric address, or localhost. "
             "Empty: be a primary. REPLICAOF changes it at run time, and CONFIG REWRITE "
             "writes it down."},
    {.name = "masteruser", .offset = AT(masteruser), .type = OPTION_TEXT, .initial = "",
     .help = "User to show to the primary. Empty: the default one."},
    {.name = "masterauth", .offset = AT(masterauth), .type = OPTION_TEXT, .initial = "",
     .flags = OPTION_SECRET,
     .help = "Password to show to the primary. Empty: none."},
    {.name = "replica-read-only", .offset = AT(replica_read_only), .type = OPTION_BOOL,
     .initial = "yes", .flags = OPTION_IMMUTABLE,
     .help = "Always yes: a write to a replica would be another history. `no` is refused."},
    {.name = "replica-serve-stale-data", .offset = AT(replica_serve_stale_data),
     .type = OPTION_BOOL, .initial = "yes",
     .help = "Whether a replica answers from what it has while its link is down."},
    {.name = "replica-priority", .offset = AT(replica_priority), .type = OPTION_INTEGER,
     .initial = "100", .least = 0, .most = INT32_MAX,
     .help = "Sentinel prefers replicas with a low number for the next primary. 0: never."},
    {.name = "replica-announce-ip", .offset = AT(replica_announce_ip),
     .type = OPTION_TEXT, .initial = "",
     .help = "Address under which others reach this replica. Empty: the one it connects "
             "from."},
    {.name = "replica-announce-port", .offset = AT(replica_announce_port),
     .type = OPTION_INTEGER, .initial = "0", .least = 0, .most = 65535,
     .help = "Port under which others reach this replica. 0: the one it listens on."},
    {.name = "replica-repair", .offset = AT(replica_repair), .type = OPTION_BOOL,
     .initial = "no",
     .help = "Whether a replica whose state differs from its primary's sets its log aside "
             "and fetches everything anew. Otherwise it keeps the evidence and answers "
             "DIVERGED until somebody has looked."},
    {.name = "repl-timeout", .offset = AT(repl_timeout), .type = OPTION_INTEGER,
     .initial = "60", .least = 1, .most = 100000000, .unit = "seconds",
     .help = "A link on which nothing was heard for so long is closed, by either side."},
    {.name = "min-replicas-to-write", .offset = AT(min_replicas_to_write),
     .type = OPTION_INTEGER, .initial = "0", .least = 0, .most = 1000,
     .help = "Refuse writes while fewer replicas than these were heard of within "
             "min-replicas-max-lag. 0: never."},
    {.name = "min-replicas-max-lag", .offset = AT(min_replicas_max_lag),
     .type = OPTION_INTEGER, .initial = "10", .least = 0, .most = 100000000,
     .unit = "seconds", .help = "See min-replicas-to-write."},
    {.name = "min-replicas-durable", .offset = AT(min_replicas_durable),
     .type = OPTION_INTEGER, .initial = "0", .least = 0, .most = 1000,
     .help = "A reply leaves only when so many replicas have synced what it tells of to "
             "their disks; writes are refused while fewer are connected. 0: what is synced "
             "here may be told."},
    {.name = "enable-debug-command", .offset = AT(enable_debug_command),
     .type = OPTION_ENUM, .flags = OPTION_PROTECTED, .initial = "no",
     .choices = "no local yes",
     .help = "Who may use DEBUG: nobody, connections from this machine, everybody."},
    {.name = "enable-protected-configs", .offset = AT(enable_protected_configs),
     .type = OPTION_ENUM, .flags = OPTION_IMMUTABLE, .initial = "no",
     .choices = "no local yes",
     .help = "Who may change options marked `protected` with CONFIG SET."},
    {.name = "confine", .offset = AT(confine), .type = OPTION_BOOL, .initial = "yes",
     .flags = OPTION_IMMUTABLE,
     .help = "Give up, once started, what this server never does and an intruder would: "
             "running programs, making processes, looking into them, mounting (seccomp). A "
             "system without it is told of in the log."},
    {.name = "hz", .offset = AT(hz), .type = OPTION_INTEGER, .initial = "10", .least = 1,
     .most = 500,
     .help = "How many times a second idle connections are looked for."},
    {.name = "latency-tracking", .offset = AT(latency_tracking), .type = OPTION_BOOL,
     .initial = "yes",
     .help = "Keep the times of commands for Latencystats of INFO: 4 kb for each command "
             "that is used."},
    {.name = "latency-tracking-info-percentiles",
     .offset = AT(latency_tracking_info_percentiles), .type = OPTION_TEXT,
     .flags = OPTION_MANY, .initial = "50 99 99.9", .complaint = percentiles_complaint,
     .help = "Percentiles that Latencystats shows, 0 to 100."},
    {.name = "simd", .offset = AT(simd), .type = OPTION_ENUM, .initial = "auto",
     .choices = "auto portable sse4.1 avx2 avx512 neon", .flags = OPTION_IMMUTABLE,
     .help = "Instructions for distances: the best that this processor has, or those "
             "named, which it must have. Answers are the same with all of them."},
    {.name = "search-budget", .offset = AT(search_budget), .type = OPTION_INTEGER,
     .initial = "1000000000", .least = 1, .most = INT64_MAX,
     .help = "Steps that the FILTER of one search may take; beyond it the search is answered "
             "with an error. A step is an operator, a value, or 64 bytes of attributes."},
    {.name = "loglevel", .offset = AT(loglevel), .type = OPTION_ENUM, .initial = "notice",
     .choices = "debug verbose notice warning nothing",
     .help = "Least level of the lines printed; `nothing` prints none."},
    {.name = "logfile", .offset = AT(logfile), .type = OPTION_TEXT, .initial = "",
     .flags = OPTION_IMMUTABLE,
     .help = "File that those lines are appended to, opened anew at SIGHUP. Empty: "
             "standard output."},
    {.name = "syslog-enabled", .offset = AT(syslog_enabled), .type = OPTION_BOOL,
     .initial = "no", .flags = OPTION_IMMUTABLE,
     .help = "Send those lines to the system's log as well."},
    {.name = "syslog-ident", .offset = AT(syslog_ident), .type = OPTION_TEXT,
     .initial = "valori", .flags = OPTION_IMMUTABLE,
     .help = "The name they have there."},
    {.name = "syslog-facility", .offset = AT(syslog_facility), .type = OPTION_ENUM,
     .initial = "local0",
     .choices = "user local0 local1 local2 local3 local4 local5 local6 local7",
     .flags = OPTION_IMMUTABLE,
     .help = "The facility they have there."},
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
