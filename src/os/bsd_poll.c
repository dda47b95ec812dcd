/* Readiness on the BSDs and macOS: kqueue. linux_poll.c is the same in epoll.
 *
 * kqueue knows reading and writing as two filters, so one socket may give two events in
 * one wait; the contract allows it. The wake descriptor is a pipe, and it is drained: a
 * full one would stay silent. */
#include "os/posix.h"

#include <errno.h>
#include <sys/event.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

#define POLL_BATCH 128

struct poller {
    int descriptor;
};

/* The wake descriptor's context; an address that no caller has. */
static const char wake_context;

static int change_filter(int poller, int descriptor, short filter, bool add,
                         void *context) {
    struct kevent change;
    EV_SET(&change, (uintptr_t)descriptor, filter, add ? EV_ADD : EV_DELETE, 0, 0,
           context);
    int result;
    do result = kevent(poller, &change, 1, NULL, 0, NULL);
    while (result < 0 && errno == EINTR);
    return result;
}

static enum status watch_wake(int poller) {
    int descriptor = posix_wake_descriptor();
    if (descriptor < 0) return posix_failure(errno);
    void *context = (void *)(uintptr_t)&wake_context;
    if (change_filter(poller, descriptor, EVFILT_READ, true, context) != 0)
        return posix_failure(errno);
    return STATUS_OK;
}

enum status posix_poller_create(const struct os *os, struct poller **poller) {
    struct poller *made = allocate(os_allocator(), sizeof *made);
    if (!made) return posix_failure(ENOMEM);
    made->descriptor = kqueue();
    enum status status =
        made->descriptor < 0 ? posix_failure(errno) : watch_wake(made->descriptor);
    if (status) posix_poller_destroy(os, made);
    else *poller = made;
    return status;
}

void posix_poller_destroy(const struct os *os, struct poller *poller) {
    (void)os;
    if (!poller) return;
    if (poller->descriptor >= 0) close(poller->descriptor);
    release(os_allocator(), poller, sizeof *poller);
}

/* Bring one filter from what it was to what is wanted. Adding again changes the context.
 */
static enum status set_filter(struct poller *poller, struct socket *socket, short filter,
                              bool *watched, bool wanted, void *context) {
    bool same = *watched == wanted && (!wanted || context == socket->watch_context);
    if (same) return STATUS_OK;
    if (change_filter(poller->descriptor, socket->descriptor, filter, wanted, context) !=
        0)
        return posix_failure(errno);
    *watched = wanted;
    return STATUS_OK;
}

enum status posix_poller_set(const struct os *os, struct poller *poller,
                             struct socket *socket, bool readable, bool writable,
                             void *context) {
    (void)os;
    enum status status = set_filter(poller, socket, EVFILT_READ,
                                    &socket->watches_readable, readable, context);
    if (!status)
        status = set_filter(poller, socket, EVFILT_WRITE, &socket->watches_writable,
                            writable, context);
    if (!status) socket->watch_context = context;
    return status;
}

size_t posix_poller_wait(const struct os *os, struct poller *poller,
                         struct poll_event *events, size_t capacity,
                         uint64_t timeout_us) {
    (void)os;
    struct kevent ready[POLL_BATCH];
    if (capacity > POLL_BATCH) capacity = POLL_BATCH;
    struct timespec limit = {.tv_sec = 0, .tv_nsec = 0};
    bool forever = false;
    if (timeout_us != 0 && !posix_sync_before_sleep()) {
        forever = timeout_us == UINT64_MAX;
        limit.tv_sec = (time_t)(timeout_us / 1000000);
        limit.tv_nsec = (long)(timeout_us % 1000000) * 1000;
    }
    int count = kevent(poller->descriptor, NULL, 0, ready, (int)capacity,
                       forever ? NULL : &limit);
    posix_sync_after_sleep();
    check(count >= 0 || errno == EINTR);

    size_t used = 0;
    for (int i = 0; i < count; i++) {
        if (ready[i].udata == &wake_context) {
            posix_wake_clear();
            continue;
        }
        events[used++] = (struct poll_event){
            .context = ready[i].udata,
            .readable = ready[i].filter == EVFILT_READ,
            .writable = ready[i].filter == EVFILT_WRITE,
        };
    }
    return used;
}
