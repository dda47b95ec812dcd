/* The lists of tags against an oracle that looks at every slot: random histories over few, many
 * and awkward tags, places that move, and a view that keeps what it saw. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/tags.h"

#include "fixture.h"

enum { SLOTS = 2000 };

static struct source source;
static struct memory memory;
static struct tags tags;
static uint32_t root;
static uint64_t seed;

/* What the caller keeps, and the oracle. */
static struct {
    bool tagged;
    uint64_t tag;
    uint32_t place;
} slots[SLOTS];

static void begin(void) {
    struct memory_source from = source_begin(&source);
    memory_begin(&memory, &from);
    tags_begin(&tags);
    root = 0;
    memset(slots, 0, sizeof slots);
}

static void end(void) {
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

static void add(uint32_t slot, uint64_t tag) {
    slots[slot].place = tags_add(&memory, &tags, &root, tag, slot);
    slots[slot].tagged = true;
    slots[slot].tag = tag;
}

static void drop(uint32_t slot) {
    uint32_t moved =
        tags_remove(&memory, &tags, &root, slots[slot].tag, slots[slot].place);
    if (moved != UINT32_MAX) slots[moved].place = slots[slot].place;
    slots[slot].tagged = false;
}

static void expect_tag(const struct tags *seen, uint32_t seen_root, uint64_t tag,
                       const bool *wanted) {
    bool met[SLOTS] = {false};
    uint32_t count = 0, here;
    const uint32_t *found;
    struct tag_walk walk;
    tags_walk(seen, seen_root, tag, &walk);
    while ((here = tags_next(seen, &walk, &found)) > 0)
        for (uint32_t i = 0; i < here; i++, count++) {
            EXPECT(found[i] < SLOTS && !met[found[i]]);
            met[found[i]] = true;
        }
    EXPECT_EQUAL(count, tags_count(seen, seen_root, tag));
    EXPECT(memcmp(met, wanted, sizeof met) == 0);
}

static void expect_all(uint64_t (*tag_of)(uint32_t), uint32_t tag_count) {
    for (uint32_t number = 0; number < tag_count; number++) {
        bool wanted[SLOTS] = {false};
        for (uint32_t i = 0; i < SLOTS; i++)
            wanted[i] = slots[i].tagged && slots[i].tag == tag_of(number);
        expect_tag(&tags, root, tag_of(number), wanted);
    }
}

static uint64_t small(uint32_t number) { return number; }
static uint64_t high(uint32_t number) { return UINT64_MAX - ((uint64_t)number << 48); }

static void lists_hold_what_was_added(uint64_t (*tag_of)(uint32_t), uint32_t tag_count) {
    begin();
    for (int step = 0; step < 20000; step++) {
        uint32_t slot = chance_below(&seed, SLOTS);
        if (slots[slot].tagged) drop(slot);
        else add(slot, tag_of(chance_below(&seed, tag_count)));
        if (step % 4000 == 0) expect_all(tag_of, tag_count);
    }
    expect_all(tag_of, tag_count);
    for (uint32_t i = 0; i < SLOTS; i++)
        if (slots[i].tagged) drop(i);
    EXPECT_EQUAL(root, 0);
    EXPECT_EQUAL(tags.nodes.free_count, tags.nodes.limit);
    EXPECT_EQUAL(tags.lists.free_count, tags.lists.limit);
    end();
}

static void one_tag(void) { lists_hold_what_was_added(small, 1); }
static void some_tags(void) { lists_hold_what_was_added(small, 40); }
static void more_tags_than_slots(void) { lists_hold_what_was_added(small, 3000); }
static void tags_of_high_bits(void) { lists_hold_what_was_added(high, 300); }

static void a_tag_that_nobody_has_is_empty(void) {
    begin();
    bool none[SLOTS] = {false};
    expect_tag(&tags, root, 0, none);
    add(3, 0);
    expect_tag(&tags, root, 1, none);
    expect_tag(&tags, root, UINT64_MAX, none);
    end();
}

static void a_view_keeps_what_it_saw(void) {
    begin();
    bool wanted[SLOTS] = {false};
    for (uint32_t i = 0; i < 500; i++) {
        add(i, i % 3);
        wanted[i] = i % 3 == 1;
    }
    uint32_t epoch = memory_freeze(&memory), seen_root = root;
    EXPECT(epoch != 0);
    struct tags seen = tags;
    for (uint32_t i = 0; i < 500; i += 2) drop(i);
    for (uint32_t i = 500; i < SLOTS; i++) add(i, 1);
    expect_tag(&seen, seen_root, 1, wanted);
    memory_thaw(&memory, epoch);
    expect_all(small, 3);
    end();
}

int main(void) {
    RUN(one_tag);
    RUN(some_tags);
    RUN(more_tags_than_slots);
    RUN(tags_of_high_bits);
    RUN(a_tag_that_nobody_has_is_empty);
    RUN(a_view_keeps_what_it_saw);
    return test_finish();
}
