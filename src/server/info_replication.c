/* INFO replication, as Redis shapes it (Sentinel and exporters read these lines), and what
 * only we know: how far the histories were compared, and with what outcome. */
#include "server/info_replication.h"

#include <inttypes.h>

#include "server/server.h"
#include "server/words.h"

#define SECOND_US UINT64_C(1000000)

static uint64_t seconds_since(const struct server *server, uint64_t then_us) {
    uint64_t now = server_clock(server);
    return now > then_us ? (now - then_us) / SECOND_US : 0;
}

/* A replica that would be a bad primary is shown with priority 0: Sentinel passes it over. */
static int64_t priority(const struct server *server) {
    return server->link.diverged ? 0 : server->options.replica_priority;
}

static const char *verdict(const struct server *server) {
    if (server->link.diverged) return "diverged";
    return server->link.compared == UINT64_MAX ? "unknown" : "synced";
}

static void of_the_link(const struct server *server, info_line *line,
                        struct page *page) {
    const struct replica_link *link = &server->link;
    uint64_t own = server->loading ? 0 : engine_size(server->engine);
    bool up = link_is_up(link);
    line(page, "master_host:%s", link->host);
    line(page, "master_port:%u", (unsigned)link->port);
    line(page, "master_link_status:%s", up ? "up" : "down");
    line(page, "master_last_io_seconds_ago:%" PRId64,
         up ? (int64_t)seconds_since(server, link->heard_us) : -1);
    line(page, "master_sync_in_progress:0");
    line(page, "slave_read_repl_offset:%" PRIu64, own);
    line(page, "slave_repl_offset:%" PRIu64, own);
    if (!up)
        line(page, "master_link_down_since_seconds:%" PRIu64,
             seconds_since(server, link->down_us));
    line(page, "slave_priority:%" PRId64, priority(server));
    line(page, "slave_read_only:1");
    line(page, "replica_announced:1");
    line(page, "replica_state:%s", verdict(server));
    if (link->compared != UINT64_MAX)
        line(page, "replica_compared_entries:%" PRIu64, link->compared);
    if (link->diverged)
        line(page, "replica_diverged_sequence:%" PRIu64, link->diverged_at);
    line(page, "replica_lag_entries:%" PRIu64,
         link->primary_size > own ? link->primary_size - own : 0);
    line(page, "replica_lag_seconds:%" PRIu64,
         link->behind_since_us ? seconds_since(server, link->behind_since_us) : 0);
    if (link->trouble[0]) line(page, "replica_link_error:%s", link->trouble);
}

/* The state of each replica is what it says itself when asked; here is what it has synced. */
static void of_replicas(const struct server *server, info_line *line, struct page *page) {
    unsigned index = 0;
    line(page, "connected_slaves:%" PRIu64, replicas_count(server));
    for (const struct replica *replica = server->replicas; replica;
         replica = replica->next) {
        char address[REPLICA_ADDRESS_SIZE];
        replica_address(replica, address);
        line(page,
             "slave%u:ip=%s,port=%u,state=online,offset=%" PRIu64 ",lag=%" PRIu64
             ",type=replica",
             index++, address, (unsigned)replica->client->words.port,
             replica->acknowledged, seconds_since(server, replica->heard_us));
    }
}

void info_replication(struct server *server, info_line *line, struct page *page) {
    const struct options *options = &server->options;
    struct engine_facts facts;
    char id[2 * LOG_ID_SIZE + 1] = "";
    engine_facts(server->engine, &facts);
    if (facts.log_id) hex_text(facts.log_id, LOG_ID_SIZE, id);
    bool replica = link_is_replica(server);
    line(page, "role:%s", replica ? "slave" : "master");
    if (replica) of_the_link(server, line, page);
    of_replicas(server, line, page);
    if (options->min_replicas_to_write && options->min_replicas_max_lag)
        line(page, "min_slaves_good_slaves:%" PRIu64, replicas_good(server));
    line(page, "master_failover_state:no-failover");
    /* Redis has 40 digits, and tools count them. */
    line(page, "master_replid:%-32.32s00000000", facts.log_id ? id : server->run_id);
    line(page, "master_replid2:%040d", 0);
    line(page, "master_repl_offset:%" PRIu64,
         server->loading ? 0 : engine_size(server->engine));
    line(page, "second_repl_offset:-1");
    line(page, "repl_backlog_active:0");
    line(page, "repl_backlog_size:0");
    line(page, "repl_backlog_first_byte_offset:0");
    line(page, "repl_backlog_histlen:0");
    line(page, "forks_saved:%" PRIu64, server->link.forks);
    line(page, "fork_entries_saved:%" PRIu64, server->link.fork_entries);
}
