/* The arrays that choosing links works in. For the files hnsw_*.c that write. */
#ifndef KERNEL_HNSW_LISTS_H
#define KERNEL_HNSW_LISTS_H

#include "kernel/hnsw_write.h"

/* As many as a row of layer 0 may have, and one that wants to join. */
#define LIST_MAX (2 * HNSW_M_MAX + 1)

/* Points side by side with what comparing them reads. */
struct point_list {
    uint32_t count;
    uint32_t points[LIST_MAX];
    const uint8_t *rows[LIST_MAX];
    const struct code_facts *facts[LIST_MAX]; /* NULL in a plain graph */
};

struct hnsw_lists {
    struct block query_block;
    int8_t *query; /* room for one query beside the walk's */
    uint32_t changed_count;
    uint64_t changed[HNSW_CHANGED_MAX]; /* layer << 32 | point; may stand twice */
    struct point_list kept, rejected, others;
    uint32_t keys[LIST_MAX];
    uint64_t candidates[HNSW_EF_MAX];
    uint32_t found[HNSW_FOUND_MAX + LIST_MAX];
};

static inline void list_add(struct point_list *list, const struct hnsw *hnsw,
                            uint32_t point) {
    uint32_t at = list->count++;
    list->points[at] = point;
    list->rows[at] = pool_row(&hnsw->codes, point);
    list->facts[at] = hnsw_plain(hnsw) ? NULL : pool_row(&hnsw->facts, point);
}

/* --- hnsw_links.c ------------------------------------------------------------------ */

/* Choose at most `limit` of the candidates, which are in ascending order of their keys
 * to one point: those that no chosen one is nearer to than that point is, then, up to
 * `limit`, of the others the nearest. They are in work->lists->kept. */
void links_choose(struct hnsw_writer *writer, const uint64_t *candidates, uint32_t count,
                  uint32_t limit);

/* The row of `owner` gets a link to `point`, pinned or not, and where it is full another
 * link gives way, or, if `pin` is 0, this one. */
void links_add(struct hnsw_writer *writer, uint32_t layer, uint32_t owner, uint32_t point,
               uint32_t pin);

/* The same, from the first `count` of work->lists->found, which may stand there twice. */
void links_choose_found(struct hnsw_writer *writer, uint32_t point, uint32_t count,
                        uint32_t limit);

/* A point with room for a pinned link: `near`, or if it has no room one that its tree
 * leads to, away from it. `draw` spreads those who come the same way. */
uint32_t links_adopter(const struct hnsw *hnsw, uint32_t near, uint64_t draw);
/* An edge of the tree: a pinned link each way. */
void links_pin(struct hnsw_writer *writer, uint32_t a, uint32_t b);

/* A point that will outlast the round of repair: it may become the entry. */
void hnsw_note_heir(struct hnsw *hnsw, uint32_t point, uint32_t level);

/* The row was written. */
void links_note(struct hnsw_writer *writer, uint32_t layer, uint32_t point);

#endif
