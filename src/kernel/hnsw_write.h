/* Changes of the graph: insertion and removal of points, and what keeps them in order. */
#ifndef KERNEL_HNSW_WRITE_H
#define KERNEL_HNSW_WRITE_H

#include "kernel/hnsw_walk.h"

/* Rows that one change may write: of an insertion M + 1 in each layer. */
#define HNSW_CHANGED_MAX 16384

/* Working memory of all indexes of a kernel, kept between changes. It is no state. */
struct hnsw_work {
    struct block room_block, lists_block;
    struct walk_room room;
    uint32_t dim; /* that `room` and the lists' query are large enough for */
    struct hnsw_lists *lists;
};

/* One index being changed by one entry. */
struct hnsw_writer {
    struct memory *memory;
    struct hnsw *hnsw;
    struct hnsw_work *work;
};
/* Make the work fit the index; the changes that follow are noted from here on. */
void hnsw_write_begin(struct hnsw_writer *writer, struct memory *memory,
                      struct hnsw *hnsw, struct hnsw_work *work);

/* A point for the record in `slot`, the insertion number `counter` of its collection. */
uint32_t hnsw_insert(struct hnsw_writer *writer, uint64_t counter, uint32_t slot,
                     const int32_t *values);
/* The record of `point` goes. */
void hnsw_remove(struct hnsw_writer *writer, uint32_t point);
/* What every entry of the collection does besides: take repair a little further. */
void hnsw_repair(struct hnsw_writer *writer);

/* The chain's step X' = H(19 | X | sequence | B(delta)) over the rows that were written
 * since hnsw_write_begin(); none without such. */
void hnsw_chain(struct hnsw_writer *writer, uint64_t sequence,
                uint8_t chain[SHA256_SIZE]);

#endif
