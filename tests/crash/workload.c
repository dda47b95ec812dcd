/* Workloads: seeded streams of changes, turns, pauses and restarts.
 *
 * Around every call into the engine the record gets a note of what a crash there must
 * leave. A promise is what a client was told: with `always` all that is acknowledged;
 * with `everysec` what was acknowledged two seconds ago; with `no` only what happens to
 * be durable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crash/lab.h"

#define PROMISE_US UINT64_C(2100000)
#define HISTORY    4096

/* When how much was acknowledged. */
struct promise {
    uint64_t time_us, entries;
};

struct run {
    const struct workload *workload;
    struct sim *sim;
    struct engine *engine;
    struct oracle *oracle;
    uint64_t random;
    struct promise history[HISTORY];
    size_t history_count;
};

/* --- Notes ------------------------------------------------------------------------- */

static void note(struct run *run, uint64_t coming) {
    const struct os *os = sim_os(run->sim);
    uint64_t acknowledged = engine_acknowledged(run->engine), now = os->monotonic_us(os);
    uint64_t promised = engine_durable(run->engine);
    if (run->workload->boot.policy == SYNC_ALWAYS) {
        LAB_EXPECT(acknowledged <= promised, "G1: acknowledged before durable");
        promised = acknowledged;
    }
    if (run->workload->boot.policy == SYNC_EVERY_SECOND) {
        check(run->history_count < HISTORY);
        run->history[run->history_count++] = (struct promise){now, acknowledged};
        for (size_t i = run->history_count; i-- > 0;)
            if (run->history[i].time_us + PROMISE_US <= now) {
                if (run->history[i].entries > promised)
                    promised = run->history[i].entries;
                break;
            }
    }
    struct sim_bounds bounds = {.promised = promised,
                                .written = acknowledged,
                                .possible = engine_size(run->engine) + coming};
    sim_note(run->sim, &bounds);
}

static void after(struct run *run) {
    oracle_note(run->oracle, run->engine);
    note(run, 0);
}

static enum status turn(struct run *run) {
    uint64_t next;
    note(run, 1);
    enum status status = engine_turn(run->engine, &next);
    after(run);
    return status;
}

/* Turn until everything is acknowledged. */
static enum status settle(struct run *run) {
    for (int i = 0; i < 50; i++) {
        enum status status = turn(run);
        if (status) return status;
        if (engine_acknowledged(run->engine) == engine_size(run->engine)) break;
        sim_advance(run->sim, 10000);
    }
    return STATUS_OK;
}

/* --- Changes ----------------------------------------------------------------------- */

struct material {
    char key[2], element[3];
    int32_t values[4];
    uint8_t vector[64], attributes[40];
};

static const struct config l2 = {
    .metric = METRIC_L2, .index = INDEX_FLAT, .dim = 4, .m = 16, .ef = 200, .origin = 0};
static const struct config cosine = {.metric = METRIC_COSINE,
                                     .index = INDEX_FLAT,
                                     .dim = 4,
                                     .m = 16,
                                     .ef = 200,
                                     .origin = 0};

static void make_vadd(struct change *change, struct material *material,
                      uint64_t *random) {
    bool scaled = material->key[0] == 'c';
    for (int i = 0; i < 4; i++)
        material->values[i] = (int32_t)(65536 + lab_below(random, 65536));
    vector_encode(material->values, 4, scaled, scaled ? 2 : 0, material->vector);
    change->flags = CHANGE_VECTOR | CHANGE_CONFIG;
    change->vector = slice_of(material->vector, vector_bytes_size(scaled, 4));
    change->config = scaled ? cosine : l2;
    if (lab_below(random, 3) == 0) {
        change->flags |= CHANGE_ATTRIBUTES;
        memset(material->attributes, 'a' + (int)lab_below(random, 20), 40);
        change->attributes = slice_of(material->attributes, lab_below(random, 40));
    }
    if (lab_below(random, 3) == 0) {
        change->flags |= CHANGE_TAG;
        change->tag = lab_random(random);
    }
}

static void make_string(struct change *change, struct material *material,
                        uint64_t *random) {
    static const uint8_t types[] = {CHANGE_SET, CHANGE_INCR, CHANGE_REPLACE, CHANGE_RENAME};
    change->type = types[lab_below(random, 4)];
    if (lab_below(random, 2)) material->key[0] = "st"[lab_below(random, 2)];
    change->delta = (int64_t)lab_random(random);
    if (change->type == CHANGE_RENAME) {
        change->target = slice_text(lab_below(random, 2) ? "b" : "s");
    } else if (change->type != CHANGE_INCR) {
        change->flags = CHANGE_ATTRIBUTES;
        change->attributes = slice_of(material->element, lab_below(random, 3));
    }
}

static void make_change(struct change *change, struct material *material,
                        uint64_t *random) {
    memset(change, 0, sizeof *change);
    memset(material, 0, sizeof *material);
    material->key[0] = "abc"[lab_below(random, 3)];
    material->element[0] = 'e';
    material->element[1] = (char)('0' + lab_below(random, 8));
    change->key = slice_text(material->key);
    change->element = slice_text(material->element);
    uint64_t kind = lab_below(random, 24);
    if (kind < 13) {
        change->type = CHANGE_VADD;
        make_vadd(change, material, random);
    } else if (kind < 15) {
        change->type = CHANGE_CREATE;
        change->flags = CHANGE_CONFIG;
        change->config = l2;
        change->config.origin = ORIGIN_VCREATE;
        if (material->key[0] == 'c') material->key[0] = 'a';
    } else if (kind < 17) {
        change->type = CHANGE_VREM;
    } else if (kind == 17) {
        change->type = CHANGE_SETTAG;
        change->flags = CHANGE_TAG;
        change->tag = lab_random(random);
    } else if (kind == 18) {
        change->type = CHANGE_SETATTR;
        change->flags = CHANGE_ATTRIBUTES;
        change->attributes = slice_of(material->key, 1);
    } else if (kind >= 20) {
        make_string(change, material, random);
    } else {
        change->type = lab_below(random, 4) ? CHANGE_DEL : CHANGE_FLUSH;
    }
    if (change->type == CHANGE_FLUSH) change->key = change->element = slice_of(NULL, 0);
}

enum status workload_change(struct engine *engine, uint64_t *random) {
    struct change change;
    struct material material;
    struct outcome outcome;
    uint64_t sequence;
    make_change(&change, &material, random);
    return engine_submit(engine, &change, &outcome, &sequence);
}

/* A batch of `count` changes; some are refused when they are applied, as in MULTI. */
static enum status submit_batch(struct run *run, unsigned count) {
    struct batch batch;
    batch_begin(&batch, &lab_allocator, 1 << 20);
    for (unsigned i = 0; i < count; i++) {
        struct change change;
        struct material material;
        make_change(&change, &material, &run->random);
        change_commit(&change);
        check(batch_add(&batch, &change) == STATUS_OK);
    }
    uint64_t sequence;
    enum status status;
    uint64_t next;
    while ((status = engine_batch_submit(run->engine, &batch, &sequence)) == STATUS_AGAIN) {
        note(run, 1); /* all of it may be on the disk before it counts, */
        if (engine_turn(run->engine, &next)) break; /* and the loop goes on meanwhile */
    }
    struct batch_event event;
    while (!status) status = engine_batch_next(run->engine, &event);
    batch_free(&batch);
    return status == STATUS_END ? STATUS_OK : status;
}

/* --- Steps ------------------------------------------------------------------------- */

static void change_step(struct run *run) {
    const struct workload *workload = run->workload;
    note(run, 1);
    if (workload->big_batches && lab_below(&run->random, 8) == 0) submit_batch(run, 420);
    else if (workload->batches && lab_below(&run->random, 3) == 0)
        submit_batch(run, 1 + (unsigned)lab_below(&run->random, 6));
    else workload_change(run->engine, &run->random);
    after(run);
}

static void restart(struct run *run) {
    if (lab_below(&run->random, 2)) {
        note(run, 0);
        engine_stop(run->engine);
        note(run, 0);
    }
    uint64_t written = engine_acknowledged(run->engine);
    engine_close(run->engine);
    struct booted booted;
    run->engine = boot_engine(run->sim, &run->workload->boot, &booted);
    LAB_EXPECT(run->engine, "restart refused: %s", booted.message);
    check(run->engine);
    LAB_EXPECT(booted.size >= written, "G3: a restart lost written entries");
    run->history_count = 0;
    after(run);
}

/* Save a snapshot, and let the log be kept in order. What is done on threads elsewhere is
 * done in the turns here. */
static void save(struct run *run) {
    struct save_facts facts;
    struct upkeep_facts upkeep;
    (void)engine_save(run->engine);
    for (int i = 0; i < 60; i++) {
        sim_advance(run->sim, 2000);
        if (turn(run)) return;
        engine_save_facts(run->engine, &facts);
        engine_upkeep_facts(run->engine, &upkeep);
        if (!facts.running && !upkeep.running && i > 20) return;
    }
}

static void step(struct run *run, unsigned number) {
    const struct workload *workload = run->workload;
    unsigned burst = 1 + (unsigned)lab_below(&run->random, workload->burst);
    for (unsigned i = 0; i < burst; i++) change_step(run);
    if (turn(run) == STATUS_OK && workload->burst == 1) settle(run);
    sim_advance(run->sim, 1000 + lab_below(&run->random, 20000));
    if (workload->boot.policy != SYNC_ALWAYS) sim_advance(run->sim, 300000);
    if (workload->idle && number % 7 == 6) {
        settle(run);
        for (int i = 0; i < 6; i++) {
            sim_advance(run->sim, 150000);
            turn(run);
        }
    }
    if (workload->saves && number % 4 == 3) save(run);
    if (workload->restarts && number % 9 == 8) restart(run);
    if (workload->full_disk && number % 12 == 6) sim_set_capacity(run->sim, 1);
    if (workload->full_disk && number % 12 == 0) {
        sim_set_capacity(run->sim, UINT64_MAX);
        sim_advance(run->sim, 200000);
    }
}

/* A disk on which a crash has left the end of a log torn. */
static void make_torn_disk(uint64_t seed, struct sim_image *image,
                           struct oracle *oracle) {
    struct workload before = {.name = "before",
                              .boot = {.segment_size = UINT64_MAX, .reserve = true},
                              .steps = 5,
                              .sync_polls = 1,
                              .burst = 3};
    struct sim *sim = workload_run(&before, seed, oracle);
    sim_snapshot(sim, image);
    sim_destroy(sim);
    struct sim_file_image *file = sim_image_find(image, "valori-00000001.log");
    file->data = realloc(file->data, file->size + 900);
    check(file->data);
    memset(file->data + file->size, 0x5C, 900);
    file->size += 900;
}

struct sim *workload_run(const struct workload *workload, uint64_t seed,
                         struct oracle *oracle) {
    struct sim_image disk;
    sim_image_init(&disk);
    if (workload->torn_start) make_torn_disk(seed + 1, &disk, oracle);
    struct run *run = calloc(1, sizeof *run);
    check(run);
    run->workload = workload;
    run->oracle = oracle;
    run->random = seed;
    run->sim = sim_create(seed, &disk);
    sim_image_free(&disk);
    sim_set_sync_polls(run->sim, workload->sync_polls);
    sim_record(run->sim);

    struct sim_bounds start = {0, 0, oracle->count > 0 ? oracle->count - 1 : 0};
    start.promised = start.written = start.possible;
    sim_note(run->sim, &start);
    struct booted booted;
    run->engine = boot_engine(run->sim, &workload->boot, &booted);
    LAB_EXPECT(run->engine, "first start refused: %s", booted.message);
    check(run->engine);
    after(run);
    for (unsigned i = 0; i < workload->steps; i++) step(run, i);
    if (workload->full_disk) sim_set_capacity(run->sim, UINT64_MAX);
    for (int i = 0; i < 12; i++) { /* long enough for a sync of every policy but `no` */
        sim_advance(run->sim, 100000);
        turn(run);
    }
    settle(run);
    note(run, 0);
    struct upkeep_facts upkeep;
    engine_upkeep_facts(run->engine, &upkeep);
    LAB_EXPECT(!workload->saves || upkeep.first > 0, "nothing was trimmed");
    if (workload->idle) engine_stop(run->engine);
    note(run, 0);
    engine_close(run->engine);
    struct sim *sim = run->sim;
    free(run);
    return sim;
}
