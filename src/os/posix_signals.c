/* How the process starts and ends: SIGTERM and SIGINT ask for a stop, SIGHUP for log
 * files to be opened anew, a failed check says what it saw and leaves with exit code 70.
 */
#include "os/posix.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/check.h"

/* The sysexits name for a mistake of our own. */
#define EXIT_INTERNAL 70

#define TRACE_DEPTH 64

static volatile sig_atomic_t stop_flag, reopen_flag;

bool posix_stop_requested(const struct os *os) {
    (void)os;
    return stop_flag != 0;
}

static void on_stop(int signal_number) {
    (void)signal_number;
    stop_flag = 1;
    posix_wake();
}

bool posix_reopen_requested(const struct os *os) {
    (void)os;
    bool asked = reopen_flag != 0;
    if (asked) reopen_flag = 0;
    return asked;
}

static void on_reopen(int signal_number) {
    (void)signal_number;
    reopen_flag = 1;
    posix_wake();
}

/* Written with write() alone: the heap and stdio may be what is broken. */
static void say_and_exit(const char *what, const char *file, int line) {
    char text[512];
    int size = snprintf(text, sizeof text, "\n*** valori: check failed: %s (%s:%d)\n",
                        what, file, line);
    if (size >= (int)sizeof text) size = (int)sizeof text - 1;
    if (size > 0 && write(STDERR_FILENO, text, (size_t)size) < 0) _exit(EXIT_INTERNAL);
    void *frames[TRACE_DEPTH];
    int depth = backtrace(frames, TRACE_DEPTH);
    backtrace_symbols_fd(frames, depth, STDERR_FILENO);
    _exit(EXIT_INTERNAL);
}

static void catch_signal(int signal_number, void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    check(sigaction(signal_number, &action, NULL) == 0);
}

void os_start(void) {
    /* The first call loads a library and allocates; do that while all is well. */
    void *frame;
    backtrace(&frame, 1);
    panic_set_hook(say_and_exit);
    catch_signal(SIGPIPE, SIG_IGN);
    catch_signal(SIGTERM, on_stop);
    catch_signal(SIGINT, on_stop);
    catch_signal(SIGHUP, on_reopen);
}

uint32_t os_process_id(void) { return (uint32_t)getpid(); }

/* A system may refuse the whole step and allow a smaller one, so it is halved. */
uint64_t os_allow_descriptors(uint64_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    uint64_t now = limit.rlim_cur, hard = limit.rlim_max;
    if (limit.rlim_cur == RLIM_INFINITY || now >= wanted) return wanted;
    if (limit.rlim_max != RLIM_INFINITY && wanted > hard) wanted = hard;
    for (uint64_t step = wanted - now; step > 0; step /= 2) {
        limit.rlim_cur = (rlim_t)(now + step);
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return now + step;
    }
    return now;
}

static struct {
    pthread_once_t once;
    char text[256];
} description = {.once = PTHREAD_ONCE_INIT};

static void describe(void) {
    struct utsname name;
    if (uname(&name) != 0) return;
    snprintf(description.text, sizeof description.text, "%.80s %.80s %.80s", name.sysname,
             name.release, name.machine);
}

const char *os_description(void) {
    pthread_once(&description.once, describe);
    return description.text;
}
