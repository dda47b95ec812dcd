/* Random histories through the engine, and what utils/verify.py, which shares no line with it,
 * says about the directories that they leave: the same roots, and of damaged ones the same kind
 * of refusal. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "random/history.h"
#include "unit/engine/fixture.h"
#include "unit/kernel/hnsw_graph.h"

static struct engine_options options;
static struct engine *engine;
static struct engine_report report;
static struct history history;

/* Directories for tests/random/compare. */
static char top[PATH_SIZE], directory[PATH_SIZE + 40];
static int directories;

static void top_begin(void) {
    directory_make(top);
    directories = 0;
}

static const char *next_directory(void) {
    snprintf(directory, sizeof directory, "%s/%06d", top, directories++);
    mkdir(directory, 0700);
    return directory;
}

static void top_end(void) {
    char name[PATH_SIZE + 40];
    for (int i = 0; i < directories; i++) {
        snprintf(name, sizeof name, "%s/%06d", top, i);
        directory_remove(name);
    }
    directory_remove(top);
}

static void compare_all(void) {
    if (system("python3 -c '' > /dev/null 2>&1") != 0) SKIP("no python3");
    if (access("tests/random/compare", X_OK) != 0) SKIP("not run at the top of the tree");
    char command[PATH_SIZE + 40];
    snprintf(command, sizeof command, "tests/random/compare '%s'", top);
    fflush(stdout);
    EXPECT_EQUAL(system(command), 0);
}

/* --- What the engine says -------------------------------------------------------------------- */

static void write_hash(FILE *file, const uint8_t hash[SHA256_SIZE]) {
    for (int i = 0; i < SHA256_SIZE; i++) fprintf(file, "%02x", hash[i]);
    fprintf(file, "\n");
}

/* `from`: the engine whose directory `path` is a copy of, or NULL for a refusal. */
static void write_expected(const char *path, const struct engine *from, enum status status) {
    char name[PATH_SIZE + 60];
    snprintf(name, sizeof name, "%s/expected", path);
    FILE *file = fopen(name, "w");
    fprintf(file, "%d\n", engine_exit_code(status));
    if (from) {
        struct proof_state proof;
        struct roots roots;
        engine_proof_state(from, &proof);
        write_hash(file, proof.log_root);
        if (proof.seal_sequence == UINT64_MAX)
            fprintf(file, "-\n");
        else
            write_hash(file, proof.roots.state_root);
        for (int content = 0; content < 2; content++) {
            EXPECT_EQUAL(recompute_all(engine_state(from), content, &roots), STATUS_OK);
            write_hash(file, roots.state_root);
        }
    }
    fclose(file);
}

/* --- Histories ------------------------------------------------------------------------------- */

static void submit_batch(uint32_t count) {
    struct batch batch;
    struct change change;
    batch_begin(&batch, os_allocator(), 16 << 20);
    while (batch.count < count) {
        if (history_below(&history, 12) == 0) {
            struct change group = {.type = CHANGE_GROUP,
                                   .group_count = 1 + history_below(&history, 4)};
            uint32_t key = history_key(&history);
            EXPECT_EQUAL(batch_add(&batch, &group), STATUS_OK);
            for (uint32_t i = 0; i < group.group_count; i++) {
                history_member(&history, key, &change);
                change_commit(&change);
                EXPECT_EQUAL(batch_add(&batch, &change), STATUS_OK);
            }
        }
        history_next(&history, &change);
        change_commit(&change);
        EXPECT_EQUAL(batch_add(&batch, &change), STATUS_OK);
    }
    uint64_t sequence;
    struct batch_event event;
    enum status status = engine_batch_submit(engine, &batch, &sequence);
    while (!status) status = engine_batch_next(engine, &event);
    batch_free(&batch);
}

static void step(void) {
    uint32_t draw = history_below(&history, 100);
    world.wall += history_below(&history, 5000);
    world.monotonic += history_below(&history, 5000);
    if (draw < 3) {
        EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
    } else if (draw < 6) {
        struct proof_state before, after;
        engine_proof_state(engine, &before);
        stop_engine(engine);
        EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
        if (!engine) {
            printf("    %s\n", report.message);
            return;
        }
        engine_proof_state(engine, &after);
        EXPECT(proofs_equal(&before, &after));
    } else if (draw < 12) {
        submit_batch(1 + history_below(&history, history_below(&history, 10) ? 20 : 500));
    } else {
        struct change change;
        history_next(&history, &change);
        submit(engine, &change);
    }
    turn(engine);
}

static void begin(uint64_t seed, const char *path, uint64_t segment_size) {
    world_begin();
    options = options_for(path);
    options.segment_size = segment_size;
    options.seal_dirty_max = 50;
    options.verify_every_seal = true;
    history_begin(&history, seed, 8 + (uint32_t)(seed % 3) * 40);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
}

/* After every step of a short run. */
static void every_step(void) {
    char live[PATH_SIZE];
    directory_make(live);
    top_begin();
    begin(1, live, 64 << 20);
    for (int i = 0; i < 60 && engine && test_run.ok; i++) {
        step();
        const char *copy = next_directory();
        directory_copy(live, copy);
        write_expected(copy, engine, STATUS_OK);
    }
    if (engine) stop_engine(engine);
    compare_all();
    top_end();
    directory_remove(live);
}

/* Longer ones, in one segment and in many. */
static void long_runs(void) {
    top_begin();
    for (uint64_t seed = 2; seed < 8 && test_run.ok; seed++) {
        char path[PATH_SIZE + 40];
        snprintf(path, sizeof path, "%s", next_directory());
        begin(seed, path, seed % 2 ? 64 << 20 : 32 << 10);
        for (int i = 0; i < 400 && engine && test_run.ok; i++) step();
        if (!engine) break;
        write_expected(path, engine, STATUS_OK);
        stop_engine(engine);
    }
    compare_all();
    top_end();
}

/* What searches answer, for compare as well: by approximate and by exact ways. */
static void write_answers(const char *path) {
    static const uint32_t beams[] = {16, 20, 25, 0, 5000};
    char name[PATH_SIZE + 60], text[16];
    snprintf(name, sizeof name, "%s/answers", path);
    FILE *file = fopen(name, "w");
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t number = i % 2 ? history.first : i / 2 % HISTORY_GRAPHS;
        uint32_t db = number == 5 ? 15 : number % 2;
        const struct state *state = engine_state(engine);
        struct slice key = history_name(text, 'k', number);
        const struct collection *collection = state_collection(state, db, key);
        if (!collection) continue;
        const struct config *config = collection_config(collection);
        _Alignas(64) int32_t values[32] = {0};
        struct hit hits[12];
        graph_draw(history_random(&history), config, values);
        struct query query = {.values = values,
                              .k = 1 + history_below(&history, 12),
                              .ef = beams[history_below(&history, 5)],
                              .exact = history_below(&history, 5) == 0};
        uint32_t count = search_all(state, collection, query, hits);
        fprintf(file, "%u %.*s %u %u %d", db, (int)key.size, (const char *)key.data, query.k,
                query.ef, query.exact);
        for (uint32_t d = 0; d < config->dim; d++) fprintf(file, " %d", values[d]);
        for (uint32_t h = 0; h < count; h++) {
            struct record record;
            EXPECT(record_at(state, collection, hits[h].slot, &record));
            fprintf(file, " %.*s", (int)record.element.size, (const char *)record.element.data);
        }
        fprintf(file, "\n");
    }
    fclose(file);
}

/* Collections with an index. RANDOM_ROUNDS=n: n times as many; RANDOM_SEED=n: others. */
static uint64_t number_from(const char *variable, uint64_t otherwise) {
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* Elements of the key that grew first. */
static uint64_t first_count(void) {
    char text[16];
    const struct collection *collection = state_collection(
        engine_state(engine), history.first % 2, history_name(text, 'k', history.first));
    return collection ? collection_count(collection) : 0;
}

static void graph_run(uint64_t seed, uint32_t elements, int steps) {
    char path[PATH_SIZE + 40];
    top_begin();
    snprintf(path, sizeof path, "%s", next_directory());
    begin(seed, path, seed % 2 ? 64 << 20 : 128 << 10);
    history_begin_graphs(&history, seed, elements);
    history.first = (uint32_t)(seed % 3);
    for (int i = 0; i < steps && engine && test_run.ok; i++) step();
    if (!engine) return;
    write_expected(path, engine, STATUS_OK);
    write_answers(path);
    if (elements == HISTORY_MANY) EXPECT(first_count() > 25 * 16); /* Searches walk. */
    stop_engine(engine);
    compare_all();
    if (!test_run.ok) printf("    RANDOM_SEED=%llu\n", (unsigned long long)seed);
    top_end();
}

static void graphs(void) {
    uint64_t rounds = number_from("RANDOM_ROUNDS", 1), first = number_from("RANDOM_SEED", 60);
    for (uint64_t seed = first; seed < first + 8 * rounds && test_run.ok; seed++)
        graph_run(seed, seed % 4 == 3 ? 300 : 30 + (uint32_t)(seed % 3) * 30, 700);
}

/* So many elements of each metric that searches walk. */
static void large_graphs(void) {
    uint64_t rounds = number_from("RANDOM_ROUNDS", 1), first = number_from("RANDOM_SEED", 60);
    for (uint64_t seed = first; seed < first + 3 * rounds && test_run.ok; seed++)
        graph_run(seed, HISTORY_MANY, 900);
}

/* --- Damage ---------------------------------------------------------------------------------- */

static void mutate(const char *path) {
    static uint8_t bytes[1 << 20];
    char name[PATH_SIZE + 80];
    uint32_t which = history_below(&history, 8);
    snprintf(name, sizeof name, "%s/%s", path,
             which == 0  ? "valori.head"
             : which < 4 ? "valori-00000002.log"
                         : "valori-00000001.log");
    FILE *file = fopen(name, "rb");
    if (!file) return;
    size_t size = fread(bytes, 1, sizeof bytes, file), place = 0;
    fclose(file);
    if (size > 0) place = history_below(&history, (uint32_t)size);
    switch (history_below(&history, 8)) {
    case 0: size = place; break; /* cut */
    case 1: memset(bytes + place, 0, size - place < 600 ? size - place : 600); break;
    case 2: remove(name); return;
    case 3: memmove(bytes + place, bytes + place + (size - place) / 2, (size - place) / 2); break;
    default: bytes[place] ^= (uint8_t)(1 << history_below(&history, 8)); break;
    }
    file = fopen(name, "wb");
    fwrite(bytes, 1, size, file);
    fclose(file);
}

static void damaged_directories(void) {
    char live[PATH_SIZE];
    top_begin();
    int refused = 0;
    for (uint64_t seed = 20; seed < 24 && test_run.ok; seed++) {
        directory_make(live);
        begin(seed, live, seed % 2 ? 64 << 20 : 8 << 10);
        for (int i = 0; i < 60 && engine && test_run.ok; i++) step();
        if (engine && seed % 4) stop_engine(engine);
        else if (engine) engine_close(engine); /* killed: no mark, no head slot */
        for (int i = 0; i < 50 && test_run.ok; i++) {
            const char *copy = next_directory();
            directory_copy(live, copy);
            mutate(copy);
            options.directory = copy;
            options.read_only = true;
            enum status status = start_engine(&options, &engine, &report);
            refused += status != STATUS_OK;
            write_expected(copy, engine, status);
            engine_close(engine);
        }
        options.read_only = false;
        directory_remove(live);
    }
    EXPECT(refused > 50);
    compare_all();
    top_end();
}

/* --- Damage that fits every checksum ---------------------------------------------------------- */

struct copy {
    struct directory *directory;
    struct log *log;
};

/* Open the log of a directory and read all of it; ready for log_next(). */
static struct copy copy_open(const char *path) {
    struct copy copy;
    struct log_report found;
    struct log_options log_options = {.segment_size = 64 << 20, .reserve_size = 1 << 20};
    EXPECT_EQUAL(world.os.directory_open(&world.os, path, &copy.directory), STATUS_OK);
    EXPECT_EQUAL(log_open(&world.os, os_allocator(), copy.directory, &log_options, &copy.log,
                          &found),
                 STATUS_OK);
    while (log_scan(copy.log, 1 << 20, &found) == STATUS_AGAIN) {}
    return copy;
}
static void copy_close(struct copy *copy) {
    log_close(copy->log);
    world.os.directory_close(&world.os, copy->directory);
}

/* Change a bit, or a byte to 0, 1 or 255, of the frame's entry, list or payload. */
static void mutate_frame(const struct frame *frame, uint8_t *bytes) {
    size_t size = frame->entry.size + frame->list.size + frame->payload.size;
    if (history_below(&history, 3) == 0) size = frame->entry.size;
    uint8_t *byte = bytes + history_below(&history, (uint32_t)size);
    uint32_t draw = history_below(&history, 12);
    *byte = draw == 0 ? 0 : draw == 1 ? 1 : draw == 2 ? 255 : *byte ^ (uint8_t)(1 << draw % 8);
}

/* The log of `from`, frame by frame, into `to`, with what is wrong in the frame `wrong`. */
static void copy_log(const char *from, const char *to, uint64_t wrong) {
    struct log_report found;
    struct frame frame;
    struct copy source_log = copy_open(from), copy = copy_open(to);
    EXPECT(log_next(copy.log, &frame, &found) == STATUS_END);
    EXPECT_EQUAL(log_start(copy.log, &found), STATUS_OK);
    while (log_next(source_log.log, &frame, &found) == STATUS_OK) {
        uint8_t leaf[SHA256_SIZE];
        size_t entry = frame.entry.size, list = frame.list.size, payload = frame.payload.size;
        uint8_t *bytes = malloc(entry + list + payload + 1);
        memcpy(bytes, frame.entry.data, entry);
        if (list) memcpy(bytes + entry, frame.list.data, list);
        if (payload) memcpy(bytes + entry + list, frame.payload.data, payload);
        if (frame.sequence == wrong) mutate_frame(&frame, bytes);
        struct log_entry logged = {.type = frame.type,
                                   .head = slice_of(bytes, entry),
                                   .list = slice_of(bytes + entry, list),
                                   .payload = slice_of(bytes + entry + list, payload)};
        EXPECT_EQUAL(log_append(copy.log, &logged, leaf), STATUS_OK);
        free(bytes);
    }
    EXPECT_EQUAL(log_stop(copy.log), STATUS_OK);
    copy_close(&copy);
    copy_close(&source_log);
}

/* Entries, lists and payloads that no server writes, in frames whose checks are right. */
static void entries_that_were_never_written(void) {
    char live[PATH_SIZE];
    top_begin();
    int refused = 0, accepted = 0;
    for (uint64_t seed = 40; seed < 44 && test_run.ok; seed++) {
        directory_make(live);
        begin(seed, live, 64 << 20);
        for (int i = 0; i < 40 && engine && test_run.ok; i++) step();
        uint64_t size = engine_size(engine);
        stop_engine(engine);
        for (int i = 0; i < 60 && test_run.ok; i++) {
            const char *copy = next_directory();
            copy_log(live, copy, history_below(&history, (uint32_t)size));
            options.directory = copy;
            options.read_only = true;
            enum status status = start_engine(&options, &engine, &report);
            refused += status != STATUS_OK;
            accepted += status == STATUS_OK;
            write_expected(copy, engine, status);
            engine_close(engine);
        }
        options.read_only = false;
        directory_remove(live);
    }
    EXPECT(refused > 100 && accepted > 10); /* A time or a principal may be any other. */
    compare_all();
    top_end();
}

int main(void) {
    RUN(entries_that_were_never_written);
    RUN(every_step);
    RUN(long_runs);
    RUN(graphs);
    RUN(large_graphs);
    RUN(damaged_directories);
    return test_finish();
}
