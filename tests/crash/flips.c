/* Every single bit of a log directory, flipped: the outcome must be exactly the one that
 * docs/format.md 3.1 says, not just "some error".
 *
 * What is expected is worked out here from the places of the frames before the flip:
 * - in a head slot: nothing is lost, the other slot or none is believed;
 * - in a segment's header: damage, unless the segment is the newest and empty;
 * - in a frame where N was due: damage, named with file, offset and N, if a later
 * segment, a later frame or a head slot knows more than N entries to be durable;
 * otherwise the log ends there with N entries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crash/lab.h"
#include "storage/frame.h"
#include "storage/head.h"
#include "storage/segment.h"

#define PLACES 512
#define ENGINE_EVERY                                                                     \
    16 /* each bit goes through the log, one in so many through the engine */

struct place {
    size_t file; /* index in the image */
    uint64_t offset, size;
    struct frame_header header;
};

struct flips {
    struct sim_image image;
    struct place places[PLACES];
    size_t place_count;
    uint64_t entries;
    uint64_t slot_durable; /* the greatest */
    uint64_t slots[HEAD_SLOTS];
    size_t last_segment; /* index in the image */
    const struct workload *workload;
    struct oracle oracle;
    uint64_t images;
};

struct expected {
    enum status status;
    uint64_t entries; /* STATUS_OK: that stand; STATUS_CORRUPT: the sequence named */
    uint64_t offset;  /* STATUS_CORRUPT */
};

/* --- The map ----------------------------------------------------------------------- */

/* Tree files and snapshots follow from the segments: damage to them costs nothing. */
static bool is_segment(const char *name) {
    size_t size = strlen(name);
    return size > 4 && strcmp(name + size - 4, ".log") == 0;
}

static void map_segment(struct flips *flips, size_t index) {
    const struct sim_file_image *file = &flips->image.files[index];
    struct segment_header segment;
    check(segment_header_decode(file->data, &segment) == STATUS_OK);
    uint64_t offset = SEGMENT_HEADER_SIZE;
    while (offset < file->size) {
        check(flips->place_count < PLACES);
        struct place *place = &flips->places[flips->place_count++];
        place->file = index;
        place->offset = offset;
        check(frame_header_decode(segment.key, file->data + offset, &place->header) ==
              STATUS_OK);
        check(frame_size(&place->header, &place->size));
        flips->entries += place->header.kind == FRAME_ENTRY;
        offset += place->size;
    }
    flips->last_segment = index;
}

static void map_image(struct flips *flips) {
    for (size_t i = 0; i < flips->image.count; i++) {
        const struct sim_file_image *file = &flips->image.files[i];
        if (is_segment(file->name)) map_segment(flips, i);
        if (strcmp(file->name, HEAD_NAME) != 0) continue;
        for (size_t slot = 0; slot < HEAD_SLOTS; slot++) {
            struct head_slot head;
            if (head_slot_decode(file->data + slot * HEAD_SLOT_SIZE, &head)) continue;
            flips->slots[slot] = head.durable;
            if (head.durable > flips->slot_durable) flips->slot_durable = head.durable;
        }
    }
}

/* --- The expectation --------------------------------------------------------------- */

static struct expected expect_in_frame(const struct flips *flips, size_t at) {
    const struct place *place = &flips->places[at];
    uint64_t due = place->header.sequence;
    bool known = place->file != flips->last_segment || flips->slot_durable > due;
    for (size_t i = at + 1; i < flips->place_count; i++)
        known = known || flips->places[i].header.durable > due;
    return (struct expected){known ? STATUS_CORRUPT : STATUS_OK, due, place->offset};
}

static struct expected expect(const struct flips *flips, size_t file, uint64_t offset) {
    struct expected whole = {STATUS_OK, flips->entries, 0};
    if (!is_segment(flips->image.files[file].name)) return whole;
    if (offset < SEGMENT_HEADER_SIZE) {
        bool empty = flips->image.files[file].size == SEGMENT_HEADER_SIZE;
        if (file == flips->last_segment && empty) return whole;
        /* The sequence that its first frame would have had, as far as anybody can tell.
         */
        return (struct expected){STATUS_CORRUPT, UINT64_MAX, 0};
    }
    for (size_t i = 0; i < flips->place_count; i++) {
        const struct place *place = &flips->places[i];
        if (place->file == file && offset < place->offset + place->size)
            return expect_in_frame(flips, i);
    }
    check(!"every byte of a segment belongs to a frame");
    return whole;
}

/* --- Trying ------------------------------------------------------------------------ */

/* The log alone, without a kernel: scan and replay. */
static enum status read_log(const struct sim_image *image, struct log_report *report,
                            struct moment *moment) {
    struct sim *sim = sim_create(1, image);
    const struct os *os = sim_os(sim);
    struct directory *directory;
    struct log_options options = {.segment_size = UINT64_MAX, .reserve_size = 1 << 20};
    struct log *log;
    check(os->directory_open(os, ".", &directory) == STATUS_OK);
    enum status status = log_open(os, &lab_allocator, directory, &options, &log, report);
    if (!status) status = log_scan(log, UINT64_MAX, report);
    struct frame frame;
    while (!status) status = log_next(log, &frame, report);
    if (status == STATUS_END) {
        log_root(log, moment->log_root);
        status = STATUS_OK;
    }
    log_close(log);
    LAB_EXPECT(sim_changes(sim) == 0, "reading wrote");
    sim_destroy(sim);
    return status;
}

static void judge(struct flips *flips, size_t file, uint64_t offset, unsigned bit,
                  const struct expected *expected) {
    struct log_report report;
    struct moment moment;
    enum status status = read_log(&flips->image, &report, &moment);
    const char *name = flips->image.files[file].name;
    flips->images++;
    LAB_EXPECT(status == expected->status, "%s:%llu bit %u: %s, not %s: %s", name,
               (unsigned long long)offset, bit, status_name(status),
               status_name(expected->status), report.message);
    if (status != expected->status) return;
    if (status == STATUS_OK) {
        LAB_EXPECT(report.entries == expected->entries,
                   "%s:%llu bit %u: %llu entries stand, not %llu", name,
                   (unsigned long long)offset, bit, (unsigned long long)report.entries,
                   (unsigned long long)expected->entries);
        LAB_EXPECT(memcmp(moment.log_root, flips->oracle.moments[report.entries].log_root,
                          SHA256_SIZE) == 0,
                   "%s:%llu bit %u: another log root", name, (unsigned long long)offset,
                   bit);
        return;
    }
    bool place =
        strcmp(report.bad_file, name) == 0 && report.bad_offset == expected->offset;
    bool sequence =
        expected->entries == UINT64_MAX || report.bad_sequence == expected->entries;
    LAB_EXPECT(place && sequence, "%s:%llu bit %u: the wrong place is named: %s", name,
               (unsigned long long)offset, bit, report.message);
}

static void judge_engine(struct flips *flips, const struct expected *expected) {
    struct booted booted;
    boot_image(&flips->image, &flips->workload->boot, &booted, NULL);
    LAB_EXPECT(booted.status == expected->status, "the engine says: %s", booted.message);
    if (booted.status == STATUS_OK)
        LAB_EXPECT(oracle_agrees(&flips->oracle, booted.size, &booted.moment),
                   "the engine has another state");
}

static void flip_all(struct flips *flips) {
    for (size_t i = 0; i < flips->image.count; i++) {
        struct sim_file_image *file = &flips->image.files[i];
        for (uint64_t offset = 0; offset < file->size && !lab_failed(); offset++) {
            struct expected expected = expect(flips, i, offset);
            for (unsigned bit = 0; bit < 8; bit++) {
                file->data[offset] ^= (uint8_t)(1u << bit);
                judge(flips, i, offset, bit, &expected);
                if ((offset * 8 + bit) % ENGINE_EVERY == 5)
                    judge_engine(flips, &expected);
                file->data[offset] ^= (uint8_t)(1u << bit);
            }
        }
    }
}

static uint64_t flip_workload(const struct workload *workload, uint64_t seed) {
    struct flips *flips = calloc(1, sizeof *flips);
    check(flips);
    flips->workload = workload;
    struct sim *sim = workload_run(workload, seed, &flips->oracle);
    sim_snapshot(sim, &flips->image);
    sim_destroy(sim);
    map_image(flips);
    flip_all(flips);
    uint64_t bytes = 0;
    for (size_t i = 0; i < flips->image.count; i++) bytes += flips->image.files[i].size;
    printf("  %s: every bit of %llu bytes in %zu files, %llu entries\n", workload->name,
           (unsigned long long)bytes, flips->image.count,
           (unsigned long long)flips->entries);
    uint64_t images = flips->images;
    sim_image_free(&flips->image);
    oracle_free(&flips->oracle);
    free(flips);
    return images;
}

uint64_t flips_run(void) {
    static const struct workload stopped = {
        .name = "stopped log in three segments",
        .boot = {.segment_size = 5000, .reserve = true},
        .steps = 68,
        .sync_polls = 1,
        .burst = 1,
        .idle = true};
    static const struct workload open = {
        .name = "log without a last mark",
        .boot = {.segment_size = UINT64_MAX, .reserve = true},
        .steps = 5,
        .sync_polls = 2,
        .burst = 3};
    uint64_t images = 0;
    if (lab_wanted("G8_every_flipped_bit_of_a_16_KiB_log_has_its_outcome")) {
        lab_begin("G8_every_flipped_bit_of_a_16_KiB_log_has_its_outcome");
        images += flip_workload(&stopped, 11);
    }
    if (lab_wanted("G7_every_flipped_bit_of_an_unmarked_log_has_its_outcome")) {
        lab_begin("G7_every_flipped_bit_of_an_unmarked_log_has_its_outcome");
        images += flip_workload(&open, 12);
    }
    return images;
}
