/* Readiness on Linux: epoll. bsd_poll.c is the same in kqueue.
 *
 * Sockets are level-triggered. The wake descriptor is edge-triggered and never read: an
 * eventfd that is only written counts up for 2^64 wake-ups. */
#include "os/posix.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/check.h"

#define POLL_BATCH 128

struct poller {
    int descriptor;
};

/* The wake descriptor's context; an address that no caller has. */
static const char wake_context;

static enum status watch_wake(int poller) {
    int descriptor = posix_wake_descriptor();
    if (descriptor < 0) return posix_failure(errno);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET,
                                .data.ptr = (void *)(uintptr_t)&wake_context};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0)
        return posix_failure(errno);
    return STATUS_OK;
}

enum status posix_poller_create(const struct os *os, struct poller **poller) {
    struct poller *made = allocate(os_allocator(), sizeof *made);
    if (!made) return posix_failure(ENOMEM);
    made->descriptor = epoll_create1(EPOLL_CLOEXEC);
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

enum status posix_poller_set(const struct os *os, struct poller *poller,
                             struct socket *socket, bool readable, bool writable,
                             void *context) {
    (void)os;
    bool watched = socket->watches_readable || socket->watches_writable;
    bool wanted = readable || writable;
    if (readable == socket->watches_readable && writable == socket->watches_writable &&
        (!wanted || context == socket->watch_context))
        return STATUS_OK;

    int operation = EPOLL_CTL_MOD;
    if (!watched) operation = EPOLL_CTL_ADD;
    if (!wanted) operation = EPOLL_CTL_DEL;
    struct epoll_event event = {.data.ptr = context};
    if (readable) event.events |= EPOLLIN;
    if (writable) event.events |= EPOLLOUT;
    if (epoll_ctl(poller->descriptor, operation, socket->descriptor, &event) != 0)
        return posix_failure(errno);
    socket->watches_readable = readable;
    socket->watches_writable = writable;
    socket->watch_context = context;
    return STATUS_OK;
}

/* Whole milliseconds, rounded up: waking early would only mean sleeping again. */
static int timeout_ms(uint64_t timeout_us) {
    if (timeout_us == UINT64_MAX) return -1;
    uint64_t ms = timeout_us / 1000 + (timeout_us % 1000 != 0);
    return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

size_t posix_poller_wait(const struct os *os, struct poller *poller,
                         struct poll_event *events, size_t capacity,
                         uint64_t timeout_us) {
    (void)os;
    struct epoll_event ready[POLL_BATCH];
    if (capacity > POLL_BATCH) capacity = POLL_BATCH;
    int timeout =
        timeout_us == 0 || posix_sync_before_sleep() ? 0 : timeout_ms(timeout_us);
    int count = epoll_wait(poller->descriptor, ready, (int)capacity, timeout);
    posix_sync_after_sleep();
    check(count >= 0 || errno == EINTR);

    size_t used = 0;
    for (int i = 0; i < count; i++) {
        if (ready[i].data.ptr == &wake_context) continue;
        uint32_t seen = ready[i].events;
        events[used++] = (struct poll_event){
            .context = ready[i].data.ptr,
            /* An error is for whoever tries next, be it to read or to write. */
            .readable = (seen & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0,
            .writable = (seen & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0,
        };
    }
    return used;
}
