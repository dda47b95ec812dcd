/* What the BSDs and macOS do their own way. The same functions for Linux are in
 * linux_system.c. */
#include "os/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

/* flock() belongs to the open file there. */
int system_lock(int descriptor) {
    int result = flock(descriptor, LOCK_EX | LOCK_NB);
    if (result != 0 && errno == EWOULDBLOCK) errno = EAGAIN;
    return result;
}

int system_sync(int descriptor) {
#ifdef F_FULLFSYNC
    return fcntl(descriptor,
                 F_FULLFSYNC); /* On macOS fsync() stops at the drive's cache. */
#else
    return fdatasync(descriptor);
#endif
}

/* posix_fallocate() would change the size of the file. */
int system_reserve(int descriptor, uint64_t offset, uint64_t size) {
    (void)descriptor;
    (void)offset;
    (void)size;
    errno = EOPNOTSUPP;
    return -1;
}

/* Where the advice does not exist the pages stay, and mincore() will tell. */
int system_drop_cache(int descriptor) {
#ifdef POSIX_FADV_DONTNEED
    int error = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    errno = error;
    return error == 0 ? 0 : -1;
#else
    (void)descriptor;
    return 0;
#endif
}

/* The descriptor itself, or -1 with the descriptor closed. */
static int prepare(int descriptor) {
    if (descriptor < 0) return -1;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 &&
        fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0)
        return descriptor;
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

int system_accept(int listener, void *address, unsigned *address_size) {
    socklen_t size = *address_size;
    int descriptor = prepare(accept(listener, address, &size));
    *address_size = size;
    return descriptor;
}

int system_socket(int family) { return prepare(socket(family, SOCK_STREAM, 0)); }

int system_wake_pair(int ends[2]) {
    if (pipe(ends) != 0) return -1;
    if (prepare(ends[0]) < 0) {
        close(ends[1]);
        return -1;
    }
    if (prepare(ends[1]) < 0) {
        close(ends[0]);
        return -1;
    }
    return 0;
}

/* Pages do not move there: the caller copies. */
void *system_remap(void *block, size_t old_size, size_t new_size) {
    (void)block;
    (void)old_size;
    (void)new_size;
    return NULL;
}

/* Large pages are given there without being asked for. */
void system_huge_pages(void *region, size_t size) {
    (void)region;
    (void)size;
}

void system_small_pages(void *region, size_t size) {
    (void)region;
    (void)size;
}

bool system_populate(void *region, size_t size) {
    (void)region;
    (void)size;
    return false;
}

uint64_t system_resident_bytes(void) { return 0; }
