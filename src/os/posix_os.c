/* The real operating system: the table, and the errno behind its last failure.
 *
 * Every row is a function of one of the posix_*.c files; those call linux_system.c or
 * bsd_system.c where systems differ. The table itself is constant. What the process owns
 * only once (the helper threads, the wake descriptor, the stop flag, the count of
 * allocated bytes) lives as file-local state beside the code that uses it, and nowhere
 * above os/. */
#include "os/posix.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/check.h"

static _Thread_local int last_error;

enum status posix_failure(int error) {
    last_error = error;
    switch (error) {
    case EAGAIN:
        return STATUS_AGAIN;
    case ENOENT:
        return STATUS_NOT_FOUND;
    case EEXIST:
        return STATUS_EXISTS;
    case ENOMEM:
        return STATUS_MEMORY;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STATUS_NO_SPACE;
    default:
        return STATUS_IO;
    }
}

static int posix_error(const struct os *os) {
    (void)os;
    return last_error;
}

static const char *posix_error_text(const struct os *os) {
    (void)os;
    return strerror(last_error);
}

/* getentropy() gives at most 256 bytes a call. It cannot fail on a system that has it,
 * and a server that cannot draw a key must not go on. */
static void posix_random(const struct os *os, void *bytes, size_t size) {
    (void)os;
    uint8_t *next = bytes;
    while (size > 0) {
        size_t piece = size < 256 ? size : 256;
        check(getentropy(next, piece) == 0);
        next += piece;
        size -= piece;
    }
}

static const struct os real_os = {
    .context = NULL,

    .directory_open = posix_directory_open,
    .directory_close = posix_directory_close,
    .directory_list = posix_directory_list,
    .directory_sync = posix_directory_sync,
    .directory_lock = posix_directory_lock,
    .rename = posix_rename,
    .remove = posix_remove,

    .file_open = posix_file_open,
    .file_close = posix_file_close,
    .file_describe = posix_file_describe,
    .file_set_mode = posix_file_set_mode,
    .file_read = posix_file_read,
    .file_write = posix_file_write,
    .file_truncate = posix_file_truncate,
    .file_sync = posix_file_sync,
    .file_reserve = posix_file_reserve,
    .file_drop_cache = posix_file_drop_cache,

    .sync_start = posix_sync_start,
    .write_start = posix_write_start,
    .sync_finish = posix_sync_finish,

    .socket_listen = posix_socket_listen,
    .socket_listen_path = posix_socket_listen_path,
    .socket_port = posix_socket_port,
    .socket_local = posix_socket_local,
    .socket_number = posix_socket_number,
    .socket_keepalive = posix_socket_keepalive,
    .socket_accept = posix_socket_accept,
    .socket_connect = posix_socket_connect,
    .socket_close = posix_socket_close,
    .socket_receive = posix_socket_receive,
    .socket_send = posix_socket_send,

    .poller_create = posix_poller_create,
    .poller_destroy = posix_poller_destroy,
    .poller_set = posix_poller_set,
    .poller_wait = posix_poller_wait,

    .monotonic_us = posix_monotonic_us,
    .wall_us = posix_wall_us,
    .random = posix_random,
    .region_take = posix_region_take,
    .region_give = posix_region_give,
    .region_warm = posix_region_warm,
    .region_sparse = posix_region_sparse,
    .task_start = posix_task_start,
    .task_wait = posix_task_wait,
    .task_sleep = posix_task_sleep,
    .stop_requested = posix_stop_requested,
    .reopen_requested = posix_reopen_requested,
    .syslog_open = posix_syslog_open,
    .syslog_write = posix_syslog_write,

    .error = posix_error,
    .error_text = posix_error_text,
};

char *const *os_environment(void) { return environ; }

const struct os *posix_os(void) { return &real_os; }
