/* Recovery of logs that hold what no server writes: whole to every checksum, and wrong. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "base/bytes.h"
#include "engine/engine_internal.h"
#include "unit/engine/fixture.h"

static char path[PATH_SIZE];
static struct engine_options options;
static struct engine *engine;
static struct engine_report report;
static struct made made;

/* --- Writing a log by hand ------------------------------------------------------------------ */

static struct directory *directory;
static struct log *log_;
static uint64_t entry_time;

static void begin(void) {
    struct log_report found;
    struct frame frame;
    struct log_options log_options = {.segment_size = 64 << 20, .reserve_size = 1 << 20};
    world_begin();
    directory_make(path);
    options = options_for(path);
    entry_time = 1000;
    EXPECT_EQUAL(world.os.directory_open(&world.os, path, &directory), STATUS_OK);
    EXPECT_EQUAL(log_open(&world.os, os_allocator(), directory, &log_options, &log_, &found),
                 STATUS_OK);
    while (log_scan(log_, 1 << 20, &found) == STATUS_AGAIN) {}
    while (log_next(log_, &frame, &found) == STATUS_OK) {}
    EXPECT_EQUAL(log_start(log_, &found), STATUS_OK);
}

static void end(void) { directory_remove(path); }

static void append_with_list(uint8_t type, uint16_t flags, struct slice body, struct slice list,
                             struct slice payload) {
    uint8_t head[ENTRY_HEADER_SIZE], leaf[SHA256_SIZE];
    struct entry entry = {
        .type = type, .flags = flags, .sequence = log_size(log_), .time_us = entry_time};
    hash_principal(slice_text("default"), entry.principal);
    entry_encode_header(&entry, body.size, head);
    struct log_entry logged = {.type = type,
                               .head = slice_of(head, sizeof head),
                               .body = body,
                               .list = list,
                               .payload = payload};
    EXPECT_EQUAL(log_append(log_, &logged, leaf), STATUS_OK);
}
static void append(uint8_t type, uint16_t flags, struct slice body, struct slice payload) {
    append_with_list(type, flags, body, slice_of(NULL, 0), payload);
}

/* A change as an entry; `damage` flips one bit of the payload after it was committed to. */
static void append_change(struct change *change, bool damage) {
    struct buffer body, payload;
    buffer_init(&body, os_allocator(), 1 << 20);
    buffer_init(&payload, os_allocator(), 1 << 20);
    change_commit(change);
    EXPECT_EQUAL(change_encode_body(change, &body), STATUS_OK);
    EXPECT_EQUAL(change_encode_payload(change, true, &payload), STATUS_OK);
    if (damage) payload.data[payload.end - 1] ^= 4;
    append(change->type, 0, buffer_slice(&body), buffer_slice(&payload));
    buffer_free(&body);
    buffer_free(&payload);
}

/* A SEAL of what the log holds so far, computed by a kernel beside it; `wrong`: which of its
 * bytes is one off, or -1. */
static void append_seal(struct kernel *kernel, int wrong) {
    struct roots roots;
    uint8_t body[SEAL_SIZE];
    kernel_seal(kernel, &roots);
    seal_encode(log_size(log_), &roots, body);
    if (wrong >= 0) body[wrong]++;
    append(CHANGE_SEAL, ENTRY_NO_STATE, slice_of(body, sizeof body), slice_of(NULL, 0));
}

static void close_log(void) {
    EXPECT_EQUAL(log_stop(log_), STATUS_OK);
    log_close(log_);
    world.os.directory_close(&world.os, directory);
}

static enum status recover(void) {
    close_log();
    enum status status = start_engine(&options, &engine, &report);
    if (!status) stop_engine(engine);
    return status;
}

/* --- What is right --------------------------------------------------------------------------- */

static struct kernel *kernel_beside(struct source *source) {
    struct memory_source from = source_begin(source);
    struct kernel *kernel;
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    return kernel;
}

static void one_change_and_its_seal(int wrong) {
    struct source source;
    struct kernel *kernel = kernel_beside(&source);
    append_change(make_vadd(&made, "k", "e", 1), false);
    EXPECT_EQUAL(perform(kernel, 0, &made.change), STATUS_OK);
    append_seal(kernel, wrong);
    kernel_destroy(kernel);
}

static void a_hand_written_log_is_accepted(void) {
    begin();
    one_change_and_its_seal(-1);
    EXPECT_EQUAL(recover(), STATUS_OK);
    EXPECT_EQUAL(report.last_seal, 1);
    EXPECT_EQUAL(report.log.entries, 2);
    end();
}

/* An unknown entry that is marked as changing no state is kept and hashed; another is newer. */
static void unknown_entries(void) {
    begin();
    append(77, ENTRY_NO_STATE, slice_text("of tomorrow"), slice_text("and its payload"));
    append_change(make_vadd(&made, "k", "e", 1), false);
    close_log();
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT_EQUAL(engine_size(engine), 2);
    stop_engine(engine);
    end();

    begin();
    append(77, 0, slice_text("of tomorrow"), slice_of(NULL, 0));
    EXPECT_EQUAL(recover(), STATUS_VERSION);
    EXPECT_EQUAL(report.log.bad_sequence, 0);
    end();
}

/* --- What is wrong --------------------------------------------------------------------------- */

static void expect_refusal(enum status wanted, uint64_t bad_sequence) {
    EXPECT_EQUAL(recover(), wanted);
    EXPECT_EQUAL(report.log.bad_sequence, bad_sequence);
    EXPECT(strcmp(report.log.bad_file, "valori-00000001.log") == 0);
    EXPECT(strstr(report.message, "valori-00000001.log") != NULL);
    EXPECT(strstr(report.message, "nothing was modified") != NULL);
    end();
}

static void a_wrong_seal_is_refused(void) {
    /* Sequence, state root, keyspace's count and root, system's count and root. */
    static const int places[] = {0, 8, 39, 72, 80, 111, 112, 120, 151};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        begin();
        one_change_and_its_seal(places[i]);
        expect_refusal(STATUS_CORRUPT, 1);
    }
    begin();
    one_change_and_its_seal(40); /* the semantics id */
    expect_refusal(STATUS_VERSION, 1);
    begin();
    append(CHANGE_SEAL, ENTRY_NO_STATE, slice_text("too short"), slice_of(NULL, 0));
    expect_refusal(STATUS_CORRUPT, 0);
}

static void a_seal_holds_nothing_else(void) {
    struct source source;
    for (int part = 0; part < 2; part++) {
        begin();
        struct kernel *kernel = kernel_beside(&source);
        struct roots roots;
        uint8_t body[SEAL_SIZE];
        kernel_seal(kernel, &roots);
        seal_encode(0, &roots, body);
        append_with_list(CHANGE_SEAL, ENTRY_NO_STATE, slice_of(body, sizeof body),
                         slice_of("x", part), slice_of("x", !part));
        kernel_destroy(kernel);
        expect_refusal(STATUS_CORRUPT, 0);
    }
}

/* Only the last SEAL's root is compared, unless all are asked for. */
static void verify_every_seal(void) {
    for (int every = 0; every < 2; every++) {
        struct source source;
        begin();
        struct kernel *kernel = kernel_beside(&source);
        append_change(make_vadd(&made, "k", "e", 1), false);
        EXPECT_EQUAL(perform(kernel, 0, &made.change), STATUS_OK);
        append_seal(kernel, 8); /* wrong */
        append_change(make_vadd(&made, "k", "f", 1), false);
        EXPECT_EQUAL(perform(kernel, 2, &made.change), STATUS_OK);
        append_seal(kernel, -1);
        kernel_destroy(kernel);
        options.verify_every_seal = every;
        if (every) {
            expect_refusal(STATUS_CORRUPT, 1);
        } else {
            EXPECT_EQUAL(recover(), STATUS_OK);
            end();
        }
    }
}

static void damaged_payloads_are_refused(void) {
    for (int type = 0; type < 3; type++) {
        begin();
        append_change(make_vadd(&made, "k", "e", 1), false);
        if (type == 0) append_change(make_vadd(&made, "k", "f", 1), true);
        if (type == 1) append_change(make_setattr(&made, "k", "e", "attributes"), true);
        if (type == 2) append_change(make(&made, CHANGE_DEL, "k", NULL), true);
        expect_refusal(STATUS_CORRUPT, 1);
    }
}

/* An entry that stands alone was admitted; one that would be refused was not. */
static void refused_entries_are_damage(void) {
    begin();
    append_change(make(&made, CHANGE_VREM, "k", "e"), false);
    expect_refusal(STATUS_CORRUPT, 0);
    begin();
    append_change(make_vadd(&made, "k", "e", 1), false);
    append_change(make_create(&made, "k", config_of(METRIC_L2, 4)), false);
    expect_refusal(STATUS_CORRUPT, 1);
}

static void time_that_goes_back_is_damage(void) {
    begin();
    append_change(make_vadd(&made, "k", "e", 1), false);
    entry_time--;
    append_change(make_vadd(&made, "k", "f", 1), false);
    expect_refusal(STATUS_CORRUPT, 1);
}

/* --- Batches --------------------------------------------------------------------------------- */

static void append_batch(const struct batch *batch, int wrong) {
    uint8_t head[5 + SHA256_SIZE];
    size_t head_size;
    struct slice elements = buffer_slice(&batch->elements);
    bool listed = batch_body(batch, head, &head_size);
    uint8_t *body = malloc(head_size + elements.size);
    memcpy(body, head, head_size);
    if (!listed) memcpy(body + head_size, elements.data, elements.size);
    if (wrong >= 0) body[wrong] ^= 1;
    append_with_list(CHANGE_BATCH, 0, slice_of(body, head_size + (listed ? 0 : elements.size)),
                     listed ? elements : slice_of(NULL, 0), buffer_slice(&batch->payload));
    free(body);
}

static void batch_of(struct batch *batch, int flushes) {
    batch_begin(batch, os_allocator(), 1 << 20);
    struct change flush = {.type = CHANGE_FLUSH, .db = 1};
    for (int i = 0; i < flushes; i++) EXPECT_EQUAL(batch_add(batch, &flush), STATUS_OK);
}

static void batches_are_what_they_commit_to(void) {
    for (int listed = 0; listed < 2; listed++)
        for (int wrong = 0; wrong < 2; wrong++) {
            struct batch batch;
            begin();
            batch_of(&batch, listed ? 7000 : 3);
            /* The count, or the first byte of the list's root. */
            append_batch(&batch, wrong ? (listed ? 5 : 1) : -1);
            batch_free(&batch);
            if (wrong) {
                expect_refusal(STATUS_CORRUPT, 0);
            } else {
                EXPECT_EQUAL(recover(), STATUS_OK);
                end();
            }
        }
}

static void groups_are_well_formed(void) {
    /* How many the group says there are, and which member is another object's or no VADD. */
    static const struct {
        uint32_t count;
        int odd, nested;
    } cases[] = {{2, -1, -1}, {3, -1, -1}, {2, 1, -1}, {2, -1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct batch batch;
        begin();
        batch_of(&batch, 0);
        struct change group = {.type = CHANGE_GROUP, .group_count = cases[i].count};
        EXPECT_EQUAL(batch_add(&batch, &group), STATUS_OK);
        for (int member = 0; member < 2; member++) {
            group.group_count = 1;
            if (cases[i].nested == member) EXPECT_EQUAL(batch_add(&batch, &group), STATUS_OK);
            change_commit(make_vadd(&made, cases[i].odd == member ? "l" : "k", "e", 1));
            EXPECT_EQUAL(batch_add(&batch, &made.change), STATUS_OK);
        }
        append_batch(&batch, -1);
        batch_free(&batch);
        if (i == 0) {
            EXPECT_EQUAL(recover(), STATUS_OK);
            end();
        } else {
            expect_refusal(STATUS_CORRUPT, 0);
        }
    }
}

/* --- Read-only ------------------------------------------------------------------------------- */

static void read_only_changes_nothing(void) {
    char copy[PATH_SIZE];
    begin();
    one_change_and_its_seal(-1);
    close_log();
    directory_make(copy);
    directory_copy(path, copy);
    options.read_only = true;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT_EQUAL(state_record_total(engine_state(engine)), 1);
    struct proof_state proof;
    engine_proof_state(engine, &proof);
    EXPECT_EQUAL(proof.log_size, 2);
    EXPECT_EQUAL(proof.seal_sequence, 1);
    struct engine *second; /* It takes no lock either. */
    EXPECT_EQUAL(start_engine(&options, &second, &report), STATUS_OK);
    engine_close(second);
    engine_close(engine);

    char command[2 * PATH_SIZE + 64];
    snprintf(command, sizeof command, "diff -r '%s' '%s' > /dev/null", path, copy);
    EXPECT_EQUAL(system(command), 0);
    directory_remove(copy);
    end();
}

static void progress_reaches_its_end(void) {
    begin();
    for (int i = 0; i < 2000; i++) {
        char name[12];
        snprintf(name, sizeof name, "e%d", i);
        append_change(make_vadd(&made, "k", name, i), false);
    }
    close_log();
    EXPECT_EQUAL(engine_open(&world.os, os_allocator(), &options, &engine, &report), STATUS_OK);
    uint64_t done, total, last = 0;
    enum status status;
    int steps = 0;
    world.monotonic = 0;
    do {
        status = engine_recover(engine, 0, &report); /* No time: one step. */
        engine_progress(engine, &done, &total);
        EXPECT(done >= last && done <= total);
        last = done;
        steps++;
    } while (status == STATUS_AGAIN);
    EXPECT_EQUAL(status, STATUS_OK);
    EXPECT(steps > 10);
    EXPECT_EQUAL(state_record_total(engine_state(engine)), 2000);
    stop_engine(engine);
    end();
}

int main(void) {
    RUN(a_hand_written_log_is_accepted);
    RUN(unknown_entries);
    RUN(a_wrong_seal_is_refused);
    RUN(a_seal_holds_nothing_else);
    RUN(verify_every_seal);
    RUN(damaged_payloads_are_refused);
    RUN(refused_entries_are_damage);
    RUN(time_that_goes_back_is_damage);
    RUN(batches_are_what_they_commit_to);
    RUN(groups_are_well_formed);
    RUN(read_only_changes_nothing);
    RUN(progress_reaches_its_end);
    return test_finish();
}
