/* The boot matrix: one named test for each kind of bad directory, with the exit code that
 * a server would end with. (The log's own unit tests have the same rows below the
 * engine.) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "crash/lab.h"
#include "storage/frame.h"
#include "storage/head.h"
#include "storage/segment.h"

static const char first[] = "valori-00000001.log";
static const char second[] = "valori-00000002.log";

static const struct boot_options plain = {.segment_size = UINT64_MAX, .reserve = true};
static const struct boot_options rolling = {.segment_size = 1500, .reserve = true};

/* A log of some changes, in one segment or several, stopped or just left. */
static void make_log(struct sim_image *image, bool many, bool stopped, uint64_t seed,
                     struct oracle *oracle) {
    struct workload workload = {.name = "matrix",
                                .boot = many ? rolling : plain,
                                .steps = many ? 13 : 5,
                                .sync_polls = 1,
                                .burst = 1,
                                .idle = stopped};
    struct sim *sim = workload_run(&workload, seed, oracle);
    sim_snapshot(sim, image);
    sim_destroy(sim);
}

static void expect_exit(const struct sim_image *image, int code, const char *words) {
    struct booted booted;
    boot_image(image, &plain, &booted, NULL);
    LAB_EXPECT(engine_exit_code(booted.status) == code, "exit %d, not %d: %s",
               engine_exit_code(booted.status), code, booted.message);
    LAB_EXPECT(strstr(booted.message, words), "no \"%s\" in: %s", words, booted.message);
}

static void expect_size(const struct sim_image *image, const struct oracle *oracle,
                        uint64_t size) {
    struct booted booted;
    boot_image(image, &plain, &booted, NULL);
    LAB_EXPECT(booted.status == STATUS_OK, "refused: %s", booted.message);
    LAB_EXPECT(booted.size == size, "%llu entries, not %llu",
               (unsigned long long)booted.size, (unsigned long long)size);
    LAB_EXPECT(oracle_agrees(oracle, booted.size, &booted.moment), "another state");
}

static void extend(struct sim_image *image, const char *name, int byte, size_t count) {
    struct sim_file_image *file = sim_image_find(image, name);
    file->data = realloc(file->data, file->size + count);
    check(file->data);
    memset(file->data + file->size, byte, count);
    file->size += count;
}

static void sign(struct sim_image *image, const char *name) {
    struct sim_file_image *file = sim_image_find(image, name);
    sha256(file->data, 480, file->data + 480);
}

/* --- Rows -------------------------------------------------------------------------- */

static void empty_directory(struct sim_image *image, struct oracle *oracle) {
    struct sim_image empty = {0};
    struct booted booted;
    (void)image, (void)oracle;
    boot_image(&empty, &plain, &booted, NULL);
    LAB_EXPECT(booted.status == STATUS_OK && booted.size == 0, "no fresh start: %s",
               booted.message);
}

static void tails(struct sim_image *image, struct oracle *oracle) {
    uint64_t size = oracle->count - 1;
    size_t length = sim_image_find(image, first)->size;
    for (size_t bytes = 1; bytes <= 600; bytes += 37) {
        for (int byte = 0; byte < 2; byte++) {
            extend(image, first, byte ? 0xEE : 0, bytes);
            expect_size(image, oracle, size);
            sim_image_find(image, first)->size = length;
        }
    }
}

static void tail_cut(struct sim_image *image, struct oracle *oracle) {
    /* A head slot knows all entries: any cut is a loss. Without it the log just ends
     * earlier. */
    struct sim_file_image *file = sim_image_find(image, first);
    size_t length = file->size;
    file->size = length - 65; /* the mark, and a byte of the last entry */
    expect_exit(image, 3, "valori.head says");
    sim_image_remove(image, HEAD_NAME);
    struct booted booted;
    for (size_t size = SEGMENT_HEADER_SIZE; size < length; size += 3) {
        file = sim_image_find(image, first);
        file->size = size;
        boot_image(image, &plain, &booted, NULL);
        LAB_EXPECT(booted.status == STATUS_OK, "refused: %s", booted.message);
        LAB_EXPECT(oracle_agrees(oracle, booted.size, &booted.moment), "another state");
    }
}

static void older_damage(struct sim_image *image, struct oracle *oracle) {
    (void)oracle;
    sim_image_find(image, first)->data[700] ^= 4;
    expect_exit(image, 3, "was acknowledged (evidence: valori-00000002.log begins");
}

static void mark_damage(struct sim_image *image, struct oracle *oracle) {
    struct sim_file_image *file = sim_image_find(image, first);
    file->data[file->size - 3] ^= 4;
    expect_size(image, oracle, oracle->count - 1);
}

static void swapped(struct sim_image *image, struct oracle *oracle) {
    (void)oracle;
    struct sim_file_image *a = sim_image_find(image, first);
    struct sim_file_image *b = sim_image_find(image, second);
    struct sim_file_image kept = *a;
    a->data = b->data, a->size = b->size;
    b->data = kept.data, b->size = kept.size;
    expect_exit(image, 5, "swapped");
}

static void deleted(struct sim_image *image, struct oracle *oracle) {
    (void)oracle;
    sim_image_remove(image, second);
    expect_exit(image, 5, "valori-00000002.log is missing");
}

static void all_deleted(struct sim_image *image, struct oracle *oracle) {
    (void)oracle;
    while (image->count > 1) {
        size_t victim = strcmp(image->files[0].name, HEAD_NAME) == 0;
        char name[SIM_NAME_SIZE];
        memcpy(name, image->files[victim].name, sizeof name);
        sim_image_remove(image, name);
    }
    expect_exit(image, 5, "no segment is there");
}

static void another_server(struct sim_image *image, struct oracle *oracle) {
    struct sim_image other;
    struct oracle unused = {0};
    (void)oracle;
    make_log(&other, true, true, 99, &unused);
    sim_image_remove(image, second);
    const struct sim_file_image *theirs = sim_image_find(&other, second);
    sim_image_add(image, second, theirs->data, theirs->size);
    expect_exit(image, 5, "belongs to another log");
    sim_image_free(&other);
    oracle_free(&unused);
}

static void torn_header(struct sim_image *image, struct oracle *oracle) {
    static const uint8_t zeros[SEGMENT_HEADER_SIZE];
    static const size_t sizes[] = {0, 100, 512};
    for (size_t i = 0; i < 3; i++) {
        sim_image_add(image, second, zeros, sizes[i]);
        expect_size(image, oracle, oracle->count - 1);
        sim_image_remove(image, second);
    }
}

static void future_version(struct sim_image *image, struct oracle *oracle) {
    (void)oracle;
    store_le32(sim_image_find(image, first)->data + 8, 2);
    sign(image, first);
    expect_exit(image, 4, "newer format");
}

static void strays(struct sim_image *image, struct oracle *oracle) {
    sim_image_add(image, "valori-00000001.log.torn", "x", 1);
    sim_image_add(image, "snapshot.tmp", "x", 1);
    sim_image_add(image, "README", "x", 1);
    expect_size(image, oracle, oracle->count - 1);
}

static void unsafe(struct sim_image *image, struct oracle *oracle) {
    (void)oracle;
    struct file_facts facts = {.mode = 0666, .links = 1, .owned = true, .regular = true};
    struct sim *sim = sim_create(1, image);
    sim_set_unsafe(sim, first, &facts);
    struct booted booted;
    struct engine *engine = boot_engine(sim, &plain, &booted);
    LAB_EXPECT(!engine && engine_exit_code(booted.status) == 1, "it started");
    LAB_EXPECT(strstr(booted.message, "mode"), "%s", booted.message);
    LAB_EXPECT(sim_changes(sim) == 0, "a refusal wrote");
    engine_close(engine);
    sim_destroy(sim);
}

static void unreadable(struct sim_image *image, struct oracle *oracle) {
    (void)oracle;
    for (uint64_t call = 0;; call++) {
        struct sim *sim = sim_create(1, image);
        sim_set_fault(sim, call, SIM_FAULT_FAIL, 5 /* EIO */, false);
        struct booted booted;
        struct engine *engine = boot_engine(sim, &plain, &booted);
        bool hit = sim_fault_hit(sim);
        if (hit && engine_exit_code(booted.status) != 74)
            LAB_EXPECT(false, "call %llu: %s", (unsigned long long)call, booted.message);
        engine_close(engine);
        sim_destroy(sim);
        if (!hit) break;
    }
}

static void second_server(struct sim_image *image, struct oracle *oracle) {
    (void)oracle;
    struct sim *sim = sim_create(1, image);
    struct booted booted;
    struct engine *one = boot_engine(sim, &plain, &booted);
    LAB_EXPECT(one, "%s", booted.message);
    struct engine *two = boot_engine(sim, &plain, &booted);
    LAB_EXPECT(!two && engine_exit_code(booted.status) == 2, "two servers: %s",
               booted.message);
    engine_close(two);
    engine_close(one);
    sim_destroy(sim);
}

/* A frame that is sound and due, whose entry cannot be applied. */
static void senseless_entry(struct sim_image *image, struct oracle *oracle) {
    (void)oracle;
    struct sim_file_image *file = sim_image_find(image, first);
    struct segment_header segment;
    struct frame_header header;
    check(segment_header_decode(file->data, &segment) == STATUS_OK);
    uint8_t *frame = file->data + SEGMENT_HEADER_SIZE;
    check(frame_header_decode(segment.key, frame, &header) == STATUS_OK);
    uint8_t *copy = malloc(header.entry_size + (size_t)header.payload_size + 1);
    check(copy);
    struct slice entry = frame_entry(&header, frame),
                 payload = frame_payload(&header, frame);
    memcpy(copy, entry.data, entry.size);
    memcpy(copy + entry.size, payload.data, payload.size);
    copy[entry.size + payload.size - 1] ^= 1; /* no longer what the entry commits to */
    struct log_entry parts = {.type = header.type,
                              .head = slice_of(copy, entry.size),
                              .payload = slice_of(copy + entry.size, payload.size)};
    frame_encode(segment.key, &header, &parts, frame);
    free(copy);
    expect_exit(image, 3, "valori-00000001.log:512");
}

/* The wall clock jumps ten years back and forth: the same answers, and times never go
 * back. */
static void clock_jumps(struct sim_image *image, struct oracle *oracle) {
    (void)image, (void)oracle;
    struct moment moments[2];
    for (int jumps = 0; jumps < 2; jumps++) {
        struct sim *sim = sim_create(3, NULL);
        struct booted booted;
        struct engine *engine = boot_engine(sim, &plain, &booted);
        check(engine);
        uint64_t random = 5, year = UINT64_C(31556952000000), next;
        for (unsigned i = 0; i < 30; i++) {
            if (jumps) sim_set_wall(sim, (i % 3 == 0 ? 20 : i % 3 == 1 ? 60 : 40) * year);
            workload_change(engine, &random);
            engine_turn(engine, &next);
        }
        engine_close(engine);
        engine = boot_engine(sim, &plain, &booted);
        LAB_EXPECT(engine, "%s", booted.message);
        moments[jumps] = booted.moment;
        engine_close(engine);
        sim_destroy(sim);
    }
    LAB_EXPECT(memcmp(moments[0].state_root, moments[1].state_root, SHA256_SIZE) == 0,
               "the clock reached the state");
}

/* No data before recovery is done: the engine is not ready, and says how far it is. */
static void loading(struct sim_image *image, struct oracle *oracle) {
    struct sim *sim = sim_create(1, image);
    struct engine_options options = {
        .directory = ".", .log_enabled = true, .segment_size = UINT64_MAX};
    struct engine_report report;
    struct engine *engine;
    check(engine_open(sim_os(sim), &lab_allocator, &options, &engine, &report) ==
          STATUS_OK);
    uint64_t done, total, calls = 0;
    enum status status;
    while ((status = engine_recover(engine, 0, &report)) == STATUS_AGAIN) calls++;
    engine_progress(engine, &done, &total);
    LAB_EXPECT(status == STATUS_OK && calls > 0, "recovery is not in slices");
    LAB_EXPECT(total > 0, "no progress to show");
    struct moment moment;
    moment_of(engine, &moment);
    LAB_EXPECT(oracle_agrees(oracle, engine_size(engine), &moment), "another state");
    engine_close(engine);
    sim_destroy(sim);
}

void matrix_run(void) {
    static const struct {
        const char *name;
        void (*run)(struct sim_image *image, struct oracle *oracle);
        bool many, stopped;
    } rows[] = {
        {"G9_empty_directory_is_a_fresh_start", empty_directory, false, false},
        {"G7_zero_and_garbage_tails_are_cut", tails, false, false},
        {"G7_G8_log_cut_at_every_place", tail_cut, false, true},
        {"G8_damage_in_an_older_segment_is_exit_3", older_damage, true, true},
        {"G7_damage_in_the_last_mark_loses_nothing", mark_damage, false, true},
        {"G9_swapped_segments_are_exit_5", swapped, true, true},
        {"G9_deleted_segment_is_exit_5", deleted, true, true},
        {"G9_head_without_segments_is_exit_5", all_deleted, true, true},
        {"G9_segment_of_another_server_is_exit_5", another_server, true, true},
        {"G7_torn_header_of_the_newest_segment_is_made_again", torn_header, false, true},
        {"G9_future_version_is_exit_4", future_version, false, true},
        {"G9_senseless_entry_is_exit_3", senseless_entry, false, true},
        {"G13_stray_files_are_ignored", strays, false, true},
        {"G9_unsafe_file_is_exit_1", unsafe, false, true},
        {"G6_unreadable_disk_is_exit_74", unreadable, true, true},
        {"G27_second_server_is_exit_2", second_server, false, true},
        {"G14_jumping_clock_does_not_reach_the_state", clock_jumps, false, true},
        {"G28_recovery_goes_in_slices", loading, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sim_image image;
        struct oracle oracle = {0};
        if (!lab_wanted(rows[i].name)) continue;
        lab_begin(rows[i].name);
        make_log(&image, rows[i].many, rows[i].stopped, 40 + i, &oracle);
        rows[i].run(&image, &oracle);
        sim_image_free(&image);
        oracle_free(&oracle);
    }
}
