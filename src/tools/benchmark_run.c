/* The order of things. The machine is measured before and after, because a shared one
 * changes its speed while we look; of two servers each does a test in turn. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_run.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "tools/benchmark_baseline.h"
#include "tools/benchmark_engine.h"

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

/* --- The servers ---------------------------------------------------------------------
 */

static uint64_t memory_of(const struct server_facts *facts) {
    return (uint64_t)info_number(buffer_slice(&facts->info), "used_memory");
}

/* Who they are, and from that the dialect: valori's if all of them speak it. */
static enum status meet_servers(struct report *report, struct benchmark *benchmark,
                                struct complaint *complaint) {
    const struct benchmark_options *options = benchmark->options;
    enum status status = STATUS_OK;
    enum dialect spoken = DIALECT_VALORI;
    for (size_t i = 0; i < report->server_count && !status; i++) {
        status = server_facts_read(&report->servers[i], &options->servers[i],
                                   benchmark->allocator, complaint);
        if (!report->servers[i].is_valori) spoken = DIALECT_REDIS;
    }
    if (benchmark->dialect == DIALECT_AUTO) benchmark->dialect = spoken;
    if (status || benchmark->dialect != DIALECT_REDIS || benchmark->base.rows == 0)
        return status;
    if (options->metric != USE_COSINE || options->batch > 1 || options->index == USE_FLAT)
        return complain(complaint, STATUS_INVALID,
                        "Redis's vector sets have no --metric but cosine, no --index but "
                        "hnsw and no --batch");
    return STATUS_OK;
}

static enum status run_test(struct report *report, size_t server, size_t which,
                            struct complaint *complaint) {
    const struct benchmark *benchmark = report->benchmark;
    const struct endpoint *endpoint = &benchmark->options->servers[server];
    const struct test *test = &benchmark->tests.rows[which];
    struct server_facts *facts = &report->servers[server];
    bool is_load = test->phase == PHASE_LOAD;
    if (is_load) facts->memory_before = memory_of(facts);
    enum status status = phase_run(benchmark, test, endpoint,
                                   report_result(report, server, which), complaint);
    if (!status && is_load) {
        status = server_facts_renew(facts, endpoint, complaint);
        facts->memory_after = memory_of(facts);
    }
    return status;
}

/* One round: every test on every server. Only the first round loads and deletes. */
static enum status run_round(struct report *report, uint64_t round,
                             struct complaint *complaint) {
    const struct tests *tests = &report->benchmark->tests;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < tests->count; i++) {
        enum phase phase = tests->rows[i].phase;
        if (round > 0 && (phase == PHASE_LOAD || phase == PHASE_DELETE)) continue;
        for (size_t server = 0; server < report->server_count && !status; server++)
            status = run_test(report, server, i, complaint);
    }
    return status;
}

static enum status finish_server(struct report *report, size_t server,
                                 struct complaint *complaint) {
    const struct benchmark_options *options = report->benchmark->options;
    struct server_facts *facts = &report->servers[server];
    const struct result *load = report_phase(report, server, PHASE_LOAD);
    enum status status = server_facts_renew(facts, &options->servers[server], complaint);
    if (!status && (options->digest || options->expect_digest))
        status = server_facts_digests(facts, &options->servers[server], complaint);
    if (load && load->added > 0 && facts->memory_after > facts->memory_before)
        report_figure(report, server, "memory per new vector", "bytes",
                      (double)(facts->memory_after - facts->memory_before) /
                          (double)load->added);
    if (facts->cpu_after > facts->cpu_before)
        report_figure(report, server, "processor time of the server", "s",
                      facts->cpu_after - facts->cpu_before);
    return status;
}

enum status benchmark_run(struct report *report, struct benchmark *benchmark,
                          struct complaint *complaint) {
    const struct benchmark_options *options = benchmark->options;
    if (options->engine) return engine_measure(report, complaint);
    enum status status = meet_servers(report, benchmark, complaint);
    if (!status) status = measure_machine(report, complaint);
    for (uint64_t round = 0; round < options->rounds && !status; round++)
        status = run_round(report, round, complaint);
    for (size_t server = 0; server < report->server_count && !status; server++)
        status = finish_server(report, server, complaint);
    if (!status) status = measure_machine(report, complaint);
    return status;
}

/* --- Digests -------------------------------------------------------------------------
 */

static bool is_digest(const struct report *report, const char *text, size_t size) {
    char replies[REPLIES_DIGEST_SIZE];
    for (size_t server = 0; server < report->server_count; server++) {
        report_digest(report, server, replies);
        const char *ours[] = {replies, report->servers[server].state_root,
                              report->servers[server].content};
        for (size_t i = 0; i < 3; i++)
            if (size > 0 && strlen(ours[i]) == size &&
                strncasecmp(ours[i], text, size) == 0)
                return true;
    }
    return false;
}

enum status benchmark_check_digests(const struct report *report,
                                    struct complaint *complaint) {
    const char *text = report->benchmark->options->expect_digest;
    while (text && *text != '\0') {
        size_t size = strcspn(text, ",");
        if (!is_digest(report, text, size))
            return complain(complaint, STATUS_INVALID,
                            "none of the digests is the expected %.*s", (int)size, text);
        text += size + (text[size] == ',');
    }
    return STATUS_OK;
}

/* --- Idle connections ----------------------------------------------------------------
 */

enum status benchmark_idle(const struct benchmark_options *options,
                           const struct allocator *allocator,
                           struct complaint *complaint) {
    size_t count = (size_t)options->connections, bytes = count * sizeof(struct client);
    struct client *clients = allocate(allocator, bytes);
    if (!clients) return complain(complaint, STATUS_MEMORY, "no memory for connections");
    memset(clients, 0, bytes);
    size_t opened = 0;
    enum status status = STATUS_OK;
    while (opened < count && !status)
        status =
            client_open(&clients[opened++], &options->servers[0], allocator, complaint);
    struct timespec second = {.tv_sec = 1};
    if (!status) fprintf(stderr, "%zu connections are open\n", count);
    for (uint64_t i = 0; !status && (options->seconds == 0 || i < options->seconds); i++)
        nanosleep(&second, NULL);
    for (size_t i = 0; i < opened; i++) client_close(&clients[i]);
    release(allocator, clients, bytes);
    return status;
}
