/* What the posix_*.c files share with each other and with the one pair of files that
 * belongs to a system: linux_poll.c and linux_system.c, or bsd_poll.c and bsd_system.c.
 * Nobody outside os/ includes it, and here it comes before every system header: it asks
 * for their full contents. */
#ifndef OS_POSIX_H
#define OS_POSIX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif

#include "os/os.h"

struct directory {
    int descriptor;
    int lock; /* descriptor of the locked file, or -1 */
};

struct file {
    int descriptor;
};

/* What the poller was told last is kept here, so that saying it again costs no system
 * call. A socket is watched by one poller at most. */
struct socket {
    int descriptor;
    bool watches_readable;
    bool watches_writable;
    void *watch_context;
    char *path; /* of a listener in the file system: removed with it */
};

/* --- Failures (posix_os.c) -------------------------------------------------------------
 */

/* Remember `error` for os->error() of this thread, and give the status that stands for
 * it. */
enum status posix_failure(int error);

/* --- The parts of the table
 * ------------------------------------------------------------- */

/* posix_file.c */
enum status posix_directory_open(const struct os *os, const char *path,
                                 struct directory **directory);
void posix_directory_close(const struct os *os, struct directory *directory);
enum status posix_directory_list(const struct os *os, struct directory *directory,
                                 bool (*visit)(void *context, const char *name),
                                 void *visit_context);
enum status posix_directory_sync(const struct os *os, struct directory *directory);
enum status posix_directory_lock(const struct os *os, struct directory *directory,
                                 const char *name);
enum status posix_rename(const struct os *os, struct directory *directory,
                         const char *from, const char *to);
enum status posix_remove(const struct os *os, struct directory *directory,
                         const char *name);
enum status posix_file_open(const struct os *os, struct directory *directory,
                            const char *name, enum file_mode mode, struct file **file);
void posix_file_close(const struct os *os, struct file *file);
enum status posix_file_describe(const struct os *os, struct file *file,
                                struct file_facts *facts);
enum status posix_file_set_mode(const struct os *os, struct file *file, uint32_t mode);
enum status posix_file_read(const struct os *os, struct file *file, uint64_t offset,
                            void *bytes, size_t size, size_t *got);
enum status posix_file_write(const struct os *os, struct file *file, uint64_t offset,
                             const void *bytes, size_t size);
enum status posix_file_truncate(const struct os *os, struct file *file, uint64_t size);
enum status posix_file_sync(const struct os *os, struct file *file);
enum status posix_file_reserve(const struct os *os, struct file *file, uint64_t offset,
                               uint64_t size);
enum status posix_file_drop_cache(const struct os *os, struct file *file,
                                  uint64_t *resident);

/* posix_thread.c */
enum status posix_task_start(const struct os *os, void (*work)(void *context), void *context);
bool posix_task_wait(const struct os *os, uint64_t timeout_us);
void posix_task_sleep(const struct os *os, uint64_t us);
enum status posix_sync_start(const struct os *os, struct file *file);
enum status posix_write_start(const struct os *os, struct file *file, uint64_t offset,
                              const struct slice *parts, size_t count);
bool posix_sync_finish(const struct os *os, bool wait, enum status *outcome, int *error);
/* Have the helper give a mapped block back; false: it cannot now. */
bool posix_unmap_later(void *block, size_t size);
void posix_region_warm(const struct os *os, void *region, size_t size);
void posix_region_sparse(const struct os *os, void *region, size_t size);

/* The poller's side of the helper: announce that this thread is about to sleep, and learn
 * whether a sync has finished and waits for posix_sync_finish(), in which case it must
 * not sleep. Then, that it is awake again. */
bool posix_sync_before_sleep(void);
void posix_sync_after_sleep(void);

/* Wake every poller. Async-signal-safe. */
void posix_wake(void);
/* The descriptor that turns readable with posix_wake(), for a poller to watch; -1, with
 * errno set, when the system has none to give. Readers call posix_wake_clear(). */
int posix_wake_descriptor(void);
void posix_wake_clear(void);

/* posix_socket.c */
enum status posix_socket_listen(const struct os *os, const char *address, uint16_t port,
                                int backlog, struct socket **socket);
enum status posix_socket_listen_path(const struct os *os, const char *path, uint32_t mode,
                                     int backlog, struct socket **socket);
uint16_t posix_socket_port(const struct os *os, struct socket *socket);
void posix_socket_local(const struct os *os, struct socket *socket, char local[64]);
int posix_socket_number(const struct os *os, struct socket *socket);
void posix_socket_keepalive(const struct os *os, struct socket *socket, uint32_t seconds);
enum status posix_socket_accept(const struct os *os, struct socket *listener,
                                struct socket **socket, char peer[64]);
enum status posix_socket_connect(const struct os *os, const char *address, uint16_t port,
                                 struct socket **socket);
void posix_socket_close(const struct os *os, struct socket *socket);
enum status posix_socket_receive(const struct os *os, struct socket *socket, void *bytes,
                                 size_t size, size_t *got);
enum status posix_socket_send(const struct os *os, struct socket *socket,
                              const void *bytes, size_t size, size_t *sent);

/* linux_poll.c or bsd_poll.c */
enum status posix_poller_create(const struct os *os, struct poller **poller);
void posix_poller_destroy(const struct os *os, struct poller *poller);
enum status posix_poller_set(const struct os *os, struct poller *poller,
                             struct socket *socket, bool readable, bool writable,
                             void *context);
size_t posix_poller_wait(const struct os *os, struct poller *poller,
                         struct poll_event *events, size_t capacity, uint64_t timeout_us);

/* posix_clock.c */
uint64_t posix_monotonic_us(const struct os *os);
uint64_t posix_wall_us(const struct os *os);

/* posix_memory.c */
void *posix_region_take(const struct os *os, size_t size);
void posix_region_give(const struct os *os, void *region, size_t size);

/* posix_signals.c */
bool posix_stop_requested(const struct os *os);
bool posix_reopen_requested(const struct os *os);

/* posix_syslog.c */
void posix_syslog_open(const struct os *os, const char *ident, int facility);
void posix_syslog_write(const struct os *os, int level, const char *text);

/* --- What differs between systems (linux_system.c or bsd_system.c)
 * ----------------------- */
/* Unless said otherwise these answer like a system call: 0, or -1 with errno. */

/* A lock of the whole file that belongs to the open file, not to the process, so that
 * closing some other descriptor of it does not drop it. Fails at once, with EAGAIN, when
 * taken. */
int system_lock(int descriptor);
/* The file's contents and size are on the disk when this comes back. */
int system_sync(int descriptor);
/* EOPNOTSUPP where the file system, or the system, cannot. */
int system_reserve(int descriptor, uint64_t offset, uint64_t size);
int system_drop_cache(int descriptor);
/* The new connection, non-blocking and close-on-exec. */
int system_accept(int listener, void *address, unsigned *address_size);
/* A stream socket of that family, non-blocking and close-on-exec. */
int system_socket(int family);
/* Two ends of something one can wake with: ends[0] is polled, ends[1] written. Both may
 * be the same descriptor. Non-blocking and close-on-exec. */
int system_wake_pair(int ends[2]);
/* Make a mapped block larger or smaller, maybe elsewhere, without copying its bytes; NULL
 * where the system cannot. Sizes are multiples of the page's. */
void *system_remap(void *block, size_t old_size, size_t new_size);
void system_huge_pages(void *region, size_t size);
void system_small_pages(void *region, size_t size);
/* Make pages present. True unless the system has no such call. */
bool system_populate(void *region, size_t size);
/* Resident bytes of this process, or 0. */
uint64_t system_resident_bytes(void);

#endif
