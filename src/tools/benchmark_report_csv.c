/* The report as CSV. */
#include <inttypes.h>

#include "tools/benchmark_report.h"

/* A field in quotes, as redis-benchmark has it. */
static void quoted(const char *text, FILE *out) {
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void field_ms(const struct report *report, uint64_t nanoseconds, FILE *out) {
    fprintf(out, ",\"%.*f\"", (int)report->benchmark->options->precision,
            (double)nanoseconds / 1e6);
}

static void row(const struct report *report, size_t server, const struct test *test,
                const struct result *result, FILE *out) {
    const struct histogram *latency = &result->measurement.latency;
    const struct benchmark_options *options = report->benchmark->options;
    quoted(test->name, out);
    fprintf(out, ",\"%.2f\"", result_rate(result));
    field_ms(report, histogram_mean(latency), out);
    field_ms(report, latency->least, out);
    static const double shares[] = {0.5, 0.95, 0.99};
    for (size_t i = 0; i < 3; i++)
        field_ms(report, histogram_percentile(latency, shares[i]), out);
    field_ms(report, latency->greatest, out);
    field_ms(report, histogram_percentile(latency, 0.9), out);
    field_ms(report, histogram_percentile(latency, 0.999), out);
    char address[300];
    report_address(report, server, address, sizeof address);
    fputc(',', out);
    quoted(report->servers[server].name, out);
    fputc(',', out);
    quoted(address, out);
    fprintf(out, ",\"%s\",\"%zu\",\"%.6f\",\"%" PRIu64 "\"", phase_name(test->phase),
            result->items, result->measurement.seconds, result->measurement.errors.total);
    if (test->phase == PHASE_SEARCH)
        fprintf(out, ",\"%" PRIu64 "\",\"%" PRIu64 "\",\"%g\"", test->count, test->ef,
                test->tag > 0 ? (double)options->selectivity.values[test->tag - 1] / 1e6
                              : 100.0);
    else fputs(",\"\",\"\",\"\"", out);
    if (result->recall.queries > 0)
        fprintf(out, ",\"%.6f\",\"%.6f\",\"%.6f\",\"%.6f\"\n", result->recall.mean,
                result->recall.least, result->recall.p5, result->recall.deviation);
    else fputs(",\"\",\"\",\"\",\"\"\n", out);
}

void report_csv(const struct report *report, FILE *out) {
    const struct tests *tests = &report->benchmark->tests;
    fputs("\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\","
          "\"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\",\"p90_latency_ms\","
          "\"p99.9_latency_ms\",\"server\",\"address\",\"phase\",\"items\",\"seconds\","
          "\"errors\",\"count\",\"ef\",\"selectivity\",\"recall_mean\",\"recall_min\","
          "\"recall_p5\",\"recall_deviation\"\n",
          out);
    for (size_t server = 0; server < report->server_count; server++)
        for (size_t i = 0; i < tests->count; i++)
            row(report, server, &tests->rows[i], report_result(report, server, i), out);
}
