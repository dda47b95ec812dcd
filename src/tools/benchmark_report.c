/* Printing. All three forms show the same figures, so they are worked out in one place:
 * the functions of the first part. */
#include "tools/benchmark_report.h"

#include <inttypes.h>
#include <string.h>

/* What a lone insert may take beyond the disk and the wire, for the line that compares
 * them. */
#define INSERT_ALLOWANCE_NS 30000

static const struct {
    const char *name;
    double share;
} percentiles[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}};

#define PERCENTILE_COUNT (sizeof percentiles / sizeof percentiles[0])

/* --- Figures
 * ---------------------------------------------------------------------------------- */

static double rate(const struct result *result) {
    double seconds = result->measurement.seconds;
    return seconds > 0 ? (double)result->items / seconds : 0;
}

static uint64_t median(const struct histogram *histogram) {
    return histogram_percentile(histogram, 0.5);
}

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

/* Rate and median latency of the first server beside the second's. */
static double rate_ratio(const struct report *report, enum phase phase) {
    return ratio(rate(&report->results[0][phase]), rate(&report->results[1][phase]));
}

static double median_ratio(const struct report *report, enum phase phase) {
    return ratio((double)median(&report->results[0][phase].measurement.latency),
                 (double)median(&report->results[1][phase].measurement.latency));
}

static double recall_mean(const struct recall *recall) {
    return ratio(recall->sum, (double)recall->queries);
}

/* Bytes in a second of a plain read, and of the searches if each reads as much. */
static double plain_read_rate(const struct report *report) {
    return ratio((double)report->benchmark->options->read_bytes * 1e9,
                 (double)median(&report->read_passes));
}

static double search_read_rate(const struct report *report) {
    return rate(&report->results[0][PHASE_SEARCH]) *
           (double)report->benchmark->options->read_bytes;
}

/* The same by the median search, which a machine with other guests disturbs less. 0 where
 * searches wait for each other, so that a latency is not the time of one search. */
static double median_read_rate(const struct report *report) {
    const struct benchmark_options *options = report->benchmark->options;
    if (options->connections != 1 || options->pipeline != 1) return 0;
    return ratio((double)options->read_bytes * 1e9,
                 (double)median(&report->results[0][PHASE_SEARCH].measurement.latency));
}

/* What a lone insert may take: a bare pair, a round trip and the allowance. 0 unless all
 * of it was measured with one connection and no pipeline. */
static uint64_t insert_budget_ns(const struct report *report) {
    const struct benchmark_options *options = report->benchmark->options;
    if (options->connections != 1 || options->pipeline != 1 || options->batch != 1 ||
        report->fsync_pairs.count == 0 || report->results[0][PHASE_PING].runs == 0 ||
        report->results[0][PHASE_LOAD].runs == 0)
        return 0;
    return median(&report->fsync_pairs) +
           median(&report->results[0][PHASE_PING].measurement.latency) +
           INSERT_ALLOWANCE_NS;
}

uint64_t report_errors(const struct report *report) {
    uint64_t total = 0;
    for (size_t server = 0; server < 2; server++)
        for (size_t phase = 0; phase < PHASE_COUNT; phase++)
            total += report->results[server][phase].measurement.errors.total;
    return total;
}

/* The phases in the order in which they ran, with what was measured on one server. */
static const struct result *result_at(const struct report *report, size_t server,
                                      size_t place, enum phase *phase) {
    *phase = report->benchmark->options->phases[place];
    return &report->results[server][*phase];
}

static void print_address(const struct endpoint *server, FILE *out) {
    if (server->socket_path) fputs(server->socket_path, out);
    else fprintf(out, "%s:%d", server->host, server->port);
}

/* --- Text
 * --------------------------------------------------------------------------------------
 */

static double milliseconds(uint64_t nanoseconds) { return (double)nanoseconds / 1e6; }

static const char *item_name(enum phase phase) {
    return phase == PHASE_PING ? "pings" : phase == PHASE_LOAD ? "inserts" : "searches";
}

static void text_latency(const struct histogram *latency, FILE *out) {
    fprintf(out, "        ms: mean %.3f", milliseconds(histogram_mean(latency)));
    for (size_t i = 0; i < PERCENTILE_COUNT; i++)
        fprintf(out, "  %s %.3f", percentiles[i].name,
                milliseconds(histogram_percentile(latency, percentiles[i].share)));
    fprintf(out, "  max %.3f\n", milliseconds(latency->greatest));
}

static void text_errors(const struct errors *errors, FILE *out) {
    if (errors->total == 0) return;
    fprintf(out, "        %" PRIu64 " error replies\n", errors->total);
    for (size_t i = 0; i < errors->kind_count; i++)
        fprintf(out, "        %" PRIu64 " %s, the first: %s\n", errors->kinds[i].count,
                errors->kinds[i].prefix, errors->kinds[i].example);
}

static void text_result(const struct report *report, enum phase phase,
                        const struct result *result, FILE *out) {
    fprintf(out, "%-7s %zu %s in %.3f s: %.0f/s\n", phase_name(phase), result->items,
            item_name(phase), result->measurement.seconds, rate(result));
    text_latency(&result->measurement.latency, out);
    if (phase == PHASE_LOAD && result->added != result->items)
        fprintf(out, "        %zu new elements\n", result->added);
    if (result->recall.queries > 0)
        fprintf(out, "        recall@%" PRIu64 " of %zu queries: mean %.4f  min %.4f\n",
                report->benchmark->options->count, result->recall.queries,
                recall_mean(&result->recall), result->recall.least);
    text_errors(&result->measurement.errors, out);
}

static void text_quiet(const struct report *report, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    for (size_t server = 0; server < options->server_count; server++)
        for (size_t i = 0; i < options->phase_count; i++) {
            enum phase phase;
            const struct result *result = result_at(report, server, i, &phase);
            fprintf(out, "%s: %.0f %s per second, p50=%.3f ms", phase_name(phase),
                    rate(result), item_name(phase),
                    milliseconds(median(&result->measurement.latency)));
            if (result->recall.queries > 0)
                fprintf(out, ", recall@%" PRIu64 "=%.4f", options->count,
                        recall_mean(&result->recall));
            if (options->server_count > 1) {
                fputs(", ", out);
                print_address(&options->servers[server], out);
            }
            fputc('\n', out);
        }
}

static void text_comparison(const struct report *report, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    fputs("first : second\n", out);
    for (size_t i = 0; i < options->phase_count; i++)
        fprintf(out, "        %s: %.2f of its rate, %.2f of its p50\n",
                phase_name(options->phases[i]), rate_ratio(report, options->phases[i]),
                median_ratio(report, options->phases[i]));
}

static void text_baselines(const struct report *report, FILE *out) {
    if (report->fsync_pairs.count > 0) {
        fprintf(out, "fsync   write and fdatasync of %zu bytes, %" PRIu64 " times\n",
                report->fsync_bytes, report->fsync_pairs.count);
        text_latency(&report->fsync_pairs, out);
    }
    uint64_t budget = insert_budget_ns(report);
    if (budget > 0) {
        uint64_t insert = median(&report->results[0][PHASE_LOAD].measurement.latency);
        fprintf(
            out,
            "        insert p50 %.3f ms; this and a ping and %.3f ms are %.3f ms: %s\n",
            milliseconds(insert), milliseconds(INSERT_ALLOWANCE_NS), milliseconds(budget),
            insert <= budget ? "within" : "over");
    }
    if (report->read_passes.count > 0) {
        fprintf(out, "read    %" PRIu64 " bytes of memory in %.3f ms: %.2f GB/s\n",
                report->benchmark->options->read_bytes,
                milliseconds(median(&report->read_passes)),
                plain_read_rate(report) / 1e9);
        if (report->results[0][PHASE_SEARCH].runs == 0) return;
        fprintf(out, "        searches read %.2f GB/s: %.1f %% of that\n",
                search_read_rate(report) / 1e9,
                100 * ratio(search_read_rate(report), plain_read_rate(report)));
        if (median_read_rate(report) > 0)
            fprintf(out, "        the median search: %.2f GB/s, %.1f %%\n",
                    median_read_rate(report) / 1e9,
                    100 * ratio(median_read_rate(report), plain_read_rate(report)));
    }
}

void report_text(const struct report *report, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    if (options->quiet) {
        text_quiet(report, out);
        return;
    }
    for (size_t server = 0; server < options->server_count; server++) {
        fprintf(out, "%s at ", report->server_names[server]);
        print_address(&options->servers[server], out);
        fprintf(out,
                ", %" PRIu64 " connections, pipeline %" PRIu64 ", %" PRIu64 " threads\n",
                options->connections, options->pipeline, options->threads);
        for (size_t i = 0; i < options->phase_count; i++) {
            enum phase phase;
            const struct result *result = result_at(report, server, i, &phase);
            text_result(report, phase, result, out);
        }
    }
    if (options->server_count > 1) text_comparison(report, out);
    text_baselines(report, out);
}

/* --- CSV
 * ----------------------------------------------------------------------------------------
 */

void report_csv(const struct report *report, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    fputs("server,phase,items,seconds,rate,mean_ms", out);
    for (size_t i = 0; i < PERCENTILE_COUNT; i++)
        fprintf(out, ",%s_ms", percentiles[i].name);
    fputs(",max_ms,recall_mean,recall_min,errors\n", out);
    for (size_t server = 0; server < options->server_count; server++)
        for (size_t i = 0; i < options->phase_count; i++) {
            enum phase phase;
            const struct result *result = result_at(report, server, i, &phase);
            const struct histogram *latency = &result->measurement.latency;
            fputc('"', out);
            print_address(&options->servers[server], out);
            fprintf(out, "\",%s,%zu,%.6f,%.2f,%.3f", phase_name(phase), result->items,
                    result->measurement.seconds, rate(result),
                    milliseconds(histogram_mean(latency)));
            for (size_t p = 0; p < PERCENTILE_COUNT; p++)
                fprintf(
                    out, ",%.3f",
                    milliseconds(histogram_percentile(latency, percentiles[p].share)));
            fprintf(out, ",%.3f,", milliseconds(latency->greatest));
            if (result->recall.queries > 0)
                fprintf(out, "%.6f,%.6f", recall_mean(&result->recall),
                        result->recall.least);
            else fputc(',', out);
            fprintf(out, ",%" PRIu64 "\n", result->measurement.errors.total);
        }
}

/* --- JSON
 * ---------------------------------------------------------------------------------------
 */

/* A string that may hold anything. Bytes over 127 are passed on as they are. */
static void json_string(const char *text, FILE *out) {
    fputc('"', out);
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char byte = (unsigned char)*p;
        if (byte == '"' || byte == '\\') fprintf(out, "\\%c", byte);
        else if (byte < 0x20) fprintf(out, "\\u%04x", byte);
        else fputc(byte, out);
    }
    fputc('"', out);
}

static double microseconds(uint64_t nanoseconds) { return (double)nanoseconds / 1e3; }

static void json_latency(const struct histogram *latency, FILE *out) {
    fprintf(out, "{\"mean\": %.3f", microseconds(histogram_mean(latency)));
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

static void json_result(const struct report *report, enum phase phase,
                        const struct result *result, FILE *out) {
    fprintf(out, "{\"%s\": %zu, \"commands\": %zu, \"seconds\": %.6f, \"rate\": %.2f",
            item_name(phase), result->items, result->measurement.commands,
            result->measurement.seconds, rate(result));
    fputs(",\n        \"latency_us\": ", out);
    json_latency(&result->measurement.latency, out);
    if (phase == PHASE_LOAD) fprintf(out, ",\n        \"added\": %zu", result->added);
    if (result->recall.queries > 0)
        fprintf(out,
                ",\n        \"recall\": {\"k\": %" PRIu64
                ", \"queries\": %zu, \"mean\": %.6f, \"min\": %.6f}",
                report->benchmark->options->count, result->recall.queries,
                recall_mean(&result->recall), result->recall.least);
    fputs(",\n        \"errors\": ", out);
    json_errors(&result->measurement.errors, out);
    fputc('}', out);
}

static void json_servers(const struct report *report, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    for (size_t server = 0; server < options->server_count; server++) {
        const struct endpoint *endpoint = &options->servers[server];
        fputs(server > 0 ? ",\n    {\"address\": " : "\n    {\"address\": ", out);
        char address[300];
        snprintf(address, sizeof address, "%s:%d", endpoint->host, endpoint->port);
        json_string(endpoint->socket_path ? endpoint->socket_path : address, out);
        fputs(", \"name\": ", out);
        json_string(report->server_names[server], out);
        for (size_t i = 0; i < options->phase_count; i++) {
            enum phase phase;
            const struct result *result = result_at(report, server, i, &phase);
            fprintf(out, ",\n      \"%s\": ", phase_name(phase));
            json_result(report, phase, result, out);
        }
        fputc('}', out);
    }
}

static void json_ratios(const struct report *report, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    for (size_t i = 0; i < options->phase_count && options->server_count > 1; i++)
        fprintf(out, "%s\"%s\": {\"rate\": %.4f, \"p50\": %.4f}", i > 0 ? ", " : "",
                phase_name(options->phases[i]), rate_ratio(report, options->phases[i]),
                median_ratio(report, options->phases[i]));
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
    if (report->read_passes.count > 0) {
        fprintf(out, "%s\"read\": {\"bytes\": %" PRIu64 ", \"bytes_per_second\": %.0f",
                before, report->benchmark->options->read_bytes, plain_read_rate(report));
        if (report->results[0][PHASE_SEARCH].runs > 0)
            fprintf(out, ", \"search_share\": %.4f, \"median_search_share\": %.4f",
                    ratio(search_read_rate(report), plain_read_rate(report)),
                    ratio(median_read_rate(report), plain_read_rate(report)));
        fputc('}', out);
    }
}

void report_json(const struct report *report, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    static const char *const grammars[] = {"native", "redis"};
    static const char *const encodings[] = {"fp32", "values"};
    static const char *const metrics[] = {"cosine", "l2", "ip"};
    fprintf(out,
            "{\n  \"tool\": \"valori-benchmark " VALORI_VERSION "\",\n"
            "  \"options\": {\"connections\": %" PRIu64 ", \"pipeline\": %" PRIu64
            ", \"threads\": %" PRIu64 ", \"rounds\": %" PRIu64 ", \"batch\": %" PRIu64
            ",\n    \"count\": %" PRIu64 ", \"ef\": %" PRIu64
            ", \"exact\": %s, \"grammar\": \"%s\", \"encoding\": \"%s\", "
            "\"metric\": \"%s\"},\n",
            options->connections, options->pipeline, options->threads, options->rounds,
            options->batch, options->count, options->ef,
            options->exact ? "true" : "false", grammars[options->grammar],
            encodings[options->encoding], metrics[options->metric]);
    fputs("  \"servers\": [", out);
    json_servers(report, out);
    fputs("\n  ],\n  \"ratios\": {", out);
    json_ratios(report, out);
    fputs("},\n  \"baselines\": {", out);
    json_baselines(report, out);
    fputs("}\n}\n", out);
}
