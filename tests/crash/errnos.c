/* Every call to the system fails once, and then for ever, with each errno: whatever
 * happens, a refused change changes nothing, what was acknowledged comes back, and a log
 * that has failed stays failed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crash/lab.h"

static const int errnos[] = {EIO,    ENOSPC, EDQUOT, EFBIG, EINTR, EAGAIN,
                             EMFILE, ENOMEM, EACCES, EROFS, ESTALE};

struct trial {
    struct boot_options boot;
    uint64_t call;
    enum sim_fault fault;
    int error;
    bool for_ever;

    struct sim *sim;
    struct oracle oracle;
    struct sim_bounds bounds;
    bool failed; /* the engine has said STATUS_IO */
};

/* `failed`: it had failed before the call that has just returned. */
static void note(struct trial *trial, struct engine *engine, bool failed) {
    uint64_t acknowledged = engine_acknowledged(engine);
    if (failed)
        LAB_EXPECT(acknowledged <= trial->bounds.written,
                   "G5: acknowledged after a failure");
    trial->bounds.written = acknowledged;
    trial->bounds.promised = acknowledged;
    if (trial->boot.policy != SYNC_ALWAYS) trial->bounds.promised = 0;
    if (trial->bounds.possible < engine_size(engine) + 1)
        trial->bounds.possible = engine_size(engine) + 1;
    oracle_note(&trial->oracle, engine);
}

/* One change: if it is not logged, nothing may be different. */
static void submit(struct trial *trial, struct engine *engine, uint64_t *random) {
    struct moment before, now;
    moment_of(engine, &before);
    enum status status = workload_change(engine, random);
    moment_of(engine, &now);
    if (status)
        LAB_EXPECT(memcmp(&before, &now, sizeof now) == 0,
                   "G4: %s and yet something changed", status_name(status));
    bool failed = trial->failed;
    if (failed)
        LAB_EXPECT(status == STATUS_IO, "G5: %s after a failure", status_name(status));
    trial->failed = failed || status == STATUS_IO;
    note(trial, engine, failed);
}

static void turn(struct trial *trial, struct engine *engine) {
    uint64_t next;
    enum status status = engine_turn(engine, &next);
    bool failed = trial->failed;
    if (failed)
        LAB_EXPECT(status == STATUS_IO, "G5: the engine turns on after a failure");
    trial->failed = failed || status == STATUS_IO;
    note(trial, engine, failed);
    sim_advance(trial->sim, 60000);
}

static void run(struct trial *trial) {
    uint64_t random = 77;
    struct booted booted;
    struct engine *engine = boot_engine(trial->sim, &trial->boot, &booted);
    if (!engine) {
        bool known = booted.status == STATUS_IO || booted.status == STATUS_NO_SPACE ||
                     booted.status == STATUS_NOT_FOUND;
        LAB_EXPECT(known, "the start says %s: %s", status_name(booted.status),
                   booted.message);
        return;
    }
    note(trial, engine, false);
    for (int i = 0; i < 10; i++) {
        submit(trial, engine, &random);
        if (i % 3 == 1) submit(trial, engine, &random);
        turn(trial, engine);
        if (i % 4 == 3) turn(trial, engine), turn(trial, engine), turn(trial, engine);
    }
    bool failed = trial->failed;
    if (engine_stop(engine)) trial->failed = true;
    note(trial, engine, failed);
    engine_close(engine);
}

/* The process is gone; so may be everything that was not synced. */
static void look_after(struct trial *trial) {
    struct crash_point *point = crash_begin(trial->sim);
    while (crash_advance(point)) {
    }
    size_t count;
    const struct crash_variable *variables = crash_variables(point, &count);
    uint16_t *choice = calloc(count + 1, sizeof *choice);
    check(choice);
    for (int all = 0; all < 2; all++) {
        for (size_t i = 0; i < count; i++) choice[i] = all ? variables[i].newest : 0;
        struct sim_image image;
        struct booted booted;
        crash_image(point, choice, 5, &image);
        boot_image(&image, &trial->boot, &booted, NULL);
        sim_image_free(&image);
        LAB_EXPECT(booted.status == STATUS_OK, "after it: %s", booted.message);
        if (booted.status) continue;
        uint64_t least = all ? trial->bounds.written : trial->bounds.promised;
        LAB_EXPECT(booted.size >= least && booted.size <= trial->bounds.possible,
                   "after it: %llu entries, promised %llu",
                   (unsigned long long)booted.size, (unsigned long long)least);
        bool agrees = booted.size == 0 ||
                      oracle_agrees(&trial->oracle, booted.size, &booted.moment);
        LAB_EXPECT(agrees, "after it: another state");
    }
    free(choice);
    crash_end(point);
}

/* False when the workload makes fewer calls than that. */
static bool try_one(struct trial *trial) {
    trial->sim = sim_create(9, NULL);
    sim_record(trial->sim);
    sim_set_fault(trial->sim, trial->call, trial->fault, trial->error, trial->for_ever);
    memset(&trial->bounds, 0, sizeof trial->bounds);
    trial->bounds.possible = 1;
    trial->failed = false;
    run(trial);
    bool hit = sim_fault_hit(trial->sim);
    if (hit) look_after(trial);
    sim_destroy(trial->sim);
    oracle_free(&trial->oracle);
    return hit;
}

static uint64_t sweep(const struct boot_options *boot) {
    uint64_t runs = 0;
    for (size_t e = 0; e < sizeof errnos / sizeof errnos[0]; e++)
        for (int mode = 0; mode < 4; mode++)
            for (uint64_t call = 0; !lab_failed(); call++) {
                struct trial trial = {.boot = *boot,
                                      .call = call,
                                      .fault = mode & 1 ? SIM_FAULT_HALF : SIM_FAULT_FAIL,
                                      .error = errnos[e],
                                      .for_ever = (mode & 2) != 0};
                if (!try_one(&trial)) break;
                runs++;
                if (lab_failed())
                    printf("    call %llu, %s, mode %d\n", (unsigned long long)call,
                           strerror(errnos[e]), mode);
            }
    return runs;
}

uint64_t errnos_run(void) {
    static const struct {
        const char *name;
        struct boot_options boot;
    } sweeps[] = {
        {"G4_G5_every_call_fails_with_every_errno",
         {.segment_size = 1500, .reserve = true}},
        {"G4_G5_every_call_fails_without_reservation", {.segment_size = 1500}},
        {"G5_every_call_fails_with_everysec",
         {.segment_size = UINT64_MAX, .reserve = true, .policy = SYNC_EVERY_SECOND}},
    };
    uint64_t runs = 0;
    for (size_t i = 0; i < sizeof sweeps / sizeof sweeps[0]; i++) {
        if (!lab_wanted(sweeps[i].name)) continue;
        lab_begin(sweeps[i].name);
        runs += sweep(&sweeps[i].boot);
    }
    if (runs > 0) printf("  %llu runs with one call failing\n", (unsigned long long)runs);
    return runs;
}
