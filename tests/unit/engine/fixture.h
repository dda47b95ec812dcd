/* What the engine's tests share: a temporary directory, the real system with a clock that the
 * test moves and writes that fail when it says so, and an engine over both.
 * Define _DEFAULT_SOURCE before any header. */
#ifndef TESTS_UNIT_ENGINE_FIXTURE_H
#define TESTS_UNIT_ENGINE_FIXTURE_H

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine.h"
#include "unit/kernel/fixture.h"

/* --- The system ---------------------------------------------------------------------------- */

static struct {
    struct os os;            /* posix_os() but for what is below */
    uint64_t monotonic, wall;
    bool full;               /* writes fail with ENOSPC */
    bool reserves;           /* space can be reserved; without, every append writes at once */
    bool hold_sync;          /* a sync that was started does not end */
    bool wrote;              /* the helper has, and nobody has asked */
    enum status write_outcome;
} world;

static inline uint64_t world_monotonic(const struct os *os) {
    (void)os;
    return world.monotonic;
}
static inline uint64_t world_wall(const struct os *os) {
    (void)os;
    return world.wall;
}
static inline enum status world_write(const struct os *os, struct file *file, uint64_t offset,
                                      const void *data, size_t size) {
    if (world.full) return STATUS_NO_SPACE;
    return posix_os()->file_write(os, file, offset, data, size);
}
static inline enum status world_reserve(const struct os *os, struct file *file, uint64_t offset,
                                        uint64_t size) {
    if (world.full || !world.reserves) return STATUS_NO_SPACE;
    return posix_os()->file_reserve(os, file, offset, size);
}
/* The helper's writes fail as ours do. */
static inline enum status world_write_start(const struct os *os, struct file *file,
                                            uint64_t offset, const struct slice *parts,
                                            size_t count) {
    world.wrote = true;
    world.write_outcome = STATUS_OK;
    for (size_t i = 0; i < count && !world.write_outcome; i++) {
        world.write_outcome = world_write(os, file, offset, parts[i].data, parts[i].size);
        offset += parts[i].size;
    }
    return STATUS_OK;
}
static inline bool world_sync_finish(const struct os *os, bool wait, enum status *outcome,
                                     int *error) {
    if (world.hold_sync && !wait) return false;
    if (world.wrote) {
        world.wrote = false;
        *outcome = world.write_outcome;
        *error = world.write_outcome ? 28 : 0;
        return true;
    }
    return posix_os()->sync_finish(os, true, outcome, error);
}

static inline void world_begin(void) {
    world.os = *posix_os();
    world.os.monotonic_us = world_monotonic;
    world.os.wall_us = world_wall;
    world.os.file_write = world_write;
    world.os.file_reserve = world_reserve;
    world.os.write_start = world_write_start;
    world.os.sync_finish = world_sync_finish;
    world.monotonic = 1000000;
    world.wall = 1700000000000000;
    world.full = world.reserves = world.hold_sync = world.wrote = false;
}

/* --- Directories --------------------------------------------------------------------------- */

enum { PATH_SIZE = 300 };

static inline void directory_make(char path[PATH_SIZE]) {
    const char *top = getenv("TMPDIR");
    snprintf(path, PATH_SIZE, "%s/valori-test-XXXXXX", top ? top : "/tmp");
    if (!mkdtemp(path)) exit(1);
}

static inline void directory_remove(const char *path) {
    char name[PATH_SIZE + 300];
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        unlink(name);
    }
    if (directory) closedir(directory);
    rmdir(path);
}

static inline void file_copy(const char *from, const char *to) {
    static uint8_t piece[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    for (size_t size; in && out && (size = fread(piece, 1, sizeof piece, in)) > 0;)
        fwrite(piece, 1, size, out);
    if (in) fclose(in);
    if (out) fclose(out);
    chmod(to, 0600);
}

/* The data files of one directory into another. */
static inline void directory_copy(const char *from, const char *to) {
    char source_name[PATH_SIZE + 300], copy_name[PATH_SIZE + 300];
    DIR *directory = opendir(from);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (strncmp(entry->d_name, "valori-", 7) != 0 && strcmp(entry->d_name, "valori.head") != 0)
            continue;
        snprintf(source_name, sizeof source_name, "%s/%s", from, entry->d_name);
        snprintf(copy_name, sizeof copy_name, "%s/%s", to, entry->d_name);
        file_copy(source_name, copy_name);
    }
    if (directory) closedir(directory);
}

/* --- The engine ---------------------------------------------------------------------------- */

static inline struct engine_options options_for(const char *directory) {
    return (struct engine_options){.directory = directory,
                                   .log_enabled = true,
                                   .sync_policy = SYNC_ALWAYS,
                                   .seal_interval_us = 1000000,
                                   .seal_dirty_max = 1024,
                                   .segment_size = 64 << 20};
}

/* Open and recover. On a refusal *engine is NULL. */
static inline enum status start_engine(const struct engine_options *options,
                                       struct engine **engine, struct engine_report *report) {
    enum status status = engine_open(&world.os, os_allocator(), options, engine, report);
    if (status) return status;
    do {
        status = engine_recover(*engine, 1000, report);
    } while (status == STATUS_AGAIN);
    if (status) {
        engine_close(*engine);
        *engine = NULL;
    }
    return status;
}

static inline void stop_engine(struct engine *engine) {
    world.hold_sync = false;
    engine_stop(engine);
    engine_close(engine);
}

static inline enum status submit(struct engine *engine, struct change *change) {
    struct outcome outcome;
    uint64_t sequence;
    return engine_submit(engine, change, &outcome, &sequence);
}

static inline uint64_t turn(struct engine *engine) {
    uint64_t next;
    if (engine_turn(engine, &next)) return 0;
    return next;
}

static inline bool proofs_equal(const struct proof_state *a, const struct proof_state *b) {
    return memcmp(a->roots.state_root, b->roots.state_root, SHA256_SIZE) == 0 &&
           a->roots.keyspace.count == b->roots.keyspace.count &&
           memcmp(a->roots.keyspace.root, b->roots.keyspace.root, SHA256_SIZE) == 0 &&
           a->seal_sequence == b->seal_sequence && a->dirty == b->dirty &&
           a->log_size == b->log_size &&
           memcmp(a->log_root, b->log_root, SHA256_SIZE) == 0;
}

#endif
