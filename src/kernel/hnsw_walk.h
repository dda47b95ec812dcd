/* Walks through the graph: from a point towards a query, layer by layer.
 *
 * A walk needs room that its caller lends: for a search the searcher's, for an insertion
 * the kernel's. It leaves the room clean, so that the next one need not clear it. */
#ifndef KERNEL_HNSW_WALK_H
#define KERNEL_HNSW_WALK_H

#include "kernel/beam.h"
#include "kernel/hnsw.h"

/* Points whose codes are fetched side by side before any is looked at. */
#define WALK_PENDING_MAX 256

/* What a walk writes. `visited` has a bit for every point; the trail remembers which of
 * them to clear, and overflows into clearing all. */
struct walk_room {
    uint32_t *visited;
    uint32_t *trail;
    uint64_t *candidates;
    int8_t *query;
    uint32_t points, capacity; /* that it is large enough for */
};
#define WALK_TRAIL_MAX 16384

/* Bytes of room for a collection of `points`, an EF of `capacity` and `dim` values, and
 * its division. `bytes` is aligned to 64; the first walk_room_visited() of them must be
 * zero. */
size_t walk_room_size(uint32_t points, uint32_t capacity, uint32_t dim);
size_t walk_room_visited(uint32_t points);
struct walk_room walk_room_divide(void *bytes, uint32_t points, uint32_t capacity,
                                  uint32_t dim);

struct hnsw_walk {
    const struct hnsw *hnsw;
    uint32_t
        chunk_bits; /* log2 of the code rows in a chunk; 0: their number is no power */
    struct code_query query;
    bool plain; /* L2 between lattice rows all: without facts, and nothing is lost */
    struct walk_room room;
    struct beam beam;
    uint32_t layer;
    uint32_t logged;
    bool overflowed;
    uint64_t looked_at; /* codes */
};

/* Towards walk->query, which the caller has set by code_query_begin() or code_query_row()
 * with room.query. */
void hnsw_walk_begin(struct hnsw_walk *walk, const struct hnsw *hnsw,
                     const struct walk_room *room);

/* The nearest point that greedy steps in the layers from hnsw->top down to `until` + 1
 * lead to. */
uint64_t hnsw_walk_descend(struct hnsw_walk *walk, uint32_t until);

/* Begin in this layer from this candidate, with a beam of `ef`; then go on while
 * hnsw_walk_step() says that there is more. */
void hnsw_walk_layer(struct hnsw_walk *walk, uint32_t layer, uint32_t ef, uint64_t start);
bool hnsw_walk_step(struct hnsw_walk *walk);
/* Clear what the layer has written, but for the beam. */
void hnsw_walk_clean(struct hnsw_walk *walk);

#endif
