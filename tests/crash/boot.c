/* Booting an image with the real engine. */
#include <stdio.h>
#include <string.h>

#include "crash/lab.h"

struct engine *boot_engine(struct sim *sim, const struct boot_options *options,
                           struct booted *booted) {
    struct engine_options engine_options = {
        .directory = ".",
        .log_enabled = true,
        .sync_policy = options->policy,
        .seal_interval_us = 1000000,
        .seal_dirty_max = 7,
        .segment_size = options->segment_size,
        .long_frame = options->long_frame,
        .verify_every_seal = true,
        .trim = options->trim,
        .archive_directory = options->archive ? "archive" : NULL,
    };
    struct engine_report report;
    struct engine *engine;
    memset(booted, 0, sizeof *booted);
    sim_set_reserve(sim, options->reserve);
    booted->status =
        engine_open(sim_os(sim), &lab_allocator, &engine_options, &engine, &report);
    if (!booted->status) {
        do booted->status = engine_recover(engine, UINT64_MAX, &report);
        while (booted->status == STATUS_AGAIN);
    }
    snprintf(booted->message, sizeof booted->message, "%s", report.message);
    if (booted->status) {
        engine_close(engine);
        return NULL;
    }
    booted->size = engine_size(engine);
    booted->torn_bytes = report.log.torn_bytes;
    moment_of(engine, &booted->moment);
    return engine;
}

void boot_image(const struct sim_image *image, const struct boot_options *options,
                struct booted *booted, struct sim **record) {
    struct sim *sim = sim_create(sim_image_hash(image), image);
    if (record) sim_record(sim);
    struct engine *engine = boot_engine(sim, options, booted);
    uint64_t changes = sim_changes(sim);
    if (engine) {
        LAB_EXPECT(engine_acknowledged(engine) == booted->size,
                   "recovered entries unsettled");
        engine_close(engine);
        struct booted second;
        engine = boot_engine(sim, options, &second);
        LAB_EXPECT(engine, "G13: the second boot refused: %s", second.message);
        LAB_EXPECT(sim_changes(sim) == changes, "G13: the second boot wrote");
        LAB_EXPECT(second.size == booted->size &&
                       memcmp(&second.moment, &booted->moment, sizeof second.moment) == 0,
                   "G13: the second boot found another state");
        LAB_EXPECT(second.torn_bytes == 0, "G13: the second boot cut again");
        engine_close(engine);
    } else {
        LAB_EXPECT(changes == 0, "G8: a refusal wrote: %s", booted->message);
    }
    if (record) *record = sim;
    else sim_destroy(sim);
}
