/* Exploring a record: at each operation boundary build the images that a crash there may
 * leave, boot them and judge what comes back. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crash/lab.h"

#define EXHAUST_MAX 96 /* build every image of a point with no more than this */
#define NEST_EVERY  50 /* one image in so many is explored inside its recovery */
#define NEST_DEPTH  3
#define NEST_IMAGES 40 /* for each */

/* What is known about images that were booted: hash and outcome. */
struct known {
    uint64_t hash;
    uint64_t size;
};

struct explorer {
    const struct workload *workload;
    const struct oracle *oracle;
    struct explore_counts *counts;
    uint64_t random;
    struct known *known; /* open addressing; hash 0 is free */
    size_t known_count, known_capacity;
};

static struct known *look_up(struct explorer *explorer, uint64_t hash) {
    size_t mask = explorer->known_capacity - 1;
    size_t at = (size_t)hash & mask;
    while (explorer->known[at].hash != 0 && explorer->known[at].hash != hash)
        at = (at + 1) & mask;
    return &explorer->known[at];
}

static void make_room(struct explorer *explorer) {
    if (explorer->known_count * 2 < explorer->known_capacity) return;
    struct known *old = explorer->known;
    size_t old_capacity = explorer->known_capacity;
    explorer->known_capacity = old_capacity ? old_capacity * 2 : 1024;
    explorer->known = calloc(explorer->known_capacity, sizeof *explorer->known);
    check(explorer->known);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].hash) *look_up(explorer, old[i].hash) = old[i];
    free(old);
}

/* --- Judging ----------------------------------------------------------------------- */

static void walk(struct explorer *explorer, struct sim *sim, uint64_t budget,
                 unsigned depth, const struct sim_bounds *fixed);

/* Boot an image that was not seen before. */
static uint64_t boot_new(struct explorer *explorer, const struct sim_image *image,
                         unsigned depth) {
    bool nest =
        depth < NEST_DEPTH && (depth > 0 ? lab_below(&explorer->random, 10) == 0
                                         : explorer->counts->images % NEST_EVERY == 0);
    struct booted booted;
    struct sim *record = NULL;
    boot_image(image, &explorer->workload->boot, &booted, nest ? &record : NULL);
    explorer->counts->images++;
    if (depth > 0) explorer->counts->nested++;
    LAB_EXPECT(booted.status == STATUS_OK, "false alarm: %s", booted.message);
    if (booted.status == STATUS_OK)
        LAB_EXPECT(oracle_agrees(explorer->oracle, booted.size, &booted.moment),
                   "the state after %llu entries is not the one that was",
                   (unsigned long long)booted.size);
    if (record) {
        /* Whatever happens inside recovery, the same entries stand. */
        struct sim_bounds same = {booted.size, booted.size, booted.size};
        if (booted.status == STATUS_OK)
            walk(explorer, record, NEST_IMAGES, depth + 1, &same);
        sim_destroy(record);
    }
    return booted.status == STATUS_OK ? booted.size : UINT64_MAX;
}

static void judge(struct explorer *explorer, const struct sim_image *image,
                  unsigned depth, uint64_t least, uint64_t most, size_t position) {
    uint64_t hash = sim_image_hash(image);
    hash += hash == 0;
    make_room(explorer);
    uint64_t size;
    struct known *known = look_up(explorer, hash);
    if (known->hash == 0) {
        size = boot_new(explorer, image, depth);
        make_room(explorer);
        *look_up(explorer, hash) = (struct known){hash, size};
        explorer->known_count++;
    } else {
        size = known->size;
        explorer->counts->repeated++;
    }
    if (size == UINT64_MAX) return;
    LAB_EXPECT(size >= least, "operation %zu: %llu entries came back, %llu were promised",
               position, (unsigned long long)size, (unsigned long long)least);
    LAB_EXPECT(size <= most, "operation %zu: %llu entries came back, %llu were written",
               position, (unsigned long long)size, (unsigned long long)most);
}

/* --- Choosing ---------------------------------------------------------------------- */

struct chooser {
    struct crash_point *point;
    const struct crash_variable *variables;
    size_t count;
    uint16_t *choice;
    struct sim_bounds bounds;
    unsigned depth;
};

static void build(struct explorer *explorer, struct chooser *chooser, uint64_t least) {
    struct sim_image image;
    crash_image(chooser->point, chooser->choice, lab_random(&explorer->random), &image);
    judge(explorer, &image, chooser->depth, least, chooser->bounds.possible,
          crash_position(chooser->point));
    sim_image_free(&image);
}

/* The number of images at this point, or EXHAUST_MAX + 1 for more. */
static uint64_t combinations(const struct chooser *chooser) {
    uint64_t product = 1;
    for (size_t i = 0; i < chooser->count && product <= EXHAUST_MAX; i++)
        product *= chooser->variables[i].options;
    return product <= EXHAUST_MAX ? product : EXHAUST_MAX + 1;
}

static void build_all(struct explorer *explorer, struct chooser *chooser) {
    memset(chooser->choice, 0, chooser->count * sizeof *chooser->choice);
    for (;;) {
        build(explorer, chooser, chooser->bounds.promised);
        size_t i = 0;
        while (i < chooser->count &&
               ++chooser->choice[i] == chooser->variables[i].options)
            chooser->choice[i++] = 0;
        if (i == chooser->count) break;
    }
}

/* Everything and nothing, only the last operation, all but the first. */
static void build_edges(struct explorer *explorer, struct chooser *chooser) {
    uint32_t first = UINT32_MAX, last = 0;
    for (size_t i = 0; i < chooser->count; i++) {
        if (chooser->variables[i].op < first) first = chooser->variables[i].op;
        if (chooser->variables[i].op > last) last = chooser->variables[i].op;
    }
    for (int edge = 0; edge < 4; edge++) {
        for (size_t i = 0; i < chooser->count; i++) {
            const struct crash_variable *variable = &chooser->variables[i];
            bool taken = edge == 1 || (edge == 2 && variable->op == last) ||
                         (edge == 3 && variable->op != first);
            chooser->choice[i] = taken ? variable->newest : 0;
        }
        /* All of it is also what a killed process leaves: then what was written counts.
         */
        build(explorer, chooser,
              edge == 1 ? chooser->bounds.written : chooser->bounds.promised);
    }
}

/* A random mixture: each sample has its own liking for old, new and broken. */
static void build_sample(struct explorer *explorer, struct chooser *chooser) {
    uint64_t *random = &explorer->random;
    uint64_t newest = lab_below(random, 101), any = lab_below(random, 40);
    for (size_t i = 0; i < chooser->count; i++) {
        const struct crash_variable *variable = &chooser->variables[i];
        uint16_t option = lab_below(random, 100) < newest ? variable->newest : 0;
        if (lab_below(random, 100) < any)
            option = (uint16_t)lab_below(random, variable->options);
        chooser->choice[i] = option;
    }
    build(explorer, chooser, chooser->bounds.promised);
}

/* --- Walking ----------------------------------------------------------------------- */

static bool changes_the_disk(const struct sim_op *op) { return op->kind != SIM_NOTE; }

static void visit(struct explorer *explorer, struct chooser *chooser, uint64_t samples) {
    chooser->variables = crash_variables(chooser->point, &chooser->count);
    chooser->choice = malloc((chooser->count + 1) * sizeof *chooser->choice);
    check(chooser->choice);
    explorer->counts->points += chooser->depth == 0;
    build_edges(explorer, chooser);
    uint64_t all = combinations(chooser);
    bool few = chooser->depth == 0 || all <= samples;
    if (all <= EXHAUST_MAX && few) {
        build_all(explorer, chooser);
        explorer->counts->exhausted += chooser->depth == 0;
    } else {
        for (uint64_t i = 0; i < samples && !lab_failed(); i++)
            build_sample(explorer, chooser);
    }
    free(chooser->choice);
}

/* Visit every boundary of a record. `fixed` replaces the record's own notes. */
static void walk(struct explorer *explorer, struct sim *sim, uint64_t budget,
                 unsigned depth, const struct sim_bounds *fixed) {
    size_t boundaries = 1;
    for (size_t i = 0; i < sim_op_count(sim); i++)
        boundaries += changes_the_disk(sim_op(sim, i));
    uint64_t samples = budget / boundaries + 1;
    struct chooser chooser = {.point = crash_begin(sim), .depth = depth};
    while (!lab_failed() && crash_advance(chooser.point)) {
        const struct sim_op *op = sim_op(sim, crash_position(chooser.point) - 1);
        chooser.bounds = fixed ? *fixed : crash_bounds(chooser.point);
        /* A note that follows the last operation says more; the images are the same, so
         * only the edges are looked at again. */
        visit(explorer, &chooser, changes_the_disk(op) ? samples : 0);
    }
    crash_end(chooser.point);
}

void explore(const struct workload *workload, uint64_t seed, uint64_t budget,
             struct explore_counts *counts) {
    struct oracle oracle = {0};
    struct sim *sim = workload_run(workload, seed, &oracle);
    struct explorer explorer = {
        .workload = workload, .oracle = &oracle, .counts = counts, .random = seed};
    if (!lab_failed()) walk(&explorer, sim, budget, 0, NULL);
    sim_destroy(sim);
    oracle_free(&oracle);
    free(explorer.known);
}
