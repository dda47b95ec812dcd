/* HNSW in integers: the approximate index of a collection, as part of its state.
 *
 * docs/semantics-hnsw-1.md defines the graph; equal logs give equal graphs, on every CPU
 * and at every moment. A vertex of the graph is a *point*: a number, with rows in four
 * pools side by side (code, facts of the code, links of layer 0, and struct hnsw_point)
 * and one row of `upper` for each higher layer. Points are numbered apart from the slots
 * of records, so that a record's slot is free as soon as the record is gone, while its
 * point still routes. Point 0 does not exist: a link of 0 is no link.
 *
 * A link is a point and, in the top bit, LINK_PIN. The pinned links of layer 0 come in
 * pairs, one in the row of each of the two points, and are the edges of a tree over all
 * points. They are never crowded out, and freeing a point mends the tree. So each point
 * is reached from each other, whatever the vectors are. */
#ifndef KERNEL_HNSW_H
#define KERNEL_HNSW_H

#include "kernel/change.h"
#include "kernel/code.h"
#include "kernel/pool.h"

#define LINK_PIN   0x80000000u
#define LINK_POINT 0x7fffffffu

/* Numbers of the format. */
#define HNSW_M_MAX            512  /* a greater M counts as this */
#define HNSW_EF_MIN           16   /* a smaller EF counts as this */
#define HNSW_EF_MAX           4096 /* a greater EF of construction counts as this */
#define HNSW_LEVEL_MAX        12
#define HNSW_REPAIRED_AT_ONCE 4    /* points that an entry takes a round further */
#define HNSW_FOUND_MAX        1024 /* points that a row which is written anew chooses from */

struct hnsw_point {
    uint32_t upper; /* row of its links in layer 1; 0: it is in layer 0 alone */
    uint32_t slot;  /* of its record, + 1; 0: the point is free; or one of these: */
};
#define POINT_DEAD_EVEN 0xfffffffeu /* its record went in a round of even number */
#define POINT_DEAD_ODD  0xffffffffu

/* Followed by the links. */
struct upper_row {
    uint32_t point;
    uint32_t above; /* row of the next layer; 0: none */
};

struct hnsw {
    struct pool codes, facts, links, points, upper;
    uint8_t metric;
    uint32_t dim;
    uint32_t m, ef;
    uint32_t entry;     /* where walks begin; 0: there are no points */
    uint32_t top;       /* the layer of `entry` */
    uint32_t live;      /* points with a record */
    uint32_t dead;      /* without, that no round is for yet */
    uint32_t condemned; /* without, to be freed in this round */
    uint32_t scaled;    /* points whose code is no lattice row */
    uint32_t moved;     /* 1 if ever a point was not its record's slot + 1 */
    /* Rounds of repair: hnsw_repair.c. */
    uint32_t rounds; /* begun so far; its parity tells the two words for dead apart */
    uint32_t phase;
    uint32_t cursor, limit;    /* the next point to look at, and where the phase ends */
    uint32_t heir, heir_level; /* the highest point seen that will stay; 0: none yet */
};

enum hnsw_phase { HNSW_QUIET, HNSW_RELINKING, HNSW_FREEING };

static inline uint32_t round_up_16(uint32_t number) { return (number + 15) & ~15u; }
/* How many links a point may have in a layer, and places in the row for them. */
static inline uint32_t hnsw_degree(const struct hnsw *hnsw, uint32_t layer) {
    return layer == 0 ? 2 * hnsw->m : hnsw->m;
}
static inline uint32_t hnsw_width(const struct hnsw *hnsw, uint32_t layer) {
    return round_up_16(hnsw_degree(hnsw, layer));
}
static inline const struct hnsw_point *point_at(const struct hnsw *hnsw, uint32_t point) {
    return pool_row(&hnsw->points, point);
}
static inline bool point_live(const struct hnsw *hnsw, uint32_t point) {
    uint32_t slot = point_at(hnsw, point)->slot;
    return slot != 0 && slot < POINT_DEAD_EVEN;
}

/* Are all points lattice rows of L2? Then facts need not be read, and nothing is lost. */
static inline bool hnsw_plain(const struct hnsw *hnsw) {
    return hnsw->metric == METRIC_L2 && hnsw->scaled == 0;
}

/* --- hnsw_rows.c: the pools -------------------------------------------------------- */

/* An empty index as the config says. */
void hnsw_begin(struct hnsw *hnsw, const struct config *config);
/* Give back up to *budget chunks; true when nothing is left. */
bool hnsw_dissolve(struct memory *memory, struct hnsw *hnsw, uint32_t *budget);

/* The layer up to which the insertion number `counter` of a collection reaches. */
uint32_t hnsw_level(uint64_t counter);
/* The highest layer that a point reaches. */
uint32_t hnsw_level_of(const struct hnsw *hnsw, uint32_t point);
/* A new point for the record in `slot`, without links. */
uint32_t hnsw_take_point(struct memory *memory, struct hnsw *hnsw, uint32_t slot,
                         uint32_t level, const int32_t *values);
void hnsw_give_point(struct memory *memory, struct hnsw *hnsw, uint32_t point);

/* Is `point` what the record in `slot` with these values must have: its slot and code,
 * and rows of links to points that exist? `room` has code_stride() bytes. */
bool hnsw_sound(const struct hnsw *hnsw, uint32_t point, uint32_t slot,
                const int32_t *values, uint8_t *room);

/* The same in parts, of rows that may be anything. Do the pools and fields belong together? Is
 * that the point of the record, with its code? Do its links stay inside the pools? */
bool hnsw_whole(const struct hnsw *hnsw);
bool hnsw_code_sound(const struct hnsw *hnsw, uint32_t point, uint32_t slot,
                     const int32_t *values, uint8_t *room);
bool hnsw_links_sound(const struct hnsw *hnsw, uint32_t point);

/* The row of links of a point that reaches this layer: hnsw_width() numbers, the links in
 * front, zeros behind. */
const uint32_t *hnsw_links(const struct hnsw *hnsw, uint32_t layer, uint32_t point);
uint32_t *hnsw_own_links(struct memory *memory, struct hnsw *hnsw, uint32_t layer,
                         uint32_t point);
static inline uint32_t links_count(const uint32_t *links, uint32_t degree) {
    uint32_t count = 0;
    while (count < degree && links[count] != 0) count++;
    return count;
}

#endif
