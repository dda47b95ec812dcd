/* A temporary directory for the tests of os/, and the table by a short name. */
#ifndef TESTS_UNIT_OS_DIRECTORY_H
#define TESTS_UNIT_OS_DIRECTORY_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/os.h"
#include "test.h"

static char directory_path[4096];
static struct directory *directory;

static inline void directory_begin(void) {
    const char *base = getenv("TMPDIR");
    snprintf(directory_path, sizeof directory_path, "%s/valori-os-XXXXXX",
             base ? base : "/tmp");
    if (!mkdtemp(directory_path) ||
        posix_os()->directory_open(posix_os(), directory_path, &directory)) {
        perror(directory_path);
        exit(1);
    }
}

static inline bool directory_remove_one(void *context, const char *name) {
    (void)context;
    posix_os()->remove(posix_os(), directory, name);
    return true;
}

/* Remove what is in it, and itself. */
static inline void directory_end(void) {
    const struct os *os = posix_os();
    os->directory_list(os, directory, directory_remove_one, NULL);
    os->directory_close(os, directory);
    EXPECT_EQUAL(rmdir(directory_path), 0);
}

/* The path of `name` in it; good until the next call. */
static inline const char *directory_name(const char *name) {
    static char path[4400];
    snprintf(path, sizeof path, "%s/%s", directory_path, name);
    return path;
}

#endif
