#include "engine/scan_ahead.h"

#include <string.h>

#include "base/check.h"
#include "kernel/entry.h"

enum {
    STEP = 1 << 20, /* bytes between two looks at `stop` */
    PATIENCE_US = 100,
    ALIGNMENT = 8,
};

static struct scan_block *block_of(struct scan_ahead *ahead, uint64_t number) {
    return &ahead->blocks[number % SCAN_BLOCKS];
}

/* --- The scan's side ---------------------------------------------------------------- */

/* Pass the block at hand to the replay, if there is anything in it. */
static void pass_block(struct scan_ahead *ahead) {
    uint64_t filled = atomic_load(&ahead->filled);
    if (filled - atomic_load(&ahead->emptied) == SCAN_BLOCKS) return;
    if (block_of(ahead, filled)->used == 0) return;
    uint64_t seal = log_last_of_type(ahead->log, CHANGE_SEAL);
    if (seal != UINT64_MAX) atomic_store(&ahead->newest_seal, seal);
    atomic_store(&ahead->filled, filled + 1);
}

/* The block at hand, as soon as there is one. STATUS_END: nobody wants it any more. */
static enum status wait_for_block(struct scan_ahead *ahead, struct scan_block **block) {
    uint64_t filled = atomic_load(&ahead->filled);
    while (filled - atomic_load(&ahead->emptied) == SCAN_BLOCKS) {
        if (atomic_load(&ahead->stop)) return STATUS_AGAIN;
        if (atomic_load(&ahead->unwanted)) return STATUS_END;
        ahead->os->task_sleep(ahead->os, PATIENCE_US);
    }
    *block = block_of(ahead, filled);
    return STATUS_OK;
}

/* Make an empty block as large as `size` needs, and not larger for long. */
static bool fit(struct scan_ahead *ahead, struct scan_block *block, size_t size) {
    size_t wanted = size > SCAN_BLOCK_SIZE ? size : SCAN_BLOCK_SIZE;
    if (block->capacity >= size && block->capacity <= 2 * wanted) return true;
    release(ahead->allocator, block->bytes, block->capacity);
    block->bytes = allocate(ahead->allocator, wanted);
    block->capacity = block->bytes ? wanted : 0;
    return block->bytes != NULL;
}

/* Room for `size` bytes in the block at hand, or in the next one. */
static enum status make_room(struct scan_ahead *ahead, size_t size, uint8_t **room) {
    struct scan_block *block;
    enum status status = wait_for_block(ahead, &block);
    if (!status && block->used > 0 && size > block->capacity - block->used) {
        pass_block(ahead);
        status = wait_for_block(ahead, &block);
    }
    if (status) return status;
    if (block->used == 0 && !fit(ahead, block, size)) return STATUS_MEMORY;
    *room = block->bytes + block->used;
    block->used += size;
    return STATUS_OK;
}

static struct slice copy(uint8_t **at, struct slice from) {
    if (from.size > 0) memcpy(*at, from.data, from.size);
    struct slice to = slice_of(*at, from.size);
    *at += from.size;
    return to;
}

static bool holds(const struct frame *frame) {
    struct entry entry;
    return entry_decode(frame->entry, &entry) == STATUS_OK &&
           entry_holds(&entry, frame->list, frame->payload);
}

/* A frame stands: put it on its way. */
static enum status hand_over(void *context, const struct frame *frame) {
    struct scan_ahead *ahead = context;
    if (atomic_load(&ahead->unwanted)) return STATUS_OK;
    size_t size = sizeof(struct handed) + frame->entry.size + frame->list.size +
                  frame->payload.size;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    uint8_t *room;
    enum status status = make_room(ahead, size, &room);
    if (status) return status == STATUS_END ? STATUS_OK : status;

    struct handed *handed = (struct handed *)(void *)room;
    *handed = (struct handed){.frame = *frame, .holds = holds(frame), .size = size};
    room += sizeof *handed;
    handed->frame.entry = copy(&room, frame->entry);
    handed->frame.list = copy(&room, frame->list);
    handed->frame.payload = copy(&room, frame->payload);
    return STATUS_OK;
}

static void scan(void *context) {
    struct scan_ahead *ahead = context;
    enum status status;
    do {
        status = log_scan(ahead->log, STEP, &ahead->report);
        atomic_store(&ahead->bytes, log_bytes_scanned(ahead->log));
    } while (status == STATUS_AGAIN && !atomic_load(&ahead->stop));
    pass_block(ahead);
    ahead->verdict = status;
    atomic_store(&ahead->done, true);
}

/* --- The replay's side -------------------------------------------------------------- */

bool scan_ahead_start(struct scan_ahead *ahead, const struct os *os,
                      const struct allocator *allocator, struct log *log) {
    if (!os->task_start) return false;
    ahead->os = os;
    ahead->allocator = allocator;
    ahead->log = log;
    log_watch(log, hand_over, ahead);
    ahead->running = os->task_start(os, scan, ahead) == STATUS_OK;
    if (!ahead->running) log_watch(log, NULL, NULL);
    return ahead->running;
}

void scan_ahead_wait(struct scan_ahead *ahead) {
    if (!atomic_load(&ahead->done)) ahead->os->task_wait(ahead->os, PATIENCE_US);
}

const struct handed *scan_ahead_peek(struct scan_ahead *ahead) {
    uint64_t emptied = atomic_load(&ahead->emptied);
    if (emptied == atomic_load(&ahead->filled)) return NULL;
    struct scan_block *block = block_of(ahead, emptied);
    if (ahead->offset == block->used) {
        block->used = 0;
        ahead->offset = 0;
        atomic_store(&ahead->emptied, ++emptied);
        if (emptied == atomic_load(&ahead->filled)) return NULL;
        block = block_of(ahead, emptied);
    }
    return (const struct handed *)(const void *)(block->bytes + ahead->offset);
}

void scan_ahead_pass(struct scan_ahead *ahead) {
    const struct handed *handed = scan_ahead_peek(ahead);
    check(handed != NULL);
    ahead->offset += handed->size;
}

bool scan_ahead_may_pass(const struct scan_ahead *ahead, uint64_t sequence,
                         bool *compare) {
    /* In this order: a full ring may hold a newer SEAL, which was told before. */
    bool full = atomic_load(&ahead->filled) - atomic_load(&ahead->emptied) == SCAN_BLOCKS;
    bool newer = atomic_load(&ahead->newest_seal) > sequence;
    *compare = full && !newer;
    return full || newer;
}

size_t scan_ahead_entries(struct scan_ahead *ahead, struct slice *entries,
                          size_t capacity) {
    if (!scan_ahead_peek(ahead)) return 0;
    const struct scan_block *block = block_of(ahead, atomic_load(&ahead->emptied));
    size_t count = 0;
    for (size_t offset = ahead->offset; offset < block->used && count < capacity;) {
        const struct handed *handed =
            (const struct handed *)(const void *)(block->bytes + offset);
        entries[count++] = handed->frame.entry;
        offset += handed->size;
    }
    return count;
}

void scan_ahead_finish(struct scan_ahead *ahead) {
    if (!ahead->running) return;
    atomic_store(&ahead->unwanted, true);
    ahead->os->task_wait(ahead->os, UINT64_MAX);
    ahead->running = false;
}

void scan_ahead_stop(struct scan_ahead *ahead) {
    atomic_store(&ahead->stop, true);
    scan_ahead_finish(ahead);
    for (size_t i = 0; i < SCAN_BLOCKS; i++) {
        struct scan_block *block = &ahead->blocks[i];
        release(ahead->allocator, block->bytes, block->capacity);
        *block = (struct scan_block){0};
    }
}
