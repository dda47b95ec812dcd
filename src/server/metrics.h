/* Every metric, declared once: a field, its section and name in INFO, and what it means.
 *
 * Counters only grow; gauges are taken when INFO is asked. */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stdint.h>

#define METRICS(M)                                                                       \
    M(connected_clients, GAUGE, "clients", "connected_clients",                          \
      "Connections that are open now.")                                                  \
    M(connections, COUNTER, "stats", "total_connections_received",                       \
      "Connections accepted since the start.")                                           \
    M(commands, COUNTER, "stats", "total_commands_processed",                            \
      "Commands executed since the start.")                                              \
    M(commands_per_second, GAUGE, "stats", "instantaneous_ops_per_sec",                  \
      "Commands a second, over the last second.")                                        \
    M(input_bytes, COUNTER, "stats", "total_net_input_bytes",                            \
      "Bytes read from clients.")                                                        \
    M(output_bytes, COUNTER, "stats", "total_net_output_bytes",                          \
      "Bytes sent to clients.")                                                          \
    M(rejected_connections, COUNTER, "stats", "rejected_connections",                    \
      "Connections closed for want of room or password.")                                \
    M(keyspace_hits, COUNTER, "stats", "keyspace_hits", "Reads that found their key.")   \
    M(keyspace_misses, COUNTER, "stats", "keyspace_misses",                              \
      "Reads whose key did not exist.")                                                  \
    M(error_replies, COUNTER, "stats", "total_error_replies", "Errors answered.")        \
    M(protocol_errors, COUNTER, "stats", "total_protocol_errors",                        \
      "Connections closed for bytes that are no request.")                               \
    M(input_limit_disconnections, COUNTER, "stats",                                      \
      "client_query_buffer_limit_disconnections",                                        \
      "Connections closed for too much unexecuted input.")                               \
    M(output_limit_disconnections, COUNTER, "stats",                                     \
      "client_output_buffer_limit_disconnections",                                       \
      "Connections closed for too many unread replies.")                                 \
    M(evicted_clients, COUNTER, "stats", "evicted_clients",                              \
      "Connections closed for maxmemory-clients.")                                       \
    M(evicted_strangers, COUNTER, "stats", "evicted_unauthenticated_clients",            \
      "Connections closed for maxmemory-strangers.")                                     \
    M(failed_authentications, COUNTER, "stats", "acl_access_denied_auth",                \
      "Wrong passwords and unknown users.")                                              \
    M(denied_commands, COUNTER, "stats", "acl_access_denied_cmd",                        \
      "Commands denied by rules of ACL.")                                                \
    M(denied_keys, COUNTER, "stats", "acl_access_denied_key",                            \
      "Commands denied for one of their keys.")                                          \
    M(denied_channels, COUNTER, "stats", "acl_access_denied_channel",                    \
      "Commands denied for one of their channels.")                                      \
    M(http_requests, COUNTER, "stats", "http_requests", "Requests on the HTTP port.")    \
    M(expired_keys, COUNTER, "stats", "expired_keys",                                    \
      "Keys removed because their deadline had passed.")                                 \
    M(vectors_searched, COUNTER, "stats", "vectors_searched",                            \
      "Vectors that searches compared with their query.")                                \
    M(sync_partial, COUNTER, "stats", "sync_partial_ok",                                 \
      "Replicas that were fed from the log.")                                            \
    M(link_syncs, COUNTER, "stats", "replica_link_syncs",                                \
      "Times that this replica has begun to follow its primary.")                        \
    M(link_divergences, COUNTER, "stats", "replica_divergences",                         \
      "Times that a root of the primary was not ours.")                                  \
    M(link_repairs, COUNTER, "stats", "replica_repairs",                                 \
      "Times that the log was set aside, to be fetched anew.")                           \
    M(long_commands, COUNTER, "stats", "long_commands",                                  \
      "Commands that took more than one slice of time.")

struct metrics {
#define METRIC_FIELD(field, kind, section, name, help) uint64_t field;
    METRICS(METRIC_FIELD)
#undef METRIC_FIELD
};

enum metric_kind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE };

struct metric_row {
    const char *name, *section, *help;
    enum metric_kind kind;
    uint32_t offset; /* in struct metrics */
};

/* Its name on /metrics: `total_x` is valori_x_total, a counter ends in _total. */
#define METRIC_NAME_SIZE 96
void metric_exposed_name(const struct metric_row *row, char name[METRIC_NAME_SIZE]);

/* NULL after the last. */
const struct metric_row *metric_at(uint32_t index);
uint64_t metric_value(const struct metrics *metrics, const struct metric_row *row);

/* Counters back to zero; gauges stay. */
void metrics_reset(struct metrics *metrics);

/* How often each kind of error was answered: by the first word of its text. What does not
 * find room any more is not counted. */
struct errors {
    struct error_figure {
        char word[24];
        uint64_t count;
    } rows[32]; /* the first without a word ends them */
};

void errors_count(struct errors *errors, const char *text);

/* What each command has cost. */
struct command_figures {
    uint64_t calls, microseconds, rejected, failed;
    struct latencies
        *latencies; /* from the first call on, while latency-tracking is on */
};

#endif
