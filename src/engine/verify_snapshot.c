/* A snapshot by itself, without the log that it is bound to: for tools. */
#include <stdio.h>

#include "base/bytes.h"
#include "engine/engine_internal.h"

static enum status say(struct snapshot_verdict *verdict, enum status status,
                       const char *text) {
    snprintf(verdict->message, sizeof verdict->message, "%s", text);
    return status;
}

/* All pieces into the kernel. */
static enum status read_image(struct snapshot_reader *reader, struct kernel *kernel,
                              uint8_t *piece, struct snapshot_verdict *verdict) {
    struct image_reader image;
    image_read_begin(&image, kernel);
    for (uint64_t i = 0; i < reader->trailer.pieces; i++) {
        size_t size, header = i == 0 ? SNAPSHOT_HEADER_SIZE : 0;
        enum status status = snapshot_read_piece(reader, i, piece, &size);
        if (status) return say(verdict, status, reader->message);
        status = image_read(&image, piece + header, size - header);
        if (status == STATUS_VERSION)
            return say(verdict, status, "it holds what this release does not know");
        if (status) return say(verdict, status, "its image is malformed");
    }
    return image_read_end(&image) ? say(verdict, STATUS_CORRUPT, "its image is not whole")
                                  : STATUS_OK;
}

/* The state root anew; `room` is a piece, large enough for either. */
static enum status compute_roots(const struct state *state, uint8_t *room,
                                 struct roots *roots) {
    struct verify verify;
    struct verify_job job;
    verify_begin(&verify, state);
    while (verify_next(&verify, &job)) {
        enum status status = verify_run(state, &job, room);
        if (status) return status;
    }
    struct recompute *recompute = recompute_begin_trusting(room, state);
    enum status status;
    do status = recompute_step(recompute, UINT32_MAX, roots);
    while (status == STATUS_AGAIN);
    return status;
}

static enum status verify(struct snapshot_reader *reader, struct kernel *kernel,
                          uint8_t *piece, struct snapshot_verdict *verdict) {
    enum status status = read_image(reader, kernel, piece, verdict);
    if (status) return status;
    const struct state *state = kernel_state(kernel);
    const struct log_cover *cover = &reader->facts.cover;
    struct roots roots, sealed = {0};
    uint8_t body[SEAL_SIZE];
    uint64_t sequence;
    if (compute_roots(state, piece, &roots))
        return say(verdict, STATUS_CORRUPT, "its rows contradict each other");
    store_le64(body, cover->range.size - 1);
    memcpy(body + 8, reader->facts.seal, SNAPSHOT_SEAL_SIZE);
    if (seal_decode(slice_of(body, sizeof body), &sequence, &sealed))
        return say(verdict, STATUS_VERSION, "it was sealed under another semantics id");
    if (!roots_equal(&roots, &sealed))
        return say(verdict, STATUS_CORRUPT,
                   "the state root computed from it is not the one sealed");
    verdict->bytes = reader->size;
    verdict->entries = cover->range.size;
    verdict->keys = state_key_total(state);
    verdict->records = state_record_total(state);
    rfc6962_root(&cover->range, verdict->log_root);
    memcpy(verdict->state_root, roots.state_root, SHA256_SIZE);
    return STATUS_OK;
}

enum status engine_verify_snapshot(const struct os *os, const struct allocator *allocator,
                                   const char *directory, const char *name,
                                   struct snapshot_verdict *verdict) {
    struct directory *opened;
    struct snapshot_reader reader;
    struct kernel *kernel = NULL;
    *verdict = (struct snapshot_verdict){.bytes = 0};
    enum status status = os->directory_open(os, directory, &opened);
    if (status) return say(verdict, status, os->error_text(os));
    status = snapshot_open_file(&reader, os, allocator, opened, name);
    if (status) {
        say(verdict, status, reader.message);
    } else {
        uint8_t *piece = allocate(allocator, SNAPSHOT_PIECE);
        if (!piece || engine_make_kernel(os, &kernel))
            status = say(verdict, STATUS_MEMORY, "no memory");
        else status = verify(&reader, kernel, piece, verdict);
        kernel_destroy(kernel);
        release(allocator, piece, SNAPSHOT_PIECE);
        snapshot_close(&reader);
    }
    os->directory_close(os, opened);
    return status;
}
