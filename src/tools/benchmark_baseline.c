/* Bare writes and bare reads. */
#include "tools/benchmark_baseline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

#define MEASURE_NS UINT64_C(1000000000)
#define PASSES_MIN 5
#define RESERVED   ((uint64_t)64 << 20)
#define HUGE_PAGE  ((size_t)2 << 20)

/* --- Write and sync
 * -------------------------------------------------------------------------- */

static enum status measure_pairs(const struct os *os, struct file *file,
                                 const uint8_t *record, size_t size,
                                 struct histogram *pairs) {
    /* A file system that cannot reserve is measured as it is. */
    enum status status = os->file_reserve(os, file, 0, RESERVED);
    if (status == STATUS_INVALID) status = STATUS_OK;
    uint64_t end = clock_ns() + MEASURE_NS;
    for (uint64_t offset = 0; !status && offset + size <= RESERVED; offset += size) {
        uint64_t start = clock_ns();
        if (start >= end) break;
        status = os->file_write(os, file, offset, record, size);
        if (!status) status = os->file_sync(os, file);
        histogram_record(pairs, clock_ns() - start);
    }
    return status;
}

enum status baseline_fsync(const struct os *os, const char *path, size_t size,
                           struct histogram *pairs, struct complaint *complaint) {
    char name[64];
    snprintf(name, sizeof name, "valori-benchmark-%" PRIu32 ".tmp", os_process_id());
    uint8_t *record = allocate(os_allocator(), size);
    if (!record) return complain(complaint, STATUS_MEMORY, "no memory for a record");
    memset(record, 0x5a, size);

    struct directory *directory;
    enum status status = os->directory_open(os, path, &directory);
    if (!status) {
        struct file *file;
        status = os->file_open(os, directory, name, FILE_CREATE, &file);
        if (!status) {
            status = measure_pairs(os, file, record, size, pairs);
            os->file_close(os, file);
            os->remove(os, directory, name);
        }
        os->directory_close(os, directory);
    }
    release(os_allocator(), record, size);
    if (status)
        return complain(complaint, status, "--baseline fsync %s: %s (%s)", path,
                        status_name(status), os->error_text(os));
    return STATUS_OK;
}

/* --- Read
 * -------------------------------------------------------------------------------------
 */

/* As wide as the compiler will make it: on a machine without such registers it becomes
 * several loads. Four sums, so that no addition waits for the one before. */
typedef uint64_t wide __attribute__((vector_size(64)));

/* `count` is a multiple of four. */
static uint64_t read_all(const wide *words, size_t count) {
    wide a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t i = 0; i < count; i += 4) {
        a += words[i];
        b += words[i + 1];
        c += words[i + 2];
        d += words[i + 3];
    }
    a += b + c + d;
    return a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7];
}

enum status baseline_read(const struct os *os, size_t size, struct histogram *passes,
                          struct complaint *complaint) {
    size_t taken;
    uint8_t *region = NULL;
    if (!__builtin_add_overflow(size, HUGE_PAGE - 1, &taken)) {
        taken -= taken % HUGE_PAGE;
        region = os->region_take(os, taken);
    }
    if (!region)
        return complain(complaint, STATUS_MEMORY,
                        "--baseline read: no memory for %zu bytes", size);
    memset(region, 1, taken);
    uint64_t end = clock_ns() + MEASURE_NS;
    /* The sum is known; that it is asked for keeps the compiler from leaving the read
     * out. */
    size_t count = size / (4 * sizeof(wide)) * 4;
    uint64_t wanted = UINT64_C(0x0101010101010101) * (count * sizeof(wide) / 8);
    for (unsigned pass = 0; pass < PASSES_MIN || clock_ns() < end; pass++) {
        uint64_t start = clock_ns();
        uint64_t sum = read_all((const wide *)(const void *)region, count);
        histogram_record(passes, clock_ns() - start);
        check(sum == wanted);
    }
    os->region_give(os, region, taken);
    return STATUS_OK;
}
