/* INFO: what tools read, section by section. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "kernel/code_loops.h"
#include "server/saves.h"
#include "server/info_replication.h"
#include "server/server.h"
#include "server/words.h"

struct page {
    struct server *server;
    struct buffer *text;
};

static void line(struct page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void line(struct page *page, const char *format, ...) {
    char text[OPTION_TEXT_SIZE + 64];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text - 2, format, arguments);
    va_end(arguments);
    if (size > (int)sizeof text - 3) size = (int)sizeof text - 3;
    memcpy(text + size, "\r\n", 2);
    (void)buffer_append(page->text, text, (size_t)size + 2);
}

static void number(struct page *page, const char *name, uint64_t value) {
    line(page, "%s:%" PRIu64, name, value);
}

static void human(struct page *page, const char *name, uint64_t bytes) {
    static const char units[] = "BKMGT";
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024.0 && unit + 1 < sizeof units - 1; unit++) value /= 1024.0;
    number(page, name, bytes);
    line(page, unit ? "%s_human:%.2f%c" : "%s_human:%.0f%c", name, value, units[unit]);
}

static void metrics_of(struct page *page, const char *section) {
    const struct metric_row *row;
    for (uint32_t i = 0; (row = metric_at(i)); i++)
        if (strcmp(row->section, section) == 0)
            number(page, row->name, metric_value(&page->server->metrics, row));
}

/* --- Sections --------------------------------------------------------------------- */

static void section_server(struct page *page) {
    struct server *server = page->server;
    uint64_t up = (server_clock(server) - server->started_us) / 1000000;
    line(page, "redis_version:%s", REDIS_VERSION);
    line(page, "server_name:valori");
    line(page, "valori_version:%s", VALORI_VERSION);
    line(page, "redis_git_sha1:%s", VALORI_COMMIT[0] ? VALORI_COMMIT : "00000000");
    line(page, "redis_git_dirty:0");
    line(page, "redis_build_id:%s", VALORI_COMMIT[0] ? VALORI_COMMIT : "0");
    line(page, "redis_mode:standalone");
    line(page, "os:%s", os_description());
    number(page, "arch_bits", 8 * sizeof(void *));
    line(page, "simd:%s", server->simd_name);
    line(page, "simd_codes:%s", code_loops()->name);
    line(page, "sha256:%s", server->sha256_name);
    number(page, "process_id", os_process_id());
    line(page, "run_id:%s", server->run_id);
    number(page, "tcp_port", server->port);
    number(page, "tls_port", server->tls_port);
    number(page, "http_port", server->http_port);
    number(page, "uptime_in_seconds", up);
    number(page, "uptime_in_days", up / 86400);
    number(page, "hz", (uint64_t)server->options.hz);
    number(page, "configured_hz", (uint64_t)server->options.hz);
    line(page, "executable:%s", server->executable);
    line(page, "config_file:%s", server->options_path ? server->options_path : "");
    line(page, "io_threads_active:0");
}

static bool add_held(void *context, struct connection *connection) {
    const struct client *client = connection->owner;
    *(uint64_t *)context += client && (client->waiting || client->busy);
    return true;
}

/* Clients whose command waits for its turn, for a pause to end, or for its end. */
static uint64_t count_held(struct server *server) {
    uint64_t count = 0;
    loop_each(server->loop, add_held, &count);
    return count;
}

static bool add_output(void *context, struct connection *connection) {
    *(uint64_t *)context += connection->sent;
    return true;
}

static uint64_t output_bytes(struct server *server) {
    uint64_t sum = server->closed_output_bytes;
    loop_each(server->loop, add_output, &sum);
    return sum;
}

void info_refresh(struct server *server) {
    server->metrics.connected_clients =
        loop_connection_count(server->loop) - server->http_connections;
    server->metrics.output_bytes = output_bytes(server) - server->reset_output_bytes;
}

static bool add_subscriber(void *context, struct connection *connection) {
    const struct client *client = connection->owner;
    *(uint64_t *)context += client && client->subscriptions;
    return true;
}

static uint64_t count_subscribers(struct server *server) {
    uint64_t count = 0;
    loop_each(server->loop, add_subscriber, &count);
    return count;
}

static void section_clients(struct page *page) {
    struct server *server = page->server;
    info_refresh(server);
    metrics_of(page, "clients");
    number(page, "maxclients", (uint64_t)server->options.maxclients);
    size_t *input = server->largest_input, *output = server->largest_output;
    number(page, "client_recent_max_input_buffer", input[input[1] > input[0]]);
    number(page, "client_recent_max_output_buffer", output[output[1] > output[0]]);
    number(page, "blocked_clients", count_held(server));
    line(page, "tracking_clients:0");
    number(page, "pubsub_clients", count_subscribers(server));
}

uint64_t server_used_memory(const struct server *server) {
    return os_allocator_used() + kernel_memory_used(engine_kernel(server->engine));
}

static void section_memory(struct page *page) {
    struct server *server = page->server;
    struct kernel *kernel = engine_kernel(server->engine);
    uint64_t taken = kernel_memory_taken(kernel), used = kernel_memory_used(kernel);
    uint64_t all = server_used_memory(server), resident = os_resident_bytes();
    if (all > server->peak_memory) server->peak_memory = all;
    human(page, "used_memory", all);
    human(page, "used_memory_rss", resident);
    human(page, "used_memory_peak", server->peak_memory);
    number(page, "used_memory_startup", server->startup_memory);
    number(page, "used_memory_dataset", used);
    number(page, "used_memory_overhead", all - used);
    number(page, "kernel_memory_taken", taken);
    human(page, "total_system_memory", os_total_memory());
    line(page, "used_memory_lua:0");
    line(page, "used_memory_scripts:0");
    line(page, "number_of_cached_scripts:0");
    number(page, "mem_clients_normal", clients_memory(server));
    number(page, "mem_clients_unauthenticated", server->memory_of[STRANGER]);
    line(page, "mem_clients_slaves:0");
    human(page, "maxmemory", (uint64_t)server->options.maxmemory);
    line(page, "maxmemory_policy:noeviction");
    line(page, "mem_fragmentation_ratio:%.2f",
         all ? (double)resident / (double)all : 0.0);
    line(page, "mem_allocator:%s", os_allocator_name());
}

static void loading_lines(struct page *page) {
    struct server *server = page->server;
    line(page, "loading:%d", server->loading);
    line(page, "async_loading:0");
    if (!server->loading) return;
    uint64_t done, total;
    engine_progress(server->engine, &done, &total);
    uint64_t used = server_clock(server) - server->recovery_started_us;
    uint64_t left = done ? used / 1000 * (total - done) / done / 1000 : 1;
    number(page, "loading_total_bytes", total);
    number(page, "loading_loaded_bytes", done);
    line(page, "loading_loaded_perc:%.2f",
         total ? 100.0 * (double)done / (double)total : 0.0);
    number(page, "loading_eta_seconds", left);
}

static void snapshot_lines(struct page *page, const struct save_facts *facts) {
    const struct save_history *history = &facts->history;
    const struct engine_report *report = &page->server->report;
    struct snapshot_fact known[8];
    line(page, "last_snapshot_status:%s", history->last ? "err" : "ok");
    line(page, "last_snapshot_error:%s", history->last ? history->message : "");
    number(page, "snapshots", engine_snapshots(page->server->engine, known, 8));
    number(page, "snapshot_entries", history->entries);
    number(page, "snapshot_bytes", history->bytes);
    number(page, "snapshot_us", history->last_us);
    number(page, "snapshot_write_us", history->write_us);
    number(page, "snapshot_freeze_us", history->freeze_us);
    number(page, "snapshot_current_bytes", facts->bytes_done);
    number(page, "snapshot_total_bytes", facts->bytes_total);
    number(page, "recovery_snapshot_entries", report->snapshot_entries);
    number(page, "recovery_snapshot_bytes", report->snapshot_bytes);
    number(page, "recovery_snapshot_read_us", report->snapshot_read_us);
    number(page, "recovery_snapshot_check_us", report->snapshot_check_us);
    line(page, "recovery_snapshot_warning:%s", report->warning);
}

static void save_lines(struct page *page) {
    struct server *server = page->server;
    struct save_facts facts;
    engine_save_facts(server->engine, &facts);
    const struct save_history *history = &facts.history;
    bool any = history->saves + history->failures > 0;
    number(page, "rdb_changes_since_last_save",
           server->loading ? 0 : engine_changes(server->engine) - history->changes);
    line(page, "rdb_bgsave_in_progress:%d", facts.running);
    number(page, "rdb_last_save_time", saves_last(server));
    line(page, "rdb_last_bgsave_status:%s", history->last ? "err" : "ok");
    line(page, "rdb_last_bgsave_time_sec:%" PRId64,
         any ? (int64_t)(history->last_us / 1000000) : -1);
    line(page, "rdb_current_bgsave_time_sec:%" PRId64,
         facts.running ? (int64_t)(facts.running_us / 1000000) : -1);
    number(page, "rdb_saves", history->saves);
    line(page, "rdb_last_cow_size:0");
    snapshot_lines(page, &facts);
}

static void upkeep_lines(struct page *page) {
    struct upkeep_facts facts;
    engine_upkeep_facts(page->server->engine, &facts);
    number(page, "log_first", facts.first);
    number(page, "log_trim_limit", facts.limit);
    number(page, "log_trimmed_segments", facts.segments);
    number(page, "log_trimmed_bytes", facts.bytes);
    number(page, "log_archived_segments", facts.archived);
    number(page, "log_tree_files_made", facts.trees);
    number(page, "log_upkeep_failures", facts.failures);
    line(page, "log_upkeep_error:%s", facts.last ? facts.message : "");
}

static void section_persistence(struct page *page) {
    struct server *server = page->server;
    const struct options *options = &server->options;
    struct engine_facts facts;
    char hex[2 * LOG_ID_SIZE + 1] = "";
    engine_facts(server->engine, &facts);
    if (facts.log_id) hex_text(facts.log_id, LOG_ID_SIZE, hex);
    loading_lines(page);
    save_lines(page);
    line(page, "aof_enabled:%d", options->appendonly != 0);
    line(page, "aof_rewrite_in_progress:0");
    line(page, "aof_last_write_status:%s",
         !server->loading && engine_refusing(server->engine) ? "err" : "ok");
    number(page, "aof_current_size", facts.log_disk_bytes);
    line(page, "log_id:%s", hex);
    number(page, "log_entries", server->loading ? 0 : engine_size(server->engine));
    number(page, "log_durable", server->loading ? 0 : engine_durable(server->engine));
    number(page, "log_segments", facts.log_segments);
    number(page, "log_unsynced_bytes", facts.unsynced_bytes);
    upkeep_lines(page);
    number(page, "log_syncs", facts.syncs);
    number(page, "log_last_sync_us", facts.last_sync_us);
    number(page, "log_seals", facts.seals);
    number(page, "recovery_entries", facts.entries_replayed);
    number(page, "recovery_us", facts.replay_us);
    number(page, "recovery_bytes_read", server->report.log.bytes);
    number(page, "recovery_truncated_bytes", facts.torn_bytes);
    number(page, "recovery_ignored_files", server->report.log.ignored_files);
}

static void section_stats(struct page *page) {
    struct server *server = page->server;
    info_refresh(server);
    metrics_of(page, "stats");
    line(page, "instantaneous_input_kbps:%.2f", (double)server->input_rate / 1024.0);
    line(page, "instantaneous_output_kbps:%.2f", (double)server->output_rate / 1024.0);
    line(page, "sync_full:0");
    line(page, "sync_partial_ok:0");
    line(page, "sync_partial_err:0");
    line(page, "evicted_keys:0");
    number(page, "pubsub_channels", server->pubsub.channel_count);
    number(page, "pubsub_patterns", server->pubsub.pattern_count);
    line(page, "latest_fork_usec:0");
}

static void section_replication(struct page *page) {
    info_replication(page->server, line, page);
}

static void section_cpu(struct page *page) {
    line(page, "used_cpu_sys:%.6f", (double)os_cpu_system_us() / 1e6);
    line(page, "used_cpu_user:%.6f", (double)os_cpu_user_us() / 1e6);
    line(page, "used_cpu_sys_children:0.000000");
    line(page, "used_cpu_user_children:0.000000");
}

static void section_modules(struct page *page) { (void)page; }

static void section_commandstats(struct page *page) {
    for (size_t i = 0; i < command_count(); i++) {
        const struct command_figures *figures = &page->server->figures[i];
        if (!figures->calls && !figures->rejected) continue;
        line(page,
             "cmdstat_%s:calls=%" PRIu64 ",usec=%" PRIu64
             ",usec_per_call=%.2f,rejected_calls=%" PRIu64 ",failed_calls=%" PRIu64,
             command_at(i)->name, figures->calls, figures->microseconds,
             figures->calls ? (double)figures->microseconds / (double)figures->calls
                            : 0.0,
             figures->rejected, figures->failed);
    }
}

static void section_errorstats(struct page *page) {
    const struct errors *errors = &page->server->errors;
    size_t rows = sizeof errors->rows / sizeof errors->rows[0];
    for (size_t i = 0; i < rows && errors->rows[i].word[0]; i++)
        line(page, "errorstat_%s:count=%" PRIu64, errors->rows[i].word,
             errors->rows[i].count);
}

static void section_latencystats(struct page *page) {
    const char *percentiles = page->server->options.latency_tracking_info_percentiles;
    for (size_t i = 0; i < command_count(); i++) {
        const struct latencies *latencies = page->server->figures[i].latencies;
        if (!latencies) continue;
        struct slice rest = slice_text(percentiles), word;
        char text[OPTION_TEXT_SIZE] = "";
        uint64_t millionths;
        for (size_t used = 0; used < sizeof text && option_next_word(&rest, &word);)
            if (option_percentile(word, &millionths))
                used += (size_t)snprintf(text + used, sizeof text - used,
                                         "%sp%.*s=%" PRIu64 ".000", used ? "," : "",
                                         (int)word.size, word.data,
                                         latencies_percentile(latencies, millionths));
        line(page, "latency_percentiles_usec_%s:%s", command_at(i)->name, text);
    }
}

static void section_threads(struct page *page) {
    line(page, "io_thread_0:clients=%zu,reads=0,writes=0",
         loop_connection_count(page->server->loop));
}

static void section_cluster(struct page *page) { line(page, "cluster_enabled:0"); }

static void section_keyspace(struct page *page) {
    if (page->server->loading) return;
    const struct state *state = engine_state(page->server->engine);
    for (uint32_t db = 0; db < DATABASE_COUNT; db++) {
        uint64_t keys = state_key_count(state, db);
        if (keys)
            line(page, "db%" PRIu32 ":keys=%" PRIu64 ",expires=%" PRIu64 ",avg_ttl=0", db,
                 keys, state_expires(state, db));
    }
}

static const struct section {
    const char *name, *title;
    void (*write)(struct page *page);
    bool on_request; /* only when named, or with `all` */
} sections[] = {
    {"server", "Server", section_server, false},
    {"clients", "Clients", section_clients, false},
    {"memory", "Memory", section_memory, false},
    {"persistence", "Persistence", section_persistence, false},
    {"stats", "Stats", section_stats, false},
    {"replication", "Replication", section_replication, false},
    {"threads", "Threads", section_threads, false},
    {"cpu", "CPU", section_cpu, false},
    {"modules", "Modules", section_modules, false},
    {"commandstats", "Commandstats", section_commandstats, true},
    {"errorstats", "Errorstats", section_errorstats, false},
    {"latencystats", "Latencystats", section_latencystats, true},
    {"cluster", "Cluster", section_cluster, false},
    {"keyspace", "Keyspace", section_keyspace, false},
};

void info_free(struct server *server) {
    for (size_t i = 0; i < command_count(); i++)
        release(server->allocator, server->figures[i].latencies,
                sizeof *server->figures[i].latencies);
    memset(server->figures, 0, sizeof server->figures);
}

void info_reset(struct server *server) {
    metrics_reset(&server->metrics);
    server->reset_output_bytes = output_bytes(server);
    server->sampled.commands = server->sampled.input_bytes = 0;
    memset(&server->errors, 0, sizeof server->errors);
    info_free(server);
}

void info_note_latency(struct server *server, struct command_figures *figures,
                       uint64_t used_us) {
    struct latencies *latencies = figures->latencies;
    if (!latencies) {
        latencies = allocate(server->allocator, sizeof *latencies);
        if (!latencies) return; /* the figures are not worth an error */
        memset(latencies, 0, sizeof *latencies);
        figures->latencies = latencies;
    }
    latencies_add(latencies, used_us);
}

static bool wanted(const struct section *section, const struct slice *names,
                   size_t count) {
    if (count == 0) return !section->on_request;
    for (size_t i = 0; i < count; i++) {
        if (word_is(names[i], section->name)) return true;
        if (word_is(names[i], "all") || word_is(names[i], "everything")) return true;
        if (word_is(names[i], "default") && !section->on_request) return true;
    }
    return false;
}

void info_write(struct server *server, const struct slice *names, size_t count,
                struct buffer *text) {
    struct page page = {server, text};
    bool first = true;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (!wanted(&sections[i], names, count)) continue;
        if (!first) line(&page, "%s", "");
        first = false;
        line(&page, "# %s", sections[i].title);
        sections[i].write(&page);
    }
}
