/* The helper threads: one syncs files and writes to them what is too long for the loop,
 * one makes fresh memory present and gives large blocks back; neither can see anything
 * but the file or the addresses that it was handed. A third lives as long as the task it
 * was made for.
 *
 * They are two because a sync has somebody waiting for every microsecond of it, and
 * clearing a huge page takes a hundred of them.
 *
 * The way of a sync, and what it costs beside the sync itself:
 *
 *     IDLE --sync_start--> WANTED --helper--> RUNNING --helper--> DONE --sync_finish-->
 * IDLE (one futex wake)                          (one eventfd write, if the loop sleeps)
 *
 * The loop says before it sleeps that it will (`loop_sleeps`), and only then looks
 * whether the phase is DONE; the helper first sets DONE and only then looks whether the
 * loop sleeps. Both orders are sequentially consistent, so at least one of the two sees
 * the other and no completion is slept through, while a loop that is busy is not written
 * to. */
#include "os/posix.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

/* A thread that takes no signals: the handlers belong to the thread of the loop, whose
 * sleep they end. 0 or an errno. */
static int start_helper(void *(*body)(void *context)) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, body, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) pthread_detach(thread);
    return error;
}

/* --- Syncs
 * --------------------------------------------------------------------------------- */

enum phase { PHASE_IDLE, PHASE_WANTED, PHASE_RUNNING, PHASE_DONE };

/* A sync, or with parts a write. */
struct work {
    struct file *file;
    uint64_t offset;
    size_t count;
    struct slice parts[WRITE_PARTS_MAX];
};

static struct {
    pthread_mutex_t lock; /* over every change of phase, and over what follows here */
    pthread_cond_t work;  /* the phase became WANTED */
    pthread_cond_t done;  /* the phase became DONE */
    bool started;
    struct work order;
    enum status outcome;
    int error;

    _Atomic(enum phase) phase;
    atomic_bool loop_sleeps;
} syncs = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .work = PTHREAD_COND_INITIALIZER,
    .done = PTHREAD_COND_INITIALIZER,
};

static struct work next_work(void) {
    pthread_mutex_lock(&syncs.lock);
    while (atomic_load(&syncs.phase) != PHASE_WANTED)
        pthread_cond_wait(&syncs.work, &syncs.lock);
    atomic_store(&syncs.phase, PHASE_RUNNING);
    struct work work = syncs.order;
    pthread_mutex_unlock(&syncs.lock);
    return work;
}

static enum status do_work(const struct os *os, const struct work *work) {
    if (work->count == 0) return posix_file_sync(os, work->file);
    uint64_t offset = work->offset;
    for (size_t i = 0; i < work->count; i++) {
        const struct slice *part = &work->parts[i];
        enum status status =
            posix_file_write(os, work->file, offset, part->data, part->size);
        if (status) return status;
        offset += part->size;
    }
    return STATUS_OK;
}

static void report(enum status outcome, int error) {
    pthread_mutex_lock(&syncs.lock);
    syncs.outcome = outcome;
    syncs.error = error;
    atomic_store(&syncs.phase, PHASE_DONE);
    pthread_cond_signal(&syncs.done);
    pthread_mutex_unlock(&syncs.lock);
    if (atomic_load(&syncs.loop_sleeps)) posix_wake();
}

static void *serve_disk(void *context) {
    (void)context;
    const struct os *os = posix_os();
    for (;;) {
        struct work work = next_work();
        enum status outcome = do_work(os, &work);
        report(outcome, outcome ? os->error(os) : 0);
    }
    return NULL;
}

static enum status order(const struct work *work) {
    check(atomic_load(&syncs.phase) == PHASE_IDLE);
    if (!syncs.started) {
        int error = start_helper(serve_disk);
        if (error != 0) {
            posix_failure(error);
            return STATUS_IO;
        }
        syncs.started = true;
    }
    pthread_mutex_lock(&syncs.lock);
    syncs.order = *work;
    atomic_store(&syncs.phase, PHASE_WANTED);
    pthread_mutex_unlock(&syncs.lock);
    pthread_cond_signal(
        &syncs.work); /* Unlocked: else it would wake only to wait for us. */
    return STATUS_OK;
}

enum status posix_sync_start(const struct os *os, struct file *file) {
    (void)os;
    return order(&(struct work){.file = file});
}

enum status posix_write_start(const struct os *os, struct file *file, uint64_t offset,
                              const struct slice *parts, size_t count) {
    (void)os;
    struct work work = {.file = file, .offset = offset, .count = count};
    check(count > 0 && count <= WRITE_PARTS_MAX);
    for (size_t i = 0; i < count; i++) work.parts[i] = parts[i];
    return order(&work);
}

bool posix_sync_finish(const struct os *os, bool wait, enum status *outcome, int *error) {
    (void)os;
    enum phase phase = atomic_load(&syncs.phase);
    if (phase == PHASE_IDLE || (phase != PHASE_DONE && !wait)) return false;
    pthread_mutex_lock(&syncs.lock);
    while (atomic_load(&syncs.phase) != PHASE_DONE)
        pthread_cond_wait(&syncs.done, &syncs.lock);
    *outcome = syncs.outcome;
    *error = syncs.error;
    atomic_store(&syncs.phase, PHASE_IDLE);
    pthread_mutex_unlock(&syncs.lock);
    return true;
}

bool posix_sync_before_sleep(void) {
    atomic_store(&syncs.loop_sleeps, true);
    return atomic_load(&syncs.phase) == PHASE_DONE;
}

void posix_sync_after_sleep(void) { atomic_store(&syncs.loop_sleeps, false); }

/* --- A task
 * -------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool running;
    void (*work)(void *context);
    void *context;
} task = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

static void *run_task(void *unused) {
    (void)unused;
    task.work(task.context);
    pthread_mutex_lock(&task.lock);
    task.running = false;
    pthread_cond_broadcast(&task.ended);
    pthread_mutex_unlock(&task.lock);
    posix_wake();
    return NULL;
}

enum status posix_task_start(const struct os *os, void (*work)(void *context),
                             void *context) {
    (void)os;
    pthread_mutex_lock(&task.lock);
    if (task.running) {
        pthread_mutex_unlock(&task.lock);
        return STATUS_AGAIN;
    }
    task.work = work;
    task.context = context;
    int error = start_helper(run_task);
    task.running = error == 0;
    pthread_mutex_unlock(&task.lock);
    if (error == 0) return STATUS_OK;
    posix_failure(error);
    return STATUS_IO;
}

bool posix_task_wait(const struct os *os, uint64_t timeout_us) {
    (void)os;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    if (timeout_us != UINT64_MAX) {
        uint64_t ns = (uint64_t)until.tv_nsec + timeout_us % 1000000 * 1000;
        until.tv_sec += (time_t)(timeout_us / 1000000 + ns / 1000000000);
        until.tv_nsec = (long)(ns % 1000000000);
    }
    pthread_mutex_lock(&task.lock);
    int error = 0;
    while (task.running && error == 0)
        error = timeout_us == UINT64_MAX
                    ? pthread_cond_wait(&task.ended, &task.lock)
                    : pthread_cond_timedwait(&task.ended, &task.lock, &until);
    bool ended = !task.running;
    pthread_mutex_unlock(&task.lock);
    return ended;
}

void posix_task_sleep(const struct os *os, uint64_t us) {
    (void)os;
    struct timespec time = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000 * 1000)};
    nanosleep(&time, NULL);
}

/* --- Memory
 * --------------------------------------------------------------------------- */

/* More than anybody asks for at once; what does not fit is not done here. */
#define MEMORY_QUEUE 16
/* So much at a time, that an mmap() or munmap() of the loop need not wait long. */
#define MEMORY_PIECE ((size_t)2 << 20)

struct memory_job {
    uint8_t *block;
    size_t size;
    bool give; /* back to the system; else touch it */
};

static struct {
    pthread_mutex_t lock; /* over everything here */
    pthread_cond_t work;
    bool started;
    size_t first, count; /* the queue is jobs[first], and on, modulo MEMORY_QUEUE */
    struct memory_job jobs[MEMORY_QUEUE];
} memory = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

static struct memory_job next_memory_job(void) {
    pthread_mutex_lock(&memory.lock);
    while (memory.count == 0) pthread_cond_wait(&memory.work, &memory.lock);
    struct memory_job job = memory.jobs[memory.first];
    memory.first = (memory.first + 1) % MEMORY_QUEUE;
    memory.count--;
    pthread_mutex_unlock(&memory.lock);
    return job;
}

static void *serve_memory(void *context) {
    (void)context;
    for (;;) {
        struct memory_job job = next_memory_job();
        while (job.size > 0) {
            size_t piece = job.size < MEMORY_PIECE ? job.size : MEMORY_PIECE;
            if (job.give) check(munmap(job.block, piece) == 0);
            else if (!system_populate(job.block, piece)) break;
            job.block += piece;
            job.size -= piece;
        }
    }
    return NULL;
}

static bool put_memory_job(struct memory_job job) {
    pthread_mutex_lock(&memory.lock);
    if (!memory.started) memory.started = start_helper(serve_memory) == 0;
    bool room = memory.started && memory.count < MEMORY_QUEUE;
    if (room) memory.jobs[(memory.first + memory.count++) % MEMORY_QUEUE] = job;
    pthread_mutex_unlock(&memory.lock);
    pthread_cond_signal(&memory.work);
    return room;
}

void posix_region_warm(const struct os *os, void *region, size_t size) {
    (void)os;
    put_memory_job((struct memory_job){.block = region, .size = size});
}

bool posix_unmap_later(void *block, size_t size) {
    return put_memory_job(
        (struct memory_job){.block = block, .size = size, .give = true});
}
