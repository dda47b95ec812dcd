/* LD_PRELOAD for scenarios: slow or failing disk calls, switched by files in
 * $VALORI_FAULTS.
 *
 *     slow-sync   milliseconds that every sync takes longer
 *     fail-sync   syncs fail with EIO
 *     slow-read   milliseconds that every read of a data file takes longer
 *     syslog      what is sent to the system's log is added to this file instead */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* The number in the switch's file, or -1 when it is off. */
static long setting(const char *name) {
    const char *directory = getenv("VALORI_FAULTS");
    char path[512], text[32] = "";
    if (!directory) return -1;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int saved = errno, file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t (*real_read)(int, void *, size_t);
        *(void **)&real_read = dlsym(RTLD_NEXT, "read");
        if (real_read(file, text, sizeof text - 1) < 0) text[0] = '\0';
        close(file);
    }
    errno = saved;
    return file < 0 ? -1 : strtol(text, NULL, 10);
}

static void delay(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    if (milliseconds > 0) nanosleep(&time, NULL);
}

int fdatasync(int file) {
    int (*real)(int);
    *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    delay(setting("slow-sync"));
    if (setting("fail-sync") >= 0) {
        errno = EIO;
        return -1;
    }
    return real(file);
}

ssize_t pread(int file, void *bytes, size_t size, off_t offset) {
    ssize_t (*real)(int, void *, size_t, off_t);
    *(void **)&real = dlsym(RTLD_NEXT, "pread");
    delay(setting("slow-read"));
    return real(file, bytes, size, offset);
}

ssize_t pread64(int file, void *bytes, size_t size, off_t offset) {
    return pread(file, bytes, size, offset);
}

/* --- The system's log ------------------------------------------------------------- */

static void add_to_syslog(const char *format, ...) {
    const char *directory = getenv("VALORI_FAULTS");
    char path[512];
    va_list arguments;
    snprintf(path, sizeof path, "%s/syslog", directory ? directory : ".");
    FILE *file = fopen(path, "a");
    if (!file) return;
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fclose(file);
}

void openlog(const char *ident, int option, int facility) {
    (void)option;
    add_to_syslog("openlog %s %d\n", ident, facility >> 3);
}

void syslog(int priority, const char *format, ...) {
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add_to_syslog("%d %s\n", priority & 7, text);
}

void __syslog_chk(int priority, int flag, const char *format, ...) {
    char text[2048];
    va_list arguments;
    (void)flag;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add_to_syslog("%d %s\n", priority & 7, text);
}
