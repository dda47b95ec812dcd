/* panic() tells the hook once and does not return, whatever the hook does. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "test.h"

static jmp_buf after_panic;
static const char *said;
static int said_line;

static void remember_and_leave(const char *what, const char *file, int line) {
    EXPECT(strstr(file, "test_panic.c") != NULL);
    said = what;
    said_line = line;
    longjmp(after_panic, 1);
}

static void tells_the_hook(void) {
    panic_set_hook(remember_and_leave);
    if (setjmp(after_panic) == 0) check(1 + 1 == 3);
    int line = __LINE__ - 1;
    EXPECT(said && strcmp(said, "1 + 1 == 3") == 0);
    EXPECT_EQUAL(said_line, line);
    panic_set_hook(NULL);
}

static void a_true_check_is_silent(void) {
    panic_set_hook(remember_and_leave);
    said = NULL;
    if (setjmp(after_panic) == 0) check(1 + 1 == 2);
    EXPECT(said == NULL);
    panic_set_hook(NULL);
}

static void return_at_once(const char *what, const char *file, int line) {
    (void)what, (void)file, (void)line;
}
static void fail_again(const char *what, const char *file, int line) {
    static int calls;
    if (calls++ > 0) _exit(0); /* Called twice: no signal, and the test fails. */
    panic(what, file, line);
}

/* Panic in a child; true when a signal ended it. */
static bool dies(panic_hook *hook) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        close(STDERR_FILENO); /* An emulator would report the signal there. */
        panic_set_hook(hook);
        panic("wanted", __FILE__, __LINE__);
    }
    int result = 0;
    return waitpid(child, &result, 0) == child && WIFSIGNALED(result);
}

static void never_returns(void) {
    EXPECT(dies(NULL));
    EXPECT(dies(return_at_once));
    EXPECT(dies(fail_again));
}

int main(void) {
    RUN(tells_the_hook);
    RUN(a_true_check_is_silent);
    RUN(never_returns);
    return test_finish();
}
