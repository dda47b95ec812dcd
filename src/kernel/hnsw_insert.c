/* Insertion: find the nearest points in each layer, choose among them, link both ways. */
#include "base/check.h"
#include "kernel/hnsw_lists.h"

#include "kernel/pure.h"

/* --- Working memory ----------------------------------------------------------------- */

static void fit_lists(struct memory *memory, struct hnsw_work *work, uint32_t dim) {
    if (!work->lists) {
        work->lists_block = memory_take(memory, memory_class(sizeof *work->lists));
        work->lists = work->lists_block.address;
    }
    struct block *block = &work->lists->query_block;
    if (block->address && block_size(block->size_class) >= code_stride(dim)) return;
    memory_give(memory, block);
    *block = memory_take(memory, memory_class(code_stride(dim)));
    work->lists->query = block->address;
}

/* Room for one point more than there are, and to spare. */
static void fit_room(struct memory *memory, struct hnsw_work *work,
                     const struct hnsw *hnsw) {
    uint32_t points = hnsw->points.limit + 2, capacity = hnsw->ef;
    if (work->room.points >= points && work->room.capacity >= capacity &&
        work->dim >= hnsw->dim)
        return;
    if (points < work->room.points) points = work->room.points;
    if (capacity < work->room.capacity) capacity = work->room.capacity;
    if (work->dim < hnsw->dim) work->dim = hnsw->dim;
    points += points / 2 + 512;
    memory_give(memory, &work->room_block);
    work->room_block =
        memory_take(memory, memory_class(walk_room_size(points, capacity, work->dim)));
    work->room = walk_room_divide(work->room_block.address, points, capacity, work->dim);
}

void hnsw_write_begin(struct hnsw_writer *writer, struct memory *memory,
                      struct hnsw *hnsw, struct hnsw_work *work) {
    *writer = (struct hnsw_writer){memory, hnsw, work};
    fit_lists(memory, work, hnsw->dim);
    fit_room(memory, work, hnsw);
    work->lists->changed_count = 0;
}

/* --- Linking ------------------------------------------------------------------------ */

/* The walk's candidates that are live. */
static uint32_t live_candidates(struct hnsw_writer *writer, const struct beam *beam,
                                const uint64_t **candidates) {
    const struct hnsw *hnsw = writer->hnsw;
    *candidates = beam->candidates;
    if (hnsw->dead + hnsw->condemned == 0) return beam->count;
    uint64_t *live = writer->work->lists->candidates;
    uint32_t count = 0;
    for (uint32_t i = 0; i < beam->count; i++)
        if (point_live(hnsw, candidate_point(beam->candidates[i])))
            live[count++] = beam->candidates[i];
    *candidates = live;
    return count;
}

/* Link `point` with the best of what the walk has found in its layer. */
static void connect(struct hnsw_writer *writer, uint32_t point, uint64_t counter,
                    const struct hnsw_walk *walk) {
    struct hnsw *hnsw = writer->hnsw;
    const uint64_t *candidates;
    uint32_t count = live_candidates(writer, &walk->beam, &candidates);
    links_choose(writer, candidates, count, hnsw->m);

    const struct point_list *kept = &writer->work->lists->kept;
    uint32_t layer = walk->layer, parent = 0, at = 0;
    uint32_t *links = hnsw_own_links(writer->memory, hnsw, layer, point);
    if (layer == 0) {
        uint64_t nearest = count > 0 ? candidates[0] : walk->beam.candidates[0];
        parent = links_adopter(hnsw, candidate_point(nearest), counter);
    }
    for (uint32_t i = 0; i < kept->count; i++)
        if (kept->points[i] != parent) links[at++] = kept->points[i];
    links_note(writer, layer, point);

    if (parent) links_pin(writer, parent, point);
    for (uint32_t i = 0; i < kept->count; i++)
        if (kept->points[i] != parent)
            links_add(writer, layer, kept->points[i], point, 0);
}

uint32_t hnsw_insert(struct hnsw_writer *writer, uint64_t counter, uint32_t slot,
                     const int32_t *values) {
    struct hnsw *hnsw = writer->hnsw;
    uint32_t level = hnsw_level(counter);
    uint32_t point = hnsw_take_point(writer->memory, hnsw, slot, level, values);
    uint32_t entry = hnsw->entry, top = hnsw->top;
    for (uint32_t layer = entry ? top + 1 : 0; layer <= level; layer++)
        links_note(writer, layer, point);
    if (entry != 0) {
        struct hnsw_walk walk;
        code_query_row(&walk.query, hnsw->metric, hnsw->dim,
                       pool_row(&hnsw->codes, point), pool_row(&hnsw->facts, point),
                       writer->work->room.query);
        hnsw_walk_begin(&walk, hnsw, &writer->work->room);
        uint32_t layer = level < top ? level : top;
        uint64_t nearest = hnsw_walk_descend(&walk, layer);
        for (;; layer--) {
            hnsw_walk_layer(&walk, layer, hnsw->ef, nearest);
            while (hnsw_walk_step(&walk)) {
            }
            hnsw_walk_clean(&walk);
            nearest = walk.beam.candidates[0];
            connect(writer, point, counter, &walk);
            if (layer == 0) break;
        }
    }
    if (entry == 0 || level > top) {
        hnsw->entry = point;
        hnsw->top = level;
    }
    if (hnsw->phase == HNSW_RELINKING) hnsw_note_heir(hnsw, point, level);
    return point;
}
