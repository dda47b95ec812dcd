/* The report as JSON. */
#include <inttypes.h>
#include <string.h>

#include "tools/benchmark_host.h"
#include "tools/benchmark_report.h"

/* A string that may hold anything. Bytes over 127 are passed on as they are. */
static void json_slice(struct slice text, FILE *out) {
    fputc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = text.data[i];
        if (byte == '"' || byte == '\\') fprintf(out, "\\%c", byte);
        else if (byte < 0x20) fprintf(out, "\\u%04x", byte);
        else fputc(byte, out);
    }
    fputc('"', out);
}

static void json_string(const char *text, FILE *out) {
    json_slice(slice_text(text), out);
}

static double microseconds(uint64_t nanoseconds) { return (double)nanoseconds / 1e3; }

/* --- Results -------------------------------------------------------------------------
 */

static void json_latency(const struct histogram *latency, FILE *out) {
    fprintf(out, "{\"mean\": %.3f, \"min\": %.3f", microseconds(histogram_mean(latency)),
            microseconds(latency->least));
    for (size_t i = 0; i < PERCENTILE_COUNT; i++)
        fprintf(out, ", \"%s\": %.3f", percentiles[i].name,
                microseconds(histogram_percentile(latency, percentiles[i].share)));
    fprintf(out, ", \"max\": %.3f}", microseconds(latency->greatest));
}

static void json_errors(const struct errors *errors, FILE *out) {
    fprintf(out, "{\"total\": %" PRIu64 ", \"kinds\": {", errors->total);
    for (size_t i = 0; i < errors->kind_count; i++) {
        if (i > 0) fputs(", ", out);
        json_string(errors->kinds[i].prefix, out);
        fprintf(out, ": {\"count\": %" PRIu64 ", \"first\": ", errors->kinds[i].count);
        json_string(errors->kinds[i].example, out);
        fputc('}', out);
    }
    fputs("}}", out);
}

static void json_search(const struct report *report, const struct test *test,
                        const struct result *result, FILE *out) {
    const struct number_list *shares = &report->benchmark->options->selectivity;
    fprintf(out, ",\n        \"count\": %" PRIu64 ", \"ef\": %" PRIu64, test->count,
            test->ef);
    if (test->tag > 0)
        fprintf(out, ", \"selectivity\": %g",
                (double)shares->values[test->tag - 1] / 1e6);
    const struct recall *recall = &result->recall;
    if (recall->queries > 0)
        fprintf(out,
                ",\n        \"recall\": {\"k\": %" PRIu64
                ", \"queries\": %zu, \"mean\": %.6f, \"min\": %.6f, \"p5\": %.6f, "
                "\"deviation\": %.6f}",
                test->count, recall->queries, recall->mean, recall->least, recall->p5,
                recall->deviation);
}

static void json_result(const struct report *report, const struct test *test,
                        const struct result *result, FILE *out) {
    fputs("{\"test\": ", out);
    json_string(test->name, out);
    fprintf(out,
            ", \"phase\": \"%s\", \"items\": %zu, \"commands\": %zu, \"seconds\": %.6f, "
            "\"rate\": %.2f,\n        \"latency_us\": ",
            phase_name(test->phase), result->items, result->measurement.commands,
            result->measurement.seconds, result_rate(result));
    json_latency(&result->measurement.latency, out);
    if (test->phase == PHASE_LOAD || test->phase == PHASE_DELETE)
        fprintf(out, ",\n        \"added\": %zu", result->added);
    if (test->phase == PHASE_SEARCH) json_search(report, test, result, out);
    fputs(",\n        \"errors\": ", out);
    json_errors(&result->measurement.errors, out);
    fputc('}', out);
}

/* --- Servers -------------------------------------------------------------------------
 */

/* Every "field:value" line as a member. */
static void json_info(struct slice info, FILE *out) {
    const char *before = "";
    fputc('{', out);
    while (info.size > 0) {
        const uint8_t *end = memchr(info.data, '\n', info.size);
        size_t size = end ? (size_t)(end - info.data) : info.size;
        struct slice line = slice_of(info.data, size);
        size += end ? 1 : 0;
        info = slice_of(info.data + size, info.size - size);
        if (line.size > 0 && line.data[line.size - 1] == '\r') line.size--;
        const uint8_t *colon = line.size > 0 ? memchr(line.data, ':', line.size) : NULL;
        if (!colon || line.data[0] == '#') continue;
        size_t name = (size_t)(colon - line.data);
        fputs(before, out);
        json_slice(slice_of(line.data, name), out);
        fputs(": ", out);
        json_slice(slice_of(colon + 1, line.size - name - 1), out);
        before = ", ";
    }
    fputc('}', out);
}

static void json_digests(const struct report *report, size_t server, FILE *out) {
    char replies[REPLIES_DIGEST_SIZE];
    report_digest(report, server, replies);
    fputs(",\n     \"digests\": {\"replies\": ", out);
    json_string(replies, out);
    fputs(", \"state\": ", out);
    json_string(report->servers[server].state_root, out);
    fputs(", \"content\": ", out);
    json_string(report->servers[server].content, out);
    fputc('}', out);
}

static void json_server(const struct report *report, size_t server, FILE *out) {
    const struct tests *tests = &report->benchmark->tests;
    char address[300];
    report_address(report, server, address, sizeof address);
    fputs("\n    {\"address\": ", out);
    json_string(address, out);
    fputs(", \"name\": ", out);
    json_string(report->servers[server].name, out);
    fputs(",\n     \"tests\": [", out);
    for (size_t i = 0; i < tests->count; i++) {
        fputs(i > 0 ? ",\n      " : "\n      ", out);
        json_result(report, &tests->rows[i], report_result(report, server, i), out);
    }
    fputs("],\n     \"figures\": {", out);
    for (size_t i = 0; i < report->figure_counts[server]; i++) {
        const struct figure *figure = &report->figures[server][i];
        if (i > 0) fputs(", ", out);
        json_string(figure->name, out);
        fprintf(out, ": {\"value\": %.6g, \"unit\": \"%s\"}", figure->value,
                figure->unit);
    }
    fputc('}', out);
    json_digests(report, server, out);
    fputs(",\n     \"info\": ", out);
    struct slice info = slice_of(NULL, 0);
    if (report->servers[server].info.allocator)
        info = buffer_slice(&report->servers[server].info);
    json_info(info, out);
    fputc('}', out);
}

/* --- The rest ------------------------------------------------------------------------
 */

static void json_ratios(const struct report *report, FILE *out) {
    const struct tests *tests = &report->benchmark->tests;
    for (size_t i = 0; i < tests->count && report->server_count > 1; i++) {
        const struct result *first = report_result(report, 0, i);
        const struct result *second = report_result(report, 1, i);
        fputs(i > 0 ? ", " : "", out);
        json_string(tests->rows[i].name, out);
        fprintf(out, ": {\"rate\": %.4f, \"p50\": %.4f}",
                ratio(result_rate(first), result_rate(second)),
                ratio((double)histogram_percentile(&first->measurement.latency, 0.5),
                      (double)histogram_percentile(&second->measurement.latency, 0.5)));
    }
}

static void json_curve(const struct report *report, uint32_t tag, uint64_t count,
                       const char *before, FILE *out) {
    const struct number_list *shares = &report->benchmark->options->selectivity;
    fprintf(out, "%s\n    {\"count\": %" PRIu64, before, count);
    if (tag > 0)
        fprintf(out, ", \"selectivity\": %g", (double)shares->values[tag - 1] / 1e6);
    fputs(", \"rate_at_recall\": [", out);
    for (size_t server = 0; server < report->server_count; server++) {
        struct curve curve = report_curve(report, server, tag, count);
        fputs(server > 0 ? ", {" : "{", out);
        for (size_t i = 0; i < CURVE_LEVELS; i++) {
            double rate = curve_rate(&curve, curve_levels[i]);
            fprintf(out, "%s\"%g\": ", i > 0 ? ", " : "", curve_levels[i]);
            if (rate > 0) fprintf(out, "%.1f", rate);
            else fputs("null", out);
        }
        fputc('}', out);
    }
    fputs("]}", out);
}

static void json_curves(const struct report *report, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    const char *before = "";
    for (uint32_t tag = 0; tag <= options->selectivity.count; tag++)
        for (size_t i = 0; i < options->count.count; i++) {
            uint64_t count = options->count.values[i];
            struct curve curve = report_curve(report, 0, tag, count);
            if (curve.count == 0) continue;
            json_curve(report, tag, count, before, out);
            before = ",";
        }
}

static void json_baselines(const struct report *report, FILE *out) {
    const char *before = "";
    if (report->fsync_pairs.count > 0) {
        fprintf(out,
                "\"fsync\": {\"bytes\": %zu, \"pairs\": %" PRIu64 ", \"latency_us\": ",
                report->fsync_bytes, report->fsync_pairs.count);
        json_latency(&report->fsync_pairs, out);
        fputc('}', out);
        before = ", ";
    }
    uint64_t budget = insert_budget_ns(report);
    if (budget > 0) {
        fprintf(out, "%s\"insert_budget_us\": %.3f", before, microseconds(budget));
        before = ", ";
    }
    if (report->read_passes.count == 0) return;
    fprintf(out, "%s\"read\": {\"bytes\": %" PRIu64 ", \"bytes_per_second\": %.0f",
            before, report->benchmark->options->read_bytes, plain_read_rate(report));
    if (search_read_rate(report) > 0)
        fprintf(out, ", \"search_share\": %.4f, \"median_search_share\": %.4f",
                ratio(search_read_rate(report), plain_read_rate(report)),
                ratio(median_read_rate(report), plain_read_rate(report)));
    fputc('}', out);
}

static void json_options(const struct report *report, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    static const char *const dialects[] = {"auto", "valori", "redis"};
    static const char *const encodings[] = {"fp32", "values"};
    static const char *const metrics[] = {"cosine", "l2", "ip"};
    fprintf(
        out,
        "{\"connections\": %" PRIu64 ", \"pipeline\": %" PRIu64 ", \"threads\": %" PRIu64
        ", \"rounds\": %" PRIu64 ", \"rate\": %" PRIu64 ", \"seconds\": %" PRIu64
        ", \"warmup\": %" PRIu64 ",\n    \"batch\": %" PRIu64 ", \"m\": %" PRIu64
        ", \"ef_construction\": %" PRIu64
        ", \"exact\": %s, \"resp3\": %s, \"dialect\": \"%s\", \"encoding\": \"%s\", "
        "\"metric\": \"%s\", \"rows\": %zu, \"dim\": %" PRIu32 ", \"seed\": %" PRIu64 "}",
        options->connections, options->pipeline, options->threads, options->rounds,
        options->rate, options->seconds, options->warmup, options->batch, options->m,
        options->ef_construction, options->exact ? "true" : "false",
        options->resp3 ? "true" : "false", dialects[report->benchmark->dialect],
        encodings[options->encoding], metrics[options->metric],
        report->benchmark->base.rows, report->benchmark->base.dim, options->seed);
}

static void json_host(FILE *out) {
    struct host_facts host;
    host_facts(&host);
    fputs("{\"system\": ", out);
    json_string(host.system, out);
    fputs(", \"processor\": ", out);
    json_string(host.processor, out);
    fprintf(out,
            ", \"processors\": %ld, \"memory\": %" PRIu64 ", \"time\": ", host.processors,
            host.memory);
    json_string(host.time, out);
    fputc('}', out);
}

void report_json(const struct report *report, FILE *out) {
    fputs("{\n  \"tool\": \"valori-benchmark " VALORI_VERSION "\",\n"
          "  \"build\": {\"commit\": \"" VALORI_COMMIT "\", \"compiler\": ",
          out);
    json_string(__VERSION__, out);
    fputs("},\n  \"host\": ", out);
    json_host(out);
    fputs(",\n  \"options\": ", out);
    json_options(report, out);
    fputs(",\n  \"servers\": [", out);
    for (size_t server = 0; server < report->server_count; server++) {
        if (server > 0) fputc(',', out);
        json_server(report, server, out);
    }
    fputs("\n  ],\n  \"ratios\": {", out);
    json_ratios(report, out);
    fputs("},\n  \"curves\": [", out);
    json_curves(report, out);
    fputs("],\n  \"baselines\": {", out);
    json_baselines(report, out);
    fputs("}\n}\n", out);
}
