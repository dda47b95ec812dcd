/* Searches with tags through the index, against distances taken one by one here: real
 * vectors with tags given by chance and tags that lie together. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "kernel/filter.h"
#include "kernel/fixture.h"
#include "kernel/simd.h"

#include "kernel/hnsw_graph.h"

enum { DIM = 128, ROWS = 10000, ASKED = 60, K_MAX = 3200 };
static int32_t rows[ROWS][DIM];
static _Alignas(64) int32_t asked[DIM];

/* Tag t is that of SHARES[t] records in a thousand; the last of the rest. */
enum { TAGS = 6 };
static const uint32_t shares[TAGS - 1] = {1, 10, 100, 200, 500};
static uint64_t tag_of[ROWS];
static bool live[ROWS];
static uint32_t count; /* rows that are inserted; those behind are asked for */

static uint64_t square(const int32_t *a, const int32_t *b) {
    uint64_t sum = 0;
    for (uint32_t d = 0; d < DIM; d++) {
        int64_t away = (int64_t)a[d] - b[d];
        sum += (uint64_t)(away * away);
    }
    return sum;
}

static uint64_t tag_of_place(uint32_t thousandth) {
    uint64_t tag = 0;
    for (; tag < TAGS - 1; tag++) {
        if (thousandth < shares[tag]) break;
        thousandth -= shares[tag];
    }
    return tag;
}

static void give_tags_by_chance(void) {
    uint64_t seed = 4;
    for (uint32_t i = 0; i < count; i++)
        tag_of[i] = tag_of_place(chance_below(&seed, 1000));
}

struct ranked {
    uint64_t distance;
    uint32_t row;
};
static int compare_ranked(const void *a, const void *b) {
    const struct ranked *left = a, *right = b;
    if (left->distance != right->distance)
        return left->distance < right->distance ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

/* Balls of records around one of them, the nearest with the rarest tag. */
static void give_tags_by_place(void) {
    static struct ranked ranked[ROWS];
    for (uint32_t i = 0; i < count; i++)
        ranked[i] = (struct ranked){square(rows[i], rows[77]), i};
    qsort(ranked, count, sizeof ranked[0], compare_ranked);
    for (uint32_t i = 0; i < count; i++)
        tag_of[ranked[i].row] = tag_of_place((uint32_t)((uint64_t)i * 1000 / count));
}

static void put_tagged(struct trial *trial, uint32_t row) {
    uint8_t element[4];
    EXPECT(trial_put(trial, row, rows[row]) == STATUS_OK);
    store_be32(element, row);
    struct change change = {.type = CHANGE_SETTAG,
                            .key = slice_text("c"),
                            .element = slice_of(element, sizeof element),
                            .flags = CHANGE_TAG,
                            .tag = tag_of[row]};
    EXPECT(perform(trial->kernel, trial->sequence++, &change) == STATUS_OK);
    live[row] = true;
}

static void build(struct trial *trial) {
    trial_begin(trial, METRIC_L2, DIM, 16, 100);
    for (uint32_t i = 0; i < count; i++) put_tagged(trial, i);
}

/* The `k` nearest with one of the tags, into `nearest`; gives how many there are. */
static uint32_t oracle(const uint64_t *tags, size_t tag_count, uint32_t k,
                       struct ranked *nearest) {
    static struct ranked ranked[ROWS];
    uint32_t matches = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool wanted = false;
        for (size_t t = 0; t < tag_count && live[i]; t++) wanted |= tags[t] == tag_of[i];
        if (wanted) ranked[matches++] = (struct ranked){square(rows[i], asked), i};
    }
    qsort(ranked, matches, sizeof ranked[0], compare_ranked);
    uint32_t found = k < matches ? k : matches;
    memcpy(nearest, ranked, found * sizeof ranked[0]);
    return found;
}

/* --- Expressions -------------------------------------------------------------------- */

static struct filter program;
static struct filter_room filter_room;

static void put_attributes(struct trial *trial, uint32_t row) {
    uint8_t element[4];
    char json[64];
    store_be32(element, row);
    snprintf(json, sizeof json, "{\"tag\":%u,\"row\":%u}", (unsigned)tag_of[row], row);
    struct change change = {.type = CHANGE_SETATTR,
                            .key = slice_text("c"),
                            .element = slice_of(element, sizeof element),
                            .flags = CHANGE_ATTRIBUTES,
                            .attributes = slice_text(json)};
    EXPECT(perform(trial->kernel, trial->sequence++, &change) == STATUS_OK);
}

/* Ask for the tags by an expression over the attributes, not as tags. */
static const struct search_filter *instead;

static struct search_filter expression(const char *text) {
    size_t error;
    EXPECT_EQUAL(filter_read(slice_text(text), &program, &error), STATUS_OK);
    return (struct search_filter){
        .program = &program, .room = &filter_room, .budget = UINT64_MAX};
}

struct tally {
    uint32_t walks; /* searches that walked, */
    uint32_t ended; /* and whose answer is the walk's */
    uint32_t wanted, found;
};

/* One search: as many hits as there must be, all of them matches, in order. A search
 * that does not walk gives exactly the nearest. `step` codes at a time. */
static void try_search(const struct trial *trial, struct query query, uint32_t step,
                       struct tally *tally) {
    static struct hit hits[K_MAX];
    static struct ranked wanted[K_MAX];
    const struct collection *collection = trial_collection(trial);
    uint32_t number = oracle(query.tags, query.tag_count, query.k, wanted);
    struct search search;
    const uint64_t *tags = query.tags;
    size_t tag_count = query.tag_count;
    query.filter = instead;
    if (instead) query.tag_count = 0;
    query.values = asked;
    query.room = roomy(collection, &query);
    search_begin(&search, kernel_state(trial->kernel), collection, &query, hits);
    bool walked = search.walking;
    while (!search_step(&search, step)) {
    }
    walked |= search.gathered; /* With an expression it begins later. */
    bool ended = walked && search.codes.limit == 0;
    EXPECT_EQUAL(search.hit_count, number);
    uint32_t found = 0;
    for (uint32_t i = 0; i < search.hit_count; i++) {
        uint64_t distance = (uint64_t)hits[i].distance;
        if (i > 0) EXPECT(hits[i - 1].distance <= hits[i].distance);
        uint64_t tag = facts_at(collection, hits[i].slot)->tag;
        bool match = false;
        for (size_t t = 0; t < tag_count; t++) match |= tags[t] == tag;
        EXPECT(match && slot_live(collection, hits[i].slot));
        found += distance <= wanted[number - 1].distance;
        if (!ended) EXPECT_EQUAL(distance, wanted[i].distance);
    }
    tally->walks += walked;
    tally->ended += ended;
    tally->wanted += number;
    tally->found += found;
}

static void ask(uint32_t which) { memcpy(asked, rows[count + which], sizeof asked); }

static struct tally try_tags(const struct trial *trial, const uint64_t *tags,
                             size_t tag_count, uint32_t k) {
    struct tally tally = {0};
    for (uint32_t i = 0; i < ASKED && test_run.ok; i++) {
        ask(i);
        struct query query = {.k = k, .tags = tags, .tag_count = tag_count};
        try_search(trial, query, i % 2 ? 500 : 1, &tally);
    }
    EXPECT(tally.found * 100 >= tally.wanted * 98);
    return tally;
}

static void try_all(const struct trial *trial, bool by_chance) {
    static const uint64_t every[] = {0, 1, 2, 3, 4, 5};
    static const uint64_t none[] = {6, 1000, UINT64_MAX};
    struct tally tally;
    for (uint32_t t = 0; t < TAGS; t++) {
        tally = try_tags(trial, &every[t], 1, 10);
        if (t < 4) EXPECT_EQUAL(tally.walks, 0);
        if (t == 4) EXPECT_EQUAL(tally.walks, ASKED);
        if (t == 4 && by_chance) EXPECT(tally.ended > ASKED * 9 / 10);
        if (t == 4 && !by_chance) EXPECT(tally.ended < ASKED);
    }
    tally = try_tags(trial, every + 2, 3, 10); /* 80 %, of three tags */
    EXPECT(tally.walks == ASKED && tally.ended > ASKED / 2);
    tally = try_tags(trial, every, TAGS, 20);
    EXPECT_EQUAL(tally.ended, ASKED);
    tally = try_tags(trial, every + 4, 1, K_MAX);
    EXPECT_EQUAL(tally.walks, 0);
    tally = try_tags(trial, none, 3, 10);
    EXPECT(tally.walks == 0 && tally.wanted == 0);
    uint32_t matches = (uint32_t)tags_count(&kernel_state(trial->kernel)->tags,
                                            trial_collection(trial)->tags, 1);
    EXPECT(matches > 20);
    try_tags(trial, every + 1, 1, matches);
    try_tags(trial, every + 1, 1, matches - 1);
    try_tags(trial, every + 1, 1, matches + 1);
}

static void tags_by_chance_are_found(void) {
    struct trial trial;
    give_tags_by_chance();
    build(&trial);
    try_all(&trial, true);
    kernel_destroy(trial.kernel);
}

static void tags_that_lie_together_are_found(void) {
    struct trial trial;
    give_tags_by_place();
    build(&trial);
    try_all(&trial, false);
    kernel_destroy(trial.kernel);
}

/* Points are no longer numbered as slots are; some of those that a walk meets are dead.
 */
static void records_that_came_and_went_do_not_matter(void) {
    struct trial trial;
    static const uint64_t common = 4, rare = 2;
    struct tally tally = {0};
    give_tags_by_chance();
    build(&trial);
    for (uint32_t i = 0; i < count; i += 3) {
        trial_drop(&trial, i);
        live[i] = false;
    }
    for (uint32_t i = 0; i < count; i += 6) put_tagged(&trial, count - 1 - i);
    for (uint32_t i = 0; i < count; i += 6) put_tagged(&trial, i);
    tally = try_tags(&trial, &rare, 1, 10);
    EXPECT_EQUAL(tally.walks, 0);
    struct query query = {.k = 5, .tags = &common, .tag_count = 1, .ef = 30};
    for (uint32_t i = 0; i < ASKED; i++) {
        ask(i);
        try_search(&trial, query, 100, &tally);
    }
    EXPECT_EQUAL(tally.walks, ASKED);
    EXPECT(tally.found * 100 >= tally.wanted * 98);
    kernel_destroy(trial.kernel);
}

static void try_expressions(bool by_chance) {
    static const uint64_t every[] = {0, 1, 2, 3, 4, 5};
    static const struct {
        const char *text;
        size_t first, count;
        int walks; /* with tags by chance: 1 all of them, 0 none, -1 as the sample says */
    } rows_of[] = {{".tag == 0", 0, 1, 0},      {".tag in [1]", 1, 1, 0},
                   {".tag * 1 == 2", 2, 1, -1}, {".tag >= 3 and .tag < 5", 3, 2, 1},
                   {".tag == 4", 4, 1, 1},      {".tag >= 0", 0, 6, 1}};
    struct trial trial;
    trial_begin(&trial, METRIC_L2, DIM, 16, 100);
    for (uint32_t i = 0; i < count; i++) {
        put_tagged(&trial, i);
        put_attributes(&trial, i);
    }
    for (size_t i = 0; i < sizeof rows_of / sizeof rows_of[0]; i++) {
        struct search_filter filter = expression(rows_of[i].text);
        instead = &filter;
        struct tally tally =
            try_tags(&trial, every + rows_of[i].first, rows_of[i].count, 10);
        if (by_chance && rows_of[i].walks >= 0)
            EXPECT_EQUAL(tally.walks, rows_of[i].walks * ASKED);
    }
    instead = NULL;
    kernel_destroy(trial.kernel);
}

static void expressions_find_what_tags_find(void) {
    give_tags_by_chance();
    try_expressions(true);
}
static void expressions_find_what_lies_together(void) {
    give_tags_by_place();
    try_expressions(false);
}

/* The plain scan of a flat collection, in the smallest steps. */
static void expressions_in_flat_collections(void) {
    struct trial trial;
    static struct hit hits[8];
    trial_begin(&trial, METRIC_L2, DIM, 16, 100);
    trial.config.index = INDEX_FLAT;
    for (uint32_t i = 0; i < 500; i++) {
        put_tagged(&trial, i);
        put_attributes(&trial, i);
    }
    struct search_filter filter = expression(".row % 100 == 7 or .row == 499");
    struct query query = {.values = asked, .k = 8, .filter = &filter};
    const struct state *state = kernel_state(trial.kernel);
    for (uint32_t step = 1; step < 1000; step *= 9) {
        struct search search;
        ask(3);
        search_begin(&search, state, trial_collection(&trial), &query, hits);
        while (!search_step(&search, step)) {
        }
        EXPECT_EQUAL(search.hit_count, 6);
        for (uint32_t i = 0; i < search.hit_count; i++) {
            struct record record;
            EXPECT(record_at(state, trial_collection(&trial), hits[i].slot, &record));
            uint32_t row = load_be32(record.element.data);
            EXPECT(row % 100 == 7 || row == 499);
        }
    }
    filter.budget = 400;
    struct search search;
    search_begin(&search, state, trial_collection(&trial), &query, hits);
    while (!search_step(&search, 7)) {
    }
    EXPECT(search.exhausted && search.hit_count == 0);
    kernel_destroy(trial.kernel);
}

int main(void) {
    simd_select(NULL);
    uint32_t read = read_descriptors(rows, ROWS);
    EXPECT_EQUAL(read, ROWS);
    count = read - ASKED;
    RUN(tags_by_chance_are_found);
    RUN(tags_that_lie_together_are_found);
    RUN(records_that_came_and_went_do_not_matter);
    RUN(expressions_find_what_tags_find);
    RUN(expressions_find_what_lies_together);
    RUN(expressions_in_flat_collections);
    return test_finish();
}
