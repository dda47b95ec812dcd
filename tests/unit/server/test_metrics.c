#include "server/metrics.h"

#include "test.h"

static void every_row_reads_its_field(void) {
    struct metrics metrics;
    uint64_t *fields = (uint64_t *)(void *)&metrics;
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof metrics / sizeof *fields; i++) fields[i] = 1000 + i;
    const struct metric_row *row;
    for (; (row = metric_at(count)); count++)
        EXPECT_EQUAL(metric_value(&metrics, row), 1000 + count);
    EXPECT_EQUAL(count, sizeof metrics / sizeof *fields);
}

static void names_are_unique(void) {
    const struct metric_row *a, *b;
    for (uint32_t i = 0; (a = metric_at(i)); i++)
        for (uint32_t j = 0; j < i && (b = metric_at(j)); j++)
            EXPECT(strcmp(a->name, b->name) != 0);
}

int main(void) {
    RUN(every_row_reads_its_field);
    RUN(names_are_unique);
    return test_finish();
}
