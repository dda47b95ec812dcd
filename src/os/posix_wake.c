/* One descriptor that wakes whoever polls: written by the sync helper when it is done and
 * by the handlers of SIGTERM and SIGINT. */
#include "os/posix.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* Made by the first poller and kept until the process ends: a signal handler cannot know
 * when the last poller goes. `write_end` is -1 before that. */
static struct {
    pthread_mutex_t lock;
    int read_end;
    atomic_int write_end;
} wake = {.lock = PTHREAD_MUTEX_INITIALIZER, .read_end = -1, .write_end = -1};

int posix_wake_descriptor(void) {
    pthread_mutex_lock(&wake.lock);
    int ends[2];
    if (wake.read_end < 0 && system_wake_pair(ends) == 0) {
        wake.read_end = ends[0];
        atomic_store(&wake.write_end, ends[1]);
    }
    int descriptor = wake.read_end;
    pthread_mutex_unlock(&wake.lock);
    return descriptor;
}

/* Eight bytes are what an eventfd takes; a pipe takes anything. A full pipe fails, and is
 * readable already. */
void posix_wake(void) {
    int saved = errno;
    int descriptor = atomic_load(&wake.write_end);
    uint64_t one = 1;
    if (descriptor >= 0) {
        while (write(descriptor, &one, sizeof one) < 0 && errno == EINTR) continue;
    }
    errno = saved;
}

void posix_wake_clear(void) {
    uint64_t taken[64];
    ssize_t size;
    do size = read(wake.read_end, taken, sizeof taken);
    while (size > 0 || (size < 0 && errno == EINTR));
}
