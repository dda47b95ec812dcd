/* The simulated os table.
 *
 * Files are runs of memory with an identity; names point at them. Every call that can
 * fail goes through enter(), which counts it and says whether this is the one to fail. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise() */

#include "sim/sim_os.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"

struct node {
    uint8_t *data;
    size_t size, capacity;
    uint64_t reserved; /* space taken from the disk up to here, if beyond the size */
    uint32_t id;
    bool named;
    char name[SIM_NAME_SIZE];
    bool has_facts;
    struct file_facts facts;
};

struct file {
    struct node *node;
    bool writable;
};

struct directory {
    struct sim *sim;
    const char *prefix; /* of its names on the disk */
    bool locked;
};

#define ARCHIVE "archive"

#define REGION_SIZE   ((size_t)2 * 1024 * 1024)
#define ARENA_REGIONS 64

struct sim {
    struct os os;
    struct directory directory, archive;
    struct node **nodes; /* by id; nodes live as long as the machine */
    size_t node_count, node_capacity;

    uint64_t capacity;
    bool reserve;
    unsigned sync_polls;

    uint64_t calls, changes;
    uint64_t fault_call;
    enum sim_fault fault;
    int fault_error;
    bool fault_for_ever, fault_hit;
    int error;

    uint64_t now, wall, random;
    bool stop;

    bool syncing, writing; /* the helper is */
    enum status write_status;
    uint32_t sync_file;
    size_t sync_begin;
    unsigned sync_asked;
    int sync_error;

    uint8_t *arena, *regions;
    size_t arena_size;
    bool region_used[ARENA_REGIONS];

    bool recording;
    struct sim_image base;
    struct sim_op *ops;
    size_t op_count, op_capacity;
};

static struct sim *sim_of(const struct os *os) { return os->context; }

/* --- The record -------------------------------------------------------------------- */

static struct sim_op *record(struct sim *sim, enum sim_op_kind kind, uint32_t file) {
    static struct sim_op nowhere;
    if (!sim->recording) return &nowhere;
    if (sim->op_count == sim->op_capacity) {
        sim->op_capacity = sim->op_capacity ? 2 * sim->op_capacity : 64;
        sim->ops = realloc(sim->ops, sim->op_capacity * sizeof *sim->ops);
        check(sim->ops);
    }
    struct sim_op *op = &sim->ops[sim->op_count++];
    memset(op, 0, sizeof *op);
    op->kind = kind;
    op->file = file;
    return op;
}

static void set_name(char to[SIM_NAME_SIZE], const char *name) {
    check(strlen(name) < SIM_NAME_SIZE);
    memset(to, 0, SIM_NAME_SIZE);
    memcpy(to, name, strlen(name));
}

void sim_record(struct sim *sim) {
    check(!sim->recording);
    sim_snapshot(sim, &sim->base);
    sim->recording = true;
}

size_t sim_op_count(const struct sim *sim) { return sim->op_count; }
const struct sim_op *sim_op(const struct sim *sim, size_t index) {
    return &sim->ops[index];
}
const struct sim_image *sim_base(const struct sim *sim) { return &sim->base; }
uint64_t sim_changes(const struct sim *sim) { return sim->changes; }

void sim_note(struct sim *sim, const struct sim_bounds *bounds) {
    record(sim, SIM_NOTE, 0)->bounds = *bounds;
}

/* --- Faults ------------------------------------------------------------------------ */

void sim_set_fault(struct sim *sim, uint64_t call, enum sim_fault fault, int error,
                   bool for_ever) {
    sim->fault_call = call;
    sim->fault = fault;
    sim->fault_error = error;
    sim->fault_for_ever = for_ever;
    sim->fault_hit = false;
}

uint64_t sim_calls(const struct sim *sim) { return sim->calls; }
bool sim_fault_hit(const struct sim *sim) { return sim->fault_hit; }

static enum status fail(struct sim *sim, int error) {
    sim->error = error;
    switch (error) {
    case ENOENT:
        return STATUS_NOT_FOUND;
    case EEXIST:
        return STATUS_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STATUS_NO_SPACE;
    default:
        return STATUS_IO;
    }
}

/* Count a call; the fault for it, if this is the one. */
static enum sim_fault enter(struct sim *sim) {
    uint64_t call = sim->calls++;
    if (sim->fault == SIM_FAULT_NONE || call < sim->fault_call) return SIM_FAULT_NONE;
    if (call > sim->fault_call && !sim->fault_for_ever) return SIM_FAULT_NONE;
    sim->fault_hit = true;
    return sim->fault;
}

/* For calls where only failing makes sense. */
static bool fails(struct sim *sim) {
    enum sim_fault fault = enter(sim);
    return fault == SIM_FAULT_FAIL || fault == SIM_FAULT_HALF;
}

/* --- Nodes ------------------------------------------------------------------------- */

static struct node *add_node(struct sim *sim, const char *name) {
    if (sim->node_count == sim->node_capacity) {
        sim->node_capacity = sim->node_capacity ? 2 * sim->node_capacity : 8;
        sim->nodes = realloc(sim->nodes, sim->node_capacity * sizeof *sim->nodes);
        check(sim->nodes);
    }
    struct node *node = calloc(1, sizeof *node);
    check(node);
    node->id = (uint32_t)sim->node_count;
    node->named = true;
    set_name(node->name, name);
    sim->nodes[sim->node_count++] = node;
    return node;
}

static struct node *find_node(const struct sim *sim, const char *name) {
    for (size_t i = 0; i < sim->node_count; i++)
        if (sim->nodes[i]->named && strcmp(sim->nodes[i]->name, name) == 0)
            return sim->nodes[i];
    return NULL;
}

static void resize_node(struct node *node, size_t size) {
    if (size > node->capacity) {
        size_t capacity = size * 2;
        node->data = realloc(node->data, capacity);
        check(node->data);
        node->capacity = capacity;
    }
    if (size > node->size) memset(node->data + node->size, 0, size - node->size);
    node->size = size;
}

static uint64_t space_of(const struct node *node) {
    return node->reserved > node->size ? node->reserved : node->size;
}

static uint64_t space_free(const struct sim *sim) {
    uint64_t used = 0;
    for (size_t i = 0; i < sim->node_count; i++)
        if (sim->nodes[i]->named) used += space_of(sim->nodes[i]);
    return used < sim->capacity ? sim->capacity - used : 0;
}

/* --- Directories ------------------------------------------------------------------- */

/* The name on the disk. */
static const char *full_name(const struct directory *directory, const char *name,
                             char full[SIM_NAME_SIZE]) {
    snprintf(full, SIM_NAME_SIZE, "%s%s", directory->prefix, name);
    return full;
}

static enum status directory_open(const struct os *os, const char *path,
                                  struct directory **directory) {
    struct sim *sim = sim_of(os);
    if (fails(sim)) return fail(sim, sim->fault_error);
    *directory = strcmp(path, ARCHIVE) == 0 ? &sim->archive : &sim->directory;
    return STATUS_OK;
}

static void directory_close(const struct os *os, struct directory *directory) {
    (void)os;
    if (directory) directory->locked = false;
}

static enum status directory_list(const struct os *os, struct directory *directory,
                                  bool (*visit)(void *context, const char *name),
                                  void *visit_context) {
    struct sim *sim = sim_of(os);
    if (fails(sim)) return fail(sim, sim->fault_error);
    /* Newest first: nobody may rely on an order. */
    size_t skip = strlen(directory->prefix);
    for (size_t i = sim->node_count; i-- > 0;) {
        const struct node *node = sim->nodes[i];
        if (!node->named || strncmp(node->name, directory->prefix, skip) != 0) continue;
        if (strchr(node->name + skip, '/')) continue;
        if (!visit(visit_context, node->name + skip)) break;
    }
    return STATUS_OK;
}

static enum status directory_sync(const struct os *os, struct directory *directory) {
    (void)directory;
    struct sim *sim = sim_of(os);
    if (fails(sim)) return fail(sim, sim->fault_error);
    record(sim, SIM_DIRECTORY_SYNC, 0);
    return STATUS_OK;
}

/* The lock is not part of what is recorded: it says nothing after a crash. */
static enum status directory_lock(const struct os *os, struct directory *directory,
                                  const char *name) {
    (void)name;
    struct sim *sim = sim_of(os);
    if (fails(sim)) return fail(sim, sim->fault_error);
    if (directory->locked) return STATUS_LOCKED;
    directory->locked = true;
    return STATUS_OK;
}

static enum status rename_name(const struct os *os, struct directory *directory,
                               const char *from, const char *to) {
    struct sim *sim = sim_of(os);
    if (fails(sim)) return fail(sim, sim->fault_error);
    char full[SIM_NAME_SIZE], full_to[SIM_NAME_SIZE];
    from = full_name(directory, from, full);
    to = full_name(directory, to, full_to);
    struct node *node = find_node(sim, from);
    if (!node) return fail(sim, ENOENT);
    struct node *old = find_node(sim, to);
    if (old) old->named = false;
    struct sim_op *op = record(sim, SIM_RENAME, node->id);
    set_name(op->name, from);
    set_name(op->to, to);
    set_name(node->name, to);
    sim->changes++;
    return STATUS_OK;
}

static enum status remove_name(const struct os *os, struct directory *directory,
                               const char *name) {
    struct sim *sim = sim_of(os);
    if (fails(sim)) return fail(sim, sim->fault_error);
    char full[SIM_NAME_SIZE];
    name = full_name(directory, name, full);
    struct node *node = find_node(sim, name);
    if (!node) return fail(sim, ENOENT);
    node->named = false;
    set_name(record(sim, SIM_REMOVE, node->id)->name, name);
    sim->changes++;
    return STATUS_OK;
}

/* --- Files ------------------------------------------------------------------------- */

static enum status file_open(const struct os *os, struct directory *directory,
                             const char *name, enum file_mode mode, struct file **file) {
    struct sim *sim = sim_of(os);
    if (fails(sim)) return fail(sim, sim->fault_error);
    char full[SIM_NAME_SIZE];
    name = full_name(directory, name, full);
    struct node *node = find_node(sim, name);
    if (mode == FILE_CREATE) {
        if (node) return fail(sim, EEXIST);
        node = add_node(sim, name);
        set_name(record(sim, SIM_CREATE, node->id)->name, name);
        sim->changes++;
    }
    if (!node) return fail(sim, ENOENT);
    *file = calloc(1, sizeof **file);
    check(*file);
    **file = (struct file){.node = node, .writable = mode != FILE_READ};
    return STATUS_OK;
}

static void file_close(const struct os *os, struct file *file) {
    (void)os;
    free(file);
}

static enum status file_describe(const struct os *os, struct file *file,
                                 struct file_facts *facts) {
    struct sim *sim = sim_of(os);
    if (fails(sim)) return fail(sim, sim->fault_error);
    struct file_facts plain = {.mode = 0600, .links = 1, .owned = true, .regular = true};
    *facts = file->node->has_facts ? file->node->facts : plain;
    facts->size = file->node->size;
    return STATUS_OK;
}

static enum status file_read(const struct os *os, struct file *file, uint64_t offset,
                             void *bytes, size_t size, size_t *got) {
    struct sim *sim = sim_of(os);
    enum sim_fault fault = enter(sim);
    if (fault == SIM_FAULT_FAIL || fault == SIM_FAULT_HALF)
        return fail(sim, sim->fault_error);
    size_t there = offset < file->node->size ? file->node->size - (size_t)offset : 0;
    *got = there < size ? there : size;
    if (fault == SIM_FAULT_SHORT_READ) *got /= 2;
    if (*got > 0) memcpy(bytes, file->node->data + offset, *got);
    return STATUS_OK;
}

static void put_bytes(struct sim *sim, struct node *node, uint64_t offset,
                      const void *bytes, size_t size) {
    if (size == 0) return;
    if (offset + size > node->size) resize_node(node, (size_t)offset + size);
    memcpy(node->data + offset, bytes, size);
    sim->changes++;
    if (!sim->recording) return;
    uint8_t *copy = malloc(size);
    check(copy);
    memcpy(copy, bytes, size);
    struct sim_op *op = record(sim, SIM_WRITE, node->id);
    op->offset = offset;
    op->size = size;
    op->bytes = copy;
}

static enum status file_write(const struct os *os, struct file *file, uint64_t offset,
                              const void *bytes, size_t size) {
    struct sim *sim = sim_of(os);
    check(file->writable);
    enum sim_fault fault = enter(sim);
    if (fault == SIM_FAULT_HALF) put_bytes(sim, file->node, offset, bytes, size / 2);
    if (fault == SIM_FAULT_FAIL || fault == SIM_FAULT_HALF)
        return fail(sim, sim->fault_error);

    uint64_t space = space_of(file->node);
    uint64_t wanted = offset + size > space ? offset + size - space : 0;
    uint64_t available = space_free(sim);
    if (wanted > available) {
        uint64_t missing = wanted - available;
        if (missing < size)
            put_bytes(sim, file->node, offset, bytes, size - (size_t)missing);
        return fail(sim, ENOSPC);
    }
    put_bytes(sim, file->node, offset, bytes, size);
    return STATUS_OK;
}

static enum status file_truncate(const struct os *os, struct file *file, uint64_t size) {
    struct sim *sim = sim_of(os);
    check(file->writable);
    if (fails(sim)) return fail(sim, sim->fault_error);
    if (size != file->node->size) sim->changes++;
    resize_node(file->node, (size_t)size);
    file->node->reserved = 0;
    record(sim, SIM_TRUNCATE, file->node->id)->size = size;
    return STATUS_OK;
}

static size_t begin_sync(struct sim *sim, uint32_t file) {
    record(sim, SIM_SYNC_BEGIN, file);
    return sim->op_count - 1;
}

static void end_sync(struct sim *sim, uint32_t file, size_t begin, bool ok) {
    struct sim_op *op = record(sim, SIM_SYNC_END, file);
    op->begin = begin;
    op->ok = ok;
}

static enum status file_sync(const struct os *os, struct file *file) {
    struct sim *sim = sim_of(os);
    size_t begin = begin_sync(sim, file->node->id);
    bool failed = fails(sim);
    end_sync(sim, file->node->id, begin, !failed);
    return failed ? fail(sim, sim->fault_error) : STATUS_OK;
}

static enum status file_reserve(const struct os *os, struct file *file, uint64_t offset,
                                uint64_t size) {
    struct sim *sim = sim_of(os);
    check(file->writable);
    if (fails(sim)) return fail(sim, sim->fault_error);
    if (!sim->reserve) return STATUS_INVALID;
    uint64_t space = space_of(file->node);
    uint64_t wanted = offset + size > space ? offset + size - space : 0;
    if (wanted > space_free(sim)) return fail(sim, ENOSPC);
    if (offset + size > file->node->reserved) file->node->reserved = offset + size;
    return STATUS_OK;
}

static enum status file_drop_cache(const struct os *os, struct file *file,
                                   uint64_t *resident) {
    (void)file;
    struct sim *sim = sim_of(os);
    *resident = 0;
    return fails(sim) ? fail(sim, sim->fault_error) : STATUS_OK;
}

/* --- The sync helper --------------------------------------------------------------- */

static enum status sync_start(const struct os *os, struct file *file) {
    struct sim *sim = sim_of(os);
    check(!sim->syncing && !sim->writing);
    sim->syncing = true;
    sim->sync_file = file->node->id;
    sim->sync_begin = begin_sync(sim, file->node->id);
    sim->sync_asked = 0;
    sim->sync_error = fails(sim) ? sim->fault_error : 0;
    return STATUS_OK;
}

/* The helper's writes are made at once, and told later. */
static enum status write_start(const struct os *os, struct file *file, uint64_t offset,
                               const struct slice *parts, size_t count) {
    struct sim *sim = sim_of(os);
    check(!sim->syncing && !sim->writing);
    sim->writing = true;
    sim->sync_asked = 0;
    sim->write_status = STATUS_OK;
    sim->sync_error = 0;
    for (size_t i = 0; i < count && !sim->write_status; i++) {
        if (parts[i].size == 0) continue;
        sim->write_status = file_write(os, file, offset, parts[i].data, parts[i].size);
        offset += parts[i].size;
    }
    if (sim->write_status) sim->sync_error = os->error(os);
    return STATUS_OK;
}

static bool sync_finish(const struct os *os, bool wait, enum status *outcome,
                        int *error) {
    struct sim *sim = sim_of(os);
    if (!sim->syncing && !sim->writing) return false;
    if (!wait && ++sim->sync_asked < sim->sync_polls) return false;
    if (sim->writing) {
        sim->writing = false;
        *outcome = sim->write_status;
        *error = sim->sync_error;
        return true;
    }
    sim->syncing = false;
    end_sync(sim, sim->sync_file, sim->sync_begin, sim->sync_error == 0);
    *error = sim->sync_error;
    *outcome = sim->sync_error ? fail(sim, sim->sync_error) : STATUS_OK;
    return true;
}

/* --- Network: none ----------------------------------------------------------------- */

static enum status socket_listen(const struct os *os, const char *address, uint16_t port,
                                 int backlog, struct socket **socket) {
    (void)address, (void)port, (void)backlog, (void)socket;
    return fail(sim_of(os), EADDRNOTAVAIL);
}

static enum status poller_create(const struct os *os, struct poller **poller) {
    (void)poller;
    return fail(sim_of(os), EMFILE);
}

/* --- Time, chance, memory, signals ------------------------------------------------- */

static uint64_t monotonic_us(const struct os *os) { return sim_of(os)->now; }
static uint64_t wall_us(const struct os *os) { return sim_of(os)->wall; }
static bool reopen_requested(const struct os *os) {
    (void)os;
    return false;
}

static bool stop_requested(const struct os *os) { return sim_of(os)->stop; }

void sim_advance(struct sim *sim, uint64_t microseconds) {
    sim->now += microseconds;
    sim->wall += microseconds;
}
void sim_set_wall(struct sim *sim, uint64_t microseconds) { sim->wall = microseconds; }
void sim_request_stop(struct sim *sim) { sim->stop = true; }

static uint64_t next_random(struct sim *sim) {
    uint64_t z = sim->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void random_bytes(const struct os *os, void *bytes, size_t size) {
    uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) at[i] = (uint8_t)(next_random(sim_of(os)) >> 56);
}

/* Regions are cut from one stretch of address space that the system fills with zeros page
 * by page: a machine that lives for less than a millisecond must not clear megabytes. */
static bool open_arena(struct sim *sim) {
    size_t size = (ARENA_REGIONS + 1) * REGION_SIZE;
    void *arena = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED) return false;
    madvise(arena, size, MADV_NOHUGEPAGE);
    sim->arena = arena;
    sim->arena_size = size;
    uintptr_t misplaced = (uintptr_t)arena % REGION_SIZE;
    sim->regions = sim->arena + (misplaced ? REGION_SIZE - misplaced : 0);
    return true;
}

/* First fit; freed regions are used again. */
static void *region_take(const struct os *os, size_t size) {
    struct sim *sim = sim_of(os);
    if (!sim->arena && !open_arena(sim)) return NULL;
    size_t count = size / REGION_SIZE, run = 0;
    for (size_t i = 0; i < ARENA_REGIONS; i++) {
        run = sim->region_used[i] ? 0 : run + 1;
        if (run < count) continue;
        size_t first = i + 1 - count;
        for (size_t j = first; j <= i; j++) sim->region_used[j] = true;
        return sim->regions + first * REGION_SIZE;
    }
    return NULL;
}

static void region_give(const struct os *os, void *region, size_t size) {
    struct sim *sim = sim_of(os);
    size_t first = (size_t)((uint8_t *)region - sim->regions) / REGION_SIZE;
    for (size_t i = 0; i < size / REGION_SIZE; i++) sim->region_used[first + i] = false;
    madvise(region, size, MADV_DONTNEED); /* zero again */
}

static void region_warm(const struct os *os, void *region, size_t size) {
    (void)os, (void)region, (void)size;
}

static int error(const struct os *os) { return sim_of(os)->error; }
static const char *error_text(const struct os *os) { return strerror(sim_of(os)->error); }

/* --- The machine ------------------------------------------------------------------- */

static const struct os table = {
    .directory_open = directory_open,
    .directory_close = directory_close,
    .directory_list = directory_list,
    .directory_sync = directory_sync,
    .directory_lock = directory_lock,
    .rename = rename_name,
    .remove = remove_name,
    .file_open = file_open,
    .file_close = file_close,
    .file_describe = file_describe,
    .file_read = file_read,
    .file_write = file_write,
    .file_truncate = file_truncate,
    .file_sync = file_sync,
    .file_reserve = file_reserve,
    .file_drop_cache = file_drop_cache,
    .sync_start = sync_start,
    .write_start = write_start,
    .sync_finish = sync_finish,
    .socket_listen = socket_listen,
    .poller_create = poller_create,
    .monotonic_us = monotonic_us,
    .wall_us = wall_us,
    .random = random_bytes,
    .region_take = region_take,
    .region_give = region_give,
    .region_warm = region_warm,
    .stop_requested = stop_requested,
    .reopen_requested = reopen_requested,
    .error = error,
    .error_text = error_text,
};

struct sim *sim_create(uint64_t seed, const struct sim_image *image) {
    struct sim *sim = calloc(1, sizeof *sim);
    check(sim);
    sim->os = table;
    sim->os.context = sim;
    sim->directory = (struct directory){.sim = sim, .prefix = ""};
    sim->archive = (struct directory){.sim = sim, .prefix = ARCHIVE "/"};
    sim->capacity = UINT64_MAX;
    sim->reserve = true;
    sim->sync_polls = 1;
    sim->random = seed;
    sim->now = 1000;
    sim->wall = UINT64_C(1700000000000000);
    for (size_t i = 0; image && i < image->count; i++) {
        struct node *node = add_node(sim, image->files[i].name);
        resize_node(node, image->files[i].size);
        if (node->size > 0) memcpy(node->data, image->files[i].data, node->size);
    }
    return sim;
}

void sim_destroy(struct sim *sim) {
    for (size_t i = 0; i < sim->node_count; i++) {
        free(sim->nodes[i]->data);
        free(sim->nodes[i]);
    }
    free(sim->nodes);
    for (size_t i = 0; i < sim->op_count; i++) free((void *)(uintptr_t)sim->ops[i].bytes);
    free(sim->ops);
    sim_image_free(&sim->base);
    if (sim->arena) munmap(sim->arena, sim->arena_size);
    free(sim);
}

const struct os *sim_os(struct sim *sim) { return &sim->os; }

void sim_snapshot(const struct sim *sim, struct sim_image *image) {
    sim_image_init(image);
    for (size_t i = 0; i < sim->node_count; i++) {
        const struct node *node = sim->nodes[i];
        if (node->named) sim_image_add(image, node->name, node->data, node->size);
    }
}

void sim_set_capacity(struct sim *sim, uint64_t bytes) { sim->capacity = bytes; }
void sim_set_reserve(struct sim *sim, bool supported) { sim->reserve = supported; }
void sim_set_sync_polls(struct sim *sim, unsigned polls) { sim->sync_polls = polls; }

void sim_set_unsafe(struct sim *sim, const char *name, const struct file_facts *facts) {
    struct node *node = find_node(sim, name);
    check(node);
    node->has_facts = true;
    node->facts = *facts;
}
