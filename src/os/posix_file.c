/* Directories and files: names are opened relative to a directory that was opened once,
 * and a name is never followed out of it.
 *
 * O_NONBLOCK at open keeps a FIFO that somebody put in our place from hanging the start;
 * on regular files it means nothing. */
#include "os/posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

/* Residency is asked for in windows: one byte a page, on the stack. */
#define RESIDENCY_PAGES 4096

static bool name_is_safe(const char *name) {
    return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strchr(name, '/') == NULL;
}

static int open_at(int directory, const char *name, int flags, mode_t mode) {
    int descriptor;
    do descriptor = openat(directory, name, flags, mode);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

/* What O_NOFOLLOW says of a symbolic link differs: ELOOP in POSIX, EMLINK on FreeBSD. The
 * others mean that the name is no regular file. */
static enum status open_failure(int error) {
    enum status status = posix_failure(error);
    bool unsafe = error == ELOOP || error == EMLINK || error == EISDIR || error == ENXIO;
    return unsafe ? STATUS_UNSAFE : status;
}

/* A descriptor of a regular file, or a status; `flags` beside OPEN_FLAGS. */
static enum status open_regular(struct directory *directory, const char *name, int flags,
                                int *descriptor) {
    if (!name_is_safe(name)) {
        posix_failure(EINVAL);
        return STATUS_UNSAFE;
    }
    *descriptor = open_at(directory->descriptor, name, flags | OPEN_FLAGS, 0600);
    if (*descriptor < 0) return open_failure(errno);
    struct stat facts;
    enum status status = STATUS_OK;
    if (fstat(*descriptor, &facts) != 0) status = posix_failure(errno);
    else if (!S_ISREG(facts.st_mode)) {
        posix_failure(EINVAL);
        status = STATUS_UNSAFE;
    }
    if (status) close(*descriptor);
    return status;
}

/* --- Directories
 * ------------------------------------------------------------------------- */

enum status posix_directory_open(const struct os *os, const char *path,
                                 struct directory **directory) {
    (void)os;
    struct directory *opened = allocate(os_allocator(), sizeof *opened);
    if (!opened) return posix_failure(ENOMEM);
    opened->lock = -1;
    opened->descriptor = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (opened->descriptor < 0) {
        enum status status = posix_failure(errno);
        release(os_allocator(), opened, sizeof *opened);
        return status;
    }
    *directory = opened;
    return STATUS_OK;
}

void posix_directory_close(const struct os *os, struct directory *directory) {
    (void)os;
    if (!directory) return;
    if (directory->lock >= 0) close(directory->lock);
    close(directory->descriptor);
    release(os_allocator(), directory, sizeof *directory);
}

/* Through a descriptor of its own: a duplicate would share the reading position. */
enum status posix_directory_list(const struct os *os, struct directory *directory,
                                 bool (*visit)(void *context, const char *name),
                                 void *visit_context) {
    (void)os;
    int descriptor =
        open_at(directory->descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (descriptor < 0) return posix_failure(errno);
    DIR *stream = fdopendir(descriptor);
    if (!stream) {
        enum status status = posix_failure(errno);
        close(descriptor);
        return status;
    }
    enum status status = STATUS_OK;
    for (;;) {
        errno = 0;
        const struct dirent *found = readdir(stream);
        if (!found) {
            if (errno != 0) status = posix_failure(errno);
            break;
        }
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) continue;
        if (!visit(visit_context, found->d_name)) break;
    }
    closedir(stream);
    return status;
}

enum status posix_directory_sync(const struct os *os, struct directory *directory) {
    (void)os;
    int result;
    do result = fsync(directory->descriptor);
    while (result != 0 && errno == EINTR);
    return result == 0 ? STATUS_OK : posix_failure(errno);
}

/* The number is for people; the lock is what holds. So a short or failed write matters
 * only for what it says about the disk. */
static enum status write_process_id(int descriptor) {
    char text[16];
    int size = snprintf(text, sizeof text, "%lu\n", (unsigned long)os_process_id());
    check(size > 0 && (size_t)size < sizeof text);
    if (ftruncate(descriptor, 0) != 0) return posix_failure(errno);
    if (pwrite(descriptor, text, (size_t)size, 0) < 0) return posix_failure(errno);
    return STATUS_OK;
}

enum status posix_directory_lock(const struct os *os, struct directory *directory,
                                 const char *name) {
    (void)os;
    check(directory->lock < 0);
    int descriptor;
    enum status status = open_regular(directory, name, O_RDWR | O_CREAT, &descriptor);
    if (status) return status;
    if (system_lock(descriptor) != 0) {
        bool taken = errno == EAGAIN || errno == EACCES;
        status = posix_failure(errno);
        if (taken) status = STATUS_LOCKED;
    } else {
        status = write_process_id(descriptor);
    }
    if (status) close(descriptor);
    else directory->lock = descriptor;
    return status;
}

enum status posix_rename(const struct os *os, struct directory *directory,
                         const char *from, const char *to) {
    (void)os;
    if (!name_is_safe(from) || !name_is_safe(to)) {
        posix_failure(EINVAL);
        return STATUS_UNSAFE;
    }
    if (renameat(directory->descriptor, from, directory->descriptor, to) != 0)
        return posix_failure(errno);
    return STATUS_OK;
}

enum status posix_remove(const struct os *os, struct directory *directory,
                         const char *name) {
    (void)os;
    if (!name_is_safe(name)) {
        posix_failure(EINVAL);
        return STATUS_UNSAFE;
    }
    if (unlinkat(directory->descriptor, name, 0) != 0) return posix_failure(errno);
    return STATUS_OK;
}

/* --- Files
 * ------------------------------------------------------------------------------- */

enum status posix_file_open(const struct os *os, struct directory *directory,
                            const char *name, enum file_mode mode, struct file **file) {
    (void)os;
    int flags = O_RDONLY;
    if (mode == FILE_WRITE) flags = O_RDWR;
    if (mode == FILE_CREATE) flags = O_RDWR | O_CREAT | O_EXCL;
    struct file *opened = allocate(os_allocator(), sizeof *opened);
    if (!opened) return posix_failure(ENOMEM);
    enum status status = open_regular(directory, name, flags, &opened->descriptor);
    if (status) release(os_allocator(), opened, sizeof *opened);
    else *file = opened;
    return status;
}

void posix_file_close(const struct os *os, struct file *file) {
    (void)os;
    if (!file) return;
    close(file->descriptor); /* EINTR: the descriptor is gone all the same. */
    release(os_allocator(), file, sizeof *file);
}

enum status posix_file_describe(const struct os *os, struct file *file,
                                struct file_facts *facts) {
    (void)os;
    struct stat answer;
    if (fstat(file->descriptor, &answer) != 0) return posix_failure(errno);
    *facts = (struct file_facts){
        .size = (uint64_t)answer.st_size,
        .mode = (uint32_t)(answer.st_mode & 07777),
        .links = (uint32_t)answer.st_nlink,
        .owned = answer.st_uid == geteuid(),
        .regular = S_ISREG(answer.st_mode),
    };
    return STATUS_OK;
}

enum status posix_file_set_mode(const struct os *os, struct file *file, uint32_t mode) {
    (void)os;
    if (fchmod(file->descriptor, (mode_t)(mode & 0777)) == 0) return STATUS_OK;
    return posix_failure(errno);
}

enum status posix_file_read(const struct os *os, struct file *file, uint64_t offset,
                            void *bytes, size_t size, size_t *got) {
    (void)os;
    uint8_t *next = bytes;
    *got = 0;
    while (*got < size) {
        ssize_t count =
            pread(file->descriptor, next + *got, size - *got, (off_t)(offset + *got));
        if (count == 0) break;
        if (count < 0 && errno != EINTR) return posix_failure(errno);
        if (count > 0) *got += (size_t)count;
    }
    return STATUS_OK;
}

enum status posix_file_write(const struct os *os, struct file *file, uint64_t offset,
                             const void *bytes, size_t size) {
    (void)os;
    const uint8_t *next = bytes;
    size_t done = 0;
    while (done < size) {
        ssize_t count =
            pwrite(file->descriptor, next + done, size - done, (off_t)(offset + done));
        if (count == 0) return posix_failure(EIO); /* It must not spin here for ever. */
        if (count < 0 && errno != EINTR) return posix_failure(errno);
        if (count > 0) done += (size_t)count;
    }
    return STATUS_OK;
}

enum status posix_file_truncate(const struct os *os, struct file *file, uint64_t size) {
    (void)os;
    int result;
    do result = ftruncate(file->descriptor, (off_t)size);
    while (result != 0 && errno == EINTR);
    return result == 0 ? STATUS_OK : posix_failure(errno);
}

/* An interrupted sync has not told the outcome to anybody, so asking again cannot lose an
 * error; any other failure is the caller's last word on this file. */
enum status posix_file_sync(const struct os *os, struct file *file) {
    (void)os;
    int result;
    do result = system_sync(file->descriptor);
    while (result != 0 && errno == EINTR);
    return result == 0 ? STATUS_OK : posix_failure(errno);
}

enum status posix_file_reserve(const struct os *os, struct file *file, uint64_t offset,
                               uint64_t size) {
    (void)os;
    int result;
    do result = system_reserve(file->descriptor, offset, size);
    while (result != 0 && errno == EINTR);
    if (result == 0) return STATUS_OK;
    bool impossible = errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
    enum status status = posix_failure(errno);
    return impossible ? STATUS_INVALID : status;
}

/* Pages of [offset, offset + size) that are in the cache. The mapping is never touched,
 * so the file may shrink meanwhile; mincore() only asks. */
static enum status count_resident(int descriptor, uint64_t offset, size_t size,
                                  size_t page_size, uint64_t *resident) {
    void *window = mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, (off_t)offset);
    if (window == MAP_FAILED) return posix_failure(errno);
    unsigned char pages[RESIDENCY_PAGES] = {0};
    enum status status = STATUS_OK;
    /* The vector's type differs between systems: char on the BSDs. */
    if (mincore(window, size, (void *)pages) != 0) status = posix_failure(errno);
    size_t count = (size + page_size - 1) / page_size;
    for (size_t i = 0; i < count && !status; i++) *resident += pages[i] & 1;
    munmap(window, size);
    return status;
}

enum status posix_file_drop_cache(const struct os *os, struct file *file,
                                  uint64_t *resident) {
    struct file_facts facts;
    *resident = 0;
    enum status status = posix_file_describe(os, file, &facts);
    if (status) return status;
    if (system_drop_cache(file->descriptor) != 0) return posix_failure(errno);
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    uint64_t window = (uint64_t)page_size * RESIDENCY_PAGES;
    for (uint64_t offset = 0; offset < facts.size && !status; offset += window) {
        uint64_t left = facts.size - offset;
        size_t size = (size_t)(left < window ? left : window);
        status = count_resident(file->descriptor, offset, size, page_size, resident);
    }
    return status;
}
