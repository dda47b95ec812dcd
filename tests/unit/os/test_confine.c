/* What a confined process may not do, each tried in a child; and that threads still
 * start. */
#define _GNU_SOURCE
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

static void run_program(void) { execl("/bin/true", "true", (char *)NULL); }
static void make_process(void) { (void)fork(); }
static void trace(void) { (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static void leave_namespace(void) { (void)unshare(CLONE_NEWUSER); }
static void load_filter(void) { (void)syscall(SYS_bpf, 0, NULL, 0); }

static void *work(void *context) {
    *(int *)context = 7;
    return NULL;
}
static void start_thread(void) {
    pthread_t thread;
    int value = 0;
    if (pthread_create(&thread, NULL, work, &value) || pthread_join(thread, NULL))
        _exit(1);
    _exit(value == 7 ? 0 : 2);
}

/* Do it in a confined child: its end as waitpid() tells it, or -1 where there is no
 * seccomp. */
static int end_of(void (*deed)(void)) {
    pid_t child = fork();
    if (child == 0) {
        if (os_confine()) _exit(99);
        deed();
        _exit(0);
    }
    int how = 0;
    EXPECT(child > 0 && waitpid(child, &how, 0) == child);
    return WIFEXITED(how) && WEXITSTATUS(how) == 99 ? -1 : how;
}

static void each_forbidden_call_ends_the_process(void) {
    void (*const deeds[])(void) = {run_program, make_process, trace, leave_namespace,
                                   load_filter};
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
        int how = end_of(deeds[i]);
        if (how == -1) SKIP("there is no seccomp here");
        EXPECT(WIFSIGNALED(how) && WTERMSIG(how) == SIGSYS);
    }
}

static void threads_still_start(void) {
    int how = end_of(start_thread);
    if (how != -1) EXPECT(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

int main(void) {
    RUN(each_forbidden_call_ends_the_process);
    RUN(threads_still_start);
    return test_finish();
}
