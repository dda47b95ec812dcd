/* Hashes and proofs of the log tree, against a tree made from the entries, and the log's
 * root after any number of them, in a log that was appended to and in one that was found.
 */
#include "storage/log_tree.h"

#include "storage/cursor.h"
#include "unit/storage/fixture.h"

static void expect_root(struct fixture *f, uint64_t size) {
    uint8_t actual[SHA256_SIZE], wanted[SHA256_SIZE];
    EXPECT_EQUAL(log_tree_root(f->log, size, actual), STATUS_OK);
    sample_root(size, wanted);
    EXPECT_BYTES(actual, wanted, SHA256_SIZE);
}

static void expect_inclusion(struct fixture *f, uint64_t sequence, uint64_t size) {
    uint8_t root[SHA256_SIZE], leaf[SHA256_SIZE], wanted[SHA256_SIZE];
    struct log_proof proof;
    struct sample sample;
    EXPECT_EQUAL(log_tree_inclusion(f->log, sequence, size, &proof), STATUS_OK);
    EXPECT_EQUAL(log_tree_leaf(f->log, sequence, leaf), STATUS_OK);
    sample_make(&sample, sequence);
    rfc6962_leaf(sample.entry.head, sample.entry.body, wanted);
    EXPECT_BYTES(leaf, wanted, SHA256_SIZE);
    EXPECT_EQUAL(log_tree_root(f->log, size, root), STATUS_OK);
    EXPECT(rfc6962_verify_inclusion(sequence, size, leaf, proof.hashes[0], proof.count,
                                    root));
}

static void expect_consistency(struct fixture *f, uint64_t size1, uint64_t size2) {
    uint8_t root1[SHA256_SIZE], root2[SHA256_SIZE];
    struct log_proof proof;
    EXPECT_EQUAL(log_tree_consistency(f->log, size1, size2, &proof), STATUS_OK);
    EXPECT_EQUAL(log_tree_root(f->log, size1, root1), STATUS_OK);
    EXPECT_EQUAL(log_tree_root(f->log, size2, root2), STATUS_OK);
    EXPECT(rfc6962_verify_consistency(size1, size2, proof.hashes[0], proof.count, root1,
                                      root2));
}

static void make_log(struct fixture *f, unsigned count, uint64_t segment_size) {
    fixture_begin(f, NULL);
    f->options.segment_size = segment_size;
    EXPECT_EQUAL(fixture_boot(f), STATUS_OK);
    for (unsigned i = 0; i < count; i += 10) {
        fixture_append_many(f, 10);
        EXPECT_EQUAL(log_flush(f->log), STATUS_OK);
        EXPECT_EQUAL(log_sync_start(f->log), STATUS_OK);
        EXPECT_EQUAL(log_sync_poll(f->log, true), STATUS_OK);
    }
}

static void proves_all_of_a_small_log(void) {
    struct fixture f;
    make_log(&f, 40, 4000);
    EXPECT(log_segment_count(f.log) > 2);
    for (uint64_t size = 0; size <= 40; size++) expect_root(&f, size);
    for (uint64_t size = 1; size <= 40; size++)
        for (uint64_t i = 0; i < size; i++) {
            expect_inclusion(&f, i, size);
            expect_consistency(&f, i + 1, size);
        }
    fixture_end(&f);
}

static void proves_over_blocks_and_segments(void) {
    struct fixture f;
    make_log(&f, 2600, 100000);
    EXPECT(log_segment_count(f.log) > 5);
    uint64_t random = 3;
    for (int i = 0; i < 400; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint64_t size = 1 + (random >> 33) % 2600, below = (random >> 11) % size;
        if (i % 4 == 0) size = (size + 255) & ~UINT64_C(255);
        if (size > 2600) size = 2560;
        expect_inclusion(&f, below, size);
        expect_consistency(&f, below + 1, size);
    }
    expect_root(&f, 2600);
    expect_root(&f, 2559);
    fixture_end(&f);
}

static void grows_with_the_log(void) {
    struct fixture f;
    make_log(&f, 20, UINT64_MAX);
    for (int i = 0; i < 30; i++) {
        fixture_append_many(&f, 13);
        uint64_t size = log_written(f.log);
        if (size > 0) expect_inclusion(&f, size - 1, size);
        EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
        expect_inclusion(&f, log_size(f.log) - 1, log_size(f.log));
        expect_inclusion(&f, size, log_size(f.log));
    }
    fixture_end(&f);
}

static void knows_it_after_a_restart(void) {
    struct sim_image image;
    make_image(&image, 600, 60000, true);
    struct fixture f;
    fixture_begin(&f, &image);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    EXPECT_EQUAL(fixture_append(&f), STATUS_OK);
    EXPECT_EQUAL(log_flush(f.log), STATUS_OK);
    for (uint64_t i = 0; i < 601; i += 50) {
        expect_inclusion(&f, i, 601);
        expect_consistency(&f, i + 1, 601);
    }
    fixture_end(&f);
    sim_image_free(&image);
}

static void answers_what_it_does_not_know(void) {
    struct fixture f;
    make_log(&f, 20, UINT64_MAX);
    fixture_append_many(&f, 1); /* it waits in the buffer */
    uint8_t hash[SHA256_SIZE];
    struct log_proof proof;
    EXPECT_EQUAL(log_tree_leaf(f.log, 20, hash), STATUS_RANGE);
    EXPECT_EQUAL(log_tree_leaf(f.log, UINT64_MAX, hash), STATUS_RANGE);
    EXPECT_EQUAL(log_tree_node(f.log, 63, 1, hash), STATUS_RANGE);
    EXPECT_EQUAL(log_tree_node(f.log, 4, 1, hash), STATUS_RANGE);
    EXPECT_EQUAL(log_tree_root(f.log, 21, hash), STATUS_RANGE);
    EXPECT_EQUAL(log_tree_inclusion(f.log, 3, 21, &proof), STATUS_RANGE);
    EXPECT_EQUAL(log_tree_inclusion(f.log, 3, 3, &proof), STATUS_INVALID);
    EXPECT_EQUAL(log_tree_consistency(f.log, 0, 3, &proof), STATUS_INVALID);
    EXPECT_EQUAL(log_tree_consistency(f.log, 4, 3, &proof), STATUS_INVALID);
    EXPECT_EQUAL(log_tree_consistency(f.log, 4, 21, &proof), STATUS_RANGE);
    EXPECT_EQUAL(log_tree_consistency(f.log, 4, 4, &proof), STATUS_OK);
    EXPECT_EQUAL(proof.count, 0);
    fixture_end(&f);
}

/* An entry that was changed on the disk, checks and all, is not what was hashed. */
static void files_that_changed_are_noticed(void) {
    struct fixture f;
    make_log(&f, 300, UINT64_MAX);
    const struct os *os = sim_os(f.sim);
    struct file *file;
    struct sim_image image;
    sim_snapshot(f.sim, &image);
    struct sim_file_image *segment = sim_image_find(&image, first_name);
    struct segment_header header;
    EXPECT_EQUAL(segment_header_decode(segment->data, &header), STATUS_OK);
    static struct place places[400];
    EXPECT(list_frames(segment, places, 400) >= 300);
    struct sample sample;
    sample_make(&sample, 100);
    sample.bytes[3] ^= 1;
    static uint8_t bytes[4096];
    EXPECT_EQUAL(places[100].header.sequence, 100);
    frame_encode(header.key, &places[100].header, &sample.entry, bytes);
    EXPECT_EQUAL(os->file_open(os, f.directory, first_name, FILE_WRITE, &file),
                 STATUS_OK);
    EXPECT_EQUAL(os->file_write(os, file, places[100].offset, bytes, places[100].size),
                 STATUS_OK);
    os->file_close(os, file);
    uint8_t hash[SHA256_SIZE];
    EXPECT_EQUAL(log_tree_leaf(f.log, 99, hash), STATUS_CORRUPT);
    EXPECT_EQUAL(log_tree_leaf(f.log, 280, hash), STATUS_OK);
    sim_image_free(&image);
    fixture_end(&f);
}

static void memory_may_run_out(void) {
    for (uint64_t fail_at = 0; fail_at < 40; fail_at++) {
        struct fixture f;
        make_log(&f, 520, 30000);
        f.counting.fail_at = f.counting.calls + fail_at;
        uint8_t hash[SHA256_SIZE];
        struct log_proof proof;
        enum status status = log_tree_inclusion(f.log, 300, 520, &proof);
        EXPECT(status == STATUS_OK || status == STATUS_MEMORY);
        f.counting.fail_at = UINT64_MAX;
        EXPECT_EQUAL(log_tree_leaf(f.log, 17, hash), STATUS_OK);
        expect_inclusion(&f, 300, 520);
        fixture_end(&f);
        if (status == STATUS_OK) break;
    }
}

enum { ENTRIES = 5000 };

static uint8_t roots[ENTRIES + 1][SHA256_SIZE];

/* Short entries, so that many blocks are quick to fill. */
static void append_short(struct fixture *f, uint64_t sequence) {
    uint8_t head[68] = {0}, leaf[SHA256_SIZE];
    memcpy(head, &sequence, sizeof sequence);
    struct log_entry entry = {.type = 3, .head = slice_of(head, sizeof head)};
    EXPECT_EQUAL(log_append(f->log, &entry, leaf), STATUS_OK);
}

static void fill(struct fixture *f, uint64_t count) {
    while (log_size(f->log) < count) {
        log_root(f->log, roots[log_size(f->log)]);
        append_short(f, log_size(f->log));
        if (log_size(f->log) % 100 == 0) EXPECT_EQUAL(log_flush(f->log), STATUS_OK);
    }
    log_root(f->log, roots[count]);
    EXPECT_EQUAL(log_flush(f->log), STATUS_OK);
    EXPECT_EQUAL(log_sync_start(f->log), STATUS_OK);
    EXPECT_EQUAL(log_sync_poll(f->log, true), STATUS_OK);
}

static void expect_roots(struct fixture *f, uint64_t step) {
    for (uint64_t n = 0; n <= log_size(f->log); n += step) {
        struct rfc6962_range range;
        uint8_t root[SHA256_SIZE];
        EXPECT_EQUAL(log_range_at(f->log, n, &range), STATUS_OK);
        EXPECT_EQUAL(range.size, n);
        rfc6962_root(&range, root);
        EXPECT_BYTES(root, roots[n], SHA256_SIZE);
        struct log_cursor cursor;
        struct frame frame;
        log_cursor_begin(&cursor, f->log);
        EXPECT_EQUAL(log_cursor_seek(&cursor, n), STATUS_OK);
        EXPECT_EQUAL(log_cursor_next(&cursor, &frame),
                     n < log_size(f->log) ? STATUS_OK : STATUS_END);
        if (n < log_size(f->log)) EXPECT_EQUAL(frame.sequence, n);
        log_cursor_end(&cursor);
    }
}

static void every_root_of_the_past_is_known(void) {
    struct sim_image image;
    struct fixture f;
    fixture_begin(&f, NULL);
    f.options.segment_size = 100000;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fill(&f, 1025);
    expect_roots(&f, 1);
    fill(&f, 4000);
    expect_roots(&f, 127);
    expect_roots(&f, 512);
    EXPECT_EQUAL(log_stop(f.log), STATUS_OK);
    sim_snapshot(f.sim, &image);
    fixture_end(&f);

    fixture_begin(&f, &image); /* found on the disk, then appended to */
    f.options.segment_size = 100000;
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    expect_roots(&f, 511);
    fill(&f, ENTRIES);
    expect_roots(&f, 127);
    expect_roots(&f, 1024);
    struct rfc6962_range range;
    EXPECT_EQUAL(log_range_at(f.log, ENTRIES + 1, &range), STATUS_RANGE);
    fixture_end(&f);
    sim_image_free(&image);
}

static void without_memory_nothing_is_appended(void) {
    struct fixture f;
    fixture_begin(&f, NULL);
    EXPECT_EQUAL(fixture_boot(&f), STATUS_OK);
    fixture_append_many(&f, 255);
    f.counting.fail_at = f.counting.calls; /* the first row of nodes is the next thing */
    EXPECT_EQUAL(fixture_append(&f), STATUS_MEMORY);
    EXPECT_EQUAL(log_size(f.log), 255);
    f.counting.fail_at = UINT64_MAX;
    EXPECT_EQUAL(fixture_append(&f), STATUS_OK);
    expect_entries(&f, 256);
    fixture_end(&f);
}

int main(void) {
    RUN(proves_all_of_a_small_log);
    RUN(proves_over_blocks_and_segments);
    RUN(grows_with_the_log);
    RUN(knows_it_after_a_restart);
    RUN(answers_what_it_does_not_know);
    RUN(files_that_changed_are_noticed);
    RUN(memory_may_run_out);
    RUN(every_root_of_the_past_is_known);
    RUN(without_memory_nothing_is_appended);
    return test_finish();
}
