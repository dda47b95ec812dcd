/* valori-check snapshot FILE: is it whole, and is its state the one that was sealed? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "tools/check.h"

/* The directory and the name of a path. */
static const char *split(const char *path, char directory[1024]) {
    const char *slash = strrchr(path, '/');
    if (!slash) {
        snprintf(directory, 1024, ".");
        return path;
    }
    int size = slash == path ? 1 : (int)(slash - path);
    snprintf(directory, 1024, "%.*s", size, path);
    return slash + 1;
}

int check_snapshot(const struct check_options *options) {
    char directory[1024];
    const char *name = split(options->directory, directory);
    struct snapshot_verdict verdict;
    enum status status =
        engine_verify_snapshot(posix_os(), os_allocator(), directory, name, &verdict);
    if (status) {
        printf("%s: %s\n", name, verdict.message);
        return engine_exit_code(status);
    }
    printf("whole: %" PRIu64 " bytes, the state after %" PRIu64
           " entries, its root computed anew is the one sealed\n",
           verdict.bytes, verdict.entries);
    printf("log root    ");
    print_hash(verdict.log_root);
    printf("\nstate root  ");
    print_hash(verdict.state_root);
    printf("\nkeys        %" PRIu64 "\nrecords     %" PRIu64 "\n", verdict.keys,
           verdict.records);
    return 0;
}
