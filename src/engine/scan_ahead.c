#include "engine/scan_ahead.h"

#include "kernel/change.h"

enum {
    STEP = 1 << 20, /* bytes between two looks at `stop` */
    PATIENCE_US = 1000,
};

static void scan(void *context) {
    struct scan_ahead *scan = context;
    enum status status;
    do {
        status = log_scan(scan->log, STEP, &scan->report);
        uint64_t seal = log_last_of_type(scan->log, CHANGE_SEAL);
        atomic_store(&scan->limit, seal == UINT64_MAX ? 0 : seal);
        atomic_store(&scan->bytes, log_bytes_scanned(scan->log));
    } while (status == STATUS_AGAIN && !atomic_load(&scan->stop));
    scan->verdict = status;
    atomic_store(&scan->done, true);
}

bool scan_ahead_start(struct scan_ahead *ahead, const struct os *os, struct log *log) {
    if (!os->task_start) return false;
    ahead->os = os;
    ahead->log = log;
    ahead->running = os->task_start(os, scan, ahead) == STATUS_OK;
    return ahead->running;
}

void scan_ahead_wait(struct scan_ahead *ahead, uint64_t limit) {
    if (atomic_load(&ahead->limit) > limit || atomic_load(&ahead->done)) return;
    ahead->os->task_wait(ahead->os, PATIENCE_US);
}

void scan_ahead_stop(struct scan_ahead *ahead) {
    if (!ahead->running) return;
    atomic_store(&ahead->stop, true);
    ahead->os->task_wait(ahead->os, UINT64_MAX);
    ahead->running = false;
}
