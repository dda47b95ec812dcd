/* The boot matrix: what a log does with each kind of bad directory. Every row makes an image,
 * boots it, and demands the exact outcome; a refusal must not have changed a byte. */
#include <errno.h>

#include "base/bytes.h"
#include "fixture.h"

/* Boot `image` and demand a refusal that changed nothing. */
static void expect_refusal(const struct sim_image *image, enum status wanted) {
    struct fixture f;
    fixture_begin(&f, image);
    EXPECT_EQUAL(fixture_boot(&f), wanted);
    EXPECT_EQUAL(sim_changes(f.sim), 0);
    EXPECT(strncmp(f.report.message, "FATAL ", 6) == 0);
    EXPECT(strlen(f.report.message) > 20);
    fixture_end(&f);
}

/* Boot it and demand the first `count` sample entries; then once more, with nothing to do. */
static void expect_boot(const struct sim_image *image, uint64_t count, uint64_t torn) {
    struct fixture f;
    fixture_begin(&f, image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, count);
    EXPECT_EQUAL(f.report.torn_bytes, torn);
    EXPECT_EQUAL(log_durable(f.log), count);
    log_close(f.log);
    f.log = NULL;
    uint64_t changes = sim_changes(f.sim);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, count);
    EXPECT_EQUAL(sim_changes(f.sim), changes); /* G13 */
    EXPECT_EQUAL(f.report.torn_bytes, 0);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    log_close(f.log);
    f.log = NULL;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, count + 3);
    fixture_end(&f);
}

static void flip(struct sim_image *image, const char *name, uint64_t offset) {
    sim_image_find(image, name)->data[offset] ^= 0x10;
}

static void empty_directory_is_a_fresh_log(void) {
    struct sim_image image = {0};
    expect_boot(&image, 0, 0);
    struct fixture f;
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_open(&f), STATUS_OK);
    EXPECT(!log_exists(f.log));
    EXPECT_EQUAL(log_bytes_total(f.log), 0);
    fixture_end(&f);
}

static void clean_logs_come_back(void) {
    for (unsigned count = 1; count < 40; count += 6)
        for (int stopped = 0; stopped < 2; stopped++) {
            struct sim_image image;
            make_image(&image, count, count % 4 ? 4096 : UINT64_MAX, stopped);
            expect_boot(&image, count, 0);
            sim_image_free(&image);
        }
}

static void replay_hands_out_what_was_appended(void) {
    struct sim_image image;
    make_image(&image, 30, 3000, true);
    struct fixture f;
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_open(&f), STATUS_OK);
    EXPECT(log_exists(f.log));
    EXPECT_EQUAL(log_scan(f.log, UINT64_MAX, &f.report), STATUS_OK);
    EXPECT_EQUAL(f.report.entries, 30);
    for (uint64_t i = 0; i < 30; i++) {
        struct sample sample;
        struct frame frame;
        sample_make(&sample, i);
        EXPECT_EQUAL(log_next(f.log, &frame, &f.report), STATUS_OK);
        EXPECT_EQUAL(frame.sequence, i);
        EXPECT_EQUAL(frame.type, sample.entry.type);
        EXPECT_EQUAL(frame.entry.size, sample.entry.head.size + sample.entry.body.size);
        EXPECT_BYTES(frame.entry.data, sample.bytes, frame.entry.size);
        EXPECT(slice_equal(frame.list, sample.entry.list));
        EXPECT(slice_equal(frame.payload, sample.entry.payload));
    }
    struct frame frame;
    EXPECT_EQUAL(log_next(f.log, &frame, &f.report), STATUS_END);
    fixture_end(&f);
    sim_image_free(&image);
}

static void G7_tail_cut_at_every_byte_loses_only_what_was_cut(void) {
    struct sim_image whole;
    make_image(&whole, 0, UINT64_MAX, false);
    /* All in one sync, so that no frame tells that another was durable. */
    struct fixture f;
    fixture_begin(&f, &whole);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 6);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    sim_image_free(&whole);
    sim_snapshot(f.sim, &whole);
    fixture_end(&f);
    struct sim_file_image *file = sim_image_find(&whole, first_name);
    struct place places[8];
    EXPECT_EQUAL(list_frames(file, places, 8), 6);
    size_t full = file->size;
    for (size_t size = SEGMENT_HEADER_SIZE; size <= full; size++) {
        uint64_t stand = 0, end = SEGMENT_HEADER_SIZE;
        while (stand < 6 && places[stand].offset + places[stand].size <= size) {
            end = places[stand].offset + places[stand].size;
            stand++;
        }
        file->size = size;
        expect_boot(&whole, stand, size - end);
    }
    file->size = full;
    sim_image_free(&whole);
}

static void G7_zero_and_garbage_tails_are_cut_and_garbage_is_kept(void) {
    for (int garbage = 0; garbage < 2; garbage++) {
        struct sim_image image;
        make_image(&image, 5, UINT64_MAX, true);
        struct sim_file_image *file = sim_image_find(&image, first_name);
        size_t size = file->size;
        file->data = realloc(file->data, size + 1000);
        memset(file->data + size, garbage ? 0xA7 : 0, 1000);
        file->size += 1000;
        expect_boot(&image, 5, 1000);
        struct fixture f;
        fixture_begin(&f, &image);
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        struct sim_image after;
        sim_snapshot(f.sim, &after);
        EXPECT_EQUAL(sim_image_find(&after, first_name)->size, size);
        const struct sim_file_image *torn = sim_image_find(&after, "valori-00000001.log.torn");
        EXPECT((torn != NULL) == (garbage != 0));
        if (torn) {
            EXPECT_EQUAL(torn->size, 1000);
            EXPECT_BYTES(torn->data, file->data + size, 1000);
            EXPECT(strstr(f.report.message, "valori-00000001.log.torn"));
        }
        sim_image_free(&after);
        fixture_end(&f);
        sim_image_free(&image);
    }
}

static void G8_damage_before_the_last_mark_refuses_and_names_the_place(void) {
    struct sim_image image;
    make_image(&image, 8, UINT64_MAX, true);
    struct place places[16];
    size_t count = list_frames(sim_image_find(&image, first_name), places, 16);
    EXPECT_EQUAL(count, 9);
    for (size_t i = 0; i < 8; i++) {
        flip(&image, first_name, places[i].offset + 70);
        expect_refusal(&image, STATUS_CORRUPT);
        struct fixture f;
        fixture_begin(&f, &image);
        EXPECT_EQUAL(fixture_boot(&f), STATUS_CORRUPT);
        EXPECT_EQUAL(f.report.bad_sequence, i);
        EXPECT_EQUAL(f.report.bad_offset, places[i].offset);
        EXPECT(strcmp(f.report.bad_file, first_name) == 0);
        EXPECT(strstr(f.report.message, "was acknowledged (evidence: "));
        fixture_end(&f);
        flip(&image, first_name, places[i].offset + 70);
    }
    flip(&image, first_name, places[8].offset + 20); /* inside the mark: nothing is lost */
    expect_boot(&image, 8, 64);
    sim_image_free(&image);
}

static void G8_head_slot_alone_is_evidence(void) {
    struct sim_image image;
    make_image(&image, 4, UINT64_MAX, true);
    struct sim_file_image *file = sim_image_find(&image, first_name);
    struct place places[8];
    EXPECT_EQUAL(list_frames(file, places, 8), 5);
    file->size = places[3].offset; /* the last entry and the mark are gone, cleanly */
    expect_refusal(&image, STATUS_CORRUPT);
    flip(&image, HEAD_NAME, 100); /* and without the slot nobody knows */
    expect_boot(&image, 3, 0);
    sim_image_free(&image);
}

static void G8_damage_in_an_older_segment_refuses(void) {
    struct sim_image image;
    make_image(&image, 20, 3000, false);
    EXPECT(sim_image_find(&image, third_name) != NULL);
    struct sim_file_image *file = sim_image_find(&image, second_name);
    flip(&image, second_name, file->size - 1);
    expect_refusal(&image, STATUS_CORRUPT);
    flip(&image, second_name, file->size - 1);
    file->size -= 8; /* shorter: the next segment proves what is missing */
    expect_refusal(&image, STATUS_CORRUPT);
    file->size += 8;
    flip(&image, second_name, 40); /* its header */
    expect_refusal(&image, STATUS_CORRUPT);
    sim_image_free(&image);
}

static void G8_damaged_header_over_data_refuses(void) {
    struct sim_image image;
    make_image(&image, 3, UINT64_MAX, false);
    flip(&image, first_name, 200);
    expect_refusal(&image, STATUS_CORRUPT);
    sim_image_free(&image);
}

static void torn_creations_are_made_again(void) {
    static const size_t sizes[] = {0, 1, 511, 512, 1024};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct sim_image image;
        uint8_t zeros[1024] = {0};
        make_image(&image, 7, UINT64_MAX, true);
        sim_image_add(&image, second_name, zeros, sizes[i]);
        expect_boot(&image, 7, 0);
        sim_image_free(&image);

        sim_image_init(&image); /* the very first one, too */
        sim_image_add(&image, first_name, zeros, sizes[i]);
        expect_boot(&image, 0, 0);
        sim_image_free(&image);
    }
}

static void G9_missing_and_swapped_segments_are_foreign(void) {
    struct sim_image image, changed;
    make_image(&image, 30, 3000, true);
    static const char *const names[] = {first_name, second_name};
    for (size_t i = 0; i < 2; i++) {
        sim_image_copy(&image, &changed);
        sim_image_remove(&changed, names[i]);
        expect_refusal(&changed, STATUS_FOREIGN);
        sim_image_free(&changed);
    }
    sim_image_copy(&image, &changed); /* two swapped */
    struct sim_file_image *second = sim_image_find(&changed, second_name),
                          *third = sim_image_find(&changed, third_name), swap = *second;
    second->data = third->data, second->size = third->size;
    third->data = swap.data, third->size = swap.size;
    expect_refusal(&changed, STATUS_FOREIGN);
    sim_image_free(&changed);

    sim_image_copy(&image, &changed); /* one doubled under the next number */
    struct sim_file_image *last = &changed.files[changed.count - 1];
    sim_image_add(&changed, "valori-00000099.log", last->data, last->size);
    expect_refusal(&changed, STATUS_FOREIGN);
    sim_image_free(&changed);

    sim_image_copy(&image, &changed); /* the newest ones: the head knows of them */
    sim_image_remove(&changed, changed.files[changed.count - 2].name);
    expect_refusal(&changed, STATUS_FOREIGN);
    sim_image_free(&changed);

    sim_image_copy(&image, &changed); /* only the head is left */
    while (changed.count > 1)
        sim_image_remove(&changed, changed.files[0].name[6] == '.' ? changed.files[1].name
                                                                   : changed.files[0].name);
    EXPECT(sim_image_find(&changed, HEAD_NAME) != NULL);
    expect_refusal(&changed, STATUS_FOREIGN);
    sim_image_free(&changed);

    sim_image_copy(&image, &changed); /* a name that is nearly ours */
    sim_image_add(&changed, "valori-000000002.log", "x", 1);
    expect_refusal(&changed, STATUS_FOREIGN);
    sim_image_free(&changed);
    sim_image_free(&image);
}

/* An empty copy of the newest segment under the next number: a gap of length zero. */
static void G9_doubled_empty_segment_is_foreign(void) {
    struct sim_image image;
    make_image(&image, 0, UINT64_MAX, false);
    struct sim_file_image *file = sim_image_find(&image, first_name);
    sim_image_add(&image, second_name, file->data, SEGMENT_HEADER_SIZE);
    expect_refusal(&image, STATUS_FOREIGN);
    sim_image_free(&image);
}

static void log_from_seed(struct sim_image *image, uint64_t seed) {
    struct fixture f;
    fixture_begin(&f, NULL);
    sim_destroy(f.sim);
    f.sim = sim_create(seed, NULL);
    const struct os *os = sim_os(f.sim);
    os->directory_open(os, ".", &f.directory);
    f.options.segment_size = 3000;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    for (int i = 0; i < 20; i++) {
        fixture_append_many(&f, 1);
        EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    }
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    sim_snapshot(f.sim, image);
    fixture_end(&f);
}

static void G9_files_of_another_log_are_foreign(void) {
    struct sim_image ours, theirs;
    log_from_seed(&ours, 1);
    log_from_seed(&theirs, 2);
    static const char *const names[] = {second_name, HEAD_NAME};
    for (size_t i = 0; i < 2; i++) {
        struct sim_image changed;
        sim_image_copy(&ours, &changed);
        sim_image_remove(&changed, names[i]);
        const struct sim_file_image *foreign = sim_image_find(&theirs, names[i]);
        sim_image_add(&changed, names[i], foreign->data, foreign->size);
        expect_refusal(&changed, STATUS_FOREIGN);
        sim_image_free(&changed);
    }
    sim_image_free(&ours);
    sim_image_free(&theirs);
}

static void sign_header(uint8_t *bytes) { sha256(bytes, 480, bytes + 480); }

static void G9_newer_formats_are_a_version(void) {
    struct sim_image image;
    make_image(&image, 3, UINT64_MAX, true);
    struct sim_file_image *file = sim_image_find(&image, first_name);
    store_le32(file->data + 8, 2);
    sign_header(file->data);
    expect_refusal(&image, STATUS_VERSION);
    store_le32(file->data + 8, 1);
    sign_header(file->data);
    struct sim_file_image *head = sim_image_find(&image, HEAD_NAME);
    store_le32(head->data + 8, 2);
    sign_header(head->data);
    expect_refusal(&image, STATUS_VERSION);
    sim_image_free(&image);
}

/* Files that are sound one by one and tell different histories. */
static void G9_roots_that_do_not_fit_are_foreign(void) {
    struct sim_image image;
    make_image(&image, 12, 3000, true);
    struct sim_file_image *second = sim_image_find(&image, second_name);
    second->data[48] ^= 1;
    sign_header(second->data);
    expect_refusal(&image, STATUS_FOREIGN);
    second->data[48] ^= 1;
    sign_header(second->data);
    struct sim_file_image *head = sim_image_find(&image, HEAD_NAME);
    head->data[48] ^= 1;
    sign_header(head->data);
    expect_refusal(&image, STATUS_FOREIGN);
    sim_image_free(&image);
}

/* A frame that is sound, but not the one that is due: kept out by its sequence. */
static void G9_frame_out_of_place_is_not_taken(void) {
    struct sim_image image;
    make_image(&image, 0, UINT64_MAX, false);
    struct fixture f;
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    struct sim_image doubled;
    sim_snapshot(f.sim, &doubled);
    fixture_end(&f);
    struct sim_file_image *file = sim_image_find(&doubled, first_name);
    struct place places[4];
    EXPECT_EQUAL(list_frames(file, places, 4), 3);
    size_t size = (size_t)places[2].size, old = file->size;
    file->data = realloc(file->data, old + size);
    memcpy(file->data + old, file->data + places[2].offset, size); /* number 2, twice */
    file->size += size;
    expect_boot(&doubled, 3, size);
    sim_image_free(&doubled);
    sim_image_free(&image);
}

static void unsafe_files_are_refused(void) {
    static const struct file_facts bad[] = {
        {.mode = 0600, .links = 1, .owned = false, .regular = true},
        {.mode = 0644, .links = 1, .owned = true, .regular = true},
        {.mode = 0600, .links = 2, .owned = true, .regular = true},
        {.mode = 0600, .links = 1, .owned = true, .regular = false},
    };
    static const char *const names[] = {first_name, HEAD_NAME};
    struct sim_image image;
    make_image(&image, 3, UINT64_MAX, true);
    for (size_t n = 0; n < 2; n++)
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            struct fixture f;
            fixture_begin(&f, &image);
            sim_set_unsafe(f.sim, names[n], &bad[i]);
            EXPECT_EQUAL(fixture_boot(&f), STATUS_UNSAFE);
            EXPECT(strstr(f.report.message, names[n]));
            EXPECT_EQUAL(sim_changes(f.sim), 0);
            fixture_end(&f);
        }
    struct fixture f;
    fixture_begin(&f, &image);
    struct file_facts group = {.mode = 0640, .links = 1, .owned = true, .regular = true};
    sim_set_unsafe(f.sim, first_name, &group);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_end(&f);
    sim_image_free(&image);
}

static void other_names_are_ignored_and_counted(void) {
    struct sim_image image;
    make_image(&image, 3, UINT64_MAX, true);
    sim_image_add(&image, "valori-00000001.log.torn", "abc", 3);
    sim_image_add(&image, "snapshot.tmp", "abc", 3);
    sim_image_add(&image, "notes", "abc", 3);
    sim_image_add(&image, "valori.lock", "1", 1);
    struct fixture f;
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    EXPECT_EQUAL(f.report.ignored_files, 3);
    fixture_end(&f);
    sim_image_free(&image);
}

/* Every call of a boot fails once with EIO: never a wrong log, never another answer. */
static void unreadable_disks_stop_the_boot(void) {
    struct sim_image image;
    make_image(&image, 25, 3000, true);
    for (uint64_t call = 1;; call++) {
        struct fixture f;
        fixture_begin(&f, &image);
        sim_set_fault(f.sim, call, SIM_FAULT_FAIL, EIO, false);
        enum status status = fixture_boot(&f);
        bool hit = sim_fault_hit(f.sim);
        if (hit) {
            EXPECT_EQUAL(status, STATUS_IO);
            EXPECT(strncmp(f.report.message, "FATAL io: ", 10) == 0);
        }
        struct sim_image after;
        sim_snapshot(f.sim, &after);
        fixture_end(&f);
        if (hit) expect_boot(&after, 25, 0);
        sim_image_free(&after);
        if (!hit) break;
    }
    sim_image_free(&image);
}

static void short_reads_are_errors_not_ends(void) {
    struct sim_image image;
    make_image(&image, 25, UINT64_MAX, false);
    for (uint64_t call = 1;; call++) {
        struct fixture f;
        fixture_begin(&f, &image);
        sim_set_fault(f.sim, call, SIM_FAULT_SHORT_READ, 0, false);
        enum status status = fixture_boot(&f);
        bool hit = sim_fault_hit(f.sim);
        if (status == STATUS_OK) expect_entries(&f, 25);
        else EXPECT_EQUAL(status, STATUS_IO);
        fixture_end(&f);
        if (!hit) break;
    }
    sim_image_free(&image);
}

static void no_memory_stops_the_boot(void) {
    struct sim_image image;
    make_image(&image, 25, 3000, true);
    for (uint64_t call = 0;; call++) {
        struct fixture f;
        fixture_begin(&f, &image);
        f.counting.fail_at = call;
        enum status status = fixture_boot(&f);
        bool hit = f.counting.calls > call;
        EXPECT_EQUAL(status, hit ? STATUS_MEMORY : STATUS_OK);
        f.counting.fail_at = UINT64_MAX;
        fixture_end(&f);
        if (!hit) break;
    }
    sim_image_free(&image);
}

static void read_only_changes_nothing(void) {
    struct sim_image image;
    make_image(&image, 25, 3000, true);
    sim_image_find(&image, first_name); /* and a torn tail */
    struct sim_file_image *last = &image.files[image.count - 2];
    last->data = realloc(last->data, last->size + 40);
    memset(last->data + last->size, 0x33, 40);
    last->size += 40;
    struct fixture f;
    fixture_begin(&f, &image);
    f.options.read_only = true;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_entries(&f, 25);
    EXPECT_EQUAL(f.report.torn_bytes, 40);
    EXPECT_EQUAL(log_start(f.log, &f.report), STATUS_INVALID);
    EXPECT_EQUAL(sim_changes(f.sim), 0);
    fixture_end(&f);
    sim_image_free(&image);
}

/* Starting many times does not pile up files. */
static void G13_boot_loops_leave_one_empty_segment(void) {
    struct sim_image image;
    make_image(&image, 5, UINT64_MAX, false);
    struct fixture f;
    fixture_begin(&f, &image);
    for (int i = 0; i < 10; i++) {
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        if (i % 2) EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
        EXPECT_EQUAL(log_segment_count(f.log), 2);
        log_close(f.log);
        f.log = NULL;
    }
    fixture_end(&f);
    sim_image_free(&image);
}

/* User bytes that look like frames cannot speak as evidence: they lack the key. */
static void G8_forged_frames_in_a_payload_are_no_evidence(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    uint8_t forged[FRAME_HEADER_SIZE], leaf[SHA256_SIZE];
    static const uint8_t guess[SIPHASH_KEY_SIZE];
    struct frame_header lie = {.kind = FRAME_MARK, .sequence = 99, .durable = 99};
    frame_encode(guess, &lie, NULL, forged);
    struct log_entry entry = {.type = 4,
                              .head = slice_of(forged, 64),
                              .payload = slice_of(forged, sizeof forged)};
    EXPECT_EQUAL(log_append(f.log, &entry, leaf), STATUS_OK);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    struct sim_image image;
    sim_snapshot(f.sim, &image);
    fixture_end(&f);
    flip(&image, first_name, SEGMENT_HEADER_SIZE + 9);
    expect_boot(&image, 0, 64 + 64 + 64);
    sim_image_free(&image);
}

int main(void) {
    RUN(empty_directory_is_a_fresh_log);
    RUN(clean_logs_come_back);
    RUN(replay_hands_out_what_was_appended);
    RUN(G7_tail_cut_at_every_byte_loses_only_what_was_cut);
    RUN(G7_zero_and_garbage_tails_are_cut_and_garbage_is_kept);
    RUN(G8_damage_before_the_last_mark_refuses_and_names_the_place);
    RUN(G8_head_slot_alone_is_evidence);
    RUN(G8_damage_in_an_older_segment_refuses);
    RUN(G8_damaged_header_over_data_refuses);
    RUN(torn_creations_are_made_again);
    RUN(G9_missing_and_swapped_segments_are_foreign);
    RUN(G9_doubled_empty_segment_is_foreign);
    RUN(G9_files_of_another_log_are_foreign);
    RUN(G9_newer_formats_are_a_version);
    RUN(G9_roots_that_do_not_fit_are_foreign);
    RUN(G9_frame_out_of_place_is_not_taken);
    RUN(unsafe_files_are_refused);
    RUN(other_names_are_ignored_and_counted);
    RUN(unreadable_disks_stop_the_boot);
    RUN(short_reads_are_errors_not_ends);
    RUN(no_memory_stops_the_boot);
    RUN(read_only_changes_nothing);
    RUN(G13_boot_loops_leave_one_empty_segment);
    RUN(G8_forged_frames_in_a_payload_are_no_evidence);
    return test_finish();
}
