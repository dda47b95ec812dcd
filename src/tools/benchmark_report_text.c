/* The report for people. */
#include <inttypes.h>
#include <string.h>

#include "tools/benchmark_report.h"

#define ADDRESS_SIZE 300

static double milliseconds(uint64_t nanoseconds) { return (double)nanoseconds / 1e6; }

static int decimals(const struct report *report) {
    return (int)report->benchmark->options->precision;
}

static const char *item_name(enum phase phase) {
    static const char *const names[PHASE_COUNT] = {
        "pings", "inserts", "searches", "commands", "updates", "deletes", "commands"};
    return names[phase];
}

/* --- One test ------------------------------------------------------------------------
 */

static void latency_line(const struct report *report, const struct histogram *latency,
                         FILE *out) {
    int digits = decimals(report);
    fprintf(out, "        ms: mean %.*f  min %.*f", digits,
            milliseconds(histogram_mean(latency)), digits, milliseconds(latency->least));
    for (size_t i = 0; i < PERCENTILE_COUNT; i++)
        fprintf(out, "  %s %.*f", percentiles[i].name, digits,
                milliseconds(histogram_percentile(latency, percentiles[i].share)));
    fprintf(out, "  max %.*f\n", digits, milliseconds(latency->greatest));
}

static void errors_lines(const struct errors *errors, FILE *out) {
    if (errors->total == 0) return;
    fprintf(out, "        %" PRIu64 " error replies\n", errors->total);
    for (size_t i = 0; i < errors->kind_count; i++)
        fprintf(out, "        %" PRIu64 " %s, the first: %s\n", errors->kinds[i].count,
                errors->kinds[i].prefix, errors->kinds[i].example);
}

static void result_lines(const struct report *report, const struct test *test,
                         const struct result *result, FILE *out) {
    const struct recall *recall = &result->recall;
    fprintf(out, "%-7s %zu %s in %.3f s: %.0f/s\n", test->name, result->items,
            item_name(test->phase), result->measurement.seconds, result_rate(result));
    latency_line(report, &result->measurement.latency, out);
    if (test->phase == PHASE_LOAD && result->added != result->items)
        fprintf(out, "        %zu new elements\n", result->added);
    if (recall->queries > 0)
        fprintf(out,
                "        recall@%" PRIu64
                " of %zu queries: mean %.4f  min %.4f  p5 %.4f  deviation %.4f\n",
                test->count, recall->queries, recall->mean, recall->least, recall->p5,
                recall->deviation);
    errors_lines(&result->measurement.errors, out);
}

static void quiet_lines(const struct report *report, FILE *out) {
    const struct tests *tests = &report->benchmark->tests;
    for (size_t server = 0; server < report->server_count; server++)
        for (size_t i = 0; i < tests->count; i++) {
            const struct test *test = &tests->rows[i];
            const struct result *result = report_result(report, server, i);
            const struct histogram *latency = &result->measurement.latency;
            fprintf(out, "%s: %.0f %s per second, p50=%.*f ms", test->name,
                    result_rate(result), item_name(test->phase), decimals(report),
                    milliseconds(histogram_percentile(latency, 0.5)));
            if (result->recall.queries > 0)
                fprintf(out, ", recall@%" PRIu64 "=%.4f", test->count,
                        result->recall.mean);
            if (result->measurement.errors.total > 0)
                fprintf(out, ", %" PRIu64 " errors, the first: %s",
                        result->measurement.errors.total,
                        result->measurement.errors.kinds[0].example);
            char address[ADDRESS_SIZE];
            report_address(report, server, address, sizeof address);
            fprintf(out, report->server_count > 1 ? ", %s\n" : "\n", address);
        }
}

/* --- Curves --------------------------------------------------------------------------
 */

static void curve_line(const struct report *report, size_t server,
                       const struct curve *curve, FILE *out) {
    fprintf(out, "        %-16.16s", report->servers[server].name);
    for (size_t i = 0; i < CURVE_LEVELS; i++) {
        double rate = curve_rate(curve, curve_levels[i]);
        if (rate > 0) fprintf(out, " %9.0f", rate);
        else fprintf(out, " %9s", "-");
    }
    fputc('\n', out);
}

static void ratio_line(const struct curve curves[2], FILE *out) {
    fprintf(out, "        %-16s", "ratio");
    for (size_t i = 0; i < CURVE_LEVELS; i++) {
        double first = curve_rate(&curves[0], curve_levels[i]);
        double second = curve_rate(&curves[1], curve_levels[i]);
        if (first > 0 && second > 0) fprintf(out, " %9.2f", first / second);
        else fprintf(out, " %9s", "-");
    }
    fputc('\n', out);
}

/* Searches a second at equal recall, of one selectivity and count. */
static void curve_table(const struct report *report, uint32_t tag, uint64_t count,
                        FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    struct curve curves[2] = {{.count = 0}};
    for (size_t server = 0; server < report->server_count; server++)
        curves[server] = report_curve(report, server, tag, count);
    if (options->ef.count < 2 || curves[0].count == 0) return;
    fprintf(out, "searches/s at recall@%" PRIu64, count);
    if (tag > 0)
        fprintf(out, ", filter %g %%",
                (double)options->selectivity.values[tag - 1] / 1e6);
    fprintf(out, "\n        %-16s", "");
    for (size_t i = 0; i < CURVE_LEVELS; i++) fprintf(out, " %9g", curve_levels[i]);
    fputc('\n', out);
    for (size_t server = 0; server < report->server_count; server++)
        curve_line(report, server, &curves[server], out);
    if (report->server_count > 1) ratio_line(curves, out);
}

static void curve_tables(const struct report *report, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    for (uint32_t tag = 0; tag <= options->selectivity.count; tag++)
        for (size_t i = 0; i < options->count.count; i++)
            curve_table(report, tag, options->count.values[i], out);
}

/* --- The rest ------------------------------------------------------------------------
 */

static void comparison(const struct report *report, FILE *out) {
    const struct tests *tests = &report->benchmark->tests;
    fputs("first : second\n", out);
    for (size_t i = 0; i < tests->count; i++) {
        const struct result *first = report_result(report, 0, i);
        const struct result *second = report_result(report, 1, i);
        double p50[2] = {(double)histogram_percentile(&first->measurement.latency, 0.5),
                         (double)histogram_percentile(&second->measurement.latency, 0.5)};
        fprintf(out, "        %s: %.2f of its rate, %.2f of its p50\n",
                tests->rows[i].name, ratio(result_rate(first), result_rate(second)),
                ratio(p50[0], p50[1]));
    }
}

static void read_lines(const struct report *report, FILE *out) {
    double plain = plain_read_rate(report), searches = search_read_rate(report);
    uint64_t bytes = report->benchmark->options->read_bytes;
    fprintf(out, "read    %" PRIu64 " bytes of memory in %.3f ms: %.2f GB/s\n", bytes,
            milliseconds(histogram_percentile(&report->read_passes, 0.5)), plain / 1e9);
    if (searches <= 0) return;
    fprintf(out, "        searches read %.2f GB/s: %.1f %% of that\n", searches / 1e9,
            100 * ratio(searches, plain));
    double middle = median_read_rate(report);
    if (middle > 0)
        fprintf(out, "        the median search: %.2f GB/s, %.1f %%\n", middle / 1e9,
                100 * ratio(middle, plain));
}

static void baselines(const struct report *report, FILE *out) {
    if (report->fsync_pairs.count > 0) {
        fprintf(out, "fsync   write and fdatasync of %zu bytes, %" PRIu64 " times\n",
                report->fsync_bytes, report->fsync_pairs.count);
        latency_line(report, &report->fsync_pairs, out);
    }
    uint64_t budget = insert_budget_ns(report);
    const struct result *load = report_phase(report, 0, PHASE_LOAD);
    if (budget > 0 && load) {
        uint64_t insert = histogram_percentile(&load->measurement.latency, 0.5);
        fprintf(
            out,
            "        insert p50 %.3f ms; this and a ping and %.3f ms are %.3f ms: %s\n",
            milliseconds(insert), milliseconds(INSERT_ALLOWANCE_NS), milliseconds(budget),
            insert <= budget ? "within" : "over");
    }
    if (report->read_passes.count > 0) read_lines(report, out);
}

static void figure_lines(const struct report *report, size_t server, FILE *out) {
    for (size_t i = 0; i < report->figure_counts[server]; i++) {
        const struct figure *figure = &report->figures[server][i];
        fprintf(out, "        %-40s %12.4g %s\n", figure->name, figure->value,
                figure->unit);
    }
    char digest[REPLIES_DIGEST_SIZE];
    report_digest(report, server, digest);
    const struct server_facts *facts = &report->servers[server];
    if (digest[0] != '\0') fprintf(out, "        replies %s\n", digest);
    if (facts->state_root[0] != '\0')
        fprintf(out, "        state   %s\n", facts->state_root);
    if (facts->content[0] != '\0') fprintf(out, "        content %s\n", facts->content);
}

static void server_lines(const struct report *report, size_t server, FILE *out) {
    const struct benchmark_options *options = report->benchmark->options;
    const struct tests *tests = &report->benchmark->tests;
    char address[ADDRESS_SIZE];
    report_address(report, server, address, sizeof address);
    fprintf(out, "%s at %s", report->servers[server].name, address);
    if (!options->engine)
        fprintf(out,
                ", %" PRIu64 " connections, pipeline %" PRIu64 ", %" PRIu64 " threads",
                options->connections, options->pipeline, options->threads);
    if (options->rate > 0) fprintf(out, ", %" PRIu64 " commands/s", options->rate);
    fputc('\n', out);
    for (size_t i = 0; i < tests->count; i++)
        result_lines(report, &tests->rows[i], report_result(report, server, i), out);
    figure_lines(report, server, out);
}

void report_text(const struct report *report, FILE *out) {
    if (report->benchmark->options->quiet) {
        quiet_lines(report, out);
        return;
    }
    for (size_t server = 0; server < report->server_count; server++)
        server_lines(report, server, out);
    if (report->server_count > 1) comparison(report, out);
    curve_tables(report, out);
    baselines(report, out);
}
