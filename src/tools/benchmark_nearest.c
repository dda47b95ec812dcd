/* Brute force: the truth when no file has it.
 *
 * The rows go by once for every eight queries, in lanes of binary32; each query keeps the
 * nearest SPARE more than it wants in a heap. Then these few are measured again in
 * binary64 and put in order. Threads take every n-th group of queries. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tools/benchmark_truth.h"

#define GROUP       8
#define LANES       16
#define SPARE       64
#define THREADS_MAX 256

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

struct candidate {
    double distance;
    int32_t row;
};

struct heap {
    struct candidate *items; /* the farthest first, while it is one */
    size_t count, capacity;
};

/* What one thread does. `rows` holds one row, `values` the queries of a group, both
 * padded to whole lanes. */
struct task {
    const struct ground *ground;
    struct truth *truth;
    size_t first, step; /* groups of queries */
    size_t lane_count;
    struct heap heaps[GROUP];
    float *values, *row;
    pthread_t thread;
};

/* --- A group -------------------------------------------------------------------------
 */

static void fetch_row(const struct dataset *dataset, size_t row, float *out) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(out, dataset_row(dataset, row), (size_t)dataset->dim * sizeof *out);
#else
    for (uint32_t i = 0; i < dataset->dim; i++) out[i] = dataset_value(dataset, row, i);
#endif
}

static float sum_of(const lanes *sums) {
    float total = 0;
    for (int i = 0; i < LANES; i++) total += (*sums)[i];
    return total;
}

static float square_of(const lanes *a, const lanes *b, size_t count) {
    lanes sums = {0};
    for (size_t i = 0; i < count; i++) sums += (a[i] - b[i]) * (a[i] - b[i]);
    return sum_of(&sums);
}

static float dot_of(const lanes *a, const lanes *b, size_t count) {
    lanes sums = {0};
    for (size_t i = 0; i < count; i++) sums += a[i] * b[i];
    return sum_of(&sums);
}

static bool is_farther(const struct candidate *a, const struct candidate *b) {
    return a->distance > b->distance || (a->distance == b->distance && a->row > b->row);
}

static void heap_swap(struct candidate *a, struct candidate *b) {
    struct candidate kept = *a;
    *a = *b;
    *b = kept;
}

static void heap_sink(struct heap *heap) {
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count) return;
        if (child + 1 < heap->count &&
            is_farther(&heap->items[child + 1], &heap->items[child]))
            child++;
        if (!is_farther(&heap->items[child], &heap->items[at])) return;
        heap_swap(&heap->items[at], &heap->items[child]);
        at = child;
    }
}

static void heap_offer(struct heap *heap, const struct candidate *candidate) {
    if (heap->count < heap->capacity) {
        size_t at = heap->count++;
        heap->items[at] = *candidate;
        for (; at > 0 && is_farther(&heap->items[at], &heap->items[(at - 1) / 2]);
             at = (at - 1) / 2)
            heap_swap(&heap->items[at], &heap->items[(at - 1) / 2]);
    } else if (is_farther(&heap->items[0], candidate)) {
        heap->items[0] = *candidate;
        heap_sink(heap);
    }
}

static void scan_rows(struct task *task, size_t queries) {
    const struct ground *ground = task->ground;
    const lanes *row = (const lanes *)(const void *)task->row;
    for (size_t i = 0; i < ground->base->rows; i++) {
        if (ground->tags && ground->tags[i] != ground->tag) continue;
        fetch_row(ground->base, i, task->row);
        float norm = 1;
        if (ground->metric == USE_COSINE)
            norm = sqrtf(dot_of(row, row, task->lane_count));
        for (size_t q = 0; q < queries; q++) {
            const lanes *query =
                (const lanes *)(const void *)task->values + q * task->lane_count;
            float value = ground->metric == USE_L2
                              ? square_of(query, row, task->lane_count)
                              : -dot_of(query, row, task->lane_count);
            if (ground->metric == USE_COSINE) value = norm > 0 ? value / norm : 0;
            struct candidate candidate = {.distance = (double)value, .row = (int32_t)i};
            heap_offer(&task->heaps[q], &candidate);
        }
    }
}

static int by_distance(const void *a, const void *b) {
    return is_farther(a, b) ? 1 : is_farther(b, a) ? -1 : 0;
}

/* Measure the candidates again, and keep the best in order. */
static void settle(struct task *task, struct heap *heap, size_t query) {
    struct truth *truth = task->truth;
    int32_t *out = truth->neighbors + query * truth->depth;
    for (size_t i = 0; i < heap->count; i++)
        heap->items[i].distance =
            ground_distance(task->ground, query, (size_t)heap->items[i].row);
    if (heap->count > 0)
        qsort(heap->items, heap->count, sizeof *heap->items, by_distance);
    for (size_t i = 0; i < truth->depth; i++)
        out[i] = i < heap->count ? heap->items[i].row : -1;
}

static void *task_main(void *argument) {
    struct task *task = argument;
    const struct dataset *queries = task->ground->queries;
    for (size_t first = task->first * GROUP; first < queries->rows;
         first += task->step * GROUP) {
        size_t count = queries->rows - first < GROUP ? queries->rows - first : GROUP;
        for (size_t q = 0; q < count; q++) {
            task->heaps[q].count = 0;
            fetch_row(queries, first + q, task->values + q * task->lane_count * LANES);
        }
        scan_rows(task, count);
        for (size_t q = 0; q < count; q++) settle(task, &task->heaps[q], first + q);
    }
    return NULL;
}

/* --- All of them ---------------------------------------------------------------------
 */

/* One block for a task: the padded values and row, then the heaps. Vectors of lanes want
 * an address that is a multiple of their size. */
static size_t task_size(size_t lane_count, size_t capacity) {
    return sizeof(lanes) + (GROUP + 1) * lane_count * sizeof(lanes) +
           GROUP * capacity * sizeof(struct candidate);
}

static void task_init(struct task *task, uint8_t *block, size_t capacity) {
    size_t values = (GROUP + 1) * task->lane_count * sizeof(lanes);
    uintptr_t rest = (uintptr_t)block % sizeof(lanes);
    block += rest ? sizeof(lanes) - rest : 0;
    memset(block, 0, values);
    task->values = (float *)(void *)block;
    task->row = task->values + GROUP * task->lane_count * LANES;
    struct candidate *items = (struct candidate *)(void *)(block + values);
    for (size_t i = 0; i < GROUP; i++)
        task->heaps[i] =
            (struct heap){.items = items + i * capacity, .capacity = capacity};
}

static enum status run_tasks(const struct ground *ground, struct truth *truth,
                             const struct allocator *allocator, size_t threads) {
    static const size_t padded = LANES - 1;
    struct task tasks[THREADS_MAX];
    uint8_t *blocks[THREADS_MAX] = {NULL};
    size_t lane_count = (ground->base->dim + padded) / LANES;
    size_t capacity = (size_t)truth->depth + SPARE;
    size_t size = task_size(lane_count, capacity), started = 1;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < threads && !status; i++) {
        tasks[i] = (struct task){.ground = ground,
                                 .truth = truth,
                                 .first = i,
                                 .step = threads,
                                 .lane_count = lane_count};
        blocks[i] = allocate(allocator, size);
        if (blocks[i]) task_init(&tasks[i], blocks[i], capacity);
        else status = STATUS_MEMORY;
    }
    while (!status && started < threads) {
        struct task *task = &tasks[started];
        if (pthread_create(&task->thread, NULL, task_main, task) == 0) started++;
        else status = STATUS_MEMORY;
    }
    if (!status) task_main(&tasks[0]);
    for (size_t i = 1; i < started; i++) pthread_join(tasks[i].thread, NULL);
    for (size_t i = 0; i < threads; i++) release(allocator, blocks[i], size);
    return status;
}

enum status truth_compute(struct truth *truth, const struct allocator *allocator,
                          const struct ground *ground, uint32_t depth, uint64_t threads,
                          struct complaint *complaint) {
    size_t size, queries = ground->queries->rows;
    *truth = (struct truth){.allocator = allocator, .depth = depth, .queries = queries};
    if (ground->base->rows > INT32_MAX)
        return complain(complaint, STATUS_INVALID, "too many rows for a truth");
    if (size_multiply(queries, (size_t)depth * 4, &size))
        truth->neighbors = allocate(allocator, size);
    enum status status = STATUS_MEMORY;
    if (truth->neighbors)
        status = run_tasks(ground, truth, allocator,
                           threads < THREADS_MAX ? (size_t)threads : THREADS_MAX);
    if (!status) return STATUS_OK;
    if (truth->neighbors) truth_free(truth);
    else *truth = (struct truth){0};
    return complain(complaint, status, "no memory or threads for the truth");
}
