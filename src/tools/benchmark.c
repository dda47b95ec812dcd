/* valori-benchmark measures a valori or Redis server: round trips, inserts, searches,
 * recall.
 *
 * The parts: benchmark_options (what was asked), benchmark_data (vectors out of files),
 * benchmark_phases (which commands, and what replies are worth), benchmark_stream
 * (connections and pipelining), benchmark_baseline (what the machine can do alone),
 * benchmark_histogram and benchmark_report. Here they are called in order: read the data,
 * measure the machine, run the phases, measure the machine again, report. The machine is
 * measured on both sides because a shared one changes its speed while we look. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tools/benchmark_baseline.h"
#include "tools/benchmark_phases.h"
#include "tools/benchmark_report.h"

enum exit_code { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* About what the server's log writes for one vector: header, entry, names and values. */
#define FRAME_OVERHEAD 328
#define FRAME_DEFAULT  (FRAME_OVERHEAD + 4 * 128)

static enum status measure_machine(struct report *report, struct complaint *complaint) {
    const struct benchmark_options *options = report->benchmark->options;
    enum status status = STATUS_OK;
    if (options->fsync_directory)
        status = baseline_fsync(posix_os(), options->fsync_directory, report->fsync_bytes,
                                &report->fsync_pairs, complaint);
    if (!status && options->read_bytes)
        status = baseline_read(posix_os(), (size_t)options->read_bytes,
                               &report->read_passes, complaint);
    return status;
}

/* One round: every phase on every server. Only the first round loads. */
static enum status run_round(struct report *report, uint64_t round,
                             struct complaint *complaint) {
    const struct benchmark_options *options = report->benchmark->options;
    for (size_t i = 0; i < options->phase_count; i++) {
        enum phase phase = options->phases[i];
        for (size_t server = 0; server < options->server_count; server++) {
            if (phase == PHASE_LOAD && round > 0) continue;
            enum status status =
                phase_run(report->benchmark, phase, &options->servers[server],
                          &report->results[server][phase], complaint);
            if (status) return status;
        }
    }
    return STATUS_OK;
}

static enum status run_all(struct report *report, struct complaint *complaint) {
    const struct benchmark_options *options = report->benchmark->options;
    enum status status = STATUS_OK;
    for (size_t server = 0; server < options->server_count && !status; server++)
        status = server_name(&options->servers[server], report->server_names[server],
                             complaint);
    if (!status) status = measure_machine(report, complaint);
    for (uint64_t round = 0; round < options->rounds && !status; round++)
        status = run_round(report, round, complaint);
    if (!status) status = measure_machine(report, complaint);
    return status;
}

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

static enum exit_code measure(const struct benchmark_options *options) {
    struct benchmark benchmark;
    struct complaint complaint = {""};
    struct report report = {.benchmark = &benchmark};
    enum status status = benchmark_open(&benchmark, options, os_allocator(), &complaint);
    report.fsync_bytes = options->fsync_bytes ? (size_t)options->fsync_bytes
                         : benchmark.base.dim ? FRAME_OVERHEAD + benchmark.base.dim * 4
                                              : FRAME_DEFAULT;
    if (!status) status = run_all(&report, &complaint);
    if (!status) status = print_report(&report, &complaint);
    benchmark_close(&benchmark);
    if (status) {
        fprintf(stderr, "valori-benchmark: %s\n", complaint.text);
        return EXIT_FAILED;
    }
    return report_errors(&report) > 0 && !options->allow_errors ? EXIT_FAILED : EXIT_GOOD;
}

int main(int argc, char **argv) {
    struct benchmark_options options;
    struct complaint complaint;
    /* A connection that breaks is an answer of write(), not the end of this process. */
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
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
