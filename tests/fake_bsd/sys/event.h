/* As much of kqueue's header as lets the compiler read src/os/bsd_poll.c on Linux. Only
 * ever used with -fsyntax-only; the values are the ones that FreeBSD has. */
#ifndef TESTS_FAKE_BSD_SYS_EVENT_H
#define TESTS_FAKE_BSD_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    int64_t data;
    void *udata;
};

#define EVFILT_READ  (-1)
#define EVFILT_WRITE (-2)
#define EV_ADD       0x0001
#define EV_DELETE    0x0002

#define EV_SET(event, identity, filter_number, flag_bits, filter_flags, amount, user)    \
    (*(event) = (struct kevent){(identity), (filter_number), (flag_bits),                \
                                (filter_flags), (amount), (user)})

int kqueue(void);
int kevent(int queue, const struct kevent *changes, int change_count,
           struct kevent *events, int event_count, const struct timespec *timeout);

#endif
