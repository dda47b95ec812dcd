/* Fuzz target: the log reader, with a hostile directory.
 *
 * The first byte of the input chooses how the rest becomes files:
 * - even: the rest is the first segment and the head file, as they are;
 * - odd: the rest is a script of frames that get a right header and right checks, so that
 * wrong sequences, lengths, marks and orders are reached behind the checks.
 *
 * Whatever the input: nothing crashes, a refusal changes nothing, and a log that was
 * accepted is accepted again with the same entries. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "sim/sim_os.h"
#include "storage/frame.h"
#include "storage/head.h"
#include "storage/log.h"
#include "storage/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *resize(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context, (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}
static const struct allocator allocator = {NULL, resize};

/* --- From bytes to files ----------------------------------------------------------- */

static const char first[] = "valori-00000001.log";
static const char second[] = "valori-00000002.log";

static void plain_files(const uint8_t *data, size_t size, struct sim_image *image) {
    size_t head = size >= 3000 ? HEAD_SLOTS * HEAD_SLOT_SIZE : 0;
    sim_image_add(image, first, data, size - head);
    if (head > 0) sim_image_add(image, HEAD_NAME, data + size - head, head);
}

/* A script is read byte by byte; at its end everything is 0. */
struct script {
    const uint8_t *data;
    size_t size, at;
};
static uint8_t next(struct script *script) {
    return script->at < script->size ? script->data[script->at++] : 0;
}

static size_t write_frame(struct script *script, const struct segment_header *segment,
                          uint64_t due, uint8_t *bytes) {
    static const uint8_t filling[1024] = {0x56, 0x46, 0x52, 0x4d};
    uint8_t what = next(script), skew = next(script), sizes = next(script);
    struct frame_header header = {
        .kind = what & 1 ? FRAME_MARK : FRAME_ENTRY,
        .type = what & 1 ? 0 : what >> 4,
        .sequence = due + (skew >> 6),
        .durable = due - (skew & 3) % (due + 1) + (skew >> 2 & 3),
    };
    struct log_entry entry = {.type = header.type};
    if (header.kind == FRAME_ENTRY) {
        header.entry_size = sizes;
        header.list_size = what >> 1 & 7;
        header.payload_size = (uint64_t)(sizes & 15) * 8;
        entry.head = slice_of(filling, header.entry_size);
        entry.list = slice_of(filling, header.list_size);
        entry.payload = slice_of(filling, (size_t)header.payload_size);
    }
    frame_encode(segment->key, &header, &entry, bytes);
    uint64_t frame;
    check(frame_size(&header, &frame));
    if (what == 0xF0) bytes[sizes % frame] ^= 1; /* and now and then a broken one */
    return (size_t)frame;
}

static void scripted_files(const uint8_t *data, size_t size, struct sim_image *image) {
    struct script script = {data, size, 0};
    struct segment_header segment = {.number = 1};
    struct rfc6962_range empty;
    rfc6962_begin(&empty);
    rfc6962_root(&empty, segment.root);
    uint8_t bytes[16384];
    segment_header_encode(&segment, bytes);
    size_t used = SEGMENT_HEADER_SIZE;
    uint64_t due = 0;
    while (script.at < script.size && used + 2048 < sizeof bytes) {
        used += write_frame(&script, &segment, due, bytes + used);
        due += (next(&script) & 7) != 0;
    }
    sim_image_add(image, first, bytes, used);
    if (due % 3 == 0) return;
    segment.number = 2;
    segment.base = due;
    segment_header_encode(&segment, bytes);
    sim_image_add(image, second, bytes, SEGMENT_HEADER_SIZE - (due % 3 == 2));
}

/* --- Reading ----------------------------------------------------------------------- */

/* Open, scan, replay, start, stop; `root` is of the entries that stand. */
static enum status boot(struct sim *sim, uint8_t root[SHA256_SIZE], uint64_t *entries) {
    const struct os *os = sim_os(sim);
    struct directory *directory;
    struct log_options options = {.segment_size = UINT64_MAX, .reserve_size = 1 << 20};
    struct log_report report;
    struct log *log;
    check(os->directory_open(os, ".", &directory) == STATUS_OK);
    enum status status = log_open(os, &allocator, directory, &options, &log, &report);
    if (!status) do
            status = log_scan(log, 1000, &report);
        while (status == STATUS_AGAIN);
    struct frame frame;
    uint64_t due = 0;
    while (!status) {
        status = log_next(log, &frame, &report);
        if (!status) check(frame.sequence == due++);
    }
    if (status != STATUS_END) check(sim_changes(sim) == 0);
    if (status == STATUS_END) status = log_start(log, &report);
    if (!status) {
        *entries = log_size(log);
        log_root(log, root);
        check(*entries == due);
    }
    log_close(log);
    os->directory_close(os, directory);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > 60000) return 0;
    struct sim_image image;
    sim_image_init(&image);
    if (data[0] & 1) scripted_files(data + 1, size - 1, &image);
    else plain_files(data + 1, size - 1, &image);
    struct sim *sim = sim_create(size, &image);
    uint8_t root[SHA256_SIZE], again[SHA256_SIZE];
    uint64_t entries, entries_again;
    if (boot(sim, root, &entries) == STATUS_OK) {
        uint64_t changes = sim_changes(sim);
        check(boot(sim, again, &entries_again) == STATUS_OK);
        check(sim_changes(sim) == changes && entries == entries_again);
        check(memcmp(root, again, SHA256_SIZE) == 0);
    }
    sim_destroy(sim);
    sim_image_free(&image);
    return 0;
}
