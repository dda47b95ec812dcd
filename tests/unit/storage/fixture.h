/* What the storage tests share: a log on a simulated machine, entries that can be
 * recognised, and an allocator that counts and can fail. */
#ifndef TESTS_UNIT_STORAGE_FIXTURE_H
#define TESTS_UNIT_STORAGE_FIXTURE_H

#include "base/check.h"
#include "sim/sim_os.h"
#include "storage/frame.h"
#include "storage/head.h"
#include "storage/log.h"
#include "storage/segment.h"
#include "test.h"

/* A check() that fails ends the program; say in which test. */
static const char *fixture_test = "";
static inline void fixture_panic(const char *what, const char *file, int line) {
    printf("  FAIL %s: check failed at %s:%d: %s\n", fixture_test, file, line, what);
    exit(1);
}
#undef RUN
#define RUN(test) (fixture_test = #test, test_one(#test, test))

struct counting {
    size_t used;
    uint64_t calls, fail_at; /* the call with this number fails; UINT64_MAX: none */
};

static inline void *counting_resize(void *context, void *block, size_t old_size,
                                    size_t new_size) {
    struct counting *counting = context;
    if (new_size == 0) {
        free(block);
        counting->used -= old_size;
        return NULL;
    }
    if (counting->calls++ == counting->fail_at) return NULL;
    void *moved = realloc(block, new_size);
    if (moved) counting->used += new_size - old_size;
    return moved;
}

/* A machine with a log on it. */
struct fixture {
    struct counting counting;
    struct allocator allocator;
    struct sim *sim;
    struct directory *directory;
    struct log_options options;
    const struct log_cover *cover; /* where to begin; NULL: at the beginning */
    struct log *log;
    struct log_report report;
};

static inline void fixture_begin(struct fixture *f, const struct sim_image *image) {
    memset(f, 0, sizeof *f);
    panic_set_hook(fixture_panic);
    f->counting.fail_at = UINT64_MAX;
    f->allocator = (struct allocator){&f->counting, counting_resize};
    f->sim = sim_create(1, image);
    f->options =
        (struct log_options){.segment_size = UINT64_MAX, .reserve_size = 1 << 20};
    const struct os *os = sim_os(f->sim);
    EXPECT_EQUAL(os->directory_open(os, ".", &f->directory), STATUS_OK);
}

static inline void fixture_end(struct fixture *f) {
    log_close(f->log);
    const struct os *os = sim_os(f->sim);
    os->directory_close(os, f->directory);
    sim_destroy(f->sim);
    EXPECT_EQUAL(f->counting.used, 0);
}

static inline enum status fixture_open(struct fixture *f) {
    return log_open(sim_os(f->sim), &f->allocator, f->directory, &f->options, &f->log,
                    &f->report);
}

/* open, scan, replay, start: all until the log can be appended to, or the refusal. */
static inline enum status fixture_boot(struct fixture *f) {
    enum status status = fixture_open(f);
    if (!status && f->cover) status = log_begin_at(f->log, f->cover, &f->report);
    if (status) return status;
    do status = log_scan(f->log, 4096, &f->report);
    while (status == STATUS_AGAIN);
    struct frame frame;
    while (!status) status = log_next(f->log, &frame, &f->report);
    if (status == STATUS_END)
        status = f->options.read_only ? STATUS_OK : log_start(f->log, &f->report);
    return status;
}

/* The entry that the tests append as number `sequence`: its size and parts vary. */
struct sample {
    uint8_t bytes[2048];
    struct log_entry entry;
};

static inline void sample_make(struct sample *sample, uint64_t sequence) {
    uint64_t state = sequence * 77 + 5;
    for (size_t i = 0; i < sizeof sample->bytes; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        sample->bytes[i] = (uint8_t)(state >> 56);
    }
    const uint8_t *at = sample->bytes;
    size_t body = (size_t)(sequence * 37 % 300);
    size_t list = sequence % 5 == 3 ? (size_t)(sequence * 13 % 200) : 0;
    size_t payload = sequence % 3 == 0 ? 0 : (size_t)(sequence * 101 % 900);
    sample->entry = (struct log_entry){
        .type = (uint8_t)(sequence % 7 + 1),
        .head = slice_of(at, 68),
        .body = slice_of(at + 68, body),
        .list = slice_of(at + 400, list),
        .payload = slice_of(at + 800, payload),
    };
}

static inline enum status fixture_append(struct fixture *f) {
    struct sample sample;
    uint8_t leaf[SHA256_SIZE];
    sample_make(&sample, log_size(f->log));
    return log_append(f->log, &sample.entry, leaf);
}

static inline void fixture_append_many(struct fixture *f, unsigned count) {
    for (unsigned i = 0; i < count; i++) EXPECT_EQUAL(fixture_append(f), STATUS_OK);
}

/* MTH of the first `count` sample entries. */
static inline void sample_root(uint64_t count, uint8_t root[SHA256_SIZE]) {
    struct rfc6962_range range;
    rfc6962_begin(&range);
    for (uint64_t i = 0; i < count; i++) {
        struct sample sample;
        uint8_t leaf[SHA256_SIZE];
        sample_make(&sample, i);
        rfc6962_leaf(sample.entry.head, sample.entry.body, leaf);
        rfc6962_append(&range, leaf);
    }
    rfc6962_root(&range, root);
}

/* Does the booted log hold exactly `count` sample entries? */
static inline void expect_entries(struct fixture *f, uint64_t count) {
    EXPECT_EQUAL(log_size(f->log), count);
    uint8_t actual[SHA256_SIZE], wanted[SHA256_SIZE];
    log_root(f->log, actual);
    sample_root(count, wanted);
    EXPECT_BYTES(actual, wanted, SHA256_SIZE);
}

/* A directory that holds a log of `count` entries in segments of about `segment_size`,
 * cleanly stopped, or (`stopped` false) flushed and synced only. */
static inline void make_image(struct sim_image *image, unsigned count,
                              uint64_t segment_size, bool stopped) {
    struct fixture f;
    fixture_begin(&f, NULL);
    f.options.segment_size = segment_size;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    for (unsigned i = 0; i < count; i++) {
        EXPECT_EQUAL(fixture_append(&f), STATUS_OK);
        EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
        EXPECT_EQUAL(log_sync_start(f.log), STATUS_OK);
        EXPECT_EQUAL(log_sync_poll(f.log, true), STATUS_OK);
    }
    if (stopped) EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    sim_snapshot(f.sim, image);
    fixture_end(&f);
}

static const char first_name[] = "valori-00000001.log";
static const char second_name[] = "valori-00000002.log";
static const char third_name[] = "valori-00000003.log";

/* Offsets of the frames in a segment's bytes; gives their number, at most `capacity`. */
struct place {
    uint64_t offset, size;
    struct frame_header header;
};
static inline size_t list_frames(const struct sim_file_image *file, struct place *places,
                                 size_t capacity) {
    struct segment_header segment;
    EXPECT_EQUAL(segment_header_decode(file->data, &segment), STATUS_OK);
    uint64_t offset = SEGMENT_HEADER_SIZE;
    size_t count = 0;
    while (offset < file->size && count < capacity) {
        struct place *place = &places[count];
        place->offset = offset;
        if (frame_header_decode(segment.key, file->data + offset, &place->header)) break;
        EXPECT(frame_size(&place->header, &place->size));
        offset += place->size;
        count++;
    }
    return count;
}

#endif
