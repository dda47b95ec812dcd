/* Sorting: small counts in every arrangement, larger ones within their bound. */
#include "base/sort.h"

#include "test.h"

static int compare_u32(void *context, const void *a, const void *b) {
    size_t *calls = context;
    (*calls)++;
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Every sequence of up to 6 digits below its length; equal ones included. */
static void sorts_every_small_sequence(void) {
    for (size_t count = 0; count <= 6; count++) {
        size_t sequences = 1;
        for (size_t i = 0; i < count; i++) sequences *= count;
        for (size_t number = 0; number < sequences; number++) {
            uint32_t values[7];
            size_t calls = 0, digits = number, sum = 0, sorted_sum = 0;
            for (size_t i = 0; i < count; i++, digits /= count) {
                values[i] = (uint32_t)(digits % count);
                sum += (size_t)1 << 4 * values[i];
            }
            values[count] = 77;
            sort(values, count, sizeof values[0], compare_u32, &calls);
            for (size_t i = 0; i < count; i++) sorted_sum += (size_t)1 << 4 * values[i];
            for (size_t i = 1; i < count; i++) EXPECT(values[i - 1] <= values[i]);
            EXPECT(sum == sorted_sum); /* the same digits as before */
            EXPECT_EQUAL(values[count], 77);
        }
    }
}

static void stays_below_its_bound(void) {
    enum { COUNT = 10000, LOG2 = 14 };
    static uint32_t values[COUNT];
    for (int shape = 0; shape < 4; shape++) {
        uint32_t x = 7;
        for (uint32_t i = 0; i < COUNT; i++) {
            x = x * 1664525 + 1013904223;
            values[i] = shape == 0 ? i : shape == 1 ? COUNT - i : shape == 2 ? 5 : x;
        }
        size_t calls = 0;
        sort(values, COUNT, sizeof values[0], compare_u32, &calls);
        for (size_t i = 1; i < COUNT; i++) EXPECT(values[i - 1] <= values[i]);
        EXPECT(calls <= 2 * (size_t)COUNT * LOG2);
    }
}

/* Elements of every size around the piece that is swapped at a time: a key in the first
 * byte, and the rest must travel with it. */
static int compare_first_byte(void *context, const void *a, const void *b) {
    (void)context;
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

static void moves_whole_elements(void) {
    enum { COUNT = 40, LARGEST = 200 };
    static uint8_t elements[COUNT * LARGEST + 1];
    for (size_t size = 1; size <= LARGEST; size++) {
        for (size_t i = 0; i < COUNT; i++) {
            uint8_t key = (uint8_t)(i * 23 % COUNT);
            for (size_t j = 0; j < size; j++) elements[i * size + j] = (uint8_t)(key + j);
        }
        elements[COUNT * size] = 0xee;
        sort(elements, COUNT, size, compare_first_byte, NULL);
        for (size_t i = 0; i < COUNT; i++)
            for (size_t j = 0; j < size; j++)
                EXPECT_EQUAL(elements[i * size + j], (uint8_t)(i + j));
        EXPECT_EQUAL(elements[COUNT * size], 0xee);
    }
}

int main(void) {
    RUN(sorts_every_small_sequence);
    RUN(stays_below_its_bound);
    RUN(moves_whole_elements);
    return test_finish();
}
