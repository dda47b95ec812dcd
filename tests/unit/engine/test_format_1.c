/* Format 1 must load for ever: directories that releases wrote, in tests/golden, have the roots
 * that they had then.
 *
 * format-1 is the first release's, format-1-strings has the entry types 11 to 14 besides,
 * format-1-hnsw collections with an index, format-1-snapshot a snapshot of its end, format-1-graphs
 * the types 20 to 25. Each holds every type of entry and every flag of its day, batches of both
 * forms, refused elements, several segments, marks, head slots, and two sessions.
 * `test_format_1 DIRECTORY [hnsw | snapshot]` wrote them; what comes later gets a directory of its
 * own beside them, and these never change. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "random/history.h"
#include "unit/engine/saves.h"

static const char *const names[] = {"format-1", "format-1-strings", "format-1-hnsw",
                                    "format-1-snapshot", "format-1-graphs"};
enum { NAMES = sizeof names / sizeof names[0] };

static struct engine *engine;
static struct engine_report report;

/* --- Writing one ------------------------------------------------------------------------------ */

/* An ALL that is done, whose edge joins nodes that it makes, and one that is refused, after which
 * the edge goes; and a graph by its own entry. */
static void add_alls(struct batch *batch) {
    for (int refused = 0; refused < 2; refused++) {
        struct change all = {.type = CHANGE_ALL, .group_count = 3};
        struct change node = {.type = CHANGE_NODE, .flags = CHANGE_CONFIG};
        struct change edge = {.type = CHANGE_EDGE, .flags = CHANGE_WEIGHT, .weight = -1};
        node.key = edge.key = slice_text("together");
        edge.element = slice_text("a");
        edge.target = slice_text(refused ? "nobody" : "b");
        edge.word = slice_text("knows");
        batch_add(batch, &all);
        for (int i = 0; i < 2; i++) {
            node.element = slice_text(i ? "b" : "a");
            change_commit(&node);
            batch_add(batch, &node);
        }
        change_commit(&edge);
        batch_add(batch, &edge);
        struct change other = {.type = refused ? CHANGE_EDGEDEL : CHANGE_GCREATE,
                               .flags = refused ? 0 : CHANGE_CONFIG};
        other.key = slice_text(refused ? "together" : "alone");
        other.element = edge.element;
        other.word = edge.word;
        other.target = slice_text("b");
        change_commit(&other);
        batch_add(batch, &other);
    }
}

static void write_batch(struct history *history, uint32_t count, uint32_t flushes) {
    struct batch batch;
    struct change change, flush = {.type = CHANGE_FLUSH, .db = 9};
    struct change group = {.type = CHANGE_GROUP, .group_count = 3};
    batch_begin(&batch, os_allocator(), 16 << 20);
    for (uint32_t i = 0; i < flushes; i++) batch_add(&batch, &flush);
    batch_add(&batch, &group);
    for (uint32_t i = 0; i < count; i++) {
        if (i < 3)
            history_member(history, 2, &change);
        else
            history_next(history, &change);
        change_commit(&change);
        batch_add(&batch, &change);
    }
    add_alls(&batch);
    uint64_t sequence;
    struct batch_event event;
    enum status status = engine_batch_submit(engine, &batch, &sequence);
    while (!status) status = engine_batch_next(engine, &event);
    batch_free(&batch);
}

static void write_changes(struct history *history, int count) {
    for (int i = 0; i < count; i++) {
        struct change change;
        history_next(history, &change);
        submit(engine, &change);
        world.wall += 1000;
        turn(engine);
        if (i % 10 != 5) continue;
        world.monotonic += 200000; /* A pause, for a durable mark and a head slot. */
        turn(engine);
        turn(engine);
    }
}

static int write_directory(const char *path, bool graphs, bool snapshot) {
    struct engine_options options = options_for(path);
    struct history history;
    world_begin();
    options.segment_size = graphs ? 64 << 10 : 16 << 10;
    options.seal_dirty_max = 20;
    if (graphs)
        history_begin_graphs(&history, 1, 40);
    else
        history_begin(&history, 7, 12);
    for (int session = 0; session < 2; session++) {
        if (start_engine(&options, &engine, &report)) return 1;
        write_changes(&history, 400);
        write_batch(&history, 60, 0);
        if (session == 0) write_batch(&history, 40, 6600); /* Too long to be inline. */
        turn(engine);
        write_changes(&history, 15);
        if (session == 1 && snapshot && save_now(engine)) return 1;
        stop_engine(engine);
    }
    return 0;
}

/* --- Reading it ------------------------------------------------------------------------------- */

static char copy[PATH_SIZE], data[PATH_SIZE], expected[PATH_SIZE];

static bool begin(const char *name) {
    world_begin();
    snprintf(data, sizeof data, "tests/golden/%s/data", name);
    snprintf(expected, sizeof expected, "tests/golden/%s/expected.txt", name);
    if (access(expected, R_OK) != 0) return false;
    directory_make(copy);
    directory_copy(data, copy); /* git keeps no modes, and the engine asks for safe ones */
    return true;
}

static void hex_of(const uint8_t hash[SHA256_SIZE], char *text) {
    for (int i = 0; i < SHA256_SIZE; i++) snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

static void has_its_roots(const char *name) {
    if (!begin(name)) SKIP("not run at the top of the tree");
    struct engine_options options = options_for(copy);
    char code[8], wanted[4][65], found[65];
    FILE *file = fopen(expected, "r");
    EXPECT_EQUAL(fscanf(file, "%7s %64s %64s %64s %64s", code, wanted[0], wanted[1], wanted[2],
                        wanted[3]),
                 5);
    fclose(file);
    options.read_only = options.verify_every_seal = true;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    if (!engine) {
        printf("    %s\n", report.message);
        return;
    }
    struct proof_state proof;
    struct roots roots[2];
    engine_proof_state(engine, &proof);
    for (int content = 0; content < 2; content++)
        EXPECT_EQUAL(recompute_all(engine_state(engine), content, &roots[content]), STATUS_OK);
    const uint8_t *hashes[] = {proof.log_root, proof.roots.state_root, roots[0].state_root,
                               roots[1].state_root};
    for (int i = 0; i < 4; i++) {
        hex_of(hashes[i], found);
        EXPECT(strcmp(found, wanted[i]) == 0);
    }
    engine_close(engine);
    directory_remove(copy);
}

static void roots_are_what_they_were(void) {
    for (int i = 0; i < NAMES; i++) has_its_roots(names[i]);
}

static void goes_on(const char *name) {
    if (!begin(name)) SKIP("not run at the top of the tree");
    struct engine_options options = options_for(copy);
    struct made made;
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    uint64_t size = engine_size(engine);
    EXPECT_EQUAL(submit(engine, make_vadd(&made, "today", "e", 1)), STATUS_OK);
    stop_engine(engine);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT_EQUAL(engine_size(engine), size + 1);
    EXPECT(state_find(engine_state(engine), 0, slice_text("today")) != NULL);
    stop_engine(engine);
    directory_remove(copy);
}

/* The image of a state, the bytes of which are the same on every machine. */
static size_t read_image(const char *path, uint8_t *bytes, size_t room) {
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    fseek(file, 4096, SEEK_SET);
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

/* It is loaded, and what is saved then is what a replay of the log would save. */
static void a_snapshot_is_what_it_was(void) {
    static uint8_t then[1 << 20], now[1 << 20];
    if (!begin("format-1-snapshot")) SKIP("not run at the top of the tree");
    struct engine_options options = options_for(copy);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    if (!engine) return;
    uint64_t entries = report.snapshot_entries;
    EXPECT(entries > 500);
    EXPECT_EQUAL(entries, engine_size(engine));
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    stop_engine(engine);
    size_t size = read_image(snapshot_path(copy, entries), then, sizeof then);
    unlink(snapshot_path(copy, entries));
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
    EXPECT_EQUAL(report.snapshot_entries, 0);
    EXPECT_EQUAL(save_now(engine), STATUS_OK);
    EXPECT_EQUAL(read_image(snapshot_path(copy, entries), now, sizeof now), size);
    struct save_facts facts;
    engine_save_facts(engine, &facts);
    EXPECT(size > 10000 && size < sizeof now);
    EXPECT_BYTES(then, now, (size_t)facts.history.bytes - 4096 - 512 - 32);
    stop_engine(engine);
    directory_remove(copy);
}

/* And today's release goes on from there. */
static void they_can_be_written(void) {
    for (int i = 0; i < NAMES; i++) goes_on(names[i]);
}

static void is_verified(const char *which) {
    if (!begin(which)) SKIP("not run at the top of the tree");
    char name[PATH_SIZE + 20], command[PATH_SIZE + 40];
    snprintf(name, sizeof name, "%s/found", copy);
    mkdir(name, 0700);
    directory_copy(data, name);
    snprintf(command, sizeof command, "%s/expected", name);
    file_copy(expected, command);
    snprintf(command, sizeof command, "tests/random/compare '%s'", copy);
    fflush(stdout);
    EXPECT_EQUAL(system(command), 0);
    directory_remove(name);
    directory_remove(copy);
}

static void verify_py_says_the_same(void) {
    if (system("python3 -c '' > /dev/null 2>&1") != 0) SKIP("no python3");
    for (int i = 0; i < NAMES; i++) is_verified(names[i]);
}

static void valori_check_says_the_same(void) {
    char program[PATH_SIZE], command[4 * PATH_SIZE];
    const char *build = getenv("BUILD");
    snprintf(program, sizeof program, "%s/valori-check", build ? build : "build");
    if (access(program, X_OK) != 0) SKIP("no valori-check is built");
    for (int i = 0; i < NAMES; i++) {
        if (!begin(names[i])) SKIP("not run at the top of the tree");
        snprintf(command, sizeof command,
                 "%s log %s --json | grep -q '\"log_root\":\"'$(sed -n 2p %s)", program, copy,
                 expected);
        EXPECT_EQUAL(system(command), 0);
        snprintf(command, sizeof command,
                 "%s log %s | grep -q \"state root  $(sed -n 4p %s)\"", program, copy, expected);
        EXPECT_EQUAL(system(command), 0);
        snprintf(command, sizeof command, "%s log %s | grep -q '^graphs      none'", program, copy);
        EXPECT_EQUAL(system(command) != 0, i == 2 || i == 3);
        directory_remove(copy);
    }
}

int main(int argc, char **argv) {
    bool snapshot = argc > 2 && strcmp(argv[2], "snapshot") == 0;
    if (argc > 1) return write_directory(argv[1], argc > 2, snapshot);
    RUN(roots_are_what_they_were);
    RUN(a_snapshot_is_what_it_was);
    RUN(they_can_be_written);
    RUN(verify_py_says_the_same);
    RUN(valori_check_says_the_same);
    return test_finish();
}
