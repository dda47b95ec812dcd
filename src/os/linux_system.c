/* What Linux does its own way. The same functions for the BSDs are in bsd_system.c. */
#include "os/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int system_lock(int descriptor) {
    struct flock whole;
    memset(&whole, 0,
           sizeof whole); /* l_pid must be 0; length 0 is to the end, for ever. */
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return fcntl(descriptor, F_OFD_SETLK, &whole);
}

int system_sync(int descriptor) { return fdatasync(descriptor); }

int system_reserve(int descriptor, uint64_t offset, uint64_t size) {
    return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size);
}

int system_drop_cache(int descriptor) {
    int error = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    errno = error;
    return error == 0 ? 0 : -1;
}

int system_accept(int listener, void *address, unsigned *address_size) {
    return accept4(listener, address, address_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int system_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int system_wake_pair(int ends[2]) {
    ends[0] = ends[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return ends[0] >= 0 ? 0 : -1;
}

void *system_remap(void *block, size_t old_size, size_t new_size) {
    void *moved = mremap(block, old_size, new_size, MREMAP_MAYMOVE);
    return moved == MAP_FAILED ? NULL : moved;
}

void system_huge_pages(void *region, size_t size) {
    (void)madvise(region, size, MADV_HUGEPAGE); /* A kernel without them says no. */
}

void system_small_pages(void *region, size_t size) {
    (void)madvise(region, size, MADV_NOHUGEPAGE);
}

/* Since Linux 5.14. It faults pages in without writing to them, so the loop may use the
 * region meanwhile, or even give it back: then the call fails and nothing else happens.
 */
bool system_populate(void *region, size_t size) {
    return madvise(region, size, MADV_POPULATE_WRITE) == 0 || errno != EINVAL;
}

/* The second number of statm, in pages. */
uint64_t system_resident_bytes(void) {
    FILE *statm = fopen("/proc/self/statm", "re");
    if (!statm) return 0;
    unsigned long long total, resident;
    bool read = fscanf(statm, "%llu %llu", &total, &resident) == 2;
    fclose(statm);
    return read ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
