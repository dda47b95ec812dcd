/* Search over one collection: exactly, or through its HNSW index.
 *
 * Without an index, with `exact`, and where that is the shorter way, every record is
 * looked at that may match. Otherwise the graph is walked with a beam of EF, and the
 * nearest that the walk has met are decided by their exact distances; should it meet too
 * few, every record is looked at after all (docs/semantics-hnsw-1.md, 5). With tags the
 * number of matches is known before the search. It decides between the two ways, and
 * widens the beam so that enough of what the beam holds should match. With an expression
 * a sample tells it about.
 *
 * A search is resumable, so that a long one can be done in slices: search_begin(), then
 * search_step() until it says done, then the hits are in order. The state must not change
 * in between. Nothing is allocated: the caller gives room for the hits. */
#ifndef KERNEL_SEARCH_H
#define KERNEL_SEARCH_H

#include "base/int128.h"
#include "kernel/hnsw_walk.h"
#include "kernel/kernel.h"
#include "kernel/schema.h"
#include "kernel/tags.h"

struct query {
    const int32_t
        *values; /* config.dim values, 64-byte aligned, zeros up to query_stride() */
    uint32_t k;  /* at least 1 */
    const uint64_t *tags; /* any of them, each once, ascending; NULL: no filter */
    size_t tag_count;
    const struct search_filter *filter; /* an expression besides; NULL: none */
    uint32_t ef;                        /* beam of a walk; 0: SEARCH_EF_DEFAULT */
    bool exact;                         /* do not walk */
    /* Of search_room_size() bytes; NULL where that is 0. An exact search does without,
     * and reads all rows instead of all codes. */
    struct search_room *room;
};
#define SEARCH_EF_DEFAULT 100

/* An expression that hits must match, read by filter_read(). */
struct search_filter {
    const struct filter *program;
    struct filter_room *room;
    uint64_t budget; /* of filter_matches()'s steps, for the whole search */
    uint32_t bound;  /* of candidates of a walk, none but which are asked; 0: none */
};

/* What a walk writes, kept by the caller between searches. */
struct search_room {
    void *bytes; /* aligned to 64 */
    size_t size;
    size_t clean; /* bytes at the front that are known to be zero; 0 when they are new */
};
/* Bytes that this query of the collection needs at most. */
size_t search_room_size(const struct collection *collection, const struct query *query);

/* Values that `values` must have room for: dim rounded up to a multiple of 16. */
uint32_t query_stride(uint32_t dim);

/* One hit. L2: `distance` is the sum of squared differences in units of 2^-32. IP:
 * `product` in units of 2^-32, greater is nearer. COSINE: `product` is the dot of the
 * stored integers and `norm` is |b|^2. */
struct hit {
    uint32_t slot;
    uint128 distance;
    int128 product;
    uint64_t norm;
};

/* The scan of codes: search_codes.c. */
struct search_codes {
    struct code_query query;
    uint32_t next, limit; /* points; limit 0: there is no such scan */
    uint32_t side;        /* root of the dimension, rounded up */
    uint32_t decided;     /* by their stored values so far */
    bool plain;           /* of L2, and nothing is lost: codes decide */
    bool full;            /* there are k hits */
    uint32_t worst;       /* slot + 1 of the hit that the rest follows from */
    uint64_t loss;        /* what the query's code is off by; COSINE: as a chord */
    uint64_t length;      /* of what the query's code stands for, in units of 2^-7 */
    uint64_t reach;       /* how far the worst hit may be from that code */
    uint32_t exact_key;   /* L2: its key */
    uint32_t lattice;     /* L2, between lattice rows: the sum of squares in its place */
    int128 product;       /* IP: with the worst hit, in units of 2^-14 */
};

/* Records that alone can match, as places in the order of an indexed field. */
#define PLAN_RANGES_MAX 64
struct search_plan {
    bool used;
    bool whole; /* they are what the expression asks for, and nothing else */
    uint32_t field, count;
    struct plan_range {
        uint32_t first, count;
    } ranges[PLAN_RANGES_MAX + 1]; /* and those of key 0 */
};

/* Where a walk over the elements is that have one of the tags, or that the plan lists. */
struct search_cursor {
    size_t next;             /* tags or ranges below were begun */
    struct tag_walk walk;    /* over those of the tag before it */
    struct plan_range range; /* what is left of the range before it */
};

struct search {
    const struct state *state;
    const struct collection *collection;
    struct query query;
    struct hit *hits; /* a heap while the search runs, in order when it is done */
    uint32_t hit_count;
    uint64_t matches;  /* records that may be hits: those with one of the tags */
    uint64_t expected; /* of them, those that the expression lets pass, about */
    uint64_t filter_cost, filter_counted; /* steps so far; when last asked for */
    bool exhausted; /* the filter's budget is used up: there is no answer */
    bool sampling;  /* `expected` is being found out */
    struct search_sample {
        uint32_t next, records, matches;
    } sample;
    bool gathered, decided; /* a walk has ended; and given the answer */
    struct {                /* what it has found, while that is asked */
        uint32_t count, next, kept;
    } found;
    bool walking;           /* through the index */
    struct hnsw_walk graph; /* while walking */
    struct search_codes codes;
    uint32_t next_slot; /* without a filter: slots below were looked at */
    struct search_plan plan;
    struct search_cursor cursor; /* with tags or a plan: elements before it were */
    uint32_t listed[SCHEMA_AT_ONCE];
    uint32_t unsorted;   /* hits that are still a heap, once all slots were looked at */
    bool wide;           /* 64-bit sums could overflow: 128-bit kernels */
    uint128 bound;       /* what a row must reach, once there are k hits; see search.c */
    uint64_t query_norm; /* COSINE: |a|^2 of the query */
};

/* `hits` has room for min(query.k, elements). The query and the room are borrowed until
 * done. */
void search_begin(struct search *search, const struct state *state,
                  const struct collection *collection, const struct query *query,
                  struct hit *hits);
/* Look at about `rows` more slots, or put about as many hits in order. True when done:
 * search->hits[0 .. hit_count) are the nearest, best first, ties by element name; or
 * search->exhausted says that there is no answer. */
bool search_step(struct search *search, uint32_t rows);

/* The same among the live elements in `slots` alone, all at once: for a few. */
void search_among(struct search *search, const struct state *state,
                  const struct collection *collection, const struct query *query,
                  struct hit *hits, const uint32_t *slots, uint32_t count);

#endif
