#include "server/gauges.h"

#include <stddef.h>

#include "server/http.h"
#include "server/server.h"

static struct engine_facts figures(const struct server *server) {
    struct engine_facts facts;
    engine_facts(server->engine, &facts);
    return facts;
}

static struct save_facts saves(const struct server *server) {
    struct save_facts facts;
    engine_save_facts(server->engine, &facts);
    return facts;
}

static double get_up(struct server *server) {
    (void)server;
    return 1.0;
}
static double get_node_up(struct server *server) {
    (void)server;
    return 1.0;
}
static double get_ready(struct server *server) { return server->loading ? 0 : 1; }
static double get_uptime_seconds(struct server *server) {
    return (double)(server_clock(server) - server->started_us) / 1e6;
}
static double get_memory_used_bytes(struct server *server) {
    return (double)server_used_memory(server);
}
static double get_memory_limit_bytes(struct server *server) {
    return (double)server->options.maxmemory;
}
static double get_memory_resident_bytes(struct server *server) {
    (void)server;
    return (double)os_resident_bytes();
}
static double get_keys_live(struct server *server) { return (double)health_keys(server); }
static double get_records_live(struct server *server) {
    return (double)health_records(server);
}
static double get_records_capacity(struct server *server) {
    return (double)server->options.max_records;
}
static double get_record_fill_ratio(struct server *server) {
    return health_fill(health_records(server), server->options.max_records);
}
static double get_nodes_live(struct server *server) {
    return (double)health_nodes(server);
}
static double get_nodes_capacity(struct server *server) {
    return (double)server->options.max_nodes;
}
static double get_node_fill_ratio(struct server *server) {
    return health_fill(health_nodes(server), server->options.max_nodes);
}
static double get_edges_live(struct server *server) {
    return (double)health_edges(server);
}
static double get_edges_capacity(struct server *server) {
    return (double)server->options.max_edges;
}
static double get_edge_fill_ratio(struct server *server) {
    return health_fill(health_edges(server), server->options.max_edges);
}
static double get_event_log_height(struct server *server) {
    return server->loading ? 0 : (double)engine_size(server->engine);
}
static double get_events_committed_total(struct server *server) {
    return server->loading ? 0 : (double)engine_acknowledged(server->engine);
}
static double get_event_log_bytes(struct server *server) {
    return (double)figures(server).log_disk_bytes;
}
static double get_log_unsynced_bytes(struct server *server) {
    return (double)figures(server).unsynced_bytes;
}
static double get_log_syncs_total(struct server *server) {
    return (double)figures(server).syncs;
}
static double get_log_last_sync_seconds(struct server *server) {
    return (double)figures(server).last_sync_us / 1e6;
}
static double get_replay_duration_seconds(struct server *server) {
    return (double)figures(server).replay_us / 1e6;
}
static double get_snapshot_size_bytes(struct server *server) {
    return (double)saves(server).history.bytes;
}
static double get_snapshots_total(struct server *server) {
    return (double)saves(server).history.saves;
}
static double get_snapshot_failures_total(struct server *server) {
    return (double)saves(server).history.failures;
}
static double get_replication_lag(struct server *server) { return health_lag(server); }

static const struct gauge_row gauge_rows[] = {
    {"valori_up", false, get_up, "Always 1."},
    {"valori_node_up", false, get_node_up, "Always 1; the name that predecessors have."},
    {"valori_ready", false, get_ready,
     "1 when the log is read and data commands are answered."},
    {"valori_uptime_seconds", false, get_uptime_seconds, "Time since the start."},
    {"valori_memory_used_bytes", false, get_memory_used_bytes,
     "Bytes of data, index and buffers: used_memory of INFO."},
    {"valori_memory_limit_bytes", false, get_memory_limit_bytes,
     "maxmemory; 0: no limit."},
    {"valori_memory_resident_bytes", false, get_memory_resident_bytes,
     "Bytes that the system has given the process."},
    {"valori_keys_live", false, get_keys_live, "Keys of all databases."},
    {"valori_records_live", false, get_records_live,
     "Elements of all vector collections."},
    {"valori_records_capacity", false, get_records_capacity,
     "max-records; -1: no limit."},
    {"valori_record_fill_ratio", false, get_record_fill_ratio,
     "Elements by max-records; 0 without a limit."},
    {"valori_nodes_live", false, get_nodes_live, "Nodes of all graphs."},
    {"valori_nodes_capacity", false, get_nodes_capacity, "max-nodes; -1: no limit."},
    {"valori_node_fill_ratio", false, get_node_fill_ratio,
     "Nodes by max-nodes; 0 without a limit."},
    {"valori_edges_live", false, get_edges_live, "Edges of all graphs."},
    {"valori_edges_capacity", false, get_edges_capacity, "max-edges; -1: no limit."},
    {"valori_edge_fill_ratio", false, get_edge_fill_ratio,
     "Edges by max-edges; 0 without a limit."},
    {"valori_event_log_height", false, get_event_log_height, "Entries in the log."},
    {"valori_events_committed_total", true, get_events_committed_total,
     "Entries that were acknowledged, those of earlier runs included."},
    {"valori_event_log_bytes", false, get_event_log_bytes, "Bytes of the log on disk."},
    {"valori_log_unsynced_bytes", false, get_log_unsynced_bytes,
     "Bytes of the log that are not synced yet."},
    {"valori_log_syncs_total", true, get_log_syncs_total, "Syncs of the log."},
    {"valori_log_last_sync_seconds", false, get_log_last_sync_seconds,
     "How long the last sync took."},
    {"valori_replay_duration_seconds", false, get_replay_duration_seconds,
     "How long the last start read and replayed."},
    {"valori_snapshot_size_bytes", false, get_snapshot_size_bytes,
     "Size of the last snapshot that was written."},
    {"valori_snapshots_total", true, get_snapshots_total, "Snapshots that were written."},
    {"valori_snapshot_failures_total", true, get_snapshot_failures_total,
     "Snapshots that could not be written."},
    {"valori_replication_lag", false, get_replication_lag,
     "Seconds behind the primary; 0 on a primary."},
};

const struct gauge_row *gauge_at(uint32_t index) {
    return index < sizeof gauge_rows / sizeof gauge_rows[0] ? &gauge_rows[index] : NULL;
}
