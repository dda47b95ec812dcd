/* The two clocks, and the processor time of this process. */
#include "os/posix.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "base/check.h"

static uint64_t clock_us(clockid_t clock) {
    struct timespec now;
    check(clock_gettime(clock, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t posix_monotonic_us(const struct os *os) {
    (void)os;
    return clock_us(CLOCK_MONOTONIC);
}

uint64_t posix_wall_us(const struct os *os) {
    (void)os;
    return clock_us(CLOCK_REALTIME);
}

static uint64_t timeval_us(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

uint64_t os_cpu_user_us(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? timeval_us(usage.ru_utime) : 0;
}

uint64_t os_cpu_system_us(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? timeval_us(usage.ru_stime) : 0;
}
