/* Snapshots with images that can be recognised, for the tests of all three files. */
#ifndef TESTS_UNIT_STORAGE_SNAPSHOT_TRIAL_H
#define TESTS_UNIT_STORAGE_SNAPSHOT_TRIAL_H

#include "storage/snapshot_read.h"
#include "storage/snapshot_write.h"
#include "unit/storage/fixture.h"

struct image_source {
    uint64_t at, size;
};

static inline uint8_t image_byte(uint64_t at) {
    return (uint8_t)(at * 11 + (at >> 8) * 5 + (at >> 20));
}

static inline size_t image_next_bytes(void *context, uint8_t *bytes, size_t room) {
    struct image_source *image = context;
    size_t size = image->size - image->at < room ? (size_t)(image->size - image->at) : room;
    for (size_t i = 0; i < size; i++) bytes[i] = image_byte(image->at + i);
    image->at += size;
    return size;
}

static inline struct snapshot_facts facts_of(uint64_t entries, uint64_t image_size) {
    struct snapshot_facts facts = {
        .image_size = image_size, .time_us = 77, .created_us = 78};
    uint8_t leaf[SHA256_SIZE];
    memset(facts.cover.log_id, 0x11, LOG_ID_SIZE);
    memset(facts.seal, 0x22, SNAPSHOT_SEAL_SIZE);
    rfc6962_begin(&facts.cover.range);
    for (uint64_t i = 0; i < entries; i++) {
        memset(leaf, (int)i, sizeof leaf);
        rfc6962_append(&facts.cover.range, leaf);
    }
    return facts;
}

/* Write one to its end, as far as it goes. */
static inline enum status snapshot_write_all(struct fixture *f, uint64_t entries,
                                             uint64_t image_size) {
    struct snapshot_writer writer;
    struct image_source image = {.size = image_size};
    struct snapshot_source source = {&image, image_next_bytes};
    struct snapshot_facts facts = facts_of(entries, image_size);
    enum status status = snapshot_write_begin(&writer, sim_os(f->sim), &f->allocator,
                                              f->directory, &facts, &source);
    if (status) return status;
    do status = snapshot_write_step(&writer);
    while (status == STATUS_AGAIN);
    if (!status) status = snapshot_publish(&writer);
    snapshot_write_end(&writer);
    return status;
}

/* Open and read one whole. */
static inline enum status snapshot_read_all(struct fixture *f, uint64_t entries,
                                            struct snapshot_reader *reader) {
    static uint8_t bytes[SNAPSHOT_PIECE];
    enum status status = snapshot_open(reader, sim_os(f->sim), &f->allocator,
                                       f->directory, entries);
    if (status) return status;
    uint64_t at = 0;
    for (uint64_t i = 0; i < reader->trailer.pieces && !status; i++) {
        size_t size, skip = i == 0 ? SNAPSHOT_HEADER_SIZE : 0;
        status = snapshot_read_piece(reader, i, bytes, &size);
        for (size_t j = skip; j < size && !status; j++, at++)
            if (bytes[j] != image_byte(at)) status = STATUS_INVALID;
    }
    snapshot_close(reader);
    return status;
}

#endif
