/* /health and /metrics: how the server is, in figures. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "server/gauges.h"
#include "server/http.h"
#include "server/server.h"

static void print(struct buffer *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void print(struct buffer *text, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size > (int)sizeof line - 1) size = (int)sizeof line - 1;
    (void)buffer_append(text, line, (size_t)size);
}

/* --- How full it is ----------------------------------------------------------------- */

double health_fill(uint64_t used, int64_t most) {
    if (most < 0) return 0.0;
    return most == 0 ? used > 0 : (double)used / (double)most;
}

uint64_t health_keys(const struct server *server) {
    return server->loading ? 0 : state_key_total(engine_state(server->engine));
}
uint64_t health_records(const struct server *server) {
    return server->loading ? 0 : state_record_total(engine_state(server->engine));
}
uint64_t health_nodes(const struct server *server) {
    return server->loading ? 0 : state_graph_nodes(engine_state(server->engine));
}
uint64_t health_edges(const struct server *server) {
    return server->loading ? 0 : state_graph_edges(engine_state(server->engine));
}

double health_lag(const struct server *server) {
    uint64_t since_us = server->link.behind_since_us;
    if (!link_is_replica(server) || since_us == 0) return 0.0;
    return (double)(server_clock(server) - since_us) / 1e6;
}

enum health health_of(const struct server *server) {
    const struct options *options = &server->options;
    double fullest = health_fill(server_used_memory(server),
                                 options->maxmemory ? options->maxmemory : -1);
    double others[] = {health_fill(health_records(server), options->max_records),
                       health_fill(health_nodes(server), options->max_nodes),
                       health_fill(health_edges(server), options->max_edges)};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i] > fullest) fullest = others[i];
    return fullest >= 1.0 ? HEALTH_FULL : fullest >= 0.9 ? HEALTH_DEGRADED : HEALTH_OK;
}

/* --- /health ------------------------------------------------------------------------ */

static void write_pool(struct buffer *text, const char *name, uint64_t live,
                       int64_t most) {
    print(text, ", \"%s\": {\"live\": %" PRIu64 ", \"slots_used\": %" PRIu64, name, live,
          live);
    if (most >= 0)
        print(text, ", \"capacity\": %" PRId64 ", \"fill_pct\": %.1f}", most,
              100.0 * health_fill(live, most));
    else print(text, ", \"capacity\": null, \"fill_pct\": 0.0}");
}

void health_write(struct server *server, struct buffer *text) {
    static const char *const words[] = {"ok", "degraded", "full"};
    const struct options *options = &server->options;
    print(text, "{\"status\": \"%s\", \"version\": \"%s\"",
          server->loading ? "loading" : words[health_of(server)], VALORI_VERSION);
    print(text, ", \"role\": \"%s\"", link_is_replica(server) ? "replica" : "primary");
    print(text, ", \"persistence\": \"%s\"", options->appendonly ? "event_log" : "none");
    write_pool(text, "records", health_records(server), options->max_records);
    write_pool(text, "nodes", health_nodes(server), options->max_nodes);
    write_pool(text, "edges", health_edges(server), options->max_edges);
    print(text, ", \"memory\": {\"used\": %" PRIu64 ", \"limit\": %" PRId64 "}",
          server_used_memory(server), options->maxmemory);
    if (options->appendonly)
        print(text, ", \"event_log_height\": %" PRIu64,
              server->loading ? 0 : engine_size(server->engine));
    print(text, "}\n");
}

/* --- /metrics ----------------------------------------------------------------------- */

static void describe(struct buffer *text, const char *name, const char *kind,
                     const char *help) {
    print(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

/* The rows of METRICS, under the name that INFO has: total_x becomes valori_x_total. */
static void write_metrics(struct server *server, struct buffer *text) {
    const struct metric_row *row;
    for (uint32_t i = 0; (row = metric_at(i)); i++) {
        char name[METRIC_NAME_SIZE];
        metric_exposed_name(row, name);
        describe(text, name, row->kind == METRIC_KIND_COUNTER ? "counter" : "gauge",
                 row->help);
        print(text, "%s %" PRIu64 "\n", name, metric_value(&server->metrics, row));
    }
}

static void write_gauges(struct server *server, struct buffer *text) {
    const struct gauge_row *row;
    for (uint32_t i = 0; (row = gauge_at(i)); i++) {
        describe(text, row->name, row->counter ? "counter" : "gauge", row->help);
        print(text, "%s %.15g\n", row->name, row->value(server));
    }
}

/* A line for each command that was used. */
static void write_commands(struct server *server, struct buffer *text) {
    static const struct {
        const char *name, *help;
        size_t offset;
    } rows[] = {
        {"valori_command_calls_total", "Calls of each command.",
         offsetof(struct command_figures, calls)},
        {"valori_command_microseconds_total", "Time that each command has taken.",
         offsetof(struct command_figures, microseconds)},
        {"valori_command_failures_total",
         "Calls of each command that were answered with an error.",
         offsetof(struct command_figures, failed)},
    };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        describe(text, rows[r].name, "counter", rows[r].help);
        for (size_t i = 0; i < command_count(); i++) {
            const struct command_figures *figures = &server->figures[i];
            uint64_t value;
            memcpy(&value, (const char *)figures + rows[r].offset, sizeof value);
            if (figures->calls)
                print(text, "%s{command=\"%s\"} %" PRIu64 "\n", rows[r].name,
                      command_at(i)->name, value);
        }
    }
}

/* Durations of commands as a summary, over all that were tracked. */
static void write_latencies(struct server *server, struct buffer *text) {
    static const struct {
        const char *label;
        uint64_t millionths;
    } quantiles[] = {{"0.5", 500000}, {"0.99", 990000}, {"0.999", 999000}};
    const char *name = "valori_command_duration_seconds";
    describe(text, name, "summary", "How long commands took.");
    for (size_t i = 0; i < command_count(); i++) {
        const struct command_figures *figures = &server->figures[i];
        if (!figures->latencies) continue;
        for (size_t q = 0; q < sizeof quantiles / sizeof quantiles[0]; q++)
            print(text, "%s{command=\"%s\",quantile=\"%s\"} %.6f\n", name,
                  command_at(i)->name, quantiles[q].label,
                  (double)latencies_percentile(figures->latencies,
                                               quantiles[q].millionths) /
                      1e6);
        print(text, "%s_sum{command=\"%s\"} %.6f\n%s_count{command=\"%s\"} %" PRIu64 "\n",
              name, command_at(i)->name, (double)figures->microseconds / 1e6, name,
              command_at(i)->name, figures->calls);
    }
}

void exposition_write(struct server *server, struct buffer *text) {
    info_refresh(server);
    write_metrics(server, text);
    write_gauges(server, text);
    write_commands(server, text);
    write_latencies(server, text);
}
