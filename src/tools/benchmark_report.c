/* The figures that all forms of the report show. */
#include "tools/benchmark_report.h"

#include <string.h>

const struct percentile percentiles[PERCENTILE_COUNT] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}};

struct result *report_result(const struct report *report, size_t server, size_t test) {
    return &report->results[server * report->benchmark->tests.count + test];
}

const struct result *report_phase(const struct report *report, size_t server,
                                  enum phase phase) {
    const struct tests *tests = &report->benchmark->tests;
    for (size_t i = 0; i < tests->count; i++)
        if (tests->rows[i].phase == phase && report_result(report, server, i)->runs > 0)
            return report_result(report, server, i);
    return NULL;
}

void report_figure(struct report *report, size_t server, const char *name,
                   const char *unit, double value) {
    size_t *count = &report->figure_counts[server];
    if (*count == FIGURES_MAX) return;
    report->figures[server][(*count)++] =
        (struct figure){.name = name, .unit = unit, .value = value};
}

uint64_t report_errors(const struct report *report) {
    uint64_t total = 0;
    for (size_t i = 0; i < report->server_count * report->benchmark->tests.count; i++)
        total += report->results[i].measurement.errors.total;
    return total;
}

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

double result_rate(const struct result *result) {
    return ratio((double)result->items, result->measurement.seconds);
}

struct curve report_curve(const struct report *report, size_t server, uint32_t tag,
                          uint64_t count) {
    const struct tests *tests = &report->benchmark->tests;
    struct curve curve = {.count = 0};
    for (size_t i = 0; i < tests->count; i++) {
        const struct test *test = &tests->rows[i];
        const struct result *result = report_result(report, server, i);
        if (test->phase == PHASE_SEARCH && test->tag == tag && test->count == count &&
            result->recall.queries > 0)
            curve_add(&curve, result->recall.mean, result_rate(result));
    }
    curve_envelope(&curve);
    return curve;
}

void report_address(const struct report *report, size_t server, char *text, size_t size) {
    const struct benchmark_options *options = report->benchmark->options;
    const struct endpoint *endpoint = &options->servers[server];
    if (options->engine) snprintf(text, size, "in process");
    else if (endpoint->socket_path) snprintf(text, size, "%s", endpoint->socket_path);
    else snprintf(text, size, "%s:%d", endpoint->host, endpoint->port);
}

void report_digest(const struct report *report, size_t server,
                   char text[REPLIES_DIGEST_SIZE]) {
    uint8_t digest[SHA256_SIZE];
    struct sha256 hash;
    bool has_digest = false;
    sha256_begin(&hash);
    for (size_t i = 0; i < report->benchmark->tests.count; i++) {
        const struct result *result = report_result(report, server, i);
        if (!result->has_digest) continue;
        sha256_add(&hash, result->digest, SHA256_SIZE);
        has_digest = true;
    }
    sha256_end(&hash, digest);
    text[0] = '\0';
    for (size_t i = 0; i < SHA256_SIZE && has_digest; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

/* --- Beside the machine --------------------------------------------------------------
 */

static uint64_t median(const struct histogram *histogram) {
    return histogram_percentile(histogram, 0.5);
}

static bool is_alone(const struct report *report) {
    const struct benchmark_options *options = report->benchmark->options;
    return options->connections == 1 && options->pipeline == 1;
}

double plain_read_rate(const struct report *report) {
    return ratio((double)report->benchmark->options->read_bytes * 1e9,
                 (double)median(&report->read_passes));
}

double search_read_rate(const struct report *report) {
    const struct result *search = report_phase(report, 0, PHASE_SEARCH);
    return search ? result_rate(search) * (double)report->benchmark->options->read_bytes
                  : 0;
}

double median_read_rate(const struct report *report) {
    const struct result *search = report_phase(report, 0, PHASE_SEARCH);
    if (!search || !is_alone(report)) return 0;
    return ratio((double)report->benchmark->options->read_bytes * 1e9,
                 (double)median(&search->measurement.latency));
}

uint64_t insert_budget_ns(const struct report *report) {
    const struct result *ping = report_phase(report, 0, PHASE_PING);
    const struct result *load = report_phase(report, 0, PHASE_LOAD);
    if (!ping || !load || !is_alone(report) || report->benchmark->options->batch != 1 ||
        report->fsync_pairs.count == 0)
        return 0;
    return median(&report->fsync_pairs) + median(&ping->measurement.latency) +
           INSERT_ALLOWANCE_NS;
}
