/* The operating system as one table: every system call of the project goes through here.
 *
 * posix_os() (posix_os.c) is the real one. The simulator in tests/sim fills in another, with
 * time, disk and faults of its own, and nothing above can tell. Calls that can fail answer with
 * a status; after STATUS_IO or STATUS_NO_SPACE the errno is in os->error(), and its text in
 * os->error_text(), until the next failing call of the same thread.
 *
 * File names are single path components inside a directory that was opened once: no slash, no
 * "..", symbolic links are refused (STATUS_UNSAFE). */
#ifndef OS_OS_H
#define OS_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/allocator.h"
#include "base/slice.h"
#include "base/status.h"

struct directory; /* an open directory */
struct file;      /* an open regular file */
struct socket;    /* a listening or connected stream socket */
struct poller;    /* readiness of many sockets */

enum file_mode {
    FILE_READ,   /* existing, read only */
    FILE_WRITE,  /* existing, read and write */
    FILE_CREATE, /* must not exist; read and write; mode 0600 */
};

struct file_facts {
    uint64_t size;
    uint32_t mode;      /* permission bits */
    uint32_t links;     /* hard links */
    bool owned;         /* by the user this process runs as */
    bool regular;
};

#define WRITE_PARTS_MAX 8 /* of one write_start() */

/* One poll event. `context` is what poller_set() was given. */
struct poll_event {
    void *context;
    bool readable; /* or closed by the peer: a receive will tell */
    bool writable;
};

struct os {
    void *context;

    /* --- Directories ------------------------------------------------------------------ */
    enum status (*directory_open)(const struct os *os, const char *path,
                                  struct directory **directory);
    void (*directory_close)(const struct os *os, struct directory *directory);
    /* Call `visit` with every name but "." and "..", in no order. A false answer stops. */
    enum status (*directory_list)(const struct os *os, struct directory *directory,
                                  bool (*visit)(void *context, const char *name),
                                  void *visit_context);
    enum status (*directory_sync)(const struct os *os, struct directory *directory);
    /* Take the one-writer lock (an OFD lock on `name`, which then holds our pid) until
     * directory_close(). STATUS_LOCKED when another process has it. */
    enum status (*directory_lock)(const struct os *os, struct directory *directory,
                                  const char *name);
    enum status (*rename)(const struct os *os, struct directory *directory, const char *from,
                          const char *to);
    enum status (*remove)(const struct os *os, struct directory *directory, const char *name);

    /* --- Files ------------------------------------------------------------------------ */
    /* STATUS_NOT_FOUND, STATUS_EXISTS, STATUS_UNSAFE (a symbolic link or no regular file). */
    enum status (*file_open)(const struct os *os, struct directory *directory,
                             const char *name, enum file_mode mode, struct file **file);
    void (*file_close)(const struct os *os, struct file *file);
    enum status (*file_describe)(const struct os *os, struct file *file,
                                 struct file_facts *facts);
    /* Set the permission bits. */
    enum status (*file_set_mode)(const struct os *os, struct file *file, uint32_t mode);
    /* Read up to `size` bytes; *got is less only at the end of the file. */
    enum status (*file_read)(const struct os *os, struct file *file, uint64_t offset,
                             void *bytes, size_t size, size_t *got);
    /* Write all of it (short writes and EINTR are continued inside) or fail; after a failure
     * any part may have been written. */
    enum status (*file_write)(const struct os *os, struct file *file, uint64_t offset,
                              const void *bytes, size_t size);
    enum status (*file_truncate)(const struct os *os, struct file *file, uint64_t size);
    /* Contents and size on the disk (fdatasync). Never call it again on a file for which it
     * has failed: the kernel may then answer OK over lost pages. */
    enum status (*file_sync)(const struct os *os, struct file *file);
    /* Ask for disk space for [offset, offset + size) without changing the file's size.
     * STATUS_INVALID where the file system cannot. */
    enum status (*file_reserve)(const struct os *os, struct file *file, uint64_t offset,
                                uint64_t size);
    /* Drop the file's clean pages from the cache, so that the next read sees the disk.
     * *resident: pages that would not go. */
    enum status (*file_drop_cache)(const struct os *os, struct file *file,
                                   uint64_t *resident);

    /* --- The disk helper: at most one sync or write under way
     * ---------------------------- */
    /* Start file_sync() on the helper thread. The completion wakes poller_wait(). */
    enum status (*sync_start)(const struct os *os, struct file *file);
    /* Start file_write() there, of `count` parts (at most WRITE_PARTS_MAX) one after the
     * other. Their bytes stay as they are until it has ended. */
    enum status (*write_start)(const struct os *os, struct file *file, uint64_t offset,
                               const struct slice *parts, size_t count);
    /* True once per started sync or write, with its outcome; `error` is the errno or 0.
     * `wait`: block until then. False when none was started or it is not done. */
    bool (*sync_finish)(const struct os *os, bool wait, enum status *outcome, int *error);

    /* --- A task beside the loop: at most one at a time ----------------------------------- */
    /* Run work(context) on a thread of its own, whose end wakes poller_wait(). It may use
     * files and the allocator, and nothing that the caller touches before it has ended.
     * STATUS_AGAIN: another one is under way. NULL where there are no threads. The caller
     * then does the work itself. */
    enum status (*task_start)(const struct os *os, void (*work)(void *context),
                              void *context);
    /* Wait until it has ended, or for `timeout_us` (UINT64_MAX: no limit). True when no task
     * is under way any more. */
    bool (*task_wait)(const struct os *os, uint64_t timeout_us);
    /* For the task itself: let so much time pass. */
    void (*task_sleep)(const struct os *os, uint64_t us);

    /* --- Sockets (stream, non-blocking, close-on-exec) --------------------------------- */
    /* `address` is a numeric IPv4 or IPv6 address. port 0 asks for any; see socket_port. */
    enum status (*socket_listen)(const struct os *os, const char *address, uint16_t port,
                                 int backlog, struct socket **socket);
    /* Listen on a socket in the file system, made with `mode` and no other mode at any time.
     * A socket that lies there is replaced; anything else is STATUS_EXISTS. Closing the
     * listener removes it. STATUS_INVALID: the path is too long. */
    enum status (*socket_listen_path)(const struct os *os, const char *path, uint32_t mode,
                                      int backlog, struct socket **socket);
    uint16_t (*socket_port)(const struct os *os, struct socket *socket); /* the local one */
    /* The local end as "address:port" or "path:0", cut to 64 bytes with the NUL. */
    void (*socket_local)(const struct os *os, struct socket *socket, char local[64]);
    /* The system's number of it, for people who look into /proc. */
    int (*socket_number)(const struct os *os, struct socket *socket);
    /* Probe a silent peer after so many seconds, three times a third of that apart; 0: never. */
    void (*socket_keepalive)(const struct os *os, struct socket *socket, uint32_t seconds);
    /* STATUS_AGAIN: nobody waits. The new socket has TCP_NODELAY set; `peer` gets the other
     * end as socket_local() has this one, and the listener's path where the other end has no
     * name. */
    enum status (*socket_accept)(const struct os *os, struct socket *listener,
                                 struct socket **socket, char peer[64]);
    /* Begin to connect to a numeric address, or "localhost"; does not wait. Until it stands,
     * sending answers STATUS_AGAIN; that it failed is told by receiving. TCP_NODELAY is set. */
    enum status (*socket_connect)(const struct os *os, const char *address, uint16_t port,
                                  struct socket **socket);
    void (*socket_close)(const struct os *os, struct socket *socket);
    /* STATUS_AGAIN: nothing yet. STATUS_END: the peer closed. */
    enum status (*socket_receive)(const struct os *os, struct socket *socket, void *bytes,
                                  size_t size, size_t *got);
    /* Sends what it can; *sent may be less than size. Never raises SIGPIPE. */
    enum status (*socket_send)(const struct os *os, struct socket *socket, const void *bytes,
                               size_t size, size_t *sent);

    /* --- Poll (epoll in linux_poll.c, kqueue in bsd_poll.c) ----------------------------- */
    enum status (*poller_create)(const struct os *os, struct poller **poller);
    void (*poller_destroy)(const struct os *os, struct poller *poller);
    /* Watch, or change what is watched; both false stops watching. Level-triggered. */
    enum status (*poller_set)(const struct os *os, struct poller *poller,
                              struct socket *socket, bool readable, bool writable,
                              void *context);
    /* Wait until something is ready, a sync finished, a signal came, or `timeout_us` passed
     * (0: look only; UINT64_MAX: no limit). Gives the number of events, 0 for the others. */
    size_t (*poller_wait)(const struct os *os, struct poller *poller,
                          struct poll_event *events, size_t capacity, uint64_t timeout_us);

    /* --- Time, chance, memory, signals -------------------------------------------------- */
    uint64_t (*monotonic_us)(const struct os *os);
    uint64_t (*wall_us)(const struct os *os); /* since 1970-01-01 UTC */
    void (*random)(const struct os *os, void *bytes, size_t size); /* for keys and ids */
    /* Memory straight from the system for kernel chunks: zeroed, aligned to 2 MiB (huge pages
     * asked for), `size` a multiple of 2 MiB. NULL when there is none. */
    void *(*region_take)(const struct os *os, size_t size);
    void (*region_give)(const struct os *os, void *region, size_t size);
    /* Have the helper touch [region, region + size) so that first writes do not fault. Only a
     * hint. */
    void (*region_warm)(const struct os *os, void *region, size_t size);
    /* Small pages suit it better: parts of it may never be written. Only a hint. */
    void (*region_sparse)(const struct os *os, void *region, size_t size);
    /* SIGTERM or SIGINT has come since the start (the simulator sets it by hand). */
    bool (*stop_requested)(const struct os *os);

    /* True once after SIGHUP: log files are to be opened anew. */
    bool (*reopen_requested)(const struct os *os);

    /* --- The system's log ------------------------------------------------------------------ */
    /* `ident` is kept, not copied. `facility`: 0 is user, 1 to 8 are local0 to local7. */
    void (*syslog_open)(const struct os *os, const char *ident, int facility);
    /* `level`: 0 debug, 1 info, 2 notice, 3 warning. */
    void (*syslog_write)(const struct os *os, int level, const char *text);

    int (*error)(const struct os *os);
    const char *(*error_text)(const struct os *os); /* of that errno, static */
};

/* The real system. One per process: it owns the signal flags and the helper thread, which is
 * started at the first sync_start() or region_warm(). */
const struct os *posix_os(void);

/* malloc behind base/allocator.h: jemalloc, or libc with `make MALLOC=libc`. Counts. */
const struct allocator *os_allocator(void);
const char *os_allocator_name(void);  /* "jemalloc-5.3.0" or "libc" */
size_t os_allocator_used(void);       /* bytes handed out and not given back */

/* Facts for INFO. 0 where the system does not say. */
uint64_t os_resident_bytes(void);
uint64_t os_total_memory(void);
uint64_t os_cpu_user_us(void);
uint64_t os_cpu_system_us(void);
uint32_t os_process_id(void);
/* From now on the process cannot run another program, make another process, or look into
 * one; what tries ends it. Threads are as before. STATUS_NOT_FOUND: this system or
 * machine has no such thing; STATUS_IO: it refuses. */
enum status os_confine(void);
/* Ask for `wanted` open descriptors at a time; gives how many are allowed now. */
uint64_t os_allow_descriptors(uint64_t wanted);
const char *os_description(void);     /* "Linux 6.1.0 x86_64" */

/* NAME=value, ends with NULL. */
char *const *os_environment(void);

/* Set the panic hook (stack trace and reason on stderr, exit 70), ignore SIGPIPE, catch
 * SIGTERM and SIGINT for stop_requested() and SIGHUP for reopen_requested(). Once, first thing
 * in main(). */
void os_start(void);

#endif
