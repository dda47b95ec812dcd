/* The trees of indexed fields, against sorted lists; and how deep they get. */
#define _DEFAULT_SOURCE
#include "test.h"

#include "kernel/fixture.h"
#include "kernel/schema.h"
#include "kernel/state.h"

enum { SLOTS = 600 };
static const struct schema schema = {.count = 2,
                                     .types = {SCHEMA_NUMBER, SCHEMA_STRING},
                                     .sizes = {1, 1},
                                     .names = {"n", "s"}};
static int values[SLOTS]; /* -1: none; -2: another type */

struct placed {
    uint64_t key;
    uint32_t slot;
};
static int compare_placed(const void *a, const void *b) {
    const struct placed *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

static double number_of(int value) { return (value - 20) * 0.5; }
static uint64_t key_of(int value) {
    double number = number_of(value);
    binary64 bits;
    memcpy(&bits, &number, sizeof bits);
    return value == -2 ? 0 : schema_number_key(bits);
}

static void put(struct memory *memory, struct schema_index *index, uint32_t slot,
                int value) {
    char json[64];
    values[slot] = value;
    if (value == -1) strcpy(json, "{\"s\":\"x\"}");
    else if (value == -2) strcpy(json, "{\"n\":\"5\"}");
    else
        snprintf(json, sizeof json, "{\"n\":%g,\"s\":\"a\\n%d\"}", number_of(value),
                 value % 3);
    schema_put(memory, index, &schema, slot, slice_text(json));
    EXPECT(schema_sound(index, &schema, slot, slice_text(json)));
    EXPECT(!schema_sound(index, &schema, slot, slice_text("{\"n\":77}")));
}

static void expect_order(const struct schema_index *index) {
    static struct placed entries[SLOTS];
    uint32_t count = 0, slots[SCHEMA_AT_ONCE];
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (values[slot] != -1)
            entries[count++] = (struct placed){key_of(values[slot]), slot};
    qsort(entries, count, sizeof entries[0], compare_placed);
    EXPECT_EQUAL(schema_total(index, 0), count);
    for (uint32_t rank = 0; rank < count; rank += 7) {
        uint32_t some = count - rank < SCHEMA_AT_ONCE ? count - rank : SCHEMA_AT_ONCE;
        schema_slots(index, 0, rank, some, slots);
        for (uint32_t i = 0; i < some; i++)
            EXPECT_EQUAL(slots[i], entries[rank + i].slot);
        uint32_t below = 0;
        while (below < count && entries[below].key < entries[rank].key) below++;
        EXPECT_EQUAL(schema_rank(index, 0, entries[rank].key), below);
    }
    EXPECT_EQUAL(schema_rank(index, 0, UINT64_MAX), count);
}

static void trees_hold_what_was_put(void) {
    struct source source;
    struct memory_source memory_source = source_begin(&source);
    struct memory memory;
    struct schema_index index = {0};
    uint64_t state = 7;
    memory_begin(&memory, &memory_source);
    schema_begin(&index, &schema);
    EXPECT(memory_reserve(&memory, 16 << 20) == STATUS_OK);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        schema_take(&memory, &index, slot);
        put(&memory, &index, slot, (int)slot % 43 - 2); /* many equal keys, in order */
    }
    expect_order(&index);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 200; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            put(&memory, &index, (uint32_t)(state >> 33) % SLOTS,
                (int)(state >> 50) % 43 - 2);
        }
        expect_order(&index);
    }
    for (uint32_t slot = 0; slot < SLOTS; slot += 2) { /* a freed slot is taken again */
        schema_give(&memory, &index, &schema, slot);
        values[slot] = -1;
        expect_order(&index);
        schema_take(&memory, &index, slot);
    }
    memory_end(&memory);
}

/* Keys in order, where a tree without balance would be a list. */
static void depth_stays_small(void) {
    struct source source;
    struct memory_source memory_source = source_begin(&source);
    struct memory memory;
    struct schema_index index = {0};
    char json[64];
    enum { COUNT = 100000 };
    memory_begin(&memory, &memory_source);
    schema_begin(&index, &schema);
    for (uint32_t slot = 0; slot < COUNT; slot++) {
        EXPECT(memory_reserve(&memory, 1 << 20) == STATUS_OK);
        schema_take(&memory, &index, slot);
        snprintf(json, sizeof json, "{\"n\":%u}", slot);
        schema_put(&memory, &index, &schema, slot, slice_text(json));
    }
    EXPECT_EQUAL(schema_total(&index, 0), COUNT);
    uint32_t slots[SCHEMA_AT_ONCE];
    for (uint32_t rank = 0; rank + 3 < COUNT; rank += 97) {
        schema_slots(&index, 0, rank, 3, slots);
        EXPECT(slots[0] == rank && slots[2] == rank + 2);
    }
    for (uint32_t slot = 0; slot + 1 < COUNT; slot++)
        schema_give(&memory, &index, &schema, slot);
    EXPECT_EQUAL(schema_total(&index, 0), 1);
    memory_end(&memory);
}

static void keys_keep_the_order_of_numbers(void) {
    static const double numbers[] = {-1.0 / 0.0, -1e308, -2,  -5e-324, 0,
                                     5e-324,     1,      1.5, 1e308,   1.0 / 0.0};
    uint64_t last = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        binary64 bits;
        memcpy(&bits, &numbers[i], sizeof bits);
        EXPECT(schema_number_key(bits) > last);
        last = schema_number_key(bits);
    }
    EXPECT(schema_number_key(BINARY64_SIGN) == schema_number_key(0));
    EXPECT(schema_text_key(slice_text("a\nb"), false) ==
           schema_text_key(slice_text("a\\nb"), true));
}

int main(void) {
    RUN(trees_hold_what_was_put);
    RUN(depth_stays_small);
    RUN(keys_keep_the_order_of_numbers);
    return test_finish();
}
