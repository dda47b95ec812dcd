/* Tags by shares of a hundred million. */
#include "tools/benchmark_tags.h"

#include <stdlib.h>

#include "tools/benchmark_synthetic.h"

#define WHOLE     UINT64_C(100000000)
#define TAG_SEED  UINT64_C(0x7461677300000000)
#define LINE_SEED UINT64_C(0x6c696e6500000000)

/* The tag of a row that stands at `place` of WHOLE. */
static uint32_t tag_at(const struct number_list *shares, uint64_t place) {
    for (size_t i = 0; i < shares->count; i++) {
        if (place < shares->values[i]) return (uint32_t)(i + 1);
        place -= shares->values[i];
    }
    return 0;
}

struct placed {
    double along;
    size_t row;
};

static int by_place(const void *a, const void *b) {
    const struct placed *x = a, *y = b;
    if (x->along != y->along) return x->along < y->along ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Rows in the order of their products with one random direction: neighbours in space are
 * near each other in it. */
static void place_rows(const struct dataset *base, uint64_t seed, struct placed *placed) {
    for (size_t row = 0; row < base->rows; row++) {
        double along = 0;
        for (uint32_t i = 0; i < base->dim; i++) {
            double direction = (double)(random_at(seed, i) >> 40) - (1 << 23);
            along += direction * (double)dataset_value(base, row, i);
        }
        placed[row] = (struct placed){.along = along, .row = row};
    }
    qsort(placed, base->rows, sizeof *placed, by_place);
}

enum status tags_assign(const struct benchmark_options *options,
                        const struct dataset *base, const struct allocator *allocator,
                        uint32_t *tags) {
    const struct number_list *shares = &options->selectivity;
    if (options->tag_rule == TAGS_RANDOM) {
        for (size_t row = 0; row < base->rows; row++)
            tags[row] = tag_at(shares, random_at(options->seed ^ TAG_SEED, row) % WHOLE);
        return STATUS_OK;
    }
    struct placed *placed = allocate(allocator, base->rows * sizeof *placed);
    if (!placed) return STATUS_MEMORY;
    place_rows(base, options->seed ^ LINE_SEED, placed);
    for (size_t i = 0; i < base->rows; i++) {
        unsigned __int128 place = (unsigned __int128)i * WHOLE / base->rows;
        tags[placed[i].row] = tag_at(shares, (uint64_t)place);
    }
    release(allocator, placed, base->rows * sizeof *placed);
    return STATUS_OK;
}
