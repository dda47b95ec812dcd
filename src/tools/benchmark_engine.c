/* --engine: the kernel behind engine_submit() and search_step(). */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_engine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"
#include "kernel/fixed.h"
#include "kernel/search.h"
#include "kernel/simd.h"
#include "os/os.h"
#include "tools/benchmark_baseline.h"

#define ALIGNMENT    64
#define INSERT_TURN  64 /* inserts between two turns of the engine */
#define CONVERT_ROWS 4096
#define CONVERT_NS   UINT64_C(500000000)
#define SCANS_MIN    5
#define SECOND_US    UINT64_C(1000000)

static const char key_name[] = "bench";

/* What a run needs beside the report. The arrays lie in one block, `room`. */
struct library {
    const struct benchmark *benchmark;
    struct engine *engine;
    char directory[64];
    uint8_t *room;
    size_t room_size;
    int32_t *values;  /* of one vector, aligned and padded */
    uint8_t *vector;  /* the bytes of one */
    struct hit *hits; /* the greatest count */
    uint32_t *slots;  /* of one pass over the queries */
    uint8_t index;    /* INDEX_FLAT or INDEX_HNSW */
    bool scaled;
    struct search_room walk; /* aligned, inside of this block of ALIGNMENT bytes more */
    uint8_t *walk_block;
};

static uint64_t processor_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static size_t greatest_count(const struct benchmark *benchmark) {
    uint64_t greatest = 0;
    for (size_t i = 0; i < benchmark->tests.count; i++)
        if (benchmark->tests.rows[i].count > greatest)
            greatest = benchmark->tests.rows[i].count;
    return (size_t)greatest;
}

/* --- Opening -------------------------------------------------------------------------
 */

static enum status take_room(struct library *library, struct complaint *complaint) {
    const struct benchmark *benchmark = library->benchmark;
    size_t stride = query_stride(benchmark->base.dim) * sizeof(int32_t);
    size_t count = greatest_count(benchmark);
    size_t hits = count * sizeof(struct hit);
    size_t slots = count * benchmark->queries.rows * sizeof(uint32_t);
    hits = (hits + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    slots = (slots + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    library->room_size = ALIGNMENT + stride * 2 + hits + slots + ALIGNMENT;
    library->room = allocate(benchmark->allocator, library->room_size);
    if (!library->room) return complain(complaint, STATUS_MEMORY, "no memory for a run");
    memset(library->room, 0, library->room_size);
    uint8_t *at = library->room;
    at += ALIGNMENT - (uintptr_t)at % ALIGNMENT;
    library->values = (int32_t *)(void *)at;
    library->hits = (struct hit *)(void *)(at + stride);
    library->slots = (uint32_t *)(void *)(at + stride + hits);
    library->vector = at + stride + hits + slots;
    return STATUS_OK;
}

static enum status open_library(struct library *library, struct complaint *complaint) {
    const char *top = getenv("TMPDIR");
    struct engine_report report;
    snprintf(library->directory, sizeof library->directory, "%.40s/valori-XXXXXX",
             top ? top : "/tmp");
    if (!mkdtemp(library->directory)) {
        enum status status =
            complain(complaint, STATUS_IO, "%s: cannot be made", library->directory);
        library->directory[0] = '\0';
        return status;
    }
    struct engine_options options = {.directory = library->directory,
                                     .sync_policy = SYNC_NO,
                                     .seal_interval_us = SECOND_US,
                                     .seal_dirty_max = 1024,
                                     .segment_size = UINT64_C(1) << 30};
    enum status status = engine_open(posix_os(), library->benchmark->allocator, &options,
                                     &library->engine, &report);
    while (!status &&
           (status = engine_recover(library->engine, SECOND_US, &report)) == STATUS_AGAIN)
        status = STATUS_OK;
    if (status) return complain(complaint, STATUS_IO, "%s", report.message);
    return take_room(library, complaint);
}

static void release_walk(struct library *library) {
    if (library->walk_block)
        release(library->benchmark->allocator, library->walk_block,
                library->walk.size + ALIGNMENT);
    library->walk_block = NULL;
    library->walk = (struct search_room){.size = 0};
}

/* Room for a walk, kept from search to search and made anew when one needs more. */
static enum status reserve_walk(struct library *library, size_t size) {
    if (size <= library->walk.size) return STATUS_OK;
    release_walk(library);
    library->walk_block = allocate(library->benchmark->allocator, size + ALIGNMENT);
    if (!library->walk_block) return STATUS_MEMORY;
    uintptr_t over = (uintptr_t)library->walk_block % ALIGNMENT;
    library->walk = (struct search_room){
        .bytes = library->walk_block + (ALIGNMENT - over), .size = size};
    return STATUS_OK;
}

static bool remove_one(void *context, const char *name) {
    char path[400];
    snprintf(path, sizeof path, "%s/%.255s", (const char *)context, name);
    unlink(path);
    return true;
}

static void close_library(struct library *library) {
    struct directory *directory;
    if (library->engine) engine_close(library->engine);
    release_walk(library);
    release(library->benchmark->allocator, library->room, library->room_size);
    if (library->directory[0] == '\0') return;
    if (!posix_os()->directory_open(posix_os(), library->directory, &directory)) {
        posix_os()->directory_list(posix_os(), directory, remove_one, library->directory);
        posix_os()->directory_close(posix_os(), directory);
    }
    rmdir(library->directory);
}

/* --- Loading -------------------------------------------------------------------------
 */

/* A row as the kernel's integers in library->values. */
static enum status convert_row(struct library *library, const struct dataset *dataset,
                               size_t row, int8_t *exponent) {
    *exponent = 0;
    return library->scaled
               ? fixed_from_fp32_scaled(dataset_row(dataset, row), dataset->dim,
                                        library->values, exponent)
               : fixed_from_fp32(dataset_row(dataset, row), dataset->dim,
                                 library->values);
}

/* The change that adds a row; `name` holds its element's name. */
static enum status describe_row(struct library *library, size_t row, char name[24],
                                struct change *change) {
    static const uint8_t metrics[] = {METRIC_COSINE, METRIC_L2, METRIC_IP};
    const struct benchmark *benchmark = library->benchmark;
    const struct benchmark_options *options = benchmark->options;
    const struct dataset *base = &benchmark->base;
    int8_t exponent;
    enum status status = convert_row(library, base, row, &exponent);
    if (status) return status;
    snprintf(name, 24, "%zu", row);
    vector_encode(library->values, base->dim, library->scaled, exponent, library->vector);
    *change = (struct change){
        .type = CHANGE_VADD,
        .flags = CHANGE_VECTOR | CHANGE_CONFIG,
        .key = slice_text(key_name),
        .element = slice_text(name),
        .vector =
            slice_of(library->vector, vector_bytes_size(library->scaled, base->dim)),
        .config = {.metric = metrics[options->metric],
                   .index = library->index,
                   .dim = base->dim,
                   .m = options->m ? (uint32_t)options->m : 16,
                   .ef = options->ef_construction ? (uint32_t)options->ef_construction
                                                  : 200}};
    if (benchmark->tags && benchmark->tags[row] > 0) {
        change->flags |= CHANGE_TAG;
        change->tag = benchmark->tags[row];
    }
    return STATUS_OK;
}

static enum status add_row(struct library *library, size_t row) {
    struct change change;
    struct outcome outcome;
    uint64_t sequence, next_us;
    char name[24];
    enum status status = describe_row(library, row, name, &change);
    if (!status) status = engine_submit(library->engine, &change, &outcome, &sequence);
    if (!status && row % INSERT_TURN == 0)
        status = engine_turn(library->engine, &next_us);
    return status;
}

static enum status load(struct library *library, struct result *result,
                        struct complaint *complaint) {
    const struct dataset *base = &library->benchmark->base;
    uint64_t start = processor_ns();
    enum status status = STATUS_OK;
    for (size_t row = 0; row < base->rows && !status; row++) {
        uint64_t before = clock_ns();
        status = add_row(library, row);
        histogram_record(&result->measurement.latency, clock_ns() - before);
    }
    result->measurement.seconds = (double)(processor_ns() - start) / 1e9;
    result->measurement.commands = result->items = result->added = base->rows;
    result->runs = 1;
    if (status)
        return complain(complaint, STATUS_INVALID, "a vector or the index is refused: %s",
                        status_name(status));
    return STATUS_OK;
}

/* --- Searching -----------------------------------------------------------------------
 */

static const struct collection *collection(const struct library *library) {
    return state_collection(engine_state(library->engine), 0, slice_text(key_name));
}

/* One search; its hits are in library->hits. */
static enum status search_once(struct library *library, const struct test *test,
                               bool exact, size_t row, uint32_t *count) {
    int8_t exponent;
    enum status status =
        convert_row(library, &library->benchmark->queries, row, &exponent);
    if (status) return status;
    uint64_t tag = test->tag;
    struct query query = {.values = library->values,
                          .k = (uint32_t)test->count,
                          .tags = tag > 0 ? &tag : NULL,
                          .tag_count = tag > 0,
                          .ef = (uint32_t)test->ef,
                          .exact = exact};
    struct search search;
    status = reserve_walk(library, search_room_size(collection(library), &query));
    if (status) return status;
    query.room = library->walk.size > 0 ? &library->walk : NULL;
    search_begin(&search, engine_state(library->engine), collection(library), &query,
                 library->hits);
    while (!search_step(&search, UINT32_MAX)) {
    }
    *count = search.hit_count;
    return STATUS_OK;
}

/* All queries once; the slots found go to library->slots. */
static enum status pass(struct library *library, const struct test *test,
                        struct measurement *measurement) {
    size_t queries = library->benchmark->queries.rows;
    enum status status = STATUS_OK;
    uint64_t start = processor_ns();
    for (size_t row = 0; row < queries && !status; row++) {
        uint32_t count = 0;
        uint64_t before = clock_ns();
        status =
            search_once(library, test, library->benchmark->options->exact, row, &count);
        histogram_record(&measurement->latency, clock_ns() - before);
        uint32_t *slots = library->slots + row * test->count;
        for (uint32_t i = 0; i < test->count; i++)
            slots[i] = i < count ? library->hits[i].slot : UINT32_MAX;
    }
    measurement->seconds = (double)(processor_ns() - start) / 1e9;
    measurement->commands = queries;
    return status;
}

/* The recall of the last pass. Elements are named by their rows. */
static enum status judge(const struct library *library, const struct test *test,
                         struct result *result) {
    const struct benchmark *benchmark = library->benchmark;
    size_t count = benchmark->queries.rows * (size_t)test->count;
    if (!benchmark_truth(benchmark, test)) return STATUS_OK;
    int32_t *found = allocate(benchmark->allocator, count * sizeof *found);
    if (!found) return STATUS_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct record record;
        uint64_t row = 0;
        char name[24];
        bool is_there = library->slots[i] != UINT32_MAX &&
                        record_at(engine_state(library->engine), collection(library),
                                  library->slots[i], &record);
        if (is_there)
            snprintf(name, sizeof name, "%.*s", (int)record.element.size,
                     (const char *)record.element.data);
        found[i] = is_there && text_unsigned(name, &row) ? (int32_t)row : -1;
    }
    enum status status = benchmark_recall(benchmark, test, found, benchmark->queries.rows,
                                          &result->recall);
    release(benchmark->allocator, found, count * sizeof *found);
    return status;
}

static enum status search_all(struct library *library, const struct test *test,
                              struct result *result, struct complaint *complaint) {
    const struct benchmark *benchmark = library->benchmark;
    struct measurement *measurement = allocate(benchmark->allocator, sizeof *measurement);
    enum status status = measurement ? STATUS_OK : STATUS_MEMORY;
    for (uint64_t i = 0; i < benchmark->options->rounds && !status; i++) {
        memset(measurement, 0, sizeof *measurement);
        status = pass(library, test, measurement);
        if (i == 0 || measurement->seconds < result->measurement.seconds)
            result->measurement = *measurement;
    }
    result->items = benchmark->queries.rows;
    result->runs = 1;
    if (!status) status = judge(library, test, result);
    release(benchmark->allocator, measurement, sizeof *measurement);
    if (status)
        return complain(complaint, status, "a search has failed: %s",
                        status_name(status));
    return STATUS_OK;
}

/* --- Figures -------------------------------------------------------------------------
 */

/* Values a second of fixed_from_fp32(), into memory that is there already. */
static double convert_rate(struct library *library) {
    const struct dataset *base = &library->benchmark->base;
    size_t rows = base->rows < CONVERT_ROWS ? base->rows : CONVERT_ROWS;
    double best = 0;
    for (uint64_t end = clock_ns() + CONVERT_NS; clock_ns() < end;) {
        int8_t exponent;
        uint64_t start = processor_ns();
        for (size_t row = 0; row < rows; row++)
            if (convert_row(library, base, row, &exponent)) return 0;
        double seconds = (double)(processor_ns() - start) / 1e9;
        double rate = ratio((double)rows * base->dim, seconds);
        if (rate > best) best = rate;
    }
    return best;
}

/* The fastest of some exact searches, in bytes a second of the rows that it reads. */
static double scan_rate(struct library *library, size_t bytes) {
    size_t queries = library->benchmark->queries.rows;
    const struct test test = {.phase = PHASE_SEARCH, .count = 1};
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < SCANS_MIN || i < queries / 10; i++) {
        uint32_t count;
        uint64_t start = clock_ns();
        if (search_once(library, &test, true, i % queries, &count)) return 0;
        uint64_t passed = clock_ns() - start;
        if (passed < best) best = passed;
    }
    return ratio((double)bytes * 1e9, (double)best);
}

static enum status note_figures(struct report *report, struct library *library,
                                struct complaint *complaint) {
    const struct dataset *base = &library->benchmark->base;
    const struct kernel *kernel = engine_kernel(library->engine);
    double rows = (double)base->rows;
    report_figure(report, 0, "memory in use per vector", "bytes",
                  (double)kernel_memory_used(kernel) / rows);
    report_figure(report, 0, "memory taken per vector", "bytes",
                  (double)kernel_memory_taken(kernel) / rows);
    report_figure(report, 0,
                  library->scaled ? "binary32 to scaled Q16.16" : "binary32 to Q16.16",
                  "values/s", convert_rate(library));
    if (library->benchmark->queries.rows == 0 || greatest_count(library->benchmark) == 0)
        return STATUS_OK;
    size_t bytes = base->rows * query_stride(base->dim) * sizeof(int32_t);
    enum status status = STATUS_OK;
    if (bytes >= 4096)
        status = baseline_read(posix_os(), bytes, &report->read_passes, complaint);
    double scan = scan_rate(library, bytes);
    double plain = ratio((double)bytes * 1e9, (double)report->read_passes.least);
    report_figure(report, 0, "exact scan", "bytes/s", scan);
    report_figure(report, 0, "plain read", "bytes/s", plain);
    report_figure(report, 0, "exact scan : plain read", "", ratio(scan, plain));
    memset(&report->read_passes, 0, sizeof report->read_passes);
    return status;
}

/* --- All -----------------------------------------------------------------------------
 */

enum status engine_measure(struct report *report, struct complaint *complaint) {
    const struct benchmark *benchmark = report->benchmark;
    struct library library = {.benchmark = benchmark,
                              .index = benchmark->options->index == USE_FLAT ? INDEX_FLAT
                                                                             : INDEX_HNSW,
                              .scaled = benchmark->options->metric == USE_COSINE};
    const char *level = simd_select(benchmark->options->simd);
    if (!level)
        return complain(complaint, STATUS_INVALID, "--simd: %s is not to be had here",
                        benchmark->options->simd);
    enum status status = open_library(&library, complaint);
    for (size_t i = 0; i < benchmark->tests.count && !status; i++) {
        const struct test *test = &benchmark->tests.rows[i];
        struct result *result = report_result(report, 0, i);
        status = test->phase == PHASE_LOAD
                     ? load(&library, result, complaint)
                     : search_all(&library, test, result, complaint);
    }
    if (!status) status = note_figures(report, &library, complaint);
    snprintf(report->servers[0].name, sizeof report->servers[0].name,
             "valori " VALORI_VERSION " %s %s",
             library.index == INDEX_HNSW ? "hnsw" : "flat", level);
    close_library(&library);
    return status;
}
