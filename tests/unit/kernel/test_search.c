/* Exact search against an oracle that sorts all elements by sums of 128 bits (and products of
 * 192), over every metric, length, k and slice, with extreme values, ties, tags and holes. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/distance.h"
#include "kernel/search.h"

#include "fixture.h"

enum { ELEMENTS = 300 };

static struct source source;
static struct kernel *kernel;
static uint64_t sequence, seed;
static uint8_t *bytes;  /* vector bytes of the change */
static int32_t *query;  /* aligned, zero up to its stride */

/* What is in the collection, for the oracle. */
static struct element {
    bool live, tagged;
    uint64_t tag;
    char name[8];
    int32_t *values;
} elements[ELEMENTS];

static struct config config;

static void begin(uint8_t metric, uint32_t dim) {
    struct memory_source from = source_begin(&source);
    struct made made;
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    config = config_of(metric, dim);
    config.origin = ORIGIN_VCREATE;
    EXPECT_EQUAL(perform(kernel, ++sequence, make_create(&made, "k", config)), STATUS_OK);
    bytes = malloc(6 + 4 * (size_t)dim);
    query = aligned_alloc(64, 4 * (size_t)query_stride(dim));
    memset(query, 0, 4 * (size_t)query_stride(dim));
    for (int i = 0; i < ELEMENTS; i++) elements[i] = (struct element){0};
}

static void end(void) {
    for (int i = 0; i < ELEMENTS; i++) free(elements[i].values);
    free(bytes);
    free(query);
    kernel_destroy(kernel);
    EXPECT_EQUAL(source.taken, 0);
}

static void add(int number, const int32_t *values, bool tagged, uint64_t tag) {
    struct element *element = &elements[number];
    bool scaled = config.metric == METRIC_COSINE;
    element->live = true;
    if (tagged) element->tagged = true, element->tag = tag;
    /* Names in an order that is not that of slots, of several lengths. */
    snprintf(element->name, sizeof element->name, "%x", number * 7919 % 4099);
    if (!element->values) element->values = malloc(4 * (size_t)config.dim);
    memcpy(element->values, values, 4 * (size_t)config.dim);
    vector_encode(values, config.dim, scaled, 3, bytes);
    struct change change = {
        .type = CHANGE_VADD,
        .flags = (uint8_t)(CHANGE_VECTOR | (tagged ? CHANGE_TAG : 0)),
        .tag = tag,
        .key = slice_text("k"),
        .element = slice_text(element->name),
        .vector = slice_of(bytes, vector_bytes_size(scaled, config.dim))};
    EXPECT_EQUAL(perform(kernel, ++sequence, &change), STATUS_OK);
}

static void drop(int number) {
    struct made made;
    make(&made, CHANGE_VREM, "k", elements[number].name);
    EXPECT_EQUAL(perform(kernel, ++sequence, &made.change), STATUS_OK);
    elements[number].live = elements[number].tagged = false;
}

/* --- The oracle ---------------------------------------------------------------------------- */

struct scored {
    const struct element *element;
    int128 dot;
    uint128 distance;
    uint64_t norm;
};

static int128 dot_of(const int32_t *a, const int32_t *b) {
    int128 sum = 0;
    for (uint32_t i = 0; i < config.dim; i++) sum += (int128)a[i] * b[i];
    return sum;
}

/* a * a * b as 32-bit limbs, least first. */
static void cube(uint64_t a, uint64_t b, uint32_t limbs[6]) {
    uint64_t factors[3] = {a, a, b};
    memset(limbs, 0, 6 * sizeof *limbs);
    limbs[0] = 1;
    for (int f = 0; f < 3; f++) {
        uint32_t product[8] = {0};
        for (int half = 0; half < 2; half++) {
            uint64_t carry = 0, digit = (uint32_t)(factors[f] >> 32 * half);
            for (int i = 0; i + half < 6; i++) {
                carry += digit * limbs[i] + product[i + half];
                product[i + half] = (uint32_t)carry;
                carry >>= 32;
            }
        }
        memcpy(limbs, product, 6 * sizeof *limbs);
    }
}

/* The order of sign(dot) * dot^2 / norm, greatest first. */
static int by_cosine(const struct scored *a, const struct scored *b) {
    int sign_a = a->norm == 0 ? 0 : (a->dot > 0) - (a->dot < 0);
    int sign_b = b->norm == 0 ? 0 : (b->dot > 0) - (b->dot < 0);
    if (sign_a != sign_b) return sign_b - sign_a;
    if (sign_a == 0) return 0;
    uint32_t left[6], right[6];
    cube((uint64_t)(a->dot < 0 ? -a->dot : a->dot), b->norm, left);
    cube((uint64_t)(b->dot < 0 ? -b->dot : b->dot), a->norm, right);
    for (int i = 5; i >= 0; i--)
        if (left[i] != right[i]) return (left[i] > right[i]) == (sign_a > 0) ? -1 : 1;
    return 0;
}

static int by_score(const void *left, const void *right) {
    const struct scored *a = left, *b = right;
    int order;
    if (config.metric == METRIC_L2)
        order = (a->distance > b->distance) - (a->distance < b->distance);
    else if (config.metric == METRIC_IP)
        order = (a->dot < b->dot) - (a->dot > b->dot);
    else
        order = by_cosine(a, b);
    return order ? order
                 : slice_compare(slice_text(a->element->name), slice_text(b->element->name));
}

static uint32_t oracle(const uint64_t *tags, size_t tag_count, struct scored *scored) {
    uint32_t count = 0;
    for (int i = 0; i < ELEMENTS; i++) {
        const struct element *element = &elements[i];
        bool wanted = tag_count == 0;
        for (size_t t = 0; t < tag_count && element->tagged; t++)
            wanted |= tags[t] == element->tag;
        if (!element->live || !wanted) continue;
        struct scored *score = &scored[count++];
        *score = (struct scored){.element = element, .dot = dot_of(query, element->values)};
        score->norm = (uint64_t)dot_of(element->values, element->values);
        for (uint32_t d = 0; d < config.dim; d++) {
            int128 difference = (int128)query[d] - element->values[d];
            score->distance += (uint128)(difference * difference);
        }
    }
    qsort(scored, count, sizeof *scored, by_score);
    return count;
}

/* --- Comparing ------------------------------------------------------------------------------ */

static void expect_search(uint32_t k, uint32_t slice, const uint64_t *tags, size_t tag_count) {
    static struct hit hits[ELEMENTS];
    static struct scored wanted[ELEMENTS];
    const struct state *state = kernel_state(kernel);
    const struct collection *collection = state_collection(state, 0, slice_text("k"));
    struct query asked = {.values = query, .k = k, .tags = tags, .tag_count = tag_count};
    struct search search;
    search_begin(&search, state, collection, &asked, hits);
    while (!search_step(&search, slice)) {}

    uint32_t count = oracle(tags, tag_count, wanted);
    if (count > k) count = k;
    EXPECT_EQUAL(search.hit_count, count);
    for (uint32_t i = 0; i < count && i < search.hit_count && test_run.ok; i++) {
        struct record record;
        EXPECT(record_at(state, collection, hits[i].slot, &record));
        EXPECT(slice_equal(record.element, slice_text(wanted[i].element->name)));
        if (config.metric == METRIC_L2) EXPECT(hits[i].distance == wanted[i].distance);
        if (config.metric != METRIC_L2) EXPECT(hits[i].product == wanted[i].dot);
        if (config.metric == METRIC_COSINE) EXPECT_EQUAL(hits[i].norm, wanted[i].norm);
        if (!test_run.ok)
            printf("    metric %u dim %u k %u slice %u tags %zu hit %u\n", config.metric,
                   config.dim, k, slice, tag_count, i);
    }
}

static void expect_searches(void) {
    static const uint64_t tags[] = {3, 0, UINT64_MAX, 77};
    static const uint32_t ks[] = {1, 2, 10, 250, 100000, UINT32_MAX};
    static const uint32_t slices[] = {1, 7, 64, 65, UINT32_MAX};
    for (size_t i = 0; i < 6 && test_run.ok; i++)
        for (size_t t = 0; t <= 4 && test_run.ok; t += 1 + t / 2)
            expect_search(ks[i], slices[(i + t) % 5], tags, t);
}

/* --- Values ---------------------------------------------------------------------------------- */

enum values { PLAIN, FEW, EXTREME, VALUES };

static int32_t value_of(enum values kind) {
    static const int32_t ends[] = {INT32_MIN, INT32_MAX, INT32_MIN + 1, 0, -1, 1};
    uint64_t draw = chance(&seed);
    if (config.metric == METRIC_COSINE) { /* Scaled values keep within 2^17. */
        static const int32_t scaled_ends[] = {-131072, 131072, 0, 1, -1, 65536};
        return kind == PLAIN ? (int32_t)(draw % 262145) - 131072
               : kind == FEW ? (int32_t)(draw % 3) - 1
                             : scaled_ends[draw % 6];
    }
    return kind == PLAIN ? (int32_t)(draw % 2000001) - 1000000
           : kind == FEW ? (int32_t)(draw % 3) - 1
                         : ends[draw % 6];
}

static void fill(enum values kind, int count) {
    int32_t *values = malloc(4 * (size_t)config.dim);
    for (int i = 0; i < count; i++) {
        for (uint32_t d = 0; d < config.dim; d++) values[d] = i % 19 ? value_of(kind) : 0;
        uint64_t tag = i % 5 == 4 ? UINT64_MAX : (uint64_t)(i % 5);
        add(i, values, i % 3 > 0, tag);
    }
    free(values);
}

static void ask(enum values kind) {
    for (uint32_t d = 0; d < config.dim; d++) query[d] = value_of(kind);
}

static void run(uint8_t metric, uint32_t dim, enum values kind, int count) {
    begin(metric, dim);
    fill(kind, count);
    ask(kind);
    expect_searches();
    for (int i = 0; i < count; i += 3) drop(i);
    expect_searches();
    for (int i = 0; i < count; i += 6) add(i, elements[(i + 1) % count].values, i % 4 == 0, 3);
    ask(kind);
    expect_searches();
    memset(query, 0, 4 * (size_t)dim); /* All cosines are 0 then, and names decide. */
    expect_search(10, 50, NULL, 0);
    end();
}

static void every_length(void) {
    for (uint32_t dim = 1; dim <= 130 && test_run.ok; dim++) {
        seed = dim;
        run((uint8_t)(METRIC_COSINE + dim % 3), dim, (enum values)(dim / 3 % VALUES), 60);
    }
}

static void every_metric_and_kind_of_value(void) {
    static const uint32_t dims[] = {1, 3, 16, 17, 128};
    for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP; metric++)
        for (int kind = 0; kind < VALUES; kind++)
            for (size_t d = 0; d < 5 && test_run.ok; d++) {
                seed = metric * 100u + (unsigned)kind;
                run(metric, dims[d], (enum values)kind, ELEMENTS);
            }
}

static void greatest_dimension(void) {
    for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP && test_run.ok; metric++) {
        run(metric, 65536, EXTREME, 12);
        run(metric, 65536, PLAIN, 9);
    }
}

/* All equally near: the order is that of the names alone, bytewise, whatever the slots. */
static void ties_go_by_name(void) {
    for (uint8_t metric = METRIC_COSINE; metric <= METRIC_IP; metric++) {
        begin(metric, 4);
        static const int32_t same[4] = {5, -7, 11, 0};
        for (int i = 0; i < 200; i++) add(i, same, i % 2, 3);
        for (int i = 0; i < 200; i += 2) drop(i);
        for (int i = 0; i < 200; i += 4) add(i, same, false, 0);
        memcpy(query, same, sizeof same);
        expect_searches();
        end();
    }
}

/* Equal cosines of unequal lengths: 1:1, 2:2, 3:3, .. tie exactly; a last bit breaks it. */
static void cosines_are_exact(void) {
    begin(METRIC_COSINE, 2);
    for (int32_t i = 1; i < 200; i++) {
        int32_t values[2] = {i * 600, i * 600 + (i % 5 == 0) - (i % 7 == 0)};
        add(i, values, false, 0);
    }
    query[0] = query[1] = 100000;
    expect_searches();
    query[1] = 99999;
    expect_searches();
    query[0] = -100000;
    expect_searches();
    end();
}

static void nothing_to_find(void) {
    begin(METRIC_L2, 8);
    expect_searches();
    static const int32_t zero[8];
    add(0, zero, false, 0);
    expect_searches();
    drop(0);
    expect_searches();
    end();
}

static void strides(void) {
    EXPECT_EQUAL(query_stride(1), 16);
    EXPECT_EQUAL(query_stride(16), 16);
    EXPECT_EQUAL(query_stride(17), 32);
    EXPECT_EQUAL(query_stride(65536), 65536);
}

int main(void) {
    static const char *const kinds[] = {"portable", "sse4.1", "avx2", "avx512", "neon"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!distance_select(kinds[i])) continue;
        RUN(every_length);
        RUN(every_metric_and_kind_of_value);
        RUN(ties_go_by_name);
        RUN(cosines_are_exact);
    }
    RUN(greatest_dimension);
    RUN(nothing_to_find);
    RUN(strides);
    return test_finish();
}
