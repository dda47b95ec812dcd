/* valori-benchmark measures a valori or Redis server: commands, inserts, searches,
 * recall.
 *
 * The parts, from the command line to the report: benchmark_options and _option_table
 * (what was asked), _tests and _template (the list of what is measured), _data, _layout,
 * _synthetic, _tags, _truth and _nearest (vectors and their true neighbours), _client,
 * _command and _reply (a connection), _stream (many of them, closed and open loop),
 * _vectors and _phases (which commands, and what replies are worth), _server, _host and
 * _baseline (what stands beside), _run (the order), _measurement, _histogram, _curve and
 * _report. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "os/os.h"
#include "tools/benchmark_run.h"

enum exit_code { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* About what the server's log writes for one vector: header, entry, names and values. */
#define FRAME_OVERHEAD 328
#define FRAME_DEFAULT  (FRAME_OVERHEAD + 4 * 128)

static enum status print_report(const struct report *report,
                                struct complaint *complaint) {
    const struct benchmark_options *options = report->benchmark->options;
    bool json_is_output = options->json && strcmp(options->json, "-") == 0;
    if (options->json) {
        FILE *file = json_is_output ? stdout : fopen(options->json, "w");
        if (file) report_json(report, file);
        if (!file || (file != stdout && fclose(file) != 0))
            return complain(complaint, STATUS_IO, "%s: %s", options->json,
                            strerror(errno));
    }
    if (options->csv) report_csv(report, stdout);
    else if (!json_is_output) report_text(report, stdout);
    if (fflush(stdout) != 0)
        return complain(complaint, STATUS_IO, "standard output: %s", strerror(errno));
    return STATUS_OK;
}

/* Make room for a report, measure, print. */
static enum status report_once(struct benchmark *benchmark, uint64_t *errors,
                               struct complaint *complaint) {
    const struct benchmark_options *options = benchmark->options;
    const struct allocator *allocator = benchmark->allocator;
    size_t server_count = options->server_count;
    size_t bytes = server_count * benchmark->tests.count * sizeof(struct result);
    struct report *report = allocate(allocator, sizeof *report);
    struct result *results = allocate(allocator, bytes);
    enum status status = STATUS_MEMORY;
    if (report && results) {
        memset(report, 0, sizeof *report);
        memset(results, 0, bytes);
        report->benchmark = benchmark;
        report->server_count = server_count;
        report->results = results;
        report->fsync_bytes = options->fsync_bytes ? (size_t)options->fsync_bytes
                              : benchmark->base.dim
                                  ? FRAME_OVERHEAD + benchmark->base.dim * 4
                                  : FRAME_DEFAULT;
        status = benchmark_run(report, benchmark, complaint);
        if (!status) status = print_report(report, complaint);
        if (!status) status = benchmark_check_digests(report, complaint);
        *errors = report_errors(report);
        for (size_t i = 0; i < server_count; i++) server_facts_free(&report->servers[i]);
    } else {
        complain(complaint, status, "no memory for the results");
    }
    release(allocator, results, bytes);
    release(allocator, report, sizeof *report);
    return status;
}

static enum exit_code measure(const struct benchmark_options *options) {
    struct benchmark benchmark;
    struct complaint complaint = {""};
    struct progress progress;
    uint64_t errors = 0;
    progress_init(&progress, stderr, !options->quiet && !options->csv,
                  options->interval * UINT64_C(1000000000));
    enum status status = benchmark_open(&benchmark, options, os_allocator(), &complaint);
    benchmark.progress = &progress;
    if (!status && options->idle) {
        status = benchmark_idle(options, os_allocator(), &complaint);
    } else if (!status) {
        do status = report_once(&benchmark, &errors, &complaint);
        while (!status && options->loop);
    }
    benchmark_close(&benchmark);
    if (status) {
        fprintf(stderr, "valori-benchmark: %s\n", complaint.text);
        return EXIT_FAILED;
    }
    return errors > 0 && !options->allow_errors ? EXIT_FAILED : EXIT_GOOD;
}

int main(int argc, char **argv) {
    struct benchmark_options options;
    struct complaint complaint;
    /* A connection that breaks is an answer of write(), not the end of this process. */
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sha256_select(NULL);
    if (benchmark_options_parse(&options, argc, argv, &complaint)) {
        fprintf(stderr, "valori-benchmark: %s\n", complaint.text);
        return EXIT_USAGE;
    }
    if (options.help) {
        benchmark_options_help(stdout);
        return EXIT_GOOD;
    }
    if (options.version) {
        printf("valori-benchmark %s%s%s\n", VALORI_VERSION, *VALORI_COMMIT ? " " : "",
               VALORI_COMMIT);
        return EXIT_GOOD;
    }
    return (int)measure(&options);
}
