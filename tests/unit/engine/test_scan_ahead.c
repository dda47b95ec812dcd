/* Recovery with the scan on a thread of its own and without threads: the same state, the same
 * report, the same refusals. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "engine/engine_internal.h"
#include "unit/engine/fixture.h"

static char path[PATH_SIZE];
static struct engine_options options;
static struct engine *engine;
static struct engine_report report;
static struct made made;

/* --- Two ways to recover -------------------------------------------------------------------- */

enum way { WITH_THREADS, WITHOUT, WAYS };

static pthread_t loop_thread;
static bool slow_scan;       /* the scan's reads take long, so that the replay catches up */
static atomic_uint elsewhere; /* reads that another thread than ours has made */

static enum status counted_read(const struct os *os, struct file *file, uint64_t offset,
                                void *bytes, size_t size, size_t *got) {
    if (!pthread_equal(pthread_self(), loop_thread)) {
        atomic_fetch_add(&elsewhere, 1);
        if (slow_scan) usleep(3000);
    }
    return posix_os()->file_read(os, file, offset, bytes, size, got);
}

static void use(enum way way) {
    world.os.task_start = way == WITH_THREADS ? posix_os()->task_start : NULL;
    world.os.file_read = counted_read;
    loop_thread = pthread_self();
    atomic_store(&elsewhere, 0);
}

/* What came out of a recovery. */
struct found {
    enum status status;
    struct engine_report report;
    struct proof_state proof;
    struct roots content;
    uint64_t replayed;
};

/* What a server answers while the log is loaded. */
static void look_while_it_loads(uint64_t *last) {
    uint64_t done, total;
    struct engine_facts facts;
    struct proof_state proof;
    engine_progress(engine, &done, &total);
    EXPECT(done >= *last && done <= total);
    *last = done;
    engine_facts(engine, &facts);
    engine_proof_state(engine, &proof);
    EXPECT_EQUAL(engine_acknowledged(engine), 0);
}

/* Recover a copy of the directory, so that the next one finds it as it was. */
static void recover(enum way way, struct found *found) {
    char copy[PATH_SIZE];
    *found = (struct found){0};
    directory_make(copy);
    directory_copy(path, copy);
    options.directory = copy;
    use(way);
    uint64_t last = 0;
    enum status status =
        engine_open(&world.os, os_allocator(), &options, &engine, &found->report);
    bool opened = !status;
    while (opened && (status = engine_recover(engine, 0, &found->report)) == STATUS_AGAIN)
        look_while_it_loads(&last);
    found->status = status;
    if (opened && !status) {
        struct engine_facts facts;
        engine_facts(engine, &facts);
        found->replayed = facts.entries_replayed;
        engine_proof_state(engine, &found->proof);
        EXPECT_EQUAL(recompute_all(engine_state(engine), false, &found->content), STATUS_OK);
        EXPECT_EQUAL(engine_durable(engine), engine_size(engine));
        /* It goes on, and what was added is there the next time. */
        uint64_t size = engine_size(engine);
        EXPECT_EQUAL(submit(engine, make_vadd(&made, "after", "e", 1)), STATUS_OK);
        EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
        stop_engine(engine);
        EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
        EXPECT_EQUAL(engine_size(engine), size + 2);
        stop_engine(engine);
    } else if (opened) {
        engine_close(engine);
    }
    options.directory = path;
    directory_remove(copy);
}

/* Recover in both ways, and demand one outcome. */
static struct found recover_both(void) {
    struct found found[WAYS];
    for (enum way way = 0; way < WAYS; way++) {
        recover(way, &found[way]);
        if (way == WITHOUT) EXPECT_EQUAL(atomic_load(&elsewhere), 0);
    }
    const struct found *a = &found[WITH_THREADS], *b = &found[WITHOUT];
    EXPECT_EQUAL(a->status, b->status);
    EXPECT_EQUAL(engine_exit_code(a->status), engine_exit_code(b->status));
    EXPECT_EQUAL(a->report.last_seal, b->report.last_seal);
    if (strcmp(a->report.message, b->report.message) != 0) {
        EXPECT(!"the same message");
        printf("    %s\n    %s\n", a->report.message, b->report.message);
    }
    const struct log_report *x = &a->report.log, *y = &b->report.log;
    EXPECT_EQUAL(x->segments, y->segments);
    EXPECT_EQUAL(x->entries, y->entries);
    EXPECT_EQUAL(x->bytes, y->bytes);
    EXPECT_EQUAL(x->torn_bytes, y->torn_bytes);
    EXPECT_EQUAL(x->ignored_files, y->ignored_files);
    EXPECT(strcmp(x->bad_file, y->bad_file) == 0);
    EXPECT_EQUAL(x->bad_offset, y->bad_offset);
    EXPECT_EQUAL(x->bad_sequence, y->bad_sequence);
    EXPECT(proofs_equal(&a->proof, &b->proof));
    EXPECT_BYTES(a->content.state_root, b->content.state_root, SHA256_SIZE);
    EXPECT_EQUAL(a->replayed, b->replayed);
    return found[WITH_THREADS];
}

/* --- Logs ----------------------------------------------------------------------------------- */

static void begin(uint64_t segment_size) {
    world_begin();
    use(WITHOUT);
    directory_make(path);
    options = options_for(path);
    options.segment_size = segment_size;
    options.sync_policy = SYNC_NO;
    slow_scan = false;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
}

static void end(void) { directory_remove(path); }

/* `count` changes, some of them large, and a SEAL after every `seal_every`. */
static void fill(int count, int seal_every, size_t attributes_size) {
    static char attributes[60001];
    memset(attributes, 'a', sizeof attributes - 1);
    attributes[attributes_size] = '\0';
    for (int i = 0; i < count; i++) {
        char name[12];
        snprintf(name, sizeof name, "e%d", i % 200);
        EXPECT_EQUAL(submit(engine, make_vadd(&made, "k", name, i)), STATUS_OK);
        if (i % 3 == 0)
            EXPECT_EQUAL(submit(engine, make_setattr(&made, "k", name, attributes)),
                         STATUS_OK);
        if (seal_every && i % seal_every == seal_every - 1)
            EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
        if (i % 20 == 19) {
            turn(engine);
            turn(engine);
        }
    }
}

/* A SEAL whose state root is wrong, as whole as any other. */
static void append_wrong_seal(void) {
    struct roots roots;
    uint8_t body[SEAL_SIZE];
    uint64_t sequence;
    kernel_seal(engine->kernel, &roots);
    roots.state_root[5] ^= 1;
    seal_encode(engine_size(engine), &roots, body);
    struct entry_parts parts = {.type = CHANGE_SEAL,
                                .flags = ENTRY_NO_STATE,
                                .body = slice_of(body, sizeof body)};
    EXPECT_EQUAL(engine_append(engine, &parts, &sequence), STATUS_OK);
}

static void file_name(int segment, char name[PATH_SIZE + 64]) {
    snprintf(name, PATH_SIZE + 64, "%s/valori-%08d.log", path, segment);
}
static void flip_byte(int segment, long offset) {
    char name[PATH_SIZE + 64];
    file_name(segment, name);
    FILE *file = fopen(name, "r+b");
    EXPECT(file != NULL);
    if (!file) return;
    fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET);
    int byte = fgetc(file);
    fseek(file, -1, SEEK_CUR);
    fputc(byte ^ 4, file);
    fclose(file);
}

/* --- What is whole -------------------------------------------------------------------------- */

static void the_same_state_either_way(void) {
    /* How much, in which segments, sealed how often, and with how large attributes. */
    static const struct {
        int count, seal_every;
        uint64_t segment_size;
        size_t attributes;
    } cases[] = {{0, 0, 1 << 20, 0},        {1, 1, 1 << 20, 0},
                 {2000, 50, 64 << 20, 10},  {2000, 50, 64 << 10, 10},
                 {300, 7, 1 << 20, 60000},  {300, 7, 64 << 20, 60000},
                 {300, 0, 1 << 20, 60000},  {300, 290, 1 << 20, 60000},
                 {1200, 550, 4 << 20, 60000}}; /* more between SEALs than is under way */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(cases[i].segment_size);
        fill(cases[i].count, cases[i].seal_every, cases[i].attributes);
        if (i % 2) stop_engine(engine);
        else engine_close(engine); /* A killed server: what was written stands. */
        for (slow_scan = false;; slow_scan = true) {
            struct found found = recover_both();
            EXPECT_EQUAL(found.status, STATUS_OK);
            EXPECT_EQUAL(found.report.last_seal == UINT64_MAX, cases[i].seal_every == 0);
            if (slow_scan) break;
        }
        end();
    }
}

static void torn_tails_and_empty_segments(void) {
    char name[PATH_SIZE + 64];
    for (int empty = 0; empty < 2; empty++) {
        begin(64 << 20);
        fill(300, 10, 60000);
        engine_close(engine);
        file_name(1, name);
        EXPECT_EQUAL(truncate(name, 4000001), 0);
        if (empty) { /* Started and ended: the tail was cut, a segment was begun. */
            use(WITHOUT);
            EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
            engine_close(engine);
        }
        struct found found = recover_both();
        EXPECT_EQUAL(found.status, STATUS_OK);
        EXPECT_EQUAL(found.report.log.torn_bytes > 0, !empty);
        EXPECT_EQUAL(found.report.log.segments, empty ? 2 : 1);
        EXPECT(found.replayed > 10);
        end();
    }
}

/* The replay does not wait for the whole scan. */
static void the_replay_runs_beside_the_scan(void) {
    begin(2 << 20);
    fill(600, 5, 60000);
    stop_engine(engine);
    slow_scan = true;
    use(WITH_THREADS);
    EXPECT_EQUAL(engine_open(&world.os, os_allocator(), &options, &engine, &report),
                 STATUS_OK);
    uint64_t ahead = 0;
    enum status status;
    while ((status = engine_recover(engine, 0, &report)) == STATUS_AGAIN)
        if (!atomic_load(&engine->ahead.done)) ahead = engine->facts.entries_replayed;
    EXPECT_EQUAL(status, STATUS_OK);
    EXPECT(ahead > 0);
    EXPECT(engine->facts.entries_replayed > ahead);
    stop_engine(engine);
    end();
}

/* --- What is not ---------------------------------------------------------------------------- */

static void damage_is_refused_either_way(void) {
    /* In the middle, at the beginning, in a header, near the end of a segment. */
    static const struct {
        int segment;
        long offset;
    } places[] = {{3, 500000}, {3, 512 + 200}, {2, 100}, {1, -700}, {1, 600}, {3, 1000000}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        begin(2 << 20);
        fill(400, 5, 60000);
        stop_engine(engine);
        flip_byte(places[i].segment, places[i].offset);
        for (slow_scan = false;; slow_scan = true) {
            struct found found = recover_both();
            EXPECT_EQUAL(found.status, STATUS_CORRUPT);
            EXPECT(strncmp(found.report.message, "FATAL corrupt", 13) == 0);
            EXPECT(strstr(found.report.message, "nothing was modified") != NULL);
            if (slow_scan) break;
        }
        end();
    }
}

static void a_wrong_last_seal_is_refused_either_way(void) {
    /* What follows the wrong SEAL: nothing, changes, changes and a right SEAL. */
    for (int after = 0; after < 3; after++) {
        begin(1 << 20);
        fill(150, 10, 60000);
        EXPECT_EQUAL(submit(engine, make_vadd(&made, "k", "wrong", 1)), STATUS_OK);
        uint64_t wrong = engine_size(engine);
        append_wrong_seal();
        if (after > 0) fill(100, 0, 60000);
        if (after > 1) EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
        stop_engine(engine);
        for (slow_scan = false;; slow_scan = true) {
            if (after == 2) {
                EXPECT_EQUAL(recover_both().status, STATUS_OK);
            } else {
                struct found found = recover_both();
                EXPECT_EQUAL(found.status, STATUS_CORRUPT);
                EXPECT_EQUAL(found.report.log.bad_sequence, wrong);
                EXPECT_EQUAL(found.report.last_seal, wrong);
                EXPECT(strstr(found.report.message, "root recomputed") != NULL);
            }
            if (slow_scan) break;
        }
        end();
    }
}

/* More log than can be under way lies behind a SEAL: then that one is compared, though it
 * is not the last. Where there are no threads, only the last one is. */
static void a_wrong_seal_with_much_behind_it_is_noticed(void) {
    begin(64 << 20);
    fill(30, 10, 60000);
    EXPECT_EQUAL(submit(engine, make_vadd(&made, "k", "wrong", 1)), STATUS_OK);
    uint64_t wrong = engine_size(engine);
    append_wrong_seal();
    fill(3 * (int)(SCAN_BLOCKS * SCAN_BLOCK_SIZE / 60000) + 60, 0, 60000);
    EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
    stop_engine(engine);
    struct found found;
    for (slow_scan = false;; slow_scan = true) {
        recover(WITH_THREADS, &found);
        EXPECT_EQUAL(found.status, STATUS_CORRUPT);
        EXPECT_EQUAL(found.report.log.bad_sequence, wrong);
        if (slow_scan) break;
    }
    recover(WITHOUT, &found);
    EXPECT_EQUAL(found.status, STATUS_OK);
    end();
}

/* A payload that is not what its entry commits to, in a frame that is whole: the replay says
 * so, in the same words. */
static void a_payload_that_does_not_fit_is_refused_either_way(void) {
    for (int last = 0; last < 2; last++) {
        begin(1 << 20);
        fill(100, 10, 100);
        struct change *change = make_vadd(&made, "k", "x", 1);
        struct buffer body, payload;
        buffer_init(&body, os_allocator(), 1 << 20);
        buffer_init(&payload, os_allocator(), 1 << 20);
        change_commit(change);
        EXPECT_EQUAL(change_encode_body(change, &body), STATUS_OK);
        change->element = slice_text("y");
        EXPECT_EQUAL(change_encode_payload(change, true, &payload), STATUS_OK);
        struct entry_parts parts = {.type = CHANGE_VADD,
                                    .body = buffer_slice(&body),
                                    .payload = buffer_slice(&payload)};
        uint64_t sequence;
        EXPECT_EQUAL(engine_append(engine, &parts, &sequence), STATUS_OK);
        buffer_free(&body);
        buffer_free(&payload);
        if (!last) fill(100, 10, 60000);
        stop_engine(engine);
        struct found found = recover_both();
        EXPECT_EQUAL(found.status, STATUS_CORRUPT);
        EXPECT_EQUAL(found.report.log.bad_sequence, sequence);
        EXPECT(strstr(found.report.message, "its payload does not fit") != NULL);
        end();
    }
}

/* --- Its end -------------------------------------------------------------------------------- */

static void closing_ends_the_scan(void) {
    begin(2 << 20);
    fill(400, 5, 60000);
    stop_engine(engine);
    size_t used = os_allocator_used();
    slow_scan = true;
    use(WITH_THREADS);
    unsigned under_way = 0;
    for (int steps = 0; steps < 12; steps++) {
        EXPECT_EQUAL(engine_open(&world.os, os_allocator(), &options, &engine, &report),
                     STATUS_OK);
        for (int i = 0; i < steps; i++) engine_recover(engine, 0, &report);
        under_way += steps > 0 && !atomic_load(&engine->ahead.done);
        engine_close(engine);
        EXPECT(posix_os()->task_wait(posix_os(), 0));
        EXPECT_EQUAL(os_allocator_used(), used);
    }
    EXPECT(under_way > 0);
    slow_scan = false;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK); /* It is unlocked. */
    stop_engine(engine);
    end();
}

/* A system that has threads, and none to give: the scan is made here. */
static enum status no_thread(const struct os *os, void (*work)(void *context), void *context) {
    (void)os, (void)work, (void)context;
    return STATUS_IO;
}

static void a_thread_that_does_not_start_is_not_missed(void) {
    begin(1 << 20);
    fill(300, 5, 10);
    stop_engine(engine);
    use(WITH_THREADS);
    world.os.task_start = no_thread;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT_EQUAL(state_record_total(engine_state(engine)), 200);
    EXPECT_EQUAL(atomic_load(&elsewhere), 0);
    stop_engine(engine);
    end();
}

int main(void) {
    RUN(the_same_state_either_way);
    RUN(torn_tails_and_empty_segments);
    RUN(the_replay_runs_beside_the_scan);
    RUN(damage_is_refused_either_way);
    RUN(a_wrong_last_seal_is_refused_either_way);
    RUN(a_wrong_seal_with_much_behind_it_is_noticed);
    RUN(a_payload_that_does_not_fit_is_refused_either_way);
    RUN(closing_ends_the_scan);
    RUN(a_thread_that_does_not_start_is_not_missed);
    return test_finish();
}
