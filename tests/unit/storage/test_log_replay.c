#include <errno.h>

#include "base/bytes.h"
#include "matrix.h"
#include "sim/sim_crash.h"

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

/* --- Beside a scan ------------------------------------------------------------------------ */

static struct sim_file_image *last_segment(struct sim_image *image) {
    struct sim_file_image *last = NULL; /* Files come in the order of their names. */
    for (size_t i = 0; i < image->count; i++)
        if (strstr(image->files[i].name, ".log")) last = &image->files[i];
    return last;
}

/* Bytes behind the last frame of the last segment. */
static uint64_t tail_of(struct sim_image *image) {
    struct place places[128];
    const struct sim_file_image *last = last_segment(image);
    size_t count = list_frames(last, places, 128);
    uint64_t end = SEGMENT_HEADER_SIZE;
    if (count > 0) end = places[count - 1].offset + places[count - 1].size;
    return last->size - end;
}

enum { FRAMES_MAX = 64 };

struct following {
    struct fixture f; /* its log is the one that is scanned */
    struct log *log;
    struct log_report report;
    struct frame frames[FRAMES_MAX]; /* on their way, with copies of their bytes */
    uint64_t shown;
    uint64_t handed_out; /* all as they were appended */
};

static struct slice copied(struct slice from) {
    uint8_t *bytes = malloc(from.size + 1);
    if (from.size > 0) memcpy(bytes, from.data, from.size);
    return slice_of(bytes, from.size);
}

static enum status keep_frame(void *context, const struct frame *frame) {
    struct following *following = context;
    EXPECT(following->shown < FRAMES_MAX);
    struct frame *kept = &following->frames[following->shown++];
    *kept = *frame;
    kept->entry = copied(frame->entry);
    kept->list = copied(frame->list);
    kept->payload = copied(frame->payload);
    return STATUS_OK;
}

static void following_begin(struct following *following, const struct sim_image *image) {
    struct fixture *f = &following->f;
    fixture_begin(f, image);
    struct log_options options = {.segment_size = UINT64_MAX, .read_only = true};
    EXPECT_EQUAL(fixture_open(f), STATUS_OK);
    EXPECT_EQUAL(log_open(sim_os(f->sim), &f->allocator, f->directory, &options,
                          &following->log, &following->report),
                 STATUS_OK);
    log_watch(f->log, keep_frame, following);
    log_follow(following->log);
    following->shown = following->handed_out = 0;
}

static void following_end(struct following *following) {
    for (uint64_t i = 0; i < following->shown; i++) {
        free((void *)(uintptr_t)following->frames[i].entry.data);
        free((void *)(uintptr_t)following->frames[i].list.data);
        free((void *)(uintptr_t)following->frames[i].payload.data);
    }
    log_close(following->log);
    fixture_end(&following->f);
}

/* Take what the scan has shown; the first failure. */
static enum status follow(struct following *following) {
    while (following->handed_out < following->shown) {
        const struct frame *frame = &following->frames[following->handed_out];
        enum status status =
            log_follow_frame(following->log, frame, &following->report);
        if (status) return status;
        struct sample sample;
        uint8_t leaf[SHA256_SIZE];
        sample_make(&sample, following->handed_out);
        EXPECT_EQUAL(frame->sequence, following->handed_out++);
        EXPECT_EQUAL(frame->type, sample.entry.type);
        EXPECT_EQUAL(frame->entry.size, sample.entry.head.size + sample.entry.body.size);
        EXPECT_BYTES(frame->entry.data, sample.bytes, frame->entry.size);
        EXPECT(slice_equal(frame->list, sample.entry.list));
        EXPECT(slice_equal(frame->payload, sample.entry.payload));
        rfc6962_leaf(sample.entry.head, sample.entry.body, leaf);
        EXPECT_BYTES(frame->leaf, leaf, SHA256_SIZE);
    }
    return STATUS_OK;
}

/* Scan in steps of `budget` bytes and follow; the verdict of the scan. */
static enum status follow_a_scan(struct following *following, uint64_t budget) {
    struct fixture *f = &following->f;
    enum status status;
    do {
        status = log_scan(f->log, budget, &f->report);
        EXPECT_EQUAL(follow(following), STATUS_OK);
        EXPECT_EQUAL(log_size(following->log), following->shown);
    } while (status == STATUS_AGAIN);
    return status;
}

/* Whatever the steps: the same frames and the same tree as a replay after the scan, and a log
 * that goes on in the same way. */
static void expect_following(const struct sim_image *image, uint64_t count, uint64_t torn) {
    static const uint64_t budgets[] = {1, 3000, UINT64_MAX};
    struct fixture plain;
    fixture_begin(&plain, image);
    EXPECT_EQUAL(fixture_boot(&plain), STATUS_OK);
    expect_entries(&plain, count);
    for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
        struct following following;
        struct fixture *f = &following.f;
        following_begin(&following, image);
        EXPECT_EQUAL(follow_a_scan(&following, budgets[i]), STATUS_OK);
        EXPECT_EQUAL(log_follow_end(following.log, f->log, &f->report), STATUS_OK);
        EXPECT_EQUAL(following.handed_out, count);
        EXPECT_EQUAL(f->report.torn_bytes, torn);
        EXPECT_EQUAL(log_take_replay(f->log, following.log, &f->report), STATUS_OK);
        EXPECT_EQUAL(log_start(f->log, &f->report), STATUS_OK);
        expect_entries(f, count);
        EXPECT_EQUAL(log_durable(f->log), count);
        EXPECT_EQUAL(log_segment_count(f->log), log_segment_count(plain.log));
        EXPECT(strcmp(f->report.message, plain.report.message) == 0);
        fixture_append_many(f, 3);
        EXPECT_EQUAL(log_stop(f->log), STATUS_OK);
        log_close(f->log);
        f->log = NULL;
        EXPECT_EQUAL(fixture_boot(f), STATUS_OK);
        expect_entries(f, count + 3);
        following_end(&following);
    }
    fixture_end(&plain);
}

static void a_replay_follows_a_scan(void) {
    struct sim_image image;
    sim_image_init(&image);
    expect_following(&image, 0, 0); /* an empty directory */
    sim_image_free(&image);
    for (int stopped = 0; stopped < 2; stopped++) {
        make_image(&image, 40, UINT64_MAX, stopped);
        expect_following(&image, 40, tail_of(&image));
        sim_image_free(&image);
        make_image(&image, 40, 3000, stopped);
        EXPECT(sim_image_find(&image, third_name) != NULL);
        expect_following(&image, 40, tail_of(&image));
        sim_image_free(&image);
    }
}

/* The tail of the last segment is cut in the middle of a frame, at each of some places. */
static void a_replay_follows_up_to_a_torn_tail(void) {
    for (int stopped = 0; stopped < 2; stopped++) {
        struct sim_image image, torn;
        make_image(&image, 30, 3000, stopped); /* It ends in a mark, or in an entry. */
        struct place places[64];
        size_t count = list_frames(last_segment(&image), places, 64);
        EXPECT(count >= 2);
        const struct place *last = &places[count - 1];
        for (uint64_t cut = 8; cut < last->size; cut += 40) {
            sim_image_copy(&image, &torn);
            /* Nothing may say that what is cut was durable. */
            struct sim_file_image *head = sim_image_find(&torn, HEAD_NAME);
            memset(head->data, 0, head->size);
            last_segment(&torn)->size = (size_t)(last->offset + cut);
            expect_following(&torn, 30 - (last->header.kind == FRAME_ENTRY), cut);
            sim_image_free(&torn);
        }
        sim_image_free(&image);
    }
}

/* What a start and nothing else leaves: a segment with a header and no frame; and the same
 * torn in its creation. */
static void a_replay_follows_past_an_empty_segment(void) {
    struct sim_image image;
    struct fixture f;
    make_image(&image, 30, 3000, true);
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    sim_image_free(&image);
    sim_snapshot(f.sim, &image);
    fixture_end(&f);
    EXPECT_EQUAL(last_segment(&image)->size, SEGMENT_HEADER_SIZE);
    expect_following(&image, 30, 0);
    last_segment(&image)->data[100] ^= 1;
    expect_following(&image, 30, 0);
    last_segment(&image)->size = 0;
    expect_following(&image, 30, 0);
    sim_image_free(&image);
}

/* The scan refuses in the middle; what was followed until then lies before the damage. */
static void a_replay_does_not_reach_damage(void) {
    struct sim_image image;
    make_image(&image, 40, 3000, true);
    struct place places[64];
    size_t count = list_frames(sim_image_find(&image, second_name), places, 64);
    for (size_t i = 0; i < count; i++) {
        for (int way = 0; way < 2; way++) {
            struct following following;
            flip(&image, second_name, places[i].offset + places[i].size - 9);
            following_begin(&following, &image);
            EXPECT_EQUAL(follow_a_scan(&following, way ? 100000 : 1), STATUS_CORRUPT);
            EXPECT(following.handed_out <= places[i].header.sequence);
            EXPECT(strncmp(following.f.report.message, "FATAL corrupt", 13) == 0);
            EXPECT_EQUAL(sim_changes(following.f.sim), 0);
            following_end(&following);
            flip(&image, second_name, places[i].offset + places[i].size - 9);
        }
    }
    sim_image_free(&image);
}

/* Roots that do not fit are found by the handle that replays: a segment's, a head slot's,
 * that of an empty segment at the end. */
static void a_following_replay_compares_roots(void) {
    for (int place = 0; place < 2; place++) {
        struct sim_image image;
        struct following following;
        make_image(&image, 40, 3000, true);
        struct sim_file_image *file =
            sim_image_find(&image, place ? HEAD_NAME : second_name);
        file->data[48] ^= 1;
        sign_header(file->data);
        following_begin(&following, &image);
        struct fixture *f = &following.f;
        EXPECT_EQUAL(log_scan(f->log, UINT64_MAX, &f->report), STATUS_OK);
        EXPECT_EQUAL(log_follow_end(following.log, f->log, &f->report), STATUS_OK);
        EXPECT_EQUAL(follow(&following), STATUS_FOREIGN);
        EXPECT(strncmp(following.report.message, "FATAL foreign", 13) == 0);
        following_end(&following);
        sim_image_free(&image);
    }
}

/* A segment without a frame has a root to compare, too. */
static void the_root_of_an_empty_segment_is_compared(void) {
    struct sim_image image;
    struct following following;
    struct fixture f;
    make_image(&image, 20, 3000, true);
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    sim_image_free(&image);
    sim_snapshot(f.sim, &image);
    fixture_end(&f);
    last_segment(&image)->data[48] ^= 1;
    sign_header(last_segment(&image)->data);
    following_begin(&following, &image);
    EXPECT_EQUAL(follow_a_scan(&following, 1000), STATUS_OK);
    struct log *scanned = following.f.log;
    struct log_report *report = &following.f.report;
    EXPECT_EQUAL(log_follow_end(following.log, scanned, report), STATUS_OK);
    EXPECT_EQUAL(log_take_replay(scanned, following.log, report), STATUS_FOREIGN);
    EXPECT(strncmp(report->message, "FATAL foreign", 13) == 0);
    following_end(&following);
    sim_image_free(&image);
}

/* What the watcher answers ends the scan, and the frame is shown again if it goes on. */
static unsigned refusals;
static enum status refuse_some(void *context, const struct frame *frame) {
    return refusals++ % 2 == 0 ? STATUS_AGAIN : keep_frame(context, frame);
}

static void the_watcher_may_stop_the_scan(void) {
    struct sim_image image;
    struct following following;
    make_image(&image, 20, 3000, true);
    following_begin(&following, &image);
    refusals = 0;
    log_watch(following.f.log, refuse_some, &following);
    EXPECT_EQUAL(follow_a_scan(&following, UINT64_MAX), STATUS_OK);
    EXPECT_EQUAL(following.handed_out, 20);
    EXPECT_EQUAL(refusals, 40);
    following_end(&following);
    sim_image_free(&image);
}

/* Two handles that saw two headers: neither is to be trusted. */
static void headers_that_change_are_refused(void) {
    struct sim_image image;
    struct following following;
    struct fixture f;
    make_image(&image, 20, 3000, true);
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK); /* for the empty segment */
    sim_image_free(&image);
    sim_snapshot(f.sim, &image);
    fixture_end(&f);
    following_begin(&following, &image);
    const struct os *os = sim_os(following.f.sim);
    struct file *file;
    EXPECT_EQUAL(os->file_open(os, following.f.directory, last_segment(&image)->name,
                               FILE_WRITE, &file),
                 STATUS_OK);
    EXPECT_EQUAL(os->file_write(os, file, 100, "x", 1), STATUS_OK);
    os->file_close(os, file);
    EXPECT_EQUAL(follow_a_scan(&following, 1000), STATUS_OK);
    struct log_report *report = &following.f.report;
    EXPECT_EQUAL(log_follow_end(following.log, following.f.log, report), STATUS_IO);
    EXPECT(strstr(report->message, last_segment(&image)->name) != NULL);
    following_end(&following);
    sim_image_free(&image);
}

/* --- Synced in place ---------------------------------------------------------------------- */

/* How many entries stand after a crash now that loses everything it can? */
static uint64_t surviving(struct fixture *f) {
    struct crash_point *point = crash_begin(f->sim);
    while (crash_advance(point)) continue;
    size_t count;
    crash_variables(point, &count);
    uint16_t *choice = calloc(count + 1, sizeof *choice); /* 0: nothing of it */
    struct sim_image image;
    crash_image(point, choice, 1, &image);
    crash_end(point);
    free(choice);
    struct fixture after;
    fixture_begin(&after, &image);
    EXPECT_EQUAL(fixture_boot(&after), STATUS_OK);
    uint64_t size = log_size(after.log);
    expect_entries(&after, size);
    fixture_end(&after);
    sim_image_free(&image);
    return size;
}

static void synced_here_survives(void) {
    for (int rolls = 0; rolls < 2; rolls++) {
        struct fixture f;
        fixture_begin(&f, NULL);
        if (rolls) f.options.segment_size = 2000;
        sim_record(f.sim);
        EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
        EXPECT_EQUAL(log_sync_here(f.log), STATUS_OK); /* Nothing there yet. */
        for (uint64_t round = 1; round <= 6; round++) {
            fixture_append_many(&f, 5);
            EXPECT_EQUAL(log_sync_here(f.log), STATUS_OK); /* Not flushed: not its business. */
            EXPECT_EQUAL(log_durable(f.log), 5 * (round - 1));
            EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
            EXPECT_EQUAL(log_sync_here(f.log), STATUS_OK);
            EXPECT_EQUAL(log_durable(f.log), 5 * round);
            EXPECT_EQUAL(log_unsynced_bytes(f.log), 0);
            EXPECT(!log_sync_running(f.log));
            EXPECT_EQUAL(surviving(&f), 5 * round);
            uint64_t calls = sim_calls(f.sim);
            EXPECT_EQUAL(log_sync_here(f.log), STATUS_OK); /* Once is enough. */
            EXPECT_EQUAL(sim_calls(f.sim), calls);
        }
        EXPECT(log_segment_count(f.log) > 1 || !rolls);
        expect_entries(&f, 30);
        fixture_end(&f);
    }
}

static void sync_here_leaves_a_running_sync_alone(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    sim_set_sync_polls(f.sim, 3);
    fixture_append_many(&f, 4);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    EXPECT_EQUAL(log_sync_start(f.log), STATUS_OK);
    fixture_append_many(&f, 2);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    EXPECT_EQUAL(log_sync_here(f.log), STATUS_OK);
    EXPECT(log_sync_running(f.log));
    EXPECT_EQUAL(log_durable(f.log), 0);
    EXPECT_EQUAL(log_sync_poll(f.log, true), STATUS_OK);
    EXPECT_EQUAL(log_durable(f.log), 4);
    EXPECT_EQUAL(log_sync_here(f.log), STATUS_OK);
    EXPECT_EQUAL(log_durable(f.log), 6);
    fixture_end(&f);
}

static void a_failed_sync_here_is_final(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 3);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    sim_set_fault(f.sim, sim_calls(f.sim), SIM_FAULT_FAIL, EIO, false);
    EXPECT_EQUAL(log_sync_here(f.log), STATUS_IO);
    EXPECT_EQUAL(log_error(f.log), EIO);
    EXPECT_EQUAL(log_durable(f.log), 0);
    uint64_t calls = sim_calls(f.sim);
    EXPECT_EQUAL(log_sync_here(f.log), STATUS_IO);
    EXPECT_EQUAL(log_sync_start(f.log), STATUS_IO);
    EXPECT_EQUAL(fixture_append(&f), STATUS_IO);
    EXPECT_EQUAL(sim_calls(f.sim), calls);
    fixture_end(&f);
}

int main(void) {
    RUN(replay_hands_out_what_was_appended);
    RUN(G9_roots_that_do_not_fit_are_foreign);
    RUN(a_replay_follows_a_scan);
    RUN(a_replay_follows_up_to_a_torn_tail);
    RUN(a_replay_follows_past_an_empty_segment);
    RUN(a_replay_does_not_reach_damage);
    RUN(a_following_replay_compares_roots);
    RUN(the_root_of_an_empty_segment_is_compared);
    RUN(the_watcher_may_stop_the_scan);
    RUN(headers_that_change_are_refused);
    RUN(synced_here_survives);
    RUN(sync_here_leaves_a_running_sync_alone);
    RUN(a_failed_sync_here_is_final);
    return test_finish();
}
