/* After any history the lists of tags say what the records say: tags set, replaced, kept by an
 * update, and gone with their element or their key. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/state.h"

#include "fixture.h"

enum { KEYS = 3, ELEMENTS = 120, TAGS = 9 };

static struct source source;
static struct kernel *kernel;
static uint64_t sequence, seed = 5;

static void begin(void) {
    struct memory_source from = source_begin(&source);
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    sequence = 0;
}
static void end(void) {
    kernel_destroy(kernel);
    EXPECT_EQUAL(source.taken, 0);
}

static void expect_tag(const struct collection *collection, uint64_t tag,
                       uint32_t *total) {
    const struct state *state = kernel_state(kernel);
    struct tag_walk walk;
    const uint32_t *slots;
    uint32_t here, count = 0;
    tags_walk(&state->tags, collection->tags, tag, &walk);
    while ((here = tags_next(&state->tags, &walk, &slots)) > 0)
        for (uint32_t i = 0; i < here; i++, count++) {
            struct record record;
            EXPECT(record_at(state, collection, slots[i], &record));
            EXPECT((record.flags & CHANGE_TAG) && record.tag == tag);
        }
    EXPECT_EQUAL(tags_count(&state->tags, collection->tags, tag), count);
    *total += count;
}

static void expect_lists(void) {
    const struct state *state = kernel_state(kernel);
    for (int key = 0; key < KEYS; key++) {
        char name[8];
        snprintf(name, sizeof name, "k%d", key);
        const struct collection *collection =
            state_collection(state, 0, slice_text(name));
        if (!collection) continue;
        uint32_t listed = 0, tagged = 0;
        for (uint64_t tag = 0; tag < TAGS; tag++) expect_tag(collection, tag, &listed);
        for (uint32_t slot = 0; slot < collection->metas.limit; slot++) {
            struct record record;
            if (!record_at(state, collection, slot, &record)) continue;
            tagged += (record.flags & CHANGE_TAG) != 0;
        }
        EXPECT_EQUAL(listed, tagged);
    }
}

static void some_change(void) {
    struct made made;
    char key[8], element[12];
    snprintf(key, sizeof key, "k%u", chance_below(&seed, KEYS));
    snprintf(element, sizeof element, "e%u", chance_below(&seed, ELEMENTS));
    uint64_t tag = chance_below(&seed, TAGS);
    struct change *change = &made.change;
    uint32_t choice = chance_below(&seed, 200);
    if (choice == 0) make(&made, CHANGE_DEL, key, NULL);
    else if (choice <= 50) make(&made, CHANGE_VREM, key, element);
    else if (choice <= 90) make_settag(&made, key, element, tag);
    else make_vadd(&made, key, element, 7);
    bool tagged = change->type == CHANGE_VADD && tag % 3 > 0;
    if (tagged) change->flags |= CHANGE_TAG, change->tag = tag;
    perform(kernel, ++sequence, change); /* may be refused: no such element */
    kernel_tidy(kernel, chance_below(&seed, 20));
}

static void lists_say_what_records_say(void) {
    begin();
    for (int i = 0; i < 20000; i++) {
        some_change();
        if (i % 500 == 0) expect_lists();
    }
    expect_lists();
    end();
}

static void a_deleted_key_leaves_no_list(void) {
    begin();
    for (int i = 0; i < 3000; i++) some_change();
    struct change flush = {.type = CHANGE_FLUSH, .db = FLUSH_ALL};
    EXPECT_EQUAL(perform(kernel, ++sequence, &flush), STATUS_OK);
    while (kernel_tidy(kernel, 100)) continue;
    const struct tags *tags = &kernel_state(kernel)->tags;
    EXPECT(tags->nodes.limit > 0 && tags->lists.limit > 0);
    EXPECT_EQUAL(tags->nodes.free_count, tags->nodes.limit);
    EXPECT_EQUAL(tags->lists.free_count, tags->lists.limit);
    end();
}

int main(void) {
    RUN(lists_say_what_records_say);
    RUN(a_deleted_key_leaves_no_list);
    return test_finish();
}
