/* Files in a temporary directory: what the contract promises, and what it refuses. */
#define _GNU_SOURCE

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "os/directory.h"

static const struct os *os;

static struct file *create(const char *name) {
    struct file *file = NULL;
    EXPECT_EQUAL(os->file_open(os, directory, name, FILE_CREATE, &file), STATUS_OK);
    return file;
}

static void writes_and_reads(void) {
    directory_begin();
    struct file *file = create("a");
    struct file_facts facts;
    uint8_t bytes[16] = {0};
    size_t got;
    EXPECT_EQUAL(os->file_write(os, file, 4, "hello", 5), STATUS_OK);
    EXPECT_EQUAL(os->file_read(os, file, 0, bytes, sizeof bytes, &got), STATUS_OK);
    EXPECT_EQUAL(got, 9); /* short only at the end */
    EXPECT_BYTES(bytes, "\0\0\0\0hello", 9);
    EXPECT_EQUAL(os->file_read(os, file, 100, bytes, sizeof bytes, &got), STATUS_OK);
    EXPECT_EQUAL(got, 0);
    EXPECT_EQUAL(os->file_truncate(os, file, 6), STATUS_OK);
    EXPECT_EQUAL(os->file_describe(os, file, &facts), STATUS_OK);
    EXPECT_EQUAL(facts.size, 6);
    EXPECT_EQUAL(facts.mode, 0600);
    EXPECT_EQUAL(facts.links, 1);
    EXPECT(facts.owned && facts.regular);
    EXPECT_EQUAL(os->file_sync(os, file), STATUS_OK);
    os->file_close(os, file);
    directory_end();
}

static void opens_in_three_ways(void) {
    directory_begin();
    struct file *file = NULL;
    EXPECT_EQUAL(os->file_open(os, directory, "a", FILE_READ, &file), STATUS_NOT_FOUND);
    EXPECT_EQUAL(os->error(os), ENOENT);
    EXPECT(strcmp(os->error_text(os), strerror(ENOENT)) == 0);
    EXPECT_EQUAL(os->file_open(os, directory, "a", FILE_WRITE, &file), STATUS_NOT_FOUND);
    os->file_close(os, create("a"));
    EXPECT_EQUAL(os->file_open(os, directory, "a", FILE_CREATE, &file), STATUS_EXISTS);
    EXPECT_EQUAL(os->file_open(os, directory, "a", FILE_READ, &file), STATUS_OK);
    EXPECT_EQUAL(os->file_write(os, file, 0, "x", 1), STATUS_IO);
    EXPECT_EQUAL(os->error(os), EBADF);
    os->file_close(os, file);
    EXPECT_EQUAL(os->file_open(os, directory, "a", FILE_WRITE, &file), STATUS_OK);
    EXPECT_EQUAL(os->file_write(os, file, 0, "x", 1), STATUS_OK);
    os->file_close(os, file);
    directory_end();
}

/* Nothing leads out of the directory, and nothing but regular files is opened. */
static void refuses_unsafe_names(void) {
    static const char *const names[] = {"", ".", "..", "a/b", "/etc/passwd", "../x"};
    directory_begin();
    struct file *file = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (int mode = FILE_READ; mode <= FILE_CREATE; mode++)
            EXPECT_EQUAL(
                os->file_open(os, directory, names[i], (enum file_mode)mode, &file),
                STATUS_UNSAFE);
        EXPECT_EQUAL(os->rename(os, directory, names[i], "x"), STATUS_UNSAFE);
        EXPECT_EQUAL(os->rename(os, directory, "x", names[i]), STATUS_UNSAFE);
        EXPECT_EQUAL(os->remove(os, directory, names[i]), STATUS_UNSAFE);
        EXPECT_EQUAL(os->directory_lock(os, directory, names[i]), STATUS_UNSAFE);
    }
    os->file_close(os, create("real"));
    EXPECT_EQUAL(symlink("real", directory_name("link")), 0);
    EXPECT_EQUAL(symlink("nowhere", directory_name("dangling")), 0);
    EXPECT_EQUAL(mkfifo(directory_name("fifo"), 0600), 0);
    EXPECT_EQUAL(os->file_open(os, directory, "link", FILE_READ, &file), STATUS_UNSAFE);
    EXPECT_EQUAL(os->file_open(os, directory, "link", FILE_WRITE, &file), STATUS_UNSAFE);
    EXPECT_EQUAL(os->file_open(os, directory, "link", FILE_CREATE, &file), STATUS_EXISTS);
    EXPECT_EQUAL(os->file_open(os, directory, "dangling", FILE_CREATE, &file),
                 STATUS_EXISTS);
    EXPECT_EQUAL(os->directory_lock(os, directory, "link"), STATUS_UNSAFE);
    EXPECT_EQUAL(os->file_open(os, directory, "fifo", FILE_READ, &file), STATUS_UNSAFE);
    EXPECT_EQUAL(os->file_open(os, directory, "fifo", FILE_WRITE, &file), STATUS_UNSAFE);
    directory_end();
}

struct seen {
    int count;
    int stop_after;
    bool a, b;
};

static bool see(void *context, const char *name) {
    struct seen *seen = context;
    seen->count++;
    seen->a |= strcmp(name, "a") == 0;
    seen->b |= strcmp(name, "b") == 0;
    return seen->count != seen->stop_after;
}

static void lists_renames_and_removes(void) {
    directory_begin();
    os->file_close(os, create("a"));
    os->file_close(os, create("c"));
    EXPECT_EQUAL(os->rename(os, directory, "c", "b"), STATUS_OK);
    EXPECT_EQUAL(os->rename(os, directory, "c", "b"), STATUS_NOT_FOUND);
    for (int round = 0; round < 2; round++) { /* from its beginning each time */
        struct seen seen = {0};
        EXPECT_EQUAL(os->directory_list(os, directory, see, &seen), STATUS_OK);
        EXPECT_EQUAL(seen.count, 2);
        EXPECT(seen.a && seen.b);
    }
    struct seen first = {.stop_after = 1};
    EXPECT_EQUAL(os->directory_list(os, directory, see, &first), STATUS_OK);
    EXPECT_EQUAL(first.count, 1);
    EXPECT_EQUAL(os->remove(os, directory, "b"), STATUS_OK);
    EXPECT_EQUAL(os->remove(os, directory, "b"), STATUS_NOT_FOUND);
    EXPECT_EQUAL(os->directory_sync(os, directory), STATUS_OK);
    struct directory *none;
    EXPECT_EQUAL(os->directory_open(os, directory_name("none"), &none), STATUS_NOT_FOUND);
    directory_end();
}

static enum status lock_once_more(void) {
    struct directory *again;
    if (os->directory_open(os, directory_path, &again)) return STATUS_IO;
    enum status status = os->directory_lock(os, again, "LOCK");
    os->directory_close(os, again);
    return status;
}

static enum status lock_in_child(void) {
    pid_t child = fork();
    if (child == 0) _exit(lock_once_more());
    int result = 0;
    waitpid(child, &result, 0);
    return WIFEXITED(result) ? (enum status)WEXITSTATUS(result) : STATUS_IO;
}

static void locks_the_directory(void) {
    directory_begin();
    EXPECT_EQUAL(lock_in_child(), STATUS_OK); /* and its end gives the lock back */
    EXPECT_EQUAL(os->directory_lock(os, directory, "LOCK"), STATUS_OK);
    EXPECT_EQUAL(lock_in_child(), STATUS_LOCKED);
    EXPECT_EQUAL(lock_once_more(), STATUS_LOCKED);

    /* Reading the file and closing it again must not drop the lock, as with fcntl's old
     * ones. */
    struct file *file;
    char text[32] = {0}, wanted[32];
    size_t got;
    EXPECT_EQUAL(os->file_open(os, directory, "LOCK", FILE_READ, &file), STATUS_OK);
    EXPECT_EQUAL(os->file_read(os, file, 0, text, sizeof text - 1, &got), STATUS_OK);
    os->file_close(os, file);
    snprintf(wanted, sizeof wanted, "%lu\n", (unsigned long)getpid());
    EXPECT(strcmp(text, wanted) == 0);
    EXPECT_EQUAL(lock_in_child(), STATUS_LOCKED);
    directory_end();
}

static void reserves_without_growing(void) {
    directory_begin();
    struct file *file = create("a");
    enum status status = os->file_reserve(os, file, 0, 1 << 20);
    if (status == STATUS_INVALID) {
        os->file_close(os, file);
        directory_end();
        SKIP("this file system reserves nothing");
    }
    EXPECT_EQUAL(status, STATUS_OK);
    struct file_facts facts;
    EXPECT_EQUAL(os->file_describe(os, file, &facts), STATUS_OK);
    EXPECT_EQUAL(facts.size, 0);
    os->file_close(os, file);
    directory_end();
}

static void sets_permission_bits(void) {
    directory_begin();
    struct file *file = create("a");
    struct file_facts facts;
    EXPECT_EQUAL(os->file_set_mode(os, file, 0640), STATUS_OK);
    EXPECT_EQUAL(os->file_describe(os, file, &facts), STATUS_OK);
    EXPECT_EQUAL(facts.mode, 0640);
    EXPECT_EQUAL(os->file_set_mode(os, file, 04755), STATUS_OK);
    EXPECT_EQUAL(os->file_describe(os, file, &facts), STATUS_OK);
    EXPECT_EQUAL(facts.mode, 0755);
    os->file_close(os, file);
    directory_end();
}

/* Either the pages are gone or it is said how many are not; never an error. */
static void drops_the_cache(void) {
    enum { SIZE = 20 << 20 }; /* more than one window */
    directory_begin();
    struct file *file = create("a");
    char *bytes = calloc(1, SIZE);
    uint64_t resident = 99;
    EXPECT_EQUAL(os->file_drop_cache(os, file, &resident), STATUS_OK);
    EXPECT_EQUAL(resident, 0);
    EXPECT_EQUAL(os->file_write(os, file, 0, bytes, SIZE - 5), STATUS_OK);
    EXPECT_EQUAL(os->file_sync(os, file), STATUS_OK);
    EXPECT_EQUAL(os->file_drop_cache(os, file, &resident), STATUS_OK);
    EXPECT(resident <= SIZE / 4096);
    free(bytes);
    os->file_close(os, file);
    directory_end();
}

/* tmpfs is its own disk: nothing can be dropped, and that must be visible. */
static void sees_what_cannot_be_dropped(void) {
    if (access("/dev/shm", W_OK) != 0) SKIP("no /dev/shm");
    struct directory *shm;
    struct file *file;
    char name[64], page[5000] = {1};
    uint64_t resident = 0;
    snprintf(name, sizeof name, "valori-os-%lu", (unsigned long)getpid());
    EXPECT_EQUAL(os->directory_open(os, "/dev/shm", &shm), STATUS_OK);
    EXPECT_EQUAL(os->file_open(os, shm, name, FILE_CREATE, &file), STATUS_OK);
    EXPECT_EQUAL(os->file_write(os, file, 0, page, sizeof page), STATUS_OK);
    EXPECT_EQUAL(os->file_sync(os, file), STATUS_OK);
    EXPECT_EQUAL(os->file_drop_cache(os, file, &resident), STATUS_OK);
    EXPECT(resident > 0);
    os->file_close(os, file);
    EXPECT_EQUAL(os->remove(os, shm, name), STATUS_OK);
    os->directory_close(os, shm);
}

static void says_when_the_disk_is_full(void) {
    struct directory *dev;
    struct file *full;
    EXPECT_EQUAL(os->directory_open(os, "/dev", &dev), STATUS_OK);
    EXPECT_EQUAL(os->file_open(os, dev, "full", FILE_WRITE, &full), STATUS_UNSAFE);
    os->directory_close(os, dev);
    directory_begin();
    struct file *file = create("a");
    EXPECT_EQUAL(os->file_truncate(os, file, (uint64_t)1 << 62),
                 STATUS_NO_SPACE); /* EFBIG */
    EXPECT_EQUAL(os->error(os), EFBIG);
    os->file_close(os, file);
    directory_end();
}

static void gives_everything_back(void) { EXPECT_EQUAL(os_allocator_used(), 0); }

int main(void) {
    os = posix_os();
    RUN(writes_and_reads);
    RUN(opens_in_three_ways);
    RUN(refuses_unsafe_names);
    RUN(lists_renames_and_removes);
    RUN(locks_the_directory);
    RUN(reserves_without_growing);
    RUN(sets_permission_bits);
    RUN(drops_the_cache);
    RUN(sees_what_cannot_be_dropped);
    RUN(says_when_the_disk_is_full);
    RUN(gives_everything_back);
    return test_finish();
}
