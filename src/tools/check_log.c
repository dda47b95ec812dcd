/* valori-check log: the engine's own recovery, made to change nothing and to compare
 * every SEAL instead of the last. What it accepts a server accepts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/check.h"

static uint64_t count_graphs(const struct state *state) {
    uint64_t count = 0, keys = state_key_total(state);
    for (uint64_t i = 0; i < keys; i++) {
        const struct collection *collection =
            object_collection(state, state_key_at(state, i));
        count += collection && collection_config(collection)->index == INDEX_HNSW;
    }
    return count;
}

void check_verify(const char *directory, struct verdict *verdict) {
    struct engine_options options = {
        .directory = directory,
        .log_enabled = true,
        .segment_size = UINT64_MAX,
        .verify_every_seal = true,
        .read_only = true,
        .no_snapshots = true,
    };
    memset(verdict, 0, sizeof *verdict);
    struct engine *engine;
    verdict->status =
        engine_open(posix_os(), os_allocator(), &options, &engine, &verdict->report);
    if (verdict->status) return;
    do verdict->status = engine_recover(engine, UINT64_MAX, &verdict->report);
    while (verdict->status == STATUS_AGAIN);
    if (!verdict->status) {
        engine_proof_state(engine, &verdict->proof);
        kernel_seal(engine_kernel(engine), &verdict->roots);
        verdict->graphs = count_graphs(engine_state(engine));
    }
    engine_close(engine);
}

/* --- Text -------------------------------------------------------------------------- */

static void print_root(const char *name, const uint8_t root[SHA256_SIZE]) {
    printf("%s", name);
    print_hash(root);
    printf("\n");
}

static void print_whole(const struct verdict *verdict) {
    const struct log_report *log = &verdict->report.log;
    printf("whole: %" PRIu64 " entries in %" PRIu64 " segments, %" PRIu64
           " bytes, every check, commitment and SEAL is right\n",
           log->entries, log->segments, log->bytes);
    print_root("log root    ", verdict->proof.log_root);
    print_root("state root  ", verdict->roots.state_root);
    if (verdict->report.last_seal != UINT64_MAX)
        printf("last SEAL   at sequence %" PRIu64 "\n", verdict->report.last_seal);
    else printf("last SEAL   none\n");
    if (verdict->graphs > 0)
        printf("graphs      %" PRIu64
               " HNSW, built again link by link as the SEALs have it\n",
               verdict->graphs);
    else printf("graphs      none\n");
    if (log->torn_bytes > 0)
        printf("%" PRIu64
               " bytes behind the last entry are no frames and nothing says that "
               "they were acknowledged;\nthe next start cuts them off\n",
               log->torn_bytes);
    if (log->ignored_files > 0)
        printf("%" PRIu64 " other files in the directory are not part of the log\n",
               log->ignored_files);
}

static void print_refusal(const struct check_options *options,
                          const struct verdict *verdict, int code) {
    printf("%s\n", verdict->report.message);
    if (code != 3 && code != 5) return;
    printf("To see what can be saved: valori-check repair %s\n", options->directory);
}

/* --- JSON -------------------------------------------------------------------------- */

static void print_json(const struct check_options *options, const struct verdict *verdict,
                       int code) {
    const struct log_report *log = &verdict->report.log;
    json_begin(code);
    json_text("status", verdict->status ? status_name(verdict->status) : "whole");
    json_text("directory", options->directory);
    json_text("message", verdict->report.message);
    json_number("segments", log->segments);
    json_number("entries", log->entries);
    json_number("bytes", log->bytes);
    json_number("torn_bytes", log->torn_bytes);
    json_number("ignored_files", log->ignored_files);
    if (log->bad_file[0]) {
        json_text("bad_file", log->bad_file);
        json_number("bad_offset", log->bad_offset);
        json_number("bad_sequence", log->bad_sequence);
    }
    if (!verdict->status) {
        json_hash("log_root", verdict->proof.log_root);
        json_hash("state_root", verdict->roots.state_root);
        if (verdict->report.last_seal != UINT64_MAX)
            json_number("last_seal", verdict->report.last_seal);
        json_number("hnsw_graphs", verdict->graphs);
    }
    printf("}\n");
}

int check_log(const struct check_options *options) {
    struct verdict verdict;
    check_verify(options->directory, &verdict);
    int code = engine_exit_code(verdict.status);
    if (options->json) print_json(options, &verdict, code);
    else if (verdict.status) print_refusal(options, &verdict, code);
    else print_whole(&verdict);
    return code;
}
